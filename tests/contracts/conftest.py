"""The twins run once for a module; every test finds them as new."""

from collections.abc import AsyncIterator, Iterator

import pytest

from bot.channels.line import LineChannel
from bot.channels.telegram import TelegramChannel
from tests.contracts.stages import LineStage, PollingStage, Stage, TelegramStage, TerminalStage, line_settings, telegram_settings
from tests.twins import LineTwin, TelegramTwin


@pytest.fixture(scope="module")
def line_server() -> Iterator[LineTwin]:
    with LineTwin() as twin:
        yield twin


@pytest.fixture(scope="module")
def telegram_server() -> Iterator[TelegramTwin]:
    with TelegramTwin() as twin:
        yield twin


@pytest.fixture
def line_twin(line_server: LineTwin) -> LineTwin:
    line_server.forget()
    return line_server


@pytest.fixture
def telegram_twin(telegram_server: TelegramTwin) -> TelegramTwin:
    telegram_server.forget()
    return telegram_server


@pytest.fixture
async def line(line_twin: LineTwin) -> AsyncIterator[LineChannel]:
    channel = LineChannel(line_settings(line_twin))
    yield channel
    await channel.close()


@pytest.fixture
async def telegram(telegram_twin: TelegramTwin) -> AsyncIterator[TelegramChannel]:
    channel = TelegramChannel(telegram_settings(telegram_twin), long_poll=1)
    yield channel
    await channel.close()


@pytest.fixture(params=["line", "telegram", "telegram-polling", "terminal"])
async def stage(
    request: pytest.FixtureRequest, line: LineChannel, telegram: TelegramChannel, line_twin: LineTwin, telegram_twin: TelegramTwin
) -> Stage:
    """Each channel in turn."""
    match request.param:
        case "line":
            return LineStage(line_twin, line)
        case "telegram":
            return TelegramStage(telegram_twin, telegram)
        case "telegram-polling":
            return PollingStage(telegram_twin, telegram)
    return TerminalStage()
