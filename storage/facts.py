"""What happened in a span of time, as plain facts to be counted: when, which talk, what kind. No word of a resident leaves by this door.

Everything the statistics say is counted from these rows, so that anybody may count again (desk.md §5). A talk that was erased is not among them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlmodel import Session

from storage import case_cells
from storage.dialect import table
from storage.sealing import unseal_json
from storage.tables import (
    Case,
    Conversation,
    CoordinationMeeting,
    Gap,
    Intake,
    Message,
    Offer,
    Outcome,
    Plan,
    Promise,
    Referral,
    SupportMeeting,
    TownIssue,
)  # fmt: skip
from storage.talk import scope_of

_C, _K, _M, _O, _H, _P = table(Conversation), table(Case), table(Message), table(Offer), table(Outcome), table(Promise)
_R, _G, _L, _S, _W, _I, _T = (table(one) for one in (Referral, Gap, Plan, SupportMeeting, CoordinationMeeting, Intake, TownIssue))
_REPLIES = ("reply", "reply_again")


@dataclass(frozen=True)
class Heard:
    """The bot showed cards, or said that nothing fits. `decision`: answer, several, gap."""

    talk: str
    decision: str
    cards: tuple[str, ...]


@dataclass(frozen=True)
class Handed:
    """A case was opened."""

    id: str
    talk: str
    opened_at: datetime
    first_reply_at: datetime | None
    topics: tuple[str, ...]
    area: str | None
    issues: tuple[str, ...]
    birth: str | None
    """生年月日（年齢） as the coordinator wrote it in the national form."""


@dataclass(frozen=True)
class Promised:
    """An answer was promised by `due_at`. `done_at`: when it came."""

    due_at: datetime
    state: str
    done_at: datetime | None


@dataclass(frozen=True)
class Referred:
    recipient: str
    state: str
    resident_says: str | None


@dataclass(frozen=True)
class Offered:
    """Somebody offered a hand. `was_helped`: there was a case of theirs before."""

    was_helped: bool


@dataclass(frozen=True)
class Facts:
    """All of one span. `new_talks` of `talks`: those that asked for help for the first time; `langs`: the language of each talk."""

    heard: tuple[Heard, ...]
    said: tuple[Heard, ...]
    """What residents said of it: right, wrong, better, same … as `decision`."""
    handed: tuple[Handed, ...]
    closed: tuple[str | None, ...]
    """Reasons of the cases that were closed."""
    talks: Mapping[str, str]
    """Talk → channel, of all in `heard` and `handed`."""
    langs: Mapping[str, str]
    new_talks: frozenset[str]
    written: tuple[datetime, ...]
    """When residents wrote."""
    promised: tuple[Promised, ...]
    referred: tuple[Referred, ...]
    gap_reasons: tuple[tuple[str, ...], ...]
    programs: tuple[tuple[str, ...], ...]
    """利用する事業 of each plan."""
    support_meetings: int
    coordination_meetings: int
    offered: tuple[Offered, ...]
    issues_found: int
    issues_answered: int


def of_span(session: Session, since: datetime, until: datetime) -> Facts:
    """The facts from `since` (included) to `until` (not included). Keep the span short, a month: SQLite writes wait meanwhile."""
    outcomes = [
        (row.kind, Heard(row.conversation_id, detail.get("decision", row.kind), tuple(detail.get("cards", ()))))
        for row in session.execute(select(_H.c.conversation_id, _H.c.kind, _H.c.detail).where(_within(_H.c.at, since, until)))
        if row.conversation_id is not None and (detail := json.loads(row.detail)) is not None
    ]
    heard = tuple(one for kind, one in outcomes if kind == "match")
    talks, langs, areas = _talks(session, since, until)
    handed = tuple(_handed(session, row, areas) for row in session.execute(_handed_query(since, until)))
    return Facts(
        heard=heard, said=tuple(one for kind, one in outcomes if kind != "match"), handed=handed,
        closed=tuple(session.execute(select(_K.c.close_reason).where(_within(_K.c.closed_at, since, until))).scalars()),
        talks=talks, langs=langs, new_talks=frozenset(talks) - _known_before(session, since, until),
        written=tuple(session.execute(select(_M.c.at).where(_M.c.author == "resident", _within(_M.c.at, since, until))).scalars()),
        promised=tuple(_promised(session, since, until)),
        referred=tuple(_referred(session, since, until)),
        gap_reasons=tuple(tuple(json.loads(one)) for one in session.execute(select(_G.c.reasons).where(_within(_G.c.at, since, until))).scalars()),
        programs=tuple(_programs(session, since, until)),
        support_meetings=len(session.execute(select(_S.c.id).where(_within(_S.c.at, since, until))).all()),
        coordination_meetings=len(session.execute(select(_W.c.id).where(_within(_W.c.at, since, until))).all()),
        offered=tuple(_offered(session, since, until)),
        issues_found=len(session.execute(select(_T.c.id).where(_within(_T.c.at, since, until))).all()),
        issues_answered=len(
            session.execute(select(_T.c.id).where(_T.c.state == "answered", _within(_T.c.changed_at, since, until))).all()
        ),
    )  # fmt: skip


def first_of_all(session: Session) -> datetime | None:
    """When the first resident wrote; None = nobody has."""
    found: datetime | None = session.execute(select(_M.c.at).where(_M.c.author == "resident").order_by(_M.c.at).limit(1)).scalar()
    return found


def _within(column: Any, since: datetime, until: datetime) -> ColumnElement[bool]:
    return and_(column >= since, column < until)


def _asked_in(since: datetime, until: datetime) -> ColumnElement[bool]:
    """The talk asked for help in this span: the bot answered a worry, or a case was opened."""
    heard = exists().where(_H.c.conversation_id == _C.c.id, _H.c.kind == "match", _within(_H.c.at, since, until))
    handed = exists().where(_K.c.conversation_id == _C.c.id, _within(_K.c.opened_at, since, until))
    return or_(heard, handed)


def _talks(session: Session, since: datetime, until: datetime) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Channel, language and district of every talk that asked for help in this span."""
    channels, langs, areas = {}, {}, {}
    for row in session.execute(select(_C.c.id, _C.c.channel, _C.c.version, _C.c.session_sealed).where(_asked_in(since, until))):
        channels[row.id] = row.channel
        place = f"conversation.session:{row.id}:{row.version}"
        known = unseal_json(session, scope_of(row.id), place, row.session_sealed) if row.session_sealed else {}
        langs[row.id] = known.get("lang", "ja")
        if known.get("area"):
            areas[row.id] = known["area"]
    return channels, langs, areas


