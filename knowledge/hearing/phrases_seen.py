"""Turns of phrase listed in YAML, seen in a text. `…` in a phrase stands for a few characters of the same sentence, `$` for the end."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

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
    """A list of phrases as one scanner."""

    pattern: re.Pattern[str] | None
    by_pair: dict[str, re.Pattern[str]]
    """The same phrases by two neighbouring characters of each (or its only one): a text is searched for the few it may hold."""

    @classmethod
    def of(cls, phrases: Sequence[str]) -> "Phrases":
        found: dict[str, list[str]] = {}
        for phrase in map(str, phrases):
            found.setdefault(_pair(phrase), []).append(_pattern(phrase))
        every = [_pattern(str(phrase)) for phrase in phrases]
        return cls(re.compile("|".join(every)) if every else None, {pair: re.compile("|".join(those)) for pair, those in found.items()})

    def seen(self, even: Flat) -> list[str]:
        """All places where a phrase occurs, without overlap."""
        return [match[0] for match in self.pattern.finditer(even)] if self.pattern and self.any(even) else []

    def any(self, even: Flat) -> bool:
        return any(self.by_pair[pair].search(even) for pair in self.by_pair.keys() & even.pairs)


def _pair(phrase: str) -> str:
    """The telling pair of a phrase: with kanji if it has any."""
    parts = [flat(plain(part).text) for part in phrase.rstrip("$").split("…")]
    pairs = [part[at : at + 2] for part in parts for at in range(len(part) - 1)]
    return max(pairs or parts, key=lambda pair: sum("一" <= letter <= "龠" for letter in pair))


def _pattern(phrase: str) -> str:
    ends = phrase.endswith("$")
    gap = rf"[^。！？!?\n]{{0,{GAP}}}?"
    body = gap.join(re.escape(flat(plain(part).text)) for part in phrase.rstrip("$").split("…"))
    if phrase.isascii():
        body = rf"\b{body}"
    return body + (r"\s*[。!?]?\s*$" if ends else "")
