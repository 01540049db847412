"""The hand-off sheet: what the resident said, in the resident's own sentences, cleaned and cut into lines; nothing is invented (I8, D5)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from flows.filling import Town
from flows.household import members
from flows.letters import EDGES, room, sentences, shortened
from flows.model import Said, SheetLine
from flows.talk import Talk
from flows.typed import plain

CIRCLED: Final = "①②③④⑤⑥⑦⑧⑨"
LONGEST_LINE: Final = 36
"""Letters of one line of a read-back: one glance on a phone."""
LONGEST_BUBBLE: Final = 80
_LONGEST_CRY: Final = 60
"""Of the sentence in which danger was heard: 「夫に殴ら」 alone is no words of anybody."""
_FIRST_WORDS: Final = 24
"""Room of what stands before the lines in the first bubble, at most."""
MOST_WORRY_LINES: Final = 30
_STRIKE: Final = re.compile(
    r"(.{1,40}?)(?:の(?:ところ|部分|とこ|こと|行))?(?:だけ)?(?:は|を|も|って)?(?:、)?(?:消し|けし|削除し|取っ|とっ|外し|はずし|言わない|いわない|伝えない|書かない)"
    r"(?:て|たい|で)?(?:ほしい|欲しい|ください|下さい|おいて|もらえますか)?(?:です)?[。!！]*"
)
_LEANS_ON: Final = r"(?:なので|だから|だし|です[がし]?|で(?![きすはあも])|と(?![てき])|は(?!い)|[がに](?!ん)|も(?!う)|[を、])?"
"""What stands after a word and falls with it: 「介護は58歳なので対象外」 without 58歳 is 「介護は対象外」."""
_CLAUSE_END: Final = re.compile(r"(?<=[、,，;；])")


def own_lines(story: Sequence[Said], town: Town) -> list[SheetLine]:
    """The resident's sentences as lines of at most 36 letters, greetings left out; cut at 、 and never reworded."""
    greetings = town.typed("greeting") | town.typed("opening")
    lines = []
    for said in story:
        for sentence in sentences(said.text):
            if plain(sentence) not in greetings:
                refs = (said.ref,) if said.ref else ()
                lines += [SheetLine(about="worry", text=piece, source="said", refs=refs) for piece in _pieces(sentence)]
    return lines


def _pieces(sentence: str) -> Iterator[str]:
    """Clauses put together again as long as a line holds them."""
    line = ""
    for clause in _CLAUSE_END.split(" ".join(sentence.split())):
        if line and len(line) + len(clause) > LONGEST_LINE:
            yield line.strip(EDGES)
            line = ""
        line += clause
        while len(line) > LONGEST_LINE:
            yield line[:LONGEST_LINE]
            line = line[LONGEST_LINE:]
    if line.strip(EDGES):
        yield line.strip(EDGES)


def read_back(lines: Sequence[SheetLine]) -> str:
    """The lines with their numbers, one under the other."""
    return "\n".join(f"{CIRCLED[place]}{line.text}" for place, line in enumerate(lines[: len(CIRCLED)]))


def that_fit(lines: Sequence[SheetLine], town: Town) -> tuple[SheetLine, ...]:
    """As many lines as two bubbles can read back, the most telling ones, in the order they were said."""
    kept: list[int] = []
    for place in sorted(range(len(lines)), key=lambda place: (-_weight(lines[place].text, town), place)):
        with_it = sorted((*kept, place))
        if len(with_it) <= len(CIRCLED) and room(in_two([lines[one] for one in with_it], _FIRST_WORDS)[1]) <= LONGEST_BUBBLE:
            kept = with_it
    return tuple(lines[place] for place in kept)


def _weight(text: str, town: Town) -> float:
    """How much a line says about any service: what names a trouble stays, small talk goes."""
    ranked = town.base.hearing.rank(text, limit=1)
    return round(ranked[0].score, 3) if ranked else 0.0


