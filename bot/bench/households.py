"""Fits the weights of `knowledge.hearing.weight`: `python -m bot.bench.households` prints them, and how they do on folds they have not seen.

Whole households: households-dev.jsonl and the development worries. One desk's worries: the same, and every ninth example of the base.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.base import STARTER, Base, load
from knowledge.hearing import weighed
from knowledge.hearing.confidence import fit_logistic
from knowledge.hearing.decide import TOO_MUCH
from knowledge.hearing.weight import Weight

SETS = Path(__file__).parent / "sets"
LEARNT_FROM = ("households-dev", "worries-dev-1", "worries-dev-2")
RIDGE = 3e-3
FOLDS = 5
Counts = NDArray[np.float64]


def told(base: Base) -> list[tuple[str, bool]]:
    """Every message to learn from, and whether one person should take the whole of it."""
    lines = [json.loads(line) for name in LEARNT_FROM for line in (SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    worries = [line for line in lines if line.get("intent") not in ("smalltalk", "offer") and line.get("needs") != []]
    single = [(text, False) for entry in base.entries.values() if entry.domain != "sougou" for text in entry.examples[::9]]
    return [(line["text"], line["decision"] == "handoff") for line in worries] + single


def hardly_listed(weight: Weight) -> Weight:
    """The same message in words that the lists do not know: learnt from too, so that the lists are not all that is trusted."""
    return replace(weight, sides=max(weight.sides - 1, 0), refused=0, sent_around=False, too_much=False)


def _fit(counts: Counts, missed: Counts, whole: NDArray[np.bool_]) -> tuple[float, tuple[float, ...]]:
    return fit_logistic([*counts.tolist(), *missed.tolist()], [*whole.tolist()] * 2, ridge=RIDGE)


def main() -> None:
    """Print intercept and weights for FITTED, and the shares by cross-validation."""
    base = load(STARTER)
    lines = told(base)
    heard = [weighed(text, base) for text, _ in lines]
    counts, missed = (np.array([weight.counts() for weight in those], float) for those in (heard, map(hardly_listed, heard)))
    whole = np.array([is_whole for _, is_whole in lines])
    folds = np.arange(len(lines)) % FOLDS
    taken = np.zeros(len(lines), bool)
    for fold in range(FOLDS):
        learnt = folds != fold
        intercept, weights = _fit(counts[learnt], missed[learnt], whole[learnt])
        taken[~learnt] = 1 / (1 + np.exp(-(intercept + counts[~learnt] @ np.array(weights)))) >= TOO_MUCH
    print(f"households taken {taken[whole].mean():.3f}, others taken {taken[~whole].mean():.3f}, of {whole.sum()} and {(~whole).sum()}")
    intercept, weights = _fit(counts, missed, whole)
    print(f"FITTED: Final = ({intercept:.3f}, ({', '.join(f'{weight:.3f}' for weight in weights)}))")


if __name__ == "__main__":
    main()
