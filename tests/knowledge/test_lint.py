"""What staff are told before a folder is used, and how they are told in the terminal (D15)."""

import json
from datetime import date
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from bot.knowledge_verbs import app
from knowledge import lint
from knowledge.base import load
from knowledge.layers import lay

TODAY = date(2026, 11, 23)
TOWN = "name: 山野町\nextends: starter\nareas: [上町, 下町]\n"
PLACE = "id: {id}\nname: {name}\nsummary: だれでも来られる場所です。\nexamples: [{example}]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "山野町"
    place.mkdir()
    (place / "town.yaml").write_text(TOWN, encoding="utf-8")
    return place


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def place(entry_id: str = "ibasho", name: str = "まちの居場所", example: str = "昼に行くところがない", more: str = "") -> str:
    return PLACE.format(id=entry_id, name=name, example=example) + more


def told(folder: Path) -> list[tuple[str, str]]:
    return [(problem.level, problem.code) for problem in lint.check(folder, today=TODAY)]


def test_a_sound_town_hears_nothing(folder: Path) -> None:
    write(folder, "ibasho.yaml", place(more='contacts: [{name: 会館, tel: "0120-000-000", area: [上町]}]\nchecked: {on: 2026-10-01, by: 福祉課}\n'))
    assert told(folder) == []


def test_advice_is_given_beside_the_mistakes_of_an_entry_and_none_that_only_follows_from_them(folder: Path) -> None:
    more = (
        "domain: okanee\nhow: 0120-111-222 へ電話してください。\nkind: plaza\n"
        "contacts:\n  - {tel: １１０}\n  - {name: 会館, area: [川上], hotline: yorisoy}\nchecked: {on: 2026/1/1}\n"
        "events:\n  - {title: 茶話会}\n  - {title: バザー, on: 2026-11-22}\nexampels: []\n"
    )
    text = place(more=more).replace("昼に行くところがない", "[話したい]")
    write(folder, "ibasho.yaml", text)
    lines = text.splitlines()
    found = [(lines[problem.line - 1].strip().split(":")[0], problem.level, problem.code) for problem in lint.check(folder, today=TODAY)]
    assert [code for key, level, code in found if level == "warning"] == ["unknown_domain", "number_in_text", "unknown_area", "past_event"]
    assert ("- {name", "error", "unknown_hotline") in found
    assert not {"unchecked", "no_examples"} & {code for *_, code in found}


def test_an_entry_without_an_id_is_told_all_that_is_wrong_in_it(folder: Path) -> None:
    write(folder, "ibasho.yaml", "name: 会館\nsummary: 会館です。\ncosts: 無料\ntags: [tonigth]\nexamples: [話したい]\ndomain: okanee\n")
    assert told(folder) == [("error", "missing"), ("error", "unknown_field"), ("error", "word"), ("warning", "unknown_domain")]


def test_entries_under_a_heading_are_told_all_that_is_wrong_in_them(folder: Path) -> None:
    write(folder, "all.yaml", "entries:\n  - id: a\n    name: 会館\n    summary: 会館です。\n    examples: [話したい]\n    costs: 無料\n")
    assert told(folder) == [("error", "missing"), ("error", "unknown_field")]


def test_a_misspelt_id_is_one_mistake(folder: Path) -> None:
    write(folder, "all.yaml", "ID: a\nname: 会館\nsummary: 会館です。\nexamples: [話したい]\n")
    [found] = lint.check(folder, today=TODAY)
    assert (found.code, found.hint) == ("unknown_field", "もしかして「id」ですか。")


