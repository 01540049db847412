"""Whoever holds the files: what the audit shows of tampering, what a stolen disk or backup gives, what erasure leaves (R37–R44, R49)."""

import io
import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import text

from bot import backup as backups
from bot import heads, start
from bot.jobs.loop import Loop
from bot.jobs.retention import look
from bot.keys import build_keyring
from bot.settings import Settings
from storage import presses, rooms, staff, visitors
from storage import talk as talks
from storage.sealing import KeyFileProblem, Keyring, make_key_file
from storage.store import Store
from tests.conftest import Database
from tests.storage.rows import open_talk
from tests.storage.test_cases import request
from tests.town import Town


@pytest.fixture
def files(tmp_path: Path, sqlite_template: Path) -> Settings:
    """The settings of a town on disk, with its key."""
    make_key_file(tmp_path / "keys" / "master.key")
    shutil.copy(sqlite_template, tmp_path / "town.db")
    return Settings.model_validate({"database_url": f"sqlite:///{tmp_path}/town.db", "master_key_file": tmp_path / "keys" / "master.key"})


def _acts(settings: Settings, many: int) -> None:
    for _ in range(many):
        start.invite(settings, "coordinator", Console(file=io.StringIO()), Console(file=io.StringIO()))


def _verifies(settings: Settings, head: str = "") -> tuple[int, str]:
    said = io.StringIO()
    status = start.verify(settings, head, Console(file=said, width=200), Console(file=said, width=200))
    return status, said.getvalue()


def _head_is_kept(settings: Settings, now) -> None:
    from storage import audit

    store = Store.open(settings.database_url, Keyring(bytes(32)), exclusive=False)
    heads.keep(settings.heads_file, store.transact(audit.head), now)
    store.close()


@pytest.mark.requirement("R43")
@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("UPDATE audit SET actor = 'staff:x' WHERE seq = 2", 1), ("DELETE FROM audit WHERE seq = 3", 1),
        ("UPDATE audit SET at = 'きのう' WHERE seq = 2", 1), ("UPDATE audit SET detail = x'00ff' WHERE seq = 2", 1),
        ("UPDATE audit SET act = 7, actor = 1.5 WHERE seq = 2", 1), ("UPDATE audit SET previous = upper(previous) WHERE seq = 2", 1),
        ("INSERT INTO audit SELECT -1, at, actor, act, case_id, detail, previous, hash FROM audit WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq > 4", 1), ("DELETE FROM audit", 1), ("SELECT 1", 0),
        ("UPDATE audit SET seq = -2 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = -2", 1),
        ("DELETE FROM audit WHERE seq = 3; UPDATE audit SET seq = seq - 1 WHERE seq > 3", 1),
        ("INSERT INTO audit SELECT seq + 1, at, actor, act, case_id, detail, hash, hash FROM audit ORDER BY seq DESC LIMIT 1", 1),
    ],
)  # fmt: skip
def test_whatever_is_done_to_the_audit_the_command_finds_it(files: Settings, now, tampering: str, found: int) -> None:
    _acts(files, 6)
    _head_is_kept(files, now)
    with sqlite3.connect(str(files.database_url).removeprefix("sqlite:///")) as rows:
        rows.executescript(tampering)
    assert _verifies(files)[0] == found


@pytest.mark.requirement("R38")
@pytest.mark.parametrize("cell", ["title_sealed", "sheet_sealed", "topics_sealed"])
def test_a_cell_of_a_case_that_was_exchanged_is_named_by_the_command_without_its_words(files: Settings, cell: str) -> None:
    store = Store.open(files.database_url, build_keyring(files), exclusive=False)
    made = [request(store, open_talk(store, who), title="ひみつの借金").code for who in ("U1", "U2")]
    store.close()
    assert _verifies(files)[0] == 0
    with sqlite3.connect(str(files.database_url).removeprefix("sqlite:///")) as rows:
        other = rows.execute(f"SELECT {cell} FROM care_case WHERE code = ?", made[1:]).fetchone()
        rows.execute(f"UPDATE care_case SET {cell} = ? WHERE code = ?", (*other, made[0]))
    status, said = _verifies(files)
    assert status == 1
    assert made[0] in said
    assert made[1] not in said
    assert "ひみつ" not in said


@pytest.mark.requirement("R43")
def test_a_chain_written_anew_in_full_is_found_by_every_head_that_was_kept(files: Settings, now) -> None:
    _acts(files, 3)
    _head_is_kept(files, now)
    noted = _verifies(files)[1].rpartition(" ")[2].strip()
    _acts(files, 3)
    _head_is_kept(files, now + timedelta(days=1))
    with sqlite3.connect(str(files.database_url).removeprefix("sqlite:///")) as rows:
        rows.execute("DELETE FROM audit")
    _acts(files, 9)
    assert _verifies(files)[0] == 1
    files.heads_file.unlink()
    assert _verifies(files)[0] == 0, "the chain alone does not show it"
    assert _verifies(files, noted)[0] == 1, "a head that somebody noted does"


