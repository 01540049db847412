"""Every door of the menu does what its picture says: a tap on LINE, a command on Telegram; also where the room is the only way."""

from collections.abc import Callable

from bot.install import line, menu, telegram
from flows.model import ChannelName
from storage.store import Store
from tests.town import OnLine, Resident, Town

_ANSWERS = {
    "human": "相談員につなぎます", "help": "119", "room": "一度だけひらけます", "back": "もどりました", "start": "最初からにします",
    "stop": "ここで終わります", "news": "近いうちにある集まり", "places": "出かけてみることのできる場所", "offer": "どんなことができそうですか",
}  # fmt: skip
_PLATFORMS: tuple[ChannelName, ...] = ("line", "telegram")


def puts_up_the_menus(town: Town) -> None:
    town.coordinator("佐藤")
    for platform in (line, telegram):
        town.on_loop(platform.install(town.settings, town.parts.knowledge.town))


def taps_the_menu(resident: Resident, name: str) -> str:
    """On LINE the area that lies on this place of the picture, on Telegram the command of the list; what is heard."""
    town, place = resident.town, menu.NAMES.index(name)
    if isinstance(resident, OnLine):
        area = town.line.menus[town.line.shown_menu or ""]["areas"][place]
        return resident._act(lambda: resident._post(town.line.postback(resident.account, area["action"]["data"]))).hears()
    return resident.says(f"/{town.telegram.commands[''][place]['command']}").hears()


def test_every_door_of_the_menu_does_what_its_picture_says(town: Town) -> None:
    puts_up_the_menus(town)
    for platform in _PLATFORMS:
        for name, answer in _ANSWERS.items():
            resident = town.resident_on(platform).taps("相談をはじめる").says("家賃が払えません")
            assert answer in taps_the_menu(resident, name), (platform, name)
    assert town.line.violations == town.telegram.violations == []


def test_where_the_room_is_the_only_way_every_door_leads_there(build_town: Callable[..., Town], town_store: Store) -> None:
    with build_town(town_store, line_mode="entrance") as town:
        puts_up_the_menus(town)
        for platform in _PLATFORMS:
            for name in _ANSWERS:
                resident = town.resident_on(platform)
                heard = taps_the_menu(resident, name)
                assert "専用ページ" in heard, (platform, name)
                assert resident.buttons() == ["相談ページをひらく"], (platform, name)
                assert name != "help" or "119" in heard
        assert town.line.violations == town.telegram.violations == []
