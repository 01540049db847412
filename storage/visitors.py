"""Visitors of the web chat: a browser's cookie leads to its talk, and so do six words the resident wrote down.

Only keyed hashes are kept (R27, R39): neither the cookie nor the words can be read back from a stolen database. A row of `web_visitor` is a cookie,
or, when its hash begins with `p`, a return phrase; the two are hashed apart, so that neither can be used as the other.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session

from storage import talk as talks
from storage.dialect import insert_new, table
from storage.ids import new_id, new_token
from storage.sealing import fingerprint
from storage.tables import Conversation, Message, SignInTry, Staff, WebVisitor
from storage.talk import Talk

_V, _C, _S, _T = table(WebVisitor), table(Conversation), table(Staff), table(SignInTry)

IDLE = timedelta(days=7)
"""A cookie that was not seen for so long leads nowhere; it outlives the longest holidays of a town hall, whose answer is waited for."""
_SEEN_EVERY = timedelta(minutes=1)
_PHRASE = "p"
TRIES = 10
TRY_WINDOW = timedelta(minutes=15)
MOST_NEW = 600
"""New browsers from one address in a quarter of an hour: many homes behind one mobile network have room, a script soon has none (R6)."""


@dataclass(frozen=True)
class Shown:
    """What a page needs besides the lines: how far staff have read, and the names of those who wrote."""

    read_seq: int
    names: dict[str, str]


class TooManyNew(Exception):
    """From this address came so many new browsers that it must wait."""


def welcome(session: Session, now: datetime, *, address: str | None = None) -> tuple[Talk, str]:
    """A new browser: its own person and talk, and the secret for its cookie, which is not kept. Raises `TooManyNew` where `address` sent so many."""
    if address is not None:
        who = fingerprint(session, f"web.new:{address}")
        if _tries(session, who, now) >= MOST_NEW:
            raise TooManyNew
        _note(session, who, now)
    talk = talks.find_or_open(session, "web", new_id(), now)
    return talk, admit(session, talk.id, now)


def find(session: Session, token: str, now: datetime) -> Talk | None:
    """The talk this cookie leads to; None when it is unknown, ended, or was not seen for `IDLE`."""
    hashed = _of_cookie(session, token)
    row = session.execute(select(_V.c.conversation_id, _V.c.seen_at).where(_V.c.token_hash == hashed, _V.c.ended_at.is_(None))).first()
    if row is None or now - row.seen_at > IDLE:
        return None
    if now - row.seen_at > _SEEN_EVERY:
        session.execute(update(_V).where(_V.c.token_hash == hashed).values(seen_at=now))
    return talks.by_id(session, row.conversation_id, lock=False)


def first_shown(session: Session, token: str) -> int:
    """The number after which this browser may see lines: a visit by a link does not bring back an earlier one (R13)."""
    return session.execute(select(_V.c.after_seq).where(_V.c.token_hash == _of_cookie(session, token))).scalar() or 0


def has_seen(session: Session, token: str, seq: int) -> None:
    """Note that this browser was given the lines up to `seq`."""
    session.execute(update(_V).where(_V.c.token_hash == _of_cookie(session, token), _V.c.seen_seq < seq).values(seen_seq=seq))


def end(session: Session, token: str, now: datetime) -> str | None:
    """End this cookie for good (R16); returns the talk it led to, so that open streams can be closed."""
    hashed = _of_cookie(session, token)
    session.execute(update(_V).where(_V.c.token_hash == hashed, _V.c.ended_at.is_(None)).values(ended_at=now))
    found: str | None = session.execute(select(_V.c.conversation_id).where(_V.c.token_hash == hashed)).scalar()
    return found


def shown(session: Session, conversation_id: str) -> Shown:
    """How far staff have read this talk, and who of them wrote in it."""
    read_seq = session.execute(select(_C.c.read_seq).where(_C.c.id == conversation_id)).scalar()
    message = table(Message)
    writers = select(message.c.staff_id).where(message.c.conversation_id == conversation_id, message.c.staff_id.is_not(None))
    names = {row.id: row.name for row in session.execute(select(_S.c.id, _S.c.name).where(_S.c.id.in_(writers)))}
    return Shown(read_seq or 0, names)


# ---------------------------------------------------------------- coming back


def keep_phrase(session: Session, talk: Talk, phrase: str, now: datetime) -> None:
    """Let these words lead back to this talk, and end the words given out before: one phrase a talk."""
    session.execute(
        update(_V).where(_V.c.conversation_id == talk.id, is_phrase(_V.c.token_hash), _V.c.ended_at.is_(None)).values(ended_at=now)
    )
    session.execute(_V.insert().values(token_hash=_of_phrase(session, phrase), conversation_id=talk.id, after_seq=0, seen_seq=0, seen_at=now))


def come_back(session: Session, phrase: str, now: datetime) -> str | None:
    """Words that lead to a talk give this browser a new cookie for it; None when they lead nowhere."""
    hashed = _of_phrase(session, phrase)
    row = session.execute(select(_V.c.conversation_id).where(_V.c.token_hash == hashed, _V.c.ended_at.is_(None))).first()
    if row is None:
        return None
    session.execute(update(_V).where(_V.c.token_hash == hashed).values(seen_at=now))
    return admit(session, row.conversation_id, now)


def too_many_tries(session: Session, address: str, now: datetime) -> bool:
    """Whether this address has guessed wrongly so often that it must wait (R28); 6 words are 60 bits, so few tries are enough for people."""
    return _tries(session, _of_address(session, address), now) >= TRIES


def note_try(session: Session, address: str, now: datetime) -> None:
    """One wrong phrase from this address; what is older than the window is forgotten."""
    _note(session, _of_address(session, address), now)


def _tries(session: Session, who: str, now: datetime) -> int:
    return session.execute(select(func.count()).select_from(_T).where(_T.c.who_hash == who, _T.c.at > now - TRY_WINDOW)).scalar() or 0


def _note(session: Session, who: str, now: datetime) -> None:
    session.execute(_T.delete().where(_T.c.who_hash == who, _T.c.at <= now - TRY_WINDOW))
    session.execute(insert_new(session, SignInTry).values(id=new_id(), who_hash=who, at=now))


# ---------------------------------------------------------------- hashes


def admit(session: Session, conversation_id: str, now: datetime, *, after_seq: int = 0) -> str:
    """Give one more browser this talk; returns the secret for its cookie."""
    token = new_token()
    row = {"token_hash": _of_cookie(session, token), "conversation_id": conversation_id, "after_seq": after_seq, "seen_seq": 0, "seen_at": now}
    session.execute(_V.insert().values(**row))
    return token


def is_phrase(token_hash: Any) -> Any:
    """The condition that a row is a return phrase and no browser."""
    return token_hash.startswith(_PHRASE)


def _of_cookie(session: Session, token: str) -> str:
    return fingerprint(session, f"web.cookie:{token}")


def _of_phrase(session: Session, phrase: str) -> str:
    return _PHRASE + fingerprint(session, f"web.phrase:{phrase}")[1:]


def _of_address(session: Session, address: str) -> str:
    return fingerprint(session, f"web.return:{address}")
