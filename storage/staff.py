"""Staff: accounts, invitations, signed-in browsers, keys of other systems, failed tries (R25–R28).

Of every secret only its SHA-256 is kept: they are 256 random bits, so nothing slower is needed. Passwords arrive here as Argon2 hashes.
"""

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from sqlalchemy import func, select, update
from sqlmodel import Session

from storage import audit, cases
from storage.dialect import is_postgres, table
from storage.ids import new_id, new_token
from storage.sealing import fingerprint
from storage.tables import ApiToken, Invitation, SignInTry, Staff, StaffSession

Role = Literal["coordinator", "lead", "editor", "admin", "agency"]
ROLES: tuple[Role, ...] = get_args(Role)

INVITATION_LASTS = timedelta(minutes=60)
IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
_FACTOR_WITHIN = timedelta(minutes=10)
"""How long a right password waits for its second factor."""
_TOUCH_EVERY = timedelta(seconds=20)
_TRY_WINDOW = timedelta(minutes=15)
_MOST_TRIES = {"both": 5, "login": 20, "address": 60}
"""Failed tries in a quarter of an hour: of one login from one address, of one login, of one address. An office shares an address (R28)."""

_CALLS_WINDOW = timedelta(minutes=1)

_S, _B, _V, _T, _Y = table(Staff), table(StaffSession), table(Invitation), table(ApiToken), table(SignInTry)
_LOCK_TRIES = select(func.pg_advisory_xact_lock(106_007))


class InvitationSpent(Exception):
    """The one-time link was used, is too old, or never was."""


class LoginTaken(Exception):
    """Somebody else has this login."""


@dataclass(frozen=True)
class Member:
    """A member of staff."""

    id: str
    login: str
    name: str
    role: Role
    disabled: bool


@dataclass(frozen=True)
class Credentials:
    """What a sign-in is checked against."""

    member: Member
    password_hash: str


@dataclass(frozen=True)
class SignedIn:
    """A signed-in browser."""

    member: Member
    token_hash: str
    csrf: str
    started_at: datetime
    seen_at: datetime
    factor_due: bool = False
    """The password was right, the second factor is not yet: opens the door that asks for it, and no other (R26)."""
    let_in: frozenset[str] = frozenset()
    """Residents whose cases an emergency opens to them now (R21)."""
    proven_at: datetime | None = None
    """When they last proved again who they are, while signed in; None since the sign-in."""
    heard: int = 0
    """Number of the newest row of the audit by then: of what happens later, the page that is made now still has to hear."""

    @property
    def last_proven(self) -> datetime:
        return self.proven_at or self.started_at

    @property
    def ends_at(self) -> datetime:
        """When it ends if nothing more is done."""
        return min(self.seen_at + IDLE, self.started_at + ABSOLUTE)


@dataclass(frozen=True)
class KeyHolder:
    """Whose rights an API token has, and its short name for the audit."""

    member: Member
    short: str


def login_of(written: str) -> str:
    """One spelling of a login: width and case do not matter."""
    return unicodedata.normalize("NFKC", written).strip().casefold()


# ---------------------------------------------------------------- accounts


def everybody(session: Session) -> list[Member]:
    return [_member(row) for row in session.execute(select(_S).order_by(_S.c.login))]


def names(session: Session) -> dict[str, str]:
    """Names by id, of all who ever worked here."""
    return {row.id: row.name for row in session.execute(select(_S.c.id, _S.c.name))}


def first_invitation(session: Session, now: datetime) -> str | None:
    """A one-time link for the first coordinator while there is nobody yet (R25); an earlier unused one ends."""
    if session.execute(select(_S.c.id).limit(1)).first() is not None:
        return None
    session.execute(update(_V).where(_V.c.used_at.is_(None)).values(used_at=now))
    return invite(session, role="lead", now=now)


def invite(session: Session, *, role: str, now: datetime, agency_id: str | None = None, actor: str = "system") -> str:
    """Make a one-time link for a new member of staff, or of an agency; the token is shown once. `actor`: who made it; the command is `system`."""
    token = new_token()
    session.execute(_V.insert().values(token_hash=_hash(token), role=role, agency_id=agency_id, until=now + INVITATION_LASTS))
    audit.note(session, actor=actor, act="staff.invited", now=now, role=role)
    return token


def is_invited(session: Session, token: str, now: datetime) -> bool:
    """Whether this link may still be used."""
    query = select(_V.c.role).where(_V.c.token_hash == _hash(token), _V.c.used_at.is_(None), _V.c.until > now)
    return session.execute(query).first() is not None


def accept(session: Session, token: str, *, login: str, name: str, password_hash: str, now: datetime) -> Member:
    """Use a link up and make the account. Raises `InvitationSpent`, `LoginTaken`."""
    used = update(_V).where(_V.c.token_hash == _hash(token), _V.c.used_at.is_(None), _V.c.until > now).values(used_at=now)
    row = session.execute(used.returning(_V.c.role, _V.c.agency_id)).first()
    if row is None:
        raise InvitationSpent
    login = login_of(login)
    if session.execute(select(_S.c.id).where(_S.c.login == login)).first() is not None:
        raise LoginTaken
    member = Member(new_id(), login, name, row.role, False)
    session.execute(
        _S.insert().values(
            id=member.id, login=login, name=name, role=row.role, agency_id=row.agency_id, password_hash=password_hash, created_at=now
        )
    )
    audit.note(session, actor=f"staff:{member.id}", act="staff.joined", now=now, role=row.role)
    return member


