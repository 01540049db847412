"""Keeping a member of staff out of a resident's cases, and letting somebody in in an emergency (R21).

In a small town the one who works here may be the neighbour, the kin, or the one complained about: they are shut out by name, and then find no trace,
not even a count (`in_scope`). An emergency lets in whoever may not look: with a reason, by a second person, for an hour, and told to the lead.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.sql import Select
from sqlmodel import Session

from storage import audit, cases, records
from storage.desk_heads import CaseHead
from storage.desk_queue import Viewer, in_scope
from storage.dialect import insert_new, table
from storage.ids import new_id
from storage.refusals import Missing
from storage.sealing import seal, unseal
from storage.tables import Case, Emergency, ShutOut, Staff, Task
from storage.talk import by_id, scope_of

_O, _G, _K, _S, _T = table(ShutOut), table(Emergency), table(Case), table(Staff), table(Task)

LETS_IN_FOR = timedelta(minutes=60)
_ANSWERED_WITHIN = timedelta(hours=12)
"""A request nobody answered is over with the day's shift."""
_ASKING = "emergency_asked"
"""The kind of task that ends with the answer."""


@dataclass(frozen=True)
class KeptOut:
    """Somebody for whom this resident does not exist."""

    id: str
    name: str
    why: str
    at: datetime


@dataclass(frozen=True)
class Asked:
    """Somebody asks to be let in."""

    id: str
    code: str
    name: str
    why: str
    asked_at: datetime


# ---------------------------------------------------------------- shut out


def shut_out(session: Session, viewer: Viewer, case: CaseHead, staff_id: str, why: str, now: datetime) -> None:
    """From now on this member of staff finds nothing of this resident; what they held waits for the others. Raises `Missing` for an unknown one."""
    if session.execute(select(_S.c.id).where(_S.c.id == staff_id)).first() is None:
        raise Missing
    made = new_id()
    row = {
        "id": made, "person_id": case.person_id, "staff_id": staff_id, "case_id": case.id, "by_staff_id": viewer.staff_id, "at": now,
        "why_sealed": seal(session, case.scope, f"shut_out.why:{made}", why),
    }  # fmt: skip
    of_person = (_K.c.person_id == case.person_id, _K.c.coordinator_id == staff_id)
    for case_id in session.execute(select(_K.c.id).where(*of_person)).scalars().all():
        cases.requeue(session, case_id)
    session.execute(update(_K).where(*of_person, _K.c.state != "closed").values(coordinator_id=None))
    session.execute(update(_G).where(_G.c.person_id == case.person_id, _G.c.staff_id == staff_id, _G.c.until > now).values(until=now))
    session.execute(insert_new(session, ShutOut).values(**row).on_conflict_do_nothing())  # last: who shuts themself out sees no more
    audit.note(session, actor=viewer.actor, act="case.shut_out", now=now, case_id=case.id, staff=staff_id)


def lift(session: Session, viewer: Viewer, case: CaseHead, shut_out_id: str, now: datetime) -> None:
    """It was a mistake, or is over. Only a lead decides that. Raises `Missing`."""
    theirs = update(_O).where(_O.c.id == shut_out_id, _O.c.person_id == case.person_id, _O.c.lifted_at.is_(None))
    if viewer.role != "lead" or not session.execute(theirs.values(lifted_at=now)).rowcount:  # type: ignore[attr-defined]
        raise Missing
    audit.note(session, actor=viewer.actor, act="case.shut_out_lifted", now=now, case_id=case.id, shut_out=shut_out_id)


def of_case(session: Session, case: CaseHead) -> list[KeptOut]:
    """Who is shut out of this resident's cases, oldest first."""
    query = (
        select(_O.c.id, _S.c.name, _O.c.why_sealed, _O.c.at, _K.c.conversation_id)
        .join(_S, _S.c.id == _O.c.staff_id).join(_K, _K.c.id == _O.c.case_id)
        .where(_O.c.person_id == case.person_id, _O.c.lifted_at.is_(None)).order_by(_O.c.at)
    )  # fmt: skip
    return [
        KeptOut(row.id, row.name, unseal(session, scope_of(row.conversation_id), f"shut_out.why:{row.id}", row.why_sealed), row.at)
        for row in session.execute(query)
    ]


