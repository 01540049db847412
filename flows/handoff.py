"""D8: to a human and back. A human may be asked for in every state; what was told goes along only if the resident says so.

In opening hours the coordinator owns the talk from the end of this flow on, and the bot is silent (I3). Outside them nobody would answer: the bot stays,
writes down what comes, and says truthfully when it will be read (8b).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from flows import moments
from flows.filling import Town
from flows.model import OpenCase, RecordConsent, Reply, Scene, Session, SheetLine, StopFollowUps, Turn, Utterance
from flows.moments import Desk, desk_at
from flows.sheet import sheet_of, shortened
from flows.talk import Talk
from knowledge.hearing.model import Level

CONSENT_VERSION: Final = 3
"""Version of the explanation in D1."""
Reason = Literal["asked_human", "nothing_fits", "entangled", "danger", "unclear", "failure", "third_person", "follow_up", "returned"]
_MOST_TOPICS: Final = 3


def wants_human(talk: Talk) -> Turn:
    """人と話す, from any state: a case is opened at once, so that whoever never answers the next question still waits in the queue."""
    if talk.at in ("handoff.waiting", "handoff.share"):
        return wait(talk, talk.says("handoff.still"))
    desk = desk_at(talk.scene, talk.town)
    wish = SheetLine(about="wish", text=shortened(talk.text or talk.town.label("human", "ja"), 40), refs=talk.said.refs)
    if not talk.session.story:
        return hand_over(talk, "asked_human", *promise(talk, desk, first=True), extra=(wish,))
    opened = open_case(talk, "asked_human", share=False, only=(wish,), desk=desk)
    return talk.ask("handoff.share", "handoff.share", *promise(talk, desk, first=True), choices=("share", "not_share"), effects=(opened,), ends_as="queued")


def shared_or_not(talk: Talk) -> Turn:
    """May the story go along? Silence or anything else is no."""
    match talk.choice:
        case "share":
            consent = RecordConsent(purpose="handoff", recipient=talk.town.base.town.desk_name, items=("story",), version=CONSENT_VERSION)
            return hand_over(talk, "asked_human", talk.says("handoff.shared"), effects=(consent,))
        case "not_share":
            return hand_over(talk, "asked_human", talk.says("handoff.not_shared"), share=False)
        case _ if talk.session.misses == 0:
            return talk.ask_again("handoff.share_unclear")
        case _:
            return hand_over(talk, "asked_human", talk.says("handoff.not_shared"), share=False)


def hand_over(
    talk: Talk, reason: Reason, *bubbles: Reply, level: Level = "L0", share: bool = True, extra: Sequence[SheetLine] = (),
    effects: Sequence[RecordConsent] = (), restricted: bool = False,
) -> Turn:  # fmt: skip
    """The last thing the bot says: the case, the promise, and whose the talk is from now on."""
    desk = desk_at(talk.scene, talk.town)
    only = tuple(extra) if not share else None
    opened = open_case(talk, reason, level=level, share=share, only=only, extra=extra, desk=desk, restricted=restricted)
    return wait(talk.noting(told=str(len(talk.session.story))), *bubbles, effects=(*effects, opened))


def wait(talk: Talk, *bubbles: Reply, effects: Sequence[RecordConsent | OpenCase] = ()) -> Turn:
    """The talk is with a human, or will be when the desk opens."""
    return talk.ask("handoff.waiting", *bubbles, choices=("machine", "!stop"), effects=effects, ends_as="queued")


def while_waiting(talk: Talk) -> Turn:
    """The desk is closed, or nobody has taken the talk yet: what comes is written down for them, nothing else is promised."""
    if talk.choice == "machine":
        return talk.new_worry().ask("consult.open", "returned.machine", choices=("!human",))
    return wait(*_written_down(talk, "asked_human"))


def _written_down(talk: Talk, reason: Reason) -> tuple[Talk, Reply, OpenCase]:  # type: ignore[return]
    raise NotImplementedError


# ---------------------------------------------------------------- the case


def open_case(
    talk: Talk, reason: Reason, *, level: Level = "L0", share: bool = True, only: Sequence[SheetLine] | None = None, extra: Sequence[SheetLine] = (),
    desk: Desk | None = None, restricted: bool = False, take_over: bool | None = None,
) -> OpenCase:  # fmt: skip
    """The case as the flows open it. `only` = the whole sheet, for a resident who shares nothing; `extra` lines stand before the story."""
    desk = desk or desk_at(talk.scene, talk.town)
    session = talk.session
    return OpenCase(
        level=max(level, session.danger.level),
        reason=reason,
        sheet=tuple(only) if only is not None else (*extra, *sheet_of(talk)),
        share_story=share,
        promise_at=desk.answers_by,
        gap_reasons=session.gap_reasons,
        tried=session.tried,
        topics=_topics(talk),
        restricted=restricted or "partner_violence" in session.danger.kinds,
        take_over=desk.is_there if take_over is None else take_over,
    )
