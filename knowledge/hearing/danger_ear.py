"""The second ear: hears what resembles the counsellors' sentences when no rule fires.

People in danger often use no word of danger at all. All sentences of the list, heard and left alone, are weighed once
(`danger_fit`): each short run of letters, each word and two words in order, each family of words of like meaning, each group of
words and each two concepts met together (concepts.yaml) carry points for or against danger, for its kinds, and for "now".
The points stand in ear.json and are worth exactly as much as the sentences they came from: whoever wants to change them changes
the sentences.
"""

import base64
import json
import math
import re
from bisect import bisect_right
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from knowledge.hearing.danger_features import Meanings, Told, meetings, runs
from knowledge.hearing.danger_text import has_kana
from knowledge.hearing.danger_words import Span
from knowledge.hearing.model import DANGER_KINDS, DangerKind, Level
from knowledge.hearing.rank.meanings import table

TELL: Final = -0.4
"""From TELL points on a message is told aloud (L2, L3)."""
ASK: Final = -1.5
"""From ASK points on it is asked about (L1, D6j). Lower than what is told aloud: a look-alike asked kindly is fine, a danger not heard
is not."""
AT_A_COUNTER: Final = 1.5
FOREIGN: Final = 0.5
LONGER: Final = 0.3
USUAL_LENGTH: Final = 60
"""What is said of the whole message is weighed beside its features: one that ends as a question at a counter is more often a look-alike,
of languages with few sentences less is known, and of a longer message the same points mean more (per e-fold of USUAL_LENGTH letters)."""
DOUBT: Final = -3.6
DOUBT_PLAIN: Final = -4.6
PLAIN_WORDS: Final = 30
"""A rule that fired is asked about below DOUBT, one that speaks for itself (a symptom, a danger now) below DOUBT_PLAIN only; in fewer
letters than PLAIN_WORDS its own question (何錠で死ねますか) is no counter's."""
ASK_IN_PART: Final = 2.3
TELL_IN_PART: Final = 2.5
"""Two sentences of a long message are heard alone too: a danger in the middle of a worry about a form counts as much. Of many pairs of
sentences one is the loudest by chance, so more is asked of it."""
SEVERAL: Final = 4
WORTH_A_LOOK: Final = 0.0
"""Two sentences whose letters alone carry fewer points are not weighed with their concepts: that takes most of the time."""
NOW: Final = -0.1
"""From so many points for "now" on what is told of is life in danger now (L3)."""
RAISED: Final = 0.5
"""With so many a rule of L2 is raised to L3: it says already what a person then asks about."""
LATER: Final = -3.5
"""With fewer a rule of L3 is told of as a crisis (L2): a habit of years, a letter of this morning. Never a symptom or a fire."""
NOW_BY_DANGER: Final = 0.1
NOW_BY_LENGTH: Final = 0.6
"""The surer the danger and the shorter the message, the likelier it is now.
Where these levels lie was seen on writers whose lines are only counted: of 140 dangers .94 are heard, .86 told aloud, .80 at the right level; of 140
look-alikes .014 alarm and .029 are asked about; of 620 worries without danger .047 and .042."""
SHORTEST, BRIEF = 5, 8
"""Letters. Fewer than SHORTEST resemble too much and are left to the rules; fewer than BRIEF (さようなら) are asked
about and not told aloud, and raise no rule."""
ALSO: Final = 0.12
MOST_KINDS: Final = 3
"""Further kinds are named from this likelihood on: violence between partners often holds somebody captive too."""
DANGER_COLUMN, NOW_COLUMN, FIRST_KIND = 0, 1, 2
COLUMNS: Final = FIRST_KIND + len(DANGER_KINDS)
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
    """So much for now that a rule of L2 is raised to L3."""
    later: bool
    """So little for now that a rule of L3 is told of as L2, unless its kind is always urgent."""
    kinds: tuple[DangerKind, ...]
    """Kinds so likely that they are named beside the rule's own."""


@dataclass(frozen=True)
class Points:
    """Points of each feature in each column (danger, now, the kinds): int8 times `scale`, and where each column starts.

    `families` says which family of meaning each direction of the table of meanings belongs to (danger_features).
    """

    features: tuple[str, ...]
    weights: NDArray[np.int8]
    scale: NDArray[np.float64]
    bias: NDArray[np.float64]
    families: NDArray[np.uint16]

    def stored(self) -> dict[str, object]:
        """As JSON: the features as words, their points as base64 bytes, row by row."""
        return {
            "bias": [round(float(value), 4) for value in self.bias],
            "scale": [round(float(value), 6) for value in self.scale],
            "features": list(self.features),
            "points": base64.b64encode(self.weights.tobytes()).decode(),
            "families": base64.b64encode(self.families.astype("<u2").tobytes()).decode(),
        }

    @classmethod
    def read(cls, stored: Mapping[str, object]) -> Self:
        features = tuple(map(str, stored["features"]))  # type: ignore[call-overload]
        weights = np.frombuffer(base64.b64decode(str(stored["points"])), dtype=np.int8).reshape(len(features), COLUMNS)
        families = np.frombuffer(base64.b64decode(str(stored["families"])), dtype="<u2").astype(np.uint16)
        return cls(features, weights, np.array(stored["scale"], dtype=np.float64), np.array(stored["bias"], dtype=np.float64), families)


