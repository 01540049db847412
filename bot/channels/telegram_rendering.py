"""One turn as Telegram messages: one call for each bubble and each card, in HTML, with buttons under the message they belong to.

Limits: platform README, "Telegram: sending". Telephone numbers stand in the text: Telegram takes no `tel:` button, and makes numbers in a
text pressable.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.channels.cutting import Unsendable, pieces, shorten, utf16_units
from bot.channels.port import Outgoing
from bot.channels.telegram_reading import Tapped
from flows.model import Button, Card, Reply
from storage.text import clean

_MOST_TEXT = 4096
_MOST_PIECE = 3500
"""Leaves room for the speaker's name and for telephone lines."""
_MOST_PAYLOAD = 64
_MOST_BUTTONS = 100
_DETAILS = "!card:"
_CHOSEN = "✓ "
_SHORT_LABEL = 7
"""Two labels of this length stand side by side on a narrow phone."""


@dataclass(frozen=True)
class Rendered:
    """One message: HTML text, and its keyboard."""

    html: str
    keyboard: InlineKeyboardMarkup | None


def letters(outgoing: Outgoing) -> list[Outgoing]:
    """Cut one turn into single messages; the speaker is named on the first, the buttons stand under the last."""
    bubbles = [piece for bubble in outgoing.bubbles for piece in _as_messages(bubble)]
    last = len(bubbles) - 1
    return [
        outgoing.model_copy(
            update={
                "bubbles": (bubble,),
                "buttons": outgoing.buttons if at == last else (),
                "speaker": outgoing.speaker if at == 0 else None,
            }
        )
        for at, bubble in enumerate(bubbles)
    ]


def render(outgoing: Outgoing) -> Rendered:
    """Return the one message of one call. Raises `Unsendable`, also for a turn that was not cut by `letters`."""
    messages = [piece for bubble in outgoing.bubbles for piece in _as_messages(bubble)]
    if len(messages) != 1:
        raise Unsendable("empty" if not messages else "not_one_message")
    bubble = messages[0]
    card = bubble.cards[0] if bubble.cards else None
    buttons = [*(card.buttons if card else ()), *outgoing.buttons]
    lines = [(clean(outgoing.speaker), True)] if outgoing.speaker and outgoing.speaker.strip() else []
    lines += _card_lines(card) if card else [(bubble.text, False)]
    lines += [(line, False) for line in _telephone_lines(buttons, "\n".join(text for text, _ in lines))]
    if utf16_units("\n".join(text for text, _ in lines)) > _MOST_TEXT:
        raise Unsendable("text_too_long")
    html = "\n".join(f"<b>{escape(text, quote=False)}</b>" if bold else escape(text, quote=False) for text, bold in lines)
    return Rendered(html, _keyboard([button for button in buttons if button.tel is None]))


def _as_messages(bubble: Reply) -> list[Reply]:
    texts = [Reply(text=piece, key=bubble.key) for piece in pieces(clean(bubble.text), _MOST_PIECE)]
    return texts + [Reply(cards=(card,), key=bubble.key) for card in bubble.cards]


def _card_lines(card: Card) -> list[tuple[str, bool]]:
    if not card.title.strip():
        raise Unsendable("empty_card")
    lines = [(clean(card.title), True), (clean(card.reason), False), *((clean(line), False) for line in card.lines)]
    return [(text, bold) for text, bold in lines if text.strip()]


def _telephone_lines(buttons: Sequence[Button], written: str) -> list[str]:
    """The numbers of call buttons, unless they stand in the text already."""
    calls = [(clean(button.label).strip(), button.tel) for button in buttons if button.tel is not None]
    if any(not (label and number.isascii() and any(map(str.isdecimal, number))) for label, number in calls):
        raise Unsendable("button_number")
    return [f"{label} {number}" for label, number in calls if number not in written]


def _keyboard(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    """Rows of one button, or of two short ones."""
    if len(buttons) > _MOST_BUTTONS:
        raise Unsendable("too_many_buttons")
    rows: list[list[InlineKeyboardButton]] = []
    for button in buttons:
        key = _key(button)
        if rows and len(rows[-1]) == 1 and all(len(other.text) <= _SHORT_LABEL for other in (*rows[-1], key)):
            rows[-1].append(key)
        else:
            rows.append([key])
    return InlineKeyboardMarkup(rows) if rows else None


def _key(button: Button) -> InlineKeyboardButton:
    label = clean(button.label).strip()
    if not label:
        raise Unsendable("button_without_label")
    if button.url is not None:
        if not button.url.startswith(("https://", "http://")) or clean(button.url) != button.url:
            raise Unsendable("button_address")
        return InlineKeyboardButton(shorten(label, 64), url=button.url)
    if clean(button.value) != button.value or not 0 < len(button.value.encode()) <= _MOST_PAYLOAD:
        raise Unsendable("button_payload")
    return InlineKeyboardButton(shorten(label, 64), callback_data=button.value)


# ---------------------------------------------------------------- after a tap


def chosen(tapped: Tapped) -> InlineKeyboardMarkup | None:
    """The keyboard after a tap: the chosen answer with a mark, links and details as they were, the other answers gone; None leaves it as it is.

    Telegram shows nothing of a tap in the talk itself: without this nobody could read later what was answered.
    """
    if tapped.payload.startswith(_DETAILS) or all(button.get("callback_data") != tapped.payload for row in tapped.rows for button in row):
        return None
    rows = [[key for button in row if (key := _after_tap(button, tapped.payload)) is not None] for row in tapped.rows]
    return InlineKeyboardMarkup([row for row in rows if row])


def _after_tap(button: dict[str, Any], payload: str) -> InlineKeyboardButton | None:
    data, label = button.get("callback_data"), button["text"]
    if data == payload:
        return InlineKeyboardButton(label if label.startswith(_CHOSEN) else shorten(_CHOSEN + label, 64), callback_data=data)
    if data is None:
        return InlineKeyboardButton(label, url=button["url"])
    return InlineKeyboardButton(label, callback_data=data) if data.startswith(_DETAILS) else None
