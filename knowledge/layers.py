"""Folders of YAML laid one over the other, starter ← prefecture ← town, field by field (design.md §3). Reads files and checks their shape.

A file of a town may say only what differs: only the fields it holds win. Blocks of fields (who, checked, translations by language …) are laid over
one another in the same way; lists and words are replaced whole. `examples+:` adds to the list of the layers below instead, so that a town can
give a national entry one sentence of its own and still have what later versions of the starter bring.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from knowledge.complaints import ADDED, Source, complaints, field_names, nearest, placed
from knowledge.entry import Domain, Entry, Town, is_neighbour
from knowledge.hotlines import Hotline
from knowledge.problem import Problem, Severity
from knowledge.reading import Read, Trail, Tree, read_bytes

STARTER: Final = Path(__file__).resolve().parent / "starter"

SPECIAL_FILES: Final = frozenset(
    ("town", "domains", "hotlines", "synonyms", "danger", "glossary", "intents", "aims", "hardships", "agreed")
)  # fmt: skip
"""At the top of a folder these names (.yaml) are not entries."""
SPECIAL_FOLDERS: Final = frozenset({"phrases", "danger"})
NO_ID: Final = "id"
"""Stands for an id that is not there, so that the rest of the entry can be checked."""

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Sheet:
    """One entry (or line, or town) as its layers wrote it, the uppermost first, and the fields that result."""

    sources: tuple[Source, ...]
    fields: dict[str, Tree]

    @property
    def read(self) -> Read:
        return self.sources[0].read

    def problem(self, way: Trail, level: Severity, code: str, message: str, hint: str = "", *, key: bool = False) -> Problem:
        """A problem at this value, in the layer that wrote it."""
        rows = self.fields.get(str(way[0])) if len(way) > 1 else None
        row = rows[way[1]] if isinstance(rows, list) and isinstance(way[1], int) else None
        source, there = placed(self.sources, way, row)
        return source.read.problem((*source.trail, *there), level, code, message, hint, key=key)


@dataclass
class Layer:
    """What stands in one folder, not yet checked against the schema."""

    folder: Path
    entries: dict[str, Sheet] = field(default_factory=dict)
    town: Sheet | None = None
    domains: dict[str, Sheet] = field(default_factory=dict)
    hotlines: dict[str, Sheet] = field(default_factory=dict)
    synonyms: tuple[tuple[str, ...], ...] = ()
    aside: list[Sheet] = field(default_factory=list)
    """Entries without an id, or with one that was taken already: checked, so that all their mistakes are told at once, then left out."""
    problems: list[Problem] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    fingerprint: bytes = b""


@dataclass(frozen=True)
class Laid:
    """All layers of a base on top of each other, checked against the schema. `problems` are those of every layer."""

    folder: Path
    town: Town | None
    entries: dict[str, Entry]
    """Hidden ones too, in the order of the starter, then of the folder."""
    sheets: dict[str, Sheet]
    domains: dict[str, Domain]
    hotlines: dict[str, Hotline]
    hotline_sheets: dict[str, Sheet]
    synonyms: tuple[tuple[str, ...], ...]
    own_ids: frozenset[str]
    """Entries the folder itself says something about."""
    aside: tuple[Sheet, ...]
    """Entries of the folder itself without an id of their own."""
    over_starter: bool
    version: str
    problems: tuple[Problem, ...]
    reads: tuple[Read, ...]
    """The files of the folder itself."""


Instead: TypeAlias = Mapping[Path, bytes | None]
"""What files would hold if an edit were saved; None = it would be deleted. Paths begin with the folder's own."""
NOTHING_ELSE: Final[Instead] = MappingProxyType({})


def lay(folder: Path, instead: Instead = NOTHING_ELSE) -> Laid:
    """Read a folder and what lies under it: starter ← prefecture ← town, field by field."""
    starter = read_layer(STARTER)
    if folder.resolve() == STARTER:
        alone = read_layer(STARTER, instead) if instead else starter
        return _checked((alone,), alone.entries, over=False)
    top = read_layer(folder, instead)
    over = _lies_over(top, starter)
    between = [read_layer(below) for below in folders_of(folder)[1:]] if over else []
    layers = (starter, *between, top)
    entries = dict(starter.entries) if over else {}
    for layer in layers[1:]:
        below = dict(entries)
        for entry_id, sheet in layer.entries.items():
            if over and entry_id not in below and not {"name", "summary"} & sheet.fields.keys():
                layer.problems += _misspelt(sheet, entry_id, below)
            entries[entry_id] = _over(below.get(entry_id), sheet)
        layer.aside = [_over(below.get(str(sheet.fields["id"])), sheet) for sheet in layer.aside]
    return _checked(layers, entries, over=over)