def _known_before(session: Session, since: datetime, until: datetime) -> frozenset[str]:
    heard = exists().where(_H.c.conversation_id == _C.c.id, _H.c.kind == "match", _H.c.at < since)
    handed = exists().where(_K.c.conversation_id == _C.c.id, _K.c.opened_at < since)
    return frozenset(session.execute(select(_C.c.id).where(_asked_in(since, until), or_(heard, handed))).scalars())


def _handed_query(since: datetime, until: datetime) -> Any:
    return (
        select(
            _K.c.id, _K.c.conversation_id, _K.c.opened_at, _K.c.first_reply_at, _K.c.version, _K.c.topics_sealed,
            _I.c.version.label("answers_version"), _I.c.answers_sealed,
        )
        .outerjoin(_I, _I.c.case_id == _K.c.id).where(_within(_K.c.opened_at, since, until)).order_by(_K.c.opened_at, _K.c.id)
    )  # fmt: skip


def _handed(session: Session, row: Any, areas: Mapping[str, str]) -> Handed:
    scope = scope_of(row.conversation_id)
    place = f"intake.answers:{row.id}:{row.answers_version}"
    answers = unseal_json(session, scope, place, row.answers_sealed) if row.answers_sealed else {}
    return Handed(
        row.id, row.conversation_id, row.opened_at, row.first_reply_at, case_cells.topics_of(session, row), areas.get(row.conversation_id),
        tuple(answers.get("assess.issues", ())), answers.get("person.birth"),
    )  # fmt: skip


def _promised(session: Session, since: datetime, until: datetime) -> list[Promised]:
    query = select(_P.c.due_at, _P.c.state, _P.c.done_at).where(_P.c.kind.in_(_REPLIES), _within(_P.c.due_at, since, until))
    return [Promised(row.due_at, row.state, row.done_at) for row in session.execute(query)]


def _referred(session: Session, since: datetime, until: datetime) -> list[Referred]:
    query = select(_R, _K.c.conversation_id).join(_K, _K.c.id == _R.c.case_id).where(_within(_R.c.asked_at, since, until))
    return [
        Referred(
            unseal_json(session, scope_of(row.conversation_id), f"referral.body:{row.id}", row.body_sealed)["recipient"], row.state, row.resident_says
        )
        for row in session.execute(query)
    ]  # fmt: skip


def _programs(session: Session, since: datetime, until: datetime) -> list[tuple[str, ...]]:
    columns = (_L.c.id, _L.c.version, _L.c.body_sealed, _K.c.conversation_id)
    query = select(*columns).join(_K, _K.c.id == _L.c.case_id).where(_within(_L.c.at, since, until))
    found = []
    for row in session.execute(query):
        body = unseal_json(session, scope_of(row.conversation_id), f"plan.body:{row.id}:{row.version}", row.body_sealed)
        found.append(tuple(body["answers"].get("plan.programs", ())))
    return found


def _offered(session: Session, since: datetime, until: datetime) -> list[Offered]:
    helped = exists().where(_K.c.person_id == _O.c.person_id, _K.c.opened_at < _O.c.at).label("was_helped")
    return [Offered(bool(row.was_helped)) for row in session.execute(select(helped).select_from(_O).where(_within(_O.c.at, since, until)))]
