"""Writes single values back into a file that people keep by hand: only the lines of what changed are touched (D15, desk.md §4).

Comments and order stay.

`with_value` first tries the smallest change (the words of one value, the rows of one list) and takes the next larger one only where that cannot
be read back as it was meant; the last is the whole block of one field.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Final

from knowledge.enclosed import quoted
from knowledge.entry import Entry
from knowledge.reading import Read, Trail, Tree, read_yaml

WIDTH: Final = 120
"""Columns after which a list is written with a line for each row."""
_BARE: Final = re.compile(r"(?:[^\s\-?:,\[\]{}#&*!|>'\"%@`~=<0-9]|[0-9]+(?=[^\x00-\x7f]))[^:#,\[\]{}\"'\\\n\t\r\x85\u2028\u2029]*(?<!\s)")
"""Words that need no quotes anywhere. Numbers alone keep theirs, as people know it from telephone numbers."""


class CannotWrite(ValueError):
    """The file is broken, or holds no such entry: nothing was written."""


def with_values(text: str, values: Mapping[Trail, Tree]) -> str:
    """The text with these fields set; a value None is written as null. Raises CannotWrite."""
    for way, value in values.items():
        text = with_value(text, way, value)
    return text


def with_value(text: str, way: Trail, value: Tree) -> str:
    """The text with one field set, everything else as it was. Raises CannotWrite."""
    read = read_yaml(text)
    if read.broken or not isinstance(read.tree, dict | list):
        raise CannotWrite("the file has mistakes")
    wanted = _set(read.tree, way, value)
    if wanted == read.tree:
        return text
    for attempt in (_in_place, _rows, _block, _added):
        tried = attempt(read, way, value)
        if tried is not None:
            written = "\n".join(tried)
            again = read_yaml(written)
            if not again.broken and again.tree == wanted:
                return written
    if len(way) > 1:  # the part cannot be written alone: write what it is a part of
        return with_value(text, way[:-1], _at(wanted, way[:-1]))
    raise CannotWrite(f"{way}: cannot be written")


# ---------------------------------------------------------------- trees


def _at(tree: Tree, way: Trail) -> Tree:
    found: Tree = tree
    for part in way:
        if isinstance(found, dict) and isinstance(part, str):
            found = found.get(part)
        elif isinstance(found, list) and isinstance(part, int) and part < len(found):
            found = found[part]
        else:
            return None
    return found


def _set(tree: Tree, way: Trail, value: Tree) -> Tree:
    """A copy with one value set; blocks on the way that are missing are made."""
    if not way:
        return value
    part, rest = way[0], way[1:]
    if isinstance(part, int):
        if not isinstance(tree, list) or part > len(tree):
            raise CannotWrite(f"no row {part}")
        rows = list(tree)
        return [*rows[:part], _set(rows[part] if part < len(rows) else None, rest, value), *rows[part + 1 :]]
    fields = dict(tree) if isinstance(tree, dict) else {}
    if tree is not None and not isinstance(tree, dict):
        raise CannotWrite(f"{part}: not a block")
    return {**fields, part: _set(fields.get(part), rest, value)}


# ---------------------------------------------------------------- from the smallest change to the largest


def _in_place(read: Read, way: Trail, value: Tree) -> list[str] | None:
    """One value on one line, for another."""
    place = read.values.get(way)
    if place is None or isinstance(value, dict) or isinstance(_at(read.tree, way), dict):
        return None
    lines, line = list(read.lines), read.source_line(place.line)
    if _at(read.tree, way) is None and place.width == 0:  # `cost:` with nothing behind it
        key = read.keys.get(way)
        if key is None:
            return None
        start = key.column - 1 + key.width
        found = re.match(r"\s*:", line[start:])
        start += found.end() if found else 0
        lines[key.line - 1] = f"{line[:start]} {inline(value)}{line[start:]}"
        return lines
    start = place.column - 1
    if isinstance(_at(read.tree, way), list):
        end = _closing(line, start)
        if end is None:
            return None
    else:
        end = start + place.width
    lines[place.line - 1] = f"{line[:start]}{inline(value)}{line[end:]}"
    return lines


def _closing(line: str, start: int) -> int | None:
    """Behind the bracket that closes the one at `start`, when it stands on the same line."""
    if line[start : start + 1] != "[":
        return None
    depth, quote = 0, ""
    for place in range(start, len(line)):
        letter = line[place]
        if quote:
            quote = "" if letter == quote and line[place - 1] != "\\" else quote
        elif letter in "\"'" and line[place - 1] in " [{,":
            quote = letter
        elif letter in "[{":
            depth += 1
        elif letter in "]}":
            depth -= 1
            if depth == 0:
                return place + 1
    return None


def _rows(read: Read, way: Trail, value: Tree) -> list[str] | None:
    """A list with a line for each row: rows that stay keep their lines and their comments."""
    before = _at(read.tree, way)
    if not isinstance(before, list) or not isinstance(value, list) or not before or not value:
        return None
    starts = [_row_start(read, (*way, number)) for number in range(len(before))]
    if None in starts or len(set(starts)) < len(starts):
        return None
    places = [start for start in starts if start is not None]
    indent = read.lines[places[0]].index("-")
    for number in range(1, len(places)):  # a comment above a row is about that row
        while read.lines[places[number] - 1].lstrip().startswith("#"):
            places[number] -= 1
    ends = [*places[1:], _end(read, way, places[-1])]
    blocks = [list(read.lines[start:end]) for start, end in zip(places, ends, strict=True)]
    rows: list[str] = []
    for kind, one, two, three, four in difflib.SequenceMatcher(None, list(map(repr, before)), list(map(repr, value)), autojunk=False).get_opcodes():
        if kind == "equal":
            rows += [line for block in blocks[one:two] for line in block]
        else:
            rows += [line for row in value[three:four] for line in _row(row, indent)]
    return [*read.lines[: places[0]], *rows, *read.lines[ends[-1] :]]


def _row_start(read: Read, way: Trail) -> int | None:
    """The line of a row's dash, from 0."""
    place = read.values.get(way)
    line = read.source_line(place.line) if place else ""
    return place.line - 1 if place and re.match(r"\s*-\s+$|\s*-\s", line[: place.column - 1] or "x") else None


