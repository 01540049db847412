"""The index of a base: built once from its entries, asked for every message. Scores add; ranks would lose the evidence (matching.md).

Four channels: what residents said (`examples`), what the office calls it (`names`), which domain speaks so (`domains`), how it is written
(`letters`); and one that holds back, an entry's own `not_for`. Immutable after `build`; asking it (asked.py) is pure.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from knowledge.hearing.asked import Asked
from knowledge.hearing.confidence import Confidence
from knowledge.hearing.embedding import Embedded
from knowledge.hearing.language import language
from knowledge.hearing.lexicon import Lexicon
from knowledge.hearing.model import Lang, Match
from knowledge.hearing.normalise import Plain, plain
from knowledge.hearing.phrases_seen import flat
from knowledge.hearing.rank import foreign, keys
from knowledge.hearing.rank.domains import Domains
from knowledge.hearing.rank.examples import Examples
from knowledge.hearing.rank.keys import NO_KEYS, Keys
from knowledge.hearing.rank.known import Known
from knowledge.hearing.rank.letters import Letters
from knowledge.hearing.rank.meanings import Meanings
from knowledge.hearing.rank.names import Field, Names
from knowledge.hearing.rank.postings import Floats, Ints, Postings, best
from knowledge.hearing.rank.refusals import Refusals
from knowledge.hearing.rank.signs import Signs, read

NAMES_WEIGHT: Final = 0.05
"""Weight of the names of an entry that has examples."""
LETTERS_WEIGHT: Final = 1.0
BARE_NAMES_WEIGHT: Final = 2.4
MEANINGS_WEIGHT: Final = 1.0
BARE_LETTERS_WEIGHT: Final = 1.0
BARE_MEANINGS_WEIGHT: Final = 3.0
"""The same for an entry without examples, so that it can stand beside those that have them."""
SUMMARY_WEIGHT: Final = 0.3
CALLED_BY: Final = 3
"""A keyword of more entries than this names none of them."""
_NAME: Final = re.compile("[一-鿿々ァ-ヺー]{4,}")
"""A keyword that is a name and no phrase: 配食サービス, 訪問看護."""
_BRACKETS: Final = re.compile(r"[（(][^（()）]*[)）]")
TOGETHER: Final = 600
"""Characters of texts asked together: more makes the tables of who stands where too wide to be quick."""
NAME_MEANS, SUMMARY_MEANS, EXAMPLE_MEANS = 1.0, 0.6, 0.5
"""What a word of like meaning is worth by where it stands in an entry."""


@dataclass(frozen=True, slots=True)
class Index:
    """What a base answers with."""

    ids: tuple[str, ...]
    homes: tuple[str | None, ...]
    lexicon: Lexicon
    examples: Examples
    names: Names
    domains: Domains
    letters: Letters
    meanings: Meanings
    refusals: Refusals
    table: Postings
    """By sign: the entries by their examples, and the domains."""
    held: Postings
    """By sign: the sentences that hold back."""
    named: Postings
    """By sign: the entries by their names."""
    all_told: bool
    """Whether every entry has examples."""
    name_weights: Floats
    letter_weights: Floats
    meaning_weights: Floats
    """By entry."""
    called: frozenset[str]
    """What entries are called, in even letters: whoever writes one asks for it."""
    any_language: tuple[int, ...]
    """Entries where many languages are spoken."""
    spoken: tuple[Keys, Ints]
    """Every example as a key, ascending, and the entry it stands in."""
    confidence: Confidence
    embedded: Embedded | None = None
    """A model of the town's own beside the channels (embedding.py)."""

    @classmethod
    def build(
        cls, entries: Mapping[str, Any], synonyms: Sequence[Sequence[str]] = (), lexicon: Lexicon | None = None, known: Known | None = None
    ) -> "Index":
        """From entries (read by attribute; only `id`, `name`, `summary` are needed) and the town's own synonym groups.

        `lexicon` and `known` are those of an earlier build with the same synonyms, where there is one.
        """
        lexicon, known = lexicon or Lexicon.load(own_synonyms=synonyms), known or Known()

        def signs(text: str) -> Keys:
            return known.keys(text, lambda text: lexicon.signs(plain(text)).keys)

        def once(text: str) -> Keys:
            return known.keys(text, lambda text: keys.once(lexicon.signs(plain(text)).keys), "once")

        ids = tuple(entries)
        homes = tuple(_text(entry, "domain") or None for entry in entries.values())
        translated = [list(_translations(entry)) for entry in entries.values()]
        said = [(number, text) for number, entry in enumerate(entries.values()) for text in dict.fromkeys(_texts(entry, "examples"))]
        spoken = [(number, once(text)) for number, text in said]
        spoken += [(number, keys.once(_in_other_words(text))) for number in sorted({number for number, _ in said}) for text in translated[number]]
        fields = _fields(list(entries.values()), lexicon, known)
        vocabulary = keys.once(np.concatenate([NO_KEYS, *(found for _, found in spoken), *(text for field in fields for text in field.texts)]))
        examples = Examples.build(spoken, vocabulary, len(ids))
        told = examples.lengths > 0
        domains, by_domain = Domains.build(homes, examples)
        refused = [(number, signs(text)) for number, entry in enumerate(entries.values()) for text in _texts(entry, "not_for")]
        refusals, by_refusal = Refusals.build([(number, examples.left(found)) for number, found in refused], examples)
        names, by_name = Names.build(fields, vocabulary, len(ids))
        return cls(
            ids,
            homes,
            lexicon,
            examples,
            names,
            domains,
            Letters.build([[plain(text).text for text in _said_in(entry)] for entry in entries.values()]),
            Meanings.build(_meant(fields, spoken, len(ids)), len(ids)),
            refusals,
            examples.postings().beside(by_domain).quick(),
            by_refusal,
            by_name,
            bool(told.all()),
            np.where(told, np.float32(NAMES_WEIGHT), np.float32(BARE_NAMES_WEIGHT)),
            np.where(told, np.float32(LETTERS_WEIGHT), np.float32(BARE_LETTERS_WEIGHT)),
            np.where(told, np.float32(MEANINGS_WEIGHT), np.float32(BARE_MEANINGS_WEIGHT)),
            _called(list(entries.values())),
            tuple(number for number, entry in enumerate(entries.values()) if "any-language" in _texts(entry, "tags")),
            _spoken(said),
            Confidence.usual(),
        )

    def signs(self, text: str | Plain, lang: Lang | None = None) -> Signs:
        """The signs of a message in any language."""
        even = plain(text) if isinstance(text, str) else text
        return self.lexicon.signs(even, lang)

    def ask(self, text: str | Plain, lang: Lang | None = None) -> Asked:
        """A message, looked up."""
        return Asked(self, self.signs(text, lang))

    def rank(self, text: str, *, limit: int = 10, leave_out: str | None = None, lang: Lang | None = None) -> list[Match]:
        """The best entries for a text, at most `limit`, best first; always `limit` of them if the base has so many.

        `leave_out` is the exact text of an example to forget for this question.
        """
        asked = self.ask(text, lang)
        whole = asked.whole(leave_out=leave_out)
        return asked.matches(whole, whole.scores.total, limit)

    def order(self, text: str, limit: int) -> list[str]:
        """The ids of `rank` alone, without chances and reasons: for `--ranked` over a large base."""
        return [self.ids[entry] for entry in best(self.ask(text).whole().scores.total, limit).tolist()]

    def orders(self, texts: Sequence[str], limit: int) -> list[list[str]]:
        """`order` for thousands of texts: short Japanese ones are asked together, as the sentences of one message, at a third of the cost."""
        even = [plain(text) for text in texts]
        found: dict[int, list[str]] = {}
        lot: list[int] = []
        for at, one in enumerate(even):
            if language(one.text) not in ("ja", "easy") or len(one.text) > TOGETHER:
                found[at] = self.order(texts[at], limit)
                continue
            if sum(len(even[other].text) + 1 for other in lot) + len(one.text) > TOGETHER:
                found.update(self._together(even, lot, limit))
                lot = []
            lot.append(at)
        found.update(self._together(even, lot, limit))
        return [found[at] for at in range(len(texts))]

    def _together(self, even: Sequence[Plain], lot: Sequence[int], limit: int) -> Iterator[tuple[int, list[str]]]:
        joined = "\n".join(even[at].text for at in lot)
        asked = self.ask(joined, "ja")
        ends = np.cumsum([len(even[at].text) + 1 for at in lot]).tolist() if lot else []
        spans = [(end - 1 - len(even[at].text), end - 1) for at, end in zip(lot, ends, strict=True)]
        for at, part in zip(lot, asked.parts(spans) if lot else [], strict=True):
            yield at, [self.ids[entry] for entry in best(part.scores.total, limit).tolist()]

    def owners(self, example: str) -> list[int]:
        """The entries that hold an example, by its exact text."""
        known, entries = self.spoken
        key = keys.digest(example)
        return [int(entry) for entry in entries[np.searchsorted(known, key) : np.searchsorted(known, key, "right")]]


