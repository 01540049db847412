"""A row of somebody's table becomes an entry, or a reason why not (one bad row never keeps the good ones out)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from pydantic import ValidationError

from knowledge.complaints import Source, complaints_by_way
from knowledge.entry import Entry
from knowledge.problem import Problem
from knowledge.reading import Read, Trail, Tree

NO_HEADINGS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be taken, or one cell of it. `row` counts as a spreadsheet shows it: the header is 1; 0 = not in a table."""

    row: int
    name: str
    reason: str
    column: str = ""
    """「電話」（R 列）: only this cell was left out, the others of its row were taken. Empty: the row as a whole."""

    @property
    def where(self) -> str:
        """As a person finds it: 3 行目「こめバンク」の「電話」（R 列）."""
        row = f"{self.row} 行目" if self.row else ""
        return f"{row}「{self.name}」" + (f"の{self.column}" if self.column else "")


@dataclass(frozen=True, slots=True)
class Taken:
    """What was found in a table. `notes` are things worth knowing about rows that were taken."""

    entries: dict[str, dict[str, Tree]] = field(default_factory=dict)
    bad: tuple[BadRow, ...] = ()
    notes: tuple[BadRow, ...] = ()
    kind: str = ""
    """What kind of table it was, in Japanese."""


def take(
    rows: Iterable[tuple[int, str, Mapping[str, Tree]]], kind: str, notes: Iterable[BadRow] = (), headings: Mapping[str, str] = NO_HEADINGS
) -> Taken:
    """Check each row as an entry: `(row number, name for the report, fields)`. The first of two rows with one id wins.

    `headings`: what the table calls a field.
    """
    entries, bad, first = dict[str, dict[str, Tree]](), list[BadRow](), dict[str, int]()
    for number, name, fields in rows:
        reason = _reason(fields, headings)
        entry_id = str(fields.get("id"))
        if reason is None and entry_id in entries:
            reason = f"{first[entry_id]} 行目と同じ ID（{entry_id}）です"
        if reason is not None:
            bad.append(BadRow(number, name, reason))
            continue
        entries[entry_id] = dict(fields)
        first[entry_id] = number
    return Taken(entries, tuple(bad), tuple(notes), kind)


def mistakes(fields: Mapping[str, Tree]) -> list[tuple[Trail, Problem]]:
    """Why these fields are no entry, each with the way to the value it is about; empty when they are one."""
    try:
        Entry.model_validate(fields)
    except ValidationError as error:
        return list(complaints_by_way(error, Entry, [Source(Read("", dict(fields), (), ()), (), dict(fields))]))
    return []


def _reason(fields: Mapping[str, Tree], headings: Mapping[str, str]) -> str | None:
    return "。".join(_words(problem, headings) for _, problem in mistakes(fields)) or None


def _words(problem: Problem, headings: Mapping[str, str]) -> str:
    if problem.code == "missing":
        field = problem.message.removesuffix(" がありません")
        return f"「{headings.get(field, field)}」のマスが空です"
    return f"{problem.message}（{problem.hint}）" if problem.hint else problem.message
