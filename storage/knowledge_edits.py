"""Who changed what the town knows, when and why; and the way back (desk.md §4, D15). Knowledge is about no person: nothing here is sealed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session

from storage import audit
from storage.dialect import table
from storage.ids import new_id
from storage.tables import KnowledgeEdit, Staff

_E, _S = table(KnowledgeEdit), table(Staff)


@dataclass(frozen=True)
class Edit:
    """One published change of one file. `before` None = the file was not there."""

    id: str
    entry_id: str
    file: str
    before: str | None
    after: str
    by: str
    why: str
    at: datetime
    undone_at: datetime | None


def note(
    session: Session, *, entry_id: str, file: str, before: str | None, after: str, staff_id: str, why: str, now: datetime
) -> str:  # fmt: skip
    """Keep a change that was published; returns its id."""
    edit_id = new_id()
    row = {"id": edit_id, "entry_id": entry_id, "file": file, "before": before, "after": after, "staff_id": staff_id, "why": why, "at": now}
    session.execute(_E.insert().values(**row))
    audit.note(session, actor=f"staff:{staff_id}", act="knowledge.published", now=now, entry=entry_id, edit=edit_id)
    return edit_id


def of_entry(session: Session, entry_id: str, limit: int = 30) -> list[Edit]:
    """Changes of an entry, newest first."""
    return [_edit(row) for row in session.execute(_WITH_NAMES.where(_E.c.entry_id == entry_id).order_by(_E.c.at.desc(), _E.c.id.desc()).limit(limit))]


def by_id(session: Session, edit_id: str) -> Edit | None:
    row = session.execute(_WITH_NAMES.where(_E.c.id == edit_id)).first()
    return None if row is None else _edit(row)


def undone(session: Session, edit: Edit, staff_id: str, now: datetime) -> None:
    """The change was taken back."""
    session.execute(update(_E).where(_E.c.id == edit.id).values(undone_at=now))
    audit.note(session, actor=f"staff:{staff_id}", act="knowledge.undone", now=now, entry=edit.entry_id, edit=edit.id)


_WITH_NAMES = select(_E, _S.c.name.label("by")).join(_S, _S.c.id == _E.c.staff_id)


def _edit(row: object) -> Edit:
    return Edit(row.id, row.entry_id, row.file, row.before, row.after, row.by, row.why, row.at, row.undone_at)  # type: ignore[attr-defined]
