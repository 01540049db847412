"""Looks at the rows that come due, at start and every second, in every process there is; and polls Telegram where that is set."""

import asyncio
import contextlib
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from bot import heads
from bot.clock import JST
from bot.jobs import due, retention
from bot.parts import Parts
from storage import audit, outbox, records
from storage import retention as retained
from storage.store import StoreDown

if TYPE_CHECKING:
    from bot.channels.telegram import TelegramChannel

log = structlog.get_logger()

_EVERY = 1.0
_SWEEP_EVERY = 5
_CURSOR = "telegram.offset"
_AGAIN_AFTER = 60.0
_CLOCKS_DIFFER = timedelta(days=1)
"""At midnight one process may be a day ahead of another; a clock that was once years ahead stops nothing."""


class Loop:
    """Sweeps what is due. Running it twice changes nothing more: rows are the truth."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._head: heads.Head = (0, audit.GENESIS)

    async def run(self) -> None:
        """Until cancelled: settled words and the outbox at start and every 5 s, promises every second."""
        await self._free_leases()
        async with asyncio.TaskGroup() as both:
            both.create_task(self._nights())
            await self._beats()

    async def _beats(self) -> None:
        beat = 0
        while True:
            try:
                if beat % _SWEEP_EVERY == 0:
                    await self._parts.doorman.sweep()
                    await self._parts.delivery.sweep()
                    await self._let_go()
                    await self._keep_head()
                await self.keep_promises()
            except StoreDown:
                log.error("jobs_wait_for_database")
            except Exception as error:  # what fails now is tried again with the next beat
                log.error("job_failed", error=type(error).__name__)
            beat += 1
            await asyncio.sleep(_EVERY)

    async def _nights(self) -> None:
        """Beside the beats: neither a promise nor an alarm waits until tables are written anew."""
        while True:
            try:
                await self.write_over()
            except StoreDown:
                log.error("jobs_wait_for_database")
            await asyncio.sleep(_EVERY * _SWEEP_EVERY)

    async def _free_leases(self) -> None:
        """Alone with our database, whatever is marked as being sent was ours before we died: it need not wait for its lease."""
        parts = self._parts
        if parts.store.alone:
            with contextlib.suppress(StoreDown):  # then the leases run out by themselves
                await parts.store.atransact(lambda rows: outbox.free_leases(rows, parts.clock.now()))

    async def _let_go(self) -> None:
        """Once a day, what has been kept long enough (R41)."""
        parts, now = self._parts, self._parts.clock.now()
        dropped = await parts.store.atransact(lambda rows: retention.look(rows, now, years=parts.settings.keep_years))
        if dropped is None:
            log.warning("retention_asks", reason="clock")
        elif dropped:
            log.info("retention_dropped", count=dropped)

    async def write_over(self) -> None:
        """Each night, what was erased goes from the engine's own files too (R41); whoever was not awake at midnight does it when they are."""
        store, today = self._parts.store, self._parts.clock.now().astimezone(JST).date()
        last = await store.atransact(retained.last_rewriting)
        if last is not None and today <= last <= today + _CLOCKS_DIFFER:
            return
        if last is None or await asyncio.to_thread(store.rewrite):  # the count of nights begins
            await store.atransact(lambda rows: retained.note_rewriting(rows, today))

    async def _keep_head(self) -> None:
        """The end of the audit's chain, outside the database, never older than this beat (R43)."""
        parts = self._parts
        head = await parts.store.atransact(audit.head)
        if head == self._head:
            return
        try:
            await asyncio.to_thread(heads.keep, parts.settings.heads_file, head, parts.clock.now())
        except OSError as error:
            log.error("audit_head_not_kept", error=type(error).__name__)
        self._head = head

    async def keep_promises(self) -> int:
        """Do what every due promise asks for; returns how many."""
        parts = self._parts
        now = parts.clock.now()
        found = await parts.store.atransact(due.every_due(now))
        for one in found:
            work = partial(due.keep, due=one, town=parts.knowledge.town, rules=parts.rules, now=now, split=parts.doorman.split_of(one.channel))
            try:
                parts.doorman.after(await parts.store.atransact(work))
            except StoreDown:
                raise
            except Exception as error:  # one promise that fails must not break those of everybody after it; its row comes due again
                log.error("promise_failed", error=type(error).__name__, promise=one.id, kind=one.kind)
        return len(found)

    async def listen(self, telegram: "TelegramChannel") -> None:
        """Tell Telegram where to post; again every minute until it has heard us."""
        from telegram.error import TelegramError

        while True:
            try:
                await telegram.listen_at(f"{self._parts.settings.base_url}/telegram/webhook")
                return
            except TelegramError as error:
                log.warning("telegram_webhook_not_set", error=type(error).__name__)
                await asyncio.sleep(_AGAIN_AFTER)

    async def poll(self, telegram: "TelegramChannel") -> None:
        """Telegram by polling: the offset moves only after the updates before it were stored (platform README, T-upd)."""
        parts = self._parts
        offset = await parts.store.atransact(lambda rows: records.cursor(rows, _CURSOR))
        while True:
            try:
                inbounds, following = await telegram.poll(offset, parts.clock.now())
                await parts.doorman.receive(inbounds)
                if following != offset:
                    await parts.store.atransact(partial(records.move_cursor, name=_CURSOR, position=following))
                    offset = following
            except StoreDown:
                log.error("polling_waits_for_database")
                await asyncio.sleep(_EVERY)
            except Exception as error:  # the offset has not moved: these updates come again
                log.error("polling_failed", error=type(error).__name__)
                await asyncio.sleep(_EVERY)
