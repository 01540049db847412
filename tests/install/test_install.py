"""`madoguchi doctor --apply`: the menus and texts come onto the platforms as these take them, and a second run changes nothing."""

import io
from collections.abc import Iterator

import pytest
from PIL import Image

import flows
from bot.install import line, menu, telegram
from knowledge.base import load
from tests.contracts.stages import NOWHERE, line_settings, telegram_settings
from tests.kept import kept
from tests.twins import LineTwin, TelegramTwin


@pytest.fixture(scope="module")
def town() -> flows.Town:
    from bot.settings import Settings

    return flows.load_town(load(Settings().knowledge, kept("sample-town")))


@pytest.fixture
def line_twin() -> Iterator[LineTwin]:
    with LineTwin() as twin:
        yield twin


@pytest.fixture
def telegram_twin() -> Iterator[TelegramTwin]:
    with TelegramTwin() as twin:
        yield twin


# ---------------------------------------------------------------- LINE


async def test_the_menu_is_made_with_its_picture_and_shown_to_everybody(line_twin: LineTwin, town: flows.Town):
    (found,) = await line.install(line_settings(line_twin), town)

    assert found.state == "ok"
    assert line_twin.violations == []
    shown = line_twin.menus[line_twin.shown_menu or ""]
    labels = [area["action"]["label"] for area in shown["areas"]]
    assert {"人と話す", "もどる", "やめる", "最初から", "たすけて", "お知らせ", "居場所", "手伝いたい"} <= set(labels)


async def test_a_second_run_changes_nothing_on_line(line_twin: LineTwin, town: flows.Town):
    settings = line_settings(line_twin, base_url="https://madoguchi.example.jp")
    await line.install(settings, town)
    before = line_twin.installed

    found = await line.install(settings, town)

    assert line_twin.installed == before
    assert [one.state for one in found] == ["ok", "ok"]
    assert line_twin.webhook_url == "https://madoguchi.example.jp/line/webhook"


async def test_an_old_menu_of_ours_goes_and_the_towns_own_stays(line_twin: LineTwin, town: flows.Town):
    wanted = menu.rich_menu(town)
    line_twin.menus = {"richmenu-old": {**wanted, "name": "madoguchi-old"}, "richmenu-own": {**wanted, "name": "市の広報"}}
    line_twin.pictures = {"richmenu-old": b"x", "richmenu-own": b"x"}
    line_twin.shown_menu = "richmenu-old"

    await line.install(line_settings(line_twin), town)

    assert "richmenu-old" not in line_twin.menus
    assert "richmenu-own" in line_twin.menus
    assert line_twin.menus[line_twin.shown_menu or ""]["name"] == wanted["name"]


async def test_an_installation_that_was_cut_off_is_made_whole(line_twin: LineTwin, town: flows.Town):
    line_twin.menus = {"richmenu-half": menu.rich_menu(town)}  # its picture never arrived

    await line.install(line_settings(line_twin), town)

    assert list(line_twin.pictures) == list(line_twin.menus) == [line_twin.shown_menu]


async def test_a_wrong_token_is_said_in_one_line(line_twin: LineTwin, town: flows.Town):
    (found,) = await line.install(line_settings(line_twin, line_channel_access_token="wrong"), town)

    assert found.state == "bad"
    assert "401" in found.words


async def test_no_network_is_said_in_one_line(line_twin: LineTwin, telegram_twin: TelegramTwin, town: flows.Town):
    (on_line,) = await line.install(line_settings(line_twin, line_api_host=NOWHERE), town)
    (on_telegram,) = await telegram.install(telegram_settings(telegram_twin, telegram_base_url=f"{NOWHERE}/bot"), town)

    assert (on_line.state, on_telegram.state) == ("bad", "bad")


def test_the_picture_is_the_one_of_the_menu_and_its_doors_cover_it():
    with Image.open(io.BytesIO(menu.PICTURE.read_bytes())) as picture:
        assert picture.size == (menu.WIDTH, menu.HEIGHT)
    covered = sum(width * height for _, _, width, height in map(menu.area, range(len(menu.NAMES))))
    assert covered == menu.WIDTH * menu.HEIGHT


# ---------------------------------------------------------------- Telegram


async def test_commands_and_texts_come_in_every_language(telegram_twin: TelegramTwin, town: flows.Town):
    (found,) = await telegram.install(telegram_settings(telegram_twin), town)

    assert found.state == "ok"
    assert telegram_twin.violations == []
    assert set(telegram_twin.commands) == {"", "en", "zh", "pt", "vi"}
    assert all(len(commands) == len(menu.NAMES) for commands in telegram_twin.commands.values())
    assert "119" in telegram_twin.texts["description", ""]
    assert "automatic" in telegram_twin.texts["short_description", "en"]
    assert telegram_twin.menu_button == {"type": "commands"}


async def test_a_second_run_changes_nothing_on_telegram(telegram_twin: TelegramTwin, town: flows.Town):
    await telegram.install(telegram_settings(telegram_twin), town)
    before = telegram_twin.installed

    await telegram.install(telegram_settings(telegram_twin), town)

    assert telegram_twin.installed == before
