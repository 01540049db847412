"""D4: several problems in one home. Read back as a numbered list, corrected, put in order of urgency; one person is offered for the whole."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal

from flows import answers, asking, household, showing
from flows.by_itself import by_itself
from flows.cards import MOST_CARDS, card
from flows.handoff import CONSENT_VERSION, hand_over, promise
from flows.letters import EDGES, room, sentences, shortened
from flows.model import Button, Card, RecordConsent, RecordMatch, Reply, SheetLine, Turn
from flows.sheet import CIRCLED, LONGEST_BUBBLE, LONGEST_LINE, erased, in_two, struck_words
from flows.talk import Talk
from flows.typed import number, plain, says_one_of
from knowledge.hearing.model import Hearing, Need

MOST_NEEDS: Final = 5
_SHORTEST_LINE: Final = 10
"""Letters of a need that still says what it is."""
_SHORTEST_NEED: Final = 5
_NOUN: Final = re.compile(r"[一-鿿ァ-ヺー]{2}")
_SUMS_UP: Final = re.compile(r"(?:どちら|どっち|両方(?:と)?|どれ)も")
_SURE_ENOUGH: Final = 0.1
_DOORS: Final[Mapping[str, str]] = {
    "money": "jiritsu-soudan-shien", "work": "hello-work", "home": "kyojuu-shien-kyogikai", "old_age": "chiiki-houkatsu",
    "illness": "hokenjo", "mind": "hokenjo", "addiction": "hokenjo", "disability": "kikan-soudan", "withdrawal": "hikikomori-center",
    "school": "kyouiku-soudan", "children": "kodomo-katei-center", "law": "houterasu", "alone": "fukushi-sougou-soudan",
    "too_much": "fukushi-sougou-soudan",
}  # fmt: skip
"""The first door of each side of life, where the words alone do not lead to one for sure."""
_FOR_A_PARENT: Final = "chiiki-houkatsu"
_FOR_A_TIRED_PARENT: Final = "kosodate-setai-houmon"
_SURE: Final = 0.5
_DEADLINES: Final = ("退院", "出産", "立ち退き", "期限")
"""What comes on a day of its own, and is named when it comes soon."""
_URGENT_DOMAINS: Final = ("bouryoku", "iryou", "kourei", "okane", "sumai", "kodomo", "kosodate", "kokoro", "zeihoken", "shigoto")
"""Whose delay harms first; a deadline in the words comes before all of them."""


def read_back(talk: Talk, hearing: Hearing) -> Turn:
    """こう受けとりました: each need in the resident's own words."""
    told = _of_the_home(talk) or _told(talk, hearing.needs)
    if len(told) < 2:
        return one_person(talk, hearing)
    talk = _with_needs(talk, told)
    return talk.ask("several.read_back", *_numbered(talk, talk.says("several.thanks")), "several.any_mistake", choices=("as_it_is", "mend"))


def troubles_of_one_home(talk: Talk) -> list[household.Trouble]:
    """Each trouble, where a home has several sides to it; else empty."""
    found = household.troubles(talk.worry, talk.town) if talk.session.lang in ("ja", "easy") else []
    return found if household.several_sides(found, talk.town) else []


def _of_the_home(talk: Talk) -> list[tuple[str, str]]:
    """Each trouble of one home with its first door; empty where there are not several sides to it."""
    found = troubles_of_one_home(talk)
    areas = {one.area for one in found}
    told = [(one.text, _first_door(talk, one, areas)) for one in found[:MOST_NEEDS]]
    return sorted(told, key=lambda pair: not _dated(talk, pair[0]))


def _first_door(talk: Talk, trouble: household.Trouble, areas: set[str]) -> str:
    ranked = talk.town.base.hearing.rank(trouble.text, limit=1)
    if trouble.area == "old_age" or (trouble.area == "illness" and _is_of_a_parent(talk, trouble.text)):
        door = _FOR_A_PARENT
    elif trouble.area == "too_much" and "children" in areas:
        door = _FOR_A_TIRED_PARENT
    elif ranked and ranked[0].score >= _SURE:
        return ranked[0].id
    else:
        door = _DOORS.get(trouble.area, "")
    return door if door in talk.town.base.entries else ranked[0].id if ranked else ""


def _is_of_a_parent(talk: Talk, told: str) -> bool:
    """Whoever is named where the trouble is told; where nobody is, a parent spoken of elsewhere."""
    other = any(word in told for area in ("whose_self", "whose_child", "whose_family") for word in talk.town.typed(area))
    return says_one_of(told if other else talk.worry, talk.town.typed("whose_parent"))


