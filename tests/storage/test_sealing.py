"""Sealed columns: nothing readable on disk, nothing that opens elsewhere, no start with the wrong key (R38, R39)."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from storage import cases, helping, outbox, records
from storage import talk as talks
from storage.sealing import KeyFileProblem, Keyring, SealBroken, fingerprint, make_key_file, read_key_file, seal, unseal
from storage.store import Store
from storage.talk import Talk, scope_of
from tests.conftest import Database
from tests.postgres import PostgresServer
from tests.storage.rows import NOW, open_talk, say, says


def keep(store: Store, scope: str, place: str, words: str) -> bytes:
    return store.transact(lambda rows: seal(rows, scope, place, words))


def read(store: Store, scope: str, place: str, cell: bytes) -> str:
    return store.transact(lambda rows: unseal(rows, scope, place, cell))


# ---------------------------------------------------------------- cells


@pytest.mark.parametrize(
    ("scope", "place"), [("case:1", "memo.body:2"), ("case:1", "offer.body:1"), ("case:1", "memo.title:1"), ("case:2", "memo.body:1")]
)
@pytest.mark.requirement("R38")
def test_a_cell_opens_in_its_own_place_only(store: Store, scope: str, place: str) -> None:
    cell = keep(store, "case:1", "memo.body:1", "家賃が払えません")
    keep(store, "case:2", "memo.body:1", "ほかの人の話")
    with pytest.raises(SealBroken):
        read(store, scope, place, cell)
    assert read(store, "case:1", "memo.body:1", cell) == "家賃が払えません"


@pytest.mark.requirement("R38")
def test_two_lines_whose_cells_were_swapped_do_not_open_and_the_others_do(store: Store) -> None:
    talk = open_talk(store)
    lines = [says(store, talk, words) for words in ("一つめ", "二つめ", "三つめ")]

    def swap(rows: Session) -> None:
        cells = {row.id: row.body_sealed for row in rows.execute(text("SELECT id, body_sealed FROM message"))}
        for one, other in ((lines[0], lines[1]), (lines[1], lines[0])):
            rows.execute(text("UPDATE message SET body_sealed = :cell WHERE id = :id"), {"cell": cells[other.id], "id": one.id})

    store.transact(swap)
    with pytest.raises(SealBroken):
        store.transact(lambda rows: talks.lines(rows, talk.id))
    assert [line.body for line in store.transact(lambda rows: talks.lines(rows, talk.id, after=2))] == ["三つめ"]


def test_an_old_session_put_back_does_not_open(store: Store) -> None:
    talk = open_talk(store)
    store.transact(lambda rows: talks.save(rows, replace(talk, flow_session='{"step":"old"}'), NOW))
    old = store.transact(lambda rows: rows.execute(text("SELECT session_sealed FROM conversation")).scalar())
    newer = store.transact(lambda rows: talks.by_id(rows, talk.id))
    assert newer is not None
    store.transact(lambda rows: talks.save(rows, replace(newer, flow_session='{"step":"new"}'), NOW))
    store.transact(lambda rows: rows.execute(text("UPDATE conversation SET session_sealed = :old"), {"old": old}))
    put_back = store.transact(lambda rows: talks.by_id(rows, talk.id))
    assert put_back is not None
    assert put_back.flow_session == ""


def test_an_altered_cell_does_not_open(store: Store) -> None:
    cell = bytearray(keep(store, "case:1", "memo.body:1", "そのまま"))
    cell[-1] ^= 1
    with pytest.raises(SealBroken):
        read(store, "case:1", "memo.body:1", bytes(cell))


def test_the_same_words_never_look_the_same(store: Store) -> None:
    cells = {keep(store, "case:1", "memo.body:1", "同じ言葉") for _ in range(50)}
    assert len(cells) == 50


# ---------------------------------------------------------------- the master key


@pytest.mark.requirement("R38")
def test_another_master_key_opens_nothing_and_is_found_at_the_start(database: Database, keyring: Keyring) -> None:
    store = Store.open(database.url, keyring)
    cell = keep(store, "case:1", "memo.body:1", "秘密")
    store.transact(keyring.check)
    store.close()
    wrong = Keyring(bytes(32))
    store = Store.open(database.url, wrong)
    with pytest.raises(KeyFileProblem):
        store.transact(wrong.check)
    with pytest.raises(KeyFileProblem):
        read(store, "case:1", "memo.body:1", cell)
    store.close()


def test_a_data_key_moved_to_another_scope_does_not_open(database: Database, keyring: Keyring) -> None:
    store = Store.open(database.url, keyring)
    cell = keep(store, "case:1", "memo.body:1", "秘密")
    store.transact(lambda rows: rows.execute(text("UPDATE data_key SET scope = 'case:2'")))
    store.close()
    store = Store.open(database.url, Keyring(bytes(range(32))))
    with pytest.raises(SealBroken):
        read(store, "case:2", "memo.body:1", cell)
    store.close()


def test_a_key_file_is_made_once_for_its_owner_only_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "var" / "key"
    make_key_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(read_key_file(path)) == 32
    with pytest.raises(FileExistsError):
        make_key_file(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610])
@pytest.mark.requirement("R38")
def test_a_key_file_that_others_may_touch_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    make_key_file(path)
    path.chmod(mode)
    with pytest.raises(KeyFileProblem, match="chmod 600"):
        read_key_file(path)


@pytest.mark.parametrize("written", ["", "おはよう", "ab" * 31, "ab" * 33, "zz" * 32, "\x00\xff"])
def test_a_key_file_without_a_key_in_it_is_refused(tmp_path: Path, written: str) -> None:
    path = tmp_path / "key"
    make_key_file(path)
    path.write_text(written)
    with pytest.raises(KeyFileProblem):
        read_key_file(path)


def test_a_key_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileProblem):
        read_key_file(tmp_path / "key")
    with pytest.raises(KeyFileProblem):
        read_key_file(tmp_path)


# ---------------------------------------------------------------- finding by fingerprint


@pytest.mark.requirement("R39")
def test_an_account_is_found_by_its_exact_id_only(store: Store) -> None:
    talk = open_talk(store, "U1234")
    found = store.transact(lambda rows: talks.find(rows, "line", "U1234"))
    assert found is not None
    assert (found.id, found.destination) == (talk.id, "U1234")
    near = ["u1234", "U1234 ", " U1234", "Ｕ1234", "U123", "U12345", "line:U1234"]
    assert [store.transact(lambda rows, one=one: talks.find(rows, "line", one)) for one in near] == [None] * len(near)
    assert store.transact(lambda rows: talks.find(rows, "telegram", "U1234")) is None


@pytest.mark.requirement("R39")
def test_fingerprints_depend_on_the_key_and_not_on_the_words_alone(store: Store, database: Database) -> None:
    ours = store.transact(lambda rows: fingerprint(rows, "line:U1"))
    assert ours == store.transact(lambda rows: fingerprint(rows, "line:U1"))
    store.transact(lambda rows: rows.execute(text("DELETE FROM data_key")))
    store.close()
    other = Store.open(database.url, Keyring(os.urandom(32)))
    assert ours != other.transact(lambda rows: fingerprint(rows, "line:U1"))
    other.close()
    assert len(ours) == 64


# ---------------------------------------------------------------- nothing readable anywhere

CANARIES = ("かなりあ言葉", "CANARY-WORDS", "Ucanary0account", "canary-reply-token", "canary-platform-message", "kanaria-topic")


def a_whole_story(rows: Session) -> Talk:
    """A resident, a danger, a case, a consent, an offer: everything storage keeps of one person, full of canaries."""
    words = "かなりあ言葉 CANARY-WORDS"
    talk = talks.find_or_open(rows, "line", "Ucanary0account", NOW)
    inbox = talks.admit(
        rows, talk, event_id="event-1", kind="text", raw=f'{{"text":"{words}"}}', now=NOW, reply_token="canary-reply-token", reply_until=NOW
    )
    assert inbox is not None
    talk, line = say(rows, talk, words, platform_id="canary-platform-message")
    talks.link_inbox(rows, inbox, line.id)
    talk, spoken = say(rows, replace(talk, flow_session=json.dumps({"heard": words})), words, author="bot")
    outbox.write(rows, talk, [words], now=NOW, line=spoken, reply_token="canary-reply-token", reply_until=NOW)
    case = cases.open_or_add(
        rows, talk, reason="complex", urgency=2, title=words, sheet=json.dumps([{"text": words, "refs": [line.id]}]), topics=["kanaria-topic"],
        shares_story=True, restricted=False, promise_at=None, now=NOW,
    )  # fmt: skip
    cases.raise_alarm(rows, talk, case_id=case.id, level="L2", kinds=["kanaria-topic"], rule="r", message_id=line.id, now=NOW)
    records.give_consent(rows, talk, purpose="refer", recipient=words, items=[words], days=30, version=1, now=NOW, case_id=case.id)
    records.add_task(rows, kind="check", now=NOW, talk=talk, note=words)
    helping.note_offer(rows, talk, skill=words, when=words, now=NOW)
    talks.admit_stray(rows, channel="line", event_id="event-2", kind="group", raw=words, now=NOW)
    return talk


def found_in(blobs: dict[str, bytes]) -> set[tuple[str, str]]:
    """Which canary is readable where, in either form that text takes on disk."""
    return {
        (canary, name)
        for name, blob in blobs.items() for canary in CANARIES
        for form in (canary.encode(), canary.encode("utf-16-le"), json.dumps(canary)[1:-1].encode(), canary.encode().hex().encode())
        if form in blob
    }  # fmt: skip


def files_under(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes()


@pytest.mark.requirement("R38")
def test_nothing_a_resident_wrote_is_readable_in_the_sqlite_files(sqlite_database: Database, keyring: Keyring) -> None:
    store = Store.open(sqlite_database.url, keyring)
    talk = store.transact(a_whole_story)
    folder = Path(sqlite_database.name).parent
    open_files = dict(files_under(folder))
    assert any(name.endswith("-wal") and blob for name, blob in open_files.items())
    assert found_in(open_files) == set()
    store.transact(lambda rows: rows.execute(text("SELECT 1")))
    store.close()
    closed_files = dict(files_under(folder))
    assert found_in(closed_files) == set()
    assert talk.id.encode() in closed_files[sqlite_database.name], "the search looks where rows are"


@pytest.mark.postgres
@pytest.mark.requirement("R38")
def test_nothing_a_resident_wrote_is_readable_in_postgres_files_or_a_dump(
    postgres_server: PostgresServer, postgres_database: Database, keyring: Keyring
) -> None:
    store = Store.open(postgres_database.url, keyring)
    talk = store.transact(a_whole_story)
    store.close()
    with postgres_server.admin() as admin:
        admin.execute("CHECKPOINT")
    blobs = {**dict(files_under(postgres_server.data)), "dump": postgres_server.dump(postgres_database.name)}
    assert found_in(blobs) == set()
    assert sum(talk.id.encode() in blob for blob in blobs.values()) >= 2, "the search looks where rows are"


def cells_of(rows: Session, line_id: str) -> list[bytes]:
    body = rows.execute(text("SELECT body_sealed FROM message WHERE id = :id"), {"id": line_id}).scalar()
    raw = rows.execute(text("SELECT raw_sealed FROM inbox WHERE message_id = :id"), {"id": line_id}).scalar()
    return [bytes(cell) for cell in (body, raw) if cell is not None]


@pytest.mark.requirement("R41")
def test_words_taken_back_leave_no_bytes_in_the_sqlite_files(sqlite_database: Database, keyring: Keyring) -> None:
    store = Store.open(sqlite_database.url, keyring)
    talk = store.transact(a_whole_story)
    (line,) = store.transact(lambda rows: talks.lines(rows, talk.id, limit=1))
    assert store.transact(lambda rows: talks.by_platform_id(rows, talk, "canary-platform-message")).id == line.id
    folder = Path(sqlite_database.name).parent

    cells = store.transact(lambda rows: cells_of(rows, line.id))
    assert len(cells) == 2
    assert set(cells) == traces(cells, folder)
    store.transact(lambda rows: talks.forget_words(rows, talk, [line.id], NOW))
    wait_for_writer(store)
    assert traces(cells, folder) == set()
    assert store.transact(lambda rows: cells_of(rows, line.id)) == []

    (sheet, title) = store.transact(lambda rows: rows.execute(text("SELECT sheet_sealed, title_sealed FROM care_case")).one())
    assert traces([sheet, title], folder) == {sheet, title}
    store.transact(lambda rows: cases.forget_words(rows, talk, line.id))
    wait_for_writer(store)
    assert traces([sheet, title], folder) == set()
    store.close()


def traces(cells: list[bytes], folder: Path) -> set[bytes]:
    """Which of these cells still lie in a file, whole or in their first part."""
    return {cell for _, blob in files_under(folder) for cell in cells if cell[:40] in blob}


def wait_for_writer(store: Store) -> None:
    """The traces are cleared right after the commit's answer and before the next batch."""
    store.transact(lambda rows: None)