def folders_of(folder: Path) -> tuple[Path, ...]:
    """The folders of a town, the uppermost first: its own, and the prefecture's that its town.yaml names (`extends: ../okayama`). Not the starter."""
    file = folder / "town.yaml"
    said = read_bytes(file.read_bytes(), str(file)).tree if file.is_file() else None
    below = said.get("extends") if isinstance(said, dict) else None
    return (folder, folder.parent / below[3:]) if isinstance(below, str) and is_neighbour(below) else (folder,)


def read_layer(folder: Path, instead: Instead = NOTHING_ELSE) -> Layer:
    """Every file of one folder, as it is or as it would be."""
    layer = Layer(folder)
    if not folder.is_dir():
        layer.problems.append(Problem(str(folder), 1, 1, "error", "no_folder", "フォルダーがありません", "場所を確かめてください。"))
        return layer
    sums = hashlib.sha256()
    for file, inside in _yaml_files(folder, layer, instead):
        content = instead.get(file, b"") if file in instead else file.read_bytes()
        if content is None:
            continue
        sums.update(str(inside).encode() + b"\0" + hashlib.sha256(content).digest())
        if inside.parts[0] in SPECIAL_FOLDERS and len(inside.parts) > 1:
            continue
        read = read_bytes(content, str(file))
        layer.problems += read.problems
        layer.reads.append(read)
        if len(inside.parts) == 1 and inside.stem in SPECIAL_FILES and inside.suffix == ".yaml":
            _take_special(layer, inside.stem, read)
        else:
            _take_entries(layer, read)
    layer.fingerprint = sums.digest()
    return layer


def _yaml_files(folder: Path, layer: Layer, instead: Instead) -> Iterator[tuple[Path, Path]]:
    """Every *.yaml and *.yml below, in order of path; nothing hidden, nothing that a link brings in from outside (R50)."""
    found = [
        Path(where, name)
        for where, folders, names in os.walk(folder)
        if _seen(folders)
        for name in names
        if name.endswith((".yaml", ".yml")) and not name.startswith(".")
    ]
    root = folder.resolve()
    for file in sorted({*found, *instead}, key=lambda file: file.parts):
        if file.is_symlink() and not file.resolve().is_relative_to(root):
            message = "フォルダーの外を指しているファイルは読みません"
            layer.problems.append(Problem(str(file), 1, 1, "error", "outside", message, "ファイルそのものを、このフォルダーに置いてください。"))
            continue
        yield file, file.relative_to(folder)


def _seen(folders: list[str]) -> bool:
    """Keeps os.walk out of hidden folders (it walks the list that is left)."""
    folders[:] = [name for name in folders if not name.startswith(".")]
    return True


# ---------------------------------------------------------------- what a file holds


def _take_entries(layer: Layer, read: Read) -> None:
    if read.tree is None:
        if not read.broken:
            layer.problems.append(read.problem((), "warning", "empty_file", "何も書かれていません", "使わないファイルなら消してください。"))
        return
    rows: list[tuple[Trail, Tree]] = [((number,), row) for number, row in enumerate(read.tree)] if isinstance(read.tree, list) else [((), read.tree)]
    for trail, row in rows:
        _take(layer, layer.entries, read, trail, row)


def _take(layer: Layer, sheets: dict[str, Sheet], read: Read, trail: Trail, row: Tree) -> None:
    """Put one row among its kind by its id."""
    if not isinstance(row, dict):
        hint = "「id: food-bank」のように、「項目: 値」の行を並べてください。"
        if isinstance(row, str) and max(read.source_line(1).count(comma) for comma in ",\t") > 1:
            hint += "CSV の表なら、madoguchi knowledge import で取りこめます。"
        if isinstance(row, str) and row.startswith("＃"):
            hint = "メモの行は、半角の「# 」で始めてください。"
        layer.problems.append(read.problem(trail, "error", "shape", "項目の一覧として読めません", hint))
        return
    name = row.get("id")
    if not isinstance(name, str) or not name.strip():
        _take_nameless(layer, sheets, read, trail, row)
        return
    if name in sheets:
        first = sheets[name]
        other = first.read.place((*first.sources[0].trail, "id")).line
        hint = f"もう一つは {first.read.file} の {other} 行目です。どちらかの id を変えるか、一つにまとめてください。"
        layer.problems.append(read.problem((*trail, "id"), "error", "duplicate_id", f"id「{name}」が二つあります", hint))
        if sheets is layer.entries:
            layer.aside.append(Sheet((Source(read, trail, row),), row))
        return
    sheets[name] = Sheet((Source(read, trail, row),), row)


