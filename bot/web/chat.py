"""The resident's web chat: the routes. A page that works as plain forms; chat.js only makes it live (desk.md §7).

A cookie leads to one talk. Whatever a resident sends is stored before they read 届きました; when it cannot be, it stays in the field. What the page
looks like stands in chat_pages.py and templates/, what it shows of a talk in chat_view.py, how it stays live in chat_stream.py.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from fastapi import APIRouter
from sqlmodel import Session as Rows
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

import flows
from bot.channels import webchat
from bot.channels.port import Inbound
from bot.hub import conversation
from bot.parts import Parts
from bot.reception import session_of
from bot.web import chat_pages as pages
from bot.web import chat_view as view
from bot.web.chat_stream import stream
from bot.web.chrome import chrome_of, every_chrome
from bot.web.own_page import address_of, is_ours, proof_of
from bot.web.phrase import make_phrase, plain
from storage import rooms, visitors
from storage import talk as talks
from storage.ids import new_token
from storage.store import StoreDown
from storage.talk import Talk

router = APIRouter(include_in_schema=False)

FRAGMENT = "text/html-fragment"
"""What chat.js asks for instead of a page."""
_KNOCK = "knock"
_LONGEST_FIELD = 80
_LONGEST_WAIT = 30.0


@dataclass(frozen=True)
class Visit:
    """One browser at its talk, which may have begun on a platform (the private room). `fresh`: the cookie is not with the browser yet."""

    talk: Talk
    secret: str
    fresh: bool = False
    first: int = 0
    """Lines up to this number are not shown: a visit by a link does not bring back an earlier one (R13)."""


# ---------------------------------------------------------------- the page


@router.get("/")
async def talk_page(request: Request, whole: str = "") -> Response:
    """The talk of this browser; a new browser is welcomed by the flow itself (D1)."""
    parts = _parts(request)
    try:
        visit = await _visit(request)
        if visit.talk.last_seq == 0:
            await parts.doorman.receive([_opened(visit, parts.clock.now())])
        return await _whole_page(request, visit, whole=bool(whole))
    except StoreDown:
        return pages.bare_page(request, draft="")


@router.post("/say")
async def say(request: Request) -> Response:
    """Words or a pressed button. A plain form gets the page again, the script only the new lines."""
    form = await _form(request)
    text = _field(form, "text", longest=None)
    try:
        return await _say(request, form, text)
    except StoreDown:
        return pages.bare_page(request, draft=text)


async def _say(request: Request, form: FormData, text: str) -> Response:
    parts, known = _parts(request), await _known(request)
    if not is_ours(request, None if known is None else known.secret, _field(form, "proof")):
        return await _not_sent(request, text)
    visit = known or await _visit(request)
    payload = _field(form, "button")
    by_script = request.headers.get("accept") == FRAGMENT
    await _receive(parts, visit, _inbounds(visit, form, payload, text, parts.clock.now()), wait=not by_script)
    if by_script:
        return await _new_lines(parts, visit, after=_number(_field(form, "after")))
    draft = text if payload else ""  # a button was pressed while words stood in the field: they stay there
    return await _whole_page(request, visit, draft=draft) if visit.fresh or draft else RedirectResponse("/#newest", 303)


def _inbounds(visit: Visit, form: FormData, payload: str, text: str, now: datetime) -> list[Inbound]:
    visitor, message_id, talk_id = visit.talk.destination, _field(form, "id"), visit.talk.id
    if payload:
        return [webchat.pressed(visitor, visit.secret, message_id, payload, now, talk=talk_id)]
    return webchat.written(visitor, visit.secret, message_id, text, now, talk=talk_id)


def _opened(visit: Visit, now: datetime) -> Inbound:
    return webchat.opened(visit.talk.destination, now, talk=visit.talk.id)


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
    form = await _form(request)
    draft = _field(form, "text", longest=None)
    try:
        parts, known = _parts(request), await _known(request)
        if known is None or not is_ours(request, known.secret, _field(form, "proof")):
            return RedirectResponse("/", 303)
        if (lang := _field(form, "lang")) in every_chrome():
            await _receive(parts, known, _inbounds(known, form, f"!in:{lang}", "", parts.clock.now()), wait=True)
        return await _whole_page(request, known, draft=draft) if draft else RedirectResponse("/#newest", 303)
    except StoreDown:
        return pages.bare_page(request, draft=draft)


@router.post("/size")
async def size(request: Request) -> Response:
    """Size of the text, kept in a cookie until the browser is closed; what was typed and not sent stays in the field."""
    form = await _form(request)
    wish, draft = _field(form, "size"), _field(form, "text", longest=None)
    known = await _known(request)
    response: Response = RedirectResponse("/#newest", 303)
    if known is not None and draft:
        response = await _whole_page(request, known, draft=draft, size=wish)
    if wish in pages.SIZES:
        response.set_cookie("size", wish, path="/", secure=_parts(request).settings.secure, httponly=True, samesite="lax")
    return response


# ---------------------------------------------------------------- staying live


@router.get("/lines")
async def lines(request: Request, after: str = "0") -> Response:
    """The lines after number `after`, for a page whose stream is broken; 410 when this browser has left."""
    known = await _known(request)
    if known is None:
        return Response(status_code=410)
    return await _new_lines(_parts(request), known, after=_number(after))


@router.get("/stream")
async def live(request: Request, after: str = "0") -> Response:
    """New lines as they are written, each event with the number of its newest line; 410 when this browser has left."""
    known = await _known(request)
    if known is None:
        return Response(status_code=410)
    return stream(_parts(request), known.secret, known.talk, max(known.first, _number(request.headers.get("last-event-id") or after)))


# ---------------------------------------------------------------- leaving and coming back


@router.post("/leave")
async def leave(request: Request) -> Response:
    """すぐ閉じる (R16): this cookie ends, its open pages close, the browser keeps nothing. Leaving asks no proof and never fails."""
    parts = _parts(request)
    response = RedirectResponse("/left", 303)
    if request.headers.get("sec-fetch-site") == "cross-site":  # another site cannot make a resident lose their talk
        return response
    pages.forget(parts, response)
    secret = request.cookies.get(pages.cookie_name(parts))
    if secret:
        try:
            ended = await parts.store.atransact(lambda rows: visitors.end(rows, secret, parts.clock.now()))
        except StoreDown:
            return response
        if ended is not None:
            parts.hub.wake(conversation(ended))
    return response


@router.get("/left")
async def left(request: Request) -> Response:
    """A page that says nothing, on the way to the town's neutral site. A redirect of the form itself would be stopped by our form-action."""
    site = _parts(request).knowledge.town.base.town.neutral_site
    response = HTMLResponse(pages.render("chat_left.html", chrome=chrome_of("ja"), site=site))
    if site.startswith(("https://", "http://")):
        response.headers["refresh"] = f"0; url={site}"
    return response


