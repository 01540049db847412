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
    """Lines in order. A pressed button is shown by its label, which stands with the bot's line that offered it."""
    labels: dict[str, str] = {}
    found = []
    for line in lines:
        body: dict[str, Any] = {} if line.body is None else json.loads(line.body)
        if line.author != "resident":
            labels |= {button["value"]: button["label"] for button in _buttons(body) if button.get("value")}
        found.append(_shown(line, body, labels.get(body["button"], "（ボタン）") if "button" in body else "", names))
    return found


def _buttons(body: dict[str, Any]) -> Iterable[dict[str, str]]:
    yield from body.get("buttons", ())
    for bubble in body.get("bubbles", ()):
        for card in bubble.get("cards", ()):
            yield from card.get("buttons", ())


def _shown(line: Line, body: dict[str, Any], pressed: str, names: Mapping[str, str]) -> ShownLine:
    said: dict[str, Any] = {"text": body.get("text", "") or pressed}
    bubbles: Iterable[dict[str, Any]] = body.get("bubbles", ()) if "bubbles" in body else (said,)
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
