"""Every door of the desk and of the API with the things of another case: for every role, for whoever is shut out, for nobody (R17–R21, R24)."""

import re
from collections.abc import Callable

import pytest
from fastapi.routing import APIRoute
from sqlmodel import Session

from bot.api import router as api
from bot.desk.access import DOORS
from storage import attachments, records
from storage import talk as talks
from tests.api.conftest import key_for, system
from tests.desk.conftest import Browser, Office, joins, unmarked
from tests.desk.test_sheets import heard_yes, refers, tab
from tests.desk.test_stream import listening

NewBrowser = Callable[..., Browser]
_SECRET = "ひみつの用件"
_BELONGS = {
    "member_id": "household_member", "consent_id": "consent", "referral_id": "referral", "shut_out_id": "shut_out", "attachment_id": "attachment",
    "task_id": "task", "alarm_id": "alarm",
}  # fmt: skip
"""Part of an address → the table it names a row of."""
_OF_NO_CASE = {"emergency_id", "key_id", "issue_id", "outcome_id", "proposal_id", "entry_id", "path", "mark", "name"}


@pytest.fixture
async def theirs(office: Office, sato: Browser, tanaka: Browser) -> dict[str, str]:
    """A case with one of everything that can belong to it; 田中 is shut out of it. The parts of addresses that lead there."""
    code = office.has_case(_SECRET, who="U9", rings=True, urgency=2)
    (shut_out,) = office.rows("SELECT id FROM staff WHERE login = 'tanaka'")[0]
    await sato.opens(tab(code, "household"))
    await sato.posts(tab(code, "household"), name="父", consent="given", expected_version="0")
    await heard_yes(sato, code)
    await refers(sato, code, basis="danger", danger="倒れている")

    def work(rows: Session) -> None:
        talk = talks.find_or_open(rows, "line", "U9", office.clock.now())
        attachments.want(rows, talk, talks.lines(rows, talk.id)[0], channel="line", source="1", now=office.clock.now())
        records.add_task(rows, kind="unreachable", now=office.clock.now(), talk=talk, case_id=None)

    office.store.transact(work)
    (attachment,) = office.rows("SELECT id FROM attachment")[0]
    office.store.transact(lambda rows: attachments.keep(rows, str(attachment), "pdf", b"%PDF-1.4"))
    await sato.opens(tab(code, "pass-on"))
    await sato.posts(f"/desk/cases/{code}/shut-out", staff=str(shut_out), why="となりの家")
    return {name: str(office.rows(f"SELECT id FROM {table}")[0][0]) for name, table in _BELONGS.items()} | {"code": code, "form": "plan"}


def _standing(office: Office) -> list[object]:
    """Everything that an act on a case could change."""
    tables = ("care_case", "household_member", "consent", "consent_request", "referral", "shut_out", "task", "alarm", "memo", "outbox", "message")
    return [office.rows(f"SELECT * FROM {table}") for table in tables]


async def _asks(browser: Browser, method: str, address: str, csrf: str) -> tuple[int, str]:
    written = {"csrf": csrf, "expected_version": "1", "text": "x", "words": "x", "name": "母", "state": "accepted", "says": "met", "answer": "yes"}
    answer = await browser.http.request(method, address, data=written if method == "POST" else None)
    return answer.status_code, answer.text


def test_every_part_of_an_address_is_known_to_the_sweeps_below() -> None:
    parts = {part for _, path in DOORS for part in re.findall(r"{(\w+)", path)}
    assert parts == {*_BELONGS, *_OF_NO_CASE, "code", "form"}


@pytest.mark.requirement("R18", "R20", "R24")
async def test_what_belongs_to_one_case_is_reached_through_no_other(office: Office, sato: Browser, theirs: dict[str, str]) -> None:
    mine = office.has_case("わたしの担当", who="U1")
    await sato.claims(mine)
    csrf, before = sato.field("csrf"), _standing(office)
    doors = [(method, path) for method, path in DOORS if "{code}" in path and any(f"{{{name}}}" in path for name in _BELONGS)]
    assert len(doors) >= 5
    for method, path in doors:
        status, page = await _asks(sato, method, path.format(**theirs | {"code": mine}), csrf)
        assert status == 404, (method, path)
        assert _SECRET not in page
    assert _standing(office) == before


