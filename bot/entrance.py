"""A platform that is the entrance only (R14, D1c): the talk is held in the private room, and what is written here is neither kept nor answered here.

Danger is the exception. It is heard in every word, answered where it was told, and rings the desk; the words themselves are not kept, only their
level and the rule that fired. Answers to the open question of a danger, and where somebody in danger of life is, are taken here too.
"""

import json
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session as Rows

import flows
from bot import reception, told
from bot.channels.port import Inbound
from bot.reception import At, Received, Rules, Split
from flows.model import Part, Utterance
from knowledge.hearing.model import NO_DANGER, Danger
from storage import records
from storage import talk as talks
from storage.talk import Talk
from storage.text import clean

_NOT_TALK = frozenset({"group", "unfollow", "unsend", "unknown"})
_NOTHING_RAW = "{}"


def receive(rows: Rows, inbound: Inbound, town: flows.Town, rules: Rules, now: datetime, split: Split) -> Received:
    """Store that an event came, without a word of it, and show the way in; or answer the danger that was heard."""
    inbound = replace(inbound, raw=_NOTHING_RAW)
    if not inbound.sender or inbound.kind in _NOT_TALK:
        return reception.receive(rows, inbound, town, rules, now, split)
    talk = reception.talk_of(rows, inbound, now)
    inbox_id = reception.admit(rows, talk, inbound, now)
    if inbox_id is None:
        return Received(talk.id, repeat=True)
    if not talk.reachable:
        talk = talks.set_reachable(rows, talk, True)
    at = At(rows, town, rules, now, split, at_the_door=True)
    if _where_somebody_is(talk, inbound):
        return reception.message(at, talk, inbox_id, inbound)
    text = clean(inbound.text)
    danger = reception.scan(at, talk, text) if inbound.kind in ("text", "edit") else NO_DANGER
    if danger.heard:
        told = _danger(at, talk, inbox_id, inbound, text, danger)
        if told is not None:
            return told
    answered = _answer_to_danger(at, talk, inbox_id, inbound, text)
    return answered if answered is not None else _show_the_way(at, talk, inbox_id, inbound, text)


def _show_the_way(at: At, talk: Talk, inbox_id: str, inbound: Inbound, text: str) -> Received:
    scene = told.scene_of(at.rows, talk, at.rules, at.now)
    session = flows.spoken_in(told.session_of(talk), text, scene, at.town)
    word = (inbound.button or "").removeprefix("!") if inbound.button else flows.everywhere_word(text)
    if inbound.kind == "follow":
        turn = flows.entrance(session, scene, at.town)
    elif word == "help":
        turn = flows.help_at_entrance(session, scene, at.town)
    elif inbound.button is not None or word is not None:
        turn = flows.way_in(session, scene, at.town)
    else:
        turn = flows.not_kept(session, scene, at.town)
    records.count(at.rows, f"entrance.{talk.channel}", reception.day(at.now))
    talks.settle_inbox(at.rows, [inbox_id], turn.ends_as)
    return reception.signpost(at, talk, turn, inbound)


# ---------------------------------------------------------------- danger


def _danger(at: At, talk: Talk, inbox_id: str, inbound: Inbound, text: str, danger: Danger) -> Received | None:
    """The danger answer. None for an unclear sign that was asked about already, and for たすけて: the numbers and the way in are shown (G4)."""
    session = told.session_of(talk)
    scene = told.scene_of(at.rows, talk, at.rules, at.now)
    asked = session.notes.get("l1") == danger.rule or flows.everywhere_word(text) == "help"
    if danger.level == "L1" and (talk.owner == "human" or asked):
        return None
    body = json.dumps({"text": ""})
    talk, line = talks.add_line(
        at.rows, talk, author="resident", kind="text", body=body, now=at.now, platform_id=inbound.platform_id, danger_level=danger.level,
        danger_rule=danger.rule,
    )  # fmt: skip
    if talk.owner == "human":
        talks.link_inbox(at.rows, inbox_id, line.id, "queued")
        heard = reception.to_human(at, talk, line, danger, inbound)
        if heard.letters:
            return heard
        talk = talks.by_id(at.rows, talk.id) or talk
        shown = reception.signpost(at, talk, flows.not_kept(session, scene, at.town), inbound)
        return replace(heard, letters=shown.letters)
    talks.link_inbox(at.rows, inbox_id, line.id, "answered")
    talk = replace(talk, flow_session=flows.spoken_in(session, text, scene, at.town).model_dump_json(exclude_defaults=True))
    said = Utterance(parts=(Part(ref=line.id, text=""),), danger=danger.model_copy(update={"said": None}))
    return _say(at, talk, said, inbound)


def _answer_to_danger(at: At, talk: Talk, inbox_id: str, inbound: Inbound, text: str) -> Received | None:
    """している, pressed or typed where the question of a danger is open. The answer is a choice of ours, not the resident's words."""
    session = told.session_of(talk)
    if session.flow != "danger" or talk.owner != "bot":
        return None
    payload = inbound.button if inbound.kind == "button" else flows.answer_in_words(session, text, at.town) if inbound.kind == "text" else None
    if payload not in {f"{session.ask}:{choice.value}" for choice in session.choices}:
        return None
    body = json.dumps({"text": "", "button": payload})
    talk, line = talks.add_line(at.rows, talk, author="resident", kind="button", body=body, now=at.now)
    talks.link_inbox(at.rows, inbox_id, line.id, "answered")
    return _say(at, talk, Utterance(kind="button", button=payload), inbound)


def _say(at: At, talk: Talk, said: Utterance, inbound: Inbound) -> Received:
    scene = told.scene_of(at.rows, talk, at.rules, at.now)
    turn = reception.step(at, talk, said, scene)
    turn = flows.danger_at_entrance(turn, at.town)
    return reception.say(at, talk, turn, reply_token=inbound.reply_token, reply_until=inbound.reply_until)


def _where_somebody_is(talk: Talk, inbound: Inbound) -> bool:
    """After L3 the place is asked for: it is kept, whatever the entrance keeps otherwise (life comes first)."""
    session = told.session_of(talk)
    return inbound.kind == "text" and (session.flow, session.step) == ("danger", "place")
