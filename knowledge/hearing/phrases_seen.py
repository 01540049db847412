"""Turns of phrase listed in YAML, seen in a text. `…` in a phrase stands for a few characters of the same sentence, `$` for the end."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from knowledge.hearing.normalise import hiragana, plain

GAP = 14
"""Characters that `…` may stand for."""
_SPACE_IN_KANA = re.compile(r"(?<=[^\x00-\x7f])\s+(?=[^\x00-\x7f])")


class Flat(str):
    """A `plain` text with katakana folded and no spaces between Japanese characters: what phrases are looked for in."""

    __slots__ = ("pairs",)

    def __init__(self, text: str) -> None:
        self.pairs = {text[at : at + 2] for at in range(len(text) - 1)} | set(text)


def flat(text: str) -> Flat:
    """The flat writing of a `plain` text."""
    return Flat(_SPACE_IN_KANA.sub("", hiragana(text)))


@dataclass(frozen=True, slots=True)
class Phrases:
    """A list of phrases, by two neighbouring characters of each (or its only one): a text is searched for the few it may hold.

    Patterns are kept as text and compiled when first met: most of them never are, and a kept base is read back in a moment.
    """

    literal: dict[str, tuple[str, ...]]
    """Phrases that are looked for as they stand."""
    turned: dict[str, tuple[str, ...]]
    """Patterns of the others: with a gap, at the end of the text, at the beginning of a foreign word."""
    every: str
    """One pattern of all."""

    @classmethod
    def of(cls, phrases: Sequence[str]) -> "Phrases":
        literal: dict[str, list[str]] = {}
        turned: dict[str, list[str]] = {}
        for phrase in map(str, phrases):
            if "…" in phrase or phrase.endswith("$") or phrase.isascii():
                turned.setdefault(_pair(phrase), []).append(_pattern(phrase))
            else:
                literal.setdefault(_pair(phrase), []).append(flat(plain(phrase).text))
        return cls(_settled(literal), _settled(turned), "|".join(_pattern(str(phrase)) for phrase in phrases))

    def seen(self, even: Flat) -> list[str]:
        """All places where a phrase occurs, without overlap."""
        return [match[0] for match in _compiled(self.every).finditer(even)] if self.any(even) else []

    def any(self, even: Flat) -> bool:
        for pair in self.literal.keys() & even.pairs:
            for phrase in self.literal[pair]:
                if phrase in even:
                    return True
        return any(_compiled(pattern).search(even) for pair in self.turned.keys() & even.pairs for pattern in self.turned[pair])


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _settled(found: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {pair: tuple(map(str, those)) for pair, those in found.items()}


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
