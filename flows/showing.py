"""D2: the cards, what was wrong with them, and the offer to ask again in two weeks. Each says why it came; a hunted person is pushed nothing."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Final

from flows import answers, asking, consult, gap, handoff, moments
from flows.by_itself import by_itself
from flows.cards import MOST_CARDS, all_closed, cards, gently, needs_area, why_of
from flows.letters import sentences, shortened, stretches, to_a_pause
from flows.model import RecordConsent, RecordMatch, RecordOutcome, Reply, ScheduleFollowUp, SheetLine, Turn
from flows.talk import Talk, last_bubbles
from flows.typed import plain, says_one_of
from knowledge.hearing.model import Hearing, Match

FOLLOW_UP_AFTER: Final = timedelta(days=14)
_FOLLOW_UP_AT: Final = time(11)
_EARLIEST_PUSH: Final = time(10)
"""Nothing is pushed before ten (D9)."""
_ABOUT_AS_WELL: Final = 0.3
"""Share of the best score."""
_READ_FOR_REFLECTION: Final = 12
_LONGEST_AREA: Final = 20
_A_NAME: Final = 4
"""Letters from which a keyword is taken for a name; 「介護」 is none."""
_PLACES: Final = ("fureai-salon", "tasedai-kyoten", "ibasho-koritsu", "smartphone-kyoushitsu")
"""Where somebody goes who asks for company, not for a service (D10c)."""
_AFTER_A_DEATH: Final = ("okuyami-madoguchi", "grief-care")
"""Where a word for the loss comes before the list (D6j)."""


def show(talk: Talk, hearing: Hearing) -> Turn:
    """A clear worry: where it depends on the district, one question first (2c)."""
    matches = _not_shown_before(talk, hearing)
    if not matches:
        return gap.begin(talk)
    entries = talk.town.base.entries
    places = any(needs_area(entries[match.id]) for match in matches[:MOST_CARDS] if match.id in entries)
    if places and talk.session.area is None and talk.session.questions < consult.MOST_QUESTIONS:
        asked = talk.with_(questions=talk.session.questions + 1)
        return asked.ask("consult.area", "area.question", choices=("area_unknown",))
    return _show_matches(talk, hearing, matches)


def _not_shown_before(talk: Talk, hearing: Hearing) -> list[Match]:
    """Best first; what was called wrong, or was tried, does not come again."""
    refused = {*(talk.session.shown if talk.note("wrong") else ()), *_sent_away_by(talk, hearing)}
    found: dict[str, Match] = {}
    for need in hearing.needs:
        for match in need.services:
            if match.id not in refused:
                found.setdefault(match.id, match)
    order = [one for one in hearing.cards if one in found] or sorted(found, key=lambda one: -found[one].score)
    return _own_doors_first(talk, [found[one] for one in gently(talk, order)])


def _sent_away_by(talk: Talk, hearing: Hearing) -> Iterator[str]:
    """Services named where somebody tells that they were refused: 「ファミサポも夜明けは無理と言われた」."""
    told = [plain(one) for one in talk.session.tried]
    for match in (match for need in hearing.needs for match in need.services if match.id in talk.town.base.entries):
        entry = talk.town.base.entries[match.id]
        names = {plain(one) for one in (entry.name, *entry.keywords)}
        if any(len(name) >= _A_NAME and name in one for name in names for one in told):
            yield match.id


def _own_doors_first(talk: Talk, order: list[Match]) -> list[Match]:
    """Among what fits about as well, an office of the town whose facts were checked stands before a national line that nobody checked (D2)."""
    if not order:
        return order
    entries, near = talk.town.base.entries, order[0].score * _ABOUT_AS_WELL

    def far(match: Match) -> tuple[bool, bool]:
        entry = entries.get(match.id)
        own = entry is not None and entry.checked.on is not None and any(contact.hotline is None for contact in entry.contacts)
        return match.score < near, not own

    return [*sorted(order[:MOST_CARDS], key=far), *order[MOST_CARDS:]]


def area_answered(talk: Talk) -> Turn:
    """お住まいはどのあたりですか. Not saying is an answer: the number for the whole town (2c)."""
    said = shortened(talk.text.splitlines()[0], _LONGEST_AREA) if talk.text and talk.choice is None else ""
    hearing = consult.listen(talk)
    talk = talk.with_(area=said)
    return _show_matches(talk, hearing, _not_shown_before(talk, hearing))


def _show_matches(talk: Talk, hearing: Hearing, matches: Sequence[Match]) -> Turn:
    ids = tuple(match.id for match in matches[:MOST_CARDS])
    if any(match.id in _PLACES for match in matches[:2]) and says_one_of(talk.worry, talk.town.typed("company")):
        ids = tuple(dict.fromkeys((*(one for one in ids if one in _PLACES), *(one for one in _PLACES if one in talk.town.base.entries))))[:MOST_CARDS]
    why = why_of(hearing)
    own = _telling(talk, [word for one in ids for word in why.get(one, ())])
    return show_cards(talk, ids, why, score=matches[0].score if matches else 0.0, own=own)


def _telling(talk: Talk, why: Sequence[str]) -> str:
    """What to give back: the stretch with most of the words that led to these cards. No cry (「もう限界」, 「死にたい」) is ever given back."""
    if talk.session.danger.level in ("L2", "L3"):
        return ""
    filler, role = talk.town.typed("filler"), talk.town.typed("my_role")
    worry = "\n".join(one for one in sentences(talk.worry) if plain(one) not in role)
    told = [rest if rest and plain(head) in filler else one for one in stretches(worry) for head, _, rest in (one.partition("、"),)]
    told = [one for one in told if plain(one) not in filler]
    by_reasons = sorted(told[:_READ_FOR_REFLECTION], key=lambda one: -sum(word in one for word in why))
    return next((one for one in by_reasons if not talk.town.base.danger.scan(one).heard), "")


def show_cards(talk: Talk, ids: Sequence[str], why: Mapping[str, Sequence[str]], *, score: float = 0.0, own: str = "") -> Turn:
    """The cards, and whether they are right. Closed now: the offer to be told when they open (2b)."""
    shown = cards(talk, ids, why)
    if not shown:
        return gap.begin(talk)
    talk = talk.with_(shown=tuple(dict.fromkeys((*talk.session.shown, *(card.id for card in shown))))).noting(
        cards=" ".join(card.id for card in shown), wrong=None
    )
    opens = all_closed(talk, [card.id for card in shown]) if _may_push(talk) else None
    count = talk.says("cards.count", count=str(len(shown))) if len(shown) > 1 else talk.says("cards.one")
    talk, before = _before_cards(talk, own)
    if any(card.id in _AFTER_A_DEATH for card in shown[:1]):
        before = talk.says("cards.sorrow").text + talk.town.words(talk.session.lang).clock["space"]
    first = Reply(text=f"{before}{count.text}", key=count.key, cards=shown)
    choices = ("right", "wrong", "tell_me", "!human") if opens else ("right", "wrong", "!human")
    effect = RecordMatch(cards=tuple(card.id for card in shown), score=score, decision="answer", knowledge=talk.town.base.version)
    if _may_hide_violence(talk):
        return talk.noting(safe="asked").ask("consult.safe", first, "safe.question", choices=("am_safe", "am_not_safe", "!human"), effects=(effect,))
    if any(card.id in _PLACES for card in shown):
        choices = ("right", "wrong", "go_along", "!human")
        return talk.ask("consult.shown", first, "places.first_time", "cards.right", choices=choices, effects=(effect,))
    return talk.ask("consult.shown", first, "cards.right", choices=choices, effects=(effect,))


def _before_cards(talk: Talk, own: str) -> tuple[Talk, str]:
    """In Japanese one line in the resident's own words (D2); in another language, once, that a machine answers (D12)."""
    if talk.session.lang == "ja":
        return talk, talk.says("cards.reflect", said=by_itself(to_a_pause(own, 28))).text if own else ""
    if talk.session.lang == "easy" or talk.note("machine_told"):
        return talk, ""
    return talk.noting(machine_told="yes"), talk.says("cards.machine").text + talk.town.words(talk.session.lang).clock["space"]


