"""How much lies on one household: on how many sides, on how many people, and how often they were sent away (D4, D5).

The lists are hardships.yaml. This decides only whether a human should take the whole; it never chooses a service.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log1p
from typing import Any, Final

from knowledge.hearing.breadth import NARROW, Breadth
from knowledge.hearing.normalise import cut, plain
from knowledge.hearing.phrases_seen import Flat, Phrases

MOST_REFUSALS: Final = 3
SHORTEST_SOUND: Final = 4
"""Sounds from which a phrase written in kanji is also listened for in a text of kana; shorter ones stand inside other words."""
MOSTLY_KANA: Final = 0.12
"""Share of kanji below which a text is read by ear."""

OTHERS: Final = ("refused", "sent_around", "too_much")
"""Lists beside those of areas and people."""

_KANJI = re.compile(r"[一-龠]")


@dataclass(frozen=True, slots=True)
class Weight:
    """What was counted in one message."""

    areas: frozenset[str]
    sides: int
    """Areas counted together where one brings the other (work and money)."""
    people: int
    refused: int
    sent_around: bool
    too_much: bool
    """Says that one desk, or one person, cannot carry it."""
    length: int
    """Characters: much that is told in few words weighs more."""
    breadth: Breadth = NARROW

    def counts(self) -> list[float]:
        """What a decision is made of. People and refusals weigh more where several sides are in trouble."""
        sides, refused = self.sides, min(self.refused, MOST_REFUSALS)
        return [
            sides, max(sides - 2, 0), self.people, sides * bool(self.people), refused, sides * bool(refused),
            self.sent_around, self.too_much, sides * self.too_much, log1p(self.length), *self.breadth,
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hardships:
    """The lists of hardships.yaml, compiled."""

    phrases: Phrases
    """The lists of areas and people by their names, and the three others."""
    areas: tuple[str, ...]
    sides: dict[str, str]
    """By area: the side it counts as; an area of its own otherwise."""
    people: tuple[str, ...]
    by_ear: "Hardships | None" = None
    """The same lists with the sound of every phrase: for who writes in hiragana."""

    @classmethod
    def of(cls, lists: Mapping[str, Any]) -> "Hardships":
        areas, people = tuple(lists["areas"]), tuple(f"person {name}" for name in lists["people"])
        named = lists["areas"] | dict(zip(people, lists["people"].values(), strict=True)) | {name: lists[name] for name in OTHERS}
        sides = {str(area): str(side) for side, areas in lists["sides"].items() for area in areas}
        heard = {name: [*phrases, *_sounds(phrases)] for name, phrases in named.items()}
        by_ear = cls(Phrases.of(heard), areas, sides, people)
        return cls(Phrases.of(named), areas, sides, people, by_ear)

    def weigh(self, even: Flat) -> Weight:
        """Counts over a Japanese text, given `flat` (a foreign one goes through the glossary first)."""
        if self.by_ear is not None and len(_KANJI.findall(even)) < MOSTLY_KANA * len(even):
            return self.by_ear.weigh(even)
        met = self.phrases.met(even)
        areas = met.intersection(self.areas)
        return Weight(
            frozenset(areas),
            len({self.sides.get(area, area) for area in areas}),
            len(met.intersection(self.people)),
            len(self.phrases.seen("refused", even)) if "refused" in met else 0,
            "sent_around" in met,
            "too_much" in met,
            len(even),
        )

    def side(self, even: Flat) -> str | None:
        """The first area, in the order of the list, that a short text is about; `too_much` where it only says that; None for neither."""
        met = self.phrases.met(even)
        return next((name for name in (*self.areas, "too_much") if name in met), None)


def _sounds(phrases: Sequence[str]) -> list[str]:
    """The phrases that have kanji, as they sound."""
    heard = ["…".join(cut(plain(part)).sound for part in phrase.split("…")) for phrase in phrases if _KANJI.search(phrase)]
    return [sound for sound in heard if len(sound) >= SHORTEST_SOUND]
