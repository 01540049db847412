"""Why a service came, in the resident's own words (G6): the pieces of the message that carried its score."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.hearing.normalise import Plain
from knowledge.hearing.rank.examples import Examples
from knowledge.hearing.rank.names import Names
from knowledge.hearing.rank.postings import Postings, Vector
from knowledge.hearing.rank.signs import Signs

MOST = 3
"""Places of a ranking that get reasons."""
PIECES = 3
LEAST = 0.2
"""A piece is named when it carried at least this share of the strongest one."""
NAME_SHARE = 0.05

_Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reasons:
    """One message made ready for the question why, once for all entries that are shown."""

    examples: Examples
    names: Names
    plain: Plain
    pieces: tuple[tuple[int, int], ...]
    starts: _Places
    ends: _Places
    """Where each sign was written."""
    said: tuple[_Places, Vector]
    """Which of the placed signs the examples know, and their vector; the same for the names below."""
    called: tuple[_Places, Vector]

    @classmethod
    def of(cls, signs: Signs, examples: Examples, names: Names) -> "Reasons":
        placed = [sign for sign in signs.found if sign.end > sign.start]
        keys = [sign.key for sign in placed]
        return cls(
            examples,
            names,
            signs.plain,
            tuple(_pieces(signs)),
            np.array([sign.start for sign in placed], np.int64),
            np.array([sign.end for sign in placed], np.int64),
            (_known(keys, examples.postings), examples.vector(keys)),
            (_known(keys, names.postings), names.postings.vector(keys, NAME_SHARE)),
        )

    def why(self, entry: int) -> tuple[str, ...]:
        """At most three pieces of the message as written, strongest first; empty when nothing in particular carried it."""
        if not self.pieces:
            return ()
        strengths = np.zeros(len(self.starts), np.float32)
        strengths[self.said[0]] += self.examples.postings.strengths(self.said[1], entry)
        strengths[self.called[0]] += self.names.postings.strengths(self.called[1], entry)
        per_letter = strengths / (self.ends - self.starts)
        size = len(self.plain.text) + 1
        letters = np.cumsum(np.bincount(self.starts, per_letter, size) - np.bincount(self.ends, per_letter, size))
        before = np.concatenate(([0.0], np.cumsum(letters)))
        weighed = sorted(((float(before[end] - before[start]), start, end) for start, end in self.pieces), key=lambda piece: (-piece[0], piece[1]))
        named: list[str] = []
        for strength, start, end in weighed[:PIECES]:
            piece = self.plain.said(start, end).strip(" 　、。,.!?！？\n")
            if strength > max(LEAST * weighed[0][0], 1e-6) and piece and not any(piece in other for other in named):
                named.append(piece)
        return tuple(named)


def _known(keys: list[str], postings: Postings) -> _Places:
    return np.array([at for at, key in enumerate(keys) if key in postings.rows], np.int64)


def _pieces(signs: Signs) -> list[tuple[int, int]]:
    """Content words with their endings, and whatever a synonym covered; overlaps joined."""
    spans = [(word.start, word.tail) for word in signs.cut.words]
    spans += [(sign.start, sign.end) for sign in signs.found if sign.key[0] in "sa" or not signs.cut.words]
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
