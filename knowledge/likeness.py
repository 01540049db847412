"""Whether a sentence was copied from a resident: an example is always in our own words (D15c). Pure."""

import re
from difflib import SequenceMatcher
from typing import Final

from knowledge.hearing.normalise import hiragana, plain

LONGEST_RUN: Final = 10
"""Letters in a row that two people may well write alike."""
_SHORTEST: Final = 8
"""Letters below which a sentence is everybody's (眠れない)."""
_PIECE, _MOST_SHARED = 4, 0.8
"""A sentence is also copied when pieces this long, put together, make up this share of it: a word changed in the middle hides nothing."""
_NAMES_SOMEBODY: Final = re.compile(r"\d[\d\-ー−ｰ]{4,}\d|\S+@\S+|\d+(?:号室|番地|丁目)")


def copied(words: str, said: str) -> int:
    """Letters in a row that are the resident's own, kana and width made alike; 0 when the sentence is far enough from what was said."""
    ours, theirs = _letters(words), _letters(said)
    blocks = [block.size for block in SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()]
    run, shared = max(blocks), sum(size for size in blocks if size >= _PIECE)
    return run if run > LONGEST_RUN or (len(ours) >= _SHORTEST and shared >= _MOST_SHARED * len(ours)) else 0


def names_somebody(words: str) -> str | None:
    """A telephone number, a house or a mail address: what an example never holds. None when there is none."""
    found = _NAMES_SOMEBODY.search(words)
    return None if found is None else found[0]


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", hiragana(plain(text).text))
