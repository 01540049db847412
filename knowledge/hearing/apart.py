"""Two needs in one breath: 「猫が増えたのと、庭の木」 is one sentence, and may want two desks.

Where segment.py finds one need, every comma and joint is tried as a seam. A second need is likely where each side prefers its own first entry to the
other's. It is then shown among six cards, and not read back as a need of its own: that would be wrong too often.
Weights fitted on bot/bench/sets/two-needs-dev.jsonl, joined pairs and single worries, by five folds: with six cards both needs show in .79 (.61
with three); the first card and the first three of single worries stay what they were.
"""

import re
from collections.abc import Sequence
from itertools import islice
from math import exp
from typing import Final

from knowledge.hearing.asked import Asked, Part, Span
from knowledge.hearing.model import Lang

LIKELY: Final = 0.25
MOST_SEAMS: Final = 8
SHOWN: Final = 6
INTERCEPT: Final = -1.42
SHARED, SAME_DOMAIN, PREFERENCE, SAYS_TWO, JOINED = -0.49, -1.1, 0.62, 0.74, 0.7

_JAPANESE = re.compile(
    r"[。．！？!?\n;；…‥、，,]+|(?<=[^、。\s]{4})(?:んですけど|のですが|けれど|けど|だし|るし|いし|たし|うえに?|[っいんし]で|くて|って|のと|ことと"
    r"|[一-龠ァ-ヺー]と|るか|だから|ので|んで|つつ)(?=[^、。]{4})|(?<=[^ ]{4}) +"
)
_CHINESE = re.compile(r"[。！？!?\n;；，,、]+|(?=另外|还有|而且|同时)")
_SPELLED = re.compile(r"[.!?\n;,]+(?:\s|$)|(?<=\s)(?=(?:and|because|also|e|também|và|but|mas)\b)")
_JOINT = re.compile(r"それと|それから|あと|もう一|もうひと|ほかに|他に|別件|ついで|しかも|また|うえ|also|另外|还有|também|ngoài")
_TWO = re.compile(r"両方|どっちも|どちらも|それぞれ|二つ|2つ|ふたつ|一緒に|いっしょに|別々|both|two things")
_NEAR: Final = 6
"""Characters around a seam in which a joint is looked for."""


def sides(asked: Asked, lang: Lang) -> list[tuple[Span, Span]]:
    """The two sides of every seam that may part two needs: each says something."""
    length = len(asked.plain.text)
    return [((0, at), (at, length)) for at in _seams(asked, lang)]


def apart(asked: Asked, pairs: Sequence[tuple[Span, Span]]) -> tuple[Part, Part] | None:
    """The two sides of the likeliest seam, or None when the message seems to be about one thing."""
    if not pairs:
        return None
    halves = [(asked.part(*one), asked.part(*other)) for one, other in pairs]
    chance, best = max((_chance(one, other, asked), place) for place, (one, other) in enumerate(halves))
    return halves[best] if chance >= LIKELY else None


def shown(whole: Part, sides: tuple[Part, Part], ids: tuple[str, ...]) -> tuple[str, ...]:
    """Six cards: the best three for the whole, as if there were one need, then the first of each side, and so on."""
    one, other = (side.top for side in sides)
    first = [*whole.top[:3], *one[:1], *other[:1], *one[1:2], *other[1:2], *whole.top[3:], *one, *other]
    return tuple(ids[entry] for entry in dict.fromkeys(first))[:SHOWN]


def _seams(asked: Asked, lang: Lang) -> list[int]:
    text = asked.plain.text
    pattern = _JAPANESE if lang in ("ja", "easy") else _CHINESE if lang == "zh" else _SPELLED
    ends = dict.fromkeys(match.end() for match in pattern.finditer(text) if 0 < match.end() < len(text))
    return list(islice((at for at in ends if asked.tells(0, at) and asked.tells(at, len(text))), MOST_SEAMS))


def _chance(one: Part, other: Part, asked: Asked) -> float:
    """Chance, 0–1, that the two sides are about two things."""
    mine, theirs = one.scores.total, other.scores.total
    first, second = one.top[0], other.top[0]
    home = asked.index.homes[first]
    preference = min(float(mine[first] - mine[second]), float(theirs[second] - theirs[first]))
    text, seam = asked.plain.text, other.start
    joined = bool(_JOINT.search(text, max(0, seam - _NEAR), seam + _NEAR))
    alike = SHARED * len(set(one.top) & set(other.top)) + SAME_DOMAIN * (home is not None and home == asked.index.homes[second])
    return 1 / (1 + exp(-(INTERCEPT + alike + PREFERENCE * preference + SAYS_TWO * bool(_TWO.search(text)) + JOINED * joined)))
