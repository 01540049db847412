"""One step of a talk: `step(session, said, scene, town) → Turn`. Pure and deterministic: the same values give the same turn (I1).

The order is the rule: danger, the words that work everywhere (G4), a form left for half an hour, buttons, what has no words, answers typed instead of
pressed, 「ちがう」, and last the step's own function, looked up in one table. A step that is not in the table leads to a human (I7).
May live here: that order. May not: any dialogue, a clock, a store, a channel.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from flows import (
    answers,
    asking,
    board,
    cards,
    consent,
    consult,
    correcting,
    danger,
    followup,
    gap,
    handoff,
    helper,
    mydata,
    oddities,
    outing,
    room,
    several,
    showing,
    thirdparty,
    tongues,
    young,
)  # fmt: skip
from flows.backwards import FORMS, ask_as_before, go_back, step_back
from flows.danger import SECOND_EAR
from flows.filling import Town, line_in_words, lines_in_words
from flows.model import OpenCase, RaiseAlarm, Reply, Said, Scene, Session, SheetLine, Turn, Utterance
from flows.phrasebook import SPOKEN, built_in_typed
from flows.talk import Talk, last_bubbles
from flows.typed import plain
from knowledge.hearing.language import language
from knowledge.hearing.normalise import plain as even
from knowledge.hearing.phrases_seen import flat

Step = Callable[[Talk], Turn]
EVERYWHERE: Final = ("human", "back", "stop", "start", "help", "lang", "room", "news", "places", "offer")
"""Payloads `!human` … and the words for them, valid in every state (G4); the last three are doors of the menu."""
_IN_OTHER_WORDS: Final = {"human": 2, "back": 1, "help": 1}
"""Known whatever their endings, 「人と話したいんですけど」, when so much is said; 「もうやめたい」 or 「やり直したい」 may be about a life."""
_LONGEST_WORD: Final = 32
"""Letters."""
_LEFT_ALONE: Final = timedelta(minutes=30)
_RESTED: Final = timedelta(hours=12)
_DOUBLE_TAP: Final = timedelta(minutes=2)
_MEANS_YES: Final = frozenset("👍👌🙆⭕🆗")


STEPS: Final[Mapping[str, Step]] = {
    "consent.start": consent.welcomed,
    "consent.welcome": consent.welcomed,
    "consent.explained": consent.welcomed,
    "consent.held": consent.held_answered,
    "consent.language": tongues.chosen,
    "consent.sorry": consent.sorry_answered,
    "consult.open": consult.worry_written,
    "consult.which": consult.which_answered,
    "consult.whose": consult.whose_answered,
    "consult.unclear": consult.unclear_answered,
    "consult.area": showing.area_answered,
    "consult.guess": consult.guess_answered,
    "consult.knows": consult.who_knows_told,
    "consult.safe": danger.safe_answered,
    "consult.shown": showing.cards_answered,
    "consult.wrong": showing.what_was_wrong,
    "consult.wish": gap.wish_told,
    "consult.follow_up": showing.follow_up_answered,
    "danger.unclear": danger.unclear_answered,
    "danger.asked": danger.answered,
    "danger.stay": danger.staying,
    "danger.place": danger.place_written,
    "followup.asked": followup.how_it_went,
    "followup.why": followup.why_not,
    "followup.told": followup.other_reason_told,
    "followup.together": followup.together,
    "followup.renewal": helper.renewal_answered,
    "gap.offered": gap.offered,
    "gap.read_back": gap.read_back_answered,
    "gap.mend": gap.mended,
    "gap.strike": gap.struck,
    "gap.consent": gap.consent_answered,
    "gap.kept_back": gap.kept_back,
    "handoff.share": handoff.shared_or_not,
    "handoff.waiting": handoff.while_waiting,
    "handoff.returned": handoff.after_return,
    "helper.invited": helper.invited,
    "helper.skill": helper.skill_told,
    "helper.when": helper.time_told,
    "helper.offered": helper.offered,
    "mydata.erase": mydata.erase_answered,
    "mydata.really": mydata.erase_confirmed,
    "mydata.shown": mydata.shown,
    "mydata.withdraw": mydata.withdrawn,
    "several.read_back": several.read_back_answered,
    "several.mend": several.mended,
    "several.offered": several.person_answered,
    "thirdparty.danger": thirdparty.danger_answered,
    "thirdparty.pass_on": thirdparty.passing_on,
    "thirdparty.where": thirdparty.where_told,
    "thirdparty.commissioner": thirdparty.commissioner_answered,
    "thirdparty.since": thirdparty.since_told,
    "thirdparty.risk": thirdparty.risk_told,
    "thirdparty.ties": thirdparty.ties_told,
    "young.asked": young.asked,
}  # fmt: skip


def step(session: Session, said: Utterance, scene: Scene, town: Town) -> Turn:
    """Answer one utterance. Never an error for anything a resident can do; only our own bugs raise (then `failed`)."""
    talk = _after_a_rest(Talk(session, _marks_are_a_sticker(said), scene, town, waited=session))
    if said.kind == "follow" and not said.parts:
        return consent.welcome(session, scene, town)
    helps = said.danger.level == "L1" and _word_for(talk.text, town.typed_words) == "help"
    if said.danger.heard and not helps and not _only_sounds_so(talk):
        turn = danger.heard_again(talk, _answer(talk)) if _answers_the_crisis(talk) else danger.heard(talk)
        if turn is not None:
            return oddities.threat_is_told(talk, turn)
    turn = room.offered(session, _answer(talk), talk)
    return oddities.name_is_not_needed(talk, asking.answered_too(talk, turn)) if said.kind == "text" else turn


def _answers_the_crisis(talk: Talk) -> bool:
    """「逃げたい」 typed under the question of a danger already told is its answer, not another danger; a higher one is heard as such."""
    told = talk.session.danger.level
    return talk.at == "danger.asked" and talk.said.danger.level <= told and answers.answer(talk.session, talk.text, talk.town) is not None


def _only_sounds_so(talk: Talk) -> bool:
    """An answer typed as the question offers it, 「もうできません」, or 「だからそれじゃねえって」: no rule calls it danger, only the learned ear."""
    danger = talk.said.danger
    if danger.rule != SECOND_EAR or talk.session.flow == "danger":
        return False
    if mydata.asked_anywhere(talk) is not None:
        return True
    if danger.level != "L1":
        return False
    if answers.is_word_for_word(talk.session, talk.text, talk.town) or answers.agrees(talk.session, talk.text, talk.town):
        return True
    return plain(talk.text) in talk.town.typed("slip") or correcting.corrected(talk) is not None


def _marks_are_a_sticker(said: Utterance) -> Utterance:
    """A text of one 👍 or of 「…」 is what a sticker is; none that says danger is touched (D13)."""
    text = said.text.strip()
    if said.kind != "text" or not text or said.danger.heard or any(letter.isalnum() for letter in text):
        return said
    return said.model_copy(update={"kind": "sticker", "parts": (), "sticker_ok": text.rstrip("\ufe0f🏻🏼🏽🏾🏿")[:1] in _MEANS_YES})


def _after_a_rest(talk: Talk) -> Talk:
    """Half a day later nothing of the earlier talk comes back by itself or by もどる (R13); the open question stays open."""
    last = talk.session.last_at
    if last is None or talk.scene.now - last < _RESTED:
        return talk
    rested = talk.with_(back=()).noting(in_sight=None)
    return rested.ended() if talk.at == "consult.open" else rested


def _answer(talk: Talk) -> Turn:
    word = _everywhere_word(talk)
    if word is not None:
        return _everywhere(talk, word)
    value = answers.answer(talk.session, talk.text, talk.town) if talk.said.kind == "text" else None
    if talk.said.kind == "text" and value is None and (turn := mydata.asked_anywhere(talk)) is not None:
        return turn
    if talk.said.kind == "text" and value is None and (turn := asking.answer(_in_their_language(talk))) is not None:
        return turn
    if talk.said.kind == "text" and value is None and _asks_for_a_person(talk):
        return handoff.wants_human(talk)
    if talk.said.kind == "text" and talk.session.flow not in FORMS and outing.is_asked(talk):
        return outing.shown(talk)
    if talk.at not in STEPS and talk.at != "resume.ask":
        return handoff.lost(talk)
    if _left_alone(talk):
        return _ask_to_resume(talk)
    if talk.said.kind == "button":
        return _pressed(talk)
    if talk.said.kind in ("media", "location"):
        return oddities.media(talk)
    if talk.said.kind == "sticker" and not (talk.said.sticker_ok and talk.at == "consult.shown"):
        return oddities.no_words(talk)
    if value is not None:
        return _everywhere(talk, value[1:]) if value.startswith("!") else _go(replace(talk, choice=value))
    if talk.said.kind == "text":
        if (right := correcting.corrected(talk)) is not None:
            return correcting.heard_anew(right)
        rest = _after_a_slip(talk)
        if rest is not None:
            return _slipped(talk, rest)
    return _go(talk)


def _go(talk: Talk) -> Turn:
    return _resumed(talk) if talk.at == "resume.ask" else STEPS[talk.at](talk)


# ---------------------------------------------------------------- words that work everywhere


def _in_their_language(talk: Talk) -> Talk:
    """A question may be the first that is written: it is answered in its own language (D12)."""
    lang = language(talk.text)
    return talk if lang == "ja" else consult.in_their_language(talk, lang, talk.text)


def _asks_for_a_person(talk: Talk) -> bool:
    """人と話す in words of one's own, 「職員さんにつないでもらえますか」; whoever writes more tells a worry with it, and is heard."""
    return len(plain(talk.text)) <= _LONGEST_WORD and talk.town.base.hearing.lexicon.intents.intent(flat(even(talk.text).text)) == "human"


