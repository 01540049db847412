"""LINE and Telegram as a crash sees them: they take each call once, fail before or after taking it, and remember in which order they took what.

Not as strict as the twins (tests/twins) about what is in a call, and much quicker: thousands of messages pass here.
"""

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web

Reached = Callable[[str], Awaitable[None]]
"""Told when a call reaches a named point; the process that made it may be dead when this comes back."""


@dataclass
class Platforms:
    """Both platforms on one loopback port. `failing` is the share of calls that go wrong in one way or another.

    LINE fails after taking a call as often as before: it knows a call again. Telegram does not, so each such failure shows an answer twice whatever
    we do; there it fails before taking only, and what shows twice is what a kill left.
    """

    chance: random.Random
    reached: Reached
    failing: float = 0.05
    taken: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """What each resident was shown, in order: LINE's messages as JSON, Telegram's text."""
    _spent: set[str] = field(default_factory=set)
    """Reply tokens and retry keys that were used."""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v2/bot/message/{verb}", self._line)
        app.router.add_post("/v2/bot/chat/loading/start", self._nothing)
        app.router.add_post("/bot{token}/{method}", self._telegram)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _nothing(self, request: web.Request) -> web.Response:
        return web.json_response({}, status=202)

    async def _line(self, request: web.Request) -> web.Response:
        body = await request.json()
        key = body["replyToken"] if request.match_info["verb"] == "reply" else request.headers["X-Line-Retry-Key"]
        resident = key.split("/")[0] if "/" in key else body["to"]

        def take() -> web.Response:
            if key in self._spent:
                return web.json_response({"message": "again"}, status=400 if "replyToken" in body else 409)
            self._spent.add(key)
            self.taken[resident].append(json.dumps(body["messages"], sort_keys=True))
            return web.json_response({"sentMessages": [{"id": "1"}]})

        return await self._with_faults(request, take, ("refused", "busy", "broken_after", "cut_after"))

    async def _telegram(self, request: web.Request) -> web.Response:
        given = await request.post()
        if request.match_info["method"].lower() != "sendmessage":
            return web.json_response({"ok": True, "result": True})
        chat = int(str(given["chat_id"]))

        def take() -> web.Response:
            self.taken[str(chat)].append(str(given["text"]))
            told = {"message_id": 1, "date": 0, "chat": {"id": chat, "type": "private"}, "text": "x"}
            return web.json_response({"ok": True, "result": told})

        return await self._with_faults(request, take, ("refused", "busy"))

    async def _with_faults(self, request: web.Request, take: Callable[[], web.Response], faults: Sequence[str]) -> web.Response:
        await self.reached("call_received")
        fault = self.chance.choice(faults) if self.chance.random() < self.failing else None
        match fault:
            case "refused":
                return web.json_response({"message": "internal"}, status=500)
            case "busy":
                return web.json_response({"message": "slow down", "parameters": {"retry_after": 1}}, status=429, headers={"retry-after": "1"})
            case "broken_after":
                take()
                return web.json_response({"message": "internal"}, status=500)
            case "cut_after":
                take()
                if request.transport is not None:
                    request.transport.abort()
                raise asyncio.CancelledError
        answer = take()
        await self.reached("call_taken")
        return answer
