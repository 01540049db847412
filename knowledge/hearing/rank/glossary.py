"""Everyday foreign words → Japanese words (glossary.yaml), so that one ranking serves every language (D12).

A row says which Japanese words a foreign phrase stands for (their signs count as the phrase's own: Lexicon.meant).
English and Portuguese phrases match from the beginning of a word (evict → evicted), Vietnamese whole syllables, Chinese runs of characters.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from knowledge.hearing.model import Lang
from knowledge.hearing.normalise import Plain

LONGEST_PHRASE = 6
"""Words in one phrase."""
ENDING = 5
"""Letters a word may go on after the phrase: laid off, demitido, evicted."""
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_SPELLED: Final[frozenset[Lang]] = frozenset({"en", "pt", "vi"})


@dataclass(frozen=True, slots=True)
class Glossary:
    """`phrases[lang][phrase]` are the Japanese words it stands for."""

    phrases: dict[Lang, dict[str, tuple[str, ...]]]

    @classmethod
    def of(cls, concepts: Sequence[Mapping[str, Sequence[str]]]) -> "Glossary":
        phrases: dict[Lang, dict[str, tuple[str, ...]]] = {"en": {}, "zh": {}, "pt": {}, "vi": {}}
        for row in concepts:
            japanese = tuple(map(str, row["ja"]))
            for lang, known in phrases.items():
                for phrase in row.get(lang, ()):
                    key = " ".join(_WORD.findall(_bare(str(phrase), lang))) if lang in _SPELLED else str(phrase)
                    known[key] = known.get(key, ()) + japanese
        return cls(phrases)

    def words(self) -> Iterator[tuple[str, ...]]:
        """All Japanese words that phrases stand for."""
        for known in self.phrases.values():
            yield from known.values()

    def japanese(self, text: Plain, lang: Lang) -> list[tuple[tuple[str, ...], int, int]]:
        """(Japanese words, start, end) for every phrase met, longest first at each place."""
        known = self.phrases.get(lang)
        if not known:
            return []
        return list(_spelled(text.text, known, lang) if lang in _SPELLED else _run(text.text, known))


def _bare(text: str, lang: Lang) -> str:
    """Lower case, one apostrophe; accents off where people often leave them out. One character stays one character."""
    text = text.lower().replace("’", "'")
    if lang == "vi":
        return text
    return "".join(unicodedata.normalize("NFD", letter)[:1] for letter in text)


def _spelled(text: str, known: Mapping[str, tuple[str, ...]], lang: Lang) -> Iterator[tuple[tuple[str, ...], int, int]]:
    words = [(match[0], match.start(), match.end()) for match in _WORD.finditer(_bare(text, lang))]
    at = 0
    while at < len(words):
        step = 1
        for length in range(min(LONGEST_PHRASE, len(words) - at), 0, -1):
            phrase = " ".join(word for word, _, _ in words[at : at + length])
            japanese = known.get(phrase) or (_inflected(phrase, words[at + length - 1][0], known) if lang != "vi" else None)
            if japanese:
                yield japanese, words[at][1], words[at + length - 1][2]
                step = length
                break
        at += step


def _inflected(phrase: str, last: str, known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    """The phrase with up to ENDING letters off its last word; short words lose only a plural s."""
    if last.endswith("s") and phrase[:-1] in known:
        return known[phrase[:-1]]
    for cut_off in range(1, min(ENDING, len(last) - 4) + 1):
        japanese = known.get(phrase[:-cut_off])
        if japanese:
            return japanese
    return None


def _run(text: str, known: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], int, int]]:
    longest = max(map(len, known))
    at = 0
    while at < len(text):
        step = 1
        for length in range(min(longest, len(text) - at), 0, -1):
            japanese = known.get(text[at : at + length])
            if japanese:
                yield japanese, at, at + length
                step = length
                break
        at += step
