"""A flood: so much of one resident in so short a time that somebody should look (R6). All is kept and heard; it may be distress, or mischief."""

from datetime import datetime, timedelta

from sqlmodel import Session as Rows

from storage import cases, records
from storage import talk as talks
from storage.talk import Talk

MANY = 60
"""Lines of one resident …"""
WITHIN = timedelta(minutes=10)
_LOOK_EVERY = 20
"""Lines from one look to the next; two numbers in a row, because of those that alternate with ours one is never a resident's."""
_TASK = "flood"


def look(rows: Rows, talk: Talk, now: datetime) -> None:
    """After a line of a resident: the desk is told once, until somebody has seen to it."""
    if talk.last_seq % _LOOK_EVERY > 1 or talks.count_since(rows, talk.id, "resident", now - WITHIN) < MANY:
        return
    if not records.has_open_task(rows, talk.id, _TASK):
        case = cases.open_of(rows, talk.id)
        records.add_task(rows, kind=_TASK, now=now, talk=talk, case_id=None if case is None else case.id)
