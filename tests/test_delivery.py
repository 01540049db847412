"""What was written reaches the resident, in order, once; and where it cannot, staff are told (R10, R11)."""

import asyncio
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from sqlalchemy import text
from sqlmodel import Session

from bot import reception
from bot.channels.port import Inbound
from bot.delivery import Delivery
from bot.reception import Received
from bot.turns import NarrowWay
from storage import outbox
from storage.store import Store
from tests.conftest import Database
from tests.town import Coordinator, Resident, Town
from tests.twins import Webhook
from tests.twins.line_twin import Call
from tests.twins.serving import LOST

_BACK_TO_SENDING = text("UPDATE outbox SET state = 'sending', done_at = NULL WHERE seq = (SELECT max(seq) FROM outbox)")
"""As the row stands when the process dies after the call and before the mark."""


def letters(town: Town) -> list[Any]:
    return town.rows("SELECT state, attempts, maybe_twice, problem, retry_key FROM outbox ORDER BY seq")


def last_letter(town: Town) -> Any:
    return letters(town)[-1]


def calls_since(town: Town, before: int) -> list[Call]:
    return town.line.calls[before:]


def tasks(town: Town) -> list[str]:
    return [row.kind for row in town.rows("SELECT kind FROM task WHERE done_at IS NULL")]


@pytest.fixture
def talk(either_town: Town) -> tuple[Town, Resident, Coordinator]:
    """A resident on LINE whose talk a coordinator has in hand."""
    coordinator = either_town.coordinator("佐藤")
    resident = either_town.resident_on("line").says("人と話したい")
    coordinator.claims(resident.case)
    resident.listens()
    return either_town, resident, coordinator


# ---------------------------------------------------------------- LINE: reply while young, push after


def test_an_answer_uses_the_reply_token_which_costs_nothing(town: Town) -> None:
    resident = town.resident_on("line").says("家賃が払えない")

    assert not resident.hears_nothing()
    assert [call.kind for call in town.line.calls] == ["reply", "reply"]


def test_an_answer_whose_token_has_grown_old_is_pushed(settling_town: Town) -> None:
    resident = settling_town.resident_on("line").taps("相談をはじめる")
    resident.says("家賃が払えない")
    assert resident.hears_nothing()

    settling_town.passes(seconds=70)

    assert not resident.hears_nothing()
    assert settling_town.line.calls[-1].kind == "push"
    assert settling_town.line.violations == []


def test_a_coordinators_reply_is_pushed_with_the_key_stored_beside_it(talk: tuple[Town, Resident, Coordinator]) -> None:
    town, resident, coordinator = talk

    coordinator.replies(resident.case, "はじめまして。佐藤です。")

    assert "はじめまして。佐藤です。" in resident.hears()
    call = town.line.calls[-1]
    assert (call.kind, call.retry_key) == ("push", last_letter(town).retry_key)
    assert uuid.UUID(call.retry_key)


# ---------------------------------------------------------------- lost, busy, broken


@pytest.mark.parametrize("status", [LOST, 500, 503])
@pytest.mark.requirement("R11")
def test_a_push_whose_answer_was_lost_after_line_took_it_arrives_once(talk: tuple[Town, Resident, Coordinator], status: int) -> None:
    town, resident, coordinator = talk
    town.line.fail(1, status, after_accepting=True)

    coordinator.replies(resident.case, "明日の10時に電話します。")
    town.passes(seconds=5)

    assert [bubble.text for bubble in resident.heard()].count("明日の10時に電話します。") == 1
    assert last_letter(town).state == "sent"
    first, second = town.line.calls[-2:]
    assert (first.retry_key, second.status) == (second.retry_key, 409)
    assert town.line.violations == []


def test_a_reply_whose_answer_was_lost_is_not_said_twice(town: Town) -> None:
    resident = town.resident_on("line")
    resident.listens()
    town.line.fail(1, LOST, after_accepting=True)

    resident.says("家賃が払えない")
    heard = resident.hears()
    town.passes(seconds=5)
    town.passes(minutes=2)

    assert heard
    assert resident.hears() == heard
    assert last_letter(town).state == "sent"


