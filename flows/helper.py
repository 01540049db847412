"""D10: somebody wants to give something: skill and time in two short steps, a place nearby, and nothing kept without a yes of its own."""

import re
from datetime import date, timedelta
from typing import Final

from flows import answers, consult, handoff, moments
from flows.cards import cards
from flows.filling import Town
from flows.kin import is_near, kin
from flows.letters import shortened
from flows.model import AnswerRenewal, RecordConsent, RecordOffer, Reply, Scene, Session, Turn, Utterance
from flows.talk import Talk
from flows.typed import says_one_of

_KINDS: Final = ("hands", "company", "teach", "other_skill")
_TIMES: Final = ("weekday_day", "evening", "weekend", "any_time")
_CENTRES: Final = ("volunteer-center", "shimin-katsudou-center")
"""One of them stands in between, whatever else is shown."""
_BY_KIND: Final = {"hands": "juumin-sanka-zaitaku", "company": "fureai-salon", "teach": "shougai-gakushuu"}
"""What only a button was pressed for."""
_TAKES_PART: Final = frozenset({"place", "activity", "service"})
"""Where somebody can lend a hand; at a consultation or a benefit only where we are sure, as with becoming a foster parent."""
_WORTH_SHOWING: Final = 0.15
_SURE: Final = 0.4
"""Confidences, as of a service for a worry."""
_MOST_PLACES: Final = 2
_LONGEST_WORDS: Final = 60
_DEEP: Final = 6
"""So many services are looked at for what somebody can do."""
_LONGEST_WANTED: Final = 26
_MOST_WANTED: Final = 2
_NOT_AGAIN_FOR: Final = timedelta(days=180)
_ONE_PERSON: Final = re.compile(r"[一-鿿ァ-ヺ]{1,5}さん(?:を|に|の(?:手伝|世話|お世話|ところ))")


def begin(talk: Talk) -> Turn:
    """ありがとうございます. What somebody can do, in a word; the days they named already are not asked again."""
    own = shortened(talk.text, _LONGEST_WORDS)
    noted = talk.noting(skill=own or None, kind=None, when=own if _names_a_time(talk) else None)
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


def _another_time(talk: Talk) -> Turn:
    return _not_written_down(talk).ask("consult.open", "helper.another_time", choices=("!human",))


def _not_written_down(talk: Talk) -> Talk:
    """Nothing of an offer stays behind."""
    return talk.ended().noting(skill=None, kind=None, when=None)


def _tells_a_worry(talk: Talk) -> bool:
    """Whoever wants to help may need help too: 「私の買い物はどうなりますか」."""
    return talk.has_words and consult.listen(talk.new_worry().remembering()).decision == "answer"


def _declines(talk: Talk) -> bool:
    """「いや、いいです」: nobody is kept in a form they did not ask for."""
    return answers.says_nothing_but(talk.text, talk.town.typed("no") | talk.town.typed("fine") | talk.town.typed("slip"))


def skill_told(talk: Talk) -> Turn:
    """手を動かすこと, 話し相手, 教える; the days may be told in the same breath."""
    if talk.choice is None and not talk.text:
        return talk.ask_again("helper.skill_again")
    if _declines(talk):
        return _another_time(talk)
    if talk.choice in _KINDS:
        talk = talk.noting(kind=talk.choice)
    else:
        told = (talk.note("skill"), shortened(talk.text, _LONGEST_WORDS))
        talk = talk.noting(skill="／".join(part for part in told if part))
    if _names_a_time(talk):
        talk = talk.noting(when=shortened(talk.text, _LONGEST_WORDS))
    if talk.note("when"):
        return places(talk)
    return talk.ask("helper.when", "helper.when", choices=_TIMES)


def time_told(talk: Talk) -> Turn:
    """出られる日."""
    if talk.choice is None and not talk.text:
        return talk.ask_again("helper.when_again")
    if _declines(talk):
        return _another_time(talk)
    said = talk.town.label(talk.choice, "ja") if talk.choice in _TIMES else shortened(talk.text, _LONGEST_WORDS)
    return places(talk.noting(when=said))


def places(talk: Talk) -> Turn:
    """近くで合いそうなところ: what fits what they can do, heard like a worry, and a centre that stands in between."""
    entries, own = talk.town.base.entries, talk.note("skill") or ""
    ranked = talk.town.base.hearing.rank(own, limit=_DEEP) if own else ()
    centre = next((one for one in _CENTRES if one in entries), None)
    # 「何か役に立ちたい」 means the centre: what is far behind it is chance
    beside = max((one.score / 2 for one in ranked if one.id == centre), default=0.0)
    near = [one for one in ranked if one.score >= max(beside, _WORTH_SHOWING if entries[one.id].kind in _TAKES_PART else _SURE)]
    known = _BY_KIND.get(talk.note("kind") or "", _BY_KIND["hands"])
    fitting = [one for one in (*(match.id for match in near), known) if one != centre]
    ids = [*fitting[: _MOST_PLACES - (centre is not None)], *([centre] if centre else [])]
    shown = cards(talk, ids, {match.id: match.why for match in near}, "card.helper")
    said = talk.says("helper.places") if shown else talk.says("helper.no_places")
    first = Reply(text=said.text, key=said.key, cards=shown)
    return talk.ask("helper.offered", first, *_wanted(talk), "helper.may_we", choices=("info_day", "another_time"))


def _wanted(talk: Talk) -> tuple[Reply, ...]:
    """The requests that fit best, posted by groups through the centre; it stays in between."""
    skill = _in_words(talk)
    near = sorted((one for one in talk.scene.wanted if is_near(talk.town, skill, one.title)), key=lambda one: -kin(talk.town, skill, one.title))
    titles = [shortened(f"{one.title}（{one.when}）" if one.when else one.title, _LONGEST_WANTED) for one in near[:_MOST_WANTED]]
    return (talk.says("helper.wanted", titles="、".join(titles)),) if titles else ()


def _in_words(talk: Talk) -> str:
    """What they can do, as the desk reads it: their own words, then the button's."""
    kind = talk.note("kind")
    return "／".join(part for part in (talk.note("skill"), talk.town.label(kind, "ja") if kind else None) if part)


def _names_a_time(talk: Talk) -> bool:
    return says_one_of(talk.text, talk.town.typed("times"))


def offered(talk: Talk) -> Turn:
    """説明会の日 is the yes to being written down; また今度 leaves nothing behind."""
    match talk.choice:
        case "info_day":
            effects = (
                RecordConsent(purpose="offer", recipient=talk.town.base.town.desk_name, items=("skill", "when")),
                RecordOffer(skill=_in_words(talk), when=talk.note("when") or ""),
            )
            return talk.ended().noting(skill=None, kind=None, when=None).ask("consult.open", "helper.written", choices=("!human",), effects=effects)
        case "another_time":
            return _another_time(talk)
        case _ if _tells_a_worry(talk):
            return consult.worry_written(_not_written_down(talk).new_worry())
        case _ if talk.session.misses == 0:
            return talk.ask_again("helper.offered_again")
        case _:
            return _another_time(talk)
