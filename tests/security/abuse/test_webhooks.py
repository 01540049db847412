"""What is sent to the doors of the platforms by whoever is no platform, or by a platform's own users who mean harm (R1–R8)."""

import gzip
import json
import socket
from datetime import timedelta

import pytest

from bot.jobs.retention import look
from tests.town import Town


def _kept(town: Town) -> int:
    return int(town.rows("SELECT count(*) FROM inbox")[0][0])


@pytest.mark.requirement("R4")
def test_a_body_that_comes_drop_by_drop_is_ended_and_others_are_served_meanwhile(build_town, town_store) -> None:
    with build_town(town_store, body_seconds=0.3, max_body=2_000) as town:
        host, _, port = town.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=20) as slow:
            slow.sendall(b"POST /line/webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{")
            assert town.http.get("/healthz").status_code == 200
            assert slow.recv(4096).startswith(b"HTTP/1.1 408")
        assert _kept(town) == 0


@pytest.mark.requirement("R1", "R4")
def test_a_packed_body_is_never_unpacked(town: Town) -> None:
    bomb = gzip.compress(b'{"events":[' + b" " * 50_000_000 + b"]}")
    headers = town.line.signed(bomb).headers | {"content-encoding": "gzip"}
    assert town.http.post("/line/webhook", content=bomb, headers=headers).status_code == 400
    assert _kept(town) == 0


@pytest.mark.requirement("R1")
@pytest.mark.parametrize("guess", ["", "telegram-secre", "TELEGRAM-SECRET", "*", "telegram-secrét"])
def test_a_guess_at_telegrams_secret_is_no_proof(town: Town, guess: str) -> None:
    webhook = town.telegram.text(town.telegram.user("だれか"), "こんにちは")
    headers = [(b"x-telegram-bot-api-secret-token", guess.encode())]
    answer = town.http.post("/telegram/webhook", content=webhook.body, headers=headers)
    assert answer.status_code in (400, 401)
    assert _kept(town) == 0


@pytest.mark.requirement("R1")
def test_the_signature_of_one_body_proves_no_other_and_no_other_channel(town: Town) -> None:
    mine = town.line.text(town.line.user("わたし"), "こんにちは")
    other = town.line.text(town.line.user("ほかの人"), "死にたい")
    assert town.http.post("/line/webhook", content=other.body, headers=mine.headers).status_code == 401
    assert town.http.post("/telegram/webhook", content=mine.body, headers=mine.headers).status_code == 401
    assert _kept(town) == 0


@pytest.mark.requirement("R7")
def test_what_is_said_in_a_group_is_not_answered_and_makes_nobody_a_resident(town: Town) -> None:
    group = "C" + "0" * 32
    for webhook in (town.line.joined(group), town.line.in_group(group, town.line.user("家族"), "死にたい")):
        assert town.http.post("/line/webhook", content=webhook.body, headers=webhook.headers).status_code == 200
    webhook = town.telegram.in_group(-100500, town.telegram.user("家族"), "死にたい")
    assert town.http.post("/telegram/webhook", content=webhook.body, headers=webhook.headers).status_code == 200
    town.rests()
    assert town.rows("SELECT count(*) FROM person") == [(0,)]
    assert town.rows("SELECT count(*) FROM outbox") == [(0,)]


@pytest.mark.requirement("R7", "R41")
def test_the_content_of_a_groups_event_goes_after_a_month_and_its_id_stays_for_repeats(town: Town) -> None:
    webhook = town.line.in_group("C" + "0" * 32, town.line.user("家族"), "ひみつの話")
    town.http.post("/line/webhook", content=webhook.body, headers=webhook.headers)
    for day in (1, 31):
        now = town.clock.now() + timedelta(days=day)
        town.store.transact(lambda rows, now=now: look(rows, now, years=1, sure=True))
        assert town.rows("SELECT raw_sealed IS NULL FROM inbox") == [(int(day == 31),)]
    town.http.post("/line/webhook", content=webhook.body, headers=webhook.headers)
    assert _kept(town) == 1


@pytest.mark.requirement("R7")
def test_a_bots_own_words_that_come_back_are_nobodys(town: Town) -> None:
    echo = town.telegram.text(town.telegram.user("だれか"), "死にたい")
    told = json.loads(echo.body)
    told["message"]["from"]["is_bot"] = True
    assert town.http.post("/telegram/webhook", content=json.dumps(told).encode(), headers=echo.headers).status_code == 200
    town.rests()
    assert town.rows("SELECT count(*) FROM person") == [(0,)]
    assert town.rows("SELECT count(*) FROM outbox") == [(0,)]


@pytest.mark.requirement("R8", "R9")
def test_nobody_takes_back_the_words_of_another(town: Town) -> None:
    victim, other = town.resident_on("line").says("家賃が払えません"), town.resident_on("line")
    sent = json.loads(town.line.text(victim.account, "なぐられています").body)["events"][0]
    town.http.post("/line/webhook", content=(body := town.line.webhook(sent)).body, headers=body.headers)
    town.rests()
    unsend = town.line.unsend(other.account, sent["message"]["id"])
    assert town.http.post("/line/webhook", content=unsend.body, headers=unsend.headers).status_code == 200
    town.rests()
    assert town.rows("SELECT count(*) FROM message WHERE body_sealed IS NULL") == [(0,)]


@pytest.mark.requirement("R8")
def test_words_taken_back_after_a_coordinator_read_them_are_gone_from_every_door(town: Town) -> None:
    resident = town.resident_on("line").says("人と話したい").taps("渡す")
    sato = town.coordinator("佐藤").claims(resident.case)
    webhook = town.line.text(resident.account, "ほんとうは借金があります")
    town.http.post("/line/webhook", content=webhook.body, headers=webhook.headers)
    town.rests()
    assert json.loads(sato.sees(resident.case)["lines"][-1]["body"])["text"] == "ほんとうは借金があります"
    unsend = town.line.unsend(resident.account, json.loads(webhook.body)["events"][0]["message"]["id"])
    town.http.post("/line/webhook", content=unsend.body, headers=unsend.headers)
    town.rests()
    seen = sato.sees(resident.case)
    assert seen["lines"][-1]["body"] is None
    assert all("借金" not in str(json.loads(line["body"])) for line in seen["lines"] if line["body"])


@pytest.mark.requirement("R2", "R47")
def test_a_webhook_played_back_for_an_hour_is_answered_once(town: Town) -> None:
    resident = town.resident_on("telegram")
    webhook = town.telegram.text(resident.account, "人と話したい")
    for _ in range(5):
        town.clock.moves(minutes=12)
        assert town.http.post("/telegram/webhook", content=webhook.body, headers=webhook.headers).status_code == 200
        town.rests()
    assert town.rows("SELECT count(*) FROM message WHERE author = 'resident' AND kind = 'text'") == [(1,)]
