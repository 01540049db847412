"""Hearing danger to life, before anything else and whoever owns the talk (G1, D6).

A curated list decides, never a score: words in groups, rules of words close together, look-alikes, and contexts that lower
(negation, past, a film, a course about it) or raise (right now) what was heard. Each decision names its rule. The list is
data with tests inside (knowledge/starter/danger.yaml), so that a counsellor can read, change and prove it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from knowledge.hearing.danger_pattern import Heard, Pattern, with_phrases
from knowledge.hearing.danger_reading import LEVELS, BrokenDangerList, Context, Listed, Rule, Who, read
from knowledge.hearing.danger_text import END, SEAM, Folded, fold
from knowledge.hearing.danger_words import Span
from knowledge.hearing.model import NO_DANGER, Danger, DangerKind

__all__ = ["BrokenDangerList", "DangerList", "Failure"]

EARLIER_LETTERS = 600
"""So much of the earlier messages is joined to the new one: signals split over messages, not whole talks (D13)."""
_NONE, _ASK, _TOLD, _NOW = range(4)
_LAYERS = 6
"""How many idioms may overlap at one place."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One test sentence of the list that does not come out as its rule says."""

    rule: str
    sentence: str
    wanted: str
    got: str


@dataclass(frozen=True, slots=True)
class Signal:
    """A rule that fired, at what level, and where its words stand in the folded text."""

    rule: Rule
    level: int
    pieces: tuple[Span, ...]


class DangerList:
    """The list, ready to listen. Immutable; share one between threads."""

    def __init__(self, listed: Listed) -> None:
        self._listed = listed
        self._order = {rule.id: place for place, rule in enumerate(listed.rules)}
        self._by_word: dict[int, list[tuple[Rule, Pattern]]] = {}
        for rule in listed.rules:
            for pattern in rule.hear or rule.signs:
                self._by_word.setdefault(self._rarest(pattern), []).append((rule, pattern))

    @classmethod
    def load(cls, path: Path) -> Self:
        """The list at `path` (danger.yaml with the folder danger/ beside it); BrokenDangerList in Japanese on mistakes."""
        return cls(read(path))

    @property
    def rules(self) -> tuple[Rule, ...]:
        return self._listed.rules

    def scan(self, text: str, earlier: Sequence[str] = ()) -> Danger:
        """Danger in `text`; `earlier` are the resident's last messages, oldest first.

        A signal may begin in an earlier message and end in this one; one that lies wholly in the past does not fire again.
        """
        folded = fold(text)
        heard = self._listen(folded.text)
        signals = heard.signals()
        before = SEAM.join(earlier)[-EARLIER_LETTERS:]
        if before:
            joined = fold(before + SEAM + text)
            seam = len(joined.text) - len(folded.text)
            signals += [
                Signal(signal.rule, signal.level, tuple((max(s, seam) - seam, e - seam) for s, e in signal.pieces if e > seam))
                for signal in self._listen(joined.text).signals()
                if any(start < seam for start, _ in signal.pieces) and any(end > seam for _, end in signal.pieces)
            ]
        return self._decide(text, folded, heard, signals)

    def test(self) -> list[Failure]:
        """Run every sentence inside the list; empty when the list keeps what it says. 「／」 parts messages."""
        return [failure for rule in self.rules for failure in self._test_rule(rule)]

    def _listen(self, folded: str) -> "_Listening":
        folded += END
        found = self._listed.finder.find(folded)
        idioms = found.pop(self._listed.idioms, None)
        if idioms:
            idioms.sort()
            found = {group: left for group, spans in found.items() if (left := _outside(spans, idioms))}
        return _Listening(self._listed, self._by_word, with_phrases(Heard(folded, found), self._listed.phrases))

    def _rarest(self, pattern: Pattern) -> int:
        sizes = self._listed.sizes
        return min((step.group for part in pattern.parts for step in part), key=lambda group: sizes[group])

    def _decide(self, text: str, folded: Folded, heard: "_Listening", signals: Sequence[Signal]) -> Danger:
        if not signals:
            return NO_DANGER
        first = max(signals, key=lambda signal: (signal.level, -self._order[signal.rule.id]))
        told = min(first.level, _TOLD)
        kinds: dict[DangerKind, None] = {}
        for signal in sorted(signals, key=lambda signal: (-signal.level, self._order[signal.rule.id])):
            if signal.level >= told:
                kinds |= dict.fromkeys(signal.rule.kinds)
        start, end = max(first.pieces, key=lambda piece: piece[1] - piece[0])
        end = min(end, len(folded.places))
        return Danger(
            level=LEVELS[first.level],
            kinds=tuple(kinds),
            rule=first.rule.id,
            said=text[folded.places[start] : folded.places[end - 1] + 1],
            who=first.rule.who or heard.whose(start),
            child_speaks=heard.child_speaks(),
        )

    def _test_rule(self, rule: Rule) -> Iterable[Failure]:
        wishes = [
            (rule.must, "told", lambda level: level >= rule.level),
            (rule.must_now, "L3", lambda level: level == _NOW),
            (rule.asks, "L1", lambda level: level == _ASK),
            (rule.must_not, "L0", lambda level: level == _NONE),
        ]
        for sentences, wanted, fits in wishes:
            for sentence in sentences:
                *earlier, last = sentence.split("／")
                danger = self.scan(last, earlier)
                kind_right = wanted == "L0" or set(rule.kinds) & set(danger.kinds)
                if not fits(LEVELS.index(danger.level)) or not kind_right:
                    got = f"{danger.level} {','.join(danger.kinds)} ({danger.rule})"
                    yield Failure(rule.id, sentence, LEVELS[rule.level] if wanted == "told" else wanted, got)


