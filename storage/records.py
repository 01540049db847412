"""What flows leave behind besides talk and cases: consents, promises, outcomes, tasks, counts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, insert, select, update
from sqlmodel import Session

from storage.dialect import engine_of, on_each, table
from storage.ids import new_id
from storage.prepared import prepared
from storage.sealing import seal, unseal
from storage.tables import Consent, Conversation, Cursor, Outcome, Promise, Tally, Task
from storage.talk import Talk, scope_of
from storage.text import made_of

_H, _N, _P, _T, _Y, _U = table(Outcome), table(Consent), table(Promise), table(Task), table(Tally), table(Cursor)
_CONSENTS = prepared(select(_N).where(_N.c.conversation_id == bindparam("of")).order_by(_N.c.given_at.desc()))
_NEW_OUTCOME, _NEW_PROMISE, _NEW_TASK = prepared(insert(_H)), insert(_P), insert(_T)
_COUNT = on_each(
    lambda insert: insert(_Y).on_conflict_do_update(index_elements=["day", "name"], set_={"count": _Y.c["count"] + insert(_Y).excluded["count"]})
)
_MOVE = on_each(lambda insert: insert(_U).on_conflict_do_update(index_elements=["name"], set_={"position": insert(_U).excluded.position}))


@dataclass(frozen=True)
class GivenConsent:
    """A consent as listed to the resident and at the desk (D11)."""

    id: str
    purpose: str
    recipient: str
    items: tuple[str, ...]
    until: datetime | None
    given_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True)
class DuePromise:
    """A promise whose time has come."""

    id: str
    conversation_id: str
    channel: str
    case_id: str | None
    kind: str
    due_at: datetime


def give_consent(
    session: Session, talk: Talk, *, purpose: str, recipient: str, items: Sequence[str], days: int | None, version: int, now: datetime,
    case_id: str | None = None,
) -> str:  # fmt: skip
    consent_id, scope = new_id(), scope_of(talk.id)
    session.execute(
        _N.insert().values(
            id=consent_id, person_id=talk.person_id, conversation_id=talk.id, case_id=case_id, purpose=purpose, version=version, given_at=now,
            recipient_sealed=seal(session, scope, f"consent.recipient:{consent_id}", recipient),
            items_sealed=seal(session, scope, f"consent.items:{consent_id}", json.dumps(list(items), ensure_ascii=False)),
            until=None if days is None else now + timedelta(days=days),
        )
    )  # fmt: skip
    return consent_id


def consents(session: Session, conversation_id: str) -> list[GivenConsent]:
    """All consents of a conversation, newest first."""
    scope = scope_of(conversation_id)
    rows = session.execute(_CONSENTS, {"of": conversation_id})
    return [
        GivenConsent(
            row.id, row.purpose, unseal(session, scope, f"consent.recipient:{row.id}", row.recipient_sealed),
            tuple(json.loads(unseal(session, scope, f"consent.items:{row.id}", row.items_sealed))), row.until, row.given_at, row.withdrawn_at,
        )
        for row in rows
    ]  # fmt: skip


def withdraw_consent(session: Session, consent_id: str, now: datetime) -> None:
    session.execute(update(_N).where(_N.c.id == consent_id, _N.c.withdrawn_at.is_(None)).values(withdrawn_at=now))


def promise(session: Session, talk: Talk, *, kind: str, due_at: datetime, case_id: str | None = None) -> str:
    """Remember something we said would happen by `due_at`."""
    promise_id = new_id()
    session.execute(
        _NEW_PROMISE, {"id": promise_id, "conversation_id": talk.id, "case_id": case_id, "kind": kind, "due_at": due_at, "state": "open"}
    )  # fmt: skip
    return promise_id


def due_promises(session: Session, now: datetime, limit: int = 200) -> list[DuePromise]:
    talk = table(Conversation)
    query = (
        select(_P, talk.c.channel).join(talk, talk.c.id == _P.c.conversation_id)
        .where(_P.c.state == "open", _P.c.due_at <= now).order_by(_P.c.due_at).limit(limit)
    )  # fmt: skip
    return [DuePromise(row.id, row.conversation_id, row.channel, row.case_id, row.kind, row.due_at) for row in session.execute(query)]


def is_open(session: Session, promise_id: str) -> bool:
    return session.execute(select(_P.c.id).where(_P.c.id == promise_id, _P.c.state == "open")).first() is not None


def is_promised(session: Session, conversation_id: str, kind: str) -> bool:
    """Whether this has been promised and is still open."""
    query = select(_P.c.id).where(_P.c.conversation_id == conversation_id, _P.c.kind == kind, _P.c.state == "open").limit(1)
    return session.execute(query).first() is not None


def end_promise(session: Session, promise_id: str, state: str, now: datetime) -> None:
    session.execute(update(_P).where(_P.c.id == promise_id).values(state=state, done_at=now))


def keep_promises(session: Session, conversation_id: str, kind: str, now: datetime) -> None:
    """What was promised has happened."""
    these = update(_P).where(_P.c.conversation_id == conversation_id, _P.c.kind == kind, _P.c.state.in_(("open", "late")))
    session.execute(these.values(state="kept", done_at=now))


def drop_promises(session: Session, conversation_id: str, kinds: Sequence[str], now: datetime) -> None:
    """No longer wanted (opt-out, hidden address, a new worry)."""
    these = update(_P).where(_P.c.conversation_id == conversation_id, _P.c.kind.in_(kinds), _P.c.state == "open")
    session.execute(these.values(state="dropped", done_at=now))


def add_task(
    session: Session, *, kind: str, now: datetime, talk: Talk | None = None, case_id: str | None = None, due_at: datetime | None = None,
    note: str | None = None,
) -> str:  # fmt: skip
    """Something staff should see to. The note is sealed with the talk's key, so a note needs a talk."""
    if note is not None and talk is None:
        raise ValueError("a note without a talk")
    task_id = new_id()
    cell = None if note is None or talk is None else seal(session, scope_of(talk.id), f"task.note:{task_id}", note)
    session.execute(
        _NEW_TASK,
        {
            "id": task_id, "conversation_id": None if talk is None else talk.id, "case_id": case_id, "kind": kind, "note_sealed": cell,
            "due_at": due_at, "created_at": now,
        },
    )  # fmt: skip
    return task_id


