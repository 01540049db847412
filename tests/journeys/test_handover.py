"""D8 as two people live it: a resident on LINE, a coordinator at the desk with one hand on the keyboard."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.town import Town

pytestmark = pytest.mark.browser

Desk = Callable[[str], Page]


def queue_shows_it(page: Page) -> None:
    """The queue that lies open and was empty shows the new case without being asked."""
    expect(page.locator("table.queue tbody tr")).to_have_count(1)
    page.wait_for_function("document.readyState === 'complete'")


def takes_the_next_one(page: Page) -> None:
    """One key takes the case that has come up on the queue."""
    queue_shows_it(page)
    page.keyboard.press("n")
    page.wait_for_url("**/desk/cases/*")


def test_a_talk_goes_from_line_to_a_coordinator_and_back(town: Town, desk: Desk) -> None:
    page = desk("佐藤")
    resident = town.resident_on("line").taps("相談をはじめる").says("父が来週退院します。家は2階です")
    resident.says("人と話したい").taps("渡す")

    takes_the_next_one(page)
    expect(page.locator("#lines")).to_contain_text("父が来週退院します")

    resident.listens()
    page.keyboard.press("r")
    page.keyboard.type("はじめまして。佐藤です。")
    page.keyboard.press("Control+Enter")
    town.until(lambda: "はじめまして。佐藤です。" in resident.hears())
    expect(page.locator("#lines")).to_contain_text("はじめまして。佐藤です。")
    expect(page.locator("#reply-text")).to_have_value("")

    resident.says("来週の水曜日です")
    assert resident.hears_nothing(), "the bot is silent while a human owns the talk"
    expect(page.locator("#lines")).to_contain_text("来週の水曜日です")

    resident.listens()
    page.get_by_role("link", name="機械にもどす").click()
    page.get_by_label("日", exact=True).fill("R8.11.26")
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="機械にもどす").click()
    town.until(lambda: resident.owner == "bot")
    town.rests()
    assert not resident.hears_nothing()
    assert town.line.violations == []


def test_enter_alone_never_sends(town: Town, desk: Desk) -> None:
    page = desk("佐藤")
    resident = town.resident_on("line").says("人と話したい")
    takes_the_next_one(page)
    resident.listens()

    page.locator("#reply-text").click()
    page.keyboard.type("まだ途中の文")
    page.keyboard.press("Enter")
    page.keyboard.type("二行目")

    expect(page.locator("#reply-text")).to_have_value("まだ途中の文\n二行目")
    assert resident.hears_nothing()


def test_a_memo_never_reaches_the_resident(town: Town, desk: Desk) -> None:
    page = desk("佐藤")
    resident = town.resident_on("line").says("人と話したい")
    takes_the_next_one(page)
    resident.listens()

    page.locator("#note-text").fill("病院に電話する")
    page.get_by_role("button", name="メモを残す").click()
    expect(page.locator(".memo__note")).to_contain_text("病院に電話する")

    town.rests()
    assert resident.hears_nothing()


def test_lines_of_the_sheet_lead_to_the_message_they_came_from(town: Town, desk: Desk) -> None:
    page = desk("佐藤")
    resident = town.resident_on("line").taps("相談をはじめる").says("父が来週退院します。家は2階です")
    resident.says("人と話したい").taps("渡す")

    takes_the_next_one(page)
    links = page.locator(".sheet__lines a[href^='#m-']")
    expect(links.first).to_be_visible()
    target = links.first.get_attribute("href")

    assert target is not None
    expect(page.locator(f"{target}")).to_contain_text("父が来週退院します")


def test_of_two_coordinators_who_press_at_once_one_gets_the_case_and_the_other_hears_who(town: Town, desk: Desk) -> None:
    sato, suzuki = desk("佐藤"), desk("鈴木")
    resident = town.resident_on("line").says("人と話したい")
    for page in (sato, suzuki):
        queue_shows_it(page)
        page.goto(f"/desk/cases/{resident.case}")

    sato.get_by_role("button", name="受け持つ").click()
    expect(sato.locator("#reply-text")).to_be_visible()
    suzuki.get_by_role("button", name="受け持つ").click()

    expect(suzuki.locator("#why")).to_contain_text("佐藤さんが受け持っています")


@pytest.mark.parametrize("width", [1366, 320])
def test_a_new_row_waits_behind_a_bar_and_never_moves_the_row_under_the_pointer(town: Town, desk: Desk, width: int) -> None:
    page = desk("佐藤")
    waiting = town.resident_on("line").says("人と話したい")
    queue_shows_it(page)
    page.set_viewport_size({"width": width, "height": 768})
    row = page.locator(f"tr[data-code='{waiting.case}']")
    before = row.bounding_box()

    for channel in ("web", "telegram"):
        town.resident_on(channel).says("人と話したい")  # type: ignore[arg-type]
    expect(page.locator("#news")).to_contain_text("新しい 2 件")
    expect(page.locator("table.queue tbody tr")).to_have_count(1)
    assert row.bounding_box() == before

    page.locator("#news").get_by_role("link", name="表示").click()
    expect(page.locator("table.queue tbody tr")).to_have_count(3)


def test_a_danger_is_on_an_open_desk_page_within_five_seconds(town: Town, desk: Desk) -> None:
    page = desk("佐藤")
    expect(page.locator("[data-alarm]")).to_have_count(0)

    resident = town.resident_on("line").says("もう死にたい")

    expect(page.locator("[data-alarm]")).to_be_visible(timeout=5_000)
    expect(page).to_have_title(re.compile("^緊急 1件 "))
    assert "死" not in page.locator("#alarms").inner_text(), "no topic before it is opened"
    page.locator("[data-alarm]").get_by_role("button", name="受け持つ").click()
    page.wait_for_url(f"**/desk/cases/{resident.case}")
    expect(page.locator("#lines")).to_contain_text("もう死にたい")
    expect(page.locator("[data-alarm]")).to_have_count(0)
