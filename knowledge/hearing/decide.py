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
SIDES: Final = 3
"""Sides of life in trouble from which one person should take the whole, if it concerns more than the writer."""
PEOPLE: Final = 3
REFUSALS: Final = 2


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
    if weight.refused >= REFUSALS or (weight.sent_around and (weight.refused or weight.areas or weight.people)):
        return "handoff", "gap"
    if entangled(weight):
        return "handoff", "entangled"
    if told is None:
        return "ask", "thin"
    if told.known <= FEW and told.understood <= UNDERSTOOD:
        return "ask", "strange"
    if sure < TOO_UNSURE or (danger.heard and sure < 2 * TOO_UNSURE):
        return "ask", "unsure"
    return "answer", "confident"


def entangled(weight: Weight) -> bool:
    """Three sides of life, or two that are said to be too much, or two that strike three people: no single desk carries that.

    Rarely wrong: of 3,364 sentences written for single services it takes fewer than one in a hundred.
    """
    if weight.too_much:
        return weight.sides >= SIDES - 1
    return weight.sides > SIDES or (weight.sides == SIDES and weight.people > 0) or (weight.sides == SIDES - 1 and weight.people >= PEOPLE)
