"""Hearing danger to life, before anything else and whoever owns the talk (G1, D6).

A curated list decides, never a score: words in groups, rules of words close together, look-alikes, and contexts that lower
(negation, past, a film, a course about it) or raise (right now) what was heard. Each decision names its rule. The list is
data with tests inside (knowledge/starter/danger.yaml), so that a counsellor can read, change and prove it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from knowledge.hearing.danger_contexts import Around, Contexts, outside, spans_of, touch
from knowledge.hearing.danger_ear import Ear, Opinion, Sentence
from knowledge.hearing.danger_features import Told
from knowledge.hearing.danger_pattern import Heard, Pattern, by_rarest
from knowledge.hearing.danger_reading import LEVELS, BrokenDangerList, Listed, Rule, Who, read
from knowledge.hearing.danger_text import END, SEAM, Folded, fold
from knowledge.hearing.danger_words import Span
from knowledge.hearing.model import NO_DANGER, Danger, DangerKind
from knowledge.kept import not_collecting

__all__ = ["BrokenDangerList", "DangerList", "Failure"]

EARLIER_LETTERS = 600
"""So much of the earlier messages is joined to the new one: signals split over messages, not whole talks (D13)."""
BROKEN_OFF = 20
"""A message no longer than this may have been sent in the middle of a word."""
SECOND_EAR = "second-ear"
"""Named as the rule where no rule fired but the message resembles the list's sentences (danger_ear)."""
_AT_ONCE: frozenset[DangerKind] = frozenset({"medical_emergency", "fire_disaster"})
"""Kinds that are always as urgent as their rule says."""
_NONE, _ASK, _TOLD, _NOW = range(4)


@dataclass(frozen=True, slots=True)
class Failure:
    """One test sentence of the list that does not come out as its rule says."""

    rule: str
    sentence: str
    wanted: str
    got: str


@dataclass(frozen=True, slots=True)
class Signal:
    """A rule that fired, at what level, and where its words stand in the folded text."""

    rule: Rule
    level: int
    pieces: tuple[Span, ...]


