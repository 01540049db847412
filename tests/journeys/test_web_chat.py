"""The web chat in a real browser: with scripts, without them, and left in a hurry (desk.md §7, R16)."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.test_handover import takes_the_next_one
from tests.town import Town

pytestmark = pytest.mark.browser

Open = Callable[..., Page]


@pytest.mark.parametrize("script", [True, False], ids=["with-script", "plain-forms"])
def test_a_worry_is_written_and_answered(town: Town, open_browser: Open, script: bool) -> None:
    page = open_browser(java_script_enabled=script)
    page.goto("/")
    expect(page.locator("#log")).to_contain_text("機械")
    page.get_by_role("button", name="相談をはじめる").click()

    page.locator("#text").fill("家賃が払えなくて困っています")
    page.get_by_role("button", name="送る").click()

    expect(page.locator("#log .resident").last).to_contain_text("家賃が払えなくて困っています")
    expect(page.locator("#log article.card").first).to_be_visible()
    expect(page.locator("#text")).to_have_value("")


@pytest.mark.parametrize("script", [True, False], ids=["with-script", "plain-forms"])
def test_a_coordinator_and_a_resident_on_the_web_write_to_each_other(
    town: Town, open_browser: Open, desk: Callable[[str], Page], script: bool
) -> None:
    at_desk = desk("佐藤")
    page = open_browser(java_script_enabled=script)
    page.goto("/")
    page.locator("#text").fill("人と話したい")
    page.get_by_role("button", name="送る").click()
    expect(page.locator("#log .resident").last).to_contain_text("人と話したい")

    takes_the_next_one(at_desk)
    at_desk.locator("#reply-text").fill("はじめまして。佐藤です。")
    at_desk.keyboard.press("Control+Enter")
    expect(at_desk.locator("#lines")).to_contain_text("はじめまして。佐藤です。")

    if not script:
        page.goto("/")
    expect(page.locator("#log")).to_contain_text("はじめまして。佐藤です。")
    page.locator("#text").fill("ありがとうございます")
    page.get_by_role("button", name="送る").click()
    expect(at_desk.locator("#lines")).to_contain_text("ありがとうございます")


@pytest.mark.parametrize("script", [True, False], ids=["with-script", "plain-forms"])
@pytest.mark.requirement("R16")
def test_leaving_in_a_hurry_shows_nothing_on_the_way_back(town: Town, open_browser: Open, script: bool) -> None:
    page = open_browser(java_script_enabled=script)
    page.route(re.compile("^https://"), lambda route: route.fulfill(body="<p>きょうの天気</p>", content_type="text/html; charset=utf-8"))
    page.goto("/")
    page.locator("#text").fill("夫に知られたくない相談です")
    page.get_by_role("button", name="送る").click()
    expect(page.locator("#log .resident").last).to_contain_text("夫に知られたくない相談です")

    page.locator("#leave button").click()
    expect(page.locator("body")).to_contain_text("きょうの天気")
    page.go_back()
    page.wait_for_load_state()

    assert "夫に知られたくない相談です" not in page.content()
    page.goto("/")
    assert "夫に知られたくない相談です" not in page.content()


@pytest.mark.requirement("R16")
def test_nothing_typed_survives_a_second_visitor_at_the_same_machine(town: Town, open_browser: Open) -> None:
    first = open_browser()
    first.goto("/")
    first.locator("#text").fill("わたしだけの相談です")
    first.get_by_role("button", name="送る").click()
    expect(first.locator("#log .resident").last).to_contain_text("わたしだけの相談です")

    second = open_browser()
    second.goto("/")

    assert "わたしだけの相談です" not in second.content()


@pytest.mark.requirement("R16")
def test_the_way_out_is_the_first_thing_the_tab_key_reaches(town: Town, open_browser: Open) -> None:
    page = open_browser()
    page.goto("/")

    page.keyboard.press("Tab")

    assert page.evaluate("document.activeElement.closest('#leave') !== null")


@pytest.mark.requirement("R36")
def test_the_page_asks_nobody_else_for_anything(town: Town, open_browser: Open) -> None:
    page = open_browser()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto("/")
    page.locator("#text").fill("家賃が払えない")
    page.get_by_role("button", name="送る").click()
    expect(page.locator("#log .resident").last).to_contain_text("家賃が払えない")

    assert asked
    assert all(address.startswith(town.url) for address in asked)


def test_at_320_pixels_nothing_has_to_be_scrolled_sideways(town: Town, open_browser: Open) -> None:
    page = open_browser()
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto("/")
    page.get_by_role("button", name="相談をはじめる").click()
    page.locator("#text").fill("家賃が払えなくて困っています")
    page.get_by_role("button", name="送る").click()
    expect(page.locator("#log article.card").first).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.requirement("R15")
def test_a_link_from_line_opens_the_room_only_when_its_button_is_pressed(town: Town, open_browser: Open) -> None:
    resident = town.resident_on("line").taps("相談をはじめる").says("専用ページ")
    link = urlsplit(str(resident.button("専用ページで話す").url))
    page = open_browser(viewport={"width": 320, "height": 640})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.url} {request.headers.get('referer', '')} {request.post_data or ''}"))

    page.goto(f"{link.path}#{link.fragment}")
    expect(page.get_by_role("button", name="相談ページをひらく")).to_be_visible()
    assert link.fragment not in page.url
    assert not any(link.fragment in one for one in asked)
    page.get_by_role("button", name="相談ページをひらく").click()
    page.locator("#text").fill("家賃が払えなくて困っています")
    page.get_by_role("button", name="送る").click()

    expect(page.locator("#log article.card").first).to_be_visible()
    assert sum(link.fragment in one for one in asked) == 1, "it was posted once, and stands in no address and no Referer"
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert "家賃" not in resident.hears()


@pytest.mark.requirement("R15")
def test_a_new_link_opens_in_the_window_where_a_used_one_was_refused(town: Town, open_browser: Open) -> None:
    resident = town.resident_on("telegram").taps("相談をはじめる").says("専用ページ")
    used = urlsplit(str(resident.button("専用ページで話す").url))
    first, second = open_browser(), open_browser()
    for page in (first, second):
        page.goto(f"{used.path}#{used.fragment}")
        page.get_by_role("button", name="相談ページをひらく").click()
    expect(second.get_by_role("alert")).to_contain_text("新しいボタンが出ます")
    expect(second.get_by_role("button", name="相談ページをひらく")).to_be_hidden()

    resident.says("専用ページ")
    fresh = urlsplit(str(resident.button("専用ページで話す").url))
    second.goto(f"{fresh.path}#{fresh.fragment}")
    expect(second.get_by_role("alert")).to_be_hidden()
    second.get_by_role("button", name="相談ページをひらく").click()
    second.locator("#text").fill("夜ねむれません")
    second.get_by_role("button", name="送る").click()

    for page in (first, second):
        expect(page.locator("#log .resident").last).to_contain_text("夜ねむれません")


def test_the_calendar_is_a_notice_of_at_most_two_sheets_of_paper(town: Town, open_browser: Open) -> None:
    page = open_browser()
    page.goto("/calendar")

    printed = page.pdf(prefer_css_page_size=True)

    assert len(re.findall(rb"/Type /Page\b", printed)) <= 2


@pytest.mark.requirement("R41")
def test_erased_words_leave_the_screen_at_once(town: Town, open_browser: Open) -> None:
    page = open_browser(viewport={"width": 390, "height": 780})
    page.goto("/")
    page.get_by_role("button", name="相談をはじめる").click()
    for words in ("家賃が2か月払えていません", "データを消して"):
        page.locator("#text").fill(words)
        page.get_by_role("button", name="送る", exact=True).click()
    for _ in range(2):
        page.locator(".answers").get_by_role("button", name="消す", exact=True).click()
        expect(page.locator("#log .resident").last.locator(".bubble")).to_contain_text("消")

    expect(page.locator("#log")).to_contain_text("消しました。受付番号")
    expect(page.locator("#log")).not_to_contain_text("家賃が2か月払えていません")


def test_one_wrong_letter_of_the_six_words_does_not_cost_the_others(town: Town, open_browser: Open) -> None:
    page = open_browser(viewport={"width": 390, "height": 780})
    page.goto("/return")
    page.locator("#phrase").fill("なみのり ふうとう からだ まちかど かかし つめ")
    page.get_by_role("button", name="戻る", exact=True).click()

    expect(page.get_by_role("alert")).to_contain_text("データを消したあと")
    expect(page.locator("#phrase")).to_have_value("なみのり ふうとう からだ まちかど かかし つめ")
