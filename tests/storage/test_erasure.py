"""What a resident wished to be erased is gone: words at once, the talk with its key and identifiers in the night (D11, R41)."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session, SQLModel

from storage import cases, erasure, helping, outbox, records, rooms, visitors
from storage import talk as talks
from storage.sealing import SealBroken, keyring
from storage.store import Store
from storage.talk import Talk, scope_of
from tests.storage.rows import NOW, say

TOMORROW = NOW + timedelta(days=1)


def a_talk(rows: Session) -> Talk:
    """Words, an answer that was sent, an offer, a consent, a task with a note."""
    talk = talks.find_or_open(rows, "line", "U-erased", NOW)
    inbox = talks.admit(rows, talk, event_id="e-1", kind="text", raw='{"text":"家賃"}', now=NOW)
    assert inbox is not None
    talk, line = say(rows, talk, '{"text":"家賃が払えない"}', platform_id="m-1")
    talks.link_inbox(rows, inbox, line.id, "answered")
    talk, spoken = say(rows, talk, "{}", author="bot")
    outbox.write(rows, talk, ["家賃のことですね"], now=NOW, line=spoken)
    records.give_consent(rows, talk, purpose="consult", recipient="窓口", items=["talk"], days=None, version=3, now=NOW)
    helping.note_offer(rows, talk, skill="大工", when="平日", now=NOW)
    records.note_outcome(rows, talk, kind="match", detail={"cards": ["food-bank"]}, now=NOW)
    records.add_task(rows, kind="check", now=NOW, talk=talk, note="新聞がたまっている")
    records.promise(rows, talk, kind="how_are_you", due_at=TOMORROW)
    return talk


def erased(store: Store, *, with_case: bool = False) -> Talk:
    def work(rows: Session) -> Talk:
        talk = a_talk(rows)
        if with_case:
            sheet = json.dumps([{"about": "worry", "text": "家賃", "refs": []}])
            cases.open_or_add(
                rows, talk, reason="asked_human", urgency=0, title="家賃", sheet=sheet, topics=(), shares_story=True, restricted=False,
                promise_at=None, now=NOW,
            )  # fmt: skip
        erasure.erase_words(rows, talk, "A-4K2Z", NOW)
        return talk

    return store.transact(work)


def count(store: Store, table: str, where: str = "1 = 1") -> int:
    return int(store.transact(lambda rows: rows.execute(text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar_one()))


@pytest.mark.requirement("R41")
def test_all_words_and_what_was_made_from_them_are_gone_at_once(store: Store) -> None:
    erased(store)

    assert count(store, "message", "body_sealed IS NOT NULL") == 0
    assert count(store, "message") == 2, "the numbered rows stay"
    assert count(store, "inbox", "raw_sealed IS NOT NULL") == 0
    assert [count(store, table) for table in ("outbox", "offer", "outcome")] == [0, 0, 0]
    assert count(store, "task", "note_sealed IS NOT NULL") == 0
    assert count(store, "consent", "withdrawn_at IS NULL") == 0
    assert count(store, "promise", "state = 'open'") == 0


@pytest.mark.requirement("R41")
def test_in_the_night_the_talk_goes_with_its_account_and_its_key(store: Store) -> None:
    talk = erased(store)

    store.transact(lambda rows: erasure.finish(rows, talk.id, TOMORROW))
    store.transact(lambda rows: erasure.finish(rows, talk.id, TOMORROW))

    left = {name: count(store, name) for name in SQLModel.metadata.tables if name not in ("audit", "cursor", "tally")}
    assert {name for name, many in left.items() if many} == {"erasure", "inbox", "data_key"}
    assert count(store, "data_key", "scope <> 'finding'") == 0, "the key that finds accounts is nobody's"
    assert count(store, "inbox", "conversation_id IS NOT NULL OR raw_sealed IS NOT NULL") == 0, "an event id stays, so that a repeat is known"
    assert store.transact(lambda rows: talks.find(rows, "line", "U-erased")) is None


@pytest.mark.requirement("R41")
def test_what_a_backup_still_holds_cannot_be_opened_any_more(store: Store) -> None:
    kept = store.transact(lambda rows: rows.execute(text("SELECT 1")).scalar())
    talk = store.transact(a_talk)
    cell = store.transact(lambda rows: bytes(rows.execute(text("SELECT body_sealed FROM message WHERE seq = 1")).scalar_one()))
    line = store.transact(lambda rows: rows.execute(text("SELECT id FROM message WHERE seq = 1")).scalar_one())
    store.transact(lambda rows: erasure.erase_words(rows, talk, "A-4K2Z", NOW))
    store.transact(lambda rows: erasure.finish(rows, talk.id, TOMORROW))

    def opens(rows: Session) -> str:
        return keyring(rows).open(rows, scope_of(talk.id), f"message.body:{line}", cell)

    assert kept == 1
    with pytest.raises(SealBroken):
        store.transact(opens)


def test_a_case_stays_for_the_time_the_law_asks_for(store: Store) -> None:
    talk = erased(store, with_case=True)

    store.transact(lambda rows: erasure.finish(rows, talk.id, TOMORROW))

    assert count(store, "care_case", "sheet_sealed IS NOT NULL") == 1
    assert count(store, "message", "body_sealed IS NOT NULL") == 0


def test_whoever_begins_anew_before_the_night_keeps_the_new_talk(store: Store) -> None:
    talk = erased(store)
    store.transact(lambda rows: say(rows, talks.by_id(rows, talk.id) or talk, '{"text":"また書きます"}', at=NOW + timedelta(hours=1)))

    store.transact(lambda rows: erasure.finish(rows, talk.id, TOMORROW))

    assert count(store, "message", "body_sealed IS NOT NULL") == 1


def test_a_receipt_leads_to_what_became_of_it(store: Store) -> None:
    talk = erased(store)
    assert store.transact(lambda rows: erasure.by_receipt(rows, "A-4K2Z")) == erasure.Receipt(NOW, None)

    store.transact(lambda rows: erasure.finish(rows, talk.id, TOMORROW))

    assert store.transact(lambda rows: erasure.by_receipt(rows, "A-4K2Z")) == erasure.Receipt(NOW, TOMORROW)
    assert store.transact(lambda rows: erasure.by_receipt(rows, "B-2222")) is None


@pytest.mark.requirement("R13", "R15", "R41")
def test_whoever_holds_old_words_an_old_link_or_an_old_cookie_is_not_there_when_the_resident_begins_anew(store: Store) -> None:
    long_ago = NOW - timedelta(minutes=5)

    def work(rows: Session) -> tuple[str, str, str]:
        talk = a_talk(rows)
        visitors.keep_phrase(rows, talk, "六つの言葉", long_ago)
        link, old, here = rooms.make_link(rows, talk, NOW), visitors.admit(rows, talk.id, long_ago), visitors.admit(rows, talk.id, NOW)
        erasure.erase_words(rows, talk, "A-4K2Z", NOW)
        return link, old, here

    link, old, here = store.transact(work)
    assert store.transact(lambda rows: visitors.come_back(rows, "六つの言葉", NOW)) is None
    assert store.transact(lambda rows: rooms.spend(rows, link, NOW)) is None
    assert store.transact(lambda rows: visitors.find(rows, old, NOW)) is None
    assert store.transact(lambda rows: visitors.find(rows, here, NOW)) is not None, "who asked for it reads the receipt"
