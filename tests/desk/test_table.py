"""Excel 取り込み: staff take the table home, mend two cells, and see exactly those two before they are public (D15e)."""

import html
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from bot.living import LivingKnowledge
from tests.desk.conftest import Browser, Office

NewBrowser = Callable[..., Browser]

ENTRY = """# 社協に電話で確かめた（見本）
id: kome-bank
name: こめバンク（見本）
domain: okane
summary: 食べるものに困っている人に、無料で食品をわたします。
examples: [冷蔵庫がからっぽです]
contacts:
  - {name: 社協（見本）, tel: "0000-00-1013", hours: [{days: 月-金, from: "9:00", to: "17:00"}]}   # 昼だけ
"""


@pytest.fixture
def knowledge(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> LivingKnowledge:
    folder = tmp_path / "town"
    folder.mkdir()
    (folder / "kome-bank.yaml").write_text(ENTRY, encoding="utf-8")
    return LivingKnowledge(folder, tmp_path_factory.getbasetemp() / "kept-table")


async def taken_home(browser: Browser, change: Callable[[Any, dict[str, int]], None]) -> bytes:
    """The exported workbook with some cells written over; `change` gets the sheet and field → column."""
    book = load_workbook(io.BytesIO((await browser.http.get("/desk/knowledge.xlsx")).content))
    sheet = book.worksheets[0]
    columns = {re.findall(r"\((.+)\)", str(cell.value))[0]: cell.column for cell in sheet[1]}
    change(sheet, columns)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


async def hands_in(browser: Browser, content: bytes, name: str = "表.xlsx") -> None:
    await browser.opens("/desk/table")
    answer = await browser.http.post("/desk/table", data={"csrf": browser.field("csrf"), "act": "check"}, files={"table": (name, content)})
    await browser._arrives(answer)


def packed(browser: Browser) -> list[str]:
    return [html.unescape(value) for value in re.findall(r'name="cell" value="([^"]*)"', browser.page)]


async def publishes(browser: Browser, cells: list[str]) -> None:
    answer = await browser.http.post("/desk/table", data={"csrf": browser.field("csrf"), "act": "publish", "cell": cells, "why": "電話が変わった"})
    await browser._arrives(answer)


def on_disk(office: Office) -> str:
    return (office.parts.knowledge.folder / "kome-bank.yaml").read_text(encoding="utf-8")


def new_tel_and_hours(sheet: Any, columns: dict[str, int]) -> None:
    sheet.cell(2, columns["contacts.0.tel"]).value = "0000-00-2222"
    sheet.cell(2, columns["contacts.0.hours"]).value = "月-金 9:00-16:00"


async def test_two_mended_cells_are_shown_and_only_their_lines_change(office: Office, sato: Browser):
    await hands_in(sato, await taken_home(sato, new_tel_and_hours))
    assert "変わる項目 1 件、変わるマス 2" in sato.text
    assert "電話 0000-00-1013 0000-00-2222" in sato.text
    assert on_disk(office) == ENTRY, "nothing is written before it is confirmed"
    await publishes(sato, packed(sato))
    assert "1 件の項目を公開しました" in sato.text
    assert on_disk(office) == ENTRY.replace("0000-00-1013", "0000-00-2222").replace("17:00", "16:00")
    assert office.parts.knowledge.town.base.entries["kome-bank"].contacts[0].tel == "0000-00-2222"
    await sato.opens("/desk/knowledge/kome-bank")
    assert "電話が変わった" in sato.text


async def test_a_cell_whose_mark_was_taken_off_stays_as_it_was(office: Office, sato: Browser):
    await hands_in(sato, await taken_home(sato, new_tel_and_hours))
    await publishes(sato, [cell for cell in packed(sato) if "contacts.0.tel" in cell])
    assert on_disk(office) == ENTRY.replace("0000-00-1013", "0000-00-2222")


async def test_the_same_table_twice_changes_nothing(office: Office, sato: Browser):
    await hands_in(sato, await taken_home(sato, lambda sheet, columns: None))
    assert "変わるところはありません" in sato.text
    assert on_disk(office) == ENTRY


async def test_a_new_row_becomes_an_entry_and_a_row_without_what_it_needs_is_named_with_its_number(office: Office, sato: Browser):
    def rows(sheet: Any, columns: dict[str, int]) -> None:
        for number, (entry_id, name, summary) in enumerate((("hatake", "畑の会（見本）", "みんなで野菜を育てます。"), ("warui", "わるい行", "")), 3):
            sheet.cell(number, columns["id"]).value = entry_id
            sheet.cell(number, columns["name"]).value = name
            sheet.cell(number, columns["summary"]).value = summary

    await hands_in(sato, await taken_home(sato, rows))
    assert "4 行目「わるい行」： 「説明」のマスが空です" in sato.text
    await publishes(sato, packed(sato))
    assert set(office.parts.knowledge.town.base.entries) == {"kome-bank", "hatake"}


async def test_a_bad_cell_is_named_and_the_good_cells_of_its_row_can_be_published(office: Office, sato: Browser):
    def cells(sheet: Any, columns: dict[str, int]) -> None:
        sheet.cell(2, columns["contacts.0.tel"]).value = 312345678
        sheet.cell(2, columns["contacts.0.mail"]).value = "なし"
        sheet.cell(2, columns["checked.on"]).value = "来月"
        sheet.cell(2, columns["name"]).value = None
        sheet.cell(2, columns["contacts.0.hours"]).value = "月-金 9:00-16:00"
        sheet.cell(2, columns["cost"]).value = "無料"

    await hands_in(sato, await taken_home(sato, cells))
    assert "取り込めないところ（4件）" in sato.text
    assert "2 行目「kome-bank」の「電話」（S 列）： 先頭の 0 がありません" in sato.text
    assert "「0312345678」でよいか" in sato.text
    assert "の「メール」（U 列）： メールの住所の形ではありません。fukushi@example.lg.jp のように" in sato.text
    assert "の「確認日」（AE 列）： 日付の形ではありません。2026-10-01 のように" in sato.text
    assert "の「名前」（B 列）： 空にできません" in sato.text
    assert "変わる項目 1 件、変わるマス 2" in sato.text
    await publishes(sato, packed(sato))
    assert "1 件の項目を公開しました" in sato.text
    entry = office.parts.knowledge.town.base.entries["kome-bank"]
    assert (entry.name, entry.cost, entry.contacts[0].tel, entry.contacts[0].hours[0].to) == ("こめバンク（見本）", "無料", "0000-00-1013", "16:00")


async def test_a_new_row_with_one_bad_cell_comes_in_without_that_cell(office: Office, sato: Browser):
    def row(sheet: Any, columns: dict[str, int]) -> None:
        for field, text in (("id", "hatake"), ("name", "畑の会（見本）"), ("summary", "野菜を育てます。"), ("contacts.0.name", "畑"),
                            ("contacts.0.tel", "０００００ーなし"), ("kind", "畑")):  # fmt: skip
            sheet.cell(3, columns[field]).value = text

    await hands_in(sato, await taken_home(sato, row))
    assert "3 行目「畑の会（見本）」の「電話」（S 列）：" in sato.text
    assert "3 行目「畑の会（見本）」の「種類」（E 列）： 「畑」は使えません。次から選んでください: consultation（相談）" in sato.text
    await publishes(sato, packed(sato))
    entry = office.parts.knowledge.town.base.entries["hatake"]
    assert (entry.name, entry.contacts[0].name, entry.contacts[0].tel) == ("畑の会（見本）", "畑", None)


async def test_closed_words_may_be_written_as_people_call_them_and_what_is_none_of_them_is_told(office: Office, sato: Browser):
    def rows(sheet: Any, columns: dict[str, int]) -> None:
        for number, cells in (
            (3, {"id": "hatake", "domain": "妊娠・出産・子育て", "kind": "場所", "topics": "T01\n子育て", "contacts.0.languages": "日本語\n英語"}),
            (4, {"id": "mori", "domain": "こそだて", "contacts.0.languages": "うちゅう語"}),
            (5, {"id": "ん"}),
        ):
            for field, text in {"name": f"{number} 番の会（見本）", "summary": "野菜を育てます。", "contacts.0.name": "畑", **cells}.items():
                sheet.cell(number, columns[field]).value = text

    await hands_in(sato, await taken_home(sato, rows))
    assert "4 行目「4 番の会（見本）」の「分野」（D 列）： 「こそだて」という分野はありません" in sato.text
    assert "の「話せる言葉」（AA 列）： 「うちゅう語」は言葉の記号ではありません" in sato.text
    assert "種類 （なし） 場所" in sato.text
    assert "5 行目「5 番の会（見本）」： 新しい ID「ん」は使えません" in sato.text
    await publishes(sato, packed(sato))
    entry = office.parts.knowledge.town.base.entries["hatake"]
    assert (entry.domain, entry.kind, entry.topics, entry.contacts[0].languages) == ("kosodate", "place", ("T01", "T11"), ("ja", "en"))
    assert set(office.parts.knowledge.town.base.entries) == {"kome-bank", "hatake", "mori"}


async def test_a_cell_somebody_else_changed_meanwhile_stops_it(office: Office, sato: Browser):
    await hands_in(sato, await taken_home(sato, new_tel_and_hours))
    other = ENTRY.replace("0000-00-1013", "0000-00-3333")
    (office.parts.knowledge.folder / "kome-bank.yaml").write_text(other, encoding="utf-8")
    await publishes(sato, packed(sato))
    assert sato.status == 422
    assert "「電話」が、そのあいだに変わりました" in sato.text
    assert on_disk(office) == other


@pytest.mark.parametrize(("name", "content"), [("見積.xlsx", b"PK\x03\x04 broken"), ("表.csv", "名前,電話\n".encode()), ("なし.xlsx", b"")])
async def test_what_is_no_such_table_is_told_in_words(sato: Browser, name: str, content: bytes):
    await hands_in(sato, content, name)
    assert sato.status == 422
    assert "読めません" in sato.text or "見出しがありません" in sato.text


async def test_made_up_cells_are_left_alone(office: Office, sato: Browser):
    await sato.opens("/desk/table")
    await publishes(sato, ['["kome-bank","nonsense","a","b"]', "[", '{"a":1}'])
    assert sato.status == 422
    assert on_disk(office) == ENTRY
