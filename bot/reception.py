"""One inbound message: the transaction. Read this first.

*Receive* stores an event exactly once, scans it for danger and numbers it in its conversation. *Answer* runs the flow over all that is
pending there and writes what the bot says into the outbox. Buttons, danger and the words that work everywhere are answered in the same
transaction; free text may settle first (D13). While a human owns the talk the bot writes nothing but the danger card (I3). If the flow
itself fails, the message is kept and a human gets it.

What may live here: the order of these steps, and ownership. What must not: words, ranking, SQL, anything of a platform.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlmodel import Session as Rows

import flows
from bot import effects, flood
from bot.ahead import Thought
from bot.channels.port import Inbound, Outgoing
from bot.clock import JST
from bot.posting import ROOMY, SIGNPOST, post
from bot.told import scene_for, scene_of, session_of, utterance_of
from flows.model import Scene, Turn, Utterance
from knowledge.hearing.model import NO_DANGER, Danger
from storage import attachments, cases, consents, outbox, records, taken_back
from storage import talk as talks
from storage.outbox import Letter
from storage.talk import Line, Pending, Talk
from storage.text import clean

log = structlog.get_logger()

_LONGEST_SETTLE = timedelta(seconds=25)
CARD_AFTER = timedelta(minutes=3)
ANSWER_WITHIN = timedelta(hours=24)
"""Words to a human that nobody has answered for so long become something to do at the desk: nothing lies unseen."""
EARLIER_WORDS = 4
_SAME_SITTING = timedelta(hours=12)
"""How far back words may belong to those that are written now."""
_UNHEARD = Danger(level="L1", kinds=("suicide",), rule="scanner-failed")
"""What a message counts as that could not be scanned: the plain question is asked."""
_EARLIER_KEPT = 20
"""Versions of one message that are kept besides the first: nobody fills a case by writing one message anew all day."""

Split = Callable[[Outgoing], Sequence[Outgoing]]


@dataclass(frozen=True)
class Rules:
    """What the reception goes by: read once from settings."""

    settle: timedelta = timedelta(seconds=2)
    reply_minutes: int = 120
    return_minutes: int = 15
    entrances: frozenset[str] = frozenset()
    """Platforms that only open the private room (R14)."""
    room_url: str = "http://127.0.0.1:8000/room"


@dataclass(frozen=True)
class Received:
    """What became of one event, for whoever acts after the commit."""

    conversation_id: str | None
    repeat: bool = False
    letters: tuple[Letter, ...] = ()
    """Written by this event. One that is marked `sending` is claimed for this process: to be sent at once."""
    settle_at: datetime | None = None
    alarmed: bool = False
    case_changed: bool = False


@dataclass(frozen=True)
class At:
    """The moment of one reception: what all its steps need."""

    rows: Rows
    town: flows.Town
    rules: Rules
    now: datetime
    split: Split
    at_the_door: bool = False
    """What is said goes to the platform although the talk is held in the private room: the danger answer, and the way in (R14)."""
    thought: Thought | None = None
    """What was thought of this event before; it fits the talk as it is."""


# ---------------------------------------------------------------- receive


def receive(
    rows: Rows, inbound: Inbound, town: flows.Town, rules: Rules, now: datetime, split: Split, thought: Thought | None = None
) -> Received:  # fmt: skip
    """Store one event, and answer it if it can be answered now. A repeat changes nothing. `thought` is taken where it fits (ahead.py)."""
    at = At(rows, town, rules, now, split)
    if not inbound.sender or inbound.kind == "group":
        kept = talks.admit_stray(rows, channel=inbound.channel, event_id=inbound.event_id, kind=inbound.kind, raw=inbound.raw, now=now)
        if kept:
            records.count(rows, f"stray.{inbound.channel}.{inbound.kind}", day(now))
        return Received(None, repeat=not kept)
    talk = talk_of(rows, inbound, now)
    inbox_id = admit(rows, talk, inbound, now)
    if inbox_id is None:
        return Received(talk.id, repeat=True)
    at = replace(at, thought=thought if thought is not None and thought.fits(talk, town) else None)
    match inbound.kind:
        case "unfollow":
            return _blocked(at, talk, inbox_id)
        case "unsend":
            return _unsent(at, talk, inbox_id, inbound.platform_id or "")
        case "edit":
            return _edited(at, talk, inbox_id, inbound)
        case "unknown":
            records.count(rows, f"unknown.{inbound.channel}", day(now))
            talks.settle_inbox(rows, [inbox_id], "noise")
            talks.save(rows, talk, now)
            return Received(talk.id)
    talk = replace(talk, in_room=inbound.channel != talk.channel)  # where somebody writes is where they are answered
    if not talk.reachable and not talk.in_room:
        talk = talks.set_reachable(rows, talk, True)
    if talk.owner == "human" and talk.channel in ROOMY and not talk.in_room and flows.is_way_in(inbound.button, inbound.text):
        talks.settle_inbox(rows, [inbox_id], "acknowledged")
        return signpost(at, talk, flows.way_in(session_of(talk), scene_of(rows, talk, rules, now), town), inbound)
    return message(at, talk, inbox_id, inbound)


def talk_of(rows: Rows, inbound: Inbound, now: datetime) -> Talk:
    """The talk a cookie of ours leads to, else the one of the sender's account, opened now if need be."""
    known = talks.by_id(rows, inbound.conversation) if inbound.conversation is not None else None
    return known or talks.find_or_open(rows, inbound.channel, inbound.sender, now)


