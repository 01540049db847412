"""Addresses in a resident's message: text until somebody chooses to open them, and then the real host first (R32)."""

import pytest

from tests.desk.conftest import Browser, Office

pytestmark = pytest.mark.requirement("R32")


async def test_before_an_address_is_opened_the_page_says_where_it_leads(office: Office, sato: Browser) -> None:
    code = office.has_case("ここを見て https://bänk.example/a?b=1&c=2 と http://second.example")
    page = await sato.opens(f"/desk/cases/{code}")
    assert 'href="http' not in page, "in the talk it is text"
    assert f"/desk/cases/{code}/link?line=1&amp;number=1" in page
    page = await sato.opens(f"/desk/cases/{code}/link?line=1&number=0")
    assert "xn--bnk-qla.example" in page
    assert 'href="https://bänk.example/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer nofollow"' in page
    assert "ちがう文字が入った名前" in page


@pytest.mark.parametrize("number", ["1", "-1", "x", "９", "99999999999"])
async def test_no_page_leads_to_what_nobody_wrote_here(office: Office, sato: Browser, number: str) -> None:
    code = office.has_case("javascript:alert(1) data:text/html,x //evil.example https://ok.example")
    assert "javascript" not in (await sato.opens(f"/desk/cases/{code}/link?line=1&number=0")).partition("<h1>")[2]
    await sato.opens(f"/desk/cases/{code}/link?line=1&number={number}")
    assert sato.status == 404


async def test_who_may_not_know_the_case_sees_no_address_of_it(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case("https://ok.example")
    await sato.opens("/desk")
    her_id = next(str(row[0]) for row in office.rows("SELECT id FROM staff WHERE login = 'tanaka'"))
    await sato.claims(code)
    await sato.opens(f"/desk/cases/{code}/pass-on")
    await sato.posts(f"/desk/cases/{code}/shut-out", staff=her_id, why="親せき")
    await tanaka.opens(f"/desk/cases/{code}/link?line=1&number=0")
    assert tanaka.status == 404
