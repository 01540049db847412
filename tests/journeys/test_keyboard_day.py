"""D14 from alarm to close with the keyboard alone: no test here ever touches the mouse (WCAG 2.1.1, desk.md §8)."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys import morning
from tests.town import Town

pytestmark = pytest.mark.browser

_MOST_STEPS = 120


class Keyboard:
    """Two hands on a keyboard before a page: they tab to what they can name, and see where they are."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def presses(self, *keys: str) -> "Keyboard":
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def types(self, words: str) -> "Keyboard":
        self.page.keyboard.insert_text(words)
        return self

    def tabs_to(self, name: str, *, within: str = "main", exact: bool = True) -> "Keyboard":
        """Tab until the focused control is called so; it can be seen then, and its ring is drawn."""
        for _ in range(_MOST_STEPS):
            self.page.keyboard.press("Tab")
            found = self.page.evaluate(_FOCUSED, within)
            if found and (found["name"] == name if exact else name in found["name"]):
                assert found["ring"], f"{name} has the focus, and nothing shows it"
                assert found["seen"], f"{name} has the focus under something else"
                return self
        raise AssertionError(f"tabbing never reaches {name}")

    def arrives(self, path: str) -> "Keyboard":
        self.page.wait_for_url(path)
        self.page.wait_for_load_state()
        return self


_FOCUSED = """(within) => {
  const at = document.activeElement;
  if (!at || at === document.body || !at.closest(within)) return null;
  const label = at.labels && at.labels.length ? at.labels[0].innerText : "";
  const name = (at.getAttribute("aria-label") || label || at.innerText || "").trim();
  const box = at.getBoundingClientRect();
  const style = getComputedStyle(at);
  const middle = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height, 40) / 2);
  return {name, ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
          seen: !!middle && (at === middle || at.contains(middle) || middle.contains(at) || !!(at.labels && at.labels[0]?.contains(middle)))};
}"""


def test_from_alarm_to_close_without_a_mouse(town: Town, desk: Callable[[str], Page]) -> None:
    page = desk("佐藤")
    hands = Keyboard(page)
    morning.office_of(town)
    resident = town.resident_on("line").taps("相談をはじめる").says("もう死にたい。父の介護で限界です")

    # 10:41 the alarm, on the page that lies open
    expect(page.locator("[data-alarm]")).to_be_visible(timeout=5_000)
    expect(page).to_have_title(re.compile("^緊急 1件 "))
    hands.tabs_to("受け持つ", within="#alarms").presses("Enter").arrives(f"**/desk/cases/{resident.case}*")
    expect(page.locator("[data-alarm]")).to_have_count(0)
    expect(page.locator(".sheet")).to_contain_text("もう死にたい")

    # 10:44 a reply
    resident.listens()
    hands.presses("r").types("はじめまして。佐藤です。ここまで読みました。").presses("Control+Enter")
    town.until(lambda: "ここまで読みました" in resident.hears())
    expect(page.locator("#reply-text")).to_have_value("")
    hands.presses("m").types("地域包括に電話する")
    hands.tabs_to("メモを残す").presses("Enter")
    expect(page.locator(".memo__note")).to_contain_text("地域包括に電話する")

    # 11:20 つなぎ: a consent card, the yes, the referral
    hands.tabs_to("同意をたずねる").presses("Enter").arrives("**/consents")
    hands.tabs_to("だれに伝えるか（機関の名前）").types(morning.AGENCY)
    hands.tabs_to("ほかに伝えること（1行に1つ）").types("お父さまの介護のこと")
    hands.tabs_to("進む").presses("Enter")
    expect(page.locator("main")).to_contain_text("返事待ち")
    town.rests()
    resident.taps("はい")
    hands.tabs_to("つなぎ", within=".tabs").presses("Enter").arrives("**/referrals")
    hands.tabs_to("ほかに伝えること（1行に1つ）").types("お父さまの介護のこと")
    hands.tabs_to("本人の同意", exact=False).presses("Space")
    hands.tabs_to("どの同意").presses("ArrowDown")
    hands.tabs_to("つなぐ先").types(morning.AGENCY)
    hands.tabs_to("目的").types("家に来てほしい")
    hands.tabs_to("つなぐ").presses("Enter")
    expect(page.locator("section.panel", has_text="依頼中")).to_contain_text("お父さまの介護のこと")

    # 03/18 the end: why, next contact, a sentence
    hands.tabs_to("会話", within=".tabs").presses("Enter").arrives(f"**/desk/cases/{resident.case}*")
    hands.tabs_to("一旦おわる").presses("Enter").arrives("**/close")
    hands.tabs_to("落ち着いた", exact=False).presses("Space")
    hands.tabs_to("次の連絡はなし", exact=False).presses("Space")
    hands.tabs_to("いったんここまで", exact=False).presses("ArrowDown")
    resident.listens()
    hands.tabs_to("一旦おわる").presses("Enter").arrives(f"**/desk/cases/{resident.case}*")
    town.until(lambda: "ここまで一緒に考えられてよかった" in resident.hears())
    expect(page.locator("main")).to_contain_text("落ち着いた")


