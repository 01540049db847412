"""The outbox: what must reach a platform, in order, exactly as written (R10, R11).

A row is one call to a platform. States: queued → sending → sent | unknown | failed | cancelled; `held` waits for a human. Rows of one conversation
leave in the order of `seq`: a later one never overtakes one that still waits.

Whoever takes a row has it for `LEASE`, whichever process they are in; nobody else sends in that conversation meanwhile. A process that dies leaves a
lease that runs out, and any other goes on from there. Each begin of a call counts up `attempts`, so (row, attempts) names one call: who comes back
late, after somebody else has begun, can still say that the platform has it, but can no more put it off or give it up.

Where calls go one after the other, a letter that waits for its turn is taken without being begun: if its process dies meanwhile, nothing is in doubt.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, or_, select, text, update
from sqlmodel import Session

from storage.dialect import table
from storage.ids import new_id
from storage.prepared import prepared
from storage.sealing import seal, unseal
from storage.tables import UNDONE, Outbox
from storage.talk import Line, Talk, scope_of

_O = table(Outbox)
_OF: Any = bindparam("of")
_WAITS = text(f"{UNDONE} AND state <> 'held'")
_NEXT = select(_O).where(_O.c.conversation_id == _OF, _WAITS).order_by(_O.c.seq).limit(1)
_NEXT_LOCKED = prepared(_NEXT.with_for_update())
"""No SKIP LOCKED: whoever comes second waits, and never takes a later call past one that is just being marked."""
_NEXT_TIME = prepared(_NEXT.with_only_columns(_O.c.next_try_at))
_NEW = prepared(insert(_O))
_MARK = prepared(update(_O).where(_O.c.id == _OF))
_MARK_OURS = _MARK.where(_O.c.state == "sending", _O.c.attempts == bindparam("lease"))
"""Only while nobody else has taken the row since."""
LEASE = timedelta(seconds=10)
"""Longer than one call may take (bot/delivery.py), and no longer than a resident should wait for what a dead process had in hand."""
ASKED_AGAIN = timedelta(seconds=8)
"""Of LINE's minute for a reply token ten seconds are kept for the first call itself; a call that asks again may have these of them."""
LONGEST_WAIT = timedelta(hours=1)
"""Nobody waits longer for the next try. A time further ahead than twice this was written by a clock that has since been put back (R48): it is due."""
_MOST_LETTERS = 16
"""Room for the calls of one line in the order of a conversation."""


@dataclass(frozen=True)
class Letter:
    """One outbox row, opened, ready to be sent."""

    id: str
    conversation_id: str
    channel: str
    seq: int
    destination: str
    body: str
    """JSON of one channel call (bot/channels/port.py `Outgoing`)."""
    retry_key: str
    reply_token: str | None
    reply_until: datetime | None
    state: str
    attempts: int
    next_try_at: datetime
    created_at: datetime
    message_id: str | None = None
    unasked: bool = False
    begun: bool = True
    """Counted as a call that may reach the platform from now on; False: ours, but it must be taken again (`holding`) before the call."""


def write(
    session: Session, talk: Talk, bodies: Sequence[str], *, now: datetime, line: Line, reply_token: str | None = None,
    reply_until: datetime | None = None, unasked: bool = False, claim: bool = False, begin: bool = True,
) -> list[Letter]:  # fmt: skip
    """Write the calls of one turn, recipient fixed now. The reply token goes to the first call only: it works once.

    With `claim`, the first call is taken at once, by the process that will send it right after the commit; unless an earlier one waits. `begin`: as
    in `take`.
    """
    if len(bodies) > _MOST_LETTERS:
        raise ValueError(f"one line in {len(bodies)} calls")
    letters: list[Letter] = []
    others_wait = next_due(session, talk.id) is not None
    for offset, body in enumerate(bodies):
        letter_id = new_id()
        mine = claim and offset == 0 and not others_wait
        letter = Letter(
            letter_id, talk.id, talk.channel, line.seq * _MOST_LETTERS + offset, talk.destination, body, str(uuid.UUID(letter_id)),
            reply_token if offset == 0 else None, reply_until, "sending" if mine else "queued", 1 if mine and begin else 0,
            now + LEASE if mine else now, now, line.id, unasked, mine and begin,
        )  # fmt: skip
        letters.append(letter)
        session.execute(_NEW, _row(session, letter))
    return letters