def admit(rows: Rows, talk: Talk, inbound: Inbound, now: datetime) -> str | None:
    """Store the event; None for a repeat."""
    return talks.admit(
        rows, talk, event_id=inbound.event_id, kind=inbound.kind, raw=inbound.raw, now=now, reply_token=inbound.reply_token,
        reply_until=inbound.reply_until, channel=inbound.channel,
    )  # fmt: skip


def message(at: At, talk: Talk, inbox_id: str, inbound: Inbound) -> Received:
    """A resident did something: scan it, number it, and decide who answers and when."""
    text = clean(inbound.text)
    danger = scan(at, talk, text) if inbound.kind == "text" else NO_DANGER
    body = json.dumps(body_of(inbound, text), ensure_ascii=False)
    talk, line = talks.add_line(
        at.rows, talk, author="resident", kind=inbound.kind, body=body, now=at.now, platform_id=inbound.platform_id, danger_level=danger.level,
        danger_rule=danger.rule, line_id=None if at.thought is None else at.thought.question.line_id,
    )  # fmt: skip
    flood.look(at.rows, talk, at.now)
    if inbound.file_id is not None:
        attachments.want(at.rows, talk, line, channel=inbound.channel, source=inbound.file_id, now=at.now)
    may = _may_tell(at, talk, inbound, text)
    outcome = "none" if may is None else consents.answer(at.rows, talk, *may, at.now)
    if outcome == "over":
        talks.link_inbox(at.rows, inbox_id, line.id, "answered")
        return _asked_too_long_ago(at, talk, inbound)
    if outcome == "taken":
        talks.link_inbox(at.rows, inbox_id, line.id, "acknowledged")
        talks.save(at.rows, talk, at.now)
        return Received(talk.id, case_changed=True)
    if talk.owner == "human":
        talks.link_inbox(at.rows, inbox_id, line.id, "queued")
        return to_human(at, talk, line, danger, inbound)
    event = Pending(inbox_id, line, inbound.reply_token, inbound.reply_until)
    if talk.settle_at is None and (at.rules.settle == timedelta(0) or _at_once(inbound, danger, text)):
        return _answer(at, talk, [event], danger)
    talks.link_inbox(at.rows, inbox_id, line.id)
    if _at_once(inbound, danger, text):
        return _answer(at, talk, talks.pending(at.rows, talk), danger)
    first = talk.settle_at is None
    longest = at.now + _LONGEST_SETTLE if first else talk.last_at + _LONGEST_SETTLE
    talk = replace(talk, settle_at=min(at.now + at.rules.settle, longest))
    talks.save(at.rows, talk, at.now if first else talk.last_at)
    return Received(talk.id, settle_at=talk.settle_at)


