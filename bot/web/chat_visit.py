"""Who is there: the visit a browser's cookie leads to, and the form it sent. Shared by the routes of the chat (chat.py, chat_doors.py)."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session as Rows
from starlette.datastructures import FormData
from starlette.requests import Request

from bot.channels import webchat
from bot.channels.port import Inbound
from bot.parts import Parts
from bot.web import chat_pages as pages
from bot.web.own_page import address_of
from storage import visitors
from storage.talk import Talk
from storage.text import clean

_LONGEST_FIELD = 80


@dataclass(frozen=True)
class Visit:
    """One browser at its talk, which may have begun on a platform (the private room). `fresh`: the cookie is not with the browser yet."""

    talk: Talk
    secret: str
    fresh: bool = False
    first: int = 0
    """Lines up to this number are not shown: a visit by a link does not bring back an earlier one (R13)."""


def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


async def known_visit(request: Request) -> Visit | None:
    """The visit this browser's cookie leads to."""
    parts = parts_of(request)
    secret = request.cookies.get(pages.cookie_name(parts), "")
    if not 0 < len(secret) <= _LONGEST_FIELD:
        return None

    def work(rows: Rows) -> Visit | None:
        talk = visitors.find(rows, secret, parts.clock.now())
        if talk is None:
            return None
        return Visit(talk, secret, first=0 if talk.channel == "web" else visitors.first_shown(rows, secret))

    return await parts.store.atransact(work)


async def visit_of(request: Request, *, said: str = "") -> Visit:
    """The visit of this browser, begun now if there is none. `said`: danger is heard outside of every limit (R6). Raises `TooManyNew`."""
    known = await known_visit(request)
    if known is not None:
        return known
    parts = parts_of(request)
    in_danger = bool(said) and parts.knowledge.town.base.danger.scan(clean(said)).heard
    address = None if in_danger else address_of(request)
    talk, secret = await parts.store.atransact(lambda rows: visitors.welcome(rows, parts.clock.now(), address=address))
    return Visit(talk, secret, fresh=True)


def opened(visit: Visit, now: datetime) -> Inbound:
    return webchat.opened(visit.talk.destination, now, talk=visit.talk.id)


async def form_of(request: Request) -> FormData:
    return await request.form(max_files=0, max_fields=20)


def field(form: FormData, name: str, *, longest: int | None = _LONGEST_FIELD) -> str:
    """One text field; everything but the resident's own words is short."""
    value = form.get(name)
    return value[:longest] if isinstance(value, str) else ""
