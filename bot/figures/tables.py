"""From counts to what may be read: every figure with its words, its unit, how it is counted, and last year beside it; small numbers hidden (R33)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.figures.counting import UNKNOWN, Counts
from bot.figures.masking import HIDDEN, SMALL, UNDER, AtLeast, Shown, Tens, mask, mask_each, mask_list, share, tens


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
    """One row of a list."""

    label: str
    now: Shown
    before: Shown


@dataclass(frozen=True)
class Listed:
    """A figure by one thing; where `chart` says so, drawn as bars above its table."""

    name: str
    title: str
    unit: str
    how: str
    rows_at: str
    chart: bool
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

    def crossed(self, name: str) -> Crossed:
        return next(one for one in self.tables if one.name == name and isinstance(one, Crossed))


@dataclass(frozen=True)
class Running:
    """What of a quarter that is not over may be looked at from day to day: whole tens of numbers of which none is a part of another's sum (R33)."""

    figures: tuple[tuple[str, str, Shown], ...]
    """Label, unit, number."""
    lists: tuple[tuple[str, str, tuple[tuple[str, Shown], ...]], ...]
    """Title, unit, and what there is ten times or more."""


Views = Sequence[Counts]
"""Counts of one year up to several ends of quarters, the earliest first; the last is the one that is read, the others were read before it (R33)."""


def report(words: Mapping[str, Any], labels: Mapping[str, Mapping[str, str]], now: Views, before: Views) -> Report:
    """Everything of the page. `words` is figures.yaml; `labels` are the words of topics, issues and domains."""
    figures = tuple(_figure(name, said, _only(now, "work"), _only(before, "work")) for name, said in words["work"].items())
    return Report(figures, tuple(_table(name, said, labels, _only(now, name), _only(before, name)) for name, said in words["figures"].items()))


def running(words: Mapping[str, Any], labels: Mapping[str, Mapping[str, str]], counts: Counts) -> Running:
    """The part of the page that changes from day to day. Lists only by words that are known beforehand: a new row would say that somebody came."""
    work, lists = counts.get("work", {}), []
    figures = [
        (said["label"], said["unit"], work.get(name, 0) if said.get("free") else tens(work.get(name, 0)))
        for name, said in words["work"].items() if "of" not in said
    ]  # fmt: skip
    for name, said in words["figures"].items():
        known = _words(said["labels"], labels) if said["kind"] == "each" else {}
        rows = [(word, tens(counts.get(name, {}).get(key, 0))) for key, word in known.items()]
        rows = sorted((row for row in rows if row[1].many >= UNDER), key=lambda row: (-row[1].many, row[0]))
        lists += [(said["title"], said["unit"], tuple(rows))] if rows else []
    return Running(tuple(figures), tuple(lists))


def _only(views: Views, name: str) -> list[Mapping[str, int]]:
    return [view.get(name, {}) for view in views] or [{}]


def written(shown: Shown) -> str:
    """As staff read it."""
    if isinstance(shown, AtLeast):
        return f"{shown.many:,}以上"
    if isinstance(shown, Tens):
        return f"{shown.many:,}〜{shown.many + UNDER - 1:,}" if shown.many else "10未満"
    return {SMALL: "10未満", HIDDEN: "秘匿"}.get(shown, "") if isinstance(shown, str) else f"{shown:,}"


def _figure(name: str, said: Mapping[str, Any], now: Sequence[Mapping[str, int]], before: Sequence[Mapping[str, int]]) -> Figure:
    of = said.get("of")

    def shown(views: Sequence[Mapping[str, int]]) -> Shown:
        many = [view.get(name, 0) for view in views]
        if said.get("free"):
            return many[-1]
        if of is None:
            return _whole(views, name)
        parts = [{"part": one, "rest": view.get(of, 0) - one} for one, view in zip(many, views, strict=True)]
        return mask_list(parts[-1], earlier=parts[:-1])["part"]

    mine = shown(now)
    part = "" if of is None or said.get("free") or not isinstance(_whole(now, of), int) else _share(mine, now[-1].get(name, 0), now[-1].get(of, 0))
    return Figure(name, said["label"], said["unit"], said["how"], mine, shown(before), part)


def _whole(views: Sequence[Mapping[str, int]], name: str) -> Shown:
    return mask_each({name: views[-1].get(name, 0)}, earlier=[{name: view.get(name, 0)} for view in views[:-1]])[name]


def _share(shown: Shown, part: int, whole: int) -> str:
    """Nothing where the part is hidden for another reason than that it, or the rest, is small: a share would say what was hidden."""
    return share(part, whole) if isinstance(shown, int) or 0 < part < UNDER or 0 < whole - part < UNDER else ""


def _table(
    name: str, said: Mapping[str, Any], labels: Mapping[str, Mapping[str, str]], now: Sequence[Mapping[str, int]], before: Sequence[Mapping[str, int]]
) -> Listed | Crossed:  # fmt: skip
    if said["kind"] == "grid":
        return _crossed(name, said, labels, now)
    words = _words(said["labels"], labels)
    keys = [key for key in (*words, *sorted({*now[-1], *before[-1]} - set(words))) if now[-1].get(key) or before[-1].get(key)]
    hide = mask_list if said["kind"] == "parts" else mask_each
    mine, theirs = (hide({key: views[-1].get(key, 0) for key in keys}, earlier=views[:-1]) for views in (now, before))
    lines = [Line(words.get(key, _unnamed(key)), mine[key], theirs[key]) for key in keys]
    if said["kind"] == "each":  # the order of hidden numbers would tell which of them is larger
        lines.sort(key=lambda line: (-line.now if isinstance(line.now, int) else 1, line.label))
    return Listed(name, said["title"], said["unit"], said["how"], said.get("rows_at", ""), said.get("chart", False), tuple(lines))


def _crossed(name: str, said: Mapping[str, Any], labels: Mapping[str, Mapping[str, str]], views: Sequence[Mapping[str, int]]) -> Crossed:
    words = _words(said["columns"], labels)
    pairs = {tuple(key.split("|", 1)) for key in views[-1]}
    found = {column for _, column in pairs}
    columns = [key for key in (*words, *sorted(found - set(words))) if key in found]
    there = {row for row, _ in pairs}
    first = [row for row in said.get("order", ()) if row in there]
    rows = [*first, *sorted(there - set(first), key=lambda row: (row == UNKNOWN, row))]
    *earlier, cells = ([[view.get(f"{row}|{column}", 0) for column in columns] for row in rows] for view in views)
    grid = mask(cells, earlier=earlier)
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
