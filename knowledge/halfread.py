"""An entry as far as it can be read: what the schema refuses is left out, so that advice can be given about the rest of it at the same time (D15).

Only lint looks at it. Nothing of it is ever shown to a resident: a base with a mistake in it is not used at all.
"""

from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from knowledge.complaints import refused
from knowledge.entry import Entry
from knowledge.layers import NO_ID, Sheet
from knowledge.reading import Trail, Tree

MOST_ROUNDS: Final = 6
"""What is left out may leave another thing without sense: an event without its day is an event no more."""
_STAND_INS: Final[dict[str, Tree]] = {"id": NO_ID, "name": "…", "summary": "…"}
"""What no entry can do without."""


@dataclass(frozen=True, slots=True)
class HalfRead:
    """The entry, the ways that were left out of it, and the ways as they stand in the file: a row that is left out moves those below it up."""

    entry: Entry
    lost: frozenset[Trail]
    rows: dict[Trail, list[int]]
    """The way to a list → the places its rows have in the file."""

    def way(self, here: Trail) -> Trail:
        """The way in the file to what stands `here` in the entry."""
        return _way_in_file(here, self.rows)

    def has(self, way: Trail) -> bool:
        """Whether what stands there in the file, or what is said to be missing there, can be judged: nothing of it was left out."""
        return not any(way[: len(lost)] == lost or lost[: len(way)] == way for lost in self.lost)


def as_far_as_read(sheet: Sheet) -> HalfRead | None:
    """The entry without what the schema refuses; None when nothing can be made of it."""
    lost: set[Trail] = {(name,) for name in _STAND_INS if all(not _says(source.fields, name) for source in sheet.sources)}
    for _ in range(MOST_ROUNDS):
        rows: dict[Trail, list[int]] = {}
        fields = {name: _without(value, (name,), lost, rows) for name, value in sheet.fields.items() if (name,) not in lost}
        try:
            return HalfRead(Entry.model_validate({**_STAND_INS, **fields}), frozenset(lost), rows)
        except ValidationError as error:
            more = {_way_in_file(way, rows) for way in refused(error, Entry) if way}
            if more <= lost:
                return None
            lost |= more
    return None


def _says(fields: Tree, name: str) -> bool:
    return isinstance(fields, dict) and fields.get(name) is not None


def _without(tree: Tree, at: Trail, lost: set[Trail], rows: dict[Trail, list[int]]) -> Tree:
    if isinstance(tree, dict):
        return {name: _without(value, (*at, name), lost, rows) for name, value in tree.items() if (*at, name) not in lost}
    if isinstance(tree, list):
        left = [number for number in range(len(tree)) if (*at, number) not in lost]
        rows[at] = left
        return [_without(tree[number], (*at, number), lost, rows) for number in left]
    return tree


def _way_in_file(here: Trail, rows: dict[Trail, list[int]]) -> Trail:
    way: Trail = ()
    for part in here:
        places = rows.get(way)
        way = (*way, places[part] if places is not None and isinstance(part, int) else part)
    return way
