"""Main scenarios, in which the N-th call to the database, or to a platform, fails, for N = 1, 2, 3 … until the scenario passes untouched.

Afterwards everything is as if nothing had failed: the same lines, cases, alarms, promises and letters, nothing acknowledged lost, nothing said twice
on LINE, order kept, the audit chain whole. In the suite some scenarios are played and a part of all N is tried; `MADOGUCHI_EVERY_N=1` tries each.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from storage.store import Store
from tests.simulation.platforms import FAULTS
from tests.simulation.world import Person, World

Scenario = Callable[[World, Person, Any], Awaitable[None]]
_EVERY = "MADOGUCHI_EVERY_N" in os.environ
_PARTS = 4 if _EVERY else 1
"""All N of a scenario, four hundred plays, are shared out among so many tests: none is the longer for it on a slow machine."""
_MOST = 1_000
_DELIVERY_TASKS = ("maybe_not_delivered", "not_delivered")


async def first_contact(world: World, resident: Person, _: Any) -> None:
    await resident.comes()
    await resident.taps("相談をはじめる")
    await resident.says("家賃が払えなくて困っています")


async def danger(world: World, resident: Person, _: Any) -> None:
    await resident.comes()
    await resident.says("いま薬を全部飲んだ。死にたい")
    await world.passes(seconds=61)


async def asks_for_a_human(world: World, resident: Person, _: Any) -> None:
    await resident.says("父が来週退院します")
    await resident.says("人と話したい")
    await resident.taps("渡す")


async def coordinator_answers(world: World, resident: Person, sato: Any) -> None:
    await asks_for_a_human(world, resident, sato)
    assert await world.claims(sato, resident.case or "")
    assert await world.replies(sato, resident.case or "", "はじめまして。佐藤です。")
    await resident.says("ありがとうございます")


async def handed_back(world: World, resident: Person, sato: Any) -> None:
    await coordinator_answers(world, resident, sato)
    assert await world.hands_back(sato, resident.case or "")


async def closed(world: World, resident: Person, sato: Any) -> None:
    await coordinator_answers(world, resident, sato)
    assert await world.closes(sato, resident.case or "")


async def danger_while_a_human_writes(world: World, resident: Person, sato: Any) -> None:
    await asks_for_a_human(world, resident, sato)
    assert await world.claims(sato, resident.case or "")
    await resident.says("もう死にたい。いまから飛び降ります")
    await world.passes(seconds=61)


async def nobody_answers_in_time(world: World, resident: Person, sato: Any) -> None:
    await asks_for_a_human(world, resident, sato)
    await world.passes(minutes=116)
    await world.passes(minutes=2)


async def erased(world: World, resident: Person, _: Any) -> None:
    await resident.says("家賃が払えなくて困っています")
    await resident.says("データを消して")
    await resident.taps("消す")
    await resident.taps("消す")
    resident.erased = True


async def taken_back(world: World, resident: Person, _: Any) -> None:
    said = resident.makes("text", text="取り消す前の言葉です。家賃が払えない")
    await resident.brings(said)
    unsent = resident.makes("unsend")
    await resident.brings(type(unsent)(**{**vars(unsent), "platform_id": said.platform_id}))


async def blocked(world: World, resident: Person, sato: Any) -> None:
    await asks_for_a_human(world, resident, sato)
    await resident.brings(resident.makes("unfollow"))


async def repeats_and_out_of_order(world: World, resident: Person, _: Any) -> None:
    one, two = resident.makes("text", text="父の介護のことです"), resident.makes("text", text="家賃も払えません")
    for event in (two, one, two, one):
        await resident.brings(event)


SCENARIOS: dict[str, Scenario] = {
    one.__name__: one
    for one in (
        first_contact, danger, asks_for_a_human, coordinator_answers, handed_back, closed, danger_while_a_human_writes, nobody_answers_in_time,
        erased, taken_back, blocked, repeats_and_out_of_order,
    )
}  # fmt: skip


_ON_DATABASE = list(SCENARIOS) if _EVERY else [
    "first_contact", "danger", "asks_for_a_human", "coordinator_answers", "handed_back", "closed", "danger_while_a_human_writes", "erased",
]  # fmt: skip
_ON_PLATFORM = list(SCENARIOS) if _EVERY else ["first_contact", "asks_for_a_human", "coordinator_answers", "handed_back"]


def numbers(last: int, part: int) -> Iterator[int]:
    """All N of this part; in the suite the first and then ever wider apart."""
    number = 1 + part
    while number <= last:
        yield number
        number += _PARTS if _EVERY else 1 if number < 3 else number


def standing(world: World, resident: Person) -> dict[str, list[tuple[object, ...]]]:
    """What there is of a talk, without what differs each time (ids, times)."""
    columns = {
        "message": "author, kind, danger_level", "care_case": "state, urgency", "alarm": "level, step", "promise": "kind, state",
        "consent": "purpose", "outbox": "channel", "inbox": "kind, state", "task": "kind",
    }  # fmt: skip
    mine = resident.conversation
    return {
        table: sorted(tuple(row) for row in world.rows(f"SELECT {columns[table]} FROM {table} WHERE conversation_id = :id", id=mine))
        for table in columns
    }


def compare(world: World, resident: Person, untouched: dict[str, Any], what: str) -> None:
    found = standing(world, resident)
    found["task"] = [one for one in found["task"] if one[0] not in _DELIVERY_TASKS]
    assert found == untouched, what
    assert world.faults() == [], what


async def play(world: World, scenario: Scenario, channel: Any, sato: Any) -> Person:
    resident = world.resident(channel)
    await scenario(world, resident, sato)
    for _ in range(12):
        await world.passes(seconds=10)
    return resident


def each(store: Store, folder: Path, scenario: Scenario, channel: Any, fail: Callable[[World], Iterator[tuple[str, Callable[[], bool]]]]) -> int:
    """Play the scenario untouched, then once for each failure; returns how often."""

    async def all_of_it() -> int:
        world, times = World(store, folder), 0
        sato = world.coordinator("佐藤")
        untouched = standing(world, await play(world, scenario, channel, sato))
        assert world.faults() == []
        world.goes_home()
        for what, struck in fail(world):
            resident = await play(world, scenario, channel, sato)
            hit = struck()
            world.disk.fails_at()
            compare(world, resident, untouched, what)
            world.goes_home()
            times += 1
            if not hit:
                break
        return times

    return asyncio.run(all_of_it())


def database(world: World, part: int) -> Iterator[tuple[str, Callable[[], bool]]]:
    for number in numbers(_MOST, part):
        world.disk.fails_at(number)
        yield f"database call {number} fails", lambda number=number: world.disk.calls >= number  # type: ignore[misc]


def platform(world: World) -> Iterator[tuple[str, Callable[[], bool]]]:
    for number in range(1, _MOST):
        reached = False
        for fault in FAULTS if _EVERY else [FAULTS[(2 * number + at) % len(FAULTS)] for at in (0, 1)]:
            world.call_fails_at(number, fault)
            yield f"call {number} to the platform: {fault}", lambda: True
            reached = world.calls >= number
        if not reached:
            return


@pytest.mark.parametrize("part", range(_PARTS))
@pytest.mark.parametrize("name", _ON_DATABASE)
def test_whichever_call_to_the_database_fails_all_is_as_if_none_had(town_store: Store, tmp_path: Path, name: str, part: int) -> None:
    assert each(town_store, tmp_path, SCENARIOS[name], "line", partial(database, part=part)) > 5


@pytest.mark.parametrize("name", _ON_PLATFORM)
def test_whichever_call_to_the_platform_goes_wrong_all_is_as_if_none_had(town_store: Store, tmp_path: Path, name: str) -> None:
    assert each(town_store, tmp_path, SCENARIOS[name], "line", platform) > 2


@pytest.mark.skipif(not _EVERY, reason="MADOGUCHI_EVERY_N=1 runs it")
@pytest.mark.postgres
@pytest.mark.parametrize("part", range(_PARTS))
@pytest.mark.parametrize("name", ["coordinator_answers", "danger_while_a_human_writes"])
def test_so_it_is_on_postgresql(store: Store, tmp_path: Path, name: str, part: int) -> None:
    assert each(store, tmp_path, SCENARIOS[name], "line", partial(database, part=part)) > 5