@pytest.mark.postgres
def test_words_taken_back_are_in_no_dump(postgres_server: PostgresServer, postgres_database: Database, keyring: Keyring) -> None:
    store = Store.open(postgres_database.url, keyring)
    talk = store.transact(a_whole_story)
    (line,) = store.transact(lambda rows: talks.lines(rows, talk.id, limit=1))
    cells = store.transact(lambda rows: cells_of(rows, line.id))
    assert all(cell.hex().encode() in postgres_server.dump(postgres_database.name) for cell in cells)
    store.transact(lambda rows: talks.forget_words(rows, talk, [line.id], NOW))
    assert not any(cell.hex().encode() in postgres_server.dump(postgres_database.name) for cell in cells)
    store.close()


@pytest.mark.parametrize("blank", ["", " ", "\t\n", "　"])
@pytest.mark.requirement("R9")
def test_no_person_is_made_from_a_blank_id(store: Store, blank: str) -> None:
    with pytest.raises(ValueError, match="empty id"):
        store.transact(lambda rows: talks.find_or_open(rows, "line", blank, NOW))
    assert store.transact(lambda rows: rows.execute(text("SELECT count(*) FROM person")).scalar()) == 0


@pytest.mark.requirement("R38")
def test_each_talk_has_a_key_of_its_own(store: Store) -> None:
    one, other = open_talk(store, "U1"), open_talk(store, "U2")
    scopes = store.transact(lambda rows: [row.scope for row in rows.execute(text("SELECT scope FROM data_key ORDER BY scope"))])
    assert scopes == sorted([scope_of(one.id), scope_of(other.id), "finding"])


