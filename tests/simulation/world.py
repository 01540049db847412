"""The product in one loop: reception, delivery, jobs and desk over a real database, with a clock, platforms and a disk that fail when told to."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from bot.app import build_parts
from bot.channels.port import Inbound, Outgoing
from bot.desk import acts
from bot.jobs.loop import Loop
from bot.settings import Settings
from flows.model import ChannelName
from storage import audit, outbox, staff
from storage import talk as talks
from storage.desk_queue import Viewer
from storage.refusals import Refused
from storage.sealing import unseal
from storage.store import Store, StoreDown
from tests.simulation.platforms import FakePlatform, Fault
from tests.town import OPENING, TownClock, knowledge_of

ENDINGS = {"answered", "queued", "acknowledged", "noise"}
_TRIES = 50
_SOON = timedelta(seconds=4)


@dataclass
class Disk:
    """The database's own calls, statements and commits, counted; some of them fail as a full disk or a lost server lets them."""

    store: Store
    calls: int = 0
    failing: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        event.listen(self.store.engine, "before_cursor_execute", self._one)
        event.listen(self.store.engine, "commit", self._one)

    def fails_at(self, *calls: int) -> None:
        """Let these calls from now on fail, the next one being 1."""
        self.calls, self.failing = 0, set(calls)

    def _one(self, *_: object) -> None:
        self.calls += 1
        if self.calls in self.failing:
            full: Exception = psycopg.OperationalError("server closed the connection")
            if self.store.engine.dialect.name == "sqlite":
                full = sqlite3.OperationalError("database or disk is full")
                full.sqlite_errorcode, full.sqlite_errorname = sqlite3.SQLITE_FULL, "SQLITE_FULL"  # type: ignore[attr-defined]
            raise OperationalError("a statement", {}, full)


