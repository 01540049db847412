"""Encryption of columns: AES-256-GCM, one data key per scope, each cell bound to its place (security.md R38, R39).

A scope is a conversation, a case or a member of staff. Its data key is wrapped by the master key, which lies in a file outside the database that
only its owner may read. Ciphertext moved to another table, column or row does not open. Data keys are cached in memory only.

Changing the master key wraps the data keys anew and touches no cell (R40): while it goes on, both masters are at hand, and each row names its own.
"""

import hashlib
import hmac
import json
import os
import stat
from collections import OrderedDict
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import bindparam, delete, select, update
from sqlmodel import Session

from storage.dialect import engine_of, on_each, table
from storage.prepared import prepared
from storage.tables import DataKey

_D = table(DataKey)
_FIND_KEY = prepared(select(_D.c.wrapped, _D.c.master).where(_D.c.scope == bindparam("of")))
_OLD_ONES = select(_D.c.scope, _D.c.wrapped).where(_D.c.master == bindparam("of")).limit(bindparam("most"))
_WRAP_ANEW = update(_D).where(_D.c.scope == bindparam("scope_of"), _D.c.master == bindparam("was"))
_KEEP_KEY = on_each(lambda insert: insert(_D).on_conflict_do_nothing().returning(_D.c.scope))

_NONCE = 12
_CACHED_KEYS = 20_000
_FINDING = "finding"
"""Scope of the key that fingerprints are made with: it outlives a change of the master key, or nobody would be found again."""


class SealBroken(Exception):
    """A cell does not open: moved, altered, or sealed by another key. The rest of the database still works."""


_OTHER_KEY = "このデータベースは別の鍵で封をされています。正しい鍵ファイルを使ってください。"


class KeyFileProblem(Exception):
    """The master key file is missing, unreadable, too short, or readable by others; the message says what to do."""


