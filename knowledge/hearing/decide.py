"""What to do with a message: answer with cards, ask one question, hand over to a human, or answer the danger first.

The order is the rule (D2–D6): danger, a wish for a human, a household under too much, words that say too little, then cards.
"""

from typing import Final

from knowledge.hearing.confidence import Evidence
from knowledge.hearing.model import Danger, Decision, Intent
from knowledge.hearing.weight import Weight

TOO_UNSURE: Final = 0.12
"""Below this confidence nothing found is worth showing; one question first."""
UNDERSTOOD: Final = 0.5
FEW: Final = 1
"""A message with one telling word the base knows, and as many it does not, is about something else (株価の見通し)."""
REFUSALS: Final = 2
SIDES: Final = 3
TOO_MUCH: Final = 0.45
"""Chance from which one person should take the whole. A household handed over for nothing costs a talk, one left alone with six cards costs more."""


def decide(danger: Danger, intent: Intent, told: Evidence | None, sure: float, weight: Weight) -> tuple[Decision, str]:
    """The decision, and why in one word. `told` is None when no word says what the message is about, `sure` the confidence 0–1."""
    if danger.level in ("L2", "L3"):
        return "danger", "danger"
    if intent == "human":
        return "handoff", "asks_human"
    if intent == "smalltalk":
        return "ask", "smalltalk"
    if intent == "offer":
        return "answer", "offer"
    if weight.of_many >= TOO_MUCH or (weight.sent_around and weight.refused):
        return "handoff", "gap" if turned_away(weight) else "entangled"
    if told is None:
        return "ask", "thin"
    if told.known <= FEW and told.understood <= UNDERSTOOD:
        return "ask", "strange"
    if sure < TOO_UNSURE or (danger.heard and sure < 2 * TOO_UNSURE):
        return "ask", "unsure"
    return "answer", "confident"


def turned_away(weight: Weight) -> bool:
    """The systems have refused this, more than it is many troubles at once."""
    return weight.sent_around or weight.refused >= REFUSALS or (weight.refused > 0 and weight.sides < SIDES)
