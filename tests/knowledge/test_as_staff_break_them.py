"""Files as town staff break them, written before anybody looked at what `check` would say: tests/knowledge/broken, one slip or more in each.

`broken/expected.txt` has a line for each file: its name, then what is told of it as `line:code`, in order of place, and nothing else. `advice`
stands before what is only advice; `good` is a file in which nothing is wrong.
"""

from datetime import date
from pathlib import Path

import pytest

from knowledge import lint
from knowledge.fixing import fixed
from knowledge.problem import Problem, errors, render
from knowledge.reading import read_yaml

TODAY = date(2026, 11, 26)
BROKEN = Path(__file__).parent / "broken"
EXPECTED = dict(line.split(maxsplit=1) for line in (BROKEN / "expected.txt").read_text(encoding="utf-8").splitlines())
ENGLISH = ("mapping values", "expected", "could not", "Input should", "found character")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "town.yaml").write_text("name: 上田原市\nextends: starter\n", encoding="utf-8")
    return tmp_path


def told(folder: Path, content: bytes) -> list[Problem]:
    (folder / "kodomo-shokudo.yaml").write_bytes(content)
    return lint.check(folder, today=TODAY)


def in_short(problems: list[Problem]) -> str:
    worth = [problem for problem in problems if problem.code not in ("file_name", "bom", "crlf")]
    return " ".join(f"{'advice:' if problem.level == 'warning' else ''}{problem.line}:{problem.code}" for problem in worth) or "good"


def test_every_broken_file_is_expected() -> None:
    assert {file.name for file in BROKEN.glob("*.yaml")} == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_each_mistake_is_told_at_its_line_and_nothing_follows_from_it(folder: Path, name: str) -> None:
    found = told(folder, (BROKEN / name).read_bytes())
    assert in_short(found) == EXPECTED[name]
    for problem in found:
        assert problem.hint
        assert not any(word in render(problem) for word in ENGLISH), "said in Japanese, in our words"


@pytest.mark.parametrize("name", [name for name, said in EXPECTED.items() if said != "good"])
def test_what_is_mended_by_itself_leaves_fewer_mistakes_and_no_new_kind(folder: Path, name: str) -> None:
    content = (BROKEN / name).read_bytes()
    before = told(folder, content)
    mended = fixed(content, lambda text: lint.check_text(folder / "kodomo-shokudo.yaml", text, folder, today=TODAY))
    if mended is None or not mended.done:
        return
    after = told(folder, mended.text.encode())
    assert len(errors(after)) < len(errors(before))
    assert {problem.code for problem in errors(after)} <= {problem.code for problem in errors(before)}
    assert read_yaml(mended.text).tree is not None
