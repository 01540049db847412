"""A whole Madoguchi on a temporary database, with a clock that tests move and strict twins of the platforms: the `town` of every behaviour test.

    resident = town.resident_on("line").says("人と話したい").taps("渡す")
    town.coordinator("佐藤").claims(resident.case)

The product runs in a server thread as it does for real; the fluent calls here come back when it has come to rest.
"""

import asyncio
import io
import json
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
import uvicorn
from rich.console import Console
from sqlalchemy import text
from sqlmodel import Session as Rows

from bot import app as apps
from bot.channels.line import LineChannel
from bot.channels.port import Channel, Outgoing
from bot.channels.telegram import TelegramChannel
from bot.channels.terminal import TerminalChannel
from bot.channels.webchat import WebChannel, opened, pressed, written
from bot.clock import JST
from bot.hearers import Hearers
from bot.jobs.loop import Loop
from bot.living import LivingKnowledge
from bot.parts import Parts
from bot.settings import Settings
from flows.model import Button, ChannelName
from storage import staff
from storage import talk as talks
from storage.store import Store
from tests.kept import kept
from tests.twins import Bubble, HeardButton, HeardCard, LineTwin, TelegramTwin, Webhook

T = TypeVar("T")

OPENING = datetime(2026, 11, 24, 10, 0, tzinfo=JST)
"""A Tuesday morning, inside the sample town's hours."""
_PATIENCE = 20.0
_NO_PASSWORD = "!"
"""Nobody signs in with it: these coordinators come with a token."""


@cache
def knowledge_of(folder: Path) -> LivingKnowledge:
    """Read once for the whole run: it is the slowest part of a start."""
    return LivingKnowledge(folder, kept(folder.name))


class TownClock:
    """Stands still until a test moves it."""

    def __init__(self, at: datetime = OPENING) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def moves(self, **by: float) -> None:
        self.at += timedelta(**by)

    def stands_at(self, written: str) -> None:
        """`2026-11-24 22:00`, Japanese time."""
        self.at = datetime.fromisoformat(written).replace(tzinfo=JST)


@dataclass
class Bell:
    """What the outside alarm addresses were told."""

    rung: list[str] = field(default_factory=list)
    addresses: list[list[str]] = field(default_factory=list)
    """Whom each of the calls went to."""
    breaks: int = 0
    """So many of the next calls fail with an error."""

    async def __call__(self, addresses: Sequence[str], words: str) -> bool:
        self.rung.append(words)
        self.addresses.append(list(addresses))
        if self.breaks:
            self.breaks -= 1
            raise OSError("no way out")
        return True


