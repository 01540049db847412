"""A desk that is cut off, left alone, or signed out in the middle of a sentence: nothing written is lost (desk.md §2, §9, §10)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import PASSWORD
from tests.town import Resident, Town

pytestmark = pytest.mark.browser

Desk = Callable[[str], Page]


@pytest.fixture
def resident(town: Town) -> Resident:
    return town.resident_on("line").says("人と話したい")


@pytest.fixture
def writing(resident: Resident, desk: Desk) -> Page:
    """佐藤 has taken a case and begun to write; time on this page is moved by the test."""
    page = desk("佐藤")
    page.clock.install()
    page.goto(f"/desk/cases/{resident.case}")
    page.locator(".case-head__acts").get_by_role("button", name="受け持つ").click()
    page.locator("#reply-text").fill("書きかけの返事")
    return page


def test_half_a_minute_without_the_desk_keeps_what_is_there_and_stops_what_could_not_be_kept(writing: Page, resident: Resident) -> None:
    writing.route("**/stream**", lambda route: route.abort("connectionreset"))
    writing.reload()
    writing.clock.fast_forward(31_000)

    expect(writing.locator("#offline")).to_be_visible()
    expect(writing.locator("#offline")).to_contain_text("送ったり変えたりはできません")
    expect(writing.get_by_role("button", name="送る", exact=True)).to_be_disabled()
    expect(writing.locator("#lines")).to_contain_text("相談員につなぎます")
    expect(writing.locator("#reply-text")).to_have_value("書きかけの返事")

    resident.says("切れているあいだに書きました").says("二つ書きました")
    expect(writing.locator("#lines")).not_to_contain_text("切れているあいだに")

    writing.unroute("**/stream**")
    expect(writing.locator("#offline")).to_be_hidden(timeout=20_000)
    expect(writing.locator("#lines .line--resident")).to_contain_text(["切れているあいだに書きました", "二つ書きました"])
    expect(writing.get_by_role("button", name="送る", exact=True)).to_be_enabled()


def test_a_session_that_ends_in_the_middle_of_a_sentence_comes_back_to_it_after_signing_in(town: Town, writing: Page) -> None:
    case, login = writing.url, town.rows("SELECT login FROM staff WHERE name = '佐藤'")[0].login
    town.clock.moves(minutes=31)
    writing.wait_for_url("**/desk/sign-in", timeout=15_000)

    writing.get_by_label("ログイン名").fill(login)
    writing.get_by_label("パスワード").fill(PASSWORD)
    writing.get_by_role("button", name="サインイン").click()

    writing.wait_for_url(case)
    expect(writing.locator("#reply-text")).to_have_value("書きかけの返事")


def test_five_minutes_before_the_end_one_press_goes_on(writing: Page) -> None:
    writing.clock.fast_forward(24 * 60 * 1000)
    expect(writing.locator("#idle")).to_be_hidden()
    writing.clock.fast_forward(61 * 1000)
    expect(writing.locator("#idle")).to_be_visible()

    writing.locator("#idle").get_by_role("button", name="つづける").click()

    expect(writing.locator("#idle")).to_be_hidden()
    expect(writing.locator("#reply-text")).to_have_value("書きかけの返事")