def _dated(talk: Talk, text: str) -> bool:
    """A day is near that will not wait."""
    return says_one_of(text, talk.town.typed("deadline"))


def _deadline(talk: Talk) -> str | None:
    """退院, 出産 …: what comes on a day of its own; a pregnancy ends in a birth."""
    told = "\n".join(line.text for line in talk.session.sheet)
    named = next((word for word in _DEADLINES if word in told), None)
    return named or ("出産" if "妊娠" in told or "臨月" in told else None)


def one_person(talk: Talk, hearing: Hearing) -> Turn:
    """Too much for one desk, told as one: the person first, the nearest card beside it."""
    services = [match for need in hearing.needs for match in need.services[:1]]
    talk = _with_needs(talk, [(need.text, need.services[0].id if need.services else "") for need in hearing.needs[:1]])
    shown = _cards(talk, [(match.id, match.why) for match in services])
    first = talk.says("several.nearest") if shown else talk.says("several.heard")
    return _offer_person(talk, Reply(text=first.text, key=first.key, cards=shown), shown)


def read_back_answered(talk: Talk) -> Turn:
    """合っている, 直す; a correction may be written straight away."""
    match talk.choice:
        case "as_it_is":
            return in_order(talk.with_(sheet=tuple(line.model_copy(update={"source": "confirmed"}) for line in talk.session.sheet)))
        case "mend":
            return talk.ask("several.mend", "several.what_to_mend")
        case _ if plain(talk.text) in talk.town.typed("no"):
            return read_back_answered(replace(talk, choice="as_it_is"))
        case _ if talk.text and not answers.only_nods(talk.text, talk.town) and not showing.says_nothing(talk):
            return mended(talk)
        case _:
            return talk.ask_again("several.any_mistake_again")


def mended(talk: Talk) -> Turn:
    """What belongs to a need already there replaces it, everything else is a new one."""
    if not talk.text:
        return talk.ask_again("several.what_to_mend")
    told = [(line.text, service) for line, service in zip(talk.session.sheet, talk.session.needs, strict=False)]
    if (wish := struck_words(talk.text)) is not None and (left := _without(talk, told, wish)) is not None:
        return talk.ask_again("sheet.not_found") if len(left) == len(told) and number(wish) else _struck(talk, left)
    talk = talk.remembering()
    changed = []
    for sentence in [by_itself(one) for one in sentences(talk.text)]:
        place = next((at for at, (text, _) in enumerate(told) if _speak_of_the_same(text, sentence)), None)
        if place is not None:
            told[place] = (sentence, told[place][1])
        elif len(told) < MOST_NEEDS:
            place = len(told)
            told.append((sentence, _door(talk, sentence)))
        changed += [place] if place is not None else []
    if not changed:  # five lines are full, and it is about none of them: kept in the story
        return talk.ask("several.offered", "handoff.noted", "several.one_person_again", choices=("one_person", "by_myself", "later"))
    talk = _with_needs(talk, told, source="confirmed")
    text = "\n".join(f"{CIRCLED[place]}{shortened(talk.session.sheet[place].text, 30)}" for place in dict.fromkeys(changed[:2]))
    said = talk.says("several.mended", lines=text)
    return in_order(talk, said)


def _without(talk: Talk, told: Sequence[tuple[str, str]], wish: str) -> list[tuple[str, str]] | None:
    """The needs without the number, or without the words, that are wished away: 「③は消して」; None where those words are not."""
    if (place := number(wish)) is not None:
        return [one for at, one in enumerate(told, 1) if at != place]
    each = [(erased((line,), wish, None), service) for line, (_, service) in zip(talk.session.sheet, told, strict=False)]
    if all(left is None for left, _ in each):
        return None
    return [(left[0].text if left else text, service) for (left, service), (text, _) in zip(each, told, strict=True) if left is None or left]


def mended_in_place(talk: Talk) -> Turn:
    """One word was put right wherever it stood."""
    lines = "\n".join(f"{CIRCLED[place]}{shortened(line.text, 30)}" for place, line in enumerate(talk.session.sheet[:2]))
    return in_order(talk, talk.says("several.mended", lines=lines))


def _struck(talk: Talk, left: Sequence[tuple[str, str]]) -> Turn:
    """What is left is read back in order; where nothing is, there is nothing to connect."""
    if not left:
        return talk.with_(sheet=(), needs=()).ended().ask("consult.open", "several.by_myself", choices=("!human",))
    return mended_in_place(_with_needs(talk, left, source="confirmed"))