def test_a_town_is_not_told_about_the_starter(folder: Path) -> None:
    write(folder, "food-bank.yaml", "id: food-bank\ncost: 無料\n")
    assert told(folder) == []


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ('contacts: [{name: 会館, tel: "0120-000-000"}]\n', ("warning", "unchecked")),
        ("checked: {on: 2026-04-01}\n", ("warning", "checked_ago")),
        ("checked: {on: 2025-11-01}\n", ("warning", "checked_long_ago")),
        ("checked: {on: 2027-01-01}\n", ("warning", "checked_ahead")),
        ("events: [{title: バザー, on: 2026-11-22}]\n", ("warning", "past_event")),
        ("valid: {until: 2026-11-22}\n", ("warning", "expired")),
        ("domain: okanee\n", ("warning", "unknown_domain")),
        ("not_for: [昼に行くところがない]\n", ("error", "example_and_not_for")),
        ("contacts: [{hotline: kaijo-118}]\nchecked: {on: 2026-10-01}\n", ("warning", "unverified_hotline")),
        ("contacts: [{hotline: yorisoy}]\nchecked: {on: 2026-10-01}\n", ("error", "unknown_hotline")),
        ("contacts: [{name: 会館, area: [川上]}]\nchecked: {on: 2026-10-01}\n", ("warning", "unknown_area")),
        ('contacts: [{name: 会館, tel: "000-0000-1001"}]\nchecked: {on: 2026-10-01}\n', ("error", "sample_number")),
        ("how: 0120-111-222 へ電話してください。\n", ("warning", "number_in_text")),
        ("how: ０１２０−１１１−２２２ へ電話してください。\n", ("warning", "number_in_text")),
        ("contacts: [{name: 会館, tel: ０１２０−０００−０００}]\nchecked: {on: 2026-10-01}\n", ("error", "full_width_digits")),
    ],
)
def test_each_thing_staff_should_know_is_told(folder: Path, more: str, wanted: tuple[str, str]) -> None:
    write(folder, "ibasho.yaml", place(more=more))
    assert told(folder) == [wanted]


def test_what_is_still_fresh_or_still_to_come_is_not_told(folder: Path) -> None:
    write(folder, "ibasho.yaml", place(more="checked: {on: 2026-06-01}\nevents: [{title: バザー, on: 2026-11-23}]\nvalid: {until: 2026-11-23}\n"))
    assert told(folder) == []


def test_names_and_summaries_too_long_for_a_card_are_told(folder: Path) -> None:
    write(folder, "ibasho.yaml", place(name="あ" * 41).replace("だれでも来られる場所です。", "い" * 81))
    assert told(folder) == [("warning", "long_name"), ("warning", "long_summary")]


def test_a_file_named_otherwise_than_its_entry_is_told_but_a_list_may_have_any_name(folder: Path) -> None:
    write(folder, "basho.yaml", place())
    rows = "- {id: a, name: 甲, summary: 甲です。, examples: [甲がほしい]}\n- {id: B_1, name: 乙, summary: 乙です。, examples: [乙がほしい]}\n"
    write(folder, "iroiro.yaml", rows)
    assert told(folder) == [("warning", "file_name"), ("warning", "id_form")]


def test_the_same_name_or_example_in_two_entries_is_told_at_the_town_s_own(folder: Path) -> None:
    starter = lay(folder).entries["food-bank"]
    write(folder, "ibasho.yaml", place(name=starter.name, example=starter.examples[0]))
    write(folder, "zatsudan.yaml", place("zatsudan", "雑談の会", f"話したい, 話したい, {starter.examples[0]}"))
    problems = lint.check(folder, today=TODAY)
    assert {(Path(problem.file).name, problem.code) for problem in problems} == {
        ("ibasho.yaml", "same_name"), ("ibasho.yaml", "same_example"), ("zatsudan.yaml", "same_example"),
    }  # fmt: skip
    assert sum(problem.code == "same_example" for problem in problems) == 3


def test_an_entry_without_examples_is_told(folder: Path) -> None:
    write(folder, "ibasho.yaml", "id: ibasho\nname: まちの居場所\nsummary: だれでも来られる場所です。\n")
    assert told(folder) == [("warning", "no_examples")]


def test_all_mistakes_of_all_files_come_at_once_in_order_of_place(folder: Path) -> None:
    write(folder, "b.yaml", "id: b\nname: 乙\nsumary: 乙です。\ntel: #8008\n")
    write(folder, "a.yaml", "id: a\n名前：甲\nsummary: 甲: です。\n")
    write(folder, "c.yaml", "id: c\nname: 丙\n")
    problems = lint.check(folder, today=TODAY)
    places = [(Path(problem.file).name, problem.line) for problem in problems]
    assert places == sorted(places)
    assert {problem.code for problem in problems} == {
        "wide_colon", "colon_in_value", "missing", "unknown_field", "empty_before_hash", "no_examples",
    }  # fmt: skip
    assert [problem.hint for problem in problems if "sumary" in problem.message] == ["もしかして「summary」ですか。"]


