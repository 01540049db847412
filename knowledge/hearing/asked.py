"""One message before the index of a base: looked up once, so that any stretch of it can be scored, weighed and explained at little cost."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from knowledge.hearing.confidence import Evidence
from knowledge.hearing.model import Match
from knowledge.hearing.rank import foreign, keys
from knowledge.hearing.rank.keys import Keys
from knowledge.hearing.rank.letters import placed, runs
from knowledge.hearing.rank.postings import Floats, Ints, Places, best, distinct
from knowledge.hearing.rank.reasons import MOST, NAME_SHARE, pieces, shares, why
from knowledge.hearing.rank.signs import Signs

if TYPE_CHECKING:
    from knowledge.hearing.index import Index

DOMAIN_WEIGHT: Final = 0.6
LEAST_LETTERS: Final = 0.2
TOP: Final = 5
_CHANNELS: Final = ("examples", "names", "domain", "letters")

_LOOSE_KANA = re.compile(r"[ぁ-ゖー]{1,2}")
_TOLD = re.compile(r"[一-龠ァ-ヺ]")
_SPACE = re.compile(r"\s")
_Mask = npt.NDArray[np.bool_]


class Scores(NamedTuple):
    """Scores of every entry for one stretch, by channel."""

    total: Floats
    examples: Floats
    names: Floats
    domains: Floats
    letters: Floats


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a message: where it stands in even writing, and what it leads to."""

    start: int
    end: int
    scores: Scores
    top: tuple[int, ...]
    """The best entries, best first."""


