"""Hidden addresses: sharing and printing are blocked, not warned of, until two people release them, and then for one day (R22).

Published leaks happened after staff had clicked past warnings; so there is nothing to click past.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlmodel import Session

from storage import audit, staff
from storage.desk_heads import CaseHead
from storage.desk_queue import Viewer
from storage.dialect import table
from storage.ids import new_id
from storage.refusals import Locked, Missing
from storage.sealing import seal, unseal
from storage.tables import Release, Staff

_R, _S = table(Release), table(Staff)

LASTS = timedelta(days=1)
_ASKED_FOR = timedelta(days=7)
"""A question that nobody confirmed is over after a week."""


@dataclass(frozen=True)
class Lock:
    """How a hidden address stands. `until`: released until then; `asked`: id of a question that waits for a second person."""

    until: datetime | None
    asked: str | None = None
    asked_by: str = ""
    asker_id: str = ""
    why: str = ""


def lock_of(session: Session, case: CaseHead, now: datetime) -> Lock | None:
    """None where nothing is hidden."""
    if not case.hidden_address:
        return None
    still_here = {one.id for one in staff.everybody(session) if not one.disabled}
    rows = session.execute(select(_R).where(_R.c.case_id == case.id, _R.c.asked_at > now - _ASKED_FOR).order_by(_R.c.asked_at.desc())).all()
    until = max((row.until for row in rows if row.until is not None and row.until > now), default=None)
    waiting = next((row for row in rows if row.until is None and row.asked_by in still_here), None)
    if until is not None or waiting is None:
        return Lock(until)
    why = unseal(session, case.scope, f"hidden_release.why:{waiting.id}", waiting.why_sealed)
    return Lock(None, waiting.id, staff.names(session).get(waiting.asked_by, ""), waiting.asked_by, why)


def check(session: Session, case: CaseHead, now: datetime) -> None:
    """Before anything of the case is shared, printed or exported. Raises `Locked`."""
    lock = lock_of(session, case, now)
    if lock is not None and lock.until is None:
        raise Locked


def ask(session: Session, viewer: Viewer, case: CaseHead, why: str, now: datetime) -> None:
    """The first of the two, with the reason."""
    made = new_id()
    cell = seal(session, case.scope, f"hidden_release.why:{made}", why)
    session.execute(_R.insert().values(id=made, case_id=case.id, why_sealed=cell, asked_by=viewer.staff_id, asked_at=now))
    audit.note(session, actor=viewer.actor, act="release.asked", now=now, case_id=case.id, release=made)


def confirm(session: Session, viewer: Viewer, case: CaseHead, release_id: str, now: datetime) -> None:
    """The second of the two. Raises `Missing` when it is the same person, nothing waits, or who asked does not work here any more."""
    asker = select(_S.c.id).where(_S.c.id == _R.c.asked_by, _S.c.disabled_at.is_(None)).exists()
    waits = (_R.c.id == release_id, _R.c.case_id == case.id, _R.c.until.is_(None), _R.c.asked_at > now - _ASKED_FOR, asker)
    done = update(_R).where(*waits, _R.c.asked_by != viewer.staff_id).values(confirmed_by=viewer.staff_id, until=now + LASTS)
    if not session.execute(done).rowcount:  # type: ignore[attr-defined]
        raise Missing
    audit.note(session, actor=viewer.actor, act="release.confirmed", now=now, case_id=case.id, release=release_id)


def note_refused(session: Session, viewer: Viewer, act: str, now: datetime) -> None:
    """A try at a locked door stands in the audit."""
    audit.note(session, actor=viewer.actor, act="release.refused", now=now, tried=act)
