"""The doors of the menu that are no worry: お知らせ, 居場所, 手伝いたい. Public facts, so they need no consent and leave the open question open."""

from collections.abc import Iterable
from datetime import date

from flows import helper
from flows.cards import MOST_CARDS, cards
from flows.model import Reply, Turn
from flows.talk import Talk
from knowledge.calendar import is_full, takes_place
from knowledge.entry import Entry
from knowledge.hours import next_meeting


def door(talk: Talk, name: str) -> Turn:
    """One door of the menu by its name."""
    match name:
        case "news":
            return news(talk)
        case "places":
            return places(talk)
        case _:
            return helper.begin(talk)


def news(talk: Talk) -> Turn:
    """What comes up next, soonest first; what is full last."""
    soon = sorted((moment, entry.id) for entry in _open(talk) if (moment := _next(talk, entry)) is not None)
    with_room = sorted(soon, key=lambda one: not _has_room(talk, one[1], one[0]))
    return _shown(talk, [entry_id for _, entry_id in with_room], "news")


def places(talk: Talk) -> Turn:
    """Where somebody can go: places that meet soon first, then those without dates, the town's own before the national kinds."""
    found = [entry for entry in _open(talk) if entry.kind == "place" and entry.domain in ("sanka", "koritsu")]
    found.sort(key=lambda entry: (not entry.contacts, _next(talk, entry) or date.max, entry.id))
    return _shown(talk, [entry.id for entry in found], "place")


def _shown(talk: Talk, ids: Iterable[str], kind: str) -> Turn:
    shown = cards(talk, list(ids)[:MOST_CARDS], {}, f"card.{kind}")
    key = {"news": "news", "place": "places"}[kind]
    said = talk.says(f"board.{key}" if shown else f"board.no_{key}")
    return talk.stay(Reply(text=said.text, key=said.key, cards=shown), also=("!human",))


def _open(talk: Talk) -> list[Entry]:
    return [entry for entry in talk.town.base.entries.values() if entry.shown_on(talk.scene.now.date())]


def _has_room(talk: Talk, entry_id: str, day: date) -> bool:
    return any(not is_full(event, day) for event in talk.town.base.entries[entry_id].events if takes_place(event, day))


def _next(talk: Talk, entry: Entry) -> date | None:
    days = [found for event in entry.events if (found := next_meeting(event, talk.scene.now)) is not None]
    return min(days, default=None)
