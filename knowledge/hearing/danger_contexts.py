"""Words around a signal of danger: contexts that lower or raise it, and idioms that hold it (死ぬほど忙しい)."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

from knowledge.hearing.danger_pattern import Heard, Pattern, by_rarest
from knowledge.hearing.danger_reading import LEVELS, Context, Rule
from knowledge.hearing.danger_words import Span

HIGHEST: Final = len(LEVELS) - 1
_LAYERS = 6
"""How many idioms may overlap at one place."""


class Contexts:
    """The contexts of the list that lower, or those that raise; each of their expressions is looked at where its rarest word stands."""

    def __init__(self, contexts: Sequence[Context], sizes: Sequence[int]) -> None:
        self._contexts = contexts
        self._hear = by_rarest(((pattern, (place, pattern)) for place, context in enumerate(contexts) for pattern in context.hear), sizes)

    def standing(self, heard: Heard) -> Iterator[tuple[Context, list[Span]]]:
        """Those that stand in a text, and where."""
        met: dict[int, list[Pattern]] = {}
        for group in heard.found:
            for place, pattern in self._hear.get(group, ()):
                met.setdefault(place, []).append(pattern)
        for place in sorted(met):
            context = self._contexts[place]
            spans = spans_of(heard, met[place])
            if spans and not spans_of(heard, context.unless):
                yield context, sorted(spans)


class Around:
    """The contexts that stand in one text, found when first asked for."""

    def __init__(self, contexts: Contexts, heard: Heard) -> None:
        self._contexts, self._heard = contexts, heard

    def lowest(self, rule: Rule, signal: Span) -> int:
        """The lowest level a context leaves this signal."""
        return min((context.to for context in self._around(rule, signal)), default=HIGHEST)

    def touches(self, rule: Rule, pieces: Iterable[Span]) -> bool:
        return any(True for piece in pieces for _ in self._around(rule, piece))

    def _around(self, rule: Rule, signal: Span) -> Iterator[Context]:
        for standing in self._standing:
            context = standing.context
            if context.id in rule.despite or (context.kinds and not context.kinds.intersection(rule.kinds)):
                continue
            if standing.reaches(signal, self._heard):
                yield context

    @cached_property
    def _standing(self) -> list["_Standing"]:
        return [_Standing(context, spans, self._heard) for context, spans in self._contexts.standing(self._heard)]


class _Standing:
    """One context and where its words stand, sorted, so that each signal looks only at its neighbours."""

    def __init__(self, context: Context, spans: list[Span], heard: Heard) -> None:
        self.context = context
        self._spans = spans
        self._starts = [start for start, _ in spans]
        self._sentences = {heard.sentence(start) for start in self._starts} if context.where == "sentence" else set()

    def reaches(self, signal: Span, heard: Heard) -> bool:
        match self.context.where:
            case "message":
                return True
            case "sentence":
                return heard.sentence(signal[0]) in self._sentences
            case "after":
                return self._after(signal, heard)
            case "before":
                return self._before(signal, heard)
            case "near":
                return self._after(signal, heard) or self._before(signal, heard)

    def _after(self, signal: Span, heard: Heard) -> bool:
        first = bisect_left(self._starts, signal[0])
        last = bisect_right(self._starts, signal[1] + self.context.within)
        return any(end > signal[1] and heard.together(signal[0], start) for start, end in self._spans[first:last])

    def _before(self, signal: Span, heard: Heard) -> bool:
        last = bisect_left(self._starts, signal[0])
        near = self._spans[max(0, last - _LAYERS) : last]
        nearest = signal[0] - self.context.within
        return any(nearest <= end <= signal[0] and heard.together(start, signal[0]) for start, end in near)


def spans_of(heard: Heard, patterns: Sequence[Pattern]) -> list[Span]:
    """Where any of the patterns stand; patterns of several parts count with all their parts or not at all."""
    spans: list[Span] = []
    for pattern in patterns:
        if pattern.needs <= heard.groups:
            parts = [heard.spans(part) for part in pattern.parts]
            if all(parts):
                spans += [span for part in parts for span in part]
    return spans


def touch(span: Span, others: Sequence[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)


def outside(found: Mapping[int, list[Span]], idioms: Sequence[Span], length: int) -> dict[int, list[Span]]:
    """Drop words that are only a piece of an idiom (死ぬほど忙しい); the same words or more around the idiom stay."""
    covering: list[list[Span] | None] = [None] * length
    for idiom in idioms:
        for place in range(*idiom):
            within = covering[place]
            if within is None:
                covering[place] = [idiom]
            elif len(within) < _LAYERS:
                within.append(idiom)
    left: dict[int, list[Span]] = {}
    for group, spans in found.items():
        kept = []
        for span in spans:
            within = covering[span[0]]
            if within is None or not any(span[0] != start or span[1] < end for start, end in within):
                kept.append(span)
        if kept:
            left[group] = kept
    return left
