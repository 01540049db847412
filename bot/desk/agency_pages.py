"""連携先: an agency sees what was shared with it, accepts, refuses with a reason, reports, until the grant ends (R20); leads make accounts."""

from datetime import datetime
from typing import get_args

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import RedirectResponse, Response

from bot.desk import access, pages, sheets, support_acts
from bot.desk.access import Signed, TheParts
from bot.desk.sheets import Unfinished
from bot.hub import DESK, conversation
from bot.parts import Parts
from flows.gap import REASONS
from storage import audit, desk_cases, referrals, staff
from storage.desk_queue import Viewer
from storage.referrals import NEEDS_REASON, ReferralState
from storage.refusals import Missing, Stale
from storage.staff import SignedIn
from storage.text import clean

router = APIRouter(route_class=pages.DeskRoute)


@router.get("/desk/shared")
async def shared(request: Request, parts: TheParts, signed: Signed) -> Response:
    """What is shared with this office now; nothing else of the desk exists for it."""
    viewer, now = access.viewer_of(signed), parts.clock.now()

    def work(rows: Rows) -> dict[str, object]:
        agency, name = _agency(rows, signed)
        found = referrals.shared_with(rows, agency, now)
        audit.note(rows, actor=viewer.actor, act="shared.listed", now=now, count=len(found))
        return {"agency": name, "shared": found}

    try:
        found = await parts.store.atransact(work)
    except Missing:  # an account that belongs to no office yet: the lead ties it to one
        return await pages.page(request, signed, "no_cases.html")
    return await pages.page(request, signed, "shared.html", **found)  # type: ignore[arg-type]


@router.get("/desk/shared/{referral_id}")
async def one(request: Request, referral_id: str, parts: TheParts, signed: Signed) -> Response:
    return await _one(request, parts, signed, referral_id)


@router.post("/desk/shared/{referral_id}")
async def report(request: Request, referral_id: str, parts: TheParts, signed: Signed) -> Response:
    """受理, 断る（理由）, ようすを知らせる."""
    written = await access.fields(request, "state", "words", "wish", "expected_version")
    ticked = (await access.lists(request, "gap"))["gap"]
    viewer = access.viewer_of(signed)

    def work(rows: Rows, now: datetime) -> str:
        agency, name = _agency(rows, signed)
        state = next((known for known in get_args(ReferralState) if known == written["state"]), None)
        if state is None:
            raise Unfinished("empty")
        needed = state in NEEDS_REASON or written["state"] == referrals.read_shared(rows, viewer, agency, referral_id, now).state
        words = sheets.words(written["words"], trouble="no_reason" if needed else None)
        who = Viewer(viewer.staff_id, f"{name} {viewer.name}", viewer.role, viewer.actor)
        expected = sheets.number(written["expected_version"])
        support_acts.note_why_not(rows, referral_id, state, ticked, sheets.wish(written["wish"]), now)
        return referrals.reported(rows, who, agency, referral_id, state, clean(words), expected=expected, now=now)

    try:
        now = parts.clock.now()
        talk = await parts.store.atransact(lambda rows: referrals.talk_of(rows, work(rows, now)))
    except Unfinished as unfinished:
        return await _one(request, parts, signed, referral_id, why=unfinished.trouble, kept=written["words"], status=422)
    except Stale:
        return await _one(request, parts, signed, referral_id, why="stale", kept=written["words"], status=409)
    parts.hub.wake(DESK, conversation(talk))
    return RedirectResponse("/desk/shared" if written["state"] == "refused" else f"/desk/shared/{referral_id}", status_code=303)


@router.get("/desk/agencies")
async def agencies(request: Request, parts: TheParts, signed: Signed) -> Response:
    return await _agencies(request, parts, signed)


@router.post("/desk/agencies")
async def invite(request: Request, parts: TheParts, signed: Signed) -> Response:
    """Write an office down, and make the one-time link with which one of its people chooses a password (R25)."""
    name = clean((await access.fields(request, "name"))["name"].strip())[:120]
    if not name:
        return await _agencies(request, parts, signed, status=422)
    viewer, now = access.viewer_of(signed), parts.clock.now()

    def work(rows: Rows) -> str:
        agency = referrals.add_agency(rows, viewer, name, now)
        return staff.invite(rows, role="agency", now=now, agency_id=agency, actor=viewer.actor)

    token = await parts.store.atransact(work)
    return await _agencies(request, parts, signed, link=f"{parts.settings.base_url}/desk/welcome#{token}", invited=name)


async def _one(
    request: Request, parts: Parts, signed: SignedIn, referral_id: str, *, why: str | None = None, kept: str = "", status: int = 200
) -> Response:  # fmt: skip
    viewer, now = access.viewer_of(signed), parts.clock.now()
    try:
        found = await parts.store.atransact(lambda rows: referrals.read_shared(rows, viewer, _agency(rows, signed)[0], referral_id, now))
    except Missing:
        await parts.store.atransact(lambda rows: desk_cases.note_refusal(rows, viewer, "shared", now))
        raise
    return await pages.page(request, signed, "shared_one.html", status=status, one=found, why=why, kept=kept, gap_reasons=REASONS)


async def _agencies(request: Request, parts: Parts, signed: SignedIn, *, link: str = "", invited: str = "", status: int = 200) -> Response:
    known = await parts.store.atransact(referrals.agencies)
    return await pages.page(request, signed, "agencies.html", status=status, agencies=known, link=link, invited=invited)


def _agency(rows: Rows, signed: SignedIn) -> tuple[str, str]:
    found = referrals.agency_of(rows, signed.member.id)
    if found is None:
        raise Missing
    return found
