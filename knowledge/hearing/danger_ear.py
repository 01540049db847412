"""The second ear: hears what resembles the counsellors' sentences when no rule fires.

People in danger often use no word of danger at all. All sentences of the list, heard and left alone, are weighed once
(`danger_fit`): each short run of letters, each group of words and each two concepts met together (concepts.yaml) carry points
for or against danger, for its kinds, and for "now". The points stand in ear.json and are worth exactly as much as the
sentences they came from: whoever wants to change them changes the sentences.
"""

import base64
import json
import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from operator import add
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from knowledge.hearing.danger_text import has_kana
from knowledge.hearing.danger_words import Span
from knowledge.hearing.model import DANGER_KINDS, DangerKind, Level

CONCEPT: Final = "<c_"
"""How the names of groups begin whose meetings carry points of their own."""
ASK: Final = -0.3
"""From ASK points on a message is asked about (L1, D6j). Lower than what is told aloud by far: a look-alike asked kindly is fine, a
danger not heard is not."""
TELL: Final = 0.7
AT_A_COUNTER: Final = 1.4
FOREIGN: Final = 0.9
"""From TELL points on it is told aloud (L2), after two corrections measured on writers the ear had not learned from: a message that
ends as a question at a counter is more often a look-alike (AT_A_COUNTER), and of languages with few sentences less is known."""
DOUBT: Final = -2.0
DOUBT_PLAIN: Final = -3.6
PLAIN_WORDS: Final = 30
"""A rule that fired is asked about below DOUBT, one that speaks for itself (a symptom, a danger now) below DOUBT_PLAIN only; in fewer
letters than PLAIN_WORDS its own question (何錠で死ねますか) is no counter's."""
ASK_FOREIGN: Final = 0.8
ASK_IN_PART: Final = 2.0
"""Two sentences of a long message are heard alone too: a danger in the middle of a worry about a form counts as much."""
SEVERAL: Final = 4
WORTH_A_LOOK: Final = 0.0
"""Two sentences whose letters alone carry fewer points are not weighed with their concepts: that takes most of the time."""
NOW: Final = -1.5
"""From so many points for "now" on what is told of is life in danger now (L3)."""
RAISED: Final = -0.6
"""With so many a rule of L2 is raised to L3."""
SHORTEST: Final = 5
BARE: Final = 8
SHORT: Final = 14
ASK_SHORT: Final = 1.2
"""A few letters resemble too much: a SHORT cry needs more points and is only asked about, a BARE one raises no rule, fewer than
SHORTEST are left to the rules. 「合ってると思います」 was taken as a life in danger."""
ALSO: Final = 0.12
MOST_KINDS: Final = 3
"""Further kinds are named from this likelihood on: violence between partners often holds somebody captive too."""
DANGER_COLUMN, NOW_COLUMN, FIRST_KIND = 0, 1, 2
COLUMNS: Final = FIRST_KIND + len(DANGER_KINDS)
EDGE: Final = "_"
PIECES: Final = (4, 5)
"""Letters of the pieces of a Latin word, its edges marked: they carry what endings share."""
_WORD = re.compile(r"[^\W\d_]+(?:'[a-z]+)?")
_LATIN = re.compile("[a-zà-ỹ]")
_ASKS_A_COUNTER = re.compile("(か|[?？]|教えてください|おしえてください|知りたいです|しりたいです)[。.!\\s]*$")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the list that must be heard."""

    said: str
    level: Level
    kinds: tuple[DangerKind, ...]


@dataclass(frozen=True, slots=True)
class Resemblance:
    """What a message resembles: at what level, of which kinds, and the stretch of the folded text that speaks most for it."""

    points: float
    level: Level
    kinds: tuple[DangerKind, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the ear adds to a rule that fired."""

    doubts: bool
    """The sentence resembles ordinary worries more than danger: ask before alarming. Never silence a rule."""
    now: bool
    kinds: tuple[DangerKind, ...]
    """Kinds so likely that they are named beside the rule's own."""


