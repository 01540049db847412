"""A file is read as the text that was typed, or refused with its place (R50, D15)."""

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from knowledge.reading import LARGEST, Problem, read_yaml, render


def only(text: str) -> Problem:
    problems = read_yaml(text, "見本.yaml").problems
    assert len(problems) == 1, [problem.message for problem in problems]
    return problems[0]


@pytest.mark.parametrize(
    "typed", ["0570064556", "12:30", "no", "yes", "on", "1e3", "0x1F", "2026-10-01", "1_000", "0120-0-78310", ".5", "TRUE", "=", "６時"]
)
@pytest.mark.requirement("R50")
def test_every_scalar_stays_exactly_as_it_was_typed(typed: str) -> None:
    assert read_yaml(f"tel: {typed}\n").tree == {"tel": typed}


@pytest.mark.parametrize("nothing", ["", "~", "null", "NULL"])
def test_nothing_and_null_are_none_but_a_quoted_null_is_a_word(nothing: str) -> None:
    assert read_yaml(f"a: {nothing}\n").tree == {"a": None}
    assert read_yaml(f'a: "{nothing}"\n').tree == {"a": nothing}


def test_a_number_that_begins_with_a_hash_is_shown_as_empty_with_the_right_way_to_write_it() -> None:
    problem = only("id: dv\nname: DV相談ナビ\ntel: #8008\n")
    assert (problem.line, problem.column, problem.code) == (3, 6, "empty_before_hash")
    assert problem.mended == 'tel: "#8008"'
    assert render(problem) == (
        "見本.yaml:3:6  tel: 値が空です\n"
        "   3 | tel: #8008\n"
        '     |      ^^^^^ # から後ろはコメントとして読まれます。"#8008" のように " で囲んでください。'
    )


def test_a_comment_written_with_a_space_is_no_mistake() -> None:
    assert read_yaml("tel: # まだ\nnot_for:\n  - 文  # → tajuu-saimu\n").problems == ()


def test_words_lost_after_a_hash_are_told() -> None:
    problem = only("note: 緊急でない相談は #9110。\n")
    assert (problem.level, problem.code, problem.column) == ("warning", "lost_after_hash", 16)


def test_full_width_colons_are_named_each_at_its_line_and_reading_goes_on() -> None:
    read = read_yaml("id: a\n時間： 9:00〜17:00\nname：福祉課\ntel: #8008\n")
    assert [(problem.line, problem.code) for problem in read.problems] == [(2, "wide_colon"), (3, "wide_colon"), (4, "empty_before_hash")]
    assert read.problems[0].mended == "時間: 9:00〜17:00"


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("a:\n\t- b\n", 2, "tab"),
        ("　name: x\ny: z\n", 1, "wide_indent"),
        ('name: "abc\nsummary: d\n', 1, "open_quote"),
        ('id: x\nname: "abc\nsummary: "def"\n', 2, "open_quote"),
        ("a: [x, y\nb: c\n", 1, "open_bracket"),
        ("id: a\nname:b\nc: d\n", 2, "no_space_after_colon"),
        ("a:\n  - b\n  -c\n", 3, "no_space_after_dash"),
        ("summary: 相談: できます\n", 1, "colon_in_value"),
        ("name: @みなと\n", 1, "strange_start"),
        ('name: "あ" い\nb: c\n', 1, "text_after_quote"),
        ("a: 1\n  b: 2\n", 2, "indent"),
        ("contacts:\n  - name: a\n   tel: b\n", 3, "indent"),
        ("who: {age: null, note: あ: い}\n", 1, "inside_brackets"),
        ('name: "C:\\d"\n', 1, "backslash"),
        ("a: 1\nb: 2\na: 3\n", 3, "duplicate_key"),
        ("a: &x b\n", 1, "anchor"),
        ("a: !!python/object:os.system ls\n", 1, "tag"),
        ("a: b\n---\nc: d\n", 2, "second_document"),
        ("? [a]\n: b\n", 1, "wrong_key"),
        ("a: \x07\n", 1, "control_letter"),
        ("a: " + "[" * 14 + "]" * 14, 1, "too_deep"),
    ],
)
def test_each_way_of_going_wrong_is_recognised_at_its_line(text: str, line: int, code: str) -> None:
    problem = only(text)
    assert (problem.line, problem.code, problem.level) == (line, code, "error")
    assert problem.message
    assert problem.hint


@pytest.mark.requirement("R50")
def test_an_alias_is_never_resolved() -> None:
    read = read_yaml("a: &x [1, 2]\nb: *x\n")
    assert read.tree == {"a": ["1", "2"], "b": None}
    assert [problem.code for problem in read.problems] == ["anchor", "anchor"]


def test_marks_of_a_merge_conflict_are_named_and_what_stands_beside_them_is_still_looked_at() -> None:
    read = read_yaml("<<<<<<< HEAD\na: b\n=======\na: c\n>>>>>>> main\ntel: #8008\n")
    assert [(problem.line, problem.code) for problem in read.problems] == [
        (1, "merge_conflict"), (3, "merge_conflict"), (5, "merge_conflict"), (6, "empty_before_hash"),
    ]  # fmt: skip


def test_a_file_saved_by_an_old_editor_is_recognised(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes("id: a\nname: 福祉課\n".encode("cp932"))
    problem = read_yaml(file).problems[0]
    assert (problem.code, problem.line) == ("not_utf8", 2)
    assert "CP932" in problem.message


def test_a_mark_at_the_beginning_and_windows_line_ends_are_welcome(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes("\ufeffid: a\r\nname: 福祉課\r\ntel: #8008\r\n".encode())
    read = read_yaml(file)
    assert read.tree == {"id": "a", "name": "福祉課", "tel": None}
    assert [(problem.line, problem.source_line) for problem in read.problems] == [(3, "tel: #8008")]


@pytest.mark.requirement("R50")
def test_a_large_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a: " + "x" * LARGEST)
    assert read_yaml(file).problems[0].code == "too_large"


@pytest.mark.parametrize("text", ["[" * 200_000, "{a: " * 60_000, "- " * 120_000, "a: " + "# " * 100_000 + ": b", 'x: "' * 60_000, "? " * 120_000])
@pytest.mark.requirement("R50")
def test_no_text_takes_long_to_refuse(text: str) -> None:
    begun = time.process_time()
    read_yaml(text)
    assert time.process_time() - begun < 3


def test_the_caret_stands_under_japanese_words() -> None:
    shown = render(only("概要: 相談: できます\n")).splitlines()
    assert shown[1].startswith("   1 | 概要: 相談")
    assert shown[2].index("^") == len("   1 | ") + 4 + 2  # two columns for each letter of 概要, two for ": "


@given(st.text(max_size=300))
@pytest.mark.requirement("R50")
def test_any_text_is_read_or_refused_never_more(text: str) -> None:
    read = read_yaml(text, "x.yaml")
    for problem in read.problems:
        assert 1 <= problem.line <= len(read.lines)
        assert render(problem)


UNSEEN = "".join(map(chr, (0xAD, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF)))
letters = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"], exclude_characters="\ufffe\uffff\ufffd\x85\u2028\u2029\u3000" + UNSEEN)
plain_words = st.text(letters, max_size=30)
trees = st.recursive(
    plain_words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain_words, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(plain_words, trees, max_size=5))
def test_what_was_written_with_quotes_is_what_is_read(tree: dict[str, object]) -> None:
    written = yaml.safe_dump(tree, allow_unicode=True, default_style='"', width=10_000)
    read = read_yaml(written)
    assert not [problem for problem in read.problems if problem.level == "error"]
    assert read.tree == tree
