"""The second ear: hears what resembles the counsellors' sentences when no rule fires.

People in danger often use no word of danger at all. All sentences of the list, heard and left alone, are weighed once
(`danger_fit`): each short run of letters and each group of words carries points for or against danger. The points stand in
ear.json and are worth exactly as much as the sentences they came from: whoever wants to change them changes the sentences.
Measured blind: the rules alone heard 74 of 94 fresh lines, with the second ear 82.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from knowledge.hearing.danger_text import END, fold, has_kana
from knowledge.hearing.model import DangerKind, Level

RUNS = (1, 2, 3)
"""Lengths of the runs of letters that carry points."""
ASK, TELL = 0.5, 2.0
"""From ASK points on a message is asked about (L1), from TELL on it is taken as told (L2). Never L3: a resemblance is no proof (D6j)."""
SHORTEST, ENOUGH = 16, 30
"""Fewer letters resemble too much to be heard at all; fewer than ENOUGH are only asked about."""
NEIGHBOURS = 7


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the list that must be heard."""

    said: str
    level: Level
    kinds: tuple[DangerKind, ...]


@dataclass(frozen=True, slots=True)
class Resemblance:
    """What a message resembles: how surely, and which sentences lie nearest."""

    points: float
    level: Level
    kinds: tuple[DangerKind, ...]
    start: int
    """Where the letters with most points begin in the folded text, and where they end."""
    end: int


class Ear:
    """Points of runs and groups, and the sentences they came from. Immutable."""

    def __init__(self, points: Mapping[str, float], bias: float, sentences: Sequence[Sentence]) -> None:
        self._points, self._bias, self._sentences = points, bias, tuple(sentences)
        self._known = frozenset(points)

    @classmethod
    def load(cls, path: Path, sentences: Sequence[Sentence]) -> Self | None:
        """The ear stored at `path`; None if the list has none."""
        if not path.is_file():
            return None
        stored = json.loads(path.read_text(encoding="utf-8"))
        return cls(stored["points"], stored["bias"], sentences)

    def hear(self, folded: str, groups: Iterable[str]) -> Resemblance | None:
        """What the text resembles, if it is Japanese and carries at least ASK points.

        Only Japanese: in the other languages the list has too few sentences to tell a worry from a danger by its sound.
        """
        if len(folded) < SHORTEST or not has_kana(folded):
            return None
        found = features(folded, groups)
        points = self._bias + sum(map(self._points.__getitem__, found & self._known)) / math.sqrt(len(found) + 1)
        if points < ASK:
            return None
        start, end = self._loudest(folded)
        return Resemblance(points, "L2" if points >= TELL and len(folded) >= ENOUGH else "L1", (self._like(found),), start, end)

    def _like(self, found: set[str]) -> DangerKind:
        """Kind of the nearest sentences, the nearer the weightier."""
        near = sorted(
            ((self._shared(found, features_of), place) for place, features_of in enumerate(self._features)), reverse=True
        )[:NEIGHBOURS]
        kinds: dict[DangerKind, float] = {}
        for weight, place in near:
            for kind in self._sentences[place].kinds:
                kinds[kind] = kinds.get(kind, 0.0) + weight
        return max(kinds, key=lambda kind: kinds[kind])

    def _shared(self, found: set[str], other: frozenset[str]) -> float:
        shared = sum(max(self._points.get(feature, 0.0), 0.0) for feature in found & other)
        return shared / math.sqrt(len(other) + 1)

    def _loudest(self, folded: str, width: int = 8) -> tuple[int, int]:
        """The stretch of letters with most points: what staff are shown as the words that were heard."""
        values = [self._points.get(folded[place : place + 3], 0.0) for place in range(max(len(folded) - 2, 1))]
        total = best = sum(values[:width])
        start = 0
        for place in range(width, len(values)):
            total += values[place] - values[place - width]
            if total > best:
                best, start = total, place - width + 1
        return start, min(start + width + 2, len(folded))

    @cached_property
    def _features(self) -> list[frozenset[str]]:
        return [frozenset(features(fold(sentence.said).text, ())) for sentence in self._sentences]


def features(folded: str, groups: Iterable[str]) -> set[str]:
    """Runs of letters of a folded text, and the groups whose words stand in it (`<hits>`)."""
    text = folded.removesuffix(END)
    runs = {text[start : start + size] for size in RUNS for start in range(len(text) - size + 1)}
    return runs.union(groups)
