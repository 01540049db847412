"""No small number can be read, nor worked out from what is shown beside it (R33)."""

import itertools

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.figures.masking import HIDDEN, SMALL, AtLeast, Shown, Tens, mask, mask_each, mask_list, share, tens

UNDER = 3
"""Small enough that a test can try every table that somebody outside could think of."""
MOST = 6
tables = st.sampled_from([(1, 3), (2, 2), (2, 1)]).flatmap(
    lambda size: st.lists(st.lists(st.integers(0, 4), min_size=size[1], max_size=size[1]), min_size=size[0], max_size=size[0])
)


def may_be(shown: Shown, many: int, *, told: bool = True) -> bool:
    """Whether somebody who reads `shown` must think `many` possible. `told`: that a hidden number is not small either."""
    if shown == SMALL:
        return 1 <= many < UNDER
    return (not told or many >= UNDER) if shown == HIDDEN else many == shown


def thought_of(cells: list[list[int]], *, told: bool) -> list[tuple[tuple[int, ...], ...]]:
    """Every table that agrees with all that is shown."""
    grid = mask(cells, UNDER)
    most = MOST if sum(map(sum, cells)) < MOST else sum(map(sum, cells))
    choices = [[many for many in range(most + 1) if may_be(shown, many, told=told)] for row in grid.cells for shown in row]
    width, found = len(cells[0]), []
    for flat in itertools.product(*choices):
        rows = tuple(flat[at : at + width] for at in range(0, len(flat), width))
        sums = [(sum(row), shown) for row, shown in zip(rows, grid.rows, strict=True)]
        sums += [(sum(row[at] for row in rows), shown) for at, shown in enumerate(grid.columns)]
        if all(may_be(shown, many, told=told) for many, shown in [*sums, (sum(flat), grid.total)]):
            found.append(rows)
    return found


@settings(max_examples=60, deadline=None)
@given(tables)
def test_every_hidden_number_could_be_another_one(cells: list[list[int]]) -> None:
    grid = mask(cells, UNDER)
    possible = thought_of(cells, told=True) or thought_of(cells, told=False)
    for at, row in enumerate(grid.cells):
        for place, shown in enumerate(row):
            if shown in (SMALL, HIDDEN):
                assert len({table[at][place] for table in possible}) > 1, (cells, grid)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.integers(0, 40), min_size=4, max_size=4), min_size=1, max_size=5))
def test_no_number_from_one_to_nine_is_shown_and_what_is_shown_is_true(cells: list[list[int]]) -> None:
    grid = mask(cells)
    pairs = [pair for shown, row in zip(grid.cells, cells, strict=True) for pair in zip(shown, row, strict=True)]
    pairs += list(zip(grid.rows, map(sum, cells), strict=True))
    pairs += [(shown, sum(row[at] for row in cells)) for at, shown in enumerate(grid.columns)]
    pairs.append((grid.total, sum(map(sum, cells))))
    for shown, many in pairs:
        assert shown not in range(1, 10)
        assert shown in (SMALL, HIDDEN, many)
        assert shown != SMALL or 0 < many < 10


def test_one_small_number_takes_the_smallest_other_one_with_it() -> None:
    assert mask_list({"a": 50, "b": 3, "c": 14, "d": 0}) == {"a": 50, "b": SMALL, "c": HIDDEN, "d": 0}


def test_nothing_is_hidden_where_nothing_is_small() -> None:
    assert mask([[10, 20], [0, 30]]).cells == ((10, 20), (0, 30))


def test_two_numbers_that_only_nine_and_nine_can_make_are_both_kept_back() -> None:
    assert mask_list({"a": 9, "b": 9}) == {"a": HIDDEN, "b": HIDDEN}


def test_a_small_number_is_hidden_across_a_table_too() -> None:
    grid = mask([[20, 4], [30, 40]])
    assert grid.cells[0][1] == SMALL
    assert [shown for row in grid.cells for shown in row].count(HIDDEN) >= 1
    assert grid.total == 94


@given(st.integers(0, 400), st.integers(0, 400))
def test_a_share_never_tells_a_small_number_exactly(part: int, rest: int) -> None:
    said, whole = share(part, part + rest), part + rest
    same = [other for other in range(whole + 1) if share(other, whole) == said]
    if 0 < part < 10 or 0 < rest < 10:
        assert len(same) > 1


def test_shares_are_said_plainly_where_nothing_is_small() -> None:
    assert share(50, 100) == "50%"
    assert share(100, 100) == "100%"
    assert share(0, 100) == "0%"
    assert share(116, 121) == "95%以上"
    assert share(3, 100) == "5%以下"
    assert share(5, 9) == share(4, 10) == "—"


growing = st.lists(st.lists(st.lists(st.integers(0, 14), min_size=3, max_size=3), min_size=2, max_size=2), min_size=2, max_size=4)


