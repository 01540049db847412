"""Outbox → platform: every call leaves in the order of its conversation, exactly as stored, as often as needed and no oftener (R10, R11).

One task at a time works on a conversation, and its lease keeps other processes away (storage/outbox.py). A reply token is used while it is young;
after that a push carries the stored retry key. What was lost on the way is tried again with the same key, so LINE takes it once; Telegram cannot
tell, and the row is marked "may have arrived twice". A doubt stays until the letter's end: a later "busy" says nothing of an earlier try.

Whatever is under way when a process dies is in doubt. So calls to a platform that cannot tell go one after the other: each is written down as begun
when its turn has come, and what came of it before the next begins. A death leaves one answer in doubt, not one for each resident who just wrote.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from bot import reception
from bot.channels.port import KNOWS_AGAIN, Channel, Outgoing, Refused, Sent, TryLater, Unknown
from bot.clock import Clock
from bot.hub import DESK, Hub, conversation
from bot.turns import NarrowWay, Turns
from storage import outbox, records
from storage import talk as talks
from storage.outbox import Letter
from storage.store import Store, StoreDown, Work

log = structlog.get_logger()

_LONGEST_PAUSE = 300.0
_CALL = timedelta(seconds=8)
"""One call may take so long, whatever its channel: the rest of the lease is for writing down what came of it."""

Mark = Callable[[Session], None]
"""Writes down what came of a call."""


class Delivery:
    """Sends what the outbox holds. `wake(conversation)` after a commit; `sweep()` at start and now and then."""

    mark_again = 1.0
    """Seconds until what came of a call is tried to be written down again."""
    alone_for = 0.4
    """Seconds for which a call that could come twice goes alone: about as long as one takes from the other side of the world. When a platform has
    grown slow, everybody must not wait for everybody."""

    def __init__(self, store: Store, channels: Mapping[str, Channel], clock: Clock, hub: Hub, held_after: timedelta) -> None:
        self._store = store
        self._channels = channels
        self._clock = clock
        self._hub = hub
        self._held_after = held_after
        self._turns = Turns()
        self._ways = {name: NarrowWay(self.alone_for) for name in channels if name not in KNOWS_AGAIN}
        self._called_again: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}

    # ------------------------------------------------------------ being woken

    def wake(self, conversation_id: str, written: Sequence[Letter] = ()) -> None:
        """Send what may leave in this conversation now; of what was just written, the reception has marked the first `sending` for us, if none waits.

        Whoever is sending there already looks once more before they end.
        """
        claimed = next((letter for letter in written if letter.state == "sending"), None)
        if claimed is None and self._turns.anybody(conversation_id):
            self._called_again.add(conversation_id)
            return
        task = asyncio.get_running_loop().create_task(self._deliver(conversation_id, claimed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def sweep(self) -> None:
        """Wake every conversation with something due: at start-up, and for whatever a lost wake-up left behind."""
        now = self._clock.now()
        held = await self._store.atransact(lambda rows: outbox.hold_old(rows, now, self._held_after))
        if held:
            log.warning("replies_held", count=held)
            self._hub.wake(DESK)
        for conversation_id in await self._store.atransact(lambda rows: outbox.due_conversations(rows, now)):
            if not self._turns.anybody(conversation_id):
                self.wake(conversation_id)

    async def close(self) -> None:
        """Let running calls end; what has not left stays in the outbox."""
        for timer in self._timers.values():
            timer.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=10)

    async def idle(self) -> None:
        """Wait until nothing is being sent (for tests and the terminal)."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    # ------------------------------------------------------------ sending

    async def _deliver(self, conversation_id: str, claimed: Letter | None) -> None:
        try:
            async with self._turns.of(conversation_id):
                letter = claimed or await self._next(conversation_id)
                while letter is not None or conversation_id in self._called_again:
                    async with self._way_of(letter):
                        letter = await self._one(conversation_id, letter)
        except StoreDown:
            log.warning("delivery_waits_for_database", conversation=conversation_id)
            self._later(conversation_id, 5.0)

    def _way_of(self, letter: Letter | None) -> contextlib.AbstractAsyncContextManager[None]:
        way = None if letter is None else self._ways.get(letter.channel)
        return contextlib.nullcontext() if way is None else way.clear()

    async def _one(self, conversation_id: str, letter: Letter | None) -> Letter | None:
        """Send one letter and take the next. One that is not begun, or whose lease has grown too short for a call, is taken anew first: somebody else
        may have it."""
        if letter is None:
            self._called_again.discard(conversation_id)
            return await self._next(conversation_id)
        while letter is not None and (not letter.begun or self._clock.now() >= letter.next_try_at - _CALL):
            letter = await self._next(conversation_id, holding=letter)
        return None if letter is None else await self._next(conversation_id, await self._send(letter))

    async def _next(self, conversation_id: str, mark: Mark | None = None, *, holding: Letter | None = None) -> Letter | None:
        """Write what came of the last call and take the next one, in one transaction; what is due later brings us back then."""

        def work(rows: Session) -> Letter | datetime | None:
            if mark is not None:
                mark(rows)
            now = self._clock.now()  # a lease begins when it is taken, not when it was asked for
            return outbox.take(rows, conversation_id, now, holding=holding, in_turn=self._ways)

        waited_for = holding is not None  # others may stand behind it in a narrow way
        found = await self._store.atransact(work, urgent=waited_for) if mark is None else await self._written_down(conversation_id, work)
        if isinstance(found, datetime):
            self._later(conversation_id, max(0.05, (found - self._clock.now()).total_seconds()))
            return None
        return found

    async def _written_down(self, conversation_id: str, work: Work[Letter | datetime | None]) -> Letter | datetime | None:
        """What has happened in the world is written down before anything else, and however long the database is away: forgotten, it would happen
        twice, or be in doubt for good."""
        while True:
            try:
                found = await self._store.atransact(work, urgent=True)
            except StoreDown:
                log.warning("mark_waits_for_database", conversation=conversation_id)
                await asyncio.sleep(self.mark_again)
            else:
                self._hub.wake(conversation(conversation_id))
                return found

    async def _send(self, letter: Letter) -> Mark:
        """Make one call; what comes back writes down what came of it."""
        channel = self._channels.get(letter.channel)
        if channel is None:  # switched off: it waits for the channel to come back, or for a human
            return self._wait(letter, 60.0, "channel_off", drop_token=not _may_be_there(letter))
        token, lost_before = self._usable_token(letter), _was_lost(letter)
        if token is None and letter.reply_token is not None and lost_before:
            return self._lost_reply(letter)
        try:
            async with asyncio.timeout(_CALL.total_seconds()):
                result = await channel.send(
                    Outgoing.model_validate_json(letter.body), destination=letter.destination, retry_key=letter.retry_key, reply_token=token
                )
        except TimeoutError:
            result = Unknown("too_slow")
        except Exception as error:  # our bug: tried again with growing pauses, and held for a human in the end
            log.error("send_failed", error=type(error).__name__, channel=letter.channel, letter=letter.id)
            result = Unknown(type(error).__name__)
        now = self._clock.now()
        match result:
            case Sent(again=again):
                twice = lost_before and letter.channel not in KNOWS_AGAIN and not again
                return lambda rows: outbox.sent(rows, letter.id, now, maybe_twice=twice)
            case Refused(token_used=True) if _may_be_there(letter):  # our own earlier try had used it
                return lambda rows: outbox.sent(rows, letter.id, now)
            case Refused(token_used=True):
                return self._wait(letter, 0.0, result.problem, drop_token=True)
            case Refused():
                return self._refused(letter, result)
            case TryLater():
                return self._busy(letter, result)
            case Unknown(probably_not=probably_not):
                return self._wait(letter, self._pause(letter), result.problem, unknown=not probably_not)

    def _usable_token(self, letter: Letter) -> str | None:
        if letter.reply_token is None or letter.reply_until is None:
            return None
        return letter.reply_token if self._clock.now() < outbox.last_reply(letter.reply_until, letter.attempts - 1) else None

    def _lost_reply(self, letter: Letter) -> Mark:
        """A reply whose answer never came, and whose token has died: a push could double it, so staff are told instead."""
        now = self._clock.now()

        def mark(rows: Session) -> None:
            if outbox.give_up(rows, letter, now, problem="reply_answer_lost"):
                _add_task(rows, letter, "maybe_not_delivered", now)

        self._hub.wake(DESK)
        return mark

    def _refused(self, letter: Letter, refused: Refused) -> Mark:
        now = self._clock.now()

        def mark(rows: Session) -> None:
            if not outbox.give_up(rows, letter, now, problem=refused.problem):
                return
            talk = talks.by_id(rows, letter.conversation_id)
            if talk is not None and refused.unreachable:
                talks.set_reachable(rows, talk, False)
                outbox.cancel(rows, talk.id, now)
                reception.mark_unreachable(rows, talk, now)
            else:
                _add_task(rows, letter, "not_delivered", now)

        log.warning("letter_refused", problem=refused.problem, channel=letter.channel, letter=letter.id)
        self._hub.wake(DESK)
        return mark

    def _busy(self, letter: Letter, busy: TryLater) -> Mark:
        pause = busy.seconds if busy.seconds is not None else self._pause(letter)
        wait = self._wait(letter, pause, busy.problem, drop_token=not _may_be_there(letter))
        now = self._clock.now()

        def mark(rows: Session) -> None:
            wait(rows)
            if busy.quota:
                _add_task(rows, letter, "quota_used_up", now)

        return mark

    def _wait(self, letter: Letter, seconds: float, problem: str, *, unknown: bool = False, drop_token: bool = False) -> Mark:
        when, unknown = self._clock.now() + min(timedelta(seconds=seconds), outbox.LONGEST_WAIT), unknown or _was_lost(letter)
        log.info("letter_waits", problem=problem, channel=letter.channel, seconds=round(seconds, 1), letter=letter.id)
        return lambda rows: outbox.try_later(rows, letter, when, problem=problem, unknown=unknown, drop_token=drop_token)

    def _later(self, conversation_id: str, seconds: float) -> None:
        old = self._timers.pop(conversation_id, None)
        if old is not None:
            old.cancel()

        def ring() -> None:
            self._timers.pop(conversation_id, None)
            self.wake(conversation_id)

        self._timers[conversation_id] = asyncio.get_running_loop().call_later(seconds, ring)

    @staticmethod
    def _pause(letter: Letter) -> float:
        """Growing pauses with jitter: about 1, 2, 4 … 300 seconds."""
        return min(2.0 ** (letter.attempts - 1), _LONGEST_PAUSE) * random.uniform(0.8, 1.2)  # noqa: S311  (jitter, no secret)


def _was_lost(letter: Letter) -> bool:
    """Whether an earlier try may have arrived: its answer never came, or whoever made it died."""
    return letter.state == "unknown" or (letter.attempts > 1 and letter.state == "sending")


def _may_be_there(letter: Letter) -> bool:
    """So too where the platform said of a reply that it failed itself. Only such a reply has its token still: what surely was not taken loses it."""
    return _was_lost(letter) or (letter.attempts > 1 and letter.reply_token is not None)


def _add_task(rows: Session, letter: Letter, kind: str, now: datetime) -> None:
    talk = talks.by_id(rows, letter.conversation_id)
    if talk is not None and not records.has_open_task(rows, talk.id, kind):
        records.add_task(rows, kind=kind, now=now, talk=talk)
