"""D10: somebody wants to give something: skill and time in two short steps, a place nearby, and nothing kept without a yes of its own."""

import re
from datetime import date, timedelta
from typing import Final

from flows import consult, handoff, moments
from flows.cards import cards
from flows.filling import Town
from flows.kin import is_near, kin
from flows.letters import shortened
from flows.model import AnswerRenewal, RecordConsent, RecordOffer, Reply, Scene, Session, Turn, Utterance
from flows.talk import Talk
from flows.typed import plain

_KINDS: Final = ("hands", "company", "teach", "other_skill")
_TIMES: Final = ("weekday_day", "evening", "weekend", "any_time")
_PLACES: Final = ("juumin-sanka-zaitaku", "volunteer-center", "shimin-katsudou-center")
_LONGEST_WORDS: Final = 60
_LONGEST_WANTED: Final = 26
_MOST_WANTED: Final = 2
_NOT_AGAIN_FOR: Final = timedelta(days=180)
_ONE_PERSON: Final = re.compile(r"[一-鿿ァ-ヺ]{1,5}さん(?:を|に|の(?:手伝|世話|お世話|ところ))")


def begin(talk: Talk) -> Turn:
    """ありがとうございます. What somebody can do, in a word."""
    own = shortened(talk.text, _LONGEST_WORDS)
    noted = talk.noting(skill=own or None, when=None)
    if _ONE_PERSON.search(talk.text):  # a helper never chooses a person: a centre stands in between (D10)
        return noted.ask("helper.skill", "helper.no_persons", "helper.thanks", choices=_KINDS)
    return noted.ask("helper.skill", "helper.thanks", choices=_KINDS)


def may_invite(talk: Talk) -> bool:
    """10b: asked once, not again for half a year after いまはいい, and never where somebody dangerous may read."""
    hunted = {"partner_violence", "stalking_threat", "forced_confinement"}
    last = talk.note("invited")
    lately = last is not None and (talk.scene.now.date() - date.fromisoformat(last)) < _NOT_AGAIN_FOR
    return not lately and hunted.isdisjoint(talk.session.danger.kinds)


def inviting(talk: Talk) -> tuple[Talk, Reply]:
    """The question of 10b, with what hands are looked for where something is; noted, because it is asked once."""
    noted = talk.noting(invited=talk.scene.now.date().isoformat())
    if not talk.scene.wanted or talk.session.lang != "ja":
        return noted, talk.says("helper.invite")
    return noted, talk.says("helper.invite_wanted", title=shortened(talk.scene.wanted[0].title, _LONGEST_WANTED))


def closing(session: Session, scene: Scene, town: Town, coordinator_name: str) -> Turn:
    """A coordinator closes a case that came to a good end: the return to the bot (D8), and once, gently, the other way round (10b)."""
    turn = handoff.handback(session, scene, town, coordinator_name)
    talk = Talk(turn.session, Utterance(), scene, town)
    if not may_invite(talk):
        return turn
    noted, question = inviting(talk)
    return noted.ask("helper.invited", *turn.replies, question, choices=("hear_more", "not_now", "machine", "no_more"))


def invited(talk: Talk) -> Turn:
    """話を聞く, いまはいい; what else is written right after a close goes back to the coordinator, else it is heard."""
    match talk.choice:
        case "hear_more":
            return begin(talk)
        case "machine" | "no_more":
            return handoff.after_return(talk)
        case "not_now":
            return talk.ended().ask("consult.open", "helper.another_day", choices=("!human",))
        case _ if talk.has_words and any(choice.value == "machine" for choice in talk.session.choices):
            return handoff.come_back(talk)
        case _ if talk.has_words:
            return consult.worry_written(talk.ended())
        case _:
            return talk.ask_again("helper.invited_again")


def renewal(session: Session, scene: Scene, town: Town, until: date) -> Turn:
    """What somebody offered ends soon, on `until`: asked once whether it goes on. Neutral, because it is pushed (R12)."""
    talk = Talk(session.model_copy(update={"back": ()}), Utterance(), scene, town).noting(asked=None)
    question = talk.says("helper.renewal", day=moments.day_name(until, scene.now, town.words(session.lang).clock))
    return talk.ended().ask("followup.renewal", question, choices=("keep_offer", "end_offer"))