class _Listening:
    """One text, heard: evaluates rules and contexts over the words found."""

    def __init__(self, listed: Listed, by_word: dict[int, list[tuple[Rule, Pattern]]], heard: Heard) -> None:
        self._listed, self._by_word, self._heard = listed, by_word, heard
        self._weaken = _Contexts(listed.weaken, heard)
        self._raise = _Contexts(listed.raising, heard)

    def signals(self) -> list[Signal]:
        """Every rule that fires, each at its highest level."""
        best: dict[str, Signal] = {}
        for group in self._heard.found:
            for rule, pattern in self._by_word.get(group, ()):
                signal = self._signal(rule, pattern)
                if signal and (rule.id not in best or best[rule.id].level < signal.level):
                    best[rule.id] = signal
        return list(best.values())

    def whose(self, start: int) -> Who:
        """The person named last before the signal in its sentence; the writer if none is named."""
        nearest: tuple[int, Who] = (-1, "self")
        for who, patterns in self._listed.whose.items():
            for span in self._all(patterns):
                if span[0] <= start and self._heard.together(span[0], start):
                    nearest = max(nearest, (span[1], who))
        return nearest[1]

    def child_speaks(self) -> bool:
        """A child's words, and none that only adults use (D6e)."""
        return bool(self._all(self._listed.child_voice)) and not self._all(self._listed.adult_voice)

    def _signal(self, rule: Rule, pattern: Pattern) -> Signal | None:
        heard = self._heard
        if rule.longest is not None and len(heard.text) > rule.longest:
            return None
        if not all(step.group in heard.found for part in pattern.parts for step in part):
            return None
        level, pieces = self._pieces(rule, pattern)
        if level and rule.signs:
            level, pieces = self._with_signs(rule, level, pieces if rule.hear else [])
        if level == _NONE or self._all(rule.unless) or self._near(rule.unless_near, pieces, 0):
            return None
        if level >= _TOLD and (self._near(rule.rises, pieces, 3) or self._raise.touches(rule, pieces)):
            level = _NOW
        return Signal(rule, level, tuple(pieces))

    def _pieces(self, rule: Rule, pattern: Pattern) -> tuple[int, list[Span]]:
        """How high the pattern stands after its contexts, and where each of its parts does."""
        level, pieces = _NOW, []
        for part in pattern.parts:
            standing = [(self._level(rule, span), span) for span in heard.spans(part)]
            part_level, span = max(standing, key=lambda found: found[0], default=(_NONE, (0, 0)))
            level = min(level, part_level)
            pieces.append(span)
        return level, pieces

    def _with_signs(self, rule: Rule, level: int, pieces: list[Span]) -> tuple[int, list[Span]]:
        """Enough weak signs beside `pieces`, each at a place of its own: the rule's level, or none."""
        found = 0
        for sign in rule.signs:
            if not all(step.group in self._heard.found for part in sign.parts for step in part):
                continue
            sign_level, spans = self._pieces(rule, sign)
            if sign_level and not any(_overlap(span, piece) for span in spans for piece in pieces):
                found += 1
                pieces = pieces + spans
                level = min(level, sign_level)
        return (level, pieces) if found >= rule.at_least else (_NONE, pieces)

    def _level(self, rule: Rule, span: Span) -> int:
        return min(rule.level, self._weaken.lowest(rule, span))

    def _near(self, patterns: Sequence[Pattern], pieces: Sequence[Span], sentences_apart: int) -> bool:
        """One of the patterns stands in the sentence of a piece, or so many sentences from it."""
        sentences = {self._heard.sentence(start) for start, _ in pieces}
        return any(
            abs(self._heard.sentence(start) - sentence) <= sentences_apart for start, _ in self._all(patterns) for sentence in sentences
        )

    def _all(self, patterns: Sequence[Pattern]) -> list[Span]:
        return _spans(self._heard, patterns)


