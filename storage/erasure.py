"""Erasing a talk because its resident wishes so (D11, R41).

In two steps. At once: every word of the talk, what waits to be sent, and all that was derived from it. The next day, unless the resident has begun
anew: the conversation itself with its identifiers and its data key, so that copies which the engine or a backup still holds cannot be opened.
A case stays for the time the law asks for, with the desk's own record of it; then only the words of the talk go.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, and_, delete, select, update
from sqlmodel import Session, SQLModel

from storage.dialect import table
from storage.ids import new_id
from storage.rooms import PRESENT
from storage.sealing import keyring, mark_erasure
from storage.tables import (
    Attachment,
    Case,
    Consent,
    Conversation,
    Erasure,
    Identity,
    Inbox,
    Message,
    Offer,
    Outbox,
    Outcome,
    Person,
    Promise,
    RoomLink,
    Task,
    WebVisitor,
)  # fmt: skip
from storage.talk import Talk, by_id, scope_of
from storage.visitors import is_phrase

_E, _M, _X, _C, _I = table(Erasure), table(Message), table(Inbox), table(Conversation), table(Identity)
_V, _L = table(WebVisitor), table(RoomLink)


@dataclass(frozen=True)
class Receipt:
    """What a receipt leads to. `done_at`: when the last trace went; None = the words are gone, the rest goes by the promised day."""

    asked_at: datetime
    done_at: datetime | None


@dataclass(frozen=True)
class Erased:
    """One erasure as the list beside the backups has it: ids and a time, nothing of a person."""

    receipt: str
    conversation_id: str
    asked_at: datetime


def every(session: Session) -> list[Erased]:
    """All erasures so far, oldest first."""
    return [Erased(row.receipt, row.conversation_id, row.asked_at) for row in session.execute(select(_E).order_by(_E.c.asked_at))]


def again(session: Session, erased: Erased, now: datetime) -> bool:
    """Erase once more what a restore has brought back (R41); False when there is nothing to do."""
    if session.execute(select(_E.c.id).where(_E.c.receipt == erased.receipt, _E.c.conversation_id == erased.conversation_id)).first() is not None:
        return False
    talk = by_id(session, erased.conversation_id)
    if talk is None:
        return False
    erase_words(session, talk, erased.receipt, now)
    finish(session, talk.id, now)
    return True


def erase_words(session: Session, talk: Talk, receipt: str, now: datetime) -> None:
    """Erase all words of a talk and what was made from them; the numbered rows stay, so that nothing after them shifts."""
    of = talk.id
    session.execute(update(_M).where(_M.c.conversation_id == of).values(body_sealed=None, platform_hash=None, danger_rule=None, withdrawn_at=now))
    session.execute(update(_X).where(_X.c.conversation_id == of).values(raw_sealed=None))
    for derived in (Outbox, Offer, Outcome, Attachment):
        session.execute(delete(table(derived)).where(table(derived).c.conversation_id == of))
    session.execute(update(table(Task)).where(table(Task).c.conversation_id == of).values(note_sealed=None))
    consents, promised = table(Consent), table(Promise)
    session.execute(update(consents).where(consents.c.conversation_id == of, consents.c.withdrawn_at.is_(None)).values(withdrawn_at=now))
    session.execute(update(promised).where(promised.c.conversation_id == of, promised.c.case_id.is_(None)).values(state="dropped", done_at=now))
    _close_the_ways_in(session, of, now)
    session.execute(_E.insert().values(id=new_id(), receipt=receipt, conversation_id=of, asked_at=now))
    mark_erasure(session)


def _close_the_ways_in(session: Session, conversation_id: str, now: datetime) -> None:
    """What may lie in another hand leads nowhere from now on: six words, links, browsers that are not there now. Who begins anew is alone again."""
    here = and_(_V.c.seen_at > now - PRESENT, ~is_phrase(_V.c.token_hash))
    session.execute(update(_V).where(_V.c.conversation_id == conversation_id, _V.c.ended_at.is_(None), ~here).values(ended_at=now))
    session.execute(update(_L).where(_L.c.conversation_id == conversation_id, _L.c.used_at.is_(None)).values(used_at=now))


def finish(session: Session, conversation_id: str, now: datetime) -> None:
    """The day after: the conversation goes with its identifiers and its key, where no case and no new word needs it. Safe to run twice."""
    asked = session.execute(select(_E.c.asked_at).where(_E.c.conversation_id == conversation_id).order_by(_E.c.asked_at.desc())).scalar()
    if asked is None:
        return
    newer = select(_M.c.id).where(_M.c.conversation_id == conversation_id, _M.c.author == "resident", _M.c.at > asked).limit(1)
    cases = select(table(Case).c.id).where(table(Case).c.conversation_id == conversation_id).limit(1)
    if session.execute(newer).first() is None and session.execute(cases).first() is None:
        drop(session, conversation_id)
    session.execute(update(_E).where(_E.c.conversation_id == conversation_id, _E.c.done_at.is_(None)).values(done_at=now))


def by_receipt(session: Session, receipt: str) -> Receipt | None:
    """What became of an erasure, for whoever holds its receipt."""
    row = session.execute(select(_E.c.asked_at, _E.c.done_at).where(_E.c.receipt == receipt).order_by(_E.c.asked_at.desc())).first()
    return None if row is None else Receipt(row.asked_at, row.done_at)


def drop(session: Session, conversation_id: str) -> None:
    """A conversation with all that hangs on it, its cases too: rows, identifiers, data keys."""
    row = session.execute(select(_C.c.person_id, _C.c.identity_id).where(_C.c.id == conversation_id)).first()
    if row is None:
        return
    cases = list(session.execute(select(table(Case).c.id).where(table(Case).c.conversation_id == conversation_id)).scalars())
    session.execute(update(_X).where(_X.c.conversation_id == conversation_id).values(conversation_id=None, message_id=None, raw_sealed=None))
    _delete(session, _C, select(_C.c.id).where(_C.c.id == conversation_id))
    for scope in (scope_of(conversation_id), *(f"case:{case_id}" for case_id in cases)):
        keyring(session).discard(session, scope)
    person = table(Person)
    session.execute(delete(_I).where(_I.c.id == row.identity_id))
    if session.execute(select(_I.c.id).where(_I.c.person_id == row.person_id).limit(1)).first() is None:
        _delete(session, person, select(person.c.id).where(person.c.id == row.person_id))
    mark_erasure(session)


def _delete(session: Session, where: Table, ids: Any) -> None:
    """Delete these rows of a table, and before them every row that leads to them, in whatever table it stands."""
    for other in SQLModel.metadata.sorted_tables:
        for key in other.foreign_keys:
            if key.column.table is where and other is not where:
                _delete(session, other, select(other.primary_key.columns[0]).where(key.parent.in_(ids)))
    session.execute(delete(where).where(where.primary_key.columns[0].in_(ids)))
