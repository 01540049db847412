"""同意: the ledger (purpose × recipient × items × until), a card to the resident, a yes that was heard, and taking it back (D8, D11, R20)."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import Response

from bot.desk import access, pages, sheets, support_acts
from bot.desk.access import Signed, TheParts
from bot.desk.sheets import Sheet, Unfinished
from storage import consents, desk_sheets, referrals
from storage.desk_heads import CaseHead
from storage.desk_queue import Viewer

router = APIRouter(route_class=pages.DeskRoute)

LENGTHS = (30, 90, 180, 365)
"""Days a consent may be asked for."""


def _gather(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> dict[str, Any]:
    lines, _, _ = desk_sheets.sheet(rows, viewer, case.code)
    return {
        "ledger": consents.ledger(rows, case), "asked": consents.asked_of(rows, case), "lines": lines, "lengths": LENGTHS,
        "agencies": referrals.agencies(rows),
    }  # fmt: skip


SHEET = Sheet("consents", _gather)


@router.get("/desk/cases/{code}/consents")
async def page(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    return await SHEET.show(request, parts, signed, code)


@router.post("/desk/cases/{code}/consents")
async def ask(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """Send a card, or write down a yes that was heard."""
    written = await access.fields(request, "recipient", "more", "days", "how", "expected_version")
    ticked = (await access.lists(request, "item"))["item"]
    viewer = access.viewer_of(signed)

    async def act() -> None:
        recipient = sheets.words(written["recipient"], trouble="no_recipient")[:120]
        items = [*dict.fromkeys(item for item in (*ticked, *sheets.words(written["more"]).splitlines()) if item.strip())]
        if not items:
            raise Unfinished("no_items")
        days = next((known for known in LENGTHS if str(known) == written["days"]), LENGTHS[2])
        if written["how"] == "heard":
            await support_acts.write_down_consent(parts, viewer, code, recipient=recipient, items=items, days=days)
        else:
            expected = sheets.number(written["expected_version"])
            await support_acts.ask_consent(parts, viewer, code, recipient=recipient, items=items, days=days, expected=expected)

    return await SHEET.attempt(request, parts, signed, code, {**written, "item": ticked}, act)


@router.post("/desk/cases/{code}/consents/{consent_id}/withdraw")
async def withdraw(request: Request, code: str, consent_id: str, parts: TheParts, signed: Signed) -> Response:
    """取り消し: what rests on it ends at once."""

    def work(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> None:
        consents.withdraw(rows, viewer, case, consent_id, now)

    return await SHEET.write(request, parts, signed, code, {}, work)
