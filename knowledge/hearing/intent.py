"""What somebody came for: help, to offer, to know, a human, or to say hello. The lists are intents.yaml; only their order is here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from knowledge.hearing.model import Intent
from knowledge.hearing.normalise import hiragana
from knowledge.hearing.phrases_seen import Flat, Phrases

_BETWEEN_GREETINGS = re.compile(r"[\s、。,.!?！？~〜ー・…]+")
LONGEST_SMALLTALK = 40


@dataclass(frozen=True, slots=True)
class Intents:
    """The lists of intents.yaml, compiled."""

    human: Phrases
    offer: Phrases
    not_offer: Phrases
    info: Phrases
    trouble: Phrases
    greetings: frozenset[str]
    broad: frozenset[str]
    """Words in normal form that alone do not say what a message is about (D3)."""

    @classmethod
    def of(cls, lists: Mapping[str, Any]) -> "Intents":
        return cls(
            Phrases.of(lists["human"]),
            Phrases.of(lists["offer"]),
            Phrases.of(lists["not_offer"]),
            Phrases.of(lists["info"]),
            Phrases.of(lists["trouble"]),
            frozenset(_pieces(str(greeting))[0] for greeting in lists["smalltalk"]),
            frozenset(str(lists["broad"]).split()),
        )

    def intent(self, even: Flat) -> Intent:
        """The intent of a message, given `flat`; `help` when nothing else is said."""
        if self.human.any(even):
            return "human"
        if self.offer.any(even) and not self.not_offer.any(even):
            return "offer"
        if self._only_greets(even):
            return "smalltalk"
        if self.info.any(even) and not self.trouble.any(even):
            return "info"
        return "help"

    def _only_greets(self, even: Flat) -> bool:
        return len(even) <= LONGEST_SMALLTALK and all(piece in self.greetings for piece in _pieces(even) if piece)


def _pieces(text: str) -> list[str]:
    """Greetings of a text one by one; an English one may be two words."""
    text = text.strip().lower()
    if text.isascii():
        return [text.rstrip(".!?")]
    return [hiragana(piece) for piece in _BETWEEN_GREETINGS.split(text)]