class Ear:
    """Weighs a message. Immutable but for what it remembers of words; share one between threads."""

    def __init__(self, points: Points) -> None:
        self._row = {feature: row for row, feature in enumerate(points.features)}
        self._known = frozenset(points.features)
        self._weights = points.weights.astype(np.float32) * points.scale.astype(np.float32)
        self._bias = points.bias
        self._danger = self._weights[:, DANGER_COLUMN].astype(np.float64)
        self._meanings = Meanings(table(), points.families)

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """The ear stored at `path`; None if the list has none."""
        return cls(Points.read(json.loads(path.read_text(encoding="utf-8")))) if path.is_file() else None

    def hear(self, told: Told) -> Resemblance | None:
        """What the message resembles, if it carries enough points."""
        text = told.text
        if len(text) < SHORTEST:
            return None
        whole = self.features(told, told.whole)
        points = self._points(whole) + _beside(text)
        part = self._in_part(told) if points < TELL and len(told.starts) >= SEVERAL else None
        if part is not None and (part.level != "L1" or points < ASK):
            return part
        return self._resemblance(whole, told, told.whole, TELL) if points >= ASK else None

    def second(self, told: Told, span: Span, *, plain: bool) -> "Opinion":
        """What the ear makes of words a rule fired on: a short message as a whole, of a long one the sentences around `span`.

        `plain`: the rule says by itself that it is now, or names a symptom (ろれつが回らない). Whoever then asks for a form is no less in danger.
        """
        text, starts = told.text, told.starts
        start, end = 0, len(text)
        if len(starts) >= SEVERAL:
            first, last = bisect_right(starts, span[0]) - 1, bisect_right(starts, span[1] - 1) - 1
            start = starts[max(first - 1, 0)]
            end = starts[last + 2] if last + 2 < len(starts) else end
        points = self._all_points(self.features(told, (start, end)))
        polite = not plain and len(text) >= PLAIN_WORDS
        sure = float(points[DANGER_COLUMN]) + _beside(text, counter=polite) >= (DOUBT_PLAIN if plain else DOUBT)
        now = _now(points, text)
        return Opinion(not sure, now >= RAISED and len(text) >= BRIEF, now < LATER, _kinds(points[FIRST_KIND:]))

    def _in_part(self, told: Told) -> Resemblance | None:
        """Every two neighbouring sentences alone; each sentence is read once, so that time grows with the length only."""
        starts = told.starts
        named: list[set[str]] = [set() for _ in starts]
        for name, spans in told.groups.items():
            for start, _ in spans:
                named[bisect_right(starts, start) - 1].add(name)
        worded: list[list[str]] = [[] for _ in starts]
        origins = [told.folded.places[start] for start in starts]
        for place, word in told.words:
            worded[max(bisect_right(origins, place) - 1, 0)].append(word)
        ends = [*starts[1:], len(told.text)]
        said = [{*runs(told.text[start:end]), *self._meanings.features(words)} for start, end, words in zip(starts, ends, worded, strict=True)]
        loud = [self._loudness(features) for features in said]
        for place in range(len(starts) - 1):
            size = len(said[place]) + len(said[place + 1])
            if (loud[place] + loud[place + 1]) / math.sqrt(size + 1) < WORTH_A_LOOK:
                continue
            features = said[place] | said[place + 1] | meetings(named[place] | named[place + 1])
            if self._points(features) >= ASK_IN_PART:
                return self._resemblance(features, told, (starts[place], ends[place + 1]), TELL_IN_PART)
        return None

    def features(self, told: Told, span: Span) -> set[str]:
        return told.features(span, self._meanings)

    def _rows(self, features: Set[str]) -> list[int]:
        """The rows of the features that carry points: most carry none, and the set says so quicker than the table."""
        row = self._row
        return [row[one] for one in features & self._known]

    def _loudness(self, features: Set[str]) -> float:
        """What features say for danger, all added up."""
        return float(self._danger[self._rows(features)].sum())

    def _points(self, features: Set[str]) -> float:
        """Points for danger; long messages are not louder than short ones."""
        return float(self._bias[DANGER_COLUMN]) + self._loudness(features) / math.sqrt(len(features) + 1)

    def _all_points(self, features: Set[str]) -> NDArray[np.float64]:
        return np.asarray(self._bias + self._weights[self._rows(features)].sum(axis=0) / math.sqrt(len(features) + 1))

    def _resemblance(self, features: Set[str], told: Told, span: Span, tell: float) -> Resemblance:
        points = self._all_points(features)
        danger, (start, end) = float(points[DANGER_COLUMN]), span
        loud = end - start >= BRIEF and danger + _beside(told.text) >= tell
        level: Level = "L1" if not loud else "L3" if _now(points, told.text) >= NOW else "L2"
        return Resemblance(danger, level, _kinds(points[FIRST_KIND:]), start, end)


def _beside(text: str, *, counter: bool = True) -> float:
    """Points for or against danger that the whole message carries, whatever its words: its last sentence, its language, its length."""
    asks = counter and _ASKS_A_COUNTER.search(text) is not None
    return LONGER * _length(text) - AT_A_COUNTER * asks - FOREIGN * (not has_kana(text))


def _now(points: NDArray[np.float64], text: str) -> float:
    """Points for now."""
    return float(points[NOW_COLUMN] + NOW_BY_DANGER * points[DANGER_COLUMN]) - NOW_BY_LENGTH * _length(text)


def _length(text: str) -> float:
    """How many times e longer than usual."""
    return math.log(max(len(text), 1) / USUAL_LENGTH)


def _kinds(points: NDArray[np.float64]) -> tuple[DangerKind, ...]:
    likely = _likelihood(points)
    first, *others = (int(place) for place in np.argsort(-likely, kind="stable")[:MOST_KINDS])
    return (DANGER_KINDS[first], *(DANGER_KINDS[place] for place in others if likely[place] >= ALSO))


def _likelihood(points: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(points - points.max())
    return np.asarray(raised / raised.sum())
