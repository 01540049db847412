"""地域の情報: an editor finds an entry, sees it as residents do, mends it, publishes it and takes it back (desk.md §4, D15)."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.desk.knowledge_work import FORM, cells_of
from bot.living import LivingKnowledge
from tests.desk.conftest import Browser, Office, joins

NewBrowser = Callable[..., Browser]

ENTRY = """# 社協に電話で確かめた（見本）
id: kome-bank
name: こめバンク（見本）
kana: こめばんく
domain: okane
kind: service
summary: 食べるものに困っている人に、無料で食品をわたします。
examples: [冷蔵庫がからっぽです, 給料日まで食べるものがない]
contacts:
  - {name: 社会福祉協議会（見本）, tel: "0000-00-1013"}   # 昼だけ
checked: {on: 2026-10-01, by: 福祉課（見本）}
"""
CLUB = """id: hatake
name: 畑の会（見本）
summary: みんなで野菜を育てます。
examples: [土いじりがしたい]
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where built parts lie, as on a running machine."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def knowledge(tmp_path: Path, kept: Path) -> LivingKnowledge:
    """A town of two entries that this test may write."""
    folder = tmp_path / "town"
    folder.mkdir()
    (folder / "kome-bank.yaml").write_text(ENTRY, encoding="utf-8")
    (folder / "hatake.yaml").write_text(CLUB, encoding="utf-8")
    return LivingKnowledge(folder, kept)


@pytest.fixture
async def editor(a_browser: NewBrowser) -> Browser:
    return await joins(a_browser(), "編集の人", "henshuu", role="editor")


async def sends(browser: Browser, act: str, text: str, **more: str) -> None:
    mark = browser.field("mark", "/desk/knowledge/kome-bank")
    await browser.posts("/desk/knowledge/kome-bank", act=act, door="yaml", text=text, mark=mark, **more)


