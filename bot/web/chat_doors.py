"""Leaving and coming back: すぐ閉じる (R16), the six words, the one-time link of a private room (R15). The talk itself stands in chat.py."""

from urllib.parse import quote

from fastapi import APIRouter
from sqlmodel import Session as Rows
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

import flows
from bot.hub import conversation
from bot.told import session_of
from bot.web import chat_pages as pages
from bot.web.chat_visit import Visit, field, form_of, known_visit, opened, parts_of
from bot.web.chrome import chrome_of
from bot.web.own_page import address_of, is_ours, proof_of
from bot.web.phrase import make_phrase, plain
from storage import rooms, visitors
from storage.ids import new_token
from storage.store import StoreDown

router = APIRouter(include_in_schema=False)

_KNOCK = "knock"


@router.post("/leave")
async def leave(request: Request) -> Response:
    """すぐ閉じる (R16): this cookie ends, its open pages close, the browser keeps nothing. Leaving asks no proof and never fails."""
    parts = parts_of(request)
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
    site = parts_of(request).knowledge.town.base.town.neutral_site
    response = HTMLResponse(pages.render("chat_left.html", chrome=chrome_of("ja"), site=site))
    if site.startswith(("https://", "http://")):
        response.headers["refresh"] = f"0; url={site}"
    return response


@router.post("/phrase")
async def phrase(request: Request) -> Response:
    """Six words that lead back here, shown this once; only their hash is kept. The resident may send them to themselves as a link (desk.md §7): the
    words stand behind its #, which our server and its logs do not see."""
    form = await form_of(request)
    try:
        parts, known = parts_of(request), await known_visit(request)
        if known is None or not is_ours(request, known.secret, field(form, "proof")):
            return RedirectResponse("/", 303)
        made = make_phrase()
        await parts.store.atransact(lambda rows: visitors.keep_phrase(rows, known.talk, plain("".join(made)), parts.clock.now()))
    except StoreDown:
        return pages.bare_page(request, draft=field(form, "text", longest=None))
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
    form = await form_of(request)
    written, lang = plain(field(form, "phrase", longest=400)), field(form, "lang")
    parts, address, now = parts_of(request), address_of(request), parts_of(request).clock.now()
    if not is_ours(request, request.cookies.get(_KNOCK), field(form, "proof")):
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
        written_so_far = "" if stopped else field(form, "phrase", longest=400)  # one letter was wrong: nobody writes six words again
        return _return_page(request, lang, problem=problem, status=429 if stopped else 422, phrase=written_so_far)
    response = RedirectResponse("/#newest", 303)
    pages.remember(parts, response, secret)
    return response


# ---------------------------------------------------------------- the private room


@router.get("/room")
async def room_page(request: Request) -> Response:
    """Where a one-time link of LINE or Telegram leads. The token stands behind the #, which no server, log or previewer sees (R15)."""
    return _knocking(request, "chat_room.html", "/room", "ja")


@router.post("/room")
async def enter_room(request: Request) -> Response:
    """The resident pressed the button: the link is used up, and this browser has the talk. A link that is old or used says how to get another."""
    form = await form_of(request)
    token, parts, now = field(form, "token"), parts_of(request), parts_of(request).clock.now()
    if not is_ours(request, request.cookies.get(_KNOCK), field(form, "proof")):
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
            await parts.doorman.receive([opened(visit, now)])
    except StoreDown:
        return pages.bare_page(request, draft="")
    response = RedirectResponse("/#newest", 303)
    pages.remember(parts, response, visit.secret)
    return response


def _return_page(request: Request, lang: str, *, problem: str = "", status: int = 200, phrase: str = "") -> Response:
    return _knocking(request, "chat_return.html", "/return", lang, problem=problem, status=status, phrase=phrase)


def _knocking(request: Request, template: str, path: str, lang: str, *, problem: str = "", status: int = 200, phrase: str = "") -> Response:
    """A form that gives this browser a talk. Its own short-lived secret keeps others from posting theirs: the resident would go on in their talk."""
    knock = new_token()
    response = pages.page(request, template, chrome_of(lang), problem=problem, phrase=phrase, proof=proof_of(knock), status=status)
    response.set_cookie(_KNOCK, knock, path=path, secure=parts_of(request).settings.secure, httponly=True, samesite="strict")
    return response
