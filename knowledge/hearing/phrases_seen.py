"""Turns of phrase listed in YAML, seen in a text. `…` in a phrase stands for a few characters of the same sentence, `$` for the end."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.hearing.normalise import hiragana, plain

GAP = 14
"""Characters that `…` may stand for."""
_SPACE_IN_KANA = re.compile(r"(?<=[^\x00-\x7f])\s+(?=[^\x00-\x7f])")


def flat(text: str) -> str:
    """A `plain` text with katakana folded and no spaces between Japanese characters: what phrases are looked for in."""
    return _SPACE_IN_KANA.sub("", hiragana(text))


@dataclass(frozen=True, slots=True)
class Phrases:
    """A list of phrases as one scanner."""

    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, phrases: Sequence[str]) -> "Phrases":
        parts = [_pattern(str(phrase)) for phrase in phrases]
        return cls(re.compile("|".join(parts)) if parts else None)

    def seen(self, even: str) -> list[str]:
        """All places where a phrase occurs in a `flat` text, without overlap."""
        return [match[0] for match in self.pattern.finditer(even)] if self.pattern else []

    def any(self, even: str) -> bool:
        return bool(self.pattern and self.pattern.search(even))


def _pattern(phrase: str) -> str:
    ends = phrase.endswith("$")
    gap = rf"[^。！？!?\n]{{0,{GAP}}}?"
    body = gap.join(re.escape(flat(plain(part).text)) for part in phrase.rstrip("$").split("…"))
    if phrase.isascii():
        body = rf"\b{body}"
    return body + (r"\s*[。!?]?\s*$" if ends else "")