def in_order(talk: Talk, first: Reply | None = None) -> Turn:
    """Most urgent first, one card for each need, at most three; and the offer of one person."""
    pairs = _by_urgency(talk)
    shown = _cards(talk, [(service, (text,)) for service, text in pairs if service])
    said = talk.says("several.order")
    reply = Reply(text=said.text, key=said.key, cards=shown)
    return _offer_person(talk, reply, shown, first, more=len(pairs) > len(shown))


def _offer_person(talk: Talk, reply: Reply, shown: Sequence[Card], first: Reply | None = None, *, more: bool = False) -> Turn:
    ids = tuple(one.id for one in shown)
    deadline = _deadline(talk)
    talk = talk.with_(shown=tuple(dict.fromkeys((*talk.session.shown, *ids)))).noting(cards=" ".join(ids), deadline=deadline)
    bubbles = tuple(bubble for bubble in (first, reply) if bubble is not None)
    offer = talk.says("several.one_person_soon", deadline=deadline) if deadline and talk.session.lang == "ja" else talk.says("several.one_person")
    choices = ("one_person", "by_myself", "later", *((_more(talk, ids),) if more else ()))
    effect = RecordMatch(cards=ids, score=0.0, decision="several", knowledge=talk.town.base.version)
    return talk.ask("several.offered", *bubbles, offer, choices=choices, effects=(effect,))


def _more(talk: Talk, shown: Sequence[str]) -> Button:
    """ほかも見る（②）: the numbers whose card did not fit."""
    rest = "".join(CIRCLED[place] for place, service in enumerate(talk.session.needs) if service and service not in shown)
    option = talk.option("see_more")
    return option.model_copy(update={"label": f"{option.label}（{rest}）"}) if rest and talk.session.lang == "ja" else option


def person_answered(talk: Talk) -> Turn:
    """担当と話す, 自分で連絡する, あとで, ほかも見る."""
    match talk.choice:
        case "one_person":
            consent = RecordConsent(purpose="handoff", recipient=talk.town.base.town.desk_name, items=("story", "needs"), version=CONSENT_VERSION)
            return hand_over(talk, "entangled", talk.says("handoff.shared"), promise(talk), effects=(consent,))
        case "see_more":
            return see_more(talk)
        case "by_myself":
            return talk.ended().ask("consult.open", "several.by_myself", choices=("!human",))
        case "later":
            return talk.ended().ask("consult.open", "several.later", choices=("!human",))
        case _ if plain(talk.text).removesuffix("です") in {plain(talk.option("mend").label), *talk.town.typed("say.mend")}:
            return talk.ask("several.mend", "several.what_to_mend")
        case _ if talk.text and not answers.only_nods(talk.text, talk.town) and not showing.says_nothing(talk):
            return mended(talk)
        case _:
            return talk.ask_again("several.one_person_again")


def see_more(talk: Talk) -> Turn:
    """The needs whose card did not fit."""
    shown_now = set((talk.note("cards") or "").split())
    rest = [(service, (text,)) for service, text in _by_urgency(talk) if service and service not in shown_now]
    more = _cards(talk, rest)
    if not more:
        return talk.ask_again("several.no_more")
    said = talk.says("several.more")
    talk = talk.with_(shown=tuple(dict.fromkeys((*talk.session.shown, *(one.id for one in more)))))
    reply = Reply(text=said.text, key=said.key, cards=more)
    return talk.ask("several.offered", reply, "several.one_person_again", choices=("one_person", "by_myself", "later"))


# ---------------------------------------------------------------- needs


def _with_needs(talk: Talk, needs: Sequence[tuple[str, str]], source: Literal["inferred", "confirmed"] = "inferred") -> Talk:
    """Each need as a line of the sheet, with the messages its words stand in."""
    lines = tuple(
        SheetLine(
            about="need", text=shortened(text, 60), source=source,
            refs=tuple(said.ref for said in talk.session.story if said.ref and text[:12] in said.text),
        )
        for text, _ in needs
    )  # fmt: skip
    return talk.with_(sheet=lines, needs=tuple(service for _, service in needs))


def _numbered(talk: Talk, thanks: Reply) -> tuple[Reply, ...]:
    """The thanks, and the needs as they were told, in two bubbles at most; longer ones are cut all alike."""
    before = room(thanks.text) + 1
    for longest in range(LONGEST_LINE, _SHORTEST_LINE, -1):
        lines = [line.model_copy(update={"text": shortened(line.text, longest)}) for line in talk.session.sheet]
        top, rest = in_two(lines, before)
        if room(rest) <= LONGEST_BUBBLE:
            break
    first = thanks.model_copy(update={"text": f"{thanks.text}\n{top}" if top else thanks.text})
    return (first, Reply(text=rest, key="several.list")) if rest else (first,)


