"""On PostgreSQL the rows themselves refuse whoever forgot the scope (R19)."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from storage import cases, desk_heads, desk_queue, keeping_out, referrals, row_locks, staff
from storage import talk as talks
from storage.desk_queue import Viewer
from storage.migrate import migrate
from storage.referrals import Ground, Item
from storage.sealing import Keyring
from storage.store import Store
from tests.conftest import Database
from tests.postgres import PostgresServer
from tests.storage.rows import NOW
from tests.storage.test_sealing import a_whole_story

pytestmark = pytest.mark.postgres


@pytest.fixture
def store(postgres_database: Database, keyring: Keyring):
    opened = Store.open(postgres_database.url, keyring)
    yield opened
    opened.close()


def _joins(store: Store, login: str, role: str = "coordinator", agency_id: str | None = None) -> Viewer:
    def work(rows: Session) -> Viewer:
        token = staff.invite(rows, role=role, now=NOW, agency_id=agency_id)
        member = staff.accept(rows, token, login=login, name=login, password_hash="!", now=NOW)
        return Viewer(member.id, member.name, member.role, f"staff:{member.id}")

    return store.transact(work)


def _case(store: Store, who: str) -> str:
    def work(rows: Session) -> str:
        talk = talks.find_or_open(rows, "line", who, NOW)
        talk, line = talks.add_line(rows, talk, author="resident", kind="text", body=json.dumps({"text": "家賃"}), now=NOW)
        talk = talks.save(rows, replace(talk, owner="human"), NOW)
        sheet = json.dumps([{"about": "worry", "text": "家賃", "source": "said", "refs": [line.id]}])
        return cases.open_or_add(
            rows, talk, reason="asked_human", urgency=0, title="家賃", sheet=sheet, topics=(), shares_story=True, restricted=False, promise_at=None,
            now=NOW,
        ).code  # fmt: skip

    return store.transact(work)


def _forgotten(store: Store, table: str = "care_case") -> int:
    """How many rows a query shows whose author forgot the scope."""
    return int(store.transact(lambda rows: rows.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()))


@pytest.mark.requirement("R19")
def test_a_forgotten_scope_shows_only_what_the_viewer_may_see(store: Store) -> None:
    first, _ = _case(store, "U1"), _case(store, "U2")
    sato, tanaka = _joins(store, "sato"), _joins(store, "tanaka")
    store.transact(lambda rows: keeping_out.shut_out(rows, sato, desk_heads.head(rows, sato, first), tanaka.staff_id, "隣の家", NOW))
    for table in ("care_case", "conversation", "person", "identity", "message"):
        seen = [_forgotten(store.seen_by(who.staff_id), table) for who in (sato, tanaka)]
        assert seen == [2, 1], table
        assert _forgotten(store, table) == 2
        for role in ("editor", "admin", "agency"):
            assert _forgotten(store.seen_by(_joins(store, f"{role}{table}", role).staff_id), table) == 0
        assert _forgotten(store.seen_by("nobody"), table) == 0


@pytest.mark.requirement("R19")
def test_a_transaction_that_names_no_viewer_sees_and_writes_no_resident(store: Store) -> None:
    _case(store, "U1")
    with store.engine.begin() as connection:
        connection.exec_driver_sql(f"SET LOCAL ROLE {row_locks.ROLE}")
        for table in SQLModel.metadata.sorted_tables:
            if row_locks.condition_of(table) is not None:
                assert connection.exec_driver_sql(f"SELECT count(*) FROM {table.name}").scalar() == 0, table.name
        assert connection.exec_driver_sql("UPDATE care_case SET urgency = 3").rowcount == 0
        assert connection.exec_driver_sql("DELETE FROM message").rowcount == 0
        with pytest.raises(DBAPIError, match="row-level security"):
            connection.exec_driver_sql("INSERT INTO person (id, created_at) VALUES ('x', now())")


@pytest.mark.requirement("R19")
def test_the_products_role_owns_nothing_and_passes_no_lock_by(store: Store) -> None:
    def look(rows: Session) -> tuple[str, bool, bool, int]:
        role = rows.execute(text("SELECT current_user")).scalar_one()
        flags = rows.execute(text("SELECT rolbypassrls, rolsuper FROM pg_roles WHERE rolname = current_user")).one()
        owned = rows.execute(text("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")).scalar_one()
        return role, flags[0], flags[1], owned

    assert store.transact(look) == (row_locks.ROLE, False, False, 0)


@pytest.mark.requirement("R19")
def test_every_table_that_leads_to_a_resident_is_locked_for_its_owner_too(store: Store) -> None:
    leads = {
        table.name for table in SQLModel.metadata.sorted_tables
        if table.name == "person" or {"person_id", "conversation_id", "case_id"} & set(table.columns.keys())
    } - {"shut_out", "emergency", "audit", "erasure", "gap", "outcome"}  # what the locks look into; what is kept without the person
    forced = "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
    assert leads <= set(store.transact(lambda rows: rows.execute(text(forced)).scalars().all()))


@pytest.mark.requirement("R19", "R20")
def test_an_agency_that_forgot_its_scope_sees_its_own_referrals_and_no_words(store: Store) -> None:
    code, _ = _case(store, "U1"), _case(store, "U2")
    sato = _joins(store, "sato")

    def share(rows: Session) -> str:
        agency = referrals.add_agency(rows, sato, "包括", NOW)
        referrals.refer(
            rows, sato, desk_heads.head(rows, sato, code), recipient="包括", agency_id=agency, purpose="訪問", items=[Item("家賃")],
            ground=Ground("danger", words="今夜"), due_at=NOW, until=NOW + timedelta(days=9), now=NOW,
        )  # fmt: skip
        return agency

    agency = store.transact(share)
    theirs = store.seen_by(_joins(store, "renkei", "agency", agency).staff_id)
    other = store.seen_by(_joins(store, "hoka", "agency", store.transact(lambda rows: referrals.add_agency(rows, sato, "ほか", NOW))).staff_id)
    assert [one.items for one in theirs.transact(lambda rows: referrals.shared_with(rows, agency, NOW))] == [("家賃",)]
    assert other.transact(lambda rows: referrals.shared_with(rows, agency, NOW)) == []
    assert (_forgotten(theirs, "care_case"), _forgotten(theirs, "message"), _forgotten(theirs, "memo")) == (1, 0, 0)
    assert (_forgotten(other, "care_case"), _forgotten(other, "referral")) == (0, 0)


@pytest.mark.requirement("R19")
def test_an_emergency_opens_the_lock_as_well(store: Store) -> None:
    code = _case(store, "U1")
    sato, suzuki = _joins(store, "sato"), _joins(store, "suzuki", "admin")
    store.transact(lambda rows: keeping_out.ask(rows, suzuki, code, "倒れている", NOW))
    (asked,) = store.seen_by(sato.staff_id).transact(lambda rows: keeping_out.asked(rows, sato, NOW))
    assert _forgotten(store.seen_by(suzuki.staff_id)) == 0
    store.seen_by(sato.staff_id).transact(lambda rows: keeping_out.answer(rows, sato, asked.id, yes=True, now=NOW))
    assert _forgotten(store.seen_by(suzuki.staff_id)) == 1
    let_in = replace(suzuki, let_in=store.transact(lambda rows: keeping_out.let_in(rows, suzuki.staff_id, NOW)))
    assert [row.code for row in store.seen_by(suzuki.staff_id).transact(lambda rows: desk_queue.queue(rows, let_in, NOW))] == [code]


@pytest.mark.requirement("R19")
def test_whoever_shuts_themself_out_is_out_and_what_they_held_waits(store: Store) -> None:
    code, sato = _case(store, "U1"), _joins(store, "sato")
    from storage import desk_cases

    mine = store.seen_by(sato.staff_id)
    mine.transact(lambda rows: desk_cases.claim(rows, sato, code, NOW))
    mine.transact(lambda rows: keeping_out.shut_out(rows, sato, desk_heads.head(rows, sato, code), sato.staff_id, "いとこ", NOW))
    assert _forgotten(mine) == 0
    assert store.transact(lambda rows: rows.execute(text("SELECT state, coordinator_id FROM care_case")).one()) == ("waiting", None)


@pytest.mark.requirement("R19")
def test_an_owner_who_may_make_no_role_is_bound_by_the_locks_as_well(postgres_server: PostgresServer, keyring: Keyring, now: datetime) -> None:
    with postgres_server.admin() as admin:
        admin.execute("CREATE ROLE plain LOGIN")
        admin.execute("CREATE DATABASE plain_town OWNER plain")
    store = Store.open(postgres_server.url("plain_town").replace("postgres@", "plain@"), keyring)
    try:
        migrate(store)
        migrate(store)
        store.transact(a_whole_story)
        assert _forgotten(store, "message") > 0
        assert _forgotten(store.seen_by("nobody"), "message") == 0
        with store.engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM message").scalar() == 0
    finally:
        store.close()
        with postgres_server.admin() as admin:
            admin.execute("DROP DATABASE plain_town WITH (FORCE)")
            admin.execute("DROP ROLE plain")
