"""`madoguchi backup` and `madoguchi restore`: a sealed copy that survives the machine, and the way back from it (R49).

A backup is one file, encrypted with age for a public key (`BACKUP_RECIPIENT`): whoever finds it can open nothing, nor can the server that wrote it.
Inside are the database and a note about it. The master key is not in it: it is kept apart, on paper or on another machine.
"""

import hashlib
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyrage
from pyrage import x25519

from bot import heads
from bot.keys import build_keyring
from bot.settings import Settings
from storage import audit, copies, erasure
from storage.copies import CopyProblem, Quieted
from storage.migrate import migrate
from storage.store import Store

_NOTE, _DATA = "madoguchi.json", "database"
_PREFIX, _SUFFIX = "madoguchi-", ".age"
_ERASED = "erasures.jsonl"
"""Beside the backups, readable without a key: which talks were erased since, so that no old backup brings them back (R41)."""
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Note:
    """What a backup says of itself. `head` is the newest row of the audit chain, so that a cut tail shows (R43)."""

    engine: copies.Engine
    taken_at: str
    """UTC, ISO."""
    sha256: str
    bytes: int
    head: tuple[int, str]


@dataclass(frozen=True)
class Restored:
    """What came back, what was erased again, and what was stopped from going out."""

    note: Note
    erased: int | None
    """None: no list of erasures lies beside the backup."""
    quieted: Quieted


def new_key(path: Path) -> str:
    """Make the pair of keys for backups: the private one in `path`, for its owner only; returns the public one."""
    identity = x25519.Identity.generate()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"# public key: {identity.to_public()}\n{identity}\n")
    return str(identity.to_public())


def backup(settings: Settings, folder: Path, now: datetime) -> Path:
    """Write one backup into `folder`; it appears there only when it is whole. The product may be running meanwhile."""
    recipient = _recipient(settings.backup_recipient)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{_PREFIX}{now.astimezone(UTC):%Y%m%dT%H%M%SZ}{_SUFFIX}"
    with _private_folder(folder) as work:
        head = _head(settings)  # before the copy: what is written meanwhile is in it, and the chain may only be longer than this
        copies.dump(settings.database_url, work / _DATA)
        note = Note(copies.engine_of(settings.database_url), now.astimezone(UTC).isoformat(), *_sum_of(work / _DATA), head)
        (work / _NOTE).write_text(json.dumps(asdict(note)), encoding="utf-8")
        with tarfile.open(work / "tar", "w") as tar:
            for name in (_NOTE, _DATA):
                tar.add(work / name, name)
        pyrage.encrypt_file(str(work / "tar"), str(work / "sealed"), [recipient])
        with (work / "sealed").open("rb") as sealed:
            os.fsync(sealed.fileno())
        (work / "sealed").rename(target)
        _write_erasures(settings, work / _ERASED)
        (work / _ERASED).rename(folder / _ERASED)
    return target


def expire(folder: Path, now: datetime, keep: timedelta) -> list[Path]:
    """Delete backups older than `keep`, by the time in their names; the newest always stays (R41: backups expire)."""
    ours = sorted(folder.glob(f"{_PREFIX}*{_SUFFIX}"))
    old = [path for path in ours[:-1] if (taken := _taken(path)) is not None and taken < now - keep]
    for path in old:
        path.unlink()
    return old


def restore(settings: Settings, sealed: Path, identity_file: Path, now: datetime) -> Restored:
    """Bring a backup back into an empty place, check it, and stop everything that would go out of itself. Raises `CopyProblem`."""
    engine = copies.engine_of(settings.database_url)
    with _opened(sealed, identity_file) as (note, data):
        if note.engine != engine:
            raise CopyProblem(f"この写しは {note.engine} のものです。MADOGUCHI_DATABASE_URL を {note.engine} にしてください。")
        if engine == "postgresql" and not _is_empty(settings):
            raise CopyProblem("もうデータがあるデータベースです。空のデータベースを作ってから、もう一度してください。")
        copies.load(settings.database_url, data)
    store = _open(settings)
    try:
        migrate(store)
        store.transact(store.keyring.check)
        broken = store.transact(lambda rows: audit.verify(rows, dict([note.head])))
        if broken is not None:
            raise CopyProblem(f"記録の鎖が {broken.seq} 番で切れています。この写しは使わないでください。")
        gone = _read_erasures(sealed.parent / _ERASED)
        erased = None if gone is None else store.transact(lambda rows: sum(erasure.again(rows, one, now) for one in gone))
        quieted = store.transact(lambda rows: copies.quiet(rows, now))
        store.transact(lambda rows: audit.note(rows, actor="system", act="restored", now=now, taken_at=note.taken_at))
        heads.begin_anew(settings.heads_file, store.transact(audit.head), now)
    finally:
        store.close()
    return Restored(note, erased, quieted)


