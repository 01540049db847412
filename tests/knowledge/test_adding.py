"""`examples+:` and its like: a town adds to a list of the starter, and later starters still bring their part (design.md §3)."""

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from knowledge import lint
from knowledge.base import STARTER
from knowledge.changes import unused_rows
from knowledge.exchange.plan import plan
from knowledge.exchange.rows import Taken
from knowledge.layers import lay
from knowledge.reading import Tree

MINE = "うちの冷凍庫に何もなか"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "town.yaml").write_text("name: 山野町\nextends: starter\n", encoding="utf-8")
    return tmp_path


def write(folder: Path, text: str) -> None:
    (folder / "food-bank.yaml").write_text(text, encoding="utf-8")


def starters(field: str) -> list[Tree]:
    found = lay(STARTER).sheets["food-bank"].fields[field]
    assert isinstance(found, list)
    return found


def edited(folder: Path, **fields: Tree) -> str:
    """The town's file once these fields of the whole entry have been written by form or sheet."""
    laid = lay(folder)
    texts = {file: file.read_text(encoding="utf-8") for file in folder.glob("*.yaml")}
    planned = plan(laid, Taken({"food-bank": {**laid.sheets["food-bank"].fields, **fields}}), texts)
    [text] = planned.files.values()
    write(folder, text)
    return text


def test_a_town_adds_a_sentence_and_keeps_those_of_the_starter(folder: Path) -> None:
    write(folder, f"id: food-bank\nexamples+:\n  - {MINE}\nkeywords+: [冷凍庫]\n")
    entry = lay(folder).entries["food-bank"]
    assert list(entry.examples) == [*starters("examples"), MINE]
    assert list(entry.keywords) == [*starters("keywords"), "冷凍庫"]


def test_what_the_starter_has_already_is_not_said_twice(folder: Path) -> None:
    write(folder, f"id: food-bank\nexamples+: [{starters('examples')[0]}, {MINE}]\n")
    assert list(lay(folder).entries["food-bank"].examples) == [*starters("examples"), MINE]


def test_a_prefecture_and_its_town_both_add(tmp_path: Path) -> None:
    for name, below, words in (("okayama", "starter", "県の文です"), ("yamano", "../okayama", MINE)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "town.yaml").write_text(f"name: {name}\nextends: {below}\n", encoding="utf-8")
        write(tmp_path / name, f"id: food-bank\nexamples+: [{words}]\n")
    assert list(lay(tmp_path / "yamano").entries["food-bank"].examples) == [*starters("examples"), "県の文です", MINE]


def test_an_entry_of_the_towns_own_may_be_written_so_too(folder: Path) -> None:
    (folder / "hatake.yaml").write_text("id: hatake\nname: 畑\nsummary: 畑です。\nexamples+: [土いじりがしたい]\n", encoding="utf-8")
    assert lay(folder).entries["hatake"].examples == ("土いじりがしたい",)


@pytest.mark.parametrize(
    ("added", "line", "code"),
    [
        ("examples+: 一つだけの文", 2, "list"), ("examples+:\n  - よい文\n  -\n", 4, "empty"), ("cost+: [無料]", 2, "unknown_field"),
        ("examples+:\n  - 同じ文\n  - 同じ文です\nnot_for: [同じ文です]", 5, "example_and_not_for"),
    ],
)  # fmt: skip
def test_a_mistake_in_what_is_added_is_told_in_the_towns_file(folder: Path, added: str, line: int, code: str) -> None:
    write(folder, f"id: food-bank\n{added}\n")
    found = [(Path(one.file).parent, one.line, one.code) for one in lint.check(folder, today=date(2026, 11, 26)) if one.level == "error"]
    assert found == [(folder, line, code)]


def test_a_sentence_added_by_form_or_sheet_is_written_as_an_addition(folder: Path) -> None:
    text = edited(folder, examples=[*starters("examples"), MINE])
    assert text == f"id: food-bank\nexamples+: [{MINE}]\n"


def test_a_second_one_joins_the_first_and_comments_stay(folder: Path) -> None:
    write(folder, f"id: food-bank\n# 福祉課と決めた\nexamples+:\n  - {MINE}   # 方言\ncost: 無料\n")
    text = edited(folder, examples=[*starters("examples"), MINE, "もう一つの文"])
    assert text == f"id: food-bank\n# 福祉課と決めた\nexamples+:\n  - {MINE}   # 方言\n  - もう一つの文\ncost: 無料\n"
    assert edited(folder, examples=starters("examples")).count(MINE) == 0
    assert list(lay(folder).entries["food-bank"].examples) == starters("examples")


def test_whoever_takes_a_national_sentence_away_writes_the_whole_list(folder: Path) -> None:
    write(folder, f"id: food-bank\nexamples+: [{MINE}]\n")
    left = [*starters("examples")[1:], MINE]
    edited(folder, examples=left)
    assert list(lay(folder).entries["food-bank"].examples) == left


def test_a_town_that_wrote_a_whole_list_goes_on_writing_it(folder: Path) -> None:
    write(folder, f"id: food-bank\nexamples:\n  - {MINE}\n")
    assert "examples+" not in edited(folder, examples=[MINE, "もう一つの文"])


def test_diff_says_what_of_the_starter_a_whole_list_keeps_out(folder: Path) -> None:
    write(folder, f"id: food-bank\nexamples: [{MINE}]\nkeywords+: [冷凍庫]\n")
    [unused] = unused_rows(lay(STARTER), lay(folder))
    assert (unused.entry_id, unused.field, list(unused.rows)) == ("food-bank", "examples", starters("examples"))
    run = CliRunner()
    run.invoke(app, ["knowledge", "diff", str(folder), "--accept"])
    assert "「examples+:」" in run.invoke(app, ["knowledge", "diff", str(folder)]).output
