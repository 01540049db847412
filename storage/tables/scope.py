"""Who may not know of a resident, and who was let in all the same (R21)."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import SQLModel

from storage.tables.columns import key, ref, sealed, time

_STANDS = "lifted_at IS NULL"


class ShutOut(SQLModel, table=True):
    """A member of staff who is kin, neighbour or the one complained about: for them this resident does not exist."""

    __tablename__ = "shut_out"
    __table_args__ = (
        Index("ix_shut_out_stands", "person_id", "staff_id", unique=True, sqlite_where=text(_STANDS), postgresql_where=text(_STANDS)),
    )
    id: str = key()
    person_id: str = ref("person.id", index=True)
    staff_id: str = ref("staff.id")
    case_id: str = ref("care_case.id")
    """Where it was written down."""
    why_sealed: bytes = sealed()
    by_staff_id: str = ref("staff.id")
    at: datetime = time()
    lifted_at: datetime | None = time(default=None)


class Emergency(SQLModel, table=True):
    """Getting in where one may not look: asked for with a reason, opened by a second person, over by itself."""

    __table_args__ = (Index("ix_emergency_open", "staff_id", "until"),)
    id: str = key()
    person_id: str = ref("person.id", index=True)
    case_id: str = ref("care_case.id", index=True)
    staff_id: str = ref("staff.id")
    why_sealed: bytes = sealed()
    asked_at: datetime = time()
    answered_by: str | None = ref("staff.id", default=None)
    answered_at: datetime | None = time(default=None)
    until: datetime | None = time(default=None)
    """While it lets in; None: not answered, or refused."""
