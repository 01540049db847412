"""How near two short texts are that both say what somebody can do or needs: by letters they share, and by the services both lead to."""

from typing import Final

from flows.filling import Town
from flows.typed import plain

_DEEP: Final = 6
"""So many services of each text are compared."""
_WORTH: Final = 0.25
"""Below this two texts have nothing in common."""


def kin(town: Town, one: str, other: str) -> float:
    """0 (nothing in common) to 2 (the same words, the same services)."""
    led, lead = _services(town, one), _services(town, other)
    services = len(led & lead) / min(len(led), len(lead)) if led and lead else 0.0
    return letters_shared(one, other) + services


def letters_shared(one: str, other: str) -> float:
    """Share of the shorter text's pairs of letters that stand in the other too."""
    first, second = _pairs(one), _pairs(other)
    return len(first & second) / min(len(first), len(second)) if first and second else 0.0


def is_near(town: Town, one: str, other: str) -> bool:
    """Whether a coordinator, or the bot, should show one beside the other."""
    return kin(town, one, other) >= _WORTH


def _pairs(text: str) -> frozenset[str]:
    short = plain(text)
    return frozenset(short[at : at + 2] for at in range(len(short) - 1))


def _services(town: Town, text: str) -> frozenset[str]:
    return frozenset(match.id for match in town.base.hearing.rank(text, limit=_DEEP)) if text.strip() else frozenset()
