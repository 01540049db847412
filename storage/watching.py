"""How the work stands, in numbers without a person: what `/metrics` and `/readyz` show."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlmodel import Session

from storage import outbox
from storage.dialect import table
from storage.tables import Alarm, Case, Conversation, Outbox, Promise, Tally
from storage.tables.outbox import UNDONE

_A, _C, _O, _P, _S, _Y = table(Alarm), table(Case), table(Outbox), table(Promise), table(Conversation), table(Tally)


@dataclass(frozen=True)
class Standing:
    """Counts, and how long the oldest of each has waited (seconds; 0 when nothing waits)."""

    cases_waiting: int
    case_oldest: float
    letters: dict[str, int]
    """Undone calls by state: queued, sending, unknown, held."""
    letter_oldest: float
    alarms: int
    alarm_oldest: float
    job_lag: float
    """How far behind the most overdue promise or settled answer is."""
    tallies: dict[str, int]
    """Counts of all days by name: flow_failed, scan_failed, unknown.line …"""


def standing(session: Session, now: datetime) -> Standing:
    """Everything at once; each query rests on an index of what is undone."""
    waiting, oldest_case = session.execute(select(func.count(), func.min(_C.c.opened_at)).where(_C.c.state == "waiting")).one()
    alarms, oldest_alarm = session.execute(select(func.count(), func.min(_A.c.raised_at)).where(_A.c.acknowledged_at.is_(None))).one()
    promise = session.execute(select(func.min(_P.c.due_at)).where(_P.c.state == "open")).scalar()
    settling = session.execute(select(func.min(_S.c.settle_at)).where(_S.c.settle_at.is_not(None))).scalar()
    letters = session.execute(select(_O.c.state, func.count()).where(text(UNDONE)).group_by(_O.c.state))
    tallies = session.execute(select(_Y.c.name, func.sum(_Y.c["count"])).group_by(_Y.c.name))
    return Standing(
        cases_waiting=waiting, case_oldest=_since(oldest_case, now), letters=dict(tuple(row) for row in letters),
        letter_oldest=_since(outbox.oldest_waiting(session), now), alarms=alarms, alarm_oldest=_since(oldest_alarm, now),
        job_lag=max(_since(promise, now), _since(settling, now)),
        tallies=dict(tuple(row) for row in tallies),
    )  # fmt: skip


def _since(when: datetime | None, now: datetime) -> float:
    return 0.0 if when is None else max(0.0, (now - when).total_seconds())
