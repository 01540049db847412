"""The signs of a text: everything in it that can point to a service, each with the place it was read at.

Five kinds (keys.py): a word in normal form, a group of the town's synonyms, runs of two and three sounds (they let hiragana, kanji, dialect and slips
of the finger meet), and the age of whoever is spoken of.
"""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from knowledge.hearing.normalise import Cut, Plain, cut, plain
from knowledge.hearing.rank import keys
from knowledge.hearing.rank.keys import Keys
from knowledge.hearing.rank.postings import Floats, Ints
from knowledge.hearing.rank.synonyms import Synonyms

WEIGHT: Final[Floats] = np.zeros(keys.KINDS, np.float32)
"""Weight of each kind, found by leave-one-out over 3,364 examples; even weights cost four points of first places."""
WEIGHT[[keys.WORD, keys.SYNONYM, keys.TWO, keys.THREE, keys.AGE, keys.TRANSLATED]] = (1.0, 1.5, 0.5, 0.5, 1.0, 1.2)


@dataclass(frozen=True, slots=True)
class Signs:
    """A text with all its signs, in the order of kinds; sign i was read at `starts[i]:ends[i]` of the plain text."""

    plain: Plain
    cut: Cut
    keys: Keys
    starts: Ints
    ends: Ints
    japanese: bool = True
    """False when the signs came by way of the glossary."""


def read(text: str | Plain, synonyms: Synonyms) -> Signs:
    """All signs of a Japanese text."""
    even = plain(text) if isinstance(text, str) else text
    pieces = cut(even)
    told = [(keys.named(keys.WORD, word.form), word.start, word.end) for word in pieces.words]
    told += [(keys.numbered(keys.SYNONYM, group), start, end) for group, start, end in synonyms.find(even, pieces)]
    told += _ages(even.text)
    sounds, places = keys.letters(pieces.sound), np.array(pieces.sound_origin, np.int32)
    twos, threes = keys.runs(sounds, 2, keys.TWO), keys.runs(sounds, 3, keys.THREE)
    return Signs(
        even,
        pieces,
        np.concatenate((np.array([key for key, _, _ in told], np.int64), twos, threes)),
        np.concatenate((np.array([start for _, start, _ in told], np.int32), places[: len(twos)], places[: len(threes)])),
        np.concatenate((np.array([end for _, _, end in told], np.int32), places[1:][: len(twos)] + 1, places[2:][: len(threes)] + 1)),
    )


_NUMBER = re.compile("[0-9一二三四五六七八九十〇]")
_AGE = re.compile(r"([0-9]{1,3}|[一二三四五六七八九十〇]{1,3})(?=歳|才|さい|代|になる|になり|の(?:父|母|親|一人|ひとり|息子|娘|夫|妻|祖|子))")
_GRADE = re.compile(r"小学?(?:校)?[1-6一二三四五六](?=年|の|で|に|$)")
_TEEN_GRADE = re.compile(r"(?:中学?|高校?)[1-3一二三](?=年|の|で|に|$)")
_MONTHS = re.compile(r"[0-9一二三四五六七八九十]+ ?(?:か月|ヶ月|カ月|ケ月|ヵ月|かげつ)の")
_BANDS: Final = ((65, "old"), (40, "middle"), (19, "young"), (13, "teen"), (6, "pupil"), (0, "infant"))
_DIGITS: Final = {digit: value for value, digit in enumerate("〇一二三四五六七八九")}


def _ages(text: str) -> list[tuple[int, int, int]]:
    """Ages said in numbers, as bands: 「82の父」 is about old age though no word says so."""
    found: list[tuple[int, int, int]] = []
    if not _NUMBER.search(text):
        return found
    for match in _AGE.finditer(text):
        band = next(name for least, name in _BANDS if _number(match[1]) >= least)
        found.append((keys.named(keys.AGE, band), match.start(), match.end()))
    for pattern, band in ((_GRADE, "pupil"), (_TEEN_GRADE, "teen"), (_MONTHS, "infant")):
        found += [(keys.named(keys.AGE, band), match.start(), match.end()) for match in pattern.finditer(text)]
    return found


def _number(written: str) -> int:
    if written.isascii():
        return int(written)
    tens, ten, ones = written.partition("十")
    if not ten:
        return int("".join(str(_DIGITS[digit]) for digit in written))
    return (_DIGITS.get(tens[:1], 1) if tens else 1) * 10 + _DIGITS.get(ones[:1], 0)
