"""Heads of the audit's chain, kept beside the master key and so outside the database (R43).

A chain of hashes shows every change but one: that its end was cut off, or all of it written anew. Against that its newest number and hash lie in a
file of their own, one line for the end of each day and the last for now; `madoguchi verify` holds the chain against every line.
"""

import os
from datetime import datetime
from pathlib import Path

from bot.clock import JST

Head = tuple[int, str]
"""Number and hash of a row."""


def read(file: Path) -> dict[int, str]:
    """Every head that was kept, number → hash; none where there is no file. A line that is no head is left out."""
    return {seq: known for _, seq, known in _lines(file)}


def keep(file: Path, head: Head, now: datetime) -> None:
    """Write this head down: in place of the last one of today, after those of the days before; never an earlier one after a later one, which another
    process wrote. Raises `OSError`."""
    today, kept = f"{now.astimezone(JST):%Y-%m-%d}", _lines(file)
    if all(seq < head[0] for _, seq, _ in kept):
        _write(file, [line for line in kept if line[0] != today] + [(today, *head)])


def begin_anew(file: Path, head: Head, now: datetime) -> None:
    """After a restore the chain ends earlier than what was kept: that lies beside it under another name, for whoever must explain the difference."""
    if file.exists():
        file.rename(file.with_name(f"{file.name}.{now:%Y%m%dT%H%M%SZ}"))
    keep(file, head, now)


def _lines(file: Path) -> list[tuple[str, int, str]]:
    words = [line.split() for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    return [(day, int(seq), known) for day, seq, known in (one for one in words if len(one) == 3) if seq.isdecimal()]


def _write(file: Path, lines: list[tuple[str, int, str]]) -> None:
    """All of it or nothing, for its owner only."""
    new = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as written:
        written.writelines(f"{day} {seq} {known}\n" for day, seq, known in lines)
    new.replace(file)
