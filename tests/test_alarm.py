"""A danger rings outside within seconds, in neutral words, again and again until somebody takes it (D6, desk.md §9, R12)."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from bot.alarm import NEUTRAL, call_outside
from tests.town import Resident, Town


@pytest.fixture
def in_danger(either_town: Town) -> tuple[Town, Resident]:
    """A resident in opening hours who has just written that they wish to die; somebody works at the desk."""
    either_town.coordinator("当番")
    return either_town, either_town.resident_on("line").says("もう死にたい")


def rings(town: Town) -> int:
    return len(town.bell.rung)


def test_a_danger_rings_outside_without_anybody_sweeping(in_danger: tuple[Town, Resident]) -> None:
    town, _ = in_danger

    town.until(lambda: rings(town) == 1, seconds=5)


@pytest.mark.requirement("R12")
def test_the_words_outside_say_nothing_of_what_was_told(in_danger: tuple[Town, Resident]) -> None:
    town, resident = in_danger
    town.until(lambda: rings(town) == 1, seconds=5)

    assert town.bell.rung == [NEUTRAL]
    for hint in ("死", "自殺", resident.name, resident.case, "LINE"):
        assert hint not in NEUTRAL


def test_the_ladder_climbs_until_ten_minutes_and_then_rests(in_danger: tuple[Town, Resident]) -> None:
    town, _ = in_danger
    town.until(lambda: rings(town) == 1, seconds=5)
    heard = []

    for seconds in (50, 15, 200, 60, 250, 60, 3600):
        town.passes(seconds=seconds)
        time.sleep(0.2)
        heard.append(rings(town))

    assert heard == [1, 2, 2, 3, 3, 4, 4]


def test_the_ladder_stops_when_a_coordinator_takes_the_case(in_danger: tuple[Town, Resident]) -> None:
    town, resident = in_danger
    town.until(lambda: rings(town) == 1, seconds=5)

    town.coordinator("佐藤").claims(resident.case)
    town.passes(minutes=20)

    assert rings(town) == 1


def test_the_same_danger_said_again_rings_once(in_danger: tuple[Town, Resident]) -> None:
    town, resident = in_danger
    resident.says("死にたい")
    town.passes(seconds=1)

    assert rings(town) == 1


def test_a_danger_that_grows_rings_again(in_danger: tuple[Town, Resident]) -> None:
    town, resident = in_danger
    town.until(lambda: rings(town) == 1, seconds=5)

    resident.says("いま薬を全部飲んだ")

    town.until(lambda: rings(town) == 2, seconds=5)


def test_a_danger_told_to_a_human_rings_too(town: Town) -> None:
    coordinator = town.coordinator("佐藤")
    resident = town.resident_on("line").says("人と話したい")
    coordinator.claims(resident.case)

    resident.says("もう死にたいです")

    town.until(lambda: rings(town) == 1, seconds=5)
    assert coordinator.sees(resident.case)["urgency"] == 2


def test_an_everyday_word_rings_nobody(town: Town) -> None:
    town.coordinator("当番")
    town.resident_on("line").says("死ぬほど忙しくて、介護の手続きができません")

    town.passes(minutes=1)

    assert rings(town) == 0


def test_a_call_that_fails_ends_neither_this_ladder_nor_that_of_the_next_danger(town: Town) -> None:
    town.coordinator("当番")
    town.bell.breaks = 1
    town.resident_on("line").says("もう死にたい")
    town.until(lambda: rings(town) == 1, seconds=5)

    town.clock.moves(seconds=61)
    town.until(lambda: rings(town) == 2, seconds=5)
    town.resident_on("telegram").says("もう死にたい")

    town.until(lambda: rings(town) == 3, seconds=5)


# ---------------------------------------------------------------- a real address


@pytest.fixture
def web_hook() -> Iterator[tuple[str, list[bytes]]]:
    """A web hook of the town's own, and what it was told."""
    told: list[bytes] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"json://127.0.0.1:{server.server_port}/hook", told
    server.shutdown()
    server.server_close()


def test_a_web_hook_hears_the_neutral_words(web_hook: tuple[str, list[bytes]]) -> None:
    address, told = web_hook

    assert asyncio.run(call_outside([address], NEUTRAL))

    assert len(told) == 1
    assert json.loads(told[0])["message"] == NEUTRAL


def test_an_address_that_is_wrong_is_reported_and_the_others_are_still_called(web_hook: tuple[str, list[bytes]]) -> None:
    address, told = web_hook

    assert not asyncio.run(call_outside(["nonsense", "json://127.0.0.1:9/none"], NEUTRAL))
    asyncio.run(call_outside(["nonsense", address], NEUTRAL))

    assert len(told) == 1
