"""LINE on loopback: posts webhooks as LINE does, and refuses what LINE refuses (platform README; line/*.yml where they are at hand).

A test tells it what residents do (`text`, `press`, `follow` …: each returns a signed `Webhook`) and asks what they heard (`heard`). Whatever our side
sends wrongly is refused as LINE would, and written down in `violations`.
"""

import base64
import hashlib
import hmac
import json
import re
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.twins import line_limits
from tests.twins.hearing import Bubble, HeardButton, Webhook, until
from tests.twins.line_screen import bubble_of
from tests.twins.serving import CutOff, Loopback
from tests.twins.specs import line_errors

TOKEN_LIFE = 60.0
REDELIVERED_TOKEN_LIFE = 20 * 60.0
_RETRY_KEY = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BOT = "U" + "b" * 32
_ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass
class ReplyToken:
    """A reply token: whose, since when it runs, whether it was used."""

    user: str
    since: float
    event_at: float
    used: bool = False


@dataclass(frozen=True)
class Call:
    """One call our side made: `reply` or `push`, to whom, with which messages, and what was answered."""

    kind: str
    user: str
    messages: list[dict[str, Any]]
    status: int
    retry_key: str | None = None


class LineTwin(Loopback):
    """Both hosts of LINE in one: set `line_api_host` and `line_data_host` to `url`."""

    def __init__(self, *, secret: str = "line-secret", access_token: str = "line-token", clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.secret, self.access_token, self._clock = secret, access_token, clock
        self.forget()

    def forget(self) -> None:
        """As new: nobody known, nothing heard, no faults."""
        self.violations: list[str] = []
        self.calls: list[Call] = []
        self.left: list[str] = []
        self.loading: list[str] = []
        self.blocked: set[str] = set()
        self.friends: set[str] = set()
        self.quota: int | None = None
        """Pushes left this month; None = no end."""
        self._delivered: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._tokens: dict[str, ReplyToken] = {}
        self._accepted: dict[str, tuple[str, list[dict[str, str]]]] = {}
        self._content: dict[str, bytes | None] = {}
        self.menus: dict[str, dict[str, Any]] = {}
        """Rich menus by id, each as it was made."""
        self.pictures: dict[str, bytes] = {}
        self.shown_menu: str | None = None
        self.webhook_url: str | None = None
        self.installed = 0
        """Calls that changed something of the account."""
        self.no_faults()

    # ------------------------------------------------------------ what residents do

    @staticmethod
    def user(name: str) -> str:
        """A user id, always the same for a name."""
        return "U" + hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()

    def text(self, user: str, words: str) -> Webhook:
        return self.webhook(self.text_event(user, words))

    def text_event(self, user: str, words: str) -> dict[str, Any]:
        return self._message(user, {"type": "text", "text": words, "quoteToken": "q"})

    def press(self, user: str, button: HeardButton | str) -> Webhook:
        """Press a button (or the one with this label, anywhere in the talk: old ones too)."""
        if isinstance(button, str):
            button = self.button(user, button)
        assert button.payload is not None, f"{button} is a link"
        return self.postback(user, button.payload)

    def postback(self, user: str, payload: str) -> Webhook:
        return self.webhook(self.event(user, "postback", postback={"data": payload}))

    def follow(self, user: str, *, unblocked: bool = False) -> Webhook:
        self.blocked.discard(user)
        return self.webhook(self.event(user, "follow", follow={"isUnblocked": unblocked}))

    def unfollow(self, user: str) -> Webhook:
        """The resident blocks us; from now on nothing is delivered."""
        self.blocked.add(user)
        return self.webhook(self.event(user, "unfollow", token=False))

    def unsend(self, user: str, message_id: str) -> Webhook:
        self._content[message_id] = None
        return self.webhook(self.event(user, "unsend", token=False, unsend={"messageId": message_id}))

    def sticker(self, user: str, *, package: str = "11537", keywords: tuple[str, ...] = ("ok",), text: str | None = None) -> Webhook:
        message = {
            "type": "sticker", "packageId": package, "stickerId": "52002734", "stickerResourceType": "ANIMATION" if text is None else "MESSAGE",
            "keywords": list(keywords), "quoteToken": "q",
        }  # fmt: skip
        return self.webhook(self._message(user, message | ({} if text is None else {"text": text})))

    def image(self, user: str, content: bytes = b"\xff\xd8\xff") -> Webhook:
        return self._media(user, content, {"type": "image", "contentProvider": {"type": "line"}, "quoteToken": "q"})

    def video(self, user: str, content: bytes = b"video") -> Webhook:
        return self._media(user, content, {"type": "video", "duration": 1000, "contentProvider": {"type": "line"}, "quoteToken": "q"})

    def audio(self, user: str, content: bytes = b"audio") -> Webhook:
        return self._media(user, content, {"type": "audio", "duration": 1000, "contentProvider": {"type": "line"}})

    def file(self, user: str, content: bytes = b"file") -> Webhook:
        return self._media(user, content, {"type": "file", "fileName": "a.pdf", "fileSize": len(content)})

    def location(self, user: str) -> Webhook:
        return self.webhook(self._message(user, {"type": "location", "title": "x", "address": "x", "latitude": 35.0, "longitude": 139.0}))

    def unknown(self, user: str) -> Webhook:
        """An event type nobody knows yet."""
        return self.webhook(self.event(user, "hologram", hologram={"shape": "cube"}))

    def joined(self, group: str, *, room: bool = False) -> Webhook:
        """We were invited to a group (C…) or a room (R…)."""
        source = {"type": "room", "roomId": group} if room else {"type": "group", "groupId": group}
        return self.webhook(self.event("", "join", source=source))

    def in_group(self, group: str, user: str, words: str) -> Webhook:
        message = {"id": self._id(), "type": "text", "text": words, "quoteToken": "q"}
        return self.webhook(self.event(user, "message", message=message, source={"type": "group", "groupId": group, "userId": user}))

    def event(
        self, user: str, kind: str, *, token: bool = True, source: dict[str, str] | None = None, mode: str = "active", **parts: Any
    ) -> dict[str, Any]:  # fmt: skip
        """One event, not yet in a webhook."""
        now = self._clock()
        event: dict[str, Any] = {
            "type": kind, "mode": mode, "timestamp": int(now * 1000), "source": source or {"type": "user", "userId": user},
            "webhookEventId": "01" + "".join(_ULID[byte % 32] for byte in uuid.uuid4().bytes) + "00000000",
            "deliveryContext": {"isRedelivery": False}, **parts,
        }  # fmt: skip
        if user:
            self.friends.add(user)
        if token:
            event["replyToken"] = uuid.uuid4().hex
            self._tokens[event["replyToken"]] = ReplyToken(user, now, now)
        return event

    def webhook(self, *events: dict[str, Any]) -> Webhook:
        """One signed request with these events; none at all is the console's Verify button."""
        return self.signed(json.dumps({"destination": _BOT, "events": list(events)}, ensure_ascii=False).encode())

    def signed(self, body: bytes) -> Webhook:
        signature = base64.b64encode(hmac.new(self.secret.encode(), body, hashlib.sha256).digest()).decode()
        return Webhook(body, {"content-type": "application/json; charset=utf-8", "x-line-signature": signature, "user-agent": "LineBotWebhook/2.0"})

    def forged(self, user: str, words: str = "x") -> Webhook:
        """A request that LINE never made."""
        true = self.text(user, words)
        return Webhook(true.body, true.headers | {"x-line-signature": base64.b64encode(b"0" * 32).decode()})

    def redelivered(self, webhook: Webhook) -> Webhook:
        """The same events again, as LINE does when no 2xx came: same ids, same tokens, which run anew unless they were used."""
        body = json.loads(webhook.body)
        for event in body["events"]:
            event["deliveryContext"]["isRedelivery"] = True
            if token := self._tokens.get(event.get("replyToken", "")):
                token.since = self._clock()
        return self.signed(json.dumps(body, ensure_ascii=False).encode())

    def _message(self, user: str, message: dict[str, Any]) -> dict[str, Any]:
        return self.event(user, "message", message={"id": self._id(), **message})

    def _media(self, user: str, content: bytes, message: dict[str, Any]) -> Webhook:
        event = self._message(user, message)
        self._content[event["message"]["id"]] = content
        return self.webhook(event)

    def _id(self) -> str:
        return str(uuid.uuid4().int % 10**18)

    # ------------------------------------------------------------ what residents hear

    def heard(self, user: str) -> list[Bubble]:
        """All that reached this resident's screen, oldest first. Quick replies live only under the newest message."""
        delivered = self._delivered[user]
        return [bubble_of(message if at == len(delivered) - 1 else {**message, "quickReply": {}}) for at, message in enumerate(delivered)]

    async def hears(self, user: str, count: int = 1, within: float = 5.0) -> list[Bubble]:
        """Wait until this many bubbles were heard in all."""
        await until(lambda: len(self._delivered[user]) >= count, within)
        return self.heard(user)

    def button(self, user: str, label: str) -> HeardButton:
        """The newest button with this label that was ever shown."""
        for message in reversed(self._delivered[user]):
            try:
                return bubble_of(message).button(label)
            except LookupError:
                continue
        raise LookupError(f"{user} never saw a button {label!r}")

    # ------------------------------------------------------------ what our side calls

    def app(self) -> ASGIApp:
        routes = [
            ("/v2/bot/message/reply", self._reply, "POST"),
            ("/v2/bot/message/push", self._push, "POST"),
            ("/v2/bot/chat/loading/start", self._loading, "POST"),
            ("/v2/bot/group/{id}/leave", self._leave, "POST"),
            ("/v2/bot/room/{id}/leave", self._leave, "POST"),
            ("/v2/bot/message/{id}/content", self._get_content, "GET"),
            ("/v2/bot/richmenu", self._make_menu, "POST"),
            ("/v2/bot/richmenu/list", self._list_menus, "GET"),
            ("/v2/bot/richmenu/{id}/content", self._menu_picture, "POST"),
            ("/v2/bot/richmenu/{id}", self._delete_menu, "DELETE"),
            ("/v2/bot/user/all/richmenu/{id}", self._show_menu, "POST"),
            ("/v2/bot/user/all/richmenu", self._shown_menu, "GET"),
            ("/v2/bot/channel/webhook/endpoint", self._webhook, "GET"),
            ("/v2/bot/channel/webhook/endpoint", self._set_webhook, "PUT"),
            ("/{path:path}", self._nothing_here, "GET"),
        ]

        def endpoint(answer: Any) -> Any:
            async def guarded(request: Request) -> Response | CutOff:
                if request.headers.get("authorization") != f"Bearer {self.access_token}":
                    return self._error(401, "Authentication failed. Confirm that the access token in the authorization header is valid.")
                return await self.with_faults(request, answer)

            return guarded

        return Starlette(routes=[Route(path, endpoint(answer), methods=[method]) for path, answer, method in routes])

    def failure(self, status: int) -> Response:
        texts = {429: "The API rate limit has been exceeded. Try again later.", 403: "Not authorized to use this method."}
        return self._error(status, texts.get(status, "Internal server error"))

    async def _reply(self, request: Request) -> Response:
        if "x-line-retry-key" in request.headers:
            return self._refuse("a retry key on a reply", 400, "Retry key is not supported")
        body, problems = await self._body(request, "ReplyMessageRequest")
        if problems:
            return self._refuse_message(problems)
        token = self._tokens.get(body["replyToken"])
        if token is None or token.used or self._stale(token):
            self.calls.append(Call("reply", token.user if token else "", body["messages"], 400))
            return self._error(400, "Invalid reply token")
        token.used = True
        self.calls.append(Call("reply", token.user, body["messages"], 200))
        return JSONResponse({"sentMessages": self._deliver(token.user, body["messages"])}, headers=self._request_id())

    async def _push(self, request: Request) -> Response:
        key = request.headers.get("x-line-retry-key")
        if key is None:
            self.violations.append("a push without retry key")
        elif not _RETRY_KEY.fullmatch(key):
            return self._refuse("a retry key that is no UUID", 400, "The value of the retry key is invalid")
        body, problems = await self._body(request, "PushMessageRequest")
        if problems:
            return self._refuse_message(problems)
        user, written = body["to"], json.dumps(body, sort_keys=True)
        if key in self._accepted:
            before, sent = self._accepted[key]
            if before != written:
                self.violations.append("another body with the same retry key")
            self.calls.append(Call("push", user, body["messages"], 409, key))
            answer = {"message": "The retry key is already accepted", "sentMessages": sent}
            return JSONResponse(answer, 409, headers=self._request_id() | {"x-line-accepted-request-id": str(uuid.uuid4())})
        if not re.fullmatch(r"[UCR][0-9a-f]{32}", user):
            return self._error(400, "The property, 'to', in the request body is invalid (line: -, column: -)")
        if user not in self.friends:
            return self._error(400, "Failed to send messages")
        if self.quota is not None and user not in self.blocked:
            if self.quota == 0:
                return self._error(429, "You have reached your monthly limit.")
            self.quota -= 1
        sent = self._deliver(user, body["messages"])
        if key is not None:
            self._accepted[key] = (written, sent)
        self.calls.append(Call("push", user, body["messages"], 200, key))
        return JSONResponse({"sentMessages": sent}, headers=self._request_id())

    async def _loading(self, request: Request) -> Response:
        body = await request.json()
        if line_errors("messaging-api", "ShowLoadingAnimationRequest", body) or body.get("loadingSeconds", 20) % 5:
            return self._refuse(f"loading: {body}", 400, "The request body has 1 error(s)")
        self.loading.append(body["chatId"])
        return JSONResponse({}, 202, headers=self._request_id())

    async def _leave(self, request: Request) -> Response:
        self.left.append(request.path_params["id"])
        return JSONResponse({}, headers=self._request_id())

    async def _get_content(self, request: Request) -> Response:
        message_id = request.path_params["id"]
        if message_id not in self._content:
            return self._error(404, "Not found")
        content = self._content[message_id]
        return self._error(410, "Gone") if content is None else Response(content, media_type="application/octet-stream")

    async def _make_menu(self, request: Request) -> Response:
        body = json.loads(await request.body())
        if problems := line_errors("messaging-api", "RichMenuRequest", body) or list(line_limits.menu_problems(body)):
            return self._refuse_message(problems)
        made = f"richmenu-{uuid.uuid4().hex}"
        self.menus[made] = body
        self.installed += 1
        return JSONResponse({"richMenuId": made}, headers=self._request_id())

    async def _list_menus(self, request: Request) -> Response:
        return JSONResponse({"richmenus": [{"richMenuId": made, **menu} for made, menu in self.menus.items()]}, headers=self._request_id())

    async def _menu_picture(self, request: Request) -> Response:
        made, picture = request.path_params["id"], await request.body()
        if made not in self.menus:
            return self._error(404, "Not found")
        if made in self.pictures:
            return self._refuse("a second picture for a menu", 400, "An image has already been uploaded to the richmenu")
        if problems := list(line_limits.picture_problems(picture, request.headers.get("content-type", ""), self.menus[made]["size"])):
            return self._refuse_message(problems)
        self.pictures[made] = picture
        self.installed += 1
        return JSONResponse({}, headers=self._request_id())

    async def _show_menu(self, request: Request) -> Response:
        made = request.path_params["id"]
        if made not in self.pictures:
            return self._refuse("a menu shown before its picture was there", 400, "must upload richmenu image before applying it to user")
        self.shown_menu = made
        self.installed += 1
        return JSONResponse({}, headers=self._request_id())

    async def _shown_menu(self, request: Request) -> Response:
        if self.shown_menu is None:
            return self._error(404, "no default richmenu")
        return JSONResponse({"richMenuId": self.shown_menu}, headers=self._request_id())

    async def _delete_menu(self, request: Request) -> Response:
        made = request.path_params["id"]
        if self.menus.pop(made, None) is None:
            return self._error(404, "richmenu not found")
        self.pictures.pop(made, None)
        self.shown_menu = None if self.shown_menu == made else self.shown_menu
        self.installed += 1
        return JSONResponse({}, headers=self._request_id())

    async def _webhook(self, request: Request) -> Response:
        if self.webhook_url is None:
            return self._error(404, "Webhook endpoint not found")
        return JSONResponse({"endpoint": self.webhook_url, "active": True}, headers=self._request_id())

    async def _set_webhook(self, request: Request) -> Response:
        body = json.loads(await request.body())
        if line_errors("messaging-api", "SetWebhookEndpointRequest", body) or not body["endpoint"].startswith("https://"):
            return self._refuse(f"webhook endpoint {body}", 400, "Invalid webhook endpoint URL")
        self.webhook_url = body["endpoint"]
        self.installed += 1
        return JSONResponse({}, headers=self._request_id())

    async def _nothing_here(self, request: Request) -> Response:
        return self._refuse(f"a call nobody should make: {request.url.path}", 404, "Not found")

    # ------------------------------------------------------------ how it is judged

    async def _body(self, request: Request, schema: str) -> tuple[dict[str, Any], list[str]]:
        raw = await request.body()
        if len(raw) > 2_000_000:
            return {}, ["larger than 2 MB"]
        body = json.loads(raw)
        problems = line_errors("messaging-api", schema, body)
        return body, problems or list(line_limits.problems(body["messages"]))

    def _stale(self, token: ReplyToken) -> bool:
        now = self._clock()
        return now - token.since > TOKEN_LIFE or now - token.event_at > REDELIVERED_TOKEN_LIFE

    def _deliver(self, user: str, messages: list[dict[str, Any]]) -> list[dict[str, str]]:
        if user not in self.blocked:  # LINE answers 200 and delivers nothing to somebody who blocked us
            self._delivered[user] += messages
        return [{"id": self._id()} for _ in messages]

    def _refuse_message(self, problems: list[str]) -> Response:
        self.violations += problems
        details = [{"message": problem, "property": problem.split(":")[0]} for problem in problems[:5]]
        return JSONResponse({"message": f"The request body has {len(problems)} error(s)", "details": details}, 400, headers=self._request_id())

    def _refuse(self, violation: str, status: int, message: str) -> Response:
        self.violations.append(violation)
        return self._error(status, message)

    def _error(self, status: int, message: str) -> Response:
        return JSONResponse({"message": message}, status, headers=self._request_id())

    @staticmethod
    def _request_id() -> dict[str, str]:
        return {"x-line-request-id": str(uuid.uuid4())}
