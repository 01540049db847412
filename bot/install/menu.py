"""The menu that stands under every talk: the words of G4, the private room, and お知らせ・居場所・手伝いたい.

LINE shows it as a picture, Telegram as commands.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import flows

NAMES: Final = ("human", "help", "room", "back", "start", "stop", "news", "places", "offer")
"""In the order they are read: a row of getting help, a row of finding the way, a row of the town."""
COLUMNS: Final = 3
WIDTH: Final = 2500
HEIGHT: Final = 1686
"""Pixels: the large size of LINE's own templates."""
PICTURE: Final = Path(__file__).with_name("line-menu.png")
_LABELS: Final = {"start": "begin_again"}
_PREFIX: Final = "madoguchi-"


@dataclass(frozen=True)
class Item:
    """One door: `payload` is what pressing it sends."""

    name: str
    label: str
    what: str

    @property
    def payload(self) -> str:
        return f"!{self.name}"


def items(town: flows.Town, lang: flows.Lang = "ja") -> list[Item]:
    """The doors in a language."""
    return [Item(name, town.label(_LABELS.get(name, name), lang), town.wordings(f"menu.{name}", lang)[0]) for name in NAMES]


def area(place: int) -> tuple[int, int, int, int]:
    """Left, top, width and height of the door at this place; together they cover the whole picture without a gap."""
    row, column = divmod(place, COLUMNS)
    rows = len(NAMES) // COLUMNS
    left, right = WIDTH * column // COLUMNS, WIDTH * (column + 1) // COLUMNS
    top, bottom = HEIGHT * row // rows, HEIGHT * (row + 1) // rows
    return left, top, right - left, bottom - top


def rich_menu(town: flows.Town) -> dict[str, Any]:
    """LINE's menu object. Its name carries a mark of what it holds, so that an unchanged menu is known again."""
    areas = [
        {
            "bounds": dict(zip(("x", "y", "width", "height"), area(place), strict=True)),
            "action": {"type": "postback", "label": item.label, "data": item.payload, "displayText": item.label},
        }
        for place, item in enumerate(items(town))
    ]
    menu = {"size": {"width": WIDTH, "height": HEIGHT}, "selected": True, "chatBarText": town.wordings("menu.bar", "ja")[0], "areas": areas}
    written = json.dumps(menu, ensure_ascii=False, sort_keys=True).encode() + PICTURE.read_bytes()
    return {**menu, "name": _PREFIX + hashlib.sha256(written).hexdigest()[:16]}


def is_ours(name: str) -> bool:
    """Whether a menu of this name was put there by us."""
    return name.startswith(_PREFIX)
