"""Keys: one number for every sign that may point to a service, so that a whole message is looked up at once.

The kind of a sign stands in the uppermost byte, what it is in the rest. Words are hashed (two of a base's words sharing a key would take many
millions of words); runs of sounds and letters carry their characters, 16 bits each.
"""

import hashlib
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.int64]

WORD: Final = 1
"""A word in normal form."""
SYNONYM: Final = 2
"""A group of the town's synonyms."""
TWO: Final = 3
"""Two sounds in a row, and three."""
THREE: Final = 4
AGE: Final = 5
"""An age in numbers, as a band."""
DICTIONARY: Final = 6
"""A synonym group of the dictionary."""
KANJI: Final = 7
"""One kanji of a name."""
TRANSLATED: Final = 8
"""A word of a translation."""
KINDS: Final = 9

_KIND_AT: Final = 56
_LETTER: Final = 16
NO_KEYS: Final[Keys] = np.zeros(0, np.int64)
_FIRST: Final = np.ones(1, bool)


def kinds(keys: Keys) -> Keys:
    """The kind of every key."""
    return keys >> _KIND_AT


def digest(text: str) -> int:
    """A text as a number of 56 bits."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=7).digest(), "big")


@lru_cache(maxsize=65_536)
def named(kind: int, name: str) -> int:
    """The key of a sign that is known by a name."""
    return kind << _KIND_AT | digest(name)


def numbered(kind: int, number: int) -> int:
    """The key of a sign that is known by a number."""
    return kind << _KIND_AT | number


def once(keys: Keys) -> Keys:
    """Each key once, ascending."""
    ordered = np.sort(keys)
    return np.asarray(ordered[np.concatenate((_FIRST[: len(keys)], ordered[1:] != ordered[:-1]))], np.int64)


def letters(text: str) -> Keys:
    """The characters of a text as numbers of 16 bits."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64) & 0xFFFF


def runs(codes: Keys, size: int, kind: int = 0) -> Keys:
    """All runs of `size` neighbours (1 to 3), from first to last."""
    if len(codes) < size:
        return NO_KEYS
    last = len(codes) - size + 1
    run = np.full(last, kind << _KIND_AT, np.int64)
    for place in range(size):
        run |= codes[place : place + last] << _LETTER * (size - 1 - place)
    return run
