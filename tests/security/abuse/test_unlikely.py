"""What no honest client sends: doubled fields, names that only look alike, events in the name of others (R1, R4, R5, R9)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.desk.conftest import PASSWORD, Browser, Office
from tests.town import Town
from tests.twins import Webhook


def _post(town: Town, path: str, webhook: Webhook) -> int:
    status = town.http.post(path, content=webhook.body, headers=webhook.headers).status_code
    town.rests()
    return status


def _telegram(town: Town, webhook: Webhook, change: Callable[[dict[str, Any]], None]) -> int:
    """The update, changed before it is sent as Telegram sends it."""
    update = json.loads(webhook.body)
    change(update)
    return _post(town, "/telegram/webhook", Webhook(json.dumps(update).encode(), webhook.headers))


def _lines(town: Town) -> int:
    return int(town.rows("SELECT count(*) FROM message WHERE author = 'resident'")[0][0])


@pytest.mark.requirement("R28")
@pytest.mark.parametrize("alike", ["ѕato", "sаto", "sat\u200bo", "sato\0", "s\u0430\u0442\u043e", "sato\u202e"])
async def test_a_name_that_only_looks_like_one_signs_nobody_in(office: Office, sato: Browser, alike: str) -> None:
    thief = Browser(office)
    await thief.opens("/desk/sign-in")
    answer = await thief.posts("/desk/sign-in", login=alike, password=PASSWORD)
    assert answer.status_code == 401
    assert (await thief.http.get("/desk")).status_code == 303


@pytest.mark.requirement("R29")
async def test_of_a_doubled_field_no_second_value_gets_past_the_proof(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.opens(f"/desk/cases/{code}")
    proof = sato.field("csrf")
    for fields in ([("csrf", proof), ("csrf", "x")], [("csrf", "x"), ("csrf", proof)]):
        body = "&".join(f"{name}={value}" for name, value in [*fields, ("text", "a"), ("text", "b")])
        answer = await sato.http.post(f"/desk/cases/{code}/note", content=body, headers={"content-type": "application/x-www-form-urlencoded"})
        assert answer.status_code in (303, 403)
    assert len(office.rows("SELECT id FROM memo")) <= 1


@pytest.mark.requirement("R17")
async def test_no_header_turns_one_request_into_another(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.opens(f"/desk/cases/{code}")
    tricks = {
        "x-http-method-override": "POST", "x-method-override": "DELETE", "x-original-url": "/desk/agencies", "x-rewrite-url": "/metrics",
        "x-forwarded-prefix": "/x", "x-remote-user": "admin", "x-forwarded-user": "admin",
    }  # fmt: skip
    for name, value in tricks.items():
        answer = await sato.http.get(f"/desk/cases/{code}/claim?_method=POST", headers={name: value})
        assert answer.status_code in (404, 405)
        assert (await Browser(office).http.get("/desk", headers={name: value})).status_code == 303
    assert office.rows("SELECT state FROM care_case") == [("waiting",)]


@pytest.mark.requirement("R9")
@pytest.mark.parametrize("what", ["press", "message", "edited"])
def test_what_is_said_to_come_from_another_in_a_private_chat_is_nobodys(town: Town, what: str) -> None:
    resident = town.resident_on("telegram").taps("相談をはじめる").says("家賃が払えません")
    lines = _lines(town)
    other = int(town.telegram.user("ほかの人"))
    webhook = {
        "press": lambda: town.telegram.postback(resident.account, "!human"), "message": lambda: town.telegram.text(resident.account, "人と話したい"),
        "edited": lambda: town.telegram.edited(resident.account, "書きかえた文"),
    }[what]()  # fmt: skip

    def by_another(update: dict[str, Any]) -> None:
        next(part for name, part in update.items() if name != "update_id")["from"]["id"] = other

    assert _telegram(town, webhook, by_another) == 200
    assert _lines(town) == lines
    assert town.rows("SELECT count(*) FROM care_case") == [(0,)]
    assert town.rows("SELECT count(*) FROM person") == [(1,)]


@pytest.mark.requirement("R7", "R9")
@pytest.mark.parametrize("kind", ["group", "room"])
def test_what_a_resident_says_in_a_group_of_line_comes_into_no_talk_of_theirs(town: Town, kind: str) -> None:
    resident = town.resident_on("line").taps("相談をはじめる").says("家賃が払えません")
    resident.listens()
    lines, cases = _lines(town), town.rows("SELECT count(*) FROM care_case")
    for parts in ({"type": "text", "id": "77001", "text": "人と話したい"}, None):
        event = town.line.text_event(resident.account, "x")
        event["source"] = {"type": kind, f"{kind}Id": "C" + "1" * 32, "userId": resident.account}
        if parts is None:
            del event["message"]
            event |= {"type": "postback", "postback": {"data": "!human"}}
        else:
            event["message"] = parts
        assert _post(town, "/line/webhook", town.line.webhook(event)) == 200
    assert (_lines(town), town.rows("SELECT count(*) FROM care_case")) == (lines, cases)
    assert resident.hears() == ""


@pytest.mark.requirement("R9")
def test_words_passed_on_are_those_of_who_sends_them_and_not_of_who_wrote_them_first(town: Town) -> None:
    victim = town.resident_on("telegram").taps("相談をはじめる").says("家賃が払えません")
    other = town.resident_on("telegram").taps("相談をはじめる")
    said = "SELECT count(*) FROM message WHERE author = 'resident' AND conversation_id = :of"
    theirs, others = (town.store.transact(one.conversation_in) for one in (victim, other))
    before = town.rows(said, of=theirs), town.rows(said, of=others)[0][0]
    origin = {"type": "user", "date": 1_790_000_000, "sender_user": {"id": int(victim.account), "is_bot": False, "first_name": "x"}}
    assert _post(town, "/telegram/webhook", town.telegram.message(other.account, text="人と話したい", forward_origin=origin)) == 200
    assert (town.rows(said, of=theirs), town.rows(said, of=others)[0][0]) == (before[0], before[1] + 1)
    assert town.rows("SELECT count(*) FROM care_case WHERE conversation_id = :of", of=theirs) == [(0,)]