def is_everywhere_word(text: str) -> bool:
    """Whether a text is one of the words of G4 in any language: the reception answers those at once."""
    return everywhere_word(text) is not None


def everywhere_word(text: str) -> str | None:
    """Which of them."""
    return _word_for(text, built_in_typed())


def answer_in_words(session: Session, text: str, town: Town) -> str | None:
    """The payload of the button these words stand for, where a question is open; None when they are no answer to it."""
    value = answers.answer(session, text, town)
    return None if value is None else value if value.startswith("!") else f"{session.ask}:{value}"


def _word_for(text: str, typed: Mapping[str, Collection[str]]) -> str | None:
    for said in (text, answers.without_politeness(text, typed)):
        short = plain(said)
        if not short or len(short) > _LONGEST_WORD:
            continue
        found = next((word for word in EVERYWHERE if short in typed[word]), None)
        found = found or next((word for word, least in _IN_OTHER_WORDS.items() if answers.says_the_same(said, typed[word], least=least)), None)
        if found is not None:
            return found
    return None


def _everywhere_word(talk: Talk) -> str | None:
    """The word of G4 that was pressed or typed, `card:<id>`, `in:<lang>`; an answer of the open question comes before a word that is the same."""
    if talk.said.kind == "button":
        payload = talk.said.button or ""
        return payload[1:] if payload.startswith("!") else None
    if talk.said.kind not in ("text", "follow") or answers.is_word_for_word(talk.session, talk.text, talk.town):
        return None
    short = plain(talk.text)
    for lang in SPOKEN:
        if short in talk.town.words(lang).typed.get("this_language", ()):
            return f"in:{lang}"
    return _word_for(talk.text, talk.town.typed_words)