class _Contexts:
    """The contexts that stand in one text, found when first asked for."""

    def __init__(self, contexts: Sequence[Context], heard: Heard) -> None:
        self._contexts, self._heard = contexts, heard

    def lowest(self, rule: Rule, span: Span) -> int:
        """The lowest level a context leaves this signal."""
        return min((context.to for context, spans in self._standing if self._applies(context, spans, rule, span)), default=_NOW)

    def touches(self, rule: Rule, pieces: Iterable[Span]) -> bool:
        return any(self._applies(context, spans, rule, span) for span in pieces for context, spans in self._standing)

    @cached_property
    def _standing(self) -> list[tuple[Context, list[Span]]]:
        standing = []
        for context in self._contexts:
            spans = _spans(self._heard, context.hear)
            if spans and not _spans(self._heard, context.unless):
                standing.append((context, spans))
        return standing

    def _applies(self, context: Context, spans: list[Span], rule: Rule, signal: Span) -> bool:
        if context.id in rule.despite or (context.kinds and not context.kinds.intersection(rule.kinds)):
            return False
        return context.where == "message" or any(self._stands(context, span, signal) for span in spans)

    def _stands(self, context: Context, span: Span, signal: Span) -> bool:
        after = span[1] > signal[1] and signal[0] <= span[0] <= signal[1] + context.within
        before = span[0] < signal[0] and signal[0] - context.within <= span[1] <= signal[1]
        fits = {"after": after, "before": before, "near": after or before, "sentence": True}[context.where]
        return fits and self._heard.together(min(span[0], signal[0]), max(span[0], signal[0]))


def _spans(heard: Heard, patterns: Sequence[Pattern]) -> list[Span]:
    """Where any of the patterns stand; patterns of several parts count with all their parts or not at all."""
    spans: list[Span] = []
    for pattern in patterns:
        if all(step.group in heard.found for part in pattern.parts for step in part):
            parts = [heard.spans(part) for part in pattern.parts]
            if all(parts):
                spans += [span for part in parts for span in part]
    return spans


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _outside(spans: Sequence[Span], idioms: Sequence[Span]) -> list[Span]:
    """Drop words that are only a piece of an idiom (死ぬほど忙しい); the same words or more around the idiom stay."""
    starts = [start for start, _ in idioms]
    kept = []
    for start, end in spans:
        before = idioms[max(0, bisect_right(starts, start) - _LAYERS) : bisect_right(starts, start)]
        if not any(start < i_end and not (start == i_start and end >= i_end) for i_start, i_end in before):
            kept.append((start, end))
    return kept
