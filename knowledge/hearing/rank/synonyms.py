"""The town's groups of words for the same thing (synonyms.yaml): 「街灯, 街路灯, 外灯」.

A member is found as it is written; members in kana, and the sounds of long members in kanji, are also found in hiragana with or without spaces
(「せいかつ ほご」). The longest member wins at each place. A member may be the beginning of a phrase (払えな): endings differ by region.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import add

from knowledge.hearing.normalise import Cut, Plain, cut, hiragana, plain

SHORTEST_KANA = 3
"""Two sounds alone (いえ, よめ) occur inside too many other words."""
SHORTEST_READING = 4
"""Readings of kanji have homophones (他界 = 高い, 姉妹 = 〜しまい): short ones are not listened for."""
_KANA = re.compile(r"[ぁ-ゖァ-ヺー]+")
_KANJI = re.compile(r"[一-龠々]{2,}")
_KATAKANA = re.compile(r"[ァ-ヺー]{1,3}")
_BREAK = re.compile(r"[、。,.!?！？「」『』()（）]")

_Groups = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Synonyms:
    """Look-up of group numbers by writing and by sound; `lengths` of the members that begin so, by first two characters, longest first."""

    written: dict[str, _Groups]
    heard: dict[str, _Groups]
    lengths: dict[str, _Groups]

    @classmethod
    def of(cls, groups: Sequence[Sequence[str]]) -> "Synonyms":
        written: dict[str, set[int]] = {}
        heard: dict[str, set[int]] = {}
        for number, group in enumerate(groups):
            for member in filter(str.strip, (plain(word).text for word in group)):
                written.setdefault(member if _KATAKANA.fullmatch(member) else hiragana(member), set()).add(number)
                if _KANA.fullmatch(member) and len(member) >= SHORTEST_KANA and not _KATAKANA.fullmatch(member):
                    heard.setdefault(hiragana(member), set()).add(number)
                if _KANJI.fullmatch(member) and len(sound := cut(plain(member)).sound) >= SHORTEST_READING and sound not in heard:
                    heard.setdefault(sound, set()).add(number)
        lengths: dict[str, set[int]] = {}
        for member in (*written, *heard):
            lengths.setdefault(member[:2], set()).add(len(member))
        return cls(_settled(written), _settled(heard), {first: tuple(sorted(sizes, reverse=True)) for first, sizes in lengths.items()})

    def find(self, text: Plain, pieces: Cut) -> list[tuple[int, int, int]]:
        """(group, start, end) in the plain text, wherever it stands: a second sentence says its own words, though the first said them too."""
        found: dict[tuple[int, int], int] = {}
        folded = hiragana(text.text)
        nouns = {(word.start, word.end) for word in pieces.words if word.noun}
        for group, start, end in self._scan(folded, self.written):
            member = folded[start:end]
            whole = (start, end) in nouns if _KANA.fullmatch(member) else start in pieces.edges and end in pieces.edges
            if whole or _stands_inside_words(member):
                found.setdefault((group, start), end)
        if folded != text.text:
            for match in _KATAKANA.finditer(text.text):
                for group in self.written.get(match[0], ()):
                    found.setdefault((group, match.start()), match.end())
        places = pieces.sound_origin
        for group, start, end in self._scan(pieces.sound, self.heard):
            begin, stop = places[start], places[end - 1] + 1
            if begin in pieces.edges and _in_kana(text.text[begin:stop]):
                found.setdefault((group, begin), stop)
        return [(group, start, end) for (group, start), end in found.items()]

    def _scan(self, text: str, members: Mapping[str, _Groups]) -> Iterator[tuple[int, int, int]]:
        lengths = self.lengths
        free = 0
        twos = [*map(add, text, text[1:]), text[-1:]]
        for at in [at for at, (letter, two) in enumerate(zip(text, twos, strict=False)) if two in lengths or letter in members]:
            if at < free:
                continue
            for length in (*lengths.get(twos[at], ()), *((1,) if text[at] in members else ())):
                groups = members.get(text[at : at + length])
                if groups:
                    free = min(at + length, len(text))
                    for group in groups:
                        yield group, at, free
                    break


def _settled(found: Mapping[str, set[int]]) -> dict[str, _Groups]:
    return {member: tuple(sorted(groups)) for member, groups in found.items()}


def _stands_inside_words(member: str) -> bool:
    """Long enough to be meant wherever it occurs; 道, よめ and SC are not (北海道, よめない, scan)."""
    if member.isascii():
        return False
    kanji = sum("一" <= letter <= "龠" for letter in member)
    return len(member) >= SHORTEST_KANA or (kanji > 0 and len(member) > 1)


def _in_kana(written: str) -> bool:
    """Mostly kana and no stop inside: only then does a sound stand for a word (地しん, すむ ところ; not に置い)."""
    return not _BREAK.search(written) and 2 * sum(map(len, _KANA.findall(written))) >= len(written)
