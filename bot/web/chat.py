"""The resident's web chat: the routes. A page that works as plain forms; chat.js only makes it live (desk.md §7).

A cookie leads to one talk. Whatever a resident sends is stored before they read 届きました; when it cannot be, it stays in the field. What the page
looks like stands in chat_pages.py and templates/, what it shows of a talk in chat_view.py, how it stays live in chat_stream.py, the ways out and
back in in chat_doors.py.
"""

import asyncio
from datetime import datetime

from fastapi import APIRouter
from sqlmodel import Session as Rows
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.channels import webchat
from bot.channels.port import Inbound
from bot.hub import conversation
from bot.parts import Parts
from bot.web import chat_pages as pages
from bot.web import chat_view as view
from bot.web.chat_stream import stream
from bot.web.chat_visit import Visit, field, form_of, known_visit, opened, parts_of, visit_of
from bot.web.chrome import every_chrome
from bot.web.own_page import address_of, is_ours
from storage import talk as talks
from storage import visitors
from storage.store import StoreDown
from storage.talk import Talk
from storage.visitors import TooManyNew

router = APIRouter(include_in_schema=False)

FRAGMENT = "text/html-fragment"
"""What chat.js asks for instead of a page."""
_LONGEST_WAIT = 30.0


# ---------------------------------------------------------------- the page


@router.get("/")
async def talk_page(request: Request, whole: str = "") -> Response:
    """The talk of this browser; a new browser is welcomed by the flow itself (D1)."""
    parts = parts_of(request)
    try:
        visit = await visit_of(request)
        if visit.talk.last_seq == 0:
            await parts.doorman.receive([opened(visit, parts.clock.now())])
        return await _whole_page(request, visit, whole=bool(whole))
    except StoreDown:
        return pages.bare_page(request, draft="")
    except TooManyNew:
        return pages.bare_page(request, draft="", status=429)


@router.post("/say")
async def say(request: Request) -> Response:
    """Words or a pressed button. A plain form gets the page again, the script only the new lines."""
    form = await form_of(request)
    text = field(form, "text", longest=None)
    try:
        return await _say(request, form, text)
    except StoreDown:
        return pages.bare_page(request, draft=text)
    except TooManyNew:
        return pages.bare_page(request, draft=text, status=429)


async def _say(request: Request, form: FormData, text: str) -> Response:
    parts, known = parts_of(request), await known_visit(request)
    if not is_ours(request, None if known is None else known.secret, field(form, "proof")):
        return await _not_sent(request, text)
    visit = known or await visit_of(request, said=text)
    payload = field(form, "button")
    by_script = request.headers.get("accept") == FRAGMENT
    await _receive(parts, visit, _inbounds(visit, form, payload, text, parts.clock.now()), wait=not by_script)
    if by_script:
        return await _new_lines(parts, visit, after=_number(field(form, "after")))
    draft = text if payload else ""  # a button was pressed while words stood in the field: they stay there
    return await _whole_page(request, visit, draft=draft) if visit.fresh or draft else RedirectResponse("/#newest", 303)


def _inbounds(visit: Visit, form: FormData, payload: str, text: str, now: datetime) -> list[Inbound]:
    visitor, message_id, talk_id = visit.talk.destination, field(form, "id"), visit.talk.id
    if payload:
        return [webchat.pressed(visitor, visit.secret, message_id, payload, now, talk=talk_id)]
    return webchat.written(visitor, visit.secret, message_id, text, now, talk=talk_id)


async def _new_lines(parts: Parts, visit: Visit, after: int) -> Response:
    if visit.fresh:  # another tab left, or the cookie was lost: what the page shows has ended, so it must be read anew
        gone = Response(status_code=205)
        pages.remember(parts, gone, visit.secret)
        return gone
    seen = await parts.store.atransact(lambda rows: _see(rows, visit, after=after))
    return HTMLResponse(pages.fragment(parts, seen))


@router.post("/language")
async def language(request: Request) -> Response:
    """The wish for another language goes to the flow as a button; what was typed and not sent stays in the field."""
    form = await form_of(request)
    draft = field(form, "text", longest=None)
    try:
        parts, known = parts_of(request), await known_visit(request)
        if known is None or not is_ours(request, known.secret, field(form, "proof")):
            return RedirectResponse("/", 303)
        if (lang := field(form, "lang")) in every_chrome():
            await _receive(parts, known, _inbounds(known, form, f"!in:{lang}", "", parts.clock.now()), wait=True)
        return await _whole_page(request, known, draft=draft) if draft else RedirectResponse("/#newest", 303)
    except StoreDown:
        return pages.bare_page(request, draft=draft)


