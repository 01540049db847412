"""One resident sends thousands of messages while others write: nobody else waits behind them (R6)."""

import asyncio
from pathlib import Path

from storage.store import Store
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
