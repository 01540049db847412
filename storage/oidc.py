"""Attempts to sign in by the town's own directory, and which account a subject of it is (R26)."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlmodel import Session

from storage import audit
from storage.dialect import table
from storage.ids import new_id, new_token
from storage.sealing import fingerprint
from storage.staff import Member
from storage.tables import OidcAttempt, OidcLink, Staff

_O, _L, _S = table(OidcAttempt), table(OidcLink), table(Staff)

LASTS = timedelta(minutes=10)


@dataclass(frozen=True)
class Attempt:
    """What was sent along, to be compared with what comes back."""

    state: str
    nonce: str
    verifier: str
    staff_id: str | None = None


class SubjectTaken(Exception):
    """This subject of the directory is tied to another account."""


def begin(session: Session, now: datetime, *, staff_id: str | None = None) -> tuple[str, Attempt]:
    """A new attempt, and the cookie that ties it to this browser; old ones are cleared away."""
    session.execute(delete(_O).where(_O.c.until < now))
    token, made = new_token(), Attempt(new_token(), new_token(), new_token(), staff_id)
    values = {"state": made.state, "nonce": made.nonce, "verifier": made.verifier, "staff_id": staff_id}
    session.execute(_O.insert().values(token_hash=_hash(token), until=now + LASTS, **values))
    return token, made


def spend(session: Session, token: str, now: datetime) -> Attempt | None:
    """The attempt behind this cookie, once; None for an unknown, used or old one."""
    gone = delete(_O).where(_O.c.token_hash == _hash(token)).returning(_O.c.state, _O.c.nonce, _O.c.verifier, _O.c.staff_id, _O.c.until)
    row = session.execute(gone).first()
    return None if row is None or row.until <= now else Attempt(row.state, row.nonce, row.verifier, row.staff_id)


def member_of(session: Session, issuer: str, subject: str) -> Member | None:
    """Whose account this subject is tied to, unless it is stopped."""
    query = select(_S).join(_L, _L.c.staff_id == _S.c.id).where(_L.c.subject_hash == _who(session, issuer, subject), _S.c.disabled_at.is_(None))
    row = session.execute(query).first()
    return None if row is None else Member(row.id, row.login, row.name, row.role, False)


def tie(session: Session, staff_id: str, issuer: str, subject: str, now: datetime) -> None:
    """This account is that subject from now on, in place of an earlier one. Raises `SubjectTaken`."""
    who = _who(session, issuer, subject)
    owner = session.execute(select(_L.c.staff_id).where(_L.c.subject_hash == who)).scalar()
    if owner not in (None, staff_id):
        raise SubjectTaken
    session.execute(delete(_L).where(_L.c.staff_id == staff_id))
    session.execute(_L.insert().values(id=new_id(), staff_id=staff_id, subject_hash=who, created_at=now))
    audit.note(session, actor=f"staff:{staff_id}", act="staff.directory_tied", now=now)


def is_tied(session: Session, staff_id: str) -> bool:
    return session.execute(select(_L.c.id).where(_L.c.staff_id == staff_id)).first() is not None


def _who(session: Session, issuer: str, subject: str) -> str:
    return fingerprint(session, f"oidc:{len(issuer)}:{issuer}{subject}")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
