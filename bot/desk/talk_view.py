"""Lines of a talk, ready to be shown to staff: who, when, what, without anything that could run (R30, R32)."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from bot.clock import JST
from storage.attachments import Shown as AttachmentShown
from storage.talk import Line

_TURNING = {point: f"［U+{point:04X}］" for point in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F)}
"""Marks that turn the direction of writing: words must not look otherwise than they are (R32)."""
_ADDRESS = re.compile(r"https?://[^\s　<>「」『』（）()]+", re.IGNORECASE)


@dataclass(frozen=True)
class ShownCard:
    title: str
    reason: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Link:
    """An address in a message. `host` as the network writes it, `？` where it is none."""

    address: str
    host: str


@dataclass(frozen=True)
class ShownLine:
    """One line as the desk shows it. `kind` is what the resident did: text, button, sticker, media, location, follow."""

    id: str
    seq: int
    author: str
    who: str | None
    """Name of the coordinator who wrote it."""
    at: datetime
    day: date
    kind: str
    media: str | None
    file: AttachmentShown | None
    """The picture or paper that came along."""
    texts: tuple[str, ...]
    links: tuple[Link, ...]
    """Where addresses in these words really lead (R32)."""
    cards: tuple[ShownCard, ...]
    buttons: tuple[str, ...]
    danger_level: str
    danger_rule: str | None
    withdrawn: bool
    earlier: tuple[tuple[str, datetime], ...] = ()
    """What stood here before it was written anew, the first of all first, each with the time until when."""
    times: int = 1
    """How often it was written in a row: a flood of the same words is one line, and none is dropped (R6)."""


def unturned(text: str) -> str:
    """The text with every mark that turns the direction of writing made visible."""
    return text.translate(_TURNING)


def links_in(text: str) -> list[Link]:
    """The addresses in a text with their real hosts, in punycode; the text itself stays text, nothing is fetched, nothing can be pressed (R32)."""
    found = []
    for address in _ADDRESS.findall(text):
        try:
            host = urlsplit(address).hostname or "？"
            found.append(Link(address, host if host.isascii() else host.encode("idna").decode()))
        except (ValueError, UnicodeError):
            found.append(Link(address, "？"))
    return found


def shown(lines: Iterable[Line], names: Mapping[str, str], files: Mapping[str, AttachmentShown]) -> list[ShownLine]:
    """Lines in order. A pressed button is shown by its label, which stands with the bot's line that offered it."""
    labels: dict[str, str] = {}
    found: list[ShownLine] = []
    for line in lines:
        body: dict[str, Any] = {} if line.body is None else json.loads(line.body)
        if line.author != "resident":
            labels |= {button["value"]: button["label"] for button in _buttons(body) if button.get("value")}
        one = _shown(line, body, labels.get(body["button"], "（ボタン）") if "button" in body else "", names, files.get(line.id))
        if found and _says_the_same(found[-1], one):
            one = replace(one, times=found.pop().times + 1)
        found.append(one)
    return found


def _says_the_same(before: ShownLine, one: ShownLine) -> bool:
    """Words of the resident right after the same words, on the same day; the newest of them stands for all."""
    if not (before.author == one.author == "resident" and before.kind == one.kind == "text") or before.withdrawn or one.withdrawn:
        return False
    if before.earlier or one.earlier:
        return False
    return (before.texts, before.day, before.danger_level, before.danger_rule) == (one.texts, one.day, one.danger_level, one.danger_rule)


def _buttons(body: dict[str, Any]) -> Iterable[dict[str, str]]:
    yield from body.get("buttons", ())
    for bubble in body.get("bubbles", ()):
        for card in bubble.get("cards", ()):
            yield from card.get("buttons", ())


def _shown(line: Line, body: dict[str, Any], pressed: str, names: Mapping[str, str], file: AttachmentShown | None) -> ShownLine:
    said: dict[str, Any] = {"text": body.get("text", "") or pressed}
    bubbles: Iterable[dict[str, Any]] = body.get("bubbles", ()) if "bubbles" in body else (said,)
    cards = tuple(
        ShownCard(card["title"], card["reason"], tuple(card["lines"])) for bubble in bubbles for card in bubble.get("cards", ())
    )  # fmt: skip
    texts = tuple(unturned(text) for bubble in bubbles if (text := bubble.get("text")))
    links = tuple(dict.fromkeys(link for text in texts for link in links_in(text))) if line.author == "resident" else ()
    return ShownLine(
        id=line.id, seq=line.seq, author=line.author, who=body.get("speaker") or names.get(line.staff_id or ""), at=line.at,
        day=line.at.astimezone(JST).date(), kind=line.kind, media=body.get("media"), file=file, texts=texts, links=links, cards=cards,
        buttons=tuple(button["label"] for button in body.get("buttons", ())), danger_level=line.danger_level, danger_rule=line.danger_rule,
        withdrawn=line.withdrawn_at is not None or line.body is None,
        earlier=tuple((unturned(one["text"]), datetime.fromisoformat(one["until"])) for one in body.get("earlier", ())),
    )  # fmt: skip