@router.post("/phrase")
async def phrase(request: Request) -> Response:
    """Six words that lead back here, shown this once; only their hash is kept. The resident may send them to themselves as a link (desk.md §7): the
    words stand behind its #, which our server and its logs do not see."""
    form = await _form(request)
    try:
        parts, known = _parts(request), await _known(request)
        if known is None or not is_ours(request, known.secret, _field(form, "proof")):
            return RedirectResponse("/", 303)
        made = make_phrase()
        await parts.store.atransact(lambda rows: visitors.keep_phrase(rows, known.talk, plain("".join(made)), parts.clock.now()))
    except StoreDown:
        return pages.bare_page(request, draft=_field(form, "text", longest=None))
    chrome = pages.chrome_of_talk(known.talk)
    words = quote(f"{chrome.phrase_sent}\n{parts.settings.base_url}/return?lang={chrome.lang}#{quote('-'.join(made))}")
    ways = [(chrome.phrase_mail, f"mailto:?body={words}"), (chrome.phrase_line, f"https://line.me/R/share?text={words}")]
    return pages.page(request, "chat_phrase.html", chrome, phrase=made, ways=ways)


@router.get("/return")
async def return_page(request: Request) -> Response:
    """Where the six words are written."""
    return _return_page(request, request.query_params.get("lang", ""))


@router.post("/return")
async def come_back(request: Request) -> Response:
    """The right words give this browser the talk again; wrong ones are counted by address (R28)."""
    form = await _form(request)
    written, lang = plain(_field(form, "phrase", longest=400)), _field(form, "lang")
    parts, address, now = _parts(request), address_of(request), _parts(request).clock.now()
    if not is_ours(request, request.cookies.get(_KNOCK), _field(form, "proof")):
        return _return_page(request, lang, problem=chrome_of(lang).not_sent, status=403)

    def work(rows: Rows) -> tuple[str | None, bool]:
        if visitors.too_many_tries(rows, address, now):
            return None, True
        secret = visitors.come_back(rows, written, now)
        if secret is None:
            visitors.note_try(rows, address, now)
        elif old := request.cookies.get(pages.cookie_name(parts)):
            visitors.end(rows, old, now)
        return secret, False

    try:
        secret, stopped = await parts.store.atransact(work)
    except StoreDown:
        return pages.bare_page(request, draft="")
    if secret is None:
        chrome = chrome_of(lang)
        problem = chrome.return_wait if stopped else chrome.return_wrong
        return _return_page(request, lang, problem=problem, status=429 if stopped else 422)
    response = RedirectResponse("/#newest", 303)
    pages.remember(parts, response, secret)
    return response


