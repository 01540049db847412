"""The pages of the web chat as responses: templates filled, cookies set, static files with the time they may be kept."""

import hashlib
import uuid
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.parts import Parts
from bot.told import session_of
from bot.web.chat_view import Seen, lines_of, newest_of, ruby, tel_href
from bot.web.chrome import Chrome, chrome_of, every_chrome
from bot.web.own_page import proof_of
from storage.talk import Talk

SIZES = ("s", "m", "l", "xl")
_HERE = Path(__file__).parent
_STATIC = {
    "chat.css": (_HERE / "static" / "chat.css", "text/css; charset=utf-8"),
    "chat.js": (_HERE / "static" / "chat.js", "text/javascript; charset=utf-8"),
    "fragment.js": (_HERE / "static" / "fragment.js", "text/javascript; charset=utf-8"),
    "icon.svg": (_HERE / "static" / "icon.svg", "image/svg+xml"),
    "tokens.css": (_HERE.parent / "desk" / "static" / "npm" / "tokens.css", "text/css; charset=utf-8"),
}
"""Every file the page may ask for. tokens.css holds the colours it shares with the desk."""
_NEWEST_KEPT = "public, max-age=31536000, immutable"


# ---------------------------------------------------------------- templates


@lru_cache
def _templates() -> Environment:
    made = Environment(loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals["static"] = static_url
    return made


def render(name: str, **values: object) -> str:
    """Fill one template; everything in it is escaped (R30)."""
    return _templates().get_template(name).render(**values)


def page(request: Request, name: str, chrome: Chrome, *, status: int = 200, size: str | None = None, **values: object) -> HTMLResponse:
    """A whole page with what all pages have: language, size of text, the town, the emergency numbers, the mark of a sample."""
    parts: Parts = request.app.state.parts
    base = parts.knowledge.town.base
    numbers = [
        {"number": line.number, "href": tel_href(line.number), "name": words}
        for words, line in ((chrome.fire, base.hotlines.get("shobo-119")), (chrome.police, base.hotlines.get("keisatsu-110")))
        if line is not None and line.number is not None and line.may_be_shown
    ]
    size = size or request.cookies.get("size")
    shared = {
        "chrome": chrome,
        "town_name": base.town.name.removesuffix("（見本）"),
        "away": base.town.neutral_site,
        "hours": chrome.hours_of(base.town),
        "numbers": numbers,
        "sizes": list(zip(SIZES, chrome.sizes, strict=True)),
        "size": size if size in SIZES else "m",
        "sample": parts.settings.profile == "demo" or base.town.sample,
        "ruby": lambda text: ruby(text, chrome.lang),
        "nonce": getattr(request.state, "nonce", ""),
    }
    return HTMLResponse(render(name, **shared, **values), status_code=status)


def talk_page(
    request: Request, seen: Seen, secret: str, *, draft: str = "", problem: str = "", status: int = 200, size: str | None = None
) -> HTMLResponse:  # fmt: skip
    """The chat itself. `draft` is what was typed and not sent; `problem` is said beside it."""
    chrome = chrome_of_talk(seen.talk)
    parts: Parts = request.app.state.parts
    town = parts.knowledge.town.base.town
    offered = [chrome_of(lang) for lang in town.languages if lang in every_chrome()]
    lines = lines_of(seen, chrome, away=town.neutral_site)
    return page(
        request, "chat.html", chrome, status=status, size=size, lines=lines, newest=newest_of(seen, lines), last_seq=seen.talk.last_seq,
        more_before=seen.after > seen.first, room=seen.talk.channel != "web", hidden_before=seen.first > 0,
        draft=draft, problem=problem, message_id=str(uuid.uuid4()), proof=proof_of(secret), offered=offered,
    )  # fmt: skip


def bare_page(request: Request, *, draft: str, status: int = 503) -> HTMLResponse:
    """The chat when nothing can be saved: the numbers, and what the resident wrote (R46)."""
    chrome = chrome_of("ja")
    return page(
        request, "chat.html", chrome, status=status, lines=[], newest=0, last_seq=0, more_before=False, room=False, hidden_before=False,
        draft=draft, problem=chrome.cannot_save, message_id=str(uuid.uuid4()), proof="", offered=[],
    )  # fmt: skip


def missing_page(request: Request) -> HTMLResponse:
    """An address that leads nowhere: said in words, with the numbers and the way to the chat. 404."""
    return page(request, "missing.html", chrome_of(request.query_params.get("lang", "ja")), status=404)


def fragment(parts: Parts, seen: Seen) -> str:
    """New lines alone, as the page's script and its stream take them."""
    chrome = chrome_of_talk(seen.talk)
    lines = lines_of(seen, chrome, away=parts.knowledge.town.base.town.neutral_site)
    return render("chat_lines.html", lines=lines, newest=0, chrome=chrome, ruby=lambda text: ruby(text, chrome.lang))


def chrome_of_talk(talk: Talk | None) -> Chrome:
    """The page speaks the language the talk is in."""
    return chrome_of("ja" if talk is None else session_of(talk).lang)


# ---------------------------------------------------------------- cookies


def cookie_name(parts: Parts) -> str:
    """`__Host-` ties the cookie to this very host where the page is served by https."""
    return "__Host-talk" if parts.settings.secure else "talk"


def remember(parts: Parts, response: Response, secret: str) -> None:
    """Give the browser the visitor's secret until it is closed: no date, so that nothing stays on the device."""
    response.set_cookie(cookie_name(parts), secret, path="/", secure=parts.settings.secure, httponly=True, samesite="lax")


def forget(parts: Parts, response: Response) -> None:
    """Clear everything the browser kept of us (R16)."""
    response.headers["clear-site-data"] = '"cache", "cookies", "storage"'
    for name in (cookie_name(parts), "size"):
        response.delete_cookie(name, path="/", secure=parts.settings.secure, samesite="lax")


# ---------------------------------------------------------------- static files


@lru_cache
def _kept(name: str) -> tuple[bytes, str]:
    content = _STATIC[name][0].read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:12]


def static_url(name: str) -> str:
    """The address of a static file, with its version; empty when it is not installed."""
    return f"/static/{name}?v={_kept(name)[1]}" if _STATIC[name][0].exists() else ""


def static_file(name: str, headers: Mapping[str, str]) -> Response:
    """One of our few files: kept by the browser as long as its version stays."""
    if name not in _STATIC or not _STATIC[name][0].exists():
        return Response(status_code=404)
    content, version = _kept(name)
    kept = {"cache-control": _NEWEST_KEPT, "etag": f'"{version}"'}
    if headers.get("if-none-match") == kept["etag"]:
        return Response(status_code=304, headers=kept)
    return Response(content, media_type=_STATIC[name][1], headers=kept)
