"""One message before the index of a base: looked up once, so that any stretch of it can be scored, weighed and explained at little cost."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from knowledge.hearing.confidence import Evidence
from knowledge.hearing.model import Match
from knowledge.hearing.rank import foreign, keys
from knowledge.hearing.rank.keys import Keys
from knowledge.hearing.rank.letters import placed, runs
from knowledge.hearing.rank.postings import Floats, Ints, Once, Places, best, best_of_each
from knowledge.hearing.rank.reasons import MOST, NAME_SHARE, pieces, shares, why
from knowledge.hearing.rank.signs import Signs

if TYPE_CHECKING:
    from knowledge.hearing.index import Index

DOMAIN_WEIGHT: Final = 0.6
LEAST_LETTERS: Final = 0.2
TOP: Final = 5
MEANING_SHARE: Final = 1.0
"""How much a word that led by its meaning counts among the reasons."""
_CHANNELS: Final = ("examples", "names", "domain", "letters", "meanings")

_LOOSE_KANA = re.compile(r"[ぁ-ゖー]{1,2}")
_Mask = npt.NDArray[np.bool_]


Span = tuple[int, int]
"""A stretch of a message in even writing: start, end."""


class Scores(NamedTuple):
    """Scores of every entry for one stretch, by channel."""

    total: Floats
    examples: Floats
    names: Floats
    domains: Floats
    letters: Floats
    meanings: Floats


class Counts(NamedTuple):
    """How many different signs a stretch has."""

    telling: int
    """Those that say what it is about."""
    known: int
    """Those of them that the base knows."""
    groups: int
    words: int


class Part(NamedTuple):
    """A stretch of a message: where it stands in even writing, and what it leads to."""

    start: int
    end: int
    scores: Scores
    top: tuple[int, ...]
    """The best entries, best first."""
    shape: tuple[float, ...]
    """Of its scores: the best, the second, the fourth, the mean, the standard deviation."""
    counts: Counts

    @property
    def evidence(self) -> Evidence:
        """Whether its best entries can be trusted."""
        return _evidence(self.shape, self.counts)


class Asked:
    """A message, and where each of its signs points in the index."""

    def __init__(self, index: "Index", signs: Signs) -> None:
        self.index, self.signs, self.plain = index, signs, signs.plain
        self._names_asked = not (signs.japanese and index.all_told)
        self._keys, self._starts, self._ends = self._with_names() if self._names_asked else (signs.keys, signs.starts, signs.ends)
        self._once = Once.made(self._keys)
        self._asked, self._of = self._once.keys, self._once.of
        self._kinds = keys.kinds(self._asked)
        self._rows = index.table.rows(self._asked)
        self._heavy = index.examples.weights(self._asked, self._rows)
        self._pointed = index.table.point(self._rows)
        self._held = index.held.point(self._rows)
        self._named = index.named.point(self._rows) if self._names_asked else None
        self._lent = index.meanings.lent(self._asked) if signs.japanese else None
        self._telling = self._narrow()
        self._told = list(zip(self._starts[self._telling].tolist(), self._ends[self._telling].tolist(), strict=True))
        self._parts: dict[Span, Part] = {}
        if signs.japanese:
            drawn, self._run_starts, self._run_ends = placed(self.plain.text)
            self._runs_once = Once.made(drawn)
            self._run_rows = index.letters.postings.rows(self._runs_once.keys)
            self._run_mass = index.letters.weights(self._run_rows)
            self._drawn = index.letters.postings.point(self._run_rows)
            self._written = _counted(self.plain.text)

    def tells(self, start: int, end: int) -> bool:
        """Whether a word of the stretch says what it is about; お金 or 家族 alone do not, nor do two loose kana."""
        return any(start <= first and last <= end for first, last in self._told)

    def part(self, start: int, end: int, *, leave_out: str | None = None) -> Part:
        """A stretch with its scores; `leave_out` is the exact text of an example to forget for it."""
        known = self._parts.get((start, end)) if leave_out is None else None
        return known or self.parts([(start, end)], leave_out=leave_out)[0]

    def whole(self, *, leave_out: str | None = None) -> Part:
        """The whole message."""
        return self.part(0, len(self.plain.text), leave_out=leave_out)

    def parts(self, spans: Sequence[Span], *, leave_out: str | None = None) -> list[Part]:
        """Several stretches at once, which costs little more than one; each is worked out once."""
        if leave_out is not None:
            return self._worked_out(spans, leave_out)
        new = [span for span in dict.fromkeys(spans) if span not in self._parts]
        if new:
            self._parts.update(zip(new, self._worked_out(new, None), strict=True))
        return [self._parts[span] for span in spans]

    def _worked_out(self, spans: Sequence[Span], leave_out: str | None) -> list[Part]:
        begin, stop = np.array(spans, np.int32).reshape(-1, 2).T[:, :, None]
        within = (self._starts >= begin) & (self._ends <= stop)
        there = self._once.any(within)
        total, channels = self._scores(spans, within, there, leave_out)
        telling = self._once.any(within & self._telling)
        counted = np.concatenate((telling, telling & (self._rows >= 0), there & (self._kinds == keys.SYNONYM), there & (self._kinds == keys.WORD)))
        counts = np.add.reduce(counted, axis=1, dtype=np.intp).reshape(4, -1).T.tolist()
        top = best_of_each(total, TOP)
        each = zip(spans, zip(total, *channels, strict=True), top.tolist(), _shapes(total, top), counts, strict=True)
        return [Part(*span, Scores._make(scores), tuple(order), tuple(shape), Counts._make(count)) for span, scores, order, shape, count in each]

    def evidence(self, part: Part, total: Floats) -> Evidence:
        """The features that tell whether the best entries by `total` can be trusted, for the words of a stretch."""
        return _evidence(_shapes(total[None], best_of_each(total[None], TOP))[0], part.counts)

    def sure(self, part: Part) -> float:
        """Chance, 0–1, that one of the first three is a right first door."""
        return self.index.confidence.sure(part.evidence)

    def matches(self, part: Part, total: Floats, limit: int) -> list[Match]:
        """The best entries of a stretch by `total` as values: order, chance to be right, reasons."""
        own = total is part.scores.total
        order = np.array(part.top[:limit], np.intp) if own and limit <= TOP else best(total, limit)
        evidence = part.evidence if own else self.evidence(part, total)
        chances = self.index.confidence.chances(evidence, total, order).tolist()
        reasons = [*self._reasons(part, order[:MOST]), *[()] * max(len(order) - MOST, 0)]
        channels = zip(*(scores[order].tolist() for scores in part.scores[1:]), strict=True)
        return [
            Match(
                id=self.index.ids[entry],
                score=round(chance, 4),
                why=reason,
                channels={name: round(weight, 3) for name, weight in zip(_CHANNELS, weights, strict=True)},
            )
            for entry, chance, reason, weights in zip(order.tolist(), chances, reasons, channels, strict=True)
        ]

    def _with_names(self) -> tuple[Keys, Ints, Ints]:
        """The signs, and those that only names know."""
        more = [*foreign.dictionary_groups(self.signs.cut), *foreign.kanji(self.plain.text)]
        found = np.array(more, np.int64).reshape(-1, 3)
        starts, ends = found[:, 1].astype(np.int32), found[:, 2].astype(np.int32)
        signs = self.signs
        return np.concatenate((signs.keys, found[:, 0])), np.concatenate((signs.starts, starts)), np.concatenate((signs.ends, ends))

    def _narrow(self) -> _Mask:
        """Which signs are words or synonyms that say what a message is about."""
        broad, text = self.index.lexicon.broad, self.plain.text
        telling = np.zeros(len(self._keys), bool)
        kinds = self._kinds[self._of]
        for at in ((kinds == keys.WORD) | (kinds == keys.SYNONYM)).nonzero()[0].tolist():
            if int(self._keys[at]) not in broad:
                telling[at] = kinds[at] == keys.SYNONYM or not _LOOSE_KANA.fullmatch(text, self._starts[at], self._ends[at])
        return telling

    def _within(self, start: int, end: int) -> _Mask:
        return (self._starts >= start) & (self._ends <= end)

    def _scores(self, spans: Sequence[Span], within: _Mask, there: _Mask, leave_out: str | None) -> tuple[Floats, tuple[Floats, ...]]:
        """Score of every entry for every stretch, and what each channel gave: [stretch, entry]."""
        index, width = self.index, len(self.index.ids)
        wanted = _of_length_one(there * self._heavy)
        told = self._pointed.score(wanted)
        said, homes = told[:, :width], told[:, width:]
        drawn, letters = self._by_letter(spans)
        if leave_out is not None:
            self._forget(leave_out, wanted[0], said[0], homes[0], letters[0], drawn[0])
        near = homes[:, index.domains.home]
        called = self._by_name(there)
        total = said + np.float32(DOMAIN_WEIGHT) * near
        if self._named is not None:
            total += index.name_weights * called
        if self.signs.japanese:
            total += index.letter_weights * self._trusted(spans)[:, None] * drawn
        meant = np.zeros_like(total) if self._lent is None else self._lent.score(there)
        if self._lent is not None:
            total += index.meaning_weights * meant
        if index.embedded is not None:
            alike = index.embedded.scores([self.plain.said(*span) for span in spans], leave_out=leave_out)
            total += np.float32(index.embedded.weight) * alike if alike is not None else 0.0
        index.refusals.hold_back(total, self._held.score(wanted))
        return total, (said, called, near, drawn, meant)

    def _trusted(self, spans: Sequence[Span]) -> Floats:
        """How far to trust the letters of each stretch: fully in ordinary writing, little in hiragana alone, whose letters every word shares."""
        begin, stop = np.array(spans, np.intp).reshape(-1, 2).T
        told, written = ((counted[stop] - counted[begin]) for counted in self._written)
        return np.asarray(np.minimum(1.0, LEAST_LETTERS + 4 * told / np.maximum(written, 1)), np.float32)

    def _by_name(self, there: _Mask) -> Floats:
        """Score by names, divided by the stretch's own weight: of the size of the other channels.

        Where every entry has examples they have nothing to add to a Japanese text, and are not asked.
        """
        if self._named is None:
            return np.zeros((len(there), len(self.index.ids)), np.float32)
        told = there.astype(np.float32)
        known = self._rows >= 0
        idf = np.zeros(len(self._rows), np.float32)
        idf[known] = self.index.names.idf[self._rows[known]]
        mass = np.sqrt(told @ idf**2)
        return np.asarray(self._named.score(told) / np.maximum(mass, np.float32(1.0))[:, None], np.float32)

    def _by_letter(self, spans: Sequence[tuple[int, int]]) -> tuple[Floats, Floats]:
        """Score by letters, and the weight of each run; nothing for a foreign text, whose letters mean nothing here."""
        if not self.signs.japanese:
            return np.zeros((len(spans), len(self.index.ids)), np.float32), np.zeros((len(spans), 0), np.float32)
        begin, stop = np.array(spans, np.int32).reshape(-1, 2).T[:, :, None]
        wanted = self._runs_once.any((self._run_starts >= begin) & (self._run_ends <= stop)).astype(np.float32)
        wanted /= np.maximum(np.sqrt(wanted @ self._run_mass), np.float32(1.0))[:, None]
        return self._drawn.score(wanted), wanted

    def _forget(self, example: str, wanted: Floats, said: Floats, homes: Floats, letters: Floats, drawn: Floats) -> None:
        """Change the scores, in place, to what they were had the example never been written."""
        index = self.index
        owners = index.owners(example)
        if not owners:
            return
        signs = index.signs(example)
        left = index.examples.left(signs.keys)
        index.domains.forget(homes, self._rows, wanted, owners, left)
        for entry in owners:
            said[entry] = index.examples.score_without(self._rows, wanted, entry, left)
            if len(letters):
                drawn[entry] = index.letters.score_without(self._run_rows, letters, entry, runs(signs.plain.text))

    def _reasons(self, part: Part, entries: Places) -> Iterator[tuple[str, ...]]:
        """For each entry the pieces of the stretch that carried it."""
        within = self._within(part.start, part.end)
        of = self._of[within]
        heavy = self._heavy[of]
        heavy /= np.float32(max(float(heavy @ heavy), 1e-9) ** 0.5)
        told = pieces(self.signs, part.start, part.end)
        share = shares(told, self._starts[within], self._ends[within])
        columns = entries.tolist()
        strengths = heavy[:, None] * self._pointed.towards(columns, len(self._asked))[of]
        if self._named is not None:
            strengths += np.float32(NAME_SHARE) * self._named.towards(columns, len(self._asked))[of]
        if self._lent is not None:
            lent = np.zeros((len(self._asked), len(columns)), np.float32)
            lent[self._lent.places] = self._lent.worth[:, entries]
            strengths += np.float32(MEANING_SHARE) * lent[of]
        for carried in (strengths.T @ share).tolist():
            yield why(self.plain, told, carried)


def _of_length_one(wanted: Floats) -> Floats:
    """Each row brought to length one, in place."""
    wanted /= np.maximum(np.sqrt(np.einsum("ij,ij->i", wanted, wanted)), np.float32(1e-5))[:, None]
    return wanted


def _evidence(shape: Sequence[float], counts: Counts) -> Evidence:
    best, second, fourth, mean, spread = shape
    telling, known, groups, words = counts
    return Evidence(best, best - second, best - fourth, (best - mean) / max(spread, 1e-6), known, known / max(telling, 1), groups, words)


def _shapes(total: Floats, top: Places) -> list[list[float]]:
    """For every row of scores: the best, the second, the fourth, the mean, the standard deviation."""
    count, width = total.shape
    first = np.zeros((count, TOP), np.float32)
    first[:, : top.shape[1]] = total[np.arange(count)[:, None], top]
    mean = np.add.reduce(total, axis=1) / np.float32(max(width, 1))
    spread = np.sqrt(np.maximum(np.einsum("ij,ij->i", total, total) / np.float32(max(width, 1)) - mean**2, 0.0)) if width > 1 else np.ones(count)
    return list(np.column_stack((first[:, [0, 1, 3]], mean, spread)).tolist())


def _counted(text: str) -> tuple[Ints, Ints]:
    """How many kanji and katakana, and how many characters but spaces, stand before each place of a text."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    told = ((codes >= ord("一")) & (codes <= ord("龠"))) | ((codes >= ord("ァ")) & (codes <= ord("ヺ")))
    written = (codes != ord(" ")) & (codes != ord("\n"))
    return _before(told), _before(written)


def _before(counted: _Mask) -> Ints:
    return np.concatenate(([0], counted.cumsum())).astype(np.int32)
