"""What a message is after, learnt from sentences: help, to give, a human, and what no card answers.

A list of phrases hears the offers of those who wrote it. Here every run of one and two letters, every word and what the words mean together (the
directions of rank/meanings.py) carries points for each aim: 塗装屋 and 酒屋 stand close though only one was ever read. The sentences are
starter/aims.yaml and the examples of the entries; bot/bench/deciding.py weighs them into aims.npz.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, NamedTuple, get_args

import numpy as np

from knowledge.hearing.phrases_seen import Flat
from knowledge.hearing.rank import keys
from knowledge.hearing.rank.keys import NO_KEYS, Keys
from knowledge.hearing.rank.meanings import table
from knowledge.hearing.rank.postings import Floats
from knowledge.hearing.rank.signs import Signs
from knowledge.hearing.spelled import spelled

TABLE: Final = Path(__file__).resolve().parents[1] / "starter" / "aims.npz"
Aim = Literal["help", "offer", "human", "vague", "chat", "elsewhere", "whole"]
"""vague: in trouble, but with what? · chat: greets, thanks, plays · elsewhere: asks what no service answers · whole: much lies on one home."""
AIMS: Final[tuple[Aim, ...]] = get_args(Aim)
MEANING: Final = 1.5
"""How much the directions of the words count beside letters."""
SPELLED, TWO_SPELLED, PIECE, LENGTH, ONE, TWO = 3, 4, 5, 6, 7, 8
"""Kinds of marks beside WORD: of languages that part their words a word, two in a row, a piece of one; how long it is; one letter and two."""
_JAPANESE = re.compile("[ぁ-ゖァ-ヺ一-鿿]")


class Marks(NamedTuple):
    """What a message is weighed by."""

    keys: Keys
    direction: Floats
    """Of its words together."""


@dataclass(frozen=True, slots=True)
class Aims:
    """`points[row]` are the points of `keys[row]` for each of AIMS; `meant[dimension]` those of a direction."""

    keys: Keys
    points: Floats
    bias: Floats
    meant: Floats

    def weigh(self, marks: Marks) -> Floats:
        """Points for each of AIMS: how much likelier each is than the others (natural logarithms)."""
        rows = np.searchsorted(self.keys, marks.keys)
        rows[rows == len(self.keys)] = 0
        known = rows[self.keys[rows] == marks.keys]
        letters = self.points[known].sum(axis=0) / np.float32((len(known) + 1) ** 0.5)
        return np.asarray(self.bias + letters + marks.direction @ self.meant, np.float32)


def marks(said: Flat, signs: Signs) -> Marks:
    """The marks of a message, given `flat` and its signs."""
    words = keys.once(signs.keys[keys.kinds(signs.keys) == keys.WORD])
    found = _runs(said) if _JAPANESE.search(said) else _spelled(said)
    length = keys.numbered(LENGTH, min(int(1.5 * np.log2(len(said) + 1)), 12))
    own = words if signs.japanese else NO_KEYS
    return Marks(keys.once(np.concatenate((found, own, np.array([length], np.int64)))), _direction(words))


def _runs(said: Flat) -> Keys:
    """Every character and every two, the first and the last of the message told apart."""
    codes = keys.letters(f"^{said}$")
    return np.concatenate((keys.runs(codes, 1, kind=ONE), keys.runs(codes, 2, kind=TWO)))


def _spelled(said: Flat) -> Keys:
    parts = spelled(said)
    found = [keys.named(SPELLED, word) for word in parts.words]
    found += [keys.named(TWO_SPELLED, f"{one} {other}") for one, other in parts.pairs]
    return np.array([*found, *(keys.named(PIECE, piece) for piece in parts.pieces)], np.int64)


def _direction(words: Keys) -> Floats:
    known = words[table().has(words)] if len(words) else words
    if not len(known):
        return np.zeros(table().vectors.shape[1], np.float32)
    return np.asarray(table().directions(known).sum(axis=0) * np.float32(MEANING / len(known) ** 0.5), np.float32)


@lru_cache(maxsize=1)
def learnt() -> Aims:
    """What the product has learnt, read once."""
    with np.load(TABLE) as kept:
        points = kept["points"].astype(np.float32) * kept["scale"]
        return Aims(kept["keys"], points, kept["bias"], kept["meant"])
