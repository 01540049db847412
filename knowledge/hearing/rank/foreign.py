"""Keys that only the channel of names knows: words of translations, the dictionary's own synonym groups, single kanji."""

import re

from knowledge.hearing.rank.signs import Signs

_WORD = re.compile(r"[a-zà-ỹđ]{3,}")
_HAN = re.compile(r"[一-鿿]{2,}")
_SIMPLIFIED = re.compile(r"[们这吗呢么没怎给请让从对还说话钱办会过现岁妈她费师书证险护养业场车长东务题问间离应压]")
_FREQUENT = (
    "the and for you can with are not from who that this have has your my me our their how what when where which will was were been they "
    "que para com uma por como não dos das meu minha seu sua ele ela está tem mais são "
    "và của cho các khi với được không tôi bạn người những này"
)
_COMMON = frozenset(_FREQUENT.split())


def words(text: str) -> list[str]:
    """`t` keys: Latin words of three letters or more, and pairs of characters of Chinese."""
    found = ["t" + word for word in _WORD.findall(text.lower()) if word not in _COMMON]
    if _SIMPLIFIED.search(text):
        found += ["t" + run[at : at + 2] for run in _HAN.findall(text) for at in range(len(run) - 1)]
    return found


def dictionary_groups(signs: Signs) -> list[str]:
    """`d` keys: synonym groups of the Sudachi dictionary. Of use where there are no examples; next to examples they blur (measured)."""
    return [f"d{group}" for word in signs.cut.words for group in word.groups]


def kanji(text: str) -> list[str]:
    """`k` keys: every kanji alone, so that 街路灯 and 街灯 share two of three."""
    return ["k" + letter for letter in text if "一" <= letter <= "龠"]