def _row(session: Session, letter: Letter) -> dict[str, object]:
    scope, token = scope_of(letter.conversation_id), letter.reply_token
    return {
        "id": letter.id, "conversation_id": letter.conversation_id, "message_id": letter.message_id, "channel": letter.channel, "seq": letter.seq,
        "destination_sealed": seal(session, scope, f"outbox.destination:{letter.id}", letter.destination),
        "body_sealed": seal(session, scope, f"outbox.body:{letter.id}", letter.body), "retry_key": letter.retry_key,
        "reply_token_sealed": None if token is None else seal(session, scope, f"outbox.token:{letter.id}", token),
        "reply_until": letter.reply_until, "state": letter.state, "attempts": letter.attempts, "next_try_at": letter.next_try_at,
        "maybe_twice": False, "unasked": letter.unasked, "created_at": letter.created_at,
    }  # fmt: skip


def take(
    session: Session, conversation_id: str, now: datetime, *, holding: Letter | None = None, in_turn: Collection[str] = ()
) -> Letter | datetime | None:
    """Take the next due call of a conversation and mark it `sending`; a time when the next one is due later; None when nothing waits.

    `holding` was taken before and is not sent yet: it is begun, or its lease has grown short and is taken again as it is, unless somebody else has
    had it since. On channels of `in_turn` a call is begun only so; on others by being taken.

    A row found in `sending` after its lease, or in `unknown`, was cut off by a crash or a lost answer: it comes first, and is tried again with the
    same key. Within the lease somebody else is sending it: its end is the time that comes back (design.md §4: one at a time).

    A reply token that has died is let go here, before the call: so a row that has one was tried as a reply, and one that has none as a push, which
    may be tried again whatever became of it. Only of a reply in doubt it stays.
    """
    row = session.execute(_NEXT_LOCKED, {"of": conversation_id}).first()
    if row is None:
        return None
    ours = holding is not None and (row.id, row.state, row.attempts) == (holding.id, "sending", holding.attempts)
    if not ours and now < row.next_try_at <= now + 2 * LONGEST_WAIT:
        due: datetime = row.next_try_at
        return due
    begins = not holding.begun if ours and holding is not None else row.channel not in in_turn
    attempts = row.attempts + 1 if begins else row.attempts
    dead = _token_is_dead(row, now, ours=ours)
    dropped = {"reply_token_sealed": None} if dead else {}
    session.execute(_MARK, {"of": row.id, "state": "sending", "attempts": attempts, "next_try_at": now + LEASE, **dropped})
    if ours and holding is not None:
        return replace(holding, attempts=attempts, begun=True, next_try_at=now + LEASE, reply_token=None if dead else holding.reply_token)
    scope = scope_of(conversation_id)
    token = None if dead else row.reply_token_sealed
    return Letter(
        row.id, conversation_id, row.channel, row.seq, unseal(session, scope, f"outbox.destination:{row.id}", row.destination_sealed),
        unseal(session, scope, f"outbox.body:{row.id}", row.body_sealed), row.retry_key,
        None if token is None else unseal(session, scope, f"outbox.token:{row.id}", token), row.reply_until, row.state, attempts,
        now + LEASE, row.created_at, row.message_id, row.unasked, begins,
    )  # fmt: skip


def _token_is_dead(row: Any, now: datetime, *, ours: bool) -> bool:
    """Whether the reply token of a row that is being taken can serve no more. One whose fate is open still says that it was tried as a reply."""
    tried = row.attempts - 1 if ours else row.attempts
    in_doubt = row.state == "unknown" or (row.state == "sending" and tried > 0)
    return row.reply_token_sealed is not None and row.reply_until is not None and not in_doubt and now >= last_reply(row.reply_until, tried)


def last_reply(reply_until: datetime, tries_before: int) -> datetime:
    """Until when a reply token serves. Where it may have been used it is the only way to ask, so then nearly to its very end (platform README)."""
    return reply_until if tries_before == 0 else reply_until + ASKED_AGAIN


def free_leases(session: Session, now: datetime) -> int:
    """Whoever held these is certainly gone: they may be taken at once (a start over a database that nobody else can open)."""
    return _many(session, update(_O).where(_WAITS, _O.c.state == "sending").values(next_try_at=now))


