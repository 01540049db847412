"""Changes of the town's knowledge that wait for a second person (desk.md §4, D15b). Who wrote one never lets it through."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlmodel import Session

from storage import audit
from storage.dialect import table
from storage.ids import new_id
from storage.refusals import Missing, Refused
from storage.tables import KnowledgeProposal, Staff

_P, _S = table(KnowledgeProposal), table(Staff)


@dataclass(frozen=True)
class Proposal:
    """`before` None = the file is not there yet."""

    id: str
    entry_id: str
    file: str
    before: str | None
    after: str
    staff_id: str
    by: str
    why: str
    at: datetime


def propose(
    session: Session, *, entry_id: str, file: str, before: str | None, after: str, staff_id: str, why: str, now: datetime
) -> str:  # fmt: skip
    """Keep a change until somebody else has looked at it; returns its id."""
    proposal_id = new_id()
    row = {"id": proposal_id, "entry_id": entry_id, "file": file, "before": before, "after": after, "staff_id": staff_id, "why": why, "at": now}
    session.execute(_P.insert().values(**row, published=False))
    audit.note(session, actor=f"staff:{staff_id}", act="knowledge.proposed", now=now, entry=entry_id, proposal=proposal_id)
    return proposal_id


def waiting(session: Session) -> list[Proposal]:
    """Oldest first."""
    return [_proposal(row) for row in session.execute(_WITH_NAMES.where(_P.c.decided_at.is_(None)).order_by(_P.c.at, _P.c.id))]


def count(session: Session) -> int:
    found: int = session.execute(select(func.count()).select_from(_P).where(_P.c.decided_at.is_(None))).scalar_one()
    return found


def by_id(session: Session, proposal_id: str) -> Proposal:
    """Raises Missing for one that is decided."""
    row = session.execute(_WITH_NAMES.where(_P.c.id == proposal_id, _P.c.decided_at.is_(None))).first()
    if row is None:
        raise Missing
    return _proposal(row)


def decide(session: Session, proposal: Proposal, staff_id: str, *, publish: bool, now: datetime) -> None:
    """Let it through, or not. Raises Refused for the writer's own; Missing when somebody else was quicker.

    The writer may take it back.
    """
    if publish and staff_id == proposal.staff_id:
        raise Refused
    this = update(_P).where(_P.c.id == proposal.id, _P.c.decided_at.is_(None))
    done: int = session.execute(this.values(decided_by=staff_id, decided_at=now, published=publish)).rowcount  # type: ignore[attr-defined]
    if not done:
        raise Missing
    act = "knowledge.let_through" if publish else "knowledge.turned_down"
    audit.note(session, actor=f"staff:{staff_id}", act=act, now=now, entry=proposal.entry_id, proposal=proposal.id)


_WITH_NAMES = select(_P, _S.c.name.label("by")).join(_S, _S.c.id == _P.c.staff_id)


def _proposal(row: object) -> Proposal:
    return Proposal(row.id, row.entry_id, row.file, row.before, row.after, row.staff_id, row.by, row.why, row.at)  # type: ignore[attr-defined]
