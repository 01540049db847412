"""Cases as the flows open them: one open case a conversation, urgency only rises (I6). What the desk does with them is in desk_cases.py."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case, or_, select, text, update
from sqlmodel import Session

from storage import audit, case_cells
from storage.dialect import engine_of, on_each, table
from storage.ids import new_code, new_id
from storage.prepared import prepared
from storage.sealing import mark_erasure, seal
from storage.tables import OPEN_CASE, Alarm, Case, Staff
from storage.talk import Talk, scope_of

_K, _L, _S = table(Case), table(Alarm), table(Staff)
_OF: Any = bindparam("of")
_OPEN = prepared(select(_K.c.id, _K.c.code, _K.c.state, _K.c.coordinator_id).where(_K.c.conversation_id == _OF, text(OPEN_CASE)))
_OPEN_WHOLE = select(_K).where(_K.c.conversation_id == _OF, text(OPEN_CASE)).with_for_update()
_NEW = on_each(lambda insert: insert(_K).on_conflict_do_nothing().returning(_K.c.id))
_CHANGE = update(_K).where(_K.c.id == _OF)
STAFFED = select(_S.c.id).where(or_(_S.c.role == "coordinator", _S.c.role == "lead"), _S.c.disabled_at.is_(None), _S.c.password_hash.is_not(None))
_CODES_TRIED = 5
_WORRIES = ("urgent", "worry", "need")
TO_LIFE = "L3"
"""The level of an alarm that needs two names."""


@dataclass(frozen=True)
class OpenedCase:
    """A case as opened or added to."""

    id: str
    code: str
    state: str
    coordinator_id: str | None
    new: bool
    came_back: bool = False
    """The bot had led, and the case is again with the coordinator who had it (D8e)."""


def open_of(session: Session, conversation_id: str) -> OpenedCase | None:
    """The open case of a conversation, if there is one."""
    row = session.execute(_OPEN, {"of": conversation_id}).first()
    return None if row is None else OpenedCase(row.id, row.code, row.state, row.coordinator_id, False)


def open_or_add(
    session: Session, talk: Talk, *, reason: str, urgency: int, title: str, sheet: str, topics: Sequence[str], shares_story: bool, restricted: bool,
    promise_at: datetime | None, now: datetime,
) -> OpenedCase:  # fmt: skip
    """Open a case, or add to the open one: its sheet and topics grow, its urgency and mask only rise, its promise only comes earlier (I6).

    `sheet` is JSON of SheetLine values; `title` one line in the resident's words.
    """
    for _ in range(_CODES_TRIED):
        row = session.execute(_OPEN_WHOLE, {"of": talk.id}).first()
        if row is not None:
            return _add(
                session, row, urgency=urgency, title=title, sheet=sheet, topics=topics, shares=shares_story, restricted=restricted,
                promise_at=promise_at,
            )  # fmt: skip
        case_id, code = new_id(), new_code()
        made = session.execute(
            _NEW[engine_of(session)],
            {
                "id": case_id, "code": code, "conversation_id": talk.id, "person_id": talk.person_id, "state": "waiting", "reason": reason,
                "urgency": urgency, "restricted": restricted, "shares_story": shares_story,
                "from_seq": 1 if shares_story else talk.last_seq + 1, "promise_at": promise_at, "next_contact_none": False, "opened_at": now,
                **case_cells.first_version(session, case_id, talk.id, title=title, sheet=sheet, topics=topics),
            },
        ).first()  # fmt: skip
        if made is not None:
            return OpenedCase(case_id, code, "waiting", None, True)
    raise LookupError("no case could be opened: every code was taken")


def _add(
    session: Session, row: Any, *, urgency: int, title: str, sheet: str, topics: Sequence[str], shares: bool, restricted: bool,
    promise_at: datetime | None,
) -> OpenedCase:  # fmt: skip
    """The title stays, unless the case was opened before anything of the worry was shared; so do topics that a coordinator has corrected."""
    state, before = row.state, json.loads(case_cells.sheet_of(session, row))
    said_before = any(line.get("about") in _WORRIES for line in before)
    corrected = audit.has_happened(session, audit.TOPICS, row.id)
    cells = case_cells.next_version(
        session, row, title=None if said_before or not title else title,
        sheet=json.dumps([*before, *json.loads(sheet)], ensure_ascii=False),
        topics=None if corrected else list(dict.fromkeys([*case_cells.topics_of(session, row), *topics])),
    )  # fmt: skip
    came_back = state == "returned" and row.coordinator_id is not None
    if state == "returned":
        state = "held" if came_back else "waiting"
    session.execute(
        _CHANGE,
        {
            "of": row.id, "state": state, "urgency": max(row.urgency, urgency), "restricted": row.restricted or restricted,
            "promise_at": min((at for at in (row.promise_at, promise_at) if at is not None), default=None),
            "from_seq": 1 if shares else row.from_seq, "shares_story": row.shares_story or shares, **cells,
        },
    )  # fmt: skip
    return OpenedCase(row.id, row.code, state, row.coordinator_id, False, came_back)


def requeue(session: Session, case_id: str) -> bool:
    """Put a held case back among those that wait, its coordinator's name still on it (D8e); False when it is not held."""
    held = update(_K).where(_K.c.id == case_id, _K.c.state == "held").values(state="waiting")
    return bool(session.execute(held).rowcount)  # type: ignore[attr-defined]


