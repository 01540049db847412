"""What residents send besides words (R34): written down with its line, fetched later, kept sealed with the talk's key, gone with its words.

Only whoever may read the line reads its file, and every reading is audited.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import func, select, update
from sqlmodel import Session

from storage import audit
from storage.desk_heads import row_of
from storage.desk_queue import Viewer
from storage.dialect import table
from storage.ids import new_id
from storage.refusals import Missing
from storage.sealing import open_file, seal, seal_file, unseal
from storage.tables import Attachment, Message
from storage.talk import Line, Talk, scope_of

_A, _M = table(Attachment), table(Message)

Kind = Literal["jpeg", "pdf"]
State = Literal["wanted", "kept", "refused"]
MOST_OF_ONE = 40
"""Files of one resident; more are refused, their lines stay."""
MOST_BYTES = 60_000_000
_LEASE = timedelta(minutes=2)
_LONGEST_SOURCE = 300


@dataclass(frozen=True)
class Wanted:
    """A file to fetch: how its platform names it."""

    id: str
    channel: str
    source: str
    tries: int


@dataclass(frozen=True)
class Shown:
    """A file as its line shows it."""

    id: str
    state: State
    problem: str | None


@dataclass(frozen=True)
class Opened:
    """A file in the hand of whoever may read it."""

    kind: Kind
    body: bytes


def want(session: Session, talk: Talk, line: Line, *, channel: str, source: str, now: datetime) -> None:
    """Write down that this line has a file; it is fetched after the commit. Beyond the resident's share it is refused."""
    count, size = session.execute(select(func.count(), func.coalesce(func.sum(_A.c.size), 0)).where(_A.c.conversation_id == talk.id)).one()
    refused = count >= MOST_OF_ONE or size >= MOST_BYTES or len(source) > _LONGEST_SOURCE
    made = new_id()
    session.execute(
        _A.insert().values(
            id=made, conversation_id=talk.id, message_id=line.id, channel=channel, state="refused" if refused else "wanted",
            source_sealed=None if refused else seal(session, scope_of(talk.id), f"attachment.source:{made}", source),
            problem="too_many" if refused else None, size=0, tries=0, next_try_at=now, at=now,
        )
    )  # fmt: skip


def take(session: Session, now: datetime, limit: int = 5) -> list[Wanted]:
    """Files to fetch now, each on a lease: whoever dies meanwhile leaves them to the next."""
    due = (
        select(_A.c.id, _A.c.conversation_id, _A.c.channel, _A.c.source_sealed, _A.c.tries)
        .where(_A.c.state == "wanted", _A.c.next_try_at <= now).order_by(_A.c.next_try_at).limit(limit).with_for_update(skip_locked=True)
    )  # fmt: skip
    rows = session.execute(due).all()
    if rows:
        leased = update(_A).where(_A.c.id.in_([row.id for row in rows])).values(next_try_at=now + _LEASE, tries=_A.c.tries + 1)
        session.execute(leased)
    return [
        Wanted(row.id, row.channel, unseal(session, scope_of(row.conversation_id), f"attachment.source:{row.id}", row.source_sealed), row.tries + 1)
        for row in rows
    ]


def keep(session: Session, attachment_id: str, kind: Kind, body: bytes) -> str | None:
    """The file as made anew; returns its talk, None when its line was taken back meanwhile."""
    talk_id = session.execute(select(_A.c.conversation_id).where(_A.c.id == attachment_id, _A.c.state == "wanted").with_for_update()).scalar()
    if talk_id is None:
        return None
    cell = seal_file(session, scope_of(talk_id), f"attachment.body:{attachment_id}", body)
    kept = {"state": "kept", "kind": kind, "body_sealed": cell, "size": len(body), "source_sealed": None}
    session.execute(update(_A).where(_A.c.id == attachment_id).values(**kept))
    return str(talk_id)


def refuse(session: Session, attachment_id: str, problem: str) -> None:
    gone = {"state": "refused", "problem": problem, "source_sealed": None}
    session.execute(update(_A).where(_A.c.id == attachment_id, _A.c.state == "wanted").values(**gone))


def try_later(session: Session, attachment_id: str, at: datetime) -> None:
    session.execute(update(_A).where(_A.c.id == attachment_id, _A.c.state == "wanted").values(next_try_at=at))


def of_lines(session: Session, conversation_id: str, lines: Iterable[Line]) -> dict[str, Shown]:
    """Files by the id of their line."""
    ids = [line.id for line in lines if line.author == "resident"]
    query = select(_A.c.id, _A.c.message_id, _A.c.state, _A.c.problem).where(_A.c.conversation_id == conversation_id, _A.c.message_id.in_(ids))
    return {row.message_id: Shown(row.id, row.state, row.problem) for row in session.execute(query)} if ids else {}


def read(session: Session, viewer: Viewer, code: str, attachment_id: str, now: datetime) -> Opened:
    """A file of a case, for whoever may read the line it came with; audited. Raises `Missing`, also for one of another case or not yet there."""
    case = row_of(session, viewer, code)
    query = (
        select(_A.c.id, _A.c.kind, _A.c.body_sealed).join(_M, _M.c.id == _A.c.message_id)
        .where(
            _A.c.id == attachment_id, _A.c.conversation_id == case.conversation_id, _A.c.state == "kept", _M.c.seq >= case.from_seq,
            _M.c.withdrawn_at.is_(None),
        )
    )  # fmt: skip
    row = session.execute(query).first()
    if row is None:
        raise Missing
    audit.note(session, actor=viewer.actor, act="attachment.read", now=now, case_id=case.id, attachment=row.id)
    return Opened(row.kind, open_file(session, scope_of(case.conversation_id), f"attachment.body:{row.id}", row.body_sealed))
