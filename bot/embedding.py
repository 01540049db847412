"""Brings the embedding model a town has chosen (`MADOGUCHI_EMBEDDING`) beside the channels of its base; off when none is set.

The setting names a function of the town's own, `package.module:function`, imported only then. It takes nothing and gives a model
(knowledge/hearing/embedding.py). What it made of the texts of the base is kept by model and content, so that a start asks it for new texts only.
"""

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import structlog

from knowledge.base import Base
from knowledge.hearing.embedding import FAILS, Embedded, Model, directions, fitted, texts_of
from knowledge.hearing.rank import keys
from knowledge.hearing.rank.postings import Floats

log = structlog.get_logger()

AT_ONCE: Final = 256
"""Texts that the model is given together."""


def brought(name: str) -> Model | None:
    """The model that a setting names; None, with a line in the log, when there is none to be had."""
    module, _, function = name.partition(":")
    try:
        model: Model = getattr(importlib.import_module(module), function)()
    except FAILS as error:
        log.warning("embedding_off", why=type(error).__name__)
        return None
    return model


def beside(base: Base, model: Model, keep: Path | None) -> Base:
    """The base with the model beside its channels; as it was where the model fails, or finds nothing more. `keep`: folder for what it made."""
    told = [(number, text) for number, entry in enumerate(base.entries.values()) for text in texts_of(entry)]
    names = np.array([keys.digest(text) for _, text in told], np.int64)
    vectors = _vectors(model, [text for _, text in told], names, keep)
    if vectors is None:
        log.warning("embedding_off", why="no vectors")
        return base
    embedded = Embedded(model, names, vectors, np.array([number for number, _ in told], np.int32))
    index = fitted(replace(base.hearing, embedded=embedded), [text for entry in base.entries.values() for text in entry.examples])
    log.info("embedding", model=model.model_id, texts=len(told), weight=index.embedded.weight if index.embedded else 0)
    return replace(base, hearing=index)


def _vectors(model: Model, texts: list[str], names: Any, keep: Path | None) -> Floats | None:
    """Of every text: kept ones as they are, new ones by the model."""
    file = None if keep is None else keep / f"vectors-{keys.digest(model.model_id):014x}.npz"
    known = _kept(file)
    new = {name: text for name, text in zip(names.tolist(), texts, strict=True) if name not in known}
    for lot in (list(new.items())[at : at + AT_ONCE] for at in range(0, len(new), AT_ONCE)):
        found = directions(model, [text for _, text in lot], "passage")
        if found is None:
            return None
        known.update(zip((name for name, _ in lot), found, strict=True))
    if len({len(known[name]) for name in names.tolist()}) != 1:
        return None
    vectors = np.stack([known[name] for name in names.tolist()])
    if file is not None and new:
        _keep(file, names, vectors)
    return vectors


def _kept(file: Path | None) -> dict[int, Floats]:
    if file is None or not file.exists():
        return {}
    try:
        with np.load(file, allow_pickle=False) as kept:
            return dict(zip(kept["names"].tolist(), kept["vectors"], strict=True))
    except (OSError, ValueError, KeyError, EOFError):  # cut off by a crash
        return {}


def _keep(file: Path, names: Any, vectors: Floats) -> None:
    """Beside and renamed, so that a crash leaves no half file; a full disk costs only the next start's time."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside_it = file.with_suffix(".new")
        with beside_it.open("wb") as out:
            np.savez(out, names=names, vectors=vectors)
        beside_it.replace(file)
    except OSError:
        return
