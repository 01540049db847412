"""Fits the weights of `knowledge.hearing.weight`: `python -m bot.bench.households` prints them, and how they do on folds they have not seen.

Whole households: households-dev.jsonl and the development worries. One desk's worries: the same, and every ninth example of the base.
"""

import json
from pathlib import Path

import numpy as np

from knowledge.base import STARTER, Base, load
from knowledge.hearing import weighed
from knowledge.hearing.confidence import fit_logistic
from knowledge.hearing.decide import TOO_MUCH

SETS = Path(__file__).parent / "sets"
LEARNT_FROM = ("households-dev", "worries-dev-1", "worries-dev-2")
RIDGE = 3e-3
FOLDS = 5


def told(base: Base) -> list[tuple[str, bool]]:
    """Every message to learn from, and whether one person should take the whole of it."""
    lines = [json.loads(line) for name in LEARNT_FROM for line in (SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    worries = [line for line in lines if line.get("intent") not in ("smalltalk", "offer") and line.get("needs") != []]
    single = [(text, False) for entry in base.entries.values() if entry.domain != "sougou" for text in entry.examples[::9]]
    return [(line["text"], line["decision"] == "handoff") for line in worries] + single


def main() -> None:
    """Print intercept and weights for FITTED, and the shares by cross-validation."""
    base = load(STARTER)
    rows = [(weighed(text, base).counts(), whole) for text, whole in told(base)]
    counts, whole = np.array([row for row, _ in rows], float), np.array([is_whole for _, is_whole in rows])
    folds = np.arange(len(rows)) % FOLDS
    taken = np.zeros(len(rows), bool)
    for fold in range(FOLDS):
        intercept, weights = fit_logistic(counts[folds != fold].tolist(), whole[folds != fold].tolist(), ridge=RIDGE)
        taken[folds == fold] = 1 / (1 + np.exp(-(intercept + counts[folds == fold] @ np.array(weights)))) >= TOO_MUCH
    print(f"households taken {taken[whole].mean():.3f}, others taken {taken[~whole].mean():.3f}, of {whole.sum()} and {(~whole).sum()}")
    intercept, weights = fit_logistic(counts.tolist(), whole.tolist(), ridge=RIDGE)
    print(f"FITTED: Final = ({intercept:.3f}, ({', '.join(f'{weight:.3f}' for weight in weights)}))")


if __name__ == "__main__":
    main()
