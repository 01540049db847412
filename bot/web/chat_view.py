"""What the chat page shows of a talk: rows read in one work, then turned into plain values for the templates."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal
from urllib.parse import quote

from sqlmodel import Session as Rows

from bot.channels.port import Outgoing
from bot.clock import JST
from bot.posting import SIGNPOST
from bot.web.chrome import Chrome
from flows import ROOM
from flows.model import Button, Card, Reply
from storage import talk as talks
from storage import visitors
from storage.talk import Line, Talk
from storage.visitors import Shown

NEWEST = 200
"""Lines a page shows unless the whole talk is asked for: a page stays small on an old phone."""
_LOOK_BACK = 30
"""Lines read before the new ones: they hold the labels of the buttons that were pressed, and the day."""

_RUBY = re.compile(r"([㐀-鿿々〆ヶ]+)（([ぁ-ゖー]+)）")


@dataclass(frozen=True)
class Seen:
    """A talk as it stood at one moment. `lines` are those after `after`, with some before them to understand them."""

    talk: Talk
    lines: tuple[Line, ...]
    after: int
    shown: Shown
    first: int = 0
    """Lines up to this number stay hidden from this visit (R13)."""


@dataclass(frozen=True)
class Link:
    """A button as the page draws it: `value` is posted, `href` is followed, `number` stands beside its label; `leaves` is すぐ閉じる (D6d)."""

    label: str
    value: str = ""
    href: str | None = None
    number: str = ""
    leaves: bool = False


@dataclass(frozen=True)
class CardShown:
    title: str
    reason: str
    lines: tuple[str, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True)
class BubbleShown:
    text: str
    cards: tuple[CardShown, ...] = ()


@dataclass(frozen=True)
class LineShown:
    """One line: who, when, what. `day` is set where a new day begins; `answers` only under the newest line."""

    seq: int
    who: Literal["bot", "resident", "staff"]
    name: str
    at: str
    time: str
    day: str | None
    bubbles: tuple[BubbleShown, ...]
    answers: tuple[Link, ...] = ()
    state: Literal["arrived", "read"] | None = None
    gone: bool = False
    """Its words were taken back: what an open page still shows of them must go (D11)."""


# ---------------------------------------------------------------- reading


def see(rows: Rows, talk: Talk, *, after: int | None, whole: bool = False, first: int = 0) -> Seen:
    """Read the lines after number `after`; None: the newest, or all of them. Never those up to `first`."""
    start = max(first, after if after is not None else 0 if whole else talk.last_seq - NEWEST)
    found: list[Line] = []
    while more := talks.lines(rows, talk.id, after=found[-1].seq if found else max(0, start - _LOOK_BACK)):
        found.extend(more)
    return Seen(talk, tuple(found), start, visitors.shown(rows, talk.id), first)


# ---------------------------------------------------------------- showing


def lines_of(seen: Seen, chrome: Chrome, *, away: str = "") -> list[LineShown]:
    """The lines a page or a fragment shows, oldest first. A button that leads to the neutral site `away` leaves the page as すぐ閉じる does."""
    labels: dict[str, str] = {}
    day: date | None = None
    found: list[LineShown] = []
    lines = [line for line in seen.lines if line.kind != SIGNPOST]
    newest = lines[-1].seq if lines else 0
    for line in lines:
        outgoing = _outgoing(line, labels, chrome)
        labels |= {button.value: button.label for button in _buttons(outgoing)}
        gone_too = line.body is None and bool(found) and found[-1].gone  # one mark for all that was erased together
        if line.kind == "follow" or not outgoing.bubbles or gone_too:
            continue
        today = line.at.astimezone(JST).date()
        if line.seq > seen.after:
            answers = [button for button in outgoing.buttons if button.value != ROOM] if line.seq == newest else []
            found.append(_line(line, outgoing, seen.shown, chrome, None if today == day else today, tuple(_link(one, away) for one in answers)))
        day = today
    return _with_state(found, seen.shown.read_seq)


def _with_state(lines: list[LineShown], read_seq: int) -> list[LineShown]:
    """Say under the resident's newest words whether staff have read them: 届きました → 職員が読みました."""
    own = max((line.seq for line in lines if line.who == "resident"), default=0)
    state: Literal["read", "arrived"] = "read" if own <= read_seq else "arrived"
    return [replace(line, state=state) if line.seq == own else line for line in lines]


