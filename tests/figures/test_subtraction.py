"""Somebody keeps every page of a year, from every day, and subtracts all of them from one another (R33).

The reader here knows the rules, that numbers only grow, and how rows and columns make up their sums; and narrows down, as far as it goes, what each
number and each difference between two pages can be. No number of people from one to nine may be left as the only possible one.
"""

import itertools
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from bot.figures import counting, tables
from bot.figures.counting import Counts
from bot.figures.masking import SMALL, UNDER, AtLeast, Shown, Tens

_QUARTERS, _LOOKS = 4, 3
"""How often a year is closed, and on how many days of each quarter the page is looked at; the last of them is the day of closing."""
WORDS: dict[str, Any] = {
    "work": {
        "consulted": {"label": "受けた", "unit": "件", "how": ""}, "handed": {"label": "相談票", "unit": "件", "how": ""},
        "by_bot": {"label": "機械", "unit": "件", "how": "", "of": "consulted"},
        "by_human": {"label": "人", "unit": "件", "how": "", "of": "consulted"},
    },
    "figures": {
        "topics": {"title": "種類", "unit": "件", "kind": "each", "labels": {"a": "a", "b": "b"}, "how": ""},
        "replies": {"title": "返事", "unit": "件", "kind": "parts", "labels": {"15": "15", "60": "60", "none": "none"}, "how": ""},
        "places": {"title": "地区", "unit": "件", "kind": "grid", "rows": "地区", "columns": {"a": "a", "b": "b", "c": "c"}, "how": ""},
    },
}  # fmt: skip
Number = tuple[str, ...]
"""A number of the page: its label; or a title with a label; or with row and column, of which either may be the sum 計."""
Known = tuple[Number, int, int]
"""What came to a number between two looks; before look 0 there is nothing."""
_DISTRICTS = ("東", "西", "山")


def a_day(rng: random.Random, busy: float) -> Counts:
    """What one day adds in a town where `busy` people ask."""
    work, topics, replies, places = (Counter[str]() for _ in range(4))
    for _ in range(sum(rng.random() < busy / 3 for _ in range(3))):
        work["consulted"] += 1
        if rng.random() < 0.4:
            work["by_bot"] += 1
            continue
        work.update(("by_human", "handed"))
        topics.update(one for one in "ab" if rng.random() < 0.6)
        replies[rng.choice(("15", "15", "60", "none"))] += 1
        places[f"{rng.choice(('東', *_DISTRICTS))}|{rng.choice('aabc')}"] += 1
    return {"work": dict(work), "topics": dict(topics), "replies": dict(replies), "places": dict(places)}


def printed(report: tables.Report) -> Iterator[tuple[Number, Shown]]:
    """Every number of a page of closed quarters."""
    for one in report.figures:
        yield (one.label,), one.now
    for table in report.tables:
        if isinstance(table, tables.Listed):
            yield from (((table.title, line.label), line.now) for line in table.lines)
            continue
        columns = (*table.columns, "計")
        for label, cells, whole in (*table.lines, ("計", table.sums, table.total)):
            yield from (((table.title, label, column), shown) for column, shown in zip(columns, (*cells, whole), strict=True))


def told(running: tables.Running) -> Iterator[tuple[Number, Shown]]:
    """Every number of the part that changes from day to day; what is not listed is under ten."""
    yield from (((label,), shown) for label, _, shown in running.figures)
    listed = {(title, label): shown for title, _, rows in running.lists for label, shown in rows}
    yield from (((name, label), listed.get((name, label), Tens(0))) for name, label in (("種類", "a"), ("種類", "b")))


def sums(numbers: set[Number]) -> list[tuple[Number, list[Number]]]:
    """Which numbers of the page make up which."""
    found: list[tuple[Number, list[Number]]] = [(("受けた",), [("機械",), ("人",)]), (("相談票",), [("返事", one) for one in ("15", "60", "none")])]
    rows, columns = ({one[at] for one in numbers if one[0] == "地区"} - {"計"} for at in (1, 2))
    found += [(("地区", row, "計"), [("地区", row, column) for column in columns]) for row in (*rows, "計")]
    found += [(("地区", "計", column), [("地区", row, column) for row in rows]) for column in (*columns, "計")]
    return [*found, (("相談票",), [("地区", "計", "計")])]


