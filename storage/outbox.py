"""The outbox: what must reach a platform, in order, exactly as written (R10, R11).

A row is one call to a platform. States: queued → sending → sent | unknown | failed | cancelled; `held` waits for a human. Rows of one conversation
leave in the order of `seq`: a later one never overtakes one that still waits.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlmodel import Session

from storage.dialect import is_postgres, table
from storage.ids import new_id
from storage.sealing import seal, unseal
from storage.tables import Outbox
from storage.talk import Line, Talk, scope_of

_O = table(Outbox)
OPEN_STATES = ("queued", "sending", "unknown")
LETTERS_A_LINE = 16
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


def write(
    session: Session, talk: Talk, bodies: Sequence[str], *, now: datetime, line: Line, reply_token: str | None = None,
    reply_until: datetime | None = None, unasked: bool = False, claim: bool = False,
) -> list[Letter]:  # fmt: skip
    """Write the calls of one turn, recipient fixed now. The reply token goes to the first call only: it works once.

    With `claim`, the first call is marked `sending` at once, for the process that will send it right after the commit; unless an earlier one waits.
    """
    letters: list[Letter] = []
    others_wait = next_due(session, talk.id) is not None
    for offset, body in enumerate(bodies):
        letter_id = new_id()
        token = reply_token if offset == 0 else None
        mine = claim and offset == 0 and not others_wait
        state, attempts = ("sending", 1) if mine else ("queued", 0)
        letter = Letter(
            letter_id, talk.id, talk.channel, line.seq * LETTERS_A_LINE + offset, talk.destination, body, str(uuid.UUID(letter_id)), token, reply_until, state, attempts,
            now, now, line.id, unasked,
        )  # fmt: skip
        letters.append(letter)
        scope = scope_of(talk.id)
        session.execute(
            _O.insert().values(
                id=letter_id, conversation_id=talk.id, message_id=line.id, channel=talk.channel, seq=letter.seq, retry_key=letter.retry_key,
                destination_sealed=seal(session, scope, f"outbox.destination:{letter_id}", talk.destination),
                body_sealed=seal(session, scope, f"outbox.body:{letter_id}", body),
                reply_token_sealed=None if token is None else seal(session, scope, f"outbox.token:{letter_id}", token),
                reply_until=reply_until, state=state, attempts=attempts, next_try_at=now, created_at=now, maybe_twice=False, unasked=unasked,
            )
        )  # fmt: skip
    return letters


def take(session: Session, conversation_id: str, now: datetime) -> Letter | datetime | None:
    """Take the next due call of a conversation and mark it `sending`; a time when the next one is due later; None when nothing waits.

    A row found in `sending` or `unknown` was cut off by a crash or a lost answer: it comes first, and is tried again with the same key.
    """
    query = select(_O).where(_O.c.conversation_id == conversation_id, _O.c.state.in_(OPEN_STATES)).order_by(_O.c.seq).limit(1)
    row = session.execute(query.with_for_update(skip_locked=True) if is_postgres(session) else query).first()
    if row is None:
        return None
    if row.next_try_at > now:
        due: datetime = row.next_try_at
        return due
    session.execute(update(_O).where(_O.c.id == row.id).values(state="sending", attempts=row.attempts + 1))
    scope = scope_of(conversation_id)
    token = row.reply_token_sealed
    return Letter(
        row.id, conversation_id, row.channel, row.seq, unseal(session, scope, f"outbox.destination:{row.id}", row.destination_sealed),
        unseal(session, scope, f"outbox.body:{row.id}", row.body_sealed), row.retry_key,
        None if token is None else unseal(session, scope, f"outbox.token:{row.id}", token), row.reply_until, row.state, row.attempts + 1,
        row.next_try_at, row.created_at, row.message_id, row.unasked,
    )  # fmt: skip


def sent(session: Session, letter_id: str, now: datetime, *, maybe_twice: bool = False) -> None:
    """The platform has it."""
    values: dict[str, object] = {"state": "sent", "done_at": now, "reply_token_sealed": None}
    if maybe_twice:
        values["maybe_twice"] = True
    session.execute(update(_O).where(_O.c.id == letter_id).values(**values))


def try_later(session: Session, letter_id: str, when: datetime, *, problem: str, unknown: bool, drop_token: bool) -> None:
    """The platform was busy, or its answer was lost (`unknown`): the same call again at `when`."""
    values: dict[str, object] = {"state": "unknown" if unknown else "queued", "next_try_at": when, "problem": problem[:80]}
    if drop_token:
        values["reply_token_sealed"] = None
    session.execute(update(_O).where(_O.c.id == letter_id).values(**values))


def give_up(session: Session, letter_id: str, now: datetime, *, problem: str) -> None:
    """Never again: the platform refused this call for good."""
    session.execute(update(_O).where(_O.c.id == letter_id).values(state="failed", done_at=now, problem=problem[:80], reply_token_sealed=None))


def cancel(session: Session, conversation_id: str, now: datetime, *, only_unasked: bool = False) -> int:
    """Cancel what has not left yet (block, opt-out, erasure); returns how many."""
    query = update(_O).where(_O.c.conversation_id == conversation_id, _O.c.state.in_(("queued", "held")))
    if only_unasked:
        query = query.where(_O.c.unasked.is_(True))
    return session.execute(query.values(state="cancelled", done_at=now)).rowcount  # type: ignore[attr-defined, no-any-return]


def hold_old(session: Session, now: datetime, older_than: timedelta) -> int:
    """Old replies wait for a human (R11, default 6 h)."""
    query = update(_O).where(_O.c.state == "queued", _O.c.created_at < now - older_than)
    return session.execute(query.values(state="held")).rowcount  # type: ignore[attr-defined, no-any-return]


def release(session: Session, conversation_id: str, now: datetime) -> int:
    """A human lets held replies go."""
    query = update(_O).where(_O.c.conversation_id == conversation_id, _O.c.state == "held")
    return session.execute(query.values(state="queued", next_try_at=now)).rowcount  # type: ignore[attr-defined, no-any-return]


def due_conversations(session: Session, now: datetime, limit: int = 500) -> list[str]:
    """Conversations with something that may leave now, longest waiting first."""
    query = (
        select(_O.c.conversation_id, func.min(_O.c.next_try_at).label("since"))
        .where(_O.c.state.in_(OPEN_STATES), _O.c.next_try_at <= now)
        .group_by(_O.c.conversation_id).order_by("since").limit(limit)
    )  # fmt: skip
    return [row.conversation_id for row in session.execute(query)]


def next_due(session: Session, conversation_id: str) -> datetime | None:
    """When the next call of this conversation may leave; None = nothing waits."""
    query = select(_O.c.next_try_at).where(_O.c.conversation_id == conversation_id, _O.c.state.in_(OPEN_STATES)).order_by(_O.c.seq).limit(1)
    found: datetime | None = session.execute(query).scalar()
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
    found: datetime | None = session.execute(select(func.min(_O.c.created_at)).where(_O.c.state.in_(OPEN_STATES))).scalar()
    return found
