"""Weighs the sentences of the danger list into the points of the second ear (ear.json).

`python -m knowledge.hearing.danger_fit` after sentences or concepts were changed (some five minutes). The same sentences give the
same points; with names of sentence files behind it, those are left out and it says how they are heard. Logistic regressions (danger or
not; now or soon; which kind), without chance or network.
"""

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from knowledge.hearing.danger import DangerList
from knowledge.hearing.danger_ear import COLUMNS, FIRST_KIND, NOW_COLUMN, Ear, Points, Sentence
from knowledge.hearing.danger_features import Meanings, families
from knowledge.hearing.danger_reading import read
from knowledge.hearing.model import DANGER_KINDS, DangerKind
from knowledge.hearing.rank.meanings import table
from knowledge.hearing.regression import Matrix, leaning, lowest, one_of_many
from knowledge.reading import read_yaml

STARTER = Path(__file__).parents[1] / "starter"

TRUST = 30.0
"""How much the sentences weigh against small points; 12 and 60 heard nearly alike, 3 less."""
ROUNDS, ROUNDS_OF_KINDS, ENOUGH = 200, 60, 1e-7
"""Walked to the very bottom: forty rounds stopped wherever they were, so that twenty sentences more or less moved two dangers in a hundred. Without
the rules and trusted by 12, .85 and .91 of the dangers of two writers left out were told aloud at 4 % false alarms; it was .82 and .89.
The kinds are thirteen columns: of the dangers of two writers never met sixty rounds name .92 and .94 of those heard rightly, two hundred named
.95 and .94."""
SEEN_AT_LEAST = 2
"""A run that stands in one sentence only says nothing about others."""
WORTH_KEEPING = 1
"""Points of so few steps (of 127) and fewer are left out of the stored ear."""
PROMISED, PAIRED = 6.0, 3.0
"""How often a sentence counts that a rule promises to hear or to leave alone, and one that stands in a file beside its look-alikes."""
TRUE_DANGERS = ("bouryoku", "kokoro")
"""Domains whose example sentences tell of danger themselves, and so teach nothing about ordinary worries."""
OTHER_TRUE_DANGERS = ("homeless-shien", "kyojuu-shien-jigyo", "jidou-soudanjo", "kinkyu-shouhi")
Compare = Callable[[Matrix, Matrix], tuple[Matrix, Matrix]]


def sentences_of(danger: DangerList) -> tuple[list[str], list[str]]:
    """Sentences that must be heard and those that must be left alone."""
    heard = [sentence.said for sentence in danger.sentences]
    left_alone = [*danger.left_alone, *(said for rule in danger.rules for said in rule.must_not)]
    return heard, left_alone


def fingerprint(danger: DangerList) -> str:
    """Changes when a sentence of the list changes, so that a test can say that the ear must be fitted again."""
    heard, left_alone = sentences_of(danger)
    return hashlib.sha256("\n".join([*heard, "", *left_alone]).encode()).hexdigest()[:16]


def ordinary_worries(starter: Path) -> list[str]:
    """Example sentences of the starter's entries: worries without danger."""
    worries: list[str] = []
    for file in sorted(starter.glob("*/*.yaml")):
        entry = read_yaml(file).tree
        if not isinstance(entry, dict) or entry.get("kind") == "emergency" or "id" not in entry:
            continue
        if entry.get("domain") in TRUE_DANGERS or entry.get("id") in OTHER_TRUE_DANGERS:
            continue
        examples = entry.get("examples")
        worries += [example for example in examples if isinstance(example, str)] if isinstance(examples, list) else []
    return worries


@dataclass(frozen=True)
class Taught:
    """One sentence to learn from: its features, whether it tells of danger, now or soon, of which kinds, and how often it counts."""

    said: str
    features: list[str]
    danger: bool
    now: bool
    kinds: tuple[DangerKind, ...]
    times: float


