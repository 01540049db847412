"""Nothing lies where nobody looks: every open case has somebody who answers for it, or waits for everybody on duty (D8, D8e)."""

import pytest

from storage import staff
from tests.town import Coordinator, Resident, Town


def state(town: Town, code: str) -> str:
    return str(town.rows("SELECT state FROM care_case WHERE code = :code", code=code)[0][0])


@pytest.fixture
def sato(town: Town) -> Coordinator:
    return town.coordinator("佐藤")


@pytest.fixture
def resident(town: Town, sato: Coordinator) -> Resident:
    """Somebody whose talk a coordinator has ended for today, and who writes again."""
    resident = town.resident_on("line").taps("相談をはじめる").says("家賃が払えません。仕事もなくなりました").says("人と話したい").taps("渡す")
    sato.claims(resident.case).replies(resident.case, "読みました").hands_back(resident.case)
    return resident.says("すみません、まだあります")


def test_a_resident_who_comes_back_is_the_coordinators_first_and_everybodys_after_the_set_minutes(town: Town, resident: Resident) -> None:
    assert state(town, resident.case) == "held"
    town.passes(minutes=14)
    assert state(town, resident.case) == "held"
    town.passes(minutes=2)
    assert state(town, resident.case) == "waiting"


def test_a_coordinator_who_answers_the_one_who_came_back_keeps_the_case(town: Town, sato: Coordinator, resident: Resident) -> None:
    sato.replies(resident.case, "もちろんです")
    town.passes(minutes=20)
    assert state(town, resident.case) == "held"


def test_what_a_stopped_account_held_waits_for_everybody(town: Town, resident: Resident) -> None:
    (login,) = town.rows("SELECT login FROM staff WHERE name = '佐藤'")[0]
    town.store.transact(lambda rows: staff.disable(rows, login=login, now=town.clock.now()))
    assert state(town, resident.case) == "waiting"


def test_words_that_nobody_answers_for_a_day_are_something_to_do(town: Town, sato: Coordinator, resident: Resident) -> None:
    sato.replies(resident.case, "もちろんです")
    resident.says("では、あした行きます")
    town.passes(hours=23)
    assert town.rows("SELECT kind FROM task WHERE kind = 'no_answer'") == []
    town.passes(hours=2)
    assert len(town.rows("SELECT kind FROM task WHERE kind = 'no_answer'")) == 1
