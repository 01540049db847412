"""From counts to what may be read: every figure with its words, its unit, how it is counted, and last year beside it; small numbers hidden (R33)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.figures.counting import UNKNOWN, Counts
from bot.figures.masking import HIDDEN, SMALL, AtMost, Shown, mask, mask_each, mask_list, share


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


Views = Sequence[Counts]
"""Counts of one year up to several days, the longest first; the last is the one that is read, and it could be subtracted from the others (R33)."""


def report(words: Mapping[str, Any], labels: Mapping[str, Mapping[str, str]], now: Views, before: Views) -> Report:
    """Everything of the page. `words` is figures.yaml; `labels` are the words of topics, issues and domains."""
    figures = tuple(_figure(name, said, _only(now, "work"), _only(before, "work")) for name, said in words["work"].items())
    return Report(figures, tuple(_table(name, said, labels, _only(now, name), _only(before, name)) for name, said in words["figures"].items()))


def _only(views: Views, name: str) -> list[Mapping[str, int]]:
    return [view.get(name, {}) for view in views] or [{}]


def written(shown: Shown) -> str:
    """As staff read it."""
    if isinstance(shown, AtMost):
        return f"{shown.many:,}以下"
    return {SMALL: "10未満", HIDDEN: "秘匿"}.get(shown, "") if isinstance(shown, str) else f"{shown:,}"


def _figure(name: str, said: Mapping[str, Any], now: Sequence[Mapping[str, int]], before: Sequence[Mapping[str, int]]) -> Figure:
    of = said.get("of")

    def shown(views: Sequence[Mapping[str, int]]) -> Shown:
        many = [view.get(name, 0) for view in views]
        if said.get("free"):
            return many[-1]
        if of is None:
            return mask_each({name: many[-1]}, longer=[{name: one} for one in many[:-1]])[name]
        parts = [{"part": one, "rest": view.get(of, 0) - one} for one, view in zip(many, views, strict=True)]
        return mask_list(parts[-1], longer=parts[:-1])["part"]

    mine = shown(now)
    kept_back = of is None or said.get("free") or any(isinstance(one, AtMost) for one in (mine, _whole(now, of)))
    part = "" if kept_back or of is None else share(now[-1].get(name, 0), now[-1].get(of, 0))
    return Figure(name, said["label"], said["unit"], said["how"], mine, shown(before), part)


def _whole(views: Sequence[Mapping[str, int]], name: str) -> Shown:
    return mask_each({name: views[-1].get(name, 0)}, longer=views[:-1])[name]


def _table(
    name: str, said: Mapping[str, Any], labels: Mapping[str, Mapping[str, str]], now: Sequence[Mapping[str, int]], before: Sequence[Mapping[str, int]]
) -> Listed | Crossed:  # fmt: skip
    if said["kind"] == "grid":
        return _crossed(name, said, labels, now)
    words = _words(said["labels"], labels)
    keys = [key for key in (*words, *sorted({*now[-1], *before[-1]} - set(words))) if now[-1].get(key) or before[-1].get(key)]
    hide = mask_list if said["kind"] == "parts" else mask_each
    mine, theirs = (hide({key: views[-1].get(key, 0) for key in keys}, longer=views[:-1]) for views in (now, before))
    longest = max((many for many in mine.values() if isinstance(many, int)), default=0)
    lines = []
    for key in keys:
        many = mine[key]
        lines.append(Line(words.get(key, _unnamed(key)), many, theirs[key], round(100 * many / longest) if isinstance(many, int) and longest else 0))
    if said["kind"] == "each":  # the order of hidden numbers would tell which of them is larger
        lines.sort(key=lambda line: (-line.now if isinstance(line.now, int) else 1, line.label))
    return Listed(name, said["title"], said["unit"], said["how"], said.get("rows_at", ""), tuple(lines))


def _crossed(name: str, said: Mapping[str, Any], labels: Mapping[str, Mapping[str, str]], views: Sequence[Mapping[str, int]]) -> Crossed:
    words = _words(said["columns"], labels)
    pairs = {tuple(key.split("|", 1)) for key in views[-1]}
    found = {column for _, column in pairs}
    columns = [key for key in (*words, *sorted(found - set(words))) if key in found]
    there = {row for row, _ in pairs}
    first = [row for row in said.get("order", ()) if row in there]
    rows = [*first, *sorted(there - set(first), key=lambda row: (row == UNKNOWN, row))]
    *longer, cells = ([[view.get(f"{row}|{column}", 0) for column in columns] for row in rows] for view in views)
    grid = mask(cells, longer=longer)
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
