"""What was promised for later happens, once, at its time, and only where it may (D6, D8c, D9)."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bot.jobs.loop import Loop
from storage import records
from storage import talk as talks
from storage.store import Store
from tests.town import Resident, Town


def promises(town: Town) -> list[tuple[str, str]]:
    return [(row.kind, row.state) for row in town.rows("SELECT kind, state FROM promise ORDER BY due_at")]


@pytest.fixture
def waiting(town: Town) -> tuple[Town, Resident]:
    """A resident who was promised an answer within two hours."""
    town.coordinator("佐藤")
    resident = town.resident_on("line").says("人と話したい")
    resident.listens()
    return town, resident


def test_before_a_promise_is_broken_the_resident_hears_that_it_takes_longer(waiting: tuple[Town, Resident]) -> None:
    town, resident = waiting

    town.passes(minutes=110)
    assert resident.hears_nothing()
    town.passes(minutes=6)

    assert not resident.hears_nothing()


def test_the_delay_is_said_once(waiting: tuple[Town, Resident]) -> None:
    town, resident = waiting
    town.passes(minutes=116)
    said = resident.hears()

    for _ in range(3):
        town.passes(minutes=1)

    assert resident.hears() == said


def test_many_who_keep_promises_at_once_say_it_once(waiting: tuple[Town, Resident]) -> None:
    town, resident = waiting
    town.clock.moves(minutes=116)
    together = threading.Barrier(4)

    def keep() -> None:
        together.wait()
        town.on_loop(Loop(town.parts).keep_promises())

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: keep(), range(4)))
    town.rests()

    assert len(resident.heard()) <= 3
    assert [kind for kind, state in promises(town) if state == "late"] == ["reply"]


def test_a_coordinator_who_answered_in_time_keeps_the_promise(waiting: tuple[Town, Resident]) -> None:
    town, resident = waiting
    coordinator = town.coordinator("鈴木")
    coordinator.claims(resident.case).replies(resident.case, "はじめまして。鈴木です。")
    resident.listens()

    town.passes(hours=3)

    assert resident.hears_nothing()


def test_the_delay_is_not_written_to_somebody_whose_address_is_hidden(waiting: tuple[Town, Resident]) -> None:
    town, resident = waiting
    town.rows("UPDATE conversation SET hidden_address = :yes RETURNING id", yes=True)

    town.passes(minutes=116)

    assert resident.hears_nothing()
    assert [row.kind for row in town.rows("SELECT kind FROM task")] == ["promise_late"]


def promise_how_are_you(town: Town, resident: Resident, days: int = 14) -> None:
    def work(rows: talks.Session) -> None:
        talk = talks.by_id(rows, resident.conversation_in(rows))
        assert talk is not None
        records.promise(rows, talk, kind="how_are_you", due_at=town.clock.now() + timedelta(days=days))

    town.store.transact(work)


def test_a_follow_up_comes_between_ten_and_six_and_not_at_night(town: Town) -> None:
    resident = town.resident_on("line").taps("相談をはじめる")
    town.clock.stands_at("2026-11-24 20:00")
    promise_how_are_you(town, resident)
    resident.listens()

    town.passes(days=14, hours=1)
    assert resident.hears_nothing()
    town.clock.stands_at("2026-12-09 10:30")
    town.is_swept()

    assert not resident.hears_nothing()
    assert promises(town)[0] == ("how_are_you", "kept")


def test_a_follow_up_without_an_answer_is_counted_and_never_asked_again(town: Town) -> None:
    resident = town.resident_on("line").taps("相談をはじめる")
    promise_how_are_you(town, resident)
    resident.listens()

    town.passes(days=14, hours=1)
    assert "いかがですか" in resident.hears()
    resident.listens()
    town.passes(days=8)

    assert resident.hears_nothing()
    assert town.store.transact(lambda rows: records.counts(rows, "follow_up.no_answer")) == 1
    assert town.rows("SELECT kind FROM task") == []


def test_a_follow_up_without_an_answer_becomes_a_task_for_a_person_with_a_coordinator(town: Town) -> None:
    coordinator = town.coordinator("佐藤")
    resident = town.resident_on("line").says("人と話したい").taps("渡す")
    coordinator.claims(resident.case).replies(resident.case, "はじめまして。").hands_back(resident.case, "2026-12-20")
    promise_how_are_you(town, resident)
    resident.listens()

    town.passes(days=14, hours=1)
    town.passes(days=8)

    assert "follow_up_silent" in [row.kind for row in town.rows("SELECT kind FROM task")]


def test_a_follow_up_that_was_answered_leaves_nothing_to_see_to(town: Town) -> None:
    resident = town.resident_on("line").taps("相談をはじめる")
    promise_how_are_you(town, resident)
    town.passes(days=14, hours=1)

    resident.taps("変わらない").taps("いまはいい")
    town.passes(days=8)

    assert ("follow_up_silent", "open") not in promises(town)
    assert town.store.transact(lambda rows: records.counts(rows, "follow_up.no_answer")) == 0


def test_nobody_is_asked_how_they_are_while_a_human_writes_with_them(town: Town) -> None:
    coordinator = town.coordinator("佐藤")
    resident = town.resident_on("line").says("人と話したい")
    coordinator.claims(resident.case).replies(resident.case, "はじめまして。")
    promise_how_are_you(town, resident)
    resident.listens()

    town.passes(days=14, hours=1)

    assert resident.hears_nothing()


def test_one_promise_that_fails_breaks_nobody_elses(town: Town) -> None:
    town.coordinator("佐藤")
    broken = town.resident_on("line").says("人と話したい")
    town.clock.moves(minutes=1)
    other = town.resident_on("line").says("人と話したい")
    town.rows("UPDATE identity SET external_sealed = :cell WHERE person_id = (SELECT person_id FROM conversation WHERE id = :id) RETURNING id",
              cell=b"no cell of ours", id=broken.conversation)  # fmt: skip
    other.listens()

    town.passes(minutes=150)

    assert not other.hears_nothing()


def test_telegram_by_polling_answers_each_update_once_and_remembers_where_it_was(build_town: Callable[..., Town], town_store: Store) -> None:
    with build_town(town_store, telegram_mode="polling") as town:
        resident = town.resident_on("telegram", comes=False)
        town.telegram.queue(town.telegram.start(resident.account))
        town.until(lambda: not resident.hears_nothing())
        webhook = town.telegram.text(resident.account, "家賃が払えない")
        town.telegram.queue(webhook)
        following = json.loads(webhook.body)["update_id"] + 1
        town.until(lambda: bool(town.rows("SELECT position FROM cursor WHERE position = :place", place=following)))
        town.rests()
        said = len(resident.all_heard())

    with Town(town_store, town.line, town.telegram, town.settings.master_key_file.parent, telegram_mode="polling") as again:
        time.sleep(0.5)
        again.rests()
        assert len(resident.all_heard()) == said


@pytest.mark.parametrize(("said_yes", "asked"), [(True, True), (False, False)])
def test_when_an_office_is_silent_the_resident_is_asked_too_if_they_wished_to_be(town: Town, said_yes: bool, asked: bool) -> None:
    coordinator = town.coordinator("佐藤")
    resident = town.resident_on("line").taps("相談をはじめる").says("人と話したい")
    coordinator.claims(resident.case)
    wish = {"recipient": "地域包括支援センター（見本）", "purpose": "訪問", "items": ["退院"], "basis": "danger", "danger": "倒れている"}
    coordinator._call("POST", resident.case, "/refer", 200, wish | {"until": "2027-03-31"})
    coordinator.hands_back(resident.case)

    def agrees(rows: talks.Session) -> None:
        talk = talks.by_id(rows, resident.conversation_in(rows))
        assert talk is not None
        records.give_consent(rows, talk, purpose="follow_up", recipient="窓口", items=["talk"], days=90, version=1, now=town.clock.now())

    if said_yes:
        town.store.transact(agrees)
    resident.listens()
    town.clock.stands_at("2026-12-04 17:01")

    town.is_swept()
    town.is_swept()

    assert "referral_silent" in [row.kind for row in town.rows("SELECT kind FROM task")]
    assert resident.hears_nothing() is not asked