@pytest.mark.parametrize("status", [LOST, 500])
def test_a_reply_that_may_be_there_is_asked_for_by_its_own_token_nearly_to_the_tokens_end(town: Town, status: int) -> None:
    """A push could say it a second time."""
    resident = town.resident_on("line")
    resident.listens()
    town.line.fail(1, status, after_accepting=True)

    resident.says("家賃が払えない")
    heard = resident.hears()
    town.passes(seconds=55)

    assert heard
    assert resident.hears() == heard
    assert last_letter(town).state == "sent"
    assert [call.kind for call in town.line.calls[-2:]] == ["reply", "reply"]


@pytest.mark.parametrize("first", [LOST, 500])
def test_a_pause_asked_for_after_a_lost_answer_does_not_let_the_reply_be_said_again(town: Town, first: int) -> None:
    """The 429 is about the second try: the first was taken, and only its own token can tell."""
    resident = town.resident_on("line")
    resident.listens()
    town.line.fail(1, first, after_accepting=True)
    town.line.fail(1, 429)

    resident.says("家賃が払えない")
    heard = resident.hears()
    for _ in range(4):
        town.passes(seconds=5)

    assert heard
    assert resident.hears() == heard
    assert last_letter(town).state == "sent"


def test_a_reply_that_never_reached_line_still_arrives(town: Town) -> None:
    resident = town.resident_on("line")
    town.line.fail(1, 500)

    resident.says("家賃が払えない")
    town.passes(seconds=5)

    assert not resident.hears_nothing()
    assert last_letter(town).state == "sent"


def test_a_reply_of_unknown_fate_whose_token_died_is_told_to_staff_and_not_doubled(town: Town) -> None:
    resident = town.resident_on("line")
    town.line.fail(1, LOST, after_accepting=True)
    resident.says("家賃が払えない")
    heard = resident.hears()

    town.line.fail(1, LOST)
    town.clock.moves(minutes=5)
    town.passes(minutes=5)

    assert resident.hears() == heard
    assert tasks(town) == ["maybe_not_delivered"]


def test_line_asks_for_a_pause_and_gets_it(talk: tuple[Town, Resident, Coordinator]) -> None:
    town, resident, coordinator = talk
    town.line.fail(1, 429)

    coordinator.replies(resident.case, "お待たせしました。")
    assert resident.hears_nothing()
    assert last_letter(town).state == "queued"
    town.passes(seconds=5)

    assert "お待たせしました。" in resident.hears()


def test_when_the_months_quota_is_used_up_staff_are_told_once_and_the_reply_waits(talk: tuple[Town, Resident, Coordinator]) -> None:
    town, resident, coordinator = talk
    town.line.quota = 0

    coordinator.replies(resident.case, "お返事です。")
    town.passes(hours=2)
    assert resident.hears_nothing()
    assert tasks(town).count("quota_used_up") == 1
    town.line.quota = None
    town.passes(hours=2)

    assert "お返事です。" in resident.hears()


@pytest.mark.requirement("R11")
def test_after_hours_of_failure_everything_comes_in_its_order(talk: tuple[Town, Resident, Coordinator]) -> None:
    town, resident, coordinator = talk
    town.line.fail(1000, 503)
    for number in range(4):
        coordinator.replies(resident.case, f"その{number}")
    for _ in range(6):
        town.passes(minutes=20)
    assert resident.hears_nothing()

    town.line.no_faults()
    town.passes(minutes=10)

    assert [bubble.text for bubble in resident.heard()] == [f"その{number}" for number in range(4)]


def test_one_resident_whose_line_hangs_keeps_nobody_else_waiting(town: Town) -> None:
    one, other = town.resident_on("line"), town.resident_on("telegram")
    town.line.slow(3.0)
    began = time.monotonic()
    webhook = town.line.text(one.account, "家賃が払えない")
    assert town.http.post("/line/webhook", content=webhook.body, headers=webhook.headers).status_code == 200
    other_webhook = town.telegram.text(other.account, "家賃が払えない")
    other.listens()

    town.http.post("/telegram/webhook", content=other_webhook.body, headers=other_webhook.headers)
    town.until(lambda: not other.hears_nothing(), seconds=2.5)

    assert time.monotonic() - began < 2.9
    town.rests()


