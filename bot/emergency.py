"""When nothing can be saved, the numbers still go out (R46).

A disaster fills disks and brings crises together. A message that cannot be stored is answered 503, so that its platform delivers it again; but words
of danger are heard before anything is stored, and whoever wrote them gets the telephone numbers at once, straight through the channel. Once the
store is back the message comes again and is answered in full, so the numbers may be shown a second time: better than not at all.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import structlog

import flows
from bot.channels.port import Channel, Inbound, Outgoing
from bot.clock import JST, Clock
from bot.living import LivingKnowledge
from flows.model import Scene
from storage.ids import new_retry_key
from storage.text import clean

log = structlog.get_logger()

_REMEMBERED = 5_000
"""Events whose delivery is repeated every few minutes while the store is down: each is answered once."""


class Emergency:
    """The one answer that needs no store."""

    def __init__(self, channels: Mapping[str, Channel], knowledge: LivingKnowledge, clock: Clock) -> None:
        self._channels = channels
        self._knowledge = knowledge
        self._clock = clock
        self._told: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def answer(self, inbounds: Sequence[Inbound]) -> bool:
        """Send the numbers to whoever wrote of danger; whether anybody did."""
        heard = False
        for inbound in inbounds:
            if inbound.kind == "text" and inbound.sender and (inbound.channel, inbound.event_id) not in self._told:
                heard = await self._answer_one(inbound) or heard
        return heard

    async def _answer_one(self, inbound: Inbound) -> bool:
        town, channel = self._knowledge.town, self._channels.get(inbound.channel)
        danger = town.base.danger.scan(clean(inbound.text))
        scene = Scene(now=self._clock.now().astimezone(JST), channel=inbound.channel, staffed=False)
        turn = flows.card_while_human(flows.start_session(), danger, scene, town)
        if turn is None or channel is None:
            return False
        self._remember(inbound)
        for place, letter in enumerate(channel.letters(Outgoing(bubbles=turn.replies))):
            token = inbound.reply_token if place == 0 else None
            sent = await channel.send(letter, destination=inbound.sender, retry_key=new_retry_key(), reply_token=token)
            log.error("emergency_answer_without_store", channel=inbound.channel, result=type(sent).__name__)
        return True

    def _remember(self, inbound: Inbound) -> None:
        self._told[inbound.channel, inbound.event_id] = None
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
