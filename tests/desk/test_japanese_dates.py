"""Eras, 年度, and the dates that staff type (desk.md §1)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.desk import japanese_dates
from bot.desk.japanese_dates import NotADate, WhichEra, era_year, fiscal_year, fiscal_year_name, long_date, long_time, read_date, short_time


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("R8.11.23", date(2026, 11, 23)), ("令和8年11月23日", date(2026, 11, 23)), ("令和８年１１月２３日", date(2026, 11, 23)),
        (" 2026-11-23 ", date(2026, 11, 23)), ("2026/11/23", date(2026, 11, 23)), ("20261123", date(2026, 11, 23)),
        ("２０２６年11月23日", date(2026, 11, 23)),
        ("令和元年5月1日", date(2019, 5, 1)), ("R1.5.1", date(2019, 5, 1)), ("H31.4.30", date(2019, 4, 30)), ("S64.1.7", date(1989, 1, 7)),
        ("昭和元年12月25日", date(1926, 12, 25)), ("t1/7/30", date(1912, 7, 30)), ("M45.7.29", date(1912, 7, 29)),
    ],
)  # fmt: skip
def test_reads_what_offices_write(written: str, day: date) -> None:
    assert read_date(written) == day


@pytest.mark.parametrize("written", ["8/11/23", "８．１１．２３", "26-11-23"])
def test_asks_for_the_era_of_a_short_year(written: str) -> None:
    with pytest.raises(WhichEra):
        read_date(written)


@pytest.mark.parametrize("written", ["", "あした", "R8.2.29", "2026-02-30", "R1.4.30", "H31.5.1", "S64.1.8", "M5.1.1", "2026-13-01", "R8.11"])
def test_refuses_days_that_never_were(written: str) -> None:
    with pytest.raises(NotADate):
        read_date(written)


def test_writes_days_and_times_in_japan() -> None:
    at = datetime(2026, 11, 23, 5, 5, tzinfo=UTC)
    assert long_time(at) == "令和8年11月23日（月）14:05"
    assert short_time(at) == "11/23 14:05"
    assert long_time(datetime(2026, 11, 23, 15, 0, tzinfo=UTC)) == "令和8年11月24日（火）00:00"
    assert long_date(date(2019, 4, 30)) == "平成31年4月30日（火）"
    assert long_date(date(2019, 5, 1)) == "令和元年5月1日（水）"
    assert era_year(date(1872, 12, 31)) == "1872年"


@pytest.mark.parametrize(("day", "year", "name"), [
    (date(2026, 4, 1), 2026, "令和8年度"), (date(2027, 3, 31), 2026, "令和8年度"),
    (date(2019, 4, 1), 2019, "令和元年度"), (date(2019, 3, 31), 2018, "平成30年度"),
])  # fmt: skip
def test_the_office_year_begins_in_april(day: date, year: int, name: str) -> None:
    assert fiscal_year(day) == year
    assert fiscal_year_name(day) == name


@given(st.dates(min_value=date(1873, 1, 1), max_value=date(2117, 12, 31)))
def test_what_is_written_is_read_back(day: date) -> None:
    assert read_date(long_date(day)[:-3]) == day
    assert read_date(day.isoformat()) == day
    era = japanese_dates.era_of(day)
    assert era is not None
    assert read_date(f"{era.letter}{day.year - era.first_year + 1}.{day.month}.{day.day}") == day


def test_eras_follow_each_other_without_a_gap() -> None:
    for later, earlier in zip(japanese_dates.ERAS, japanese_dates.ERAS[1:], strict=False):
        assert japanese_dates.era_of(later.began - timedelta(days=1)) == earlier
