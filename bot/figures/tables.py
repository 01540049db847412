"""From counts to what may be read: every figure with its words, its unit, how it is counted, and last year beside it; small numbers hidden (R33)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.figures.counting import UNKNOWN, Counts
from bot.figures.masking import HIDDEN, SMALL, Shown, mask, mask_each, mask_list, share


@dataclass(frozen=True)
class Figure:
    """One number with what stands beside it. `share`: of the figure it is a part of."""

    name: str
    label: str
    unit: str
    how: str
    now: Shown
    before: Shown
    share: str


@dataclass(frozen=True)
class Line:
    """One row of a list. `bar`: 0–100 of the longest; 0 where the number is hidden."""

    label: str
    now: Shown
    before: Shown
    bar: int


@dataclass(frozen=True)
class Listed:
    """A figure by one thing: drawn as bars, with its table."""

    name: str
    title: str
    unit: str
    how: str
    rows_at: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Crossed:
    """A figure by two things, with margins."""

    name: str
    title: str
    unit: str
    how: str
    rows: str
    columns: tuple[str, ...]
    lines: tuple[tuple[str, tuple[Shown, ...], Shown], ...]
    """Label, cells, sum of the row."""
    sums: tuple[Shown, ...]
    total: Shown


@dataclass(frozen=True)
class Report:
    figures: tuple[Figure, ...]
    tables: tuple[Listed | Crossed, ...]

    def figure(self, name: str) -> Figure:
        return next(one for one in self.figures if one.name == name)


def report(words: Mapping[str, Any], labels: Mapping[str, Mapping[str, str]], now: Counts, before: Counts) -> Report:
    """Everything of the page. `words` is figures.yaml; `labels` are the words of topics, issues and domains."""
    work, last = now.get("work", {}), before.get("work", {})
    figures = tuple(_figure(name, said, work, last) for name, said in words["work"].items())
    return Report(figures, tuple(_table(name, said, labels, now.get(name, {}), before.get(name, {})) for name, said in words["figures"].items()))


def written(shown: Shown) -> str:
    """As staff read it."""
    return {SMALL: "10未満", HIDDEN: "秘匿"}.get(shown, "") if isinstance(shown, str) else f"{shown:,}"


def _figure(name: str, said: Mapping[str, Any], work: Mapping[str, int], last: Mapping[str, int]) -> Figure:
    of = said.get("of")

    def shown(counts: Mapping[str, int]) -> Shown:
        many = counts.get(name, 0)
        if said.get("free"):
            return many
        if of is None:
            return mask_each({name: many})[name]
        return mask_list({"part": many, "rest": counts.get(of, 0) - many})["part"]

    part = "" if of is None or said.get("free") else share(work.get(name, 0), work.get(of, 0))
    return Figure(name, said["label"], said["unit"], said["how"], shown(work), shown(last), part)


def _table(
    name: str, said: Mapping[str, Any], labels: Mapping[str, Mapping[str, str]], now: Mapping[str, int], before: Mapping[str, int]
) -> Listed | Crossed:  # fmt: skip
    if said["kind"] == "grid":
        return _crossed(name, said, labels, now)
    words = _words(said["labels"], labels)
    keys = [key for key in (*words, *sorted({*now, *before} - set(words))) if now.get(key) or before.get(key)]
    hide = mask_list if said["kind"] == "parts" else mask_each
    mine, theirs = hide({key: now.get(key, 0) for key in keys}), hide({key: before.get(key, 0) for key in keys})
    longest = max((many for many in mine.values() if isinstance(many, int)), default=0)
    lines = []
    for key in keys:
        many = mine[key]
        lines.append(Line(words.get(key, _unnamed(key)), many, theirs[key], round(100 * many / longest) if isinstance(many, int) and longest else 0))
    if said["kind"] == "each":  # the order of hidden numbers would tell which of them is larger
        lines.sort(key=lambda line: (-line.now if isinstance(line.now, int) else 1, line.label))
    return Listed(name, said["title"], said["unit"], said["how"], said.get("rows_at", ""), tuple(lines))


def _crossed(name: str, said: Mapping[str, Any], labels: Mapping[str, Mapping[str, str]], counts: Mapping[str, int]) -> Crossed:
    words = _words(said["columns"], labels)
    pairs = {tuple(key.split("|", 1)): many for key, many in counts.items()}
    found = {column for _, column in pairs}
    columns = [key for key in (*words, *sorted(found - set(words))) if key in found]
    there = {row for row, _ in pairs}
    first = [row for row in said.get("order", ()) if row in there]
    rows = [*first, *sorted(there - set(first), key=lambda row: (row == UNKNOWN, row))]
    grid = mask([[pairs.get((row, column), 0) for column in columns] for row in rows])
    lines = tuple((_unnamed(row), cells, whole) for row, cells, whole in zip(rows, grid.cells, grid.rows, strict=True))
    heads = tuple(words.get(column, _unnamed(column)) for column in columns)
    return Crossed(name, said["title"], said["unit"], said["how"], said["rows"], heads, lines, grid.columns, grid.total)


def _words(written: str | Mapping[str, str], labels: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    return labels[written] if isinstance(written, str) else written


def _unnamed(key: str) -> str:
    return "未確認" if key == UNKNOWN else key


def flat(table: Listed | Crossed) -> tuple[Sequence[str], list[list[str]]]:
    """Header and rows of a table for a sheet: one cell one value, units in the header."""
    if isinstance(table, Listed):
        heads = ("項目", f"今年度（{table.unit}）", f"前年度（{table.unit}）")
        return heads, [[one.label, written(one.now), written(one.before)] for one in table.lines]
    header = (table.rows, *(f"{column}（{table.unit}）" for column in table.columns), f"計（{table.unit}）")
    rows = [[label, *map(written, cells), written(whole)] for label, cells, whole in table.lines]
    return header, [*rows, ["計", *map(written, table.sums), written(table.total)]] if rows else rows
