"""No column without a class, a life time and a purpose; nothing of class C3 or C2 lies open (R37, R38)."""

import pytest
from sqlalchemy import LargeBinary, Text
from sqlmodel import SQLModel

from tests.security.columns import PAPER, class_of, notes, paper

_OPEN_TEXT = {
    "audit.detail", "gap.reasons", "outcome.detail", "knowledge_edit.before", "knowledge_edit.after", "town_issue.title", "town_issue.done",
    "help_request.title", "help_request.when", "help_request.place", "help_request.asked_by", "proposal.fields", "proposal.why",
    "knowledge_proposal.before", "knowledge_proposal.after", "press.led_to",
}  # fmt: skip
"""Free text that is not sealed: ids and our own words, or what the town publishes."""


@pytest.mark.requirement("R37")
def test_the_paper_in_the_repository_names_every_column_of_every_table() -> None:
    assert set(notes()["tables"]) == set(SQLModel.metadata.tables)
    assert PAPER.read_text(encoding="utf-8") == paper(), "python -m tests.security.columns writes it"


@pytest.mark.requirement("R37", "R38")
def test_long_text_lies_open_only_where_it_is_named() -> None:
    found = {
        f"{table.name}.{column.name}" for table in SQLModel.metadata.tables.values() for column in table.columns
        if isinstance(column.type, Text) and class_of(table.name, column.name) == "C1"
    }  # fmt: skip
    assert found <= _OPEN_TEXT


@pytest.mark.requirement("R37", "R38")
def test_what_is_of_class_c3_is_sealed_and_of_c2_sealed_or_a_fingerprint() -> None:
    for table in SQLModel.metadata.tables.values():
        for column in table.columns:
            level = class_of(table.name, column.name)
            if level == "C3":
                assert isinstance(column.type, LargeBinary), f"{table.name}.{column.name}"
                assert column.name.endswith("_sealed")
            if level == "C2":
                assert column.name.endswith(("_sealed", "_hash")), f"{table.name}.{column.name}"
