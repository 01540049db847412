"""履歴: the 支援経過 with its entries, and who looked at or did what (R43)."""

from datetime import datetime, time
from typing import Any, Literal, get_args

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import Response

from bot.clock import JST
from bot.desk import access, pages, sheets
from bot.desk.access import Signed, TheParts
from bot.desk.sheets import Sheet, Unfinished
from storage import audit, desk_cases, staff
from storage.desk_heads import CaseHead
from storage.desk_queue import Viewer
from storage.text import clean

router = APIRouter(route_class=pages.DeskRoute)

Method = Literal["visit_here", "call", "visit_there", "together", "with_agencies", "mail", "meeting", "other"]
METHODS: tuple[Method, ...] = get_args(Method)
"""来所面談, 電話, 訪問, 同行, 他機関との連絡調整, メール・SNS, 会議, その他: as the national form has them."""


def _gather(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> dict[str, Any]:
    entries = desk_cases.notes_of(rows, viewer, case.code)
    return {
        "entries": sorted(entries, key=lambda entry: entry.at, reverse=True), "methods": METHODS, "trail": audit.reads_of(rows, case.id),
        "staff_names": staff.names(rows), "today": now.astimezone(JST).date(), "clock": f"{now.astimezone(JST):%H:%M}",
    }  # fmt: skip


SHEET = Sheet("history", _gather)


@router.get("/desk/cases/{code}/history")
async def page(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    return await SHEET.show(request, parts, signed, code)


@router.post("/desk/cases/{code}/history")
async def add(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """An entry of the 支援経過: when, how, what."""
    written = await access.fields(request, "on", "at", "method", "text")

    def work(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> None:
        method = next((known for known in METHODS if known == written["method"]), None)
        if method is None:
            raise Unfinished("empty")
        try:
            clock = time.fromisoformat(written["at"] or "00:00")
        except ValueError:
            raise Unfinished("not_a_date") from None
        happened = datetime.combine(sheets.needed_day(written["on"]), clock.replace(tzinfo=None), JST)
        desk_cases.add_note(rows, viewer, code, clean(sheets.words(written["text"], trouble="empty")), now, method=method, at=happened)

    return await SHEET.write(request, parts, signed, code, written, work)
