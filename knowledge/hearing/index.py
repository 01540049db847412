"""The index of a base: built once from its entries, asked for every message. Scores add; ranks would lose the evidence (matching.md).

Four channels: what residents said (`examples`), what the office calls it (`names`), which domain speaks so (`domains`), how it is written
(`letters`); and one that holds back, an entry's own `not_for`. Immutable after `build`; asking it is pure.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from knowledge.hearing.confidence import Confidence, Evidence
from knowledge.hearing.language import language
from knowledge.hearing.lexicon import Lexicon
from knowledge.hearing.model import Lang, Match
from knowledge.hearing.normalise import Plain, plain
from knowledge.hearing.rank import foreign
from knowledge.hearing.rank.domains import Domains
from knowledge.hearing.rank.examples import Examples
from knowledge.hearing.rank.letters import Letters
from knowledge.hearing.rank.names import Field, Names
from knowledge.hearing.rank.postings import Floats
from knowledge.hearing.rank.reasons import MOST, Reasons
from knowledge.hearing.rank.refusals import Refusals
from knowledge.hearing.rank.signs import Signs, read

DOMAIN_WEIGHT: Final = 0.6
NAMES_WEIGHT: Final = 0.05
"""Weight of the names of an entry that has examples."""
LETTERS_WEIGHT: Final = 1.0
BARE_NAMES_WEIGHT: Final = 2.4
BARE_LETTERS_WEIGHT: Final = 0.65
"""The same for an entry without examples, so that it can stand beside those that have them."""
LEAST_LETTERS: Final = 0.2
SUMMARY_WEIGHT: Final = 0.3


_LOOSE_KANA = re.compile(r"[ぁ-ゖー]{1,2}")


class Scores(NamedTuple):
    """Scores of every entry for one message, by channel."""

    total: Floats
    examples: Floats
    names: Floats
    domains: Floats
    letters: Floats


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
    refusals: Refusals
    told: Floats
    """1 for an entry with examples, 0 without."""
    all_told: bool
    confidence: Confidence

    @classmethod
    def build(cls, entries: Mapping[str, Any], synonyms: Sequence[Sequence[str]] = (), lexicon: Lexicon | None = None) -> "Index":
        """From entries (read by attribute; only `id`, `name`, `summary` are needed) and the town's own synonym groups."""
        lexicon = lexicon or Lexicon.load(own_synonyms=synonyms)
        ids = tuple(entries)
        homes = tuple(_text(entry, "domain") or None for entry in entries.values())
        spoken = [
            (number, example, frozenset(read(example, lexicon.synonyms).keys))
            for number, entry in enumerate(entries.values())
            for example in dict.fromkeys(_texts(entry, "examples"))
        ]
        examples = Examples.build(spoken, len(ids))
        refused = [(number, read(text, lexicon.synonyms).keys) for number, entry in enumerate(entries.values()) for text in _texts(entry, "not_for")]
        return cls(
            ids,
            homes,
            lexicon,
            examples,
            _names(list(entries.values()), lexicon),
            Domains.build(homes, examples),
            Letters.build([[plain(text) for text in _said_in(entry)] for entry in entries.values()]),
            Refusals.build([(number, examples.vector(keys)) for number, keys in refused], examples),
            (examples.lengths > 0).astype(np.float32),
            bool((examples.lengths > 0).all()),
            Confidence.usual(),
        )

    def signs(self, text: str | Plain, lang: Lang | None = None) -> Signs:
        """The signs of a message in any language."""
        even = plain(text) if isinstance(text, str) else text
        lang = lang or language(even.text)
        if lang in ("ja", "easy"):
            return read(even, self.lexicon.synonyms)
        return self.lexicon.glossary.signs(even, lang, self.lexicon.synonyms)

    def rank(self, text: str, *, limit: int = 10, leave_out: str | None = None, lang: Lang | None = None) -> list[Match]:
        """The best entries for a text, at most `limit`, best first; always `limit` of them if the base has so many.

        `leave_out` is the exact text of an example to forget for this question.
        """
        signs = self.signs(text, lang)
        return self.matches(signs, self.scores(signs, leave_out=leave_out), limit)

    def scores(self, signs: Signs, *, leave_out: str | None = None) -> Scores:
        """Every entry's score."""
        keys = signs.keys
        wanted = self.examples.vector(keys)
        said = self.examples.score(wanted)
        owners: tuple[int, ...] = ()
        left = None
        if leave_out is not None and leave_out in self.examples.owners:
            owners = self.examples.owners[leave_out]
            left = self.examples.vector(read(leave_out, self.lexicon.synonyms).keys)
            for entry in owners:
                said[entry] = self.examples.score_without(wanted, entry, left)
        near = self.domains.score(wanted, left_entries=owners, left=left)[self.domains.home]
        called = self._called(signs, keys)
        drawn = self._drawn(signs, owners, leave_out)
        by_name = np.where(self.told > 0, np.float32(NAMES_WEIGHT), np.float32(BARE_NAMES_WEIGHT))
        by_letter = np.where(self.told > 0, np.float32(LETTERS_WEIGHT), np.float32(BARE_LETTERS_WEIGHT)) * np.float32(_drawn_share(signs.plain.text))
        total = said + np.float32(DOMAIN_WEIGHT) * near + by_name * called + by_letter * drawn
        return Scores(total - self.refusals.score(wanted), said, called, near, drawn)

    def _called(self, signs: Signs, keys: Iterable[str]) -> Floats:
        """Score by names. Where every entry has examples they have nothing to add to a Japanese text, and are not asked."""
        if signs.japanese and self.all_told:
            return np.zeros(len(self.ids), np.float32)
        return self.names.score({*keys, *foreign.dictionary_groups(signs), *foreign.kanji(signs.plain.text), *foreign.words(signs.plain.text)})

    def _drawn(self, signs: Signs, owners: Sequence[int], leave_out: str | None) -> Floats:
        """Score by letters; none for a foreign text, whose letters mean nothing here."""
        if not signs.japanese:
            return np.zeros(len(self.ids), np.float32)
        wanted = self.letters.vector(signs.plain)
        drawn = self.letters.score(wanted)
        for entry in owners:
            drawn[entry] = self.letters.score_without(wanted, entry, plain(leave_out or ""))
        return drawn

    def matches(self, signs: Signs, scores: Scores, limit: int) -> list[Match]:
        """Scores as values: order, chance to be right, reasons."""
        order = np.argsort(-scores.total, kind="stable")[:limit]
        reasons = Reasons.of(signs, self.examples, self.names)
        chances = self.confidence.chances(self.evidence(signs, scores.total), scores.total, order)
        return [
            Match(
                id=self.ids[entry],
                score=round(float(chance), 4),
                why=reasons.why(int(entry)) if place < MOST else (),
                channels={
                    "examples": round(float(scores.examples[entry]), 3),
                    "names": round(float(scores.names[entry]), 3),
                    "domain": round(float(scores.domains[entry]), 3),
                    "letters": round(float(scores.letters[entry]), 3),
                },
            )
            for place, (entry, chance) in enumerate(zip(order, chances, strict=True))
        ]

    def evidence(self, signs: Signs, total: Floats) -> Evidence:
        """The features that tell whether the best entries can be trusted."""
        narrow = self.narrow(signs)
        known = {key for key in narrow if key in self.examples.sums.rows or key in self.names.postings.rows}
        best = np.sort(np.concatenate((total, np.zeros(4, np.float32))))[:-5:-1]
        spread = float(total.std()) if len(total) > 1 else 1.0
        return Evidence(
            best=float(best[0]),
            lead=float(best[0] - best[1]),
            lead_of_three=float(best[0] - best[3]),
            above=float(best[0] - total.mean()) / max(spread, 1e-6) if len(total) else 0.0,
            known=len(known),
            understood=len(known) / max(len(narrow), 1),
            groups=len({sign.key for sign in signs.found if sign.key[0] == "s"}),
            words=len({sign.key for sign in signs.found if sign.key[0] == "w"}),
        )

    def narrow(self, signs: Signs) -> set[str]:
        """Keys of the words and synonym groups that say what a message is about; お金 or 家族 alone do not, nor do two loose kana."""
        broad = self.lexicon.intents.broad
        found = {sign.key for sign in signs.found if sign.key[0] == "s" and sign.key not in self.lexicon.broad_groups}
        for sign in signs.found:
            if sign.key[0] == "w" and sign.key[1:] not in broad and not _LOOSE_KANA.fullmatch(signs.plain.text[sign.start : sign.end]):
                found.add(sign.key)
        return found


def _names(entries: Sequence[Any], lexicon: Lexicon) -> Names:
    def keys(text: str, *, name: bool = False) -> list[str]:
        signs = read(text, lexicon.synonyms)
        found = [sign.key for sign in signs.found] + foreign.dictionary_groups(signs)
        return found + foreign.kanji(signs.plain.text) if name else found

    translated = [" ".join(_translations(entry)) for entry in entries]
    return Names.build(
        [
            Field(1.0, [keys(_text(entry, "name"), name=True) for entry in entries]),
            Field(1.0, [keys("、".join(_texts(entry, "keywords"))) for entry in entries]),
            Field(SUMMARY_WEIGHT, [keys(_text(entry, "summary")) for entry in entries]),
            Field(1.0, [foreign.words(text) for text in translated]),
        ],
        len(entries),
    )


def _drawn_share(text: str) -> float:
    """How far to trust letters: fully in ordinary writing, little in hiragana alone, whose letters are shared by every word."""
    written = sum(not letter.isspace() for letter in text)
    told = sum("一" <= letter <= "龠" or "ァ" <= letter <= "ヺ" for letter in text)
    return min(1.0, LEAST_LETTERS + 4 * told / max(written, 1))


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
