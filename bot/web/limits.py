"""Refuses bodies that are too large before anything reads them (R4)."""

import contextlib
from collections.abc import Callable, Mapping

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_LET_PASS = 30_000_000
"""Bytes of a refused form that are taken and thrown away, so that the browser hears why: cut off in mid-sending it shows an error of its own."""
Told = Callable[[Scope], bytes | None]
"""A page that says what was too large and what to do, for whom a person sits before; None where a machine asks."""


class BodyLimit:
    """ASGI middleware: 413 as soon as more than `largest` bytes arrive, whatever the Content-Length said.

    `wider`: path → bytes, for addresses at which files come in.
    """

    def __init__(self, app: ASGIApp, largest: int, *, wider: Mapping[str, int] | None = None, told: Told = lambda scope: None) -> None:
        self.app = app
        self.largest = largest
        self.wider = wider or {}
        self.told = told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        largest = max(self.largest, self.wider.get(scope["path"], 0))
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not declared.isdigit() or int(declared) > largest:
            page = self.told(scope)
            if page is not None and declared.isdigit() and int(declared) <= _MOST_LET_PASS:
                await _let_pass(receive)
            await _refuse(send, page)
            return
        seen = 0
        refused = False

        async def counted() -> Message:
            nonlocal seen, refused
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > largest and not refused:
                refused = True
                await _refuse(send, self.told(scope))
                return {"type": "http.disconnect"}
            return message

        async def guarded(message: Message) -> None:
            if not refused:
                await send(message)

        with contextlib.suppress(ClientDisconnect):  # nobody is there to be answered, and it is no fault of ours to be logged
            await self.app(scope, counted, guarded)


async def _let_pass(receive: Receive) -> None:
    while (message := await receive()).get("more_body"):
        if message["type"] == "http.disconnect":
            return


async def _refuse(send: Send, page: bytes | None) -> None:
    """The connection serves no further request; the other side is told."""
    body = page or b""
    headers = [(b"content-length", str(len(body)).encode()), (b"connection", b"close"), (b"content-type", b"text/html; charset=utf-8")]
    await send({"type": "http.response.start", "status": 413, "headers": headers if body else headers[:2]})
    await send({"type": "http.response.body", "body": body})
