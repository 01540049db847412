"""What flows know of a town, and how a phrase gets its slots: the town's name, its hours, and telephone lines from the verified list only (G8)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from flows import moments
from flows.phrasebook import SLOT, Phrasebook, Phrases, phrasebook, typed_anywhere
from knowledge.base import Base
from knowledge.hearing.model import Lang
from knowledge.hotlines import Hotline

_NOT_IN_BRACKETS: Final = re.compile(r"[（(].*")
_TOHOKU: Final = ("岩手", "宮城", "福島")
_BY_TELEPHONE_ALWAYS: Final = "電話24時間"
"""A line with shorter hours on other ways: what is shown is its telephone."""
_ALL_OF: Final = "+"
_MOST_HOURS: Final = 14
"""Letters of hours said inside a bubble; longer ones stand on the card only."""


@dataclass(frozen=True)
class Town:
    """What flows know of a town: its knowledge, and its words."""

    base: Base
    phrases: Phrasebook

    @cached_property
    def typed_words(self) -> Mapping[str, frozenset[str]]:
        """What residents type, by meaning."""
        return typed_anywhere(self.phrases)

    @cached_property
    def typed_parts(self) -> Mapping[str, tuple[tuple[str, ...], ...]]:
        """The same, the longest first, each as the parts that must all stand in what was typed: 「誰+読」."""
        return {name: tuple(tuple(one.split(_ALL_OF)) for one in sorted(words, key=len, reverse=True)) for name, words in self.typed_words.items()}

    def words(self, lang: Lang) -> Phrases:
        """The words of a language; one that is only recognised gets やさしい日本語."""
        return self.phrases.get(lang) or self.phrases["easy"]

    def wordings(self, key: str, lang: Lang) -> tuple[str, ...]:
        found = self.words(lang).says.get(key) or self.phrases["ja"].says.get(key)
        if not found:
            raise KeyError(key)
        return found

    def label(self, name: str, lang: Lang) -> str:
        return self.words(lang).buttons.get(name) or self.phrases["ja"].buttons[name]

    def typed(self, name: str) -> frozenset[str]:
        """What residents type for one meaning, in any language, in normal form."""
        return self.typed_words.get(name, frozenset())

    def line(self, hotline_id: str) -> Hotline | None:
        """A national line that may be shown here; よりそい has a number of its own in three prefectures."""
        here = self.base.town.prefecture or ""
        if hotline_id == "yorisoi" and here.startswith(_TOHOKU):
            hotline_id = "yorisoi-tohoku"
        found = self.base.hotlines.get(hotline_id)
        return found if found is not None and found.may_be_shown else None


def load_town(base: Base) -> Town:
    """The town of a base, with its own phrases laid over ours. Raises `BrokenBase` when those cannot be used."""
    return Town(base, phrasebook(base.folder))


def fill(wording: str, slots: Mapping[str, str], lang: Lang, town: Town) -> str:
    """A wording with its slots filled. Raises KeyError for a slot nobody fills: our bug."""

    def value(name: str) -> str:
        if name in slots:
            return slots[name]
        kind, _, which = name.partition(".")
        match kind:
            case "hotline":
                return line_in_words(which, lang, town)
            case "line":
                return line_name(which, lang, town)
            case "town":
                return town.base.town.name
            case "desk":
                return town.base.town.desk_name
            case "retention":
                return town.base.town.retention
            case "hours":
                return moments.weekly(town.base.town.hours, town.words(lang).clock) or town.words(lang).clock["unknown"]
        raise KeyError(name)

    return SLOT.sub(lambda found: value(found[1]), wording)


def filled(town: Town, key: str, lang: Lang) -> str:
    """A phrase outside any talk, for a profile or a menu."""
    return fill(town.wordings(key, lang)[0], {}, lang, town)


def line_name(hotline_id: str, lang: Lang, town: Town) -> str:
    """The short spoken name of a line, else its own without what stands in brackets."""
    known = town.words(lang).lines.get(hotline_id)
    hotline = town.base.hotlines.get(hotline_id)
    return known or (_NOT_IN_BRACKETS.sub("", hotline.name) if hotline else "")


def line_in_words(hotline_id: str, lang: Lang, town: Town) -> str:
    """よりそいホットライン 0120-279-338（24時間・無料）. A line that may not be shown here leaves only its name."""
    hotline = town.line(hotline_id)
    if hotline is None or hotline.number is None:
        return line_name(hotline_id, lang, town)
    said = f"{line_name(hotline_id, lang, town)} {hotline.number}"
    if hotline.category == "emergency":
        return said
    facts = line_facts(hotline, lang, town)
    return said + town.words(lang).clock["brackets"].replace("{text}", facts) if facts else said


def line_facts(hotline: Hotline, lang: Lang, town: Town) -> str:
    """24時間・無料: hours only when they are confirmed (G8)."""
    clock = town.words(lang).clock
    hours = hotline.known_hours
    facts = []
    if hotline.always_open or (hours or "").startswith(_BY_TELEPHONE_ALWAYS):
        facts.append(clock["always"])
    elif hours is not None and lang == "ja" and len(hours) <= _MOST_HOURS:
        facts.append(hours)
    if hotline.free:
        facts.append(clock["free"])
    return clock["and"].join(facts)


def lines_in_words(hotline_ids: Sequence[str], lang: Lang, town: Town) -> str:
    """At most two lines (D6), one under the other, left out where they may not be shown."""
    shown = [hotline_id for hotline_id in hotline_ids if (line := town.line(hotline_id)) is not None and line.number]
    return "\n".join(line_in_words(hotline_id, lang, town) for hotline_id in shown[:2])