# ---------------------------------------------------------------- never again


def test_what_line_refuses_for_good_becomes_a_task_and_the_next_reply_still_goes(talk: tuple[Town, Resident, Coordinator]) -> None:
    town, resident, coordinator = talk
    town.line.fail(1, 400)

    coordinator.replies(resident.case, "これは届きません。")
    coordinator.replies(resident.case, "これは届きます。")

    assert [bubble.text for bubble in resident.heard()] == ["これは届きます。"]
    assert "not_delivered" in tasks(town)


def test_telegram_says_blocked_and_staff_are_told(town: Town) -> None:
    coordinator = town.coordinator("佐藤")
    resident = town.resident_on("telegram").says("人と話したい")
    coordinator.claims(resident.case)
    town.telegram.blocked.add(resident.account)

    coordinator.replies(resident.case, "お返事です。")

    assert "unreachable" in tasks(town)
    assert coordinator.sees(resident.case)["reachable"] is False


@pytest.mark.requirement("R11")
def test_telegram_cannot_tell_a_lost_answer_so_the_reply_is_marked_as_perhaps_double(town: Town) -> None:
    coordinator = town.coordinator("佐藤")
    resident = town.resident_on("telegram").says("人と話したい")
    coordinator.claims(resident.case)
    resident.listens()
    town.telegram.fail(1, LOST, after_accepting=True)

    coordinator.replies(resident.case, "お返事です。")
    town.passes(seconds=5)

    assert last_letter(town).maybe_twice
    assert 1 <= len([bubble for bubble in resident.heard() if "お返事です。" in bubble.text]) <= 2


def test_a_pause_asked_for_afterwards_takes_no_doubt_away(town: Town) -> None:
    resident = town.resident_on("telegram")
    town.telegram.fail(1, LOST, after_accepting=True)
    town.telegram.busy(1, 3)

    resident.says("家賃が払えない")
    for _ in range(3):
        town.passes(seconds=5)

    assert [one.maybe_twice for one in letters(town)].count(True) == 1


def test_telegrams_own_pause_is_kept(town: Town) -> None:
    resident = town.resident_on("telegram")
    resident.listens()
    town.telegram.busy(1, 40)

    resident.says("家賃が払えない")
    town.passes(seconds=20)
    assert resident.hears_nothing()
    town.passes(seconds=21)

    assert not resident.hears_nothing()


# ---------------------------------------------------------------- stopping and starting


def again(town: Town) -> Delivery:
    """The delivery of a process that has just started over the same rows."""
    parts = town.parts
    return Delivery(town.store, parts.channels, town.clock, parts.hub, timedelta(hours=6))


@pytest.mark.requirement("R47")
def test_a_process_that_died_between_sending_and_writing_it_down_does_not_push_twice(talk: tuple[Town, Resident, Coordinator]) -> None:
    town, resident, coordinator = talk
    coordinator.replies(resident.case, "一度だけ届く返事です。")
    before = len(town.line.calls)
    town.store.transact(lambda rows: rows.execute(_BACK_TO_SENDING))

    sweep(town, again(town))
    assert len(town.line.calls) == before, "its lease still runs: the one who has it may be alive"
    town.clock.moves(seconds=10)
    sweep(town, again(town))

    assert [bubble.text for bubble in resident.heard()] == ["一度だけ届く返事です。"]
    assert town.line.calls[-1].status == 409
    assert last_letter(town).state == "sent"


def test_a_process_that_died_before_sending_sends_when_it_starts(talk: tuple[Town, Resident, Coordinator]) -> None:
    town, resident, coordinator = talk
    town.line.fail(1, 503)
    coordinator.replies(resident.case, "起きてから送る返事です。")
    town.clock.moves(minutes=1)

    sweep(town, again(town))

    assert [bubble.text for bubble in resident.heard()] == ["起きてから送る返事です。"]


