"""Live updates: a page that lies open hears of alarms, new rows and new lines, and re-reads what it lacks (desk.md §1, §9).

Server-sent events. The id of an event is the number of the newest line shown, so a browser that comes back says where it was (Last-Event-ID). A
stream never keeps anybody signed in, and ends when its session does. Everything is read again at each wake-up: a lost one costs a few seconds.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows

from bot.clock import JST
from bot.desk import access, pages
from bot.desk.access import Signed, TheParts
from bot.desk.talk_view import ShownLine, shown
from bot.hub import DESK, conversation
from bot.parts import Parts
from bot.streams import LiveResponse
from storage import attachments, desk_cases, desk_queue, desk_sheets, referrals
from storage.attachments import Shown
from storage.desk_queue import Viewer
from storage.refusals import Missing
from storage.staff import SignedIn
from storage.talk import Line

router = APIRouter(route_class=pages.DeskRoute)

_SHARED_EVERY = 0.7
"""For an agency: what was shared with it ends within a second, on open pages too (R20)."""
_LOOK_EVERY = 4.0
"""Seconds: an alarm must be on every page within five, even if a wake-up was lost or came from another process (D6)."""


@dataclass
class _Told:
    """What this page was told last, so that only news is sent."""

    seq: int
    heard: int
    """Number of the newest row of the audit that was looked at for words taken back."""
    day: date | None = None
    alarms: str | None = None
    queue: str | None = None
    states: str | None = None
    writing: str | None = None
    shared: str | None = None
    version: int | None = None
    changed: dict[int, int] = field(default_factory=dict)
    """Lines taken back or written anew that the page was told of: number → what stands there now, as a hash."""


@router.get("/desk/stream")
async def desk_stream(request: Request, parts: TheParts, signed: Signed) -> LiveResponse:
    return _answer(parts, signed, _events(request, parts, None, None, _Told(0, _heard(request, signed))))


@router.get("/desk/cases/{code}/stream")
async def case_stream(request: Request, code: str, parts: TheParts, signed: Signed) -> LiveResponse:
    """The same, with the lines of this talk after `after` or Last-Event-ID. Watching is audited as reading (R43)."""
    viewer, now = access.viewer_of(signed), parts.clock.now()

    talk_id = await parts.store.atransact(lambda rows: desk_cases.watched(rows, viewer, code, now))
    after = _number(request.headers.get("last-event-id")) or _number(request.query_params.get("after"))
    return _answer(parts, signed, _events(request, parts, code, talk_id, _Told(after, _heard(request, signed))))


async def _events(request: Request, parts: Parts, code: str | None, talk_id: str | None, told: _Told) -> AsyncIterator[str]:
    yield "retry: 3000\n\n"
    topics = [DESK] if talk_id is None else [DESK, conversation(talk_id)]
    signed: SignedIn = request.state.signed
    every = _SHARED_EVERY if signed.member.role == "agency" else _LOOK_EVERY
    async for _ in parts.hub.watch(*topics, every=every, at_once=True):
        async for news in _look(request, parts, code, told):
            yield news
            if news.startswith("event: signed-out"):
                return


async def _look(request: Request, parts: Parts, code: str | None, told: _Told) -> AsyncIterator[str]:
    """What is new for this page, then a heartbeat with the time."""
    signed = await access.find_signed_in(request, touch=False)
    if signed is None:
        yield _event("signed-out", "")
        return
    viewer = access.viewer_of(signed)
    frame = await parts.store.atransact(lambda rows: (*_frame(rows, signed, viewer, parts), *desk_queue.taken_back(rows, viewer, told.heard)))
    alarms, queue, told.heard, taken_back = frame
    if alarms != told.alarms:
        told.alarms = alarms
        yield _event("alarms", alarms)
    if queue != told.queue:
        told.queue = queue
        yield _event("queue", queue)
    if taken_back:
        yield _event("taken-back", json.dumps(taken_back))
    if viewer.role == "agency":
        moment = parts.clock.now()
        shared = json.dumps(await parts.store.atransact(lambda rows: referrals.pulse_of(rows, viewer.staff_id, moment)))
        if shared != told.shared:
            told.shared = shared
            yield _event("shared", shared)
    if code is not None:
        try:
            async for news in _case_news(parts, viewer, code, told):
                yield news
        except Missing:  # shut out of it meanwhile, or the hour of an emergency is over: this page ends, the desk is one redirect away
            yield _event("signed-out", "")
            return
    now = parts.clock.now().astimezone(JST)
    yield _event("beat", f"{now:%H:%M:%S}")


async def _case_news(parts: Parts, viewer: Viewer, code: str, told: _Told) -> AsyncIterator[str]:
    def look(rows: Rows) -> tuple[list[Line], dict[str, str], dict[str, str], int, dict[str, Shown]]:
        lines, states, names, version = desk_cases.lines_since(rows, viewer, code, told.seq)
        return lines, states, names, version, attachments.of_lines(rows, desk_cases.conversation_of(rows, viewer, code), lines)

    lines, states, names, version, files = await parts.store.atransact(look)
    if lines:
        yield _event("lines", _fragment(shown(lines, names, files), lines, states, told, code), id_=lines[-1].seq)
        told.seq = lines[-1].seq

    def look_again(rows: Rows) -> tuple[list[Line], dict[str, Shown]]:
        changed = desk_cases.changed_lines(rows, viewer, code, told.seq)
        return changed, attachments.of_lines(rows, desk_cases.conversation_of(rows, viewer, code), changed)

    changed, files = await parts.store.atransact(look_again)
    marks = {line.seq: hash(line.body) for line in changed}
    if news := [line for line in changed if told.changed.get(line.seq) != marks[line.seq]]:
        told.changed = marks
        yield _event("changed", pages.render("lines.html", lines=shown(news, names, files), deliveries={}, day_before=None, code=code))
    written = json.dumps(states, sort_keys=True)
    if written != told.states:
        told.states = written
        words = {seq: pages.render("delivery.html", state=state).strip() for seq, state in states.items()}
        yield _event("deliveries", json.dumps(words, ensure_ascii=False))
    now = parts.clock.now()
    writing = "、".join(await parts.store.atransact(lambda rows: desk_sheets.others_writing(rows, viewer, code, now)))
    if writing != told.writing:
        told.writing = writing
        yield _event("writing", writing)
    if version != told.version:
        told.version = version
        yield _event("version", str(version))


def _frame(rows: Rows, signed: SignedIn, viewer: Viewer, parts: Parts) -> tuple[str, str]:
    """The banner as a fragment, and which cases are open."""
    frame = pages.frame_of(rows, signed)
    banner = pages.render("alarms.html", me=signed.member, csrf=signed.csrf, now=parts.clock.now(), **frame)
    return banner, json.dumps({"open": desk_queue.pulse(rows, viewer), "tasks": frame["task_count"]}, ensure_ascii=False)


def _fragment(new: list[ShownLine], lines: list[Line], states: dict[str, str], told: _Told, code: str) -> str:
    """The lines as the page shows them; a heading of the day only where a new one began since the page was opened."""
    before, told.day = told.day or new[0].day, new[-1].day
    by_id = {line.id: states[str(line.seq)] for line in lines if str(line.seq) in states}
    return pages.render("lines.html", lines=new, deliveries=by_id, day_before=before, code=code)


def _event(name: str, content: str, *, id_: int | None = None) -> str:
    head = f"event: {name}\n" + ("" if id_ is None else f"id: {id_}\n")
    return head + "".join(f"data: {line}\n" for line in content.splitlines() or [""]) + "\n"


def _answer(parts: Parts, signed: SignedIn, events: AsyncIterator[str]) -> LiveResponse:
    return LiveResponse(events, parts.streams, {f"staff:{signed.member.id}": parts.settings.live_pages})


def _heard(request: Request, signed: SignedIn) -> int:
    """What the page had heard when it was made; of one that does not say so, what there is now."""
    return _number(request.query_params.get("heard")) or signed.heard


def _number(written: str | None) -> int:
    return int(written) if written and written.isdecimal() and len(written) < 10 else 0