class World:
    """Everybody and everything; made inside a running loop."""

    def __init__(self, store: Store, folder: Path, **changes: object) -> None:
        self.store, self.clock, self.disk = store, TownClock(), Disk(store)
        self._faults: dict[int, Fault] = {}
        self._calls = 0
        self.platforms = {name: FakePlatform(name, self.clock, self._weather) for name in ("line", "telegram")}
        self.weather: Callable[[], Fault | None] = lambda: None
        given = {"settle_seconds": 0.0, "master_key_file": folder / "key", "alarm_urls": "json://nowhere.example"} | changes
        self._settings = Settings.model_validate(given)
        self.residents: list[Person] = []
        self.rung = 0
        self._numbers = count(1)
        self.starts()

    # ------------------------------------------------------------ the process

    def starts(self) -> None:
        """A new process over the same rows."""
        self.parts = build_parts(
            self._settings, self.store, clock=self.clock, channels=self.platforms, call=self._rings,
            knowledge=copy(knowledge_of(self._settings.knowledge)),
        )  # fmt: skip
        self.parts.delivery.mark_again = 0.002
        self._born_after = sum(one.deaths for one in self.platforms.values())

    async def dies(self) -> None:
        """Kill -9: whatever the process had in mind is gone. The next one starts at once."""
        for timers in (self.parts.delivery._timers, self.parts.doorman._timers):
            for timer in timers.values():
                timer.cancel()
        tasks = {*self.parts.delivery._tasks, *self.parts.doorman._tasks}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.starts()
        await self._insists(lambda: self.store.atransact(lambda rows: outbox.free_leases(rows, self.clock.now())))

    async def _rings(self, addresses: object, words: str) -> bool:
        self.rung += 1
        return True

    def _weather(self) -> Fault | None:
        self._calls += 1
        return self._faults.pop(self._calls, None) or self.weather()

    def call_fails_at(self, number: int, fault: Fault) -> None:
        """Let this call to a platform from now on go wrong, the next one being 1."""
        self._calls, self._faults = 0, {number: fault}

    @property
    def calls(self) -> int:
        return self._calls

    async def rests(self) -> None:
        """Until nothing more happens by itself at this time of the clock; a process that died is started again."""
        for _ in range(_TRIES):
            await self.parts.doorman.idle()
            await self.parts.delivery.idle()
            if sum(one.deaths for one in self.platforms.values()) == self._born_after:
                return
            await self.dies()
            await self._insists(self.parts.delivery.sweep)

    async def passes(self, **by: float) -> None:
        """Time passes, and what comes due is done, as the loop of jobs does it: what fails now is tried again with the next beat.

        What was to be tried again after a second or two has been, before the rest of a long time is over.
        """
        if timedelta(**by) > _SOON:
            self.clock.moves(seconds=_SOON.total_seconds())
            with suppress(StoreDown):
                await self.parts.delivery.sweep()
            await self.rests()
            self.clock.moves(seconds=-_SOON.total_seconds())
        self.clock.moves(**by)
        for sweep in (self.parts.doorman.sweep, self._keeps, self.parts.alarms.climb, self.parts.delivery.sweep):
            with suppress(StoreDown):
                await sweep()
        await asyncio.sleep(0.001)
        await self.rests()

    async def _keeps(self) -> None:
        await Loop(self.parts).keep_promises()

    async def _insists(self, act: Callable[[], Awaitable[object]]) -> None:
        """Do it again until the database takes it."""
        for _ in range(_TRIES):
            try:
                await act()
            except StoreDown:
                continue
            return
        raise AssertionError("the database took it in none of so many tries")

    # ------------------------------------------------------------ people

    def resident(self, channel: ChannelName) -> "Person":
        person = Person(self, channel, str(70_000 + next(self._numbers)))
        self.residents.append(person)
        return person

    def coordinator(self, name: str) -> Viewer:
        def work(rows: Any) -> Viewer:
            login, now = f"{name}@example.jp", self.clock.now()
            staff.accept(rows, staff.invite(rows, role="coordinator", now=now), name=name, login=login, password_hash="!", now=now)
            found = rows.execute(text("SELECT id FROM staff WHERE login = :login"), {"login": login}).scalar_one()
            return Viewer(found, name, "coordinator", f"staff:{found}")

        return self.store.transact(work)

    async def at_the_desk(self, act: Callable[[], Awaitable[object]]) -> bool:
        """A coordinator presses a button, and again while the page says that it cannot be saved; False where the desk refuses the act."""
        try:
            await self._insists(act)
        except Refused:
            return False
        finally:
            await self.rests()
        return True

    async def claims(self, viewer: Viewer, code: str) -> bool:
        return await self.at_the_desk(lambda: acts.claim(self.parts, viewer, code))

    async def replies(self, viewer: Viewer, code: str, words: str) -> bool:
        return await self.at_the_desk(lambda: acts.reply(self.parts, viewer, code, text=words, expected=self._version(code)))

    async def hands_back(self, viewer: Viewer, code: str) -> bool:
        ending = acts.Ending("では、今日はここまでです。")
        return await self.at_the_desk(lambda: acts.hand_back(self.parts, viewer, code, expected=self._version(code), ending=ending))

    async def closes(self, viewer: Viewer, code: str) -> bool:
        ending = acts.Ending("おつかれさまでした。")
        return await self.at_the_desk(
            lambda: acts.close(self.parts, viewer, code, expected=self._version(code), reason="settled", ending=ending)
        )  # fmt: skip

    def _version(self, code: str) -> int:
        with self.undisturbed():
            return int(self.rows("SELECT version FROM care_case WHERE code = :code", code=code)[0].version)

    # ------------------------------------------------------------ looking

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """The test's own looks at the rows neither count nor fail."""
        calls, failing = self.disk.calls, self.disk.failing
        self.disk.failing = set()
        try:
            yield
        finally:
            self.disk.calls, self.disk.failing = calls, failing

    def rows(self, statement: str, **values: object) -> list[Any]:
        with self.undisturbed():
            return self.store.transact(lambda rows: list(rows.execute(text(statement), values).all()))

    def goes_home(self) -> None:
        """What was is over: it changes nothing for who comes next, at the same time of the day."""
        self.clock.at = OPENING
        self.rows("UPDATE care_case SET state = 'closed' WHERE state <> 'closed' RETURNING id")
        self.rows("UPDATE promise SET state = 'kept' WHERE state = 'open' RETURNING id")
        self.rows("UPDATE alarm SET next_step_at = NULL RETURNING id")
        self.residents.clear()

    def faults(self) -> list[str]:
        """What is not as it must be once everything has come to rest."""
        with self.undisturbed():
            found = [fault for person in self.residents for fault in self.store.transact(person.faults)]
            broken = self.store.transact(audit.verify)
        if broken is not None:
            found.append(f"the audit chain breaks at {broken.seq}: {broken.what}")
        for row in self.rows("SELECT conversation_id FROM care_case WHERE state <> 'closed' GROUP BY conversation_id HAVING count(*) > 1"):
            found.append(f"{row.conversation_id}: two open cases (I6)")
        called = "SELECT conversation_id FROM alarm"
        for row in self.rows(f"SELECT id FROM message WHERE danger_level IN ('L2', 'L3') AND conversation_id NOT IN ({called})"):
            found.append(f"{row.id}: danger was heard and nobody was called")
        return found


