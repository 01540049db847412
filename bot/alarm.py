"""The alarm ladder: a danger rings until a coordinator takes it (D6, desk.md §9).

The desk's own banner comes with the row itself. This module calls the addresses outside (mail, chat tools, web hooks; apprise): at once, then again
after 60 s, 5 min and 10 min while nobody has taken it. The town's own addresses (`ALARM_URLS`) ring on every rung; the people of the 当番表, 係長 and
緊急連絡先 on theirs (bot/duty.py). The words are neutral: no topic, no name, no quote (R12).

A danger to life needs two names (D14): once somebody has taken it the town's own addresses are quiet, and the people of the rungs that remain,
without the one who took it, are asked to be the second, until somebody is or the ladder ends.
"""

import asyncio
import contextlib
import importlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlmodel import Session

from bot.clock import Clock
from storage import audit, cases
from storage.cases import OpenAlarm
from storage.store import Store, StoreDown

log = structlog.get_logger()

RUNGS = (timedelta(0), timedelta(seconds=60), timedelta(minutes=5), timedelta(minutes=10))
"""When the outside addresses are called, counted from the danger."""
NEUTRAL = "新しい緊急の相談があります。確認してください。"
SECOND = "緊急の相談に、もう一人の確認が要ります。机を開いて確認してください。"
_SUBJECT = "相談窓口からのお知らせ"
_LOOK_EVERY = 1.0

Call = Callable[[Sequence[str], str], Awaitable[bool]]


async def call_outside(addresses: Sequence[str], words: str) -> bool:
    """Notify all addresses through apprise; False when none could be set up or one failed."""
    import apprise  # knows over a hundred services: a second of start-up for those who set none

    bell = apprise.Apprise()
    known = [bell.add(address) for address in addresses]
    for one in bell:
        one.redirects = False  # the answer of one of them must not send us on to another, inner address (R35)
    if not all(known):
        log.warning("alarm_address_unknown", count=known.count(False))
    return bool(await bell.async_notify(body=words, title=_SUBJECT))


People = Callable[[Session, datetime, int, str | None], list[str]]
"""Addresses of the people whom a rung calls by name: at this moment, on this step, without the member of staff who has taken it."""


class Alarms:
    """Climbs the ladder of every open alarm. `addresses` come from `ALARM_URLS`; `people` says who is called besides, on which rung."""

    def __init__(
        self, store: Store, clock: Clock, addresses: Sequence[str], call: Call = call_outside, people: People = lambda rows, now, step, without: []
    ) -> None:
        self._store = store
        self._clock = clock
        self._addresses = addresses
        self._call = call
        self._people = people
        self._told: set[asyncio.Task[bool]] = set()

    def tell(self, addresses: Sequence[str], words: str) -> None:
        """Tell somebody something that is no danger: beside whatever goes on, and once."""
        if addresses:
            task = asyncio.ensure_future(self._call(addresses, words))
            self._told.add(task)
            task.add_done_callback(self._told.discard)

    async def run(self, bell: asyncio.Event) -> None:
        """Look at each stored danger and now and then, until cancelled."""
        if self._addresses:
            await asyncio.to_thread(importlib.import_module, "apprise")  # so that the first danger does not wait for it
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(bell.wait(), timeout=_LOOK_EVERY)
            rung = bell.is_set()
            bell.clear()
            try:
                await self._look(rung)
            except Exception as error:  # an address that fails must not end the ladder of every later danger
                log.error("alarm_failed", error=type(error).__name__)

    async def _look(self, rung: bool) -> None:
        """Climb; where the ladder cannot be read and a danger was just heard, call outside all the same (R46)."""
        try:
            await self.climb()
        except StoreDown:
            log.error("alarm_waits_for_database", rung=rung)
            if rung and self._addresses:
                await self._call(self._addresses, NEUTRAL)

    async def climb(self) -> int:
        """Call the next rung of every alarm that is due; returns how many were called."""
        due = await self._store.atransact(partial(_next_rungs, now=self._clock.now(), people=self._people))
        for alarm, people in due:
            addresses, words = (people, SECOND) if alarm.taken_by else ([*self._addresses, *people], NEUTRAL)
            if addresses:
                reached = await self._call(addresses, words)
                log.info("alarm_called", alarm=alarm.id, step=alarm.step + 1, addresses=len(addresses), reached=reached)
        return len(due)


def _next_rungs(rows: Session, now: datetime, people: People) -> list[tuple[OpenAlarm, list[str]]]:
    """The alarms to call now and whom besides, each already on its next rung: read and written together, so that no rung is called twice."""
    found = []
    for alarm in cases.due_alarms(rows, now):
        step = alarm.step + 1
        following = alarm.raised_at + RUNGS[step] if step < len(RUNGS) else None
        cases.climb(rows, alarm.id, step=step, next_step_at=following)
        called = people(rows, now, alarm.step, alarm.taken_by)
        audit.note(rows, actor="system", act="alarm.called", now=now, case_id=alarm.case_id, step=step, people=len(called))
        found.append((alarm, called))
    return found
