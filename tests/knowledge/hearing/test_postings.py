"""The flat arrays under the ranking: however a message is laid out, it leads to the same entries."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.hearing.rank.postings import Pointed, Postings, best, best_of_each, distinct, summed

WIDTH = 7
triples = st.dictionaries(st.tuples(st.integers(0, 9), st.integers(0, WIDTH - 1)), st.integers(1, 9), max_size=40)


def postings(cells: dict[tuple[int, int], int]) -> Postings:
    rows, columns = (np.array([cell[at] for cell in cells], np.intp) for at in (0, 1))
    return Postings.of(np.arange(10) * 100, *summed(rows, columns, np.array(list(cells.values()), float), WIDTH), WIDTH)


@given(triples, st.lists(st.sampled_from([-1, *range(10)]), max_size=12, unique=True))
def test_a_table_and_a_walk_lead_to_the_same_entries(cells: dict[tuple[int, int], int], asked: list[int]) -> None:
    pointed, quick = (made.point(np.array(asked, np.intp)) for made in (postings(cells), postings(cells).quick()))
    strengths = np.arange(1, len(asked) + 1, dtype=np.float32)[None, :]
    wanted = [sum(weight * place for place, row in enumerate(asked, 1) if (weight := cells.get((row, column)))) for column in range(WIDTH)]
    walked = Pointed(pointed.which, pointed.columns, pointed.weights, WIDTH)
    for way in (pointed, quick, walked):
        assert way.score(np.concatenate((strengths, 2 * strengths))).tolist() == [wanted, [2 * total for total in wanted]]
    assert (pointed.towards([0, 3], len(asked)) == walked.towards([0, 3], len(asked))).all()


@given(triples, triples)
def test_two_tables_side_by_side_are_both_still_there(one: dict[tuple[int, int], int], other: dict[tuple[int, int], int]) -> None:
    joined = postings(one).beside(postings(other)).point(np.arange(10)).towards(range(2 * WIDTH), 10)
    wanted = np.zeros((10, 2 * WIDTH), np.float32)
    for cells, first in ((one, 0), (other, WIDTH)):
        for (row, column), weight in cells.items():
            wanted[row, first + column] = weight
    assert (joined == wanted).all()


@settings(max_examples=200)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.integers(1, 60))
def test_the_best_are_the_first_of_the_whole_order(scores: list[int], limit: int) -> None:
    found = np.array(scores, np.float32)
    wanted = np.argsort(-found, kind="stable")[:limit].tolist()
    assert best(found, limit).tolist() == wanted
    assert best_of_each(np.stack((found, found + 1)), limit).tolist() == [wanted, wanted]


@given(st.lists(st.integers(0, 9), max_size=30))
def test_every_key_finds_itself_among_the_distinct_ones(keys: list[int]) -> None:
    once, of = distinct(np.array(keys, np.int64))
    assert once.tolist() == sorted(set(keys))
    assert once[of].tolist() == keys
