"""A row of somebody's table becomes an entry, or a reason why not (one bad row never keeps the good ones out)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from knowledge.complaints import Source, complaints
from knowledge.entry import Entry
from knowledge.problem import Problem
from knowledge.reading import Read, Tree


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be taken. `row` counts as a spreadsheet shows it: the header is 1."""

    row: int
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What was found in a table. `notes` are things worth knowing about rows that were taken."""

    entries: dict[str, dict[str, Tree]] = field(default_factory=dict)
    bad: tuple[BadRow, ...] = ()
    notes: tuple[BadRow, ...] = ()
    kind: str = ""
    """What kind of table it was, in Japanese."""


def take(rows: Iterable[tuple[int, str, Mapping[str, Tree]]], kind: str, notes: Iterable[BadRow] = ()) -> Taken:
    """Check each row as an entry: `(row number, name for the report, fields)`. The first of two rows with one id wins."""
    entries, bad, first = dict[str, dict[str, Tree]](), list[BadRow](), dict[str, int]()
    for number, name, fields in rows:
        reason = _reason(fields)
        entry_id = str(fields.get("id"))
        if reason is None and entry_id in entries:
            reason = f"{first[entry_id]} 行目と同じ ID（{entry_id}）です"
        if reason is not None:
            bad.append(BadRow(number, name, reason))
            continue
        entries[entry_id] = dict(fields)
        first[entry_id] = number
    return Taken(entries, tuple(bad), tuple(notes), kind)


def _reason(fields: Mapping[str, Tree]) -> str | None:
    """Why these fields are no entry, in words; None when they are one."""
    try:
        Entry.model_validate(fields)
    except ValidationError as error:
        read = Read("", dict(fields), (), ())
        return "。".join(_words(problem) for problem in complaints(error, Entry, [Source(read, (), dict(fields))]))
    return None


def _words(problem: Problem) -> str:
    if problem.code == "missing":
        return f"{problem.message.removesuffix(' がありません')} のマスが空です"
    return f"{problem.message}（{problem.hint}）" if problem.hint else problem.message
