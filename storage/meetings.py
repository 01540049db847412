"""会議とプラン. 支援会議 (社会福祉法106条の6: no consent, duty of secrecy) and 重層的支援会議 (with consent) are two tables and two forms.

Nothing turns one into the other: a 重層的支援会議 asks for a consent that holds, a plan for a 重層的支援会議 or for none, a referral without consent
for a 支援会議.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session

from storage import audit, consents
from storage.desk_heads import CaseHead
from storage.desk_queue import Viewer
from storage.dialect import table
from storage.ids import new_id
from storage.refusals import Missing, NoGround, Stale
from storage.sealing import seal_json, unseal_json
from storage.tables import CoordinationMeeting, Plan, SupportMeeting

_S, _G, _P = table(SupportMeeting), table(CoordinationMeeting), table(Plan)


@dataclass(frozen=True)
class HeldSupportMeeting:
    """支援会議."""

    id: str
    held_on: date
    next_on: date | None
    why: str
    """Why it is needed without the person's consent."""
    members: str
    pledged: bool
    """The members were told of their duty of secrecy, and promised it."""
    shown: str
    decisions: str


@dataclass(frozen=True)
class HeldCoordinationMeeting:
    """重層的支援会議."""

    id: str
    consent_id: str
    held_on: date
    next_on: date | None
    purpose: str
    members: str
    shown: str
    decisions: str


@dataclass(frozen=True)
class Goal:
    """目標（本人の言葉）・だれが・いつまで・ようす."""

    what: str
    who: str
    until: date | None
    how: str = ""


@dataclass(frozen=True)
class MadePlan:
    """プラン. `answers` are fields of the national plan and evaluation sheets. `earlier`: how it stood before it was changed, oldest first."""

    id: str
    number: int
    made_on: date
    review_on: date | None
    meeting_id: str | None
    own_words: str
    goals: tuple[Goal, ...]
    answers: Mapping[str, Any]
    version: int
    earlier: tuple["MadePlan", ...] = ()

    def at_version(self, version: int) -> "MadePlan | None":
        """This plan as it stood then."""
        return next((one for one in (*self.earlier, self) if one.version == version), None)


def hold_support_meeting(session: Session, viewer: Viewer, case: CaseHead, meeting: HeldSupportMeeting, now: datetime) -> str:
    """Record a 支援会議. Raises `NoGround` without a reason, or without the members' pledge: that is what makes it one (106条の6第5項)."""
    if not meeting.why.strip() or not meeting.pledged:
        raise NoGround
    made = new_id()
    body = {"why": meeting.why, "members": meeting.members, "pledged": True, "shown": meeting.shown, "decisions": meeting.decisions}
    cell = seal_json(session, case.scope, f"support_meeting.body:{made}", body)
    session.execute(_S.insert().values(id=made, body_sealed=cell, **_frame(viewer, case, meeting, now)))
    audit.note(session, actor=viewer.actor, act="meeting.support", now=now, case_id=case.id, meeting=made)
    return made


def hold_coordination_meeting(session: Session, viewer: Viewer, case: CaseHead, meeting: HeldCoordinationMeeting, now: datetime) -> str:
    """Record a 重層的支援会議. Raises `NoGround` unless it rests on a consent of this person that holds."""
    if meeting.consent_id not in {one.id for one in consents.holding(session, case, now)}:
        raise NoGround
    made = new_id()
    body = {"purpose": meeting.purpose, "members": meeting.members, "shown": meeting.shown, "decisions": meeting.decisions}
    session.execute(
        _G.insert().values(
            id=made, consent_id=meeting.consent_id, body_sealed=seal_json(session, case.scope, f"coordination_meeting.body:{made}", body),
            **_frame(viewer, case, meeting, now),
        )
    )  # fmt: skip
    audit.note(session, actor=viewer.actor, act="meeting.coordination", now=now, case_id=case.id, meeting=made, consent=meeting.consent_id)
    return made


def support_meetings(session: Session, case: CaseHead) -> list[HeldSupportMeeting]:
    """支援会議 of a case, newest first."""
    rows = session.execute(select(_S).where(_S.c.case_id == case.id).order_by(_S.c.held_on.desc(), _S.c.id.desc()))
    found = []
    for row in rows:
        body = unseal_json(session, case.scope, f"support_meeting.body:{row.id}", row.body_sealed)
        found.append(HeldSupportMeeting(id=row.id, held_on=date.fromisoformat(row.held_on), next_on=_day(row.next_on), **body))
    return found


