"""つなぎ: ticked items, told to one recipient, on one lawful ground, until one day; what came back (desk.md §3, R20).

What an agency with accounts may read is asked of this module only. A consent taken back, a day that has passed, a referral refused or over: the
next look finds nothing. Words of a message that was unsent go from what was shared too (R8).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlmodel import Session

from storage import audit, consents, releases
from storage.desk_heads import CaseHead
from storage.desk_queue import Viewer
from storage.dialect import table
from storage.ids import new_id
from storage.refusals import Missing, NoGround, Stale
from storage.sealing import seal, seal_json, unseal, unseal_json
from storage.tables import Agency, Case, Consent, Conversation, Message, Referral, Release, Staff, SupportMeeting
from storage.talk import Talk, scope_of

_R, _K, _N, _A, _M, _S, _E = table(Referral), table(Case), table(Consent), table(Agency), table(Message), table(SupportMeeting), table(Staff)
_C, _F = table(Conversation), table(Release)

Basis = Literal["consent", "support_meeting", "danger"]
BASES: tuple[Basis, ...] = get_args(Basis)
"""本人の同意, 支援会議（106条の6）, 生命・身体の危険（個人情報の保護に関する法律69条2項）."""
ReferralState = Literal["asked", "accepted", "refused", "interrupted", "completed"]
ResidentSays = Literal["met", "not_yet", "could_not", "refused"]
RESIDENT_SAYS: tuple[ResidentSays, ...] = get_args(ResidentSays)
_NEXT: dict[ReferralState, tuple[ReferralState, ...]] = {
    "asked": ("accepted", "refused", "interrupted"), "accepted": ("completed", "interrupted", "refused"),
}  # fmt: skip
"""From which state to which: what is refused, broken off or completed stays so."""
NEEDS_REASON: tuple[ReferralState, ...] = ("refused", "interrupted")


@dataclass(frozen=True)
class Item:
    """One thing that is told, and the messages it rests on."""

    text: str
    refs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ground:
    """Why it may be told: a consent that holds, a 支援会議 of this case, or a danger in words."""

    basis: Basis
    consent_id: str | None = None
    meeting_id: str | None = None
    words: str = ""


@dataclass(frozen=True)
class Came:
    """What came back from the recipient, or was heard of it."""

    at: datetime
    who: str
    state: ReferralState
    words: str


@dataclass(frozen=True)
class Shown:
    """A referral as the desk and the agency see it. `holds`: the agency may read it now."""

    id: str
    code: str
    recipient: str
    agency_id: str | None
    purpose: str
    basis: Basis
    ground: str
    items: tuple[str, ...]
    state: ReferralState
    answers: tuple[Came, ...]
    asked_by: str
    asked_at: datetime
    due_at: datetime
    until: datetime
    resident_says: ResidentSays | None
    holds: bool
    version: int

    @property
    def next_states(self) -> tuple[ReferralState, ...]:
        return _NEXT.get(self.state, ())


def refer(
    session: Session, viewer: Viewer, case: CaseHead, *, recipient: str, agency_id: str | None, purpose: str, items: Sequence[Item], ground: Ground,
    due_at: datetime, until: datetime, now: datetime,
) -> str:  # fmt: skip
    """Ask an office to take over, and tell it these items. Raises `NoGround` when nothing lawful carries it, `Locked` for a hidden address,
    `Missing` for an unknown agency."""
    _check_ground(session, case, ground, recipient, now)
    releases.check(session, case, now)
    if agency_id is not None and session.execute(select(_A.c.id).where(_A.c.id == agency_id)).first() is None:
        raise Missing
    made = new_id()
    told = [{"text": one.text, "refs": list(one.refs)} for one in items]
    body = {"recipient": recipient, "purpose": purpose, "ground": ground.words, "items": told}
    session.execute(
        _R.insert().values(
            id=made, case_id=case.id, agency_id=agency_id, basis=ground.basis, consent_id=ground.consent_id if ground.basis == "consent" else None,
            meeting_id=ground.meeting_id if ground.basis == "support_meeting" else None, state="asked",
            body_sealed=seal_json(session, case.scope, f"referral.body:{made}", body), asked_by=viewer.staff_id, asked_at=now, due_at=due_at,
            until=until, version=1,
        )
    )  # fmt: skip
    audit.note(session, actor=viewer.actor, act="referral.asked", now=now, case_id=case.id, referral=made, basis=ground.basis, items=len(items))
    return made


def of_case(session: Session, case: CaseHead, now: datetime) -> list[Shown]:
    """The referrals of a case, newest first."""
    return [_shown(session, row) for row in session.execute(_query(now).where(_R.c.case_id == case.id).order_by(_R.c.asked_at.desc(), _R.c.id))]


def answered(
    session: Session, viewer: Viewer, case: CaseHead, referral_id: str, state: ReferralState, words: str, *, expected: int, now: datetime
) -> None:  # fmt: skip
    """What a coordinator heard from the recipient. Raises `Missing`, `Stale`."""
    _move(session, viewer, _R.c.case_id == case.id, referral_id, state, words, expected=expected, now=now)


def note_resident(session: Session, viewer: Viewer, case: CaseHead, referral_id: str, says: ResidentSays, now: datetime) -> None:
    """What the person says of it: only the two together are true."""
    done = update(_R).where(_R.c.id == referral_id, _R.c.case_id == case.id).values(resident_says=says)
    if not session.execute(done).rowcount:  # type: ignore[attr-defined]
        raise Missing
    audit.note(session, actor=viewer.actor, act="referral.resident_asked", now=now, case_id=case.id, referral=referral_id, says=says)


def is_silent(session: Session, case_id: str, now: datetime) -> bool:
    """Whether a recipient of this case has let 8 working days pass without a word."""
    query = select(_R.c.id).where(_R.c.case_id == case_id, _R.c.state == "asked", _R.c.due_at <= now).limit(1)
    return session.execute(query).first() is not None


# ---------------------------------------------------------------- what an agency sees


def shared_with(session: Session, agency_id: str, now: datetime) -> list[Shown]:
    """What is shared with this agency at this moment, newest first."""
    query = _query(now).where(_R.c.agency_id == agency_id, _holds(now)).order_by(_R.c.asked_at.desc(), _R.c.id)
    return [_shown(session, row) for row in session.execute(query)]


def read_shared(session: Session, viewer: Viewer, agency_id: str, referral_id: str, now: datetime) -> Shown:
    """One of them; the reading is audited. Raises `Missing` for what is not theirs, or no longer."""
    row = session.execute(_query(now).where(_R.c.id == referral_id, _R.c.agency_id == agency_id, _holds(now))).first()
    if row is None:
        raise Missing
    audit.note(session, actor=viewer.actor, act="referral.read", now=now, case_id=row.case_id, referral=row.id)
    return _shown(session, row)


def reported(
    session: Session, viewer: Viewer, agency_id: str, referral_id: str, state: ReferralState, words: str, *, expected: int, now: datetime
) -> str:  # fmt: skip
    """The agency accepts, refuses with a reason, or reports. Returns the code of the case. Raises `Missing`, `Stale`."""
    return _move(session, viewer, and_(_R.c.agency_id == agency_id, _holds(now)), referral_id, state, words, expected=expected, now=now)


def talk_of(session: Session, code: str) -> str:
    """The talk behind a case, for waking who watches it."""
    found: str = session.execute(select(_K.c.conversation_id).where(_K.c.code == code)).scalar_one()
    return found


def forget_words(session: Session, talk: Talk, message_id: str) -> set[str]:
    """Items that rest on an unsent message leave what offices were told (R8). A new version, so that a page of theirs that lies open hears of it.
    Returns the cases."""
    rows = session.execute(select(_R).join(_K, _K.c.id == _R.c.case_id).where(_K.c.conversation_id == talk.id)).all()
    scope, lost = scope_of(talk.id), set[str]()
    for row in rows:
        place, answers = f"referral.body:{row.id}", f"referral.answers:{row.id}"
        body = unseal_json(session, scope, place, row.body_sealed)
        kept = [one for one in body["items"] if message_id not in one["refs"]]
        if len(kept) == len(body["items"]):
            continue
        came = None if row.answers_sealed is None else unseal(session, scope, f"{answers}:{row.version}", row.answers_sealed)
        values = {
            "body_sealed": seal_json(session, scope, place, body | {"items": kept}), "version": row.version + 1,
            "answers_sealed": None if came is None else seal(session, scope, f"{answers}:{row.version + 1}", came),
        }  # fmt: skip
        session.execute(update(_R).where(_R.c.id == row.id).values(**values))
        lost.add(row.case_id)
    return lost


def pulse_of(session: Session, staff_id: str, now: datetime) -> list[tuple[str, int]]:
    """Ids and versions of what somebody of an agency may read now: enough to tell an open page that it is old."""
    query = (
        select(_R.c.id, _R.c.version).outerjoin(_N, _N.c.id == _R.c.consent_id).join(_E, _E.c.agency_id == _R.c.agency_id)
        .where(_E.c.id == staff_id, _holds(now)).order_by(_R.c.id)
    )  # fmt: skip
    return [(row.id, row.version) for row in session.execute(query)]


# ---------------------------------------------------------------- agencies


def agencies(session: Session) -> list[tuple[str, str]]:
    """Ids and names of the offices that may have accounts."""
    return [(row.id, row.name) for row in session.execute(select(_A.c.id, _A.c.name).order_by(_A.c.name))]


def add_agency(session: Session, viewer: Viewer, name: str, now: datetime) -> str:
    """Write an office down; the one of this name when it is there already."""
    known = session.execute(select(_A.c.id).where(_A.c.name == name)).scalar()
    if known is not None:
        return str(known)
    made = new_id()
    session.execute(_A.insert().values(id=made, name=name, created_at=now))
    audit.note(session, actor=viewer.actor, act="agency.added", now=now, agency=made)
    return made


def agency_of(session: Session, staff_id: str) -> tuple[str, str] | None:
    """Id and name of the office somebody works for."""
    row = session.execute(select(_A.c.id, _A.c.name).join(_E, _E.c.agency_id == _A.c.id).where(_E.c.id == staff_id)).first()
    return None if row is None else (row.id, row.name)


# ---------------------------------------------------------------- small parts


def _check_ground(session: Session, case: CaseHead, ground: Ground, recipient: str, now: datetime) -> None:
    match ground.basis:
        case "consent":
            held = {one.id: one for one in consents.holding(session, case, now)}
            if ground.consent_id not in held or held[ground.consent_id].recipient != recipient:
                raise NoGround
        case "support_meeting":
            found = select(_S.c.id).where(_S.c.id == ground.meeting_id, _S.c.case_id == case.id)
            if ground.meeting_id is None or session.execute(found).first() is None:
                raise NoGround
        case "danger":
            if not ground.words.strip():
                raise NoGround


def _move(
    session: Session, viewer: Viewer, theirs: ColumnElement[bool], referral_id: str, state: ReferralState, words: str, *, expected: int, now: datetime
) -> str:  # fmt: skip
    query = select(_R, _K.c.code, _K.c.conversation_id).join(_K, _K.c.id == _R.c.case_id).outerjoin(_N, _N.c.id == _R.c.consent_id)
    row = session.execute(query.where(_R.c.id == referral_id, theirs)).first()
    if row is None:
        raise Missing
    if row.version != expected or (state != row.state and state not in _NEXT.get(row.state, ())):
        raise Stale
    scope = scope_of(row.conversation_id)
    place = f"referral.answers:{row.id}"
    before = [] if row.answers_sealed is None else unseal_json(session, scope, f"{place}:{row.version}", row.answers_sealed)
    came = {"at": now.isoformat(), "who": viewer.name, "state": state, "words": words}
    done = update(_R).where(_R.c.id == row.id, _R.c.version == expected).values(
        state=state, answers_sealed=seal_json(session, scope, f"{place}:{expected + 1}", [*before, came]), answered_at=row.answered_at or now,
        version=expected + 1,
    )  # fmt: skip
    if not session.execute(done).rowcount:  # type: ignore[attr-defined]
        raise Stale
    audit.note(session, actor=viewer.actor, act="referral.answered", now=now, case_id=row.case_id, referral=row.id, state=state)
    return str(row.code)


def _query(now: datetime) -> Any:
    return (
        select(
            _R, _K.c.code, _K.c.conversation_id, _E.c.name.label("asker"),
            _holds(now).label("holds"),
        )
        .join(_K, _K.c.id == _R.c.case_id).join(_E, _E.c.id == _R.c.asked_by).outerjoin(_N, _N.c.id == _R.c.consent_id)
    )  # fmt: skip


def _holds(now: datetime) -> ColumnElement[bool]:
    """The grant is alive: its day has not passed, it was not refused or broken off, and a consent it rests on was not taken back.

    Nor is the address hidden since: then what was shared before is shut too, until two people release it (R22).
    """
    consent = and_(_N.c.withdrawn_at.is_(None), or_(_N.c.until.is_(None), _N.c.until > now))
    alive = (_R.c.until > now, _R.c.state.in_(("asked", "accepted", "completed")), or_(_R.c.basis != "consent", consent))
    return and_(*alive, ~_locked(now))


def _locked(now: datetime) -> ColumnElement[bool]:
    hidden = select(_K.c.id).join(_C, _C.c.id == _K.c.conversation_id).where(_K.c.id == _R.c.case_id, _C.c.hidden_address)
    released = select(_F.c.id).where(_F.c.case_id == _R.c.case_id, _F.c.until > now)
    return and_(hidden.correlate(_R).exists(), ~released.correlate(_R).exists())


def _shown(session: Session, row: Any) -> Shown:
    scope = scope_of(row.conversation_id)
    body: Mapping[str, Any] = unseal_json(session, scope, f"referral.body:{row.id}", row.body_sealed)
    place = f"referral.answers:{row.id}:{row.version}"
    came = [] if row.answers_sealed is None else unseal_json(session, scope, place, row.answers_sealed)
    lost = _unsent(session, [ref for one in body["items"] for ref in one["refs"]])
    items = tuple(one["text"] for one in body["items"] if lost.isdisjoint(one["refs"]))
    return Shown(
        row.id, row.code, body["recipient"], row.agency_id, body["purpose"], row.basis, body["ground"], items, row.state,
        tuple(Came(datetime.fromisoformat(one["at"]), one["who"], one["state"], one["words"]) for one in came), row.asker, row.asked_at, row.due_at,
        row.until, row.resident_says, bool(row.holds), row.version,
    )  # fmt: skip


def _unsent(session: Session, refs: Sequence[str]) -> set[str]:
    if not refs:
        return set()
    return set(session.execute(select(_M.c.id).where(_M.c.id.in_(refs), _M.c.withdrawn_at.is_not(None))).scalars())
