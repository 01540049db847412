"""Every query on the way of one message goes by an index, on both engines: a town with years of talk is as quick as a new one."""

import inspect
import json
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlmodel import Session

from storage import audit, cases, moment, outbox, records
from storage import talk as talks
from storage.outbox import Letter
from storage.store import Store
from storage.talk import Line, Pending, Talk
from tests.storage.rows import NOW

TALK = Talk("c" * 32, "p" * 32, "line", "U1", "bot", None, 1, 0, None, False, True, True, NOW)
LINE = Line("m" * 32, 1, "bot", None, "text", "x", "L0", None, NOW, None)
LETTER = Letter("1", TALK.id, "line", 1, "U1", "{}", "k", None, None, "sending", 1, NOW, NOW)
SHEET = json.dumps([{"text": "x", "refs": ["m1"]}])

CALLS: dict[str, Callable[[Session], object]] = {
    "talk.find": lambda rows: talks.find(rows, "line", "U1"),
    "talk.by_id": lambda rows: (talks.by_id(rows, TALK.id), talks.by_id(rows, TALK.id, lock=False)),
    "talk.find_or_open": lambda rows: talks.find_or_open(rows, "line", "U1", NOW),
    "talk.count_since": lambda rows: talks.count_since(rows, TALK.id, "resident", NOW),
    "talk.settled": lambda rows: talks.settled(rows, NOW),
    "talk.admit": lambda rows: talks.admit(rows, talks.find_or_open(rows, "line", "U2", NOW), event_id="1", kind="text", raw="", now=NOW),
    "talk.admit_stray": lambda rows: talks.admit_stray(rows, channel="line", event_id="2", kind="group", raw="", now=NOW),
    "talk.add_line": lambda rows: talks.add_line(
        rows, talks.find_or_open(rows, "line", "U3", NOW), author="bot", kind="text", body="x", now=NOW, platform_id="1"
    ),
    "talk.save": lambda rows: talks.save(rows, TALK, NOW),
    "talk.set_reachable": lambda rows: talks.set_reachable(rows, TALK, True),
    "talk.settle_inbox": lambda rows: talks.settle_inbox(rows, ["1", "2"], "answered"),
    "talk.link_inbox": lambda rows: talks.link_inbox(rows, "1", "2"),
    "talk.end": lambda rows: talks.end(rows, [Pending("1", LINE, None, None)], "answered"),
    "talk.pending": lambda rows: talks.pending(rows, TALK),
    "talk.forget_words": lambda rows: talks.forget_words(rows, TALK, ["1", "2"], NOW),
    "talk.by_platform_id": lambda rows: talks.by_platform_id(rows, TALK, "1"),
    "talk.lines": lambda rows: talks.lines(rows, TALK.id, after=3),
    "talk.reword": lambda rows: talks.reword(rows, TALK, "1", "{}"),
    "talk.numbers": lambda rows: talks.numbers(rows, TALK.id, ["1", "2"]),
    "talk.last_words": lambda rows: talks.last_words(rows, TALK),
    "talk.wrote_after": lambda rows: talks.wrote_after(rows, TALK.id, "staff", NOW),
    "outbox.write": lambda rows: outbox.write(rows, TALK, [], now=NOW, line=LINE),
    "outbox.take": lambda rows: outbox.take(rows, TALK.id, NOW),
    "outbox.free_leases": lambda rows: outbox.free_leases(rows, NOW),
    "outbox.sent": lambda rows: outbox.sent(rows, "1", NOW),
    "outbox.try_later": lambda rows: outbox.try_later(rows, LETTER, NOW, problem="503", unknown=True, drop_token=True),
    "outbox.give_up": lambda rows: outbox.give_up(rows, LETTER, NOW, problem="400"),
    "outbox.cancel": lambda rows: (outbox.cancel(rows, TALK.id, NOW), outbox.cancel(rows, TALK.id, NOW, only_unasked=True)),
    "outbox.hold_old": lambda rows: outbox.hold_old(rows, NOW, timedelta(hours=6)),
    "outbox.release": lambda rows: outbox.release(rows, TALK.id, NOW),
    "outbox.due_conversations": lambda rows: outbox.due_conversations(rows, NOW),
    "outbox.next_due": lambda rows: outbox.next_due(rows, TALK.id),
    "outbox.states_of": lambda rows: outbox.states_of(rows, ["1", "2"]),
    "outbox.oldest_waiting": outbox.oldest_waiting,
    "cases.open_of": lambda rows: cases.open_of(rows, TALK.id),
    "cases.open_or_add": lambda rows: [
        cases.open_or_add(
            rows, talks.find_or_open(rows, "line", "U4", NOW), reason="wish", urgency=1, title="x", sheet=SHEET, topics=["T01"], shares_story=True,
            restricted=False, promise_at=None, now=NOW,
        ) for _ in range(2)
    ],
    "cases.requeue": lambda rows: cases.requeue(rows, "1"),
    "cases.requeue_all_of": lambda rows: cases.requeue_all_of(rows, "1"),
    "cases.raise_urgency": lambda rows: cases.raise_urgency(rows, "1", 2),
    "cases.move_promise": lambda rows: cases.move_promise(rows, "1", NOW),
    "cases.forget_words": lambda rows: cases.forget_words(rows, TALK, "1"),
    "moment.around": lambda rows: moment.around(rows, TALK.id, day="2026-10-01", part="out"),
    "cases.is_staffed": cases.is_staffed,
    "cases.raise_alarm": lambda rows: cases.raise_alarm(
        rows, talks.find_or_open(rows, "line", "U5", NOW), case_id=None, level="L2", kinds=["x"], rule=None, message_id=None, now=NOW
    ),
    "cases.open_alarms": cases.open_alarms,
    "cases.due_alarms": lambda rows: cases.due_alarms(rows, NOW),
    "cases.climb": lambda rows: cases.climb(rows, "1", step=1, next_step_at=NOW),
    "cases.acknowledge": lambda rows: cases.acknowledge(rows, TALK.id, None, NOW),  # type: ignore[arg-type]
    "audit.reads_of": lambda rows: audit.reads_of(rows, "1"),
    "records.consents": lambda rows: records.consents(rows, TALK.id),
    "records.due_promises": lambda rows: records.due_promises(rows, NOW),
    "records.is_open": lambda rows: records.is_open(rows, "1"),
    "records.is_promised": lambda rows: records.is_promised(rows, TALK.id, "no_answer"),
    "records.keep_promises": lambda rows: records.keep_promises(rows, TALK.id, "reply", NOW),
    "records.drop_promises": lambda rows: records.drop_promises(rows, TALK.id, ("reply", "check"), NOW),
    "records.has_open_task": lambda rows: records.has_open_task(rows, TALK.id, "check"),
    "records.cursor": lambda rows: records.cursor(rows, "x"),
}  # fmt: skip


