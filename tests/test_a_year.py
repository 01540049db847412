"""A year of a small town, lived through its public faces; every number of the statistics is counted again by hand (tests/year)."""

from collections import Counter

import pytest

from storage.months import closed
from tests.town import Town
from tests.year.beside import differences, told, wanted
from tests.year.life import Year
from tests.year.recount import by_hand


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_number_of_a_year_is_the_one_counted_by_hand(town: Town) -> None:
    year = Year(town)
    by_month = {month: by_hand(town, month) for month in year.months()}
    for month, counts in town.store.transact(closed).items():
        assert {table: +Counter(found) for table, found in counts.items()} == {table: +found for table, found in by_month[month].items()}, month
    months = list(by_month.values())
    page = told(year.lead.http.get("/desk/figures.csv?year=2026").content)
    hand = wanted(town, months)
    assert hand["数", "受けた相談", ""] > 60, "the year is a year"
    assert list(differences(page, hand)) == []
    assert sum(number.replace(",", "").isdecimal() for number in page.values()) > 10, "not all of it is hidden"
    assert "令和8年度 4月〜3月" in year.lead.opens("/desk/figures?year=2026").text
