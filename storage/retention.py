"""What has been kept for as long as it may be (R41, 個人情報の保護に関する法律 66条): talks are found here, and dropped as an erasure that a resident
asked for; what was of use for minutes or hours goes by itself."""

from datetime import date, datetime, timedelta

from sqlalchemy import delete, exists, func, or_, select, update
from sqlmodel import Session

from storage import records
from storage.dialect import table
from storage.sealing import mark_erasure
from storage.staff import ABSOLUTE
from storage.tables import Case, Conversation, Inbox, Invitation, OidcAttempt, Press, RoomLink, SignInTry, StaffSession, WebVisitor, Writing
from storage.visitors import IDLE, is_phrase

_C, _K, _I, _V = table(Conversation), table(Case), table(Inbox), table(WebVisitor)
_LAST_LOOK, _LAST_REWRITING = "retention.day", "rewriting.day"
_A_DAY = timedelta(days=1)
_STRAYS = timedelta(days=30)
"""How long the content of an event that belongs to nobody's talk is of use to whoever looks for a fault; its id stays, for repeats (R2)."""


def last_look(session: Session) -> date | None:
    """The day on which was last looked; None = never."""
    return _day(session, _LAST_LOOK)


def note_look(session: Session, today: date) -> None:
    records.move_cursor(session, name=_LAST_LOOK, position=today.toordinal())


def last_rewriting(session: Session) -> date | None:
    """The day on which the tables were last written anew; None = never."""
    return _day(session, _LAST_REWRITING)


def note_rewriting(session: Session, today: date) -> None:
    records.move_cursor(session, name=_LAST_REWRITING, position=today.toordinal())


def _day(session: Session, name: str) -> date | None:
    day = records.cursor(session, name)
    return date.fromordinal(day) if day else None


def outlived(session: Session, *, before: datetime, limit: int = 200) -> list[str]:
    """Conversations that ended before: no word since, no case that is open or was closed since; oldest first."""
    cases = select(_K.c.id).where(_K.c.conversation_id == _C.c.id).correlate(_C)
    last_closed = select(func.max(_K.c.closed_at)).where(_K.c.conversation_id == _C.c.id).correlate(_C).scalar_subquery()
    query = (
        select(_C.c.id).where(_C.c.last_at < before, ~exists(cases.where(_K.c.state != "closed")))
        .where(~exists(cases) | (last_closed < before)).order_by(_C.c.last_at).limit(limit)
    )  # fmt: skip
    return list(session.execute(query).scalars())


def clear_short_lived(session: Session, now: datetime) -> None:
    """Sessions, links and marks a day after they were of any use; cookies that lead nowhere; what was said where we only leave (R7)."""
    sessions = table(StaffSession)
    old = now - _A_DAY
    session.execute(delete(sessions).where(or_(sessions.c.ended_at < old, sessions.c.started_at < old - ABSOLUTE)))
    for model, over in ((Invitation, "until"), (RoomLink, "until"), (OidcAttempt, "until"), (SignInTry, "at"), (Writing, "at"), (Press, "at")):
        session.execute(delete(table(model)).where(table(model).c[over] < old))
    session.execute(delete(_V).where(~is_phrase(_V.c.token_hash), or_(_V.c.ended_at < old, _V.c.seen_at < old - IDLE)))
    strays = (_I.c.conversation_id.is_(None), _I.c.raw_sealed.is_not(None), _I.c.received_at < now - _STRAYS)
    if session.execute(update(_I).where(*strays).values(raw_sealed=None)).rowcount:  # type: ignore[attr-defined]
        mark_erasure(session)
