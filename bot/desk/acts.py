"""What a coordinator does to a case, from the desk and from /api/v1: one transaction each, then whoever waits is woken.

A staff reply is a line of the talk and a call in the outbox, written together, its recipient fixed in that moment (R10, R11).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from sqlmodel import Session as Rows

import flows
from bot import posting, reception, told
from bot.channels.port import Outgoing
from bot.hub import DESK, conversation
from bot.parts import Parts
from flows.model import Reply, Scene, Session, Turn
from storage import audit, desk_cases, desk_queue, gaps, releases, second_name
from storage import talk as talks
from storage.desk_cases import CloseReason, Held
from storage.desk_queue import Viewer
from storage.refusals import Closed, HeldByOther, Locked, Missing, Refused
from storage.talk import Talk
from storage.text import clean

T = TypeVar("T")

LONGEST_REPLY = 4000
"""UTF-16 units: what the narrowest platform takes in one message (Telegram 4,096), with room for the speaker's name."""
SESSION_OPEN = timedelta(minutes=30)
"""A hidden address is written to only while its talk is open, or at a time the person named as safe (D6d)."""


class Unreachable(Refused):
    """The resident blocked us or left: nothing can be delivered (R8)."""


Last = Callable[[Session, Scene, flows.Town, str], Turn]
"""What the bot says when a coordinator is done: the return, or the return and the question of 10b."""


class RecipientChanged(Refused):
    """The contact is another one than the writer saw (R10)."""


class NotNow(Refused):
    """Hidden address, and the talk is not open: nothing is written unless the person named this time as safe (D6d)."""


@dataclass(frozen=True)
class Ending:
    """How a talk is given back or closed: the coordinator's last words, and when the resident hears again."""

    sentence: str = ""
    """Empty: nothing at all is said to the resident, by nobody."""
    next_contact: datetime | None = None


@dataclass(frozen=True)
class Gap:
    """制度の狭間, told at the end without the person: why nothing fitted, and what would have helped (D14)."""

    reasons: tuple[str, ...]
    wish: str = ""
    domain: str | None = None


async def claim(parts: Parts, viewer: Viewer, code: str, *, instead_of_other: bool = False) -> None:
    await perform(parts, viewer, "claim", lambda rows, now: desk_cases.claim(rows, viewer, code, now, instead_of_other=instead_of_other).talk.id)


async def claim_next(parts: Parts, viewer: Viewer) -> str | None:
    """次の人を受け持つ: the most dangerous, then the longest promised; None when nobody waits."""

    def work(rows: Rows, now: datetime) -> Held | None:
        code = desk_queue.first_waiting(rows, viewer)
        return None if code is None else desk_cases.claim(rows, viewer, code, now)

    while True:
        try:
            held = await transact(parts, viewer, "next", work)
        except (HeldByOther, Closed):  # a colleague pressed in the same moment: then the one after
            continue
        if held is None:
            return None
        _wake(parts, held.talk.id)
        return held.code


async def claim_alarm(parts: Parts, viewer: Viewer, alarm_id: str) -> str:
    """Take a ringing alarm; returns the code of its case."""
    held = await transact(parts, viewer, "alarm", lambda rows, now: desk_cases.claim_alarm(rows, viewer, alarm_id, now))
    _wake(parts, held.talk.id)
    return held.code


async def confirm_danger(parts: Parts, viewer: Viewer, code: str) -> None:
    """もう一人の確認: the second name under a danger to life (D14)."""
    await perform(parts, viewer, "confirm", lambda rows, now: second_name.confirm(rows, viewer, code, now))


async def reply(
    parts: Parts, viewer: Viewer, code: str, *, text: str, expected: int, recipient: str | None = None, safe_now: bool = False
) -> None:  # fmt: skip
    """Write to the resident. `recipient` is the mark the page showed; None from systems that show none."""

    def work(rows: Rows, now: datetime) -> str:
        held = desk_cases.in_hand(rows, viewer, code, expected=expected)
        if recipient is not None and recipient != held.recipient:
            raise RecipientChanged
        return speak(parts, rows, viewer, held, text, now=now, safe_now=safe_now).talk.id

    await perform(parts, viewer, "reply", work)


async def note(parts: Parts, viewer: Viewer, code: str, text: str) -> None:
    """職員メモ."""

    def work(rows: Rows, now: datetime) -> str:
        desk_cases.add_note(rows, viewer, code, clean(text), now)
        return desk_cases.conversation_of(rows, viewer, code)

    await perform(parts, viewer, "note", work)


async def hand_back(parts: Parts, viewer: Viewer, code: str, *, expected: int, ending: Ending) -> None:
    """機械にもどす: the coordinator's sentence, then the bot says that it is back (end of D8)."""

    def work(rows: Rows, now: datetime) -> str:
        held = _say_goodbye(parts, rows, viewer, desk_cases.in_hand(rows, viewer, code, expected=expected), ending, flows.handback, now=now)
        if ending.next_contact is not None:
            desk_cases.set_next_contact(rows, held, ending.next_contact, now)
        return desk_cases.hand_back(rows, viewer, held, now).talk.id

    await perform(parts, viewer, "hand_back", work)


