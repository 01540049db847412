"""Who works at the desk, and how they sign in."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary
from sqlmodel import Field, SQLModel

from storage.tables.columns import key, ref, sealed, time, words


class Staff(SQLModel, table=True):
    """A person who signs in at the desk."""

    id: str = key()
    login: str = Field(max_length=120, unique=True)
    name: str = Field(max_length=60)
    role: str = Field(max_length=16, index=True)
    """`coordinator`, `lead`, `editor`, `admin`, `agency`."""
    agency_id: str | None = ref("agency.id", default=None)
    """Whose people see what was shared with that office; only of role `agency`."""
    password_hash: str | None = Field(default=None, max_length=200)
    disabled_at: datetime | None = time(default=None)
    created_at: datetime = time()


class StaffSession(SQLModel, table=True):
    """A signed-in browser (R27): only the hash of its cookie is kept."""

    __tablename__ = "staff_session"
    token_hash: str = Field(primary_key=True, max_length=64)
    staff_id: str = ref("staff.id", index=True)
    csrf: str = Field(max_length=64)
    started_at: datetime = time()
    seen_at: datetime = time()
    ended_at: datetime | None = time(default=None)
    factor_due: bool = False
    """The password was right; the second factor is still asked for (R26)."""
    proven_at: datetime | None = time(default=None)
    """When whoever sits here proved it once more; None since signing in (R33)."""
    challenge: str | None = Field(default=None, max_length=120)
    """What a passkey was asked to sign in this browser; answered once."""


class StaffFactor(SQLModel, table=True):
    """A second factor: an authenticator's secret, or one recovery code, of which only the hash is kept (R26)."""

    __tablename__ = "staff_factor"
    id: str = key()
    staff_id: str = ref("staff.id", index=True)
    kind: str = Field(max_length=10)
    """`totp` or `recovery`."""
    secret_sealed: bytes | None = sealed(default=None)
    code_hash: str | None = Field(default=None, max_length=64)
    confirmed_at: datetime | None = time(default=None)
    """None while the first code has not been shown."""
    last_step: int = Field(default=0, sa_type=BigInteger)
    """The 30-second step of the last code taken: each code works once."""
    used_at: datetime | None = time(default=None)
    created_at: datetime = time()


class StaffPasskey(SQLModel, table=True):
    """A passkey: its public half, and how often it has signed (R26)."""

    __tablename__ = "staff_passkey"
    id: str = key()
    staff_id: str = ref("staff.id", index=True)
    credential_id: str = Field(max_length=1400, unique=True)
    """As browsers write it, base64url."""
    public_key: bytes = Field(sa_type=LargeBinary)
    sign_count: int = Field(default=0, sa_type=BigInteger)
    name: str = Field(max_length=40)
    created_at: datetime = time()


class Invitation(SQLModel, table=True):
    """A one-time link that lets somebody choose their own password (R25)."""

    token_hash: str = Field(primary_key=True, max_length=64)
    role: str = Field(max_length=16)
    staff_id: str | None = ref("staff.id", default=None)
    agency_id: str | None = ref("agency.id", default=None)
    until: datetime = time()
    used_at: datetime | None = time(default=None)


class ApiToken(SQLModel, table=True):
    """A key of another system of the town (design.md §5)."""

    __tablename__ = "api_token"
    token_hash: str = Field(primary_key=True, max_length=64)
    name: str = Field(max_length=60)
    staff_id: str = ref("staff.id")
    """Whose rights it has."""
    created_at: datetime = time()
    revoked_at: datetime | None = time(default=None)


class SignInTry(SQLModel, table=True):
    """A failed sign-in, for slowing down guessing (R28), and whatever else is counted by who does it: new browsers, calls of the API (R6)."""

    __tablename__ = "sign_in_try"
    __table_args__ = (Index("ix_try", "who_hash", "at"),)
    id: str = key()
    who_hash: str = Field(max_length=64)
    at: datetime = time()


class Press(SQLModel, table=True):
    """One press of a button at the desk: what comes twice is done once (R23)."""

    mark: str = Field(primary_key=True, max_length=64)
    """Hash of session, address and what was sent."""
    at: datetime = time()
    led_to: str | None = words(default=None)
    """Where the act led; None while it is on its way."""
