"""Passkeys of staff (WebAuthn): what a sign-in is checked against, and the one challenge that waits in a session (R26).

A public key is no secret; what counts is that nobody adds one without being asked who they are, and that a challenge works once.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlmodel import Session

from storage import audit
from storage.dialect import table
from storage.ids import new_id
from storage.staff import SignedIn
from storage.tables import StaffPasskey, StaffSession

_P, _B = table(StaffPasskey), table(StaffSession)


@dataclass(frozen=True)
class Passkey:
    """One key of a member of staff. `credential_id` is base64url, as browsers write it."""

    id: str
    credential_id: str
    public_key: bytes
    sign_count: int
    name: str
    created_at: datetime


class KeyTaken(Exception):
    """This very key is registered already."""


def of(session: Session, staff_id: str) -> list[Passkey]:
    """Oldest first."""
    rows = session.execute(select(_P).where(_P.c.staff_id == staff_id).order_by(_P.c.created_at, _P.c.id))
    return [Passkey(row.id, row.credential_id, row.public_key, row.sign_count, row.name, row.created_at) for row in rows]


def challenge(session: Session, signed: SignedIn, value: str) -> None:
    """Remember what this browser was asked to sign; an earlier question is over."""
    session.execute(update(_B).where(_B.c.token_hash == signed.token_hash).values(challenge=value))


def spend_challenge(session: Session, signed: SignedIn) -> str | None:
    """What this browser was asked to sign; it is answered once, rightly or not."""
    asked = session.execute(select(_B.c.challenge).where(_B.c.token_hash == signed.token_hash).with_for_update()).scalar()
    session.execute(update(_B).where(_B.c.token_hash == signed.token_hash).values(challenge=None))
    return asked


def add(session: Session, staff_id: str, *, credential_id: str, public_key: bytes, sign_count: int, name: str, now: datetime) -> None:
    """Raises `KeyTaken`."""
    if session.execute(select(_P.c.id).where(_P.c.credential_id == credential_id)).first() is not None:
        raise KeyTaken
    made = {"id": new_id(), "staff_id": staff_id, "credential_id": credential_id, "public_key": public_key, "sign_count": sign_count, "name": name}
    session.execute(_P.insert().values(**made, created_at=now))
    audit.note(session, actor=f"staff:{staff_id}", act="staff.passkey_added", now=now)


def used(session: Session, key: Passkey, sign_count: int) -> bool:
    """The key has signed; False when somebody was faster with the same or a later count (a copied key)."""
    higher = (_P.c.sign_count < sign_count) | ((_P.c.sign_count == 0) & (sign_count == 0))
    done = update(_P).where(_P.c.id == key.id, higher).values(sign_count=sign_count)
    return bool(session.execute(done).rowcount)  # type: ignore[attr-defined]


def remove(session: Session, staff_id: str, key_id: str, now: datetime) -> None:
    if session.execute(delete(_P).where(_P.c.staff_id == staff_id, _P.c.id == key_id)).rowcount:  # type: ignore[attr-defined]
        audit.note(session, actor=f"staff:{staff_id}", act="staff.passkey_removed", now=now)
