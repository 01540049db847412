"""Keeps what was built from a folder, so that the next start need not cut every sentence into words again.

One file beside the database, named by the contents of the knowledge base and of the code that builds it: anything changed makes another name, and
the file of before is deleted. The code is read when it is loaded, not when a name is needed: an update under a running server would have what the
old code built kept under the new code's name. A file is read back only from a folder that belongs to us: whoever can write there could as well
change the code.
"""

import gc
import hashlib
import importlib.metadata
import os
import pickle
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar, cast

T = TypeVar("T")


Lying = frozenset[tuple[Path, int, int, int]]
"""Files, each with its place on the disk, when it was written, and its size: while these stay, so does what is in them."""


def lying(files: Iterable[Path]) -> Lying:
    """How these files lie now; one that went away meanwhile is left out."""
    found = set()
    for path in files:
        with suppress(FileNotFoundError):
            stat = path.stat()
            found.add((path, stat.st_ino, stat.st_mtime_ns, stat.st_size))
    return frozenset(found)


def kept(folder: Path | None, what: str, sources: Iterable[Path], make: Callable[[], T]) -> T:
    """What `make` made of these files, from an earlier start where nothing has changed since. `folder` None: always made anew."""
    if folder is None:
        return make()
    file = folder / f"{what}-{_name(sources)}.kept"
    if file.exists() and file.stat().st_uid == os.getuid():
        try:
            return cast(T, _read(file.read_bytes()))
        except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, ValueError, TypeError):  # cut off by a crash
            file.unlink(missing_ok=True)
    made = make()
    _write(folder, what, file, made)
    return made


def is_there(folder: Path, what: str, sources: Iterable[Path]) -> bool:
    """Whether `kept` would find it."""
    return (folder / f"{what}-{_name(sources)}.kept").exists()


@contextmanager
def not_collecting() -> Iterator[None]:
    """While something large is read: half of the time went to looking for garbage among a million new objects that are all in use."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _read(content: bytes) -> object:
    with not_collecting():
        return pickle.loads(content)  # noqa: S301  (our own file, see above)


def keep_better(folder: Path | None, what: str, sources: Iterable[Path], made: object) -> None:
    """Put something fuller in the place of what `kept` gave for these files."""
    if folder is not None:
        _write(folder, what, folder / f"{what}-{_name(sources)}.kept", made)


def _write(folder: Path, what: str, file: Path, made: object) -> None:
    """Write beside and rename, so that a crash leaves no half file; a full or read-only disk costs only the next start's time."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(f".{os.getpid()}.new")  # another process may be building the same
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            pickle.dump(made, out, protocol=pickle.HIGHEST_PROTOCOL)
        beside.replace(file)
        for old in folder.glob(f"{what}-*.kept"):
            if old != file:
                old.unlink(missing_ok=True)
    except OSError:
        return


def _name(sources: Iterable[Path]) -> str:
    """A hash of the contents, of the code, and of the libraries that cut words."""
    seen = _CODE_THAT_RUNS.copy()
    for source in sorted(sources):
        seen.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return seen.hexdigest()[:16]


def _code_on_disk() -> "hashlib._Hash":
    seen = hashlib.sha256()
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        seen.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    for package in ("sudachipy", "sudachidict-core", "numpy", "pydantic", "pyahocorasick"):
        seen.update(importlib.metadata.version(package).encode())
    return seen


_CODE_THAT_RUNS = _code_on_disk()
