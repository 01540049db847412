"""What is weighed in writing that parts its words (English, Portuguese, Vietnamese …): words, two in order, and pieces that endings share."""

import re
from itertools import pairwise
from typing import Final, NamedTuple

EDGE: Final = "_"
PIECES: Final = (4, 5)
"""Letters of the pieces of a word, its edges marked (golpea, golpeó, golpeando)."""
_WORD = re.compile(r"[^\W\d_]+(?:'[a-z]+)?")


class Spelled(NamedTuple):
    """The parts of a text in lower case."""

    words: list[str]
    pairs: list[tuple[str, str]]
    """Every two neighbours."""
    pieces: list[str]
    """Of every different word."""


def spelled(text: str) -> Spelled:
    """A text taken apart."""
    words = _WORD.findall(text)
    edged = {f"{EDGE}{word}{EDGE}" for word in words}
    pieces = [word[at : at + size] for word in edged for size in PIECES for at in range(len(word) - size + 1)]
    return Spelled(words, list(pairwise(words)), pieces)
