"""/api/v1: the token decides, fields are listed, errors are `{error, message}` and never echo (design.md §5, R17, R18, R24, R42)."""

from datetime import timedelta

import httpx
import pytest
from openapi_spec_validator import validate

from storage import audit, staff
from tests.api.conftest import key_for, system
from tests.desk.conftest import Office

_PLACES = [
    ("GET", "/cases"), ("GET", "/cases/{code}"), ("POST", "/cases/{code}/claim"), ("POST", "/cases/{code}/reply"), ("POST", "/cases/{code}/note"),
    ("POST", "/cases/{code}/handback"), ("POST", "/cases/{code}/close"), ("GET", "/cases/{code}/referrals"), ("POST", "/cases/{code}/refer"),
    ("GET", "/statistics"), ("GET", "/openapi.json"),
]  # fmt: skip


@pytest.mark.parametrize("token", [None, "", "wrong", "あ"])
@pytest.mark.parametrize(("method", "path"), _PLACES)
@pytest.mark.requirement("R17")
async def test_without_a_living_token_there_is_one_401(office: Office, token: str | None, method: str, path: str) -> None:
    code = office.has_case()
    async with system(office, None) as stranger:
        headers = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
        answer = await stranger.request(method, path.format(code=code), headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"] == "unauthorized"


@pytest.mark.parametrize("role", ["editor", "admin", "agency"])
@pytest.mark.parametrize(("method", "path"), _PLACES)
@pytest.mark.requirement("R17")
async def test_a_token_has_the_rights_of_its_owner(office: Office, role: str, method: str, path: str) -> None:
    code = office.has_case()
    async with system(office, key_for(office, role=role)) as other:
        answer = await other.request(method, path.format(code=code))
    assert answer.status_code == 403


async def test_a_revoked_token_and_one_of_a_stopped_account_open_nothing(office: Office) -> None:
    now = office.clock.now()
    async with system(office, key_for(office, "sato")) as revoked, system(office, key_for(office, "tanaka")) as stopped:
        assert (await revoked.get("/cases")).status_code == 200
        assert office.store.transact(lambda rows: staff.revoke_token(rows, name="key of sato", now=now))
        assert office.store.transact(lambda rows: staff.disable(rows, login="tanaka", now=now))
        assert (await revoked.get("/cases")).status_code == 401
        assert (await stopped.get("/cases")).status_code == 401


async def test_cases_are_listed_by_state_most_dangerous_first(office: Office, sato: httpx.AsyncClient) -> None:
    quiet = office.has_case("家賃", who="U1", promise=timedelta(minutes=5))
    danger = office.has_case("死にたい", who="U2", urgency=2, restricted=True)
    taken = office.has_case("学校", who="U3")
    await sato.post(f"/cases/{taken}/claim")
    waiting = (await sato.get("/cases", params={"state": "waiting"})).json()["cases"]
    assert [case["code"] for case in waiting] == [danger, quiet]
    assert [case["title"] for case in waiting] == [None, "家賃"]
    assert [case["code"] for case in (await sato.get("/cases", params={"state": "held"})).json()["cases"]] == [taken]
    assert len((await sato.get("/cases")).json()["cases"]) == 3


async def test_a_case_is_read_claimed_answered_noted_and_closed(office: Office, sato: httpx.AsyncClient) -> None:
    code = office.has_case("退院後の家のこと")
    case = (await sato.get(f"/cases/{code}")).json()
    assert case["lines"][0]["body"] == '{"text": "\\u9000\\u9662\\u5f8c\\u306e\\u5bb6\\u306e\\u3053\\u3068"}'
    assert case["sheet"] == [{"about": "worry", "text": "退院後の家のこと", "source": "said", "seqs": [1]}]
    version = (await sato.post(f"/cases/{code}/claim")).json()["version"]
    done = await sato.post(f"/cases/{code}/reply", json={"text": "こんにちは", "expected_version": version})
    await office.parts.delivery.idle()
    assert office.line.words == ["こんにちは"]
    assert (await sato.post(f"/cases/{code}/note", json={"text": "メモ"})).status_code == 200
    closing = {"reason": "settled", "expected_version": done.json()["version"], "no_next_contact": True, "sentence": "ではまた"}
    closed = await sato.post(f"/cases/{code}/close", json=closing)
    await office.parts.delivery.idle()
    assert closed.json()["state"] == "closed"
    assert office.line.words[1] == "ではまた"
    case = (await sato.get(f"/cases/{code}")).json()
    assert case["notes"] == ["メモ"]
    assert (await sato.get("/statistics")).json() == {"waiting": 0, "held": 0, "returned": 0, "closed": 1, "opened": 1}


async def test_handing_back_leaves_the_case_open(office: Office, sato: httpx.AsyncClient) -> None:
    code = office.has_case()
    version = (await sato.post(f"/cases/{code}/claim")).json()["version"]
    given = {"expected_version": version, "sentence": "またあした", "next_contact_at": "2026-11-26T10:00:00+09:00"}
    assert (await sato.post(f"/cases/{code}/handback", json=given)).json()["state"] == "returned"
    assert office.talk().owner == "bot"


async def test_acts_and_readings_stand_in_the_audit_under_the_token(office: Office, sato: httpx.AsyncClient) -> None:
    code = office.has_case()
    await sato.get(f"/cases/{code}")
    await sato.post(f"/cases/{code}/claim")
    acts = office.rows("SELECT act, actor FROM audit WHERE act LIKE 'case.%'")
    assert {act for act, _ in acts} == {"case.read", "case.claimed"}
    assert all(str(actor).startswith("token:") for _, actor in acts)
    assert office.store.transact(audit.verify) is None


@pytest.mark.requirement("R23")
async def test_a_second_writer_with_an_old_version_gets_409(office: Office, sato: httpx.AsyncClient) -> None:
    code = office.has_case()
    version = (await sato.post(f"/cases/{code}/claim")).json()["version"]
    await sato.post(f"/cases/{code}/reply", json={"text": "いち", "expected_version": version})
    answer = await sato.post(f"/cases/{code}/reply", json={"text": "に", "expected_version": version})
    assert (answer.status_code, answer.json()["error"]) == (409, "stale")


async def test_somebody_elses_case_is_not_answered(office: Office, sato: httpx.AsyncClient) -> None:
    code = office.has_case()
    async with system(office, key_for(office, "tanaka", "田中")) as tanaka:
        version = (await tanaka.post(f"/cases/{code}/claim")).json()["version"]
        answer = await sato.post(f"/cases/{code}/reply", json={"text": "いち", "expected_version": version})
        assert (answer.status_code, answer.json()["error"]) == (409, "held_by_other")
        assert (await sato.post(f"/cases/{code}/claim")).json()["error"] == "held_by_other"
        assert (await sato.post(f"/cases/{code}/claim", json={"instead_of_other": True})).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("reply", {"text": "ひみつの言葉", "expected_version": "ひみつの言葉"}, "body.expected_version"),
        ("reply", {"text": "", "expected_version": 1}, "body.text"),
        ("reply", {"expected_version": 1}, "body.text"),
        ("reply", ["ひみつの言葉"], "body"),
        ("close", {"expected_version": 1, "reason": "ひみつの言葉", "no_next_contact": True}, "body.reason"),
        ("close", {"expected_version": 1, "reason": "settled"}, "body"),
        ("close", {"expected_version": 1, "reason": "settled", "no_next_contact": True, "next_contact_at": "2026-11-26T10:00:00+09:00"}, "body"),
        ("handback", {"expected_version": 1, "next_contact_at": "2026-11-26T10:00:00"}, "body.next_contact_at"),
    ],
)
@pytest.mark.requirement("R42")
async def test_bad_bodies_are_named_by_place_and_never_echoed(office: Office, sato: httpx.AsyncClient, path: str, body: object, place: str) -> None:
    answer = await sato.post(f"/cases/{office.has_case()}/{path}", json=body)
    assert answer.status_code == 422
    assert answer.json() == {"error": "invalid", "message": f"Not as described: {place}"}


