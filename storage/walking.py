"""伴走のしるし: open cases in which something may have slipped, each with what it is. A quiet list for coordinators, never a score of a person."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Literal, get_args

from sqlalchemy import and_, func, select
from sqlmodel import Session

from storage.desk_queue import Viewer, in_scope
from storage.dialect import table
from storage.tables import Case, Conversation, Message, Referral, Staff

_K, _C, _M, _R, _S = table(Case), table(Conversation), table(Message), table(Referral), table(Staff)

Sign = Literal["no_next", "silent", "bounced", "came_back", "at_night"]
SIGNS: tuple[Sign, ...] = get_args(Sign)
"""No next contact is promised; no word for long; refused twice or more; a new case soon after an old one was closed; writes at night."""
SILENT = timedelta(days=8)
_BOUNCED = 2
_SOON = timedelta(days=90)
_LATELY = timedelta(days=14)
_NIGHTS = 3
_JAPAN = timezone(timedelta(hours=9))


@dataclass(frozen=True)
class Noticed:
    """One open case with its signs. The topic stays in the case: here is only its code."""

    code: str
    coordinator_id: str | None
    coordinator: str | None
    opened_at: datetime
    last_at: datetime
    signs: tuple[Sign, ...]


def noticed(session: Session, viewer: Viewer, now: datetime) -> list[Noticed]:
    """Open cases of this viewer's scope in which there is something to notice, oldest first: the order says nothing about anybody."""
    query = (
        select(_K, _C.c.last_at, _S.c.name.label("coordinator"))
        .join(_C, _C.c.id == _K.c.conversation_id).outerjoin(_S, _S.c.id == _K.c.coordinator_id)
        .where(in_scope(viewer), _K.c.state != "closed").order_by(_K.c.opened_at, _K.c.id)
    )  # fmt: skip
    refused, returned, nights = _refused(session), _returned(session), _nights(session, now)
    found = []
    for row in session.execute(query):
        promised = row.promise_at is not None or row.next_contact_at is not None or row.next_contact_none
        told: Iterable[tuple[Sign, bool]] = (
            ("no_next", row.state in ("held", "returned") and not promised), ("silent", row.last_at < now - SILENT),
            ("bounced", refused.get(row.id, 0) >= _BOUNCED), ("came_back", row.id in returned), ("at_night", row.conversation_id in nights),
        )  # fmt: skip
        signs = tuple(sign for sign, so in told if so)
        if signs:
            found.append(Noticed(row.code, row.coordinator_id, row.coordinator, row.opened_at, row.last_at, signs))
    return found


def _refused(session: Session) -> dict[str, int]:
    query = select(_R.c.case_id, func.count().label("many")).where(_R.c.state == "refused").group_by(_R.c.case_id)
    return {row.case_id: row.many for row in session.execute(query)}


def _returned(session: Session) -> set[str]:
    """Open cases of somebody whose earlier case was closed not long before."""
    before = _K.alias("before")
    same = and_(before.c.person_id == _K.c.person_id, before.c.id != _K.c.id, before.c.closed_at.is_not(None))
    rows = session.execute(select(_K.c.id, _K.c.opened_at, before.c.closed_at).join(before, same).where(_K.c.state != "closed"))
    return {row.id for row in rows if timedelta(0) <= row.opened_at - row.closed_at <= _SOON}


def _nights(session: Session, now: datetime) -> set[str]:
    """Talks in which the resident wrote between 22:00 and 6:00 on three nights or more of the last fortnight."""
    query = (
        select(_M.c.conversation_id, _M.c.at).join(_K, and_(_K.c.conversation_id == _M.c.conversation_id, _K.c.state != "closed"))
        .where(_M.c.author == "resident", _M.c.at >= now - _LATELY)
    )  # fmt: skip
    nights: dict[str, set[object]] = {}
    for row in session.execute(query):
        here = row.at.astimezone(_JAPAN)
        if here.hour >= 22 or here.hour < 6:
            nights.setdefault(row.conversation_id, set()).add((here - timedelta(hours=6)).date())
    return {talk for talk, found in nights.items() if len(found) >= _NIGHTS}
