"""Learns what messages are after and what to do with them: `python -m bot.bench.deciding` writes starter/aims.npz (some three minutes).

Aims: the sentences of starter/aims.yaml, every third example of each entry, and the sets of FOLDS. Choices: the same messages, each with the
aims that were learnt without its own fold, so that the choice knows how far an aim can be trusted. Deterministic.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

from bot.bench.lines import read
from knowledge.base import STARTER, Base, load
from knowledge.hearing import clues_of
from knowledge.hearing.aims import AIMS, TABLE, Aim, Marks
from knowledge.hearing.aims_fit import Line, choice_of, fit, stored
from knowledge.hearing.decide import CHOICES, Clues
from knowledge.hearing.model import Decision

FOLDS: Final = (
    ("worries-dev-1", "worries-dev-2", "households-dev"), ("worries-learnt",), ("worries-learnt-2",), ("worries-learnt-3",),
    ("two-needs-dev", "aims-dev"), ("aims-more",), ("aims-offers",), ("aims-foreign-1",), ("aims-foreign-2",), ("aims-human",),
)  # fmt: skip
"""The sets that are learnt from, by what is left out together: few folds of many writers; a part of our own sentences goes with each."""
EXAMPLES: Final = 3
"""Every so manieth example of the entries is taken."""
ALIKE: Final = 2.0
"""How often a sentence counts that resembles another aim and is none."""
COUNTS: Final = {
    "own": 0.05, "households-dev": 0.5, "aims-dev": 0.2, "aims-more": 0.5, "aims-offers": 0.0, "aims-foreign-1": 0.1, "aims-foreign-2": 0.1,
    "aims-human": 0.0,
}  # fmt: skip
"""How much a line of a part counts for the choice, where it is not one: the other sets were written as messages come, these hold what is seldom.
None of aims-offers: every line of it is to be answered, and with a fifth of it .60 of the vague ones left out (65) were asked back, not
.72. Little of aims-foreign and none of aims-human: where a language or a way to ask for a human was never met, the aims know nothing, and a
choice learnt from that hands everything over."""
ELSEWHERE: Final = ("目録", "店の", "行事", "季節", "使い方")
"""In the note of a line that no service answers."""
DECIDED: Final[dict[Aim, Decision]] = {
    "help": "answer", "offer": "answer", "human": "handoff", "vague": "ask", "chat": "ask", "elsewhere": "ask", "whole": "handoff",
}  # fmt: skip


class Told(NamedTuple):
    """A message to learn from; `part` is what it is left out with."""

    part: str
    text: str
    aim: Aim
    often: float = 1.0


def told(base: Base) -> list[Told]:
    """Every message to learn from."""
    listed: dict[Aim, list[str]] = yaml.safe_load((STARTER / "aims.yaml").read_text(encoding="utf-8"))
    own = [(aim, text) for aim, texts in listed.items() for text in texts]
    offers = {text for aim, text in own if aim == "offer"}
    ordinary = [text for entry in base.entries.values() if not offers & set(entry.examples) for text in entry.examples[::EXAMPLES]]
    lines = [Told(f"own {at % len(FOLDS)}", text, aim, ALIKE if aim == "help" else 1.0) for at, (aim, text) in enumerate(own)]
    lines += [Told(f"own {at % len(FOLDS)}", text, "help", EXAMPLES) for at, text in enumerate(dict.fromkeys(ordinary))]
    return lines + [Told(name, line["text"], _aim(line)) for fold in FOLDS for name in fold for line in read(name)]


def _aim(line: dict[str, str]) -> Aim:
    if "aim" in line:
        return next(aim for aim in AIMS if aim == line["aim"])
    intents: dict[str, Aim] = {"offer": "offer", "human": "human", "smalltalk": "chat"}
    if line.get("intent") in intents:
        return intents[line["intent"]]
    if line["decision"] == "ask":
        return "elsewhere" if any(word in line["why"] for word in ELSEWHERE) else "vague"
    return "whole" if line["decision"] == "handoff" else "help"


def without_own_part(lines: Sequence[Told], seen: Sequence[Marks]) -> dict[int, NDArray[np.float32]]:
    """The aims of every message, by its place, as they are heard by what was learnt without its fold."""
    found: dict[int, NDArray[np.float32]] = {}
    for at, fold in enumerate(FOLDS):
        left_out = {*fold, f"own {at}"}
        aims = fit([Line(marks, line.aim, line.often) for line, marks in zip(lines, seen, strict=True) if line.part not in left_out])
        found |= {place: aims.weigh(seen[place]) for place, line in enumerate(lines) if line.part in left_out}
    return found


def main() -> None:
    """Learn, store, and say how the choices do on sets they have not seen."""
    base = load(STARTER)
    lines, examples = told(base), {text for entry in base.entries.values() for text in entry.examples}
    heard = [clues_of(line.text, base, leave_out=line.text if line.text in examples else None) for line in lines]
    seen = [marks for _, marks in heard]
    aims = without_own_part(lines, seen)
    rows = [(line, replace(found, aims=aims[place])) for place, (line, (found, _)) in enumerate(zip(lines, heard, strict=True))]
    rows = [row for at, row in enumerate(rows) if row[0].text not in examples or at % EXAMPLES == 0]
    for fold in FOLDS:
        bias, weights = _learn([row for row in rows if row[0].part not in fold])
        for name in fold:
            print(name, *_shares([row for row in rows if row[0].part == name], bias, weights))
    bias, weights = _learn(rows)
    kept = stored(fit([Line(marks, line.aim, line.often) for line, marks in zip(lines, seen, strict=True)]))
    arrays: dict[str, Any] = {**kept, "choice_bias": bias, "choice": weights}
    np.savez_compressed(TABLE, **arrays)


def _learn(rows: Sequence[tuple[Told, Clues]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    wanted = [CHOICES.index(DECIDED[line.aim]) for line, _ in rows]
    often = [COUNTS.get(line.part.split()[0], 1.0) for line, _ in rows]
    return choice_of([found.features() for _, found in rows], wanted, often)


def _shares(rows: Sequence[tuple[Told, Clues]], bias: NDArray[np.float32], weights: NDArray[np.float32]) -> list[str]:
    wanted = np.array([CHOICES.index(DECIDED[line.aim]) for line, _ in rows])
    among = [at for at in range(len(CHOICES)) if (wanted == at).any()]
    chosen = (bias + np.array([found.features() for _, found in rows]) @ weights).argmax(axis=1)
    return [f"right {(chosen == wanted).mean():.3f}", *(f"{CHOICES[at]} {(chosen[wanted == at] == at).mean():.2f}" for at in among)]


if __name__ == "__main__":
    main()
