"""Conversations, their messages and the inbox: what reception writes for every event.

All functions take a `Session` first and commit nothing. A conversation found here is locked until the transaction ends, which gives each resident
their order (design.md §1). The statements of the way of one message are built once, below: building them anew would cost more than running them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlmodel import Session

from storage.dialect import engine_of, on_each, table
from storage.ids import new_id
from storage.prepared import prepared
from storage.sealing import SealBroken, fingerprint, keyring, mark_erasure, seal, unseal
from storage.tables import Attachment, Conversation, Identity, Inbox, Message, Outbox, Person
from storage.text import clean

_C, _I, _X, _M, _P = table(Conversation), table(Identity), table(Inbox), table(Message), table(Person)
_F, _O = table(Attachment), table(Outbox)
_OF: Any = bindparam("of")

_TALK = select(
    _C.c.id, _C.c.person_id, _C.c.identity_id, _C.c.channel, _C.c.owner, _C.c.session_sealed, _C.c.version, _C.c.last_seq, _C.c.settle_at,
    _C.c.hidden_address, _C.c.follow_ups, _C.c.in_room, _C.c.last_at, _I.c.external_sealed, _I.c.reachable,
).join(_I, _I.c.id == _C.c.identity_id)  # fmt: skip
_TALK_BY_ID = prepared(_TALK.where(_C.c.id == _OF))
_TALK_BY_ID_LOCKED = prepared(_TALK_BY_ID.with_for_update(of=[_C, _I]))
_TALK_OF_ACCOUNT = prepared(_TALK.where(_I.c.channel == bindparam("channel"), _I.c.external_hash == bindparam("hash")))
_TALK_OF_ACCOUNT_LOCKED = prepared(_TALK_OF_ACCOUNT.with_for_update(of=[_C, _I]))
_LINE = select(
    _M.c.id, _M.c.seq, _M.c.author, _M.c.staff_id, _M.c.kind, _M.c.body_sealed, _M.c.danger_level, _M.c.danger_rule, _M.c.at, _M.c.withdrawn_at,
).where(_M.c.conversation_id == _OF)  # fmt: skip
_LINES_AFTER = prepared(_LINE.where(_M.c.seq > bindparam("after")).order_by(_M.c.seq).limit(bindparam("most")))
_WORDS = prepared(
    _LINE.where(_M.c.author == "resident", _M.c.kind == "text", _M.c.body_sealed.is_not(None)).order_by(_M.c.seq.desc()).limit(bindparam("most"))
)
_PENDING = prepared(
    _LINE.add_columns(_X.c.id.label("inbox_id"), _X.c.reply_token_sealed, _X.c.reply_until).join(_X, _X.c.message_id == _M.c.id)
    .where(_X.c.conversation_id == _OF, _X.c.state == "pending").order_by(_M.c.seq)
)  # fmt: skip
_MEET = on_each(lambda insert: insert(_I).on_conflict_do_nothing().returning(_I.c.id))
_ADMIT = on_each(lambda insert: prepared(insert(_X).on_conflict_do_nothing().returning(_X.c.id)))
_NEW_LINE = prepared(insert(_M))
_SAVE = prepared(update(_C).where(_C.c.id == _OF))
_LINK = update(_X).where(_X.c.id == _OF)
_SETTLE = prepared(update(_X).where(_X.c.id == _OF).values(reply_token_sealed=None))
_END = prepared(_SETTLE.values(message_id=bindparam("message_id")))
_LONGEST_EVENT_ID = 80
FIRST_VERSION = 1
"""Of a talk that was just opened, and in which nothing has been written."""


@dataclass(frozen=True)
class Talk:
    """A conversation as the reception holds it."""

    id: str
    person_id: str
    channel: str
    destination: str
    """The platform's id of the resident."""
    owner: str
    flow_session: str | None
    """JSON of flows.model.Session; None = nothing said yet; empty = it could not be opened."""
    version: int
    last_seq: int
    settle_at: datetime | None
    hidden_address: bool
    follow_ups: bool
    reachable: bool
    last_at: datetime
    in_room: bool = False
    """Held in the private room on our own page, although `channel` is a platform (R14)."""


@dataclass(frozen=True)
class Line:
    """One line of a talk, opened. `body` is JSON: `{"text"}` of residents and staff, `{"bubbles", "buttons"}` of the bot; None when withdrawn.

    Words that were written anew have what stood there before beside them: `{"text", "earlier": [{"text", "until"}]}`, the first of all first.
    """

    id: str
    seq: int
    author: str
    staff_id: str | None
    kind: str
    body: str | None
    danger_level: str
    danger_rule: str | None
    at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True)