def _may_tell(at: At, talk: Talk, inbound: Inbound, text: str) -> tuple[str, consents.Answer] | None:
    """An answer to a coordinator's card, pressed, or typed right under it: theirs to give whoever leads the talk, so no flow hears it (D14)."""
    pressed = flows.pressed_may(inbound.button)
    if pressed is not None or inbound.kind != "text":
        return pressed
    typed = flows.typed_may(text, at.town)
    asked = None if typed is None else consents.open_question(at.rows, replace(talk, last_seq=talk.last_seq - 1))
    return None if asked is None or typed is None else (asked, typed)


def _asked_too_long_ago(at: At, talk: Talk, inbound: Inbound) -> Received:
    """Whoever leads the talk: somebody who has just said yes must not believe that it counts. What still settles goes on settling."""
    session = session_of(talk)
    outgoing = Outgoing(bubbles=(flows.asked_too_long_ago(session, at.town),))
    body = outgoing.model_dump_json(exclude_defaults=True)
    talk, line = talks.add_line(at.rows, talk, author="bot", kind="text", body=body, now=at.now)
    letters = post(
        at, talk, line, outgoing, session, answers=True, claim=True, reply_token=inbound.reply_token, reply_until=inbound.reply_until
    )  # fmt: skip
    talks.save(at.rows, talk, at.now)
    return Received(talk.id, letters=tuple(letters), case_changed=True)


def _at_once(inbound: Inbound, danger: Danger, text: str) -> bool:
    """Buttons, danger and the words of G4 never wait; nor does anything that is not free text."""
    return inbound.kind != "text" or danger.heard or flows.is_everywhere_word(text)


def scan(at: At, talk: Talk, text: str) -> Danger:
    """Hear danger in these words, and in them together with the last ones (G1). A scanner that fails is a danger unheard: ask (L1)."""
    if at.thought is not None and at.thought.danger is not None and at.thought.question.text == text:
        return at.thought.danger
    earlier = earlier_words(at.rows, talk, at.now)
    try:
        return at.town.base.danger.scan(text, earlier)
    except Exception as error:  # it runs inside the step of the talk: the message is kept whatever happens
        log.error("scan_failed", error=type(error).__name__, conversation=talk.id)
        records.count(at.rows, "scan_failed", day(at.now))
        return _UNHEARD


def earlier_words(rows: Rows, talk: Talk, now: datetime) -> list[str]:
    """The last texts of this sitting, oldest first."""
    last = talks.last_words(rows, talk, EARLIER_WORDS, since=now - _SAME_SITTING) if talk.last_seq else []
    return [json.loads(body).get("text", "") for body in last]


def body_of(inbound: Inbound, text: str) -> dict[str, Any]:
    body: dict[str, Any] = {"text": text}
    if inbound.button is not None:
        body["button"] = inbound.button
    if inbound.media is not None:
        body["media"] = inbound.media
    if inbound.sticker_ok:
        body["sticker_ok"] = True
    return body


# ---------------------------------------------------------------- answer


def answer_settled(
    rows: Rows, conversation_id: str, town: flows.Town, rules: Rules, now: datetime, split: Split, thought: Thought | None = None
) -> Received:  # fmt: skip
    """The resident has stopped writing: run the flow over what waits. Safe to run twice: rows are the truth."""
    talk = talks.by_id(rows, conversation_id)
    if talk is None or talk.settle_at is None:
        return Received(conversation_id)
    if talk.settle_at > now:
        return Received(conversation_id, settle_at=talk.settle_at)
    at = At(rows, town, rules, now, split, thought=thought if thought is not None and thought.fits(talk, town) else None)
    waiting = talks.pending(rows, talk)
    unsent = all(event.line.body is None for event in waiting)
    if unsent or talk.owner == "human":
        talks.settle_inbox(rows, [event.inbox_id for event in waiting], "acknowledged" if unsent else "queued")
        talks.save(rows, replace(talk, settle_at=None), now)
        return Received(conversation_id)
    return _answer(at, talk, waiting, NO_DANGER)


