"""Our own web chat as a channel: a row of the talk *is* what the page shows, so nothing is carried anywhere (desk.md §7).

The page's POST becomes `Inbound` values here. An event id is made from the page's message id, what was sent, and the visitor's secret: a double POST
or a reload is stored once, words changed after pressing Back are stored anew, and nobody can use up another visitor's id.
"""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.channels.cutting import pieces
from bot.channels.port import BadRequest, Delivery, Inbound, Outgoing, Sent
from flows.model import ChannelName

LONGEST_MESSAGE = 5_000
"""UTF-16 units, as on LINE; longer texts become several messages."""


class WebChannel:
    """Every resident is behind a page of ours; see bot/web/chat.py."""

    name: ChannelName = "web"

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Inbound]:
        """No platform posts here."""
        raise BadRequest("the web chat has no webhook")

    def letters(self, outgoing: Outgoing) -> Sequence[Outgoing]:
        return (outgoing,)

    async def send(self, outgoing: Outgoing, *, destination: str, retry_key: str, reply_token: str | None) -> Delivery:
        """The row is there: the page has it, or will read it."""
        return Sent()

    async def settling(self, destination: str) -> None:
        """The page says 届きました by itself."""

    async def leave(self, group_id: str) -> None:
        """There are no groups here."""

    async def close(self) -> None:
        """Nothing to close."""


def opened(visitor: str, now: datetime, *, talk: str | None = None) -> Inbound:
    """The page was opened for the first time: the bot says who it is (D1). `talk` is our own id of it, where the page's cookie leads to one."""
    return Inbound("web", visitor if talk is None else talk, "follow", visitor, now, "{}", conversation=talk)


def written(visitor: str, secret: str, message_id: str, text: str, now: datetime, *, talk: str | None = None) -> list[Inbound]:
    """What the resident wrote, as one message or, when it is very long, several; empty for blank text."""
    parts = pieces(text.replace("\r\n", "\n").strip("\n"), LONGEST_MESSAGE)
    return [
        Inbound("web", _event_id(secret, message_id, "text", str(number), part), "text", visitor, now, "{}", text=part, conversation=talk)
        for number, part in enumerate(parts)
    ]


def pressed(visitor: str, secret: str, message_id: str, payload: str, now: datetime, *, talk: str | None = None) -> Inbound:
    """A button of the page; `payload` exactly as it was sent."""
    event_id = _event_id(secret, message_id, "button", payload)
    return Inbound("web", event_id, "button", visitor, now, "{}", button=payload, conversation=talk)


def _event_id(secret: str, *parts: str) -> str:
    return hmac.digest(secret.encode(), "\0".join(parts).encode("utf-8", "surrogatepass"), "sha256").hex()