class Pending:
    """An event not yet answered, with the line it became."""

    inbox_id: str
    line: Line
    reply_token: str | None
    reply_until: datetime | None


def scope_of(conversation_id: str) -> str:
    return f"conversation:{conversation_id}"


# ---------------------------------------------------------------- finding


def find(session: Session, channel: str, external: str, *, lock: bool = True) -> Talk | None:
    """Find the conversation of one account on one channel; locked unless it is only looked at."""
    account = {"channel": channel, "hash": fingerprint(session, f"{channel}:{external}")}
    row = session.execute(_TALK_OF_ACCOUNT_LOCKED if lock else _TALK_OF_ACCOUNT, account).first()
    return None if row is None else _talk(session, row, external)


def by_id(session: Session, conversation_id: str, *, lock: bool = True) -> Talk | None:
    """Find a conversation by our own id; locked unless it is only looked at."""
    row = session.execute(_TALK_BY_ID_LOCKED if lock else _TALK_BY_ID, {"of": conversation_id}).first()
    if row is None:
        return None
    return _talk(session, row, unseal(session, scope_of(row.id), f"identity.external:{row.identity_id}", row.external_sealed))


def find_or_open(session: Session, channel: str, external: str, now: datetime) -> Talk:
    """Find the conversation, or make person, identity and conversation from this one platform id (R9). `external` must not be blank."""
    if not external.strip():
        raise ValueError("a person cannot be made from an empty id")
    return find(session, channel, external) or _open(session, channel, external, now)


def _open(session: Session, channel: str, external: str, now: datetime) -> Talk:
    person_id, identity_id, conversation_id = new_id(), new_id(), new_id()
    session.execute(insert(_P), {"id": person_id, "created_at": now})
    made = session.execute(
        _MEET[engine_of(session)],
        {
            "id": identity_id, "person_id": person_id, "channel": channel, "external_hash": fingerprint(session, f"{channel}:{external}"),
            "external_sealed": seal(session, scope_of(conversation_id), f"identity.external:{identity_id}", external), "reachable": True,
            "created_at": now,
        },
    ).first()  # fmt: skip
    if made is None:  # another process was faster: its row is there now, and ours leaves no trace
        session.execute(delete(_P).where(_P.c.id == person_id))
        keyring(session).discard(session, scope_of(conversation_id))
        theirs = find(session, channel, external)
        if theirs is None:
            raise LookupError("identity vanished between two statements")
        return theirs
    session.execute(
        insert(_C),
        {
            "id": conversation_id, "person_id": person_id, "identity_id": identity_id, "channel": channel, "owner": "bot", "session_sealed": b"",
            "version": FIRST_VERSION, "last_seq": 0, "hidden_address": False, "follow_ups": True, "in_room": False, "read_seq": 0, "created_at": now,
            "last_at": now,
        },
    )  # fmt: skip
    return Talk(conversation_id, person_id, channel, external, "bot", None, FIRST_VERSION, 0, None, False, True, True, now)


def settled(session: Session, now: datetime, limit: int = 200) -> list[str]:
    """Ids of conversations whose pending words have waited long enough."""
    rows = session.execute(select(_C.c.id).where(_C.c.settle_at <= now).order_by(_C.c.settle_at).limit(limit))
    return [row.id for row in rows]


# ---------------------------------------------------------------- writing


def admit(
    session: Session, talk: Talk, *, event_id: str, kind: str, raw: str, now: datetime, reply_token: str | None = None,
    reply_until: datetime | None = None, channel: str | None = None,
) -> str | None:  # fmt: skip
    """Store one event; None when it was stored before (R2). `channel`: where it came by, when that is not the talk's own (the private room)."""
    inbox_id, scope = new_id(), scope_of(talk.id)
    row = session.execute(
        _ADMIT[engine_of(session)],
        {
            "id": inbox_id, "channel": channel or talk.channel, "event_id": _event_key(event_id), "conversation_id": talk.id, "kind": kind,
            "state": "pending",
            "received_at": now, "raw_sealed": seal(session, scope, f"inbox.raw:{inbox_id}", raw), "reply_until": reply_until,
            "reply_token_sealed": None if reply_token is None else seal(session, scope, f"inbox.token:{inbox_id}", reply_token),
        },
    ).first()  # fmt: skip
    return None if row is None else inbox_id