def _may_hide_violence(talk: Talk) -> bool:
    """A worry about parting may hide violence: asked once, in every language (D12)."""
    said = plain(talk.worry)
    return talk.note("safe") is None and not talk.session.danger.heard and any(word in said for word in talk.town.typed("parting"))


def cards_answered(talk: Talk) -> Turn:
    """合っていますか."""
    shown = tuple((talk.note("cards") or "").split())
    match talk.choice:
        case "right":
            return offer_follow_up(talk, RecordOutcome(outcome="right", cards=shown))
        case "wrong":
            choices = ("other_matter", "not_mine", "been_there", "!human")
            return talk.ask("consult.wrong", "wrong.what", choices=choices, effects=(RecordOutcome(outcome="wrong", cards=shown),))
        case "tell_me":
            return _tell_when_open(talk, shown)
        case "go_along":
            wish = SheetLine(about="wish", text=talk.town.label("go_along", "ja"), source="confirmed")
            return handoff.hand_over(talk, "asked_human", talk.says("handoff.connect"), handoff.promise(talk), extra=(wish,))
        case _ if talk.said.sticker_ok:
            return offer_follow_up(talk, RecordOutcome(outcome="right", cards=shown))
        case _ if says_one_of(talk.text, talk.town.typed("refused")):
            return gap.begin(talk.remembering())  # they have been there, and were sent away (D2d, D5)
        case _ if answers.says_nothing_but(talk.text, talk.town.typed("thanks")):
            return talk.ended().ask("consult.open", "odd.thanks", choices=("!human",))
        case _ if talk.text:
            fresh = talk.new_worry().remembering()
            alone = consult.listen(fresh)
            if _is_nothing(fresh, alone):
                return talk.remembering().ask_again("cards.right_again")
            turn = consult.hear_worry(fresh, alone) if alone.decision == "answer" else consult.hear_worry(talk.remembering())
            same = turn.session.step == "shown" and turn.session.notes.get("cards") == talk.note("cards")
            return talk.remembering().ask_again("cards.right_again") if same else turn
        case _:
            return talk.ask_again("cards.right_again")


