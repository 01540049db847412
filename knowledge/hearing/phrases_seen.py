"""Turns of phrase listed in YAML, seen in a text. `…` in a phrase stands for a few characters of the same sentence, `$` for the end."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from operator import add

from knowledge.hearing.normalise import hiragana, plain

GAP = 14
"""Characters that `…` may stand for."""
_SPACE_IN_KANA = re.compile(r"(?<=[^\x00-\x7f])\s+(?=[^\x00-\x7f])")


class Flat(str):
    """A `plain` text with katakana folded and no spaces between Japanese characters: what phrases are looked for in."""

    @cached_property
    def pairs(self) -> set[str]:
        """Its characters, and every two neighbours."""
        return {*self, *map(add, self, self[1:])}


def flat(text: str) -> Flat:
    """The flat writing of a `plain` text."""
    return Flat(_SPACE_IN_KANA.sub("", hiragana(text)))


@dataclass(frozen=True, slots=True)
class Phrases:
    """Named lists of phrases, all looked for at once: by two neighbouring characters of each phrase (or its only one) a text is searched for the
    few it may hold.

    Patterns are kept as text and compiled when first met: most of them never are, and a kept base is read back in a moment.
    """

    literal: dict[str, tuple[tuple[str, str], ...]]
    """By pair: (phrase that is looked for as it stands, name of its list)."""
    turned: dict[str, tuple[tuple[str, str], ...]]
    """By pair: (pattern of a phrase with a gap, at the end of the text, at the beginning of a foreign word; name of its list)."""
    every: dict[str, str]
    """By name: one pattern of the whole list."""

    @classmethod
    def of(cls, lists: Mapping[str, Sequence[str]]) -> "Phrases":
        literal: dict[str, list[tuple[str, str]]] = {}
        turned: dict[str, list[tuple[str, str]]] = {}
        for name, phrases in lists.items():
            for phrase in map(str, phrases):
                if "…" in phrase or phrase.endswith("$") or phrase.isascii():
                    turned.setdefault(_pair(phrase), []).append((_pattern(phrase), name))
                else:
                    literal.setdefault(_pair(phrase), []).append((flat(plain(phrase).text), name))
        every = {name: "|".join(_pattern(str(phrase)) for phrase in phrases) for name, phrases in lists.items()}
        return cls(_settled(literal), _settled(turned), every)

    def met(self, even: Flat) -> set[str]:
        """Names of the lists of which at least one phrase occurs."""
        met: set[str] = set()
        for pair in self.literal.keys() & even.pairs:
            met.update(name for phrase, name in self.literal[pair] if name not in met and phrase in even)
        for pair in self.turned.keys() & even.pairs:
            met.update(name for pattern, name in self.turned[pair] if name not in met and _compiled(pattern).search(even))
        return met

    def seen(self, name: str, even: Flat) -> list[str]:
        """All places where a phrase of one list occurs, without overlap."""
        return [match[0] for match in _compiled(self.every[name]).finditer(even)]


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _settled(found: dict[str, list[tuple[str, str]]]) -> dict[str, tuple[tuple[str, str], ...]]:
    return {pair: tuple((str(phrase), name) for phrase, name in those) for pair, those in found.items()}


def _pair(phrase: str) -> str:
    """The telling pair of a phrase: with kanji if it has any."""
    parts = [flat(plain(part).text) for part in phrase.rstrip("$").split("…")]
    pairs = [part[at : at + 2] for part in parts for at in range(len(part) - 1)]
    return str(max(pairs or parts, key=lambda pair: sum("一" <= letter <= "龠" for letter in pair)))


def _pattern(phrase: str) -> str:
    ends = phrase.endswith("$")
    gap = rf"[^。！？!?\n]{{0,{GAP}}}?"
    body = gap.join(re.escape(flat(plain(part).text)) for part in phrase.rstrip("$").split("…"))
    if phrase.isascii():
        body = rf"\b{body}"
    return body + (r"\s*[。!?]?\s*$" if ends else "")