def summed(parts: list[list[list[int]]]) -> list[list[list[int]]]:
    """Tables of which each holds the one before it: the earliest first."""
    whole = [[0] * len(row) for row in parts[0]]
    found = []
    for part in parts:
        whole = [[one + more for one, more in zip(row, added, strict=True)] for row, added in zip(whole, part, strict=True)]
        found.append(whole)
    return found


def read(cells: list[list[int]], earlier: list[list[list[int]]]) -> list[tuple[Shown, int]]:
    """Every number of a view as it is shown, with what it is."""
    grid = mask(cells, earlier=earlier)
    pairs = [pair for shown, row in zip(grid.cells, cells, strict=True) for pair in zip(shown, row, strict=True)]
    pairs += list(zip(grid.rows, map(sum, cells), strict=True))
    pairs += [(shown, sum(row[at] for row in cells)) for at, shown in enumerate(grid.columns)]
    return [*pairs, (grid.total, sum(map(sum, cells)))]


@settings(max_examples=40, deadline=None)
@given(growing)
def test_no_two_views_of_a_year_differ_by_a_small_number_that_can_be_read_off(parts: list[list[list[int]]]) -> None:
    views = summed(parts)
    shown = [read(view, views[:at]) for at, view in enumerate(views)]
    for first, second in itertools.combinations(shown, 2):
        for (earlier, _), (now, many) in zip(first, second, strict=True):
            if isinstance(earlier, int) and isinstance(now, int):
                assert now - earlier not in range(1, 10), (parts, earlier, now)
            assert not isinstance(now, AtLeast) or 10 <= now.many <= many


@settings(max_examples=25, deadline=None)
@example([[2, 2, 3], [1, 2, 0]])  # the third, told later, was known to have been no more
@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=2, max_size=2))
def test_what_lies_between_two_views_cannot_be_worked_out_from_the_rest_of_both(parts: list[list[int]]) -> None:
    """Tries everything somebody could think of who lays two one-row tables beside each other and knows that numbers only grow."""
    short, long = (view[0] for view in summed([[part] for part in parts]))
    one, two = mask([short], UNDER), mask([long], UNDER, earlier=[[short]])
    thought = []
    for b in itertools.product(range(7), repeat=3):
        if not _agrees(one.cells[0], one.total, b):
            continue
        for between in itertools.product(range(7), repeat=3):
            if _agrees(two.cells[0], two.total, tuple(many + more for many, more in zip(b, between, strict=True))):
                thought.append(between)
    for at, (earlier, now) in enumerate(zip(one.cells[0], two.cells[0], strict=True)):
        if 0 < long[at] - short[at] < UNDER:
            assert not (isinstance(earlier, int) and isinstance(now, int))
            assert len({between[at] for between in thought}) > 1, (short, long, one, two)


def _agrees(shown: tuple[Shown, ...], total: Shown, row: tuple[int, ...]) -> bool:
    """Whether a row may be what these marks stand for; one who reads cannot know why a number was kept back."""
    whole = zip((*shown, total), (*row, sum(row)), strict=True)
    return all(many >= mark.many if isinstance(mark, AtLeast) else may_be(mark, many, told=False) for mark, many in whole)


def test_a_quarter_that_adds_few_is_not_told_by_subtraction() -> None:
    assert mask_each({"T12": 17}, earlier=[{"T12": 15}]) == {"T12": AtLeast(15)}
    assert mask_each({"T12": 27}, earlier=[{"T12": 15}, {"T12": 17}]) == {"T12": 27}
    assert mask_each({"T12": 15}, earlier=[{"T12": 15}]) == {"T12": 15}
    assert mask_each({"T12": 8}, earlier=[{"T12": 3}]) == {"T12": SMALL}
    assert mask_each({"T12": 12}, earlier=[{"T12": 3}]) == {"T12": 12}
    assert mask_each({"T12": 12}, earlier=[{"T12": 0}]) == {"T12": 12}


@settings(max_examples=60, deadline=None)
@given(growing, st.integers(0, 3), st.integers(0, 2))
def test_what_was_shown_once_is_what_later_views_are_held_against_however_the_table_grew(parts: list[list[list[int]]], column: int, row: int) -> None:
    """A new district, or a new kind of worry, widens the table: what stood on the earlier page stays what it was."""
    cells = summed(parts)[0]
    wide = [[*line[:column], 0, *line[column:]] for line in cells]
    wide.insert(row, [0] * len(wide[0]))
    before, after = mask(cells), mask(wide)
    kept = [[shown for place, shown in enumerate(line) if place != column] for at, line in enumerate(after.cells) if at != row]
    assert kept == [list(line) for line in before.cells]
    assert after.total == before.total


def test_of_a_number_that_still_grows_only_whole_tens_are_told_and_none_looks_like_few() -> None:
    assert [tens(many) for many in (0, 9, 10, 19, 20)] == [Tens(0), Tens(0), Tens(10), Tens(10), Tens(20)]
