"""What LINE refuses although its OpenAPI file allows it (platform README, "LINE: limits of what is shown")."""

import io
import json
import re
from collections.abc import Iterator
from typing import Any

from PIL import Image
from rich.cells import split_graphemes

_COLOURS = {"color", "backgroundColor", "borderColor", "startColor", "endColor", "centerColor"}
_CHILDREN = {
    "vertical": {"box", "button", "image", "text", "separator", "filler", "video"},
    "horizontal": {"box", "button", "image", "text", "separator", "filler"},
    "baseline": {"icon", "text", "filler"},
}
_QUICK_REPLY_ONLY = {"camera", "cameraRoll", "location"}


def units(text: str) -> int:
    """UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def graphemes(text: str) -> int:
    """Visible characters, counted by a library of its own so that our own counting is checked."""
    return len(split_graphemes(text)[0])


def problems(messages: list[dict[str, Any]]) -> Iterator[str]:
    """Every limit the message objects of one request break, with its place."""
    if not 1 <= len(messages) <= 5:
        yield "messages: 1 to 5"
    for at, message in enumerate(messages):
        for problem in _message(message):
            yield f"messages[{at}].{problem}"


def _message(message: dict[str, Any]) -> Iterator[str]:
    match message.get("type"):
        case "text":
            yield from _words("text", message.get("text"), 5000)
        case "flex":
            yield from _words("altText", message.get("altText"), 1500)
            yield from _flex(message.get("contents", {}))
        case kind:
            yield f"type: this twin does not know {kind!r} messages"
    if "quickReply" in message:
        yield from _quick_reply(message["quickReply"].get("items", []))
    name = message.get("sender", {}).get("name", "someone")
    if not name.strip() or units(name) > 20 or "line" in name.lower():
        yield "sender.name"


def _words(where: str, text: Any, most: int) -> Iterator[str]:
    if not isinstance(text, str) or not text.strip():
        yield f"{where}: may not be empty"
    elif units(text) > most:
        yield f"{where}: longer than {most}"
    elif any("\ud800" <= letter <= "\udfff" for letter in text) or "\x00" in text:
        yield f"{where}: broken characters"


def _quick_reply(items: list[dict[str, Any]]) -> Iterator[str]:
    if not 1 <= len(items) <= 13:
        yield "quickReply.items: 1 to 13"
    for at, item in enumerate(items):
        if item.get("type") != "action":
            yield f"quickReply.items[{at}].type"
        for problem in _action(item.get("action", {}), most_label=20, quick=True):
            yield f"quickReply.items[{at}].{problem}"


def _action(action: dict[str, Any], *, most_label: int, quick: bool = False) -> Iterator[str]:
    label, kind = action.get("label"), action.get("type")
    if not isinstance(label, str) or not label.strip() or graphemes(label) > most_label:
        yield f"action.label: 1 to {most_label}"
    if kind in _QUICK_REPLY_ONLY and not quick:
        yield f"action.type: {kind} in a quick reply only"
    if kind == "postback":
        if not 1 <= units(action.get("data", "")) <= 300:
            yield "action.data: 1 to 300"
        if graphemes(action.get("displayText", "x")) not in range(1, 301):
            yield "action.displayText: 1 to 300"
    if kind == "message" and not 1 <= graphemes(action.get("text", "")) <= 300:
        yield "action.text: 1 to 300"
    if kind == "uri" and (not re.fullmatch(r"(https?://|line://|tel:)[\x21-\x7e]+", action.get("uri", "")) or len(action["uri"]) > 1000):
        yield "action.uri"


# ---------------------------------------------------------------- rich menus


def menu_problems(menu: dict[str, Any]) -> Iterator[str]:
    """What LINE refuses of a rich menu object."""
    width, height = menu["size"]["width"], menu["size"]["height"]
    if not 800 <= width <= 2500 or height < 250 or width / height < 1.45:
        yield "size: 800 to 2500 wide, 250 or more high, ratio 1.45 or more"
    if not 1 <= graphemes(menu["chatBarText"]) <= 14:
        yield "chatBarText: 1 to 14"
    if not 1 <= graphemes(menu["name"]) <= 300:
        yield "name: 1 to 300"
    if len(menu["areas"]) > 20:
        yield "areas: 20 at most"
    for at, area in enumerate(menu["areas"]):
        bounds = area["bounds"]
        if bounds["x"] + bounds["width"] > width or bounds["y"] + bounds["height"] > height:
            yield f"areas[{at}].bounds: outside the picture"
        for problem in _action(area["action"], most_label=20):
            yield f"areas[{at}].{problem}"


def picture_problems(picture: bytes, kind: str, size: dict[str, int]) -> Iterator[str]:
    """What LINE refuses of a rich menu's picture."""
    if kind not in ("image/png", "image/jpeg"):
        yield f"content-type: {kind}"
    if len(picture) > 1_000_000:
        yield "image: larger than 1 MB"
    with Image.open(io.BytesIO(picture)) as opened:
        if opened.format != kind.removeprefix("image/").upper():
            yield "image: not what its type says"
        if opened.size != (size["width"], size["height"]):
            yield "image: not as large as the menu says"


# ---------------------------------------------------------------- Flex


def _flex(container: dict[str, Any]) -> Iterator[str]:
    if any(value is None for value in _every(container)):
        yield "contents: null"
    bubbles = container.get("contents", []) if container.get("type") == "carousel" else [container]
    if not 1 <= len(bubbles) <= 12:
        yield "contents: 1 to 12 bubbles"
    if len({bubble.get("size", "mega") for bubble in bubbles}) > 1:
        yield "contents: bubbles of one size only"
    if _bytes(container) > 50_000 or any(_bytes(bubble) > 30_000 for bubble in bubbles):
        yield "contents: too large"
    for bubble in bubbles:
        for block in ("header", "hero", "body", "footer"):
            if block in bubble:
                yield from _component(bubble[block], f"contents.{block}")


def _component(component: dict[str, Any], where: str) -> Iterator[str]:
    for name in _COLOURS & component.keys():
        if not re.fullmatch(r"#[0-9A-Fa-f]{6}([0-9A-Fa-f]{2})?", component[name]):
            yield f"{where}.{name}: not a colour"
    match component.get("type"):
        case "box":
            allowed = _CHILDREN.get(component.get("layout", ""), set())
            for at, child in enumerate(component.get("contents", [])):
                if child.get("type") not in allowed:
                    yield f"{where}.contents[{at}]: no {child.get('type')} in a {component.get('layout')} box"
                yield from _component(child, f"{where}.contents[{at}]")
            if where.endswith(("body", "footer")) and not component.get("contents"):
                yield f"{where}.contents: may not be empty"
        case "text" if not component.get("contents"):
            yield from _words(f"{where}.text", component.get("text"), 30_000)
        case "button":
            for problem in _action(component.get("action", {}), most_label=40):
                yield f"{where}.{problem}"


def _bytes(value: object) -> int:
    """As the SDK writes it: other letters than ASCII are escaped."""
    return len(json.dumps(value))


def _every(value: Any) -> Iterator[Any]:
    yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _every(child)
