"""What Telegram sends: one update at a time, from a webhook or from polling, read by python-telegram-bot's `Update`."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from telegram import CallbackQuery, Chat, ChatMember, ChatMemberUpdated, Message, Update

from bot.channels.port import BadRequest, Inbound, NoProof
from bot.strict_json import read_object

SECRET = "x-telegram-bot-api-secret-token"  # noqa: S105 (the name of a header)
_YES_STICKERS = {"👍", "👌", "🙆", "🆗", "✅", "💯"}
_SKIN_TONES = dict.fromkeys(range(0x1F3FB, 0x1F400))
COMMANDS = {
    "!human": "human", "!help": "help", "!room": "private", "!back": "back", "!start": "again", "!stop": "stop", "!news": "news", "!places": "places",
    "!offer": "offer",
}  # fmt: skip
"""The doors of the menu as commands (`/start` is Telegram's own: it opens the talk)."""
_PAYLOADS = {command: payload for payload, command in COMMANDS.items()}
_UNREADABLE = (AttributeError, KeyError, TypeError, ValueError, OverflowError, OSError)
"""What `Update.de_json` raises when a part is missing or of another shape (`OSError`: a date beyond what the system can count)."""


def read_webhook(secret: str | None, headers: Mapping[str, str], body: bytes, now: datetime) -> Inbound:
    """Check the secret header before parsing, then read the update (platform README, T-hook). Raises `NoProof`, `BadRequest`."""
    given = next((value for name, value in headers.items() if name.lower() == SECRET), "")
    if not secret or not hmac.compare_digest(secret.encode(), given.encode("utf-8", "replace")):
        raise NoProof("secret header")
    found = read_object(body)
    if type(found.get("update_id")) is not int:
        raise BadRequest("no update_id")
    return read_update(found, now)


def read_update(found: dict[str, Any], now: datetime) -> Inbound:
    """Read one update that has an `update_id`; what cannot be read is kept as `unknown` (R3)."""
    unknown = Inbound("telegram", str(found["update_id"]), "unknown", "", now, json.dumps(found))
    try:
        read = _understand(unknown, Update.de_json(found, None))
    except _UNREADABLE:
        return unknown
    are_words = all(isinstance(part, str | None) for part in (read.text, read.button, read.file_id, read.callback_id))
    return read if are_words else unknown  # Telegram's own classes take anything for a text


def _understand(inbound: Inbound, update: Update) -> Inbound:
    chat = update.effective_chat
    if chat is None or type(chat.id) is not int or chat.id == 0:
        return inbound
    if chat.type != Chat.PRIVATE:
        ousted = update.my_chat_member is not None and update.my_chat_member.new_chat_member.status in (ChatMember.BANNED, ChatMember.LEFT)
        return inbound if ousted else replace(inbound, kind="group", group_id=str(chat.id))
    if (said := update.message or update.edited_message) is not None and said.from_user is not None and said.from_user.is_bot:
        return inbound  # our own words, or another bot's, are no resident's
    if not (update.message or update.edited_message or update.callback_query or update.my_chat_member or update.message_reaction):
        return inbound  # somebody else's talk that Telegram tells us of, as of a business account: whoever wrote there did not write to us (R9)
    if update.effective_user is not None and update.effective_user.id != chat.id:
        return inbound  # a private chat has its one person: whoever else is named did not write or press there (R9)
    inbound = replace(inbound, sender=str(chat.id))
    if update.message is not None:
        return _message(inbound, update.message)
    if update.edited_message is not None:
        return _edited(inbound, update.edited_message)
    if update.callback_query is not None:
        return _press(inbound, update.callback_query)
    if update.my_chat_member is not None:
        return _membership(inbound, update.my_chat_member)
    return inbound


def _press(inbound: Inbound, query: CallbackQuery) -> Inbound:
    if query.data is None:
        return replace(inbound, callback_id=query.id)
    return replace(inbound, kind="button", button=query.data, callback_id=query.id)


def _edited(inbound: Inbound, message: Message) -> Inbound:
    """The words of a message were changed: the new ones are heard like any others (G1)."""
    words = message.text or message.caption
    return replace(inbound, kind="edit", text=words, platform_id=str(message.message_id)) if words else inbound


@dataclass(frozen=True)
class Tapped:
    """The buttons under a message, and which of them was tapped. `rows` are Telegram's own button objects."""

    message_id: int
    rows: tuple[tuple[dict[str, Any], ...], ...]
    payload: str


def tapped_keyboard(raw: str) -> Tapped:
    """The keyboard that a callback query came from. Raises `KeyError` when Telegram did not send it along."""
    query = json.loads(raw)["callback_query"]
    rows = query["message"]["reply_markup"]["inline_keyboard"]
    return Tapped(query["message"]["message_id"], tuple(map(tuple, rows)), query["data"])


def _membership(inbound: Inbound, change: ChatMemberUpdated) -> Inbound:
    """In a private chat: blocked (kicked) or unblocked (member)."""
    inbound = replace(inbound, at=change.date or inbound.at)
    match change.new_chat_member.status:
        case ChatMember.BANNED:
            return replace(inbound, kind="unfollow")
        case ChatMember.MEMBER:
            return replace(inbound, kind="follow")
    return inbound


def _message(inbound: Inbound, message: Message) -> Inbound:
    inbound = replace(inbound, at=message.date or inbound.at, platform_id=str(message.message_id))
    media = _media(message)
    if message.text is not None:
        return _words(inbound, message.text)
    if message.caption:  # words under a picture are heard like any others (G1)
        return replace(inbound, kind="text", text=message.caption, media=media, file_id=_file_of(message))
    if media is not None:
        return replace(inbound, kind="media", media=media, file_id=_file_of(message))
    if message.sticker is not None or message.dice is not None:
        emoji = message.sticker.emoji if message.sticker is not None else None
        return replace(inbound, kind="sticker", sticker_ok=(emoji or "").translate(_SKIN_TONES).strip("\ufe0f") in _YES_STICKERS)
    if message.location is not None or message.venue is not None:
        return replace(inbound, kind="location")
    return inbound


def _words(inbound: Inbound, text: str) -> Inbound:
    """A text; `/start` opens the talk, and three commands are words of G4. Any other `/…` is an ordinary text."""
    first, _, rest = text.partition(" ")
    command = first.removeprefix("/").partition("@")[0].lower() if first.startswith("/") else ""
    if command == "start":
        return replace(inbound, kind="follow", text=rest.strip())
    if command in _PAYLOADS and not rest.strip():
        return replace(inbound, kind="button", button=_PAYLOADS[command])
    return replace(inbound, kind="text", text=text)


def _file_of(message: Message) -> str | None:
    """The largest of a photo's sizes, or the paper."""
    if message.photo:
        return message.photo[-1].file_id
    return None if message.document is None or message.animation is not None else message.document.file_id


def _media(message: Message) -> Literal["image", "audio", "video", "file"] | None:
    if message.photo or message.animation is not None:
        return "image"
    if message.voice is not None or message.audio is not None:
        return "audio"
    if message.video is not None or message.video_note is not None:
        return "video"
    if message.document is not None or message.contact is not None:
        return "file"
    return None
