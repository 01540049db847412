"""ほかの人に渡す, and もう一度ひらく: who answers for a case changes, and the resident is told the new name once (8f)."""

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import RedirectResponse, Response

from bot.desk import access, pages, sheets, support_acts
from bot.desk.access import Signed, TheParts
from bot.desk.sheets import Sheet, Unfinished
from storage import desk_cases, keeping_out, staff
from storage.desk_heads import CaseHead
from storage.desk_queue import Viewer

router = APIRouter(route_class=pages.DeskRoute)


def _gather(rows: Rows, viewer: Viewer, case: CaseHead, now: object) -> dict[str, object]:
    takers = desk_cases.may_take(rows, case.id)
    return {"others": [one for one in takers if one.id != viewer.staff_id], "takers": takers, "shut_out": keeping_out.of_case(rows, case)}


SHEET = Sheet("pass-on", _gather)


@router.get("/desk/cases/{code}/pass-on")
async def page(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    return await SHEET.show(request, parts, signed, code)


@router.post("/desk/cases/{code}/pass-on")
async def pass_on(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    written = await access.fields(request, "to", "words", "tell", "expected_version")
    viewer = access.viewer_of(signed)

    async def act() -> None:
        names = await parts.store.atransact(staff.names)
        if written["to"] not in names:
            raise Unfinished("empty")
        await support_acts.pass_on(
            parts, viewer, code, to=written["to"], to_name=names[written["to"]], words=sheets.words(written["words"]),
            expected=sheets.number(written["expected_version"]), tell=written["tell"] == "yes",
        )  # fmt: skip

    answer = await SHEET.attempt(request, parts, signed, code, written, act)
    return RedirectResponse(f"/desk/cases/{code}", status_code=303) if answer.status_code == 303 else answer


@router.post("/desk/cases/{code}/reopen")
async def reopen(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    answer = await SHEET.attempt(request, parts, signed, code, {}, lambda: support_acts.reopen(parts, access.viewer_of(signed), code))
    return RedirectResponse(f"/desk/cases/{code}", status_code=303) if answer.status_code == 303 else answer