def sweep(town: Town, delivery: Delivery) -> None:
    async def work() -> None:
        await delivery.sweep()
        await delivery.idle()
        await delivery.close()

    town.on_loop(work())
    town.rests()


@pytest.mark.requirement("R11")
def test_a_reply_older_than_six_hours_waits_for_a_human_who_lets_it_go(town: Town) -> None:
    coordinator = town.coordinator("佐藤")
    resident = town.resident_on("line").says("人と話したい")
    coordinator.claims(resident.case)
    resident.listens()
    town.line.fail(1000, 503)
    coordinator.replies(resident.case, "6時間前の返事です。")
    town.passes(hours=7)
    town.line.no_faults()
    town.passes(hours=1)
    assert resident.hears_nothing()
    assert last_letter(town).state == "held"

    released = town.store.transact(lambda rows: outbox.release(rows, resident.conversation_in(rows), town.clock.now()))
    town.passes(seconds=1)

    assert released == 1
    assert [bubble.text for bubble in resident.heard()] == ["6時間前の返事です。"]


def test_a_channel_that_was_switched_off_keeps_its_replies(build_town: Callable[..., Town], town_store: Store) -> None:
    with build_town(town_store) as town:
        coordinator = town.coordinator("佐藤")
        resident = town.resident_on("line").says("人と話したい")
        coordinator.claims(resident.case)
        channels = {name: channel for name, channel in town.parts.channels.items() if name != "line"}
        town.line.fail(1, 503)
        coordinator.replies(resident.case, "つながったら届く返事です。")
        town.clock.moves(minutes=1)

        sweep(town, Delivery(town.store, channels, town.clock, town.parts.hub, timedelta(hours=6)))
        assert last_letter(town).problem == "channel_off"
        town.passes(minutes=2)

        assert "つながったら届く返事です。" in resident.hears()


# ---------------------------------------------------------------- one at a time


def test_a_sweep_that_comes_before_the_wake_up_of_a_claimed_reply_does_not_say_it_twice(town: Town) -> None:
    """The reception marked its answer `sending`; the sweep finds the row before the reception wakes the delivery."""
    resident = town.resident_on("line")
    resident.listens()
    inbounds = town.parts.channels["line"].read(*_request(town.line.text(resident.account, "家賃が払えない")), town.clock.now())
    town.line.slow(0.2)

    async def work() -> None:
        received = await town.store.atransact(lambda rows: _receive(town, rows, inbounds[0]))
        await town.parts.delivery.sweep()
        town.parts.delivery.wake(received.conversation_id or "", received.letters)
        await town.parts.delivery.idle()

    town.on_loop(work())
    town.passes(seconds=5)

    assert len([call for call in town.line.calls[1:] if call.status == 200]) == 1
    assert last_letter(town).state == "sent"


def test_wake_ups_that_overlap_send_each_reply_once(town: Town) -> None:
    """Telegram would show a second call to the resident: it knows no retry key."""
    resident = town.resident_on("telegram")
    resident.listens()
    conversation = resident.conversation
    texts = [town.telegram.text(resident.account, f"家賃が払えない{number}") for number in range(12)]
    town.telegram.slow(0.03)

    async def work() -> None:
        delivery = town.parts.delivery
        for webhook in texts:
            inbounds = town.parts.channels["telegram"].read(*_request(webhook), town.clock.now())
            await town.parts.doorman.receive(inbounds)
            for _ in range(3):
                delivery.wake(conversation)
                await asyncio.sleep(0.012)
        await delivery.idle()

    town.on_loop(work())
    town.telegram.slow(0)
    town.passes(seconds=5)

    assert len([call for call in town.telegram.calls if call.method.lower() == "sendmessage"]) == len(letters(town))
    assert {letter.state for letter in letters(town)} == {"sent"}


