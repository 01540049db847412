"""The head of a case, as every sheet of it shows it, and the way to its rows for whoever may know of it (R18)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from storage import audit, case_cells
from storage.desk_queue import State, Viewer, in_scope
from storage.dialect import table
from storage.refusals import Missing
from storage.tables import Case, Conversation, Identity, Staff
from storage.talk import scope_of

_K, _C, _I, _S = table(Case), table(Conversation), table(Identity), table(Staff)


@dataclass(frozen=True)
class CaseHead:
    """What stands on top of every sheet of a case."""

    id: str
    code: str
    conversation_id: str
    person_id: str
    state: State
    reason: str
    urgency: int
    restricted: bool
    hidden_address: bool
    reachable: bool
    channel: str
    coordinator_id: str | None
    coordinator: str | None
    title: str
    version: int
    promise_at: datetime | None
    next_contact_at: datetime | None
    opened_at: datetime
    closed_at: datetime | None

    @property
    def scope(self) -> str:
        """Whose key seals what belongs to this case."""
        return scope_of(self.conversation_id)


def row_of(session: Session, viewer: Viewer, code: str) -> Any:
    """The row of a case this viewer may know of. Raises `Missing`."""
    row = session.execute(select(_K).where(in_scope(viewer), _K.c.code == code)).first()
    if row is None:
        raise Missing
    return row


def head(session: Session, viewer: Viewer, code: str) -> CaseHead:
    """The head of a case, for an act on one of its sheets."""
    query = (
        select(_K, _C.c.channel, _C.c.hidden_address, _I.c.reachable, _S.c.name.label("coordinator_name"))
        .join(_C, _C.c.id == _K.c.conversation_id).join(_I, _I.c.id == _C.c.identity_id).outerjoin(_S, _S.c.id == _K.c.coordinator_id)
        .where(in_scope(viewer), _K.c.code == code)
    )  # fmt: skip
    row = session.execute(query).first()
    if row is None:
        raise Missing
    return CaseHead(
        row.id, row.code, row.conversation_id, row.person_id, row.state, row.reason, row.urgency, row.restricted, row.hidden_address, row.reachable,
        row.channel, row.coordinator_id, row.coordinator_name, case_cells.title_of(session, row), row.version, row.promise_at, row.next_contact_at,
        row.opened_at, row.closed_at,
    )  # fmt: skip


def open_sheet(session: Session, viewer: Viewer, code: str, sheet: str, now: datetime) -> CaseHead:
    """Open one sheet of a case for reading; audited with its name (R43)."""
    found = head(session, viewer, code)
    audit.note(session, actor=viewer.actor, act="case.read", now=now, case_id=found.id, sheet=sheet)
    return found