def requeue_all_of(session: Session, staff_id: str) -> None:
    """Nobody holds what a stopped account held: it waits for whoever is on duty."""
    session.execute(update(_K).where(_K.c.coordinator_id == staff_id, _K.c.state == "held").values(state="waiting"))


def raise_urgency(session: Session, case_id: str, urgency: int) -> None:
    """Urgency only rises (I6)."""
    session.execute(update(_K).where(_K.c.id == case_id, _K.c.urgency < urgency).values(urgency=urgency))


def move_promise(session: Session, case_id: str, promise_at: datetime) -> None:
    """The resident was told a later time (D8c)."""
    session.execute(update(_K).where(_K.c.id == case_id).values(promise_at=promise_at))


def forget_words(session: Session, talk: Talk, message_id: str) -> set[str]:
    """Take the lines that rest on an unsent message out of the sheets and titles of this talk's cases, closed ones too (R8); returns these."""
    lost = set[str]()
    for row in session.execute(select(_K).where(_K.c.conversation_id == talk.id).with_for_update()).all():
        sheet = json.loads(case_cells.sheet_of(session, row))
        kept = [line for line in sheet if message_id not in line.get("refs", ())]
        if len(kept) == len(sheet):
            continue
        title = kept[0]["text"][:40] if kept else ""
        cells = case_cells.next_version(session, row, title=title, sheet=json.dumps(kept, ensure_ascii=False))
        session.execute(_CHANGE, {"of": row.id, **cells})
        mark_erasure(session)
        lost.add(row.id)
    return lost


def is_staffed(session: Session) -> bool:
    """Whether any coordinator could take an alarm."""
    return session.execute(STAFFED.limit(1)).first() is not None


# ---------------------------------------------------------------- alarms


@dataclass(frozen=True)
class OpenAlarm:
    """A danger nobody has taken yet, or one to life that waits for its second name (D14)."""

    id: str
    conversation_id: str
    case_id: str | None
    level: str
    rule: str | None
    raised_at: datetime
    step: int
    taken_by: str | None


def raise_alarm(
    session: Session, talk: Talk, *, case_id: str | None, level: str, kinds: Sequence[str], rule: str | None, message_id: str | None, now: datetime
) -> str | None:
    """Ring the desk: one alarm per person and worry. None when one of at least this level rings already (desk.md §9)."""
    ringing = session.execute(
        select(_L.c.id).where(_L.c.conversation_id == talk.id, _L.c.acknowledged_at.is_(None), _L.c.level >= level).limit(1)
    ).first()
    if ringing is not None:
        return None
    alarm_id = new_id()
    session.execute(
        _L.insert().values(
            id=alarm_id, conversation_id=talk.id, case_id=case_id, level=level, rule=rule, message_id=message_id, raised_at=now, step=0,
            next_step_at=now, kinds_sealed=seal(session, scope_of(talk.id), f"alarm.kinds:{alarm_id}", json.dumps(list(kinds))),
        )
    )  # fmt: skip
    return alarm_id


def open_alarms(session: Session) -> list[OpenAlarm]:
    """Alarms nobody took, most dangerous first, then oldest."""
    query = select(_L).where(_L.c.acknowledged_at.is_(None)).order_by(_L.c.level.desc(), _L.c.raised_at)
    return [_alarm(row) for row in session.execute(query)]


def due_alarms(session: Session, now: datetime) -> list[OpenAlarm]:
    """Alarms whose next rung is due, locked: of two processes that look at once, one calls."""
    query = select(_L).where(_L.c.next_step_at <= now).order_by(_L.c.raised_at).with_for_update()
    return [_alarm(row) for row in session.execute(query)]


def climb(session: Session, alarm_id: str, *, step: int, next_step_at: datetime | None) -> None:
    """One rung of the ladder was called."""
    session.execute(update(_L).where(_L.c.id == alarm_id).values(step=step, next_step_at=next_step_at))


def acknowledge(session: Session, conversation_id: str, staff_id: str, now: datetime) -> int:
    """A coordinator took it: quiet for everybody, but a danger to life goes on looking for its second name (D14). Returns how many rang."""
    query = update(_L).where(_L.c.conversation_id == conversation_id, _L.c.acknowledged_at.is_(None))
    climbs_on = case((_L.c.level == TO_LIFE, _L.c.next_step_at), else_=None)
    return session.execute(query.values(acknowledged_at=now, acknowledged_by=staff_id, next_step_at=climbs_on)).rowcount  # type: ignore[attr-defined, no-any-return]


def _alarm(row: Any) -> OpenAlarm:
    return OpenAlarm(row.id, row.conversation_id, row.case_id, row.level, row.rule, row.raised_at, row.step, row.acknowledged_by)
