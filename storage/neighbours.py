"""Wake-up calls between the processes that share one PostgreSQL: LISTEN and NOTIFY on one connection beside the pool.

Topics only, never content. A call that is lost with its connection costs time and nothing else: whoever watches also looks by itself.
"""

import asyncio
from collections.abc import Callable

import psycopg
from sqlalchemy.engine import URL

_CHANNEL = "madoguchi"
_EVERY = 0.05
"""Seconds between two tellings: many wake-ups of one moment are one NOTIFY."""
_AGAIN_AFTER = 2.0
_TOPICS_AT_ONCE = 100
"""PostgreSQL carries up to 8,000 bytes in one call."""


async def exchange(url: URL, untold: set[str], heard: Callable[..., None]) -> None:
    """Tell the neighbours the topics in `untold` (emptied here), and pass on theirs to `heard`, until cancelled. A lost connection is made again."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(address, autocommit=True) as connection:
                await connection.execute(f"LISTEN {_CHANNEL}")
                while True:
                    await _tell(connection, untold)
                    async for call in connection.notifies(timeout=_EVERY):
                        if call.pid != connection.info.backend_pid:
                            heard(*call.payload.split())
        except psycopg.Error:
            untold.clear()
            await asyncio.sleep(_AGAIN_AFTER)


async def _tell(connection: "psycopg.AsyncConnection[tuple[object, ...]]", untold: set[str]) -> None:
    while untold:
        topics = [untold.pop() for _ in range(min(len(untold), _TOPICS_AT_ONCE))]
        await connection.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, " ".join(topics)))
