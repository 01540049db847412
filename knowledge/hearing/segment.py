"""One message, several needs: cut at the seams of speech, glue what says nothing to its neighbour, join what is about the same (D4).

A need stands alone only when it is about something of its own; a story told in six sentences stays one need, and who somebody is (小さな豆腐屋です)
is none. A need that is told beside another and is not surely one is still shown among the cards (apart.py). Measured on 449 single worries of three
writers: 17 are cut although they are one (45 where a need had to be sure of itself by .17 only); of 227 with two needs 39 are cut.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from knowledge.hearing.asked import Asked, Part, Span
from knowledge.hearing.model import Lang
from knowledge.hearing.normalise import MESSAGES_AT_HAND
from knowledge.hearing.phrases_seen import flat
from knowledge.hearing.rank.postings import Floats

MOST_NEEDS = 5
MOST_STRETCHES = 6
"""A long story is heard in at most so many pieces; neighbours are joined until it is."""

_ENDS = r"[。．！？!?\n;；…‥]+"
_AFTER = r"(?:けれども|けれど|けど|ですが|ますが|[いるただす]し|ので|のと|のに|んで)[、,，\s]\s*"
_NEXT_THING = (
    r"(?=(?:それと|それから|それに|(?<=[とし、,\s])あと(?![でにはのかずま])|あとは|あと、|もう一つ|もうひとつ|もう1つ|もう一点|"
    r"ほかにも|他にも|ついでに|さらに|しかも|別件で|(?<=[、,\s])また[、,\s]))"
)
_SOMEBODY_ELSE = (
    r"(?<=[、,，])\s*(?=(?:私|わたし|自分|こっち|子ども|子供|こども|娘|息子|孫|母|父|親|両親|義母|義父|祖母|祖父|夫|妻|旦那|主人|嫁|兄|姉|弟|妹)"
    r"[^、。]{0,4}?[はがも])"
)
_LONG_BREATH = r"(?<=[^、。 ]{8}) +"
"""A space after eight characters without any: the comma of those who write without commas."""
_JAPANESE = re.compile(f"{_ENDS}|{_AFTER}|{_NEXT_THING}|{_SOMEBODY_ELSE}|{_LONG_BREATH}")
_ANOTHER = re.compile(
    r"\s*(?:それと|それから|あと|もう一つ|もうひとつ|もう1つ|もう一点|ほかにも|他にも|別件で|also\b|and also\b|another thing|"
    r"另外|还有|também|além disso|e também|ngoài ra)"
)
"""Says that what follows is another thing."""
_CHINESE = re.compile(r"[。！？!?\n;；]+|(?=另外|还有|而且|同时)")
_SPELLED = re.compile(r"[.!?\n;]+(?:\s|$)|(?=\b(?:also|and also|another thing|e também|também|além disso|ngoài ra|và cả)\b)")


_STATES = re.compile(r"(?:です|ます|である|だ)[。．.!！\s]*$")
_ASKS = re.compile(
    r"ない|なく|なかっ|ませ|たい|たく|[たほ]し[いく]|ん(?:です|だ|$)|困|こまっ|つら|辛|しんど|怖|こわ|不安|心配|下さい|ください|[?？]|か[。]?\s*$|そうです"
)
"""Something is missing, wished for or asked."""


def stretches(asked: Asked, lang: Lang) -> list[Span]:
    """Where each thing said stands; none when all was said in one."""
    told = _told(asked, lang)
    return [span for span in told if not _only_background(asked, *span, lang)] if len(told) > 1 else []


def parts(asked: Asked, whole: Part, told: Sequence[Span]) -> list[Part]:
    """The separate needs among the stretches, in the order they were told; the whole alone when there is but one."""
    if len(told) < 2:
        return [whole]
    needs: list[Part] = []
    for part in asked.parts(told):
        another = bool(_ANOTHER.match(asked.plain.text, part.start))
        like = next((at for at in reversed(range(len(needs))) if _same(needs[at], part, asked.index.homes, another=another)), None)
        if like is None:
            needs.append(part)
        elif like == len(needs) - 1:
            needs[like] = asked.part(needs[like].start, part.end)
    return _worthy(needs, whole, asked)


def _only_background(asked: Asked, start: int, end: int, lang: Lang) -> bool:
    """Who somebody is or how they live, told politely and without a trouble or a wish: 「小さな豆腐屋です」「2か月の子がいます」."""
    if lang not in ("ja", "easy"):
        return False
    said = flat(asked.plain.text[start:end])
    if not _STATES.search(said) or _ASKS.search(said):
        return False
    weight = asked.index.lexicon.hardships.weigh(said)
    return not (weight.areas or weight.refused or asked.index.lexicon.intents.in_trouble(said))


def _told(asked: Asked, lang: Lang) -> list[Span]:
    """Stretches that each say something; silent ones glued to the one before."""
    told: list[Span] = []
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


@lru_cache(maxsize=MESSAGES_AT_HAND)
def _seams(text: str, lang: Lang) -> tuple[int, ...]:
    pattern = _JAPANESE if lang in ("ja", "easy") else _CHINESE if lang == "zh" else _SPELLED
    ends = [match.end() for match in pattern.finditer(text) if 0 < match.end() < len(text)]
    return (*dict.fromkeys(ends), len(text))


def _same(one: Part, other: Part, homes: Sequence[str | None], *, another: bool) -> bool:
    """About the same: their best entries overlap, or both lean to one domain. Where `another` thing was announced only one and the same entry is."""
    if another:
        return one.top[:1] == other.top[:1]
    if set(one.top) & set(other.top):
        return True
    home = homes[one.top[0]]
    return home is not None and home == homes[other.top[0]]


SURE = 0.3
"""A need of its own must be at least so sure of itself."""
STORY_SHARE, ANNOUNCED_SHARE = 2.0, 0.5


def _worthy(needs: list[Part], whole: Part, asked: Asked) -> list[Part]:
    """Needs that stand on their own feet; when fewer than two do, the message is one."""
    sure = {at: chance for at, need in enumerate(needs) if (chance := asked.sure(need)) >= SURE}
    if len(sure) < 2:
        return [whole]
    return [needs[at] for at in sorted(sorted(sure, key=lambda at: -sure[at])[:MOST_NEEDS])]


def story_share(text: str, lang: Lang) -> float:
    """How much of the whole message's scores is added to a need's own: the rest of the story tells who is spoken of.

    Little where another thing was announced, for then the rest is about something else.
    """
    announced = any(_ANOTHER.match(text, end) for end in _seams(text, lang))
    return ANNOUNCED_SHARE if announced else STORY_SHARE


def blended(part: Part, whole: Part, share: float) -> Floats:
    """A need's scores with some of the whole message's."""
    return part.scores.total + np.float32(share) * whole.scores.total
