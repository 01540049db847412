"""Cases and alarms: one open case a talk, urgency that only rises, one alarm a worry (I6, D6, R8)."""

import itertools
import json
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import col, select

from storage import case_cells, cases, moment
from storage import talk as talks
from storage.cases import OpenedCase
from storage.ids import new_code
from storage.sealing import Keyring
from storage.store import Store
from storage.tables import Case
from storage.talk import Talk
from tests.conftest import Database
from tests.storage.rows import NOW, at_once, open_talk


def request(store: Store, talk: Talk, **more: Any) -> OpenedCase:
    """One request for a human."""
    asked: dict[str, Any] = {
        "reason": "wish", "urgency": 0, "title": "家賃のこと", "sheet": json.dumps([{"text": "家賃", "refs": ["m1"]}]), "topics": ["T01"],
        "shares_story": True, "restricted": False, "promise_at": None, "now": NOW,
    }  # fmt: skip
    return store.transact(lambda rows: cases.open_or_add(rows, talk, **(asked | more)))


def row(store: Store, case_id: str) -> Any:
    return store.transact(lambda rows: rows.execute(text("SELECT * FROM care_case WHERE id = :id"), {"id": case_id}).one())


def sheet(store: Store, case_id: str) -> list[dict[str, Any]]:
    found = row(store, case_id)
    written: list[dict[str, Any]] = json.loads(store.transact(lambda rows: case_cells.sheet_of(rows, found)))
    return written


def change(store: Store, case_id: str, **values: object) -> None:
    written = ", ".join(f"{name} = :{name}" for name in values)
    store.transact(lambda rows: rows.execute(text(f"UPDATE care_case SET {written} WHERE id = :id"), {"id": case_id, **values}))


def alarm(store: Store, talk: Talk, level: str, at: datetime = NOW) -> str | None:
    return store.transact(
        lambda rows: cases.raise_alarm(rows, talk, case_id=None, level=level, kinds=["suicide"], rule="r1", message_id="m1", now=at)
    )


# ---------------------------------------------------------------- one open case


def test_requests_at_the_same_moment_open_one_case_and_lose_nothing(store: Store) -> None:
    talk = open_talk(store)

    def one(number: int) -> Any:
        return lambda: request(store, talk, sheet=json.dumps([{"text": f"{number}", "refs": []}]), urgency=number % 4, topics=[f"T{number:02}"])

    found = at_once([one(number) for number in range(12)])
    assert len({case.id for case in found}) == 1
    assert [case.new for case in found].count(True) == 1
    assert sorted(line["text"] for line in sheet(store, found[0].id)) == sorted(f"{number}" for number in range(12))
    assert row(store, found[0].id).urgency == 3


@pytest.mark.postgres
def test_two_that_both_saw_no_open_case_still_open_one(postgres_database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(postgres_database.url, keyring)
    talk = open_talk(store)
    both_looked, asked = threading.Barrier(2), itertools.count()

    def code() -> str:
        if next(asked) < 2:
            both_looked.wait(5)
        return new_code()

    monkeypatch.setattr(cases, "new_code", code)
    found = at_once([lambda: request(store, talk)] * 2)
    assert len({case.id for case in found}) == 1
    assert sorted(case.new for case in found) == [False, True]
    assert len(sheet(store, found[0].id)) == 2
    store.close()


def test_another_request_adds_to_the_open_case(store: Store) -> None:
    talk = open_talk(store)
    first = request(store, talk, urgency=1, promise_at=NOW + timedelta(hours=2), topics=["T01"])
    second = request(store, talk, urgency=3, restricted=True, promise_at=NOW + timedelta(hours=1), topics=["T02", "T01"])
    assert (second.id, second.code, second.new) == (first.id, first.code, False)
    found = row(store, first.id)
    assert (found.urgency, bool(found.restricted), found.version) == (3, True, 2)
    assert len(sheet(store, first.id)) == 2
    assert store.transact(lambda rows: cases.open_of(rows, talk.id)) == OpenedCase(first.id, first.code, "waiting", None, False)


def test_topics_of_all_requests_stand_on_the_case(store: Store) -> None:
    talk = open_talk(store)
    case = request(store, talk, topics=["T01"])
    request(store, talk, topics=["T02", "T01"])
    found = row(store, case.id)
    assert store.transact(lambda rows: case_cells.topics_of(rows, found)) == ("T01", "T02")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    requests=st.lists(
        st.tuples(st.integers(0, 3), st.booleans(), st.booleans(), st.none() | st.integers(0, 600)), min_size=1, max_size=6
    )
)
def test_whatever_is_asked_for_urgency_and_mask_only_rise_and_the_promise_only_comes_earlier(
    store: Store, requests: list[tuple[int, bool, bool, int | None]]
) -> None:
    count = store.transact(lambda rows: rows.execute(text("SELECT count(*) FROM conversation")).scalar_one())
    talk = open_talk(store, f"U-{count}")
    for urgency, restricted, shares, minutes in requests:
        promise_at = None if minutes is None else NOW + timedelta(minutes=minutes)
        case = request(store, talk, urgency=urgency, restricted=restricted, shares_story=shares, promise_at=promise_at)
    found = row(store, case.id)
    assert found.urgency == max(urgency for urgency, *_ in requests)
    assert bool(found.restricted) == any(restricted for _, restricted, *_ in requests)
    assert bool(found.shares_story) == any(shares for _, _, shares, _ in requests)
    assert found.from_seq == 1
    promised = [minutes for *_, minutes in requests if minutes is not None]
    at = store.transact(lambda rows: rows.execute(select(Case.promise_at).where(col(Case.id) == case.id)).scalar())
    assert at == (NOW + timedelta(minutes=min(promised)) if promised else None)
    assert len(sheet(store, case.id)) == len(requests)


