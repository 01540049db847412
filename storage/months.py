"""Months that were closed: their counts stay as they were, whatever is erased or written later (月締め). Counts only, sealed."""

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session

from storage import audit
from storage.desk_queue import Viewer
from storage.dialect import table
from storage.refusals import Stale
from storage.sealing import seal_json, unseal
from storage.tables import ClosedMonth

_N = table(ClosedMonth)
_SCOPE = "figures"

Counts = Mapping[str, Mapping[str, int]]


def closed(session: Session) -> dict[str, dict[str, dict[str, int]]]:
    """`2026-09` → its counts, oldest first."""
    rows = session.execute(select(_N).order_by(_N.c.month))
    return {row.month: json.loads(unseal(session, _SCOPE, f"closed_month.counts:{row.month}", row.counts_sealed)) for row in rows}


def close(session: Session, viewer: Viewer, month: str, counts: Counts, now: datetime) -> None:
    """Keep the counts of a month that is over. Raises `Stale` when somebody closed it already."""
    if session.execute(select(_N.c.month).where(_N.c.month == month)).first() is not None:
        raise Stale
    cell = seal_json(session, _SCOPE, f"closed_month.counts:{month}", counts)
    session.execute(_N.insert().values(month=month, counts_sealed=cell, closed_by=viewer.staff_id, at=now))
    audit.note(session, actor=viewer.actor, act="month.closed", now=now, month=month)