_OF_NO_TABLE = ("pg_advisory", "set_config")
"""The store's own statements, which name a lock or the viewer."""


def functions_of(module: ModuleType) -> set[str]:
    """Functions that other rooms call with a session."""
    name = module.__name__.rpartition(".")[2]
    return {
        f"{name}.{one}" for one, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not one.startswith("_") and "session" in inspect.signature(function).parameters
    }  # fmt: skip


@pytest.mark.parametrize("module", [talks, outbox, cases, moment])
def test_every_function_is_looked_at(module: ModuleType) -> None:
    assert functions_of(module) <= set(CALLS)


def plans(store: Store, call: Callable[[Session], object], *, as_it_likes: bool = False) -> dict[str, list[str]]:
    """How the engine would run each statement of a call. PostgreSQL walks a small table whatever there is, so it is kept from walking unless
    `as_it_likes`: then it chooses by what the tables hold."""
    seen: list[tuple[str, Any]] = []

    def look(_connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")) and not any(name in statement for name in _OF_NO_TABLE):
            seen.append((statement, parameters[0] if many else parameters))

    event.listen(store.engine, "before_cursor_execute", look)
    try:
        store.transact(call)
    finally:
        event.remove(store.engine, "before_cursor_execute", look)
    assert seen or call in (CALLS["talk.admit_stray"],), "the call asks the database something"

    def explain(rows: Session) -> dict[str, list[str]]:
        connection = rows.connection()
        if store.engine.dialect.name == "sqlite":
            return {
                statement: [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
                for statement, parameters in seen
            }
        if not as_it_likes:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        return {statement: [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)] for statement, parameters in seen}

    return store.transact(explain)


def walks_a_table(step: str) -> bool:
    """A walk over a whole table. A walk over a partial index is none: only open rows are in it."""
    if step.startswith("SCAN"):
        return not any(partial in step for partial in ("INDEX ix_outbox_open", "INDEX ix_outbox_due", "CONSTANT ROW"))
    return "Seq Scan" in step


@pytest.mark.parametrize("name", sorted(CALLS))
def test_no_query_walks_a_whole_table(store: Store, name: str) -> None:
    walks = {statement: steps for statement, steps in plans(store, CALLS[name]).items() if any(walks_a_table(step) for step in steps)}
    assert walks == {}


def test_a_walk_over_a_whole_table_would_be_seen(store: Store) -> None:
    def walk(rows: Session) -> object:
        return rows.connection().exec_driver_sql("SELECT id FROM message WHERE kind = 'text'").all()

    (steps,) = plans(store, walk).values()
    assert any(walks_a_table(step) for step in steps)


# ---------------------------------------------------------------- a town that has grown

_HOT = (
    "talk.find", "talk.by_id", "talk.settled", "talk.save", "talk.end", "talk.settle_inbox", "talk.pending", "talk.lines", "talk.last_words",
    "outbox.take", "outbox.sent", "outbox.try_later", "outbox.due_conversations", "outbox.next_due", "outbox.hold_old", "outbox.oldest_waiting",
)  # fmt: skip
_GROWN = 20_000
_SOME_TIME = "'2026-01-01 00:00:00.000000+00:00'"
_ROWS = {
    "data_key": "scope, wrapped, master: 's' || n, :cell, 'm'",
    "person": f"id, created_at: 'p' || n, {_SOME_TIME}",
    "identity": f"id, person_id, channel, external_hash, external_sealed, reachable, created_at: "
    f"'i' || n, 'p' || n, 'line', 'h' || n, :cell, :yes, {_SOME_TIME}",
    "conversation": f"id, person_id, identity_id, channel, owner, session_sealed, version, last_seq, hidden_address, follow_ups, in_room, read_seq, "
    f"created_at, last_at: 'c' || n, 'p' || n, 'i' || n, 'line', 'bot', :cell, 1, 1, :no, :yes, :no, 0, {_SOME_TIME}, {_SOME_TIME}",
    "message": f"id, conversation_id, seq, author, kind, body_sealed, danger_level, at: "
    f"'m' || n, 'c' || n, 1, 'resident', 'text', :cell, 'L0', {_SOME_TIME}",
    "inbox": f"id, channel, event_id, conversation_id, message_id, kind, state, received_at: "
    f"'x' || n, 'line', 'e' || n, 'c' || n, 'm' || n, 'text', 'answered', {_SOME_TIME}",
    "outbox": f"id, conversation_id, message_id, channel, seq, destination_sealed, body_sealed, retry_key, state, attempts, next_try_at, "
    f"maybe_twice, unasked, created_at: 'o' || n, 'c' || n, 'm' || n, 'line', 16, :cell, :cell, 'k' || n, "
    f"CASE WHEN n % 200 = 0 THEN 'queued' ELSE 'sent' END, 1, {_SOME_TIME}, :no, :no, {_SOME_TIME}",
}


@pytest.fixture
def grown(store: Store) -> Store:
    """Twenty thousand residents who have each written once; one answer in two hundred still waits."""

    def fill(rows: Session) -> None:
        for table, written in _ROWS.items():
            columns, _, values = written.partition(": ")
            if store.engine.dialect.name == "postgresql":
                values = values.replace(_SOME_TIME, f"{_SOME_TIME}::timestamptz")
            source = f"WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < {_GROWN}) SELECT {values} FROM k"
            rows.execute(text(f"INSERT INTO {table} ({columns}) {source}"), {"cell": b"sealed", "yes": True, "no": False})
        rows.execute(text("ANALYZE"))

    store.transact(fill)
    return store


def test_a_town_that_has_grown_is_still_looked_up_by_index_where_the_engine_may_choose(grown: Store) -> None:
    walks = {
        name: steps for name in _HOT for steps in plans(grown, CALLS[name], as_it_likes=True).values() if any(walks_a_table(step) for step in steps)
    }
    assert walks == {}