class DangerList:
    """The list, ready to listen. Immutable; share one between threads."""

    def __init__(self, listed: Listed, ear: Ear | None = None) -> None:
        self._listed, self._ear = listed, ear
        self._order = {rule.id: place for place, rule in enumerate(listed.rules)}
        heard = ((pattern, (rule, pattern)) for rule in listed.rules for pattern in rule.hear or rule.signs)
        self._by_word = by_rarest(heard, listed.sizes)
        self._weaken, self._raise = Contexts(listed.weaken, listed.sizes), Contexts(listed.raising, listed.sizes)

    @classmethod
    def load(cls, path: Path, town: Path | None = None) -> Self:
        """The list at `path` (danger.yaml with the folder danger/ beside it) and a town's own over it; BrokenDangerList in Japanese on mistakes.

        The second ear is that of `path`: a town's sentences are tested, not learnt from.
        """
        beside = path.with_suffix("") if path.is_file() else path
        with not_collecting():
            return cls(read(path, town), Ear.load(beside / "ear.json"))

    @property
    def rules(self) -> tuple[Rule, ...]:
        return self._listed.rules

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Every sentence that must be heard, those of the rules and those only the second ear can hear."""
        return self._listed.sentences

    @property
    def left_alone(self) -> tuple[str, ...]:
        """Sentences beside the rules' own that must be left alone."""
        return self._listed.left_alone

    @property
    def switched(self) -> tuple[str, ...]:
        """Ids of the starter's rules that the town hears otherwise or not at all."""
        return self._listed.switched

    @property
    def paired(self) -> frozenset[str]:
        """Sentences of the files that set danger and its look-alikes side by side."""
        return self._listed.paired

    def told(self, said: str) -> Told:
        """A message as the second ear hears it."""
        folded = fold(said)
        return self._listen(folded.text).told(said, folded)

    def scan(self, text: str, earlier: Sequence[str] = ()) -> Danger:
        """Danger in `text`; `earlier` are the resident's last messages, oldest first.

        A signal may begin in an earlier message and end in this one; one that lies wholly in the past does not fire again.
        """
        folded = fold(text)
        if not folded.places:
            return NO_DANGER
        heard = self._listen(folded.text)
        own = heard.signals()
        signals = list(own)
        before = SEAM.join(earlier)[-EARLIER_LETTERS:]
        if before:
            signals += self._begun_before(before + SEAM, text, folded)
        if earlier and len(earlier[-1]) <= BROKEN_OFF:  # sent too early, in the middle of a word: 「死に」「たい」
            signals += self._begun_before(earlier[-1], text, folded)
        return self._decide(text, folded, heard, own, signals) if signals else self._resembles(text, folded, heard)

    def _begun_before(self, before: str, text: str, folded: Folded) -> list[Signal]:
        """Signals that begin in `before` and end in this message."""
        joined = fold(before + text)
        return list(_across(self._listen(joined.text).signals(), len(joined.text) - len(folded.text)))

    def hear(self, sentence: str) -> Danger:
        """A test sentence of the list; 「／」 parts messages, and the last is heard."""
        *earlier, last = sentence.split("／")
        return self.scan(last, earlier)

    def test(self) -> list[Failure]:
        """Run every sentence inside the list; empty when the list keeps what it says."""
        return [failure for rule in self.rules for failure in self._test_rule(rule)]

    def _listen(self, folded: str) -> "_Listening":
        folded += END
        found = self._listed.finder.find(folded)
        idioms = found.pop(self._listed.idioms, None)
        if idioms:
            found = outside(found, idioms, len(folded))
        heard = self._listed.phrases.beside(Heard(folded, found))
        return _Listening(self._listed, self._by_word, heard, Around(self._weaken, heard), Around(self._raise, heard))

    def _decide(self, text: str, folded: Folded, heard: "_Listening", own: Sequence[Signal], signals: Sequence[Signal]) -> Danger:
        first = max(signals, key=lambda signal: (signal.level, -self._order[signal.rule.id]))
        opinion = self._opinion(heard.told(text, folded), first) if first in own else None
        told = min(first.level, _TOLD)
        telling = [signal for signal in signals if signal.level >= told]
        plain = [signal for signal in telling if signal is first or not signal.rule.signs]
        kinds: dict[DangerKind, None] = {}
        for signal in sorted(plain, key=lambda signal: (-signal.level, self._order[signal.rule.id])):
            kinds |= dict.fromkeys(signal.rule.kinds)
        level = first.level
        if opinion is not None:
            kinds |= dict.fromkeys(opinion.kinds)
            level = self._level_by(opinion, first)
        start, end = max(first.pieces, key=lambda piece: piece[1] - piece[0])
        end = min(end, len(folded.places))
        return Danger(
            level=LEVELS[level],
            kinds=tuple(kinds),
            rule=first.rule.id,
            said=text[folded.places[start] : folded.places[end - 1] + 1],
            who=heard.whose(first),
            child_speaks=heard.child_speaks(),
        )

    def _opinion(self, told: Told, signal: Signal) -> Opinion | None:
        """The second ear's opinion of a rule that tells of a crisis; None where the rule only asks, or without an ear."""
        if self._ear is None or signal.level < _TOLD:
            return None
        span = (min(start for start, _ in signal.pieces), max(end for _, end in signal.pieces))
        plain = signal.level == _NOW or "medical_emergency" in signal.rule.kinds
        return self._ear.second(told, span, plain=plain)

    @staticmethod
    def _level_by(opinion: Opinion, first: Signal) -> int:
        """The level of a rule after the second ear was asked: it may doubt, raise, or lower to a crisis told, never silence."""
        if opinion.doubts:
            return _ASK
        if opinion.now:
            return _NOW
        return _TOLD if opinion.later and not _AT_ONCE.intersection(first.rule.kinds) else first.level

    def _resembles(self, text: str, folded: Folded, heard: "_Listening") -> Danger:
        """No rule fired: what does the second ear say?"""
        like = self._ear.hear(heard.told(text, folded)) if self._ear else None
        if like is None or not folded.places:
            return NO_DANGER
        end = min(like.end, len(folded.places))
        return Danger(
            level=like.level,
            kinds=like.kinds,
            rule=SECOND_EAR,
            said=text[folded.places[like.start] : folded.places[end - 1] + 1],
            child_speaks=heard.child_speaks(),
        )

    def _test_rule(self, rule: Rule) -> Iterable[Failure]:
        wishes = (
            (rule.must, range(rule.level, _NOW + 1), LEVELS[rule.level]),
            (rule.must_now, (_NOW,), "L3"),
            (rule.asks, (_ASK,), "L1"),
            (rule.must_not, (_NONE,), "L0"),
        )
        for sentences, levels, wanted in wishes:
            for sentence in sentences:
                heard = self.hear(sentence)
                kind_right = not heard.heard or bool(set(rule.kinds) & set(heard.kinds))
                if LEVELS.index(heard.level) not in levels or not kind_right:
                    got = f"{heard.level} {','.join(heard.kinds)} ({heard.rule})"
                    yield Failure(rule.id, sentence, wanted, got)


