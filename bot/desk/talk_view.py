"""Lines of a talk, ready to be shown to staff: who, when, what, without anything that could run (R30, R32)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from bot.clock import JST
from storage.talk import Line


@dataclass(frozen=True)
class ShownCard:
    title: str
    reason: str
    lines: tuple[str, ...]


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
    texts: tuple[str, ...]
    cards: tuple[ShownCard, ...]
    buttons: tuple[str, ...]
    danger_level: str
    danger_rule: str | None
    withdrawn: bool


def shown(lines: Iterable[Line], names: Mapping[str, str]) -> list[ShownLine]:
    return [_shown(line, names) for line in lines]


def _shown(line: Line, names: Mapping[str, str]) -> ShownLine:
    body: dict[str, Any] = {} if line.body is None else json.loads(line.body)
    bubbles = body.get("bubbles", ()) if line.author == "bot" else ({"text": body.get("text", "")},)
    cards = tuple(
        ShownCard(card["title"], card["reason"], tuple(card["lines"])) for bubble in bubbles for card in bubble.get("cards", ())
    )  # fmt: skip
    texts = tuple(text for bubble in bubbles if (text := bubble.get("text")))
    return ShownLine(
        id=line.id, seq=line.seq, author=line.author, who=body.get("speaker") or names.get(line.staff_id or ""), at=line.at,
        day=line.at.astimezone(JST).date(), kind=line.kind, media=body.get("media"), texts=texts, cards=cards,
        buttons=tuple(button["label"] for button in body.get("buttons", ())), danger_level=line.danger_level, danger_rule=line.danger_rule,
        withdrawn=line.withdrawn_at is not None or line.body is None,
    )  # fmt: skip