def _everywhere(talk: Talk, word: str) -> Turn:
    if talk.said.kind == "button":
        talk = talk.remembering()
    name, _, which = word.partition(":")
    match name:
        case "human":
            return handoff.wants_human(talk)
        case "back":
            return _back(talk)
        case "stop":
            return _stop(talk)
        case "start":
            return _from_the_beginning(talk)
        case "help":
            return _help(talk)
        case "lang":
            return tongues.choose(talk)
        case "room":
            return room.asked_for(talk)
        case "news" | "places" | "offer":
            return board.door(talk, name)
        case "in" if which in SPOKEN:
            return tongues.speak(talk, which)
        case "card":
            return _details(talk, which)
        case _:
            return _old_button(talk)


def _back(talk: Talk) -> Turn:
    before = step_back(talk)
    if before is not None and before.at == "consult.shown":
        return showing.cards_again(before, talk.says("back.done"))
    return go_back(talk)


def _stop(talk: Talk) -> Turn:
    """やめる: a kind end, nothing lost; before the yes it is the refusal (1b)."""
    if talk.session.consented is None:
        return consent.refused(talk)
    return talk.ended().with_(back=()).noting(asked=None).ask("consult.open", "stop.done", choices=("!human",))


def _from_the_beginning(talk: Talk) -> Turn:
    """最初から: the questions begin anew, the story stays."""
    if talk.session.consented is None:
        return consent.welcome(talk.session, talk.scene, talk.town)
    return talk.new_worry().ask("consult.open", "start.again", choices=("what", "!human"))


def _help(talk: Talk) -> Turn:
    """たすけて: the two numbers, and a human at once (D13). A crisis keeps its own question; who told nothing is not asked what may be told."""
    numbers = talk.says("help.numbers", lines=lines_in_words(("shobo-119", "keisatsu-110"), talk.session.lang, talk.town))
    if talk.session.flow == "danger":
        return talk.stay(numbers, "help.what", also=("!human",))
    if talk.worry or talk.session.flow == "handoff":
        return last_bubbles(handoff.wants_human(talk), numbers)
    wish = SheetLine(about="wish", text=talk.text or talk.town.label("help", "ja"), refs=talk.said.refs)
    return handoff.hand_over(talk, "asked_human", numbers, talk.says("handoff.connect"), handoff.promise(talk), level="L1", extra=(wish,))


