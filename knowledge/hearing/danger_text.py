"""Folding of a message before danger is listened for: one spelling for what people write in many.

Width, case, katakana, small vowels, stretched vowels, spaces between kana and dots disappear; every folded character knows
where it stood, so that staff see the resident's own words and not ours. Patterns are folded by the same function.
"""

import re
import unicodedata
from dataclasses import dataclass

SEAM = "\ue000"
"""Stands between two messages of one resident: people break a sentence over messages, so it ends no sentence."""

END = "\ue001"
"""Stands behind the last character, so that an expression can ask for the end of the message."""

_DROPPED = frozenset("…‥・･·〜~'\"“”‘’`´*_^「」『』()【】\u200b\u200c\u200d\u2060\ufe0f\ufeff\u3099\u309a")
_KANA = re.compile("[ぁ-ゖ]")
_SMALL = str.maketrans("ぁぃぅぇぉゎゕゖ", "あいうえおわかか")
_TRADITIONAL = str.maketrans(
    "殺們媽藥無聽說覺續繼斷護兒癢鎖關門來過這給錢飯沒個買賣電話樓橋車開頭懷學對會應點還後邊誰產煩業寫遺離歲愛歡輛燒煙氣嗎擊強騷擾蹤脅內裡裏麼樣讓從時間聲搶險廳證錄繩斃貓結婆",
    "杀们妈药无听说觉续继断护儿痒锁关门来过这给钱饭没个买卖电话楼桥车开头怀学对会应点还后边谁产烦业写遗离岁爱欢辆烧烟气吗击强骚扰踪胁内里里么样让从时间声抢险厅证录绳毙猫结婆",
)
"""Traditional characters of the Chinese expressions; Japanese words are folded alike, on both sides."""


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text and, for each of its characters, its place in the text as written."""

    text: str
    places: tuple[int, ...]


def fold(written: str) -> Folded:
    """Fold `written`; linear in its length. Text without any kana is read as Chinese: 自殺 there and 自杀 are one word."""
    letters: list[str] = []
    places: list[int] = []
    gap_at: int | None = None
    for match in _STRETCHES.finditer(written):
        place, character = match.start(), match[0]
        ordinary = match.lastindex is not None
        folded = character.translate(_EVEN) if ordinary else _folded(character)
        if folded == "":
            if unicodedata.combining(character) or character in "ﾞﾟ":
                _put_mark(letters, character)
            continue
        if folded == " ":
            gap_at = place
            continue
        if character in _SLIPS and _slip(written, place):
            continue
        if character in "ー-" and letters and "ぁ" <= written[place - 1] <= "ゖ":
            continue
        if gap_at is not None:
            if letters and _spaced(letters[-1]) and _spaced(folded[0]):
                letters.append(" ")
                places.append(gap_at)
            gap_at = None
        if ordinary:
            letters += folded
            places += range(place, match.end())
            continue
        for letter in folded:
            if letter in "ー。!?\n" and letters and letters[-1] == letter:
                continue
            letters.append(letter)
            places.append(place)
    text = "".join(letters)
    return Folded(text if has_kana(text) else text.translate(_TRADITIONAL), tuple(places))


def fold_word(word: str) -> set[str]:
    """Fold one expression of the list like a message; a word without kana stands for its Chinese spelling too."""
    folded = fold("あ " + word).text[1:]
    return {folded, folded.translate(_TRADITIONAL)} if folded and not has_kana(folded) else {folded}


def has_kana(folded: str) -> bool:
    """Japanese, as far as its letters tell."""
    return _KANA.search(folded) is not None


def plain_latin(word: str) -> str:
    """The word as typed on a keyboard without accents (não → nao, đánh → danh); unchanged if it is not Latin."""
    if word.isascii() or not all(is_latin(c) or not c.isalpha() for c in word):
        return word
    bare = "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
    return bare.replace("đ", "d")


def is_latin(character: str) -> bool:
    """Letters and digits of languages that put spaces between words."""
    return character.isalnum() and character < "\u2000"


def _slip(written: str, place: int) -> bool:
    """A lone consonant an input method left between Japanese letters (包丁もtて)."""
    before, after = written[place - 1 : place], written[place + 1 : place + 2]
    return "ぁ" <= before <= "\u9fff" and not after.isascii()


def _spaced(letter: str) -> bool:
    return letter < "\u2000"


def _put_mark(letters: list[str], mark: str) -> None:
    """Half-width kana and decomposed letters carry their mark as a character of its own (ｶﾞ, e + ́)."""
    if letters:
        mark = {"ﾞ": "\u3099", "ﾟ": "\u309a"}.get(mark, mark)
        joined = unicodedata.normalize("NFC", letters[-1] + mark)
        if len(joined) == 1:
            letters[-1] = joined


def _folded(character: str) -> str:
    folded = _FOLDED.get(character)
    if folded is None:
        folded = _FOLDED[character] = _fold_one(character)
    return folded


def _fold_one(character: str) -> str:
    if character in _DROPPED or unicodedata.category(character) == "Cf":
        return ""
    if character in "ﾞﾟ" or unicodedata.combining(character):
        return ""
    if character == SEAM:
        return SEAM
    if character in "\r\n\u2028\u2029":
        return "\n"
    if character.isspace():
        return " "
    plain = unicodedata.normalize("NFKC", character).lower()
    folded = "".join(chr(ord(c) - 0x60) if "ァ" <= c <= "ヶ" else c for c in plain)
    folded = folded.translate(_SMALL)
    return "".join(c for c in folded if c not in _DROPPED).replace("—", "ー").replace("｡", "。")


_SLIPS = frozenset("kstnhmyrgzdbpxl")
_FOLDED: dict[str, str] = {}
"""Characters met so far; a cache of a pure function, bounded by Unicode."""
_LATIN = "0-9A-Zacefijoquvwà-öø-ÿăđĩũơưẠ-ỹ"
_STRETCHES = re.compile(
    f"((?:[ぁ-ゖァ-ヺ一-鿿、가-힣{_LATIN}]|(?<![ぁ-鿿])[kstnhmyrgzdbpxl]|(?<=[{_LATIN}kstnhmyrgzdbpxl]) (?=[{_LATIN}kstnhmyrgzdbpxl]))+)|.", re.DOTALL
)
"""Stretches of characters that fold to one each, whatever stands beside them, and every other character alone."""
_EVEN = {code: _fold_one(chr(code)) for start, end in ("ぁゖ", "ァヺ", "AZ", "Ạỹ") for code in range(ord(start), ord(end) + 1)}
