"""Everything of one case that the national sheets are filled from, read at once and audited as an export (R33, R43)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from storage import audit, case_cells, consents, desk_cases, desk_heads, desk_sheets, household, meetings, referrals, releases, staff
from storage.desk_cases import Note
from storage.desk_heads import CaseHead
from storage.desk_queue import Viewer
from storage.dialect import table
from storage.household import Member
from storage.meetings import HeldCoordinationMeeting, HeldSupportMeeting, MadePlan
from storage.records import GivenConsent
from storage.tables import Case

_K = table(Case)


@dataclass(frozen=True)
class FormData:
    """What a case knows, for the sheets of the state."""

    case: CaseHead
    received_by: str
    topics: tuple[str, ...]
    sheet: tuple[dict[str, Any], ...]
    answers: dict[str, Any]
    consents: tuple[GivenConsent, ...]
    household: tuple[Member, ...]
    entries: tuple[Note, ...]
    plans: tuple[MadePlan, ...]
    support: tuple[HeldSupportMeeting, ...]
    coordination: tuple[HeldCoordinationMeeting, ...]
    referred_to: tuple[str, ...]


def of_case(session: Session, viewer: Viewer, code: str, form: str, how: str, now: datetime) -> FormData:
    """Read a case for one sheet. `how`: print, xlsx, csv; it stands in the audit. People under 閲覧制限 stay shut. Raises `Locked`."""
    case = desk_heads.head(session, viewer, code)
    releases.check(session, case, now)
    row = session.execute(select(_K.c.id, _K.c.conversation_id, _K.c.version, _K.c.topics_sealed).where(_K.c.id == case.id)).one()
    lines, _, _ = desk_sheets.sheet(session, viewer, code)
    who = staff.names(session)
    audit.note(session, actor=viewer.actor, act="form.printed", now=now, case_id=case.id, form=form, how=how)
    return FormData(
        case, who.get(case.coordinator_id or "", ""), case_cells.topics_of(session, row), tuple(lines), desk_sheets.answers(session, case)[0],
        tuple(consents.ledger(session, case)), tuple(household.members(session, viewer, case, now=now)),
        tuple(desk_cases.notes_of(session, viewer, code)), tuple(meetings.plans(session, case)),
        tuple(meetings.support_meetings(session, case)), tuple(meetings.coordination_meetings(session, case)),
        tuple(one.recipient for one in referrals.of_case(session, case, now)),
    )  # fmt: skip
