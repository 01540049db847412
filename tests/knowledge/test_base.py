"""Layers and snapshots: a town lies over the starter field by field, any folder of entries is a base, and a broken one is refused whole."""

import os
from pathlib import Path

import pytest

from knowledge.base import STARTER, UNHEARD, BrokenBase, load
from knowledge.entry import Entry
from knowledge.hearing.index import Index
from knowledge.layers import lay
from knowledge.problem import render

OVER_STARTER = "name: 山野町\ndesk_name: くらしの窓口\nextends: starter\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "山野町"
    place.mkdir()
    return place


def write(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def broken(folder: Path) -> list[str]:
    with pytest.raises(BrokenBase) as refused:
        load(folder)
    return [problem.code for problem in refused.value.problems]


def test_only_the_fields_a_town_writes_win_over_the_starter(folder: Path) -> None:
    write(folder, "town.yaml", OVER_STARTER)
    write(folder, "food-bank.yaml", 'id: food-bank\ncontacts: [{name: 山野フード, tel: "0120-000-000"}]\nwho: {area: 町内}\n')
    starter, base = lay(STARTER), lay(folder)
    over, under = base.entries["food-bank"], starter.entries["food-bank"]
    assert over.contacts[0].tel == "0120-000-000"
    assert (over.name, over.examples) == (under.name, under.examples)
    assert (over.who.area, over.who.note) == ("町内", under.who.note)
    assert len(base.entries) == len(starter.entries)


def test_what_the_town_wrote_itself_is_no_longer_unverified(folder: Path) -> None:
    write(folder, "town.yaml", OVER_STARTER)
    write(folder, "food-bank.yaml", "id: food-bank\nhow: 役場の1階に来てください。\n")
    under, over = lay(STARTER).entries["food-bank"].unverified, lay(folder).entries["food-bank"].unverified
    assert "how" in under
    assert set(over) == set(under) - {"how"}


def test_translations_are_laid_over_language_by_language(folder: Path) -> None:
    write(folder, "town.yaml", OVER_STARTER)
    write(folder, "food-bank.yaml", "id: food-bank\ntranslations: {en: {name: Yamano food bank}}\n")
    under, over = lay(STARTER).entries["food-bank"].translations, lay(folder).entries["food-bank"].translations
    assert over["en"].name == "Yamano food bank"
    assert over["en"].summary == under["en"].summary
    assert over["vi"] == under["vi"]


def test_a_town_can_hide_add_and_empty(folder: Path) -> None:
    write(folder, "town.yaml", OVER_STARTER)
    write(folder, "seikatsu-hogo.yaml", "id: seikatsu-hogo\nhidden: true\n")
    write(folder, "dv-plus.yaml", "id: dv-plus\ncontacts: []\nlaw: null\n")
    write(folder, "場所/hatake.yml", "id: hatake\nname: 畑の会\nsummary: 畑をします。\n")
    base = load(folder)
    assert "seikatsu-hogo" not in base.entries
    assert base.entries["dv-plus"].contacts == ()
    assert base.entries["hatake"].name == "畑の会"


def test_without_town_yaml_a_known_id_lies_over_the_starter_and_unknown_ones_stand_alone(folder: Path) -> None:
    write(folder, "a.yaml", "- {id: a, name: 甲, summary: 甲です。}\n- {id: b, name: 乙, summary: 乙です。}\n")
    assert set(lay(folder).entries) == {"a", "b"}
    write(folder, "c.yaml", "id: food-bank\ncost: 無料\n")
    assert {"a", "b", "food-bank", "seikatsu-hogo"} <= set(lay(folder).entries)


def test_a_town_that_extends_nothing_is_the_whole_base(folder: Path) -> None:
    write(folder, "town.yaml", "name: 山野町\n")
    write(folder, "food-bank.yaml", "id: food-bank\nname: フード\nsummary: 食べものをわたします。\n")
    base = load(folder)
    assert set(base.entries) == {"food-bank"}
    assert base.town.name == "山野町"


def test_domains_hotlines_and_dangers_come_from_the_starter_when_a_folder_has_none(folder: Path) -> None:
    write(folder, "a.yaml", "id: a\nname: 甲\nsummary: 甲です。\n")
    base = load(folder)
    assert base.hotlines["yorisoi"].number == "0120-279-338"
    assert "okane" in base.domains
    assert base.danger.scan("死にたい").level == "L2"


def test_a_town_corrects_one_field_of_a_hotline(folder: Path) -> None:
    write(folder, "town.yaml", OVER_STARTER)
    write(folder, "hotlines.yaml", "hotlines:\n  - {id: kyukyu-anshin-7119, hidden: true}\n")
    line = lay(folder).hotlines["kyukyu-anshin-7119"]
    assert (line.number, line.may_be_shown) == ("#7119", False)


def test_somebody_elses_base_may_have_fields_we_do_not_know(folder: Path) -> None:
    write(folder, "1.yaml", "id: S_001\nname: 子育てひろば\nsummary: 親子で遊べます。\ndomain: 子育て\ntarget_group: 親子\n")
    assert load(folder).entries["S_001"].domain == "子育て"
    write(folder, "2.yaml", "id: S_002\nname: 広場\nsummary: 遊べます。\nexampels: [遊びたい]\n")
    assert broken(folder) == ["unknown_field"]


def test_special_files_and_hidden_folders_are_no_entries(folder: Path) -> None:
    write(folder, "a.yaml", "id: a\nname: 甲\nsummary: 甲です。\n")
    for name in ("synonyms.yaml", "phrases/ja.yaml", "agreed.yaml", ".git/x.yaml", ".b.yaml"):
        write(folder, name, "groups: []\n")
    assert set(load(folder).entries) == {"a"}


@pytest.mark.parametrize(
    ("name", "text", "codes"),
    [
        ("b.yaml", "id: a\nname: 乙\nsummary: 乙です。\n", ["duplicate_id"]),
        ("b.yaml", "name: 乙\nsummary: 乙です。\n", ["missing"]),
        ("b.yaml", "id: b\nname: 乙\n", ["missing"]),
        ("b.yaml", "id: b\nname: 乙\nsummary: 乙です。\ncontacts: [{hotline: yorisoy}]\n", ["unknown_hotline"]),
        ("b.yaml", "ただの文\n", ["shape"]),
        ("b.yaml", 'id: b\nname: "乙\nsummary: 乙です。\n', ["open_quote"]),
        ("hotlines.yaml", "- {id: x, name: y}\n", ["shape"]),
        ("town.yaml", "nane: 山野町\n", ["unknown_field"]),
        ("danger.yaml", "rules: [{id: x}]\n", None),
    ],
)
@pytest.mark.requirement("R50")
def test_a_broken_file_refuses_the_whole_folder(folder: Path, name: str, text: str, codes: list[str] | None) -> None:
    write(folder, "a.yaml", "id: a\nname: 甲\nsummary: 甲です。\n")
    write(folder, name, text)
    found = broken(folder)
    assert found == codes if codes is not None else set(found) == {"danger"}


def test_the_second_of_two_equal_ids_is_checked_as_well(folder: Path) -> None:
    write(folder, "a.yaml", "id: a\nname: 甲\nsummary: 甲です。\n")
    write(folder, "b.yaml", "id: a\nname: 甲\nsummary: 甲です。\nkind: 相談\n")
    assert sorted(broken(folder)) == ["duplicate_id", "word"]


def test_a_misspelt_id_of_the_starter_is_recognised(folder: Path) -> None:
    write(folder, "town.yaml", OVER_STARTER)
    write(folder, "food-bnk.yaml", "id: food-bnk\ncost: 無料\n")
    with pytest.raises(BrokenBase) as refused:
        load(folder)
    assert any("もしかして「food-bank」" in problem.hint for problem in refused.value.problems)


def test_a_mistake_is_shown_in_the_file_that_made_it(folder: Path) -> None:
    write(folder, "town.yaml", OVER_STARTER)
    write(folder, "food-bank.yaml", "id: food-bank\nchecked: {on: 2026/10/1, by: 福祉課}\n")
    with pytest.raises(BrokenBase) as refused:
        load(folder)
    (problem,) = refused.value.problems
    assert (Path(problem.file).name, problem.line, problem.column) == ("food-bank.yaml", 2, 15)
    assert problem.mended == "checked: {on: 2026-10-01, by: 福祉課}"
    assert "2026/10/1" in render(problem)


@pytest.mark.requirement("R50")
def test_a_link_that_leads_out_of_the_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    write(folder, "a.yaml", "id: a\nname: 甲\nsummary: 甲です。\n")
    write(tmp_path, "secret.yaml", "id: b\nname: 乙\nsummary: 乙です。\n")
    os.symlink(tmp_path / "secret.yaml", folder / "b.yaml")
    assert broken(folder) == ["outside"]


def test_an_empty_or_missing_folder_is_no_base(folder: Path) -> None:
    assert broken(folder) == ["no_entries"]
    assert broken(folder / "nowhere") == ["no_folder"]


def test_the_version_changes_with_every_change_and_only_then(folder: Path) -> None:
    write(folder, "a.yaml", "id: a\nname: 甲\nsummary: 甲です。\n")
    first, again = lay(folder).version, lay(folder).version
    write(folder, "phrases/ja.yaml", "welcome: ようこそ\n")
    assert first == again != lay(folder).version


def test_a_snapshot_cannot_be_changed(folder: Path) -> None:
    write(folder, "a.yaml", "id: a\nname: 甲\nsummary: 甲です。\nexamples: [甲がほしい]\nnot_for: [甲をあげたい]\n")
    base = load(folder)
    with pytest.raises(TypeError):
        base.entries["b"] = base.entries["a"]  # type: ignore[index]
    assert [(sentence.text, sentence.entry_id, sentence.kind) for sentence in base.stored_sentences] == [
        ("甲がほしい", "a", "example"),
        ("甲をあげたい", "a", "not_for"),
    ]


def test_a_prefecture_lies_between_the_starter_and_the_town_field_by_field(tmp_path: Path) -> None:
    for name in ("ken", "machi"):
        (tmp_path / name).mkdir()
    (tmp_path / "ken" / "town.yaml").write_text("name: 県\nextends: starter\nretention: 県のきまり\n", encoding="utf-8")
    (tmp_path / "ken" / "food-bank.yaml").write_text("id: food-bank\ncost: 県では無料\nhow: 県に電話\n", encoding="utf-8")
    (tmp_path / "machi" / "town.yaml").write_text("name: 山野町\nextends: ../ken\n", encoding="utf-8")
    (tmp_path / "machi" / "food-bank.yaml").write_text("id: food-bank\nhow: 町に電話\n", encoding="utf-8")
    base = lay(tmp_path / "machi")
    food_bank = base.entries["food-bank"]
    assert (food_bank.how, food_bank.cost, food_bank.domain) == ("町に電話", "県では無料", "okane")
    assert (base.town.name, base.town.retention) == ("山野町", "県のきまり")


@pytest.mark.parametrize("way_out", ["/etc", "../../etc", "..", "../.ssh", "ken"])
def test_a_town_lies_over_nothing_but_the_starter_or_a_folder_beside_it(tmp_path: Path, way_out: str) -> None:
    (tmp_path / "town.yaml").write_text(f"name: 山野町\nextends: {way_out}\n", encoding="utf-8")
    with pytest.raises(BrokenBase) as refused:
        load(tmp_path)
    assert [(problem.code, problem.line) for problem in refused.value.problems] == [("extends", 2)]


def test_a_changed_entry_does_not_read_the_danger_list_again_and_a_changed_list_is_heard(tmp_path: Path) -> None:
    folder = tmp_path / "town"
    folder.mkdir()
    (folder / "hatake.yaml").write_text("id: hatake\nname: 畑の会\nsummary: みんなで野菜を育てます。\n", encoding="utf-8")
    before = load(folder)
    assert load(folder, before=before).danger is before.danger
    rule = "{id: hashi, why: 見本, level: L2, kinds: [suicide], hear: [めがね岩まで来た], must: [めがね岩まで来た], must_not: [めがね岩の散歩の会]}"
    (folder / "danger.yaml").write_text(f"rules:\n  - {rule}\n", encoding="utf-8")
    heard = load(folder, before=before).danger.scan("めがね岩まで来た")
    assert (heard.rule, heard.level in ("L2", "L3")) == ("hashi", True)


def test_a_towns_own_dangers_are_heard_beside_the_starters(tmp_path: Path) -> None:
    (tmp_path / "hatake.yaml").write_text("id: hatake\nname: 畑の会\nsummary: みんなで野菜を育てます。\n", encoding="utf-8")
    rule = "{id: hashi, why: 見本, level: L2, kinds: [suicide], hear: [めがね岩まで来た], must: [めがね岩まで来た], must_not: [めがね岩の散歩の会]}"
    (tmp_path / "danger.yaml").write_text(f"rules:\n  - {rule}\n", encoding="utf-8")
    danger = load(tmp_path).danger
    assert danger.scan("めがね岩まで来た").rule == "hashi"
    assert danger.scan("死にたい").level == "L2"
    assert danger.scan("父が倒れて息をしていません").level == "L3"


def test_what_is_only_shown_changes_at_once_and_what_is_heard_is_built_anew(tmp_path: Path) -> None:
    said = "id: ibasho\nname: まちの居場所\nsummary: だれでも来られる場所です。\nexamples: [昼に居る所がない]\n"
    write(tmp_path, "ibasho.yaml", said)
    write(tmp_path, "kome.yaml", "id: kome\nname: お米の会\nsummary: お米をわたします。\nexamples: [食べるものがない]\n")
    before = load(tmp_path)
    write(tmp_path, "ibasho.yaml", said + "how: 2階へ来てください。\ncontacts: [{name: 会館, hours: 24時間}]\n")
    shown = load(tmp_path, before=before)
    assert shown.entries["ibasho"].how == "2階へ来てください。"
    assert shown.hearing.examples is before.hearing.examples
    write(tmp_path, "ibasho.yaml", said.replace("昼に居る所がない", "食べるものがないし、居る所もない"))
    heard = load(tmp_path, before=shown)
    assert heard.hearing.rank("食べるものがないし、居る所もない")[0].id == "ibasho"


def test_nothing_that_is_only_shown_is_heard() -> None:
    entries = dict(list(lay(STARTER).entries.items())[:40])
    bare = {name: Entry.model_validate(entry.model_dump(exclude=set(UNHEARD), by_alias=True)) for name, entry in entries.items()}
    every, less = Index.build(entries), Index.build(bare)
    for text in (example for entry in entries.values() for example in entry.examples[:2]):
        assert [(match.id, match.score) for match in every.rank(text)] == [(match.id, match.score) for match in less.rank(text)]
