"""Weighs the sentences of the danger list into the points of the second ear (ear.json).

`python -m knowledge.hearing.danger_fit` after sentences or concepts were changed. The same sentences give the same points:
logistic regressions (danger or not; now or soon; which kind), learned step by step in a fixed order, without chance or network.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.hearing.danger import DangerList
from knowledge.hearing.danger_ear import COLUMNS, FIRST_KIND, NOW_COLUMN, Points
from knowledge.hearing.model import DANGER_KINDS
from knowledge.reading import read_yaml

STARTER = Path(__file__).parents[1] / "starter"

ROUNDS, STEP, SHRINK = 20, 0.5, 1e-4
SEEN_AT_LEAST = 2
"""A run that stands in one sentence only says nothing about others."""
TRUE_DANGERS = ("bouryoku", "kokoro")
"""Domains whose example sentences tell of danger themselves, and so teach nothing about ordinary worries."""
OTHER_TRUE_DANGERS = ("homeless-shien", "kyojuu-shien-jigyo", "jidou-soudanjo", "kinkyu-shouhi")
Matrix = NDArray[np.float64]


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


def fit(danger: DangerList, ordinary: Sequence[str]) -> Points:
    """Points of every feature that stands in two sentences or more."""
    heard, left_alone = sentences_of(danger)
    found = [sorted(danger.features(said)) for said in (*heard, *left_alone, *ordinary)]
    counted = Counter(feature for line in found for feature in line)
    known = sorted(feature for feature, times in counted.items() if times >= SEEN_AT_LEAST)
    row = {feature: place for place, feature in enumerate(known)}
    lines = [np.array([row[one] for one in line if one in row], dtype=np.int64) for line in found]
    is_danger = np.zeros((len(found), 1))
    is_danger[: len(heard)] = 1.0
    told = danger.sentences
    now = np.array([[1.0 if sentence.level == "L3" else 0.0] for sentence in told]).reshape(-1, 1)
    kinds = np.array([[(kind in sentence.kinds) / len(sentence.kinds) for kind in DANGER_KINDS] for sentence in told])
    weights, bias = np.zeros((len(known), COLUMNS)), np.zeros(COLUMNS)
    for columns, wanted, sure in (
        (slice(0, 1), is_danger, _likely), (slice(NOW_COLUMN, FIRST_KIND), now, _likely), (slice(FIRST_KIND, COLUMNS), kinds, _shares),
    ):  # fmt: skip
        weights[:, columns], bias[columns] = _learn(lines[: len(wanted)], wanted, len(known), sure)
    scale = np.maximum(np.abs(weights).max(axis=0, initial=0.0), 1e-6) / 127
    small = np.round(weights / scale).astype(np.int8)
    kept = np.flatnonzero(np.abs(small[:, :FIRST_KIND]).max(axis=1, initial=0) > 1)
    return Points(tuple(known[place] for place in kept), small[kept], scale, bias)


def _learn(lines: Sequence[NDArray[np.int64]], wanted: Matrix, size: int, sure: Callable[[Matrix], Matrix]) -> tuple[Matrix, Matrix]:
    """One regression: a small step after each sentence, shorter the oftener a feature was seen (Adagrad)."""
    width = wanted.shape[1]
    weights, slope, bias = np.zeros((size, width)), np.full((size, width), 1e-8), np.zeros(width)
    for lap in range(ROUNDS):
        for place in _mixed(len(lines), lap):
            rows, share = lines[place], 1 / np.sqrt(len(lines[place]) + 1)
            error = sure(bias + share * weights[rows].sum(axis=0)) - wanted[place]
            step = share * error + SHRINK * weights[rows]
            slope[rows] += step * step
            weights[rows] -= STEP * step / np.sqrt(slope[rows])
            bias -= 0.02 * error
    return weights, bias


def _likely(points: Matrix) -> Matrix:
    return np.asarray(1 / (1 + np.exp(-np.clip(points, -30, 30))))


def _shares(points: Matrix) -> Matrix:
    raised = np.exp(points - points.max())
    return np.asarray(raised / raised.sum())


def _mixed(count: int, lap: int) -> list[int]:
    """Another order each lap, the same every time the list is fitted (no chance enters this package)."""
    return sorted(range(count), key=lambda place: hashlib.sha256(f"{lap}:{place}".encode()).digest())


def main() -> None:
    """Fit the starter's list and store its ear."""
    danger = DangerList.load(STARTER / "danger.yaml")
    stored = {"sentences": fingerprint(danger), **fit(danger, ordinary_worries(STARTER)).stored()}
    text = json.dumps(stored, ensure_ascii=False, separators=(",", ":"))
    (STARTER / "danger" / "ear.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
