"""Who may not know of a case: shutting somebody out of it, and getting in all the same in an emergency, by two people (R21)."""

from datetime import datetime

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import RedirectResponse, Response

from bot.desk import access, pages, pass_on, sheets
from bot.desk.access import Signed, TheParts, WholeParts
from bot.desk.sheets import Unfinished
from bot.hub import DESK
from bot.parts import Parts
from storage import keeping_out
from storage.desk_heads import CaseHead
from storage.desk_queue import Viewer, may_read_cases
from storage.staff import SignedIn
from storage.text import clean

router = APIRouter(route_class=pages.DeskRoute)

_LONGEST_CODE = 40


@router.post("/desk/cases/{code}/shut-out")
async def shut_out(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """この相談から外す: kin, neighbour, the one complained about; oneself too."""
    written = await access.fields(request, "staff", "why")

    def work(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> None:
        why = clean(sheets.words(written["why"], trouble="no_reason"))
        keeping_out.shut_out(rows, viewer, case, written["staff"], why, now)

    answer = await pass_on.SHEET.write(request, parts, signed, code, written, work)
    return RedirectResponse("/desk", status_code=303) if written["staff"] == signed.member.id and answer.status_code == 303 else answer


@router.post("/desk/cases/{code}/shut-out/{shut_out_id}/lift")
async def lift(request: Request, code: str, shut_out_id: str, parts: TheParts, signed: Signed) -> Response:
    def work(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> None:
        keeping_out.lift(rows, viewer, case, shut_out_id, now)

    return await pass_on.SHEET.write(request, parts, signed, code, {}, work)


@router.get("/desk/emergency")
async def emergency(request: Request, parts: TheParts, signed: Signed) -> Response:
    return await _page(request, parts, signed)


@router.post("/desk/emergency")
async def ask(request: Request, parts: TheParts, whole: WholeParts, signed: Signed) -> Response:
    """The answer is the same whether or not there is such a case (R18)."""
    written = await access.fields(request, "code", "why")
    viewer, now = access.viewer_of(signed), parts.clock.now()
    code = clean(written["code"].strip().upper())[:_LONGEST_CODE]
    try:
        why = clean(sheets.words(written["why"], trouble="no_reason"))
    except Unfinished as unfinished:
        return await _page(request, parts, signed, why=unfinished.trouble, kept=written, status=422)
    await whole.store.atransact(lambda rows: keeping_out.ask(rows, viewer, code, why, now))
    parts.hub.wake(DESK)
    return await _page(request, parts, signed, done=True)


@router.post("/desk/emergency/{emergency_id}")
async def answer(request: Request, emergency_id: str, parts: TheParts, signed: Signed) -> Response:
    """The second person lets in, or does not."""
    yes = (await access.fields(request, "answer"))["answer"] == "yes"
    viewer, now = access.viewer_of(signed), parts.clock.now()
    await parts.store.atransact(lambda rows: keeping_out.answer(rows, viewer, emergency_id, yes=yes, now=now))
    parts.hub.wake(DESK)
    return RedirectResponse(f"/desk/emergency?answered={'yes' if yes else 'no'}", status_code=303)


async def _page(
    request: Request, parts: Parts, signed: SignedIn, *, why: str | None = None, kept: dict[str, str] | None = None, done: bool = False,
    status: int = 200,
) -> Response:  # fmt: skip
    viewer, now = access.viewer_of(signed), parts.clock.now()
    opened = await parts.store.atransact(lambda rows: keeping_out.opened(rows, viewer, now))
    requests = await parts.store.atransact(lambda rows: keeping_out.asked(rows, viewer, now)) if may_read_cases(viewer) else []
    kept, answered = {"code": "", "why": "", **(kept or {})}, request.query_params.get("answered", "")
    return await pages.page(
        request, signed, "emergency.html", status=status, opened=opened, asked=requests, answered=answered, why=why, kept=kept, done=done
    )
