"""What runs beside the pages, in `serve` and in `work` alike: due work, alarms, the town's saved files, Telegram's polling, wake-ups from others.

Every process can do all of it at once: rows are the truth, each act locks its row and looks at it again, and a letter is taken on a lease. So any
process may die, and the others find what it left. What only some towns use is loaded only for them: a start is short.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from bot.jobs.loop import Loop
from bot.parts import Parts


@contextlib.asynccontextmanager
async def running(parts: Parts) -> AsyncIterator[None]:
    """Start all of it, and at the end let running calls come to their end."""
    loop = Loop(parts)
    tasks = [asyncio.create_task(loop.run()), asyncio.create_task(parts.alarms.run(parts.doorman.bell))]
    tasks.append(asyncio.create_task(parts.knowledge.watch()))
    if parts.store.engine.dialect.name == "postgresql":
        from storage.neighbours import exchange

        parts.hub.untold = set()
        tasks.append(asyncio.create_task(exchange(parts.store.engine.url, parts.hub.untold, parts.hub.heard)))
    if {"line", "telegram"} & parts.channels.keys():  # the web chat takes no files
        from bot.jobs.fetching import Fetching

        tasks.append(asyncio.create_task(Fetching(parts).run()))
    if "telegram" in parts.channels:
        tasks += _telegram_tasks(parts, loop)
    tasks += _webhook_tasks(parts)
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await parts.doorman.close()
    await parts.delivery.close()
    for channel in parts.channels.values():
        await channel.close()


def _webhook_tasks(parts: Parts) -> list["asyncio.Task[None]"]:
    """The town's other systems are told what happened, where addresses and a secret to sign with are set."""
    urls, secret = parts.settings.webhook_urls.replace(",", " ").split(), parts.settings.webhook_secret
    if not urls or secret is None:
        return []
    from bot.webhooks import Webhooks

    told = Webhooks(parts.store, parts.clock, urls, secret.get_secret_value(), parts.settings.may_lie_inside)
    return [asyncio.create_task(told.run())]


def _telegram_tasks(parts: Parts, loop: Loop) -> list["asyncio.Task[None]"]:
    from bot.channels.telegram import TelegramChannel

    telegram = parts.channels["telegram"]
    if isinstance(telegram, TelegramChannel) and parts.settings.telegram_mode == "polling":
        return [asyncio.create_task(loop.poll(telegram))]
    if isinstance(telegram, TelegramChannel) and parts.settings.secure:
        return [asyncio.create_task(loop.listen(telegram))]
    return []
