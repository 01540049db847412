"""A LINE message object as the resident sees it."""

from collections.abc import Iterator
from typing import Any

from tests.twins.hearing import Bubble, HeardButton, HeardCard


def bubble_of(message: dict[str, Any]) -> Bubble:
    """Text, quick replies, and each Flex bubble as a card: its first text is the title. A Flex bubble of buttons alone is just buttons."""
    buttons = tuple(_button(item["action"]) for item in message.get("quickReply", {}).get("items", []))
    speaker = message.get("sender", {}).get("name")
    if message["type"] == "text":
        return Bubble(text=message["text"], buttons=buttons, speaker=speaker)
    contents = message["contents"]
    cards, links = [], []
    for flex in contents["contents"] if contents["type"] == "carousel" else [contents]:
        texts, pressed = list(_texts(flex)), tuple(_buttons(flex))
        if texts:
            cards.append(HeardCard(texts[0], tuple(texts[1:]), pressed))
        else:
            links += pressed
    return Bubble(buttons=(*links, *buttons), cards=tuple(cards), speaker=speaker, alt=message["altText"])


def _parts(flex: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for block in ("header", "hero", "body", "footer"):
        if block in flex:
            yield from _leaves(flex[block])


def _leaves(component: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if component["type"] == "box":
        for child in component["contents"]:
            yield from _leaves(child)
    else:
        yield component


def _texts(flex: dict[str, Any]) -> Iterator[str]:
    return (part["text"] for part in _parts(flex) if part["type"] == "text")


def _buttons(flex: dict[str, Any]) -> Iterator[HeardButton]:
    return (_button(part["action"]) for part in _parts(flex) if part["type"] == "button")


def _button(action: dict[str, Any]) -> HeardButton:
    label = action["label"]
    if action["type"] == "postback":
        return HeardButton(label, payload=action["data"])
    uri = action["uri"]
    return HeardButton(label, tel=uri.removeprefix("tel:")) if uri.startswith("tel:") else HeardButton(label, url=uri)
