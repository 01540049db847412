"""Identifiers: random, never reused (R18), and rising in time so that new rows lie side by side on disk."""

import os
import secrets
import time
import uuid

_CODE_LETTERS = "23456789ACDEFGHJKLMNPQRTUVWXY"
"""No 0/O, 1/I, B/8, S/5, Z/2: a code is read aloud over the telephone."""


def new_id() -> str:
    """Return 32 hexadecimal digits: 48 bits of milliseconds, then 80 random bits (the layout of UUIDv7 without its marks)."""
    milliseconds = time.time_ns() // 1_000_000
    return f"{milliseconds & 0xFFFFFFFFFFFF:012x}{os.urandom(10).hex()}"


def new_token() -> str:
    """Return a secret of 256 random bits, safe in a URL; only its hash is ever stored."""
    return secrets.token_urlsafe(32)


def new_code() -> str:
    """Return a case code such as `K4A-72QM`, for people to say to each other."""
    letters = [secrets.choice(_CODE_LETTERS) for _ in range(7)]
    return "".join(letters[:3]) + "-" + "".join(letters[3:])


def new_retry_key() -> str:
    """Return a UUID with dashes, as LINE's X-Line-Retry-Key wants it."""
    return str(uuid.uuid4())
