"""The second factor of staff: codes of an authenticator (RFC 6238), and recovery codes for the day it is lost (R26).

The authenticator's secret is sealed; of a recovery code only the hash is kept. Each code of either kind works once.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlmodel import Session

from storage import audit
from storage.dialect import table
from storage.ids import new_id
from storage.sealing import seal, unseal
from storage.staff import SignedIn
from storage.tables import StaffFactor, StaffPasskey

_F, _P = table(StaffFactor), table(StaffPasskey)
_STEP = 30
_MOST_DRIFT = 1
"""Steps before and after now that a clock may be off."""
_RECOVERY_CODES = 10
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"


@dataclass(frozen=True)
class Factors:
    """What a member of staff has besides the password."""

    totp: bool
    recovery_left: int
    passkeys: int = 0

    @property
    def any(self) -> bool:
        """Whether a second factor is asked for at all; recovery codes alone are none."""
        return self.totp or self.passkeys > 0


def of(session: Session, staff_id: str) -> Factors:
    good = select(_F.c.kind).where(_F.c.staff_id == staff_id, _F.c.confirmed_at.is_not(None), _F.c.used_at.is_(None))
    kinds = list(session.execute(good).scalars())
    keys = session.execute(select(func.count()).select_from(_P).where(_P.c.staff_id == staff_id)).scalar_one()
    return Factors("totp" in kinds, kinds.count("recovery"), keys)


def offered(session: Session, signed: SignedIn, now: datetime) -> str:
    """The secret to put into an authenticator (base32), the same until a first code confirms it, and for this one session only.

    Whoever looked at the page with a stolen cookie, or with a password alone, must not know what its owner sets up later.
    """
    staff_id, factor_id = signed.member.id, _offer_of(signed)
    row = session.execute(select(_F.c.id, _F.c.secret_sealed).where(_unconfirmed(signed))).first()
    if row is not None:
        return unseal(session, _scope(staff_id), _place(row.id), row.secret_sealed)
    secret = pyotp.random_base32()
    cell = seal(session, _scope(staff_id), _place(factor_id), secret)
    session.execute(_F.insert().values(id=factor_id, staff_id=staff_id, kind="totp", secret_sealed=cell, last_step=0, created_at=now))
    return secret


def confirm(session: Session, signed: SignedIn, code: str, now: datetime) -> list[str] | None:
    """A first right code makes the offered secret the factor, in place of an older one; returns new recovery codes, shown once. None = wrong code."""
    staff_id = signed.member.id
    row = session.execute(select(_F).where(_unconfirmed(signed))).first()
    step = None if row is None else _step_of(session, staff_id, row, code, now)
    if row is None or step is None:
        return None
    session.execute(delete(_F).where(_F.c.staff_id == staff_id, _F.c.id != row.id))
    session.execute(update(_F).where(_F.c.id == row.id).values(confirmed_at=now, last_step=step))
    audit.note(session, actor=f"staff:{staff_id}", act="staff.factor_set", now=now)
    return new_recovery_codes(session, staff_id, now)


def new_recovery_codes(session: Session, staff_id: str, now: datetime) -> list[str]:
    """Ten new codes in place of the old ones, shown once."""
    session.execute(delete(_F).where(_F.c.staff_id == staff_id, _F.c.kind == "recovery"))
    codes = [_recovery_code() for _ in range(_RECOVERY_CODES)]
    for one in codes:
        kept = {"id": new_id(), "staff_id": staff_id, "kind": "recovery", "code_hash": _hash(staff_id, one), "last_step": 0}
        session.execute(_F.insert().values(**kept, confirmed_at=now, created_at=now))
    return codes


def passes(session: Session, staff_id: str, code: str, now: datetime) -> bool:
    """Whether this is a code of the authenticator not used before, or an unused recovery code; either is used up by it."""
    row = session.execute(select(_F).where(_F.c.staff_id == staff_id, _F.c.kind == "totp", _F.c.confirmed_at.is_not(None)).with_for_update()).first()
    step = None if row is None else _step_of(session, staff_id, row, code, now)
    if row is not None and step is not None:
        session.execute(update(_F).where(_F.c.id == row.id).values(last_step=step))
        return True
    unused = (_F.c.staff_id == staff_id, _F.c.kind == "recovery", _F.c.code_hash == _hash(staff_id, code), _F.c.used_at.is_(None))
    spent = session.execute(update(_F).where(*unused).values(used_at=now).returning(_F.c.id)).first()
    if spent is not None:
        audit.note(session, actor=f"staff:{staff_id}", act="staff.recovery_code_used", now=now)
    return spent is not None


def _step_of(session: Session, staff_id: str, row: object, code: str, now: datetime) -> int | None:
    """The step this code belongs to; None for a wrong, old or used one."""
    secret = unseal(session, _scope(staff_id), _place(row.id), row.secret_sealed)  # type: ignore[attr-defined]
    totp, written = pyotp.TOTP(secret), "".join(code.split())
    present = int(now.timestamp()) // _STEP
    for step in range(present - _MOST_DRIFT, present + _MOST_DRIFT + 1):
        if step > row.last_step and secrets.compare_digest(totp.generate_otp(step).encode(), written.encode()):  # type: ignore[attr-defined]
            return step
    return None


def _offer_of(signed: SignedIn) -> str:
    """Id of what is offered to this session."""
    return signed.token_hash[:32]


def _unconfirmed(signed: SignedIn) -> ColumnElement[bool]:
    return (_F.c.id == _offer_of(signed)) & (_F.c.staff_id == signed.member.id) & (_F.c.kind == "totp") & _F.c.confirmed_at.is_(None)


def _recovery_code() -> str:
    """Twelve letters without look-alikes, about 59 bits: `k3mf-…`."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(12))
    return "-".join(letters[at : at + 4] for at in range(0, 12, 4))


def _hash(staff_id: str, code: str) -> str:
    plain = "".join(code.lower().split()).replace("-", "")
    return hashlib.sha256(f"{staff_id}:{plain}".encode()).hexdigest()


def _scope(staff_id: str) -> str:
    return f"staff:{staff_id}"


def _place(factor_id: str) -> str:
    return f"staff_factor.secret:{factor_id}"