def taught(danger: DangerList, ordinary: Sequence[str], meanings: Meanings) -> list[Taught]:
    """Everything the list and the ordinary worries teach."""
    times = dict.fromkeys(danger.paired, PAIRED)
    times |= {said.replace("／", " "): PROMISED for rule in danger.rules for said in (*rule.must, *rule.must_now, *rule.must_not)}

    def line(said: str, sentence: Sentence | None) -> Taught:
        said = said.replace("／", " ")
        told = danger.told(said)
        features = sorted(told.features(told.whole, meanings))
        if sentence is None:
            return Taught(said, features, False, False, (), times.get(said, 1.0))
        return Taught(said, features, True, sentence.level == "L3", sentence.kinds, times.get(said, 1.0))

    _, left_alone = sentences_of(danger)
    heard = [line(sentence.said, sentence) for sentence in danger.sentences]
    return [*heard, *(line(said, None) for said in (*left_alone, *ordinary))]


def fit(danger: DangerList, ordinary: Sequence[str]) -> Points:
    """Points of every feature that stands in two sentences or more."""
    of_meaning = families(table())
    return weigh(taught(danger, ordinary, Meanings(table(), of_meaning)), of_meaning)


def weigh(lines: Sequence[Taught], of_meaning: NDArray[np.uint16]) -> Points:
    """The points that these sentences teach."""
    counted = Counter(feature for line in lines for feature in line.features)
    known = sorted(feature for feature, times in counted.items() if times >= SEEN_AT_LEAST)
    row = {feature: place for place, feature in enumerate(known)}

    def those(chosen: Sequence[Taught]) -> list[_Line]:
        return [_Line(np.array([row[one] for one in line.features if one in row], np.int64), len(line.features), line.times) for line in chosen]

    dangers = [line for line in lines if line.danger]
    is_danger = np.array([[float(line.danger)] for line in lines])
    now = np.array([[float(line.now)] for line in dangers])
    kinds = np.array([[(kind in line.kinds) / len(line.kinds) for kind in DANGER_KINDS] for line in dangers])
    weights, bias = np.zeros((len(known), COLUMNS)), np.zeros(COLUMNS)
    everything, told = those(lines), those(dangers)
    one_sided, even = leaning([line.rows for line in everything], is_danger[:, 0], len(known)), np.ones(len(known))
    for columns, said, wanted, compare, strength, rounds in (
        (slice(0, 1), everything, is_danger, _one_of_two, one_sided, ROUNDS),
        (slice(NOW_COLUMN, FIRST_KIND), told, now, _one_of_two, even, ROUNDS),
        (slice(FIRST_KIND, COLUMNS), told, kinds, one_of_many, even, ROUNDS_OF_KINDS),
    ):
        weights[:, columns], bias[columns] = _learn(said, wanted, strength, compare, rounds)
    scale = np.maximum(np.abs(weights).max(axis=0, initial=0.0), 1e-6) / 127
    small = np.round(weights / scale).astype(np.int8)
    kept = np.flatnonzero(np.abs(small[:, :FIRST_KIND]).max(axis=1, initial=0) > WORTH_KEEPING)
    return Points(tuple(known[place] for place in kept), small[kept], scale, bias, of_meaning)


class _Line(NamedTuple):
    """A sentence as the regressions see it: rows of its features that others have too, how many it has in all, how often it counts."""

    rows: NDArray[np.int64]
    size: int
    times: float


