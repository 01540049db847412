"""LINE and Telegram inside the loop: what they take they take once, and what goes wrong on the way is decided by the weather.

What each platform's errors mean is the channels' own matter and proved with the twins (tests/contracts); here a channel says what came of a call.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from bot.channels import line_rendering, telegram_rendering
from bot.channels.port import Delivery, Inbound, Outgoing, Refused, Sent, TryLater, Unknown
from bot.clock import Clock
from flows.model import Button, ChannelName

Fault = Literal["failed", "failed_after", "busy", "busy_long", "lost", "lost_after", "not_connected", "quota", "died", "died_after"]
FAULTS: tuple[Fault, ...] = ("failed", "failed_after", "busy", "busy_long", "lost", "lost_after", "not_connected", "died", "died_after")
Weather = Callable[[], Fault | None]
"""Asked at every call: what goes wrong with it."""
_TOKEN_LIFE = timedelta(seconds=60)


@dataclass
class FakePlatform:
    """A channel and the platform behind it."""

    name: ChannelName
    clock: Clock
    weather: Weather
    shown: defaultdict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    """What each resident was shown, in order: the key of our letter, and how it looked."""
    buttons: defaultdict[str, list[Button]] = field(default_factory=lambda: defaultdict(list))
    blocked: set[str] = field(default_factory=set)
    deaths: int = 0
    calls: int = 0
    _given: dict[str, datetime] = field(default_factory=dict)
    """Reply tokens that were not used yet, and when they were given."""
    _keys: set[str] = field(default_factory=set)

    def gives_token(self, event_id: str) -> str:
        token = f"token-{event_id}"
        self._given[token] = self.clock.now()
        return token

    def render(self, outgoing: Outgoing) -> str:
        """One call as the resident sees it."""
        if self.name == "line":
            return json.dumps(line_rendering.render(outgoing), ensure_ascii=False, sort_keys=True)
        return telegram_rendering.render(outgoing).html

    # ------------------------------------------------------------ a channel

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Inbound]:
        raise NotImplementedError("events are brought as values here")

    def letters(self, outgoing: Outgoing) -> Sequence[Outgoing]:
        return line_rendering.letters(outgoing) if self.name == "line" else telegram_rendering.letters(outgoing)

    async def send(self, outgoing: Outgoing, *, destination: str, retry_key: str, reply_token: str | None) -> Delivery:
        self.calls += 1
        await asyncio.sleep(0)
        if destination in self.blocked:
            return Refused("blocked", unreachable=True)
        fault = self.weather()
        match fault:
            case None:
                return self._take(outgoing, destination, retry_key, reply_token)
            case "failed_after" | "lost_after" | "died_after":
                self._take(outgoing, destination, retry_key, reply_token)
        if fault in ("died", "died_after"):
            self.deaths += 1
            raise asyncio.CancelledError
        return self._says(fault, replying=reply_token is not None)

    def _says(self, fault: Fault, *, replying: bool) -> Delivery:
        match fault:
            case "busy":
                return TryLater("rate")
            case "busy_long":
                return TryLater("rate", seconds=90)
            case "quota":
                return TryLater("quota", seconds=3600, quota=True) if not replying and self.name == "line" else TryLater("rate")
            case "not_connected":
                return TryLater("not_connected")
            case "failed" | "failed_after" if self.name == "line":
                return Unknown("line_500", probably_not=True) if replying else TryLater("line_500")
        return Unknown(fault)

    def _take(self, outgoing: Outgoing, destination: str, retry_key: str, reply_token: str | None) -> Delivery:
        if reply_token is not None:
            given = self._given.pop(reply_token, None)
            if given is None or self.clock.now() - given > _TOKEN_LIFE:
                return Refused("reply_token", token_used=True)
        elif self.name == "line":
            if retry_key in self._keys:
                return Sent(again=True)
            self._keys.add(retry_key)
        self.shown[destination].append((retry_key, self.render(outgoing)))
        cards = [button for bubble in outgoing.bubbles for card in bubble.cards for button in card.buttons]
        self.buttons[destination] += [button for button in (*cards, *outgoing.buttons) if button.value]
        return Sent()

    async def settling(self, destination: str) -> None: ...
    async def leave(self, group_id: str) -> None: ...
    async def close(self) -> None: ...
