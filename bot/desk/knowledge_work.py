"""What an editor does with one entry's file: look at it, check it as it would be, try it on all stored sentences, publish it, take it back (D15).

The file on the disk is the truth; the desk is one more hand that edits it. Nothing is written unless the whole folder is sound with it (R50).
"""

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from itertools import count
from pathlib import Path

from sqlmodel import Session as Rows

from bot.clock import JST
from bot.parts import Parts
from knowledge import lint
from knowledge.base import BrokenBase
from knowledge.changes import Impact, changed_nearby
from knowledge.editing import CannotWrite, new_file
from knowledge.entry import Entry
from knowledge.exchange import excel
from knowledge.exchange.plan import plan
from knowledge.exchange.rows import Taken
from knowledge.layers import lay, read_layer
from knowledge.problem import Problem, errors
from knowledge.reading import Tree
from storage import knowledge_edits

FORM = (
    "name", "kana", "summary", "who.note", "how", "cost", "bring", "contacts.0.name", "contacts.0.tel", "contacts.0.hours", "contacts.0.closed",
    "contacts.0.place.address", "contacts.0.url", "checked.on", "checked.by", "keywords", "examples", "not_for",
)  # fmt: skip
"""Fields of the form, as headings of the Excel sheet: one door to the same cells."""
LONGEST = 200_000
LONGEST_WHY = 200


class UnreadCells(ValueError):
    """Cells of a form that cannot be read, each with its sentence; `text` is the file with the others, so that their mistakes are told too."""

    def __init__(self, told: Iterable[str], text: str) -> None:
        super().__init__("　".join(told))
        self.text = text


class BrokenElsewhere(Exception):
    """Another file of the folder has a mistake: nothing can be tried or published until it is mended."""


