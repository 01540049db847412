"""When nothing can be saved: 503 for the platform, the numbers for whoever is in danger, a call for staff, and nothing lost afterwards (R46)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import Database
from tests.town import Resident, Town
from tests.twins import Webhook

DANGER, WORRY = "死にたい。いまから飛び降ります", "家賃が払えない"


@contextmanager
def database_gone(database: Database) -> Iterator[None]:
    path = Path(database.name)
    away = path.rename(path.with_suffix(".away"))
    try:
        yield
    finally:
        away.rename(path)


def webhook(town: Town, resident: Resident, words: str) -> tuple[str, Webhook]:
    twin = town.line if resident.channel == "line" else town.telegram
    return f"/{resident.channel}/webhook", twin.text(resident.account, words)


def post(town: Town, path: str, sent: Webhook) -> int:
    status = town.http.post(path, content=sent.body, headers=sent.headers).status_code
    town.rests()
    return status


@pytest.mark.parametrize("channel", ["line", "telegram"])
@pytest.mark.requirement("R46")
def test_words_of_danger_that_cannot_be_saved_are_answered_with_the_numbers_once_and_in_full_afterwards(
    town: Town, sqlite_database: Database, channel: str
) -> None:
    resident = town.resident_on(channel)  # type: ignore[arg-type]
    path, sent = webhook(town, resident, DANGER)
    resident.listens()

    with database_gone(sqlite_database):
        assert [post(town, path, sent), post(town, path, sent)] == [503, 503]

    assert "119" in resident.hears()
    assert len(resident.heard()) == 1, "each delivery of one message is answered once"
    town.until(lambda: bool(town.bell.rung))
    resident.listens()
    assert post(town, path, sent) == 200
    assert not resident.hears_nothing()
    assert town.rows("SELECT count(*) AS n FROM message WHERE danger_level = 'L3'")[0].n == 1


def test_an_ordinary_worry_that_cannot_be_saved_is_not_answered_before_it_is(town: Town, sqlite_database: Database) -> None:
    resident = town.resident_on("line")
    path, sent = webhook(town, resident, WORRY)
    resident.listens()

    with database_gone(sqlite_database):
        assert post(town, path, sent) == 503

    assert resident.hears_nothing()
    assert town.bell.rung == []