def _meant(fields: Sequence[Field], spoken: Sequence[tuple[int, Keys]], width: int) -> list[tuple[float, Sequence[Keys]]]:
    name, keywords, summary, _ = (field.texts for field in fields)
    examples: list[list[Keys]] = [[NO_KEYS] for _ in range(width)]
    for number, found in spoken:
        examples[number].append(found)
    said = [np.concatenate(found) for found in examples]
    return [(NAME_MEANS, name), (NAME_MEANS, keywords), (SUMMARY_MEANS, summary), (EXAMPLE_MEANS, said)]


def _spoken(said: Sequence[tuple[int, str]]) -> tuple[Keys, Ints]:
    known = np.array([keys.digest(text) for _, text in said], np.int64)
    order = np.argsort(known, kind="stable")
    return known[order], np.array([number for number, _ in said], np.int32)[order]


def _fields(entries: Sequence[Any], lexicon: Lexicon, known: Known) -> list[Field]:
    def told(text: str, *, name: bool = False) -> Keys:
        return known.keys(text, lambda text: found(text, name=name), "name" if name else "field")

    def found(text: str, *, name: bool) -> Keys:
        signs = read(text, lexicon.synonyms)
        more = foreign.dictionary_groups(signs.cut) + (foreign.kanji(signs.plain.text) if name else [])
        return np.concatenate((signs.keys, np.array([key for key, _, _ in more], np.int64)))

    return [
        Field(1.0, [told(_text(entry, "name"), name=True) for entry in entries]),
        Field(1.0, [told("、".join(_texts(entry, "keywords"))) for entry in entries]),
        Field(SUMMARY_WEIGHT, [told(_text(entry, "summary")) for entry in entries]),
        Field(1.0, [_in_other_words(" ".join(_translations(entry))) for entry in entries]),
    ]