@pytest.mark.requirement("R24")
async def test_fields_that_were_not_asked_for_change_nothing(office: Office, sato: httpx.AsyncClient) -> None:
    code = office.has_case()
    version = (await sato.post(f"/cases/{code}/claim")).json()["version"]
    extra = {"text": "こんにちは", "expected_version": version, "urgency": 3, "coordinator_id": "x", "restricted": True}
    assert (await sato.post(f"/cases/{code}/reply", json=extra)).status_code == 200
    assert office.rows("SELECT urgency, restricted FROM care_case") == [(0, 0)]


async def test_missing_cases_and_unknown_states_are_refused(sato: httpx.AsyncClient) -> None:
    assert (await sato.get("/cases/AAA-AAAA")).json()["error"] == "not_found"
    assert (await sato.get("/cases", params={"state": "gone"})).status_code == 422
    assert (await sato.get("/cases", params={"limit": "0"})).status_code == 422
    assert (await sato.get("/cases", params={"staet": "held"})).status_code == 422  # a misspelt filter must not answer with every case


async def test_the_description_is_valid_openapi_and_names_every_route(sato: httpx.AsyncClient) -> None:
    description = (await sato.get("/openapi.json")).json()
    validate(description)
    assert {path.removeprefix("/api/v1") for path in description["paths"]} == {path for _, path in _PLACES if path != "/openapi.json"}


