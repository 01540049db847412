"""Turns: one at a time for each name, in the order they came, while every other name goes its own way."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator


class Turns:
    """A queue for each name. Nothing is kept of a name nobody waits for."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._here: Counter[str] = Counter()

    @contextlib.asynccontextmanager
    async def of(self, name: str) -> AsyncIterator[None]:
        """Wait for this name's turn, and hold it."""
        self._here[name] += 1
        try:
            async with self._locks.setdefault(name, asyncio.Lock()):
                yield
        finally:
            self._here[name] -= 1
            if not self._here[name]:  # nobody waits for it either: a second lock beside it would let two have their turn at once
                del self._here[name], self._locks[name]

    def anybody(self, name: str) -> bool:
        """Whether somebody has the turn or waits for it."""
        return bool(self._here.get(name))
