"""D8: to a human and back. A human may be asked for in every state; what was told goes along only if the resident says so.

In opening hours the coordinator owns the talk from the end of this flow on, and the bot is silent (I3). Outside them nobody would answer: the bot
stays, writes down what comes, and says truthfully when it will be read (8b).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, Literal

from flows import answers, moments
from flows.filling import Town, fill, line_in_words
from flows.household import relatives
from flows.letters import shortened
from flows.model import Effect, OpenCase, RecordConsent, Reply, Scene, Session, SheetLine, Turn, Utterance
from flows.sheet import sheet_of
from flows.talk import Talk, having_said
from knowledge.hearing.model import Level

CONSENT_VERSION: Final = 3
"""Version of the explanation given in D1."""
Reason = Literal["asked_human", "nothing_fits", "entangled", "danger", "unclear", "failure", "third_person", "follow_up", "returned"]
_MOST_TOPICS: Final = 3
_NEAR_ENOUGH: Final = 0.3
"""Confidence from which a service that was not shown, because it does not fit, still says what the worry is about (D5)."""
_LATE_MINUTES: Final = 40
"""Of opening time: what a delayed answer is put off by, once (8c)."""
_HUNTED: Final = frozenset({"partner_violence", "stalking_threat", "forced_confinement"})
"""Kinds after which the desk shows no title before the case is opened (D6d)."""


def wants_human(talk: Talk) -> Turn:
    """人と話す, in any state. A case is opened at once: whoever never answers the next question still waits in the queue."""
    if talk.at in ("handoff.waiting", "handoff.share"):
        return talk.stay(promise(talk))
    wish = SheetLine(about="wish", text=shortened(talk.text, 40) or talk.town.label("human", "ja"), refs=talk.said.refs)
    opened = open_case(talk, "asked_human", share=False, only=(wish,), take_over=False)
    question = talk.says("handoff.share")
    return talk.ask("handoff.share", question, promise(talk), choices=("share", "not_share"), effects=(opened,), ends_as="queued")


def shared_or_not(talk: Talk) -> Turn:
    """May the story go along? Silence or anything unclear is no."""
    match talk.choice:
        case "share":
            consent = RecordConsent(purpose="handoff", recipient=talk.town.base.town.desk_name, items=("story",), version=CONSENT_VERSION)
            return hand_over(talk, "asked_human", talk.says("handoff.shared"), effects=(consent,))
        case None if talk.session.misses == 0:
            return talk.remembering().ask_again(*(("handoff.noted",) if talk.text else ()), "handoff.share_unclear")
        case _:
            return hand_over(talk, "asked_human", talk.says("handoff.not_shared"), share=False)


def hand_over(
    talk: Talk, reason: Reason, *bubbles: Reply, level: Level = "L0", share: bool = True, extra: Sequence[SheetLine] = (),
    effects: Iterable[Effect] = (),
) -> Turn:  # fmt: skip
    """The last thing the bot says: the case opens, and the talk is the coordinator's as soon as one is there."""
    opened = open_case(talk, reason, level=level, share=share, extra=extra, only=None if share else tuple(extra))
    told = talk.with_(sheet=()).noting(told=str(len(talk.session.story)), share=None if share else "no")
    return _wait(told, *bubbles, effects=(*effects, opened))


def while_waiting(talk: Talk) -> Turn:
    """The desk is closed, or nobody has taken the talk yet: what comes is written down for them, and no more is promised."""
    if talk.choice == "machine":
        return ask_machine(talk)
    if talk.scene.open_case is None:
        return come_back(talk)
    if not talk.text:
        return talk.stay("handoff.noted_thing", ends_as="queued")
    talk = talk.remembering()
    opened = open_case(talk, "asked_human", share=talk.note("share") != "no")
    return _wait(talk.noting(told=str(len(talk.session.story))), talk.says("handoff.noted"), *_promised(talk), effects=(opened,))


def _promised(talk: Talk) -> tuple[Reply, ...]:
    """The promise, unless the last turn told this very one."""
    return talk.unless_just_said(promise(talk.noting(said=None)))


def _wait(talk: Talk, *bubbles: Reply, effects: Iterable[Effect] = ()) -> Turn:
    """In opening hours the talk is the coordinator's now, and a button of the bot would lead nowhere (I3)."""
    choices = () if talk.desk.is_there else ("machine", "!stop")
    return talk.ask("handoff.waiting", *bubbles, choices=choices, effects=effects, ends_as="queued")


# ---------------------------------------------------------------- back from a human


def handback(session: Session, scene: Scene, town: Town, coordinator_name: str) -> Turn:
    """The coordinator ends for today: what is written later comes back to them, or the machine answers (D8)."""
    talk = Talk(session.model_copy(update={"back": (), "sheet": ()}), Utterance(), scene, town)
    talk = talk.new_worry().noting(told=str(len(session.story)), asked=None)
    return talk.ask("handoff.returned", talk.says("handback.ended", name=shortened(coordinator_name, 12)), choices=("machine", "no_more"))


def after_return(talk: Talk) -> Turn:
    """Written after a coordinator had ended: to them again, unless the machine is wanted (8e)."""
    match talk.choice:
        case "machine":
            return ask_machine(talk)
        case "no_more":
            return talk.ask("handoff.returned", "handback.no_more", choices=("machine",))
        case _ if answers.says_nothing_but(talk.text, talk.town.typed("thanks")):
            return talk.stay("odd.thanks", ends_as="acknowledged")
        case _:
            return come_back(talk)


