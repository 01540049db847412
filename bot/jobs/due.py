"""What is due now: promises about to be missed, danger cards, follow-ups (`madoguchi due`, D6, D8c, D9).

Each is one transaction that reads the row again, so that running twice, or in two processes, changes nothing more.
"""

from collections.abc import Callable
from datetime import datetime, time, timedelta

from sqlmodel import Session as Rows

import flows
from bot import effects, reception, told
from bot.clock import JST
from bot.reception import Received, Rules
from storage import audit, cases, erasure, helping, records, referrals
from storage import talk as talks
from storage.records import DuePromise

LATE_BEFORE = timedelta(minutes=5)
"""D8c: the resident hears of a delay five minutes before the promised time."""
_AGAIN = "reply_again"
"""A promise that was put off once (D8c)."""
_FOLLOW_UP_HOURS = (time(10), time(18))
_SILENT_AFTER = timedelta(days=7)
_LATER = timedelta(days=1)


def look_ahead(now: datetime) -> datetime:
    """Promises of a reply are looked at five minutes early."""
    return now + LATE_BEFORE


def keep(rows: Rows, due: DuePromise, town: flows.Town, rules: Rules, now: datetime, split: reception.Split) -> Received:
    """Do what one due promise asks for."""
    talk = talks.by_id(rows, due.conversation_id)
    if talk is None or not records.is_open(rows, due.id):
        return Received(None)
    match due.kind:
        case "reply" | "reply_again":
            return _late(rows, due, talk, town, rules, now, split)
        case "danger_card":
            return _danger_card(rows, due, talk, town, rules, now, split)
        case "erase":
            erasure.finish(rows, talk.id, now)
            records.end_promise(rows, due.id, "kept", now)
            return Received(None, case_changed=True)
        case "how_are_you" | "open_tomorrow":
            return _follow_up(rows, due, talk, town, rules, now, split)
        case "referral_silent" if due.case_id is None or not referrals.is_silent(rows, due.case_id, now):
            records.end_promise(rows, due.id, "kept", now)
            return Received(talk.id)
        case "referral_silent":
            _ask_the_resident_too(rows, talk, due, now)
            records.end_promise(rows, due.id, "kept", now)
            records.add_task(rows, kind=due.kind, now=now, talk=talk, case_id=due.case_id, due_at=due.due_at)
            return Received(talk.id, case_changed=True)
        case helping.ENDS:
            return _offer_ends(rows, due, talk, town, rules, now, split)
        case helping.OVER:
            helping.drop_ended(rows, talk.id, now)
            records.end_promise(rows, due.id, "kept", now)
            return Received(talk.id)
        case effects.FOLLOW_UP_SILENT:
            return _not_answered(rows, due, talk, now)
        case effects.RETURNED:
            return _returned(rows, due, now)
        case _:
            records.end_promise(rows, due.id, "kept", now)
            records.add_task(rows, kind=due.kind, now=now, talk=talk, case_id=due.case_id, due_at=due.due_at)
            return Received(talk.id, case_changed=True)


def _ask_the_resident_too(rows: Rows, talk: talks.Talk, due: DuePromise, now: datetime) -> None:
    """An office is silent: only with what the person says of it is the picture true. Asked by the bot of those who said yes to being asked (D9);
    of all others, and while a human writes with them, by whoever sees to the task."""
    said_yes = any(one.purpose == "follow_up" and one.withdrawn_at is None for one in records.consents(rows, talk.id))
    if said_yes and talk.owner != "human":
        records.promise(rows, talk, kind="how_are_you", due_at=now, case_id=due.case_id)


def _late(rows: Rows, due: DuePromise, talk: talks.Talk, town: flows.Town, rules: Rules, now: datetime, split: reception.Split) -> Received:
    """Nobody has answered, and the promised time is near: say so before it is broken (D8c). The second delay names no time any more."""
    scene = told.scene_of(rows, talk, rules, now)
    until = None if due.kind == _AGAIN else flows.late_until(scene, town)
    records.end_promise(rows, due.id, "late", now)
    if talk.hidden_address:
        records.add_task(rows, kind="promise_late", now=now, talk=talk, case_id=due.case_id)
        return Received(talk.id, case_changed=True)
    turn = flows.promise_late(told.session_of(talk), scene, town, until)
    if until is not None:
        records.promise(rows, talk, kind=_AGAIN, due_at=until, case_id=due.case_id)
        if due.case_id is not None:
            cases.move_promise(rows, due.case_id, until)
    else:
        records.add_task(rows, kind="promise_late", now=now, talk=talk, case_id=due.case_id)
    return reception.say(reception.At(rows, town, rules, now, split), talk, turn, unasked=True)


