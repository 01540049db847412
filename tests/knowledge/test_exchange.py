"""Tables go out and come in again: nothing changes that nobody changed, only changed lines change, and every cell that does is shown (D15)."""

import json
import shutil
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from typer.testing import CliRunner

from bot.knowledge_verbs import app
from knowledge.exchange.csv_rows import NoTable
from knowledge.exchange.excel import COLUMNS, export_excel, import_excel, with_cells
from knowledge.exchange.hsds import export_json, export_tabular, import_hsds
from knowledge.layers import Laid, lay
from knowledge.problem import errors
from tests.knowledge.test_broken_files import SOUND
from tests.knowledge.test_opendata import OLD

NOTED = SOUND.replace("cost: 無料", "# 確かめた\ncost: 無料   # 会費なし")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "machi"
    place.mkdir()
    (place / "town.yaml").write_text("name: 山野町\nextends: starter\nareas: [上町, 下町]\n", encoding="utf-8")
    (place / "ibasho.yaml").write_text(NOTED, encoding="utf-8")
    return place


def run(*words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def own(laid: Laid) -> dict[str, dict[str, object]]:
    return {name: dict(sheet.fields) for name, sheet in laid.sheets.items() if name in laid.own_ids}


# ---------------------------------------------------------------- a city's CSV


def test_a_citys_table_comes_in_once_and_a_second_time_changes_nothing(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "public_facility.csv"
    table.write_bytes(OLD.encode("cp932"))
    code, said = run("import", table, folder)
    assert code == 0
    assert "新しい 2 件" in said
    assert "3 行目" in said
    assert "名前のマスが空です" in said
    after = files(folder)
    assert not errors(lay(folder).problems)
    code, said = run("import", table, folder)
    assert "新しい 0 件、変わる 0 件、同じ 2 件" in said
    assert files(folder) == after


def test_what_staff_added_to_an_imported_entry_stays_when_the_city_publishes_anew(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "public_facility.csv"
    table.write_bytes(OLD.encode())
    run("import", table, folder)
    file = folder / "torikomi" / "shisetsu-1.yaml"
    file.write_text(file.read_text("utf-8") + "# 受付は二階\nexamples: [公民館を借りたい]\n", encoding="utf-8")
    table.write_bytes(OLD.replace("(099)999-9999", "(099)999-9990").encode())
    _, said = run("import", table, folder)
    assert "contacts.0.tel: 099-999-9999 → 099-999-9990" in said
    text = file.read_text("utf-8")
    assert "# 受付は二階\nexamples: [公民館を借りたい]\n" in text
    assert "099-999-9990" in text


def test_looking_writes_nothing(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_bytes(OLD.encode())
    before = files(folder)
    code, said = run("import", table, folder, "--dry-run")
    assert code == 0
    assert "＋ shisetsu-1" in said
    assert files(folder) == before


def test_a_table_of_another_kind_is_refused_in_one_line(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text("品目,量\nごみ,1\n", encoding="utf-8")
    code, said = run("import", table, folder)
    assert code == 1
    assert "見出し" in said


# ---------------------------------------------------------------- Excel


def edited(content: bytes, edits: dict[tuple[str, str], object]) -> bytes:
    """The workbook with the cells of `(entry id, field)` changed, as staff would."""
    book = load_workbook(BytesIO(content))
    sheet = book.worksheets[0]
    places = {str(cell.value).rpartition("(")[2].rstrip(")"): cell.column for cell in sheet[1]}
    rows = {sheet.cell(row, places["id"]).value: row for row in range(2, sheet.max_row + 1)}
    for (entry_id, field), value in edits.items():
        sheet.cell(rows[entry_id], places[field]).value = value
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_sheet_that_nobody_touched_changes_nothing(folder: Path, tmp_path: Path) -> None:
    before, sheet = files(folder), tmp_path / "a.xlsx"
    assert run("export", sheet, folder)[0] == 0
    code, said = run("import", sheet, folder)
    assert (code, "変わる 0 件、同じ 1 件" in said) == (0, True)
    assert files(folder) == before


def test_only_the_lines_of_changed_cells_change_and_comments_survive(folder: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "a.xlsx"
    run("export", sheet, folder)
    sheet.write_bytes(
        edited(sheet.read_bytes(), {("ibasho", "cost"): "100円", ("ibasho", "examples"): "昼に居る所がない\n話し相手がほしい\n将棋をさしたい"})
    )
    code, said = run("import", sheet, folder)
    assert code == 0
    assert "cost: 無料 → 100円" in said
    before, after = NOTED.split("\n"), (folder / "ibasho.yaml").read_text("utf-8").split("\n")
    assert [line for line in before if line not in after] == ["cost: 無料   # 会費なし"]
    assert [line for line in after if line not in before] == ["  - 将棋をさしたい", "cost: 100円   # 会費なし"]


def test_an_opening_hour_that_was_taken_out_of_the_cell_is_gone(folder: Path, tmp_path: Path) -> None:
    rows = '  - {name: 居場所（見本）, hours: [{days: 月-金, from: "9:00", to: "17:00"}, {days: 土, from: "9:00", to: "12:00"}]}\n'
    more = '  - {name: 分室（見本）, tel: "0000-00-2000"}\n'
    (folder / "bunshitsu.yaml").write_text("id: bunshitsu\nname: 分室のある所\nsummary: 話せます。\ncontacts:\n" + rows + more, encoding="utf-8")
    sheet = tmp_path / "a.xlsx"
    run("export", sheet, folder)
    sheet.write_bytes(edited(sheet.read_bytes(), {("bunshitsu", "contacts.0.hours"): "月-金 9:00-17:00"}))
    assert run("import", sheet, folder)[0] == 0
    after = (folder / "bunshitsu.yaml").read_text("utf-8")
    assert "土" not in after
    assert more in after, "a contact that has no columns of its own stays"


def test_a_wrong_cell_is_told_with_its_row_and_the_other_rows_come_in(folder: Path, tmp_path: Path) -> None:
    (folder / "b.yaml").write_text(SOUND.replace("id: ibasho", "id: b").replace("まちの居場所", "べつの家"), encoding="utf-8")
    sheet = tmp_path / "a.xlsx"
    run("export", sheet, folder)
    wrong: dict[tuple[str, str], object] = {("b", "contacts.0.tel"): 312345678, ("ibasho", "contacts.0.hours"): "月-金 10:00-16:00"}
    sheet.write_bytes(edited(sheet.read_bytes(), wrong))
    _, said = run("import", sheet, folder)
    assert "2 行目「べつの家」" in said
    assert "先頭の 0 がありません" in said
    assert 'from: "10:00", to: "16:00"' in (folder / "ibasho.yaml").read_text("utf-8")


def test_an_entry_of_the_starter_gets_a_file_that_says_only_what_differs(folder: Path, tmp_path: Path) -> None:
    laid = lay(folder)
    sheet = tmp_path / "a.xlsx"
    sheet.write_bytes(edited(export_excel({"food-bank": laid.sheets["food-bank"].fields}), {("food-bank", "cost"): "一回 100円"}))
    assert run("import", sheet, folder)[0] == 0
    assert (folder / "torikomi" / "food-bank.yaml").read_text("utf-8") == "id: food-bank\ncost: 一回 100円\n"


def test_every_entry_of_the_starter_goes_through_a_sheet_unchanged() -> None:
    laid = lay(Path(__file__).resolve().parents[2] / "knowledge" / "starter")
    before = {name: dict(sheet.fields) for name, sheet in laid.sheets.items()}
    taken = import_excel(export_excel(before), before, {one.id: one.name for one in laid.domains.values()})
    assert taken.bad == ()
    assert taken.entries == before


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04rubbish", b"id,name\n"])
def test_what_is_no_sheet_is_refused(content: bytes) -> None:
    with pytest.raises(NoTable):
        import_excel(content, {}, {})


def test_a_heading_may_be_reworded_and_moved() -> None:
    book = Workbook()
    book.active.append(["よぶ名前 (name)", "説明", "ID"])
    book.active.append(["会館", "集まる場所です。", "kaikan"])
    out = BytesIO()
    book.save(out)
    assert import_excel(out.getvalue(), {}, {}).entries == {"kaikan": {"id": "kaikan", "name": "会館", "summary": "集まる場所です。"}}
    assert "summary" in COLUMNS


# ---------------------------------------------------------------- HSDS


@pytest.mark.parametrize("ending", ["json", "zip"])
def test_what_goes_out_as_hsds_comes_in_again_without_a_change(folder: Path, tmp_path: Path, ending: str) -> None:
    before, target = files(folder), tmp_path / f"services.{ending}"
    assert run("export", target, folder)[0] == 0
    code, said = run("import", target, folder)
    assert code == 0
    assert "新しい 0 件" in said
    again = files(folder)
    run("import", target, folder)
    assert files(folder) == again
    assert set(again) == set(before)
    assert lay(folder).entries["ibasho"].contacts[0].tel == "0120-000-000"


def test_the_json_has_what_the_specification_requires(folder: Path) -> None:
    [service] = json.loads(export_json(own(lay(folder)), "山野町"))  # type: ignore[arg-type]
    assert {"id", "name", "status"} <= service.keys()
    assert (service["status"], service["organization"]["name"]) == ("active", "山野町")
    [schedule] = service["schedules"]
    assert (schedule["freq"], schedule["byday"], schedule["opens_at"], schedule["closes_at"]) == ("WEEKLY", "MO,TU,WE,TH,FR", "9:00", "17:00")


def test_the_tables_are_linked_by_their_ids(folder: Path) -> None:
    with zipfile.ZipFile(BytesIO(export_tabular(own(lay(folder)), "山野町"))) as packed:  # type: ignore[arg-type]
        assert {"services.csv", "organizations.csv", "phones.csv", "schedules.csv"} <= set(packed.namelist())
        service_id = packed.read("services.csv").decode().split("\r\n")[1].split(",")[0]
        assert service_id in packed.read("phones.csv").decode()


def test_somebody_elses_services_come_in_the_good_ones_at_least() -> None:
    services = {"contents": [
        {"id": "ac148810-d857-441c-9679-408f346de14b", "name": "Community Counselling", "description": "Talk to us.", "status": "active",
         "phones": [{"id": "1", "number": "099-999-9999"}], "schedules": [{"byday": "MO,WE", "opens_at": "10:00:00", "closes_at": "18:00:00"}]},
        {"id": "2", "status": "active"},
    ]}  # fmt: skip
    taken = import_hsds(json.dumps(services).encode())
    [entry] = taken.entries.values()
    hours = [{"days": "月・水", "from": "10:00", "to": "18:00"}]
    assert entry["contacts"] == [{"name": "Community Counselling", "tel": "099-999-9999", "hours": hours}]
    assert [bad.row for bad in taken.bad] == [2]


@pytest.mark.parametrize("content", [b"{", b"[]", b"[1]", b"PK\x03\x04x", b"\xff", b"[" * 50_000])
def test_what_is_no_hsds_is_refused(content: bytes) -> None:
    with pytest.raises(NoTable):
        import_hsds(content)


# ---------------------------------------------------------------- fix, as it is typed


def test_fix_shows_what_it_mends_and_names_what_is_left(folder: Path) -> None:
    file = folder / "ibasho.yaml"
    file.write_text(NOTED.replace("name: まち", "name：まち").replace('"0120-000-000"', "312345678"), encoding="utf-8")
    code, said = run("fix", folder, "--dry-run")
    assert "name：まち" in file.read_text("utf-8")
    code, said = run("fix", folder)
    assert code == 1
    assert "-name：まちの居場所" in said
    assert "+name: まちの居場所" in said
    assert "先頭の 0 がありません" in said
    assert file.read_text("utf-8") == NOTED.replace('"0120-000-000"', "312345678")


def test_fix_leaves_a_sound_folder_alone(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    assert run("fix", folder)[0] == 0
    assert files(folder) == files(tmp_path / "copy")


def test_hours_and_dates_may_be_written_into_a_cell_as_people_say_them() -> None:
    fields = with_cells({"id": "a"}, {"contacts.0.hours": "月曜から金曜 午前10時～午後4時", "checked.on": "令和8年11月26日"})
    assert fields["contacts"] == [{"hours": [{"days": "月-金", "from": "10:00", "to": "16:00"}]}]
    assert fields["checked"] == {"on": "2026-11-26"}
    with pytest.raises(ValueError, match="「休み」の欄"):
        with_cells({"id": "a"}, {"contacts.0.hours": "月～金 9:00～17:00（祝日を除く）"})
