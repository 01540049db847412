"""`madoguchi talk`: a conversation in the terminal through the same reception, flows and outbox; nothing of it is kept afterwards."""

import asyncio
import os
import secrets
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from bot import app as apps
from bot.channels.port import Inbound
from bot.channels.terminal import TerminalChannel
from bot.parts import Parts
from bot.settings import Settings
from storage.migrate import migrate
from storage.sealing import Keyring
from storage.store import Store


class Screen(Console):
    """Where the talk is shown. Whoever reads it through a pipe may stop reading: then the talk ends, and that is no error."""

    gone = False

    def on_broken_pipe(self) -> None:
        self.gone = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # what is left in the buffer at exit has somewhere to go


def run(settings: Settings, folder: Path | None) -> None:
    """Talk until end of input (Ctrl+D), 「/q」, or until nobody reads any more."""
    here = settings.model_copy(update={"settle_seconds": 0.0, **({} if folder is None else {"knowledge": folder})})
    with tempfile.TemporaryDirectory() as place:
        store = Store.open(f"sqlite:///{place}/talk.db", Keyring(secrets.token_bytes(32)))
        try:
            migrate(store)
            asyncio.run(_talk(here, store, Screen(highlight=False, soft_wrap=True)))
        finally:
            store.close()


async def _talk(settings: Settings, store: Store, out: Screen) -> None:
    channel = TerminalChannel(out)
    parts = apps.build_parts(settings, store, channels={"terminal": channel})
    await _hear(parts, channel.opening(parts.clock.now()))
    while not out.gone:
        try:
            written = await asyncio.to_thread(input, "> ")
        except EOFError:
            return
        except BrokenPipeError:
            out.on_broken_pipe()
            return
        if written.strip() == "/q":
            return
        if written.strip():
            await _hear(parts, channel.typed(written, parts.clock.now()))


async def _hear(parts: Parts, inbound: Inbound) -> None:
    await parts.doorman.receive([inbound])
    await parts.doorman.idle()
    await parts.delivery.idle()
