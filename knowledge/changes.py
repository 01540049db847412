"""What an edit would change: answers to stored sentences, before and after; and what a new starter changes for a town (D15b, desk.md §4)."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from knowledge.base import Base, StoredSentence
from knowledge.complaints import ADDED
from knowledge.entry import Entry
from knowledge.hearing.normalise import plain
from knowledge.layers import Laid
from knowledge.reading import Tree

UNSEEN: Final = frozenset(("examples", "not_for", "keywords", "topics"))
"""Fields that help finding and stand on no card: a new starter may improve them without asking."""

_SPELLED: Final = re.compile(r"[^\W\d_ぁ-ヿ㐀-鿿]+")
_OWN, _OTHERS = 300, 400
"""Sentences of the edited entries, and of others, that an edit is tried on: the nearest to the words that changed. 18,600 of them took a minute."""


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
class Impact:
    """What an edit changes among the sentences it was tried on: `asked`, of `stored` that there are."""

    answers: tuple[Answer, ...]
    asked: int
    stored: int

    @property
    def felt(self) -> bool:
        """Sentences that stay are answered otherwise: whoever publishes sees them first, never after (D15b).

        Sentences that are new or taken out are the edit itself.
        """
        return any(one.before is not None and one.after is not None for one in self.answers)


@dataclass(frozen=True, slots=True)
class Shadow:
    """An entry that comes first for sentences of another one: whoever edits either should know of both."""

    entry_id: str
    shadowed_by: str
    sentences: tuple[str, ...]


def changed_answers(before: Base, after: Base) -> list[Answer]:
    """Stored sentences of either base whose cards, or their order at the top, are no longer the same; the worse ones first."""
    return _compared(_by_text(before), _by_text(after), before.first_cards, after.first_cards)


def changed_nearby(before: Base, after: Base) -> Impact:
    """The same for the sentences nearest to the words that changed: where an edit is felt, in seconds instead of a minute.

    None is tried where only what is shown has changed.
    """
    if after.hearing is before.hearing:
        return Impact((), 0, len(before.stored_sentences))
    edited = {one for one in (*before.entries, *after.entries) if before.entries.get(one) != after.entries.get(one)}
    words = {text for one in edited for text in _changed_words(before.entries.get(one), after.entries.get(one))}
    old, new = _by_text(before), _by_text(after)
    every = {**old, **new}
    near = _nearest(every, words)
    own = [text for text in near if every[text].entry_id in edited][:_OWN]
    asked = {*own, *[text for text in near if every[text].entry_id not in edited][:_OTHERS]}
    was, now = ({text: one for text, one in known.items() if text in asked} for known in (old, new))
    return Impact(tuple(_compared(was, now, before.cards_for(list(was)), after.cards_for(list(now)))), len(asked), len(every))


def _changed_words(before: Entry | None, after: Entry | None) -> set[str]:
    """What an entry said and says no more, or says now; everything it says where only its field, kind or tags changed."""
    was, now = (set() if one is None else _words(one) for one in (before, after))
    return was ^ now or now


def _words(entry: Entry) -> set[str]:
    translated = [text for one in entry.translations.values() for text in (one.name, one.summary) if text]
    return {entry.name, entry.summary, *entry.keywords, *entry.examples, *entry.not_for, *translated}


def _nearest(texts: Collection[str], words: Collection[str]) -> list[str]:
    """Texts by how much they have in common with the one of the words that is most like them; what is rare among the texts counts most."""
    known, numbers = list(texts), dict[str, int]()
    met = [(at, numbers.setdefault(sign, len(numbers))) for at, text in enumerate(known) for sign in _signs(text)]
    where, which = np.array(met, np.intp).reshape(-1, 2).T
    rarity = np.log1p(len(known) / np.bincount(which)) ** 2
    length, best = np.bincount(where, rarity[which], len(known)), np.zeros(len(known))
    for word in words:
        asked = np.zeros(len(numbers))
        signs = [numbers[sign] for sign in _signs(word) & numbers.keys()]
        asked[signs] = rarity[signs]
        shared = np.bincount(where, asked[which], len(known))
        best = np.maximum(best, shared / np.sqrt(1e-9 + length * asked.sum()))
    return [known[at] for at in np.argsort(-best, kind="stable")]


def _signs(text: str) -> set[str]:
    """Pairs of letters; of what is written with spaces, whole words: any two letters of English stand in every long English sentence."""
    even = plain(text).text
    words = _SPELLED.findall(even)
    bare = _SPELLED.sub(" ", even) if words else even
    return {*words, *(one + other for one, other in pairwise(bare) if one != " " != other)}


def _compared(
    old: Mapping[str, StoredSentence], new: Mapping[str, StoredSentence], was: Mapping[str, tuple[str, ...]], now_are: Mapping[str, tuple[str, ...]]
) -> list[Answer]:  # fmt: skip
    found = list[Answer]()
    for text, one in {**old, **new}.items():
        cards, now = was.get(text), now_are.get(text)
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
