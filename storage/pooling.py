"""持ちより: what organisations propose for the town's knowledge, until staff take it or say why not. Facts of services only, no resident."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, select, update
from sqlmodel import Session

from storage import audit
from storage.desk_queue import Viewer
from storage.dialect import table
from storage.ids import new_id
from storage.refusals import Missing, Refused, Stale
from storage.tables import Agency, Proposal

_P, _A = table(Proposal), table(Agency)

ProposalState = Literal["waiting", "taken", "declined"]


@dataclass(frozen=True)
class Proposed:
    """One resource as an organisation wrote it. `fields`: an entry without its id."""

    id: str
    agency_id: str
    agency: str
    fields: Mapping[str, Any]
    state: ProposalState
    why: str
    entry_id: str | None
    at: datetime


MOST_WAITING = 400
"""Proposals of one organisation that wait to be looked at: more than a year of what it does, and no more than a person looks through."""


class TooManyWaiting(Refused):
    """This organisation has proposed so much that staff must look at some of it first."""


def propose(session: Session, viewer: Viewer, agency_id: str, entries: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """All of them or none. Raises `TooManyWaiting`."""
    waits = select(func.count()).select_from(_P).where(_P.c.agency_id == agency_id, _P.c.state == "waiting")
    if session.execute(waits).scalar_one() + len(entries) > MOST_WAITING:
        raise TooManyWaiting
    for fields in entries:
        _propose(session, viewer, agency_id, fields, now)


def _propose(session: Session, viewer: Viewer, agency_id: str, fields: Mapping[str, Any], now: datetime) -> None:
    made = new_id()
    written = json.dumps(dict(fields), ensure_ascii=False)
    session.execute(_P.insert().values(id=made, agency_id=agency_id, fields=written, state="waiting", made_by=viewer.staff_id, at=now))
    audit.note(session, actor=viewer.actor, act="proposal.made", now=now, proposal=made)


def proposals(session: Session, *, agency_id: str | None = None, waiting: bool = False) -> list[Proposed]:
    """Newest first: of one organisation, or of all; only those that wait."""
    query = select(_P, _A.c.name.label("agency")).join(_A, _A.c.id == _P.c.agency_id).order_by(_P.c.at.desc(), _P.c.id)
    if agency_id is not None:
        query = query.where(_P.c.agency_id == agency_id)
    if waiting:
        query = query.where(_P.c.state == "waiting")
    return [
        Proposed(row.id, row.agency_id, row.agency, json.loads(row.fields), row.state, row.why, row.entry_id, row.at)
        for row in session.execute(query)
    ]


def proposal(session: Session, proposal_id: str) -> Proposed:
    """One of them. Raises `Missing`."""
    found = next((one for one in proposals(session) if one.id == proposal_id), None)
    if found is None:
        raise Missing
    return found


def decide(
    session: Session, viewer: Viewer, proposal_id: str, state: ProposalState, *, why: str = "", entry_id: str | None = None, now: datetime
) -> None:  # fmt: skip
    """Taken into the town's knowledge, or not, with a reason the organisation reads. Raises `Stale` when it was decided before."""
    mine = update(_P).where(_P.c.id == proposal_id, _P.c.state == "waiting")
    decided = mine.values(state=state, why=why, entry_id=entry_id, decided_by=viewer.staff_id, decided_at=now)
    if not session.execute(decided).rowcount:  # type: ignore[attr-defined]
        raise Stale
    audit.note(session, actor=viewer.actor, act=f"proposal.{state}", now=now, proposal=proposal_id)