def make_key_file(path: Path) -> None:
    """Write 32 random bytes as hexadecimal, readable by its owner only; refuse to overwrite."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(os.urandom(32).hex() + "\n")


def read_key_file(path: Path) -> bytes:
    """Return the 32 bytes of the master key, or raise `KeyFileProblem` (R38: wrong or missing key, or readable by others → no start)."""
    if not path.is_file():
        raise KeyFileProblem(f"鍵ファイルがありません: {path}")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileProblem(f"鍵ファイルをほかの人が読めます。次で直せます: chmod 600 {path}")
    try:
        master = bytes.fromhex(path.read_text(encoding="utf-8").strip())
    except OSError as error:
        raise KeyFileProblem(f"鍵ファイルを読めません（{error.strerror}）: {path}") from error
    except ValueError as error:
        raise KeyFileProblem(f"鍵ファイルの中身が鍵ではありません: {path}") from error
    if len(master) != 32:
        raise KeyFileProblem(f"鍵ファイルの長さがちがいます（32 バイトの16進数が必要です）: {path}")
    return master


def _name_of(master: bytes) -> str:
    return hashlib.sha256(b"name" + master).hexdigest()[:16]


class Keyring:
    """The master key at work: makes, wraps and caches data keys."""

    def __init__(self, master: bytes, retiring: bytes | None = None) -> None:
        """`retiring`: the master before this one, while its data keys are wrapped anew (R40)."""
        self.name = _name_of(master)
        self.retiring = None if retiring is None else _name_of(retiring)
        self._wrappings = {_name_of(one): AESGCM(hmac.digest(one, b"wrap", "sha256")) for one in (master, retiring) if one is not None}
        self._first_finding = hmac.digest(retiring or master, b"find", "sha256")
        self._finding: bytes | None = None
        self._keys: OrderedDict[str, AESGCM] = OrderedDict()

    def seal(self, session: Session, scope: str, place: str, text: str) -> bytes:
        """Seal `text` for one cell. `place` is `table.column:row`, bound as associated data."""
        return self.seal_file(session, scope, place, text.encode("utf-8", "surrogatepass"))

    def open(self, session: Session, scope: str, place: str, cell: bytes) -> str:
        """Open one cell, or raise `SealBroken`."""
        return self.open_file(session, scope, place, cell).decode("utf-8", "surrogatepass")

    def seal_file(self, session: Session, scope: str, place: str, content: bytes) -> bytes:
        """Seal bytes for one cell."""
        nonce = os.urandom(_NONCE)
        return nonce + self._key(session, scope).encrypt(nonce, content, f"{scope}|{place}".encode())

    def open_file(self, session: Session, scope: str, place: str, cell: bytes) -> bytes:
        """Open a cell of bytes, or raise `SealBroken`."""
        try:
            return self._key(session, scope).decrypt(cell[:_NONCE], cell[_NONCE:], f"{scope}|{place}".encode())
        except (InvalidTag, ValueError) as error:  # changed, or cut short
            raise SealBroken(place) from error

    def fingerprint(self, session: Session, text: str) -> str:
        """Return an HMAC for exact match of identifiers, with a key of its own (R39)."""
        key = self._finding or session.info.get("met_finding")
        if key is None:
            key = session.info["met_finding"] = self._stored(session, _FINDING) or self._kept(session, _FINDING, self._first_finding)
        return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256").hex()

    def wrap_anew(self, session: Session, most: int) -> int:
        """Wrap up to `most` data keys of the retiring master with the new one; returns how many. 0 = none is left (R40)."""
        if self.retiring is None:
            return 0
        old = session.execute(_OLD_ONES, {"of": self.retiring, "most": most}).all()
        for row in old:
            key = self._opened(row.scope, row.wrapped, self.retiring)
            session.execute(_WRAP_ANEW, {"scope_of": row.scope, "was": self.retiring, "wrapped": self._wrapped(row.scope, key), "master": self.name})
        return len(old)

    def discard(self, session: Session, scope: str) -> None:
        """Erase a data key: what it sealed can never be opened again (R41). Out of memory once the transaction is on disk."""
        session.execute(delete(_D).where(_D.c.scope == scope))
        session.info.setdefault("met_keys", {}).pop(scope, None)
        session.info.setdefault("discarded_keys", set()).add(scope)

    def adopt(self, session: Session) -> None:
        """Keep the data keys this session met, now that its transaction is on disk; a key of a rolled-back one must never seal anything."""
        for scope in session.info.pop("discarded_keys", ()):
            self._keys.pop(scope, None)
        self._keys.update(session.info.pop("met_keys", {}))
        self._finding = session.info.pop("met_finding", self._finding)
        while len(self._keys) > _CACHED_KEYS:
            self._keys.popitem(last=False)

    def check(self, session: Session) -> None:
        """Raise `KeyFileProblem` when this database was sealed under another master key: wrong key, no start (R38)."""
        other = session.execute(select(_D.c.scope).where(_D.c.master.not_in(list(self._wrappings))).limit(1)).first()
        if other is not None:
            raise KeyFileProblem(_OTHER_KEY)

    def _key(self, session: Session, scope: str) -> AESGCM:
        key = self._keys.get(scope)
        if key is None:
            met: dict[str, AESGCM] = session.info.setdefault("met_keys", {})
            key = met.get(scope)
            if key is None:
                key = met[scope] = AESGCM(self._stored(session, scope) or self._kept(session, scope, AESGCM.generate_key(256)))
        return key

    def _stored(self, session: Session, scope: str) -> bytes | None:
        row = session.execute(_FIND_KEY, {"of": scope}).first()
        return None if row is None else self._opened(scope, row.wrapped, row.master)

    def _opened(self, scope: str, wrapped: bytes, master: str) -> bytes:
        if master not in self._wrappings:
            raise KeyFileProblem(_OTHER_KEY)
        try:
            return self._wrappings[master].decrypt(wrapped[:_NONCE], wrapped[_NONCE:], scope.encode())
        except InvalidTag as error:
            raise SealBroken(scope) from error

    def _wrapped(self, scope: str, key: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._wrappings[self.name].encrypt(nonce, key, scope.encode())

    def _kept(self, session: Session, scope: str, key: bytes) -> bytes:
        """Keep a new key, or return the one that another process kept first."""
        row = {"scope": scope, "wrapped": self._wrapped(scope, key), "master": self.name}
        if session.execute(_KEEP_KEY[engine_of(session)], row).first() is not None:
            return key
        theirs = self._stored(session, scope)  # another process was faster
        if theirs is None:
            raise SealBroken(scope)
        return theirs


# ---------------------------------------------------------------- as functions of a Session


def keyring(session: Session) -> Keyring:
    """The keyring the store put beside this session."""
    ring: Keyring = session.info["keyring"]
    return ring


def seal(session: Session, scope: str, place: str, text: str) -> bytes:
    """Seal one cell; see `Keyring.seal`."""
    return keyring(session).seal(session, scope, place, text)


def unseal(session: Session, scope: str, place: str, cell: bytes) -> str:
    """Open one cell; see `Keyring.open`."""
    return keyring(session).open(session, scope, place, cell)


def seal_file(session: Session, scope: str, place: str, content: bytes) -> bytes:
    """Seal bytes; see `Keyring.seal_file`."""
    return keyring(session).seal_file(session, scope, place, content)


def open_file(session: Session, scope: str, place: str, cell: bytes) -> bytes:
    """Open bytes; see `Keyring.open_file`."""
    return keyring(session).open_file(session, scope, place, cell)


def seal_json(session: Session, scope: str, place: str, value: object) -> bytes:
    """Seal a plain value as JSON in one cell."""
    return seal(session, scope, place, json.dumps(value, ensure_ascii=False))


def unseal_json(session: Session, scope: str, place: str, cell: bytes) -> Any:
    """Open a cell that holds JSON."""
    return json.loads(unseal(session, scope, place, cell))


def fingerprint(session: Session, text: str) -> str:
    """HMAC of an identifier for exact match."""
    return keyring(session).fingerprint(session, text)


def mark_erasure(session: Session) -> None:
    """Something was erased in this work: after its commit the store clears the traces that the engine keeps (R41, R45)."""
    session.info["erasure"] = True


def was_erasure(session: Session) -> bool:
    """Whether this session's work erased something."""
    return bool(session.info.get("erasure"))
