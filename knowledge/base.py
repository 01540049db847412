"""The knowledge in use: layers read, checked and frozen into one snapshot with a version (design.md §3).

A broken file never replaces a running version: `load` gives a whole base or raises `BrokenBase` with every mistake in it (R50).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from knowledge.complaints import nearest
from knowledge.entry import Domain, Entry, Town
from knowledge.hearing.confidence import Confidence
from knowledge.hearing.danger import BrokenDangerList, DangerList
from knowledge.hearing.index import Index
from knowledge.hearing.rank.keys import Keys
from knowledge.hearing.rank.known import Known
from knowledge.hotlines import Hotline
from knowledge.kept import Lying, is_there, keep_better, kept, lying
from knowledge.layers import NOTHING_ELSE, STARTER, Instead, Laid, folders_of, lay
from knowledge.problem import Problem, errors

CARDS: Final = 3
UNHEARD: Final = frozenset(("who", "how", "cost", "bring", "contacts", "events", "law", "provider", "unverified", "checked", "valid"))
"""Fields of an entry that are only shown: whatever stands in them, every message finds the same entries."""

__all__ = ["STARTER", "Base", "BrokenBase", "StoredSentence", "load"]


class BrokenBase(Exception):
    """The folder cannot be used; `problems` says why, each with its place. `knowledge.problem.render` words one."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


@dataclass(frozen=True, slots=True)
class StoredSentence:
    """A sentence kept with an entry: it must find the entry (`example`), or must not (`not_for`)."""

    text: str
    entry_id: str
    kind: Literal["example", "not_for"]


