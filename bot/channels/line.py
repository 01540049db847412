"""LINE, by line-bot-sdk v3. Facts and limits: the platform README; reading and rendering have rooms of their own."""

import json
import re
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import aiohttp
import structlog
from linebot.v3.messaging import (
    ApiException,
    AsyncApiClient,
    AsyncMessagingApi,
    Configuration,
    ShowLoadingAnimationRequest,
)

from bot.channels import line_reading, line_rendering
from bot.channels.cutting import Unsendable
from bot.channels.port import Delivery, Inbound, Outgoing, Refused, Sent, TryLater, Unknown
from bot.outside import NotFetched, fetch
from bot.settings import Settings
from flows.model import ChannelName

log = structlog.get_logger()

_NOT_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_LOST = (aiohttp.ClientError, OSError, TimeoutError, ValueError)
"""The call may have arrived: cut off, too slow, or answered by something that is not LINE (the SDK then raises a `ValueError`)."""
_JSON = {"Accept": "application/json", "Content-Type": "application/json"}
_OPERATOR_PAUSE = 600.0
_QUOTA_PAUSE = 3600.0
_LONGEST_SETTLING = 25
_MESSAGE_ID = re.compile(r"[0-9]{1,40}")


class LineChannel:
    """The LINE Official Account. Its client is built once, at the first call (it needs the running loop), and closed at the end."""

    name: ChannelName = "line"

    def __init__(self, settings: Settings, *, seconds: float = 7.0) -> None:
        """`seconds` is how long one call may take as a whole."""
        if settings.line_channel_secret is None or settings.line_channel_access_token is None:
            raise ValueError("LINE needs its channel secret and access token (R1)")
        self._secret = settings.line_channel_secret.get_secret_value()
        token = settings.line_channel_access_token.get_secret_value()
        self._token, self._data_host = token, settings.line_data_host.rstrip("/")
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
                await self._post("reply", {"replyToken": reply_token, "messages": messages})
            else:
                await self._post("push", {"to": destination, "messages": messages}, retry_key=retry_key)
        except ApiException as answer:
            return _meaning(answer, replying=reply_token is not None)
        except _NOT_CONNECTED:
            return TryLater("not_connected")
        except _LOST as lost:
            return Unknown(type(lost).__name__)
        return Sent()

    async def _post(self, verb: Literal["reply", "push"], body: dict[str, Any], *, retry_key: str | None = None) -> None:
        """One call through the SDK's session, past its models, which walked through every object of a message twice (see line_rendering). What says
        200 and is not LINE is a `ValueError`."""
        client, again = self._opened, {} if retry_key is None else {"X-Line-Retry-Key": retry_key}
        headers = {**client.default_headers, **_JSON, "Authorization": f"Bearer {self._token}", **again}
        url = f"{self._configuration.host}/v2/bot/message/{verb}"
        answer = await client.rest_client.post_request(url, headers=headers, body=body, _request_timeout=self._timeout)
        told = json.loads(answer.data)
        if not isinstance(told, dict) or not isinstance(told.get("sentMessages"), list):
            raise ValueError("not LINE")

    async def fetch(self, file_id: str, most: int) -> bytes:
        """A picture or paper of a message, from LINE's data host (its content is kept for a while only)."""
        if not _MESSAGE_ID.fullmatch(file_id):
            raise NotFetched("address", again=False)
        return await fetch(f"{self._data_host}/v2/bot/message/{file_id}/content", most=most, headers={"authorization": f"Bearer {self._token}"})

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
    def _opened(self) -> AsyncApiClient:
        if self._client is None:
            self._client = AsyncApiClient(self._configuration)
            _look_for_proxy_once(self._client)
        return self._client

    @property
    def _api(self) -> AsyncMessagingApi:
        return AsyncMessagingApi(self._opened)


def _look_for_proxy_once(client: AsyncApiClient) -> None:
    """The SDK's session looks for a proxy in the environment at every call, in two hops to another thread; here it is looked for once."""
    rest, host = client.rest_client, urlsplit(client.configuration.host)
    if rest.proxy is None and not urllib.request.proxy_bypass(host.hostname or ""):
        rest.proxy = urllib.request.getproxies().get(host.scheme)
    slow = rest.pool_manager
    rest.pool_manager = aiohttp.ClientSession(connector=slow.connector)
    slow.detach()


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
