"""What a platform posts is kept once, in order, whatever it is; and no resident is met with silence (design.md §1, R1–R9)."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import httpx
import pytest
from sqlmodel import Session as Rows

from flows.model import Session
from storage import talk as talks
from storage.store import Store
from tests.conftest import Database
from tests.town import Resident, Town
from tests.twins import Webhook

WORRY = "家賃が払えなくて困っています"


def post(town: Town, webhook: Webhook, path: str = "/line/webhook") -> int:
    status = town.http.post(path, content=webhook.body, headers=webhook.headers).status_code
    town.rests()
    return status


def post_together(town: Town, webhooks: list[Webhook]) -> list[int]:
    """All at the same time, each on a connection of its own, as LINE does."""

    def one(webhook: Webhook) -> int:
        return httpx.post(f"{town.url}/line/webhook", content=webhook.body, headers=webhook.headers, timeout=20).status_code

    with ThreadPoolExecutor(len(webhooks)) as threads:
        statuses = list(threads.map(one, webhooks))
    town.rests()
    return statuses


def count(town: Town, table: str, where: str = "1 = 1", **values: object) -> int:
    return int(town.rows(f"SELECT count(*) AS n FROM {table} WHERE {where}", **values)[0].n)


def words_of(town: Town, resident: Resident) -> list[str]:
    """What the resident wrote, as kept, in order."""
    lines = town.store.transact(lambda rows: talks.lines(rows, resident.conversation_in(rows)))
    return [json.loads(line.body)["text"] for line in lines if line.author == "resident" and line.kind == "text" and line.body is not None]


def states(town: Town) -> set[str]:
    return {row.state for row in town.rows("SELECT state FROM inbox")}


# ---------------------------------------------------------------- once


@pytest.mark.requirement("R2")
def test_an_event_that_comes_eight_times_at_once_is_kept_and_answered_once(either_town: Town) -> None:
    resident = either_town.resident_on("line")
    resident.listens()
    webhook = either_town.line.text(resident.account, WORRY)

    statuses = post_together(either_town, [webhook] * 8)

    assert statuses == [200] * 8
    assert words_of(either_town, resident) == [WORRY]
    assert count(either_town, "outbox", "state = 'sent'") == 2, "the greeting and one answer"
    assert len([call for call in either_town.line.calls if call.status == 200]) == 2


@pytest.mark.requirement("R2")
def test_an_event_that_line_delivers_again_changes_nothing(town: Town) -> None:
    resident = town.resident_on("line")
    webhook = town.line.text(resident.account, WORRY)
    assert post(town, webhook) == 200
    resident.listens()

    town.clock.moves(hours=3)

    assert post(town, town.line.redelivered(webhook)) == 200
    assert resident.hears_nothing()
    assert words_of(town, resident) == [WORRY]


def test_a_first_message_in_parallel_from_one_new_account_makes_one_person(either_town: Town) -> None:
    resident = either_town.resident_on("line", comes=False)
    webhooks = [either_town.line.text(resident.account, f"{number}つ目の話です") for number in range(6)]

    assert post_together(either_town, webhooks) == [200] * 6

    assert count(either_town, "person") == count(either_town, "identity") == count(either_town, "conversation") == 1
    assert sorted(words_of(either_town, resident)) == [f"{number}つ目の話です" for number in range(6)]


def test_lines_of_one_resident_are_numbered_without_gaps_under_parallel_writing(either_town: Town) -> None:
    resident = either_town.resident_on("line")

    post_together(either_town, [either_town.line.text(resident.account, f"話{number}") for number in range(10)])

    numbers = [row.seq for row in either_town.rows("SELECT seq FROM message ORDER BY seq")]
    assert numbers == list(range(1, len(numbers) + 1))


# ---------------------------------------------------------------- proof and shape


@pytest.mark.requirement("R1")
def test_a_forged_request_is_refused_and_leaves_nothing(town: Town) -> None:
    forged = town.line.forged(town.line.user("somebody"), "死にたい")

    assert post(town, forged) == 401
    assert count(town, "inbox") == count(town, "person") == count(town, "message") == 0


@pytest.mark.parametrize("headers", [{}, {"x-telegram-bot-api-secret-token": "wrong"}])
@pytest.mark.requirement("R1")
def test_a_telegram_update_without_our_secret_is_refused_and_leaves_nothing(town: Town, headers: dict[str, str]) -> None:
    webhook = town.telegram.text(town.telegram.user("somebody"), "死にたい")

    assert post(town, Webhook(webhook.body, headers), "/telegram/webhook") == 401
    assert count(town, "inbox") == count(town, "person") == 0


@pytest.mark.parametrize("body", [b"", b"[]", b'{"events": 3}', b"\xff\xfe", b'{"events": [' * 2000])
def test_a_signed_body_that_is_no_webhook_is_a_bad_request(town: Town, body: bytes) -> None:
    assert post(town, town.line.signed(body)) == 400
    assert count(town, "inbox") == 0


def test_the_verify_button_of_the_console_is_answered(town: Town) -> None:
    assert post(town, town.line.webhook()) == 200


def test_events_of_several_residents_in_one_request_each_find_their_own_talk(town: Town) -> None:
    residents = [town.resident_on("line") for _ in range(3)]
    events = [town.line.text_event(one.account, f"わたしは{one.name}です") for one in residents]
    second = [town.line.text_event(one.account, "まだあります") for one in residents]

    assert post(town, town.line.webhook(*events, *second)) == 200

    for one in residents:
        assert words_of(town, one) == [f"わたしは{one.name}です", "まだあります"]


@pytest.mark.requirement("R3")
def test_an_event_nobody_knows_is_kept_as_noise_and_never_stops_its_neighbours(town: Town) -> None:
    resident = town.resident_on("line")
    strange = town.line.event(resident.account, "hologram", hologram={"shape": "cube"})
    broken = {"type": "message", "source": {"type": "user", "userId": resident.account}, "message": 7}
    resident.listens()

    webhook = town.line.webhook(strange, broken, town.line.text_event(resident.account, WORRY))  # type: ignore[arg-type]

    assert post(town, webhook) == 200
    assert words_of(town, resident) == [WORRY]
    assert not resident.hears_nothing()
    assert count(town, "inbox", "state = 'noise'") == 2


@pytest.mark.requirement("R7")
def test_a_group_is_left_without_a_word(town: Town) -> None:
    group = "C" + "a" * 32

    assert post(town, town.line.joined(group)) == 200

    town.until(lambda: town.line.left == [group])
    assert count(town, "person") == 0
    assert town.line.calls == []


def test_a_very_long_message_is_kept_whole(town: Town) -> None:
    resident = town.resident_on("line")
    long = "父の介護のことで、" * 555

    resident.says(long)

    assert words_of(town, resident) == [long]


# ---------------------------------------------------------------- the database is away


@pytest.mark.requirement("R2")
def test_while_the_database_is_gone_line_is_told_to_come_again_and_nothing_is_half_kept(
    town: Town, sqlite_database: Database
) -> None:  # fmt: skip
    resident = town.resident_on("line")
    webhook = town.line.text(resident.account, WORRY)
    path = Path(sqlite_database.name)
    away = path.with_suffix(".away")
    resident.listens()

    path.rename(away)
    refused = town.http.post("/line/webhook", content=webhook.body, headers=webhook.headers)
    away.rename(path)

    assert refused.status_code == 503
    assert "retry-after" in refused.headers
    assert resident.hears_nothing()
    assert words_of(town, resident) == []
    assert post(town, town.line.redelivered(webhook)) == 200
    assert words_of(town, resident) == [WORRY]
    assert not resident.hears_nothing()


# ---------------------------------------------------------------- our own faults


def break_talk(town: Town, resident: Resident, session: str) -> None:
    """Put a session into the talk as an older or a faulty version might have left it."""

    def work(rows: Rows) -> None:
        talk = talks.by_id(rows, resident.conversation_in(rows))
        assert talk is not None
        talks.save(rows, replace(talk, flow_session=session), town.clock.now())

    town.store.transact(work)


@pytest.mark.parametrize(
    "session",
    [
        "not JSON at all",
        '{"version": 99, "flow": 7}',
        Session(flow="no-such-flow", step="no-such-step", consented=3).model_dump_json(),
        Session(flow="consult", step="no-such-step", consented=3, choices=()).model_dump_json(),
    ],
    ids=["no-json", "other-shape", "flow-gone", "step-gone"],
)  # fmt: skip
def test_a_talk_that_cannot_go_on_is_given_to_a_human_and_never_met_with_silence(town: Town, session: str) -> None:
    town.coordinator("当番")
    resident = town.resident_on("line").says("相談があります")
    break_talk(town, resident, session)

    resident.says(WORRY)

    assert not resident.hears_nothing()
    assert resident.case
    assert "pending" not in states(town)
    assert WORRY in words_of(town, resident)


def test_a_step_that_fails_leaves_the_words_kept_and_a_human_told(town: Town) -> None:
    town.coordinator("当番")
    resident = town.resident_on("line").taps("相談をはじめる")
    broken = Session(flow="consult", step="open", ask=1, consented=3, notes={"begins": "no number"})
    break_talk(town, resident, broken.model_dump_json())

    resident.says(WORRY)

    assert not resident.hears_nothing()
    assert town.rows("SELECT reason FROM care_case")[0].reason == "failure"
    assert town.rows("SELECT count FROM tally WHERE name = 'flow_failed'")[0].count == 1
    assert WORRY in words_of(town, resident)


def test_a_danger_list_that_fails_loses_no_message_and_the_plain_question_is_asked(town: Town) -> None:
    town.coordinator("当番")
    resident = town.resident_on("line")
    living = town.parts.knowledge
    living.town = replace(living.town, base=replace(living.town.base, danger=None))  # type: ignore[arg-type]

    resident.says(WORRY)

    assert words_of(town, resident) == [WORRY]
    assert not resident.hears_nothing()
    assert town.rows("SELECT danger_level FROM message WHERE author = 'resident' AND kind = 'text'")[0].danger_level == "L1"


# ---------------------------------------------------------------- danger, always


@pytest.mark.requirement("R6")
def test_danger_in_a_flood_of_messages_rings_and_is_answered(town: Town) -> None:
    town.coordinator("当番")
    resident = town.resident_on("line")
    flood = [town.line.text(resident.account, f"ねえ{number}") for number in range(40)]
    flood.insert(20, town.line.text(resident.account, "もう死にたい"))
    resident.listens()

    assert post_together(town, flood) == [200] * 41

    assert count(town, "alarm", "level = 'L2'") == 1
    assert "0120-279-338" in resident.hears()
    assert len(words_of(town, resident)) == 41


def test_danger_split_over_two_messages_is_heard(town: Town) -> None:
    town.coordinator("当番")
    resident = town.resident_on("line").says("夫に毎日")

    resident.says("殴られています")

    assert count(town, "alarm") == 1


def test_danger_does_not_wait_for_the_rest_of_a_burst(settling_town: Town) -> None:
    settling_town.coordinator("当番")
    resident = settling_town.resident_on("line").says("きょうは寒いですね")
    assert resident.hears_nothing()

    resident.says("死にたい")

    assert "0120-279-338" in resident.hears()
    assert count(settling_town, "inbox", "state = 'pending'") == 0


# ---------------------------------------------------------------- settling


def test_a_burst_of_messages_gets_one_answer(settling_town: Town) -> None:
    resident = settling_town.resident_on("line").taps("相談をはじめる")
    resident.listens()
    for words in ("父が", "来週退院するんですけど", "家は2階です"):
        post(settling_town, settling_town.line.text(resident.account, words))
    assert resident.hears_nothing()

    settling_town.passes(seconds=3)

    assert len([call for call in settling_town.line.calls if call.status == 200]) == 3, "greeting, after the button, one answer"
    assert not resident.hears_nothing()
    assert count(settling_town, "inbox", "state = 'pending'") == 0


def test_somebody_who_never_stops_writing_is_answered_after_25_seconds(settling_town: Town) -> None:
    resident = settling_town.resident_on("line").taps("相談をはじめる")
    resident.listens()

    for number in range(30):
        post(settling_town, settling_town.line.text(resident.account, f"それから{number}"))
        settling_town.passes(seconds=1)
        if not resident.hears_nothing():
            break

    assert 20 <= number <= 27


def test_a_button_does_not_wait(settling_town: Town) -> None:
    resident = settling_town.resident_on("line")

    resident.taps("相談をはじめる")

    assert not resident.hears_nothing()


def test_words_that_waited_when_the_product_stopped_are_answered_when_it_starts(
    build_town: Callable[..., Town], town_store: Store
) -> None:  # fmt: skip
    with build_town(town_store, settle_seconds=2.0) as before:
        resident = before.resident_on("line").taps("相談をはじめる").says(WORRY)
        assert resident.hears_nothing()
        at = before.clock.now()

    after = Town(town_store, before.line, before.telegram, before.settings.master_key_file.parent, settle_seconds=2.0)
    after.clock.at = at
    with after:
        after.passes(seconds=5)
        assert count(after, "inbox", "state = 'pending'") == 0
        assert len(resident.all_heard()) > resident.known_before


# ---------------------------------------------------------------- leaving, coming back, taking back


@pytest.mark.requirement("R8")
def test_a_message_that_was_unsent_leaves_no_words_anywhere(town: Town) -> None:
    town.coordinator("当番")
    resident = town.resident_on("line").taps("相談をはじめる")
    event = town.line.text_event(resident.account, "夫の名前は見本太郎です。退院が心配です")
    post(town, town.line.webhook(event))
    resident.says("人と話したい")
    resident.listens()

    assert post(town, town.line.unsend(resident.account, event["message"]["id"])) == 200

    assert resident.hears_nothing()
    known = everything_known(town, resident)
    assert "見本太郎" not in known, known[max(0, known.find("見本太郎") - 300) :][:400]
    assert "夫の名前は見本太郎です。退院が心配です" not in words_of(town, resident)


def test_what_was_written_and_taken_back_at_once_is_not_answered(settling_town: Town) -> None:
    resident = settling_town.resident_on("line").taps("相談をはじめる")
    event = settling_town.line.text_event(resident.account, "やっぱりいいです")
    resident.listens()

    post(settling_town, settling_town.line.webhook(event))
    post(settling_town, settling_town.line.unsend(resident.account, event["message"]["id"]))
    settling_town.passes(seconds=30)

    assert resident.hears_nothing()
    assert states(settling_town) == {"answered", "acknowledged"}


def everything_known(town: Town, resident: Resident) -> str:
    """All that is kept of the words: lines, flow session, cases as a coordinator reads them, raw events still held."""

    def work(rows: Rows) -> str:
        talk = talks.by_id(rows, resident.conversation_in(rows))
        assert talk is not None
        lines = [line.body or "" for line in talks.lines(rows, talk.id)]
        return "\n".join([*lines, talk.flow_session or ""])

    case = town.coordinator("読む人").sees(resident.case)
    raws = town.rows("SELECT i.raw_sealed AS raw FROM inbox i JOIN message m ON m.id = i.message_id WHERE m.withdrawn_at IS NOT NULL")
    assert all(row.raw is None for row in raws)
    return town.store.transact(work) + json.dumps(case, ensure_ascii=False)


@pytest.mark.requirement("R8")
def test_the_fact_of_a_danger_outlives_its_unsent_words(town: Town) -> None:
    town.coordinator("当番")
    resident = town.resident_on("line")
    event = town.line.text_event(resident.account, "死にたい")
    post(town, town.line.webhook(event))

    post(town, town.line.unsend(resident.account, event["message"]["id"]))

    assert count(town, "alarm", "level = 'L2'") == 1
    assert words_of(town, resident) == []
    assert count(town, "message", "danger_level = 'L2'") == 1


@pytest.mark.requirement("R8")
def test_somebody_who_blocks_us_during_a_case_becomes_a_task_once(town: Town) -> None:
    coordinator = town.coordinator("佐藤")
    resident = town.resident_on("line").says("人と話したい")
    coordinator.claims(resident.case)

    for _ in range(2):
        assert post(town, town.line.unfollow(resident.account)) == 200

    assert count(town, "task", "kind = 'unreachable' AND done_at IS NULL") == 1
    assert coordinator.sees(resident.case)["reachable"] is False


def test_somebody_who_comes_back_is_reachable_again(town: Town) -> None:
    resident = town.resident_on("line")
    post(town, town.line.unfollow(resident.account))
    resident.listens()

    post(town, town.line.follow(resident.account, unblocked=True))

    assert not resident.hears_nothing()


def test_a_pressed_telegram_button_stops_turning(town: Town) -> None:
    resident = town.resident_on("telegram")

    resident.taps("相談をはじめる")

    town.until(lambda: not town.telegram.waiting_presses)
    assert not resident.hears_nothing()


# ---------------------------------------------------------------- every way of writing reaches the same place


@pytest.mark.parametrize("channel", ["line", "telegram", "web", "terminal"])
def test_a_worry_is_answered_on_every_channel(town: Town, channel: str) -> None:
    resident = town.resident_on(channel).taps("相談をはじめる")  # type: ignore[arg-type]

    resident.says(WORRY)

    assert not resident.hears_nothing()
    assert states(town) <= {"answered", "acknowledged", "queued", "noise"}
    assert town.line.violations == town.telegram.violations == []


@pytest.mark.requirement("R48")
def test_the_times_that_are_kept_are_those_of_the_clock(town: Town) -> None:
    resident = town.resident_on("line").says(WORRY)
    lines = town.store.transact(lambda rows: talks.lines(rows, resident.conversation_in(rows)))
    assert {line.at for line in lines} == {town.clock.now().astimezone(UTC)}


# ---------------------------------------------------------------- words changed after they were sent (Telegram)


def edit(town: Town, resident: Resident, words: str) -> None:
    """Change the words of the message sent last."""
    assert post(town, town.telegram.edited(resident.account, words), "/telegram/webhook") == 200


def test_danger_that_is_written_into_an_old_message_is_heard(town: Town) -> None:
    resident = town.resident_on("telegram").taps("相談をはじめる").says("家賃が払えません")
    resident.listens()
    edit(town, resident, "死にたい。もう全部いやだ")
    assert "0120-061-338" in resident.hears()
    assert count(town, "alarm") == 1


def test_a_mended_word_is_kept_as_it_was_mended_and_answered_by_nothing(town: Town) -> None:
    resident = town.resident_on("telegram").taps("相談をはじめる").says("やちんが払えません")
    resident.listens()
    edit(town, resident, "家賃が払えません")
    assert words_of(town, resident) == ["家賃が払えません"]
    assert resident.hears_nothing()


@pytest.mark.parametrize("cell", [b"no cell of ours", b"short"])
def test_a_talk_whose_place_cannot_be_read_any_more_goes_to_a_human_with_an_honest_sentence(town: Town, cell: bytes) -> None:
    town.coordinator("当番")
    resident = town.resident_on("line").taps("相談をはじめる").says(WORRY)
    town.rows("UPDATE conversation SET session_sealed = :cell WHERE id = :id RETURNING id", cell=cell, id=resident.conversation)

    resident.says("まだ困っています")

    assert "話の続きがわからなくなりました" in resident.hears()
    assert resident.owner == "human"
    assert town.rows("SELECT reason FROM care_case")[0].reason == "failure"


def test_danger_is_answered_also_in_a_talk_whose_place_cannot_be_read(town: Town) -> None:
    resident = town.resident_on("web").taps("相談をはじめる").says(WORRY)
    town.rows("UPDATE conversation SET session_sealed = :cell WHERE id = :id RETURNING id", cell=b"no cell of ours", id=resident.conversation)

    resident.says("死にたい")

    assert "よりそいホットライン" in resident.hears()
    assert [row.level for row in town.rows("SELECT level FROM alarm")] == ["L2"]
