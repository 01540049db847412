"""Who did what to which case, reading included: a chain of hashes in which a changed, missing or added row shows (R43).

No talk text ever enters a row: `detail` holds ids and our own words.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import func, insert, select
from sqlmodel import Session

from storage.dialect import is_postgres, table
from storage.prepared import prepared
from storage.tables import Audit, Case

_A, _K = table(Audit), table(Case)
_LOCK_CHAIN = select(func.pg_advisory_xact_lock(106_003))
_NEWEST = prepared(select(_A.c.seq, _A.c.hash).order_by(_A.c.seq.desc()).limit(1))
_NOTE = prepared(insert(_A))
GENESIS = "0" * 64


@dataclass(frozen=True)
class Broken:
    """The first row at which the chain does not hold; of what is `unreadable`, the last one before it that was looked at."""

    seq: int
    what: str


def note(session: Session, *, actor: str, act: str, now: datetime, case_id: str | None = None, **detail: str | int | bool | None) -> None:
    """Append one row. On PostgreSQL the chain is locked until the transaction ends, so call this late in a work."""
    if is_postgres(session):
        session.execute(_LOCK_CHAIN)
    newest, previous = head(session)
    seq = newest + 1
    written = json.dumps(detail, sort_keys=True)
    session.execute(
        _NOTE,
        {
            "seq": seq, "at": now, "actor": actor, "act": act, "case_id": case_id, "detail": written, "previous": previous,
            "hash": _hash((seq, now.timestamp(), actor, act, case_id, written, previous)),
        },
    )  # fmt: skip


def head(session: Session) -> tuple[int, str]:
    """Number and hash of the newest row: sent outside the host daily, so that a cut tail shows."""
    newest = session.execute(_NEWEST, {}).first()
    return (0, GENESIS) if newest is None else (newest.seq, newest.hash)


HEAD = "audit.head"
TAKEN_BACK = "words.taken_back"
"""The resident took a message back, and what rested on it left the case (R8)."""
TOPICS = "topics.changed"
"""A coordinator said what a worry is about."""


def has_happened(session: Session, act: str, case_id: str) -> bool:
    """Whether somebody ever did this to a case."""
    return session.execute(select(_A.c.seq).where(_A.c.case_id == case_id, _A.c.act == act).limit(1)).first() is not None


def note_head(session: Session, now: datetime) -> None:
    """Once a day the head itself becomes an event: it is told to the town's other systems, where nobody of this host can change it (R43)."""
    seq, newest = head(session)
    note(session, actor="system", act=HEAD, now=now, seq=seq, hash=newest)


def verify(session: Session, known: Mapping[int, str] = MappingProxyType({})) -> Broken | None:
    """Walk the chain; None when it holds. `known`: heads kept outside, number → hash: a chain that is shorter or another is broken there."""
    previous, expected, furthest = GENESIS, 1, max(known, default=0)
    try:
        for row in session.execute(select(_A).order_by(_A.c.seq).execution_options(yield_per=2000)):
            if row.seq != expected:
                return Broken(expected, "missing")
            if row.previous != previous or row.hash != _hash((row.seq, row.at.timestamp(), row.actor, row.act, row.case_id, row.detail, previous)):
                return Broken(row.seq, "changed")
            if known.get(row.seq, row.hash) != row.hash:
                return Broken(row.seq, "rewritten")
            previous, expected = row.hash, expected + 1
    except (ValueError, TypeError, AttributeError):  # SQLite takes anything into any column; what is no time and no text has no hash of ours
        return Broken(expected, "unreadable")
    if expected <= furthest:
        return Broken(expected, "cut")
    return None


@dataclass(frozen=True)
class Event:
    """One row of the chain, for those outside who may hear that it happened."""

    seq: int
    at: datetime
    act: str
    code: str | None
    detail: dict[str, Any]


def events_after(session: Session, seq: int, acts: Sequence[str], limit: int) -> list[Event]:
    """Rows of these acts after number `seq`, oldest first, with the codes of their cases."""
    query = (
        select(_A.c.seq, _A.c.at, _A.c.act, _A.c.detail, _K.c.code).outerjoin(_K, _K.c.id == _A.c.case_id)
        .where(_A.c.seq > seq, _A.c.act.in_(acts)).order_by(_A.c.seq).limit(limit)
    )  # fmt: skip
    return [Event(row.seq, row.at, row.act, row.code, json.loads(row.detail)) for row in session.execute(query)]


SIGN_IN_CHANGES = (
    "staff.password_changed", "staff.factor_set", "staff.recovery_code_used", "staff.passkey_added", "staff.passkey_removed", "staff.directory_tied",
)  # fmt: skip
"""What changes how somebody proves who they are: told to them (R28)."""


def sign_in_changes(session: Session, staff_id: str, limit: int = 8) -> list[tuple[datetime, str]]:
    """The newest changes of how this member of staff signs in, newest first: time, act."""
    mine = select(_A.c.at, _A.c.act).where(_A.c.actor == f"staff:{staff_id}", _A.c.act.in_(SIGN_IN_CHANGES))
    return [(row.at, row.act) for row in session.execute(mine.order_by(_A.c.seq.desc()).limit(limit))]


def reads_of(session: Session, case_id: str, limit: int = 200) -> list[tuple[datetime, str, str]]:
    """Who did what to this case, newest first: time, actor, act."""
    query = select(_A.c.at, _A.c.actor, _A.c.act).where(_A.c.case_id == case_id).order_by(_A.c.seq.desc()).limit(limit)
    return [(row.at, row.actor, row.act) for row in session.execute(query)]


def _hash(row: tuple[int, float, str, str, str | None, str, str]) -> str:
    """Over number, time, actor, act, case, detail and the hash before."""
    return hashlib.sha256(json.dumps(row, ensure_ascii=False).encode()).hexdigest()