async def close(parts: Parts, viewer: Viewer, code: str, *, expected: int, reason: CloseReason, ending: Ending, gap: Gap | None = None) -> None:
    """一旦おわる: never without a next contact or a stated なし (D14)."""

    def work(rows: Rows, now: datetime) -> str:
        last = flows.closing if reason == "settled" else flows.handback
        held = _say_goodbye(parts, rows, viewer, desk_cases.in_hand(rows, viewer, code, expected=expected), ending, last, now=now)
        desk_cases.set_next_contact(rows, held, ending.next_contact, now)
        if gap is not None:
            gaps.note(rows, reasons=gap.reasons, domain=gap.domain, source="desk", now=now, wish=clean(gap.wish))
        return desk_cases.close(rows, viewer, held, reason, now).talk.id

    await perform(parts, viewer, "close", work)


async def set_next_contact(parts: Parts, viewer: Viewer, code: str, *, expected: int, at: datetime) -> None:
    """次の連絡: a day promised while the case goes on; it comes up as something to do on that day."""

    def work(rows: Rows, now: datetime) -> str:
        held = desk_cases.in_hand(rows, viewer, code, expected=expected)
        desk_cases.set_next_contact(rows, held, at, now)
        audit.note(rows, actor=viewer.actor, act="contact.set", now=now, case_id=held.id)
        return held.talk.id

    await perform(parts, viewer, "next_contact", work)


async def release(parts: Parts, viewer: Viewer, code: str) -> int:
    """もう一度: let held replies go; returns how many."""
    talk_id, many = await transact(parts, viewer, "release", lambda rows, now: desk_cases.release_letters(rows, viewer, code, now))
    _wake(parts, talk_id)
    return many


# ---------------------------------------------------------------- inside a transaction


def speak(parts: Parts, rows: Rows, viewer: Viewer, held: Held, text: str, *, now: datetime, safe_now: bool) -> Held:
    """Add the coordinator's line and its calls. The name is kept with the line: people marry, accounts go."""
    talk = held.talk
    if not talk.reachable:
        raise Unreachable
    if talk.hidden_address and not safe_now and not open_now(rows, talk, now):
        raise NotNow
    words = clean(text)
    body = json.dumps({"text": words, "speaker": viewer.name}, ensure_ascii=False)
    talk, line = talks.add_line(rows, talk, author="staff", kind="text", body=body, now=now, staff_id=viewer.staff_id)
    outgoing = Outgoing(bubbles=(Reply(text=words),), speaker=viewer.name)
    at = reception.At(rows, parts.knowledge.town, parts.rules, now, parts.doorman.split_of(talk.channel))
    posting.post(at, talk, line, outgoing, told.session_of(talk), answers=False)
    talk = talks.save(rows, talk, now)
    return desk_cases.replied(rows, viewer, replace(held, talk=talk), line, now)


def _say_goodbye(parts: Parts, rows: Rows, viewer: Viewer, held: Held, ending: Ending, last: Last, *, now: datetime) -> Held:
    """The coordinator's sentence, then the bot takes the talk back and says so (`last`); silently where nothing may be said."""
    if ending.sentence:
        held = speak(parts, rows, viewer, held, ending.sentence, now=now, safe_now=False)
    talk, town = held.talk, parts.knowledge.town
    said = last if ending.sentence else flows.handback
    turn = said(told.session_of(talk), told.scene_of(rows, talk, parts.rules, now), town, viewer.name)
    if not ending.sentence:
        turn = turn.model_copy(update={"replies": (), "buttons": ()})
    at = reception.At(rows, town, parts.rules, now, parts.doorman.split_of(talk.channel))
    reception.say(at, replace(talk, owner="bot"), turn)
    talk = talks.by_id(rows, talk.id) or talk
    return replace(held, talk=talk)


def open_now(rows: Rows, talk: Talk, now: datetime) -> bool:
    """Whether the person has written here in the last half hour."""
    recent = talks.lines(rows, talk.id, after=max(0, talk.last_seq - 50))
    return any(line.author == "resident" and now - line.at < SESSION_OPEN for line in recent)


# ---------------------------------------------------------------- around it


async def perform(parts: Parts, viewer: Viewer, name: str, work: Callable[[Rows, datetime], str]) -> None:
    """Run an act whose work gives back the id of its talk, then wake delivery, the desk and the resident's page."""
    _wake(parts, await transact(parts, viewer, name, work))


async def transact(parts: Parts, viewer: Viewer, name: str, work: Callable[[Rows, datetime], T]) -> T:
    now = parts.clock.now()
    try:
        return await parts.store.atransact(lambda rows: work(rows, now))
    except Missing:
        await parts.store.atransact(lambda rows: desk_cases.note_refusal(rows, viewer, name, now))
        raise
    except Locked:
        await parts.store.atransact(lambda rows: releases.note_refused(rows, viewer, name, now))
        raise


def _wake(parts: Parts, talk_id: str) -> None:
    parts.delivery.wake(talk_id)
    parts.hub.wake(conversation(talk_id), DESK)