def has_open_task(session: Session, conversation_id: str | None, kind: str) -> bool:
    """Of one talk, or of none."""
    query = select(_T.c.id).where(_T.c.conversation_id.is_not_distinct_from(conversation_id), _T.c.kind == kind, _T.c.done_at.is_(None)).limit(1)
    return session.execute(query).first() is not None


def note_of(written: str) -> dict[str, str]:
    """A task's note by its parts; one that was written as plain words is all `note`."""
    try:
        note = json.loads(written)
    except ValueError:
        note = None
    return {str(name): str(value) for name, value in note.items()} if isinstance(note, dict) else {"note": written}


def forget_words(session: Session, talk: Talk, said: Sequence[str]) -> None:
    """What the resident took back leaves the notes of this talk's tasks; what there is to see to stays (R8)."""
    scope = scope_of(talk.id)
    query = select(_T.c.id, _T.c.note_sealed).where(_T.c.conversation_id == talk.id, _T.c.note_sealed.is_not(None))
    for row in session.execute(query).all():
        place = f"task.note:{row.id}"
        note = note_of(unseal(session, scope, place, row.note_sealed))
        kept = {name: "" if made_of(words, said) else words for name, words in note.items()}
        if kept != note:
            session.execute(update(_T).where(_T.c.id == row.id).values(note_sealed=seal(session, scope, place, json.dumps(kept, ensure_ascii=False))))


def note_outcome(session: Session, talk: Talk, *, kind: str, detail: dict[str, object], now: datetime) -> None:
    """Ids and numbers only; `detail` never holds a word of the resident."""
    written = json.dumps(detail, sort_keys=True)
    session.execute(_NEW_OUTCOME, {"id": new_id(), "conversation_id": talk.id, "kind": kind, "detail": written, "at": now})


def card_figures(session: Session, since: datetime) -> dict[str, tuple[int, int]]:
    """Since then, by entry: how often it was shown, and how often the resident said that it was right."""
    figures: dict[str, tuple[int, int]] = {}
    query = select(_H.c.kind, _H.c.detail).where(_H.c.at >= since, _H.c.kind.in_(("match", "right")))
    for row in session.execute(query):
        for card in json.loads(row.detail).get("cards", ()):
            shown, right = figures.get(card, (0, 0))
            figures[card] = (shown + 1, right) if row.kind == "match" else (shown, right + 1)
    return figures


def count(session: Session, name: str, day: str, by: int = 1) -> None:
    """Add to a count of a day without any person."""
    session.execute(_COUNT[engine_of(session)], {"day": day, "name": name, "count": by})


def counts(session: Session, name: str) -> int:
    """Sum of a count over all days."""
    found: int = session.execute(select(func.coalesce(func.sum(_Y.c["count"]), 0)).where(_Y.c.name == name)).scalar_one()
    return found


def cursor(session: Session, name: str) -> int:
    """Where a stream stands (Telegram's polling offset)."""
    found: int | None = session.execute(select(_U.c.position).where(_U.c.name == name)).scalar()
    return found or 0


def move_cursor(session: Session, name: str, position: int) -> None:
    """Move a stream forward, in the transaction that stored what it brought."""
    session.execute(_MOVE[engine_of(session)], {"name": name, "position": position})
