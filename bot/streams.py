"""Server-sent events as an answer that takes a place: nobody holds more connections than pages they can look at (R6, R46)."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

_AGAIN_AFTER = 60


class Streams:
    """Who holds how many open streams of this process."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    def take(self, places: Mapping[str, int]) -> bool:
        """Take one place of each, by name with the most that may be taken; False when one is full, and none is taken."""
        if any(self._open[name] >= most for name, most in places.items()):
            return False
        self._open.update(places.keys())
        return True

    def give_back(self, places: Mapping[str, int]) -> None:
        self._open.subtract(places.keys())
        self._open += Counter()  # what is zero is forgotten


class LiveResponse(StreamingResponse):
    """An endless answer, or 429 with Retry-After while `places` are full: the page then asks by itself now and then.

    A place is held from the moment the answer is sent until it has ended, however it ends.
    """

    def __init__(self, events: AsyncIterator[str], streams: Streams, places: Mapping[str, int]) -> None:
        super().__init__(events, media_type="text/event-stream", headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        self._streams, self._places = streams, places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._streams.take(self._places):
            full = Response(status_code=429, headers={"retry-after": str(_AGAIN_AFTER), "cache-control": "no-store"})
            await full(scope, receive, send)
            return
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams.give_back(self._places)
