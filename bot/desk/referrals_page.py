"""つなぎ: tick what is told, choose the ground, the recipient and the day; then what came back, and what the person says of it (desk.md §3)."""

from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import Response

from bot.clock import JST
from bot.desk import access, pages, sheets, support_acts
from bot.desk.access import Signed, TheParts
from bot.desk.sheets import Sheet, Unfinished
from flows.gap import REASONS
from storage import consents, desk_sheets, meetings, referrals, releases
from storage.desk_heads import CaseHead
from storage.desk_queue import Viewer
from storage.referrals import BASES, NEEDS_REASON, RESIDENT_SAYS, Ground, Item, ReferralState
from storage.text import clean

router = APIRouter(route_class=pages.DeskRoute)

DEFAULT_DAYS = 180
_STATES: tuple[ReferralState, ...] = ("asked", "accepted", "refused", "interrupted", "completed")


def _gather(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> dict[str, Any]:
    lines, _, _ = desk_sheets.sheet(rows, viewer, case.code)
    return {
        "referrals": referrals.of_case(rows, case, now), "lines": {desk_sheets.name_of(one): one for one in lines},
        "holding": consents.holding(rows, case, now), "bases": BASES,
        "support_meetings": meetings.support_meetings(rows, case), "agencies": referrals.agencies(rows), "resident_says": RESIDENT_SAYS,
        "default_until": (now + timedelta(days=DEFAULT_DAYS)).astimezone(JST).date(), "needs_reason": NEEDS_REASON, "gap_reasons": REASONS,
        "lock": releases.lock_of(rows, case, now),
    }  # fmt: skip


SHEET = Sheet("referrals", _gather)


@router.get("/desk/cases/{code}/referrals")
async def page(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    return await SHEET.show(request, parts, signed, code)


@router.post("/desk/cases/{code}/referrals")
async def refer(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """つなぐ."""
    written = await access.fields(request, "recipient", "purpose", "basis", "consent", "meeting", "danger", "until", "more")
    ticked = (await access.lists(request, "line"))["line"]

    def work(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> None:
        lines = {desk_sheets.name_of(one): one for one in desk_sheets.sheet(rows, viewer, code)[0]}
        if not lines.keys() >= set(ticked):
            raise Unfinished("line_changed")
        items = [Item(lines[name]["text"], tuple(lines[name].get("refs", ()))) for name in ticked]
        items += [Item(clean(line.strip())) for line in sheets.words(written["more"]).splitlines() if line.strip()]
        if not items:
            raise Unfinished("no_items")
        basis = next((known for known in BASES if known == written["basis"]), None)
        if basis is None:
            raise Unfinished("no_ground")
        ground = Ground(basis, written["consent"] or None, written["meeting"] or None, clean(sheets.words(written["danger"])))
        if basis != "consent":
            ground = Ground(basis, None, ground.meeting_id if basis == "support_meeting" else None, ground.words if basis == "danger" else "")
        recipient = sheets.words(written["recipient"], trouble="no_recipient")[:120]
        purpose = sheets.words(written["purpose"], trouble="no_reason")
        support_acts.refer(
            rows, viewer, case, recipient=recipient, purpose=purpose, items=items, ground=ground, until=sheets.needed_day(written["until"]), now=now
        )

    return await SHEET.write(request, parts, signed, code, {**written, "line": ticked}, work)


@router.post("/desk/cases/{code}/referrals/{referral_id}")
async def answer(request: Request, code: str, referral_id: str, parts: TheParts, signed: Signed) -> Response:
    """What the recipient said, or what the person says."""
    written = await access.fields(request, "state", "words", "wish", "says", "expected_version")
    ticked = (await access.lists(request, "gap"))["gap"]

    def work(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> None:
        says = next((known for known in RESIDENT_SAYS if known == written["says"]), None)
        if says is not None:
            referrals.note_resident(rows, viewer, case, referral_id, says, now)
            return
        state = next((known for known in _STATES if known == written["state"]), None)
        if state is None:
            raise Unfinished("empty")
        heard = sheets.words(written["words"], trouble="no_reason" if state in NEEDS_REASON else None)
        support_acts.note_why_not(rows, referral_id, state, ticked, sheets.wish(written["wish"]), now)
        referrals.answered(rows, viewer, case, referral_id, state, clean(heard), expected=sheets.number(written["expected_version"]), now=now)

    return await SHEET.write(request, parts, signed, code, written, work)