def _take_nameless(layer: Layer, sheets: dict[str, Sheet], read: Read, trail: Trail, row: dict[str, Tree]) -> None:
    """Say what to write where an id should be. Entries under a heading of their own, and entries under their names, are usual elsewhere."""
    key, inside = next(iter(row.items()), ("", None))
    hint, entries = "「id: food-bank」のような行を、はじめに書いてください。", [(trail, row)]
    if len(row) == 1 and isinstance(inside, list) and all(isinstance(one, dict) for one in inside):
        hint = f"「{key}:」の行を消し、「- id: …」の行を左の端から並べてください。"
        entries = [((*trail, key, number), one) for number, one in enumerate(inside) if isinstance(one, dict)]
    elif row and all(isinstance(one, dict) and "name" in one for one in row.values()):
        hint = f"「{key}:」の行のかわりに「- id: {key}」と書き、つづく行の頭を「id」にそろえてください。"
        entries = [((*trail, name), one) for name, one in row.items() if isinstance(one, dict)]
    misspelt = any(nearest(name, field_names(Entry)) == "id" for name in row if name != "id")  # and told as such
    if read.whole and not misspelt and not ("id" in row and read.broken) and not isinstance(row.get("id"), list | dict):
        layer.problems.append(read.problem((*trail, "id"), "error", "missing", "id がありません", hint))
    if sheets is layer.entries:
        layer.aside += [Sheet((Source(read, way, one),), {**one, "id": one.get("id") or NO_ID}) for way, one in entries]


def _take_special(layer: Layer, stem: str, read: Read) -> None:
    match stem:
        case "town":
            if isinstance(read.tree, dict):
                layer.town = Sheet((Source(read, (), read.tree),), read.tree)
            elif not read.broken:
                hint = "「name: みなと市」のように書いてください。"
                layer.problems.append(read.problem((), "error", "shape", "町の名前や窓口を書くファイルです", hint))
        case "domains" | "hotlines":
            sheets = layer.domains if stem == "domains" else layer.hotlines
            for number, row in _rows(layer, read, stem):
                _take(layer, sheets, read, (stem, number), row)
        case "synonyms":
            layer.synonyms = tuple(_groups(layer, read))


def _rows(layer: Layer, read: Read, name: str) -> Iterable[tuple[int, Tree]]:
    rows = read.tree.get(name) if isinstance(read.tree, dict) else None
    if isinstance(rows, list):
        return list(enumerate(rows))
    if read.tree is not None and not (isinstance(read.tree, dict) and name in read.tree):
        layer.problems.append(read.problem((), "error", "shape", f"「{name}:」の行がありません", f"「{name}:」の下に「- 」の行を並べてください。"))
    return []


def _groups(layer: Layer, read: Read) -> Iterator[tuple[str, ...]]:
    for number, group in _rows(layer, read, "groups"):
        if isinstance(group, list) and len(group) > 1 and all(isinstance(word, str) and word.strip() for word in group):
            yield tuple(word for word in group if isinstance(word, str))
        else:
            hint = "「- [街灯, 街路灯, 外灯]」のように、二つ以上の言葉を並べてください。"
            layer.problems.append(read.problem(("groups", number), "error", "synonyms", "言葉の組として読めません", hint))


# ---------------------------------------------------------------- one over the other


def _lies_over(top: Layer, starter: Layer) -> bool:
    """A town says so in town.yaml. A folder without one lies over the starter when it names an entry of it; any other folder is a base by itself."""
    if top.town is not None:
        return top.town.fields.get("extends") is not None
    return not top.entries.keys().isdisjoint(starter.entries)


def _misspelt(sheet: Sheet, entry_id: str, known: dict[str, Sheet]) -> Iterator[Problem]:
    near = nearest(entry_id, list(known))
    if near is not None:
        message, hint = f"id「{entry_id}」は全国の一覧にありません", f"もしかして「{near}」ですか。新しい項目なら name と summary も書いてください。"
        yield sheet.problem(("id",), "error", "unknown_id", message, hint)


def _over(below: Sheet | None, above: Sheet) -> Sheet:
    if below is None:
        added = any(f"{name}+" in above.fields for name in ADDED)
        return Sheet(above.sources, _with_added(above.fields)) if added else above
    fields = _with_added(_merged(below.fields, above.fields))
    doubtful = below.fields.get("unverified")
    if "unverified" not in above.fields and isinstance(doubtful, list):
        fields["unverified"] = [name for name in doubtful if name not in above.fields]  # what the town wrote itself, the town knows
    return Sheet((*above.sources, *below.sources), fields)


