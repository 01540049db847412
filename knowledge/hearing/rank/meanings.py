"""The channel of meanings: a word that no entry has still leads to those whose words mean something like it (ソファ to 粗大ごみ).

A table of word vectors (meanings.npz) says how alike two of 111,000 usual words are; a word lends an entry what its nearest word there is worth. Only
words that the base does not know are asked: the others have better evidence. In a base with examples that is seldom; in one of 650 names and
summaries it measured first places .47 to .53 and one of five .77 to .81. No word leaves the machine. How the table was made: meanings_table.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from knowledge.hearing.rank import keys
from knowledge.hearing.rank.keys import NO_KEYS, Keys
from knowledge.hearing.rank.postings import Floats, Ints, Places

TABLE: Final = Path(__file__).resolve().parents[2] / "starter" / "meanings.npz"
ALIKE: Final = 0.35
"""From this cosine on two words are of like meaning; below it everything is a little like everything."""
NEAREST: Final = 60
"""So many of the base's words a word may stand for."""
LED_TO: Final = 400
"""So many entries a word may lend something to, the best ones."""
REMEMBERED: Final = 8192
"""Unknown words whose answer is kept in memory."""


@dataclass(frozen=True, slots=True)
class Table:
    """`vectors[rows[i]]` is the direction of the word `keys[i]`."""

    keys: Keys
    rows: npt.NDArray[np.uint16]
    vectors: npt.NDArray[np.int8]

    def directions(self, words: Keys) -> Floats:
        """The directions of words that the table has, of length one; [word, dimension]."""
        found = self.vectors[self.rows[np.searchsorted(self.keys, words)]].astype(np.float32)
        return np.asarray(found / np.sqrt(np.einsum("ij,ij->i", found, found))[:, None], np.float32)

    def has(self, words: Keys) -> npt.NDArray[np.bool_]:
        """Which of the words the table has."""
        places = np.minimum(np.searchsorted(self.keys, words), len(self.keys) - 1)
        return np.asarray(self.keys[places] == words)


@lru_cache(maxsize=1)
def table() -> Table:
    """The table of the product, read once."""
    with np.load(TABLE) as kept:
        return Table(kept["keys"], kept["rows"], kept["vectors"])


@dataclass(frozen=True, slots=True)
class Meanings:
    """The words of a base that have a direction, and the entries in which they stand."""

    words: Keys
    directions: Floats
    rarity: Floats
    starts: Ints
    """Word i stands in `entries[starts[i]:starts[i + 1]]`, worth `weights` there."""
    entries: Ints
    weights: Floats
    width: int
    led: "dict[int, _Led | None]" = field(default_factory=dict, compare=False, repr=False)
    """What has been asked before: the same words come again and again."""

    @classmethod
    def build(cls, fields: Sequence[tuple[float, Sequence[Keys]]], width: int) -> "Meanings":
        """From (worth, the signs of that field of every entry): a word counts once an entry, for its best field."""
        told = [(worth, number, text[keys.kinds(text) == keys.WORD]) for worth, texts in fields for number, text in enumerate(texts)]
        said = np.concatenate([NO_KEYS, *(text for _, _, text in told)])
        where = np.repeat(np.array([number for _, number, _ in told], np.intp), [len(text) for _, _, text in told])
        worth = np.repeat(np.array([worth for worth, _, _ in told], np.float32), [len(text) for _, _, text in told])
        known = table().has(said)
        words, rows = np.unique(said[known], return_inverse=True)
        places = rows * max(width, 1) + where[known]
        once, first = np.unique(places, return_inverse=True)
        best = np.zeros(len(once), np.float32)
        np.maximum.at(best, first, worth[known])
        at, entries = once // max(width, 1), once % max(width, 1)
        counts = np.bincount(at, minlength=len(words))
        return cls(
            words,
            table().directions(words),
            np.log1p(width / (counts + 0.5)).astype(np.float32),
            np.concatenate(([0], counts.cumsum())).astype(np.int32),
            entries.astype(np.int32),
            best,
            width,
        )

    def lent(self, asked: Keys) -> "Lent | None":
        """What a message's words that no entry has lend to entries; None where every word is known, as it mostly is in a base with examples."""
        words = (keys.kinds(asked) == keys.WORD).nonzero()[0]
        unknown = words[~self._has(asked[words])].tolist()
        found = [(place, led) for place in unknown if (led := self._led(int(asked[place]))) is not None]
        if not found:
            return None
        worth = np.zeros((len(found), self.width), np.float32)
        for row, (_, led) in enumerate(found):
            worth[row, led.entries] = led.worth
        return Lent(np.array([place for place, _ in found], np.intp), worth, np.array([led.weight for _, led in found], np.float32))

    def _has(self, words: Keys) -> npt.NDArray[np.bool_]:
        if not len(self.words):
            return np.zeros(len(words), bool)
        places = np.minimum(np.searchsorted(self.words, words), len(self.words) - 1)
        return np.asarray(self.words[places] == words)

    def _led(self, word: int) -> "_Led | None":
        if word not in self.led:
            if len(self.led) >= REMEMBERED:
                self.led.clear()
            self.led[word] = self._leads(word)
        return self.led[word]

    def _leads(self, word: int) -> "_Led | None":
        """The entries whose words are nearest to this one."""
        one = np.array([word], np.int64)
        if not len(self.words) or not table().has(one)[0]:
            return None
        alike = self.directions @ table().directions(one)[0]
        near = (alike >= ALIKE).nonzero()[0]
        near = near[np.argsort(-alike[near], kind="stable")[:NEAREST]]
        if not len(near):
            return None
        weight = np.float32((self.rarity[near] * alike[near]).sum() / alike[near].sum())
        spans = zip(self.starts[near].tolist(), self.starts[near + 1].tolist(), strict=True)
        places = np.concatenate([np.arange(start, end) for start, end in spans])
        best = np.zeros(self.width, np.float32)
        np.maximum.at(best, self.entries[places], self.weights[places] * np.repeat(alike[near], self.starts[near + 1] - self.starts[near]))
        most = np.argsort(-best, kind="stable")[:LED_TO]
        most = most[best[most] > 0]
        return _Led(most, weight * best[most], float(weight))


class _Led(NamedTuple):
    """Where one word leads: entries, what each is lent, and how much the word itself weighs."""

    entries: Places
    worth: Floats
    weight: float


class Lent(NamedTuple):
    """What the unknown words of a message lend."""

    places: Places
    """Which of the message's signs they are."""
    worth: Floats
    """[word, entry]"""
    weights: Floats

    def score(self, there: npt.NDArray[np.bool_]) -> Floats:
        """Score of every entry for every stretch, of the size of the other channels; `there` says which signs stand in which stretch."""
        told = there[:, self.places].astype(np.float32)
        mass = np.sqrt(told @ self.weights**2)
        return np.asarray(told @ self.worth / np.maximum(mass, np.float32(1.0))[:, None], np.float32)
