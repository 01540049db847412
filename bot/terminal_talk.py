"""`madoguchi talk`: a conversation in the terminal through the same reception, flows and outbox; nothing of it is kept afterwards."""

import asyncio
import secrets
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


def run(settings: Settings, folder: Path | None, out: Console) -> None:
    """Talk until end of input (Ctrl+D) or 「/q」."""
    here = settings.model_copy(update={"settle_seconds": 0.0, **({} if folder is None else {"knowledge": folder})})
    with tempfile.TemporaryDirectory() as place:
        store = Store.open(f"sqlite:///{place}/talk.db", Keyring(secrets.token_bytes(32)))
        try:
            migrate(store.engine)
            asyncio.run(_talk(here, store, out))
        finally:
            store.close()


async def _talk(settings: Settings, store: Store, out: Console) -> None:
    channel = TerminalChannel(out)
    parts = apps.build_parts(settings, store, channels={"terminal": channel})
    await _hear(parts, channel.opening(parts.clock.now()))
    while True:
        try:
            written = await asyncio.to_thread(input, "> ")
        except EOFError:
            return
        if written.strip() == "/q":
            return
        if written.strip():
            await _hear(parts, channel.typed(written, parts.clock.now()))


async def _hear(parts: Parts, inbound: Inbound) -> None:
    await parts.doorman.receive([inbound])
    await parts.doorman.idle()
    await parts.delivery.idle()
