"""The same hearing without each of its channels: what each is worth, on the people it has never met (`madoguchi eval --full`)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from knowledge.base import Base
from knowledge.entry import Entry
from knowledge.hearing.index import Index
from knowledge.hearing.rank.synonyms import Synonyms


def without_each(base: Base) -> Iterator[tuple[str, Base]]:
    """Every channel by name, and the base that hears without it. An index is built anew where the channel is part of what is kept."""
    index = base.hearing
    silent = np.zeros(len(index.ids), np.float32)
    yield "examples", _built(base, _emptied(base.entries, "examples"))
    yield "names", replace(base, hearing=replace(index, name_weights=silent))
    yield "domains", replace(base, hearing=replace(index, domains=replace(index.domains, home=np.full_like(index.domains.home, _nowhere(index)))))
    yield "letters", replace(base, hearing=replace(index, letter_weights=silent))
    yield "meanings", replace(base, hearing=replace(index, meaning_weights=silent))
    yield "not_for", _built(base, _emptied(base.entries, "not_for"))
    yield "synonyms", replace(base, hearing=Index.build(base.entries, lexicon=replace(index.lexicon, synonyms=Synonyms.of(()))))


def _nowhere(index: Index) -> int:
    """The number of the domain of those that have none."""
    return len({home for home in index.homes if home})


def _emptied(entries: Mapping[str, Entry], field: str) -> dict[str, Entry]:
    return {entry_id: entry.model_copy(update={field: ()}) for entry_id, entry in entries.items()}


def _built(base: Base, entries: Mapping[str, Entry]) -> Base:
    return replace(base, hearing=Index.build(entries, lexicon=base.hearing.lexicon))