def _told(talk: Talk, needs: Sequence[Need]) -> list[tuple[str, str]]:
    """What was told, sentence by sentence while five lines hold it, else need by need; each with its first door."""
    every = [(sentence, need) for need in needs for sentence in sentences(need.text) if not _only_frames(talk, sentence)]
    if len(needs) < 2 or len(every) > MOST_NEEDS:
        return [(by_itself(need.text), need.services[0].id if need.services else "") for need in needs[:MOST_NEEDS]]
    sure = {need.text: need.services[0].id for need in needs if len(sentences(need.text)) == 1 and need.services and need.services[0].score >= _SURE}
    doors = {sentence: sure.get(need.text) or _door(talk, sentence) for sentence, need in every}
    doors |= {rest: _door(talk, rest, least=_SURE) for rest in _left_out(talk, list(doors))}
    return [(by_itself(sentence), door) for sentence, door in sorted(doors.items(), key=lambda one: talk.worry.find(one[0]))][:MOST_NEEDS]


def _only_frames(talk: Talk, sentence: str) -> bool:
    """「ケアマネです」, 「どちらも自分では手に負えません」: who writes, and all of it once more, are no trouble of their own."""
    return plain(sentence) in talk.town.typed("my_role") or _SUMS_UP.match(sentence) is not None


def _left_out(talk: Talk, told: Sequence[str]) -> Iterator[str]:
    """What the needs leave out of each sentence: whoever wrote it looks for it in the list."""
    for sentence in sentences(talk.worry):
        if not any(sentence in one for one in told):
            inside = "|".join(re.escape(one) for one in told if one in sentence)
            rests = re.split(inside, sentence) if inside else [sentence]
            yield from (rest for one in rests if _is_told(talk, rest := one.strip(EDGES)))


def _is_told(talk: Talk, sentence: str) -> bool:
    """Neither a question to us nor mere politeness."""
    polite = talk.town.typed("greeting") | talk.town.typed("opening") | talk.town.typed("thanks") | talk.town.typed("filler")
    framing = _only_frames(talk, sentence)
    return len(plain(sentence)) >= _SHORTEST_NEED and not framing and plain(sentence) not in polite and not asking.only_asks(sentence, talk.town)


def _door(talk: Talk, sentence: str, least: float = _SURE_ENOUGH) -> str:
    """The first door of the trouble a sentence tells; else its best service, if it says enough: `least`, 0–1."""
    told = household.troubles(sentence, talk.town)
    if told:
        return _first_door(talk, told[0], {told[0].area})
    ranked = talk.town.base.hearing.rank(sentence, limit=1)
    return ranked[0].id if ranked and ranked[0].score >= least else ""


def _speak_of_the_same(one: str, other: str) -> bool:
    """A correction repeats the thing it corrects: two letters of a noun in common (貯金)."""
    words = {one[at : at + 2] for at in range(len(one) - 1)}
    return any(_NOUN.fullmatch(pair) and pair in words for pair in (other[at : at + 2] for at in range(len(other) - 1)))


def _by_urgency(talk: Talk) -> list[tuple[str, str]]:
    """Service and words of each need: first what has a date, then by field, then as told."""
    entries = talk.town.base.entries

    def rank(place: int) -> tuple[int, int, int]:
        service, text = talk.session.needs[place], talk.session.sheet[place].text
        home = entries[service].domain if service in entries else None
        field = _URGENT_DOMAINS.index(home) if home in _URGENT_DOMAINS else len(_URGENT_DOMAINS)
        return (0 if _dated(talk, text) else 1, field, place)

    order = sorted(range(min(len(talk.session.needs), len(talk.session.sheet))), key=rank)
    return [(talk.session.needs[place], talk.session.sheet[place].text) for place in order]


def _cards(talk: Talk, wanted: Sequence[tuple[str, Sequence[str]]]) -> tuple[Card, ...]:
    entries, today = talk.town.base.entries, talk.scene.now.date()
    firsts = dict(reversed([(service, why) for service, why in wanted if service in entries and entries[service].shown_on(today)]))
    order = [service for service in dict.fromkeys(service for service, _ in wanted) if service in firsts]
    return tuple(card(talk, entries[service], firsts[service]) for service in order[:MOST_CARDS])
