"""Counts add up over months, and clocks run in opening hours only."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from bot.clock import JST
from bot.figures import counting
from knowledge.entry import Hours
from knowledge.hours import open_minutes


@dataclass(frozen=True)
class Desk:
    hours: tuple[Hours, ...] = (Hours.model_validate({"days": "月-金", "from": "8:30", "to": "17:15"}),)
    closed: tuple[str, ...] = ("祝日",)


def at(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=JST)


@pytest.mark.parametrize(
    ("since", "until", "minutes"),
    [
        ("2026-11-24 10:00", "2026-11-24 10:40", 40),
        ("2026-11-24 17:00", "2026-11-25 08:45", 30),  # 15 before closing, 15 after opening
        ("2026-11-20 16:15", "2026-11-24 08:30", 60),  # Friday evening, a weekend and 勤労感謝の日 do not count
        ("2026-11-24 20:00", "2026-11-24 23:00", 0),
        ("2026-11-24 10:00", "2026-11-24 09:00", 0),
    ],
)
def test_a_clock_runs_while_the_desk_is_open(since: str, until: str, minutes: int) -> None:
    assert open_minutes(Desk(), at(since), at(until)) == minutes


def test_where_no_hours_are_known_the_clock_runs_always() -> None:
    assert open_minutes(Desk(hours=()), at("2026-11-20 16:15"), at("2026-11-21 16:15")) == 24 * 60


def test_a_year_is_the_sum_of_its_months() -> None:
    assert counting.add([{"work": {"new": 2}}, {"work": {"new": 3, "gaps": 1}, "langs": {"ja": 1}}]) == {
        "work": {"new": 5, "gaps": 1}, "langs": {"ja": 1},
    }  # fmt: skip


@pytest.mark.parametrize(("written", "group"), [("54", "50-64"), ("54歳", "50-64"), ("S47.3.5", "50-64"), ("まだ", "unknown"), (None, "unknown")])
def test_an_age_is_read_as_coordinators_write_it(written: str | None, group: str) -> None:
    year = {"S47.3.5": 1972}.get
    assert counting.age_of(written, datetime(2026, 11, 24, tzinfo=UTC), year) == group
