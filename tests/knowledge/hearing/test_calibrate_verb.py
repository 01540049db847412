"""`madoguchi knowledge calibrate`: a town's own confidence, written beside its entries and used from the next load."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.knowledge_verbs import app
from knowledge.base import load
from knowledge.hearing.confidence import FILE, Confidence

SAID = ("水道代が払えない", "水道が止まりそう", "蛇口から水が出ない", "水道の紙が届いた", "水道の名義を変えたい", "水が濁っている",
        "検針票をなくした", "水道代が急に高い", "庭の水道がこわれた", "水道をまた使いたい")  # fmt: skip


def a_town(folder: Path, entries: int = 5) -> Path:
    folder.mkdir()
    for number in range(entries):
        examples = "".join(f"  - {number}丁目で{said}\n" for said in SAID)
        (folder / f"one-{number}.yaml").write_text(
            f"id: one-{number}\nname: 窓口{number}\nsummary: 見本の窓口です。\nexamples:\n{examples}", encoding="utf-8"
        )
    return folder


def test_the_refitted_confidence_lies_in_the_folder_and_is_used(tmp_path: Path) -> None:
    folder = a_town(tmp_path / "town")
    assert CliRunner().invoke(app, ["calibrate", str(folder)]).exit_code == 0
    fitted = Confidence.of_town(folder)
    assert fitted != Confidence.usual()
    assert load(folder).hearing.confidence == fitted


def test_a_trial_writes_nothing(tmp_path: Path) -> None:
    folder = a_town(tmp_path / "town")
    assert CliRunner().invoke(app, ["calibrate", str(folder), "--dry-run"]).exit_code == 0
    assert not (folder / FILE).exists()


def test_too_few_examples_leave_the_numbers_as_they_are(tmp_path: Path) -> None:
    folder = a_town(tmp_path / "town", entries=2)
    assert "しかない" in CliRunner().invoke(app, ["calibrate", str(folder)]).output
    assert not (folder / FILE).exists()


@pytest.mark.parametrize(
    "written",
    [
        "",
        "{",
        "[]",
        '{"intercept": 1}',
        '{"intercept": 0, "weights": [1], "temperature": 1}',
        '{"intercept": NaN, "weights": [1,1,1,1,1,1,1,1], "temperature": 1}',
    ],
)
def test_a_broken_file_is_as_good_as_none(tmp_path: Path, written: str) -> None:
    (tmp_path / FILE).write_text(written, encoding="utf-8")
    assert Confidence.of_town(tmp_path) == Confidence.usual()
