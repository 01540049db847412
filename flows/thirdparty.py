"""D7: worried about somebody else. Danger is asked first; what is passed on names neither the neighbour nor the one who wrote."""

import re
from typing import Final

from flows.filling import lines_in_words
from flows.handoff import hand_over, open_case, promise
from flows.letters import sentences, shortened
from flows.model import Effect, RaiseAlarm, RecordConsent, ReportThirdPerson, SheetLine, Turn
from flows.talk import Talk
from flows.typed import plain, says_one_of
from knowledge.hearing.model import Level

_LONGEST: Final = 120
_SEEN: Final = "third-person-seen"
"""The rule an alarm names where nothing was heard by danger.yaml: it was asked about and answered."""
_PARENT: Final = re.compile(r"(?<![一-鿿])(?:義理の|義)?([母父])親?(?![一-鿿])|(両親|(?<![一-鿿])親(?![一-鿿]))")
"""Not 叔母, 祖父, 親戚."""
_INTRODUCED: Final = re.compile(r"(?:民生|児童)委員の[^\s、。をがにはもと]{1,8}(?:です(?!か)|と申し|といい)")
"""「民生委員の山田です」."""
_WHO: Final = {frozenset("母"): "mother", frozenset("父"): "father"}


def answer(talk: Talk) -> Turn | None:
    """A neighbour's sign, or a 民生委員 on duty; None for everything else."""
    said = plain(talk.latest)
    if is_commissioner(talk):
        return talk.ask("thirdparty.commissioner", "third.commissioner", choices=("yes", "as_resident"))
    parents = frozenset(found[1] or found[2] for found in _PARENT.finditer(talk.latest))
    if parents and talk.note("knows") is None and any(word in said for word in talk.town.typed("far_away")):
        named = _WHO.get(parents, "parents")
        who = talk.town.words("ja").says[f"third.{named}"][0] if talk.session.lang == "ja" else ""
        key = "third.knows" if who else "third.knows_plain"
        question = talk.says(key, who=who) if who else talk.says(key)
        return talk.with_(whose="parent").ask("consult.knows", question, choices=("knows", "does_not_know", "cannot_say"))
    if is_sign(talk):
        seen = shortened(talk.latest, _LONGEST)
        return talk.noting(seen=seen).ask("thirdparty.danger", "third.danger", choices=("seen_now", "not_seen"))
    return None


def is_commissioner(talk: Talk) -> bool:
    """Somebody introduces themselves as 民生委員 or 児童委員."""
    said_so = says_one_of(talk.latest, talk.town.typed("commissioner"))
    return said_so or any(_INTRODUCED.search(one) for one in sentences(talk.latest))


def is_sign(talk: Talk) -> bool:
    """Somebody near by, and a sign that something is wrong there."""
    said = plain(talk.latest)

    def says(name: str) -> bool:
        return any(word in said for word in talk.town.typed(name))

    return says("neighbour") and (says("sign") or (says("sign_of") and says("sign_so")))


def danger_answered(talk: Talk) -> Turn:
    """Seen lying, heard a voice: the numbers. Otherwise it may be passed on without names."""
    match talk.choice:
        case "seen_now":
            return now(talk)
        case None if talk.session.misses == 0:
            return talk.remembering().ask_again("third.danger_again")
        case _:
            return talk.ask("thirdparty.pass_on", "third.no_names", "third.where", choices=("pass_on", "call_myself", "!human"))


def now(talk: Talk) -> Turn:
    """[ある] → the two emergency numbers, and the desk knows."""
    lines = lines_in_words(("shobo-119", "keisatsu-110"), talk.session.lang, talk.town)
    seen = SheetLine(about="urgent", text=talk.note("seen") or talk.text, refs=talk.said.refs)
    opened = open_case(talk, "third_person", level="L2", extra=(seen,), take_over=False)
    effects = (opened, _alarm(talk))
    return talk.ended().ask("consult.open", talk.says("third.call", lines=lines), "third.not_alone", choices=("!human",), effects=effects)


