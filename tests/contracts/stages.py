"""Each channel on a stage of its own: a resident on one side, our side on the other, a strict twin of the platform between them."""

import io
import re
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from rich.console import Console

from bot.channels.line import LineChannel
from bot.channels.port import Channel, Delivery, Inbound, Outgoing
from bot.channels.telegram import TelegramChannel
from bot.channels.terminal import TerminalChannel
from bot.settings import Settings
from tests.twins import Bubble, HeardButton, LineTwin, TelegramTwin, Webhook

NOWHERE = "http://127.0.0.1:9"
"""A port nobody listens at."""


def now() -> datetime:
    return datetime.now(UTC)


def line_settings(twin: LineTwin, **changes: object) -> Settings:
    account = {"line_channel_secret": twin.secret, "line_channel_access_token": twin.access_token}
    return Settings.model_validate(account | {"line_api_host": twin.url, "line_data_host": twin.url} | changes)


def telegram_settings(twin: TelegramTwin, **changes: object) -> Settings:
    account = {"telegram_token": twin.token, "telegram_secret": twin.secret}
    return Settings.model_validate(account | {"telegram_base_url": twin.base_url, "telegram_file_url": twin.file_url} | changes)


class Stage(Protocol):
    """What every channel can show in a test."""

    channel: Channel

    async def says(self, words: str) -> Inbound:
        """The resident writes; what our side reads."""
        ...

    async def presses(self, label: str) -> Inbound:
        """The resident presses a button they see; what our side reads."""
        ...

    async def send(self, outgoing: Outgoing) -> list[Delivery]:
        """Our side sends a turn; what came of each call."""
        ...

    def heard(self) -> list[Bubble]: ...

    def violations(self) -> list[str]: ...


class _Sending:
    channel: Channel
    destination: str

    async def send(self, outgoing: Outgoing) -> list[Delivery]:
        return [
            await self.channel.send(letter, destination=self.destination, retry_key=str(uuid.uuid4()), reply_token=None)
            for letter in self.channel.letters(outgoing)
        ]


class LineStage(_Sending):
    def __init__(self, twin: LineTwin, channel: LineChannel) -> None:
        self.twin, self.channel, self.destination = twin, channel, twin.user("resident")
        twin.follow(self.destination)

    async def says(self, words: str) -> Inbound:
        return self._read(self.twin.text(self.destination, words))

    async def presses(self, label: str) -> Inbound:
        return self._read(self.twin.press(self.destination, label))

    def heard(self) -> list[Bubble]:
        return self.twin.heard(self.destination)

    def violations(self) -> list[str]:
        return self.twin.violations

    def _read(self, webhook: Webhook) -> Inbound:
        return only(self.channel.read(webhook.headers, webhook.body, now()))


class TelegramStage(_Sending):
    def __init__(self, twin: TelegramTwin, channel: TelegramChannel) -> None:
        self.twin, self.channel, self.destination = twin, channel, twin.user("resident")
        twin.start(self.destination)

    async def says(self, words: str) -> Inbound:
        return await self._read(self.twin.text(self.destination, words))

    async def presses(self, label: str) -> Inbound:
        return await self._read(self.twin.press(self.destination, label))

    def heard(self) -> list[Bubble]:
        return self.twin.heard(self.destination)

    def violations(self) -> list[str]:
        return self.twin.violations

    async def _read(self, webhook: Webhook) -> Inbound:
        return only(self.channel.read(webhook.headers, webhook.body, now()))


class PollingStage(TelegramStage):
    channel: TelegramChannel
    offset = 0

    async def _read(self, webhook: Webhook) -> Inbound:
        self.twin.queue(webhook)
        inbounds, self.offset = await self.channel.poll(self.offset, now())
        return only(inbounds)


class TerminalStage(_Sending):
    destination = "keyboard"

    def __init__(self) -> None:
        self.screen = io.StringIO()
        self.channel = TerminalChannel(Console(file=self.screen, width=100))

    async def says(self, words: str) -> Inbound:
        return only(self.channel.read({}, words.encode(), now()))

    async def presses(self, label: str) -> Inbound:
        mark = re.findall(rf"\[(\w+)\] {re.escape(label)}", self.screen.getvalue())[-1]
        return await self.says(mark)

    def heard(self) -> list[Bubble]:
        shown = self.screen.getvalue()
        buttons = tuple(HeardButton(label) for label in re.findall(r"\[\w+\] (\S+)", shown))
        return [Bubble(text=shown.removesuffix("\n"), buttons=buttons)] if shown else []

    def violations(self) -> list[str]:
        return []


def only(inbounds: Sequence[Inbound]) -> Inbound:
    (inbound,) = inbounds
    return inbound