def disable(session: Session, *, login: str, now: datetime) -> bool:
    """Stop an account: its sessions and keys end at once (R27), and the cases it held wait for whoever is on duty."""
    row = session.execute(select(_S.c.id).where(_S.c.login == login_of(login))).first()
    if row is None:
        return False
    session.execute(update(_S).where(_S.c.id == row.id, _S.c.disabled_at.is_(None)).values(disabled_at=now))
    session.execute(update(_B).where(_B.c.staff_id == row.id, _B.c.ended_at.is_(None)).values(ended_at=now))
    session.execute(update(_T).where(_T.c.staff_id == row.id, _T.c.revoked_at.is_(None)).values(revoked_at=now))
    cases.requeue_all_of(session, row.id)
    audit.note(session, actor="system", act="staff.disabled", now=now, staff=row.id)
    return True


def credentials(session: Session, login: str) -> Credentials | None:
    """What to check a password against; None for unknown, disabled and unfinished accounts alike."""
    row = session.execute(select(_S).where(_S.c.login == login_of(login), _S.c.disabled_at.is_(None), _S.c.password_hash.is_not(None))).first()
    return None if row is None else Credentials(_member(row), row.password_hash)


def set_password_hash(session: Session, staff_id: str, password_hash: str) -> None:
    """Store the same password hashed anew, when Argon2's parameters have grown."""
    session.execute(update(_S).where(_S.c.id == staff_id).values(password_hash=password_hash))


# ---------------------------------------------------------------- signed-in browsers


def sign_in(session: Session, member: Member, now: datetime, *, factor_due: bool = False) -> str:
    """Begin a new session with a new id (R27); returns the cookie, of which only the hash is kept."""
    token = new_token()
    began = {"token_hash": _hash(token), "staff_id": member.id, "csrf": new_token(), "started_at": now, "seen_at": now, "factor_due": factor_due}
    session.execute(_B.insert().values(**began))
    if not factor_due:
        audit.note(session, actor=f"staff:{member.id}", act="staff.signed_in", now=now)
    return token


def signed_in(session: Session, token: str, now: datetime, *, touch: bool = True) -> SignedIn | None:
    """Who this cookie is, if the session lives (idle 30 min, at most 12 h, account not stopped). `touch=False` does not keep it alive."""
    query = (
        select(_B.c.token_hash, _B.c.csrf, _B.c.started_at, _B.c.seen_at, _B.c.factor_due, _B.c.proven_at, _S)
        .join(_S, _S.c.id == _B.c.staff_id)
        .where(_B.c.token_hash == _hash(token), _B.c.ended_at.is_(None), _S.c.disabled_at.is_(None))
    )
    row = session.execute(query).first()
    if row is None or now - row.seen_at >= IDLE or now - row.started_at >= (_FACTOR_WITHIN if row.factor_due else ABSOLUTE):
        return None
    seen_at = row.seen_at
    if touch and now - seen_at >= _TOUCH_EVERY:
        session.execute(update(_B).where(_B.c.token_hash == row.token_hash).values(seen_at=now))
        seen_at = now
    return SignedIn(_member(row), row.token_hash, row.csrf, row.started_at, seen_at, row.factor_due, proven_at=row.proven_at)


def sessions_of(session: Session, staff_id: str, now: datetime) -> list[SignedIn]:
    """Every browser this member is signed in with now, newest first (R27: users see and end their sessions)."""
    query = (
        select(_B.c.token_hash, _B.c.csrf, _B.c.started_at, _B.c.seen_at, _B.c.factor_due, _S).join(_S, _S.c.id == _B.c.staff_id)
        .where(_B.c.staff_id == staff_id, _B.c.ended_at.is_(None), _B.c.seen_at > now - IDLE, _B.c.started_at > now - ABSOLUTE)
        .order_by(_B.c.started_at.desc())
    )  # fmt: skip
    return [SignedIn(_member(row), row.token_hash, row.csrf, row.started_at, row.seen_at, row.factor_due) for row in session.execute(query)]


def end_others(session: Session, signed: SignedIn, now: datetime) -> int:
    """End every other session of this member; returns how many."""
    others = update(_B).where(_B.c.staff_id == signed.member.id, _B.c.ended_at.is_(None), _B.c.token_hash != signed.token_hash)
    ended = session.execute(others.values(ended_at=now)).rowcount  # type: ignore[attr-defined]
    audit.note(session, actor=f"staff:{signed.member.id}", act="staff.ended_others", now=now, count=ended)
    return int(ended)


def change_password(session: Session, signed: SignedIn, password_hash: str, now: datetime) -> None:
    """A new password; every other session ends (R27)."""
    set_password_hash(session, signed.member.id, password_hash)
    end_others(session, signed, now)
    audit.note(session, actor=f"staff:{signed.member.id}", act="staff.password_changed", now=now)


