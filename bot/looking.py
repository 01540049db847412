"""What an event will ask of the pure half, read from the rows before its transaction begins (ahead.py). Changes nothing and locks nothing."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session as Rows

import flows
from bot import told
from bot.ahead import Question
from bot.channels.port import Inbound
from bot.reception import Rules, body_of, earlier_words
from flows.model import Scene, Session, Utterance
from knowledge.hearing.model import NO_DANGER
from storage import talk as talks
from storage.ids import new_id
from storage.talk import Line, Pending, Talk
from storage.text import clean


def at_event(rows: Rows, inbound: Inbound, town: flows.Town, rules: Rules, now: datetime) -> Question | None:
    """What `reception.receive` will have to think of; None where nobody can tell."""
    text = clean(inbound.text) if inbound.kind == "text" else None
    known = talks.by_id(rows, inbound.conversation, lock=False) if inbound.conversation is not None else None
    talk = known or talks.find(rows, inbound.channel, inbound.sender, lock=False)
    if talk is None:
        return None if text is None else Question(town.base.version, talks.FIRST_VERSION, new_id(), text)
    talk, line_id = replace(talk, in_room=inbound.channel != talk.channel), new_id()
    earlier = () if text is None else tuple(earlier_words(rows, talk, now))
    step = _step(rows, talk, inbound, line_id, rules, now) if _answers_now(talk, text, rules) else None
    return Question(town.base.version, talk.version, line_id, text, earlier, step)


def is_worth_a_look(inbound: Inbound) -> bool:
    """Whether an event gives much to think of. A word that works everywhere is heard more quickly than it is brought to somebody else."""
    return bool(inbound.sender) and (inbound.kind == "button" or (inbound.kind == "text" and not flows.is_everywhere_word(clean(inbound.text))))


def at_rest(rows: Rows, conversation_id: str, town: flows.Town, rules: Rules, now: datetime) -> Question | None:
    """What `reception.answer_settled` will have to think of."""
    talk = talks.by_id(rows, conversation_id, lock=False)
    if talk is None or talk.settle_at is None or talk.settle_at > now or talk.owner == "human":
        return None
    waiting = talks.pending(rows, talk)
    if not waiting:
        return None
    said = told.utterance_of(waiting, NO_DANGER)
    step = told.session_of(talk), said, told.scene_for(rows, talk, said, rules, now)
    return Question(town.base.version, talk.version, waiting[-1].line.id, None, step=step)


def _answers_now(talk: Talk, text: str | None, rules: Rules) -> bool:
    """Whether the bot answers in the transaction that stores the event; where danger is heard it may do so all the same."""
    if talk.owner == "human" or talk.settle_at is not None:
        return False
    return text is None or rules.settle == timedelta(0) or flows.is_everywhere_word(text)


def _step(rows: Rows, talk: Talk, inbound: Inbound, line_id: str, rules: Rules, now: datetime) -> tuple[Session, Utterance, Scene]:
    body = json.dumps(body_of(inbound, clean(inbound.text)), ensure_ascii=False)
    line = Line(line_id, talk.last_seq + 1, "resident", None, inbound.kind, body, NO_DANGER.level, None, now, None)
    said = told.utterance_of([Pending("", line, None, None)], NO_DANGER)
    return told.session_of(talk), said, told.scene_for(rows, replace(talk, last_seq=line.seq), said, rules, now)