@router.get("/static/{name}")
async def static(request: Request, name: str) -> Response:
    """The page's own files; nothing comes from another host (R31)."""
    return pages.static_file(name, request.headers)


# ---------------------------------------------------------------- the private room


@router.get("/room")
async def room_page(request: Request) -> Response:
    """Where a one-time link of LINE or Telegram leads. The token stands behind the #, which no server, log or previewer sees (R15)."""
    return _knocking(request, "chat_room.html", "/room", "ja")


@router.post("/room")
async def enter_room(request: Request) -> Response:
    """The resident pressed the button: the link is used up, and this browser has the talk. A link that is old or used says how to get another."""
    form = await _form(request)
    token, parts, now = _field(form, "token"), _parts(request), _parts(request).clock.now()
    if not is_ours(request, request.cookies.get(_KNOCK), _field(form, "proof")):
        return _knocking(request, "chat_room.html", "/room", "ja", problem=chrome_of("ja").not_sent, status=403)
    old = request.cookies.get(pages.cookie_name(parts), "")

    def work(rows: Rows) -> Visit | None:
        talk = rooms.spend(rows, token, now)
        if talk is None:
            return None
        here = visitors.find(rows, old, now) if old else None
        if here is not None and here.id == talk.id:  # this browser is in the room already
            return Visit(talk, old)
        visitors.end(rows, old, now)
        return Visit(talk, rooms.enter(rows, talk, now, over=flows.is_over(session_of(talk))))

    try:
        visit = await parts.store.atransact(work)
        if visit is None:
            return _knocking(request, "chat_room.html", "/room", "ja", problem=chrome_of("ja").room_old, status=410)
        if session_of(visit.talk).step == "start":  # nothing was agreed to yet: the bot says who it is (D1)
            await parts.doorman.receive([_opened(visit, now)])
    except StoreDown:
        return pages.bare_page(request, draft="")
    response = RedirectResponse("/#newest", 303)
    pages.remember(parts, response, visit.secret)
    return response


# ---------------------------------------------------------------- what the routes share


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


async def _known(request: Request) -> Visit | None:
    """The visit this browser's cookie leads to."""
    parts = _parts(request)
    secret = request.cookies.get(pages.cookie_name(parts), "")
    if not 0 < len(secret) <= _LONGEST_FIELD:
        return None

    def work(rows: Rows) -> Visit | None:
        talk = visitors.find(rows, secret, parts.clock.now())
        if talk is None:
            return None
        return Visit(talk, secret, first=0 if talk.channel == "web" else visitors.first_shown(rows, secret))

    return await parts.store.atransact(work)


async def _visit(request: Request) -> Visit:
    """The visit of this browser, begun now if there is none."""
    known = await _known(request)
    if known is not None:
        return known
    parts = _parts(request)
    talk, secret = await parts.store.atransact(lambda rows: visitors.welcome(rows, parts.clock.now()))
    return Visit(talk, secret, fresh=True)


async def _receive(parts: Parts, visit: Visit, inbounds: list[Inbound], *, wait: bool) -> None:
    """Give the doorman what came, after the opening of a page that had none. A plain form waits until the talk has settled and is answered."""
    now = parts.clock.now()
    if visit.talk.last_seq == 0 and inbounds:
        inbounds = [_opened(visit, now), *inbounds]
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
    parts = _parts(request)
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
    visit = await _visit(request)
    return await _whole_page(request, visit, draft=draft, problem=pages.chrome_of_talk(visit.talk).not_sent, status=403)


def _return_page(request: Request, lang: str, *, problem: str = "", status: int = 200) -> Response:
    return _knocking(request, "chat_return.html", "/return", lang, problem=problem, status=status)


def _knocking(request: Request, template: str, path: str, lang: str, *, problem: str = "", status: int = 200) -> Response:
    """A form that gives this browser a talk. Its own short-lived secret keeps others from posting theirs: the resident would go on in their talk."""
    knock = new_token()
    response = pages.page(request, template, chrome_of(lang), problem=problem, proof=proof_of(knock), status=status)
    response.set_cookie(_KNOCK, knock, path=path, secure=_parts(request).settings.secure, httponly=True, samesite="strict")
    return response


async def _form(request: Request) -> FormData:
    return await request.form(max_files=0, max_fields=20)


def _field(form: FormData, name: str, *, longest: int | None = _LONGEST_FIELD) -> str:
    """One text field; everything but the resident's own words is short."""
    value = form.get(name)
    return value[:longest] if isinstance(value, str) else ""


def _number(written: str) -> int:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else 0