def _returned(rows: Rows, due: DuePromise, now: datetime) -> Received:
    """Whoever had the case has not reacted to a resident who came back: it waits for everybody on duty (D8e)."""
    records.end_promise(rows, due.id, "late", now)
    if due.case_id is not None and cases.requeue(rows, due.case_id):
        audit.note(rows, actor="system", act="case.requeued", now=now, case_id=due.case_id)
    return Received(due.conversation_id, case_changed=True)


def _danger_card(rows: Rows, due: DuePromise, talk: talks.Talk, town: flows.Town, rules: Rules, now: datetime, split: reception.Split) -> Received:
    """L2 while a human owns the talk, and nobody has written for three minutes (D8): the card with the numbers."""
    records.end_promise(rows, due.id, "kept", now)
    if talk.owner != "human" or talks.wrote_after(rows, talk.id, "staff", due.due_at - reception.CARD_AFTER):
        return Received(talk.id)
    danger = reception.last_danger(rows, talk, town)
    turn = flows.card_while_human(told.session_of(talk), danger, told.scene_of(rows, talk, rules, now), town)
    return Received(talk.id) if turn is None else reception.say(reception.At(rows, town, rules, now, split), talk, turn)


def _follow_up(rows: Rows, due: DuePromise, talk: talks.Talk, town: flows.Town, rules: Rules, now: datetime, split: reception.Split) -> Received:
    """The one neutral question the resident asked for, between 10:00 and 18:00 (D9); never to a hidden address, never while a human writes."""
    if not _FOLLOW_UP_HOURS[0] <= now.astimezone(JST).time() < _FOLLOW_UP_HOURS[1]:
        return Received(talk.id)
    if talk.hidden_address or not talk.follow_ups or not talk.reachable or talk.owner == "human":
        records.end_promise(rows, due.id, "dropped", now)
        return Received(talk.id)
    records.end_promise(rows, due.id, "kept", now)
    if due.kind == "how_are_you":
        records.promise(rows, talk, kind=effects.FOLLOW_UP_SILENT, due_at=now + _SILENT_AFTER, case_id=due.case_id)
    turn = flows.follow_up(told.session_of(talk), told.scene_of(rows, talk, rules, now), town)
    return reception.say(reception.At(rows, town, rules, now, split), talk, turn, unasked=True)


def _offer_ends(rows: Rows, due: DuePromise, talk: talks.Talk, town: flows.Town, rules: Rules, now: datetime, split: reception.Split) -> Received:
    """What somebody offered ends soon: asked once, in the hours of D9. Whoever has a case of their own is asked when that has come to rest."""
    if not _FOLLOW_UP_HOURS[0] <= now.astimezone(JST).time() < _FOLLOW_UP_HOURS[1]:
        return Received(talk.id)
    until = helping.ends_at(rows, talk.id, now)
    if until is None or talk.hidden_address or not talk.follow_ups or not talk.reachable:
        records.end_promise(rows, due.id, "dropped", now)
        return Received(talk.id)
    records.end_promise(rows, due.id, "kept", now)
    if talk.owner == "human" or cases.open_of(rows, talk.id) is not None:
        records.promise(rows, talk, kind=due.kind, due_at=now + _LATER)
        return Received(talk.id)
    turn = flows.renewal(told.session_of(talk), told.scene_of(rows, talk, rules, now), town, until.astimezone(JST).date())
    return reception.say(reception.At(rows, town, rules, now, split), talk, turn, unasked=True)


def _not_answered(rows: Rows, due: DuePromise, talk: talks.Talk, now: datetime) -> Received:
    """Nobody answered the question of D9: counted; somebody with a coordinator becomes something to do at the desk, and is pushed nothing more."""
    records.end_promise(rows, due.id, "kept", now)
    if talks.wrote_after(rows, talk.id, "resident", due.due_at - _SILENT_AFTER):
        return Received(talk.id)
    records.count(rows, "follow_up.no_answer", reception.day(now))
    case = cases.open_of(rows, talk.id)
    if case is None:
        return Received(talk.id)
    records.add_task(rows, kind=effects.FOLLOW_UP_SILENT, now=now, talk=talk, case_id=case.id)
    return Received(talk.id, case_changed=True)


def every_due(now: datetime) -> Callable[[Rows], list[DuePromise]]:
    """What is due at `now`; replies count five minutes earlier."""

    def work(rows: Rows) -> list[DuePromise]:
        early = records.due_promises(rows, look_ahead(now))
        return [due for due in early if due.kind in ("reply", _AGAIN) or due.due_at <= now]

    return work
