"""What taking a table would do to a folder: the files as they would be, every cell that changes. Nothing is written here (D15, desk.md §4)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from knowledge.complaints import ADDED
from knowledge.editing import CannotWrite, new_file, with_values
from knowledge.exchange.rows import BadRow, Taken
from knowledge.layers import Laid, Sheet
from knowledge.reading import Trail, Tree

NEW_FILES: Final = "torikomi"
"""The folder below the town's in which new entries are put; staff may move them anywhere."""


@dataclass(frozen=True, slots=True)
class CellChange:
    """One cell: `field` as in `contacts.0.tel`; `was` None = nothing was written there."""

    entry_id: str
    field: str
    was: Tree
    now: Tree
    kind: Literal["new", "changed"]


@dataclass(frozen=True, slots=True)
class Plan:
    """`files` holds only what would be written, whole. `same` counts the entries in which nothing changes."""

    files: dict[Path, str]
    cells: tuple[CellChange, ...]
    same: int
    bad: tuple[BadRow, ...]
    notes: tuple[BadRow, ...]
    kind: str

    @property
    def new(self) -> list[str]:
        return list(dict.fromkeys(cell.entry_id for cell in self.cells if cell.kind == "new"))

    @property
    def changed(self) -> list[str]:
        return list(dict.fromkeys(cell.entry_id for cell in self.cells if cell.kind == "changed"))


def plan(laid: Laid, taken: Taken, texts: Mapping[Path, str]) -> Plan:
    """Compare with the folder as it is. `texts` are its files as they stand, by path; only changed lines of them change."""
    files, cells, bad, same = dict[Path, str](), list[CellChange](), list(taken.bad), 0
    for entry_id, fields in taken.entries.items():
        sheet = laid.sheets.get(entry_id)
        if sheet is None:
            files[laid.folder / NEW_FILES / f"{entry_id}.yaml"] = new_file(fields, f"{taken.kind}から取りこみました")
            cells += [CellChange(entry_id, name, None, value, "new") for name, value in fields.items()]
            continue
        found = dict(_changes(sheet.fields, fields))
        if not found:
            same += 1
            continue
        try:
            path, text = _written(laid, sheet, entry_id, found, {**texts, **files})
        except CannotWrite:
            bad.append(BadRow(0, entry_id, "いまのファイルにまちがいがあるので、書きこめません（madoguchi knowledge check）"))
            continue
        files[path] = text
        cells += [CellChange(entry_id, ".".join(map(str, way)), _value(sheet.fields, way), now, "changed") for way, now in found.items()]
    return Plan(files, tuple(cells), same, tuple(bad), taken.notes, taken.kind)


def _written(laid: Laid, sheet: Sheet, entry_id: str, found: Mapping[Trail, Tree], texts: Mapping[Path, str]) -> tuple[Path, str]:
    """The file that would change. An entry the town said nothing about gets a file with what differs from the layers below."""
    if entry_id not in laid.own_ids:
        fields: dict[str, Tree] = {"id": entry_id}
        for way in found:  # other lists are replaced whole over the layers below
            added = _added(sheet, way, found[way], own=False)
            fields[str(way[0]) if added is None else f"{way[0]}+"] = _merged_field(sheet.fields, way, found) if added is None else added
        return laid.folder / NEW_FILES / f"{entry_id}.yaml", new_file(fields)
    source = sheet.sources[0]
    path = Path(source.read.file)
    values = dict[Trail, Tree]()
    for way, value in found.items():
        added = _added(sheet, way, value, own=True)
        if added is not None:
            values[(*source.trail, f"{way[0]}+")] = added
        elif way[0] in ADDED and source.has((f"{way[0]}+",)):
            values[(*source.trail, f"{way[0]}+")], values[(*source.trail, way[0])] = None, value
        elif source.has(way[:1]) or len(way) == 1 or not isinstance(way[1], int):
            values[(*source.trail, *way)] = value
        else:
            values[(*source.trail, way[0])] = _merged_field(sheet.fields, way, found)
    return path, with_values(texts[path], values)


def _added(sheet: Sheet, way: Trail, value: Tree, *, own: bool) -> list[Tree] | None:
    """The rows by which a town's list is longer than that of the layers below.

    None: it cannot be said so, because the list is the town's alone, or because something from below is gone from it.
    """
    name, now = str(way[0]), sheet.fields.get(str(way[0]))
    if way != (name,) or name not in ADDED or not isinstance(value, list) or not isinstance(now, list):
        return None
    mine = sheet.sources[0].fields if own else {}
    if not isinstance(mine, dict) or isinstance(mine.get(name), list) or (own and len(sheet.sources) == 1):
        return None
    added = mine.get(f"{name}+")
    below = [row for row in now if row not in added] if isinstance(added, list) else now
    return [row for row in value if row not in below] if all(row in value for row in below) else None


def _merged_field(fields: Mapping[str, Tree], way: Trail, found: Mapping[Trail, Tree]) -> Tree:
    """A top field with everything found below it laid in."""
    value = fields.get(str(way[0]))
    for other, now in found.items():
        if other[0] == way[0]:
            value = _laid_in(value, other[1:], now)
    return value


def _laid_in(tree: Tree, way: Trail, value: Tree) -> Tree:
    if not way:
        return value
    if isinstance(tree, list) and isinstance(way[0], int):
        return [_laid_in(row, way[1:], value) if number == way[0] else row for number, row in enumerate(tree)]
    below = tree if isinstance(tree, dict) else {}
    return {**below, str(way[0]): _laid_in(below.get(str(way[0])), way[1:], value)}


def _changes(before: Mapping[str, Tree], after: Mapping[str, Tree], way: Trail = ()) -> Iterator[tuple[Trail, Tree]]:
    """What differs, as far down as it can be said: the way to a value and the value then. What `after` does not name stays: a field, and a contact or
    event behind those it tells of. Rows inside one of them are told whole: an opening hour that is gone must not be said to residents."""
    for name, value in after.items():
        was, here = before.get(name), (*way, name)
        if isinstance(value, dict) and isinstance(was, dict):
            yield from _changes(was, value, here)
        elif _blocks(value) and _blocks(was) and isinstance(value, list) and isinstance(was, list) and _rowwise(was, value, way):
            for number, (row, old) in enumerate(zip(value, was, strict=False)):
                if isinstance(row, dict) and isinstance(old, dict):
                    yield from _changes(old, row, (*here, number))
        elif was != value and not (was in (None, [], {}, "") and value in (None, [], {}, "")):
            yield here, value


def _rowwise(was: Sequence[Tree], value: Sequence[Tree], way: Trail) -> bool:
    return len(was) == len(value) or (not way and len(was) > len(value))


def _blocks(value: Tree) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _value(tree: Tree, way: Trail) -> Tree:
    for part in way:
        if isinstance(tree, dict):
            tree = tree.get(str(part))
        elif isinstance(tree, list) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
        else:
            return None
    return tree
