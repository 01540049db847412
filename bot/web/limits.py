"""Refuses bodies that are too large before anything reads them, and those that come too slowly to ever end (R4)."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_LET_PASS = 30_000_000
"""Bytes of a refused form that are taken and thrown away, so that the browser hears why: cut off in mid-sending it shows an error of its own."""
_SLOWEST = 20_000
"""Bytes a second: a telephone at the edge of its net sends more."""
Told = Callable[[Scope], bytes | None]
"""A page that says what was too large and what to do, for whom a person sits before; None where a machine asks."""


class BodyLimit:
    """ASGI middleware: 413 as soon as more than `largest` bytes arrive, whatever the Content-Length said; 408 for a body that has not come whole in
    `seconds` and the time that so many bytes take on a slow net.

    `wider`: path → bytes, for addresses at which files come in.
    """

    def __init__(
        self, app: ASGIApp, largest: int, *, seconds: float, wider: Mapping[str, int] | None = None, told: Told = lambda scope: None
    ) -> None:
        self.app = app
        self.largest = largest
        self.seconds = seconds
        self.wider = wider or {}
        self.told = told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        largest = max(self.largest, self.wider.get(scope["path"], 0))
        body = _Body(receive, largest, self.seconds + largest / _SLOWEST)
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not declared.isdigit() or int(declared) > largest:
            page = self.told(scope)
            if page is not None and declared.isdigit() and int(declared) <= _MOST_LET_PASS:
                await body.let_pass()
            await _refuse(send, 413, page)
            return

        async def counted() -> Message:
            if not body.refused:
                message = await body.next()
                if not body.refused:
                    return message
                await _refuse(send, body.refused, self.told(scope) if body.refused == 413 else None)
            return {"type": "http.disconnect"}

        async def guarded(message: Message) -> None:
            if not body.refused:
                await send(message)

        with contextlib.suppress(ClientDisconnect):  # nobody is there to be answered, and it is no fault of ours to be logged
            await self.app(scope, counted, guarded)


class _Body:
    """The body of one request as it comes. `refused`: the status it is refused with, 0 while nothing is wrong."""

    def __init__(self, receive: Receive, largest: int, seconds: float) -> None:
        self._receive = receive
        self._largest = largest
        self._until: float | None = asyncio.get_running_loop().time() + seconds
        self._seen = 0
        self.refused = 0

    async def next(self) -> Message:
        """The next message; once the body is whole there is no hurry: what then comes is that the other side has gone."""
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            self.refused = 408
            return {"type": "http.disconnect"}
        self._seen += len(message.get("body", b""))
        if self._seen > self._largest:
            self.refused = 413
        if not message.get("more_body", False):
            self._until = None
        return message

    async def let_pass(self) -> None:
        """Take and throw away what comes, for as long as a body may take."""
        while self.refused != 408 and (await self.next()).get("more_body", False):
            continue


async def _refuse(send: Send, status: int, page: bytes | None) -> None:
    """The connection serves no further request; the other side is told."""
    body = page or b""
    headers = [(b"content-length", str(len(body)).encode()), (b"connection", b"close"), (b"content-type", b"text/html; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers if body else headers[:2]})
    await send({"type": "http.response.body", "body": body})