def renewal_answered(talk: Talk) -> Turn:
    """残しておく, 消す; anything else is what is on their mind, and what nobody answers ends by itself."""
    match talk.choice:
        case "keep_offer":
            return talk.ask("consult.open", "helper.kept", choices=("!human",), effects=(AnswerRenewal(goes_on=True),))
        case "end_offer":
            return talk.ask("consult.open", "helper.ended", choices=("!human",), effects=(AnswerRenewal(goes_on=False),))
        case _ if talk.has_words:
            return consult.worry_written(talk)
        case _:
            return talk.ask_again("helper.renewal_again")


def skill_told(talk: Talk) -> Turn:
    """手を動かすこと, 話し相手, 教える; the days may be told in the same breath."""
    if talk.choice is None and not talk.text:
        return talk.ask_again("helper.skill_again")
    said = talk.town.label(talk.choice, "ja") if talk.choice in _KINDS else shortened(talk.text, _LONGEST_WORDS)
    before = talk.note("skill")
    talk = talk.noting(skill="／".join(part for part in (before, said) if part))
    if any(word in plain(talk.text) for word in talk.town.typed("times")):
        return places(talk.noting(when=shortened(talk.text, _LONGEST_WORDS)))
    return talk.ask("helper.when", "helper.when", choices=_TIMES)


def time_told(talk: Talk) -> Turn:
    """出られる日."""
    if talk.choice is None and not talk.text:
        return talk.ask_again("helper.when_again")
    said = talk.town.label(talk.choice, "ja") if talk.choice in _TIMES else shortened(talk.text, _LONGEST_WORDS)
    return places(talk.noting(when=said))


def places(talk: Talk) -> Turn:
    """近くで合いそうなところ: what is near the skill among places of taking part, else the volunteer centre."""
    entries = talk.town.base.entries
    skill = talk.note("skill") or ""
    near = [match for match in talk.town.base.hearing.rank(skill, limit=30) if entries[match.id].domain == "sanka"] if skill else []
    ids = [*(one for one in _PLACES if one in entries), *(match.id for match in near)]
    shown = cards(talk, ids, {match.id: match.why for match in near}, "card.helper")[:2]
    said = talk.says("helper.places") if shown else talk.says("helper.no_places")
    first = Reply(text=said.text, key=said.key, cards=shown)
    return talk.ask("helper.offered", first, *_wanted(talk, skill), "helper.may_we", choices=("info_day", "another_time"))


def _wanted(talk: Talk, skill: str) -> tuple[Reply, ...]:
    """The requests that fit best, posted by groups through the centre; it stays in between."""
    near = sorted((one for one in talk.scene.wanted if is_near(talk.town, skill, one.title)), key=lambda one: -kin(talk.town, skill, one.title))
    titles = [shortened(f"{one.title}（{one.when}）" if one.when else one.title, _LONGEST_WANTED) for one in near[:_MOST_WANTED]]
    return (talk.says("helper.wanted", titles="、".join(titles)),) if titles else ()


def offered(talk: Talk) -> Turn:
    """説明会の日 is the yes to being written down; また今度 leaves nothing behind."""
    match talk.choice:
        case "info_day":
            effects = (
                RecordConsent(purpose="offer", recipient=talk.town.base.town.desk_name, items=("skill", "when")),
                RecordOffer(skill=talk.note("skill") or "", when=talk.note("when") or ""),
            )
            return talk.ended().noting(skill=None, when=None).ask("consult.open", "helper.written", choices=("!human",), effects=effects)
        case "another_time":
            return talk.ended().noting(skill=None, when=None).ask("consult.open", "helper.another_time", choices=("!human",))
        case _ if talk.session.misses == 0:
            return talk.ask_again("helper.offered_again")
        case _:
            return talk.ended().noting(skill=None, when=None).ask("consult.open", "helper.another_time", choices=("!human",))