@pytest.mark.requirement("R43")
def test_the_running_product_keeps_the_end_of_its_audit_outside_the_database_and_tells_it_daily(town: Town) -> None:
    town.resident_on("line").says("人と話したい").taps("渡す")
    loop = Loop(town.parts)
    town.on_loop(loop._keep_head())
    kept = heads.read(town.settings.heads_file)
    ((newest, mark),) = town.rows("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
    assert kept[newest] == mark
    assert town.settings.heads_file.stat().st_mode & 0o077 == 0
    town.store.transact(lambda rows: look(rows, town.clock.now(), years=1, sure=True))
    assert town.rows("SELECT count(*) FROM audit WHERE act = 'audit.head'")[0][0] >= 1


@pytest.mark.requirement("R41")
def test_what_was_of_use_for_an_hour_is_gone_the_day_after(store: Store, now) -> None:
    def work(rows) -> None:
        member = staff.accept(rows, staff.invite(rows, role="lead", now=now), login="sato", name="佐藤", password_hash="!", now=now)
        signed = staff.signed_in(rows, staff.sign_in(rows, member, now), now)
        staff.sign_out(rows, signed, now)
        staff.sign_in(rows, member, now)
        staff.invite(rows, role="lead", now=now)
        staff.note_failed_try(rows, "sato", "192.0.2.1", now)
        talk, cookie = visitors.welcome(rows, now)
        visitors.keep_phrase(rows, talk, "いぬねこ", now)
        visitors.end(rows, cookie, now)
        rooms.make_link(rows, talks.find_or_open(rows, "line", "U1", now), now)
        assert presses.begin(rows, "m", staff.sign_in(rows, member, now), now) is None

    store.transact(work)
    short = ("staff_session", "invitation", "sign_in_try", "room_link", "web_visitor", "press")

    def left() -> dict[str, int]:
        return store.transact(lambda rows: {name: rows.execute(text(f"SELECT count(*) FROM {name}")).scalar() for name in short})

    store.transact(lambda rows: look(rows, now + timedelta(hours=12), years=1, sure=True))
    assert left() == {"staff_session": 3, "invitation": 2, "sign_in_try": 3, "room_link": 1, "web_visitor": 2, "press": 1}
    store.transact(lambda rows: look(rows, now + timedelta(days=2), years=1, sure=True))
    gone = dict.fromkeys(short, 0)
    assert left() == gone | {"web_visitor": 1}, "the six words stay with the talk"


@pytest.mark.requirement("R38")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o777])
def test_a_key_that_others_may_read_starts_nothing(files: Settings, mode: int) -> None:
    files.master_key_file.chmod(mode)
    with pytest.raises(KeyFileProblem, match="chmod 600"):
        start.invite(files, "coordinator", Console(), Console())


@pytest.mark.requirement("R38", "R49")
def test_a_stolen_disk_and_a_stolen_backup_hold_no_word_no_account_and_no_key(
    build_town, sqlite_database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    disk, secret = tmp_path / "disk", "きのう夫にたたかれた"
    public = backups.new_key(tmp_path / "backup-identity")
    store = Store.open(sqlite_database.url, keyring)
    with build_town(store) as town:
        resident = town.resident_on("line").says(secret).says("人と話したい")
        account = resident.account
        key = town.settings.master_key_file.with_name("backup-master")
        key.write_text(bytes(range(32)).hex() + "\n")
        key.chmod(0o600)
        settings = Settings.model_validate({"database_url": sqlite_database.url, "backup_recipient": public, "master_key_file": key})
        backups.backup(settings, disk, town.clock.now())
        for path in (Path(sqlite_database.name), Path(f"{sqlite_database.name}-wal"), *disk.iterdir()):
            content = path.read_bytes() if path.exists() else b""
            for word in (secret, account, "たたかれた", bytes(range(32)).hex()):
                assert word.encode() not in content, (path.name, word)
            assert bytes(range(32)) not in content
    store.close()


@pytest.mark.requirement("R41", "R45")
def test_after_a_wish_to_be_forgotten_no_file_holds_even_the_sealed_words(build_town, sqlite_database: Database, keyring: Keyring) -> None:
    store = Store.open(sqlite_database.url, keyring)
    with build_town(store) as town:
        resident = town.resident_on("telegram").says("家賃が払えません")
        cells = [bytes(row[0]) for row in town.rows("SELECT body_sealed FROM message WHERE body_sealed IS NOT NULL")]
        cells += [bytes(row[0]) for row in town.rows("SELECT raw_sealed FROM inbox WHERE raw_sealed IS NOT NULL")]
        assert cells
        resident.says("相談したこと消して").taps("消す").taps("消す")
        assert town.rows("SELECT count(*) FROM erasure") == [(1,)]
        town.passes(days=1, minutes=1)
        assert town.rows("SELECT count(*) FROM conversation") == [(0,)]
        for path in (Path(sqlite_database.name), Path(f"{sqlite_database.name}-wal")):
            content = path.read_bytes() if path.exists() else b""
            assert not any(cell in content for cell in cells), path.name
    store.close()
