"""D9: two weeks later, one neutral question, only because it was wished for. Then the branches of its answer."""

from datetime import datetime, time, timedelta
from typing import Final

from flows import consult, helper
from flows.filling import Town
from flows.handoff import hand_over, promise
from flows.model import RecordConsent, RecordGap, RecordOutcome, Scene, ScheduleFollowUp, Session, StopFollowUps, Turn, Utterance
from flows.talk import Talk
from flows.typed import plain, says_one_of

_AGAIN_AFTER: Final = timedelta(days=7)
_AT: Final = time(11)


def follow_up(session: Session, scene: Scene, town: Town) -> Turn:
    """The push: neutral, because the phone may be in another hand (R12). A wished reminder has its own words (2b)."""
    talk = Talk(session.model_copy(update={"back": ()}), Utterance(), scene, town).noting(asked=None)
    if talk.note("remind"):
        return talk.ended().noting(remind=None).ask("consult.open", "follow_up.open_now", choices=("!human",))
    return talk.ask("followup.asked", "follow_up.how_are_you", choices=("better", "same", "could_not_go", "no_more_mail"))


def how_it_went(talk: Talk) -> Turn:
    """よくなった, 変わらない, 行けなかった, もういらない; anything else is a new worry."""
    match talk.choice:
        case "better":
            outcome = RecordOutcome(outcome="better", cards=talk.session.shown)
            if helper.may_invite(talk):
                talk, question = helper.inviting(talk.ended())
                return talk.ask("helper.invited", "follow_up.better", question, choices=("hear_more", "not_now"), effects=(outcome,))
            return talk.ended().ask("consult.open", "follow_up.better", choices=("!human",), effects=(outcome,))
        case "same":
            outcome = RecordOutcome(outcome="same", cards=talk.session.shown)
            return talk.ask("followup.together", "follow_up.same", choices=("please", "not_now"), effects=(outcome,))
        case "could_not_go":
            outcome = RecordOutcome(outcome="could_not_go", cards=talk.session.shown)
            choices = ("no_time", "heavy", "refused", "other_reason")
            return talk.ask("followup.why", "follow_up.why", choices=choices, effects=(outcome,))
        case "no_more_mail":
            effects = (StopFollowUps(), RecordOutcome(outcome="no_more"))
            return talk.ended().ask("consult.open", "follow_up.stopped", effects=effects)
        case _ if says_one_of(talk.text, talk.town.typed("refused")):
            return _refused(talk.remembering())
        case _ if talk.has_words and consult.listen(talk.new_worry().remembering()).reason not in ("thin", "smalltalk"):
            return consult.worry_written(talk.new_worry())
        case _:
            return talk.ask_again("follow_up.how_again")


def why_not(talk: Talk) -> Turn:
    """よくあることです. Each reason has its own next step."""
    if plain(talk.text) in talk.town.typed("forgot"):
        return _remind_again(talk)
    match talk.choice:
        case "heavy":
            return talk.ask("followup.together", "follow_up.go_along", choices=("please", "not_now"))
        case "no_time":
            return talk.ask("followup.together", "follow_up.other_hours", choices=("please", "not_now"))
        case "refused":
            return _refused(talk)
        case "other_reason":
            return talk.ask("followup.told", "follow_up.tell")
        case _ if talk.text:
            return talk.remembering().ask("followup.together", "follow_up.together", choices=("please", "not_now"))
        case _:
            return talk.ask_again("follow_up.why_again")


def _refused(talk: Talk) -> Turn:
    """Sent away: counted, and a person is offered."""
    refused = talk.with_(gap_reasons=tuple(dict.fromkeys((*talk.session.gap_reasons, "refused_by_office"))))
    effect = RecordGap(reasons=("refused_by_office",), domain=talk.session.domain)
    return refused.ask("followup.together", "follow_up.refused", choices=("please", "not_now"), effects=(effect,))


def other_reason_told(talk: Talk) -> Turn:
    """ほかの理由, in the resident's words."""
    if not talk.text:
        return talk.ask_again("follow_up.tell")
    return talk.remembering().ask("followup.together", "follow_up.together", choices=("please", "not_now"))


def together(talk: Talk) -> Turn:
    """人と一緒に考えますか."""
    match talk.choice:
        case "please":
            consent = RecordConsent(purpose="handoff", recipient=talk.town.base.town.desk_name, items=("story", "tried"))
            return hand_over(talk, "follow_up", talk.says("handoff.shared"), promise(talk), effects=(consent,))
        case "not_now":
            return talk.ended().ask("consult.open", "follow_up.not_now", choices=("!human",))
        case _ if talk.text:
            return consult.worry_written(talk.new_worry())
        case _:
            return talk.ask_again("follow_up.together_again")


def _remind_again(talk: Talk) -> Turn:
    at = datetime.combine(talk.scene.now.date() + _AGAIN_AFTER, _AT, tzinfo=talk.scene.now.tzinfo)
    return talk.ended().ask("consult.open", "follow_up.again_in_a_week", choices=("!human",), effects=(ScheduleFollowUp(at=at),))
