"""Brings events to the reception and what comes of them to whoever acts next: delivery, the desk, the settling timers.

A webhook answers 200 only after `receive` came back: then the message is on disk (design.md §1).
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlmodel import Session as Rows

import flows
from bot import entrance, looking, reception
from bot.ahead import Question, Thought
from bot.channels.port import AnswersTaps, Channel, Inbound, Outgoing
from bot.clock import Clock
from bot.delivery import Delivery
from bot.emergency import Emergency
from bot.hearers import Hearers
from bot.hub import DESK, Hub, conversation
from bot.living import LivingKnowledge
from bot.reception import Received, Rules
from bot.turns import Turns
from storage import talk as talks
from storage.store import Store, StoreDown, Work

log = structlog.get_logger()


class Doorman:
    """One for the whole process.

    What comes faster than it can be stored waits here, in memory, so there is room for so much only. Whatever finds none is answered like an event
    that cannot be saved: its platform brings it again, and meanwhile words of danger are answered all the same.
    """

    most_at_once = 2_000
    """Events that may be in hand at a time: tens of megabytes, and about as long a wait as platforms have patience for."""
    most_of_one = 500
    """… of one resident: the rest of the room is for everybody else (R6)."""

    def __init__(
        self, store: Store, knowledge: LivingKnowledge, channels: Mapping[str, Channel], delivery: Delivery, hub: Hub, clock: Clock, rules: Rules,
        hearers: Hearers | None = None,
    ) -> None:  # fmt: skip
        self._store = store
        self._knowledge = knowledge
        self._channels = channels
        self._delivery = delivery
        self._hub = hub
        self._clock = clock
        self._rules = rules
        self._hearers = hearers
        self._emergency = Emergency(channels, knowledge, clock)
        self._turns = Turns()
        self._in_hand: Counter[str] = Counter()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self.bell = asyncio.Event()
        """Set whenever a danger was stored: the alarm ladder waits on it."""

    async def receive(self, inbounds: Sequence[Inbound]) -> list[Received]:
        """Store and, where possible, answer these events; back only after their commit. Raises `StoreDown`: answer 503.

        Whoever wrote of danger meanwhile gets the numbers all the same, and staff are rung (R46).
        """
        try:
            return await self._receive(inbounds)
        except StoreDown:
            if await self._emergency.answer(inbounds):
                self.bell.set()
            raise

    async def _receive(self, inbounds: Sequence[Inbound]) -> list[Received]:
        by_sender: dict[str, list[Inbound]] = {}
        for inbound in inbounds:
            by_sender.setdefault(f"{inbound.channel}:{inbound.sender}", []).append(inbound)
        if self._in_hand.total() >= self.most_at_once or any(self._in_hand[name] >= self.most_of_one for name in by_sender):
            raise StoreDown("too many at once")
        coming = Counter({name: len(events) for name, events in by_sender.items()})
        self._in_hand += coming
        try:
            outcomes = await asyncio.gather(*(self._in_order(name, events) for name, events in by_sender.items()))
        finally:
            self._in_hand -= coming
        return [outcome for of_one in outcomes for outcome in of_one]

    async def _in_order(self, name: str, inbounds: Sequence[Inbound]) -> list[Received]:
        """The events of one resident, one after the other, and after those that came before: whoever sends thousands at once has one of them before
        the store at a time, and nobody else stands behind the rest (R6)."""
        async with self._turns.of(name):
            return await self._one_by_one(inbounds)

    async def _one_by_one(self, inbounds: Sequence[Inbound]) -> list[Received]:
        outcomes = []
        for inbound in inbounds:
            outcome = await self._one(inbound, self._knowledge.town, self._clock.now())
            self.after(outcome)
            self._courtesies(inbound, outcome)
            outcomes.append(outcome)
        return outcomes

    async def _one(self, inbound: Inbound, town: flows.Town, now: datetime) -> Received:
        rules, split = self._rules, self.split_of(inbound.channel)
        if inbound.channel in rules.entrances:
            return await self._store.atransact(partial(entrance.receive, inbound=inbound, town=town, rules=rules, now=now, split=split))
        look = partial(looking.at_event, inbound=inbound, town=town, rules=rules, now=now)
        thought = await self._thinks(look) if looking.is_worth_a_look(inbound) else None
        receive = partial(reception.receive, inbound=inbound, town=town, rules=rules, now=now, split=split, thought=thought)
        return await self._store.atransact(receive)

    async def _thinks(self, look: Work[Question | None]) -> Thought | None:
        """What is thought before the transaction, where somebody is there to think."""
        if self._hearers is None:
            return None
        question = await self._store.atransact(look)
        return None if question is None else await self._hearers.think(question)

    def after(self, outcome: Received) -> None:
        """What follows a commit: send, settle, show, ring."""
        if outcome.conversation_id is None or outcome.repeat:
            return
        if outcome.letters:
            self._delivery.wake(outcome.conversation_id, outcome.letters)
        if outcome.settle_at is not None:
            self._settle(outcome.conversation_id, outcome.settle_at)
        self._hub.wake(conversation(outcome.conversation_id))
        if outcome.alarmed or outcome.case_changed:
            self._hub.wake(DESK)
        if outcome.alarmed:
            self.bell.set()

    async def sweep(self) -> None:
        """Answer what settled while nobody watched: at start-up, and now and then."""
        now = self._clock.now()
        for conversation_id in await self._store.atransact(lambda rows: talks.settled(rows, now)):
            self._settle(conversation_id, now)

    async def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=10)

    async def idle(self) -> None:
        """Wait until nothing is being answered."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    # ------------------------------------------------------------ settling

    def _settle(self, conversation_id: str, settle_at: datetime) -> None:
        old = self._timers.pop(conversation_id, None)
        if old is not None:
            old.cancel()
        pause = max(timedelta(0), settle_at - self._clock.now()).total_seconds()
        self._timers[conversation_id] = asyncio.get_running_loop().call_later(pause, self._ring, conversation_id)

    def _ring(self, conversation_id: str) -> None:
        self._timers.pop(conversation_id, None)
        self._run(self._answer(conversation_id))

    async def _answer(self, conversation_id: str) -> None:
        town, rules, now = self._knowledge.town, self._rules, self._clock.now()
        thought = await self._thinks(partial(looking.at_rest, conversation_id=conversation_id, town=town, rules=rules, now=now))

        def work(rows: Rows) -> Received:
            talk = talks.by_id(rows, conversation_id, lock=False)
            channel = "web" if talk is None else talk.channel
            return reception.answer_settled(rows, conversation_id, town, rules, now, self.split_of(channel), thought)

        self.after(await self._store.atransact(work))

    # ------------------------------------------------------------ small things for the platforms

    def _courtesies(self, inbound: Inbound, outcome: Received) -> None:
        channel = self._channels.get(inbound.channel)
        if channel is None:
            return
        if inbound.callback_id is not None and isinstance(channel, AnswersTaps):
            self._run(channel.answer(inbound))
        if inbound.group_id is not None and not outcome.repeat:
            self._run(channel.leave(inbound.group_id))
        elif outcome.settle_at is not None:
            self._run(channel.settling(inbound.sender))

    def split_of(self, channel_name: str) -> reception.Split:
        channel = self._channels.get(channel_name)
        return _whole if channel is None else channel.letters

    def _run(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[object]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task_failed", error=type(error).__name__)


def _whole(outgoing: Outgoing) -> Sequence[Outgoing]:
    return (outgoing,)
