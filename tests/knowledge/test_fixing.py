"""`knowledge fix`: mends what can be mended in only one way, and not one letter more."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge import lint
from knowledge.fixing import Fixed, fixed
from tests.knowledge.test_broken_files import SOUND, TEL

TODAY = date(2026, 11, 26)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("town")
    (place / "town.yaml").write_text("name: 山野町\nareas: [上町]\n", encoding="utf-8")
    return place


def fix(folder: Path, content: bytes) -> Fixed | None:
    file = folder / "ibasho.yaml"
    return fixed(content, lambda text: lint.check_text(file, text, folder, today=TODAY))


@pytest.mark.parametrize(
    ("was", "typed"),
    [
        ("name: まち", "name：まち"), ("cost: 無料", "cost:　無料"), ("cost: 無料", "cost:無料"), (TEL, '"０１２０-０００-０００"'),
        ("  - 話し", "  -話し"), ("  - 話し", "  － 話し"), ('from: "9:00"', 'from: "９：００"'), ("2026-10-01", "2026/10/1"),
        ("[居場所, お茶]", "[居場所,, お茶]"), ("無料", "無料\u200b"), (TEL, '"0120ー000ー000"'),
        ("    tel: ", "    tel："), ('月-金, from: "9:00", to', '月-金、from: "9:00"；to'), ("  - 話し", "  -\t話し"), ("福祉課}", "福祉課},"),
    ],
)  # fmt: skip
def test_a_safe_slip_is_mended_and_the_rest_of_the_file_stays_as_it_was(folder: Path, was: str, typed: str) -> None:
    notes = "# だいじなメモ\n" + SOUND.replace("kind: place", "kind: place   # 場所")
    found = fix(folder, notes.replace(was, typed, 1).encode())
    assert found is not None
    assert found.text == notes
    assert len(found.done) == 1


def test_a_number_after_a_hash_gets_its_quotes(folder: Path) -> None:
    found = fix(folder, SOUND.replace(TEL, "#8008").encode())
    assert found is not None
    assert found.text == SOUND.replace(TEL, '"#8008"')


@pytest.mark.parametrize("typed", ['"0120-000-000', "312345678", "なし", "0120-000-000（内線12）"])
def test_what_only_its_writer_can_know_is_left_alone(folder: Path, typed: str) -> None:
    text = SOUND.replace(TEL, typed)
    found = fix(folder, text.encode())
    assert found == Fixed(text, ())


def test_several_slips_of_one_line_and_of_many_are_mended_together(folder: Path) -> None:
    text = SOUND.replace("name: まち", "name：まち").replace(TEL, "0120－000－000")
    text = text.replace('from: "9:00", to: "17:00"', 'from: "９：００", to: "１７：００"')
    found = fix(folder, text.encode())
    assert found is not None
    assert found.text == SOUND.replace(TEL, "0120-000-000")
    assert [problem.line for problem in found.done] == [2, 17, 20, 20]


def test_a_file_of_an_old_windows_editor_becomes_a_usual_one(folder: Path) -> None:
    found = fix(folder, SOUND.replace("\n", "\r\n").encode("cp932"))
    assert found is not None
    assert found.text == SOUND


SLIPS = st.sampled_from([*"：　#\"'[]{}-*０、\u200b", "- ", ": "])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(SOUND)), SLIPS), min_size=1, max_size=3))
def test_a_line_that_nothing_was_said_about_is_never_touched(folder: Path, slips: list[tuple[int, str]]) -> None:
    text = SOUND
    for at, typed in slips:
        text = text[:at] + typed + text[at:]
    found = fix(folder, text.encode())
    assert found is not None
    before, after = text.split("\n"), found.text.split("\n")
    assert len(before) == len(after)
    touched = {number for number, (one, other) in enumerate(zip(before, after, strict=True), 1) if one != other}
    assert touched <= {problem.line for problem in found.done}
