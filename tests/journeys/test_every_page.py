"""Every page and state of the desk on a full morning: nothing axe-core finds, nothing to scroll sideways at 400 %, light enough (desk.md §1, §10)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys import morning
from tests.journeys.conftest import begins
from tests.journeys.morning import Morning
from tests.town import Town
from tests.web.axe import problems_of

pytestmark = pytest.mark.browser

_MOST = 200_000
"""Bytes of a first page (desk.md §1)."""
_SHEETS = (
    "", "sheet", "household", "referrals", "meetings", "consents", "history", "pass-on", "close", "hand-back", "forms/reception",
    "forms/support_meeting", "visit",
)  # fmt: skip
_OWN = ("", "?view=mine", "?view=closed", "/tasks", "/duty", "/help", "/me", "/search?q=父", "/search?q=ない", "/knowledge", "/knowledge/food-bank")


@pytest.fixture
def full(town: Town) -> Morning:
    town.coordinator("当番")
    return morning.comes(town)


def looks_right(page: Page, path: str) -> list[str]:
    """What is wrong with this page, at a desk's width and at 320 px (1280 px at 400 %)."""
    wrong = [f"{path}: {one}" for one in problems_of(page)]
    if (size := len(page.content().encode())) > _MOST:
        wrong.append(f"{path}: {size} bytes")
    page.set_viewport_size({"width": 320, "height": 256})
    if (wide := page.evaluate("document.documentElement.scrollWidth")) > 320:
        wrong.append(f"{path}: {wide} px wide at 320")
    page.set_viewport_size({"width": 1366, "height": 768})
    return wrong


def test_the_pages_of_a_coordinator(full: Morning, town: Town, desk: Callable[[str], Page]) -> None:
    page = desk("佐藤")
    wrong = []
    for path in _OWN:
        page.goto(f"/desk{path}")
        wrong += looks_right(page, path)
    page.goto(f"/desk/cases/{full.first}")
    wrong += looks_right(page, "a case that waits")
    page.locator(".case-head__acts").get_by_role("button", name="受け持つ").click()
    for name in _SHEETS:
        page.goto(f"/desk/cases/{full.first}/{name}".rstrip("/"))
        page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true; })")
        wrong += looks_right(page, f"case/{name}")
    for who in (full.hidden, full.alarmed):
        page.goto(f"/desk/cases/{who.case}")
        wrong += looks_right(page, "a case in danger")
    page.goto(f"/desk/cases/{full.hidden.case}/referrals")
    wrong += looks_right(page, "a hidden address")
    page.goto(f"/desk/cases/{town.resident_on('line').says('いま薬を全部飲んだ').case}")
    page.locator(".case-head__acts").get_by_role("button", name="受け持つ").click()
    wrong += looks_right(page, "a danger to life with one name")
    page.goto("/desk/cases/XXX-XXXX")
    wrong += looks_right(page, "missing")
    assert wrong == []


def test_the_pages_of_what_the_town_learns(full: Morning, town: Town, desk: Callable[[str], Page]) -> None:
    town.resident_on("web").taps("相談をはじめる").says("手伝いたい").says("大工").says("土日").taps("説明会の日")
    page = desk("佐藤")
    page.goto("/desk/gaps")
    page.get_by_label("年齢が合わない").check()
    page.get_by_label("あったら助かったもの（人が分からないように、ひとことで）").fill("年齢によらない集まり")
    page.get_by_role("button", name="書きとめる").click()
    wrong = []
    pooling = ("/desk/pooling", "/desk/pooling?field=kourei")
    for path in ("/desk/figures", "/desk/gaps", "/desk/walking?whose=all", "/desk/helping", *pooling, "/calendar"):
        page.goto(path)
        page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true; })")
        wrong += looks_right(page, path)
    assert wrong == []


def test_the_pages_before_the_desk_and_of_an_agency(town: Town, open_browser: Callable[..., Page]) -> None:
    page = open_browser()
    wrong = []
    for path in ("/desk/sign-in", "/desk/welcome"):
        page.goto(path)
        wrong += looks_right(page, path)
    page = open_browser()
    begins(page, morning.office_of(town), "高橋", "takahashi", "**/desk/shared")
    for path in ("/desk/shared", "/desk/help", "/desk/me", "/desk"):
        page.goto(path)
        wrong += looks_right(page, path)
    assert wrong == []


@pytest.mark.parametrize("size", ["1", "3", "4"])
def test_every_text_size_keeps_the_queue_and_a_case_in_their_width(full: Morning, desk: Callable[[str], Page], size: str) -> None:
    page = desk("佐藤")
    page.locator(f".sizes button[value='{size}']").click()
    wrong = []
    for path in ("/desk", f"/desk/cases/{full.first}"):
        page.goto(path)
        assert page.locator("html").get_attribute("data-size") == size
        wrong += looks_right(page, path)
    assert wrong == []


def test_axe_does_find_what_is_wrong(town: Town, desk: Callable[[str], Page]) -> None:
    page = desk("佐藤")
    page.evaluate("document.querySelector('.bar__search label').remove(); document.querySelector('#q').removeAttribute('placeholder')")

    assert any("label" in one for one in problems_of(page))


def test_a_print_of_a_form_is_a4_with_its_warning_and_without_buttons(full: Morning, desk: Callable[[str], Page]) -> None:
    page = desk("佐藤")
    page.goto(f"/desk/cases/{full.first}/forms/reception")
    page.emulate_media(media="print")

    expect(page.locator(".paper__head")).to_contain_text("取扱注意")
    expect(page.locator(".paper__head")).to_contain_text(full.first)
    further = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--paper-head')")
    for words in ("取扱注意", full.first, "佐藤", "令和8年11月24日"):
        assert words in further, "the head of every further page"
    for hidden in (".bar", "#alarms", ".no-print", ".sample"):
        expect(page.locator(hidden).first).to_be_hidden()
    printed = page.pdf(prefer_css_page_size=True, tagged=True)
    assert printed.startswith(b"%PDF")
    assert b"595.9" in printed or b"594.9" in printed or b"595 " in printed or b"595.2" in printed, "A4 is 595 points wide"
