"""Why a service came, in the resident's own words (G6): the pieces of the message that carried its score."""

import numpy as np

from knowledge.hearing.normalise import Plain
from knowledge.hearing.rank import keys
from knowledge.hearing.rank.postings import Floats, Ints
from knowledge.hearing.rank.signs import Signs

MOST = 3
"""Places of a ranking that get reasons."""
PIECES = 3
LEAST = 0.2
"""A piece is named when it carried at least this share of the strongest one."""
NAME_SHARE = 0.05

Piece = tuple[int, int]


def pieces(signs: Signs, start: int, end: int) -> list[Piece]:
    """Content words of a stretch with their endings, and whatever a synonym covered; overlaps joined."""
    spans = [(word.start, min(word.tail, end)) for word in signs.cut.words if word.start >= start and word.end <= end]
    shown = (signs.starts >= start) & (signs.ends <= end)
    if spans:
        kinds = keys.kinds(signs.keys)
        shown &= (kinds == keys.SYNONYM) | (kinds == keys.AGE)
    spans += zip(signs.starts[shown].tolist(), signs.ends[shown].tolist(), strict=True)
    joined: list[Piece] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def shares(told: list[Piece], starts: Ints, ends: Ints) -> Floats:
    """Which share of each sign, written at `starts` to `ends`, stands in each piece: [sign, piece]."""
    spans = np.array(told, np.float32).reshape(-1, 2)
    common = np.minimum(ends[:, None], spans[:, 1]) - np.maximum(starts[:, None], spans[:, 0])
    np.maximum(common, 0.0, out=common)
    return np.asarray(common / (ends - starts)[:, None], np.float32)


def why(said: Plain, told: list[Piece], carried: list[float]) -> tuple[str, ...]:
    """At most three pieces of the message as written, strongest first; empty when nothing in particular carried it."""
    weighed = sorted(((weight, *piece) for weight, piece in zip(carried, told, strict=True)), key=lambda piece: (-piece[0], piece[1]))
    named: list[str] = []
    for strength, start, end in weighed[:PIECES]:
        piece = said.said(start, end).strip(" 　、。,.!?！？\n")
        if strength > max(LEAST * weighed[0][0], 1e-6) and piece and not any(piece in other for other in named):
            named.append(piece)
    return tuple(named)