def test_a_consent_opens_again_with_what_was_agreed(store: Store) -> None:
    talk = open_talk(store)
    until = NOW + timedelta(days=30)
    given: dict[str, Any] = {"purpose": "refer", "recipient": "見本社会福祉協議会", "items": ["名前", "電話"], "days": 30, "version": 2, "now": NOW}
    store.transact(lambda rows: records.give_consent(rows, talk, **given))
    (found,) = store.transact(lambda rows: records.consents(rows, talk.id))
    assert (found.recipient, found.items, found.until, found.withdrawn_at) == ("見本社会福祉協議会", ("名前", "電話"), until, None)


# ---------------------------------------------------------------- another master key (R40)


@pytest.mark.requirement("R40")
def test_a_new_master_key_takes_the_place_of_the_old_one_while_residents_write(database: Database, keyring: Keyring) -> None:
    old, new = bytes(range(32)), os.urandom(32)
    before = Store.open(database.url, Keyring(old))
    talk = open_talk(before, "U1")
    says(before, talk, "前の鍵のころの話")
    before.close()

    both = Store.open(database.url, Keyring(new, old), exclusive=False)
    both.transact(both.keyring.check)
    for account in ("U2", "U3"):
        says(both, open_talk(both, account), "替えている途中の話")
    assert both.transact(lambda rows: both.keyring.wrap_anew(rows, 1)) == 1  # cut off here
    both.close()

    both = Store.open(database.url, Keyring(new, old))
    while both.transact(lambda rows: both.keyring.wrap_anew(rows, 1)):
        says(both, open_talk(both, "U1"), "そのあいだにも書いた話")
    both.close()

    after = Store.open(database.url, Keyring(new))
    after.transact(after.keyring.check)
    found = open_talk(after, "U1")
    assert found.id == talk.id, "the same account is still the same person"
    assert after.transact(lambda rows: talks.lines(rows, found.id))[0].body == "前の鍵のころの話"
    after.close()

    gone = Keyring(old)
    stale = Store.open(database.url, gone)
    with pytest.raises(KeyFileProblem):
        stale.transact(gone.check)
    stale.close()
