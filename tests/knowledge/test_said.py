"""Times and hours as people write them: what is read, and what is rather not read."""

import pytest

from knowledge.said import clock_said, closed_said, day_said, hours_said


@pytest.mark.parametrize(
    ("said", "read"),
    [("17時", "17:00"), ("午後7時半", "19:30"), ("5:00 PM", "17:00"), ("午前0時", "0:00"), ("１７：００：００", "17:00"), ("翌5時", "翌5:00")],
)
def test_a_time_in_words(said: str, read: str) -> None:
    assert clock_said(said) == read


@pytest.mark.parametrize("said", ["9", "25:00", "午後13時", "夕方", "12/20", "9:00-17:00"])
def test_what_is_no_one_time_is_not_read(said: str) -> None:
    assert clock_said(said) is None


@pytest.mark.parametrize(("said", "read"), [("令和元年5月1日", "2019-05-01"), ("S64.1.7", "1989-01-07"), ("2026年10月1日（木・祝）", "2026-10-01")])
def test_a_day_of_any_calendar(said: str, read: str) -> None:
    assert str(day_said(said)) == read


@pytest.mark.parametrize("said", ["9:00〜17:00", "月〜金 9時から5時", "月-金 9:00-17:00 最終受付16:30", "月〜金 9:00〜17:00（8月は休み）", "要確認"])
def test_hours_that_could_mean_two_things_are_not_read(said: str) -> None:
    assert hours_said(said) is None


def test_closing_days_are_all_understood_or_none() -> None:
    assert closed_said("月曜日、祝日") == ("月", "祝日")
    assert closed_said("なし") == ()
    assert closed_said("月曜日（祝日の場合は翌日）、祝日") is None
