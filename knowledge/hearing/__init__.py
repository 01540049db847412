"""Hearing: from a resident's words to what they need (design.md §1). `hear` is pure: no clock, no file, no chance."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from knowledge.hearing.danger import DangerList
from knowledge.hearing.decide import decide
from knowledge.hearing.index import Index
from knowledge.hearing.language import language
from knowledge.hearing.model import Hearing, Lang, Match, Need
from knowledge.hearing.normalise import Plain, plain
from knowledge.hearing.phrases_seen import flat
from knowledge.hearing.segment import Part, blended, parts

CARDS_FOR_ONE = 3
CARDS_FOR_SEVERAL = 6
CANDIDATES = 5


class Listens(Protocol):
    """What `hear` needs of a base."""

    @property
    def hearing(self) -> Index: ...

    @property
    def danger(self) -> DangerList: ...


def hear(text: str, base: Listens, *, earlier: Sequence[str] = (), lang: Lang | None = None) -> Hearing:
    """Everything heard in one message; `earlier` are the resident's last messages, oldest first. Never raises on any text."""
    index, lexicon = base.hearing, base.hearing.lexicon
    spoken = lang or language(text)
    even = plain(text)
    said = flat(even.text)
    danger = base.danger.scan(text, earlier)
    intent = lexicon.intents.intent(said)
    all_signs = index.signs(even, spoken)

    def read(start: int, end: int) -> Part:
        signs = all_signs if end - start == len(even.text) else all_signs.between(start, end)
        scores = index.scores(signs)
        evidence = index.evidence(signs, scores.total)
        return Part(start, end, signs, scores, evidence, index.confidence.sure(evidence))

    whole = read(0, len(even.text))
    narrow = index.narrow(whole.signs)
    told = parts(whole, spoken, index, read) if narrow else []
    needs = _distinct(tuple(_need(part, whole, even, index) for part in told), whole, even, index)
    weight = lexicon.hardships.weigh(said if all_signs.japanese else _with_glosses(said, even, spoken, index))
    decision, reason = decide(danger, intent, whole.evidence if narrow else None, whole.sure, weight)
    return Hearing(text=text, lang=spoken, danger=danger, intent=intent, needs=needs, decision=decision, cards=cards(needs), reason=reason)


def cards(needs: Sequence[Need]) -> tuple[str, ...]:
    """Ids in the order shown: for one need its best three, for several the best of each in turn, at most six."""
    if len(needs) == 1:
        return tuple(match.id for match in needs[0].services[:CARDS_FOR_ONE])
    shown: dict[str, None] = {}
    for place in range(CANDIDATES):
        for need in needs:
            if place < len(need.services):
                shown.setdefault(need.services[place].id)
    return tuple(shown)[:CARDS_FOR_SEVERAL]


def _distinct(needs: tuple[Need, ...], whole: Part, even: Plain, index: Index) -> tuple[Need, ...]:
    """Two parts that lead to the same first door are one need, told in two sentences."""
    doors: dict[str, Need] = {}
    for need in needs:
        doors.setdefault(need.services[0].id if need.services else "", need)
    if len(needs) > 1 and len(doors) == 1:
        return (_need(whole, whole, even, index),)
    return tuple(doors.values())


def _need(part: Part, whole: Part, even: Plain, index: Index) -> Need:
    scores = part.scores if part is whole else part.scores._replace(total=blended(part, whole))
    matches: list[Match] = index.matches(part.signs, scores, CANDIDATES)
    best = int(np.argmax(scores.total)) if len(scores.total) else -1
    return Need(text=even.said(part.start, part.end).strip(), domain=index.homes[best] if best >= 0 else None, services=tuple(matches))


def _with_glosses(said: str, even: Plain, lang: Lang, index: Index) -> str:
    """A foreign text and the Japanese words it stands for: what hardships are counted in."""
    return said + "\n" + "。".join(flat(word) for words, _, _ in index.lexicon.glossary.japanese(even, lang) for word in words)


__all__ = ["Hearing", "hear"]