@dataclass(frozen=True)
class Points:
    """Points of each feature in each column (danger, now, the kinds): int8 times `scale`, and where each column starts."""

    features: tuple[str, ...]
    weights: NDArray[np.int8]
    scale: NDArray[np.float64]
    bias: NDArray[np.float64]

    def stored(self) -> dict[str, object]:
        """As JSON: the features as words, their points as base64 bytes, row by row."""
        return {
            "bias": [round(float(value), 4) for value in self.bias],
            "scale": [round(float(value), 6) for value in self.scale],
            "features": list(self.features),
            "points": base64.b64encode(self.weights.tobytes()).decode(),
        }

    @classmethod
    def read(cls, stored: Mapping[str, object]) -> Self:
        features = tuple(map(str, stored["features"]))  # type: ignore[call-overload]
        weights = np.frombuffer(base64.b64decode(str(stored["points"])), dtype=np.int8).reshape(len(features), COLUMNS)
        return cls(features, weights, np.array(stored["scale"], dtype=np.float64), np.array(stored["bias"], dtype=np.float64))


class Ear:
    """Weighs a message. Immutable; share one between threads."""

    def __init__(self, points: Points) -> None:
        self._row = {feature: row for row, feature in enumerate(points.features)}
        self._weights = points.weights.astype(np.float64) * points.scale
        self._bias = points.bias
        self._danger: list[float] = self._weights[:, DANGER_COLUMN].tolist()

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """The ear stored at `path`; None if the list has none."""
        return cls(Points.read(json.loads(path.read_text(encoding="utf-8")))) if path.is_file() else None

    def hear(self, text: str, groups: Mapping[str, Sequence[Span]], breaks: Sequence[int]) -> Resemblance | None:
        """What the folded text resembles, if it carries enough points; `breaks` are the ends of its sentences."""
        if len(text) < SHORTEST:
            return None
        japanese = has_kana(text)
        ask = ASK_SHORT if len(text) < SHORT else ASK if japanese else ASK_FOREIGN
        whole = self._known(runs(text) | meetings(groups))
        if self._points(whole) >= ask:
            return self._resemblance(whole, text, (0, len(text)), ask)
        starts = [0, *(place + 1 for place in breaks if place + 1 < len(text))]
        return self._in_part(text, groups, starts, ask) if len(starts) >= SEVERAL else None

    def second(self, text: str, groups: Mapping[str, Sequence[Span]], breaks: Sequence[int], span: Span, *, plain: bool) -> "Opinion":
        """What the ear makes of words a rule fired on: a short message as a whole, of a long one the sentences around `span`.

        `plain`: the rule says by itself that it is now, or names a symptom (ろれつが回らない). Whoever then asks for a form is no less in danger.
        """
        starts = [0, *(place + 1 for place in breaks if place + 1 < len(text))]
        start, end = 0, len(text)
        if len(starts) >= SEVERAL:
            first, last = bisect_right(starts, span[0]) - 1, bisect_right(starts, span[1] - 1) - 1
            start = starts[max(first - 1, 0)]
            end = starts[last + 2] if last + 2 < len(starts) else end
        inside = [name for name, spans in groups.items() if any(start <= place < end for place, _ in spans)]
        points = self._all_points(self._known(runs(text[start:end]) | meetings(inside)))
        now = float(points[NOW_COLUMN])
        polite = not plain and len(text) >= PLAIN_WORDS and _ASKS_A_COUNTER.search(text) is not None
        told = float(points[DANGER_COLUMN]) - AT_A_COUNTER * polite >= (DOUBT_PLAIN if plain else DOUBT)
        return Opinion(not told, now >= RAISED and len(text) >= BARE, _kinds(points[FIRST_KIND:]))

    def _in_part(self, text: str, groups: Mapping[str, Sequence[Span]], starts: Sequence[int], ask: float) -> Resemblance | None:
        """Every two neighbouring sentences alone; each sentence is read once, so that time grows with the length only."""
        named: list[set[str]] = [set() for _ in starts]
        for name, spans in groups.items():
            for start, _ in spans:
                named[bisect_right(starts, start) - 1].add(name)
        ends = [*starts[1:], len(text)]
        said = [self._known(runs(text[start:end])) for start, end in zip(starts, ends, strict=True)]
        loud = [sum([self._danger[row] for row in rows]) for rows in said]
        for place in range(len(starts) - 1):
            letters = len(said[place]) + len(said[place + 1])
            if (loud[place] + loud[place + 1]) / math.sqrt(letters + 1) < WORTH_A_LOOK:
                continue
            rows = [*{*said[place], *said[place + 1]}, *self._known(meetings(named[place] | named[place + 1]))]
            if self._points(rows) >= ASK_IN_PART:
                return self._resemblance(rows, text, (starts[place], ends[place + 1]), ask)
        return None

    def _known(self, features: Iterable[str]) -> list[int]:
        """Rows of the features that carry points."""
        row = self._row
        return [row[feature] for feature in features if feature in row]

    def _points(self, rows: Sequence[int]) -> float:
        """Points for danger; long messages are not louder than short ones."""
        points = self._danger
        return float(self._bias[DANGER_COLUMN]) + sum([points[row] for row in rows]) / math.sqrt(len(rows) + 1)

    def _all_points(self, rows: Sequence[int]) -> NDArray[np.float64]:
        return np.asarray(self._bias + self._weights[rows].sum(axis=0) / math.sqrt(len(rows) + 1))

    def _resemblance(self, rows: Sequence[int], text: str, span: Span, ask: float) -> Resemblance:
        points = self._all_points(rows)
        danger, (start, end) = float(points[DANGER_COLUMN]), span
        told = end - start >= SHORT and danger >= ask and danger - _against(text) >= TELL
        level: Level = "L1" if not told else "L3" if points[NOW_COLUMN] >= NOW else "L2"
        return Resemblance(danger, level, _kinds(points[FIRST_KIND:]), start, end)