class Reader:
    """What came to each number between each two looks, as far as it is known: from, to."""

    def __init__(self) -> None:
        self.room: dict[Known, tuple[float, float]] = defaultdict(lambda: (0, math.inf))

    def reads(self, what: Known, shown: Shown) -> None:
        match shown:
            case int():
                self._knows(what, shown, shown)
            case AtLeast():
                self._knows(what, shown.many, math.inf)
            case Tens():
                self._knows(what, shown.many, shown.many + UNDER - 1)
            case _ if shown == SMALL:
                self._knows(what, 1, UNDER - 1)

    def thinks(self, numbers: set[Number], looks: int) -> None:
        """Until nothing more follows."""
        spans = list(itertools.combinations(range(looks + 1), 2))
        made_of = [((whole, *span), [(part, *span) for part in parts]) for whole, parts in sums(numbers) for span in spans]
        made_of += [
            ((one, begin, end), [(one, begin, between), (one, between, end)])
            for one in numbers for begin, between, end in itertools.combinations(range(looks + 1), 3)
        ]  # fmt: skip
        while sum(self._follows(whole, parts) for whole, parts in made_of):
            pass

    def found(self) -> list[Known]:
        """Numbers from one to nine that are no secret any more."""
        return [what for what, (low, high) in self.room.items() if low == high and 0 < low < UNDER]

    def _follows(self, whole: Known, parts: Sequence[Known]) -> bool:
        room = [self.room[one] for one in parts]
        low, high = sum(one[0] for one in room), sum(one[1] for one in room)
        news = self._knows(whole, low, high)
        least, most = self.room[whole]
        for one, (from_, _) in zip(parts, room, strict=True):
            rest = sum(other[1] for at, other in zip(parts, room, strict=True) if at != one)
            news |= self._knows(one, least - rest, most - (low - from_))
        return news

    def _knows(self, what: Known, low: float, high: float) -> bool:
        before = self.room[what]
        now = self.room[what] = max(before[0], low), min(before[1], high)
        assert now[0] <= now[1], f"what is shown contradicts itself: {what} {before} {low} {high}"
        return now != before


def kept_pages(rng: random.Random, busy: float, page: Callable[[list[Counts]], tables.Report]) -> Reader:
    """What somebody knows who kept all pages of a year."""
    reader, ends, whole, looked = Reader(), list[Counts](), Counts(), 0
    pages: dict[int, dict[Number, Shown]] = {}
    for _ in range(_QUARTERS):
        quarter: Counts = {}
        begun = looked
        for _ in range(_LOOKS):
            quarter = counting.add([quarter, *(a_day(rng, busy) for _ in range(90 // _LOOKS))])
            looked += 1
            for number, shown in told(tables.running(WORDS, {}, quarter)):
                reader.reads((number, begun, looked), shown)
        whole = counting.add([whole, quarter])
        ends.append(whole)
        pages[looked] = dict(printed(page(ends)))
    numbers = {number for one in pages.values() for number in one}
    for look, one in pages.items():
        for number in numbers:
            reader.reads((number, 0, look), one.get(number, 0))
    reader.thinks(numbers, looked)
    return reader


@pytest.mark.requirement("R33")
@pytest.mark.parametrize("busy", [0.15, 0.4, 1.0, 2.5])
def test_whoever_keeps_every_page_of_a_year_works_out_no_small_number(busy: float) -> None:
    for seed in range(6):
        reader = kept_pages(random.Random(seed), busy, lambda ends: tables.report(WORDS, {}, ends, []))
        assert reader.found() == [], (seed, busy)


def test_the_reader_does_find_what_pages_give_away_that_know_nothing_of_earlier_ones() -> None:
    reader = kept_pages(random.Random(1), 0.4, lambda ends: tables.report(WORDS, {}, ends[-1:], []))
    assert reader.found() != []