def on_disk(office: Office) -> str:
    return (office.parts.knowledge.folder / "kome-bank.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("words", ["こめ", "こめばんく", "コメバンク", "kome-bank"])
async def test_an_entry_is_found_however_it_is_typed(editor: Browser, words: str):
    await editor.opens(f"/desk/knowledge?q={words}")
    assert "こめバンク（見本）" in editor.text
    assert "畑の会" not in editor.text


async def test_what_wants_an_eye_is_counted_and_listed(editor: Browser):
    await editor.opens("/desk/knowledge?flag=no_tel")
    assert "畑の会（見本）" in editor.text
    assert "こめバンク（見本）" not in editor.text
    assert "未確認" in editor.text


async def test_a_line_of_the_whole_country_stands_in_the_list_with_its_number(knowledge: LivingKnowledge, editor: Browser):
    (knowledge.folder / "hatake.yaml").write_text(CLUB + "contacts: [{hotline: inochi-sos}]\n", encoding="utf-8")
    assert knowledge.catch_up()
    await editor.opens("/desk/knowledge?q=畑")
    assert "0120-061-338" in editor.text


async def test_the_entry_is_shown_as_residents_see_it(editor: Browser):
    await editor.opens("/desk/knowledge/kome-bank")
    assert "電話 0000-00-1013" in editor.text
    assert "確認日 2026-10-01" in editor.text
    assert "やさしい日本語" in editor.text


async def test_a_mistake_is_told_with_its_line_and_one_press_mends_it_and_nothing_was_written(office: Office, editor: Browser):
    broken = ENTRY.replace('"0000-00-1013"', "００００−００−１０１３")
    await editor.opens("/desk/knowledge/kome-bank")
    await sends(editor, "publish", broken)
    assert editor.status == 422
    assert "10 行目" in editor.text
    assert "全角" in editor.text
    assert on_disk(office) == ENTRY
    mend = editor.page.split('name="act" value="mend:')[1].split('"')[0]
    import html

    await sends(editor, f"mend:{html.unescape(mend)}", broken)
    assert editor.status == 200
    assert "0000-00-1013" in editor.text


async def test_published_words_are_live_at_once_kept_in_the_history_and_taken_back_with_one_press(office: Office, editor: Browser):
    await editor.opens("/desk/knowledge/kome-bank")
    await sends(editor, "publish", ENTRY.replace("無料で食品を", "お米や缶づめを"), why="社協から電話")
    assert "公開しました" in editor.text
    assert "お米や缶づめ" in office.parts.knowledge.town.base.entries["kome-bank"].summary
    assert "社協から電話" in editor.text
    assert "編集の人" in editor.text
    edit = editor.field("edit")
    await editor.posts("/desk/knowledge/kome-bank/undo", edit=edit)
    assert on_disk(office) == ENTRY
    assert "無料で食品を" in office.parts.knowledge.town.base.entries["kome-bank"].summary
    assert "元に戻した" in editor.text
    await editor.posts("/desk/knowledge/kome-bank/undo", edit=edit)
    assert editor.status == 404


async def test_the_form_changes_only_the_lines_it_must_and_comments_stay(office: Office, editor: Browser):
    await editor.opens("/desk/knowledge/kome-bank")
    mark = editor.field("mark", "/desk/knowledge/kome-bank")
    cells = cells_of(office.parts.knowledge.folder, "kome-bank") | {"contacts.0.tel": "0000-00-2222", "checked.on": "2026-11-20"}
    assert set(cells) == set(FORM)
    await editor.posts("/desk/knowledge/kome-bank", act="check", door="form", mark=mark, **cells)
    assert editor.status == 200
    text = html_text(editor)
    await sends(editor, "publish", text)
    changed = [line for line in on_disk(office).splitlines() if line not in ENTRY.splitlines()]
    assert len(changed) == 2
    assert "# 昼だけ" in on_disk(office)
    assert office.parts.knowledge.town.base.entries["kome-bank"].contacts[0].tel == "0000-00-2222"


def html_text(browser: Browser) -> str:
    import html

    return html.unescape(browser.page.split('class="yaml"')[1].split(">", 1)[1].split("</textarea>")[0]).removeprefix("\n")


async def test_all_mistakes_of_a_form_are_told_at_once_and_what_was_typed_stays(office: Office, editor: Browser):
    await editor.opens("/desk/knowledge/kome-bank")
    mark = editor.field("mark", "/desk/knowledge/kome-bank")
    typed = {"contacts.0.tel": "0120-000-000（内線12）", "contacts.0.hours": "9時から5時", "checked.on": "令和8年2月30日"}
    cells = cells_of(office.parts.knowledge.folder, "kome-bank") | typed
    await editor.posts("/desk/knowledge/kome-bank", act="check", door="form", mark=mark, **cells)
    assert editor.status == 422
    assert "電話番号のほかの言葉が入っています" in editor.text
    assert "受付時間「9時から5時」が読めません" in editor.text
    assert "「令和8年2月30日」という日はありません" in editor.text
    assert all(cell in editor.page for cell in typed.values())
    assert on_disk(office) == ENTRY


async def test_the_later_of_two_editors_is_told_and_loses_nothing(office: Office, editor: Browser, sato: Browser):
    await editor.opens("/desk/knowledge/kome-bank")
    await sato.opens("/desk/knowledge/kome-bank")
    mark = sato.field("mark", "/desk/knowledge/kome-bank")
    await sends(editor, "publish", ENTRY.replace("からっぽ", "空"))
    theirs = ENTRY.replace("福祉課", "高齢課")
    await sato.posts("/desk/knowledge/kome-bank", act="publish", door="yaml", text=theirs, mark=mark)
    assert "ほかの人がこのファイルを保存しました" in sato.text
    assert "高齢課" in sato.text
    assert "高齢課" not in on_disk(office)


async def test_what_changes_is_shown_before_it_is_published(office: Office, editor: Browser):
    await editor.opens("/desk/knowledge/kome-bank")
    await sends(editor, "try", ENTRY.replace("給料日まで食べるものがない", "土いじりがしたい、畑をかりたい"))
    assert "変わること" in editor.text
    assert "給料日まで食べるものがない" in editor.text
    assert "変えた言葉に近い" in editor.text
    assert on_disk(office) == ENTRY


async def test_publishing_stops_once_where_answers_of_others_change_and_a_second_press_goes_on(office: Office, editor: Browser):
    taking = ENTRY.replace("冷蔵庫がからっぽです, 給料日まで食べるものがない", "土いじりをしたい, 土いじりがしたいです")
    await editor.opens("/desk/knowledge/kome-bank")
    await sends(editor, "publish", taking)
    assert editor.status == 409
    assert "まだ公開していません" in editor.text
    assert "土いじりがしたい" in editor.text
    assert on_disk(office) == ENTRY

    shown = editor.field("shown", "/desk/knowledge/kome-bank")
    await sends(editor, "publish", taking.replace("土いじりをしたい", "土いじりしたい"), shown=shown)
    assert on_disk(office) == ENTRY, "another text than the one whose changes were shown is shown first again"
    await sends(editor, "publish", taking, shown=shown)
    assert "公開しました" in editor.text
    assert on_disk(office) == taking


async def test_a_new_entry_that_takes_the_sentences_of_another_is_shown_first(office: Office, editor: Browser):
    words = {"name": "市民農園（見本）", "domain": "", "summary": "区画を貸します。", "examples": "土いじりをしたい\n土いじりがしたいです"}
    await editor.opens("/desk/new-entry")
    await editor.posts("/desk/new-entry", **words)
    while "よく似た名前" in editor.text:
        await editor.posts("/desk/new-entry", **words, sure="1")
    assert "まだ作っていません" in editor.text
    assert "土いじりがしたい" in editor.text
    assert len(office.parts.knowledge.town.base.entries) == 2

    await editor.posts("/desk/new-entry", **words, sure="1", shown=editor.field("shown"))
    assert "公開しました" in editor.text
    assert len(office.parts.knowledge.town.base.entries) == 3


@pytest.mark.parametrize("act", ["try", "publish"])
async def test_an_edit_beside_a_file_that_broke_outside_is_told_so_and_kept(office: Office, editor: Browser, act: str):
    await editor.opens("/desk/knowledge/kome-bank")
    (office.parts.knowledge.folder / "hatake.yaml").write_text("id: hatake\nname：畑の会\n", encoding="utf-8")
    await sends(editor, act, ENTRY.replace("無料で食品を", "お米を"))
    assert editor.status == 422
    assert "ほかのファイルといっしょにすると" in editor.text
    assert "お米を" in editor.text
    assert on_disk(office) == ENTRY


async def test_a_folder_that_broke_outside_is_said_and_the_old_version_goes_on(office: Office, editor: Browser):
    (office.parts.knowledge.folder / "hatake.yaml").write_text("id: hatake\nname：畑の会\n", encoding="utf-8")
    assert not office.parts.knowledge.catch_up()
    await editor.opens("/desk/knowledge")
    assert "まちがいがあるので使っていません" in editor.text
    assert "畑の会（見本）" in editor.text


async def test_the_sheet_for_excel_holds_every_entry(editor: Browser, tmp_path: Path):
    answer = await editor.http.get("/desk/knowledge.xlsx")
    assert answer.status_code == 200
    from io import BytesIO

    from openpyxl import load_workbook

    rows = list(load_workbook(BytesIO(answer.content)).active.iter_rows(values_only=True))
    assert {row[0] for row in rows[1:]} == {"kome-bank", "hatake"}


async def test_administrators_and_agencies_do_not_edit_and_editors_see_no_case(office: Office, editor: Browser, a_browser: NewBrowser):
    code = office.has_case()
    assert (await editor.http.get(f"/desk/cases/{code}")).status_code == 404
    for role in ("admin", "agency"):
        other = await joins(a_browser(), "べつの人", f"{role}-1", role=role) if role == "admin" else None
        if other is not None:
            assert (await other.http.get("/desk/knowledge")).status_code == 404
    shutil.rmtree(office.parts.knowledge.folder)