class _Listening:
    """One text, heard: evaluates rules and contexts over the words found."""

    def __init__(self, listed: Listed, by_word: Mapping[int, Sequence[tuple[Rule, Pattern]]], heard: Heard, weaken: Around, raising: Around) -> None:
        self._listed, self._by_word, self._heard = listed, by_word, heard
        self._weaken, self._raise = weaken, raising

    def told(self, written: str, folded: Folded) -> Told:
        """The message with the list's groups that stand in it, for the second ear."""
        names = self._listed.names
        groups = {names[group]: spans for group, spans in self._heard.found.items() if group in names}
        return Told(written, folded, self._heard.text.removesuffix(END), groups, self._heard.breaks)

    def signals(self) -> list[Signal]:
        """Every rule that fires, each at its highest level."""
        best: dict[str, Signal] = {}
        for group in self._heard.found:
            for rule, pattern in self._by_word.get(group, ()):
                signal = self._signal(rule, pattern)
                if signal and (rule.id not in best or best[rule.id].level < signal.level):
                    best[rule.id] = signal
        return list(best.values())

    def whose(self, signal: Signal) -> Who:
        """Whose life: the person named last before the signal ends, else the rule's usual one, else the writer.

        With `who: self` the rule's own words name the one who hurts (夫に殴られた), so only persons outside them count.
        """
        if signal.rule.who not in (None, "self"):
            return signal.rule.who
        first, last = min(signal.pieces), max(signal.pieces)
        nearest: tuple[int, Who] = (-1, "self")
        for who, patterns in self._listed.whose.items():
            for span in self._all(patterns):
                inside = touch(span, signal.pieces)
                if span[0] < last[1] and not (inside and signal.rule.who) and self._heard.together(span[0], first[0]):
                    nearest = max(nearest, (span[1], who))
        return nearest[1]

    def child_speaks(self) -> bool:
        """A child's words, and none that only adults use (D6e)."""
        return bool(self._all(self._listed.child_voice)) and not self._all(self._listed.adult_voice)

    def _signal(self, rule: Rule, pattern: Pattern) -> Signal | None:
        heard = self._heard
        if rule.longest is not None and len(heard.text) > rule.longest:
            return None
        if not pattern.needs <= heard.groups:
            return None
        level, pieces = self._pieces(rule, pattern)
        if level and rule.signs:
            level, pieces = self._with_signs(rule, level, pieces if rule.hear else [])
        if level == _NONE or self._all(rule.unless) or self._near(rule.unless_near, pieces, 0):
            return None
        if level >= _TOLD and (self._near(rule.rises, pieces, 3) or self._raise.touches(rule, pieces)):
            level = _NOW
        return Signal(rule, level, tuple(pieces))

    def _pieces(self, rule: Rule, pattern: Pattern, beside: Sequence[Span] = ()) -> tuple[int, list[Span]]:
        """How high the pattern stands after its contexts, and where each of its parts does (not on words of `beside`)."""
        level: int = _NOW
        pieces: list[Span] = []
        for part in pattern.parts:
            standing = [(self._level(rule, span), span) for span in self._heard.spans(part) if not touch(span, beside)]
            part_level, span = max(standing, key=lambda found: found[0], default=(_NONE, (0, 0)))
            level = min(level, part_level)
            pieces.append(span)
        return level, pieces

    def _with_signs(self, rule: Rule, level: int, pieces: list[Span]) -> tuple[int, list[Span]]:
        """Enough weak signs beside `pieces`, each at a place of its own: the rule's level, or none."""
        found = 0
        for sign in rule.signs:
            if not sign.needs <= self._heard.groups:
                continue
            sign_level, spans = self._pieces(rule, sign, pieces)
            if sign_level:
                found += 1
                pieces = pieces + spans
                level = min(level, sign_level)
        return (level, pieces) if found >= rule.at_least else (_NONE, pieces)

    def _level(self, rule: Rule, span: Span) -> int:
        return min(rule.level, self._weaken.lowest(rule, span))

    def _near(self, patterns: Sequence[Pattern], pieces: Sequence[Span], sentences_apart: int) -> bool:
        """One of the patterns stands in the sentence of a piece, or so many sentences from it."""
        sentences = {self._heard.sentence(start) for start, _ in pieces}
        return any(abs(self._heard.sentence(start) - sentence) <= sentences_apart for start, _ in self._all(patterns) for sentence in sentences)

    def _all(self, patterns: Sequence[Pattern]) -> list[Span]:
        return spans_of(self._heard, patterns)


def _across(signals: Iterable[Signal], seam: int) -> Iterator[Signal]:
    """Those that begin before the seam and end behind it, cut to what the new message says."""
    for signal in signals:
        if any(start < seam for start, _ in signal.pieces) and any(end > seam for _, end in signal.pieces):
            new = tuple((max(start, seam) - seam, end - seam) for start, end in signal.pieces if end > seam)
            yield Signal(signal.rule, signal.level, new)
