"""Which gatherings take place on which day: repeating and single dates, laid out in time. What is over is never among them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from knowledge.days import days_of
from knowledge.entry import Entry, Event
from knowledge.hours import next_meeting
from knowledge.written import minutes


@dataclass(frozen=True, slots=True)
class Gathering:
    """One meeting on one day."""

    day: date
    entry: Entry
    event: Event

    @property
    def at(self) -> tuple[date, int, str]:
        """For sorting: whose hour is not known comes last on its day."""
        return self.day, self.event.begins if self.event.begins is not None else 24 * 60, self.entry.id

    @property
    def full(self) -> bool:
        """No place is left."""
        return is_full(self.event, self.day)

    @property
    def where(self) -> str:
        """Its place and the districts it is for, in which a district's name can be looked for."""
        return " ".join((self.event.place or "", *(name for contact in self.entry.contacts for name in contact.area)))


def gatherings(entries: Iterable[Entry], now: datetime, days: int) -> list[Gathering]:
    """All that take place from now on, today and the `days` - 1 days after, soonest first. `now`: aware, Asia/Tokyo."""
    today = now.date()
    ahead = [today + timedelta(days=step) for step in range(days)]
    found = [
        Gathering(day, entry, event)
        for entry in entries for event in entry.events
        for day in ahead if takes_place(event, day) and entry.shown_on(day) and not (day == today and _is_over(event, now))
    ]  # fmt: skip
    return sorted(found, key=lambda one: one.at)


def takes_place(event: Event, day: date) -> bool:
    if event.on is not None:
        return event.on == day
    return days_of(event.every or "").has(day) and not any(days_of(closed).has(day) for closed in event.closed)


def is_full(event: Event, day: date) -> bool:
    return any(days_of(written).has(day) for written in event.full)


def next_with_room(event: Event, now: datetime) -> date | None:
    """The next day on which a place is left; None when there is none."""
    if event.on is not None:
        return None if is_full(event, event.on) else next_meeting(event, now)
    return next_meeting(event.model_copy(update={"closed": (*event.closed, *event.full)}), now)


def _is_over(event: Event, now: datetime) -> bool:
    """It has ended; where its end is not known, it has begun."""
    ends = event.to or event.from_
    return ends is not None and minutes(ends) <= now.hour * 60 + now.minute