def _details(talk: Talk, entry_id: str) -> Turn:
    """くわしく on a card of any day; a service that is gone is said to be gone (I7)."""
    entry = talk.town.base.entries.get(entry_id)
    if entry is None or not entry.shown_on(talk.scene.now.date()):
        return talk.stay("details.gone", also=("!human",))
    return talk.stay(*cards.details(talk, entry))


# ---------------------------------------------------------------- buttons


def _pressed(talk: Talk) -> Turn:
    """A button of the open question; of the one just answered (a second tap); or an old one (D13). Words written before it join the story."""
    ask, _, value = (talk.said.button or "").partition(":")
    talk = talk.remembering()
    if ask == str(talk.session.ask) and any(choice.value == value for choice in talk.session.choices):
        return _go(replace(talk, choice=value))
    last = talk.session.last_at
    just_now = last is not None and talk.scene.now - last <= _DOUBLE_TAP
    if just_now and ask == str(talk.session.ask - 1):
        return _second_tap(talk)
    return _old_button(talk)


def _second_tap(talk: Talk) -> Turn:
    """The same button again: answered once, asked once, then quiet."""
    if talk.note("repeats") != "0":
        return talk.silent()
    return talk.noting(repeats="1").stay("odd.once_more")


def _old_button(talk: Talk) -> Turn:
    return talk.stay("odd.old_button", also=("!human",))


# ---------------------------------------------------------------- ちがう


def _after_a_slip(talk: Talk) -> str | None:
    """What follows 「ちがう」 or 「そうじゃなくて」 at the head of a text; None when it does not begin so (G11)."""
    head, _, rest = talk.text.replace("、", " ").replace("。", " ").replace(",", " ").partition(" ")
    return rest.strip() if plain(head) in talk.town.typed("slip") else None


def _slipped(talk: Talk, rest: str) -> Turn:
    """One step back, everything said stays said; what comes after the word answers the earlier question."""
    before = step_back(talk)
    if before is None:
        return talk.stay("back.nothing", also=("!start",))
    if not rest:
        return ask_as_before(before, "back.tell_me")
    part = talk.said.parts[-1].model_copy(update={"text": rest})
    again = replace(before, said=talk.said.model_copy(update={"parts": (part,)}))
    value = answers.answer(again.session, rest, talk.town)
    return _go(replace(again, choice=None if value is None or value.startswith("!") else value))


# ---------------------------------------------------------------- a form left alone


def _left_alone(talk: Talk) -> bool:
    """Half an hour of silence inside a form; another person may hold the phone now (R13)."""
    last = talk.session.last_at
    return talk.said.kind == "text" and talk.session.flow in FORMS and last is not None and talk.scene.now - last > _LEFT_ALONE


def _ask_to_resume(talk: Talk) -> Turn:
    return talk.remembering().ask("resume.ask", "resume.question", choices=("resume", "!start"))


def _resumed(talk: Talk) -> Turn:
    """つづける, or anything else: where it was."""
    before = step_back(talk)
    if before is None:
        return handoff.lost(talk)
    if talk.choice == "resume":
        return ask_as_before(before)
    return _go(before)


# ---------------------------------------------------------------- when our own code fails


def failed(session: Session, said: Utterance, scene: Scene, town: Town) -> Turn:
    """A step failed: one honest sentence, a human, and the numbers if danger was heard. Kept so plain that it cannot fail itself."""
    talk = Talk(session.model_copy(update={"back": (), "choices": ()}), said, scene, town)
    told = tuple(Said(text=part.text, ref=part.ref) for part in said.parts)
    sheet = tuple(SheetLine(about="worry", text=one.text[:200], refs=(one.ref,) if one.ref else ()) for one in told if one.text)
    level = max(said.danger.level, session.danger.level)
    desk = talk.desk
    bubbles: list[Reply] = []
    if said.danger.level in ("L2", "L3"):
        both = [line_in_words(one, session.lang, town) for one in ("shobo-119", "keisatsu-110") if said.danger.level == "L3"]
        bubbles.append(talk.says("card_only.told", lines="\n".join(both or [line_in_words("yorisoi", session.lang, town)])))
    opened = OpenCase(level=level, reason="failure", sheet=sheet, promise_at=desk.answers_by, take_over=desk.is_there)
    alarm = (RaiseAlarm(level=level, kinds=said.danger.kinds, rule=said.danger.rule, refs=said.refs),) if said.danger.level in ("L2", "L3") else ()
    bubbles += [talk.says("handoff.failed"), handoff.promise(talk)]
    return talk.ask("handoff.waiting", *bubbles, choices=("machine",), effects=(opened, *alarm), ends_as="queued")
