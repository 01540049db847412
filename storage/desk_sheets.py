"""What coordinators write down about a case besides talk: the hand-off sheet, the answers of the national forms, who is writing now, who has it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlmodel import Session

from storage import audit, case_cells
from storage.desk_heads import CaseHead, row_of
from storage.desk_queue import Viewer, in_scope
from storage.dialect import insert_new, table
from storage.refusals import Stale
from storage.sealing import seal_json, unseal_json
from storage.tables import Case, Intake, Message, Staff, Writing

_K, _I, _W, _S, _M = table(Case), table(Intake), table(Writing), table(Staff), table(Message)
_STILL_WRITES = timedelta(seconds=12)


def sheet(session: Session, viewer: Viewer, code: str) -> tuple[list[dict[str, Any]], str, dict[str, int]]:
    """Lines of the hand-off sheet as stored (flows.model.SheetLine), a mark of exactly these, and the numbers of the lines they rest on."""
    row = row_of(session, viewer, code)
    written = case_cells.sheet_of(session, row)
    lines: list[dict[str, Any]] = json.loads(written)
    refs = {ref for line in lines for ref in line.get("refs", ())}
    numbers = {found.id: found.seq for found in session.execute(select(_M.c.id, _M.c.seq).where(_M.c.id.in_(refs)))} if refs else {}
    return lines, _mark(written), numbers


def name_of(line: Mapping[str, Any]) -> str:
    """What a tick beside this line is called: it means this line as it was read, and no other that has come to stand in its place (R23)."""
    return _mark(json.dumps(line, ensure_ascii=False, sort_keys=True))


def save_sheet(session: Session, viewer: Viewer, code: str, lines: Sequence[Mapping[str, Any]], *, expected: str, now: datetime) -> None:
    """Write the sheet anew. Raises `Stale` when it is no longer the one that `expected` marks (R23)."""
    row = row_of(session, viewer, code)
    row = session.execute(select(_K).where(_K.c.id == row.id).with_for_update()).one()
    if _mark(case_cells.sheet_of(session, row)) != expected:
        raise Stale
    written = json.dumps([dict(one) for one in lines], ensure_ascii=False)
    session.execute(update(_K).where(_K.c.id == row.id).values(**case_cells.next_version(session, row, sheet=written)))
    audit.note(session, actor=viewer.actor, act="sheet.changed", now=now, case_id=row.id, lines=len(lines))


def topics(session: Session, viewer: Viewer, code: str) -> tuple[tuple[str, ...], str]:
    """分野 of the case, the one that weighs most first, and a mark of exactly these."""
    found = case_cells.topics_of(session, row_of(session, viewer, code))
    return found, _mark(json.dumps(found))


def save_topics(session: Session, viewer: Viewer, code: str, wanted: Sequence[str], *, expected: str, now: datetime) -> None:
    """Write 分野 anew, as the figures count them; closed months stay. Raises `Stale` when they are no longer those of `expected` (R23)."""
    row = row_of(session, viewer, code)
    row = session.execute(select(_K).where(_K.c.id == row.id).with_for_update()).one()
    if _mark(json.dumps(case_cells.topics_of(session, row))) != expected:
        raise Stale
    session.execute(update(_K).where(_K.c.id == row.id).values(**case_cells.next_version(session, row, topics=wanted)))
    audit.note(session, actor=viewer.actor, act=audit.TOPICS, now=now, case_id=row.id, topics=len(wanted))


def answers(session: Session, case: CaseHead) -> tuple[dict[str, Any], int]:
    """What was written into the national forms, by field id, and its version; 0 = nothing yet."""
    row = session.execute(select(_I).where(_I.c.case_id == case.id)).first()
    if row is None:
        return {}, 0
    return unseal_json(session, case.scope, f"intake.answers:{case.id}:{row.version}", row.answers_sealed), row.version


def save_answers(session: Session, viewer: Viewer, case: CaseHead, given: Mapping[str, Any], *, expected: int, now: datetime) -> None:
    """Write the answers. Raises `Stale` when somebody else wrote since `expected` (R23)."""
    cell = seal_json(session, case.scope, f"intake.answers:{case.id}:{expected + 1}", dict(given))
    if expected == 0:
        made = insert_new(session, Intake).values(case_id=case.id, answers_sealed=cell, version=1, changed_at=now).on_conflict_do_nothing()
        done: Any = session.execute(made.returning(_I.c.case_id)).first()
    else:
        mine = update(_I).where(_I.c.case_id == case.id, _I.c.version == expected)
        written = mine.values(answers_sealed=cell, version=expected + 1, changed_at=now)
        done = session.execute(written.returning(_I.c.case_id)).first()
    if done is None:
        raise Stale
    audit.note(session, actor=viewer.actor, act="intake.changed", now=now, case_id=case.id)


def writes_now(session: Session, viewer: Viewer, code: str, now: datetime) -> str:
    """Remember for some seconds that this person writes here; returns the talk, for waking who watches it."""
    row = row_of(session, viewer, code)
    made = insert_new(session, Writing).values(case_id=row.id, staff_id=viewer.staff_id, at=now)
    session.execute(made.on_conflict_do_update(index_elements=["case_id", "staff_id"], set_={"at": now}))
    session.execute(delete(_W).where(_W.c.at < now - timedelta(hours=1)))
    talk: str = row.conversation_id
    return talk


def others_writing(session: Session, viewer: Viewer, code: str, now: datetime) -> list[str]:
    """Names of the others who write in this case at this moment."""
    query = (
        select(_S.c.name).join(_W, _W.c.staff_id == _S.c.id).join(_K, _K.c.id == _W.c.case_id)
        .where(in_scope(viewer), _K.c.code == code, _W.c.staff_id != viewer.staff_id, _W.c.at > now - _STILL_WRITES).order_by(_S.c.name)
    )  # fmt: skip
    return list(session.execute(query).scalars())


def _mark(written: str) -> str:
    return hashlib.sha256(written.encode()).hexdigest()[:20]