def _merged(below: dict[str, Tree], above: dict[str, Tree]) -> dict[str, Tree]:
    fields = dict(below)
    for name, value in above.items():
        under = below.get(name)
        fields[name] = _merged(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return fields


def _with_added(fields: dict[str, Tree]) -> dict[str, Tree]:
    """`examples+` laid behind `examples`; what stands there already is not said twice."""
    fields = dict(fields)
    for name in ADDED:
        if f"{name}+" not in fields:
            continue
        more, known = fields.pop(f"{name}+"), fields.get(name)
        if isinstance(more, list) and isinstance(known, list | None):
            fields[name] = [*(known or ()), *(row for row in more if row not in (known or ()))]
        elif more is not None:
            fields[name] = more  # no list: told as such
    return fields


def _checked(layers: tuple[Layer, ...], entries: dict[str, Sheet], *, over: bool) -> Laid:
    """Check everything against the schema; a layer below was checked by its own lint, but is checked again as it now stands."""
    top = layers[-1]
    problems = _Told([problem for layer in layers for problem in layer.problems])
    if len(layers) > 1 and not over:
        entries = {name: _without_foreign(sheet, problems) for name, sheet in entries.items()}
    for sheet in (sheet for layer in layers for sheet in layer.aside):
        _as(Entry, sheet, problems)
    domains, hotlines = dict[str, Sheet](), dict[str, Sheet]()
    town: Sheet | None = None
    for layer in layers:
        for name, sheet in layer.domains.items():
            domains[name] = _over(domains.get(name), sheet)
        for name, sheet in layer.hotlines.items():
            hotlines[name] = _over(hotlines.get(name), sheet)
        town = _over(town, layer.town) if layer.town is not None else town
    if not entries and not problems:
        message = "項目のファイルが一つもありません"
        problems.append(Problem(str(top.folder), 1, 1, "error", "no_entries", message, "*.yaml のファイルに、id・name・summary を書いてください。"))
    return Laid(
        folder=top.folder, town=_as(Town, town, problems), entries=_all_as(Entry, entries, problems), sheets=entries,
        domains=_all_as(Domain, domains, problems), hotlines=_all_as(Hotline, hotlines, problems), hotline_sheets=hotlines,
        synonyms=tuple(group for layer in layers[1:] for group in layer.synonyms), own_ids=frozenset(top.entries), aside=tuple(top.aside),
        over_starter=over,
        version=hashlib.sha256(b"".join(layer.fingerprint for layer in layers)).hexdigest()[:12],
        problems=tuple(sorted(problems, key=lambda problem: problem.order)), reads=tuple(top.reads),
    )  # fmt: skip


class _Told(list[Problem]):
    """What was told so far. `moved`: by file and line, what of it was told when the files were read and hides what the line means."""

    def __init__(self, read: list[Problem]) -> None:
        super().__init__(read)
        self.moved = {(problem.file, problem.line): problem.code for problem in read if problem.code in _MOVED}


def _without_foreign(sheet: Sheet, problems: list[Problem]) -> Sheet:
    """Somebody else's base may have fields we do not know: they are left unread and told. What is near to one of ours is taken for a slip."""
    known = field_names(Entry)
    foreign = [name for name in sheet.fields if name not in known and "：" not in name and nearest(name, known) is None]
    for name in foreign:
        message = f"「{name}」という項目は読みません"
        problems.append(sheet.problem((name,), "warning", "foreign_field", message, "使わないなら消してください。", key=True))
    return Sheet(sheet.sources, {name: value for name, value in sheet.fields.items() if name not in foreign}) if foreign else sheet


def _all_as(model: type[M], sheets: dict[str, Sheet], problems: _Told) -> dict[str, M]:
    found = ((name, _as(model, sheet, problems)) for name, sheet in sheets.items())
    return {name: one for name, one in found if one is not None}


def _as(model: type[M], sheet: Sheet | None, problems: _Told) -> M | None:
    if sheet is None:
        return None
    alone, (first, *_) = len(sheet.sources) == 1, sheet.sources
    if alone and isinstance(known := first.read.checked.get(first.trail), model):
        return known
    try:
        made = model.model_validate(sheet.fields)
    except ValidationError as error:
        found = complaints(error, model, list(sheet.sources))
        problems += [one for one in found if not _follows(one, problems.moved.get((one.file, one.line)))]
        return None
    if alone:
        first.read.checked[first.trail] = made
    return made


_MOVED: Final = frozenset(("empty_before_hash", "anchor", "indent", "tab", "wide_indent"))
"""Mistakes of form after which nobody knows where the line belongs, or what its value is."""


def _follows(found: Problem, form: str | None) -> bool:
    """Whether a complaint only follows from the form of its line: a field that slipped to the left is no unknown field, `*ka` is no empty value."""
    if form == "anchor":
        return found.code != "unknown_field"
    return form == "empty_before_hash" or (form is not None and found.code == "unknown_field")
