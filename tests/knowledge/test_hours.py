"""Open now, until when, when next; which day a meeting comes next. Compared minute by minute with the plainest possible reading."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import jpholiday
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.days import UnknownDays, days_of
from knowledge.entry import Contact, Event, Hours
from knowledge.hours import is_closed_day, next_meeting, opening

JST = ZoneInfo("Asia/Tokyo")
DESK = [{"days": "月-金", "from": "8:30", "to": "17:15"}]


def contact(hours: object, closed: Sequence[str] = ()) -> Contact:
    return Contact.model_validate({"name": "福祉課", "hours": hours, "closed": list(closed)})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=JST)


def test_hours_nobody_wrote_are_unknown_never_closed() -> None:
    assert opening(contact(None), at("2026-11-24T10:00")).open_now is None


def test_an_open_desk_says_until_when() -> None:
    found = opening(contact(DESK), at("2026-11-24T10:00"))
    assert (found.open_now, found.closes_at, found.opens_at) == (True, time(17, 15), None)


def test_the_desk_closes_as_the_clock_turns_and_opens_the_next_working_day() -> None:
    found = opening(contact(DESK, ["祝日", "年末年始"]), at("2026-11-20T17:15"))  # a Friday; Monday is 勤労感謝の日
    assert (found.open_now, found.opens_at) == (False, at("2026-11-24T08:30"))


def test_the_new_year_of_public_offices_is_closed() -> None:
    found = opening(contact(DESK, ["祝日", "年末年始"]), at("2026-12-29T10:00"))
    assert found.opens_at == at("2027-01-04T08:30")


def test_a_lunch_break_is_two_rows() -> None:
    shimin = contact([{"days": "平日", "from": "9:00", "to": "12:00"}, {"days": "平日", "from": "13:00", "to": "16:00"}])
    assert opening(shimin, at("2026-11-24T11:59")).closes_at == time(12)
    assert opening(shimin, at("2026-11-24T12:30")).opens_at == at("2026-11-24T13:00")


def test_rows_that_touch_are_one_stretch() -> None:
    desk = contact([{"days": "木", "from": "8:30", "to": "17:15"}, {"days": "木", "from": "17:15", "to": "19:00"}])
    assert opening(desk, at("2026-11-26T10:00")).closes_at == time(19)


def test_a_night_reaches_into_the_next_morning() -> None:
    shelter = contact([{"days": "金", "from": "19:00", "to": "翌9:00"}])
    assert opening(shelter, at("2026-11-28T02:00")).closes_at == time(9)  # Saturday, two at night
    assert opening(shelter, at("2026-11-28T09:00")).opens_at == at("2026-12-04T19:00")


def test_day_and_night_without_end_has_no_closing_time() -> None:
    found = opening(contact("24時間"), at("2026-11-24T23:59"))
    assert (found.open_now, found.closes_at) == (True, None)


def test_closing_days_of_every_kind_are_kept() -> None:
    library = contact([{"days": "毎日", "from": "9:00", "to": "20:00"}], ["第3月", "8/13-8/16", "2026-12-28"])
    assert is_closed_day(library, date(2026, 11, 16))
    assert is_closed_day(library, date(2027, 8, 14))
    assert is_closed_day(library, date(2026, 12, 28))
    assert not is_closed_day(library, date(2026, 11, 23))


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("月-金", "23 24 25 26 27"), ("月〜金", "23 24 25 26 27"), ("月曜日から水曜日まで", "23 24 25"), ("平日", "24 25 26 27"),
        ("土日祝", "23 28 29"), ("土・日・祝日", "23 28 29"), ("毎日", "23 24 25 26 27 28 29"), ("月・水・金", "23 25 27"), ("火木", "24 26"),
        ("毎週火", "24"), ("第4土", "28"), ("第２・第４土曜日", "28"), ("最終金", "27"), ("毎月25日", "25"), ("金-月", "23 27 28 29"),
        ("11/24-11/26", "24 25 26"), ("2026-11-26", "26"), ("月-金・第4土", "23 24 25 26 27 28"), ("月と木", "23 26"), ("第5月", ""),
        ("年末年始", ""),
    ],
)  # fmt: skip
def test_days_are_understood_as_japanese_desks_write_them(written: str, days: str) -> None:
    monday = date(2026, 11, 23)  # the week of 勤労感謝の日
    found = [monday + timedelta(days=step) for step in range(7) if days_of(written).has(monday + timedelta(days=step))]
    assert [day.day for day in found] == [int(day) for day in days.split()]


@pytest.mark.parametrize("written", ["", "隔週火", "お盆", "第6土", "13/45", "いつでも", "月-", "2026-02-30", "2月30日"])
def test_days_that_mean_nothing_certain_are_refused_with_a_way_to_write_them(written: str) -> None:
    with pytest.raises(UnknownDays) as refused:
        days_of(written)
    assert refused.value.hint


def test_a_word_that_is_no_day_is_named_whole() -> None:
    with pytest.raises(UnknownDays, match="「ときどき」"):
        days_of("ときどき")


def test_the_next_meeting_of_the_dementia_cafe_is_the_first_thursday() -> None:
    cafe = Event.model_validate({"title": "認知症カフェ", "every": "第1木", "from": "13:30", "to": "15:30"})
    assert next_meeting(cafe, at("2026-11-23T09:00")) == date(2026, 12, 3)
    assert next_meeting(cafe, at("2026-12-03T13:30")) == date(2026, 12, 3)
    assert next_meeting(cafe, at("2026-12-03T13:31")) == date(2027, 1, 7)


def test_a_meeting_of_one_day_is_over_after_it() -> None:
    bazaar = Event.model_validate({"title": "バザー", "on": "2026-11-28"})
    assert next_meeting(bazaar, at("2026-11-28T20:00")) == date(2026, 11, 28)
    assert next_meeting(bazaar, at("2026-11-29T00:00")) is None


def test_a_meeting_leaves_out_its_closing_days() -> None:
    salon = Event.model_validate({"title": "サロン", "every": "毎週月", "closed": ["祝日"]})
    assert next_meeting(salon, at("2026-11-23T09:00")) == date(2026, 11, 30)


# ---------------------------------------------------------------- minute by minute


@dataclass(frozen=True)
class Plain:
    """A row in the plainest form: weekdays, minutes; `workdays` leaves out holidays."""

    text: str
    weekdays: frozenset[int]
    begin: int
    end: int


def clock(minute: int) -> str:
    return f"翌{minute // 60 - 24}:{minute % 60:02}" if minute > 24 * 60 else f"{minute // 60}:{minute % 60:02}"


@st.composite
def plain_rows(draw: st.DrawFn) -> Plain:
    weekdays = draw(st.sets(st.integers(0, 6), min_size=1))
    begin = draw(st.integers(0, 95)) * 15
    end = begin + draw(st.integers(1, 80)) * 15
    return Plain("・".join("月火水木金土日"[day] for day in sorted(weekdays)), frozenset(weekdays), begin, end)


CLOSED = {
    "祝日": jpholiday.is_holiday,
    "年末年始": lambda day: (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3),
    "第3水": lambda day: day.weekday() == 2 and 15 <= day.day <= 21,
}


@settings(deadline=None, max_examples=60)
@given(
    st.lists(plain_rows(), min_size=1, max_size=4),
    st.sets(st.sampled_from(sorted(CLOSED))),
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)),
)
def test_opening_agrees_with_looking_at_every_minute(rows: list[Plain], closed: set[str], moment: datetime) -> None:
    now = moment.replace(second=0, microsecond=0, tzinfo=JST)
    kept = contact([{"days": row.text, "from": clock(row.begin), "to": clock(row.end)} for row in rows], sorted(closed))

    def spans(day: date) -> list[tuple[int, int]]:
        if any(CLOSED[name](day) for name in closed):
            return []
        return [(row.begin, row.end) for row in rows if day.weekday() in row.weekdays]

    ahead = 20 * 24 * 60
    is_open = bytearray(2 * 24 * 60 + ahead)  # every minute from yesterday's midnight on
    for step in range(-1, 21):
        for begin, end in spans(now.date() + timedelta(days=step)):
            first = (step + 1) * 24 * 60 + begin
            for minute in range(first, min(first + end - begin, len(is_open))):
                is_open[minute] = 1
    here = 24 * 60 + now.hour * 60 + now.minute
    found = opening(kept, now)
    assert found.open_now is bool(is_open[here])
    if is_open[here]:
        closes = is_open.find(0, here)
        late = closes == -1 or closes - here > 24 * 60
        assert found.closes_at == (None if late else time(closes // 60 % 24, closes % 60))
    else:
        opens = is_open.find(1, here)
        if opens != -1:
            assert found.opens_at == now + timedelta(minutes=opens - here)
        else:
            assert found.opens_at is None or found.opens_at > now + timedelta(days=19)


def test_a_row_keeps_its_times_as_they_were_typed() -> None:
    row = Hours.model_validate({"days": "月〜金", "from": "09:00", "to": "翌5:00"})
    assert (row.days, row.from_, row.to, row.begins, row.ends) == ("月〜金", "09:00", "翌5:00", 540, 29 * 60)


def test_a_real_office_is_right_around_every_change_of_a_whole_year() -> None:
    """Lunch break, 第2・4土, holidays, 年末年始: looked at the minute before, at and after each change, and every 37 minutes between."""
    office = contact(
        [
            {"days": "月-金", "from": "8:30", "to": "12:00"}, {"days": "月-金", "from": "13:00", "to": "17:15"},
            {"days": "第2・4土", "from": "9:00", "to": "12:30"},
        ],
        ["祝日", "年末年始"],
    )  # fmt: skip

    def spans(day: date) -> list[tuple[int, int]]:
        if jpholiday.is_holiday(day) or (day.month, day.day) in {(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)}:
            return []
        if day.weekday() == 5:
            return [(540, 750)] if 8 <= day.day <= 14 or 22 <= day.day <= 28 else []
        return [(510, 720), (780, 1035)] if day.weekday() < 5 else []

    start = date(2026, 12, 1)
    opens = [
        (number * 1440 + begin, number * 1440 + end) for number in range(396 + 31) for begin, end in spans(start + timedelta(days=number))
    ]
    moments = {minute + near for span in opens for minute in span for near in (-1, 0, 1)} | set(range(0, 396 * 1440, 37))
    midnight = datetime(2026, 12, 1, tzinfo=JST)
    ahead = iter(opens)
    begin, end = next(ahead)
    for minute in sorted(minute for minute in moments if minute < 396 * 1440):
        while end <= minute:
            begin, end = next(ahead)
        found = opening(office, midnight + timedelta(minutes=minute))
        if begin <= minute:
            assert (found.open_now, found.closes_at) == (True, time(end % 1440 // 60, end % 60)), minute
        else:
            assert (found.open_now, found.opens_at) == (False, midnight + timedelta(minutes=begin)), minute
