"""What is so around one talk at this moment, for the flows: asked before every answer, so in one statement."""

from dataclasses import dataclass

from sqlalchemy import bindparam, exists, func, select, text
from sqlmodel import Session

from storage.cases import STAFFED
from storage.dialect import table
from storage.prepared import prepared
from storage.tables import OPEN_CASE, Case, Consent, Duty, Staff

_K, _N, _D, _S = table(Case), table(Consent), table(Duty), table(Staff)
_MOMENT = prepared(select(
    select(_K.c.code).where(_K.c.conversation_id == bindparam("of"), text(OPEN_CASE)).scalar_subquery().label("open_case"),
    select(func.count()).select_from(_K).where(_K.c.state == "waiting").scalar_subquery().label("waiting"),
    STAFFED.exists().label("staffed"),
    exists().where(
        _D.c.day == bindparam("day"), _D.c.part == bindparam("part"), _S.c.id == _D.c.staff_id, _S.c.disabled_at.is_(None)
    ).label("on_duty"),
    exists().where(_N.c.conversation_id == bindparam("of"), _N.c.withdrawn_at.is_(None)).label("consented"),
))  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """`open_case`: the code of this talk's open case. `waiting`: cases that nobody has taken. `staffed`: see `cases.is_staffed`."""

    open_case: str | None
    waiting: int
    staffed: bool
    on_duty: bool
    """Somebody who still works here is on duty in the part of the day that was asked about."""
    consented: bool
    """A consent of this talk holds."""


def around(session: Session, conversation_id: str, *, day: str, part: str) -> Moment:
    """`day` as ISO date and `part` as in storage/duty.py: whose duty counts."""
    row = session.execute(_MOMENT, {"of": conversation_id, "day": day, "part": part}).one()
    return Moment(row.open_case, row.waiting, bool(row.staffed), bool(row.on_duty), bool(row.consented))
