"""Running a twin on loopback, and making it fail on purpose."""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol, Self

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

LOST = 0
"""The status of an answer that never arrives: the connection is cut."""

Answer = Callable[[Request], Awaitable[Response]]


class HandClock(Protocol):
    """A clock that a test moves."""

    def now(self) -> datetime: ...


class CutOff:
    """A response that ends in the middle: the connection is gone before the answer is whole."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json"), (b"content-length", b"100")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": False})


class Loopback:
    """A server on a free loopback port, in a thread of its own. A context manager."""

    _clock: Callable[[], float]

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._fail: list[tuple[int, bool]] = []
        self._slow = 0.0
        self._at_once = 0
        self.most_at_once = 0
        """How many calls were under way at the same time, at the most."""
        self._server: uvicorn.Server | None = None

    def app(self) -> ASGIApp:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._server = uvicorn.Server(uvicorn.Config(self.app(), log_config=None, access_log=False, lifespan="off", ws="none"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        return self

    def __exit__(self, *error: object) -> None:
        assert self._server is not None
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(timeout=5)
        self._socket.close()

    def tells_time_by(self, clock: HandClock) -> None:
        """Tokens and presses grow old by this clock from now on."""
        self._clock = lambda: clock.now().timestamp()

    # ------------------------------------------------------------ faults

    def fail(self, next_n: int, status: int, *, after_accepting: bool = False) -> None:
        """After the faults told before, answer the next calls with `status` (`LOST`: not at all); `after_accepting` does what was asked first."""
        self._fail += [(status, after_accepting)] * next_n

    def slow(self, seconds: float) -> None:
        """Let every call wait this long before it is looked at; 0 ends it."""
        self._slow = seconds

    def no_faults(self) -> None:
        self._fail, self._slow = [], 0.0

    async def with_faults(self, request: Request, answer: Answer) -> Response | CutOff:
        """Answer a call, or fail as told."""
        status, accepting = self._fail.pop(0) if self._fail else (200, True)  # before the wait: a call given up meanwhile takes no later call's fault
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        if self._slow:
            await asyncio.sleep(self._slow)
        self._at_once -= 1
        if status == 200:
            return await answer(request)
        if accepting:
            await answer(request)
        return CutOff() if status == LOST else self.failure(status)

    def failure(self, status: int) -> Response:
        """How this platform words an error of its own."""
        raise NotImplementedError
