"""Telegram, by python-telegram-bot's `Bot` alone.

Its `Application` keeps updates in memory, and nothing a resident wrote may live there only (P2).
"""

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import httpx
import structlog
from telegram import Bot, LinkPreviewOptions
from telegram.constants import ChatAction, ParseMode
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError, TimedOut
from telegram.request import HTTPXRequest

from bot.channels import telegram_reading, telegram_rendering
from bot.channels.cutting import Unsendable
from bot.channels.port import Delivery, Inbound, Outgoing, Refused, Sent, TryLater, Unknown
from bot.outside import NotFetched, fetch
from bot.settings import Settings
from flows.model import ChannelName

log = structlog.get_logger()

_ALLOWED_UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)
_OPERATOR_PAUSE = 600.0
_POLL_PAUSE = 3.0
_LONG_POLL = 25
_FILE_PATH = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*(\.[A-Za-z0-9]+)?")


class TelegramChannel:
    """The bot account. One HTTP client for its whole life, closed at the end."""

    name: ChannelName = "telegram"

    def __init__(self, settings: Settings, *, seconds: float = 7.0, long_poll: int = _LONG_POLL) -> None:
        """`seconds` is how long one call may wait for its answer; `long_poll` how long Telegram holds a poll open."""
        if settings.telegram_token is None:
            raise ValueError("Telegram needs its token (R1)")
        self._file_url = settings.telegram_file_url
        self._secret = settings.telegram_secret.get_secret_value() if settings.telegram_secret else None
        self._seconds = seconds
        self._long_poll = long_poll
        self._polling = False
        for library, level in (("httpx", logging.WARNING), ("httpcore", logging.WARNING), ("telegram", logging.CRITICAL)):
            logging.getLogger(library).setLevel(level)  # they log addresses, which hold the token, and what they could not read (R42)
        self._request = HTTPXRequest(read_timeout=seconds, write_timeout=seconds, connect_timeout=min(5.0, seconds))
        self._bot = Bot(
            settings.telegram_token.get_secret_value(), base_url=settings.telegram_base_url, base_file_url=settings.telegram_file_url,
            request=self._request, get_updates_request=self._request,
        )  # fmt: skip

    # ------------------------------------------------------------ receiving

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Inbound]:
        return (telegram_reading.read_webhook(self._secret, headers, body, now),)

    async def listen_at(self, url: str) -> None:
        """Ask Telegram to post updates to `url`, with our secret. Raises `TelegramError`."""
        await self._bot.set_webhook(url, secret_token=self._secret, allowed_updates=_ALLOWED_UPDATES)

    async def poll(self, offset: int, now: datetime) -> tuple[Sequence[Inbound], int]:
        """Wait for updates from `offset` on; returns them and the next offset. Telegram keeps them until that is asked for, 24 hours at most.

        A failure is a pause and no updates: the same offset is right the next time.
        """
        try:
            if not self._polling:  # a webhook and polling exclude each other (409)
                await self._bot.delete_webhook()
                self._polling = True
            found = await self._updates(offset)
        except RetryAfter as busy:
            await asyncio.sleep(_seconds_of(busy))
            return (), offset
        except TelegramError as error:
            log.warning("telegram_poll_failed", error=type(error).__name__)
            await asyncio.sleep(_POLL_PAUSE)
            return (), offset
        updates = [update for update in found if isinstance(update, dict) and type(update.get("update_id")) is int]
        following = max((update["update_id"] + 1 for update in updates), default=offset)
        return [telegram_reading.read_update(update, now) for update in updates], following

    async def _updates(self, offset: int) -> Sequence[object]:
        """The updates as plain dictionaries: `Bot.get_updates` would lose a whole batch, and log its words, over one update it cannot read."""
        asked = {"offset": offset, "timeout": self._long_poll, "allowed_updates": _ALLOWED_UPDATES}
        # Telegram's method names know no case, and this spelling is not one of Bot's own methods, which it would warn about.
        found = await self._bot.do_api_request("GetUpdates", api_kwargs=asked, read_timeout=self._long_poll + self._seconds)
        return found if isinstance(found, list) else ()

    async def answer(self, tap: Inbound) -> None:
        """End the progress bar that a pressed button shows, then leave the chosen answer alone under its message; too late is nobody's problem."""
        if tap.callback_id is None:
            return
        with suppress(TelegramError, *_UNREADABLE):
            await self._bot.answer_callback_query(tap.callback_id)
        with suppress(TelegramError, *_UNREADABLE):
            shown = telegram_reading.tapped_keyboard(tap.raw)
            keyboard = telegram_rendering.chosen(shown)
            if keyboard is not None:
                await self._bot.edit_message_reply_markup(int(tap.sender), shown.message_id, reply_markup=keyboard)

    # ------------------------------------------------------------ sending

    def letters(self, outgoing: Outgoing) -> Sequence[Outgoing]:
        return telegram_rendering.letters(outgoing)

    async def send(self, outgoing: Outgoing, *, destination: str, retry_key: str, reply_token: str | None) -> Delivery:
        """Send one message. Telegram knows neither retry keys nor reply tokens: after a lost answer it may arrive twice (T-api)."""
        try:
            rendered = telegram_rendering.render(outgoing)
            chat = int(destination)
        except Unsendable as problem:
            return Refused(str(problem))
        except ValueError:
            return Refused("no_chat_id")
        try:
            await self._bot.send_message(
                chat, rendered.html, parse_mode=ParseMode.HTML, reply_markup=rendered.keyboard, link_preview_options=_NO_PREVIEW
            )
        except TelegramError as error:
            return _meaning(error)
        except _UNREADABLE:  # accepted (2xx), but what came back is no message
            return Unknown("unreadable_answer")
        return Sent()

    async def fetch(self, file_id: str, most: int) -> bytes:
        """A photo or document: Telegram is asked for its path, which is checked before it becomes part of an address."""
        try:
            found = await self._bot.do_api_request("GetFile", api_kwargs={"file_id": file_id})
        except BadRequest as error:
            raise NotFetched("gone", again=False) from error
        except TelegramError as error:
            raise NotFetched("not_connected", again=True) from error
        path = found.get("file_path") if isinstance(found, dict) else None
        if not isinstance(path, str) or not _FILE_PATH.fullmatch(path):
            raise NotFetched("address", again=False)
        return await fetch(f"{self._file_url}{self._bot.token}/{path}", most=most)

    async def settling(self, destination: str) -> None:
        """Show "typing…" for five seconds, or until a message arrives."""
        with suppress(TelegramError, *_UNREADABLE):
            await self._bot.send_chat_action(int(destination), ChatAction.TYPING)

    async def leave(self, group_id: str) -> None:
        with suppress(TelegramError, *_UNREADABLE):
            await self._bot.leave_chat(int(group_id))

    async def close(self) -> None:
        await self._request.shutdown()


def _meaning(error: TelegramError) -> Delivery:
    """What an error means. `problem` never holds Telegram's own sentence: it may quote the message (R42)."""
    name, said = type(error).__name__, error.message.lower()
    match error:
        case RetryAfter():
            return TryLater("rate", seconds=_seconds_of(error))
        case Forbidden() | ChatMigrated():
            return Refused(name, unreachable=True)
        case BadRequest():
            return Refused(name, unreachable="not found" in said or "peer_id_invalid" in said)
        case InvalidToken():
            return TryLater(name, seconds=_OPERATOR_PAUSE)
        case Conflict():
            return TryLater(name)
        case TimedOut() | NetworkError() if isinstance(error.__cause__, _NOT_SENT):
            return TryLater("not_connected")
        case NetworkError() if "too many requests" in said:  # a 429 without its pause
            return TryLater("rate")
    return Unknown(name)


def _seconds_of(busy: RetryAfter) -> float:
    pause = busy.retry_after
    return pause.total_seconds() if isinstance(pause, timedelta) else float(pause)
