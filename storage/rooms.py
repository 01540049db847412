"""The private room: one-time links by which a resident of a platform comes to the same talk on our own page (R13–R15).

A link is made for one talk, lives ten minutes, opens once. What it opens shows only what the present visit needs: lines that an earlier visit was
given stay behind the six words (storage/visitors.py), because whoever presses the link may be somebody else with the same phone in the hand.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select, update
from sqlmodel import Session

from storage import talk as talks
from storage import visitors
from storage.dialect import table
from storage.ids import new_token
from storage.sealing import fingerprint
from storage.tables import Message, RoomLink, WebVisitor
from storage.talk import Talk

_L, _V, _M = table(RoomLink), table(WebVisitor), table(Message)

LINK_LIFE = timedelta(minutes=10)
RESTED = timedelta(hours=12)
"""What was said before such a rest belongs to another sitting, and is not shown by a link."""
PRESENT = timedelta(minutes=2)
"""A page that was seen so lately is still open: a visit that lasts is noted every minute."""


def make_link(session: Session, talk: Talk, now: datetime) -> str:
    """Return the token of a new link into this talk: 256 bits, never stored itself."""
    token = new_token()
    session.execute(insert(_L), {"token_hash": _hash(session, token), "conversation_id": talk.id, "until": now + LINK_LIFE})
    return token


def spend(session: Session, token: str, now: datetime) -> Talk | None:
    """Use a link up: the talk it leads to, from now on held in the room; None for a link that is unknown, too old, or used before."""
    used = update(_L).where(_L.c.token_hash == _hash(session, token), _L.c.used_at.is_(None), _L.c.until > now).values(used_at=now)
    row = session.execute(used.returning(_L.c.conversation_id)).first()
    talk = None if row is None else talks.by_id(session, row.conversation_id)
    return None if talk is None else talks.save(session, replace(talk, in_room=True), talk.last_at)


def enter(session: Session, talk: Talk, now: datetime, *, over: bool) -> str:
    """A new browser in the room: the secret for its cookie. `over`: the talk has come to an end, so nothing of it is shown but its last line."""
    last = talk.last_seq
    given = session.execute(select(func.max(_V.c.seen_seq)).where(_V.c.conversation_id == talk.id)).scalar() or 0
    old = session.execute(select(func.max(_M.c.seq)).where(_M.c.conversation_id == talk.id, _M.c.at < now - RESTED)).scalar() or 0
    return visitors.admit(session, talk.id, now, after_seq=max(given, old, last - 1 if over else 0))


def somebody_is_there(session: Session, talk: Talk, now: datetime) -> bool:
    """Whether a page of this talk is open now."""
    query = select(_V.c.token_hash).where(_V.c.conversation_id == talk.id, _V.c.ended_at.is_(None), _V.c.seen_at > now - PRESENT)
    return session.execute(query.where(~visitors.is_phrase(_V.c.token_hash)).limit(1)).first() is not None


def _hash(session: Session, token: str) -> str:
    return fingerprint(session, f"room.link:{token}")
