"""What was typed instead of pressed: a number, a label, part of one, or other words that say the same (G3, G4).

Long free text is never a choice, nor a short one with more in it than the button says: whoever writes that has something to tell.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

LONGEST_CHOICE: Final = 24
"""Letters beyond which a text is never read as a choice."""
_SILENT: Final = re.compile(r"[\s、。,.!！?？・…~〜ー「」『』()（）\[\]【】'’\"“”:：;；_/／\u200d\ufe0f\U0001f000-\U0001faff☀-➿⭐-]+")
_COUNTED: Final = re.compile(
    r"(\d)(?:番目?|つ目?|個目|ばんめ?|つめ)?(?:の(?:やつ|ほう|方|もの|カード|かあど)?)*(?:です|だ|かな|かも|で|でおねがいします|でお願いします|にします|が近いです|が近い)?"
)
_HIRAGANA: Final = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_SPOKEN_NUMBERS: Final[Mapping[str, int]] = {
    "いちばん": 1, "いち": 1, "一": 1, "一番": 1, "ひとつめ": 1, "にばん": 2, "に": 2, "二": 2, "二番": 2, "ふたつめ": 2,
    "さんばん": 3, "さん": 3, "三": 3, "三番": 3, "みっつめ": 3, "よんばん": 4, "よん": 4, "四": 4, "四番": 4, "よっつめ": 4,
    "one": 1, "two": 2, "three": 3, "four": 4, "um": 1, "dois": 2, "três": 3, "quatro": 4,
    "第一": 1, "第二": 2, "第三": 3, "第四": 4, "ひと": 1, "ふた": 2, "みっ": 3, "よっ": 4,
}  # fmt: skip

_SPOKEN_COUNT: Final = re.compile(r"^([一二三四]|ひと|ふた|みっ|よっ)((?:番|つ|個).*)$")
_PLACED: Final = re.compile(
    r"(?:(?P<first>最初|さいしょ|(?:一番|いちばん)(?:上|うえ|初め|はじめ))|(?P<middle>真ん中|まんなか|真中)|(?:(?:一番|いちばん)?(?:最後|さいご|下|した)))"
    r"の?(?:やつ|ほう|方|もの)?(?:です|だ|かな|かも|で|がいい|がいいです|でお願いします|にします|が近い|が近いです)?"
)


def plain(text: str) -> str:
    """Normal form for comparing short texts: width, case, kana, punctuation and spaces do not count."""
    folded = unicodedata.normalize("NFKC", text).lower().translate(_HIRAGANA)
    return _SILENT.sub("", folded)


def says_one_of(text: str, words: Iterable[str]) -> bool:
    """Whether one of these, in normal form, stands somewhere in a text."""
    said = plain(text)
    return any(word in said for word in words)


@lru_cache(maxsize=2048)
def plain_label(written: str) -> str:
    """Normal form of words of ours; a resident's words are never kept so."""
    return plain(written)


def number(text: str) -> int | None:
    """1, １, ①, いちばん, 1番です, 二つ目のほう → 1, 2; None for anything else."""
    short = plain(text)
    found = _COUNTED.fullmatch(_SPOKEN_COUNT.sub(lambda said: f"{_SPOKEN_NUMBERS[said[1]]}{said[2]}", short))
    return int(found[1]) if found else _SPOKEN_NUMBERS.get(short)


def points(text: str) -> bool:
    """「真ん中の」: a place among choices, and nothing told."""
    return _PLACED.fullmatch(plain(text)) is not None


def placed(text: str, of: int) -> int | None:
    """真ん中の, 最後の, 一番下: which of so many; None for anything else, and where nothing stands in the middle."""
    found = _PLACED.fullmatch(plain(text))
    if found is None:
        return None
    if found["middle"]:
        return (of + 1) // 2 if of % 2 else None
    return 1 if found["first"] else of
