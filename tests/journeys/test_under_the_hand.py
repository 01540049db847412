"""What a hand points at stays where it is while the desk goes on living (desk.md §2): rows, the box one writes in, whatever arrives above them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys import morning
from tests.town import Town

pytestmark = pytest.mark.browser

Desk = Callable[[str], Page]


def height_of(place: Locator) -> float:
    """Pixels from the top of the window."""
    box = place.bounding_box()
    assert box is not None
    return box["y"]


@pytest.mark.parametrize(("wide", "size"), [(1366, "2"), (1366, "4"), (320, "2")])
@pytest.mark.parametrize("down", [0, 300])
def test_a_row_stays_under_the_pointer_while_alarms_and_news_arrive(town: Town, desk: Desk, wide: int, size: str, down: int) -> None:
    morning.comes(town)
    page = desk("佐藤")
    while (take := page.locator("#alarms").get_by_role("button", name="受け持つ")).count():
        take.first.click()
    page.locator(f".sizes button[value='{size}']").click()
    page.set_viewport_size({"width": wide, "height": 600})
    page.goto("/desk")
    page.evaluate(f"window.scrollTo(0, {down})")
    row = page.locator("tr[data-code]").nth(4)
    before = height_of(row)

    town.resident_on("line").says("もう死にたい")
    expect(page.locator("[data-alarm]")).to_have_count(1, timeout=9_000)
    expect(page.locator("#news")).to_be_visible()
    assert height_of(row) == pytest.approx(before, abs=1)
    assert page.locator("[data-alarm]").evaluate("one => one.getBoundingClientRect().bottom > 0") or wide == 320
    town.resident_on("web").taps("相談をはじめる").says("いま薬を全部飲んだ")
    expect(page.locator(".alarm-more")).to_be_attached(timeout=9_000)
    assert height_of(row) == pytest.approx(before, abs=1)


def test_the_box_one_writes_in_stays_while_a_colleague_writes_and_takes_over(town: Town, desk: Desk) -> None:
    case = town.resident_on("line").says("人と話したい").case
    page, other = desk("佐藤"), desk("田中")
    page.goto(f"/desk/cases/{case}")
    page.locator(".case-head__acts").get_by_role("button", name="受け持つ").click()
    box = page.locator("#reply-text")
    box.press_sequentially("こんにち")
    before = height_of(box)
    other.goto(f"/desk/cases/{case}")

    other.get_by_role("button", name="代わって受け持つ").click()
    expect(page.locator("#changed")).to_be_visible(timeout=9_000)
    assert height_of(box) == pytest.approx(before, abs=1)
    other.locator("#reply-text").press_sequentially("田中です")
    expect(page.locator("#writing")).to_contain_text("田中さんが書いています", timeout=9_000)

    assert height_of(box) == pytest.approx(before, abs=1)
    expect(box).to_have_value("こんにち")
    expect(box).to_be_focused()


def test_an_alarm_that_is_known_is_not_told_again_and_takes_no_focus(town: Town, desk: Desk) -> None:
    town.resident_on("line").says("もう死にたい")
    page = desk("佐藤")
    take = page.locator("#alarms").get_by_role("button", name="受け持つ")
    take.focus()
    town.resident_on("web").taps("相談をはじめる").says("人と話したい")
    expect(page.locator("#news")).to_be_visible(timeout=9_000)

    expect(take).to_be_focused()


@pytest.mark.requirement("R8")
def test_words_taken_back_leave_the_pages_that_lie_open_and_what_is_written_beside_them_stays(town: Town, desk: Desk) -> None:
    resident = town.resident_on("line").taps("相談をはじめる")
    event = town.line.text_event(resident.account, "家賃が払えません")
    told = town.line.webhook(event)
    town.http.post("/line/webhook", content=told.body, headers=told.headers)
    town.rests()
    resident.says("人と話したい").taps("渡す")
    queue, case = desk("佐藤"), desk("田中")
    queue.goto("/desk")
    expect(queue.locator("[data-queue]")).to_contain_text("家賃が払えません")
    case.goto(f"/desk/cases/{resident.case}")
    note = case.locator("#note-text")
    note.press_sequentially("電話した")
    for place in (".case-head h1", "[data-said=sheet]", "#lines"):
        expect(case.locator(place)).to_contain_text("家賃が払えません")

    unsent = town.line.unsend(resident.account, str(event["message"]["id"]))
    town.http.post("/line/webhook", content=unsent.body, headers=unsent.headers)
    town.rests()
    for page in (queue, case):
        expect(page.locator("body")).not_to_contain_text("家賃が払えません", timeout=9_000)
    expect(note).to_have_value("電話した")
    expect(note).to_be_focused()


@pytest.mark.requirement("R8")
def test_words_taken_back_leave_the_open_pages_beside_the_talk(town: Town, desk: Desk) -> None:
    resident = town.resident_on("line").taps("相談をはじめる")
    event = town.line.text_event(resident.account, "82歳の父の退院が心配です")
    told = town.line.webhook(event)
    town.http.post("/line/webhook", content=told.body, headers=told.headers)
    town.rests()
    resident.says("人と話したい").taps("渡す")
    household, paper = desk("佐藤"), desk("田中さん")
    household.goto(f"/desk/cases/{resident.case}/household")
    paper.goto(f"/desk/cases/{resident.case}/visit")
    expect(household.locator("main")).to_contain_text("82歳")
    expect(paper.locator(".paper")).to_contain_text("父の退院")
    adding = household.locator("#name-new")
    adding.fill("見本 花子")
    adding.focus()

    unsent = town.line.unsend(resident.account, str(event["message"]["id"]))
    town.http.post("/line/webhook", content=unsent.body, headers=unsent.headers)
    town.rests()
    expect(household.locator("main")).not_to_contain_text("82歳", timeout=9_000)
    expect(paper.locator(".paper")).not_to_contain_text("父の退院", timeout=9_000)
    expect(adding).to_have_value("見本 花子")
    expect(adding).to_be_focused()