def _alarm(talk: Talk) -> RaiseAlarm:
    """Somebody may be dying behind a door: whoever is on duty hears of it at once (D6)."""
    return RaiseAlarm(level="L2", kinds=("medical_emergency",), rule=_SEEN, refs=talk.said.refs)


def passing_on(talk: Talk) -> Turn:
    """町名 and what was seen, nothing else. A place may be written instead of pressing."""
    match talk.choice:
        case "pass_on":
            return talk.ask("thirdparty.where", "third.which_street", choices=("area_unknown",))
        case "call_myself":
            return talk.ended().ask("consult.open", "third.by_yourself", choices=("!human",))
        case _ if talk.text:
            return passed_on(talk, shortened(talk.text, 60))
        case _:
            return talk.ask_again("third.where_again")


def where_told(talk: Talk) -> Turn:
    """The street, or not."""
    if talk.choice is None and not talk.text:
        return talk.ask_again("third.which_street")
    return passed_on(talk, "" if talk.choice == "area_unknown" else shortened(talk.text, 60))


def passed_on(talk: Talk, where: str) -> Turn:
    """A task with a date stands behind 「必ず確かめます」."""
    effects = (
        RecordConsent(purpose="report", recipient=talk.town.base.town.desk_name, items=("where", "seen")),
        ReportThirdPerson(where=where, seen=talk.note("seen") or ""),
    )
    return talk.ended().noting(seen=None).ask("consult.open", "third.passed_on", choices=("!human",), effects=effects)


# ---------------------------------------------------------------- 7b: 民生委員


def commissioner_answered(talk: Talk) -> Turn:
    """As a commissioner only three things are asked; names belong on the telephone."""
    match talk.choice:
        case "yes":
            return talk.ask("thirdparty.since", "third.since")
        case "as_resident":
            return talk.ask("consult.open", "open.anything", choices=("what", "!human"))
        case _:
            return talk.ask_again("third.commissioner_again")


def since_told(talk: Talk) -> Turn:
    """いつから → 命の危険."""
    if not talk.text:
        return talk.ask_again("third.since")
    return talk.remembering().ask("thirdparty.risk", "third.risk", choices=("is_so", "is_not_so", "cannot_say"))


def risk_told(talk: Talk) -> Turn:
    """命の危険 → つながりのある人."""
    if talk.choice is None and not talk.text:
        return talk.ask_again("third.risk_again")
    said = talk.choice or shortened(talk.text, _LONGEST)
    lines = lines_in_words(("shobo-119", "keisatsu-110"), talk.session.lang, talk.town)
    numbers = (talk.says("help.numbers", lines=lines),) if said == "is_so" else ()
    return talk.remembering().noting(risk=said).ask("thirdparty.ties", *numbers, "third.ties", choices=("nobody",))


def ties_told(talk: Talk) -> Turn:
    """All three are there: to the desk."""
    if talk.choice is None and not talk.text:
        return talk.ask_again("third.ties")
    talk, risk = talk.remembering(), talk.note("risk") or ""
    told = talk.town.words("ja").says[f"sheet.risk.{risk}"][0] if risk in ("is_so", "is_not_so", "cannot_say") else risk
    extra = [SheetLine(about="note", text=talk.town.words("ja").says["sheet.commissioner"][0]), SheetLine(about="urgent", text=told)]
    if talk.choice == "nobody":
        extra.append(SheetLine(about="household", text=talk.town.label("nobody", "ja")))
    level: Level = "L2" if risk == "is_so" else "L1"
    alarm: tuple[Effect, ...] = (_alarm(talk),) if risk == "is_so" else ()
    turn = hand_over(talk, "third_person", talk.says("third.commissioner_done"), promise(talk), extra=extra, level=level)
    return turn.model_copy(update={"effects": (*turn.effects, *alarm)})
