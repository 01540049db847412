"""Deny by default, one answer for forbidden and missing, forms that are ours, headers (R17, R18, R29, R31)."""

import re
from collections.abc import Callable

import pytest
from fastapi import APIRouter

from bot.desk import case
from bot.desk.access import DOORS, check_doors
from tests.desk.conftest import Browser, Office, joins, unmarked

NewBrowser = Callable[..., Browser]
_ANYONE = [place for place, door in DOORS.items() if door == "anyone"]
_CLOSED = [place for place, door in DOORS.items() if door != "anyone"]
_CASES = [place for place, door in DOORS.items() if door == "cases"]


def _address(path: str, code: str) -> str:
    named = (
        "alarm_id", "attachment_id", "consent_id", "emergency_id", "issue_id", "key_id",
        "member_id", "outcome_id", "proposal_id", "referral_id", "shut_out_id", "task_id",
    )  # fmt: skip
    ids = dict.fromkeys(named, "0" * 32)
    return path.format(code=code, form="plan", path="desk.css", entry_id="food-bank", mark="0", name="topics", **ids)


@pytest.mark.parametrize(("method", "path"), _CLOSED)
@pytest.mark.requirement("R17")
async def test_nobody_gets_in_without_signing_in(office: Office, a_browser: NewBrowser, method: str, path: str) -> None:
    answer = await a_browser().http.request(method, _address(path, office.has_case()))
    assert answer.status_code in (303, 401)
    assert "退院" not in answer.text


@pytest.mark.parametrize("role", ["editor", "admin", "agency"])
@pytest.mark.parametrize(("method", "path"), _CASES)
@pytest.mark.requirement("R17")
async def test_roles_that_read_no_cases_get_404_everywhere(office: Office, a_browser: NewBrowser, role: str, method: str, path: str) -> None:
    browser = await joins(a_browser(), "鈴木", "suzuki", role)
    answer = await browser.http.request(method, _address(path, office.has_case()), data={"csrf": browser.field("csrf")} if method == "POST" else None)
    assert answer.status_code == 404
    assert "退院" not in answer.text


@pytest.mark.parametrize("role", ["editor", "admin", "agency"])
@pytest.mark.requirement("R18")
async def test_roles_that_read_no_cases_see_no_counts_and_no_alarm(office: Office, a_browser: NewBrowser, role: str) -> None:
    office.has_case(rings=True)
    browser = await joins(a_browser(), "鈴木", "suzuki", role)
    await browser.opens("/desk")
    assert browser.status == (303 if role == "agency" else 200)
    assert "緊急" not in browser.text
    assert "受付 1" not in browser.text
    assert ("開くのを頼む" in browser.text) == (role != "agency")  # whom an emergency may let in finds the way to ask (R21)


@pytest.mark.requirement("R18")
async def test_a_missing_case_and_a_forbidden_one_look_the_same(office: Office, sato: Browser, a_browser: NewBrowser) -> None:
    code = office.has_case()
    editor = await joins(a_browser(), "鈴木", "suzuki", "editor")
    forbidden = await editor.opens(f"/desk/cases/{code}")
    missing = await sato.opens("/desk/cases/AAA-AAAA")
    assert sato.status == editor.status == 404
    assert unmarked(forbidden) == unmarked(missing)


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}])
@pytest.mark.requirement("R29")
async def test_a_form_from_elsewhere_is_refused(office: Office, sato: Browser, headers: dict[str, str]) -> None:
    code = office.has_case()
    answer = await sato.http.post(f"/desk/cases/{code}/claim", data={"csrf": sato.field("csrf")}, headers=headers)
    assert answer.status_code == 403
    assert office.rows("SELECT state FROM care_case") == [("waiting",)]


@pytest.mark.requirement("R29")
async def test_a_foreign_origin_is_refused_by_browsers_that_send_no_fetch_headers(office: Office, sato: Browser) -> None:
    code = office.has_case()
    del sato.http.headers["sec-fetch-site"]
    answer = await sato.http.post(f"/desk/cases/{code}/claim", data={"csrf": sato.field("csrf")}, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403


@pytest.mark.parametrize("token", ["", "x" * 43, "あ"])
@pytest.mark.requirement("R29")
async def test_a_form_without_its_token_is_refused(office: Office, sato: Browser, token: str) -> None:
    code = office.has_case()
    answer = await sato.http.post(f"/desk/cases/{code}/claim", data={"csrf": token})
    assert answer.status_code == 403
    assert office.rows("SELECT state FROM care_case") == [("waiting",)]


@pytest.mark.requirement("R29")
async def test_the_token_of_another_session_does_not_help(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case()
    answer = await sato.http.post(f"/desk/cases/{code}/claim", data={"csrf": tanaka.field("csrf")})
    assert answer.status_code == 403


@pytest.mark.requirement("R31")
async def test_every_page_forbids_foreign_scripts_framing_and_keeping(office: Office, sato: Browser) -> None:
    for path in ("/desk", f"/desk/cases/{office.has_case()}", "/desk/help", "/desk/tasks", "/desk/cases/AAA-AAAA"):
        headers = (await sato.http.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.requirement("R31")
async def test_pages_carry_no_inline_script_or_style_and_no_outside_address(office: Office, sato: Browser) -> None:
    code = office.has_case(rings=True)
    for path in ("/desk", f"/desk/cases/{code}", "/desk/help", "/desk/tasks", f"/desk/cases/{code}/close"):
        page = await sato.opens(path)
        assert "<style" not in page
        assert " style=" not in page
        assert not re.search(r"<[^>]+ on[a-z]+=", page)
        assert "http://" not in page
        assert "https://" not in page


async def test_static_files_may_be_kept_and_paths_do_not_climb(sato: Browser) -> None:
    kept = await sato.http.get("/desk/static/desk.css?v=1")
    assert "max-age" in kept.headers["cache-control"]
    for path in ("/desk/static/../access.py", "/desk/static/%2e%2e/access.py", "/desk/static/nothing.css"):
        assert (await sato.http.get(path)).status_code == 404


@pytest.mark.requirement("R17")
def test_a_route_without_a_rule_stops_the_start() -> None:
    extra = APIRouter()
    extra.add_api_route("/desk/forgotten", lambda: None, methods=["GET"])
    with pytest.raises(RuntimeError, match="forgotten"):
        check_doors([case.router, extra])
    assert _ANYONE


_OPENS: dict[str, set[str]] = {
    "cases": {"coordinator", "lead"}, "agency": {"agency"}, "lead": {"lead"}, "knowledge": {"editor", "coordinator", "lead"},
    "inside": {"coordinator", "lead", "editor", "admin"},
}  # fmt: skip
"""Who a door opens to, said once more beside the table: the two must agree."""


@pytest.mark.requirement("R17", "R18")
@pytest.mark.parametrize("role", ["coordinator", "lead", "editor", "admin", "agency"])
async def test_every_door_is_shut_to_every_role_it_is_not_for(office: Office, a_browser: NewBrowser, role: str) -> None:
    code = office.has_case()
    browser = await joins(a_browser(), "鈴木", "suzuki", role)
    csrf = browser.field("csrf")
    for (method, path), door in DOORS.items():
        if role not in _OPENS.get(door, {role}):
            data = {"csrf": csrf} if method == "POST" else None
            answer = await browser.http.request(method, _address(path, code), data=data)
            assert answer.status_code == 404, (role, method, path)
            assert "退院" not in answer.text
