"""D6: danger to life, before anything else.

Every answer to L2 and L3 has one order: ① a line that acknowledges ② at most two numbers ③ what happens now, truthfully ④ one question.
The alarm is an effect of the same turn. L1 asks plainly, once; asking does not raise the risk (TALK).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from flows import answers, consent, consult, room, thirdparty, young
from flows.backwards import FORMS, ask_as_before, step_back
from flows.cards import MOST_CARDS, cards, gently
from flows.crises import BODY, CHILD, FAMILIES, FOOD, OTHERS_LIFE, PARTNER, SUICIDE, Crisis, crisis_of, doubtful_crisis_of
from flows.filling import Town, line_in_words, lines_in_words
from flows.handoff import hand_over, next_reading, open_case, promise
from flows.letters import sentences, shortened
from flows.model import Button, Effect, RaiseAlarm, Reply, Scene, Session, SheetLine, StopFollowUps, SuggestHiddenAddress, Turn, Utterance
from flows.talk import Talk, having_said
from knowledge.hearing.language import language
from knowledge.hearing.model import NO_DANGER, Danger, Level

_POISON: Final = frozenset({"body-poison", "suicide-overdose-taken", "en-overdose"})
"""Rules after which the poison line may follow 119, never stand instead of it (D6c)."""
_FOOD_AND_ROOF: Final = frozenset({"T15", "T02"})
"""Topics of the national form: 食べるものがない, 住まい."""
_FOOD_ORDER: Final = ("food-bank", "jiritsu-soudan-shien", "kinkyu-koguchi-shikin")
_AFTER_CARER: Final = ("chiiki-houkatsu", "kazoku-kaigosha-shien")
_AFTER_CHILD_HURT: Final = ("kodomo-katei-center", "kosodate-tanki-shien")
_MOST_WORDS: Final = 30
_SURELY: Final = 0.5
"""Score of a trouble that was named beside the cry."""
SECOND_EAR: Final = "second-ear"
"""The rule of what was only learned to sound like danger."""


# ---------------------------------------------------------------- hearing


def heard(talk: Talk) -> Turn | None:
    """Answer the danger heard in these words; None for an unclear sign (L1) that was asked about already."""
    danger = talk.said.danger
    if _asks_itself(talk):
        return None
    if danger.level == "L1":
        return None if talk.note("l1") == danger.rule or _is_asked_more(talk) else ask_plainly(talk)
    talk, crisis = _remember(talk, danger), crisis_of(danger)
    asked_before = talk.at == "danger.asked" and talk.note("family") == crisis.name
    if danger.level == "L3" and (asked_before or not crisis.asks_even_now):
        return life_in_danger(talk, crisis)
    return told(talk, crisis, danger.level)


def heard_again(talk: Talk, turn: Turn) -> Turn:
    """The turn that answers what was asked, with the alarm and the case that words of danger always bring (G1)."""
    done = {effect.effect for effect in turn.effects}
    wanted = _effects(talk, crisis_of(talk.said.danger), talk.said.danger.level, take_over=False)
    return turn.model_copy(update={"effects": (*turn.effects, *(effect for effect in wanted if effect.effect not in done))})


def _asks_itself(talk: Talk) -> bool:
    """A neighbour's sign, a commissioner's report, a child who looks after others: those dialogues ask about danger themselves (D7, D4c)."""
    unclear, learned = talk.said.danger.level == "L1", talk.said.danger.rule == SECOND_EAR
    if unclear and learned and talk.at in ("thirdparty.since", "thirdparty.risk", "thirdparty.ties"):
        return True
    if thirdparty.is_sign(talk):
        return unclear or (learned and talk.session.flow in ("consent", "consult"))
    return unclear and learned and (thirdparty.is_commissioner(talk) or young.by_words(talk))


def _is_asked_more(talk: Talk) -> bool:
    """The question of a crisis already told is open: what only the ear that learned is unsure of does not take its place."""
    return talk.said.danger.rule == SECOND_EAR and talk.at in ("danger.asked", "danger.place")


def ask_plainly(talk: Talk) -> Turn:
    """6a: unclear words. One plain question; what was open before stays behind it."""
    danger = talk.said.danger
    crisis = doubtful_crisis_of(danger) if danger.rule == SECOND_EAR else crisis_of(danger)
    talk = _remember(talk, danger)
    note = talk.noting(l1=danger.rule, family=crisis.name)
    if crisis is BODY:
        doctors = ("kodomo-iryo-8000", "kyukyu-anshin-7119") if danger.who == "family" else ("kyukyu-anshin-7119",)
        lines = lines_in_words(doctors, talk.session.lang, talk.town)
        number = talk.says("unsure.body_lines", lines=lines) if lines else talk.says("unsure.body")
        return note.ask("danger.unclear", number, "unsure.body_question", choices=("is_so", "is_not_so", "cannot_say"))
    return note.ask("danger.unclear", "unsure.ack", crisis.unsure, choices=("is_so", "is_not_so", "cannot_say"))


def unclear_answered(talk: Talk) -> Turn:
    """ある and わからない are L2; ない leads back to the worry."""
    talk = _answered_first(talk)
    crisis = FAMILIES.get(talk.note("family") or "", SUICIDE)
    match talk.choice:
        case "is_not_so":
            return _go_on(talk)
        case "is_so" | "cannot_say":
            danger = talk.session.danger.model_copy(update={"level": "L2"})
            talk = talk.with_(danger=_highest(talk.session.danger, danger))
            return life_in_danger(talk, BODY) if crisis is BODY and talk.choice == "is_so" else told(talk, SUICIDE if crisis is BODY else crisis)
        case _ if talk.session.misses == 0:
            return talk.remembering().ask_again("unsure.again")
        case _:
            return told(talk.remembering(), crisis)


def _answered_first(talk: Talk) -> Talk:
    """「ないです。借金が返せないんです」: the first sentence is the answer, and what comes after it belongs to the worry."""
    first, *rest = (sentences(talk.text) if talk.choice is None else []) or [""]
    value = answers.answer(talk.session, first, talk.town) if rest else None
    return replace(talk.remembering(), choice=value) if value is not None and not value.startswith("!") else talk


def asked_again(talk: Talk) -> Turn:
    """What is open in a crisis, in the language that was just chosen."""
    crisis = FAMILIES.get(talk.note("family") or "", SUICIDE)
    match talk.session.step:
        case "unclear":
            question = "unsure.body_question" if crisis is BODY else crisis.unsure
            return talk.ask(talk.at, question, choices=("is_so", "is_not_so", "cannot_say"))
        case "asked" if crisis.answers:
            key = f"crisis.{crisis.name}"
            numbers = (talk.says(f"{key}.numbers", lines=_numbers(talk, crisis.lines)),) if crisis is not FOOD else ()
            return talk.ask(talk.at, *numbers, f"{key}.question", choices=crisis.answers, links=_leave(talk) if crisis.hides else ())
        case "place":
            return talk.ask(talk.at, talk.says("card_only.now", lines=_numbers(talk, crisis.now[:1])), "now.place")
        case _:
            return talk.stay("crisis.noted", also=("!human",))


def _go_on(talk: Talk) -> Turn:
    """Nothing of the kind: back into the form that was open, else the worry is taken up."""
    before = step_back(talk)
    if before is not None and before.session.flow in FORMS:
        return ask_as_before(before)
    return consent.gate(talk)


# ---------------------------------------------------------------- answering


def told(talk: Talk, crisis: Crisis, level: Level = "L2") -> Turn:
    """Acknowledge, numbers, what happens now, one question."""
    if crisis is BODY:
        return life_in_danger(talk, BODY)
    if crisis is FOOD:
        return no_food(talk)
    talk = _for_a_child(talk, crisis)
    key = f"crisis.{crisis.name}"
    numbers = talk.says(f"{key}.numbers", lines=_numbers(talk, crisis.lines))
    now = _now(talk.noting(said=None), crisis).text
    first = now + talk.town.words(talk.session.lang).clock["space"]
    bubbles = (talk.says(f"{key}.ack"), numbers, talk.says(f"{key}.question", before=first))
    return _asked(talk.noting(read_told=now), crisis, level, bubbles)


def _for_a_child(talk: Talk, crisis: Crisis) -> Talk:
    """A child reads short words in kana (6e)."""
    return talk.with_(lang="easy") if crisis is CHILD and talk.session.lang == "ja" else talk


def life_in_danger(talk: Talk, crisis: Crisis) -> Turn:
    """L3: the number first, nothing to choose; where somebody is may be written, and is marked for staff."""
    talk = _for_a_child(talk, crisis)
    if crisis is BODY:
        bubbles: tuple[Reply, ...] = (talk.says("now.body", line=line_in_words("shobo-119", talk.session.lang, talk.town)),)
    else:
        key = "now.tell_place" if crisis is OTHERS_LIFE else "now.police" if crisis.now[0] == "keisatsu-110" else "now.ambulance"
        second = talk.says("now.not_alone" if crisis is OTHERS_LIFE else "now.place")
        bubbles = (talk.says(key, lines=_numbers(talk, crisis.now[:1])), second)
    if talk.session.danger.rule in _POISON:
        bubbles = (*bubbles, talk.says("now.poison", lines=_numbers(talk, ("chudoku-osaka",))))
    return _placed(talk, crisis, bubbles)


def no_food(talk: Talk) -> Turn:
    """6g: food for today comes before everything; at night, what is there tonight, or honestly that nothing is."""
    desk, lang = talk.desk, talk.session.lang
    tel = talk.town.base.town.tel
    if desk.is_there:
        now = talk.says("crisis.food.open_tel", tel=tel) if tel else talk.says("crisis.food.open")
        bubbles = (talk.says("crisis.food.ack"), now, talk.says("crisis.food.question"))
        return _asked(talk, FOOD, "L2", bubbles)
    entries = talk.town.base.entries.values()
    tonight = [entry.id for entry in entries if "tonight" in entry.tags and entry.contacts and not _FOOD_AND_ROOF.isdisjoint(entry.topics)]
    shown = cards(talk, tonight, {})[:2]
    lines = lines_in_words(("yorisoi",), lang, talk.town)
    night = talk.says("crisis.food.tonight", lines=lines) if shown else talk.says("crisis.food.no_tonight", lines=lines)
    read = _when_read(talk, FOOD)
    bubbles = (Reply(text=night.text, key=night.key, cards=shown), read, talk.says("crisis.food.question"))
    told = talk.noting(read_told=read.text).with_(shown=tuple(dict.fromkeys((*talk.session.shown, *(card.id for card in shown)))))
    return _asked(told, FOOD, "L2", bubbles)


def _asked(talk: Talk, crisis: Crisis, level: Level, bubbles: tuple[Reply, ...]) -> Turn:
    links = (*_leave(talk), *room.links(talk)) if crisis.hides else ()
    noted = talk.noting(family=crisis.name, told=str(len(talk.session.story)))
    return noted.ask("danger.asked", *bubbles, choices=crisis.answers, links=links, effects=_effects(talk, crisis, level, take_over=False))


def _placed(talk: Talk, crisis: Crisis, bubbles: tuple[Reply, ...]) -> Turn:
    there = talk.desk.is_there
    noted = talk.noting(family=crisis.name, told=str(len(talk.session.story)))
    effects = _effects(talk, crisis, "L3", take_over=there)
    return noted.ask("danger.place", *bubbles, links=_leave(talk) if crisis.hides else (), effects=effects, ends_as="queued" if there else "answered")


def _effects(talk: Talk, crisis: Crisis, level: Level, *, take_over: bool) -> tuple[Effect, ...]:
    """The case first, so that the alarm names it; then what keeps a hunted person safe."""
    danger = talk.session.danger
    opened = open_case(talk, "danger", level=level, take_over=take_over)
    alarm = RaiseAlarm(level=level, kinds=danger.kinds, rule=danger.rule, refs=talk.said.refs)
    quiet: tuple[Effect, ...] = (SuggestHiddenAddress(), StopFollowUps()) if crisis.hides else ()
    return (opened, alarm, *quiet)


def _numbers(talk: Talk, hotline_ids: tuple[str, ...]) -> str:
    """Lines that can be spoken with: for somebody without Japanese the one that has interpreters comes first (D12)."""
    if talk.session.lang not in ("ja", "easy"):
        hotline_ids = tuple(one for one in hotline_ids if one != "inochi-sos")
    return lines_in_words(hotline_ids, talk.session.lang, talk.town)


def _now(talk: Talk, crisis: Crisis) -> Reply:
    """③ What happens now. 「知らせました」 only if somebody can be told (D6)."""
    if talk.desk.is_there:
        return talk.says("crisis.now.told_quietly" if crisis.hides else "crisis.now.told")
    return _when_read(talk, crisis)


def _when_read(talk: Talk, crisis: Crisis) -> Reply:
    """While the desk is closed: whoever is on call has been told; else when it is read, or honestly that nobody is there (D6b)."""
    quietly = "_quietly" if crisis.hides else ""
    if talk.scene.on_call:
        return talk.says(f"crisis.now.told{quietly}")
    moment = next_reading(talk)
    return talk.says(f"crisis.now.closed{quietly}", moment=moment) if moment else talk.says(f"crisis.now.nobody{quietly}")


def _leave(talk: Talk) -> tuple[Button, ...]:
    """画面を閉じる: only a page of our own can be left (R16)."""
    if talk.scene.channel != "web":
        return ()
    return (Button(label=talk.town.label("leave", talk.session.lang), url=talk.town.base.town.neutral_site),)


# ---------------------------------------------------------------- after the question


def safe_answered(talk: Talk) -> Turn:
    """A worry about parting, asked whether it is safe now (D12): 安全ではない is a told crisis, everything else goes on with the cards."""
    match talk.choice:
        case "am_not_safe":
            danger = Danger(level="L2", kinds=("partner_violence",), rule="asked-safe", said=talk.text or None)
            return told(talk.with_(danger=_highest(talk.session.danger, danger)), PARTNER)
        case "am_safe":
            return talk.noting(safe="yes").ask("consult.shown", "safe.good", "cards.right", choices=("right", "wrong", "!human"))
        case None if talk.has_words:
            return consult.hear_worry(talk.remembering().noting(safe="no_answer"))
        case _:
            return talk.ask_again("safe.again")


def answered(talk: Talk) -> Turn:
    """The one question of a told crisis was answered, or something else was written."""
    talk = _answered_first(talk)
    crisis = FAMILIES.get(talk.note("family") or "", SUICIDE)
    if talk.choice in crisis.worse:
        return life_in_danger(talk, crisis)
    if not crisis.answers:  # another danger was heard since, and もどる led back here
        return stay_with(talk.remembering(), talk.says("crisis.noted"))
    if talk.choice is None and talk.session.misses == 0 and talk.text:
        return talk.remembering().ask_again(f"crisis.{crisis.name}.again")
    after = _AFTER.get(crisis.name)
    if after is not None:
        return after(talk if talk.choice is not None else talk.remembering())
    said = "crisis.need_not_say" if talk.choice == "no_answer" else f"crisis.{crisis.name}.after"
    return stay_with(talk.remembering(), talk.says(said))


def stay_with(talk: Talk, *bubbles: Reply) -> Turn:
    """A human takes over where one is there; otherwise the bot stays and writes down, and says when it is read."""
    if talk.desk.is_there:
        return hand_over(talk, "danger", *bubbles, promise(talk), level="L2")
    opened = open_case(talk, "danger", level="L2", take_over=False)
    noted = talk.noting(told=str(len(talk.session.story)))
    read = _when_read(noted.noting(said=None), FAMILIES.get(talk.note("family") or "", SUICIDE))
    more = () if talk.note("read_told") == read.text else (read,)
    return noted.noting(read_told=read.text).ask("danger.stay", *bubbles, *more, choices=("see_help", "!stop"), effects=(opened,))


def staying(talk: Talk) -> Turn:
    """At night after a crisis: everything written is kept for the morning; help may be looked at."""
    if talk.choice == "see_help":
        return _see_help(talk)
    if talk.choice == "now_human":
        return stay_with(talk.noting(read_told=None), talk.says("handoff.connect"))
    return stay_with(talk.remembering(), talk.says("crisis.noted"))


def _see_help(talk: Talk) -> Turn:
    """After a cry that names no trouble, places that listen; whatever trouble was surely named comes beside them."""
    doors = FAMILIES.get(talk.note("family") or "", SUICIDE).doors
    if not doors:
        return consent.gate(talk)
    trouble = talk.worry.replace(talk.session.danger.said or "\n", "\n")
    ranked = talk.town.base.hearing.rank(trouble, limit=MOST_CARDS) if trouble.strip() else []
    sure = {match.id: match.why for match in ranked if match.score >= _SURELY}
    shown = cards(talk, (*(doors[:1] if sure else doors), *gently(talk, sure)), sure)
    first = talk.says("crisis.doors")
    told = talk.with_(shown=tuple(dict.fromkeys((*talk.session.shown, *(card.id for card in shown)))))
    return told.ask("danger.stay", Reply(text=first.text, key=first.key, cards=shown), choices=("now_human", "!stop"))


def place_written(talk: Talk) -> Turn:
    """After L3: words about where somebody is go to staff at once, marked urgent."""
    if not talk.text:
        return talk.stay("now.still")
    talk = talk.remembering()
    where = SheetLine(about="urgent", text=shortened(talk.text, 200), refs=talk.said.refs)
    opened = open_case(talk, "danger", level="L3", only=(where,))
    there = talk.desk.is_there
    noted = talk.noting(told=str(len(talk.session.story)))
    return noted.ask("danger.place", "now.place_noted", "now.still", effects=(opened,), ends_as="queued" if there else "answered")


def _after_partner(talk: Talk) -> Turn:
    key = "crisis.partner.flee" if talk.choice == "flee" else "crisis.partner.after"
    return stay_with(talk, talk.says(key))


def _after_carer(talk: Talk) -> Turn:
    """6f: relief first, a human before the cards; no blame."""
    ids = _AFTER_CHILD_HURT if talk.session.danger.kinds[:1] == ("child_abuse",) else _AFTER_CARER
    shown = cards(talk, ids, {})
    first = talk.says("crisis.carer.after")
    told = talk.with_(shown=tuple(card.id for card in shown)).noting(told=str(len(talk.session.story)))
    return told.ask("danger.stay", Reply(text=first.text, key=first.key, cards=shown), choices=("now_human", "see_help", "!stop"))


def _after_food(talk: Talk) -> Turn:
    """The order of 6g; 生活保護 is said plainly."""
    shown = cards(talk, _FOOD_ORDER, {})
    first = talk.says("crisis.food.little_ones" if talk.choice == "little_ones" else "crisis.food.cards")
    talk = talk.with_(shown=tuple(card.id for card in shown))
    plainly = talk.says("crisis.food.welfare") if talk.session.lang in ("ja", "easy") else talk.says("crisis.food.welfare_human")
    return stay_with(talk, Reply(text=first.text, key=first.key, cards=shown), plainly)


def _after_others_life(talk: Talk) -> Turn:
    return stay_with(talk, talk.says("crisis.others_life.after"))


_AFTER: Final[Mapping[str, Callable[[Talk], Turn]]] = {
    "partner": _after_partner, "carer": _after_carer, "food": _after_food, "others_life": _after_others_life,
}  # fmt: skip


# ---------------------------------------------------------------- while a human owns the talk


def card_while_human(session: Session, danger: Danger, scene: Scene, town: Town) -> Turn | None:
    """The only thing the bot may say while a human owns the talk: the numbers, once for each level (D8)."""
    shown = session.notes.get("card_shown", "L0")
    if danger.level not in ("L2", "L3") or danger.level <= shown:
        return None
    talk = Talk(session, Utterance(danger=danger), scene, town)
    crisis = crisis_of(danger)
    hotlines = crisis.now if danger.level == "L3" else crisis.lines
    said = talk.says("card_only.now" if danger.level == "L3" else "card_only.told", lines=_numbers(talk, hotlines))
    kept = talk.noting(card_shown=danger.level).with_(danger=_highest(session.danger, danger)).session
    return Turn(session=having_said(kept, (said,)), replies=(said,), ends_as="queued")


# ---------------------------------------------------------------- remembering


def _remember(talk: Talk, danger: Danger) -> Talk:
    """The words join the story; the highest danger of the talk is kept with its rule and words (G1)."""
    short = danger.model_copy(update={"said": shortened(danger.said, _MOST_WORDS) if danger.said else None})
    talk = consult.in_their_language(talk.remembering(), language(talk.text))
    return talk.with_(danger=_highest(talk.session.danger, short))


def _highest(one: Danger, other: Danger) -> Danger:
    return other if other.level >= one.level and other != NO_DANGER else one
