"""A danger to life needs two names (D14): one who takes it, and another who has looked as well.

Once the first name stands, a task waits for the second (`second_name`). It ends with the confirmation only, and only somebody else confirms;
a case that is closed asks no more, and its history says that one name is missing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, select, update
from sqlmodel import Session

from storage import audit, records
from storage.cases import TO_LIFE
from storage.desk_heads import row_of
from storage.desk_queue import SECOND_NAME, Viewer, in_scope
from storage.dialect import table
from storage.refusals import SameName
from storage.tables import Alarm, Case, Staff, Task
from storage.talk import Talk

_K, _L, _S, _T = table(Case), table(Alarm), table(Staff), table(Task)


@dataclass(frozen=True)
class OneName:
    """A danger to life that one coordinator has taken and nobody else has confirmed. No word of what was said (R12)."""

    code: str
    taken_at: datetime
    taken_by_id: str
    taken_by: str


def waiting(session: Session, viewer: Viewer) -> list[OneName]:
    """The open cases that lack their second name, oldest first; only what `viewer` may know of."""
    query = (
        select(_K.c.code, _L.c.acknowledged_at, _L.c.acknowledged_by, _S.c.name)
        .join(_T, _T.c.case_id == _K.c.id).join(_L, and_(_L.c.conversation_id == _K.c.conversation_id, *_lacking()))
        .join(_S, _S.c.id == _L.c.acknowledged_by)
        .where(in_scope(viewer), _T.c.done_at.is_(None), _T.c.kind == SECOND_NAME).order_by(_L.c.acknowledged_at)
    )  # fmt: skip
    found: dict[str, OneName] = {}
    for row in session.execute(query):
        found.setdefault(row.code, OneName(row.code, row.acknowledged_at, row.acknowledged_by, row.name))
    return list(found.values())


def ask(session: Session, talk: Talk, case_id: str, now: datetime) -> None:
    """The first name stands: whoever else is at the desk is asked to look, where it is a danger to life."""
    if _lacks(session, talk.id) and not records.has_open_task(session, talk.id, SECOND_NAME):
        records.add_task(session, kind=SECOND_NAME, now=now, talk=talk, case_id=case_id)


def confirm(session: Session, viewer: Viewer, code: str, now: datetime) -> str:
    """もう一人の確認. Returns the id of the talk. Raises `Missing`, and `SameName` where only the first name has pressed again."""
    row = row_of(session, viewer, code)
    mine = _L.c.acknowledged_by == viewer.staff_id
    these = update(_L).where(_L.c.conversation_id == row.conversation_id, *_lacking(), ~mine)
    named: int = session.execute(these.values(confirmed_at=now, confirmed_by=viewer.staff_id, next_step_at=None)).rowcount  # type: ignore[attr-defined]
    lacking = _lacks(session, row.conversation_id)
    if lacking and not named:
        raise SameName
    if named:
        audit.note(session, actor=viewer.actor, act="alarm.confirmed", now=now, case_id=row.id)
    if not lacking:
        _done(session, row.conversation_id, now)
    found: str = row.conversation_id
    return found


def ask_no_more(session: Session, conversation_id: str, case_id: str, now: datetime) -> None:
    """The case is over. Where the second name never came, the history keeps that."""
    if _done(session, conversation_id, now):
        session.execute(update(_L).where(_L.c.conversation_id == conversation_id, *_lacking()).values(next_step_at=None))
        audit.note(session, actor="system", act="alarm.one_name_only", now=now, case_id=case_id)


def _lacking() -> tuple[ColumnElement[bool], ...]:
    return _L.c.level == TO_LIFE, _L.c.acknowledged_at.is_not(None), _L.c.confirmed_at.is_(None)


def _lacks(session: Session, conversation_id: str) -> bool:
    return session.execute(select(_L.c.id).where(_L.c.conversation_id == conversation_id, *_lacking()).limit(1)).first() is not None


def _done(session: Session, conversation_id: str, now: datetime) -> bool:
    these: Any = update(_T).where(_T.c.conversation_id == conversation_id, _T.c.kind == SECOND_NAME, _T.c.done_at.is_(None))
    return bool(session.execute(these.values(done_at=now)).rowcount)  # type: ignore[attr-defined]
