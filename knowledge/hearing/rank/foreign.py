"""Keys that only the channel of names knows: words of translations, the dictionary's own synonym groups, single kanji."""

import re
from typing import Final

from knowledge.hearing.normalise import Cut
from knowledge.hearing.rank import keys

_WORD = re.compile(r"[a-zà-ỹđ]{3,}")
_HAN = re.compile(r"[一-鿿]{2,}")
_SIMPLIFIED = re.compile(r"[们这吗呢么没怎给请让从对还说话钱办会过现岁妈她费师书证险护养业场车长东务题问间离应压]")
_FREQUENT = (
    "the and for you can with are not from who that this have has your my me our their how what when where which will was were been they "
    "que para com uma por como não dos das meu minha seu sua ele ela está tem mais são "
    "và của cho các khi với được không tôi bạn người những này"
)
_COMMON = frozenset(_FREQUENT.split())

STEM: Final = 5
"""Letters of a long word that its other forms share (demitido, demitiram)."""

Placed = tuple[int, int, int]
"""A key, and where it stands in the text."""


def words(text: str) -> list[Placed]:
    """Latin words of three letters or more, and pairs of characters of Chinese."""
    found = [(match[0], match.start(), match.end()) for match in _WORD.finditer(text.lower()) if match[0] not in _COMMON]
    found += [(f"{word[:STEM]}-", start, end) for word, start, end in found if len(word) > STEM]
    if _SIMPLIFIED.search(text):
        found += [(text[at : at + 2], at, at + 2) for run in _HAN.finditer(text) for at in range(run.start(), run.end() - 1)]
    return [(keys.named(keys.TRANSLATED, word), start, end) for word, start, end in found]


def dictionary_groups(pieces: Cut) -> list[Placed]:
    """Synonym groups of the Sudachi dictionary. Of use where there are no examples; next to examples they blur (measured)."""
    return [(keys.numbered(keys.DICTIONARY, group), word.start, word.end) for word in pieces.words for group in word.groups]


def kanji(text: str) -> list[Placed]:
    """Every kanji alone, so that 街路灯 and 街灯 share two of three."""
    return [(keys.numbered(keys.KANJI, ord(letter)), at, at + 1) for at, letter in enumerate(text) if "一" <= letter <= "龠"]
