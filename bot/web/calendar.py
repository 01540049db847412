"""行けるところのカレンダー for everybody: a page of the next weeks, an A4 notice when printed, a feed for calendar apps (RFC 5545)."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.clock import JST
from bot.parts import Parts
from bot.web import chat_pages as pages
from bot.web.chrome import chrome_of
from flows.cards import name_of, summary_of
from knowledge.calendar import Gathering, gatherings
from knowledge.written import minutes

router = APIRouter(include_in_schema=False)

_WEEKS = 4
_FEED_DAYS = 92
_LINE = 74
"""Octets of a line of iCalendar before it is folded (RFC 5545 3.1: 75 with the space)."""
_KEPT = "public, max-age=300"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@router.get("/calendar")
async def page(request: Request, lang: str = "ja", area: str = "") -> HTMLResponse:
    """Four weeks from today, day by day."""
    parts = _parts(request)
    chrome, areas = chrome_of(lang), parts.knowledge.town.base.town.areas
    coming = _coming(parts, _WEEKS * 7, area if area in areas else "")
    days = [(chrome.day_of(day), day.isoformat(), list(found)) for day, found in groupby(coming, key=lambda one: one.day)]
    today = parts.clock.now().astimezone(JST).date()
    first, last = chrome.date_of(today), chrome.date_of(today + timedelta(days=_WEEKS * 7 - 1))
    return pages.page(
        request, "calendar.html", chrome, days=days, first=first, last=last, areas=areas, area=area, lang=chrome.lang,
        called=lambda entry: name_of(entry, chrome.lang), about=lambda entry: summary_of(entry, chrome.lang),  # type: ignore[arg-type]
    )  # fmt: skip


@router.get("/calendar.ics")
async def feed(request: Request, area: str = "") -> Response:
    """Three months, each meeting by itself: apps need not know what 第2・4木 without holidays means."""
    parts = _parts(request)
    town, now = parts.knowledge.town.base.town, parts.clock.now()
    host = urlsplit(parts.settings.base_url).hostname or "localhost"
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Madoguchi//ja", "METHOD:PUBLISH", f"X-WR-CALNAME:{_escaped(town.name)}"]
    for one in _coming(parts, _FEED_DAYS, area if area in town.areas else ""):
        lines += _event(one, host, now)
    lines.append("END:VCALENDAR")
    body = "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))
    return Response(body, media_type="text/calendar; charset=utf-8", headers={"cache-control": _KEPT})


def _coming(parts: Parts, days: int, area: str) -> list[Gathering]:
    now = parts.clock.now().astimezone(JST)
    found = gatherings(parts.knowledge.town.base.entries.values(), now, days)
    return [one for one in found if not area or area in one.where]


def _event(one: Gathering, host: str, now: datetime) -> Iterator[str]:
    event, entry = one.event, one.entry
    yield "BEGIN:VEVENT"
    yield f"UID:{entry.id}-{entry.events.index(event)}-{one.day:%Y%m%d}@{host}"
    yield f"DTSTAMP:{_utc(now)}"
    if event.from_ is None:
        yield f"DTSTART;VALUE=DATE:{one.day:%Y%m%d}"
    else:
        yield f"DTSTART:{_utc(_moment(one.day, event.from_))}"
        if event.to is not None:
            yield f"DTEND:{_utc(_moment(one.day, event.to))}"
    yield f"SUMMARY:{_escaped(event.title)}"
    contact = entry.contacts[0] if entry.contacts else None
    tel = f"電話 {contact.tel}" if contact and contact.tel else ""
    told: Sequence[str] = [part for part in (entry.summary, event.note or "", event.access or "", event.together or "", tel) if part]
    yield f"DESCRIPTION:{_escaped(chr(10).join(told))}"
    if event.place:
        yield f"LOCATION:{_escaped(event.place)}"
    yield "END:VEVENT"


def _moment(day: date, clock: str) -> datetime:
    return datetime.combine(day, time(), JST) + timedelta(minutes=minutes(clock))


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    """A text value (RFC 5545 3.3.11). Of control characters it allows none, and some readers take the rarer ones for the end of a line."""
    lines = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\r", "").replace("\n", "\\n")
    return _CONTROL.sub(" ", lines)


def _folded(line: str) -> Iterator[str]:
    """The line in pieces of at most 75 octets, never through a letter."""
    piece = ""
    for letter in line:
        if len((piece + letter).encode()) > _LINE:
            yield piece
            piece = " "
        piece += letter
    yield piece


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts
