"""What a flow is told: the session a talk stands at, the scene around it, and what was said. Read from rows, changed by nobody."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

import structlog
from sqlmodel import Session as Rows

import flows
from bot import duty
from bot.clock import JST
from bot.posting import ROOMY, is_private
from flows.model import GivenConsent, Kept, Part, Receipt, Scene, Session, Utterance, Wanted
from knowledge.hearing.model import Danger
from storage import erasure, helping, moment, records
from storage.talk import Pending, Talk

if TYPE_CHECKING:
    from bot.reception import Rules

log = structlog.get_logger()

_HEARD_AT_ONCE = 30
"""Messages that one answer is about. Of a flood the newest count; the others are kept and were scanned for danger like any (R6)."""


def scene_of(rows: Rows, talk: Talk, rules: "Rules", now: datetime) -> Scene:
    """What is so at this moment, for the flows. On call is whoever is on duty while the desk is closed."""
    so = moment.around(rows, talk.id, day=duty.day_of(now).isoformat(), part="out")
    private = is_private(talk, rules)
    return Scene(
        now=now.astimezone(JST), channel="web" if private else talk.channel, room=talk.channel in ROOMY and not private, waiting=so.waiting,
        staffed=so.staffed, on_call=so.on_duty, open_case=so.open_case, reply_minutes=rules.reply_minutes,
        kept=_kept(rows, talk, some=so.consented), wanted=_wanted(rows, talk, now),
    )


def scene_for(rows: Rows, talk: Talk, said: Utterance, rules: "Rules", now: datetime) -> Scene:
    """The scene in which these words are answered."""
    return scene_of(rows, talk, rules, now).model_copy(update={"receipt": receipt_of(rows, said)})


def _wanted(rows: Rows, talk: Talk, now: datetime) -> tuple[Wanted, ...]:
    """Looked up only where somebody offers a hand, or may be asked whether they would (D10)."""
    if not any(f'"flow":"{flow}"' in (talk.flow_session or "") for flow in ("helper", "followup", "handoff")):
        return ()
    return tuple(Wanted(title=one.title, when=one.when) for one in helping.requests(rows, now))


def receipt_of(rows: Rows, said: Utterance) -> Receipt | None:
    """What the receipt in these words leads to (D11)."""
    code = flows.receipt_in(said.text)
    if code is None:
        return None
    found = erasure.by_receipt(rows, code)
    if found is None:
        return Receipt(code=code)
    return Receipt(code=code, asked_on=found.asked_at.astimezone(JST).date(), done=found.done_at is not None)


def _kept(rows: Rows, talk: Talk, *, some: bool) -> Kept:
    """What is stored of this talk, in counts, for whoever asks (D11). `some`: at least one consent holds."""
    holding = [one for one in records.consents(rows, talk.id) if one.withdrawn_at is None] if some else []
    consents = tuple(GivenConsent(id=one.id, recipient=one.recipient, purpose=one.purpose, until=_jst_day(one.until)) for one in holding)
    return Kept(messages=talk.last_seq, last_on=talk.last_at.astimezone(JST).date(), consents=consents)


def utterance_of(events: Sequence[Pending], danger: Danger) -> Utterance:
    """All that was written in a row, as one utterance. A button among texts decides; a picture beside texts is carried by the texts."""
    bodies = [(event.line, json.loads(event.line.body)) for event in events[-_HEARD_AT_ONCE:] if event.line.body is not None]
    parts = tuple(Part(ref=line.id, text=body["text"]) for line, body in bodies if line.kind == "text" and body["text"])
    for line, body in reversed(bodies):
        if line.kind == "button":
            return Utterance(kind="button", button=body["button"], parts=parts, danger=danger)
    if parts or not bodies:
        return Utterance(kind="text", parts=parts, danger=danger)
    line, body = bodies[-1]
    return Utterance(kind=line.kind, media=body.get("media"), sticker_ok=body.get("sticker_ok", False), danger=danger)


def session_of(talk: Talk) -> Session:
    """The stored session; one that no longer reads leads to a human through an unknown step, never to an error (I7)."""
    if talk.flow_session is None:
        return flows.start_session()
    try:
        return Session.model_validate_json(talk.flow_session)
    except ValueError:
        log.warning("session_unreadable", conversation=talk.id)
        return Session(flow="lost", step="lost", consented=1)


def _jst_day(at: datetime | None) -> date | None:
    return None if at is None else at.astimezone(JST).date()
