"""Worries that were not heard well: nothing fitted, two questions did not help, or the resident said 「ちがう」 (D15c).

Only the outcome is kept, never a copy of the words: they are read from the talk while it is there, so what a resident erases is gone from this list
too. Talks of people who hide (D6d), cases with 閲覧制限 and stories that were not handed over (D8) never show.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import exists, or_, select, true, update
from sqlmodel import Session

from storage import audit
from storage.desk_queue import Viewer, in_scope
from storage.dialect import table
from storage.refusals import Missing
from storage.sealing import unseal
from storage.tables import Case, Conversation, Message, Outcome
from storage.talk import scope_of

_H, _C, _M, _K = table(Outcome), table(Conversation), table(Message), table(Case)

Why = Literal["gap", "unclear", "wrong"]
"""合うものがなかった, 聞きとれなかった, 「ちがう」と言われた."""
Learned = Literal["example", "entry", "gap", "nothing"]
LEARNED: tuple[Learned, ...] = get_args(Learned)
_MOST_LINES = 5


@dataclass(frozen=True)
class Unheard:
    """One worry. `lines`: what the resident wrote until then, oldest first; `cards`: ids that were called wrong."""

    id: str
    why: Why
    cards: tuple[str, ...]
    lines: tuple[str, ...]
    at: datetime


def waiting(session: Session, viewer: Viewer | None, since: datetime, limit: int = 50) -> list[Unheard]:
    """Worries that nobody has looked at, newest first, one a talk: the newest stands for those before it. No viewer: the operator's own command."""
    found: dict[str, Unheard] = {}
    for row in session.execute(_open(viewer).where(_H.c.at >= since).order_by(_H.c.at.desc(), _H.c.id.desc())):
        if row.conversation_id not in found:
            found[row.conversation_id] = _unheard(session, row)
        if len(found) == limit:
            break
    return [one for one in found.values() if one.lines]


def by_id(session: Session, viewer: Viewer, outcome_id: str) -> Unheard:
    """Raises Missing for one that was looked at, or may not be read."""
    row = session.execute(_open(viewer).where(_H.c.id == outcome_id)).first()
    if row is None:
        raise Missing
    return _unheard(session, row)


def learn(session: Session, viewer: Viewer, outcome_id: str, what: Learned, *, now: datetime) -> None:
    """Something came of it, and of what the same talk had before it. Raises Missing when somebody else was quicker."""
    row = session.execute(_open(viewer).where(_H.c.id == outcome_id)).first()
    if row is None:
        raise Missing
    these = update(_H).where(_H.c.conversation_id == row.conversation_id, _H.c.at <= row.at, _H.c.learned.is_(None), _UNHEARD)
    session.execute(these.values(learned=what))
    audit.note(session, actor=viewer.actor, act="unheard.learned", now=now, outcome=outcome_id, what=what)


def read_by(session: Session, actor: str, count: int, now: datetime) -> None:
    """Somebody opened the list: reading words of residents is always noted (R19)."""
    audit.note(session, actor=actor, act="unheard.read", now=now, count=count)


_UNHEARD = or_(
    _H.c.kind == "wrong",
    (_H.c.kind == "match") & or_(_H.c.detail.contains('"decision": "gap"'), _H.c.detail.contains('"decision": "unclear"')),
)


def _open(viewer: Viewer | None) -> Any:
    """Whoever is shut out of a resident does not hear what they wrote to the bot either (R21)."""
    kept_back = exists().where(_K.c.conversation_id == _H.c.conversation_id, or_(_K.c.restricted, _K.c.shares_story.is_(False)))
    return (
        select(_H).join(_C, _C.c.id == _H.c.conversation_id)
        .where(_UNHEARD, _H.c.learned.is_(None), _C.c.hidden_address.is_(False), ~kept_back)
        .where(true() if viewer is None else in_scope(viewer, _C.c.person_id))
    )  # fmt: skip


def _unheard(session: Session, row: Any) -> Unheard:
    detail = json.loads(row.detail)
    return Unheard(row.id, detail.get("decision", "wrong"), tuple(detail.get("cards", ())), _lines(session, row.conversation_id, row.at), row.at)


def _lines(session: Session, conversation_id: str, until: datetime) -> tuple[str, ...]:
    query = (
        select(_M.c.id, _M.c.body_sealed)
        .where(
            _M.c.conversation_id == conversation_id, _M.c.author == "resident", _M.c.kind == "text", _M.c.body_sealed.is_not(None), _M.c.at <= until
        )
        .order_by(_M.c.seq.desc()).limit(_MOST_LINES)
    )  # fmt: skip
    bodies = [unseal(session, scope_of(conversation_id), f"message.body:{row.id}", row.body_sealed) for row in session.execute(query)]
    return tuple(str(json.loads(body).get("text", "")) for body in reversed(bodies))