def in_two(lines: Sequence[SheetLine], before: float) -> tuple[str, str]:
    """The numbered lines as two bubbles of at most 80 letters; `before` letters of room in the first are taken."""
    first: list[str] = []
    for place, line in enumerate(lines[: len(CIRCLED)]):
        numbered = f"{CIRCLED[place]}{line.text}"
        if room("\n".join((*first, numbered))) + len(first) > LONGEST_BUBBLE - before:
            break
        first.append(numbered)
    rest = read_back(lines).split("\n")[len(first) :]
    return "\n".join(first), "\n".join(rest)


def struck_words(wish: str) -> str | None:
    """「39歳」 of 「39歳を消してください」; None where nothing is wished away."""
    found = _STRIKE.fullmatch(wish.strip(EDGES))
    return found[1].strip(EDGES + "「」") if found else None


def erased(lines: Sequence[SheetLine], wish: str, place: int | None) -> tuple[SheetLine, ...] | None:
    """The lines without number `place`, or without the words of `wish`; None when neither is there (D5 ここを消す)."""
    if place is not None:
        return tuple(line for at, line in enumerate(lines, 1) if at != place) if 0 < place <= len(lines) else None
    words = wish.strip(EDGES + "「」")
    if not words or not any(words in line.text for line in lines):
        return None
    kept, gone = [], re.compile(re.escape(words) + _LEANS_ON)
    for line in lines:
        text = gone.sub("", line.text)
        tidy = re.sub(r"^[、。,.\s・]+|(?<=[、。,])[、。,.\s・]+|[、,\s]+$", "", text)
        if tidy:
            kept.append(line.model_copy(update={"text": tidy}))
    return tuple(kept)


def sheet_of(talk: Talk) -> tuple[SheetLine, ...]:
    """Everything a coordinator should know of this worry that is not yet on a sheet, with where it came from."""
    session, town = talk.session, talk.town
    told, begins = int(talk.note("told") or "0"), int(talk.note("begins") or "0")
    lines = list(session.sheet) if session.sheet else own_lines(session.story[told:], town)[:MOST_WORRY_LINES]
    if told > begins:
        return tuple(lines)
    return (*_danger_lines(talk), *lines, *_facts(talk))


def _danger_lines(talk: Talk) -> Iterable[SheetLine]:
    danger = talk.session.danger
    if danger.heard and danger.said:
        refs = tuple(said.ref for said in talk.session.story if said.ref and danger.said in said.text)
        whole = (one for said in talk.session.story for one in sentences(said.text) if danger.said in one)
        yield SheetLine(about="danger", text=shortened(next(whole, danger.said), _LONGEST_CRY), source="said", refs=refs)


def _facts(talk: Talk) -> Iterable[SheetLine]:
    session, town = talk.session, talk.town
    staff = town.words("ja").says
    yield from members(session.story, town)
    if (knows := session.notes.get("knows")) in ("knows", "does_not_know", "cannot_say"):
        yield SheetLine(about="note", text=staff[f"sheet.{knows}"][0], source="said")
    if deadline := session.notes.get("deadline"):
        yield SheetLine(about="urgent", text=staff["sheet.deadline"][0].replace("{text}", deadline), source="inferred")
    if session.whose is not None:
        yield SheetLine(about="household", text=staff[f"sheet.whose.{session.whose}"][0], source="said")
    if session.area is not None:
        yield SheetLine(about="household", text=staff["sheet.area"][0].replace("{area}", session.area), source="said")
    for tried in session.tried:
        yield SheetLine(about="tried", text=tried, source="said", refs=tuple(said.ref for said in session.story if said.ref and tried in said.text))
    names = [town.base.entries[shown].name for shown in session.shown if shown in town.base.entries]
    if names:
        yield SheetLine(about="shown", text="、".join(names), source="confirmed")
    if session.lang not in ("ja", "easy"):
        yield SheetLine(about="wish", text=staff["sheet.lang"][0].replace("{lang}", staff[f"sheet.lang.{session.lang}"][0]), source="inferred")