@dataclass(frozen=True)
class _Table:
    """Which features stand in which sentence: one row after the other, each ending with a feature that stands in all."""

    rows: NDArray[np.int64]
    shares: Matrix
    starts: NDArray[np.int64]
    size: int

    @classmethod
    def of(cls, lines: Sequence[_Line], strength: Matrix) -> Self:
        size = len(strength) + 1
        rows = np.concatenate([np.append(line.rows, size - 1) for line in lines])
        shares = np.concatenate([np.append(strength[line.rows] / np.sqrt(line.size + 1), 1.0) for line in lines])
        return cls(rows, shares, np.cumsum([0, *(len(line.rows) + 1 for line in lines[:-1])]), size)

    def points(self, weights: Matrix) -> Matrix:
        return np.stack([np.add.reduceat(self.shares * column[self.rows], self.starts) for column in weights.T], axis=1)

    def blame(self, error: Matrix) -> Matrix:
        """What each feature had to do with the errors of all sentences."""
        lengths = np.diff([*self.starts, len(self.rows)])
        each = (self.shares * np.repeat(column, lengths) for column in error.T)
        return np.stack([np.bincount(self.rows, weights=weights, minlength=self.size) for weights in each], axis=1)


def _learn(lines: Sequence[_Line], wanted: Matrix, strength: Matrix, compare: Compare, rounds: int) -> tuple[Matrix, Matrix]:
    """One regression: the weights of the features and the bias that tell `wanted` best and stay small."""
    seen, shape = _Table.of(lines, strength), (len(strength) + 1, wanted.shape[1])
    trust = TRUST * np.array([line.times for line in lines])

    def at(flat: Matrix) -> tuple[float, Matrix]:
        weights = flat.reshape(shape)
        losses, errors = compare(seen.points(weights), wanted)
        return float(trust @ losses) + 0.5 * float(flat @ flat), (seen.blame(trust[:, None] * errors) + weights).ravel()

    weights = lowest(at, np.zeros(shape).ravel(), rounds, ENOUGH).reshape(shape)
    return strength[:, None] * weights[:-1], weights[-1]


def _one_of_two(points: Matrix, wanted: Matrix) -> tuple[Matrix, Matrix]:
    """How wrong the points of each sentence are about a yes or no, and in which direction."""
    losses = (np.logaddexp(0.0, points) - wanted * points)[:, 0]
    return losses, 1 / (1 + np.exp(-np.clip(points, -30, 30))) - wanted


def main() -> None:
    """Fit the starter's list and store its ear."""
    danger = DangerList(read(STARTER / "danger.yaml"))
    stored = {"sentences": fingerprint(danger), **fit(danger, ordinary_worries(STARTER)).stored()}
    text = json.dumps(stored, ensure_ascii=False, separators=(",", ":"))
    (STARTER / "danger" / "ear.json").write_text(text + "\n", encoding="utf-8")


def without(names: Sequence[str]) -> str:
    """How the sentences of these files (`sentences_village.yaml` …) are heard by an ear that has not learnt from them; one line.

    A file is one writer, so this says how the product does on people it has never met.
    """
    listed, of_meaning = read(STARTER / "danger.yaml"), families(table())
    kept_out = [read(STARTER / "danger" / name) for name in names]
    sentences = [sentence for one in kept_out for sentence in one.sentences]
    alone = [said for one in kept_out for said in one.left_alone]
    unknown = {*alone, *(sentence.said for sentence in sentences)}
    lines = taught(DangerList(listed), ordinary_worries(STARTER), Meanings(table(), of_meaning))
    danger = DangerList(listed, Ear(weigh([line for line in lines if line.said not in unknown], of_meaning)))
    heard = [(sentence, danger.scan(sentence.said)) for sentence in sentences]
    levels = [danger.scan(said).level for said in alone]
    shares = {
        "heard": [found.heard for _, found in heard],
        "level right": [found.level == sentence.level for sentence, found in heard],
        "kinds right": [set(sentence.kinds) <= set(found.kinds) for sentence, found in heard],
        "look-alikes alarmed": [level in ("L2", "L3") for level in levels],
        "asked about": [level == "L1" for level in levels],
    }
    return ", ".join(f"{name} {sum(right) / max(len(right), 1):.3f}" for name, right in shares.items())


if __name__ == "__main__":
    print(without(sys.argv[1:])) if sys.argv[1:] else main()
