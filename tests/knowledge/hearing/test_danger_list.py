"""A broken danger list is refused as a whole, and says in Japanese what to mend."""

from pathlib import Path

import pytest

from knowledge.hearing.danger import BrokenDangerList, DangerList

GOOD = """
groups:
  partner: [夫, 彼氏]
  hits: [殴(ら|る), 叩かれ]
rules:
  - id: hits
    why: なぐられる
    level: L2
    kinds: [partner_violence]
    hear: [<partner>…<hits>]
    unless: [太鼓]
    must: [夫に殴られました]
    must_not: [夫と太鼓で殴る真似をしました]
"""


def load(folder: Path, text: str) -> DangerList:
    file = folder / "danger.yaml"
    file.write_text(text, encoding="utf-8")
    return DangerList.load(file)


def test_a_small_list_of_a_town_is_heard_and_tested(tmp_path: Path) -> None:
    danger = load(tmp_path, GOOD)
    assert danger.test() == []
    assert danger.scan("きのう彼氏に叩かれた").rule == "hits"


def test_files_of_the_folder_beside_belong_to_the_list(tmp_path: Path) -> None:
    (tmp_path / "danger").mkdir()
    more = GOOD[GOOD.index("rules:") :].replace("id: hits", "id: more").replace("<partner>…<hits>", "怖い夫")
    (tmp_path / "danger" / "more.yaml").write_text(more, encoding="utf-8")
    assert [rule.id for rule in load(tmp_path, GOOD).rules] == ["hits", "more"]


def test_a_concept_gathers_its_words_from_a_file_a_language_and_any_other_group_stands_once(tmp_path: Path) -> None:
    folder = tmp_path / "danger"
    folder.mkdir()
    (folder / "english.yaml").write_text("groups:\n  c_hit: [punch*]\n", encoding="utf-8")
    with_concept = GOOD.replace("groups:", "groups:\n  c_hit: [殴ら]")
    danger = load(tmp_path, with_concept)
    assert "<c_hit>" in danger.told("he punched me").groups
    assert "<c_hit>" in danger.told("殴られた").groups
    (folder / "again.yaml").write_text("groups:\n  hits: [蹴ら]\n", encoding="utf-8")
    with pytest.raises(BrokenDangerList, match="グループ hits が二つあります"):
        load(tmp_path, with_concept)


def test_a_sentence_that_no_longer_holds_is_reported_with_its_rule(tmp_path: Path) -> None:
    danger = load(tmp_path, GOOD.replace("must: [夫に殴られました]", "must: [夫に蹴られました]"))
    (failure,) = danger.test()
    assert (failure.rule, failure.sentence, failure.wanted) == ("hits", "夫に蹴られました", "L2")


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (GOOD.replace("L2", "L9"), "level が「L9」です"),
        (GOOD.replace("[partner_violence]", "[dv]"), "kinds の「dv」は使えません"),
        (GOOD.replace("<hits>]", "<hit>]"), "グループ <hit> がありません"),
        (GOOD.replace("殴(ら|る)", "殴(ら|る"), "かっこが閉じていません"),
        (GOOD.replace("殴(ら|る)", "殴る?"), "「?」は使えません"),
        (GOOD.replace("unless:", "except:"), "「except」という項目はありません"),
        (GOOD.replace("    must: [夫に殴られました]\n", ""), "試験文がありません"),
        (GOOD.replace("    why: なぐられる\n", ""), "why が空です"),
        (GOOD.replace("<partner>…<hits>", "<partner>…"), "前か後ろが空です"),
        (GOOD + GOOD[GOOD.index("  - id") :], "規則 hits が二つあります"),
        (GOOD.replace("    unless: [太鼓]", "    unless: 太鼓"), "一覧"),
        (GOOD.replace("    unless: [太鼓]", "    despite: [むかし]"), "despite の「むかし」"),
        (GOOD.replace("    unless: [太鼓]", "    near: 十"), "near は半角の数で"),
        (GOOD.replace("    unless: [太鼓]", "    signs: [怖い]"), "signs（しるし）と at_least"),
        ("groups: [", "danger.yaml:1"),
        ("- a", "先頭は"),
    ],
)
def test_a_mistake_is_told_in_japanese_with_its_place(tmp_path: Path, broken: str, said: str) -> None:
    with pytest.raises(BrokenDangerList) as raised:
        load(tmp_path, broken)
    assert any(said in problem for problem in raised.value.problems), raised.value.problems


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(BrokenDangerList) as raised:
        load(tmp_path, GOOD.replace("L2", "L9").replace("[partner_violence]", "[dv]").replace("<hits>]", "<hit>]"))
    assert len(raised.value.problems) >= 3


def test_a_missing_list_is_an_error_and_not_silence(tmp_path: Path) -> None:
    with pytest.raises(BrokenDangerList, match="ファイルがありません"):
        DangerList.load(tmp_path / "danger.yaml")


TOWN = """
groups:
  partner: [うちの大将]
rules:
  - id: bridge
    why: この町の橋
    level: L2
    kinds: [suicide]
    hear: [大橋の(上|欄干)]
    must: [大橋の欄干に立っています]
    must_not: [大橋の下の公園を借りたい]
"""


def over(folder: Path, town: str) -> DangerList:
    """A list with a town's own over it."""
    (folder / "country.yaml").write_text(GOOD, encoding="utf-8")
    (folder / "danger.yaml").write_text(town, encoding="utf-8")
    return DangerList.load(folder / "country.yaml", folder / "danger.yaml")


def test_a_town_adds_rules_and_words_and_loses_none(tmp_path: Path) -> None:
    danger = over(tmp_path, TOWN)
    assert danger.scan("大橋の上にいます").rule == "bridge"
    assert danger.scan("きのう彼氏に叩かれた").rule == "hits"
    assert danger.scan("うちの大将に殴られた").rule == "hits", "its word stands in the country's group"
    assert danger.test() == []
    assert danger.switched == ()


def test_a_towns_rule_stands_in_the_place_of_the_countrys_of_the_same_id_and_is_named(tmp_path: Path) -> None:
    danger = over(tmp_path, GOOD[GOOD.index("rules:") :].replace("level: L2", "level: L1").replace("must: [", "asks: ["))
    assert danger.scan("きのう彼氏に叩かれた").level == "L1"
    assert danger.switched == ("hits",)


def test_a_town_may_switch_a_rule_off_by_its_name_only(tmp_path: Path) -> None:
    danger = over(tmp_path, "off: [hits]\n" + TOWN)
    assert not danger.scan("きのう彼氏に叩かれた").heard
    assert danger.switched == ("hits",)
    with pytest.raises(BrokenDangerList, match="off の「hit」という規則は全国の一覧にありません"):
        over(tmp_path, "off: [hit]\n" + TOWN)


def test_a_towns_mistake_is_told_and_nothing_of_it_is_used(tmp_path: Path) -> None:
    with pytest.raises(BrokenDangerList, match="規則 bridge が二つあります"):
        over(tmp_path, TOWN + TOWN[TOWN.index("  - id") :])
