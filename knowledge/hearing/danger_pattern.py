"""How an expression of the danger list is written, and where it stands in a text.

`死にたい`                 these characters (folded)
`死に(たい|たか|てえ)`        one of the endings; `(は|)` may be empty
`<partner>…<hits>`        a word of one group, then of the other, in one sentence and close by
`<kin>が<falls>`          directly one after the other
`<gives_away>＋<farewell>` both anywhere in the message, in any order
`suicid*`                 Latin letters stand as whole words; * leaves the end open
`もう限界$`                at the end of the message
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from heapq import heapify, heappop, heappush
from typing import TypeVar

from knowledge.hearing.danger_text import END, fold_word, is_latin, plain_latin
from knowledge.hearing.danger_words import Span

NEAR = 14
"""How many folded characters may stand between two steps of a Japanese or Chinese expression."""
NEAR_LATIN = 30
_TOO_MANY = 4000
_SENTENCE_END = re.compile(r"[。!?\n]|\.(?= |\Z)")
T = TypeVar("T")


class WrongPattern(ValueError):
    """An expression that cannot be read; the message is Japanese and says what to write."""


@dataclass(frozen=True, slots=True)
class Step:
    """A word of `group`, at most `gap` characters after the step before; 0 means directly."""

    group: int
    gap: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """Parts stand anywhere in the message; the steps of a part follow each other in one sentence."""

    written: str
    parts: tuple[tuple[Step, ...], ...]
    needs: frozenset[int]
    """Groups without a word of which it cannot stand: looked at first, since most patterns lack one."""

    @classmethod
    def of(cls, written: str, parts: tuple[tuple[Step, ...], ...]) -> "Pattern":
        return cls(written, parts, frozenset(step.group for part in parts for step in part))


@dataclass
class Lexicon:
    """Collects groups and words while the list is read; `readings` writes kanji words in hiragana too."""

    readings: "Readings" = field(default_factory=lambda: Readings({}))
    groups: dict[str, int] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    words: dict[str, set[int]] = field(default_factory=dict)
    latin: set[int] = field(default_factory=set)
    phrases: list[tuple[int, Pattern]] = field(default_factory=list)
    """Members of groups that are themselves words in order (`ごはん…くれない`), in the order they were read."""

    def group(self, name: str, expressions: Sequence[str]) -> int:
        """Register words under the name of a group; a concept gathers its words from a file a language."""
        plain = [expression for expression in expressions if not _is_phrase(expression)]
        words = {word for expression in plain for word in spellings(expression, self.readings)}
        phrases = [Pattern.of(expression, (self._part(expression, None),)) for expression in expressions if expression not in plain]
        number = self.groups.setdefault(name, len(self.sizes))
        if number == len(self.sizes):
            self.sizes.append(0)
        self.sizes[number] += len(words) + len(phrases)
        self.phrases += [(number, phrase) for phrase in phrases]
        if words and not phrases and all(is_latin(word[0]) for word in words):
            self.latin.add(number)
        for word in words:
            self.words.setdefault(word, set()).add(number)
        return number

    def pattern(self, written: str, near: int | None) -> Pattern:
        """Read one expression; WrongPattern if it names an unknown group or is empty somewhere."""
        parts = tuple(self._part(part.strip(), near) for part in re.split("[＋+]", written))
        return Pattern.of(written, parts)

    def _part(self, part: str, near: int | None) -> tuple[Step, ...]:
        steps: list[Step] = []
        for piece in re.split(r"\s*…\s*", part):
            tokens = [token for token in re.split(r"(<[^<>]*>)", piece) if token]
            if not tokens:
                raise WrongPattern(f"「{part}」の「…」の前か後ろが空です。言葉か <グループ> を書いてください。")
            for place, token in enumerate(tokens):
                group = self._token(token)
                usual = NEAR_LATIN if group in self.latin else NEAR
                gap = 0 if place else (near if near is not None else usual)
                steps.append(Step(group, gap))
        return tuple(steps)

    def _token(self, token: str) -> int:
        if ("(" in token and "<" in token) or token.count("(") != token.count(")"):
            raise WrongPattern(f"「{token}」のかっこが合いません。かっこの中では … と <グループ> は使えません。")
        known = self.groups.get(token)
        if known is not None:
            return known
        if token.startswith("<"):
            names = "、".join(name for name in self.groups if name.startswith("<"))
            raise WrongPattern(f"グループ {token} がありません。使える名前：{names}")
        return self.group(token, [token])


def _is_phrase(expression: str) -> bool:
    if "＋" in expression or "+" in expression:
        raise WrongPattern(f"「{expression}」: グループの中では ＋ は使えません。hear に書いてください。")
    return "…" in expression or "<" in expression


class Readings:
    """Writes a word in hiragana as children, the elderly and learners do, if all its kanji are listed."""

    shortest = 4
    """A shorter reading would be heard inside other words."""

    def __init__(self, readings: Mapping[str, str]) -> None:
        self._readings = readings
        longest_first = sorted(readings, key=len, reverse=True)
        self._kanji = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")

    def with_more(self, readings: Mapping[str, str]) -> "Readings":
        return _the_same(frozenset({**self._readings, **readings}.items()))

    def of(self, word: str) -> str | None:
        reading = self._kanji.sub(lambda found: self._readings[found[0]], word)
        kana = all("ぁ" <= letter <= "ゖ" or letter == "ー" for letter in reading)
        return reading if kana and reading != word and len(reading) >= self.shortest else None


@lru_cache(maxsize=4)
def _the_same(readings: frozenset[tuple[str, str]]) -> Readings:
    """One object for the same readings, so that what was spelled with them is found again."""
    return Readings(dict(readings))


@lru_cache(maxsize=30_000)
def spellings(expression: str, readings: Readings | None = None) -> frozenset[str]:
    """All folded words an expression with alternatives stands for: Chinese, without accents, in hiragana.

    Remembered, since a town that changes one word has the whole country's list read again: that took half of the time.
    """
    if "?" in expression:
        raise WrongPattern(f"「{expression}」の「?」は使えません。あってもなくてもよい言葉は (は|) と書いてください。")
    words: set[str] = set()
    for alternative in _alternatives(expression):
        open_end = alternative.rstrip().endswith("*")
        if "*" in alternative.rstrip()[:-1]:
            raise WrongPattern(f"「{expression}」の * は言葉のいちばん後ろにだけ書けます。")
        for folded in fold_word(alternative.replace("$", END)):
            if not folded:
                raise WrongPattern(f"「{expression}」に空の言葉があります。言葉を書いてください。")
            for word in (folded, plain_latin(folded), readings.of(folded) if readings else None):
                if word is not None:
                    words.add(word + "*" if open_end else word)
    return frozenset(words)


def _alternatives(expression: str) -> list[str]:
    """Write out `(a|b)`; parentheses may stand inside each other."""
    opened = expression.find("(")
    if opened < 0:
        if ")" in expression or "|" in expression:
            raise WrongPattern(f"「{expression}」のかっこが合いません。(あ|い) の形で書いてください。")
        return [expression]
    closed = _closing(expression, opened)
    choices = _split_choices(expression[opened + 1 : closed])
    tails = _alternatives(expression[closed + 1 :])
    middles = [word for choice in choices for word in _alternatives(choice)]
    if len(middles) * len(tails) > _TOO_MANY:
        raise WrongPattern(f"「{expression}」は組み合わせが多すぎます。二つに分けてください。")
    return [expression[:opened] + middle + tail for middle in middles for tail in tails]


def _closing(expression: str, opened: int) -> int:
    depth = 0
    for place in range(opened, len(expression)):
        depth += {"(": 1, ")": -1}.get(expression[place], 0)
        if depth == 0:
            return place
    raise WrongPattern(f"「{expression}」のかっこが閉じていません。「)」を足してください。")


def _split_choices(inside: str) -> list[str]:
    choices, depth, start = [], 0, 0
    for place, letter in enumerate(inside):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "|" and depth == 0:
            choices.append(inside[start:place])
            start = place + 1
    return [*choices, inside[start:]]


@dataclass(frozen=True, slots=True)
class Phrases:
    """Members of groups that are words in order, and which of them need a group most."""

    listed: tuple[tuple[int, Pattern], ...]
    needing: Mapping[int, Sequence[int]]
    """By group: the places in `listed` of those that it is the rarest word of."""

    @classmethod
    def of(cls, listed: Sequence[tuple[int, Pattern]], sizes: Sequence[int]) -> "Phrases":
        return cls(tuple(listed), by_rarest(((phrase, place) for place, (_, phrase) in enumerate(listed)), sizes))

    def beside(self, heard: "Heard") -> "Heard":
        """Adds to each group the places where its phrases stand, in the order they were listed: a phrase may be made of phrases before it."""
        found = dict(heard.found)
        growing = Heard(heard.text, found)
        waiting = [place for group in found for place in self.needing.get(group, ())]
        heapify(waiting)
        while waiting:
            place = heappop(waiting)
            group, phrase = self.listed[place]
            if all(need in found for need in phrase.needs) and (spans := growing.spans(phrase.parts[0])):
                if group not in found:
                    for later in self.needing.get(group, ()):
                        if later > place:
                            heappush(waiting, later)
                found[group] = sorted([*found.get(group, ()), *spans], key=lambda span: (span[1], span[0]))
        return growing


def by_rarest(wanted: Iterable[tuple[Pattern, T]], sizes: Sequence[int]) -> dict[int, list[T]]:
    """What hangs on each pattern, laid by the group with the fewest words of those it cannot stand without: most need not be looked at."""
    laid: dict[int, list[T]] = {}
    for pattern, hanging in wanted:
        laid.setdefault(min(sorted(pattern.needs), key=lambda group: sizes[group]), []).append(hanging)
    return laid


@dataclass(frozen=True)
class Heard:
    """The words found in one text, and where its sentences end."""

    text: str
    found: Mapping[int, Sequence[Span]]

    @cached_property
    def breaks(self) -> list[int]:
        return [match.start() for match in _SENTENCE_END.finditer(self.text)]

    @cached_property
    def groups(self) -> frozenset[int]:
        """The groups of which a word stands in the text."""
        return frozenset(self.found)

    def sentence(self, place: int) -> int:
        """Number of the sentence a character stands in."""
        return bisect_left(self.breaks, place)

    def together(self, before: int, after: int) -> bool:
        """No sentence ends between the two places."""
        return self.sentence(before) == self.sentence(after)

    def spans(self, steps: Sequence[Step]) -> list[Span]:
        """Where the steps follow each other, from the start of the first to the end of the last."""
        reached = list(self.found.get(steps[0].group, ()))
        for step in steps[1:]:
            if not reached:
                return []
            ends = [end for _, end in reached]
            following: list[Span] = []
            for start, end in self.found.get(step.group, ()):
                last = bisect_right(ends, start) - 1
                if last >= 0 and start - ends[last] <= step.gap and self.together(ends[last], start):
                    following.append((reached[last][0], end))
            reached = following
        return reached
