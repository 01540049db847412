"""An editor's pages in every state they take: axe and 400 % at each step from the first mistake to the way back (desk.md §4, §10, D15)."""

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Locator, Page, expect

from storage.store import Store
from tests.desk.test_knowledge_pages import CLUB, ENTRY
from tests.journeys.test_every_page import looks_right
from tests.town import Town

pytestmark = pytest.mark.browser

Desk = Callable[[str], Page]
_ENTRY = "/desk/knowledge/kome-bank"
_RULE = """rules:
  - id: minato-bridge
    why: この町で、橋に行くという言い方（見本）
    level: L2
    kinds: [suicide]
    hear: [みなと大橋に行く]
    must: [みなと大橋に行くつもり]
    must_not: [みなと大橋のそばに住んでいます]
"""


@pytest.fixture
def town(build_town: Callable[..., Town], town_store: Store, tmp_path: Path) -> Iterator[Town]:
    """A town of two entries that this test may write."""
    folder = tmp_path / "town"
    folder.mkdir()
    (folder / "kome-bank.yaml").write_text(ENTRY, encoding="utf-8")
    (folder / "hatake.yaml").write_text(CLUB, encoding="utf-8")
    with build_town(town_store, knowledge=folder) as opened:
        yield opened


def form(page: Page) -> Locator:
    """The form of an entry; its other door is the YAML."""
    return page.locator("form").filter(has=page.locator("[name=door][value=form]"))


def test_an_entry_from_its_first_mistake_to_the_way_back(town: Town, desk: Desk) -> None:
    page, wrong = desk("佐藤"), []
    page.goto(_ENTRY)
    form(page).locator("[name='contacts.0.tel']").fill("電話する")
    form(page).get_by_role("button", name="点検する").click()
    expect(page.locator("main")).to_contain_text("まちがい")
    wrong += looks_right(page, "a mistake in the form")

    form(page).locator("[name='contacts.0.tel']").fill("0000-00-0000")
    form(page).locator("[name=examples]").fill("土いじりをしたい\n土いじりがしたいです")
    form(page).get_by_role("button", name="変わることを見る").click()
    expect(page.locator("#changes")).to_contain_text("あと")
    wrong += looks_right(page, "what changes")

    form(page).locator("[name='contacts.0.hours']").fill("月-金 9:00-16:00")
    form(page).get_by_role("button", name="公開する").click()
    expect(page.get_by_role("alert").filter(has_text="まだ公開していません")).to_be_visible()
    wrong += looks_right(page, "changes that are shown before they are public")
    form(page).get_by_role("button", name="承知して公開する").click()
    expect(page.get_by_role("status").filter(has_text="公開しました")).to_be_visible()
    wrong += looks_right(page, "published")
    page.get_by_role("button", name="元に戻す").click()
    expect(page.locator("section[aria-label=履歴]")).to_contain_text("元に戻した")

    page.locator("summary", has_text="YAML").click()
    page.locator("#text").fill(page.locator("#text").input_value() + "how： 電話のあと\n")
    page.locator("#yaml").get_by_role("button", name="点検する").click()
    expect(page.get_by_role("button", name="そうする").first).to_be_visible()
    wrong += looks_right(page, "a mistake in the YAML")
    (town.parts.knowledge.folder / "kowareta.yaml").write_text("id: kowareta\nname： こわれた\n", encoding="utf-8")
    assert not town.parts.knowledge.catch_up()
    page.goto("/desk/knowledge?q=こめバンク（見本）")
    wrong += looks_right(page, "a broken folder")
    assert wrong == []


def test_what_takes_some_seconds_says_so_beside_the_button_that_was_pressed(town: Town, desk: Desk) -> None:
    page = desk("佐藤")
    page.goto(_ENTRY)
    page.evaluate("window.addEventListener('submit', (event) => event.preventDefault())")  # as if the answer never came
    told = form(page).get_by_role("status")
    expect(told).to_have_text("")
    form(page).get_by_role("button", name="公開する").click()
    expect(told).to_contain_text("公開しています")


def test_a_second_person_publishes_what_the_first_one_proposed(town: Town, desk: Desk) -> None:
    page, second = desk("佐藤"), desk("田中")
    page.goto(_ENTRY)
    form(page).locator("[name=summary]").fill("食べるものに困っている人に、お米や缶づめを無料でわたします。")
    form(page).get_by_role("button", name="だれかに見てもらう").click()
    page.wait_for_url("**/desk/proposals?done=proposed")
    page.locator("main table a").first.click()
    expect(page.get_by_text("公開は、ほかの人がします")).to_be_visible()
    expect(page.get_by_role("button", name="たしかめたので公開する")).to_have_count(0)

    second.goto("/desk/proposals")
    second.locator("main table a").first.click()
    second.get_by_role("button", name="たしかめたので公開する").click()
    second.wait_for_url("**/desk/proposals?done=published")
    assert town.parts.knowledge.town.base.entries["kome-bank"].summary.endswith("無料でわたします。")


def test_what_waits_for_a_second_person_and_a_table_that_comes_back(town: Town, desk: Desk) -> None:
    page, second, wrong = desk("佐藤"), desk("田中"), []
    page.goto(_ENTRY)
    form(page).locator("[name=summary]").fill("食べるものに困っている人に、お米や缶づめを無料でわたします。")
    form(page).get_by_role("button", name="だれかに見てもらう").click()
    page.wait_for_url("**/desk/proposals?done=proposed")
    page.goto("/desk/danger-words")
    page.get_by_role("button", name="この町の一覧をつくる").click()
    page.locator("#text").fill("rules: [あ]\n")
    page.get_by_role("button", name="点検する").click()
    wrong += looks_right(page, "a mistake in the words of danger")
    page.locator("#text").fill(_RULE)
    page.get_by_role("button", name="だれかに見てもらう").click()
    page.wait_for_url("**/desk/proposals?done=proposed")
    wrong += looks_right(page, "two changes wait")
    for place in (0, 1):
        for who in (page, second):
            who.goto("/desk/proposals")
            who.locator("main table a").nth(place).click()
            wrong += looks_right(who, f"a change that waits, {place}")
    page.goto("/desk/new-entry")
    page.get_by_label("名前（住民に見える名前）").fill("こめバンク（見本）")
    page.get_by_label("説明").fill("食品をわたします。")
    page.get_by_role("button", name="つくる").click()
    wrong += looks_right(page, "a name that is much alike")

    page.goto("/desk/table")
    with page.expect_download() as taken:
        page.get_by_role("link", name="いまの表を書き出す").click()
    book = load_workbook(io.BytesIO(Path(taken.value.path()).read_bytes()))
    sheet = book.worksheets[0]
    columns = {found[1]: cell.column for cell in sheet[1] if (found := re.search(r"\((.+)\)", str(cell.value)))}
    sheet.cell(2, columns["cost"]).value, sheet.cell(3, columns["checked.on"]).value = "500円（見本）", "きのう"
    book.save(out := io.BytesIO())
    page.locator("#table").set_input_files({"name": "表.xlsx", "mimeType": "application/octet-stream", "buffer": out.getvalue()})
    page.get_by_role("button", name="点検する").click()
    expect(page.get_by_role("button", name="印のあるマスを公開する")).to_be_visible()
    wrong += looks_right(page, "cells that change")
    assert wrong == []
