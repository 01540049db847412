"""What whoever watches the machine can see: numbers, never a word of a resident (R42)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import structlog
from sqlalchemy import text

from storage.store import Store

if TYPE_CHECKING:
    from tests.town import Town

TOKEN = "a-long-token-for-the-watcher"


@pytest.fixture
def town(build_town: "Callable[..., Town]", town_store: Store) -> "Iterator[Town]":
    with build_town(town_store, metrics_token=TOKEN) as opened:
        yield opened


def figures(town: "Town") -> dict[str, float]:
    text = town.http.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).text
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line and not line.startswith("#")}


def test_a_person_who_waits_and_a_danger_nobody_took_are_seen_by_the_watcher(town: "Town"):
    town.coordinator("佐藤")
    town.resident_on("line").says("死にたい。もう全部いやだ")
    town.clock.moves(minutes=4)
    seen = figures(town)

    assert seen["madoguchi_alarms_open"] == 1
    assert seen["madoguchi_alarm_oldest_seconds"] == timedelta(minutes=4).total_seconds()
    assert seen["madoguchi_cases_waiting"] == 1
    assert seen["madoguchi_database_up"] == 1
    assert seen["madoguchi_entries"] > 172


@pytest.mark.requirement("R1")
def test_webhooks_without_proof_are_counted_and_leave_no_row(town: "Town"):
    for _ in range(3):
        assert town.http.post("/line/webhook", content=b"{}", headers={"x-line-signature": "wrong"}).status_code == 401
    assert figures(town)['madoguchi_webhooks_refused{channel="line",status="401"}'] == 3


@pytest.mark.requirement("R17")
def test_nothing_is_shown_without_the_token_and_no_word_of_a_resident_with_it(town: "Town"):
    town.resident_on("web").says("だれにも言えない借金があります")
    assert town.http.get("/metrics").status_code == 404
    assert town.http.get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 404
    assert "借金" not in town.http.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).text


@pytest.mark.requirement("R38", "R42")
def test_a_seal_that_is_broken_is_counted_and_logged_by_the_id_of_its_case(town: "Town"):
    sato = town.coordinator("佐藤")
    town.resident_on("line").says("ひみつの借金").says("人と話したい").taps("渡す")
    assert 'madoguchi_counted{name="seal_broken"}' not in figures(town)
    town.store.transact(lambda rows: rows.execute(text("UPDATE care_case SET title_sealed = :cell"), {"cell": b"x" * 60}))
    with structlog.testing.capture_logs() as logs:
        assert town.http.get("/api/v1/cases", headers=sato.key).status_code == 200
    ((case,),) = town.rows("SELECT id FROM care_case")
    assert logs == [{"event": "seal_broken", "log_level": "error", "case": case}]
    assert figures(town)['madoguchi_counted{name="seal_broken"}'] == 1