@pytest.mark.requirement("R18", "R21")
async def test_to_whoever_is_shut_out_every_door_of_the_case_is_as_if_there_were_none(
    office: Office, tanaka: Browser, theirs: dict[str, str]
) -> None:
    await tanaka.opens("/desk")
    csrf, before = tanaka.field("csrf"), _standing(office)
    nowhere = dict.fromkeys(theirs, "0" * 32) | {"code": "AAA-AAAA", "form": "plan"}
    doors = [(method, path) for method, path in DOORS if any(f"{{{name}}}" in path for name in ("code", "task_id", "alarm_id"))]
    assert len(doors) >= 40
    for method, path in doors:
        there, page = await _asks(tanaka, method, path.format(**theirs), csrf)
        missing, other = await _asks(tanaka, method, path.format(**nowhere), csrf)
        assert there == missing == 404, (method, path, there, missing)
        assert unmarked(page) == unmarked(other), (method, path)
    assert _standing(office) == before
    for path in ("/desk", "/desk?view=closed", "/desk/tasks", f"/desk/search?q={theirs['code']}", f"/desk/search?q={_SECRET}", "/desk/next"):
        page = (await tanaka.http.get(path)).text
        assert f"/desk/cases/{theirs['code']}" not in page
        assert page.count(_SECRET) <= path.count(_SECRET) * 2, "what was looked for stands in the field and in the answer, and nowhere else"


@pytest.mark.requirement("R17", "R18")
@pytest.mark.parametrize("role", ["editor", "admin", "agency", "nobody"])
async def test_no_other_role_reaches_anything_of_a_case_by_its_right_address(
    office: Office, a_browser: NewBrowser, theirs: dict[str, str], role: str
) -> None:
    browser = a_browser() if role == "nobody" else await joins(a_browser(), "鈴木", "suzuki", role)
    everything = theirs | dict.fromkeys(_OF_NO_CASE, "0" * 32)
    csrf, before = "" if role == "nobody" else browser.field("csrf"), _standing(office)
    for (method, path), door in DOORS.items():
        if door == "cases":
            status, page = await _asks(browser, method, path.format(**everything), csrf)
            assert status in ((303, 401) if role == "nobody" else (404,)), (method, path)
            assert _SECRET not in page
            assert "父" not in page
    assert _standing(office) == before


@pytest.mark.requirement("R17", "R18", "R21")
@pytest.mark.parametrize(("who", "wanted"), [("tanaka", 404), ("editor", 403), ("agency", 403), ("revoked", 401), ("nobody", 401)])
async def test_no_token_reaches_what_its_owner_may_not(office: Office, theirs: dict[str, str], who: str, wanted: int) -> None:
    from storage import staff

    token = None
    if who == "tanaka":
        token = office.store.transact(lambda rows: staff.add_token(rows, login="tanaka", name="x", now=office.clock.now()))
    elif who == "revoked":
        token = key_for(office, "suzuki", "鈴木")
        office.store.transact(lambda rows: staff.revoke_token(rows, name="key of suzuki", now=office.clock.now()))
    elif who != "nobody":
        token = key_for(office, "suzuki", "鈴木", who)
    bodies = {
        "reply": {"text": "x", "expected_version": 1}, "note": {"text": "x"}, "handback": {"expected_version": 1},
        "close": {"expected_version": 1, "reason": "settled", "no_next_contact": True},
        "refer": {"recipient": "x", "purpose": "x", "items": ["x"], "basis": "danger", "danger": "x", "until": "2026-12-31"},
    }  # fmt: skip
    before, routes = _standing(office), [route for route in api.routes if isinstance(route, APIRoute) and "{code}" in route.path]
    assert len(routes) >= 8
    async with system(office, token) as stranger:
        for route in routes:
            (method,) = route.methods
            path = route.path.removeprefix("/api/v1")
            body = bodies.get(path.rpartition("/")[2])
            answers = [await stranger.request(method, path.format(code=code), json=body) for code in (theirs["code"], "AAA-AAAA")]
            assert [one.status_code for one in answers] == [wanted, wanted], path
            assert answers[0].text == answers[1].text
        listed = await stranger.get("/cases")
        assert theirs["code"] not in listed.text
    assert _standing(office) == before


@pytest.mark.requirement("R20")
async def test_an_open_stream_hears_nothing_more_once_its_reader_is_shut_out(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case("退院後のこと")
    await tanaka.opens(f"/desk/cases/{code}")
    async with listening(tanaka, f"/desk/cases/{code}/stream?after=0") as ear:
        await ear.hears("lines", "退院後のこと")
        (shut_out,) = office.rows("SELECT id FROM staff WHERE login = 'tanaka'")[0]
        await sato.opens(tab(code, "pass-on"))
        await sato.posts(f"/desk/cases/{code}/shut-out", staff=str(shut_out), why="となりの家")
        office.resident_says("ひみつの続き")
        await ear.hears("signed-out")
        assert all("ひみつの続き" not in data for _, data, _ in ear.events)


@pytest.mark.requirement("R18")
@pytest.mark.parametrize("last", ["0", "-1", "99999999999999999999", "x", "1; DROP TABLE message", "٣", ""])
async def test_a_made_up_last_event_id_brings_nothing_but_lines_of_this_case(office: Office, sato: Browser, last: str) -> None:
    office.has_case("ほかの人の話", who="U2")
    code = office.has_case("この人の話")
    async with listening(sato, f"/desk/cases/{code}/stream", last_event_id=last) as ear:
        await ear.hears("beat")
        assert all("ほかの人の話" not in data for _, data, _ in ear.events)
