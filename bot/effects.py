"""Carries out what a turn of the flows asks for, in the transaction that stores the turn (design.md §2)."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from bot.clock import JST
from flows import model
from knowledge.hearing.model import Level
from storage import audit, cases, erasure, gaps, helping, household, records
from storage import talk as talks
from storage.talk import Talk

URGENCY: dict[Level, int] = {"L0": 0, "L1": 1, "L2": 2, "L3": 3}
RETURNED = "returned"
"""The promise that somebody reacts to a resident who came back; when it falls due, the case waits for everybody (D8e)."""
FOLLOW_UP_SILENT = "follow_up_silent"
"""The promise to see whether the question of D9 was answered; nobody is asked twice."""
_ASKED_UNPROMPTED = ("how_are_you", "open_tomorrow", FOLLOW_UP_SILENT, helping.ENDS)
_TITLE_LENGTH = 40
_AS_TOLD = "本人の話から（未確認）"
_ERASE_AT = 3
"""Hour of the night after, Japanese time."""


@dataclass(frozen=True)
class Done:
    """What the effects of one turn changed."""

    talk: Talk
    alarmed: bool = False
    case_id: str | None = None


def carry_out(session: Session, talk: Talk, effects: tuple[model.Effect, ...], now: datetime, *, return_after: timedelta) -> Done:
    """Carry out the effects in order. The talk that comes back is not yet saved.

    `return_after`: how long the coordinator of a resident who comes back has to react before the case is everybody's again (D8e).
    """
    done = Done(talk)
    for effect in effects:
        done = _one(session, done, effect, now, return_after)
    return done


def _one(session: Session, done: Done, effect: model.Effect, now: datetime, return_after: timedelta) -> Done:
    talk = done.talk
    match effect:
        case model.OpenCase():
            return _open_case(session, done, effect, now, return_after)
        case model.RaiseAlarm():
            return _raise_alarm(session, done, effect, now)
        case model.RecordConsent():
            _record_consent(session, talk, effect, now)
        case model.WithdrawConsent():
            records.withdraw_consent(session, effect.consent, now)
            helping.end_with_consent(session, effect.consent)
            audit.note(session, actor="resident", act="consent.withdrawn", now=now, consent=effect.consent)
            records.add_task(session, kind="consent_withdrawn", now=now, talk=talk)
        case model.ForgetWords():
            talks.forget_words(session, talk, effect.refs, now)
        case model.SuggestHiddenAddress():
            records.drop_promises(session, talk.id, _ASKED_UNPROMPTED, now)
            return replace(done, talk=replace(talk, hidden_address=True, follow_ups=False))
        case model.StopFollowUps():
            records.drop_promises(session, talk.id, _ASKED_UNPROMPTED, now)
            return replace(done, talk=replace(talk, follow_ups=False))
        case model.ScheduleFollowUp():
            if not talk.hidden_address:
                records.drop_promises(session, talk.id, (effect.kind,), now)
                records.promise(session, talk, kind=effect.kind, due_at=effect.at)
                return replace(done, talk=replace(talk, follow_ups=True))
        case model.RecordMatch():
            shown: dict[str, object] = {"cards": list(effect.cards), "score": round(effect.score, 4)}
            records.note_outcome(session, talk, kind="match", detail=shown | {"decision": effect.decision, "knowledge": effect.knowledge}, now=now)
        case model.RecordOutcome():
            records.drop_promises(session, talk.id, (FOLLOW_UP_SILENT,), now)
            records.note_outcome(session, talk, kind=effect.outcome, detail={"cards": list(effect.cards)}, now=now)
        case model.RecordGap():
            gaps.note(session, reasons=effect.reasons, domain=effect.domain, source="bot", now=now)
        case model.RecordWish():
            gaps.add_wish(session, wish=effect.wish, reasons=effect.reasons, domain=effect.domain, now=now)
        case model.RecordOffer():
            helping.note_offer(session, talk, skill=effect.skill, when=effect.when, now=now)
        case model.AnswerRenewal():
            (helping.renew_own if effect.goes_on else helping.end_own)(session, talk, now)
        case model.ReportThirdPerson():
            note = json.dumps({"where": effect.where, "seen": effect.seen}, ensure_ascii=False)
            records.add_task(session, kind="check_third_person", now=now, talk=talk, due_at=now + timedelta(days=1), note=note)
        case model.Erase():
            _erase(session, talk, effect, now)
        case model.TellLead():
            if not records.has_open_task(session, talk.id, effect.about):
                records.add_task(session, kind=effect.about, now=now, talk=talk)
        case model.Count():
            records.count(session, effect.name, now.astimezone(JST).date().isoformat())
    return done


def _record_consent(session: Session, talk: Talk, effect: model.RecordConsent, now: datetime) -> None:
    case = cases.open_of(session, talk.id)
    case_id = None if case is None else case.id
    consent = records.give_consent(
        session, talk, purpose=effect.purpose, recipient=effect.recipient, items=effect.items, days=effect.days, version=effect.version, now=now,
        case_id=case_id,
    )  # fmt: skip
    audit.note(session, actor="resident", act="consent.given", now=now, case_id=case_id, consent=consent, purpose=effect.purpose)


def _erase(session: Session, talk: Talk, effect: model.Erase, now: datetime) -> None:
    """All words at once, the rest in the night; whoever works on an open case is told (D11, R41)."""
    case = cases.open_of(session, talk.id)
    erasure.erase_words(session, talk, effect.receipt, now)
    tonight = (now.astimezone(JST) + timedelta(days=1)).replace(hour=_ERASE_AT, minute=0, second=0, microsecond=0)
    records.promise(session, talk, kind="erase", due_at=tonight)
    audit.note(session, actor="resident", act="talk.erased", now=now, case_id=None if case is None else case.id, receipt=effect.receipt)
    if case is not None:
        records.add_task(session, kind="erased", now=now, talk=talk, case_id=case.id)


def _open_case(session: Session, done: Done, effect: model.OpenCase, now: datetime, return_after: timedelta) -> Done:
    talk = done.talk
    sheet = json.dumps([line.model_dump() for line in effect.sheet], ensure_ascii=False)
    case = cases.open_or_add(
        session, talk, reason=effect.reason, urgency=URGENCY[effect.level], title=_title(effect), sheet=sheet, topics=effect.topics,
        shares_story=effect.share_story, restricted=effect.restricted or talk.hidden_address, promise_at=effect.promise_at, now=now,
    )  # fmt: skip
    household.as_told(session, case.id, talks.scope_of(talk.id), [_facts(one) for one in effect.household], now)
    if effect.promise_at is not None:
        records.drop_promises(session, talk.id, ("reply",), now)
        records.promise(session, talk, kind="reply", due_at=effect.promise_at, case_id=case.id)
    if case.came_back:
        records.promise(session, talk, kind=RETURNED, due_at=now + return_after, case_id=case.id)
    if effect.gap_reasons:
        domain = next(iter(effect.topics), None)
        gaps.note(session, reasons=effect.gap_reasons, domain=domain, source="bot", case_id=case.id, now=now)
    act = "case.opened" if case.new else "case.added"
    audit.note(session, actor="bot", act=act, now=now, case_id=case.id, reason=effect.reason, level=effect.level)
    return replace(done, talk=replace(talk, owner="human") if effect.take_over else talk, case_id=case.id)


def _facts(person: model.Relative) -> dict[str, str]:
    """A person of the home as 世帯 keeps them; that it was said, not asked or confirmed, stands beside it (I8)."""
    birth = "" if person.age is None else f"{person.age}歳"
    return {"relation": person.relation, "birth": birth, "note": _AS_TOLD, household.TOLD_IN: person.ref or ""}


def _raise_alarm(session: Session, done: Done, effect: model.RaiseAlarm, now: datetime) -> Done:
    case = cases.open_of(session, done.talk.id)
    case_id = None if case is None else case.id
    alarm = cases.raise_alarm(
        session, done.talk, case_id=case_id, level=effect.level, kinds=effect.kinds, rule=effect.rule,
        message_id=effect.refs[-1] if effect.refs else None, now=now,
    )  # fmt: skip
    if alarm is None:
        return done
    audit.note(session, actor="bot", act="alarm.raised", now=now, case_id=case_id, alarm=alarm, level=effect.level, rule=effect.rule)
    return replace(done, alarmed=True)


def _title(effect: model.OpenCase) -> str:
    """One line in the resident's words for the queue: the most urgent thing said, else the first worry."""
    for about in ("urgent", "worry", "need", "wish", "danger"):
        for line in effect.sheet:
            if line.about == about:
                return line.text.splitlines()[0][:_TITLE_LENGTH] if line.text else ""
    return ""
