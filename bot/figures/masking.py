"""Small numbers name people (R33): every count from 1 to 9 is hidden, and as many others as it takes that none can be worked out from what is shown.

A table with its margins is a circulation: what flows into a row flows out through its cells, and so for columns and the grand total. A hidden number
can be worked out exactly when it lies on no cycle along which all hidden numbers could be one more or one less and still be what their mark says:
`SMALL` is 1 to 9, `HIDDEN` is 10 or more. So a hidden number that lies on no such cycle gets the cheapest one that would free it, and what was still
visible on that cycle is hidden too (complementary suppression). Zeros are shown: they are nobody.
"""

import heapq
import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

UNDER: Final = 10
"""Counts from 1 to 9 are hidden (R33)."""
Mark = Literal["small", "hidden"]
SMALL: Final = "small"
"""Shown as 10未満."""
HIDDEN: Final = "hidden"
"""Shown as 秘匿: hidden so that a small one cannot be worked out."""
Shown = int | Mark
_STEPS: Final = (95, 90, 80, 70, 60, 50)


@dataclass(frozen=True)
class Grid:
    """A table as it may be shown. `total` stands elsewhere too, so it is hidden only when it is small itself."""

    cells: tuple[tuple[Shown, ...], ...]
    rows: tuple[Shown, ...]
    columns: tuple[Shown, ...]
    total: Shown


_Edge = tuple[Hashable, Hashable, Hashable]
"""From, to, and its name among parallel ones."""


def mask(cells: Sequence[Sequence[int]], under: int = UNDER) -> Grid:
    """The table with its margins, small numbers hidden and everything hidden that would give one away."""
    width = len(cells[0]) if cells else 0
    flow: dict[_Edge, int] = {}
    for at, row in enumerate(cells):
        flow["T", ("r", at), "row"] = sum(row)
        for place, many in enumerate(row):
            flow[("r", at), ("c", place), "cell"] = many
    for place in range(width):
        flow[("c", place), "S", "column"] = sum(row[place] for row in cells)
    total: _Edge = ("S", "T", "total")
    flow[total] = sum(map(sum, cells))
    marks = _protected(flow, frozenset({total}), under)

    def seen(edge: _Edge) -> Shown:
        return marks.get(edge, flow[edge])

    return Grid(
        tuple(tuple(seen((("r", at), ("c", place), "cell")) for place in range(width)) for at in range(len(cells))),
        tuple(seen(("T", ("r", at), "row")) for at in range(len(cells))), tuple(seen((("c", place), "S", "column")) for place in range(width)),
        seen(total),
    )  # fmt: skip


def mask_list(counts: Mapping[str, int], under: int = UNDER) -> dict[str, Shown]:
    """Counts that make up a total which is shown: hidden like one row of a table."""
    grid = mask([list(counts.values())], under)
    return dict(zip(counts, grid.cells[0], strict=True)) if counts else {}


def mask_each(counts: Mapping[str, int], under: int = UNDER) -> dict[str, Shown]:
    """Counts that make up no total (one case may be counted several times): each for itself."""
    return {name: SMALL if 0 < many < under else many for name, many in counts.items()}


def share(part: int, whole: int, under: int = UNDER) -> str:
    """A part in per cent, said so roughly that a small number of the rest, or of the part, cannot be worked out; `—` for a small whole."""
    if whole < under:
        return "—"
    if 0 < part < under:
        return f"{100 - _floor(whole - part, whole, under)}%以下"
    if 0 < whole - part < under:
        return f"{_floor(part, whole, under)}%以上"
    return f"{round(100 * part / whole)}%"


def _floor(part: int, whole: int, under: int) -> int:
    """The highest step below `part` that leaves at least three numbers possible, where less than `under` are missing from the whole."""
    for step in _STEPS:
        possible = [one for one in range(max(whole - under + 1, 0), whole) if 100 * one >= step * whole]
        if 100 * part >= step * whole and len(possible) >= 3:
            return step
    return 0


def _protected(flow: Mapping[_Edge, int], fixed: frozenset[_Edge], under: int) -> dict[_Edge, Mark]:
    marks: dict[_Edge, Mark] = {edge: "small" for edge, many in flow.items() if 0 < many < under}
    while True:
        bare = next((edge for edge in sorted(marks, key=str) if _way_around(flow, marks, frozenset(flow), edge, under) is None), None)
        if bare is None:
            return marks
        way = _way_around(flow, marks, fixed, bare, under)
        if way is None:  # nothing frees it: then nothing of the table is told, not even which numbers are small
            return {edge: "small" if edge in fixed else "hidden" for edge, many in flow.items() if many and (edge not in fixed or edge in marks)}
        marks |= {edge: "hidden" for edge in way if edge not in marks}


def _way_around(flow: Mapping[_Edge, int], marks: Mapping[_Edge, Mark], closed: frozenset[_Edge], edge: _Edge, under: int) -> list[_Edge] | None:
    """The cheapest cycle through `edge` along which one unit may flow more, or less; None = there is none.

    Hidden edges cost nothing, visible ones their count; `closed` ones may not be newly hidden.
    """
    start, end, _ = edge
    low, high = _bounds(marks.get(edge), under)
    ways = []
    if flow[edge] < high:
        ways.append(_cheapest(flow, marks, closed, edge, end, start, under))
    if flow[edge] > low:
        ways.append(_cheapest(flow, marks, closed, edge, start, end, under))
    return min((way for way in ways if way is not None), key=lambda way: way[0], default=(0, None))[1]


def _cheapest(
    flow: Mapping[_Edge, int], marks: Mapping[_Edge, Mark], closed: frozenset[_Edge], but: _Edge, start: Hashable, goal: Hashable, under: int
) -> tuple[int, list[_Edge]] | None:  # fmt: skip
    steps: dict[Hashable, list[tuple[Hashable, int, _Edge]]] = {}
    for edge, many in flow.items():
        if edge == but or (edge not in marks and (edge in closed or many < under)):
            continue
        low, high = _bounds(marks.get(edge, "hidden"), under)
        cost = 0 if edge in marks else many
        if many < high:
            steps.setdefault(edge[0], []).append((edge[1], cost, edge))
        if many > low:
            steps.setdefault(edge[1], []).append((edge[0], cost, edge))
    order = itertools.count()
    waiting: list[tuple[int, int, Hashable, list[_Edge]]] = [(0, next(order), start, [])]
    seen: set[Hashable] = set()
    while waiting:
        cost, _, here, way = heapq.heappop(waiting)
        if here == goal:
            return cost, way
        if here in seen:
            continue
        seen.add(here)
        for there, more, edge in steps.get(here, ()):
            heapq.heappush(waiting, (cost + more, next(order), there, [*way, edge]))
    return None


def _bounds(mark: Mark | None, under: int) -> tuple[int, float]:
    return (1, under - 1) if mark == "small" else (under, float("inf"))
