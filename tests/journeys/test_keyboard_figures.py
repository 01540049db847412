"""ふりかえり with the keyboard alone: the year, a table for elsewhere, the end of a month (WCAG 2.1.1, desk.md §5)."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.test_keyboard_day import Keyboard
from tests.town import Town

pytestmark = pytest.mark.browser


def test_a_table_is_taken_along_a_month_closed_and_a_year_chosen_without_a_mouse(town: Town, desk: Callable[..., Page]) -> None:
    town.clock.stands_at("2026-10-06 10:00")
    town.coordinator("当番")
    for number in range(12):
        town.resident_on("web").taps("相談をはじめる").says(f"母の介護のことで職員さんと話したいです（{number}）").says("人と話したい").taps("渡す")
    town.clock.stands_at("2026-11-04 10:00")
    page = desk("佐藤", role="lead")
    hands = Keyboard(page)
    page.goto("/desk/figures")

    with page.expect_download() as taken:
        hands.tabs_to("CSV").presses("Enter")
    assert taken.value.suggested_filename.endswith(".csv")
    hands.tabs_to("締める")
    with page.expect_navigation():
        hands.presses("Enter")
    expect(page.get_by_text("終わった月は、みな締めてあります。")).to_be_visible()

    hands.tabs_to("年度").tabs_to("見る")
    with page.expect_navigation(url=re.compile("year=2026")):
        hands.presses("Enter")
    expect(page.get_by_label("年度")).to_have_value("2026")
