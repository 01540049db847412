"""What an edit would change: answers to stored sentences, before and after; and what a new starter changes for a town (D15b, desk.md §4)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from knowledge.base import Base, StoredSentence
from knowledge.complaints import ADDED
from knowledge.layers import Laid
from knowledge.reading import Tree

UNSEEN: Final = frozenset(("examples", "not_for", "keywords", "topics"))
"""Fields that help finding and stand on no card: a new starter may improve them without asking."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A stored sentence whose answer changes. `before` and `after` are the cards, best first; None = the sentence was not, or is no longer, there."""

    text: str
    entry_id: str
    """The entry it is kept with."""
    kind: str
    before: tuple[str, ...] | None
    after: tuple[str, ...] | None

    @property
    def worse(self) -> bool:
        """It found its entry among the cards, and does so no more (or finds first what it must not)."""
        if self.before is None or self.after is None:
            return False
        if self.kind == "not_for":
            return self.after[:1] == (self.entry_id,) != self.before[:1]
        return self.entry_id in self.before and self.entry_id not in self.after


@dataclass(frozen=True, slots=True)
class Shadow:
    """An entry that comes first for sentences of another one: whoever edits either should know of both."""

    entry_id: str
    shadowed_by: str
    sentences: tuple[str, ...]


def changed_answers(before: Base, after: Base) -> list[Answer]:
    """Stored sentences of either base whose cards, or their order at the top, are no longer the same; the worse ones first."""
    old, new = _by_text(before), _by_text(after)
    found = list[Answer]()
    for text, one in {**old, **new}.items():
        cards, now = before.first_cards.get(text), after.first_cards.get(text)
        if cards is not None and now is not None and cards[:1] == now[:1] and (one.entry_id in cards) == (one.entry_id in now):
            continue
        found.append(Answer(text, one.entry_id, one.kind, cards, now))
    return sorted(found, key=lambda answer: (not answer.worse, answer.entry_id))


def _by_text(base: Base) -> dict[str, StoredSentence]:
    return {sentence.text: sentence for sentence in base.stored_sentences}


def shadows(missed: Mapping[str, tuple[str, str]], least: int = 2) -> list[Shadow]:
    """Pairs out of sentences that found another entry first: sentence → (its entry, the first one). The fullest pairs first."""
    pairs: dict[tuple[str, str], list[str]] = {}
    for text, (entry_id, first) in missed.items():
        if first != entry_id:
            pairs.setdefault((entry_id, first), []).append(text)
    found = (Shadow(one, other, tuple(texts)) for (one, other), texts in pairs.items() if len(texts) >= least)
    return sorted(found, key=lambda shadow: -len(shadow.sentences))


# ---------------------------------------------------------------- a new starter under a town


@dataclass(frozen=True, slots=True)
class StarterChange:
    """One field of the starter that is not what it was. `kept`: the town has its own words there, and nothing changes for its residents."""

    entry_id: str
    field: str
    """Empty: the entry itself is new, or gone."""
    was: Tree
    now: Tree
    kept: bool


Fields = Mapping[str, Mapping[str, Tree]]


def fields_of(laid: Laid) -> dict[str, dict[str, Tree]]:
    """What a card could show of every entry, as the starter says it: kept beside a town to compare with a later starter."""
    return {name: {field: value for field, value in sheet.fields.items() if field not in UNSEEN} for name, sheet in laid.sheets.items()}


@dataclass(frozen=True, slots=True)
class Unused:
    """Rows of a starter's list that this town does not use, because it wrote the whole list itself."""

    entry_id: str
    field: str
    rows: tuple[str, ...]


def unused_rows(starter: Laid, town: Laid) -> Iterator[Unused]:
    """Where a town would have more of the starter if it only added (`examples+:`)."""
    for entry_id in sorted(town.own_ids & starter.sheets.keys()):
        source = town.sheets[entry_id].sources[0]
        for name in ADDED:
            theirs, used = starter.sheets[entry_id].fields.get(name), town.sheets[entry_id].fields.get(name)
            if source.has((name,)) and isinstance(theirs, list) and isinstance(used, list):
                rows = tuple(row for row in theirs if isinstance(row, str) and row not in used)
                if rows:
                    yield Unused(entry_id, name, rows)


def starter_changes(before: Fields, after: Fields, town: Laid) -> Iterator[StarterChange]:
    """What became different in the starter, entry by entry, as a town sees it."""
    for entry_id in (*after, *(gone for gone in before if gone not in after)):
        own = town.sheets[entry_id].sources[0].fields if entry_id in town.own_ids else None
        mine = own if isinstance(own, dict) else {}
        if entry_id not in before or entry_id not in after:
            name = (after.get(entry_id) or before[entry_id]).get("name")
            yield StarterChange(entry_id, "", None if entry_id in after else name, name if entry_id in after else None, bool(mine))
            continue
        old, new = before[entry_id], after[entry_id]
        for field in dict.fromkeys((*new, *old)):
            if field not in UNSEEN and (old.get(field) or None) != (new.get(field) or None):
                yield StarterChange(entry_id, field, old.get(field), new.get(field), field in mine)