@pytest.mark.requirement("R11")
@pytest.mark.parametrize("channel", ["telegram", "line"])
def test_calls_that_could_come_twice_go_one_after_the_other(
    build_town: Callable[..., Town], town_store: Store, monkeypatch: pytest.MonkeyPatch, channel: Literal["telegram", "line"]
) -> None:
    """Whatever is under way when a process dies is in doubt: on Telegram one answer, not one for each resident. LINE knows a call again."""
    monkeypatch.setattr(Delivery, "alone_for", 60.0)
    with build_town(town_store) as town:
        twin = town.line if channel == "line" else town.telegram
        accounts = [town.resident_on(channel).account for _ in range(4)]
        twin.slow(0.3)
        twin.most_at_once = 0

        async def everybody_writes() -> None:
            inbounds = [town.parts.channels[channel].read(*_request(twin.text(one, "家賃が払えない")), town.clock.now()) for one in accounts]
            await asyncio.gather(*map(town.parts.doorman.receive, inbounds))
            await town.parts.delivery.idle()

        town.on_loop(everybody_writes())

        assert (twin.most_at_once == 1) == (channel == "telegram")
        assert {letter.state for letter in letters(town)} == {"sent"}


async def test_one_that_takes_long_on_a_narrow_way_lets_the_next_one_go() -> None:
    way, next_went = NarrowWay(longest=0.01), asyncio.Event()

    async def slow() -> None:
        async with way.clear():
            await next_went.wait()

    first = asyncio.create_task(slow())
    async with asyncio.timeout(10):
        await asyncio.sleep(0)
        async with way.clear():
            next_went.set()
        await first


def _request(webhook: Webhook) -> tuple[dict[str, str], bytes]:
    return webhook.headers, webhook.body


def _receive(town: Town, rows: Session, inbound: Inbound) -> Received:
    parts = town.parts
    return reception.receive(rows, inbound, parts.knowledge.town, parts.rules, town.clock.now(), parts.doorman.split_of(inbound.channel))


@pytest.mark.parametrize("channel", ["line", "telegram"])
def test_a_claimed_reply_that_a_busy_machine_comes_to_late_leaves_at_once_and_is_in_no_doubt(town: Town, channel: str) -> None:
    resident = town.resident_on(channel)  # type: ignore[arg-type]
    twin = town.line if channel == "line" else town.telegram
    inbounds = town.parts.channels[channel].read(*_request(twin.text(resident.account, "家賃が払えない")), town.clock.now())
    resident.listens()

    async def work() -> None:
        received = await town.store.atransact(lambda rows: _receive(town, rows, inbounds[0]))
        town.clock.moves(seconds=9)
        town.parts.delivery.wake(received.conversation_id or "", received.letters)
        await town.parts.delivery.idle()

    town.on_loop(work())

    assert not resident.hears_nothing()
    letter = next(one for one in letters(town) if one.attempts)
    assert (letter.state, letter.attempts, letter.maybe_twice) == ("sent", 1, False)


def test_an_answer_that_was_sent_while_the_database_went_away_is_written_down_when_it_is_back(town: Town, sqlite_database: Database) -> None:
    """Telegram would be told again: only our own memory knows that it has the answer."""
    resident = town.resident_on("telegram")
    path = Path(sqlite_database.name)
    inbounds = town.parts.channels["telegram"].read(*_request(town.telegram.text(resident.account, "家賃が払えない")), town.clock.now())
    resident.listens()

    async def work() -> None:
        received = await town.store.atransact(lambda rows: _receive(town, rows, inbounds[0]))
        away = path.rename(path.with_suffix(".away"))
        town.parts.delivery.wake(received.conversation_id or "", received.letters)
        await asyncio.sleep(0.5)
        away.rename(path)
        await town.parts.delivery.idle()

    town.on_loop(work())
    town.passes(minutes=1)

    assert not resident.hears_nothing()
    assert [(one.state, one.maybe_twice) for one in letters(town)] == [("sent", False)] * len(letters(town))
    assert len([call for call in town.telegram.calls if call.method.lower() == "sendmessage"]) == len(letters(town))
