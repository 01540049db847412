"""What somebody came for: help, to offer, to know, a human, or to say hello. The lists are intents.yaml; only their order is here."""

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any, Final

from knowledge.hearing.model import Intent
from knowledge.hearing.normalise import hiragana
from knowledge.hearing.phrases_seen import Flat, Phrases

_BETWEEN_GREETINGS = re.compile(r"[\s、。,.!?！？~〜ー・…]+")
LONGEST_SMALLTALK = 40
LISTS: Final = ("human", "not_human", "offer", "not_offer", "info", "trouble")


@dataclass(frozen=True, slots=True)
class Intents:
    """The lists of intents.yaml, compiled."""

    phrases: Phrases
    """The lists of LISTS."""
    greetings: frozenset[str]
    broad: frozenset[str]
    """Words in normal form that alone do not say what a message is about (D3)."""

    @classmethod
    def of(cls, lists: Mapping[str, Any]) -> "Intents":
        return cls(
            Phrases.of({name: lists[name] for name in LISTS}),
            frozenset(_pieces(str(greeting))[0] for greeting in lists["smalltalk"]),
            frozenset(str(lists["broad"]).split()),
        )

    def intent(self, even: Flat, met: Set[str] | None = None) -> Intent:
        """The intent of a message, given `flat`, and its lists where they were looked for already; `help` when nothing else is said."""
        met = self.phrases.met(even) if met is None else met
        if "human" in met and "not_human" not in met:
            return "human"
        if "offer" in met and "not_offer" not in met:
            return "offer"
        if self._only_greets(even):
            return "smalltalk"
        if "info" in met and "trouble" not in met:
            return "info"
        return "help"

    def in_trouble(self, even: Flat) -> bool:
        """A word of trouble stands in it."""
        return "trouble" in self.phrases.met(even)

    def _only_greets(self, even: Flat) -> bool:
        return len(even) <= LONGEST_SMALLTALK and all(piece in self.greetings for piece in _pieces(even) if piece)


def _pieces(text: str) -> list[str]:
    """Greetings of a text one by one; an English one may be two words."""
    text = text.strip().lower()
    if text.isascii():
        return [text.rstrip(".!?")]
    return [hiragana(piece) for piece in _BETWEEN_GREETINGS.split(text)]