def _answer(at: At, talk: Talk, events: Sequence[Pending], danger: Danger) -> Received:
    """Step the flow over these events and write what it says and does. `danger` is what was heard in the newest of them."""
    said = utterance_of(events, danger)
    turn = None if at.thought is None else at.thought.turn_for(said)
    if turn is None:
        turn = step(at, talk, said, scene_for(at.rows, talk, said, at.rules, at.now))
    last = events[-1]
    talks.end(at.rows, events, turn.ends_as)
    return say(at, talk, turn, reply_token=last.reply_token, reply_until=last.reply_until)


def step(at: At, talk: Talk, said: Utterance, scene: Scene) -> Turn:
    """One step of the flow; a step that fails leads to a human: our bug is never the resident's silence (design.md §1)."""
    session = session_of(talk)
    try:
        return flows.step(session, said, scene, at.town)
    except Exception as error:
        log.error("flow_failed", error=type(error).__name__, step=session.step, conversation=talk.id)
        records.count(at.rows, "flow_failed", day(at.now))
        return flows.failed(session, said, scene, at.town)


def say(at: At, talk: Talk, turn: Turn, *, reply_token: str | None = None, reply_until: datetime | None = None, unasked: bool = False) -> Received:
    """Carry out a turn: effects, the bot's line, the outbox, the session; then save the talk."""
    before = talk.owner
    done = effects.carry_out(at.rows, talk, turn.effects, at.now, return_after=timedelta(minutes=at.rules.return_minutes))
    talk = replace(done.talk, flow_session=turn.session.model_dump_json(exclude_defaults=True), settle_at=None)
    letters: list[Letter] = []
    if turn.replies:
        outgoing = Outgoing(bubbles=turn.replies, buttons=turn.buttons)
        talk, line = talks.add_line(at.rows, talk, author="bot", kind="text", body=outgoing.model_dump_json(exclude_defaults=True), now=at.now)
        letters = post(
            at, talk, line, outgoing, turn.session, answers=not unasked, unasked=unasked, claim=True, reply_token=reply_token, reply_until=reply_until
        )  # fmt: skip
    talks.save(at.rows, talk, at.now)
    return Received(talk.id, letters=tuple(letters), alarmed=done.alarmed, case_changed=done.case_id is not None or talk.owner != before)


def signpost(at: At, talk: Talk, turn: Turn, inbound: Inbound) -> Received:
    """Words on the platform beside a talk that is held elsewhere, or by a human: they belong to the way, not to the talk, and change no owner."""
    outgoing = Outgoing(bubbles=turn.replies, buttons=turn.buttons)
    body = outgoing.model_dump_json(exclude_defaults=True)
    talk, line = talks.add_line(at.rows, talk, author="bot", kind=SIGNPOST, body=body, now=at.now)
    letters = post(
        replace(at, at_the_door=True), talk, line, outgoing, turn.session, answers=True, claim=True, reply_token=inbound.reply_token,
        reply_until=inbound.reply_until,
    )  # fmt: skip
    talk = replace(talk, flow_session=turn.session.model_dump_json(exclude_defaults=True))
    talks.save(at.rows, talk, talk.last_at)
    return Received(talk.id, letters=tuple(letters))


# ---------------------------------------------------------------- while a human owns the talk, and what is no message


