"""An embedding model beside our own channels: off unless a town brings one (matching.md). Its cosine is added to the scores, with one weight.

A model is anything with `model_id` and `embed`. Small ones add nothing to a base with examples, and `fitted` then leaves them out; hosted ones send
residents' words away. Whatever fails in a model is taken for silence: the message is heard by our own channels alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import numpy as np

from knowledge.hearing.language import language
from knowledge.hearing.rank import keys
from knowledge.hearing.rank.keys import Keys
from knowledge.hearing.rank.postings import Floats, Ints

if TYPE_CHECKING:
    from knowledge.hearing.index import Index

Kind = Literal["query", "passage"]
"""What a resident wrote, or what stands in the base: many models want to be told."""
FAILS: Final = (ArithmeticError, AttributeError, ImportError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError)
"""What a model's library may raise."""
WEIGHTS: Final = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
"""Tried in turn; a larger one must find more."""
ASKED: Final = 400
"""Examples that the weight is fitted on, at most."""
REMEMBERED: Final = 256


class Model(Protocol):
    """`embed` gives one row of float32 a text, in order; rows need not be of length one."""

    model_id: str

    def embed(self, texts: Sequence[str], kind: Kind) -> Floats: ...


@dataclass(frozen=True, slots=True)
class Embedded:
    """The texts of a base as directions."""

    model: Model
    texts: Keys
    """What each text is, as a key."""
    vectors: Floats
    """[text, dimension], of length one."""
    owners: Ints
    """The entry of each text, ascending; every entry has one."""
    weight: float = 1.0
    heard: dict[int, Floats] = field(default_factory=dict, compare=False, repr=False)
    """Directions of what was asked lately, by key and never by words: one message is asked about several times."""

    def scores(self, texts: Sequence[str], *, leave_out: str | None = None) -> Floats | None:
        """[text, entry]: the cosine of the nearest text of each entry; None where the model fails. `leave_out` is a text of the base to forget."""
        asked = self._directions(texts)
        if asked is None:
            return None
        alike = asked @ self.vectors.T
        if leave_out is not None:
            alike[:, self.texts == keys.digest(leave_out)] = -1.0
        starts = np.flatnonzero(np.diff(self.owners, prepend=-1))
        return np.asarray(np.maximum.reduceat(alike, starts, axis=1), np.float32)

    def _directions(self, texts: Sequence[str]) -> Floats | None:
        named = [keys.digest(text) for text in texts]
        missing = {name: text for name, text in zip(named, texts, strict=True) if name not in self.heard}
        known = {name: self.heard[name] for name in named if name not in missing}
        if missing:
            found = directions(self.model, list(missing.values()), "query", self.vectors.shape[1])
            if found is None:
                return None
            known.update(zip(missing, found, strict=True))
            if len(self.heard) + len(missing) > REMEMBERED:
                self.heard.clear()
            self.heard.update(known)
        return np.stack([known[name] for name in named])


def directions(model: Model, texts: Sequence[str], kind: Kind, width: int | None = None) -> Floats | None:
    """Rows of length one; None where the model fails, or gives anything but `width` finite numbers a text."""
    try:
        found = np.asarray(model.embed(texts, kind), np.float32)
    except FAILS:
        return None
    if found.ndim != 2 or len(found) != len(texts) or not np.isfinite(found).all() or (width is not None and found.shape[1] != width):
        return None
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True).clip(1e-9), np.float32)


def texts_of(entry: Any) -> list[str]:
    """What stands for an entry: its name with its summary, and each example."""
    return [f"{entry.name}。{getattr(entry, 'summary', None) or ''}", *dict.fromkeys(map(str, getattr(entry, "examples", None) or ()))]


def fitted(index: "Index", examples: Sequence[str]) -> "Index":
    """The index with the weight that finds most of the base's own examples first, each left out; without the model where none finds more."""
    if index.embedded is None:
        return index
    silent, asked = replace(index, embedded=None), sorted(set(examples))[:: max(1, len(set(examples)) // ASKED)]
    told = []
    for text in asked:
        lent = index.embedded.scores([text], leave_out=text)
        if lent is not None:
            total = silent.ask(text, language(text)).whole(leave_out=text).scores.total
            told.append((total, lent[0], index.owners(text)))
    found = [sum(int((total + np.float32(weight) * lent).argmax()) in owners for total, lent, owners in told) for weight in WEIGHTS]
    weight = WEIGHTS[int(np.argmax(found))]
    return replace(index, embedded=replace(index.embedded, weight=weight)) if weight else silent