@dataclass
class Person:
    """A resident with one account, and what they did; their platform brings each event until it is taken."""

    world: World
    channel: ChannelName
    account: str
    acknowledged: list[str] = field(default_factory=list)
    """Event ids that were answered 200, in order of that."""
    events: list[Inbound] = field(default_factory=list)
    erased: bool = False
    """Asked for everything to be erased: their letters are gone too."""
    took_back: list[str] = field(default_factory=list)
    """Words that were sent and unsent again."""
    _seen: int = 0
    """Buttons that were there before the last act."""

    @property
    def platform(self) -> FakePlatform:
        return self.world.platforms[self.channel]

    def makes(self, kind: str, **what: Any) -> Inbound:
        """One event, not brought yet."""
        at, event_id = self.world.clock.now(), f"{self.account}-{len(self.events)}"
        token, until = None, None
        if self.channel == "line" and kind != "unfollow":
            token, until = self.platform.gives_token(event_id), at + outbox.LEASE * 5
        made = Inbound(
            self.channel, event_id, kind, self.account, at, "{}", platform_id=f"p-{event_id}", reply_token=token, reply_until=until, **what,  # type: ignore[arg-type]
        )  # fmt: skip
        self.events.append(made)
        return made

    async def brings(self, one: Inbound) -> None:
        """Their platform posts the event until it hears 200."""
        self._seen = len(self.platform.buttons[self.account])
        receive = partial(self.world.parts.doorman.receive, [one])
        await self.world._insists(receive)
        if one.event_id not in self.acknowledged:
            self.acknowledged.append(one.event_id)
        await self.world.rests()

    async def comes(self) -> None:
        await self.brings(self.makes("follow"))

    async def says(self, words: str) -> None:
        await self.brings(self.makes("text", text=words))

    async def presses(self, value: str) -> None:
        await self.brings(self.makes("button", button=value))

    async def taps(self, label: str) -> None:
        """The button with this label under what was shown since the last act; waits for it as a person would."""
        for _ in range(_TRIES):
            for one in self.platform.buttons[self.account][self._seen :]:
                if one.label == label:
                    return await self.presses(one.value)
            await self.world.passes(seconds=9)
        raise AssertionError(f"{self.account} sees no button {label}")

    # ------------------------------------------------------------ looking

    @property
    def case(self) -> str | None:
        found = self.world.rows("SELECT code FROM care_case WHERE conversation_id = :id AND state <> 'closed'", id=self.conversation)
        return str(found[0].code) if found else None

    @property
    def conversation(self) -> str:
        def work(rows: Any) -> str:
            talk = talks.find(rows, self.channel, self.account)
            assert talk is not None
            return talk.id

        with self.world.undisturbed():
            return self.world.store.transact(work)

    def faults(self, rows: Any) -> list[str]:
        talk = talks.find(rows, self.channel, self.account)
        if talk is None:
            return [] if not self.acknowledged else [f"{self.account}: acknowledged, and not known at all"]
        found = []
        inbox = rows.execute(text("SELECT event_id, state FROM inbox WHERE conversation_id = :id"), {"id": talk.id}).all()
        if sorted(row.event_id for row in inbox) != sorted(self.acknowledged):
            found.append(f"{self.account}: {len(self.acknowledged)} acknowledged, {len(inbox)} kept (R2)")
        found += [f"{self.account}: {row.event_id} is {row.state} (I4)" for row in inbox if row.state not in ENDINGS]
        lines = talks.lines(rows, talk.id, limit=100_000)
        if [line.seq for line in lines] != list(range(1, len(lines) + 1)):
            found.append(f"{self.account}: lines are not numbered without gaps")
        return found + self._letters(rows, talk.id)

    def _letters(self, rows: Any, conversation_id: str) -> list[str]:
        """What was written beside what was taken: once each, in its order, as it stands in the row."""
        query = text("SELECT id, retry_key, state, problem, maybe_twice, body_sealed FROM outbox WHERE conversation_id = :id ORDER BY seq")
        written = {row.retry_key: row for row in rows.execute(query, {"id": conversation_id})}
        taken, found = self.platform.shown[self.account], []
        order = [key for at, (key, _) in enumerate(taken) if key in written and key not in {before for before, _ in taken[:at]}]
        if order != [key for key in written if key in set(order)]:
            found.append(f"{self.account}: what was taken came in another order than it was written")
        if not (self.erased or self._spoke_of_danger()):  # danger: it may be the answer that needs no store (R46)
            gone = [shown for key, shown in taken if key not in written]
            quoting = any(words in shown for words in self.took_back for shown in gone)  # an answer goes with the words it gives back (R8)
            found += [f"{self.account}: {shown[:60]} was shown and stands nowhere" for shown in gone if not quoting]
        for key, row in written.items():
            body = unseal(rows, talks.scope_of(conversation_id), f"outbox.body:{row.id}", bytes(row.body_sealed))
            looks, seen = self.platform.render(Outgoing.model_validate_json(body)), [look for of, look in taken if of == key]
            found += [f"{self.account}: {fault}" for fault in self._letter(row, looks, seen)]
        if any(row.state == "failed" and row.problem != "blocked" for row in written.values()) and not _tasks(rows, conversation_id):
            found.append(f"{self.account}: a letter failed and nobody at the desk was told")
        return found

    def _spoke_of_danger(self) -> bool:
        danger = self.world.parts.knowledge.town.base.danger
        return any(danger.scan(one.text).heard for one in self.events if one.text)

    def _letter(self, row: Any, looks: str, shown: list[str]) -> Iterator[str]:
        if set(shown) - {looks}:
            yield f"shown as {shown}, written as {looks}"
        if row.state == "sent" and not shown:
            yield f"marked sent and never taken: {looks[:90]}"
        if len(shown) > 1 and (self.channel == "line" or not row.maybe_twice):
            yield f"taken {len(shown)} times: {looks[:90]}"
        if row.state not in ("sent", "failed", "cancelled", "held"):
            yield f"{row.state} when everything should have left"


def _tasks(rows: Any, conversation_id: str) -> int:
    kinds = "('maybe_not_delivered', 'not_delivered', 'unreachable', 'quota_used_up')"
    query = text(f"SELECT count(*) FROM task WHERE conversation_id = :id AND kind IN {kinds}")
    return int(rows.execute(query, {"id": conversation_id}).scalar_one())