class Town:
    """The product and everybody around it."""

    hearers: Hearers | None = None
    """Processes that think ahead; without them the product does so itself, as with one core."""

    def __init__(self, store: Store, line: LineTwin, telegram: TelegramTwin, folder: Path, **changes: object) -> None:
        self.clock = TownClock()
        self.bell = Bell()
        self.store = store
        self.line, self.telegram = line, telegram
        line.tells_time_by(self.clock)
        telegram.tells_time_by(self.clock)
        self.settings = Settings.model_validate(
            {
                "line_channel_secret": line.secret, "line_channel_access_token": line.access_token, "line_api_host": line.url,
                "line_data_host": line.url, "telegram_token": telegram.token, "telegram_secret": telegram.secret,
                "telegram_base_url": telegram.base_url, "telegram_file_url": telegram.file_url, "settle_seconds": 0.0,
                "alarm_urls": "json://nowhere.example", "master_key_file": folder / "key",
                **changes,
            }
        )  # fmt: skip
        self.screen = Console(file=io.StringIO(), width=100)
        self.terminal = TerminalChannel(self.screen)
        self._loop_ready = threading.Event()
        self._names = 0

    # ------------------------------------------------------------ opening and closing

    def __enter__(self) -> Self:
        channels: dict[str, Channel] = {
            "line": LineChannel(self.settings), "telegram": TelegramChannel(self.settings), "web": WebChannel(), "terminal": self.terminal,
        }  # fmt: skip
        self.parts: Parts = apps.build_parts(
            self.settings, self.store, clock=self.clock, channels=channels, call=self.bell, knowledge=copy(knowledge_of(self.settings.knowledge)),
            hearers=self.hearers,
        )  # fmt: skip
        self._app = apps.build_app(self.parts)
        self._server = uvicorn.Server(
            uvicorn.Config(self._app, host="127.0.0.1", port=0, log_config=None, access_log=False, timeout_graceful_shutdown=1)
        )
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        end = time.monotonic() + _PATIENCE
        while not (self._server.started and self._server.servers):
            if time.monotonic() > end or not self._thread.is_alive():
                raise RuntimeError("the product did not start")
            time.sleep(0.005)
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"
        self.http = httpx.Client(base_url=self.url, timeout=_PATIENCE)
        return self

    def __exit__(self, *error: object) -> None:
        self.http.close()
        self._server.should_exit = True
        self._thread.join(timeout=_PATIENCE)

    def _run(self) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            await self._server.serve()

        asyncio.run(serve())

    # ------------------------------------------------------------ time and rest

    def on_loop(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the product's own loop."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(timeout=_PATIENCE)

    def rests(self) -> None:
        """Wait until everything that can be answered and sent now has been."""

        async def rest() -> None:
            for _ in range(3):
                await self.parts.doorman.idle()
                await self.parts.delivery.idle()

        self.on_loop(rest())

    def passes(self, **by: float) -> None:
        """Let time pass, and everything that comes due then happen."""
        self.clock.moves(**by)
        self.is_swept()

    def is_swept(self) -> None:
        async def sweep() -> None:
            await self.parts.doorman.sweep()
            await self.parts.doorman.idle()
            await Loop(self.parts).keep_promises()
            await self.parts.alarms.climb()
            await self.parts.delivery.sweep()

        self.on_loop(sweep())
        time.sleep(0.05)
        self.rests()

    def rows(self, statement: str, **values: object) -> list[Any]:
        """Look at the database as it is."""
        return self.store.transact(lambda rows: list(rows.execute(text(statement), values).all()))

    def until(self, ready: Callable[[], bool], seconds: float = _PATIENCE) -> None:
        end = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.02)

    # ------------------------------------------------------------ people

    def resident_on(self, channel: ChannelName, *, comes: bool = True) -> "Resident":
        """Somebody who just arrived: added us as a friend, pressed Start, opened the page or the terminal."""
        self._names += 1
        kinds: dict[str, type[Resident]] = {"line": OnLine, "telegram": OnTelegram, "web": OnWeb, "terminal": OnTerminal}
        resident = kinds[channel](self, f"resident-{self._names}")
        return resident.comes() if comes else resident

    def coordinator(self, name: str = "佐藤", *, role: str = "coordinator") -> "Coordinator":
        """A member of staff with an account."""
        return Coordinator(self, name, role)


# ---------------------------------------------------------------- residents


class Resident:
    """A person in one chat. Each act comes back when the answer has arrived."""

    channel: ChannelName

    def __init__(self, town: Town, name: str) -> None:
        self.town = town
        self.name = name
        self.known_before = 0

    # what differs by channel

    def _come(self) -> None:
        raise NotImplementedError

    def _say(self, words: str) -> None:
        raise NotImplementedError

    def _press(self, button: HeardButton) -> None:
        raise NotImplementedError

    def _sticker(self) -> None:
        raise NotImplementedError

    def _picture(self, content: bytes) -> None:
        raise NotImplementedError

    def all_heard(self) -> list[Bubble]:
        raise NotImplementedError

    @property
    def account(self) -> str:
        raise NotImplementedError

    # what they do

    def comes(self) -> Self:
        return self._act(self._come)

    def says(self, words: str) -> Self:
        return self._act(lambda: self._say(words))

    def taps(self, label: str) -> Self:
        """Press the newest button with this label."""
        button = self.button(label)
        return self._act(lambda: self._press(button))

    def sends_sticker(self) -> Self:
        return self._act(self._sticker)

    def sends_picture(self, content: bytes = b"\xff\xd8\xff") -> Self:
        return self._act(lambda: self._picture(content))

    def _act(self, act: Callable[[], None]) -> Self:
        self.listens()
        act()
        self.town.rests()
        return self

    # what they hear

    def listens(self) -> None:
        """From now on `hears` is about what comes next."""
        self.known_before = len(self.all_heard())

    def heard(self) -> list[Bubble]:
        """What came since the last act."""
        return self.all_heard()[self.known_before :]

    def hears(self) -> str:
        """Everything that came since the last act, as one text."""
        return "\n".join(_as_text(bubble) for bubble in self.heard())

    def hears_nothing(self) -> bool:
        return not self.heard()

    def buttons(self) -> list[str]:
        """Labels under the newest bubble."""
        heard = self.all_heard()
        return [button.label for button in heard[-1].buttons] if heard else []

    def button(self, label: str) -> HeardButton:
        for bubble in reversed(self.all_heard()):
            try:
                return bubble.button(label)
            except LookupError:
                continue
        raise LookupError(f"{self.name} sees no button {label!r}; the newest are {self.buttons()}")

    def cards(self) -> list[HeardCard]:
        return [card for bubble in self.heard() for card in bubble.cards]

    # what is known of them inside

    @property
    def conversation(self) -> str:
        return self.town.store.transact(self.conversation_in)

    @property
    def is_known(self) -> bool:
        """Whether anything is stored under this account."""
        return self.town.store.transact(lambda rows: talks.find(rows, self.channel, self.account)) is not None

    def conversation_in(self, rows: Rows) -> str:
        """Id of their talk, inside a transaction."""
        talk = talks.find(rows, self.channel, self.account)
        assert talk is not None, "nothing was stored of this resident"
        return talk.id

    @property
    def case(self) -> str:
        """Code of the newest case."""
        found = self.town.rows("SELECT code FROM care_case WHERE conversation_id = :id ORDER BY opened_at DESC", id=self.conversation)
        assert found, "no case was opened"
        return str(found[0].code)

    @property
    def owner(self) -> str:
        return str(self.town.rows("SELECT owner FROM conversation WHERE id = :id", id=self.conversation)[0].owner)


