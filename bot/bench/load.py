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
from pathlib import Path
from typing import Any

SECRET = "bench-channel-secret"
START_AGAIN = "最初から"
PATIENCE = 20.0
"""Seconds until a message counts as not answered."""
_LATE_BY, _LATE_SECONDS = 1.1, 0.5
"""A server keeps up when the last answer comes no later than this share of the time, and so many seconds."""
_ACCEPTED = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 29\r\n\r\n{"sentMessages":[{"id":"1"}]}'


def signature(body: bytes) -> str:
    """What LINE would write beside this body."""
    return base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()


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
    """Keep-alive connections to the servers under test, in turn as a proxy would give them work."""

    def __init__(self, host: str, ports: Sequence[int]) -> None:
        self._host = host
        self._free: dict[int, list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]] = {port: [] for port in ports}
        self._next = itertools.cycle(ports)

    async def post(self, path: str, body: bytes) -> int:
        """Post one signed webhook and return the status."""
        return await self._post(next(self._next), path, body)

    async def _post(self, port: int, path: str, body: bytes) -> int:
        free = self._free[port]
        known = bool(free)
        reader, writer = free.pop() if known else await asyncio.open_connection(self._host, port)
        writer.write(
            f"POST {path} HTTP/1.1\r\nhost: {self._host}\r\nx-line-signature: {signature(body)}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
            + body
        )
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            if not known:
                raise
            return await self._post(port, path, body)  # it had been closed for idleness, as servers do after some seconds
        await reader.readexactly(_length(head))
        free.append((reader, writer))
        return int(head.split(b" ", 2)[1])

    def close(self) -> None:
        for _, writer in itertools.chain.from_iterable(self._free.values()):
            writer.close()


@dataclass(frozen=True)
class Figures:
    """What one measurement gave. Times in milliseconds; what was not answered within `PATIENCE` counts as failed."""

    events: int
    answered: int
    seconds: float
    p50: float
    p99: float
    failed: int
    kept_up: bool = True
    """The last answer came soon after the last message: no queue had grown."""

    @property
    def a_second(self) -> float:
        return self.answered / self.seconds


_numbers = itertools.count(1)


def ordinary_worries() -> list[str]:
    """Worries of the development set that carry no danger: ordinary messages, each matched."""
    lines = (Path(__file__).parent / "sets" / "worries-dev-1.jsonl").read_text(encoding="utf-8").splitlines()
    return [told["text"] for told in map(json.loads, lines) if told["decision"] == "answer"]


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

    def __init__(self, door: Door, heard: Heard, path: str, size: int, *, first: int = 1) -> None:
        """`first`: the number of the first of them, so that two crowds are different people."""
        self._door = door
        self._heard = heard
        self._path = path
        self.residents = [f"U{number:032x}" for number in range(first, first + size)]
        self.said = 0
        """Messages so far, of every kind."""

    async def greet(self, first_words: str) -> None:
        """Bring every resident past the first explanation, so that later words are matched at once."""
        await asyncio.gather(*(self._greet(resident, first_words) for resident in self.residents))

    async def _greet(self, resident: str, first_words: str) -> None:
        token, body = event(resident, text=first_words)
        if await self._say(token, body) is None:
            raise RuntimeError("the server did not answer a first message")
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
        """`rate` messages a second, whether or not the server keeps up; back when each is answered or given up."""
        begun, running = time.perf_counter(), list[asyncio.Task[float | None]]()
        for number in range(max(1, int(rate * seconds))):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            token, body = event(self.residents[number % len(self.residents)], text=texts[number % len(texts)])
            running.append(asyncio.create_task(self._say(token, body)))
        took = await asyncio.gather(*running)
        whole, times = time.perf_counter() - begun, [one for one in took if one is not None]
        failed = len(took) - len(times)
        return _figures(times, failed, whole, kept_up=not failed and whole <= _LATE_BY * seconds + _LATE_SECONDS)

    async def flood(self, texts: Sequence[str], at_once: int) -> None:
        """The first of the crowd writes without end, `at_once` messages before any is answered. Until cancelled."""

        async def on_and_on(number: int) -> None:
            while True:
                await self._say(*event(self.residents[0], text=texts[number % len(texts)]))
                number += at_once

        await asyncio.gather(*(on_and_on(number) for number in range(at_once)))

    def _asks_back(self, token: str) -> bool:
        """Whether the reply is a question with buttons and shows no card."""
        messages = self._heard.bodies[token]["messages"]
        return any("quickReply" in message for message in messages) and not any(message["type"] == "flex" for message in messages)

    async def _say(self, token: str, body: bytes) -> float | None:
        """Post one event and wait for its reply; milliseconds from the post, or None when it failed."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._heard.waiting[token] = waiter
        self.said += 1
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE):
                if await self._door.post(self._path, body) != 200:
                    return None
                await waiter
        except (TimeoutError, OSError):
            return None
        finally:
            self._heard.waiting.pop(token, None)
        return (self._heard.at[token] - begun) * 1000


def _figures(times: list[float], failed: int, seconds: float, *, kept_up: bool = True) -> Figures:
    ordered = sorted(times) or [float("nan")]
    return Figures(
        len(times) + failed, len(times), seconds, ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], failed,
        kept_up,
    )  # fmt: skip


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
