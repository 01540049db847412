"""Hearing: from a resident's words to what they need (design.md §1). `hear` is pure: no clock, no file, no chance."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from knowledge.hearing.aims import Marks, learnt, marks
from knowledge.hearing.any_language import with_their_language
from knowledge.hearing.apart import clauses, covering
from knowledge.hearing.asked import Asked, Part, Span
from knowledge.hearing.breadth import SURE, breadth
from knowledge.hearing.danger import DangerList
from knowledge.hearing.decide import Clues, decide
from knowledge.hearing.index import Index
from knowledge.hearing.language import language
from knowledge.hearing.model import Danger, Hearing, Lang, Need
from knowledge.hearing.normalise import Plain, plain
from knowledge.hearing.phrases_seen import Flat, flat
from knowledge.hearing.rank.postings import Floats
from knowledge.hearing.segment import blended, parts, story_share, stretches
from knowledge.hearing.weight import Weight

CARDS_FOR_ONE = 3
CARDS_FOR_SEVERAL = 6
CANDIDATES = 5
_ASKS_OF = re.compile(r"(?:について|のこと)?[をが]?(?:知りたい|しりたい|教えて|おしえて|聞きたい)[^。、]{0,6}$")
"""After the name of a service: it is asked for all the same."""


class Listens(Protocol):
    """What `hear` needs of a base."""

    @property
    def hearing(self) -> Index: ...

    @property
    def danger(self) -> DangerList: ...


def hear(text: str, base: Listens, *, danger: Danger | None = None, lang: Lang | None = None) -> Hearing:
    """Everything heard in one message. `danger` is what was heard in it already, with what was said before. Never raises on any text."""
    index, lexicon = base.hearing, base.hearing.lexicon
    spoken = lang or language(text)
    even = plain(text)
    said = flat(even.text)
    danger = base.danger.scan(text) if danger is None else danger
    met = lexicon.intents.phrases.met(said)
    listed = lexicon.intents.intent(said, met)
    asked = index.ask(even, spoken)
    narrow = asked.tells(0, len(even.text))
    told, pieces = stretches(asked, spoken), clauses(asked, spoken)
    asked.parts([(0, len(even.text)), *told, *pieces])
    whole = asked.whole()
    apiece = parts(asked, whole, told) if narrow else []
    needs = _distinct(apiece, whole, story_share(even.text, spoken), asked)
    weight = _weigh(asked, said, spoken, pieces)
    aims = learnt().weigh(marks(said, asked.signs))
    abroad = spoken not in ("ja", "easy") and bool(index.any_language)
    by_name = _ASKS_OF.sub("", said.strip("\n 。、!?？！")) in index.called
    clues = Clues(listed, aims, weight, whole.evidence if narrow else None, asked.sure(whole), "not_offer" in met, by_name, abroad)
    decision, reason, intent = decide(danger, clues)
    if intent == "smalltalk":
        needs = ()
    found = cards(needs, asked, asked.parts(pieces))
    offered = with_their_language(found, whole, index, spoken, asked.sure(whole), CARDS_FOR_ONE if len(needs) == 1 else CARDS_FOR_SEVERAL)
    return Hearing(text=text, lang=spoken, danger=danger, intent=intent, needs=needs, decision=decision, cards=offered, reason=reason)


def cards(needs: Sequence[Need], asked: Asked, told: Sequence[Part]) -> tuple[str, ...]:
    """Ids in the order shown: for one need its best three, for several the best of the whole and of each. Where there are several, or a clause of
    those `told` surely leads elsewhere, what covers the clauses follows, up to six."""
    whole, ids = asked.whole(), asked.index.ids
    if not needs or not ids:
        return ()
    best = [match.id for match in needs[0].services[:CARDS_FOR_ONE]] if len(needs) == 1 else [ids[whole.top[0]]]
    first = tuple(dict.fromkeys((*best, *(need.services[0].id for need in needs if need.services))))
    elsewhere = len(needs) > 1 or any(ids[part.top[0]] not in first and asked.sure(part) > SURE for part in told)
    return covering(first, whole, told or [whole], ids) if elsewhere else first


def _distinct(apiece: Sequence[Part], whole: Part, share: float, asked: Asked) -> tuple[Need, ...]:
    """Two parts that lead to the same first door are one need, told in two sentences."""
    doors: dict[int | None, tuple[Part, Floats]] = {}
    for part in apiece:
        total = part.scores.total if part is whole else blended(part, whole, share)
        doors.setdefault(_door(total), (part, total))
    if len(apiece) > 1 and len(doors) == 1:
        return (_need(whole, whole.scores.total, asked),)
    return tuple(_need(part, total, asked) for part, total in doors.values())


def _door(total: Floats) -> int | None:
    """The first entry by its score; None in an empty base."""
    return int(total.argmax()) if len(total) else None


def _need(part: Part, total: Floats, asked: Asked) -> Need:
    home = _door(total)
    return Need(
        text=asked.plain.said(part.start, part.end).strip(),
        domain=None if home is None else asked.index.homes[home],
        services=tuple(asked.matches(part, total, CANDIDATES)),
    )


def clues_of(text: str, base: Listens, *, leave_out: str | None = None) -> tuple[Clues, Marks]:
    """What is decided on, and the marks of its aims: for learning to decide. `leave_out` is an example of the base to forget."""
    even, lang = plain(text), language(text)
    asked, said = base.hearing.ask(even, lang), flat(even.text)
    whole, seen = asked.whole(leave_out=leave_out), marks(said, asked.signs)
    told = whole.evidence if asked.tells(0, len(even.text)) else None
    weight = _weigh(asked, said, lang, clauses(asked, lang))
    return Clues(base.hearing.lexicon.intents.intent(said), learnt().weigh(seen), weight, told, asked.sure(whole)), seen


def _weigh(asked: Asked, said: Flat, lang: Lang, pieces: Sequence[Span]) -> Weight:
    even, index = asked.plain, asked.index
    counted = index.lexicon.hardships.weigh(said if lang in ("ja", "easy") else _with_glosses(said, even, lang, index))
    return replace(counted, breadth=breadth(asked, asked.whole(), pieces))


def _with_glosses(said: Flat, even: Plain, lang: Lang, index: Index) -> Flat:
    """A foreign text and the Japanese words it stands for: what hardships are counted in."""
    return Flat(said + "\n" + "。".join(flat(word) for words, _, _ in index.lexicon.glossary.japanese(even, lang) for word in words))


__all__ = ["Hearing", "clues_of", "hear"]
