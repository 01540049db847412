"""An office that is asked to take over, and what it answers."""

import random
from datetime import timedelta
from functools import partial
from typing import Any

from bot.desk import support_acts
from storage import desk_heads, referrals
from storage.desk_queue import Viewer
from storage.referrals import Ground, Item
from tests.simulation.world import World

_NAME = "社会福祉協議会"


class Agency:
    """One office with one account. It remembers what it was told had been saved."""

    def __init__(self, world: World) -> None:
        self.world = world
        clerk = world.coordinator("窓口の人")
        self.viewer = Viewer(clerk.staff_id, clerk.name, "agency", clerk.actor)
        self.id = world.store.transact(lambda rows: referrals.add_agency(rows, self.viewer, _NAME, world.clock.now()))
        self.said: dict[str, str] = {}

    async def is_asked(self, viewer: Viewer, code: str) -> bool:
        now = self.world.clock.now()

        def work(rows: Any) -> str:
            case = desk_heads.head(rows, viewer, code)
            until = (now + timedelta(days=30)).date()
            ground = Ground("danger", words="食べるものがない")
            return support_acts.refer(
                rows, viewer, case, recipient=_NAME, purpose="食べるもの", items=[Item("今日の食事")], ground=ground, until=until, now=now
            )

        return await self.world.at_the_desk(partial(self.world.parts.store.atransact, work))

    async def answers(self, chance: random.Random) -> None:
        """Take up or refuse one of what waits."""
        now = self.world.clock.now()
        with self.world.undisturbed():
            shared = self.world.store.transact(lambda rows: referrals.shared_with(rows, self.id, now))
        waiting = [one for one in shared if one.state == "asked"]
        if not waiting:
            return
        one, state = waiting[0], chance.choice(("accepted", "refused"))

        def work(rows: Any) -> str:
            return referrals.reported(rows, self.viewer, self.id, one.id, state, "うけたまわりました", expected=one.version, now=now)  # type: ignore[arg-type]

        if await self.world.at_the_desk(partial(self.world.parts.store.atransact, work)):
            self.said[one.id] = state

    def lost(self) -> list[str]:
        """Answers that were saved and are not there."""
        kept = {row.id: row.state for row in self.world.rows("SELECT id, state FROM referral")}
        return [f"{referral}: {state}, kept as {kept.get(referral)}" for referral, state in self.said.items() if kept.get(referral) != state]
