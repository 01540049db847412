"""Small numbers name people (R33): every count from 1 to 9 is hidden, and as many others as it takes that none can be worked out from what is shown.

A table with its margins is a circulation: what flows into a row flows out through its cells, and so for columns and the grand total. A hidden number
can be worked out exactly when it lies on no cycle along which all hidden numbers could be one more or one less and still be what their mark says:
`SMALL` is 1 to 9, `HIDDEN` is 10 or more. So a hidden number that lies on no such cycle gets the cheapest one that would free it, and what was still
visible on that cycle is hidden too (complementary suppression). Zeros are shown: they are nobody.

Two views of one year can be laid beside each other and subtracted: April to September less April to June leaves a quarter. Somebody keeps the paper
of June, so what was shown once stays shown: each view is masked knowing all earlier ones, and never changes afterwards. What lies between two views
is a table of its own, in which no small number may be read or worked out either. What is kept back for that reason says only what an earlier view
had shown already: `AtLeast`.

A quarter that is not over is looked at from day to day, so of it only whole tens are told, of numbers that make up no sum together: `Tens`. Two of
them differ by anything from nothing to nineteen.
"""

import heapq
import itertools
import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

UNDER: Final = 10
"""Counts from 1 to 9 are hidden (R33)."""
Mark = Literal["small", "hidden"]
SMALL: Final = "small"
"""Shown as 10未満."""
HIDDEN: Final = "hidden"
"""Shown as 秘匿: hidden so that a small one cannot be worked out."""


@dataclass(frozen=True)
class AtLeast:
    """Kept back so that an earlier view cannot be subtracted from this one: as many as that one showed, or some more."""

    many: int


@dataclass(frozen=True)
class Tens:
    """What may be told of a number that still grows: from `many`, a multiple of ten, up to nine more."""

    many: int


Shown = int | Mark | AtLeast | Tens
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
_Flow = Mapping[_Edge, int]
_Room = tuple[int, float]
"""From and to: what a reader must think possible of a hidden number."""


@dataclass(frozen=True)
class _Net:
    """A table as a circulation, and what each of its numbers could be if it is hidden."""

    flow: _Flow
    room: Mapping[_Edge, _Room]
    under: int
    beside: bool = False
    """Whether earlier views are known: then not even a nought may be told where nothing else frees a number."""

    def room_of(self, edge: _Edge, mark: Mark | None) -> _Room:
        return (1, self.under - 1) if mark == "small" else self.room[edge]



Cells = Sequence[Sequence[int]]


def mask(cells: Cells, under: int = UNDER, *, earlier: Sequence[Cells] = ()) -> Grid:
    """The table with its margins, small numbers hidden and everything hidden that would give one away.

    `earlier`: the same table in the earlier views of the year, earliest first, each of the same shape; numbers only grow from one to the next.
    """
    width = len(cells[0]) if cells else 0
    total: _Edge = ("S", "T", "total")
    seen = _views([_flow(one, width) for one in (*earlier, cells)], frozenset({total}), under)[-1]
    return Grid(
        tuple(tuple(seen.get((("r", at), ("c", place), "cell"), 0) for place in range(width)) for at in range(len(cells))),
        tuple(seen.get(("T", ("r", at), "row"), 0) for at in range(len(cells))),
        tuple(seen.get((("c", place), "S", "column"), 0) for place in range(width)),
        seen[total],
    )


def mask_list(counts: Mapping[str, int], under: int = UNDER, *, earlier: Sequence[Mapping[str, int]] = ()) -> dict[str, Shown]:
    """Counts that make up a total which is shown: hidden like one row of a table."""
    if not counts:
        return {}
    grid = mask([list(counts.values())], under, earlier=[[[one.get(name, 0) for name in counts]] for one in earlier])
    return dict(zip(counts, grid.cells[0], strict=True))


def mask_each(counts: Mapping[str, int], under: int = UNDER, *, earlier: Sequence[Mapping[str, int]] = ()) -> dict[str, Shown]:
    """Counts that make up no total (one case may be counted several times): each for itself."""
    return {name: _beside([*(one.get(name, 0) for one in earlier), many], under) for name, many in counts.items()}


def tens(many: int) -> Tens:
    """Whole tens of a number that still grows; nought and nine look alike."""
    return Tens(many - many % UNDER)


def _beside(many: Sequence[int], under: int) -> Shown:
    """The last of these growing counts, each of them a view: what is shown exactly differs from all else that is by nothing, or by enough."""
    exact, told = 0, cast(Shown, 0)
    for one in many:
        if 0 < one < under:
            told = SMALL
        elif one == exact or one - exact >= under:
            exact, told = one, one
        else:
            told = AtLeast(exact)
    return told


def share(part: int, whole: int, under: int = UNDER) -> str:
    """A part in per cent, said so roughly that a small number of the rest, or of the part, cannot be worked out; `—` for a small whole."""
    if whole < 2 * under:  # below, both halves may be small, and one tells the other
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


