"""What is prepared once for SQLite says exactly what the library's own way says."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from storage import moment, outbox
from storage import talk as talks
from storage.sealing import Keyring
from storage.store import Store
from storage.talk import Line
from tests.storage.rows import NOW


@pytest.fixture
def new_store(sqlite_template: Path, tmp_path: Path, keyring: Keyring) -> Iterator[Callable[[], Store]]:
    """Makes a store on an empty database each time."""
    opened: list[Store] = []

    def make() -> Store:
        path = tmp_path / f"{len(opened)}.db"
        shutil.copy(sqlite_template, path)
        opened.append(Store.open(f"sqlite:///{path}", keyring))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


def listened_to(store: Store) -> Store:
    """Somebody listens to the engine: every statement goes the ordinary way."""
    event.listen(store.engine, "before_cursor_execute", lambda *_: None)
    return store


def told(rows: Session) -> tuple[object, ...]:
    """A talk with lines, events and letters, written and read back: times, truths, ciphertext and what is not there."""
    talk = talks.find_or_open(rows, "line", "U1", NOW)
    inbox = talks.admit(rows, talk, event_id="e1", kind="text", raw="{}", now=NOW, reply_token="token", reply_until=NOW)
    again = talks.admit(rows, talk, event_id="e1", kind="text", raw="{}", now=NOW)
    talk, line = talks.add_line(rows, talk, author="resident", kind="text", body="こんにちは", now=NOW, danger_level="L1", danger_rule="rule")
    assert inbox is not None
    talks.link_inbox(rows, inbox, line.id)
    waiting = talks.pending(rows, talk)
    talks.end(rows, waiting, "answered")
    talk, answer = talks.add_line(rows, talk, author="bot", kind="text", body="はい", now=NOW)
    letters = outbox.write(rows, talk, ["{}", "{}"], now=NOW, line=answer, reply_token="token", claim=True)
    outbox.sent(rows, letters[0].id, NOW, maybe_twice=True)
    later = outbox.take(rows, talk.id, NOW + timedelta(hours=1))
    talk = talks.save(rows, replace(talk, settle_at=NOW, hidden_address=True, flow_session="{}"), NOW)
    read = [replace(one, id="") for one in talks.lines(rows, talk.id)]
    around = moment.around(rows, talk.id, day="2026-11-24", part="out")
    known, due = talks.by_id(rows, talk.id), outbox.next_due(rows, talk.id)
    assert known == talk
    assert isinstance(later, outbox.Letter)
    return again, read, [replace(one.line, id="") for one in waiting], waiting[0].reply_until, later.seq, later.state, due, around, known.settle_at, (
        talks.last_words(rows, talk), talks.pending(rows, talk), outbox.states_of(rows, [answer.id])[answer.id],
    )  # fmt: skip


def test_what_is_read_back_is_the_same_either_way(new_store: Callable[[], Store]) -> None:
    assert new_store().transact(told) == listened_to(new_store()).transact(told)


def test_a_row_that_breaks_a_rule_of_the_table_is_the_librarys_own_error_either_way(new_store: Callable[[], Store]) -> None:
    def two_lines_of_one_number(rows: Session) -> Line:
        talk = talks.find_or_open(rows, "line", "U1", NOW)
        talks.add_line(rows, talk, author="bot", kind="text", body="1", now=NOW)
        return talks.add_line(rows, talk, author="bot", kind="text", body="2", now=NOW)[1]

    for store in (new_store(), listened_to(new_store())):
        with pytest.raises(IntegrityError) as caught:
            store.transact(two_lines_of_one_number)
        assert "body_sealed" not in str(caught.value.params)