def ask_machine(talk: Talk) -> Turn:
    """The bot begins anew; nothing of the earlier talk is recited (R13)."""
    at = "consult.open" if talk.session.consented is not None else "consent.start"
    return talk.new_worry().ask(at, "handback.machine", choices=("!human",))


def come_back(talk: Talk) -> Turn:
    """8e: to the desk that was talked with before, without a word about the earlier matter."""
    if not talk.text:
        return talk.stay("handoff.noted_thing")
    talk = talk.remembering()
    opened = open_case(talk, "returned", share=talk.note("share") != "no")
    told = talk.noting(told=str(len(talk.session.story)))
    return _wait(told, talk.says("handback.again"), *_promised(talk), effects=(opened,))


def other_coordinator(session: Session, town: Town, name: str, other: str) -> str:
    """8f: the sentence in which a coordinator tells that a colleague takes over; in the resident's language, said once."""
    wording = town.wordings("handback.other", session.lang)[0]
    return fill(wording, {"name": shortened(name, 12), "other": shortened(other, 12)}, session.lang, town)


def late_until(scene: Scene, town: Town) -> datetime | None:
    """The time that may be named when a promise is missed: counted in opening hours; None when nobody is there to keep it."""
    desk = moments.desk_at(scene.model_copy(update={"reply_minutes": _LATE_MINUTES}), town.base.town)
    return desk.answers_by if desk.is_there or desk.state == "closed" else None


def promise_late(session: Session, scene: Scene, town: Town, until: datetime | None) -> Turn:
    """8c: the promised time will be missed; said before it is. Neutral: it is pushed (R12). Without `until` no new time is named (G7)."""
    talk = Talk(session, Utterance(), scene, town)
    if until is None:
        said = talk.says("handoff.late_again", tel=town.base.town.tel or line_in_words("yorisoi", session.lang, town))
    else:
        said = talk.says("handoff.late", time=moments.when(until, scene.now, town.words(session.lang).clock))
    return Turn(session=having_said(session, (said,)), replies=(said,), ends_as="queued")


def lost(talk: Talk) -> Turn:
    """The step no longer exists after an update: a human, never an error (I7)."""
    talk = talk.remembering()
    return hand_over(talk, "failure", talk.says("handoff.lost"), promise(talk))


# ---------------------------------------------------------------- what is promised


def promise(talk: Talk) -> Reply:
    """When a human reads and answers: only what is certain (G7)."""
    desk, words = talk.desk, talk.town.words(talk.session.lang).clock
    if not _HUNTED.isdisjoint(talk.session.danger.kinds):
        return talk.says("promise.quiet")  # a time would be a promise to write when somebody else may hold the phone (D6d)
    if desk.answers_by is None or desk.reads_at is None:
        return talk.says("promise.nobody" if desk.state in ("nobody", "closed") else "promise.no_time")
    answer = moments.when(desk.answers_by, talk.scene.now, words)
    if desk.state == "closed":
        return talk.says("promise.closed", read=moments.when(desk.reads_at, talk.scene.now, words), answer=answer)
    if talk.scene.waiting:
        return talk.says("promise.queue", waiting=str(talk.scene.waiting), answer=answer)
    return talk.says("promise.open", answer=answer)


def next_reading(talk: Talk) -> str | None:
    """次の開庁 in words; None when it is not known."""
    desk = talk.desk
    if desk.reads_at is None:
        return None
    return moments.when(desk.reads_at, talk.scene.now, talk.town.words(talk.session.lang).clock)


# ---------------------------------------------------------------- the case


def open_case(
    talk: Talk, reason: Reason, *, level: Level = "L0", share: bool = True, only: Sequence[SheetLine] | None = None, extra: Sequence[SheetLine] = (),
    take_over: bool | None = None,
) -> OpenCase:  # fmt: skip
    """The case as a flow opens it. `only` is the whole sheet of a resident who shares nothing; `extra` lines stand before the story."""
    desk = talk.desk
    session = talk.session
    return OpenCase(
        level=max(level, session.danger.level),
        reason=reason,
        sheet=tuple(only) if only is not None else (*extra, *sheet_of(talk)),
        share_story=share,
        promise_at=desk.answers_by,
        gap_reasons=session.gap_reasons if share else (),
        tried=session.tried if share else (),
        topics=_topics(talk) if share else (),
        household=relatives(session.story, talk.town) if share and only is None else (),
        restricted=not _HUNTED.isdisjoint(session.danger.kinds),
        take_over=desk.is_there if take_over is None else take_over,
    )


def _topics(talk: Talk) -> tuple[str, ...]:
    """Topics of the national form, from the services the worry led to; where nothing fitted, from the nearest one."""
    entries = talk.town.base.entries
    led: Sequence[str] = (*talk.session.needs, *talk.session.shown)
    if not led and talk.worry.strip():
        led = [one.id for one in talk.town.base.hearing.rank(talk.worry, limit=1) if one.score >= _NEAR_ENOUGH]
    found = (topic for one in led if one in entries for topic in entries[one].topics[:1])
    return tuple(dict.fromkeys(found))[:_MOST_TOPICS]