@dataclass(frozen=True)
class Base:
    """One version of what the town knows. Immutable; share it between threads."""

    version: str
    """Short hash of every file it was made of."""
    folder: Path
    town: Town
    entries: Mapping[str, Entry]
    """Visible entries by id. Validity in time is the reader's to ask: `entry.shown_on(day)`."""
    domains: Mapping[str, Domain]
    hotlines: Mapping[str, Hotline]
    """All lines; only those that `may_be_shown` are (hotlines.spoken)."""
    hearing: Index
    """Ranks a text over the entries."""
    danger: DangerList
    synonyms: tuple[tuple[str, ...], ...] = ()
    """The town's own groups of words that mean the same."""
    danger_files: Lying = frozenset()
    """The files the list of dangers was read from: while they stay, a changed entry need not read it again."""

    @cached_property
    def stored_sentences(self) -> tuple[StoredSentence, ...]:
        """What every change of the base is tried on before it is published (D15b)."""
        entries = self.entries.values()
        examples = (StoredSentence(text, entry.id, "example") for entry in entries for text in entry.examples)
        refusals = (StoredSentence(text, entry.id, "not_for") for entry in entries for text in entry.not_for)
        return (*examples, *refusals)

    @cached_property
    def first_cards(self) -> Mapping[str, tuple[str, ...]]:
        """The three cards that each stored sentence gets; asked of 9,000 sentences once a version, which takes some seconds."""
        return self.cards_for(list(dict.fromkeys(sentence.text for sentence in self.stored_sentences)))

    def cards_for(self, texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The three cards that each of these sentences gets."""
        return dict(zip(texts, map(tuple, self.hearing.orders(texts, CARDS)), strict=True))


def load(folder: Path, keep: Path | None = None, before: Base | None = None) -> Base:
    """Build a base from a folder: a town's own over the starter, or any folder of entries as it stands. Raises `BrokenBase`.

    `keep` is a folder of our own where what was built may be kept for the next start (kept.py); `before` the base that is in use now, from which
    is taken what has not changed.
    """
    sources = sources_of(folder)
    sound = kept(keep, "layers", sources, lambda: _sound(folder))
    danger_files = lying(_danger_sources(folder))
    danger = before.danger if before is not None and before.danger_files == danger_files else danger_of(folder, keep)
    if not isinstance(danger, DangerList):
        raise BrokenBase(tuple(danger))
    hearing = replace(kept(keep, "index", sources, lambda: _index(sound, folder, keep, before)), confidence=Confidence.of_town(folder))
    return Base(
        version=sound.version, folder=folder, town=sound.town, entries=MappingProxyType(sound.entries), domains=MappingProxyType(sound.domains),
        hotlines=MappingProxyType(sound.hotlines), hearing=hearing, danger=danger, synonyms=sound.synonyms,
        danger_files=danger_files,
    )  # fmt: skip


def is_kept(folder: Path, keep: Path) -> bool:
    """Whether `load` would find the dearest part of this base, built by an earlier start."""
    return is_there(keep, "index", sources_of(folder))


def would_be(folder: Path, instead: Instead, before: Base, keep: Path | None = None) -> Base:
    """The base as it would be if these edits were saved (desk.md §4 変わること). Nothing is written or kept. Raises `BrokenBase`."""
    sound = _sound(folder, instead)
    hearing = before.hearing if _is_heard_alike(sound, before) else _built(sound, folder, keep, before)[0]
    return replace(
        before, version=sound.version, town=sound.town, entries=MappingProxyType(sound.entries), domains=MappingProxyType(sound.domains),
        hotlines=MappingProxyType(sound.hotlines), hearing=hearing, synonyms=sound.synonyms,
    )  # fmt: skip


def _index(sound: "_Sound", folder: Path, keep: Path | None, before: Base | None) -> Index:
    """The index of these entries; sentences that were read for an earlier one are not read again."""
    if before is not None and _is_heard_alike(sound, before):
        return replace(before.hearing, embedded=None)
    index, known = _built(sound, folder, keep, before)
    if known.grown:
        keep_better(keep, "signs", _groups_of_words(folder), known.now)
    return index


def _built(sound: "_Sound", folder: Path, keep: Path | None, before: Base | None) -> tuple[Index, Known]:
    """An index, and the sentences that were read for it."""
    known = Known(kept(keep, "signs", _groups_of_words(folder), dict[str, Keys]))
    lexicon = before.hearing.lexicon if before is not None and before.synonyms == sound.synonyms else None
    return Index.build(sound.entries, sound.synonyms, lexicon, known), known


def _groups_of_words(folder: Path) -> list[Path]:
    return [file for file in (STARTER / "synonyms.yaml", folder / "synonyms.yaml") if file.exists()]


def heard_alike(one: Entry | None, other: Entry | None) -> bool:
    """Whether both are found by the same messages: they differ in nothing, or only in what is shown."""
    if one is None or other is None:
        return one is other
    return all(getattr(one, name) == getattr(other, name) for name in Entry.model_fields.keys() - UNHEARD)


def _is_heard_alike(sound: "_Sound", before: Base) -> bool:
    """Whether the index of the base before is that of these entries, too: building it is most of what a changed file costs."""
    same = before.synonyms == sound.synonyms and list(before.entries) == list(sound.entries)
    return same and all(heard_alike(entry, before.entries[name]) for name, entry in sound.entries.items())


@dataclass(frozen=True, slots=True)
class _Sound:
    """What of the layers the running product needs, when nothing is wrong in them."""

    version: str
    town: Town
    entries: dict[str, Entry]
    domains: dict[str, Domain]
    hotlines: dict[str, Hotline]
    synonyms: tuple[tuple[str, ...], ...]


def _sound(folder: Path, instead: Instead = NOTHING_ELSE) -> _Sound:
    """Raises BrokenBase with everything that is wrong, the list of dangers too."""
    laid = lay(folder, instead)
    broken = [*errors(laid.problems), *unknown_hotlines(laid)]
    if broken and own_danger_file(folder) is not None:
        danger = danger_of(folder)
        broken += [] if isinstance(danger, DangerList) else danger
    if broken or laid.town is None:
        raise BrokenBase(tuple(broken))
    entries = {entry.id: entry for entry in laid.entries.values() if not entry.hidden}
    return _Sound(laid.version, laid.town, entries, laid.domains, laid.hotlines, laid.synonyms)


def sources_of(folder: Path) -> set[Path]:
    """Every file a base of this folder is made of."""
    return {file for place in (*folders_of(folder), STARTER) for file in place.rglob("*.y*ml") if file.is_file()}


def own_danger_file(folder: Path) -> Path | None:
    """A folder's own danger.yaml, which lies over the starter's list: it adds and switches single rules, and loses none by being there."""
    own = folder / "danger.yaml"
    return own if own.exists() and folder.resolve() != STARTER else None


def danger_of(folder: Path, keep: Path | None = None) -> DangerList | list[Problem]:
    """The list that is heard with, or what is wrong in it."""
    starter, own = STARTER / "danger.yaml", own_danger_file(folder)
    try:
        return kept(keep, "danger", _danger_sources(folder), lambda: DangerList.load(starter, own))
    except BrokenDangerList as wrong:
        return [Problem(str(own or starter), 1, 1, "error", "danger", message) for message in wrong.problems]


def _danger_sources(folder: Path) -> list[Path]:
    """The starter's files and the folder's own, the stored ear too."""
    lists = [STARTER / "danger.yaml", *([own] if (own := own_danger_file(folder)) else [])]
    return [path for file in lists for path in (file, *sorted(file.with_suffix("").glob("*.*")))]


def unknown_hotlines(laid: Laid) -> list[Problem]:
    """Contacts that name a line nobody knows: a card would stand there without its number."""
    return [
        laid.sheets[entry.id].problem(("contacts", place, "hotline"), "error", "unknown_hotline", *said)
        for entry in laid.entries.values()
        for place, contact in enumerate(entry.contacts)
        if (said := unknown_hotline(contact.hotline, laid))
    ]


def unknown_hotline(name: str | None, laid: Laid) -> tuple[str, str] | None:
    """What is wrong with such a name of a line, and what to write; None when it is known, or stands in hotlines.yaml and is wrong there."""
    if name is None or name in laid.hotline_sheets:
        return None
    hint = "hotlines.yaml にある id を書いてください。町の電話なら、hotline ではなく name と tel です。"
    if near := nearest(name, list(laid.hotlines)):
        hint = f"もしかして「{near}」ですか。"
    return f"hotline: 「{name}」という電話は一覧にありません", hint
