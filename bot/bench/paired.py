"""Did a change make hearing better, or was it luck? The same lines before and after, by a paired bootstrap.

    madoguchi eval --keep before.json      … change something …      madoguchi eval --against before.json
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from rich.table import Table

ROUNDS: Final = 4_000
Outcomes = Mapping[str, Mapping[str, bool]]
"""By measure: for each line of a set whether it was right."""


class Change(NamedTuple):
    """Share that is right now minus before, and where it lies in 95 of 100 drawings of the same lines."""

    by: float
    least: float
    most: float

    @property
    def is_luck(self) -> bool:
        """Nothing may have changed at all."""
        return self.least <= 0 <= self.most


def change(before: Sequence[bool], after: Sequence[bool]) -> Change:
    """The change over lines that were asked both times, in the same order. Deterministic. Raises ValueError without lines."""
    gained = np.asarray(after, float) - np.asarray(before, float)
    if not len(gained):
        raise ValueError("no line was asked both times")
    drawn = np.random.default_rng(1).integers(0, len(gained), (ROUNDS, len(gained)))
    least, most = np.quantile(gained[drawn].mean(axis=1), (0.025, 0.975))
    return Change(float(gained.mean()), float(least), float(most))


def keep(outcomes: Outcomes, file: Path) -> None:
    file.write_text(json.dumps(outcomes, ensure_ascii=False) + "\n", encoding="utf-8")


def table(before: Path, outcomes: Outcomes) -> Table:
    """One row a measure that both runs have; + or − only where it is more than luck."""
    shown = Table(title=f"change since {before.name} (95 of 100 drawings)")
    for heading in ("measure", "lines", "before", "now", "change", "between", ""):
        shown.add_column(heading, justify="left" if heading == "measure" else "right")
    kept: Outcomes = json.loads(before.read_text(encoding="utf-8"))
    for measure, now in outcomes.items():
        both = [line for line in now if line in kept.get(measure, {})]
        if not both:
            continue
        then, later = [kept[measure][line] for line in both], [now[line] for line in both]
        by = change(then, later)
        sign = "" if by.is_luck else "+" if by.by > 0 else "−"
        between = f"{by.least:+.3f} … {by.most:+.3f}"
        shown.add_row(measure, str(len(both)), f"{np.mean(then):.3f}", f"{np.mean(later):.3f}", f"{by.by:+.3f}", between, sign)
    return shown