def says_nothing(talk: Talk) -> bool:
    """No word by which anything could be heard."""
    fresh = talk.new_worry().remembering()
    return _is_nothing(fresh, consult.listen(fresh))


def _is_nothing(talk: Talk, alone: Hearing) -> bool:
    """うーん, 自分: no word by which anything could be heard. Whoever wants somebody to listen has said enough."""
    return alone.reason == "thin" and not alone.cards and not asking.wants_an_ear(talk.latest, talk.town)


def what_was_wrong(talk: Talk) -> Turn:
    """2d: another matter, somebody else's, or tried already (which points to a gap, D5)."""
    shown = tuple((talk.note("cards") or "").split())
    match talk.choice:
        case "other_matter":
            return talk.noting(wrong="yes").ask("consult.open", "wrong.tell", choices=("!human",))
        case "not_mine":
            asked = talk.with_(questions=talk.session.questions + 1)
            return asked.ask("consult.whose", "whose.question", choices=("self", "parent", "child", "family_other"))
        case "been_there":
            names = tuple(talk.town.base.entries[one].name for one in shown if one in talk.town.base.entries)
            been = talk.with_(tried=tuple(dict.fromkeys((*talk.session.tried, *names[:1]))))
            turn = gap.begin(been)
            return turn.model_copy(update={"effects": (RecordOutcome(outcome="been_there", cards=shown), *turn.effects)})
        case _ if says_one_of(talk.text, talk.town.typed("refused")):
            return gap.begin(talk.remembering())
        case _ if talk.text and not says_nothing(talk):
            return consult.hear_worry(talk.remembering().noting(wrong="yes"))
        case _:
            return talk.ask_again("wrong.what_again")


# ---------------------------------------------------------------- two weeks later, if wanted


def offer_follow_up(talk: Talk, outcome: RecordOutcome) -> Turn:
    """「その後どうですか」とだけ聞いてもいいですか. Never offered where a push could be read by somebody dangerous (D6d)."""
    if not _may_push(talk):
        return talk.ended().ask("consult.open", "cards.glad", choices=("!human",), effects=(outcome,))
    return talk.ask("consult.follow_up", "cards.glad", "follow_up.may_we", choices=("please_ask", "no_need"), effects=(outcome,))


def follow_up_answered(talk: Talk) -> Turn:
    """Only a clear yes is a yes."""
    match talk.choice:
        case "please_ask":
            at = datetime.combine(talk.scene.now.date() + FOLLOW_UP_AFTER, _FOLLOW_UP_AT, tzinfo=talk.scene.now.tzinfo)
            effects = (_push_consent(talk), ScheduleFollowUp(at=at))
            return talk.ended().ask("consult.open", "follow_up.promised", choices=("!human",), effects=effects)
        case None if talk.text and not says_nothing(talk):
            return consult.worry_written(talk.new_worry())
        case _:
            return talk.ended().ask("consult.open", "follow_up.none", choices=("!human",))


def _tell_when_open(talk: Talk, shown: Sequence[str]) -> Turn:
    """2b [明日の朝に知らせて]: one neutral line when it is open, never before ten."""
    opens = all_closed(talk, shown)
    if opens is None:
        return talk.ask_again("cards.right_again")
    at = max(opens, datetime.combine(opens.date(), _EARLIEST_PUSH, tzinfo=opens.tzinfo))
    moment = moments.when(at, talk.scene.now, talk.town.words(talk.session.lang).clock)
    effects = (_push_consent(talk), ScheduleFollowUp(kind="open_tomorrow", at=at))
    said = talk.says("follow_up.reminder", moment=moment)
    return talk.ended().noting(remind="yes").ask("consult.open", said, choices=("!human",), effects=effects)


def _push_consent(talk: Talk) -> RecordConsent:
    return RecordConsent(purpose="follow_up", recipient=talk.town.base.town.desk_name, days=30)


def _may_push(talk: Talk) -> bool:
    hunted = {"partner_violence", "stalking_threat", "forced_confinement"}
    return hunted.isdisjoint(talk.session.danger.kinds)


# ---------------------------------------------------------------- back at the cards


def cards_again(talk: Talk, *first: Reply) -> Turn:
    """もどる to the cards: they are shown again, because their bubble is far up by now."""
    why = why_of(consult.listen(talk)) if talk.worry else {}
    turn = show_cards(talk, (talk.note("cards") or "").split(), why)
    return last_bubbles(turn, *first)