@dataclass(frozen=True)
class OnDisk:
    """The town's own file of an entry. `text` is empty and `mark` that of nothing when the town has said nothing about it yet."""

    entry_id: str
    path: Path
    text: str

    @property
    def mark(self) -> str:
        """Changes when somebody else saves the file (R23)."""
        return sha256(self.text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Draft:
    """A file as it would be: what is wrong with it, the entry it makes, and what changes."""

    text: str
    problems: tuple[Problem, ...] = ()
    entry: Entry | None = None
    impact: Impact | None = None
    """Stored sentences whose answer changes; None = not tried."""
    cells: dict[str, str] = field(default_factory=dict)
    why: str = ""
    seen: bool = False
    """Somebody asked to have it checked; else it is the file as it stands."""

    @property
    def sound(self) -> bool:
        return not errors(self.problems)


def today(parts: Parts) -> date:
    """In Japan."""
    return parts.clock.now().astimezone(JST).date()


def on_disk(folder: Path, entry: Entry) -> OnDisk:
    """The file in which the town's own words about this entry stand, or where they would stand."""
    own = read_layer(folder).entries.get(entry.id)
    path = folder / (entry.domain or "") / f"{entry.id}.yaml" if own is None else Path(own.read.file)
    return OnDisk(entry.id, path, path.read_text(encoding="utf-8") if path.is_file() else "")


def new_on_disk(parts: Parts, domain: str) -> OnDisk:
    """Where an entry of the town's own would stand, with an id nobody has: `okane-20261126-1`."""
    known, folder = parts.knowledge.town.base, parts.knowledge.folder
    place = domain if domain in known.domains else ""
    day = f"{today(parts):%Y%m%d}"
    taken = lay(folder).sheets.keys()
    entry_id = next(name for number in count(1) if (name := f"{place or 'machi'}-{day}-{number}") not in taken)
    return OnDisk(entry_id, folder / place / f"{entry_id}.yaml", "")


def cells_of(folder: Path, entry_id: str) -> dict[str, str]:
    """The form's cells as the layers give them."""
    return _cells(lay(folder).sheets[entry_id].fields)


def _cells(fields: Mapping[str, Tree]) -> dict[str, str]:
    return {name: excel.cell(fields, name) for name in FORM}


def from_form(folder: Path, disk: OnDisk, cells: dict[str, str]) -> str:
    """The file with these cells written in; only changed lines change. Raises UnreadCells, or ValueError with a sentence."""
    laid = lay(folder)
    now = _cells(laid.sheets[disk.entry_id].fields)
    changed = {name: text.replace("\r\n", "\n").strip() for name, text in cells.items() if text.replace("\r\n", "\n").strip() != now[name].strip()}
    if not changed:
        return disk.text or new_file({"id": disk.entry_id})
    unread = excel.unreadable(changed)
    fields = excel.with_cells(laid.sheets[disk.entry_id].fields, {name: text for name, text in changed.items() if name not in unread})
    try:
        files = plan(laid, Taken({disk.entry_id: fields}), {disk.path: disk.text}).files
    except CannotWrite as error:
        raise ValueError("いまのファイルにまちがいがあるので、書きこめません。YAML のほうで直してください。") from error
    text = next(iter(files.values()), disk.text)
    if unread:
        raise UnreadCells(unread.values(), text or new_file({"id": disk.entry_id}))
    return text


def draft(folder: Path, disk: OnDisk, text: str, today: date, cells: dict[str, str] | None = None) -> Draft:
    """Check a file as if it were saved. `cells` are what was typed into the form: kept as typed while the file has mistakes."""
    text = text.replace("\r\n", "\n")
    instead = {disk.path: text.encode()}
    problems = tuple(problem for problem in lint.check(folder, today=today, instead=instead) if problem.file == str(disk.path))
    if errors(problems):
        return Draft(text, problems, cells=cells or {})
    laid = lay(folder, instead)
    entry, sheet = laid.entries.get(disk.entry_id), laid.sheets.get(disk.entry_id)
    return Draft(text, problems, entry, None, _cells(sheet.fields) if sheet and entry else cells or {})


def tried(parts: Parts, files: Mapping[Path, str]) -> Impact | None:
    """Stored sentences before and after (変わること); None when another file of the folder is broken. Takes some seconds: call it beside the loop."""
    try:
        after = parts.knowledge.trial({path: text.encode() for path, text in files.items()})
    except BrokenBase:
        return None
    return changed_nearby(parts.knowledge.town.base, after)


async def to_see_first(parts: Parts, files: Mapping[Path, str], shown: str) -> Impact | None:
    """What whoever publishes these files must see before (D15b); None: nothing, or it was `shown` already. Raises BrokenElsewhere."""
    if shown == mark_of(files):
        return None
    impact = await asyncio.to_thread(tried, parts, files)
    if impact is None:
        raise BrokenElsewhere
    return impact if impact.felt else None


def mark_of(files: Mapping[Path, str]) -> str:
    """Stands in the page for the edit whose 変わること it shows: another edit has another."""
    return sha256("\0".join(part for path in sorted(files) for part in (str(path), files[path])).encode()).hexdigest()[:16]


def publish(parts: Parts, files: Mapping[Path, str | None]) -> bool:
    """Put the files in place (None: take one away) and let them be live; False when the folder is not sound with them: then all is as before."""
    before = {path: path.read_bytes().decode() if path.is_file() else None for path in files}
    return parts.knowledge.change(lambda: _put(files), lambda: _put(before))


async def publish_and_note(
    parts: Parts, staff_id: str, why: str, files: Mapping[Path, tuple[str, str]], also: Callable[[Rows], object] = lambda _: None
) -> bool:  # fmt: skip
    """Publish `path → (entry id, text)` and keep what it was for the way back; `also` happens in the same transaction. Raises OSError."""
    now, folder = parts.clock.now(), parts.knowledge.folder
    before = {path: path.read_bytes().decode() if path.is_file() else None for path in files}
    if not await asyncio.to_thread(publish, parts, {path: text for path, (_, text) in files.items()}):
        return False

    def work(rows: Rows) -> None:
        for path, (entry_id, text) in files.items():
            file = path.relative_to(folder).as_posix()
            knowledge_edits.note(
                rows, entry_id=entry_id, file=file, before=before[path], after=text, staff_id=staff_id, why=why[:LONGEST_WHY], now=now
            )
        also(rows)

    await parts.store.atransact(work)
    return True


def _put(files: Mapping[Path, str | None]) -> None:
    for path, text in files.items():
        if text is None:
            path.unlink(missing_ok=True)
        else:
            _write(path, text)


def _write(path: Path, text: str) -> None:
    """In one step: whoever reads meanwhile sees the old file or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".writing")
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    os.chmod(name, 0o644)
    Path(name).replace(path)