def sent(session: Session, letter_id: str, now: datetime, *, maybe_twice: bool = False) -> None:
    """The platform has it."""
    doubt = {"maybe_twice": True} if maybe_twice else {}
    session.execute(_MARK, {"of": letter_id, "state": "sent", "done_at": now, "reply_token_sealed": None, **doubt})


def try_later(session: Session, letter: Letter, when: datetime, *, problem: str, unknown: bool, drop_token: bool) -> None:
    """The platform was busy, or some try may have arrived (`unknown`): the same call again at `when`, unless somebody else has it now."""
    state, used_up = "unknown" if unknown else "queued", {"reply_token_sealed": None} if drop_token else {}
    later = {"state": state, "next_try_at": when, "problem": problem[:80], **used_up}
    session.execute(_MARK_OURS, {"of": letter.id, "lease": letter.attempts, **later})


def give_up(session: Session, letter: Letter, now: datetime, *, problem: str) -> bool:
    """Never again: the platform refused this call for good. False when somebody else has it now, and theirs is the last word."""
    end = {"state": "failed", "done_at": now, "problem": problem[:80], "reply_token_sealed": None}
    found: Any = session.execute(_MARK_OURS, {"of": letter.id, "lease": letter.attempts, **end})
    return bool(found.rowcount)


def cancel(session: Session, conversation_id: str, now: datetime, *, only_unasked: bool = False) -> int:
    """Cancel what is not on its way now (block, opt-out, erasure); returns how many."""
    query = update(_O).where(_O.c.conversation_id == conversation_id, text(UNDONE), _O.c.state != "sending")
    if only_unasked:
        query = query.where(_O.c.unasked.is_(True))
    return _many(session, query.values(state="cancelled", done_at=now, reply_token_sealed=None))


def hold_old(session: Session, now: datetime, older_than: timedelta) -> int:
    """Old replies wait for a human (R11, default 6 h), those too whose fate is unknown: after a restore they may be long out of date (R49). Of these
    it stays known that they may be there already: a key that made a repeat harmless may be forgotten when a human lets them go."""
    in_doubt = and_(_O.c.state.in_(("unknown", "sending")), _O.c.attempts > 0)
    query = update(_O).where(_WAITS, _O.c.created_at < now - older_than)
    return _many(session, query.values(state="held", maybe_twice=or_(_O.c.maybe_twice, in_doubt)))


def release(session: Session, conversation_id: str, now: datetime) -> int:
    """A human lets held replies go: they are as if written now."""
    query = update(_O).where(_O.c.conversation_id == conversation_id, text(UNDONE), _O.c.state == "held")
    return _many(session, query.values(state="queued", next_try_at=now, created_at=now))


def _many(session: Session, statement: Any) -> int:
    found: Any = session.execute(statement)
    return int(found.rowcount)


def due_conversations(session: Session, now: datetime, limit: int = 500) -> list[str]:
    """Conversations with something that may leave now, longest waiting first."""
    query = (
        select(_O.c.conversation_id, func.min(_O.c.next_try_at).label("since"))
        .where(_WAITS, or_(_O.c.next_try_at <= now, _O.c.next_try_at > now + 2 * LONGEST_WAIT))
        .group_by(_O.c.conversation_id).order_by("since").limit(limit)
    )  # fmt: skip
    return [row.conversation_id for row in session.execute(query)]


def next_due(session: Session, conversation_id: str) -> datetime | None:
    """When the next call of this conversation may leave; None = nothing waits."""
    found: datetime | None = session.execute(_NEXT_TIME, {"of": conversation_id}).scalar()
    return found


def states_of(session: Session, message_ids: Sequence[str]) -> dict[str, str]:
    """Delivery state of these lines, for the desk: the least finished call counts."""
    rank = {"failed": 0, "unknown": 1, "held": 2, "cancelled": 3, "queued": 4, "sending": 5, "sent": 6}
    worst: dict[str, str] = {}
    for row in session.execute(select(_O.c.message_id, _O.c.state).where(_O.c.message_id.in_(message_ids))):
        if row.message_id not in worst or rank[row.state] < rank[worst[row.message_id]]:
            worst[row.message_id] = row.state
    return worst


def oldest_waiting(session: Session) -> datetime | None:
    """When the oldest undelivered call was written (for /readyz and /metrics)."""
    found: datetime | None = session.execute(select(func.min(_O.c.created_at)).where(_WAITS)).scalar()
    return found
