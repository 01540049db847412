"""The web chat on a fresh SQLite database with the sample town: real reception, real flows, no network."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape

import httpx
import pytest
from fastapi import FastAPI

from bot.alarm import Alarms, call_outside
from bot.channels.webchat import WebChannel
from bot.delivery import Delivery
from bot.doorman import Doorman
from bot.hub import Hub
from bot.living import LivingKnowledge
from bot.parts import Parts
from bot.reception import Rules
from bot.settings import Settings
from bot.web import chat, chat_doors, webhooks
from bot.web.headers import SecurityHeaders
from storage.sealing import Keyring
from storage.store import Store
from tests.conftest import Database
from tests.kept import kept

URL = "http://127.0.0.1:8000"


@dataclass
class HandClock:
    """Stands still until a test moves it."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 24, 1, 0, tzinfo=UTC))

    def now(self) -> datetime:
        return self.at

    def moves(self, **by: float) -> None:
        self.at += timedelta(**by)


class Browser:
    """One browser with its own cookies, which posts forms as the page's own forms do."""

    def __init__(self, app: FastAPI, **headers: str) -> None:
        transport = httpx.ASGITransport(app=app)
        self.http = httpx.AsyncClient(transport=transport, base_url=URL, headers={"sec-fetch-site": "same-origin", **headers})
        self.page = ""

    async def opens(self, path: str = "/") -> str:
        self.page = (await self.http.get(path)).text
        return self.page

    def field(self, name: str) -> str:
        """The value of a hidden field of the page that is open."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        assert found, f"no field {name} in the page"
        return found[1]

    async def posts(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
        """Post with the page's own hidden fields; a redirect is followed as a browser does."""
        own = {name: self.field(name) for name in ("id", "proof") if f'name="{name}"' in self.page}
        answer = await self.http.post(path, data=own | fields, headers=headers)
        if answer.status_code == 303:
            await self.opens(answer.headers["location"])
        elif "text/html" in answer.headers.get("content-type", "") and "<html" in answer.text:
            self.page = answer.text
        return answer

    async def says(self, text: str, **fields: str) -> httpx.Response:
        return await self.posts("/say", text=text, **fields)

    async def says_by_script(self, text: str, **fields: str) -> httpx.Response:
        return await self.posts("/say", headers={"accept": chat.FRAGMENT}, text=text, **fields)

    @property
    def bubbles(self) -> list[str]:
        """Every bubble of the open page, furigana left out."""
        return bubbles(self.page)

    def own_bubbles(self) -> list[str]:
        own = re.findall(r'<div class="line resident".*?</div>', self.page, re.DOTALL)
        return [bubble for line in own for bubble in bubbles(line)]


def bubbles(html: str) -> list[str]:
    return [unescape(re.sub(r"<r[pt]>.*?</r[pt]>|<[^>]+>", "", found)) for found in re.findall(r'<p class="bubble">(.*?)</p>', html, re.DOTALL)]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def settings() -> Settings:
    return Settings.model_validate({"base_url": URL})


@pytest.fixture
def sqlite_store(sqlite_database: Database, keyring: Keyring) -> Iterator[Store]:
    opened = Store.open(sqlite_database.url, keyring)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def knowledge() -> LivingKnowledge:
    """The sample town, read once: it does not change."""
    return LivingKnowledge(Settings().knowledge, kept("sample-town"))


@pytest.fixture
def rules() -> Rules:
    return Rules(settle=timedelta(0))


@pytest.fixture
async def parts(sqlite_store: Store, settings: Settings, knowledge: LivingKnowledge, clock: HandClock, rules: Rules) -> AsyncIterator[Parts]:
    channels, hub = {"web": WebChannel()}, Hub()
    delivery = Delivery(sqlite_store, channels, clock, hub, timedelta(hours=6))
    doorman = Doorman(sqlite_store, knowledge, channels, delivery, hub, clock, rules)
    alarms = Alarms(sqlite_store, clock, [], call_outside)
    yield Parts(settings, clock, sqlite_store, hub, knowledge, channels, delivery, doorman, alarms, rules)
    await doorman.close()
    await delivery.close()


@pytest.fixture
def app(parts: Parts) -> FastAPI:
    made = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    made.state.parts = parts
    made.include_router(chat.router)
    made.include_router(chat_doors.router)
    made.include_router(webhooks.router)
    made.add_middleware(SecurityHeaders)
    return made


@pytest.fixture
async def a_browser(app: FastAPI) -> AsyncIterator[Callable[..., Browser]]:
    """Makes browsers that know nothing of each other."""
    made: list[Browser] = []

    def one(**headers: str) -> Browser:
        made.append(Browser(app, **headers))
        return made[-1]

    yield one
    await asyncio.gather(*(browser.http.aclose() for browser in made))


@pytest.fixture
async def browser(a_browser: Callable[..., Browser]) -> Browser:
    """A browser that has opened the page."""
    opened = a_browser()
    await opened.opens()
    return opened
