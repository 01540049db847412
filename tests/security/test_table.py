"""The table of requirements says what the tests prove, no more and no less."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.security import guards
from tests.security.table import PAPER, ROOT, Rule, proofs, rules, table

_MARK = '@pytest.mark.requirement("R1")\n'


def _counted(folder: Path, test: str) -> list[str]:
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "tests" / "test_x.py").write_text(test, encoding="utf-8")
    return [name for _, name in proofs(folder).get("R1", [])]


def test_the_table_in_the_repository_is_the_one_the_marks_make() -> None:
    assert PAPER.read_text(encoding="utf-8") == table(), "python -m tests.security.table writes it"


def test_every_rule_is_there_and_every_mark_names_one() -> None:
    numbers = [rule.number for rule in rules()]
    assert numbers == [f"R{number}" for number in range(1, 52)]
    assert set(proofs()) <= set(numbers)


def test_no_rule_is_without_a_test() -> None:
    proved = proofs()
    assert [rule.number for rule in rules() if rule.state(len(proved.get(rule.number, []))) == "open"] == []


@pytest.mark.parametrize(
    ("test", "counts"),
    [
        (_MARK + "def test_x(): assert f()", True), ("def test_x(): assert f()", False), (_MARK + "def test_x(): f()", False),
        (_MARK + "@pytest.mark.skip\ndef test_x(): assert f()", False), (_MARK + "@pytest.mark.xfail(strict=True)\ndef test_x(): assert f()", False),
        (_MARK + "def x(): assert f()", False), (_MARK.replace("R1", "R2") + "def test_x(): assert f()", False),
        ('pytestmark = pytest.mark.requirement("R1")\ndef test_x(): assert f()', True), (_MARK + "async def test_x():\n with raises(E): f()", True),
    ],
)  # fmt: skip
def test_a_mark_counts_only_on_a_test_that_runs_and_checks_something(tmp_path: Path, test: str, counts: bool) -> None:
    assert bool(_counted(tmp_path, test)) == counts


def test_a_rule_whose_mark_is_gone_is_open_and_one_that_lacks_something_is_never_done() -> None:
    assert Rule("R1", "x").state(0) == "open"
    assert Rule("R1", "x").state(3) == "done"
    assert Rule("R1", "x", lacks="y").state(3) == "partly"
    assert Rule("R1", "x", lacks="y").state(0) == "open"
    assert Rule("R1", "x", not_applicable="y").state(0) == "not applicable"


def test_every_guard_that_can_be_broken_for_trial_has_a_test_that_is_marked_with_its_rule() -> None:
    proved = proofs()
    for guard in guards.guards():
        file, _, name = guard.test.partition("::")
        assert (file, name) in proved[guard.rule], guard
        assert (ROOT / guard.file).read_text(encoding="utf-8").count(guard.was) == 1, guard


def test_a_guard_counts_as_tried_only_as_it_was_tried() -> None:
    guard = guards.guards()[0]
    assert guard.mark == replace(guard).mark
    assert guard.mark != replace(guard, broken="pass").mark
    assert guards.tried() <= {one.mark for one in guards.guards()}, "python -m tests.security.guards forgets what is no guard any more"
