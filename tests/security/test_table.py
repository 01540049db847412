"""The table of requirements says what the tests prove, no more and no less."""

from tests.security.table import PAPER, proofs, rules, table


def test_the_table_in_the_repository_is_the_one_the_marks_make() -> None:
    assert PAPER.read_text(encoding="utf-8") == table(), "python -m tests.security.table writes it"


def test_every_rule_is_there_and_every_mark_names_one() -> None:
    numbers = [rule.number for rule in rules()]
    assert numbers == [f"R{number}" for number in range(1, 52)]
    assert set(proofs()) <= set(numbers)