def coordination_meetings(session: Session, case: CaseHead) -> list[HeldCoordinationMeeting]:
    """重層的支援会議 of a case, newest first."""
    rows = session.execute(select(_G).where(_G.c.case_id == case.id).order_by(_G.c.held_on.desc(), _G.c.id.desc()))
    found = []
    for row in rows:
        body = unseal_json(session, case.scope, f"coordination_meeting.body:{row.id}", row.body_sealed)
        held_on = date.fromisoformat(row.held_on)
        found.append(HeldCoordinationMeeting(id=row.id, consent_id=row.consent_id, held_on=held_on, next_on=_day(row.next_on), **body))
    return found


# ---------------------------------------------------------------- plans


def plans(session: Session, case: CaseHead) -> list[MadePlan]:
    """The plans of a case, newest first."""
    rows = session.execute(select(_P).where(_P.c.case_id == case.id).order_by(_P.c.number.desc()))
    return [_plan(session, case, row) for row in rows]


def save_plan(
    session: Session, viewer: Viewer, case: CaseHead, plan_id: str | None, *, own_words: str, goals: Sequence[Goal], made_on: date,
    review_on: date | None, meeting_id: str | None, answers: Mapping[str, Any], expected: int, now: datetime,
) -> str:  # fmt: skip
    """Make a plan, or change one: how it stood before stays with it. Raises `NoGround` without the person's own words (D14) or with a meeting of
    another kind, `Missing`, `Stale`."""
    if not own_words.strip() or not goals:
        raise NoGround
    if meeting_id is not None and session.execute(select(_G.c.id).where(_G.c.id == meeting_id, _G.c.case_id == case.id)).first() is None:
        raise NoGround
    body = {
        "own_words": own_words, "answers": dict(answers),
        "goals": [{"what": one.what, "who": one.who, "until": one.until and one.until.isoformat(), "how": one.how} for one in goals],
    }  # fmt: skip
    values: dict[str, Any] = {"made_on": made_on.isoformat(), "review_on": review_on and review_on.isoformat(), "meeting_id": meeting_id}
    if plan_id is None:
        made = new_id()
        number = session.execute(select(func.coalesce(func.max(_P.c.number), 0)).where(_P.c.case_id == case.id)).scalar_one() + 1
        cell = seal_json(session, case.scope, f"plan.body:{made}:1", body)
        session.execute(_P.insert().values(id=made, case_id=case.id, number=number, body_sealed=cell, version=1, at=now, **values))
        audit.note(session, actor=viewer.actor, act="plan.made", now=now, case_id=case.id, plan=made)
        return made
    before = session.execute(select(_P).where(_P.c.id == plan_id, _P.c.case_id == case.id)).first()
    if before is None:
        raise Missing
    if before.version != expected:
        raise Stale
    stood = _body(session, case, before)
    earlier = [*stood.pop("earlier", ()), {**stood, **{name: getattr(before, name) for name in (*values, "version")}}]
    cell = seal_json(session, case.scope, f"plan.body:{plan_id}:{expected + 1}", {**body, "earlier": earlier})
    changed = update(_P).where(_P.c.id == plan_id, _P.c.version == expected).values(body_sealed=cell, version=expected + 1, **values)
    if not session.execute(changed).rowcount:  # type: ignore[attr-defined]
        raise Stale
    audit.note(session, actor=viewer.actor, act="plan.changed", now=now, case_id=case.id, plan=plan_id)
    return plan_id


def _body(session: Session, case: CaseHead, row: Any) -> dict[str, Any]:
    """`{own_words, answers, goals, earlier}`; each of `earlier` is such a body with the columns as they were."""
    found: dict[str, Any] = unseal_json(session, case.scope, f"plan.body:{row.id}:{row.version}", row.body_sealed)
    return found


def _plan(session: Session, case: CaseHead, row: Any) -> MadePlan:
    body = _body(session, case, row)
    columns = {name: getattr(row, name) for name in ("made_on", "review_on", "meeting_id", "version")}
    return replace(_stood(row, {**body, **columns}), earlier=tuple(_stood(row, one) for one in body.get("earlier", ())))


def _stood(row: Any, told: Mapping[str, Any]) -> MadePlan:
    goals = tuple(Goal(one["what"], one["who"], _day(one["until"]), one["how"]) for one in told["goals"])
    return MadePlan(
        row.id, row.number, date.fromisoformat(told["made_on"]), _day(told["review_on"]), told["meeting_id"], told["own_words"], goals,
        told["answers"], told["version"],
    )  # fmt: skip


def _frame(viewer: Viewer, case: CaseHead, meeting: HeldSupportMeeting | HeldCoordinationMeeting, now: datetime) -> dict[str, Any]:
    return {
        "case_id": case.id, "held_on": meeting.held_on.isoformat(), "next_on": meeting.next_on and meeting.next_on.isoformat(),
        "recorded_by": viewer.staff_id, "at": now,
    }  # fmt: skip


def _day(written: str | None) -> date | None:
    return None if written is None else date.fromisoformat(written)