def test_an_example_that_cannot_find_its_entry_alone_is_told_with_what_came_first(tmp_path: Path) -> None:
    entries = [
        {"id": f"e{number}", "name": name, "summary": f"{name}です。", "examples": [f"{name}に行きたい", f"{name}で遊びたい"]}
        for number, name in enumerate(["図書館", "公園", "市場", "港", "駅"])
    ]
    entries[0]["examples"] = ["図書館に行きたい", "港で船に乗りたい"]
    entries[0]["not_for"] = ["図書館で本を借りたい"]
    (tmp_path / "all.yaml").write_text(yaml.safe_dump(entries, allow_unicode=True), encoding="utf-8")
    trial = lint.try_examples(load(tmp_path))
    assert trial.examples == 10
    assert {(missed.entry_id, missed.text) for missed in trial.missed if missed.first != missed.entry_id} >= {("e0", "港で船に乗りたい")}
    assert trial.found + len(trial.missed) == trial.examples
    assert (trial.refusals, trial.refused) == (1, 0)
    assert {problem.code for problem in trial.problems} == {"not_found", "refusal_first"}


# ---------------------------------------------------------------- in the terminal


def test_check_says_one_line_and_ends_with_1_on_mistakes_only(folder: Path) -> None:
    write(folder, "ibasho.yaml", place(more="checked: {on: 2026-04-01}\n"))
    result = CliRunner().invoke(app, ["check", str(folder), "--today", "2026-11-23"])
    assert result.exit_code == 0
    assert "1 件の項目を見ました。まちがい 0 件、注意 1 件。このまま使えます。" in result.output
    write(folder, "b.yaml", "id: b\n")
    result = CliRunner().invoke(app, ["check", str(folder)])
    assert result.exit_code == 1
    assert "b.yaml:1:1  name がありません" in result.output.replace("\n", "")


def test_check_speaks_to_machines_too(folder: Path) -> None:
    write(folder, "ibasho.yaml", place(more="tel: #8008\n"))
    found = json.loads(CliRunner().invoke(app, ["check", str(folder), "--format", "json"]).output)
    assert (found[0]["line"], found[0]["mended"]) == (5, 'tel: "#8008"')
    line = CliRunner().invoke(app, ["check", str(folder), "--format", "github"]).output.splitlines()[0]
    assert line.startswith(f"::error file={folder}/ibasho.yaml,line=5,col=6::tel: 値が空です")


def test_a_new_folder_is_sound_and_never_written_over_another(tmp_path: Path) -> None:
    town = tmp_path / "わたしの町"
    assert CliRunner().invoke(app, ["new", str(town)]).exit_code == 0
    assert [problem.code for problem in lint.check(town, today=TODAY) if problem.level == "error"] == []
    assert lay(town).over_starter
    assert CliRunner().invoke(app, ["new", str(town)]).exit_code == 2


def test_a_towns_own_dangers_are_tried_and_every_rule_of_the_country_it_changes_is_named(folder: Path) -> None:
    rule = "{id: hashi, why: 見本, level: L2, kinds: [suicide], hear: [めがね岩まで来た], must: [めがね岩まで来た], must_not: [めがね岩の散歩の会]}"
    write(folder, "danger.yaml", f"off: [no-roof-tonight]\nrules:\n  - {rule}\n")
    said = [(problem.level, problem.message) for problem in lint.check(folder, today=TODAY) if problem.code in ("danger", "own_danger")]
    assert [message for level, message in said if level == "warning"] == ["全国の規則「no-roof-tonight」を、この町では変えるか切っています"]
    assert not [message for _, message in said if "hashi" in message]
    write(folder, "danger.yaml", f"rules:\n  - {rule.replace('hear: [めがね岩まで来た]', 'hear: [めがね岩の上]')}\n")
    said = [(problem.level, problem.message) for problem in lint.check(folder, today=TODAY) if problem.code in ("danger", "own_danger")]
    assert [level for level, message in said if "hashi：「めがね岩まで来た」" in message] == ["error"]


def test_a_base_of_many_bare_entries_does_not_bury_its_one_mistake(folder: Path) -> None:
    rows = "".join(f"- {{id: e{number}, name: 場所{number}, summary: 集まれます。}}\n" for number in range(300))
    write(folder, "all.yaml", rows + "- {id: wrong, name: 場所, summary: 集まれます。, costs: 無料}\n")
    result = CliRunner().invoke(app, ["check", str(folder)])
    assert result.exit_code == 1
    assert "もしかして「cost」ですか。" in result.output
    assert result.output.count("例文がありません") == 11
    assert "ほかにも同じ注意が 291 件" in result.output
    assert CliRunner().invoke(app, ["check", str(folder), "--all"]).output.count("例文がありません") == 301
