"""Words that were taken back or written anew: what still shows them, sends them or hides what was said first (R8, R13)."""

import json
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session as Rows

from storage import taken_back
from storage import talk as talks
from storage.sealing import unseal
from tests.desk.conftest import Browser, Office
from tests.desk.test_need_to_know import shuts_out, staff_id
from tests.desk.test_stream import listening
from tests.town import Resident, Town
from tests.twins import Webhook


def _post(town: Town, webhook: Webhook, path: str = "/line/webhook") -> None:
    assert town.http.post(path, content=webhook.body, headers=webhook.headers).status_code == 200
    town.rests()


def _says(town: Town, resident: Resident, words: str) -> str:
    """Say it on LINE; the platform's name of the message."""
    event = town.line.text_event(resident.account, words)
    _post(town, town.line.webhook(event))
    return str(event["message"]["id"])


def _calls(town: Town) -> list[str]:
    """The bodies of all calls to the platforms that are kept."""

    def work(rows: Rows) -> list[str]:
        kept = rows.execute(text("SELECT id, conversation_id, body_sealed FROM outbox"))
        return [unseal(rows, talks.scope_of(one.conversation_id), f"outbox.body:{one.id}", one.body_sealed) for one in kept]

    return town.store.transact(work)


def _edits(town: Town, resident: Resident, words: str) -> None:
    _post(town, town.telegram.edited(resident.account, words), "/telegram/webhook")


def _bodies(town: Town, resident: Resident) -> list[dict[str, Any]]:
    lines = town.store.transact(lambda rows: talks.lines(rows, resident.conversation_in(rows)))
    return [json.loads(line.body) for line in lines if line.author == "resident" and line.kind == "text" and line.body]


@pytest.mark.requirement("R8")
def test_an_answer_that_quotes_is_not_sent_once_the_words_were_taken_back(town: Town) -> None:
    resident = town.resident_on("line").taps("相談をはじめる")
    resident.listens()
    town.line.fail(50, 500)
    said = _says(town, resident, "家賃が払えません。見本太郎の家です")
    assert town.rows("SELECT count(*) FROM outbox WHERE state <> 'sent'")[0][0] > 0, "nothing waits: nothing is tried"
    _post(town, town.line.unsend(resident.account, said))
    town.line.no_faults()
    town.passes(minutes=10)
    assert "見本太郎" not in resident.hears()
    assert "家賃が払えません" not in resident.hears()


@pytest.mark.requirement("R8")
def test_no_call_that_was_sent_keeps_words_that_were_taken_back(town: Town) -> None:
    resident = town.resident_on("line").taps("相談をはじめる")
    said = _says(town, resident, "家賃が払えません。見本太郎の家です")
    assert any("見本太郎" in body for body in _calls(town))
    _post(town, town.line.unsend(resident.account, said))
    assert not any("見本太郎" in body for body in _calls(town))


@pytest.mark.requirement("R8")
def test_who_lives_with_whom_is_forgotten_with_the_words_that_told_it(town: Town) -> None:
    town.coordinator("当番")
    resident = town.resident_on("line").taps("相談をはじめる")
    said = _says(town, resident, "82歳の父の退院が心配です")
    resident.says("人と話したい").taps("渡す")
    assert town.rows("SELECT count(*) FROM household_member") == [(1,)]
    _post(town, town.line.unsend(resident.account, said))
    assert town.rows("SELECT count(*) FROM household_member") == [(0,)]


@pytest.mark.requirement("R8")
async def test_an_open_page_of_the_case_loses_words_that_were_taken_back(office: Office, sato: Browser) -> None:
    code, now = office.has_case("家賃のこと"), office.clock.now()

    def says(rows: Rows) -> str:
        talk = talks.find_or_open(rows, "line", "U1", now)
        talk, line = talks.add_line(rows, talk, author="resident", kind="text", body=json.dumps({"text": "ひみつの話"}), now=now, platform_id="7")
        talks.save(rows, talk, now)
        return line.id

    said = office.store.transact(says)
    async with listening(sato, f"/desk/cases/{code}/stream?after=2") as ear:
        await ear.hears("beat")
        talk = office.talk()
        office.store.transact(lambda rows: talks.forget_words(rows, talk, [said], now))
        office.parts.hub.wake(f"conversation:{talk.id}")
        _, fragment, _ = await ear.hears("changed", seconds=1)
        assert 'id="m-2"' in fragment
        assert "取り消されました" in fragment
        assert "ひみつ" not in fragment


