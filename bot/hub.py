"""Wake-up calls: something changed in a conversation or on the desk; whoever watches reads the rows again.

A call carries no content, so a lost one costs only time: every watcher also looks by itself now and then. Where several processes share a database,
calls go to the others too (storage/neighbours.py).
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator

DESK = "desk"


def conversation(conversation_id: str) -> str:
    """Topic of one talk."""
    return f"conversation:{conversation_id}"


class Hub:
    def __init__(self) -> None:
        self._watchers: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._closed = False
        self.untold: set[str] | None = None
        """Topics the neighbours have not heard of yet; None = there are no neighbours."""

    def wake(self, *topics: str) -> None:
        """Wake whoever watches, here and in the neighbours."""
        self.heard(*topics)
        if self.untold is not None:
            self.untold.update(topics)

    def heard(self, *topics: str) -> None:
        """Wake whoever watches here."""
        for topic in topics:
            for watcher in self._watchers.get(topic, ()):
                watcher.set()

    def close(self) -> None:
        """Let every watcher end: the server stops."""
        self._closed = True
        self.heard(*self._watchers)

    async def watch(self, *topics: str, every: float = 15.0, at_once: bool = False) -> AsyncIterator[bool]:
        """Yield at each wake-up (True) and at least every `every` seconds (False), until the caller or the server stops. `at_once`: also when it
        begins, so that nothing falls between the first look and the watch."""
        woken = asyncio.Event()
        if at_once:
            woken.set()
        for topic in topics:
            self._watchers[topic].add(woken)
        try:
            while not self._closed:
                try:
                    await asyncio.wait_for(woken.wait(), timeout=every)
                    woken.clear()
                    yield True
                except TimeoutError:
                    yield False
        finally:
            for topic in topics:
                self._watchers[topic].discard(woken)
                if not self._watchers[topic]:
                    del self._watchers[topic]
