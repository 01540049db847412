"""The audit chain: whatever is changed, taken out, cut off or written anew shows (R43)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from storage import audit
from storage.audit import Broken
from storage.store import Store
from tests.storage.rows import NOW, at_once


def notes(store: Store, count: int, case_id: str = "case-1") -> None:
    for number in range(count):
        store.transact(
            lambda rows, number=number: audit.note(
                rows, actor="staff:1", act="case.read", now=NOW + timedelta(seconds=number), case_id=case_id, number=number, known=True, rule=None
            )
        )


def run(store: Store, statement: str) -> None:
    store.transact(lambda rows: rows.execute(text(statement)))


def verify(store: Store, known_head: tuple[int, str] | None = None) -> Broken | None:
    return store.transact(lambda rows: audit.verify(rows, {} if known_head is None else dict([known_head])))


def test_an_untouched_chain_holds_and_its_head_is_known(store: Store) -> None:
    assert verify(store) is None
    assert store.transact(audit.head) == (0, audit.GENESIS)
    notes(store, 7)
    head = store.transact(audit.head)
    assert head[0] == 7
    assert verify(store, head) is None
    notes(store, 3)
    assert verify(store, head) is None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", "'staff:2'"), ("act", "'case.closed'"), ("case_id", "'case-2'"), ("case_id", "NULL"), ("detail", "'{}'"),
        ("at", "'2026-11-24 02:00:00.000000+00:00'"), ("previous", f"'{'1' * 64}'"), ("hash", f"'{'1' * 64}'"),
    ],
)  # fmt: skip
@pytest.mark.requirement("R43")
def test_an_edited_row_is_found(store: Store, column: str, value: str) -> None:
    notes(store, 6)
    run(store, f"UPDATE audit SET {column} = {value} WHERE seq = 4")
    found = verify(store)
    assert found is not None
    assert found == Broken(4, "changed")


@pytest.mark.parametrize("seq", [1, 3])
@pytest.mark.requirement("R43")
def test_a_row_taken_out_is_found(store: Store, seq: int) -> None:
    notes(store, 5)
    run(store, f"DELETE FROM audit WHERE seq = {seq}")
    assert verify(store) == Broken(seq, "missing")


@pytest.mark.requirement("R43")
def test_a_row_taken_out_with_the_numbers_closed_up_is_found(store: Store) -> None:
    notes(store, 5)
    run(store, "DELETE FROM audit WHERE seq = 3")
    run(store, "UPDATE audit SET seq = 3 WHERE seq = 4")
    run(store, "UPDATE audit SET seq = 4 WHERE seq = 5")
    assert verify(store) == Broken(3, "changed")


@pytest.mark.requirement("R43")
def test_a_row_put_in_between_is_found(store: Store) -> None:
    notes(store, 3)
    run(store, "INSERT INTO audit SELECT seq + 3, at, actor, act, case_id, detail, previous, hash FROM audit WHERE seq = 1")
    assert verify(store) == Broken(4, "changed")


@pytest.mark.requirement("R43")
def test_a_cut_tail_is_found_by_a_head_kept_outside_and_only_by_it(store: Store) -> None:
    notes(store, 6)
    head = store.transact(audit.head)
    run(store, "DELETE FROM audit WHERE seq > 4")
    assert verify(store) is None
    assert verify(store, head) == Broken(5, "cut")
    run(store, "DELETE FROM audit")
    assert verify(store, head) == Broken(1, "cut")


@pytest.mark.requirement("R43")
def test_a_chain_written_anew_is_found_by_a_head_kept_outside(store: Store) -> None:
    notes(store, 6)
    head = store.transact(audit.head)
    run(store, "DELETE FROM audit WHERE seq > 2")
    notes(store, 9, case_id="case-9")
    assert verify(store) is None
    assert verify(store, head) == Broken(6, "rewritten")


def test_notes_at_the_same_moment_keep_the_chain_whole(store: Store) -> None:
    def one(number: int) -> Callable[[], None]:
        return lambda: store.transact(lambda rows: audit.note(rows, actor=f"staff:{number}", act="case.read", now=NOW))

    at_once([one(number) for number in range(24)])
    assert store.transact(audit.head)[0] == 24
    assert verify(store) is None


def test_a_note_of_a_rolled_back_work_leaves_no_gap(store: Store) -> None:
    notes(store, 2)

    def failing(rows: Session) -> None:
        audit.note(rows, actor="bot", act="case.opened", now=NOW)
        raise RuntimeError("undone")

    with pytest.raises(RuntimeError, match="undone"):
        store.transact(failing)
    notes(store, 2)
    assert store.transact(audit.head)[0] == 4
    assert verify(store) is None


def test_any_text_in_a_detail_is_kept_by_both_engines(store: Store) -> None:
    store.transact(lambda rows: audit.note(rows, actor="system", act="x", now=NOW, odd="\x00\ud800𠮷", many=3))
    assert verify(store) is None


def test_who_read_a_case_is_listed_newest_first(store: Store) -> None:
    notes(store, 2)
    store.transact(lambda rows: audit.note(rows, actor="staff:2", act="case.claimed", now=NOW + timedelta(hours=1), case_id="case-1"))
    notes(store, 1, case_id="case-2")
    found = store.transact(lambda rows: audit.reads_of(rows, "case-1"))
    assert found == [
        (NOW + timedelta(hours=1), "staff:2", "case.claimed"), (NOW + timedelta(seconds=1), "staff:1", "case.read"), (NOW, "staff:1", "case.read"),
    ]  # fmt: skip
    assert len(store.transact(lambda rows: audit.reads_of(rows, "case-1", limit=1))) == 1
