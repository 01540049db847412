"""The signs of a text: everything in it that can point to a service, each with the place it was read at.

Five kinds, told apart by the first letter of the key: `w` a word in normal form, `s` a group of the town's synonyms, `2` and `3` runs of two or
three sounds (they let hiragana, kanji, dialect and slips of the finger meet), `a` the age of whoever is spoken of.
"""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from knowledge.hearing.normalise import Cut, Plain, Word, cut, plain
from knowledge.hearing.rank.synonyms import Synonyms

WEIGHT: Final[dict[str, float]] = {"w": 1.0, "s": 1.5, "2": 0.5, "3": 0.5, "a": 1.0}
"""Weight of each kind, found by leave-one-out over 3,364 examples; even weights cost four points of first places."""


class Sign(NamedTuple):
    """One sign, and where the resident wrote it: `start`, `end` in the plain text."""

    key: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Signs:
    """A text with all its signs; `cut` keeps the words for reasons."""

    plain: Plain
    cut: Cut
    found: tuple[Sign, ...]
    japanese: bool = True
    """False when the signs came by way of the glossary."""

    @property
    def keys(self) -> set[str]:
        return {sign.key for sign in self.found}

    def between(self, start: int, end: int) -> "Signs":
        """The signs of a stretch of the text, without reading it again."""
        even = Plain(self.plain.text[start:end], self.plain.original, self.plain.origin[start:end])
        found = tuple(Sign(key, first - start, last - start) for key, first, last in self.found if first >= start and last <= end)
        words = tuple(
            Word(word.form, word.start - start, word.end - start, min(word.tail, end) - start, word.noun, word.groups)
            for word in self.cut.words
            if word.start >= start and word.end <= end
        )
        return Signs(even, Cut(words, "", (), frozenset()), found, self.japanese)


def read(text: str | Plain, synonyms: Synonyms) -> Signs:
    """All signs of a Japanese text."""
    even = plain(text) if isinstance(text, str) else text
    pieces = cut(even)
    found = [Sign("w" + word.form, word.start, word.end) for word in pieces.words]
    found += [Sign(f"s{group}", start, end) for group, start, end in synonyms.find(even, pieces)]
    found += _ages(even.text)
    found += _sounds(pieces)
    return Signs(even, pieces, tuple(found))


def _sounds(pieces: Cut) -> list[Sign]:
    sound, places = pieces.sound, pieces.sound_origin
    runs = []
    for length in (2, 3):
        kind = str(length)
        for at in range(len(sound) - length + 1):
            runs.append(Sign(kind + sound[at : at + length], places[at], places[at + length - 1] + 1))
    return runs


_AGE = re.compile(r"([0-9]{1,3}|[一二三四五六七八九十〇]{1,3})(?=歳|才|さい|代|になる|になり|の(?:父|母|親|一人|ひとり|息子|娘|夫|妻|祖|子))")
_GRADE = re.compile(r"小学?(?:校)?[1-6一二三四五六](?=年|の|で|に|$)")
_TEEN_GRADE = re.compile(r"(?:中学?|高校?)[1-3一二三](?=年|の|で|に|$)")
_MONTHS = re.compile(r"[0-9一二三四五六七八九十]+ ?(?:か月|ヶ月|カ月|ケ月|ヵ月|かげつ)の")
_BANDS: Final = ((65, "old"), (40, "middle"), (19, "young"), (13, "teen"), (6, "pupil"), (0, "infant"))
_DIGITS: Final = {digit: value for value, digit in enumerate("〇一二三四五六七八九")}


def _ages(text: str) -> list[Sign]:
    """Ages said in numbers, as bands: 「82の父」 is about old age though no word says so."""
    found = []
    for match in _AGE.finditer(text):
        band = next(name for least, name in _BANDS if _number(match[1]) >= least)
        found.append(Sign("a" + band, match.start(), match.end()))
    for pattern, band in ((_GRADE, "pupil"), (_TEEN_GRADE, "teen"), (_MONTHS, "infant")):
        found += [Sign("a" + band, match.start(), match.end()) for match in pattern.finditer(text)]
    return found


def _number(written: str) -> int:
    if written.isascii():
        return int(written)
    tens, ten, ones = written.partition("十")
    if not ten:
        return int("".join(str(_DIGITS[digit]) for digit in written))
    return (_DIGITS.get(tens[:1], 1) if tens else 1) * 10 + _DIGITS.get(ones[:1], 0)
