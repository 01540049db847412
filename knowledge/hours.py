"""Is a desk open at a moment, until when, and when next; which day a meeting comes next. Pure: the moment is brought in, aware, Asia/Tokyo.

Unknown stays unknown: rows that nobody wrote give `open_now=None`, never a guess (G8).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Protocol

from knowledge.days import days_of

DAY: Final = 24 * 60
"""Minutes of a day. There is no summer time in Japan."""
LOOK_AHEAD: Final = 70
"""Days: a desk of 第5土 that falls on a holiday opens within ten weeks."""


class Row(Protocol):
    """One row of opening hours, in minutes from midnight of its day; `ends` beyond 1440 is the next day."""

    @property
    def days(self) -> str: ...
    @property
    def begins(self) -> int: ...
    @property
    def ends(self) -> int: ...


class Kept(Protocol):
    """What has hours: a contact, the desk of the town."""

    @property
    def hours(self) -> Sequence[Row]: ...
    @property
    def closed(self) -> Sequence[str]: ...


class Meeting(Protocol):
    """What takes place on a day or again and again."""

    @property
    def on(self) -> date | None: ...
    @property
    def every(self) -> str | None: ...
    @property
    def closed(self) -> Sequence[str]: ...
    @property
    def begins(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether it is open. None = the hours are not known, or it stays open for more than a day (`closes_at`), or does not open soon (`opens_at`)."""

    open_now: bool | None
    closes_at: time | None = None
    opens_at: datetime | None = None


UNKNOWN: Final = Opening(None)


def opening(kept: Kept, at: datetime) -> Opening:
    """Is it open at a moment; until when, or from when on? Seconds are left out: 17:15 closes as the clock turns to 17:15."""
    if not kept.hours:
        return UNKNOWN
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    now = at.hour * 60 + at.minute
    for begin, end in _joined(kept, at.date()):
        if end <= now:
            continue
        if begin <= now:
            closes = midnight + timedelta(minutes=end)
            return Opening(True, closes_at=closes.time() if end - now <= DAY else None)
        return Opening(False, opens_at=midnight + timedelta(minutes=begin))
    return Opening(False)


def open_minutes(kept: Kept, since: datetime, until: datetime) -> int:
    """Whole minutes in which it was open between two times; unknown hours count as always open."""
    minutes = max(0, int((until - since).total_seconds() // 60))
    if not kept.hours:
        return minutes
    midnight, total = since.replace(hour=0, minute=0, second=0, microsecond=0), 0
    first, last = int((since - midnight).total_seconds() // 60), int((until - midnight).total_seconds() // 60)
    for step in range(-1, last // DAY + 1):
        for begin, end in _of_day(kept, midnight.date() + timedelta(days=step)):
            total += max(0, min(end + step * DAY, last) - max(begin + step * DAY, first))
    return total


def is_closed_day(kept: Kept, day: date) -> bool:
    """One of its closing days (祝日, 年末年始, 第3月 …)."""
    return any(days_of(written).has(day) for written in kept.closed)


def next_meeting(meeting: Meeting, at: datetime) -> date | None:
    """The day it takes place next, today included while it has not begun; None when it is over."""
    begins = meeting.begins if meeting.begins is not None else DAY - 1
    first = at.date() if at.hour * 60 + at.minute <= begins else at.date() + timedelta(days=1)
    if meeting.on is not None:
        return meeting.on if meeting.on >= first else None
    days = days_of(meeting.every or "")
    closed = [days_of(written) for written in meeting.closed]
    ahead = (first + timedelta(days=step) for step in range(LOOK_AHEAD))
    return next((day for day in ahead if days.has(day) and not any(rule.has(day) for rule in closed)), None)


def _joined(kept: Kept, today: date) -> Iterator[tuple[int, int]]:
    """Open spans from yesterday on, in minutes from today's midnight; spans that touch are one."""
    waiting: tuple[int, int] | None = None
    for step in range(-1, LOOK_AHEAD):
        for begin, end in _of_day(kept, today + timedelta(days=step)):
            span = (begin + step * DAY, end + step * DAY)
            if waiting is not None and span[0] <= waiting[1]:
                waiting = (min(waiting[0], span[0]), max(waiting[1], span[1]))
                continue
            if waiting is not None:
                yield waiting
            waiting = span
    if waiting is not None:
        yield waiting


def _of_day(kept: Kept, day: date) -> list[tuple[int, int]]:
    if is_closed_day(kept, day):
        return []
    return sorted((row.begins, row.ends) for row in kept.hours if days_of(row.days).has(day))