class _OnPlatform(Resident):
    path: str

    def _post(self, webhook: Webhook) -> None:
        answer = self.town.http.post(self.path, content=webhook.body, headers=webhook.headers)
        assert answer.status_code == 200, answer.status_code


class OnLine(_OnPlatform):
    channel: ChannelName = "line"
    path = "/line/webhook"

    @property
    def account(self) -> str:
        return self.town.line.user(self.name)

    def _come(self) -> None:
        self._post(self.town.line.follow(self.account))

    def _say(self, words: str) -> None:
        self._post(self.town.line.text(self.account, words))

    def _press(self, button: HeardButton) -> None:
        self._post(self.town.line.press(self.account, button))

    def _sticker(self) -> None:
        self._post(self.town.line.sticker(self.account, package="1", keywords=()))

    def _picture(self, content: bytes) -> None:
        self._post(self.town.line.image(self.account, content))

    def all_heard(self) -> list[Bubble]:
        return self.town.line.heard(self.account)


class OnTelegram(_OnPlatform):
    channel: ChannelName = "telegram"
    path = "/telegram/webhook"

    @property
    def account(self) -> str:
        return self.town.telegram.user(self.name)

    def _come(self) -> None:
        self._post(self.town.telegram.start(self.account))

    def _say(self, words: str) -> None:
        self._post(self.town.telegram.text(self.account, words))

    def _press(self, button: HeardButton) -> None:
        self._post(self.town.telegram.press(self.account, button))

    def _sticker(self) -> None:
        self._post(self.town.telegram.sticker(self.account, "🐱"))

    def _picture(self, content: bytes) -> None:
        self._post(self.town.telegram.image(self.account, content))

    def all_heard(self) -> list[Bubble]:
        return self.town.telegram.heard(self.account)


class _FromRows(Resident):
    """On our own screens: what is heard is what the rows hold."""

    _acts = 0

    @property
    def account(self) -> str:
        return self.name

    def _receive(self, *inbounds: Any) -> None:
        self.town.on_loop(self.town.parts.doorman.receive(inbounds))

    def _number(self) -> str:
        self._acts += 1
        return f"{self.name}-{self._acts}"

    def listens(self) -> None:
        """By the numbers of the lines: words may be erased in between."""
        self.known_before = max((line.seq for line in self._lines()), default=0)

    def heard(self) -> list[Bubble]:
        return self._spoken(after=self.known_before)

    def all_heard(self) -> list[Bubble]:
        return self._spoken(after=0)

    def _spoken(self, after: int) -> list[Bubble]:
        lines = [line for line in self._lines() if line.seq > after and line.author != "resident"]
        return [bubble for line in lines if line.body for bubble in bubbles_of(line.body)]

    def _lines(self) -> list[talks.Line]:
        return self.town.store.transact(lambda rows: talks.lines(rows, found.id) if (found := talks.find(rows, self.channel, self.account)) else [])