def newest_of(seen: Seen, lines: Sequence[LineShown]) -> int:
    """Where a page opened at #newest begins to be read: at the resident's last words, or at what answered a wish that shows no words."""
    own = max((line.seq for line in seen.lines if line.author == "resident"), default=0)
    return next((line.seq for line in lines if line.seq >= own), lines[-1].seq if lines else 0)


def _line(line: Line, outgoing: Outgoing, shown: Shown, chrome: Chrome, day: date | None, answers: tuple[Link, ...]) -> LineShown:
    at = line.at.astimezone(JST)
    who: Literal["bot", "resident", "staff"] = "resident" if line.author == "resident" else "staff" if line.author == "staff" else "bot"
    names = {"bot": chrome.who_bot, "resident": chrome.who_resident}
    name = names.get(who) or outgoing.speaker or shown.names.get(line.staff_id or "", chrome.who_staff)
    return LineShown(
        seq=line.seq, who=who, name=name, at=at.isoformat(timespec="minutes"), time=chrome.time_of(at),
        day=None if day is None else chrome.day_of(day), bubbles=tuple(_bubble(reply) for reply in outgoing.bubbles),
        answers=answers, gone=line.body is None,
    )  # fmt: skip


def _outgoing(line: Line, labels: dict[str, str], chrome: Chrome) -> Outgoing:
    """What a line says, whoever wrote it, in one shape. Words that were taken back leave a mark."""
    if line.body is None:
        return _words(chrome.erased)
    body = json.loads(line.body)
    if "text" not in body:
        return Outgoing.model_validate(body)
    return _words(body["text"] or labels.get(body.get("button", ""), ""))


def _words(text: str) -> Outgoing:
    return Outgoing(bubbles=(Reply(text=text),)) if text else Outgoing()


def _buttons(outgoing: Outgoing) -> list[Button]:
    on_cards = [button for reply in outgoing.bubbles for card in reply.cards for button in card.buttons]
    return [button for button in (*on_cards, *outgoing.buttons) if button.value]


def _bubble(reply: Reply) -> BubbleShown:
    return BubbleShown(reply.text, tuple(_card(card) for card in reply.cards))


def _card(card: Card) -> CardShown:
    return CardShown(card.title, card.reason, card.lines, tuple(_link(button) for button in card.buttons))


def _link(button: Button, away: str = "") -> Link:
    if button.url and button.url == away:
        return Link(button.label, leaves=True)
    if button.tel:
        return Link(button.label, href=tel_href(button.tel), number=button.tel)
    if button.url and button.url.startswith(("https://", "http://", "/?")):
        return Link(button.label, href=button.url)
    return Link(button.label, value=button.value)


def tel_href(number: str) -> str:
    """The link of a telephone number; `#7119` needs its mark written as %23."""
    return "tel:" + quote(re.sub(r"[^0-9#*+]", "", number), safe="+*")


def ruby(text: str, lang: str) -> list[tuple[str, str]]:
    """Cut a text into (words, furigana): in easy, 家（いえ） is read above the word; elsewhere the text is one piece (desk.md §1)."""
    if lang != "easy":
        return [(text, "")]
    pieces: list[tuple[str, str]] = []
    at = 0
    for found in _RUBY.finditer(text):
        pieces.append((text[at : found.start()], ""))
        pieces.append((found[1], found[2]))
        at = found.end()
    pieces.append((text[at:], ""))
    return [piece for piece in pieces if piece[0]]