@pytest.mark.requirement("R20")
async def test_another_system_refers_only_on_a_lawful_ground(office: Office, sato: httpx.AsyncClient) -> None:
    code = office.has_case()
    wish = {"recipient": "地域包括支援センター", "purpose": "訪問", "items": ["退院のこと"], "until": "2026-12-31"}
    for basis in ("consent", "support_meeting", "danger"):
        answer = await sato.post(f"/cases/{code}/refer", json=wish | {"basis": basis})
        assert (answer.status_code, answer.json()["error"]) == (409, "no_ground")
    answer = await sato.post(f"/cases/{code}/refer", json=wish | {"basis": "danger", "danger": "倒れている", "state": "completed"})
    assert answer.status_code == 200
    (made,) = answer.json()["referrals"]
    assert (made["state"], made["items"], made["needs_check"]) == ("asked", ["退院のこと"], False)
    assert (await sato.get(f"/cases/{code}/referrals")).json() == answer.json()


async def test_since_gives_what_happened_from_then_on_closed_cases_too(office: Office, sato: httpx.AsyncClient) -> None:
    quiet, ended, talked = (office.has_case(name, who=name) for name in ("U1", "U2", "U3"))
    office.clock.moves(hours=1)
    since = office.clock.now().isoformat()
    version = (await sato.post(f"/cases/{ended}/claim")).json()["version"]
    close = {"expected_version": version, "reason": "settled", "no_next_contact": True}
    assert (await sato.post(f"/cases/{ended}/close", json=close)).status_code == 200
    office.resident_says("もう一つあります", who="U3")

    found = {case["code"] for case in (await sato.get("/cases", params={"since": since})).json()["cases"]}
    assert found == {ended, talked}
    assert quiet in {case["code"] for case in (await sato.get("/cases")).json()["cases"]}
    assert (await sato.get("/cases", params={"since": "きのう"})).status_code == 422


async def test_a_long_list_comes_in_parts_that_together_hold_every_case_once(office: Office, sato: httpx.AsyncClient) -> None:
    codes = {office.has_case(f"相談{number}", who=f"U{number}") for number in range(5)}
    taken = min(codes)
    await sato.post(f"/cases/{taken}/claim")
    parts = [(await sato.get("/cases", params={"limit": 2, "skip": skip})).json() for skip in (0, 2, 4)]
    assert [part["more"] for part in parts] == [True, True, False]
    assert sorted(case["code"] for part in parts for case in part["cases"]) == sorted(codes)

    held = (await sato.get("/cases", params={"state": "held", "limit": 1})).json()
    assert ([case["code"] for case in held["cases"]], held["more"]) == ([taken], False)
