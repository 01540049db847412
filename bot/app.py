"""Builds the web application from its parts, and starts and ends what runs beside it."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import JSONResponse
from sqlmodel import Session as Rows
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot import duty, embedding
from bot.alarm import Alarms, Call, call_outside
from bot.api import router as api
from bot.building import build_apart
from bot.channels.port import Channel
from bot.channels.webchat import WebChannel
from bot.clock import Clock, SystemClock
from bot.delivery import Delivery
from bot.desk import TAKES_FILES, too_large
from bot.desk import router as desk
from bot.doorman import Doorman
from bot.hearers import Hearers
from bot.hub import Hub
from bot.jobs.beside import running
from bot.keys import build_keyring
from bot.living import LivingKnowledge
from bot.parts import Parts
from bot.reception import Rules
from bot.settings import Settings
from bot.web import calendar, chat, chat_doors, chat_pages, health, town_page, webhooks
from bot.web.broken import Broken
from bot.web.headers import SecurityHeaders
from bot.web.hosts import OneHost, allowed_hosts
from bot.web.limits import BodyLimit
from storage.migrate import migrate
from storage.store import Store, StoreDown

log = structlog.get_logger()

_THREADS_TAKE_TURNS = 0.001
"""Seconds after which a thread that hears gives way to the one that talks with the platforms. With Python's own five milliseconds each of the dozen
steps of a call waits so long: the resident waits too, and whether the call was taken is in doubt for all that time."""


def build_channels(settings: Settings) -> dict[str, Channel]:
    """The web chat always; LINE and Telegram only with all their secrets (R1), and only then their SDKs are loaded: a third of a start."""
    channels: dict[str, Channel] = {"web": WebChannel()}
    if settings.line_ready:
        from bot.channels.line import LineChannel

        channels["line"] = LineChannel(settings)
    if settings.telegram_ready:
        from bot.channels.telegram import TelegramChannel

        channels["telegram"] = TelegramChannel(settings)
    return channels


def build_parts(
    settings: Settings, store: Store, *, clock: Clock | None = None, channels: Mapping[str, Channel] | None = None, call: Call = call_outside,
    knowledge: LivingKnowledge | None = None, hearers: Hearers | None = None,
) -> Parts:  # fmt: skip
    """Wire the parts together. Tests bring their own clock, listen to the alarm's calls, and load the knowledge once for many towns."""
    clock = clock or SystemClock()
    channels = build_channels(settings) if channels is None else channels
    hub = Hub()
    knowledge = knowledge or _knowing(settings)
    rules = Rules(
        settle=timedelta(seconds=settings.settle_seconds), reply_minutes=settings.reply_minutes, return_minutes=settings.return_minutes,
        entrances=settings.entrances, room_url=f"{settings.base_url}/room",
    )  # fmt: skip
    delivery = Delivery(store, channels, clock, hub, timedelta(hours=settings.held_after_hours))
    doorman = Doorman(store, knowledge, channels, delivery, hub, clock, rules, hearers)

    def on_the_rung(rows: Rows, now: datetime, step: int, without: str | None) -> list[str]:
        return duty.addresses_of(settings.mail_url, duty.mails_for(rows, knowledge.town.base.town, now, step, without))

    alarms = Alarms(store, clock, settings.alarm_urls.replace(",", " ").split(), call, on_the_rung)
    return Parts(settings, clock, store, hub, knowledge, channels, delivery, doorman, alarms, rules)


def _knowing(settings: Settings) -> LivingKnowledge:
    model = embedding.brought(settings.embedding) if settings.embedding else None
    return LivingKnowledge(Path(settings.knowledge), settings.kept_folder, model)


def build_app(parts: Parts) -> FastAPI:
    """The whole web application over these parts."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running(parts):
            yield

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.parts = parts
    for router in (webhooks.router, health.router, calendar.router, town_page.router, chat.router, chat_doors.router, desk, api):
        app.include_router(router)
    app.add_exception_handler(StoreDown, _cannot_save)
    app.add_exception_handler(HTTPException, _refused)
    settings = parts.settings
    app.add_middleware(Broken)
    app.add_middleware(BodyLimit, largest=settings.max_body, seconds=settings.body_seconds, wider=TAKES_FILES, told=too_large)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(OneHost, allowed_hosts=allowed_hosts(parts.settings))
    return app


def open_store(settings: Settings, *, exclusive: bool = True) -> Store:
    """Open the database, bringing its tables up to date first. `exclusive=False` is for a command beside a running server."""
    store = Store.open(settings.database_url, build_keyring(settings), exclusive=exclusive)
    migrate(store)
    store.transact(store.keyring.check)
    return store


def serve(settings: Settings, ready: Callable[[Parts], None]) -> None:
    """Run the web application until it is stopped: by Ctrl+C, or by SIGTERM, as systemd and containers do: SystemExit then."""
    sys.setswitchinterval(_THREADS_TAKE_TURNS)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises it again at its end: by default nothing would be closed
    folder, keep = Path(settings.knowledge), settings.kept_folder
    build_apart(folder, keep)
    knowledge = _knowing(settings)
    hearers = Hearers(knowledge.town, folder, keep, settings.hearing_processes) if settings.hearing_processes else None
    store = open_store(settings)
    try:
        parts = build_parts(settings, store, knowledge=knowledge, hearers=hearers)
        ready(parts)
        config = uvicorn.Config(
            build_app(parts), host=settings.host, port=settings.port, log_config=None, access_log=False, server_header=False,
            proxy_headers=bool(settings.trusted_proxies), forwarded_allow_ips=settings.trusted_proxies or "127.0.0.1", timeout_graceful_shutdown=8,
        )  # fmt: skip
        _Server(config, parts).run()
    finally:
        store.close()
        if hearers is not None:
            hearers.close()


def work(settings: Settings, ready: Callable[[Parts], None]) -> None:
    """Do what comes due, without pages, until it is stopped: any number of these may run beside `serve`, on PostgreSQL."""
    sys.setswitchinterval(_THREADS_TAKE_TURNS)
    store = open_store(settings)
    try:
        build_apart(Path(settings.knowledge), settings.kept_folder)
        parts = build_parts(settings, store)
        ready(parts)
        asyncio.run(_until_stopped(parts))
    finally:
        store.close()


async def _until_stopped(parts: Parts) -> None:
    stopped = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stopped.set)
    async with running(parts):
        await stopped.wait()


class _Server(uvicorn.Server):
    """Ends the open streams of pages first: they would hold up a stop for its whole period of grace."""

    def __init__(self, config: uvicorn.Config, parts: Parts) -> None:
        super().__init__(config)
        self._parts = parts

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._parts.hub.close()
        super().handle_exit(sig, frame)


async def _refused(request: Request, error: Exception) -> Response:
    """Whoever reads in a browser is told in words that nothing is there; machines hear the short answer."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 404 and "text/html" in request.headers.get("accept", ""):
        return chat_pages.missing_page(request)
    return await http_exception_handler(request, error)


async def _cannot_save(request: Request, error: Exception) -> Response:
    """503 without a word of what was sent (R46)."""
    return JSONResponse({"error": "cannot_save_now"}, status_code=503, headers={"retry-after": "10"})
