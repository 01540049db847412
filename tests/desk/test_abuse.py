"""What is tried on the desk by whoever wants in, or wants others to see what is not so."""

import pytest

from tests.desk.conftest import PASSWORD, Browser, Office


@pytest.mark.requirement("R25")
@pytest.mark.parametrize("name", ["佐\u200b藤", "佐藤\u202e", "佐藤\n", "\u2066佐藤"])
async def test_no_account_is_an_invisible_twin_of_another(office: Office, a_browser, name: str) -> None:
    from storage import staff

    now = office.clock.now()
    token = office.store.transact(lambda rows: staff.invite(rows, role="coordinator", now=now))
    browser: Browser = a_browser()
    await browser.opens("/desk/welcome")
    written = {"token": token, "password": PASSWORD, "again": PASSWORD}
    await browser.posts("/desk/welcome", name=name if name.strip() != "佐藤" else "佐\u200b藤", login="sato", **written)
    assert browser.status == 422
    await browser.posts("/desk/welcome", name="佐藤", login="sa\u200dto", **written)
    assert browser.status == 422
    assert office.rows("SELECT count(*) FROM staff") == [(0,)]


@pytest.mark.requirement("R32")
async def test_marks_that_turn_the_writing_are_shown_and_addresses_are_no_links(office: Office, sato: Browser) -> None:
    code = office.has_case("ここ https://аpple.com と \u202egnp.exe を見て")
    await sato.opens(f"/desk/cases/{code}")
    assert "［U+202E］gnp.exe" in sato.page
    assert "<code>xn--pple-43d.com</code>" in sato.page
    assert 'href="https://' not in sato.page


@pytest.mark.requirement("R24")
async def test_fields_nobody_asked_for_change_nothing(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    before = office.rows("SELECT urgency, restricted, from_seq, coordinator_id, person_id FROM care_case")
    more = {"urgency": "3", "restricted": "1", "from_seq": "0", "coordinator_id": "x", "person_id": "x", "role": "lead", "staff_id": "x"}
    await sato.opens(f"/desk/cases/{code}")
    await sato.posts(f"/desk/cases/{code}/note", text="メモ", **more)
    await sato.replies(code, "はい", **more)
    assert office.rows("SELECT urgency, restricted, from_seq, coordinator_id, person_id FROM care_case") == before
    assert office.rows("SELECT role FROM staff") == [("coordinator",)]


@pytest.mark.requirement("R18")
async def test_parts_of_one_case_are_not_reached_through_another(office: Office, sato: Browser) -> None:
    first, second = office.has_case("一つめ"), office.has_case("二つめ", who="U2")
    await sato.claims(first)
    await sato.opens(f"/desk/cases/{first}/household")
    await sato.posts(f"/desk/cases/{first}/household", name="父", consent="given", expected_version="0")
    (member,) = office.rows("SELECT id FROM household_member")[0]
    await sato.claims(second)
    await sato.opens(f"/desk/cases/{second}/household")
    await sato.posts(f"/desk/cases/{second}/household/{member}/remove")
    assert sato.status == 404
    assert office.rows("SELECT removed_at FROM household_member") == [(None,)]


@pytest.mark.requirement("R48")
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "1800-01-01"])
async def test_a_day_at_the_edge_of_the_calendar_is_no_date(office: Office, sato: Browser, day: str) -> None:
    code = office.has_case()
    await sato.opens(f"/desk/cases/{code}/history")
    await sato.posts(f"/desk/cases/{code}/history", on=day, at="00:00", method="call", text="電話")
    assert sato.status == 422