def _takes_back(office: Office, code: str) -> None:
    """The resident of this case takes back what they said first, as the platform tells it to another process: nobody here is woken."""
    now = office.clock.now()

    def work(rows: Rows) -> None:
        talk = talks.by_id(rows, rows.execute(text("SELECT conversation_id FROM care_case WHERE code = :code"), {"code": code}).scalar_one())
        assert talk is not None
        taken_back.forget(rows, talk, talks.lines(rows, talk.id)[0], now)

    office.store.transact(work)


@pytest.mark.requirement("R8")
async def test_every_open_page_hears_which_cases_lost_words_also_what_it_missed_and_nobody_shut_out_does(
    office: Office, sato: Browser, tanaka: Browser
) -> None:
    code, other = office.has_case("ひみつの話", who="U1"), office.has_case("べつの話", who="U2")
    await shuts_out(sato, code, staff_id(office, "tanaka"))
    pages = [(await who.opens("/desk")).partition('data-stream="')[2].partition('"')[0] for who in (sato, tanaka)]
    _takes_back(office, code)  # between the making of the page and its stream
    async with listening(sato, pages[0]) as ear, listening(tanaka, pages[1]) as shut_out:
        _, told, _ = await ear.hears("taken-back")
        assert json.loads(told) == [code]
        await shut_out.hears("beat")
        _takes_back(office, other)
        for one in (ear, shut_out):
            _, told, _ = await one.hears("taken-back", seconds=5)
            assert json.loads(told) == [other]


@pytest.mark.requirement("R8")
def test_what_was_said_first_stays_readable_whatever_is_written_over_it(town: Town) -> None:
    resident = town.resident_on("telegram").says("人と話したい").taps("渡す")
    town.coordinator("佐藤").claims(resident.case)
    resident.says("夫がお金をわたしてくれません")
    _edits(town, resident, "なんでもありません")
    for number in range(30):
        _edits(town, resident, f"書きなおし {number}")
    (body,) = [one for one in _bodies(town, resident) if one["text"] == "書きなおし 29"]
    assert [one["text"] for one in body["earlier"]][:1] == ["夫がお金をわたしてくれません"]
    assert len(body["earlier"]) == 21, "nobody fills a case by writing one message anew"


async def test_the_desk_shows_the_words_of_now_and_those_of_first(office: Office, sato: Browser) -> None:
    code, now = office.has_case("家賃のこと"), office.clock.now()
    first = {"text": "はじめの\u202e文<script>", "until": now.isoformat()}

    def says(rows: Rows) -> None:
        talk = talks.find_or_open(rows, "line", "U1", now)
        body = json.dumps({"text": "いまの文", "earlier": [first]})
        talks.save(rows, talks.add_line(rows, talk, author="resident", kind="text", body=body, now=now)[0], now)

    office.store.transact(says)
    page = await sato.opens(f"/desk/cases/{code}")
    assert "いまの文" in sato.text
    assert "はじめの［U+202E］文" in sato.text
    assert "<script>" not in page.partition("いまの文")[2].partition("</li>")[0]


def test_an_edit_that_changes_nothing_is_no_new_version_and_rings_no_second_time(town: Town) -> None:
    town.coordinator("当番")
    resident = town.resident_on("telegram").says("死にたい")
    for _ in range(3):
        _edits(town, resident, "死にたい")
    assert [set(body) for body in _bodies(town, resident)] == [{"text"}]
    assert town.rows("SELECT count(*) FROM alarm") == [(1,)]


def test_a_picture_whose_words_were_changed_stays_a_picture(town: Town) -> None:
    resident = town.resident_on("telegram").says("人と話したい").taps("渡す")
    _post(town, town.telegram.image(resident.account, caption="うちの写真"), "/telegram/webhook")
    _edits(town, resident, "となりの写真")
    (body,) = [one for one in _bodies(town, resident) if one["text"] == "となりの写真"]
    assert body["media"] == "image"
    assert [one["text"] for one in body["earlier"]] == ["うちの写真"]


@pytest.mark.requirement("R41")
def test_a_talk_that_is_forgotten_keeps_no_earlier_version(town: Town) -> None:
    resident = town.resident_on("telegram").taps("相談をはじめる").says("家賃が払えません")
    _edits(town, resident, "家賃が、払えません")
    resident.says("相談したこと消して").taps("消す").taps("消す")
    assert not any("家賃" in str(body) for body in _bodies(town, resident))
