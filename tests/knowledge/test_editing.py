"""One value is written back into a file that people keep by hand: what changed changes, and not one other line (D15)."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.editing import CannotWrite, new_file, with_value
from knowledge.layers import STARTER
from knowledge.reading import Trail, Tree, read_yaml
from tests.knowledge.test_broken_files import SOUND

NOTED = (
    SOUND.replace("kind: place", "kind: place   # 場所")
    .replace("  - 話し相手がほしい", "  # よく聞く文\n  - 話し相手がほしい   # 高齢の人")
    .replace("cost: 無料", "# お金\ncost: 無料")
    .replace("    area:", "    # 代表電話\n    area:")
)


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines that went, lines that came."""
    one, two = before.split("\n"), after.split("\n")
    return [line for line in one if line not in two], [line for line in two if line not in one]


@pytest.mark.parametrize(
    ("way", "value", "gone", "come"),
    [
        (("cost",), "100円", ["cost: 無料"], ["cost: 100円"]),
        (("kind",), "activity", ["kind: place   # 場所"], ["kind: activity   # 場所"]),
        (("cost",), None, ["cost: 無料"], ["cost: null"]),
        (("name",), "注意: 会館 #1", ["name: まちの居場所"], ['name: "注意: 会館 #1"']),
        (("contacts", 0, "tel"), "#8008", ['    tel: "0120-000-000"'], ['    tel: "#8008"']),
        (("keywords",), ["居場所", "将棋"], ["keywords: [居場所, お茶]"], ["keywords: [居場所, 将棋]"]),
        (("who", "note"), "子どもから大人まで", None, ["who: {age: null, household: null, area: null, note: 子どもから大人まで}"]),
        (("checked", "on"), "2026-11-26", None, ["checked: {on: 2026-11-26, by: 福祉課}"]),
        (("examples",), ["昼に居る所がない", "話し相手がほしい", "将棋をさしたい"], [], ["  - 将棋をさしたい"]),
        (("examples",), ["話し相手がほしい"], ["  - 昼に居る所がない"], []),
        (("contacts", 0, "hours", 0, "to"), "18:00", None, ['      - {days: 月-金, from: "9:00", to: "18:00"}']),
        (("contacts", 0, "fax"), "0120-000-001", [], ['    fax: "0120-000-001"']),
        (("law",), "社会福祉法", [], ["law: 社会福祉法"]),
        (("bring",), ["印鑑"], [], ["bring: [印鑑]"]),
        (("translations", "en", "name"), "A place to be", [], ["translations: {en: {name: A place to be}}"]),
    ],
)
def test_only_the_lines_of_what_changed_are_touched(way: Trail, value: Tree, gone: Sequence[str] | None, come: Sequence[str]) -> None:
    after = with_value(NOTED, way, value)
    went, came = changed(NOTED, after)
    assert came == come
    assert gone is None or went == gone
    assert [line for line in after.split("\n") if "#" in line and line.strip().startswith("#")] == [
        line for line in NOTED.split("\n") if line.strip().startswith("#")
    ], "every comment is still there"


def test_the_same_value_again_changes_nothing() -> None:
    assert with_value(NOTED, ("cost",), "無料") == NOTED


def test_a_broken_file_is_not_written_to() -> None:
    with pytest.raises(CannotWrite):
        with_value(SOUND.replace("name: ", "name："), ("cost",), "100円")


letters = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Cf", "Co", "Zl", "Zp"], exclude_characters="\ufffd")
words = st.text(letters, min_size=1, max_size=20)
values = st.one_of(
    st.tuples(st.sampled_from([("name",), ("cost",), ("how",), ("law",), ("who", "note"), ("contacts", 0, "name"), ("events", 0, "title")]), words),
    st.tuples(st.sampled_from([("keywords",), ("examples",), ("not_for",), ("bring",), ("contacts", 0, "area")]), st.lists(words, max_size=4)),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(values, min_size=1, max_size=4))
def test_whatever_is_written_is_read_back_and_nothing_else_moved(edits: list[tuple[Trail, Tree]]) -> None:
    text, tree = NOTED, read_yaml(NOTED).tree
    for way, value in edits:
        text = with_value(text, way, value)
        tree = _put(tree, way, value)
    assert read_yaml(text).tree == tree
    assert "# 場所" in text


def _put(tree: Tree, way: Trail, value: Tree) -> Tree:
    if not way:
        return value
    if isinstance(tree, list):
        return [_put(row, way[1:], value) if number == way[0] else row for number, row in enumerate(tree)]
    assert isinstance(tree, dict)
    return {**tree, str(way[0]): _put(tree.get(str(way[0])), way[1:], value)}


@pytest.mark.parametrize("file", sorted((STARTER / "okane").glob("*.yaml")), ids=lambda file: file.stem)
def test_every_file_of_the_starter_can_be_edited_by_one_line(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    went, came = changed(text, with_value(text, ("cost",), "ためしの値"))
    assert came == ["cost: ためしの値"]
    assert len(went) == 1


def test_a_new_entry_is_written_in_the_order_of_the_schema_and_read_back() -> None:
    fields: dict[str, Tree] = {"summary": "要約: です", "name": "名前", "id": "x", "contacts": [{"name": "窓口", "tel": "0120-000-000"}]}
    text = new_file(fields, "取りこみ")
    assert read_yaml(text).tree == fields
    assert text.startswith("# 取りこみ\nid: x\nname: 名前\n")


@pytest.mark.parametrize("words", ["毎週木曜\n（祝日は休み）", "一つめ\n\n二つめ", "たて\tよこ", "行\u2028行"])
def test_words_of_several_lines_are_written_so_that_they_are_read_back(words: str) -> None:
    fields: dict[str, Tree] = {"id": "a", "name": "会", "summary": words, "contacts": [{"name": "会", "place": {"address": words}}]}
    assert read_yaml(new_file(fields)).tree == fields
