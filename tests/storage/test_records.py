"""What flows leave behind: consents, promises, tasks, counts, and places in streams."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from storage import gaps, records
from storage.sealing import unseal
from storage.store import Store
from storage.talk import scope_of
from tests.storage.rows import NOW, at_once, open_talk

DAY = "2026-11-24"


def consent(store: Store, talk: Any, purpose: str, **more: Any) -> str:
    given: dict[str, Any] = {"recipient": "見本地域包括支援センター", "items": ["名前"], "days": 30, "version": 1, "now": NOW} | more
    return store.transact(lambda rows: records.give_consent(rows, talk, purpose=purpose, **given))


def test_consents_are_listed_newest_first_with_when_they_end_and_were_withdrawn(store: Store) -> None:
    talk, other = open_talk(store, "U1"), open_talk(store, "U2")
    first = consent(store, talk, "talk", days=None)
    second = consent(store, talk, "refer", now=NOW + timedelta(hours=1))
    consent(store, other, "refer")
    store.transact(lambda rows: records.withdraw_consent(rows, first, NOW + timedelta(hours=2)))
    store.transact(lambda rows: records.withdraw_consent(rows, first, NOW + timedelta(hours=9)))
    found = store.transact(lambda rows: records.consents(rows, talk.id))
    assert [(one.id, one.until, one.withdrawn_at) for one in found] == [
        (second, NOW + timedelta(days=30, hours=1), None), (first, None, NOW + timedelta(hours=2)),
    ]  # fmt: skip


def promise(store: Store, talk: Any, kind: str, minutes: int) -> str:
    return store.transact(lambda rows: records.promise(rows, talk, kind=kind, due_at=NOW + timedelta(minutes=minutes)))


def test_due_promises_come_earliest_first_with_the_channel_they_are_kept_on(store: Store) -> None:
    talk, other = open_talk(store, "U1", "line"), open_talk(store, "U2", "telegram")
    late, early = promise(store, talk, "reply", 9), promise(store, other, "how_are_you", 3)
    promise(store, talk, "reply", 30)
    due = store.transact(lambda rows: records.due_promises(rows, NOW + timedelta(minutes=9)))
    assert [(one.id, one.channel, one.kind) for one in due] == [(early, "telegram", "how_are_you"), (late, "line", "reply")]
    assert [one.id for one in store.transact(lambda rows: records.due_promises(rows, NOW + timedelta(minutes=9), limit=1))] == [early]


def test_a_promise_that_was_kept_dropped_or_late_is_due_no_more(store: Store) -> None:
    talk, other = open_talk(store, "U1"), open_talk(store, "U2")
    ended, dropped, wanted = promise(store, talk, "check", 0), promise(store, talk, "how_are_you", 0), promise(store, talk, "reply", 0)
    theirs = promise(store, other, "how_are_you", 0)
    store.transact(lambda rows: records.end_promise(rows, ended, "late", NOW))
    store.transact(lambda rows: records.drop_promises(rows, talk.id, ("how_are_you", "open_tomorrow"), NOW))
    assert {one.id for one in store.transact(lambda rows: records.due_promises(rows, NOW))} == {wanted, theirs}
    assert [store.transact(lambda rows, one=one: records.is_open(rows, one)) for one in (ended, dropped, wanted)] == [False, False, True]
    store.transact(lambda rows: records.keep_promises(rows, talk.id, "reply", NOW))
    assert {one.id for one in store.transact(lambda rows: records.due_promises(rows, NOW))} == {theirs}


def test_an_answer_keeps_a_promise_that_was_already_late(store: Store) -> None:
    talk = open_talk(store)
    late = promise(store, talk, "reply", 0)
    store.transact(lambda rows: records.end_promise(rows, late, "late", NOW))
    store.transact(lambda rows: records.keep_promises(rows, talk.id, "reply", NOW))
    assert store.transact(lambda rows: rows.execute(text("SELECT state FROM promise")).scalar()) == "kept"


def test_a_task_is_open_until_it_is_done_and_its_note_is_sealed(store: Store) -> None:
    talk = open_talk(store)
    task_id = store.transact(lambda rows: records.add_task(rows, kind="check", now=NOW, talk=talk, note="駅前で見かけた"))
    assert store.transact(lambda rows: records.has_open_task(rows, talk.id, "check"))
    assert not store.transact(lambda rows: records.has_open_task(rows, talk.id, "unreachable"))

    def note(rows: Session) -> str:
        cell = rows.execute(text("SELECT note_sealed FROM task")).scalar_one()
        return unseal(rows, scope_of(talk.id), f"task.note:{task_id}", bytes(cell))

    assert store.transact(note) == "駅前で見かけた"
    store.transact(lambda rows: rows.execute(text("UPDATE task SET done_at = created_at")))
    assert not store.transact(lambda rows: records.has_open_task(rows, talk.id, "check"))


def test_a_note_that_could_not_be_sealed_is_refused_and_not_lost_in_silence(store: Store) -> None:
    with pytest.raises(ValueError, match="without a talk"):
        store.transact(lambda rows: records.add_task(rows, kind="check", now=NOW, note="だれの話か不明"))
    assert store.transact(lambda rows: records.add_task(rows, kind="check", now=NOW))


def test_counts_of_a_day_lose_nothing_at_the_same_moment(store: Store) -> None:
    at_once([lambda: store.transact(lambda rows: records.count(rows, "gap", DAY, 2))] * 12)
    store.transact(lambda rows: records.count(rows, "gap", "2026-11-25"))
    store.transact(lambda rows: records.count(rows, "other", DAY))
    assert store.transact(lambda rows: records.counts(rows, "gap")) == 25
    assert store.transact(lambda rows: records.counts(rows, "nothing")) == 0


def test_a_place_in_a_stream_moves_with_what_it_brought(store: Store) -> None:
    assert store.transact(lambda rows: records.cursor(rows, "telegram.offset")) == 0
    store.transact(lambda rows: records.move_cursor(rows, "telegram.offset", 5))

    def cut_off(rows: Session) -> None:
        records.move_cursor(rows, "telegram.offset", 9)
        raise RuntimeError("undone")

    with pytest.raises(RuntimeError, match="undone"):
        store.transact(cut_off)
    assert store.transact(lambda rows: records.cursor(rows, "telegram.offset")) == 5
    store.transact(lambda rows: records.move_cursor(rows, "telegram.offset", 2**40))
    assert store.transact(lambda rows: records.cursor(rows, "telegram.offset")) == 2**40


def test_outcomes_and_gaps_hold_ids_and_our_own_words_only(store: Store) -> None:
    talk = open_talk(store)
    store.transact(lambda rows: records.note_outcome(rows, talk, kind="match", detail={"score": 0.5, "cards": ["food-bank"]}, now=NOW))
    store.transact(lambda rows: gaps.note(rows, reasons=["none_exists"], domain="okane", source="bot", now=NOW))
    assert json.loads(store.transact(lambda rows: rows.execute(text("SELECT detail FROM outcome")).scalar_one())) == {
        "cards": ["food-bank"], "score": 0.5,
    }  # fmt: skip
    assert json.loads(store.transact(lambda rows: rows.execute(text("SELECT reasons FROM gap")).scalar_one())) == ["none_exists"]
