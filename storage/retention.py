"""What has been kept for as long as it may be (R41, 個人情報の保護に関する法律 66条): found here, dropped as an erasure that a resident asked for."""

from datetime import date, datetime

from sqlalchemy import exists, func, select
from sqlmodel import Session

from storage import records
from storage.dialect import table
from storage.tables import Case, Conversation

_C, _K = table(Conversation), table(Case)
_LAST_LOOK = "retention.day"


def last_look(session: Session) -> date | None:
    """The day on which was last looked; None = never."""
    day = records.cursor(session, _LAST_LOOK)
    return date.fromordinal(day) if day else None


def note_look(session: Session, today: date) -> None:
    records.move_cursor(session, name=_LAST_LOOK, position=today.toordinal())


def outlived(session: Session, *, before: datetime, limit: int = 200) -> list[str]:
    """Conversations that ended before: no word since, no case that is open or was closed since; oldest first."""
    cases = select(_K.c.id).where(_K.c.conversation_id == _C.c.id).correlate(_C)
    last_closed = select(func.max(_K.c.closed_at)).where(_K.c.conversation_id == _C.c.id).correlate(_C).scalar_subquery()
    query = (
        select(_C.c.id).where(_C.c.last_at < before, ~exists(cases.where(_K.c.state != "closed")))
        .where(~exists(cases) | (last_closed < before)).order_by(_C.c.last_at).limit(limit)
    )  # fmt: skip
    return list(session.execute(query).scalars())