def to_human(at: At, talk: Talk, line: Line, danger: Danger, inbound: Inbound) -> Received:
    """Everything is stored and scanned; the bot says nothing but the danger card (I3, D8)."""
    case = cases.open_of(at.rows, talk.id)
    alarmed = False
    if danger.level in ("L2", "L3"):
        if case is not None:
            cases.raise_urgency(at.rows, case.id, effects.URGENCY[danger.level])
        alarm = cases.raise_alarm(
            at.rows, talk, case_id=None if case is None else case.id, level=danger.level, kinds=danger.kinds, rule=danger.rule,
            message_id=line.id, now=at.now,
        )  # fmt: skip
        alarmed = alarm is not None
    if danger.level == "L3":
        turn = flows.card_while_human(session_of(talk), danger, scene_of(at.rows, talk, at.rules, at.now), at.town)
        if turn is not None:
            spoken = say(at, talk, turn, reply_token=inbound.reply_token, reply_until=inbound.reply_until)
            return replace(spoken, alarmed=alarmed, case_changed=True)
    if case is not None and not records.is_promised(at.rows, talk.id, "no_answer"):
        records.promise(at.rows, talk, kind="no_answer", due_at=at.now + ANSWER_WITHIN, case_id=case.id)
    if danger.level == "L2":
        records.promise(at.rows, talk, kind="danger_card", due_at=at.now + CARD_AFTER, case_id=None if case is None else case.id)
    talks.save(at.rows, talk, at.now)
    return Received(talk.id, alarmed=alarmed, case_changed=True)


def _blocked(at: At, talk: Talk, inbox_id: str) -> Received:
    """The resident blocked us: sending ends, and staff of an open case are told (R8)."""
    talk = talks.set_reachable(at.rows, talk, False)
    outbox.cancel(at.rows, talk.id, at.now)
    mark_unreachable(at.rows, talk, at.now)
    talks.settle_inbox(at.rows, [inbox_id], "acknowledged")
    talks.save(at.rows, talk, at.now)
    return Received(talk.id, case_changed=True)


def mark_unreachable(rows: Rows, talk: Talk, now: datetime) -> None:
    """One task for the desk while a case is open: we cannot deliver."""
    case = cases.open_of(rows, talk.id)
    if case is not None and not records.has_open_task(rows, talk.id, "unreachable"):
        records.add_task(rows, kind="unreachable", now=now, talk=talk, case_id=case.id)


def _unsent(at: At, talk: Talk, inbox_id: str, platform_id: str) -> Received:
    """The resident took a message back: its words go everywhere, the fact of a danger stays, nothing is said (R8, D13)."""
    line = talks.by_platform_id(at.rows, talk, platform_id)
    if line is not None:
        taken_back.forget(at.rows, talk, line, at.now)
        if talk.flow_session is not None:
            talk = replace(talk, flow_session=flows.without_words(session_of(talk), line.id).model_dump_json(exclude_defaults=True))
    talks.settle_inbox(at.rows, [inbox_id], "acknowledged")
    talks.save(at.rows, talk, at.now)
    return Received(talk.id, case_changed=True)


def _edited(at: At, talk: Talk, inbox_id: str, inbound: Inbound) -> Received:
    """Words were changed after they were sent: the line carries the new ones, and what stood there before (P2: nothing that was said is lost, nor
    is it for whoever holds the telephone to undo). Danger in them is answered like any danger (G1). One that was taken back stays empty."""
    text = clean(inbound.text)
    line = talks.by_platform_id(at.rows, talk, inbound.platform_id or "")
    body: dict[str, Any] = {} if line is None or line.body is None else json.loads(line.body)
    if body.get("text") != text and scan(at, talk, text).heard:
        return message(at, talk, inbox_id, replace(inbound, kind="text"))
    if line is not None and body and body.get("text") != text:
        earlier = [*body.get("earlier", ()), {"text": body.get("text", ""), "until": at.now.isoformat()}]
        kept = {"text": text, "earlier": earlier[:1] + earlier[1:][-_EARLIER_KEPT:]}
        talks.reword(at.rows, talk, line.id, json.dumps(body | kept, ensure_ascii=False))
    talks.settle_inbox(at.rows, [inbox_id], "acknowledged")
    talks.save(at.rows, talk, talk.last_at)
    return Received(talk.id)


def last_danger(rows: Rows, talk: Talk, town: flows.Town) -> Danger:
    """Hear again what the resident's last words said of danger, for a card that waited."""
    words = [json.loads(body).get("text", "") for body in talks.last_words(rows, talk, EARLIER_WORDS)]
    heard = [town.base.danger.scan(text) for text in words]
    return max(heard, key=lambda danger: danger.level, default=NO_DANGER)


def day(now: datetime) -> str:
    return now.astimezone(JST).date().isoformat()