class OnWeb(_FromRows):
    channel: ChannelName = "web"

    def _come(self) -> None:
        self._receive(opened(self.account, self.town.clock.now()))

    def _say(self, words: str) -> None:
        self._receive(*written(self.account, "secret", self._number(), words, self.town.clock.now()))

    def _press(self, button: HeardButton) -> None:
        assert button.payload is not None
        self._receive(pressed(self.account, "secret", self._number(), button.payload, self.town.clock.now()))

    def _sticker(self) -> None:
        self._say("👍")

    def _picture(self, content: bytes) -> None:
        raise NotImplementedError("the web chat takes no pictures yet")


class OnTerminal(_FromRows):
    """Here every choice is typed, never pressed (G3)."""

    channel: ChannelName = "terminal"

    @property
    def account(self) -> str:
        return "keyboard"

    def _come(self) -> None:
        self._receive(self.town.terminal.opening(self.town.clock.now()))

    def _say(self, words: str) -> None:
        self._receive(self.town.terminal.typed(words, self.town.clock.now()))

    def _press(self, button: HeardButton) -> None:
        self._say(button.label)

    def _sticker(self) -> None:
        self._say("👍")

    def _picture(self, content: bytes) -> None:
        raise NotImplementedError("the terminal takes no pictures")


def bubbles_of(body: str) -> list[Bubble]:
    """The bubbles of a stored line of the bot or of staff."""
    stored = json.loads(body)
    if "bubbles" not in stored:
        return [Bubble(text=stored.get("text", ""))]
    outgoing = Outgoing.model_validate(stored)
    buttons = _pressed(outgoing.buttons)
    found = []
    for place, bubble in enumerate(outgoing.bubbles):
        cards = tuple(HeardCard(card.title, (card.reason, *card.lines), _pressed(card.buttons)) for card in bubble.cards)
        last = place == len(outgoing.bubbles) - 1
        found.append(Bubble(text=bubble.text, cards=cards, buttons=buttons if last else (), speaker=outgoing.speaker))
    return found


def _pressed(buttons: Sequence[Button]) -> tuple[HeardButton, ...]:
    return tuple(HeardButton(one.label, one.value or None, one.tel, one.url) for one in buttons)


def _as_text(bubble: Bubble) -> str:
    cards = [line for card in bubble.cards for line in (card.title, *card.lines)]
    return "\n".join([bubble.text, *cards]).strip()


# ---------------------------------------------------------------- staff


class Coordinator:
    """A member of staff who works through the API with a token of their own."""

    def __init__(self, town: Town, name: str, role: str) -> None:
        self.town = town
        self.name = name
        self.login = f"{name}@example.jp"
        now = town.clock.now()
        invitation = town.store.transact(lambda rows: staff.invite(rows, role=role, now=now))
        town.store.transact(lambda rows: staff.accept(rows, invitation, name=name, login=self.login, password_hash=_NO_PASSWORD, now=now))
        token = town.store.transact(lambda rows: staff.add_token(rows, login=self.login, name=f"test of {name}", now=now))
        self.key = {"authorization": f"Bearer {token}"}

    def sees(self, code: str) -> dict[str, Any]:
        return self._call("GET", code, "", 200)

    def claims(self, code: str) -> Self:
        self._call("POST", code, "/claim", 200)
        return self

    def replies(self, code: str, words: str) -> Self:
        self._call("POST", code, "/reply", 200, {"text": words, "expected_version": self.sees(code)["version"]})
        return self

    def notes(self, code: str, words: str) -> Self:
        self._call("POST", code, "/note", 200, {"text": words})
        return self

    def hands_back(self, code: str, next_contact: str | None = None, words: str = "では、今日はここまでです。") -> Self:
        """`next_contact` is a day, `2026-11-26`."""
        self._call("POST", code, "/handback", 200, self._ending(code, next_contact, words))
        return self

    def closes(self, code: str, *, reason: str = "settled", next_contact: str | None = None, words: str = "") -> Self:
        given = self._ending(code, next_contact, words) | {"reason": reason, "no_next_contact": next_contact is None}
        self._call("POST", code, "/close", 200, given)
        return self

    def _ending(self, code: str, next_contact: str | None, words: str) -> dict[str, Any]:
        when = None if next_contact is None else f"{next_contact}T10:00:00+09:00"
        return {"expected_version": self.sees(code)["version"], "sentence": words, "next_contact_at": when}

    def _call(self, method: str, code: str, act: str, wanted: int, given: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self.town.http.request(method, f"/api/v1/cases/{code}{act}", json=given, headers=self.key)
        assert answer.status_code == wanted, f"{method} {act}: {answer.status_code} {answer.text}"
        self.town.rests()
        found: dict[str, Any] = answer.json()
        return found
