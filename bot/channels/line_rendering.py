"""One turn as LINE message objects: text bubbles, service cards as Flex, answers as quick replies, links as buttons that a PC shows too.

Limits: platform README, "LINE: limits of what is shown". LINE counts UTF-16 units, labels in grapheme clusters.

The objects are plain JSON, as LINE's own description has them. Built as the SDK's models, one turn with three cards cost 8 ms to make and to
write out again, more than everything else on its way; the tests read every body back through those models.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from bot.channels.cutting import Unsendable, pieces, shorten, utf16_units
from bot.channels.port import Outgoing
from flows.model import Button, Card, Reply
from storage.text import clean

MOST_MESSAGES = 5
_MOST_TEXT = 5000
_MOST_ALT = 1500
_MOST_QUICK_REPLIES = 13
_MOST_CARDS = 12
_BUBBLE_BYTES = 30_000
_CAROUSEL_BYTES = 50_000
_INK, _SOFT_INK, _TINT, _ACCENT = "#1A1A1C", "#414143", "#F1F1F4", "#00118F"
"""Dark on light, at least 7:1, for older eyes."""

Json = dict[str, Any]


def letters(outgoing: Outgoing) -> list[Outgoing]:
    """Cut one turn into calls of at most five message objects; the buttons go under the last one."""
    bubbles = [piece for bubble in outgoing.bubbles for piece in _as_messages(bubble)]
    room = MOST_MESSAGES - (1 if _links(outgoing) else 0)
    parts = [tuple(bubbles[at : at + room]) for at in range(0, len(bubbles), room)]
    last = len(parts) - 1
    return [outgoing.model_copy(update={"bubbles": part, "buttons": outgoing.buttons if at == last else ()}) for at, part in enumerate(parts)]


def render(outgoing: Outgoing) -> list[Json]:
    """Return the one to five message objects of one call. Raises `Unsendable`."""
    sender = _sender(outgoing.speaker)
    messages: list[Json] = []
    for bubble in outgoing.bubbles:
        text = clean(bubble.text)
        if text.strip():
            if utf16_units(text) > _MOST_TEXT:
                raise Unsendable("text_too_long")
            messages.append({"type": "text", "text": text, **sender})
        if bubble.cards:
            messages.append(_flex(_alt_of_cards(outgoing.alt, bubble.cards), _container(bubble.cards)) | sender)
    if not messages:
        raise Unsendable("empty")
    if links := _links(outgoing):
        messages.append(_flex(_alt_of_links(outgoing.alt, links), _link_bubble(links)) | sender)
    if len(messages) > MOST_MESSAGES:
        raise Unsendable("too_many_messages")
    answers = [button for button in outgoing.buttons if not _is_link(button)]
    if answers:
        messages[-1]["quickReply"] = _quick_reply(answers)
    return messages


# ---------------------------------------------------------------- cutting


def _as_messages(bubble: Reply) -> list[Reply]:
    """Replies that are one message object each: pieces of text, then groups of cards."""
    texts = [Reply(text=piece, key=bubble.key) for piece in pieces(clean(bubble.text), _MOST_TEXT)]
    return texts + [Reply(cards=group, key=bubble.key) for group in _groups(bubble.cards)]


def _groups(cards: Sequence[Card]) -> list[tuple[Card, ...]]:
    groups: list[tuple[Card, ...]] = []
    room = 0
    for card in cards:
        weight = _weight(card)
        if not groups or weight > room or len(groups[-1]) == _MOST_CARDS:
            groups.append(())
            room = _CAROUSEL_BYTES - 1000
        groups[-1] += (card,)
        room -= weight
    return groups


def _weight(card: Card) -> int:
    """Upper estimate of a card's bytes: a UTF-16 unit is written as six at most, in an address as nine, and every part has its frame."""
    texts = [card.title, card.reason, *card.lines]
    buttons = [text for button in card.buttons for text in (button.label, button.label, button.value, button.url or "", button.tel or "")]
    return 9 * sum(utf16_units(text) for text in texts + buttons) + 160 * len(texts) + 260 * len(card.buttons) + 900


# ---------------------------------------------------------------- cards


def _flex(alt: str, contents: Json) -> Json:
    return {"type": "flex", "altText": alt, "contents": contents}


def _container(cards: Sequence[Card]) -> Json:
    if len(cards) > _MOST_CARDS or sum(map(_weight, cards)) > _CAROUSEL_BYTES or any(_weight(card) > _BUBBLE_BYTES for card in cards):
        raise Unsendable("card_too_large")
    bubbles = [_card_bubble(card) for card in cards]
    return bubbles[0] if len(bubbles) == 1 else {"type": "carousel", "contents": bubbles}