def _flow(cells: Cells, width: int) -> dict[_Edge, int]:
    """The table as a circulation, without the rows and columns that hold nothing: in its own view they are not on the page."""
    flow: dict[_Edge, int] = {}
    filled = [place for place in range(width) if any(row[place] for row in cells)]
    for at, row in enumerate(cells):
        if any(row):
            flow["T", ("r", at), "row"] = sum(row)
            flow |= {(("r", at), ("c", place), "cell"): row[place] for place in filled}
    flow |= {(("c", place), "S", "column"): sum(row[place] for row in cells) for place in filled}
    flow["S", "T", "total"] = sum(map(sum, cells))
    return flow


def _views(flows: Sequence[_Flow], fixed: frozenset[_Edge], under: int) -> list[dict[_Edge, Shown]]:
    """Each view as it may be shown beside all before it. Each is looked at by itself, and so is what lies between it and every earlier one."""
    shown: list[dict[_Edge, Shown]] = []
    for flow in flows:
        exact = {edge: max((many for told in shown if isinstance(many := told.get(edge, 0), int)), default=0) for edge in flow}
        room = {edge: _room(many, exact[edge], under) for edge, many in flow.items()}
        hidden: frozenset[_Edge] = frozenset()
        while True:
            marks = _protected(_Net(flow, room, under, bool(shown)), fixed, hidden)
            found = hidden | marks.keys()
            for earlier, told in zip(flows, shown, strict=False):
                between = {edge: many - earlier.get(edge, 0) for edge, many in flow.items()}
                kept_back = found | {edge for edge in flow if not isinstance(told.get(edge, 0), int)}
                more = _protected(_Net(between, dict.fromkeys(flow, (0, math.inf)), under, True), fixed, kept_back)
                found |= {edge for edge in more if isinstance(told.get(edge, 0), int)}
                # numbers only grow: told now, one that was hidden would be known to have been no more than this
                found |= {edge for edge in flow if not isinstance(told.get(edge, 0), int) and between[edge] < under} - fixed
            if found == hidden:
                break
            hidden = found
        shown.append({edge: _seen(many, exact[edge], marks.get(edge)) for edge, many in flow.items()})
    return shown


def _room(many: int, exact: int, under: int) -> _Room:
    """What a reader must think possible of a hidden number, who saw `exact` of it in an earlier view."""
    return (exact + 1, exact + under - 1) if 0 < many - exact < under else (max(exact, under), math.inf)


def _seen(many: int, exact: int, mark: Mark | None) -> Shown:
    if mark is None:
        return many
    return AtLeast(exact) if exact and mark == HIDDEN else mark


def _protected(net: _Net, fixed: frozenset[_Edge], hidden: frozenset[_Edge]) -> dict[_Edge, Mark]:
    """Marks of the small numbers, of those `hidden` already, and of whatever must be hidden beside them."""
    small: dict[_Edge, Mark] = {edge: "small" for edge, many in net.flow.items() if 0 < many < net.under}
    marks: dict[_Edge, Mark] = {edge: small.get(edge, "hidden") for edge in net.flow if edge in hidden or edge in small}
    for bare in list(marks):  # a number that lies on a cycle stays on it: what is hidden later only opens more ways
        if _way_around(net, marks, frozenset(net.flow), bare) is not None:
            continue
        way = _way_around(net, marks, fixed, bare)
        if way is None:  # nothing frees it: then nothing of the table is told, not even which numbers are small
            every = {edge for edge, many in net.flow.items() if (many or net.beside) and (edge not in fixed or edge in marks)}
            return {edge: "small" if edge in fixed and edge in small else "hidden" for edge in every}
        marks |= {edge: "hidden" for edge in way if edge not in marks}
    return marks


def _way_around(net: _Net, marks: Mapping[_Edge, Mark], closed: frozenset[_Edge], edge: _Edge) -> list[_Edge] | None:
    """The cheapest cycle through `edge` along which one unit may flow more, or less; None = there is none.

    Hidden edges cost nothing, visible ones their count; `closed` ones may not be newly hidden.
    """
    start, end, _ = edge
    low, high = net.room_of(edge, marks.get(edge))
    ways = []
    if net.flow[edge] < high:
        ways.append(_cheapest(net, marks, closed, edge, end, start))
    if net.flow[edge] > low:
        ways.append(_cheapest(net, marks, closed, edge, start, end))
    return min((way for way in ways if way is not None), key=lambda way: way[0], default=(0, None))[1]


def _cheapest(
    net: _Net, marks: Mapping[_Edge, Mark], closed: frozenset[_Edge], but: _Edge, start: Hashable, goal: Hashable
) -> tuple[int, list[_Edge]] | None:  # fmt: skip
    steps: dict[Hashable, list[tuple[Hashable, int, _Edge]]] = {}
    for edge, many in net.flow.items():
        if edge == but or (edge not in marks and (edge in closed or many < net.under)):
            continue
        low, high = net.room_of(edge, marks.get(edge))
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
