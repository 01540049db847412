"""One resident sends thousands of messages while others write: nobody else waits behind them (R6). More than there is room for comes again."""

import asyncio
from pathlib import Path

import pytest

from bot.channels.port import Inbound
from bot.doorman import Doorman
from storage.store import Store, StoreDown
from tests.simulation.world import World

_FLOOD = 300


def test_others_do_not_stand_behind_the_flood_of_one(town_store: Store, tmp_path: Path) -> None:
    async def play() -> int:
        world = World(town_store, tmp_path, settle_seconds=2.0)
        flooder, others = world.resident("line"), [world.resident("line") for _ in range(5)]
        flood = asyncio.gather(*(world.parts.doorman.receive([flooder.makes("text", text=f"もしもし {at}")]) for at in range(_FLOOD)))
        await asyncio.sleep(0)
        await asyncio.gather(*(world.parts.doorman.receive([one.makes("text", text="家賃が払えない")]) for one in others))
        before_them = world.rows("SELECT count(*) AS n FROM inbox WHERE event_id LIKE :mine", mine=f"{flooder.account}-%")[0].n
        await flood
        await world.passes(seconds=30)
        assert world.rows("SELECT count(*) AS n FROM inbox WHERE state = 'pending'")[0].n == 0
        numbers = [row.event_id for row in world.rows("SELECT x.event_id FROM inbox x JOIN message m ON m.id = x.message_id ORDER BY m.seq")]
        assert [one for one in numbers if one.startswith(flooder.account)] == [f"{flooder.account}-{at}" for at in range(_FLOOD)]
        assert len(flooder.platform.shown[flooder.account]) <= 2, "a flood is answered as one worry"
        return int(before_them)

    assert asyncio.run(play()) < _FLOOD / 10


def test_what_finds_no_room_is_sent_back_and_nothing_is_lost(town_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Doorman, "most_of_one", 10)
    monkeypatch.setattr(Doorman, "most_at_once", 16)

    async def play() -> None:
        world = World(town_store, tmp_path, settle_seconds=2.0)
        doorman, (flooder, *others) = world.parts.doorman, [world.resident("line") for _ in range(21)]
        floods = [flooder.makes("text", text=f"もしもし {at}") for at in range(30)]
        crowd = [one.makes("text", text="家賃が払えない") for one in others]

        async def refused(events: list[Inbound]) -> list[Inbound]:
            """What the platform has to deliver again: it sends all of it at once."""
            outcomes = await asyncio.gather(*(doorman.receive([event]) for event in events), return_exceptions=True)
            assert all(isinstance(outcome, StoreDown) for outcome in outcomes if isinstance(outcome, BaseException))
            return [event for event, outcome in zip(events, outcomes, strict=True) if isinstance(outcome, BaseException)]

        back = await refused([*floods, *crowd])
        assert [event.sender for event in back].count(flooder.account) == 20, "ten of one resident find room"
        assert len(back) == 20 + 14, "and six of everybody else"
        while back:
            back = await refused(back)
        await world.passes(seconds=30)
        stored = [row.event_id for row in world.rows("SELECT event_id FROM inbox WHERE state <> 'pending'")]
        assert sorted(stored) == sorted(event.event_id for event in [*floods, *crowd])

    asyncio.run(play())


def test_danger_that_finds_no_room_is_answered_with_the_numbers(town_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Doorman, "most_at_once", 0)

    async def play() -> None:
        world = World(town_store, tmp_path, settle_seconds=2.0)
        resident = world.resident("line")
        with pytest.raises(StoreDown):
            await world.parts.doorman.receive([resident.makes("text", text="いまから死にます")])
        assert len(resident.platform.shown[resident.account]) == 1

    asyncio.run(play())