def prove(session: Session, signed: SignedIn, now: datetime) -> None:
    """Whoever sits at this browser has just shown once more that it is them (R33)."""
    session.execute(update(_B).where(_B.c.token_hash == signed.token_hash).values(proven_at=now))
    audit.note(session, actor=f"staff:{signed.member.id}", act="staff.proved", now=now)


def sign_out(session: Session, signed: SignedIn, now: datetime) -> None:
    session.execute(update(_B).where(_B.c.token_hash == signed.token_hash).values(ended_at=now))
    audit.note(session, actor=f"staff:{signed.member.id}", act="staff.signed_out", now=now)


# ---------------------------------------------------------------- slowing down guessing


def may_try(session: Session, login: str, address: str, now: datetime) -> bool:
    """Whether one more try is allowed now for this login from this address (R28). Whoever asks at the same time waits for the end of this
    transaction: else all of them would be counted after all were let through."""
    if is_postgres(session):
        session.execute(_LOCK_TRIES)
    since = now - _TRY_WINDOW
    for about, who in _tried_by(session, login, address).items():
        count = session.execute(select(func.count()).select_from(_Y).where(_Y.c.who_hash == who, _Y.c.at > since)).scalar_one()
        if count >= _MOST_TRIES[about]:
            return False
    return True


def take_try(session: Session, login: str, address: str, now: datetime) -> list[str] | None:
    """Count a try before it is made, so that of many at once none slips through; None when there were too many. Returns what `give_back` takes."""
    return _count_try(session, login, address, now) if may_try(session, login, address, now) else None


def give_back(session: Session, counted: list[str]) -> None:
    """The try was right: it counts no more."""
    session.execute(_Y.delete().where(_Y.c.id.in_(counted)))


def note_failed_try(session: Session, login: str, address: str, now: datetime) -> None:
    """Count a failed try."""
    _count_try(session, login, address, now)
    note_wrong(session, now)


def note_wrong(session: Session, now: datetime) -> None:
    """A try that was counted when it was made has failed (R43: failed tries)."""
    audit.note(session, actor="system", act="staff.sign_in_failed", now=now)


def _count_try(session: Session, login: str, address: str, now: datetime) -> list[str]:
    """Old ones are cleared away."""
    session.execute(_Y.delete().where(_Y.c.at < now - _TRY_WINDOW))
    counted = [{"id": new_id(), "who_hash": who, "at": now} for who in _tried_by(session, login, address).values()]
    session.execute(_Y.insert(), counted)
    return [str(one["id"]) for one in counted]


def _tried_by(session: Session, login: str, address: str) -> dict[str, str]:
    login = login_of(login)
    return {
        "both": fingerprint(session, f"try:{login}@{address}"),
        "login": fingerprint(session, f"try:{login}"),
        "address": fingerprint(session, f"try:@{address}"),
    }


# ---------------------------------------------------------------- keys of other systems


def add_token(session: Session, *, login: str, name: str, now: datetime) -> str | None:
    """Make an API token with the rights of one member of staff; shown once. None when there is no such person."""
    row = session.execute(select(_S.c.id).where(_S.c.login == login_of(login), _S.c.disabled_at.is_(None))).first()
    if row is None:
        return None
    token = new_token()
    session.execute(_T.insert().values(token_hash=_hash(token), name=name, staff_id=row.id, created_at=now))
    audit.note(session, actor="system", act="token.added", now=now, staff=row.id)
    return token


def revoke_token(session: Session, *, name: str, now: datetime) -> bool:
    """Revoke every token of this name; False when none was alive."""
    gone = session.execute(update(_T).where(_T.c.name == name, _T.c.revoked_at.is_(None)).values(revoked_at=now)).rowcount  # type: ignore[attr-defined]
    if gone:
        audit.note(session, actor="system", act="token.revoked", now=now)
    return bool(gone)


def key_holder(session: Session, token: str) -> KeyHolder | None:
    """Whose rights this API token has; None when revoked, unknown, or its owner is stopped."""
    query = (
        select(_T.c.token_hash, _S).join(_S, _S.c.id == _T.c.staff_id)
        .where(_T.c.token_hash == _hash(token), _T.c.revoked_at.is_(None), _S.c.disabled_at.is_(None))
    )  # fmt: skip
    row = session.execute(query).first()
    return None if row is None else KeyHolder(_member(row), row.token_hash[:12])


def may_call(session: Session, holder: KeyHolder, now: datetime, *, most: int) -> bool:
    """Count one more call with this token; False, and not counted, when there were `most` in the last minute already (R6)."""
    who = f"api:{holder.short}"
    lately = select(func.count()).select_from(_Y).where(_Y.c.who_hash == who, _Y.c.at > now - _CALLS_WINDOW)
    if session.execute(lately).scalar_one() >= most:
        return False
    session.execute(_Y.insert().values(id=new_id(), who_hash=who, at=now))
    return True


def _member(row: object) -> Member:
    return Member(row.id, row.login, row.name, row.role, row.disabled_at is not None)  # type: ignore[attr-defined]


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