def test_a_story_that_was_not_handed_over_begins_after_it(store: Store) -> None:
    talk = open_talk(store)
    store.transact(lambda rows: rows.execute(text("UPDATE conversation SET last_seq = 7")))
    found = store.transact(lambda rows: talks.by_id(rows, talk.id))
    assert found is not None
    case = request(store, found, shares_story=False)
    assert row(store, case.id).from_seq == 8
    request(store, found, shares_story=True)
    assert row(store, case.id).from_seq == 1


def test_a_closed_case_stays_closed_and_the_next_request_opens_another(store: Store) -> None:
    talk = open_talk(store)
    first = request(store, talk)
    change(store, first.id, state="closed")
    assert store.transact(lambda rows: cases.open_of(rows, talk.id)) is None
    second = request(store, talk)
    assert second.new
    assert second.id != first.id
    assert row(store, first.id).state == "closed"


def test_a_returned_case_waits_again_for_the_one_who_had_it(store: Store) -> None:
    talk, other = open_talk(store, "U1"), open_talk(store, "U2")
    one, two = request(store, talk), request(store, other)
    store.transact(
        lambda rows: rows.execute(
            text("INSERT INTO staff (id, login, name, role, created_at) VALUES ('s1', 'sato', '佐藤', 'coordinator', '2026-11-24 00:00:00')")
        )
    )
    change(store, one.id, state="returned", coordinator_id="s1")
    change(store, two.id, state="returned")
    assert (request(store, talk).state, request(store, other).state) == ("held", "waiting")
    assert (row(store, one.id).state, row(store, two.id).state) == ("held", "waiting")


def test_a_case_put_back_keeps_its_urgency_and_only_a_held_one_goes_back(store: Store) -> None:
    case = request(store, open_talk(store), urgency=2)
    change(store, case.id, state="held")
    assert store.transact(lambda rows: cases.requeue(rows, case.id))
    assert (row(store, case.id).state, row(store, case.id).urgency) == ("waiting", 2)
    assert not store.transact(lambda rows: cases.requeue(rows, case.id))
    store.transact(lambda rows: cases.raise_urgency(rows, case.id, 1))
    assert row(store, case.id).urgency == 2


