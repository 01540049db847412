"""The desk and /api/v1 over a fresh SQLite database, a clock that tests move, and a postbox for a platform."""

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy import text
from sqlmodel import Session

from bot import reception
from bot.alarm import Alarms, call_outside
from bot.api import router as api
from bot.channels.port import Channel, Inbound, Outgoing, Sent
from bot.channels.port import Delivery as Outcome
from bot.delivery import Delivery
from bot.desk import router as desk
from bot.desk.passwords import Hasher
from bot.doorman import Doorman
from bot.hub import Hub
from bot.living import LivingKnowledge
from bot.parts import Parts
from bot.reception import Rules
from bot.settings import Settings
from bot.web.headers import SecurityHeaders
from flows.model import ChannelName
from storage import cases, records, staff
from storage import talk as talks
from storage.ids import new_id
from storage.sealing import Keyring
from storage.store import Store
from storage.talk import Talk
from tests.conftest import Database
from tests.forms import hidden_field
from tests.kept import kept

URL = "http://127.0.0.1:8000"
PASSWORD = "坂の上の 青い 屋根 と 猫"
_ENTRY = """id: food-bank
name: フードバンク（見本）
domain: okane
kind: service
summary: 食べるものに困っている人に、無料で食品をわたします。
examples: [冷蔵庫がからっぽです]
"""


