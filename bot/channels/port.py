"""What a channel is: it turns a platform's bytes into `Inbound` values and our `Outgoing` values into calls, and knows nothing of flows.

Errors of a platform become three words: `Refused` (never again), `TryLater` (not accepted, later), `Unknown` (may have arrived).
All channels pass the same contract tests (tests/contracts/).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from flows.model import Button, ChannelName, Reply
from knowledge.hearing.model import Value

KNOWS_AGAIN = frozenset({"line", "web", "terminal"})
"""Channels on which a call that comes twice is taken once: by its retry key or reply token, or because nothing leaves the house."""
InboundKind = Literal["text", "button", "sticker", "media", "location", "follow", "unfollow", "unsend", "edit", "group", "unknown"]


class NoProof(Exception):
    """The request does not prove that the platform sent it: 401, nothing stored (R1)."""


class BadRequest(Exception):
    """The body is proven but not readable as the platform writes it: 400, nothing stored (R4)."""


@dataclass(frozen=True)
class Inbound:
    """One event of a platform, understood as far as we need it.

    `event_id` is unique on its channel; a redelivery carries the same one. `raw` is the event as JSON text, kept sealed.
    """

    channel: ChannelName
    event_id: str
    kind: InboundKind
    sender: str
    """The platform's id of the resident's one-to-one chat; empty when the event has none (then nothing but a count is kept)."""
    at: datetime
    raw: str
    text: str = ""
    button: str | None = None
    media: Literal["image", "audio", "video", "file"] | None = None
    file_id: str | None = None
    """How the platform names a picture or paper that came along, to fetch it later (R34)."""
    sticker_ok: bool = False
    platform_id: str | None = None
    """The platform's id of the message, to find it again when it is unsent."""
    reply_token: str | None = None
    reply_until: datetime | None = None
    callback_id: str | None = None
    """Telegram: the callback query to be answered at once."""
    group_id: str | None = None
    """The group or room the bot must leave (R7)."""
    redelivered: bool = False
    conversation: str | None = None
    """Our own id of the talk, where a cookie of ours leads to it: then `sender` is not looked up."""


class Outgoing(Value):
    """One call to a platform: bubbles of one turn, with the buttons under the last. Stored as JSON in the outbox before it leaves.

    `speaker` names who speaks (a coordinator's name); None = the bot.
    """

    bubbles: tuple[Reply, ...] = ()
    buttons: tuple[Button, ...] = ()
    speaker: str | None = None
    alt: str = ""
    """What a notification shows; neutral when the message was not asked for (R12)."""


@dataclass(frozen=True)
class Sent:
    """The platform has it. `again` = it had accepted the same key before (409)."""

    again: bool = False


@dataclass(frozen=True)
class Refused:
    """Never again. `unreachable`: the resident blocked us or the account is gone. `token_used`: only the reply token was refused."""

    problem: str
    unreachable: bool = False
    token_used: bool = False


@dataclass(frozen=True)
class TryLater:
    """Not accepted; again after `seconds` (None = our own pause). `quota`: the month's quota is used up, the desk must know."""

    problem: str
    seconds: float | None = None
    quota: bool = False


@dataclass(frozen=True)
class Unknown:
    """No answer came: it may have arrived. `probably_not`: the platform answered that it failed itself (5xx on a call without a retry key)."""

    problem: str
    probably_not: bool = False


Delivery = Sent | Refused | TryLater | Unknown


@runtime_checkable
class AnswersTaps(Protocol):
    """A channel whose buttons show a waiting mark until they are answered (Telegram)."""

    async def answer(self, tap: Inbound) -> None:
        """End the waiting mark, and show on the message what was chosen; failures are nobody's problem."""
        ...


@runtime_checkable
class FetchesFiles(Protocol):
    """A channel whose residents can send pictures and papers."""

    async def fetch(self, file_id: str, most: int) -> bytes:
        """The file behind an `Inbound.file_id`, at most `most` bytes. Raises `bot.outside.NotFetched`."""
        ...


class Channel(Protocol):
    """One platform."""

    name: ChannelName

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Inbound]:
        """Verify the proof on the raw bytes, then parse; unknown events become `unknown`, never an error.

        `headers` has lower-case names. Raises `NoProof`, `BadRequest`.
        """
        ...

    def letters(self, outgoing: Outgoing) -> Sequence[Outgoing]:
        """Cut one turn into platform calls: LINE takes up to five bubbles in one, Telegram one in each."""
        ...

    async def send(self, outgoing: Outgoing, *, destination: str, retry_key: str, reply_token: str | None) -> Delivery:
        """Make one call. Never raises for anything the platform or the network does."""
        ...

    async def settling(self, destination: str) -> None:
        """Show that the message arrived and is being read; failures are nobody's problem."""
        ...

    async def leave(self, group_id: str) -> None:
        """Leave a group or room without a word (R7)."""
        ...

    async def close(self) -> None: ...
