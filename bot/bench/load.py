"""A platform stand-in and a crowd of residents in one process, on plain sockets, so that the measured server and not the meter is the slow part.

The stand-in takes the place of LINE's API: it accepts replies and pushes and notes when each came. The crowd posts signed webhooks, each resident
one message at a time, and counts a message as answered when its reply came.
"""

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

SECRET = "bench-channel-secret"
START_AGAIN = "最初から"
_ACCEPTED = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 29\r\n\r\n{"sentMessages":[{"id":"1"}]}'


@dataclass
class Heard:
    """What the stand-in was sent, by reply token or receiver."""

    at: dict[str, float] = field(default_factory=dict)
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    waiting: dict[str, asyncio.Future[None]] = field(default_factory=dict)

    def note(self, token: str, body: dict[str, Any]) -> None:
        self.at[token] = time.perf_counter()
        self.bodies[token] = body
        waiter = self.waiting.pop(token, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


class StandIn:
    """Accepts everything a messaging platform accepts, at once."""

    def __init__(self) -> None:
        self.heard = Heard()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "StandIn":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    @property
    def url(self) -> str:
        if self._server is None:
            raise RuntimeError("not started")
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(_length(head))
                if body:
                    told = json.loads(body)
                    self.heard.note(told.get("replyToken") or told.get("to", ""), told)
                writer.write(_ACCEPTED)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.close()


class Door:
    """Keep-alive connections to the server under test."""

    def __init__(self, host: str, port: int) -> None:
        self._where = (host, port)
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, path: str, body: bytes) -> int:
        """Post one signed webhook and return the status."""
        known = bool(self._free)
        reader, writer = self._free.pop() if known else await asyncio.open_connection(*self._where)
        signature = base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
        writer.write(
            f"POST {path} HTTP/1.1\r\nhost: {self._where[0]}\r\nx-line-signature: {signature}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
            + body
        )
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            if not known:
                raise
            return await self.post(path, body)  # it had been closed for idleness, as servers do after some seconds
        await reader.readexactly(_length(head))
        self._free.append((reader, writer))
        return int(head.split(b" ", 2)[1])

    def close(self) -> None:
        for _, writer in self._free:
            writer.close()


@dataclass(frozen=True)
class Figures:
    """What one measurement gave. Times in milliseconds."""

    events: int
    answered: int
    seconds: float
    p50: float
    p99: float
    failed: int

    @property
    def a_second(self) -> float:
        return self.answered / self.seconds


_numbers = itertools.count(1)


def event(resident: str, *, text: str | None = None, data: str | None = None) -> tuple[str, bytes]:
    """A LINE webhook body with one event, and its reply token."""
    number = next(_numbers)
    token = f"token{number:012d}"
    one: dict[str, Any] = {
        "mode": "active", "timestamp": int(time.time() * 1000), "source": {"type": "user", "userId": resident}, "replyToken": token,
        "webhookEventId": f"01BENCH{number:019d}", "deliveryContext": {"isRedelivery": False},
    }  # fmt: skip
    if data is None:
        one |= {"type": "message", "message": {"type": "text", "id": str(number), "quoteToken": "q", "text": text}}
    else:
        one |= {"type": "postback", "postback": {"data": data}}
    return token, json.dumps({"destination": "U" + "0" * 32, "events": [one]}, ensure_ascii=False).encode()


class Crowd:
    """Residents who write one message at a time."""

    def __init__(self, door: Door, heard: Heard, path: str, size: int) -> None:
        self._door = door
        self._heard = heard
        self._path = path
        self.residents = [f"U{number:032x}" for number in range(1, size + 1)]

    async def greet(self, first_words: str) -> None:
        """Bring every resident past the first explanation, so that later words are matched at once."""
        await asyncio.gather(*(self._greet(resident, first_words) for resident in self.residents))

    async def _greet(self, resident: str, first_words: str) -> None:
        token, body = event(resident, text=first_words)
        await self._say(token, body)
        items = self._heard.bodies[token]["messages"][-1].get("quickReply", {}).get("items", [])
        if items:
            await self._say(*event(resident, data=items[0]["action"]["data"]))

    async def closed(self, texts: Sequence[str], seconds: float) -> Figures:
        """Everybody writes the next worry as soon as the last was answered; going back to the beginning between two of them is not counted."""
        begun, times, failed = time.perf_counter(), list[float](), 0

        async def one(number: int, resident: str) -> None:
            nonlocal failed
            turn = number
            while time.perf_counter() - begun < seconds:
                token, body = event(resident, text=texts[turn % len(texts)])
                took = await self._say(token, body)
                turn += 7
                if took is None:
                    failed += 1
                else:
                    times.append(took)
                    if self._asks_back(token):  # the next message would only answer that: a worry told anew is what we measure
                        await self._say(*event(resident, text=START_AGAIN))

        await asyncio.gather(*(one(number, resident) for number, resident in enumerate(self.residents)))
        return _figures(times, failed, time.perf_counter() - begun)

    async def open(self, texts: Sequence[str], rate: float, seconds: float) -> Figures:
        """`rate` messages a second, whether or not the server keeps up."""
        begun, running = time.perf_counter(), list[asyncio.Task[float | None]]()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            token, body = event(self.residents[number % len(self.residents)], text=texts[number % len(texts)])
            running.append(asyncio.create_task(self._say(token, body)))
        took = await asyncio.gather(*running)
        times = [one for one in took if one is not None]
        return _figures(times, len(took) - len(times), time.perf_counter() - begun)

    def _asks_back(self, token: str) -> bool:
        """Whether the reply is a question with buttons and shows no card."""
        messages = self._heard.bodies[token]["messages"]
        return any("quickReply" in message for message in messages) and not any(message["type"] == "flex" for message in messages)

    async def _say(self, token: str, body: bytes) -> float | None:
        """Post one event and wait for its reply; milliseconds from the post, or None when it failed."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._heard.waiting[token] = waiter
        begun = time.perf_counter()
        if await self._door.post(self._path, body) != 200:
            self._heard.waiting.pop(token, None)
            return None
        try:
            await asyncio.wait_for(waiter, timeout=20)
        except TimeoutError:
            self._heard.waiting.pop(token, None)
            return None
        return (self._heard.at[token] - begun) * 1000


def _figures(times: list[float], failed: int, seconds: float) -> Figures:
    ordered = sorted(times) or [float("nan")]
    return Figures(
        len(times) + failed, len(times), seconds, ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], failed
    )


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