@dataclass
class HandClock:
    """Stands still until a test moves it."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 24, 1, 0, tzinfo=UTC))

    def now(self) -> datetime:
        return self.at

    def moves(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Postbox:
    """A platform that takes what it is given, or answers as a test says."""

    name: ChannelName
    answer: Outcome = field(default_factory=Sent)
    posted: list[tuple[str, Outgoing]] = field(default_factory=list)

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> tuple[Inbound, ...]:
        return ()

    def letters(self, outgoing: Outgoing) -> tuple[Outgoing, ...]:
        return (outgoing,)

    async def send(self, outgoing: Outgoing, *, destination: str, retry_key: str, reply_token: str | None) -> Outcome:
        self.posted.append((destination, outgoing))
        return self.answer

    async def settling(self, destination: str) -> None: ...

    async def leave(self, group_id: str) -> None: ...

    async def close(self) -> None: ...

    @property
    def words(self) -> list[str]:
        return [bubble.text for _, outgoing in self.posted for bubble in outgoing.bubbles]


@dataclass
class Office:
    """The building: its parts, its application, and residents who have come."""

    parts: Parts
    app: FastAPI
    clock: HandClock
    line: Postbox

    @property
    def store(self) -> Store:
        return self.parts.store

    def has_case(
        self, said: str = "退院後の家のことで困っています", *, who: str = "U1", urgency: int = 0, restricted: bool = False,
        promise: timedelta | None = None, rings: bool = False, level: str = "L2", hidden: bool = False, title: str | None = None,
    ) -> str:  # fmt: skip
        """A resident on LINE said this, and a case is open; returns its code."""
        now = self.clock.now()

        def work(rows: Session) -> str:
            talk, line = self._line(rows, who, said, now)
            talk = talks.save(rows, replace(talk, owner="human", hidden_address=hidden), now)
            sheet = json.dumps([{"about": "worry", "text": said, "source": "said", "refs": [line]}])
            promise_at = None if promise is None else now + promise
            case = cases.open_or_add(
                rows, talk, reason="asked_human", urgency=urgency, title=said[:40] if title is None else title, sheet=sheet, topics=("okane",),
                shares_story=True, restricted=restricted, promise_at=promise_at, now=now,
            )  # fmt: skip
            if promise_at is not None:
                records.promise(rows, talk, kind="reply", due_at=promise_at, case_id=case.id)
            if rings:
                cases.raise_alarm(rows, talk, case_id=case.id, level=level, kinds=("suicide",), rule="見本.規則", message_id=line, now=now)
            return case.code

        return self.store.transact(work)

    def resident_says(self, said: str, *, who: str = "U1") -> None:
        """One more line of the resident while a human owns the talk."""
        now = self.clock.now()

        def work(rows: Session) -> str:
            talk, _ = self._line(rows, who, said, now)
            return talks.save(rows, talk, now).id

        self.parts.hub.wake(f"conversation:{self.store.transact(work)}")

    def presses(self, payload: str, *, who: str = "U1") -> None:
        """The resident presses a button of ours."""
        self._receives(Inbound("line", new_id(), "button", who, self.clock.now(), "{}", button=payload))

    def writes(self, said: str, *, who: str = "U1") -> None:
        """The resident writes, and the message goes its whole way in."""
        self._receives(Inbound("line", new_id(), "text", who, self.clock.now(), "{}", text=said))

    def _receives(self, inbound: Inbound) -> None:
        town, rules, now, split = self.parts.knowledge.town, self.parts.rules, self.clock.now(), self.parts.doorman.split_of("line")
        self.store.transact(lambda rows: reception.receive(rows, inbound, town, rules, now, split))

    def rings(self, who: str = "U1", *, level: str = "L2") -> None:
        """A danger nobody has taken, in a talk without mention of its case."""
        talk, now = self.talk(who), self.clock.now()
        self.store.transact(
            lambda rows: cases.raise_alarm(rows, talk, case_id=None, level=level, kinds=("suicide",), rule="見本.規則", message_id=None, now=now)
        )

    def talk(self, who: str = "U1") -> Talk:
        now = self.clock.now()
        return self.store.transact(lambda rows: talks.find_or_open(rows, "line", who, now))

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        return self.store.transact(lambda rows: [tuple(row) for row in rows.execute(text(statement))])

    @staticmethod
    def _line(rows: Session, who: str, said: str, now: datetime) -> tuple[Talk, str]:
        talk = talks.find_or_open(rows, "line", who, now)
        talk, line = talks.add_line(rows, talk, author="resident", kind="text", body=json.dumps({"text": said}), now=now)
        return talk, line.id


def unmarked(page: str) -> str:
    """A page without the mark of its own that its scripts run by (R31): two answers alike to whoever reads them."""
    return re.sub(r' nonce="[\w-]+"', "", page)


class Browser:
    """One browser at the desk: keeps its cookie and sends the hidden fields of the page it sees."""

    def __init__(self, office: Office, **headers: str) -> None:
        self.office = office
        transport = httpx.ASGITransport(app=office.app)
        self.http = httpx.AsyncClient(transport=transport, base_url=URL, headers={"sec-fetch-site": "same-origin", **headers})
        self.page = ""
        self.path = ""
        self.status = 0

    async def opens(self, path: str) -> str:
        return await self._arrives(await self.http.get(path))

    def field(self, name: str, within: str = "") -> str:
        """Value of a hidden field, of the form whose address ends with `within`."""
        return hidden_field(self.page, name, within)

    async def posts(self, path: str, **fields: str) -> httpx.Response:
        """Post a form of the open page; a redirect is followed as a browser does."""
        answer = await self.http.post(path, data={"csrf": self.field("csrf")} | fields)
        await self._arrives(answer)
        return answer

    async def replies(self, code: str, text: str, **fields: str) -> httpx.Response:
        hidden = {name: self.field(name, "/reply") for name in ("expected_version", "recipient")} if 'id="reply"' in self.page else {}
        answer = await self.posts(f"/desk/cases/{code}/reply", **(hidden | {"text": text} | fields))
        await self.office.parts.delivery.idle()
        return answer

    async def claims(self, code: str) -> httpx.Response:
        await self.opens(f"/desk/cases/{code}")
        return await self.posts(f"/desk/cases/{code}/claim")

    async def ends(self, code: str, how: str, **fields: str) -> httpx.Response:
        await self.opens(f"/desk/cases/{code}/{how}")
        version = self.field("expected_version", f"/{how}")
        answer = await self.posts(f"/desk/cases/{code}/{how}", expected_version=version, **fields)
        await self.office.parts.delivery.idle()
        return answer

    async def _arrives(self, answer: httpx.Response) -> str:
        self.status = answer.status_code
        while answer.status_code == 303:
            answer = await self.http.get(answer.headers["location"].partition("#")[0])
        self.path, self.page = answer.url.path, answer.text
        return self.page

    @property
    def text(self) -> str:
        """What is read on the page, without tags."""
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", self.page)))


@pytest.fixture(scope="session")
def knowledge(tmp_path_factory: pytest.TempPathFactory) -> LivingKnowledge:
    """A town with one service: the desk needs no more."""
    folder = tmp_path_factory.mktemp("town")
    (folder / "food-bank.yaml").write_text(_ENTRY, encoding="utf-8")
    return LivingKnowledge(Path(folder), kept("desk"))


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def settings() -> Settings:
    return Settings.model_validate({"base_url": URL})


@pytest.fixture
def desk_store(sqlite_database: Database, keyring: Keyring) -> Iterator[Store]:
    opened = Store.open(sqlite_database.url, keyring)
    yield opened
    opened.close()


@pytest.fixture
async def office(desk_store: Store, settings: Settings, knowledge: LivingKnowledge, clock: HandClock) -> AsyncIterator[Office]:
    hub, rules, line = Hub(), Rules(settle=timedelta(0)), Postbox("line")
    channels: dict[str, Channel] = {"line": line}
    delivery = Delivery(desk_store, channels, clock, hub, timedelta(hours=6))
    doorman = Doorman(desk_store, knowledge, channels, delivery, hub, clock, rules)
    parts = Parts(settings, clock, desk_store, hub, knowledge, channels, delivery, doorman, Alarms(desk_store, clock, [], call_outside), rules)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.parts = parts
    app.state.desk_hasher = Hasher(argon=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    app.include_router(desk)
    app.include_router(api)
    app.add_middleware(SecurityHeaders)
    yield Office(parts, app, clock, line)
    await doorman.close()
    await delivery.close()


@pytest.fixture
async def a_browser(office: Office) -> AsyncIterator[Callable[..., Browser]]:
    """Makes browsers that know nothing of each other."""
    made: list[Browser] = []

    def one(**headers: str) -> Browser:
        made.append(Browser(office, **headers))
        return made[-1]

    yield one
    await asyncio.gather(*(browser.http.aclose() for browser in made))


async def joins(browser: Browser, name: str, login: str, role: str = "coordinator") -> Browser:
    """Accept an invitation in this browser; signed in afterwards."""
    now = browser.office.clock.now()
    token = browser.office.store.transact(lambda rows: staff.invite(rows, role=role, now=now))
    await browser.opens("/desk/welcome")
    await browser.posts("/desk/welcome", token=token, name=name, login=login, password=PASSWORD, again=PASSWORD)
    assert browser.path == ("/desk/shared" if role == "agency" else "/desk"), browser.text
    return browser


@pytest.fixture
async def sato(a_browser: Callable[..., Browser]) -> Browser:
    return await joins(a_browser(), "佐藤", "sato")


@pytest.fixture
async def tanaka(a_browser: Callable[..., Browser]) -> Browser:
    return await joins(a_browser(), "田中", "tanaka")