def admit_stray(session: Session, *, channel: str, event_id: str, kind: str, raw: str, now: datetime) -> bool:
    """Keep an event that belongs to no conversation, ended as noise (R3, R7); False when it was stored before."""
    inbox_id = new_id()
    row = session.execute(
        _ADMIT[engine_of(session)],
        {
            "id": inbox_id, "channel": channel, "event_id": _event_key(event_id), "kind": kind, "state": "noise", "received_at": now,
            "raw_sealed": seal(session, f"channel:{channel}", f"inbox.raw:{inbox_id}", raw),
        },
    ).first()  # fmt: skip
    return row is not None


def _event_key(event_id: str) -> str:
    """A platform's event id as both engines keep it: cleaned (R5), and one that is too long by its hash."""
    key = clean(event_id)
    return key if len(key) <= _LONGEST_EVENT_ID else hashlib.sha256(key.encode()).hexdigest()


def add_line(
    session: Session, talk: Talk, *, author: str, kind: str, body: str, now: datetime, staff_id: str | None = None, platform_id: str | None = None,
    danger_level: str = "L0", danger_rule: str | None = None, line_id: str | None = None,
) -> tuple[Talk, Line]:  # fmt: skip
    """Add the next line of a talk; `line_id` is its name where that is known before. The talk that comes back carries the new number; `save` writes
    it."""
    line = Line(line_id or new_id(), talk.last_seq + 1, author, staff_id, kind, body, danger_level, danger_rule, now, None)
    session.execute(
        _NEW_LINE,
        {
            "id": line.id, "conversation_id": talk.id, "seq": line.seq, "author": author, "staff_id": staff_id, "kind": kind,
            "danger_level": danger_level, "danger_rule": danger_rule, "at": now,
            "body_sealed": seal(session, scope_of(talk.id), f"message.body:{line.id}", body),
            "platform_hash": None if platform_id is None else fingerprint(session, f"{talk.channel}:{platform_id}"),
        },
    )  # fmt: skip
    return replace(talk, last_seq=line.seq), line


def save(session: Session, talk: Talk, now: datetime) -> Talk:
    """Write a talk back: owner, flow session, number of lines, settling, marks."""
    version = talk.version + 1
    cell = b"" if talk.flow_session is None else seal(session, scope_of(talk.id), f"conversation.session:{talk.id}:{version}", talk.flow_session)
    session.execute(
        _SAVE,
        {
            "of": talk.id, "owner": talk.owner, "session_sealed": cell, "version": version, "last_seq": talk.last_seq, "settle_at": talk.settle_at,
            "hidden_address": talk.hidden_address, "follow_ups": talk.follow_ups, "in_room": talk.in_room, "last_at": now,
        },
    )  # fmt: skip
    return replace(talk, version=version, last_at=now)


def set_reachable(session: Session, talk: Talk, reachable: bool) -> Talk:
    """Remember that an account blocked us, or came back (R8)."""
    identity = select(_C.c.identity_id).where(_C.c.id == talk.id).scalar_subquery()
    session.execute(update(_I).where(_I.c.id == identity).values(reachable=reachable))
    return replace(talk, reachable=reachable)


def settle_inbox(session: Session, inbox_ids: Sequence[str], state: str) -> None:
    """End these events as exactly one of answered, queued, acknowledged, noise (I4); their reply tokens are used up or of no use."""
    if inbox_ids:
        session.execute(_SETTLE, [{"of": inbox_id, "state": state} for inbox_id in inbox_ids])


def end(session: Session, events: Sequence[Pending], state: str) -> None:
    """End these events, as `settle_inbox` does, with the lines they became."""
    if events:
        session.execute(_END, [{"of": event.inbox_id, "message_id": event.line.id, "state": state} for event in events])


def link_inbox(session: Session, inbox_id: str, message_id: str, state: str = "pending") -> None:
    """Note which line an event became."""
    used_up = {} if state == "pending" else {"reply_token_sealed": None}
    session.execute(_LINK, {"of": inbox_id, "message_id": message_id, "state": state, **used_up})


def pending(session: Session, talk: Talk) -> list[Pending]:
    """Events not yet answered, with their lines, in order."""
    return [
        Pending(
            row.inbox_id, _line(session, talk.id, row),
            None if row.reply_token_sealed is None else unseal(session, scope_of(talk.id), f"inbox.token:{row.inbox_id}", row.reply_token_sealed),
            row.reply_until,
        )
        for row in session.execute(_PENDING, {"of": talk.id})
    ]  # fmt: skip


