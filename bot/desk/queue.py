"""受付: who waits, in the order of danger and promise; the next one is one button away (desk.md §2)."""

from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.desk import access, acts, pages
from bot.desk.access import Signed, TheParts
from flows.model import ChannelName
from storage import desk_queue, staff
from storage.desk_queue import NOBODY, ORDERS, READS_CASES, VIEWS, Sieve, View
from storage.refusals import Missing

router = APIRouter(route_class=pages.DeskRoute)

ROWS_A_PAGE = 100
"""So that the first page stays under 200 KB (desk.md §1)."""
_A_YEAR = 365 * 24 * 3600


@router.get("/desk")
async def queue(request: Request, parts: TheParts, signed: Signed) -> Response:
    """The queue in one of its saved views; those who read no cases are told what is theirs."""
    viewer, now = access.viewer_of(signed), parts.clock.now()
    if viewer.role == "agency":
        return RedirectResponse("/desk/shared", status_code=303)
    if not desk_queue.may_read_cases(viewer):
        return await pages.page(request, signed, "no_cases.html")
    wanted = request.query_params.get("view", "open")
    view: View = next((name for name in VIEWS if name == wanted), "open")
    ends = pages.day_ends(now)
    number = _page_number(request)

    def look(rows: Rows) -> dict[str, Any]:
        colleagues = {one.id: one.name for one in staff.everybody(rows) if one.role in READS_CASES and not one.disabled}
        sieve = _sieve(request, colleagues)
        first = (number - 1) * ROWS_A_PAGE
        counts, pulse = desk_queue.counts(rows, viewer, now, ends), desk_queue.pulse(rows, viewer)
        found = desk_queue.queue(rows, viewer, now, view=view, day_ends=ends, sieve=sieve, skip=first, limit=ROWS_A_PAGE + 1)
        return {
            "sieve": sieve, "sieved": _sieved(sieve), "colleagues": colleagues, "rows": found[:ROWS_A_PAGE], "more": len(found) > ROWS_A_PAGE,
            "counts": counts, "pulse": pulse, "next_promise": None if found else desk_queue.next_promise(rows, viewer, now),
        }  # fmt: skip

    found = await parts.store.atransact(look)
    return await pages.page(request, signed, "queue.html", **found, view=view, number=number, rows_a_page=ROWS_A_PAGE, searched=None)


@router.get("/desk/search")
async def search(request: Request, parts: TheParts, signed: Signed) -> HTMLResponse:
    """By number, or by words of the line in the queue."""
    viewer, now = access.viewer_of(signed), parts.clock.now()
    words = request.query_params.get("q", "")[:100]
    rows = await parts.store.atransact(lambda rows: desk_queue.search(rows, viewer, words, now))
    counts = await parts.store.atransact(lambda rows: desk_queue.counts(rows, viewer, now, pages.day_ends(now)))
    return await pages.page(
        request, signed, "queue.html", rows=rows[:ROWS_A_PAGE], more=False, counts=counts, view="open", number=1,
        rows_a_page=ROWS_A_PAGE, searched=words, found=len(rows), next_promise=None, pulse=[], sieve=Sieve(), sieved="", colleagues={},
    )  # fmt: skip


@router.post("/desk/next")
async def claim_next(parts: TheParts, signed: Signed) -> Response:
    """次の人を受け持つ."""
    code = await acts.claim_next(parts, access.viewer_of(signed))
    return RedirectResponse("/desk" if code is None else f"/desk/cases/{code}", status_code=303)


@router.post("/desk/alarms/{alarm_id}/claim")
async def claim_alarm(alarm_id: str, parts: TheParts, signed: Signed) -> Response:
    """受け持つ on the banner: the alarm stops for all, its case opens (D14)."""
    return RedirectResponse(f"/desk/cases/{await acts.claim_alarm(parts, access.viewer_of(signed), alarm_id)}", status_code=303)


@router.get("/desk/tasks")
async def tasks(request: Request, parts: TheParts, signed: Signed) -> HTMLResponse:
    """やること: what staff should see to besides answering."""
    viewer, now = access.viewer_of(signed), parts.clock.now()
    found = await parts.store.atransact(lambda rows: desk_queue.tasks(rows, viewer, now))
    return await pages.page(request, signed, "tasks.html", tasks=found)


@router.post("/desk/tasks/{task_id}/done")
async def finish_task(request: Request, task_id: str, parts: TheParts, signed: Signed) -> Response:
    viewer, now = access.viewer_of(signed), parts.clock.now()
    if not await parts.store.atransact(lambda rows: desk_queue.finish_task(rows, viewer, task_id, now)):
        raise Missing
    back = (await access.fields(request, "back"))["back"]
    return RedirectResponse(f"/desk/cases/{back}" if back.replace("-", "").isalnum() else "/desk/tasks", status_code=303)


@router.get("/desk/help")
async def help_page(request: Request, signed: Signed) -> HTMLResponse:
    """Keys, words and rules, in the same place on every page (WCAG 3.2.6)."""
    return await pages.page(request, signed, "help.html")


@router.post("/desk/size")
async def size(request: Request, parts: TheParts) -> Response:
    """A− A A+ A++, remembered on this computer."""
    written = await access.fields(request, "size", "back")
    back = written["back"] if written["back"].startswith("/desk") else "/desk"
    response = RedirectResponse(back, status_code=303)
    if written["size"] in pages.SIZES:
        response.set_cookie(
            pages.SIZE_COOKIE, written["size"], max_age=_A_YEAR, path="/desk", httponly=True, samesite="lax", secure=parts.settings.secure
        )
    return response


def _sieve(request: Request, colleagues: Mapping[str, str]) -> Sieve:
    """What the address narrows the queue to; words that are none of ours narrow nothing."""
    asked = request.query_params
    whose, order = asked.get("whose", ""), asked.get("order", "")
    return Sieve(
        topic=asked.get("topic", "")[:32], channel=next((one for one in get_args(ChannelName) if one == asked.get("channel")), ""),
        coordinator=whose if whose == NOBODY or whose in colleagues else "", order=next((one for one in ORDERS if one == order), "urgent"),
    )  # fmt: skip


def _sieved(sieve: Sieve) -> str:
    """The same as the end of an address, so that every link of the page keeps it; empty where nothing is narrowed."""
    said = {"topic": sieve.topic, "channel": sieve.channel, "whose": sieve.coordinator, "order": sieve.order if sieve.order != "urgent" else ""}
    return urlencode({name: value for name, value in said.items() if value})


def _page_number(request: Request) -> int:
    written = request.query_params.get("page", "1")
    return min(max(1, int(written)), 1000) if written.isascii() and written.isdecimal() and len(written) < 5 else 1
