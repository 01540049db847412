"""Draws the menu of LINE: `python -m bot.install.picture FONT` writes line-menu.png, kept in the repository, so that no machine needs a font.

Labels as large as the cells allow, dark on light with at least 7:1, a line of its own between the doors; たすけて stands out by colour and frame.
"""

import sys
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

import flows
from bot.install import menu
from bot.settings import Settings
from knowledge.base import load

_PAPER, _INK, _SOFT, _LINE, _BLUE, _RED, _RED_PAPER, _BLUE_PAPER = (
    "#FFFFFF", "#1A1A1C", "#414143", "#949497", "#00118F", "#A9110B", "#FDEEEE", "#E8F1FE",
)  # fmt: skip
_LABEL_SIZE: Final = 124
_WHAT_SIZE: Final = 62
_SIDE: Final = 40
_GAP: Final = 44
_GROUND: Final = {"human": _BLUE_PAPER, "room": _BLUE_PAPER, "help": _RED_PAPER}
_COLOUR: Final = {"help": _RED, "human": _BLUE, "room": _BLUE}


def draw(town: flows.Town, font: Path) -> Image.Image:
    """The picture, as large as its menu object says."""
    picture = Image.new("RGB", (menu.WIDTH, menu.HEIGHT), _PAPER)
    pen = ImageDraw.Draw(picture)
    for place, item in enumerate(menu.items(town)):
        left, top, width, height = menu.area(place)
        pen.rectangle((left, top, left + width - 1, top + height - 1), fill=_GROUND.get(item.name, _PAPER), outline=_LINE, width=4)
        if item.name == "help":
            pen.rectangle((left + 8, top + 8, left + width - 9, top + height - 9), outline=_RED, width=10)
        label, what = _fitting(font, item.label, _LABEL_SIZE, width), _fitting(font, item.what, _WHAT_SIZE, width)
        middle = top + height / 2
        pen.text((left + width / 2, middle - _GAP), item.label, font=label, fill=_COLOUR.get(item.name, _INK), anchor="mm", stroke_width=2,
                 stroke_fill=_COLOUR.get(item.name, _INK))  # fmt: skip
        pen.text((left + width / 2, middle + _LABEL_SIZE / 2 + _GAP), item.what, font=what, fill=_SOFT, anchor="mm")
    return picture


def _fitting(font: Path, text: str, size: int, width: int) -> ImageFont.FreeTypeFont:
    """The font as large as `size`, or as much smaller as the text needs."""
    made = ImageFont.truetype(str(font), size)
    while made.getlength(text) > width - 2 * _SIDE:
        size -= 2
        made = ImageFont.truetype(str(font), size)
    return made


def main(font: str) -> int:
    """Draw and keep; a palette of 64 colours makes the file small."""
    drawn = draw(flows.load_town(load(Settings().knowledge)), Path(font))
    drawn.quantize(64).save(menu.PICTURE, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
