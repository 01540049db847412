"""Encryption of columns: AES-256-GCM, one data key per scope, each cell bound to its place (security.md R38, R39).

A scope is a conversation, a case or a member of staff. Its data key is wrapped by the master key, which lies in a file outside the database that
only its owner may read. Ciphertext moved to another table, column or row does not open. Data keys are cached in memory only.
"""

import hashlib
import hmac
import os
import stat
from collections import OrderedDict
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import bindparam, delete, select
from sqlmodel import Session

from storage.dialect import engine_of, on_each, table
from storage.tables import DataKey

_D = table(DataKey)
_FIND_KEY = select(_D.c.wrapped, _D.c.master).where(_D.c.scope == bindparam("of"))
_KEEP_KEY = on_each(lambda insert: insert(_D).on_conflict_do_nothing().returning(_D.c.scope))

_NONCE = 12
_CACHED_KEYS = 20_000


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


class Keyring:
    """The master key at work: makes, wraps and caches data keys."""

    def __init__(self, master: bytes) -> None:
        self.name = hashlib.sha256(b"name" + master).hexdigest()[:16]
        self._wrapping = AESGCM(hmac.digest(master, b"wrap", "sha256"))
        self._finding = hmac.digest(master, b"find", "sha256")
        self._keys: OrderedDict[str, AESGCM] = OrderedDict()

    def seal(self, session: Session, scope: str, place: str, text: str) -> bytes:
        """Seal `text` for one cell. `place` is `table.column:row`, bound as associated data."""
        nonce = os.urandom(_NONCE)
        return nonce + self._key(session, scope).encrypt(nonce, text.encode("utf-8", "surrogatepass"), f"{scope}|{place}".encode())

    def open(self, session: Session, scope: str, place: str, cell: bytes) -> str:
        """Open one cell, or raise `SealBroken`."""
        try:
            plain = self._key(session, scope).decrypt(cell[:_NONCE], cell[_NONCE:], f"{scope}|{place}".encode())
        except InvalidTag as error:
            raise SealBroken(place) from error
        return plain.decode("utf-8", "surrogatepass")

    def fingerprint(self, text: str) -> str:
        """Return an HMAC for exact match of identifiers, with a key of its own (R39)."""
        return hmac.digest(self._finding, text.encode("utf-8", "surrogatepass"), "sha256").hex()

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
        while len(self._keys) > _CACHED_KEYS:
            self._keys.popitem(last=False)

    def check(self, session: Session) -> None:
        """Raise `KeyFileProblem` when this database was sealed under another master key: wrong key, no start (R38)."""
        other = session.execute(select(_D.c.scope).where(_D.c.master != self.name).limit(1)).first()
        if other is not None:
            raise KeyFileProblem(_OTHER_KEY)

    def _key(self, session: Session, scope: str) -> AESGCM:
        key = self._keys.get(scope)
        if key is None:
            met: dict[str, AESGCM] = session.info.setdefault("met_keys", {})
            key = met.get(scope)
            if key is None:
                key = met[scope] = self._stored(session, scope) or self._made(session, scope)
        return key

    def _stored(self, session: Session, scope: str) -> AESGCM | None:
        row = session.execute(_FIND_KEY, {"of": scope}).first()
        if row is None:
            return None
        if row.master != self.name:
            raise KeyFileProblem(_OTHER_KEY)
        wrapped: bytes = row.wrapped
        try:
            return AESGCM(self._wrapping.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], scope.encode()))
        except InvalidTag as error:
            raise SealBroken(scope) from error

    def _made(self, session: Session, scope: str) -> AESGCM:
        data_key, nonce = AESGCM.generate_key(256), os.urandom(_NONCE)
        wrapped = nonce + self._wrapping.encrypt(nonce, data_key, scope.encode())
        kept = session.execute(_KEEP_KEY[engine_of(session)], {"scope": scope, "wrapped": wrapped, "master": self.name}).first()
        if kept is not None:
            return AESGCM(data_key)
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


def fingerprint(session: Session, text: str) -> str:
    """HMAC of an identifier for exact match."""
    return keyring(session).fingerprint(text)


def mark_erasure(session: Session) -> None:
    """Something was erased in this work: after its commit the store clears the traces that the engine keeps (R41, R45)."""
    session.info["erasure"] = True


def was_erasure(session: Session) -> bool:
    """Whether this session's work erased something."""
    return bool(session.info.get("erasure"))
