"""One home in the resident's words: who lives in it, and each trouble by itself (D4).

A story of several troubles is cut where speech turns, and each stretch is known by the side of life it is about (hardships.yaml).
Nothing is reworded.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from flows.by_itself import by_itself
from flows.filling import Town
from flows.letters import sentences
from flows.model import Relative, Said, SheetLine
from flows.typed import plain
from knowledge.hearing.normalise import plain as even
from knowledge.hearing.phrases_seen import flat

_KIN: Final = (
    "義母|義父|義理の母|義理の父|祖母|祖父|おばあちゃん|おじいちゃん|母|父|夫|妻|主人|旦那|息子|娘|長男|長女|次男|次女|兄|弟|姉|妹|孫|子ども|子供"
)
_AGE: Final = r"(\d{1,3})(?:歳|才)?"
_KIN_OF_AGE: Final = re.compile(rf"{_AGE}の({_KIN})|(?<![一-鿿])({_KIN})(?:さん)?(?:は|が|も|、|（|\()?(\d{{1,3}})(?:歳|才|で|の|、|。|）|\)|$)")
_SELF_OF_AGE: Final = re.compile(
    rf"(?:私|わたし|僕|ぼく|俺|自分|本人)(?:は|も|が|、)?{_AGE}(?:で|です|の|、|。|だ)|(?:^|(?<=[。、\s])){_AGE}、?(?:一人暮らし|ひとり暮らし|独身|男|女)"
)
_KIN_SEEN: Final = re.compile(rf"(?<![一-鿿])({_KIN})(?=[がはもをにのと、。]|さん)")
_TOGETHER: Final = re.compile(r"(?:一人|ひとり|独り|[二三四五2-9]人)(?:暮らし|ぐらし|で暮らし)|同居|いっしょに住んで|一緒に住んで|離れて暮らし|別居")
_TURN: Final = re.compile(r"(?<=[、，])|(?<=けれども)|(?<=けれど)|(?<=けど)(?!、)|(?<=だし)(?!、)|(?<=たし)(?!、)|(?<=ないし)(?!、)")
_TOO_MUCH: Final = "too_much"
_END: Final = "。"
_OLDEST: Final = 120


@dataclass(frozen=True)
class Trouble:
    """One thing that weighs on a home, in the resident's words."""

    text: str
    area: str
    """Side of life as hardships.yaml names it, or `too_much`."""


def troubles(text: str, town: Town) -> list[Trouble]:
    """Each trouble by itself, in the order told; stretches about the same or about nothing new join the one before."""
    found: list[Trouble] = []
    waiting = ""
    for sentence in sentences(text):
        begins = True
        for piece in _TURN.split(sentence):
            area = _area(piece, town)
            if area is None and not found:
                waiting = "" if _is_only_who(piece) else waiting + piece
            elif area is None or (found and found[-1].area == area):
                found[-1] = Trouble(found[-1].text + (_END if begins else "") + piece, found[-1].area)
            else:
                found.append(Trouble(waiting + piece, area))
                waiting = ""
            begins = False
        waiting += _END if waiting else ""
    return [Trouble(by_itself(one.text), one.area) for one in found]


def several_sides(found: list[Trouble], town: Town) -> bool:
    """Three troubles on two sides of life: more than one desk (work and money are one side)."""
    sides = town.base.hearing.lexicon.hardships.sides
    return len(found) >= 3 and len({sides.get(one.area, one.area) for one in found}) >= 2


def _area(piece: str, town: Town) -> str | None:
    area = town.base.hearing.lexicon.hardships.side(flat(even(piece).text))
    short = plain(piece)
    return _TOO_MUCH if area is None and any(word in short for word in town.typed("worn_out")) else area


def _is_only_who(piece: str) -> bool:
    """「82の父と2人暮らし」 tells who is there, not what is wrong."""
    return bool(_KIN_OF_AGE.search(piece) or _SELF_OF_AGE.search(piece) or _TOGETHER.search(piece))


# ---------------------------------------------------------------- who is there


def members(story: tuple[Said, ...], town: Town) -> Iterator[SheetLine]:
    """Who lives in the home, for the sheet: each with an age where one was told, and how they live; with the message it stands in (I8)."""
    of_age = town.words("ja").says["sheet.of_age"][0]
    for one in relatives(story, town):
        text = one.relation if one.age is None else of_age.replace("{who}", one.relation).replace("{age}", str(one.age))
        yield SheetLine(about="household", text=text, source="said", refs=(one.ref,) if one.ref else ())
    for told, ref in {match[0]: said.ref for said in reversed(story) for match in _TOGETHER.finditer(said.text)}.items():
        yield SheetLine(about="household", text=told, source="said", refs=(ref,) if ref else ())


def relatives(story: tuple[Said, ...], town: Town) -> tuple[Relative, ...]:
    """Each person named once, in the order told; an age told later is theirs too."""
    found: dict[str, Relative] = {}
    for said in story:
        for relation, age in _named(said.text, town.words("ja").says["sheet.self"][0]):
            known = found.get(relation)
            if known is None or (known.age is None and age is not None):
                found[relation] = Relative(relation=relation, age=age, ref=said.ref)
    return tuple(found.values())


def _named(text: str, self_word: str) -> Iterator[tuple[str, int | None]]:
    for match in _SELF_OF_AGE.finditer(text):
        yield from _of_age(self_word, match[1] or match[2])
    for match in _KIN_OF_AGE.finditer(text):
        yield from _of_age(match[2] or match[3], match[1] or match[4])
    for match in _KIN_SEEN.finditer(text):
        yield match[1], None


def _of_age(relation: str, age: str) -> Iterator[tuple[str, int | None]]:
    if int(age) <= _OLDEST:
        yield relation, int(age)
