"""LINE, by line-bot-sdk v3. Facts and limits: the platform README; reading and rendering have rooms of their own."""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

import aiohttp
import structlog
from linebot.v3.messaging import (
    ApiException,
    AsyncApiClient,
    AsyncMessagingApi,
    Configuration,
    PushMessageRequest,
    ReplyMessageRequest,
    ShowLoadingAnimationRequest,
)

from bot.channels import line_reading, line_rendering
from bot.channels.cutting import Unsendable
from bot.channels.port import Delivery, Inbound, Outgoing, Refused, Sent, TryLater, Unknown
from bot.settings import Settings
from flows.model import ChannelName

log = structlog.get_logger()

_NOT_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_LOST = (aiohttp.ClientError, OSError, TimeoutError, ValueError)
"""The call may have arrived: cut off, too slow, or answered by something that is not LINE (the SDK then raises a `ValueError`)."""
_OPERATOR_PAUSE = 600.0
_QUOTA_PAUSE = 3600.0
_LONGEST_SETTLING = 25


class LineChannel:
    """The LINE Official Account. Its client is built once, at the first call (it needs the running loop), and closed at the end."""

    name: ChannelName = "line"

    def __init__(self, settings: Settings, *, seconds: float = 10.0) -> None:
        """`seconds` is how long one call may take as a whole."""
        if settings.line_channel_secret is None or settings.line_channel_access_token is None:
            raise ValueError("LINE needs its channel secret and access token (R1)")
        self._secret = settings.line_channel_secret.get_secret_value()
        token = settings.line_channel_access_token.get_secret_value()
        self._configuration = Configuration(host=settings.line_api_host.rstrip("/"), access_token=token)
        self._timeout = aiohttp.ClientTimeout(total=seconds, connect=min(5.0, seconds))
        self._client: AsyncApiClient | None = None

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Inbound]:
        return line_reading.read_webhook(self._secret, headers, body, now)

    def letters(self, outgoing: Outgoing) -> Sequence[Outgoing]:
        return line_rendering.letters(outgoing)

    async def send(self, outgoing: Outgoing, *, destination: str, retry_key: str, reply_token: str | None) -> Delivery:
        """Reply while there is a token (free, without retry key: LINE refuses one there), else push with the key from the first try on."""
        try:
            messages = line_rendering.render(outgoing)
        except Unsendable as problem:
            return Refused(str(problem))
        try:
            if reply_token is not None:
                reply = ReplyMessageRequest(replyToken=reply_token, messages=messages, notificationDisabled=None)
                await self._api.reply_message(reply, _request_timeout=self._timeout)
            else:
                push = PushMessageRequest(to=destination, messages=messages, notificationDisabled=None)
                await self._api.push_message(push, x_line_retry_key=retry_key, _request_timeout=self._timeout)
        except ApiException as answer:
            return _meaning(answer, replying=reply_token is not None)
        except _NOT_CONNECTED:
            return TryLater("not_connected")
        except _LOST as lost:
            return Unknown(type(lost).__name__)
        return Sent()

    async def settling(self, destination: str) -> None:
        """Show LINE's loading animation; it ends when a message arrives."""
        waiting = ShowLoadingAnimationRequest(chatId=destination, loadingSeconds=_LONGEST_SETTLING)
        with suppress(ApiException, *_LOST):
            await self._api.show_loading_animation(waiting, _request_timeout=self._timeout)

    async def leave(self, group_id: str) -> None:
        """Leave a group (C…) or a room (R…). An id of any other shape never enters a path (R35)."""
        if not re.fullmatch(r"[CR][0-9a-f]{32}", group_id):
            return
        with suppress(ApiException, *_LOST):
            if group_id.startswith("C"):
                await self._api.leave_group(group_id, _request_timeout=self._timeout)
            else:
                await self._api.leave_room(group_id, _request_timeout=self._timeout)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    @property
    def _api(self) -> AsyncMessagingApi:
        if self._client is None:
            self._client = AsyncApiClient(self._configuration)
        return AsyncMessagingApi(self._client)


def _meaning(answer: ApiException, *, replying: bool) -> Delivery:
    """What an answer other than 200 means. LINE's error texts are not stable: the status decides, a text only where there is no other sign."""
    status = int(answer.status or 0)
    message, about = _complaint(answer)
    if status != 409:
        log.warning("line_answered", status=status, replying=replying, request_id=(answer.headers or {}).get("x-line-request-id"))
    match status:
        case 409:
            return Sent(again=True)
        case 400 if replying:  # whatever is wrong with the messages themselves is named; what is left is the token
            return Refused("line_400") if "messages" in about or "messages" in message else Refused("reply_token", token_used=True)
        case 400 if about == {"to"} or "'to'" in message or "failed to send" in message:
            return Refused("unknown_receiver", unreachable=True)
        case 404:
            return Refused("unknown_receiver", unreachable=True)
        case 401 | 403:  # a matter for the operator: the letter waits
            return TryLater(f"line_{status}", seconds=_OPERATOR_PAUSE)
        case 429 if "monthly limit" in message:
            return TryLater("quota", seconds=_QUOTA_PAUSE, quota=True)
        case 429:
            return TryLater("rate")
        case _ if status >= 500 and replying:
            return Unknown(f"line_{status}", probably_not=True)
        case _ if status >= 500:
            return TryLater(f"line_{status}")
    return Refused(f"line_{status}")


def _complaint(answer: ApiException) -> tuple[str, set[str]]:
    """LINE's error text in lower case, and the top-level properties it complains of."""
    try:
        body = json.loads(answer.body or "{}")
        details = body.get("details") or []
        return str(body.get("message", "")).lower(), {re.split(r"[\[./]", str(one.get("property", "")))[0] for one in details} - {""}
    except (ValueError, AttributeError, TypeError):
        return "", set()
