"""What LINE sends: proof, then events, each understood on its own.

Events are read as plain dictionaries and not through the SDK's models: those refuse values they do not know, and LINE adds event types,
properties and values without notice. An event that is not understood is kept as `unknown` and never stops its neighbours (R3).
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.channels.line_stickers import means_yes
from bot.channels.port import BadRequest, Inbound, NoProof
from bot.strict_json import read_object

SIGNATURE = "x-line-signature"
_TOKEN_LIFE = timedelta(seconds=50)
"""LINE promises one minute; ten seconds are left for the call itself."""
_REDELIVERED_TOKEN_LIFE = timedelta(minutes=20)
"""After the event; a redelivered event's token is dead from then on."""


def read_webhook(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Inbound]:
    """Verify the signature on the raw bytes, then read all events, in LINE's order (platform README, LINE: receiving).

    Raises `NoProof` for a missing or wrong signature, `BadRequest` for a body that is not a webhook. `events` may be empty (the console's Verify).
    """
    _prove(secret, headers, body)
    events = read_object(body).get("events")
    if not isinstance(events, list):
        raise BadRequest("no list of events")
    return [_read_event(event, now) for event in events]


def _prove(secret: str, headers: Mapping[str, str], body: bytes) -> None:
    given = next((value for name, value in headers.items() if name.lower() == SIGNATURE), "")
    wanted = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())
    if not secret or not hmac.compare_digest(wanted, given.encode("utf-8", "replace")):
        raise NoProof("signature")


def _read_event(event: Any, now: datetime) -> Inbound:
    raw = json.dumps(event)
    stray = Inbound("line", f"raw-{hashlib.sha256(raw.encode()).hexdigest()}", "unknown", "", now, raw)
    if not isinstance(event, dict):
        return stray
    source = _part(event, "source")
    inbound = replace(
        stray,
        event_id=_word(event, "webhookEventId") or stray.event_id,
        at=_time(event.get("timestamp"), now),
        redelivered=_part(event, "deliveryContext").get("isRedelivery") is True,
    )
    kind = event.get("type")
    if source.get("type") != "user":
        group = _word(source, "groupId") or _word(source, "roomId")
        return replace(inbound, kind="group", group_id=group) if group and kind != "leave" else inbound
    inbound = replace(inbound, sender=_word(source, "userId").strip())
    if event.get("mode") == "standby":  # another module of the account is in charge: it answers
        return inbound
    return _with_token(_understand(inbound, kind, event), event, now)


def _understand(inbound: Inbound, kind: Any, event: dict[str, Any]) -> Inbound:
    match kind:
        case "message":
            return _message(inbound, _part(event, "message"))
        case "postback":
            payload = _word(_part(event, "postback"), "data")
            return replace(inbound, kind="button", button=payload) if payload else inbound
        case "follow" | "unfollow":
            return replace(inbound, kind=kind)
        case "unsend":
            unsent = _word(_part(event, "unsend"), "messageId")
            return replace(inbound, kind="unsend", platform_id=unsent) if unsent else inbound
    return inbound


def _message(inbound: Inbound, message: dict[str, Any]) -> Inbound:
    inbound = replace(inbound, platform_id=_word(message, "id") or None)
    match message.get("type"):
        case "text" if isinstance(message.get("text"), str):
            return replace(inbound, kind="text", text=message["text"])
        case "sticker":
            if written := _word(message, "text").strip():  # a sticker one writes upon: its words are heard like any others (G1)
                return replace(inbound, kind="text", text=written)
            keywords = message.get("keywords")
            yes = means_yes(_word(message, "packageId"), keywords if isinstance(keywords, list) else ())
            return replace(inbound, kind="sticker", sticker_ok=yes)
        case "image" | "audio" | "video" | "file" as media:
            at_line = _part(message, "contentProvider").get("type", "line") == "line"  # an address elsewhere is never called
            ours = media in ("image", "file") and at_line
            return replace(inbound, kind="media", media=media, file_id=inbound.platform_id if ours else None)
        case "location":
            return replace(inbound, kind="location")
    return inbound


def _with_token(inbound: Inbound, event: dict[str, Any], now: datetime) -> Inbound:
    token = _word(event, "replyToken")
    until = now + _TOKEN_LIFE
    if inbound.redelivered:
        until = min(until, inbound.at + _REDELIVERED_TOKEN_LIFE)
    return replace(inbound, reply_token=token, reply_until=until) if token and until > now else inbound


def _time(milliseconds: Any, now: datetime) -> datetime:
    if isinstance(milliseconds, int) and 0 < milliseconds < 4_102_444_800_000:  # until the year 2100
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    return now


def _part(event: dict[str, Any], name: str) -> dict[str, Any]:
    found = event.get(name)
    return found if isinstance(found, dict) else {}


def _word(event: dict[str, Any], name: str) -> str:
    found = event.get(name)
    return found if isinstance(found, str) else ""
