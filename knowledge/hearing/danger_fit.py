"""Weighs the sentences of the danger list into the points of the second ear (ear.json).

`python -m knowledge.hearing.danger_fit` after sentences were added or changed. Deterministic: the same sentences give the
same points. A plain logistic regression, learned step by step in a fixed order; no library, no chance, no network.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from knowledge.hearing.danger import DangerList
from knowledge.reading import read_yaml

STARTER = Path(__file__).parents[1] / "starter"
T = TypeVar("T")

ROUNDS, STEP, SHRINK = 30, 0.5, 1e-4
SEEN_AT_LEAST = 2
"""A run that stands in one sentence only says nothing about others."""
SMALLEST = 0.1
ORDINARY_WEIGHT = 0.5
TRUE_DANGERS = ("bouryoku", "kokoro")
"""Domains whose example sentences tell of danger themselves, and so teach nothing about ordinary worries."""
OTHER_TRUE_DANGERS = ("homeless-shien", "kyojuu-shien-jigyo", "jidou-soudanjo", "kinkyu-shouhi")


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


def fit(danger: DangerList, ordinary: Sequence[str]) -> tuple[dict[str, float], float]:
    """Points of runs and groups, and the points a message starts with."""
    heard, left_alone = sentences_of(danger)
    told = [(said, 1.0, 1.0) for said in heard] + [(said, 0.0, 1.0) for said in left_alone]
    told += [(said, 0.0, ORDINARY_WEIGHT) for said in ordinary]
    lines = [(sorted(danger.features(said)), wanted, weight) for said, wanted, weight in told]
    counted = Counter(feature for found, _, _ in lines for feature in found)
    kept = {feature for feature, times in counted.items() if times >= SEEN_AT_LEAST}
    points = dict.fromkeys(sorted(kept), 0.0)
    slope = dict.fromkeys(points, 1e-8)
    bias = 0.0
    for lap in range(ROUNDS):
        for found, wanted, weight in _mixed(lines, lap):
            share = 1 / math.sqrt(len(found) + 1)
            known = [feature for feature in found if feature in points]
            sure = 1 / (1 + math.exp(-max(-30.0, min(30.0, bias + share * sum(points[feature] for feature in known)))))
            error = (sure - wanted) * weight
            for feature in known:
                step = error * share + SHRINK * points[feature]
                slope[feature] += step * step
                points[feature] -= STEP * step / math.sqrt(slope[feature])
            bias -= 0.02 * error
    return {feature: round(value, 2) for feature, value in points.items() if abs(value) >= SMALLEST}, round(bias, 3)


def _mixed(lines: Sequence[T], lap: int) -> list[T]:
    """Another order each lap, the same every time the list is fitted (no chance enters this package)."""
    places = sorted(range(len(lines)), key=lambda place: hashlib.sha256(f"{lap}:{place}".encode()).digest())
    return [lines[place] for place in places]


def main() -> None:
    """Fit the starter's list and store its ear."""
    danger = DangerList.load(STARTER / "danger.yaml")
    points, bias = fit(danger, ordinary_worries(STARTER))
    stored = {"sentences": fingerprint(danger), "bias": bias, "points": points}
    text = json.dumps(stored, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    (STARTER / "danger" / "ear.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
