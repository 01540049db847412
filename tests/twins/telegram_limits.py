"""What Telegram refuses in a message: HTML it cannot parse, texts too long after parsing, buttons of no kind or of two (platform README)."""

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

_TAGS = {
    "b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "span", "tg-spoiler", "a", "tg-emoji", "code", "pre", "blockquote",
}  # fmt: skip
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")
_TAG = re.compile(r"</?[a-z-]+(?:\s[^<>]*)?>", re.IGNORECASE)
_ACTIONS = {
    "url", "callback_data", "web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat", "switch_inline_query_chosen_chat",
    "copy_text", "callback_game", "pay",
}  # fmt: skip


class CannotParse(Exception):
    """400 `can't parse entities`."""


def parsed(text: str, parse_mode: str | None) -> str:
    """The text as shown, without its tags; Telegram trims it at both ends."""
    if parse_mode is None:
        return text.strip()
    if parse_mode.upper() != "HTML":
        raise CannotParse("this twin reads HTML only")
    if "<" in _TAG.sub("", text) or ">" in _TAG.sub("", text):
        raise CannotParse("a bare < or >")
    if "&" in _ENTITY.sub("", text):
        raise CannotParse("a bare &")
    reader = _Reader()
    reader.feed(text)
    reader.close()
    if reader.open:
        raise CannotParse("a tag is not closed")
    return html.unescape("".join(reader.found)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            raise CannotParse(f"unsupported tag {tag}")
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise CannotParse("tags do not nest")

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_entityref(self, name: str) -> None:
        self.found.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.found.append(f"&#{name};")


def keyboard_problems(markup: dict[str, Any]) -> Iterator[str]:
    """What is wrong with an inline keyboard."""
    rows = markup.get("inline_keyboard")
    if not isinstance(rows, list) or sum(map(len, rows)) > 100 or any(not row for row in rows):
        yield "inline_keyboard"
        return
    for button in (button for row in rows for button in row):
        actions = _ACTIONS & button.keys()
        if not button.get("text", "").strip():
            yield "button text is empty"
        if len(actions) != 1:
            yield f"exactly one action, not {sorted(actions)}"
        if "callback_data" in actions and not 1 <= len(button["callback_data"].encode()) <= 64:
            yield "BUTTON_DATA_INVALID"
        if "url" in actions and not re.match(r"(https?|tg)://[^\s/]+", button["url"]):
            yield "BUTTON_URL_INVALID"