def forget_words(session: Session, talk: Talk, message_ids: Sequence[str], now: datetime) -> None:
    """Erase the bodies of these lines, of their raw events and of the calls that carry them, gone or waiting; the numbered rows stay (D1b, R8)."""
    session.execute(update(_M).where(_M.c.id.in_(message_ids), _M.c.conversation_id == talk.id).values(body_sealed=None, withdrawn_at=now))
    session.execute(update(_X).where(_X.c.message_id.in_(message_ids), _X.c.conversation_id == talk.id).values(raw_sealed=None))
    for carried in (_F, _O):
        session.execute(delete(carried).where(carried.c.message_id.in_(message_ids), carried.c.conversation_id == talk.id))
    mark_erasure(session)


def reword(session: Session, talk: Talk, message_id: str, body: str) -> None:
    """The line says this from now on."""
    cell = seal(session, scope_of(talk.id), f"message.body:{message_id}", body)
    session.execute(update(_M).where(_M.c.id == message_id, _M.c.conversation_id == talk.id).values(body_sealed=cell))


def by_platform_id(session: Session, talk: Talk, platform_id: str) -> Line | None:
    """The line that a platform's message became; the newest, where danger written into it made one more."""
    query = _LINE.where(_M.c.platform_hash == bindparam("hash")).order_by(_M.c.seq.desc()).limit(1)
    row = session.execute(query, {"of": talk.id, "hash": fingerprint(session, f"{talk.channel}:{platform_id}")}).first()
    return None if row is None else _line(session, talk.id, row)


# ---------------------------------------------------------------- reading


def lines(session: Session, conversation_id: str, *, after: int = 0, limit: int = 500) -> list[Line]:
    """Lines of a talk after number `after`, oldest first."""
    found = session.execute(_LINES_AFTER, {"of": conversation_id, "after": after, "most": limit})
    return [_line(session, conversation_id, row) for row in found]


def numbers(session: Session, conversation_id: str, message_ids: Sequence[str]) -> dict[str, int]:
    """Numbers of these lines of a talk, by id; what is not there is left out."""
    if not message_ids:
        return {}
    query = select(_M.c.id, _M.c.seq).where(_M.c.id.in_(set(message_ids)), _M.c.conversation_id == conversation_id)
    return {row.id: row.seq for row in session.execute(query)}


def last_words(session: Session, talk: Talk, count: int = 5, *, since: datetime | None = None) -> list[str]:
    """Bodies of the resident's last lines, oldest first, for danger that is split over messages (G1); none older than `since`."""
    found = [_line(session, talk.id, row) for row in session.execute(_WORDS, {"of": talk.id, "most": count})]
    return [line.body for line in reversed(found) if line.body is not None and (since is None or line.at >= since)]


def wrote_after(session: Session, conversation_id: str, author: Literal["staff", "resident"], when: datetime) -> bool:
    """Whether a coordinator, or the resident, has written in this talk since `when`."""
    query = select(_M.c.id).where(_M.c.conversation_id == conversation_id, _M.c.author == author, _M.c.at > when).limit(1)
    return session.execute(query).first() is not None


def count_since(session: Session, conversation_id: str, author: Literal["staff", "resident"], when: datetime) -> int:
    """How many lines a coordinator, or the resident, has written in this talk since `when`."""
    query = select(func.count()).select_from(_M).where(_M.c.conversation_id == conversation_id, _M.c.author == author, _M.c.at > when)
    return int(session.execute(query).scalar_one())


def _talk(session: Session, row: Any, destination: str) -> Talk:
    return Talk(
        row.id, row.person_id, row.channel, destination, row.owner, _flow_session(session, row), row.version, row.last_seq, row.settle_at,
        row.hidden_address, row.follow_ups, row.reachable, row.last_at, row.in_room,
    )  # fmt: skip


def _flow_session(session: Session, row: Any) -> str | None:
    """Where the talk stands; empty where the cell is broken: what was said stays, and a human goes on (I7). None: nothing was said yet."""
    if not row.session_sealed:
        return None
    try:
        return unseal(session, scope_of(row.id), f"conversation.session:{row.id}:{row.version}", row.session_sealed)
    except SealBroken:
        return ""


def _line(session: Session, conversation_id: str, row: Any) -> Line:
    """One row of `_LINE`. Taken apart by place, because a search opens a hundred thousand of them (R39)."""
    line_id, seq, author, staff_id, kind, cell, danger_level, danger_rule, at, withdrawn_at = row[:10]
    body = None if cell is None else unseal(session, scope_of(conversation_id), f"message.body:{line_id}", cell)
    return Line(line_id, seq, author, staff_id, kind, body, danger_level, danger_rule, at, withdrawn_at)