def runs(text: str) -> set[str]:
    """Runs of one to three letters of a folded text; in Latin letters its words, every two words in order, and pieces of words
    (languages of many endings: golpea, golpeó, golpeando)."""
    if _LATIN.search(text) and not has_kana(text):
        words = _WORD.findall(text)
        found = {f" {word}" for word in words}
        found.update([f" {one} {following}" for one, following in pairwise(words)])
        for word in {f"{EDGE}{word}{EDGE}" for word in words}:
            found.update([word[start : start + size] for size in PIECES for start in range(len(word) - size + 1)])
        return found
    found = set(text)
    found.update(map(add, text, text[1:]))
    found.update([text[start : start + 3] for start in range(len(text) - 2)])
    return found


def meetings(groups: Iterable[str]) -> set[str]:
    """The groups whose words stand in a text, and every two concepts that meet there."""
    names = sorted(groups)
    concepts = [name for name in names if name.startswith(CONCEPT)]
    return {*names, *(one + other for one, other in combinations(concepts, 2))}


def _against(text: str) -> float:
    """Points against danger that the whole message carries, whatever its words: its last sentence and its language."""
    return AT_A_COUNTER * bool(_ASKS_A_COUNTER.search(text)) + FOREIGN * (not has_kana(text))


def _kinds(points: NDArray[np.float64]) -> tuple[DangerKind, ...]:
    likely = _likelihood(points)
    first, *others = (int(place) for place in np.argsort(-likely, kind="stable")[:MOST_KINDS])
    return (DANGER_KINDS[first], *(DANGER_KINDS[place] for place in others if likely[place] >= ALSO))


def _likelihood(points: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(points - points.max())
    return np.asarray(raised / raised.sum())