def _end(read: Read, way: Trail, start: int) -> int:
    """The line behind the last one of what stands at `way`, from 0; comments and blank lines before the next field belong to that."""
    others = [place.line - 1 for trail, place in read.keys.items() if trail[: len(way)] != way and place.line - 1 > start]
    others += [place.line - 1 for trail, place in read.values.items() if trail[: len(way)] != way and place.line - 1 > start]
    end = min(others, default=len(read.lines))
    while end > start + 1 and re.fullmatch(r"\s*(#.*)?", read.lines[end - 1]):
        end -= 1
    return end


def _block(read: Read, way: Trail, value: Tree) -> list[str] | None:
    """The whole field, from its name to the next one."""
    key = read.keys.get(way)
    if key is None or not isinstance(way[-1], str):
        return None
    line = read.source_line(key.line)
    before = line[: key.column - 1]
    if not re.fullmatch(r"\s*(- +)*", before):
        return None  # inside brackets
    written = list(_field(way[-1], value, key.column - 1))
    written[0] = before + written[0][key.column - 1 :]
    note = re.search(r"\s+# .*$", line)
    if note and isinstance(_at(read.tree, way), list | dict | None) and len(written) == 1:
        written[0] += note[0]
    return [*read.lines[: key.line - 1], *written, *read.lines[_end(read, way, key.line - 1) :]]


def _added(read: Read, way: Trail, value: Tree) -> list[str] | None:
    """A field that was not there: behind the one it follows in the schema."""
    if not isinstance(way[-1], str):
        return None
    parent = way[:-1]
    siblings = [trail for trail in read.keys if trail[:-1] == parent]
    first = read.keys[siblings[0]] if siblings else None
    if first is None or not re.fullmatch(r"\s*(- +)*", read.source_line(first.line)[: first.column - 1]):
        return None
    above = [trail for trail in siblings if _rank(str(trail[-1])) < _rank(way[-1])] or siblings
    after = max(above, key=lambda trail: read.keys[trail].line)
    end = _end(read, after, read.keys[after].line - 1)
    return [*read.lines[:end], *_field(way[-1], value, first.column - 1), *read.lines[end:]]


def _rank(name: str) -> int:
    """A field's place in the schema; `examples+` stands where `examples` would."""
    order, bare = list(Entry.model_fields), name.removesuffix("+")
    return order.index(bare) if bare in order else len(order)


# ---------------------------------------------------------------- words


def _field(name: str, value: Tree, indent: int) -> Iterator[str]:
    space = " " * indent
    short = f"{space}{name}: {inline(value)}"
    if not isinstance(value, list | dict) or not value or (len(short) <= WIDTH and not _has_blocks(value)):
        yield short
        return
    yield f"{space}{name}:"
    if isinstance(value, list):
        for row in value:
            yield from _row(row, indent + 2)
        return
    for key, inner in value.items():
        yield from _field(key, inner, indent + 2)


def _has_blocks(value: Tree) -> bool:
    """Rows that are blocks themselves (contacts, sentences) read better with a line each."""
    if isinstance(value, list):
        return any(isinstance(row, dict) or (isinstance(row, str) and len(row) > 12) for row in value)
    return isinstance(value, dict) and any(isinstance(inner, list) and _has_blocks(inner) for inner in value.values())


def _row(row: Tree, indent: int) -> list[str]:
    space = " " * indent
    if isinstance(row, dict) and row and (_has_blocks(row) or len(inline(row)) > WIDTH - indent):
        lines = [line for key, inner in row.items() for line in _field(key, inner, indent + 2)]
        return [f"{space}- {lines[0][indent + 2 :]}", *lines[1:]]
    return [f"{space}- {inline(row)}"]


def inline(value: Tree) -> str:
    """A value on one line, so that it is read back as the same text wherever it stands."""
    match value:
        case None:
            return "null"
        case list():
            return "[" + ", ".join(map(inline, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{key}: {inline(inner)}" for key, inner in value.items()) + "}"
    bare = _BARE.fullmatch(value) or re.fullmatch(r"\d{4}-\d{2}-\d{2}|\d{1,3}(\.\d+)?|https?://[^\s,\[\]{}#]+", value)
    if (bare and value.lower() not in ("null", "true", "false", "yes", "no", "on", "off")) or value in ("true", "false"):
        return value
    return _escaped(value)


def _escaped(value: str) -> str:
    plain = quoted(value, always=True)
    return re.sub("[\n\t\r\x85\u2028\u2029]", lambda found: _ESCAPES[found[0]], plain)


_ESCAPES: Final = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\x85": "\\N", "\u2028": "\\L", "\u2029": "\\P"}


def new_file(fields: Mapping[str, Tree], note: str = "") -> str:
    """A whole entry as a file of its own, in the order of the schema."""
    names = sorted(fields, key=_rank)
    lines = [f"# {note}"] if note else []
    return "\n".join([*lines, *(line for name in names for line in _field(name, fields[name], 0)), ""])


