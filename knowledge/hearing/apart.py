"""Two needs in one breath: 「猫が増えたのと、庭の木」 is one sentence, and may want two desks.

Every comma and joint is a seam. Beside the cards for the message as one need stand those that fit its clauses: each further card is the one that adds
most to a clause which none of the cards before fits as well. Nothing of this is read back as a need of its own: that would be wrong too often.
Measured on 227 messages with two needs, five writers: both among six cards .81 (.84 when six are shown always; .77 with the likeliest seam of a
fitted weighing, as it was before).
"""

import re
from collections.abc import Sequence
from itertools import islice, pairwise
from typing import Final

import numpy as np

from knowledge.hearing.asked import Asked, Part, Span
from knowledge.hearing.model import Lang

MOST_SEAMS: Final = 8
SHOWN: Final = 6
WHOLE_SHARE: Final = 0.5
"""How much fitting the whole message counts beside fitting a clause of it."""

_JAPANESE = re.compile(
    r"[。．！？!?\n;；…‥、，,]+|(?<=[^、。\s]{4})(?:んですけど|のですが|けれど|けど|だし|るし|いし|たし|うえに?|[っいんし]で|くて|って|のと|ことと"
    r"|[一-龠ァ-ヺー]と|るか|だから|ので|んで|つつ)(?=[^、。]{4})|(?<=[^ ]{4}) +"
)
_CHINESE = re.compile(r"[。！？!?\n;；，,、]+|(?=另外|还有|而且|同时)")
_SPELLED = re.compile(r"[.!?\n;,]+(?:\s|$)|(?<=\s)(?=(?:and|because|also|e|também|và|but|mas)\b)")


def clauses(asked: Asked, lang: Lang) -> list[Span]:
    """The stretches between the seams of a message that say something; the whole where there are none."""
    length = len(asked.plain.text)
    pattern = _JAPANESE if lang in ("ja", "easy") else _CHINESE if lang == "zh" else _SPELLED
    ends = dict.fromkeys(match.end() for match in pattern.finditer(asked.plain.text) if 0 < match.end() < length)
    seams = islice((at for at in ends if asked.tells(0, at) and asked.tells(at, length)), MOST_SEAMS)
    return [span for span in pairwise((0, *seams, length)) if asked.tells(*span)]


def covering(first: Sequence[str], whole: Part, told: Sequence[Part], ids: Sequence[str]) -> tuple[str, ...]:
    """Six cards: `first`, then in turn the one that adds most to the clauses `told` and to the whole."""
    chosen = [ids.index(card) for card in first]
    fits = np.stack([part.scores.total for part in told])
    while len(chosen) < min(SHOWN, len(ids)):
        worth = np.maximum(fits - fits[:, chosen].max(axis=1, keepdims=True), 0).sum(axis=0) + np.float32(WHOLE_SHARE) * whole.scores.total
        worth[chosen] = -np.inf
        chosen.append(int(worth.argmax()))
    return tuple(ids[entry] for entry in chosen)
