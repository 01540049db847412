"""Whom the alarm ladder calls by name: those on duty, then 係長, then the 緊急連絡先 (desk.md §9).

Inside opening hours whoever is on duty sees the desk's banner first and is called after a minute; outside them nobody sits at the desk, so they are
called at once. A rung on which nobody can be reached hands its call to the next one above: no rung is ever a silent one.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from urllib.parse import quote

from sqlmodel import Session as Rows

from bot.clock import JST
from knowledge.entry import Town
from knowledge.hours import open_minutes, opening
from storage import duty
from storage.duty import Part

_HANDS_OVER = timedelta(hours=8, minutes=30)
"""A day of duty begins at 8:30, when the office opens."""


def day_of(now: datetime) -> date:
    """The day of duty that this moment belongs to: at 3:00 it is still the day before."""
    return (now.astimezone(JST) - _HANDS_OVER).date()


def part_of(town: Town, now: datetime) -> Part:
    """Inside or outside the desk's hours; hours that are not known count as inside."""
    return "out" if opening(town, now.astimezone(JST)).open_now is False else "in"


def parts_that_need(town: Town, day: date) -> tuple[Part, ...]:
    """The parts of a day on which somebody should be on duty: inside the desk's hours only where it opens on that day."""
    begins = datetime.combine(day, time(), JST)
    return ("in", "out") if open_minutes(town, begins, begins + timedelta(days=1)) else ("out",)


def mails_for(rows: Rows, town: Town, now: datetime, step: int, without: str | None = None) -> list[str]:
    """Mail addresses of rung `step` (0 at once, 1 after 60 s, 2 after 5 min, 3 after 10 min); `without` is a member who knows already."""
    part = part_of(town, now)
    known = duty.reach(rows)
    by_id = {one.staff_id: one.mail for one in known if one.staff_id not in (None, without) and one.mail}
    on_duty = [by_id[one] for one in duty.on_duty(rows, day_of(now), part) if one in by_id]
    leads = [by_id[one] for one in duty.leads(rows) if one in by_id]
    outside = [one.mail for one in known if one.staff_id is None and one.mail]
    rungs = (on_duty or leads if part == "out" else [], on_duty, leads, outside)
    if step == 0:
        return rungs[0]
    return next((people for people in rungs[step:] if people), [])


def addresses_of(mail_url: str, mails: Sequence[str]) -> list[str]:
    """One apprise address for each mail, over the town's own mail server; none where no server is set."""
    if not mail_url:
        return []
    joint = "&" if "?" in mail_url else "?"
    return [f"{mail_url}{joint}to={quote(mail, safe='@')}" for mail in mails]