def _card_bubble(card: Card) -> Json:
    """A calm card: what it is, why it came, then the facts line by line, then what one can do."""
    parts = [_text(card.title, size="lg", weight="bold", color=_INK)]
    if card.reason.strip():
        reason = _text(card.reason, size="sm", color=_SOFT_INK)
        parts.append(_box([reason], backgroundColor=_TINT, cornerRadius="md", paddingAll="md"))
    facts = [line for line in card.lines if line.strip()]
    if facts:
        parts.append({"type": "separator", "margin": "md"})
        parts.append(_box([_text(line, size="md", color=_INK) for line in facts], spacing="sm", margin="md"))
    bubble: Json = {"type": "bubble", "size": "mega", "body": _box(parts, spacing="md")}
    return bubble | {"footer": _box(_flex_buttons(card.buttons), spacing="sm")} if card.buttons else bubble


def _link_bubble(links: Sequence[Button]) -> Json:
    return {"type": "bubble", "size": "mega", "body": _box(_flex_buttons(links), spacing="sm")}


def _box(contents: Sequence[Json], **look: str) -> Json:
    return {"type": "box", "layout": "vertical", "contents": list(contents), **look}


def _text(text: str, *, size: str, color: str, weight: str = "regular") -> Json:
    """Text that wraps and grows with the size the resident set in LINE."""
    if not text.strip():
        raise Unsendable("empty_card")
    return {"type": "text", "text": clean(text), "size": size, "color": color, "weight": weight, "wrap": True, "scaling": True}


def _flex_buttons(buttons: Sequence[Button]) -> list[Json]:
    look: Json = {"type": "button", "height": "sm", "color": _ACCENT, "scaling": True}
    return [
        look | {"action": _action(button, most_label=40), "style": "primary" if at == 0 else "link"} for at, button in enumerate(buttons)
    ]


# ---------------------------------------------------------------- buttons


def _quick_reply(answers: Sequence[Button]) -> Json:
    if len(answers) > _MOST_QUICK_REPLIES:
        raise Unsendable("too_many_buttons")
    return {"items": [{"type": "action", "action": _action(answer, most_label=20)} for answer in answers]}


def _action(button: Button, *, most_label: int) -> Json:
    """A pressed answer comes back as its payload, and shows in the talk as if it had been written."""
    label = clean(button.label).strip()
    if not label:
        raise Unsendable("button_without_label")
    if _is_link(button):
        return {"type": "uri", "label": shorten(label, most_label), "uri": _uri(button)}
    if clean(button.value) != button.value or not 0 < utf16_units(button.value) <= 300:
        raise Unsendable("button_payload")
    return {"type": "postback", "label": shorten(label, most_label), "data": button.value, "displayText": shorten(label, 300)}


def _uri(button: Button) -> str:
    if button.tel is not None:
        number = button.tel.replace(" ", "")
        if not any(digit.isdecimal() for digit in number) or not number.isascii():
            raise Unsendable("button_number")
        return "tel:" + quote(number, safe="+*-")
    uri = quote(clean(button.url or ""), safe=":/?#[]@!$&'()*+,;=%-._~")
    if not uri.startswith(("https://", "http://")) or len(uri) > 1000:
        raise Unsendable("button_address")
    return uri


def _is_link(button: Button) -> bool:
    return button.url is not None or button.tel is not None


def _links(outgoing: Outgoing) -> list[Button]:
    return [button for button in outgoing.buttons if _is_link(button)]


# ---------------------------------------------------------------- around the message


def _alt_of_cards(alt: str, cards: Sequence[Card]) -> str:
    """What notifications, old phones and screen readers get instead of the cards: the same facts."""
    facts = "\n\n".join("\n".join(filter(str.strip, (card.title, card.reason, *card.lines))) for card in cards)
    return shorten(clean(alt.strip() or facts), _MOST_ALT)


def _alt_of_links(alt: str, links: Sequence[Button]) -> str:
    """Labels and telephone numbers, never an address: a one-time link must not stand on a lock screen (R15)."""
    facts = "\n".join(f"{link.label} {link.tel or ''}".strip() for link in links)
    return shorten(clean(alt.strip() or facts), _MOST_ALT)


def _sender(speaker: str | None) -> Json:
    """The coordinator's name above the bubble, or nothing; LINE refuses names that hold its own."""
    name = clean(speaker or "").strip()
    return {"sender": {"name": shorten(name, 20)}} if name and "line" not in name.lower() else {}