def test_a_danger_to_life_gets_its_two_names_without_a_mouse(town: Town, desk: Callable[[str], Page]) -> None:
    first, second = desk("佐藤"), desk("田中")
    resident = town.resident_on("line").taps("相談をはじめる").says("いま薬を全部飲んだ")
    expect(first.locator("[data-alarm]")).to_be_visible(timeout=5_000)
    Keyboard(first).tabs_to("受け持つ", within="#alarms").presses("Enter").arrives(f"**/desk/cases/{resident.case}*")
    expect(first.locator("main")).to_contain_text("もう一人の確認がまだです")
    expect(first.get_by_role("button", name="もう一人として確かめた")).to_have_count(0)

    expect(second.locator("#alarms .one-name")).to_contain_text("佐藤さんが", timeout=5_000)
    expect(second.locator("#alarms")).not_to_contain_text("薬")
    hands = Keyboard(second)
    hands.tabs_to("開いて確かめる", within="#alarms").presses("Enter").arrives(f"**/desk/cases/{resident.case}*")
    expect(second.locator("#lines")).to_contain_text("いま薬を全部飲んだ")
    hands.tabs_to("もう一人として確かめた").presses("Enter").arrives(f"**/desk/cases/{resident.case}*")

    for page in (first, second):
        expect(page.locator("#alarms .one-name")).to_have_count(0, timeout=5_000)
    expect(second.locator(".sheet")).to_contain_text("田中が")


def test_the_way_past_the_bar_is_the_first_thing_the_tab_key_reaches(town: Town, desk: Callable[[str], Page]) -> None:
    page = desk("佐藤")
    page.goto("/desk/help")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "本文へ"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_letters_do_nothing_while_a_field_has_the_focus_or_an_ime_composes(town: Town, desk: Callable[[str], Page]) -> None:
    page = desk("佐藤")
    town.resident_on("line").says("人と話したい")
    expect(page.locator("table.queue tbody tr")).to_have_count(1)
    page.locator("#q").focus()
    page.keyboard.type("nnuu")
    assert page.url.endswith("/desk")
    page.locator("h1").first.evaluate("one => document.activeElement.blur()")
    page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'n', isComposing: true, bubbles: true}))")
    page.evaluate("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'Process', keyCode: 229, bubbles: true}))")
    page.wait_for_timeout(300)
    assert page.url.endswith("/desk")


def test_what_was_being_sent_when_the_network_dropped_is_still_there(town: Town, desk: Callable[[str], Page]) -> None:
    page = desk("佐藤")
    resident = town.resident_on("line").says("人と話したい")
    expect(page.locator("table.queue tbody tr")).to_have_count(1)
    Keyboard(page).presses("n").arrives("**/desk/cases/*")
    address = f"/desk/cases/{resident.case}"
    page.locator("#reply-text").fill("消えてはいけない返事")
    page.route("**/reply", lambda route: route.abort("connectionreset"))
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(500)
    page.unroute("**/reply")

    page.goto(address)
    expect(page.locator("#reply-text")).to_have_value("消えてはいけない返事")

    page.locator("#reply-text").press("Control+Enter")
    expect(page.locator("#lines")).to_contain_text("消えてはいけない返事")
    page.goto(address)
    expect(page.locator("#reply-text")).to_have_value("")


def test_an_open_page_finds_its_way_back_after_the_desk_could_not_answer(town: Town, desk: Callable[[str], Page]) -> None:
    page = desk("佐藤")
    page.route("**/desk/stream", lambda route: route.fulfill(status=503))
    page.goto("/desk")
    page.wait_for_timeout(500)
    page.unroute("**/desk/stream")

    town.resident_on("line").says("もう死にたい")

    expect(page.locator("[data-alarm]")).to_be_visible(timeout=9_000)


def test_the_first_row_of_an_empty_queue_takes_the_focus_from_nobody(town: Town, desk: Callable[[str], Page]) -> None:
    page = desk("佐藤")
    expect(page.locator("[data-empty=open]")).to_be_visible()
    page.locator("#q").focus()
    page.keyboard.insert_text("書きかけ")
    page.evaluate("window.hasNotBeenLoadedAnew = true")

    first = town.resident_on("line").says("家賃が払えません").says("人と話したい").taps("渡す")

    expect(page.locator("table.queue tbody tr")).to_have_count(1)
    expect(page.locator("table.queue")).to_contain_text("家賃が払えません")
    expect(page.locator(".queue-head__counts")).to_contain_text("受付 1")
    assert page.evaluate("window.hasNotBeenLoadedAnew === true && document.activeElement.id === 'q' && document.activeElement.value") == "書きかけ"
    expect(page.locator("#news")).to_be_hidden()
    town.resident_on("telegram").says("仕事をなくしました").says("人と話したい").taps("渡す")
    expect(page.locator("#news")).to_contain_text("新しい 1 件")
    page.keyboard.press("Escape")
    page.locator("#q").blur()
    Keyboard(page).presses("j", "x")
    expect(page.locator("[data-together]")).to_contain_text("1 件：選んだ相談を")
    Keyboard(page).presses("Enter").arrives(f"**/desk/cases/{first.case}*")
