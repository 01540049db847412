"""Passwords of staff: Argon2id, at most two hashed at once, common ones refused without asking anybody outside (R25, R28)."""

import asyncio
import unicodedata
from pathlib import Path
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 8
LONGEST = 256
"""A limit against hashing megabytes, far above the 64 that must be accepted."""

_COMMON = Path(__file__).parent / "common_passwords.txt"
_SEQUENCES = (
    "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "01234567890123456789", "98765432109876543210",
)  # fmt: skip

Weakness = Literal["short", "long", "common", "own_name"]


def problem_with(password: str, *, login: str, name: str) -> Weakness | None:
    """Why a password cannot be taken; None when it can."""
    if len(password) < SHORTEST:
        return "short"
    if len(password) > LONGEST:
        return "long"
    plain = unicodedata.normalize("NFKC", password).casefold()
    if any(own and own.casefold() in plain and len(plain) - len(own) < SHORTEST for own in (login, name)):
        return "own_name"
    return "common" if _is_common(plain) else None


def _is_common(plain: str) -> bool:
    if len(set(plain)) <= 2 or any(plain in sequence for sequence in _SEQUENCES):
        return True
    common = _COMMON.read_text(encoding="utf-8").split()
    return plain in common or plain.rstrip("0123456789!?.#") in common


class Hasher:
    """Argon2id with argon2-cffi's defaults; `parallel` bounds how many run at once (each takes 64 MiB)."""

    def __init__(self, parallel: int = 2, argon: PasswordHasher | None = None) -> None:
        self._argon = argon or PasswordHasher()
        self._room = asyncio.Semaphore(parallel)
        self._nobody = self._argon.hash("nobody has this password")

    async def make(self, password: str) -> str:
        async with self._room:
            return await asyncio.to_thread(self._argon.hash, _normal(password))

    async def fits(self, password: str, password_hash: str | None) -> bool:
        """Whether the password is the one; `None` (no such account) takes as long and is never so (R28)."""
        async with self._room:
            right = await asyncio.to_thread(self._verify, _normal(password), password_hash or self._nobody)
        return right and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        return self._argon.check_needs_rehash(password_hash)

    def _verify(self, password: str, password_hash: str) -> bool:
        try:
            return self._argon.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def _normal(password: str) -> str:
    """One form whatever the keyboard sent (NIST SP 800-63B: NFKC before hashing)."""
    return unicodedata.normalize("NFKC", password)[:LONGEST]
