"""What a resident hears, and what a platform posts, as plain values."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class HeardButton:
    """A button on the resident's screen: pressing it sends `payload`, calls `tel` or opens `url`."""

    label: str
    payload: str | None = None
    tel: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class HeardCard:
    """A service card on the resident's screen: its lines from top to bottom, then its buttons."""

    title: str
    lines: tuple[str, ...]
    buttons: tuple[HeardButton, ...] = ()


@dataclass(frozen=True)
class Bubble:
    """One message on the resident's screen."""

    text: str = ""
    buttons: tuple[HeardButton, ...] = ()
    cards: tuple[HeardCard, ...] = ()
    speaker: str | None = None
    alt: str = ""
    """LINE: what a notification shows of cards."""

    def button(self, label: str) -> HeardButton:
        """The button with this label, under the bubble or on one of its cards."""
        for button in (*self.buttons, *(button for card in self.cards for button in card.buttons)):
            if button.label == label:
                return button
        raise LookupError(f"no button {label!r} in {self}")


@dataclass(frozen=True)
class Webhook:
    """A request as the platform posts it: `httpx.post(url, content=webhook.body, headers=webhook.headers)`."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


async def until(ready: Callable[[], bool], within: float) -> bool:
    """Wait, without holding up the loop, until `ready` or `within` seconds have passed."""
    end = time.monotonic() + within
    while not ready():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.01)
    return True
