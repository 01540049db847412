"""The sealed cells in the row of a case: title, hand-off sheet and topics, all bound to the row's version (R38).

A cell of another case, column or version does not open: whoever may write in the database cannot put an older sheet under a newer title. So each new
version of a row seals all three anew. A row here has `id`, `conversation_id`, `version` and the cells that are asked for.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import select
from sqlmodel import Session

from storage import records
from storage.dialect import table
from storage.sealing import SealBroken, seal, unseal
from storage.tables import Case
from storage.talk import scope_of

log = structlog.get_logger()

_K = table(Case)

UNREADABLE: Final = "（用件の封が合わず、開けません）"
"""Stands in the queue for a title that does not open: one exchanged cell must not take the rest of the queue with it (R38)."""
_CELLS = ("title", "sheet", "topics")


def title_of(session: Session, row: Any) -> str:
    return _opened(session, row, "title") or ""


def in_queue(session: Session, row: Any, now: datetime) -> tuple[str, tuple[str, ...]]:
    """Title and topics for a list of cases. Where a seal is broken the list goes on, and it is logged and counted (`/metrics`); the case itself
    refuses to open."""
    try:
        return title_of(session, row), topics_of(session, row)
    except SealBroken:
        log.error("seal_broken", case=row.id)
        records.count(session, "seal_broken", now.date().isoformat())
        return UNREADABLE, ()


def unreadable(session: Session) -> list[str]:
    """Codes of the cases of which a cell does not open."""
    return [row.code for row in session.execute(select(_K).order_by(_K.c.code)) if not _opens(session, row)]


def _opens(session: Session, row: Any) -> bool:
    try:
        for cell in _CELLS:
            _opened(session, row, cell)
    except SealBroken:
        return False
    return True


def sheet_of(session: Session, row: Any) -> str:
    """JSON of SheetLine values, as it was written."""
    return _opened(session, row, "sheet") or "[]"


def topics_of(session: Session, row: Any) -> tuple[str, ...]:
    return tuple(json.loads(_opened(session, row, "topics") or "[]"))


def first_version(session: Session, case_id: str, conversation_id: str, *, title: str, sheet: str, topics: Sequence[str]) -> dict[str, Any]:
    """Columns of a new row: its cells and version 1."""
    words = {"title": title, "sheet": sheet, "topics": json.dumps(list(topics))}
    return _columns(session, case_id, conversation_id, 1, words)


def next_version(
    session: Session, row: Any, *, title: str | None = None, sheet: str | None = None, topics: Sequence[str] | None = None
) -> dict[str, Any]:
    """Columns of the row's next version: what is given, and the rest as it was."""
    given = {"title": title, "sheet": sheet, "topics": None if topics is None else json.dumps(list(topics))}
    words = {cell: _opened(session, row, cell) if given[cell] is None else given[cell] for cell in _CELLS}
    return _columns(session, row.id, row.conversation_id, row.version + 1, words)


def _columns(session: Session, case_id: str, conversation_id: str, version: int, words: Mapping[str, str | None]) -> dict[str, Any]:
    scope = scope_of(conversation_id)
    sealed = {
        f"{cell}_sealed": None if written is None else seal(session, scope, _place(cell, case_id, version), written)
        for cell, written in words.items()
    }
    return {**sealed, "version": version}


def _opened(session: Session, row: Any, cell: str) -> str | None:
    found = getattr(row, f"{cell}_sealed")
    return None if found is None else unseal(session, scope_of(row.conversation_id), _place(cell, row.id, row.version), found)


def _place(cell: str, case_id: str, version: int) -> str:
    return f"care_case.{cell}:{case_id}:{version}"
