"""Fetches what residents sent besides words, makes it anew and keeps it (R34). The line it came with stands whatever becomes of it."""

import asyncio
import shlex
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bot.channels.port import FetchesFiles
from bot.hub import conversation
from bot.made_anew import LARGEST, NotTaken, made_anew
from bot.outside import NotFetched
from storage import attachments
from storage.attachments import Wanted
from storage.store import StoreDown

if TYPE_CHECKING:
    from bot.parts import Parts

log = structlog.get_logger()

_EVERY = 2.0
_PAUSES = (10, 60, 300, 1800, 7200)
"""Seconds until the next try; after the last one it is given up."""
_SCAN_SECONDS = 60.0


class Fetching:
    """Any number of processes may do it at once: a file is taken on a lease."""

    def __init__(self, parts: "Parts") -> None:
        self._parts = parts

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.sweep()
            except StoreDown:
                log.error("fetching_waits_for_database")
            except Exception as error:  # our bug: the lease runs out and the file is tried again
                log.error("fetching_failed", error=type(error).__name__)
            await asyncio.sleep(_EVERY)

    async def sweep(self) -> int:
        """Fetch what is due; returns how many were looked at."""
        now = self._parts.clock.now()
        due = await self._parts.store.atransact(lambda rows: attachments.take(rows, now))
        for one in due:
            await self._fetch(one)
        return len(due)

    async def _fetch(self, wanted: Wanted) -> None:
        store, channel = self._parts.store, self._parts.channels.get(wanted.channel)
        try:
            if not isinstance(channel, FetchesFiles):
                raise NotFetched("no_channel", again=True)
            content = await channel.fetch(wanted.source, LARGEST)
            await self._scan(content)
            kind, body = await asyncio.to_thread(made_anew, content)
        except NotFetched as failed:
            await self._later(wanted, failed)
            return
        except NotTaken as refused:
            problem = refused.problem
            await store.atransact(lambda rows: attachments.refuse(rows, wanted.id, problem))
            log.info("attachment_refused", attachment=wanted.id, problem=problem)
            return
        talk_id = await store.atransact(lambda rows: attachments.keep(rows, wanted.id, kind, body))
        if talk_id is not None:
            self._parts.hub.wake(conversation(talk_id))

    async def _later(self, wanted: Wanted, problem: NotFetched) -> None:
        store, again = self._parts.store, problem.again and wanted.tries <= len(_PAUSES)
        if again:
            at = self._parts.clock.now() + timedelta(seconds=_PAUSES[wanted.tries - 1])
            await store.atransact(lambda rows: attachments.try_later(rows, wanted.id, at))
        else:
            await store.atransact(lambda rows: attachments.refuse(rows, wanted.id, problem.problem))
        log.warning("attachment_not_fetched", attachment=wanted.id, problem=problem.problem, again=again)

    async def _scan(self, content: bytes) -> None:
        """Ask the town's own scanner, where one is set; nothing is kept that it has not seen. Raises `NotTaken`, `NotFetched`."""
        command = shlex.split(self._parts.settings.scanner)
        if not command:
            return
        quiet = asyncio.subprocess.DEVNULL
        try:
            running = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, stdout=quiet, stderr=quiet)
        except OSError as error:
            raise NotFetched("scanner_failed", again=True) from error
        try:
            async with asyncio.timeout(_SCAN_SECONDS):
                await running.communicate(content)
        except (OSError, TimeoutError) as error:
            raise NotFetched("scanner_failed", again=True) from error
        finally:
            if running.returncode is None:  # one that hangs must not stay: each file would leave one more
                running.kill()
                await running.wait()
        if running.returncode != 0:
            raise NotTaken("scanner")
