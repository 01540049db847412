"""Everything of one case that the national sheets are filled from, read at once and audited as an export (R33, R43)."""

from collections.abc import Sequence
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
from storage.refusals import Missing
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
    plan: MadePlan | None
    """The one the sheet is about: the newest, or the one that was asked for."""
    support: tuple[HeldSupportMeeting, ...]
    coordination: tuple[HeldCoordinationMeeting, ...]
    referred_to: tuple[str, ...]


@dataclass(frozen=True)
class WhichPlan:
    """A plan by its number, as it stood at a version; None: the newest."""

    number: int | None = None
    version: int | None = None


NEWEST = WhichPlan()


def of_case(session: Session, viewer: Viewer, code: str, form: str, how: str, now: datetime, which: WhichPlan = NEWEST) -> FormData:
    """Read a case for one sheet. `how`: print, xlsx, csv; it stands in the audit. People under 閲覧制限 stay shut. Raises `Locked`, and `Missing`
    where there is no such plan."""
    case = desk_heads.head(session, viewer, code)
    releases.check(session, case, now)
    row = session.execute(select(_K.c.id, _K.c.conversation_id, _K.c.version, _K.c.topics_sealed).where(_K.c.id == case.id)).one()
    lines, _, _ = desk_sheets.sheet(session, viewer, code)
    who = staff.names(session)
    plans = meetings.plans(session, case)
    plan = _which(plans, which)
    asked = {} if which == NEWEST else {"plan": which.number, "version": which.version}
    audit.note(session, actor=viewer.actor, act="form.printed", now=now, case_id=case.id, form=form, how=how, **asked)
    return FormData(
        case, who.get(case.coordinator_id or "", ""), case_cells.topics_of(session, row), tuple(lines), desk_sheets.answers(session, case)[0],
        tuple(consents.ledger(session, case)), tuple(household.members(session, viewer, case, now=now)),
        tuple(desk_cases.notes_of(session, viewer, code)), tuple(plans), plan,
        tuple(meetings.support_meetings(session, case)), tuple(meetings.coordination_meetings(session, case)),
        tuple(one.recipient for one in referrals.of_case(session, case, now)),
    )  # fmt: skip


def _which(plans: Sequence[MadePlan], which: WhichPlan) -> MadePlan | None:
    """Raises `Missing` for one that was asked for and is not there."""
    if which == NEWEST:
        return plans[0] if plans else None
    plan = next((one for one in plans if which.number in (None, one.number)), None)
    found = plan and (plan if which.version is None else plan.at_version(which.version))
    if found is None:
        raise Missing
    return found
