"""One message, several needs: cut at the seams of speech, glue what says nothing to its neighbour, join what is about the same (D4).

A need stands alone only when it is about something of its own; a story told in six sentences stays one need. Measured on development worries put
together in pairs: with at most six cards both needs show in .77 of the pairs; one single worry in five is cut although it is one,
which costs single worries one point of first places and less of three cards.
"""

import re
from collections.abc import Sequence

import numpy as np

from knowledge.hearing.asked import Asked, Part
from knowledge.hearing.model import Lang
from knowledge.hearing.rank.postings import Floats

MOST_NEEDS = 5
MOST_STRETCHES = 6
"""A long story is heard in at most so many pieces; neighbours are joined until it is."""

_ENDS = r"[。．！？!?\n;；]+"
_AFTER = r"(?:けれども|けれど|けど|ですが|ますが|ですし|ますし|ので|のと|のに|だし|たし|ないし|んで)[、,，]\s*"
_NEXT_THING = (
    r"(?=(?:それと|それから|それに|あとは|あと、|あと |もう一つ|もうひとつ|もう1つ|"
    r"ほかにも|他にも|ついでに|さらに|しかも|別件で|(?<=[、,\s])また[、,\s]))"
)
_LONG_BREATH = r"(?<=[^、。 ]{8}) +"
"""A space after eight characters without any: the comma of those who write without commas."""
_JAPANESE = re.compile(f"{_ENDS}|{_AFTER}|{_NEXT_THING}|{_LONG_BREATH}")
_CHINESE = re.compile(r"[。！？!?\n;；]+|(?=另外|还有|而且|同时)")
_SPELLED = re.compile(r"[.!?\n;]+(?:\s|$)|(?=\b(?:also|and also|another thing|e também|também|além disso|ngoài ra|và cả)\b)")


def parts(asked: Asked, whole: Part, lang: Lang) -> list[Part]:
    """The separate needs in the order they were told; the whole alone when there is but one."""
    stretches = _told(asked, lang)
    if len(stretches) < 2:
        return [whole]
    needs: list[Part] = []
    for start, end in stretches:
        part = asked.part(start, end)
        like = next((at for at in reversed(range(len(needs))) if _same(needs[at], part, asked.index.homes)), None)
        if like is None:
            needs.append(part)
        elif like == len(needs) - 1:
            needs[like] = asked.part(needs[like].start, part.end)
    return _worthy(needs, whole, asked)


def _told(asked: Asked, lang: Lang) -> list[tuple[int, int]]:
    """Stretches that each say something; silent ones glued to the one before."""
    told: list[tuple[int, int]] = []
    start = 0
    for end in _seams(asked.plain.text, lang):
        if asked.tells(start, end):
            told.append((start, end))
        elif told:
            told[-1] = (told[-1][0], end)
        else:
            continue
        start = end
    while len(told) > MOST_STRETCHES:
        told = [(pair[0][0], pair[-1][1]) for pair in (told[at : at + 2] for at in range(0, len(told), 2))]
    return told


def _seams(text: str, lang: Lang) -> list[int]:
    pattern = _JAPANESE if lang in ("ja", "easy") else _CHINESE if lang == "zh" else _SPELLED
    ends = [match.end() for match in pattern.finditer(text) if 0 < match.end() < len(text)]
    return [*dict.fromkeys(ends), len(text)]


def _same(one: Part, other: Part, homes: Sequence[str | None]) -> bool:
    """About the same: their best entries overlap, or both lean to one domain."""
    if set(one.top) & set(other.top):
        return True
    home = homes[one.top[0]]
    return home is not None and home == homes[other.top[0]]


SURE = 0.17
"""A need of its own must be at least so sure of itself."""


def _worthy(needs: list[Part], whole: Part, asked: Asked) -> list[Part]:
    """Needs that stand on their own feet; when fewer than two do, the message is one."""
    sure = {at: chance for at, need in enumerate(needs) if (chance := asked.sure(need)) >= SURE}
    if len(sure) < 2:
        return [whole]
    return [needs[at] for at in sorted(sorted(sure, key=lambda at: -sure[at])[:MOST_NEEDS])]


def blended(part: Part, whole: Part, share: float = 2.0) -> Floats:
    """A need's scores with some of the whole message's: the rest of the story tells who is spoken of."""
    return part.scores.total + np.float32(share) * whole.scores.total
