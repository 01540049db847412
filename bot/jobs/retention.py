"""Once a day: what has been kept for as long as the town said goes by itself (R41).

A talk goes when so many whole 年度 have passed since its last word and since the last of its cases was closed, as public records are counted: from
the 1 April after. A clock that jumped deletes nothing: the desk is asked, and an operator says so.
"""

from datetime import date, datetime, time, timedelta

from sqlmodel import Session as Rows

from bot.clock import JST
from storage import audit, erasure, records, retention

LONGEST_PAUSE = timedelta(days=14)
"""More than this since the last look, or a day before it, and the clock may have jumped (R48)."""
_TASK = "retention_asks"
_AT_ONCE = 200


def look(rows: Rows, now: datetime, *, years: int, sure: bool = False) -> int | None:
    """Drop what has outlived its time, at most 200 talks at a time; returns how many. None = the clock may have jumped and nothing was dropped.

    Looks once a day: a second look of the same day finds 0. `sure`: an operator has seen that the clock is right.
    """
    today, last = now.astimezone(JST).date(), retention.last_look(rows)
    if last == today and not sure:
        return 0
    if last is not None and not sure and not timedelta(0) <= today - last <= LONGEST_PAUSE:
        if not records.has_open_task(rows, None, _TASK):
            records.add_task(rows, kind=_TASK, now=now)
        return None
    retention.clear_short_lived(rows, now)
    found = retention.outlived(rows, before=datetime.combine(fiscal_start(today, years_ago=years), time(), JST), limit=_AT_ONCE)
    for conversation_id in found:
        erasure.drop(rows, conversation_id)
    if found:
        audit.note(rows, actor="system", act="retention.dropped", now=now, count=len(found))
    if len(found) < _AT_ONCE:
        audit.note_head(rows, now)
        retention.note_look(rows, today)
    return len(found)


def fiscal_start(today: date, *, years_ago: int) -> date:
    """1 April of the 年度 so many years before that of `today`."""
    year = today.year if today >= date(today.year, 4, 1) else today.year - 1
    return date(year - years_ago, 4, 1)
