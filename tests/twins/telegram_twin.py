"""Telegram's Bot API on loopback: posts or queues updates as Telegram does, and refuses what Telegram refuses (platform README; telegram/api.json).

A test tells it what residents do (`text`, `press`, `start` …: each returns a `Webhook`, or lies ready for polling after `queue`) and asks what they
heard (`heard`). Whatever our side sends wrongly is refused, and written down in `violations`.
"""

import asyncio
import json
import re
import time
import zlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.twins.hearing import Bubble, HeardButton, Webhook, until
from tests.twins.serving import CutOff, Loopback
from tests.twins.specs import telegram_errors
from tests.twins.telegram_limits import CannotParse, keyboard_problems, parsed

_BOT = {"id": 42, "is_bot": True, "first_name": "bot", "username": "madoguchi_bot"}
_JSON_PARAMETERS = {
    "reply_markup", "link_preview_options", "allowed_updates", "entities", "commands", "scope", "show_alert", "drop_pending_updates", "menu_button",
}  # fmt: skip
_INTEGERS = {"offset", "limit", "timeout", "message_id", "max_connections", "cache_time"}


class Refusal(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, description: str, *, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.status, self.description, self.retry_after = status, description, retry_after


@dataclass(frozen=True)
class Call:
    """One call our side made, and what was answered."""

    method: str
    given: dict[str, Any]
    status: int


class TelegramTwin(Loopback):
    """Set `telegram_base_url` to `base_url` and `telegram_file_url` to `file_url`."""

    def __init__(self, *, token: str = "42:telegram-token", secret: str = "telegram-secret", clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.token, self.secret, self._clock = token, secret, clock
        self.base_url, self.file_url = f"{self.url}/bot", f"{self.url}/file/bot"
        self._update_id = 1000
        self.forget()

    def forget(self) -> None:
        """As new: nobody known, nothing heard, no faults. Update ids go on rising."""
        self.violations: list[str] = []
        self.calls: list[Call] = []
        self.left: list[int] = []
        self.typing: list[int] = []
        self.blocked: set[str] = set()
        self.known: set[str] = set()
        self.webhook_url = ""
        self.waiting_presses: dict[str, float] = {}
        """Callback queries whose progress bar still turns, since when."""
        self._last_sent: dict[str, int] = {}
        self.commands: dict[str, list[dict[str, str]]] = {}
        self.texts: dict[tuple[str, str], str] = {}
        self.menu_button: dict[str, Any] = {"type": "default"}
        self.installed = 0
        """Calls that changed something of the account."""
        self._busy = (0, 0)
        self._shown: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._queue: list[dict[str, Any]] = []
        self._files: dict[str, bytes] = {}
        self._polling = 0
        self.no_faults()

    # ------------------------------------------------------------ what residents do

    @staticmethod
    def user(name: str) -> str:
        """A chat id, always the same for a name."""
        return str(100_000 + zlib.crc32(name.encode()) % 1_000_000)

    def text(self, user: str, words: str) -> Webhook:
        return self.message(user, text=words)

    def start(self, user: str, parameter: str = "") -> Webhook:
        return self.message(user, text=f"/start {parameter}".strip(), entities=[{"type": "bot_command", "offset": 0, "length": 6}])

    def press(self, user: str, button: HeardButton | str) -> Webhook:
        """Press a button (or the one with this label, anywhere in the talk: old ones stay pressable)."""
        if isinstance(button, str):
            button = self.button(user, button)
        assert button.payload is not None, f"{button} is a link"
        return self.postback(user, button.payload)

    def postback(self, user: str, payload: str) -> Webhook:
        update_id = self._next()
        query = f"q{update_id}"
        self.waiting_presses[query] = self._clock()
        held = (one for one in reversed(self._shown[user]) if payload in json.dumps(one.get("reply_markup", {}), ensure_ascii=False))
        shown = next(held, None) or self._message(user, text="x") | {"from": _BOT}
        press = {"id": query, "from": self._person(user), "message": shown, "chat_instance": "1", "data": payload}
        return self.update({"callback_query": press}, update_id)

    def blocks(self, user: str) -> Webhook:
        self.blocked.add(user)
        return self._membership(user, "member", "kicked")

    def unblocks(self, user: str) -> Webhook:
        self.blocked.discard(user)
        return self._membership(user, "kicked", "member")

    follow, unfollow = start, blocks

    def sticker(self, user: str, emoji: str = "👍") -> Webhook:
        parts = {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}
        return self.message(user, sticker={"file_id": "f", "file_unique_id": "u", "emoji": emoji, **parts})

    def image(self, user: str, content: bytes = b"\xff\xd8\xff", caption: str | None = None) -> Webhook:
        photo = [{"file_id": self._file(content), "file_unique_id": "u", "width": 10, "height": 10}]
        return self.message(user, photo=photo, **({} if caption is None else {"caption": caption}))

    def audio(self, user: str, content: bytes = b"audio") -> Webhook:
        return self.message(user, voice={"file_id": self._file(content), "file_unique_id": "u", "duration": 1})

    def video(self, user: str, content: bytes = b"video") -> Webhook:
        return self.message(user, video={"file_id": self._file(content), "file_unique_id": "u", "width": 10, "height": 10, "duration": 1})

    def file(self, user: str, content: bytes = b"file") -> Webhook:
        return self.message(user, document={"file_id": self._file(content), "file_unique_id": "u", "file_name": "a.pdf"})

    def location(self, user: str) -> Webhook:
        return self.message(user, location={"latitude": 35.0, "longitude": 139.0})

    def edited(self, user: str, words: str) -> Webhook:
        """The resident changes the words of the message they sent last."""
        message = self._message(user, text=words) | {"edit_date": int(self._clock())}
        return self.update({"edited_message": message | {"message_id": self._last_sent.get(user, message["message_id"])}})

    def unknown(self, user: str) -> Webhook:
        """A kind of update nobody knows yet."""
        return self.update({"hologram": {"from": self._person(user)}})

    def joined(self, group: int = -100500) -> Webhook:
        return self._membership(str(group), "left", "member", chat={"id": group, "type": "group", "title": "x"})

    def in_group(self, group: int, user: str, words: str) -> Webhook:
        return self.update({"message": self._message(user, text=words) | {"chat": {"id": group, "type": "group", "title": "x"}}})

    def message(self, user: str, **parts: Any) -> Webhook:
        message = self._message(user, **parts)
        self._last_sent[user] = message["message_id"]
        return self.update({"message": message})

    def update(self, parts: dict[str, Any], update_id: int | None = None) -> Webhook:
        """One update with the next id, as posted to the webhook."""
        body = json.dumps({"update_id": self._next() if update_id is None else update_id, **parts}, ensure_ascii=False).encode()
        return Webhook(body, {"content-type": "application/json", "x-telegram-bot-api-secret-token": self.secret})

    def forged(self, user: str, words: str = "x") -> Webhook:
        true = self.text(user, words)
        return Webhook(true.body, true.headers | {"x-telegram-bot-api-secret-token": "guessed"})

    def queue(self, *webhooks: Webhook) -> None:
        """Lay updates ready for polling."""
        self._queue += [json.loads(webhook.body) for webhook in webhooks]

    def _next(self) -> int:
        self._update_id += 1
        return self._update_id

    def _person(self, user: str) -> dict[str, Any]:
        self.known.add(user)
        return {"id": int(user), "is_bot": False, "first_name": "x", "language_code": "ja"}

    def _message(self, user: str, **parts: Any) -> dict[str, Any]:
        return {
            "message_id": self._next(), "from": self._person(user), "chat": {"id": int(user), "type": "private", "first_name": "x"},
            "date": int(self._clock()), **parts,
        }  # fmt: skip

    def _membership(self, user: str, before: str, after: str, chat: dict[str, Any] | None = None) -> Webhook:
        def member(status: str) -> dict[str, Any]:
            return {"user": _BOT, "status": status, **({"until_date": 0} if status == "kicked" else {})}

        person = {"id": 7, "is_bot": False, "first_name": "x"} if chat else self._person(user)
        change = {
            "chat": chat or {"id": int(user), "type": "private", "first_name": "x"}, "from": person, "date": int(self._clock()),
            "old_chat_member": member(before), "new_chat_member": member(after),
        }  # fmt: skip
        return self.update({"my_chat_member": change})

    def _file(self, content: bytes) -> str:
        file_id = f"file{len(self._files)}"
        self._files[file_id] = content
        return file_id

    # ------------------------------------------------------------ what residents hear

    def heard(self, user: str) -> list[Bubble]:
        """All that stands in this resident's chat, oldest first; inline buttons stay."""
        return [_bubble(message) for message in self._shown[user]]

    async def hears(self, user: str, count: int = 1, within: float = 5.0) -> list[Bubble]:
        """Wait until this many bubbles were heard in all."""
        await until(lambda: len(self._shown[user]) >= count, within)
        return self.heard(user)

    def button(self, user: str, label: str) -> HeardButton:
        """The newest button with this label that was ever shown."""
        for bubble in reversed(self.heard(user)):
            try:
                return bubble.button(label)
            except LookupError:
                continue
        raise LookupError(f"{user} never saw a button {label!r}")

    def busy(self, next_n: int, retry_after: int) -> None:
        """Answer the next calls with 429 and this pause."""
        self._busy = (next_n, retry_after)

    # ------------------------------------------------------------ what our side calls

    def app(self) -> ASGIApp:
        async def call(request: Request) -> Response | CutOff:
            return await self.with_faults(request, self._call)

        path = "/bot{token}/{method}"
        return Starlette(routes=[Route(path, call, methods=["POST", "GET"]), Route("/file/bot{token}/{id}", self._download)])

    def failure(self, status: int) -> Response:
        return JSONResponse({"ok": False, "error_code": status, "description": "Internal Server Error"}, status)

    async def _call(self, request: Request) -> Response:
        method = request.path_params["method"]
        given = _given(dict(await request.form()))
        status = 200
        try:
            result = await self._answer(request.path_params["token"], method, given)
            return JSONResponse({"ok": True, "result": result})
        except Refusal as refusal:
            status = refusal.status
            pause = {} if refusal.retry_after is None else {"parameters": {"retry_after": refusal.retry_after}}
            return JSONResponse({"ok": False, "error_code": status, "description": refusal.description, **pause}, status)
        finally:
            self.calls.append(Call(method, given, status))

    async def _answer(self, token: str, method: str, given: dict[str, Any]) -> object:
        if token != self.token:
            raise Refusal(401, "Unauthorized")
        left, pause = self._busy
        if left and method.lower() != "getupdates":
            self._busy = (left - 1, pause)
            raise Refusal(429, f"Too Many Requests: retry after {pause}", retry_after=pause)
        answers: dict[str, Callable[[dict[str, Any]], object]] = {
            "getme": lambda _: _BOT | {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False},
            "sendmessage": self._send, "editmessagetext": self._edit, "sendchataction": self._typing, "answercallbackquery": self._answered,
            "setwebhook": self._set_webhook, "deletewebhook": self._unset_webhook, "leavechat": self._leave, "getfile": self._get_file,
            "editmessagereplymarkup": self._edit_keyboard, "setmycommands": self._set_commands, "getmycommands": self._get_commands,
            "setmydescription": self._set_text, "getmydescription": self._get_text, "setmyshortdescription": self._set_text,
            "getmyshortdescription": self._get_text, "setchatmenubutton": self._set_menu_button, "getchatmenubutton": lambda _: self.menu_button,
        }  # fmt: skip
        if problems := telegram_errors(method, given):
            self._wrong(f"{method}: {problems}", f"Bad Request: {problems[0]}")
        if method.lower() == "getupdates":
            return await self._updates(given)
        if method.lower() not in answers:
            raise Refusal(404, "Not Found")
        return answers[method.lower()](given)

    def _send(self, given: dict[str, Any]) -> dict[str, Any]:
        user = str(given["chat_id"])
        if user not in self.known:
            raise Refusal(400, "Bad Request: chat not found")
        if user in self.blocked:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        shown = self._checked(user, given)
        self._shown[user].append(shown)
        return shown

    def _edit(self, given: dict[str, Any]) -> dict[str, Any]:
        user = str(given["chat_id"])
        for at, message in enumerate(self._shown[user]):
            if message["message_id"] == given["message_id"]:
                changed = self._checked(user, given) | {"message_id": given["message_id"]}
                if changed["text"] == message["text"] and changed.get("reply_markup") == message.get("reply_markup"):
                    raise Refusal(400, "Bad Request: message is not modified")
                self._shown[user][at] = changed
                return changed
        raise Refusal(400, "Bad Request: message to edit not found")

    def _checked(self, user: str, given: dict[str, Any]) -> dict[str, Any]:
        """The message as Telegram would show it, or a refusal."""
        try:
            text = parsed(given["text"], given.get("parse_mode"))
        except CannotParse as problem:
            self._wrong(f"HTML: {problem}", f"Bad Request: can't parse entities: {problem}")
        length = len(text.encode("utf-16-le")) // 2
        if not 1 <= length <= 4096:
            self._wrong(f"text of {length}", "Bad Request: message text is empty" if not length else "Bad Request: message is too long")
        markup = given.get("reply_markup")
        if markup and (problems := list(keyboard_problems(markup))):
            self._wrong(f"keyboard: {problems}", f"Bad Request: {problems[0]}")
        message = self._message(user, text=text) | {"from": _BOT}
        return message | ({"reply_markup": markup} if markup else {}) | {"date": int(self._clock())}

    def _wrong(self, violation: str, description: str) -> None:
        self.violations.append(violation)
        raise Refusal(400, description)

    def _edit_keyboard(self, given: dict[str, Any]) -> dict[str, Any]:
        user = str(given["chat_id"])
        for message in self._shown[user]:
            if message["message_id"] == given["message_id"]:
                markup = given.get("reply_markup") or {"inline_keyboard": []}
                if problems := list(keyboard_problems(markup)):
                    self._wrong(f"keyboard: {problems}", f"Bad Request: {problems[0]}")
                if message.get("reply_markup", {"inline_keyboard": []}) == markup:
                    raise Refusal(400, "Bad Request: message is not modified")
                message["reply_markup"] = markup
                return message
        raise Refusal(400, "Bad Request: message to edit not found")

    def _set_commands(self, given: dict[str, Any]) -> bool:
        commands = given["commands"]
        good = all(re.fullmatch(r"[a-z0-9_]{1,32}", one["command"]) and 1 <= len(one["description"]) <= 256 for one in commands)
        if not good or len(commands) > 100:
            self._wrong(f"commands: {commands}", "Bad Request: BOT_COMMAND_INVALID")
        self.commands[given.get("language_code", "")] = commands
        self.installed += 1
        return True

    def _get_commands(self, given: dict[str, Any]) -> list[dict[str, str]]:
        return self.commands.get(given.get("language_code", ""), [])

    def _set_text(self, given: dict[str, Any]) -> bool:
        name, most = ("description", 512) if "description" in given else ("short_description", 120)
        if len(given[name]) > most:
            self._wrong(f"{name} of {len(given[name])}", "Bad Request: description is too long")
        self.texts[name, given.get("language_code", "")] = given[name]
        self.installed += 1
        return True

    def _get_text(self, given: dict[str, Any]) -> dict[str, str]:
        lang = given.get("language_code", "")
        return {name: self.texts.get((name, lang), "") for name in ("description", "short_description")}

    def _set_menu_button(self, given: dict[str, Any]) -> bool:
        self.menu_button = given["menu_button"]
        self.installed += 1
        return True

    def _typing(self, given: dict[str, Any]) -> bool:
        self.typing.append(int(given["chat_id"]))
        return True

    def _answered(self, given: dict[str, Any]) -> bool:
        since = self.waiting_presses.pop(given["callback_query_id"], None)
        if since is None or self._clock() - since > 15:
            raise Refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        return True

    def _set_webhook(self, given: dict[str, Any]) -> bool:
        if not given["url"].startswith("https://"):
            self._wrong("webhook without https", "Bad Request: bad webhook: HTTPS url must be provided for webhook")
        self.webhook_url = given["url"]
        return True

    def _unset_webhook(self, given: dict[str, Any]) -> bool:
        self.webhook_url = ""
        return True

    def _leave(self, given: dict[str, Any]) -> bool:
        self.left.append(int(given["chat_id"]))
        return True

    async def _updates(self, given: dict[str, Any]) -> list[dict[str, Any]]:
        if self.webhook_url:
            raise Refusal(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first")
        if self._polling:
            raise Refusal(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")
        self._polling += 1
        try:
            self._queue = [update for update in self._queue if update["update_id"] >= given.get("offset", 0)]
            end = time.monotonic() + given.get("timeout", 0)
            while not self._queue and time.monotonic() < end:
                await asyncio.sleep(0.01)
            return self._queue[: given.get("limit", 100)]
        finally:
            self._polling -= 1

    def _get_file(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["file_id"] not in self._files:
            raise Refusal(400, "Bad Request: invalid file_id")
        return {"file_id": given["file_id"], "file_unique_id": "u", "file_size": len(self._files[given["file_id"]]), "file_path": given["file_id"]}

    async def _download(self, request: Request) -> Response:
        content = self._files.get(request.path_params["id"])
        return Response(status_code=404) if content is None else Response(content)


def _given(form: dict[str, Any]) -> dict[str, Any]:
    """The parameters with their types, as Telegram reads them out of a form."""
    return {name: _typed(name, str(value)) for name, value in form.items()}


def _typed(name: str, value: str) -> Any:
    if name in _JSON_PARAMETERS:
        return json.loads(value)
    if name in _INTEGERS or (name == "chat_id" and value.lstrip("-").isdigit()):
        return int(value)
    return value


def _bubble(message: dict[str, Any]) -> Bubble:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    buttons = (button for row in rows for button in row)
    return Bubble(
        text=message["text"],
        buttons=tuple(HeardButton(button["text"], payload=button.get("callback_data"), url=button.get("url")) for button in buttons),
    )
