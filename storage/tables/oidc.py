"""Signing in with the town's own directory (OpenID Connect, R26)."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from storage.tables.columns import key, ref, time


class OidcAttempt(SQLModel, table=True):
    """One way to the directory and back: what must come back with the browser, used once."""

    __tablename__ = "oidc_attempt"
    token_hash: str = Field(primary_key=True, max_length=64)
    """Of the cookie that ties the answer to the browser that asked."""
    state: str = Field(max_length=64)
    nonce: str = Field(max_length=64)
    verifier: str = Field(max_length=64)
    staff_id: str | None = ref("staff.id", default=None)
    """Who ties their account to the directory; None: somebody signs in."""
    until: datetime = time()


class OidcLink(SQLModel, table=True):
    """Who somebody is in the directory: issuer and subject, never a name or mail (R26)."""

    __tablename__ = "oidc_link"
    id: str = key()
    staff_id: str = ref("staff.id", unique=True)
    subject_hash: str = Field(max_length=64, unique=True)
    created_at: datetime = time()