class Asked:
    """A message, and where each of its signs points in the index."""

    def __init__(self, index: "Index", signs: Signs) -> None:
        self.index, self.signs, self.plain = index, signs, signs.plain
        self._names_asked = not (signs.japanese and index.all_told)
        self._keys, self._starts, self._ends = self._with_names() if self._names_asked else (signs.keys, signs.starts, signs.ends)
        self._asked, self._of = distinct(self._keys)
        self._kinds = keys.kinds(self._asked)
        self._rows = index.table.rows(self._asked)
        self._heavy = index.examples.weights(self._asked, self._rows)
        self._pointed = index.table.point(self._rows)
        self._telling = self._narrow()
        if signs.japanese:
            drawn, self._run_starts, self._run_ends = placed(self.plain.text)
            asked, self._run_of = distinct(drawn)
            self._run_rows = index.letters.postings.rows(asked)
            self._run_mass = index.letters.weights(self._run_rows)
            self._drawn = index.letters.postings.point(self._run_rows)

    def tells(self, start: int, end: int) -> bool:
        """Whether a word of the stretch says what it is about; お金 or 家族 alone do not, nor do two loose kana."""
        return bool((self._telling & self._within(start, end)).any())

    def part(self, start: int, end: int, *, leave_out: str | None = None) -> Part:
        """A stretch with its scores; `leave_out` is the exact text of an example to forget for it."""
        scores = self._scores(start, end, leave_out)
        return Part(start, end, scores, tuple(best(scores.total, TOP).tolist()))

    def whole(self, *, leave_out: str | None = None) -> Part:
        """The whole message."""
        return self.part(0, len(self.plain.text), leave_out=leave_out)

    def evidence(self, part: Part, total: Floats | None = None) -> Evidence:
        """The features that tell whether the best entries of a stretch, by its own scores or by `total`, can be trusted."""
        total = part.scores.total if total is None else total
        within = self._within(part.start, part.end)
        telling = self._there(within & self._telling)
        known = int(np.count_nonzero(telling & (self._rows >= 0)))
        kinds = np.bincount(self._kinds[self._there(within)], minlength=keys.KINDS)
        first = [*total[best(total, TOP)].tolist(), 0.0, 0.0, 0.0, 0.0]
        mean = float(np.add.reduce(total)) / max(len(total), 1)
        spread = max(float(total @ total) / len(total) - mean**2, 0.0) ** 0.5 if len(total) > 1 else 1.0
        return Evidence(
            best=first[0],
            lead=first[0] - first[1],
            lead_of_three=first[0] - first[3],
            above=(first[0] - mean) / max(spread, 1e-6) if len(total) else 0.0,
            known=known,
            understood=known / max(int(np.count_nonzero(telling)), 1),
            groups=int(kinds[keys.SYNONYM]),
            words=int(kinds[keys.WORD]),
        )

    def sure(self, part: Part) -> float:
        """Chance, 0–1, that one of the first three is a right first door."""
        return self.index.confidence.sure(self.evidence(part))

    def matches(self, part: Part, total: Floats, limit: int) -> list[Match]:
        """The best entries of a stretch by `total` as values: order, chance to be right, reasons."""
        order = best(total, limit)
        chances = self.index.confidence.chances(self.evidence(part, total), total, order).tolist()
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
        more = [*foreign.dictionary_groups(self.signs.cut), *foreign.kanji(self.plain.text), *foreign.words(self.plain.text)]
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

    def _there(self, signs: _Mask) -> _Mask:
        """Of all keys asked for, those that some of the signs carry."""
        return np.bincount(self._of[signs], minlength=len(self._asked)) > 0

    def _scores(self, start: int, end: int, leave_out: str | None) -> Scores:
        index, width, homes_end = self.index, len(self.index.ids), len(self.index.ids) + len(self.index.domains.norms)
        there = self._there(self._within(start, end))
        wanted = there * self._heavy
        wanted /= np.float32(max(float(wanted @ wanted), 1e-9) ** 0.5)
        told = self._pointed.score(wanted)
        said, homes, alike = told[:width], told[width:homes_end], told[homes_end : len(told) - width]
        drawn, letters = self._by_letter(start, end)
        if leave_out is not None:
            self._forget(leave_out, wanted, said, homes, letters, drawn)
        near = homes[index.domains.home]
        called = self._by_name(there)
        total = said + np.float32(DOMAIN_WEIGHT) * near + index.name_weights * called
        total += index.letter_weights * np.float32(_drawn_share(self.plain.text[start:end])) * drawn
        index.refusals.hold_back(total, alike)
        return Scores(total, said, called, near, drawn)

    def _by_name(self, there: _Mask) -> Floats:
        """Score by names, divided by the stretch's own weight: of the size of the other channels.

        Where every entry has examples they have nothing to add to a Japanese text, and are not asked.
        """
        width = len(self.index.ids)
        if not self._names_asked:
            return np.zeros(width, np.float32)
        mass = float((self.index.names.idf[self._rows[there & (self._rows >= 0)]] ** 2).sum()) ** 0.5
        told = self._pointed.score(there.astype(np.float32))
        return told[len(told) - width :] / np.float32(max(mass, 1.0))

    def _by_letter(self, start: int, end: int) -> tuple[Floats, Floats]:
        """Score by letters, and the weight of each run; nothing for a foreign text, whose letters mean nothing here."""
        if not self.signs.japanese:
            return np.zeros(len(self.index.ids), np.float32), np.zeros(0, np.float32)
        within = (self._run_starts >= start) & (self._run_ends <= end)
        there = np.bincount(self._run_of[within], minlength=len(self._run_rows)) > 0
        wanted = there.astype(np.float32)
        wanted /= np.float32(max(float(wanted @ self._run_mass) ** 0.5, 1.0))
        return self._drawn.score(wanted), wanted

    def _forget(self, example: str, wanted: Floats, said: Floats, homes: Floats, letters: Floats, drawn: Floats) -> None:
        """Change the scores, in place, to what they were had the example never been written."""
        index = self.index
        owners = index.owners(example)
        if not owners:
            return
        signs = index.signs(example, "ja")
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
        columns, by_name = entries.tolist(), self._pointed.width - len(self.index.ids)
        there = self._pointed.towards([*columns, *(by_name + entry for entry in columns)], len(self._asked))[of]
        strengths = heavy[:, None] * there[:, : len(columns)] + np.float32(NAME_SHARE) * there[:, len(columns) :]
        for carried in (strengths.T @ share).tolist():
            yield why(self.plain, told, carried)


def _drawn_share(text: str) -> float:
    """How far to trust letters: fully in ordinary writing, little in hiragana alone, whose letters are shared by every word."""
    told, written = len(_TOLD.findall(text)), len(text) - len(_SPACE.findall(text))
    return min(1.0, LEAST_LETTERS + 4 * told / max(written, 1))
