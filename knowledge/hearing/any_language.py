"""Who writes in another language is always shown a desk where it is spoken (D12): beside what was found, and before it where the finding is unsure.

Which entries those are, staff say with the tag `any-language`. A service that is right and cannot be talked to helps nobody.
"""

from typing import Final

from knowledge.hearing.asked import Part
from knowledge.hearing.index import Index
from knowledge.hearing.model import Lang

SURE: Final = 0.6
"""Chance, 0–1, of the first three from which what was found stands before the desk of all languages."""


def with_their_language(cards: tuple[str, ...], whole: Part, index: Index, lang: Lang, sure: float, most: int) -> tuple[str, ...]:
    """The cards with one such entry among the first `most`; unchanged for Japanese, without cards, and in a base that names none."""
    if lang in ("ja", "easy") or not cards or not index.any_language:
        return cards
    desks = {index.ids[entry] for entry in index.any_language}
    if sure >= SURE and desks & set(cards[:most]):
        return cards
    desk = index.ids[max(index.any_language, key=lambda entry: float(whole.scores.total[entry]))]
    others = [card for card in cards if card != desk]
    order = (*others[: most - 1], desk, *others[most - 1 :]) if sure >= SURE else (desk, *others)
    return order[: max(most, len(cards))]
