"""A person with a hidden address: one asks, another confirms, and for a day something may be shared or printed (R22)."""

from datetime import datetime

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import Response

from bot.desk import access, handoff_page, pages, referrals_page, sheets
from bot.desk.access import Signed, TheParts
from storage import releases
from storage.desk_heads import CaseHead
from storage.desk_queue import Viewer
from storage.text import clean

router = APIRouter(route_class=pages.DeskRoute)


@router.post("/desk/cases/{code}/unlock")
async def unlock(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """Ask with a reason, or confirm as the second person."""
    written = await access.fields(request, "why", "release", "back")
    sheet = handoff_page.SHEET if written["back"] == handoff_page.SHEET.name else referrals_page.SHEET

    def work(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> None:
        if written["release"]:
            releases.confirm(rows, viewer, case, written["release"], now)
        else:
            releases.ask(rows, viewer, case, clean(sheets.words(written["why"], trouble="no_reason"))[:400], now)

    return await sheet.write(request, parts, signed, code, written, work)