def _called(entries: Sequence[Any]) -> frozenset[str]:
    """What a service is called: its name, with and without brackets, and keywords that are names of services too (配食サービス)."""
    names = [name for entry in entries for name in (_text(entry, "name"), _BRACKETS.sub("", _text(entry, "name")))]
    shared = Counter(word for entry in entries for word in set(_texts(entry, "keywords")))
    names += [word for word, times in shared.items() if times <= CALLED_BY and _NAME.fullmatch(word)]
    return frozenset(flat(plain(name).text) for name in names)


def _in_other_words(text: str) -> Keys:
    """What a translation says in its own words: it stands beside the examples as one more."""
    return np.array([key for key, _, _ in foreign.words(text)], np.int64)


def _said_in(entry: Any) -> list[str]:
    return [_text(entry, "name"), *_texts(entry, "keywords"), _text(entry, "summary"), *dict.fromkeys(_texts(entry, "examples"))]


def _text(entry: Any, field: str) -> str:
    return str(getattr(entry, field, None) or "")


def _texts(entry: Any, field: str) -> list[str]:
    return [str(text) for text in getattr(entry, field, None) or ()]


def _translations(entry: Any) -> Iterable[str]:
    for lang, translation in (getattr(entry, "translations", None) or {}).items():
        if lang == "easy" or not translation:
            continue
        for field in ("name", "summary"):
            text = translation.get(field) if isinstance(translation, dict) else getattr(translation, field, None)
            if text:
                yield str(text)