def look_into(sealed: Path, identity_file: Path) -> Note:
    """Open a backup without putting it anywhere: the drill that shows the key still fits."""
    with _opened(sealed, identity_file) as (note, _):
        return note


# ---------------------------------------------------------------- files


@contextmanager
def _opened(sealed: Path, identity_file: Path) -> Iterator[tuple[Note, Path]]:
    """The note and the database of a backup, in a private folder that is gone afterwards."""
    identity = _identity(identity_file)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        try:
            pyrage.decrypt_file(str(sealed), str(work / "tar"), [identity])
            with tarfile.open(work / "tar") as tar:
                tar.extractall(work, filter="data")
            told = json.loads((work / _NOTE).read_text(encoding="utf-8"))
            note = Note(**told | {"head": tuple(told["head"])})
        except (pyrage.DecryptError, OSError, tarfile.TarError, ValueError, TypeError, KeyError) as error:
            raise CopyProblem(f"この写しは開けません（{type(error).__name__}）。鍵とファイルを確かめてください: {sealed}") from error
        if _sum_of(work / _DATA) != (note.sha256, note.bytes):
            raise CopyProblem(f"写しの中身が、作ったときとちがいます: {sealed}")
        yield note, work / _DATA


@contextmanager
def _private_folder(beside: Path) -> Iterator[Path]:
    """A folder for its owner only, on the same disk as the backup, so that the last step is one rename."""
    with tempfile.TemporaryDirectory(prefix=".madoguchi-", dir=beside) as folder:
        yield Path(folder)


def _sum_of(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _taken(path: Path) -> datetime | None:
    try:
        return datetime.strptime(path.name.removeprefix(_PREFIX).removesuffix(_SUFFIX), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _recipient(key: str) -> x25519.Recipient:
    try:
        return x25519.Recipient.from_str(key)
    except pyrage.RecipientError as error:
        words = "写しの公開鍵（age1…）がありません。madoguchi backup --new-key FILE で作り、MADOGUCHI_BACKUP_RECIPIENT に書いてください。"
        raise CopyProblem(words) from error


def _identity(path: Path) -> x25519.Identity:
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
        return x25519.Identity.from_str(lines[0].strip())
    except (OSError, IndexError, UnicodeDecodeError, pyrage.IdentityError) as error:
        raise CopyProblem(f"写しの秘密鍵（AGE-SECRET-KEY-…）を読めません: {path}") from error


# ---------------------------------------------------------------- the database


def _head(settings: Settings) -> tuple[int, str]:
    store = _open(settings, exclusive=False)
    try:
        return store.transact(audit.head)
    finally:
        store.close()


def _write_erasures(settings: Settings, path: Path) -> None:
    store = _open(settings, exclusive=False)
    try:
        erased = store.transact(erasure.every)
    finally:
        store.close()
    lines = [json.dumps(asdict(one) | {"asked_at": one.asked_at.isoformat()}) for one in erased]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _read_erasures(path: Path) -> list[erasure.Erased] | None:
    """The list that lies beside the backup; None where there is none."""
    if not path.exists():
        return None
    told = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [erasure.Erased(one["receipt"], one["conversation_id"], datetime.fromisoformat(one["asked_at"])) for one in told]


def _is_empty(settings: Settings) -> bool:
    store = _open(settings, exclusive=False)
    try:
        return not store.transact(copies.holds_tables)
    finally:
        store.close()


def _open(settings: Settings, *, exclusive: bool = True) -> Store:
    return Store.open(settings.database_url, build_keyring(settings), exclusive=exclusive)
