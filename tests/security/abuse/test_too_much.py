"""Somebody takes more than a person can use: open streams, calls of the API. They are told so, and nobody else notices (R6)."""

from collections.abc import Callable
from contextlib import AsyncExitStack

import httpx
import pytest

from bot.settings import Settings
from storage.store import Store
from tests.api.conftest import key_for, system
from tests.desk.conftest import URL, Browser, Office
from tests.desk.test_stream import listening
from tests.town import Town


@pytest.fixture
def settings() -> Settings:
    return Settings.model_validate({"base_url": URL, "live_pages": 2, "api_per_minute": 3})


@pytest.mark.requirement("R6")
async def test_of_one_at_the_desk_no_more_pages_stay_live_than_they_may_and_a_closed_one_makes_room(
    office: Office, sato: Browser, tanaka: Browser
) -> None:
    code = office.has_case()
    async with AsyncExitStack() as open_pages:
        async with listening(sato, "/desk/stream") as first, listening(sato, f"/desk/cases/{code}/stream") as second:
            for ear in (first, second):
                await ear.hears("beat")
            refused = await sato.http.get("/desk/stream")
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
            other = await open_pages.enter_async_context(listening(tanaka, "/desk/stream"))
            await other.hears("beat")
            await first.hears("beat", seconds=6)
        again = await open_pages.enter_async_context(listening(sato, "/desk/stream"))
        await again.hears("beat")


@pytest.mark.requirement("R6")
async def test_a_token_has_so_many_calls_in_a_minute_and_takes_none_of_another(office: Office) -> None:
    async with system(office, key_for(office)) as busy, system(office, key_for(office, "tanaka")) as other:
        assert [(await busy.get("/statistics")).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
        refused = await busy.get("/cases")
        assert refused.headers["retry-after"] == "60"
        assert refused.json()["error"] == "too_many_calls"
        assert (await other.get("/statistics")).status_code == 200
        office.clock.moves(seconds=61)
        assert (await busy.get("/statistics")).status_code == 200
        rows = office.rows("SELECT count(*) FROM sign_in_try WHERE who_hash LIKE 'api:%'")
        assert rows == [(5,)], "a call that was refused is not counted: whoever goes on asking is let in again after a minute"


@pytest.mark.requirement("R6")
def test_of_one_resident_and_of_one_address_no_more_pages_stay_live_and_words_still_come_and_go(
    build_town: Callable[..., Town], town_store: Store
) -> None:
    with build_town(town_store, live_pages=2, live_pages_from_address=3) as town:
        mine, other = (_at_their_page(town) for _ in range(2))
        with mine.stream("GET", "/stream") as first, mine.stream("GET", "/stream") as second, other.stream("GET", "/stream") as third:
            assert [one.status_code for one in (first, second, third)] == [200] * 3
            for refused in (mine.get("/stream"), other.get("/stream")):
                assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
            said = mine.post("/say", data={"id": "1", "text": "家賃が払えません"}, headers={"sec-fetch-site": "same-origin"})
            assert said.status_code in (200, 303)
            assert "家賃が払えません" in mine.get("/lines").text


def _at_their_page(town: Town) -> httpx.Client:
    browser = httpx.Client(base_url=town.url, timeout=10)
    assert browser.get("/").status_code == 200
    return browser
