"""A whole database as one file, and back: online, consistent, verified (R49).

SQLite is copied by its own backup API and never as a file; PostgreSQL by `pg_dump`, which must be on the machine. Ciphertext stays ciphertext: the
master key is in no copy. What a copied database still wanted to send is stopped by `quiet`: nothing old goes out until a human lets it.
"""

import contextlib
import os
import shutil
import sqlite3
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from sqlalchemy import inspect, select, text, update
from sqlalchemy.engine import URL, make_url
from sqlmodel import Session

from storage import outbox, records
from storage.dialect import table
from storage.tables import Conversation, Inbox, Promise
from storage.talk import by_id

_C, _I, _P = table(Conversation), table(Inbox), table(Promise)
Engine = Literal["sqlite", "postgresql"]


class CopyProblem(Exception):
    """The copy cannot be made, or is not whole; the message says what to do, in Japanese."""


@dataclass(frozen=True)
class Quieted:
    """What would have gone out after a restore, and now waits for a human: letters, promises, talks with unanswered words."""

    letters: int
    promises: int
    unanswered: int


def engine_of(url: str) -> Engine:
    return "sqlite" if make_url(url).get_backend_name() == "sqlite" else "postgresql"


def dump(url: str, to: Path) -> None:
    """Write one consistent copy of the database behind `url`, while it is in use, and check that it is whole."""
    where = make_url(url)
    if engine_of(url) == "postgresql":
        _program("pg_dump", "--enable-row-security", "--format=custom", "--no-owner", "--no-privileges", f"--file={to}", f"--dbname={_libpq(where)}")
        _program("pg_restore", "--list", str(to))
        return
    if not where.database or not Path(where.database).exists():
        raise CopyProblem(f"写すデータベースがありません: {where.database}")
    source, copy = sqlite3.connect(f"file:{Path(where.database).absolute()}?mode=ro", uri=True, timeout=30), sqlite3.connect(to)
    with contextlib.closing(source), contextlib.closing(copy):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        (state,) = copy.execute("PRAGMA integrity_check").fetchone()
    if state != "ok":
        raise CopyProblem("写しがこわれています。ディスクを確かめてください（integrity_check）。")


def load(url: str, copy: Path) -> None:
    """Put a copy into the empty place behind `url`. Raises `CopyProblem` where something is there already."""
    where = make_url(url)
    if engine_of(url) == "postgresql":
        _program("pg_restore", "--exit-on-error", "--no-owner", "--no-privileges", "--single-transaction", f"--dbname={_libpq(where)}", str(copy))
        return
    target = Path(where.database or "")
    if target.exists():
        raise CopyProblem(f"もうデータベースがあります: {target}。別の場所に移してから、もう一度してください。")
    target.parent.mkdir(parents=True, exist_ok=True)
    partly = target.with_name(target.name + ".restoring")
    partly.unlink(missing_ok=True)
    shutil.copyfile(copy, partly)
    partly.chmod(0o600)
    partly.rename(target)


def holds_tables(connection: Session) -> bool:
    """Whether anything of ours is in this database."""
    return inspect(connection.get_bind()).has_table(_C.name)


def quiet(session: Session, now: datetime) -> Quieted:
    """Stop what a restored database would send of itself (R49). Staff find each talk under やること and in the outbox, and decide."""
    letters = outbox.hold_old(session, now, timedelta(0))
    due = session.execute(select(_P.c.id, _P.c.conversation_id).where(_P.c.state == "open", _P.c.due_at <= now)).all()
    if due:
        session.execute(update(_P).where(_P.c.id.in_([row.id for row in due])).values(state="dropped", done_at=now))
    waiting = [row.id for row in session.execute(select(_C.c.id).where(_C.c.settle_at.is_not(None)))]
    for conversation_id in waiting:
        session.execute(update(_I).where(_I.c.conversation_id == conversation_id, text("state = 'pending'")).values(state="queued"))
        session.execute(update(_C).where(_C.c.id == conversation_id).values(settle_at=None))
    for conversation_id in dict.fromkeys([*waiting, *(row.conversation_id for row in due)]):
        talk = by_id(session, conversation_id)
        if talk is not None and not records.has_open_task(session, conversation_id, "restored"):
            records.add_task(session, kind="restored", now=now, talk=talk)
    return Quieted(letters, len(due), len(waiting))


def _program(name: str, *words: str) -> None:
    """Run one of PostgreSQL's own programs; what it says may hold names of tables, never a row."""
    found = shutil.which(name)
    if found is None:
        raise CopyProblem(f"{name} がこのコンピューターにありません。PostgreSQL のクライアント（Debian なら postgresql-client）を入れてください。")
    whole = {**os.environ, "PGOPTIONS": "-c madoguchi.viewer=system"}  # or the locks on the rows would leave the copy empty (R19)
    done = subprocess.run([found, *words], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=whole)  # noqa: S603
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise CopyProblem(f"{name} が失敗しました: {said[-1] if said else done.returncode}")


def _libpq(where: URL) -> str:
    """The address as PostgreSQL's own programs read it."""
    return where.set(drivername="postgresql").render_as_string(hide_password=False)