# ---------------------------------------------------------------- let in


def ask(session: Session, viewer: Viewer, code: str, why: str, now: datetime) -> None:
    """Ask to be let into a case one may not look at. Nothing comes back: even whether there is such a case is no answer to give."""
    row = session.execute(select(_K.c.id, _K.c.person_id, _K.c.conversation_id).where(_K.c.code == code)).first()
    audit.note(session, actor=viewer.actor, act="emergency.asked", now=now, case_id=None if row is None else row.id, code=code[:12])
    if row is None:
        return
    made = new_id()
    session.execute(
        _G.insert().values(
            id=made, person_id=row.person_id, case_id=row.id, staff_id=viewer.staff_id, asked_at=now,
            why_sealed=seal(session, scope_of(row.conversation_id), f"emergency.why:{made}", why),
        )
    )  # fmt: skip
    records.add_task(session, kind=_ASKING, now=now, talk=by_id(session, row.conversation_id), case_id=row.id)


def asked(session: Session, viewer: Viewer, now: datetime) -> list[Asked]:
    """Requests that this viewer may answer: of cases in their own right, never their own."""
    return [
        Asked(row.id, row.code, row.name, unseal(session, scope_of(row.conversation_id), f"emergency.why:{row.id}", row.why_sealed), row.asked_at)
        for row in session.execute(_open_requests(viewer, now).order_by(_G.c.asked_at))
    ]


def answer(session: Session, viewer: Viewer, emergency_id: str, *, yes: bool, now: datetime) -> None:
    """The second person lets in for an hour, or does not; the lead finds it among the things to see to. Raises `Missing`."""
    row = session.execute(_open_requests(viewer, now).where(_G.c.id == emergency_id)).first()
    if row is None:
        raise Missing
    answered = {"answered_by": viewer.staff_id, "answered_at": now, "until": now + LETS_IN_FOR if yes else None}
    first = update(_G).where(_G.c.id == emergency_id, _G.c.answered_at.is_(None)).values(**answered)
    if not session.execute(first).rowcount:  # type: ignore[attr-defined]
        raise Missing
    act = "emergency.let_in" if yes else "emergency.refused"
    audit.note(session, actor=viewer.actor, act=act, now=now, case_id=row.case_id, emergency=emergency_id, staff=row.staff_id)
    if session.execute(_open_requests(viewer, now).where(_G.c.case_id == row.case_id).limit(1)).first() is None:
        asking = update(_T).where(_T.c.case_id == row.case_id, _T.c.kind == _ASKING, _T.c.done_at.is_(None))
        session.execute(asking.values(done_at=now))
    if yes:
        records.add_task(session, kind="emergency_let_in", now=now, talk=by_id(session, row.conversation_id), case_id=row.case_id)


def let_in(session: Session, staff_id: str, now: datetime) -> frozenset[str]:
    """Residents whose cases an emergency opens to this member of staff at this moment."""
    return frozenset(session.execute(select(_G.c.person_id).where(_G.c.staff_id == staff_id, _G.c.until > now)).scalars())


def opened(session: Session, viewer: Viewer, now: datetime) -> list[tuple[str, datetime]]:
    """Codes of the cases that an emergency opens to this viewer now, and until when."""
    query = (
        select(_K.c.code, _G.c.until).join(_K, _K.c.id == _G.c.case_id)
        .where(_G.c.staff_id == viewer.staff_id, _G.c.until > now).order_by(_G.c.until)
    )  # fmt: skip
    return [(row.code, row.until) for row in session.execute(query)]


def _open_requests(viewer: Viewer, now: datetime) -> Select[tuple[object, ...]]:
    """A viewer who was let in themselves lets nobody in: `let_in` does not count here."""
    own_right = Viewer(viewer.staff_id, viewer.name, viewer.role, viewer.actor)
    return (
        select(_G, _K.c.code, _K.c.conversation_id, _S.c.name).join(_K, _K.c.id == _G.c.case_id).join(_S, _S.c.id == _G.c.staff_id)
        .where(in_scope(own_right), _G.c.staff_id != viewer.staff_id, _G.c.answered_at.is_(None), _G.c.asked_at > now - _ANSWERED_WITHIN)
    )  # fmt: skip