@router.post("/size")
async def size(request: Request) -> Response:
    """Size of the text, kept in a cookie until the browser is closed; what was typed and not sent stays in the field."""
    form = await form_of(request)
    wish, draft = field(form, "size"), field(form, "text", longest=None)
    known = await known_visit(request)
    response: Response = RedirectResponse("/#newest", 303)
    if known is not None and draft:
        response = await _whole_page(request, known, draft=draft, size=wish)
    if wish in pages.SIZES:
        response.set_cookie("size", wish, path="/", secure=parts_of(request).settings.secure, httponly=True, samesite="lax")
    return response


# ---------------------------------------------------------------- staying live


@router.get("/lines")
async def lines(request: Request, after: str = "0") -> Response:
    """The lines after number `after`, for a page whose stream is broken; 410 when this browser has left."""
    known = await known_visit(request)
    if known is None:
        return Response(status_code=410)
    return await _new_lines(parts_of(request), known, after=_number(after))


@router.get("/stream")
async def live(request: Request, after: str = "0") -> Response:
    """New lines as they are written, each event with the number of its newest line; 410 when this browser has left, 429 where too many are open."""
    known = await known_visit(request)
    if known is None:
        return Response(status_code=410)
    last = max(known.first, _number(request.headers.get("last-event-id") or after))
    return stream(parts_of(request), known.secret, known.talk, last, address=address_of(request))


@router.get("/static/{name}")
async def static(request: Request, name: str) -> Response:
    """The page's own files; nothing comes from another host (R31)."""
    return pages.static_file(name, request.headers)


# ---------------------------------------------------------------- what the routes share


async def _receive(parts: Parts, visit: Visit, inbounds: list[Inbound], *, wait: bool) -> None:
    """Give the doorman what came, after the opening of a page that had none. A plain form waits until the talk has settled and is answered."""
    now = parts.clock.now()
    if visit.talk.last_seq == 0 and inbounds:
        inbounds = [opened(visit, now), *inbounds]
    outcomes = await parts.doorman.receive(inbounds)
    settles = [outcome.settle_at for outcome in outcomes if outcome.settle_at is not None]
    if wait and settles:
        await _settled(parts, visit.talk.id, max(settles))


async def _settled(parts: Parts, talk_id: str, until: datetime) -> None:
    """Wait until the flow has answered what settles until `until`, or a little longer than that."""
    longest = min(_LONGEST_WAIT, max(0.0, (until - parts.clock.now()).total_seconds()) + 2.0)
    try:
        async with asyncio.timeout(longest):
            async for _ in parts.hub.watch(conversation(talk_id), every=0.5):
                talk = await parts.store.atransact(lambda rows: talks.by_id(rows, talk_id, lock=False))
                if talk is None or talk.settle_at is None:
                    return
    except TimeoutError:
        return


async def _whole_page(
    request: Request, visit: Visit, *, whole: bool = False, draft: str = "", problem: str = "", status: int = 200, size: str | None = None
) -> HTMLResponse:  # fmt: skip
    parts = parts_of(request)
    seen = await parts.store.atransact(lambda rows: _see(rows, visit, after=None, whole=whole))
    response = pages.talk_page(request, seen, visit.secret, draft=draft, problem=problem, status=status, size=size)
    if visit.fresh:
        pages.remember(parts, response, visit.secret)
    return response


def _see(rows: Rows, visit: Visit, *, after: int | None, whole: bool = False) -> view.Seen:
    """The lines to show, after what was just received. What a visit to the private room was given is noted: it does not come back by a link."""
    seen = view.see(rows, _as_it_stands(rows, visit), after=after, whole=whole, first=visit.first)
    if seen.talk.channel != "web":
        visitors.has_seen(rows, visit.secret, seen.talk.last_seq)
    return seen


def _as_it_stands(rows: Rows, visit: Visit) -> Talk:
    """The talk after what was just received."""
    return talks.by_id(rows, visit.talk.id, lock=False) or visit.talk


async def _not_sent(request: Request, draft: str) -> Response:
    """A POST that does not prove to come from our page: nothing is stored, the words stay in the field of a page of ours."""
    visit = await visit_of(request)
    return await _whole_page(request, visit, draft=draft, problem=pages.chrome_of_talk(visit.talk).not_sent, status=403)


def _number(written: str) -> int:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else 0