def test_a_code_that_is_taken_already_gives_way_to_another(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = iter(["K4A-72QM", "K4A-72QM", "K4A-72QM", "P9C-33DE"])
    monkeypatch.setattr(cases, "new_code", lambda: next(codes))
    assert request(store, open_talk(store, "U1")).code == "K4A-72QM"
    assert request(store, open_talk(store, "U2")).code == "P9C-33DE"


def test_waiting_cases_are_counted_and_staff_who_can_sign_in_are_known(store: Store) -> None:
    for number in range(3):
        case = request(store, open_talk(store, f"U{number}"))
    change(store, case.id, state="held")
    assert store.transact(lambda rows: moment.around(rows, "c1", day="2026-11-24", part="out")).waiting == 2
    assert not store.transact(cases.is_staffed)
    insert = "INSERT INTO staff (id, login, name, role, password_hash, created_at) VALUES (:id, :id, 'x', :role, :hash, '2026-11-24 00:00:00')"
    for staff_id, role, hashed in (("a", "coordinator", None), ("b", "editor", "x")):
        store.transact(lambda rows, values={"id": staff_id, "role": role, "hash": hashed}: rows.execute(text(insert), values))
    assert not store.transact(cases.is_staffed)
    store.transact(lambda rows: rows.execute(text(insert), {"id": "c", "role": "lead", "hash": "x"}))
    assert store.transact(cases.is_staffed)


# ---------------------------------------------------------------- words taken back


def test_lines_that_rest_on_a_message_taken_back_leave_every_case_of_the_talk(store: Store) -> None:
    talk = open_talk(store)
    lines = [{"text": "消える話", "refs": ["m1", "m2"]}, {"text": "残る話", "refs": ["m3"]}]
    closed = request(store, talk, sheet=json.dumps(lines), title="消える話")
    change(store, closed.id, state="closed")
    still_open = request(store, talk, sheet=json.dumps(lines[:1]), title="消える話")
    store.transact(lambda rows: cases.forget_words(rows, talk, "m1"))
    assert sheet(store, closed.id) == lines[1:]
    assert sheet(store, still_open.id) == []
    found = [row(store, one.id) for one in (closed, still_open)]
    assert store.transact(lambda rows: [case_cells.title_of(rows, one) for one in found]) == ["残る話", ""]


def test_taking_back_words_that_no_sheet_rests_on_changes_no_case(store: Store) -> None:
    talk = open_talk(store)
    case = request(store, talk)
    store.transact(lambda rows: cases.forget_words(rows, talk, "m999"))
    assert row(store, case.id).version == 1


# ---------------------------------------------------------------- alarms


def test_an_alarm_rings_once_for_a_worry_and_again_only_for_a_higher_level(store: Store) -> None:
    talk, other = open_talk(store, "U1"), open_talk(store, "U2")
    assert alarm(store, talk, "L2") is not None
    assert alarm(store, talk, "L2") is None
    assert alarm(store, talk, "L3") is not None
    assert alarm(store, talk, "L2") is None
    assert alarm(store, other, "L2") is not None


def test_open_alarms_come_most_dangerous_first_then_oldest(store: Store) -> None:
    rung = [("U1", "L2", 1), ("U2", "L3", 3), ("U3", "L3", 2), ("U4", "L2", 0)]
    ids = {account: alarm(store, open_talk(store, account), level, NOW + timedelta(minutes=minutes)) for account, level, minutes in rung}
    found = store.transact(cases.open_alarms)
    assert [one.id for one in found] == [ids["U3"], ids["U2"], ids["U4"], ids["U1"]]


def test_an_alarm_climbs_until_a_coordinator_takes_it(store: Store) -> None:
    talk = open_talk(store)
    alarm_id = alarm(store, talk, "L2")
    assert alarm_id is not None
    (due,) = store.transact(lambda rows: cases.due_alarms(rows, NOW))
    assert (due.id, due.step, due.level) == (alarm_id, 0, "L2")
    later = NOW + timedelta(minutes=1)
    store.transact(lambda rows: cases.climb(rows, alarm_id, step=1, next_step_at=later))
    assert store.transact(lambda rows: cases.due_alarms(rows, NOW)) == []
    assert [one.step for one in store.transact(lambda rows: cases.due_alarms(rows, later))] == [1]
    store.transact(
        lambda rows: rows.execute(
            text("INSERT INTO staff (id, login, name, role, created_at) VALUES ('s1', 'sato', '佐藤', 'coordinator', '2026-11-24 00:00:00')")
        )
    )
    assert store.transact(lambda rows: cases.acknowledge(rows, talk.id, "s1", later)) == 1
    assert store.transact(lambda rows: cases.acknowledge(rows, talk.id, "s1", later)) == 0
    assert store.transact(cases.open_alarms) == []
    assert store.transact(lambda rows: cases.due_alarms(rows, later)) == []
    assert alarm(store, talk, "L2", later) is not None
