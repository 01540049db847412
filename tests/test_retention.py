"""What was kept for as long as the town said goes by itself, and nothing goes when the clock may be wrong (R41, R48)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text, update

from bot.jobs.retention import fiscal_start, look
from storage import cases, records
from storage import talk as talks
from storage.dialect import table
from storage.store import Store
from storage.tables import Case

YEARS = 5
LONG_AGO = datetime(2015, 12, 9, tzinfo=UTC)
ENDED, KEPT = datetime(2021, 3, 31, 14, 59, tzinfo=UTC), datetime(2021, 3, 31, 15, 0, tzinfo=UTC)
"""The last minute of 令和2年度 in Japan, and the first of the next."""
TODAY = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def wrote(store: Store, who: str, at: datetime, *, case: str | None = None, closed: datetime | None = None) -> str:
    """A talk with one word at that time; `case` is the state of its case."""

    def work(rows):
        talk = talks.find_or_open(rows, "web", who, at)
        talk, _ = talks.add_line(rows, talk, author="resident", kind="text", body=f"{who}の話", now=at)
        talks.save(rows, talk, at)
        if case is not None:
            opened = cases.open_or_add(
                rows, talk, reason="asked_human", urgency=0, title="題", sheet="[]", topics=(), shares_story=True, restricted=False, promise_at=None,
                now=at,
            )  # fmt: skip
            state = {"state": case, "closed": closed, "id": opened.id}
            rows.execute(text("UPDATE care_case SET state = :state WHERE id = :id"), state)
            if closed is not None:
                rows.execute(update(table(Case)).where(table(Case).c.id == opened.id).values(closed_at=closed))
        return talk.id

    return store.transact(work)


def looks(store: Store, now: datetime, *, sure: bool = False) -> int | None:
    return store.transact(lambda rows: look(rows, now, years=YEARS, sure=sure))


def left(store: Store) -> set[str]:
    return store.transact(lambda rows: {row.id for row in rows.execute(text("SELECT id FROM conversation"))})


def test_a_talk_goes_with_its_account_and_its_key_when_its_time_is_over_and_a_younger_one_stays(store: Store):
    old, young = wrote(store, "old", ENDED), wrote(store, "young", KEPT)
    assert looks(store, TODAY) == 1
    assert left(store) == {young}
    scopes = store.transact(lambda rows: {row.scope for row in rows.execute(text("SELECT scope FROM data_key"))})
    assert f"conversation:{old}" not in scopes
    assert store.transact(lambda rows: rows.execute(text("SELECT count(*) FROM identity")).scalar()) == 1
    again = wrote(store, "old", TODAY)
    assert again != old


@pytest.mark.requirement("R41")
def test_a_talk_with_cases_goes_after_whole_fiscal_years_and_an_open_case_keeps_it(store: Store):
    kept = {wrote(store, "open", LONG_AGO, case="held"), wrote(store, "closed later", LONG_AGO, case="closed", closed=KEPT)}
    wrote(store, "five whole years", LONG_AGO, case="closed", closed=ENDED)
    assert looks(store, TODAY) == 1
    assert left(store) == kept


@pytest.mark.parametrize(
    ("today", "start"),
    [(date(2026, 3, 31), date(2020, 4, 1)), (date(2026, 4, 1), date(2021, 4, 1)), (date(2027, 1, 1), date(2021, 4, 1))],
)
def test_fiscal_years_begin_in_april(today: date, start: date):
    assert fiscal_start(today, years_ago=5) == start


@pytest.mark.requirement("R41", "R48")
def test_a_clock_that_jumped_deletes_nothing_asks_the_desk_once_and_goes_on_when_a_human_is_sure(store: Store):
    wrote(store, "someone", TODAY - timedelta(days=30))
    assert looks(store, TODAY) == 0
    far = TODAY + timedelta(days=3650)
    for now in (far, far + timedelta(days=1), TODAY - timedelta(days=3)):
        assert looks(store, now) is None
    assert len(left(store)) == 1
    assert store.transact(lambda rows: rows.execute(text("SELECT count(*) FROM task WHERE kind = 'retention_asks'")).scalar()) == 1
    assert store.transact(lambda rows: records.has_open_task(rows, None, "retention_asks"))
    assert looks(store, far, sure=True) == 1
    assert left(store) == set()


def test_it_is_looked_once_a_day(store: Store):
    assert looks(store, TODAY) == 0
    wrote(store, "old", LONG_AGO)
    assert looks(store, TODAY + timedelta(hours=2)) == 0
    assert looks(store, TODAY + timedelta(days=1)) == 1
