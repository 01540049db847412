"""What to do with a message: answer with cards, ask one question, hand over to a human, or answer the danger first.

Danger goes before everything (D2). The rest is weighed at once: what the message is after (aims.py), how much lies on the household (weight.py), and
how sure the ranking is. The weights were learnt from messages that counsellors would answer, ask about or take over (bot/bench/deciding.py).
"""

from dataclasses import dataclass
from functools import lru_cache
from math import log, log1p
from typing import Final

import numpy as np

from knowledge.hearing.aims import AIMS, TABLE, Aim
from knowledge.hearing.confidence import Evidence
from knowledge.hearing.model import Danger, Decision, Intent
from knowledge.hearing.rank.postings import Floats
from knowledge.hearing.weight import Weight

CHOICES: Final[tuple[Decision, ...]] = ("answer", "ask", "handoff")
TO_ASK: Final = -0.2
TO_A_HUMAN: Final = (0.2, 0.8)
"""Added to the points of asking, and of handing over trouble on one side of life and on several: to be asked about what was said clearly is
worse than three cards for a vague word, and a household left alone with cards costs more than one that a human need not have taken. Of 620
messages by writers who are only counted .91 of what a human should take (111) reaches one, and .02 of what cards answer."""
OFFERS: Final = (-0.3, 0.6, 2.4, -2.0)
"""An offer is heard where these, times (1, its odds, listed as one, listed as a wish), add up to more than nothing: of 1,717 messages by writers
left out 30 were taken for an offer; .68 of the offers (80) are heard. Whoever is in need is not to be thanked for helping."""
TOO_UNSURE: Final = 0.24
"""Where danger may lie in it, below this confidence one question comes first."""
FARTHEST: Final = 9.0
REFUSALS: Final = 2
SIDES: Final = 3
_STRANGER: Final[tuple[Aim, ...]] = ("offer", "human", "vague", "chat", "elsewhere")
_LISTED: Final[tuple[Intent, ...]] = ("human", "offer", "smalltalk", "info")


@dataclass(frozen=True, slots=True)
class Clues:
    """What a decision is made of."""

    listed: Intent
    """By the phrases of intents.yaml."""
    aims: Floats
    """Points by AIMS."""
    weight: Weight
    told: Evidence | None
    """None when no word says what the message is about."""
    sure: float
    """Chance, 0–1, that one of three cards is a right first door."""
    wishes: bool = False
    """A phrase of those who ask for what others give was met (not_offer)."""
    by_name: bool = False
    """Nothing was written but the name of a service."""
    interpreted: bool = False
    """A desk where the writer's language is spoken is shown in any case (any_language.py): what is not sure is shown beside it, not asked about."""

    def odds(self) -> Floats:
        """Of every aim but help, against all others: natural logarithms, within FARTHEST."""
        top = self.aims.max()
        shares = np.exp(self.aims - top)
        shares = (shares / shares.sum())[1:].clip(1e-6, 1 - 1e-6)
        return np.asarray(np.log(shares / (1 - shares)).clip(-FARTHEST, FARTHEST), np.float32)

    def features(self) -> list[float]:
        sure = min(max(self.sure, 1e-3), 1 - 1e-3)
        understood, known = (self.told.understood, self.told.known) if self.told else (0.0, 0)
        ranking = [log(sure / (1 - sure)), self.told is None, understood, log1p(known), known <= 1 and understood <= 1 / 2]
        return [*self.odds().tolist(), *map(float, ranking), *self.weight.counts(), *(float(self.listed == intent) for intent in _LISTED)]

    def likeliest(self, *among: Aim) -> Aim:
        """The aim with the most points."""
        return max(among or AIMS, key=lambda aim: float(self.aims[AIMS.index(aim)]))


def chances(clues: Clues) -> Floats:
    """Chance, 0–1, of each of CHOICES."""
    points = _points(clues)
    shares = np.exp(points - points.max())
    return np.asarray(shares / shares.sum(), np.float32)


def decide(danger: Danger, clues: Clues) -> tuple[Decision, str, Intent]:
    """The decision, why in one word, and what was come for."""
    if danger.level in ("L2", "L3"):
        return "danger", "danger", clues.listed
    if clues.listed == "human":
        return "handoff", "asks_human", "human"
    if clues.listed == "smalltalk":
        return "ask", "smalltalk", "smalltalk"
    if _offers(clues):
        return "answer", "offer", "offer"
    intent: Intent = clues.listed if clues.listed == "info" else "help"
    choice = CHOICES[int((_points(clues) + _leaning(clues)).argmax())]
    if clues.weight.sent_around and clues.weight.refused:  # before "human": who was sent from desk to desk asks for a person, too
        return "handoff", "gap", intent
    if clues.likeliest() == "human" or (choice == "handoff" and clues.likeliest("human", "whole") == "human"):
        return "handoff", "asks_human", "human"
    if choice == "handoff":
        return "handoff", "gap" if turned_away(clues.weight) else "entangled", intent
    if choice == "ask" and clues.told is not None and clues.likeliest() == "chat" and not clues.by_name:
        return "ask", "smalltalk", "smalltalk"
    if (choice == "ask" and not (clues.interpreted or clues.by_name)) or clues.told is None:
        return "ask", "thin" if clues.told is None else "strange" if clues.likeliest() == "elsewhere" else "unsure", intent
    if danger.heard and clues.sure < TOO_UNSURE:
        return "ask", "unsure", intent
    return "answer", "confident", intent


def turned_away(weight: Weight) -> bool:
    """The systems have refused this, more than it is many troubles at once."""
    return weight.sent_around or weight.refused >= REFUSALS or (weight.refused > 0 and weight.sides < SIDES)


def _offers(clues: Clues) -> bool:
    """Heard in the words, or in what they mean; a word or two that is stranger than an offer (the game last night) is none."""
    usual, by_odds, by_list, by_wish = OFFERS
    listed = clues.listed == "offer"
    if not listed and clues.likeliest(*_STRANGER) != "offer":
        return False
    return usual + by_odds * float(clues.odds()[AIMS.index("offer") - 1]) + by_list * listed + by_wish * clues.wishes > 0


def _leaning(clues: Clues) -> Floats:
    return np.array((0.0, TO_ASK, TO_A_HUMAN[clues.weight.sides > 1]), np.float32)


def _points(clues: Clues) -> Floats:
    usual, weights = _weights()
    return np.asarray(usual + np.array(clues.features(), np.float32) @ weights, np.float32)


@lru_cache(maxsize=1)
def _weights() -> tuple[Floats, Floats]:
    """Points of each choice before anything is known, and by feature."""
    with np.load(TABLE) as kept:
        return kept["choice_bias"], kept["choice"]
