"""How much lies on one household: on how many sides, on how many people, and how often they were sent away (D4, D5).

The lists are hardships.yaml. This decides only whether a human should take the whole; it never chooses a service.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge.hearing.phrases_seen import Flat, Phrases


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


@dataclass(frozen=True, slots=True)
class Hardships:
    """The lists of hardships.yaml, compiled."""

    areas: dict[str, Phrases]
    sides: dict[str, str]
    """By area: the side it counts as; an area of its own otherwise."""
    people: dict[str, Phrases]
    refused: Phrases
    sent_around: Phrases
    too_much: Phrases

    @classmethod
    def of(cls, lists: Mapping[str, Any]) -> "Hardships":
        sides = {str(area): str(side) for side, areas in lists["sides"].items() for area in areas}
        refused, around, too_much = (Phrases.of(lists[name]) for name in ("refused", "sent_around", "too_much"))
        return cls(_by_name(lists["areas"]), sides, _by_name(lists["people"]), refused, around, too_much)

    def weigh(self, even: Flat) -> Weight:
        """Counts over a Japanese text, given `flat` (a foreign one goes through the glossary first)."""
        areas = frozenset(name for name, words in self.areas.items() if words.any(even))
        return Weight(
            areas,
            len({self.sides.get(area, area) for area in areas}),
            sum(words.any(even) for words in self.people.values()),
            len(self.refused.seen(even)),
            self.sent_around.any(even),
            self.too_much.any(even),
        )


def _by_name(lists: Mapping[str, Sequence[str]]) -> dict[str, Phrases]:
    return {name: Phrases.of(words) for name, words in lists.items()}
