"""Turns: one at a time for each name, in the order they came, while every other name goes its own way; and a way that is narrow for all."""

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


class NarrowWay:
    """One goes at a time, in the order they came. Who takes longer than `longest` seconds no more keeps the next one waiting."""

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._free = asyncio.Semaphore()

    @contextlib.asynccontextmanager
    async def clear(self) -> AsyncIterator[None]:
        """Wait until the way is clear, and go."""
        await self._free.acquire()
        gone = False

        def next_one() -> None:
            nonlocal gone
            if not gone:
                gone = True
                self._free.release()

        timer = asyncio.get_running_loop().call_later(self._longest, next_one)
        try:
            yield
        finally:
            timer.cancel()
            next_one()
