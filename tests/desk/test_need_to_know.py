"""Who is shut out of a case finds no trace of it; an emergency lets in by two people, for an hour, and is told (R21)."""

from collections.abc import Callable

import pytest

from tests.desk.conftest import Browser, Office, joins, unmarked

NewBrowser = Callable[..., Browser]


def staff_id(office: Office, login: str) -> str:
    return str(office.rows(f"SELECT id FROM staff WHERE login = '{login}'")[0][0])


async def shuts_out(browser: Browser, code: str, staff_id: str) -> None:
    await browser.opens(f"/desk/cases/{code}/pass-on")
    await browser.posts(f"/desk/cases/{code}/shut-out", staff=staff_id, why="となりの家")
    assert browser.status in (200, 303)


@pytest.mark.requirement("R21")
async def test_whoever_is_shut_out_finds_no_trace_of_the_case(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case("退院後の家のことで困っています", urgency=2, rings=True)
    office.has_case("家賃のこと", who="U2")
    await shuts_out(sato, code, staff_id(office, "tanaka"))
    assert "となりの家" in sato.text
    for path in ("/desk", "/desk?view=closed", "/desk/tasks", f"/desk/search?q={code}", "/desk/search?q=退院"):
        page = await tanaka.opens(path)
        assert f"/desk/cases/{code}" not in page
        assert "退院後" not in tanaka.text
    await tanaka.opens("/desk")
    assert "緊急 0" in tanaka.text
    assert "家賃のこと" in tanaka.text
    for sheet in ("", "/sheet", "/history", "/pass-on", "/stream", "/forms/plan"):
        shut = await tanaka.opens(f"/desk/cases/{code}{sheet}")
        missing = await tanaka.opens(f"/desk/cases/AAA-AAAA{sheet}")
        assert tanaka.status == 404
        assert unmarked(shut.replace(code, "")) == unmarked(missing.replace("AAA-AAAA", ""))
    await tanaka.opens("/desk")
    assert (await tanaka.posts(f"/desk/cases/{code}/claim")).status_code == 404
    await tanaka.opens("/desk")
    assert (await tanaka.posts("/desk/next")).status_code == 303
    assert code not in tanaka.path


@pytest.mark.requirement("R21")
async def test_an_alarm_without_a_case_is_hidden_from_whoever_is_shut_out_of_the_resident(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case()
    await shuts_out(sato, code, staff_id(office, "tanaka"))
    office.rings()
    alarm = office.rows("SELECT id FROM alarm")[0][0]
    await tanaka.opens("/desk")
    assert "緊急 0" in tanaka.text
    assert (await tanaka.posts(f"/desk/alarms/{alarm}/claim")).status_code == 404
    await sato.opens("/desk")
    assert "緊急 1" in sato.text


@pytest.mark.requirement("R21")
async def test_what_somebody_held_waits_for_the_others_once_they_are_shut_out(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case()
    await tanaka.claims(code)
    await shuts_out(tanaka, code, staff_id(office, "tanaka"))
    assert tanaka.path == "/desk"
    assert code not in tanaka.text
    assert office.rows("SELECT state, coordinator_id FROM care_case") == [("waiting", None)]
    await sato.claims(code)
    await sato.opens(f"/desk/cases/{code}/pass-on")
    version = str(office.rows("SELECT version FROM care_case")[0][0])
    answer = await sato.posts(f"/desk/cases/{code}/pass-on", to=staff_id(office, "tanaka"), words="", expected_version=version)
    assert answer.status_code == 404
    await sato.opens(f"/desk/cases/{code}/pass-on")
    assert (await sato.posts(f"/desk/cases/{code}/shut-out/{office.rows('SELECT id FROM shut_out')[0][0]}/lift")).status_code == 404


@pytest.mark.requirement("R21")
async def test_a_lead_takes_a_shutting_out_back(office: Office, sato: Browser, tanaka: Browser, a_browser: NewBrowser) -> None:
    code = office.has_case()
    await shuts_out(sato, code, staff_id(office, "tanaka"))
    lead = await joins(a_browser(), "高橋", "takahashi", "lead")
    await lead.opens(f"/desk/cases/{code}/pass-on")
    await lead.posts(f"/desk/cases/{code}/shut-out/{office.rows('SELECT id FROM shut_out')[0][0]}/lift")
    await tanaka.opens(f"/desk/cases/{code}")
    assert tanaka.status == 200


@pytest.mark.requirement("R21")
@pytest.mark.parametrize("role", ["admin", "editor", "coordinator"])
async def test_an_emergency_opens_one_case_for_an_hour_by_a_second_person(office: Office, sato: Browser, a_browser: NewBrowser, role: str) -> None:
    code, other = office.has_case(), office.has_case("家賃のこと", who="U2")
    suzuki = await joins(a_browser(), "鈴木", "suzuki", role)
    if role == "coordinator":
        for one in (code, other):
            await shuts_out(sato, one, staff_id(office, "suzuki"))
    await suzuki.opens("/desk/emergency")
    await suzuki.posts("/desk/emergency", code=code, why="倒れていると電話があった")
    said = suzuki.text
    await suzuki.posts("/desk/emergency", code="AAA-AAAA", why="倒れていると電話があった")
    assert suzuki.text == said
    request = office.rows("SELECT id FROM emergency")[0][0]
    assert (await suzuki.posts(f"/desk/emergency/{request}", answer="yes")).status_code == 404
    await suzuki.opens(f"/desk/cases/{code}")
    assert suzuki.status == 404
    await sato.opens("/desk/emergency")
    assert "倒れていると電話があった" in sato.text
    assert (await sato.posts(f"/desk/emergency/{request}", answer="yes")).status_code == 303
    await suzuki.opens(f"/desk/cases/{code}")
    assert suzuki.status == 200
    assert "退院後" in suzuki.text
    await suzuki.opens("/desk/emergency")
    assert f"いま開けます： {code} 11:00 まで" in suzuki.text
    await suzuki.opens(f"/desk/cases/{other}")
    assert suzuki.status == 404
    await sato.opens("/desk/tasks")
    assert "緊急に開きました" in sato.text
    office.clock.moves(minutes=29)
    await suzuki.opens("/desk/me")
    office.clock.moves(minutes=29)
    await suzuki.opens(f"/desk/cases/{code}")
    assert suzuki.status == 200
    office.clock.moves(minutes=3)
    await suzuki.opens(f"/desk/cases/{code}")
    assert suzuki.status == 404
    acts = [act for (act,) in office.rows("SELECT act FROM audit WHERE act LIKE 'emergency.%' ORDER BY seq")]
    assert acts == ["emergency.asked", "emergency.asked", "emergency.let_in"]


@pytest.mark.requirement("R21")
async def test_a_request_is_answered_once_and_a_refusal_opens_nothing(
    office: Office, sato: Browser, tanaka: Browser, a_browser: NewBrowser
) -> None:
    code = office.has_case()
    suzuki = await joins(a_browser(), "鈴木", "suzuki", "admin")
    await suzuki.opens("/desk/emergency")
    await suzuki.posts("/desk/emergency", code=code, why="わけ")
    request = office.rows("SELECT id FROM emergency")[0][0]
    await sato.opens("/desk/tasks")
    assert "緊急に開きたいと頼んでいます" in sato.text
    await sato.opens("/desk/emergency")
    await tanaka.opens("/desk/emergency")
    assert (await sato.posts(f"/desk/emergency/{request}", answer="no")).status_code == 303
    await sato.opens("/desk/tasks")
    assert "いま、やることはありません" in sato.text, "what was answered is nothing to see to any more"
    assert (await tanaka.posts(f"/desk/emergency/{request}", answer="yes")).status_code == 404
    await suzuki.opens(f"/desk/cases/{code}")
    assert suzuki.status == 404


@pytest.mark.requirement("R21")
async def test_an_agency_cannot_ask(office: Office, a_browser: NewBrowser) -> None:
    agency = await joins(a_browser(), "連携先", "renkei", "agency")
    await agency.opens("/desk/emergency")
    assert agency.status == 404


async def test_whoever_was_let_in_lets_nobody_else_in(office: Office, sato: Browser, a_browser: NewBrowser) -> None:
    code = office.has_case()
    suzuki, ito = await joins(a_browser(), "鈴木", "suzuki", "admin"), await joins(a_browser(), "伊藤", "ito", "admin")
    for asker in (suzuki, ito):
        await asker.opens("/desk/emergency")
        await asker.posts("/desk/emergency", code=code, why="わけ")
    first, second = (office.rows(f"SELECT id FROM emergency WHERE staff_id = '{staff_id(office, login)}'")[0][0] for login in ("suzuki", "ito"))
    await sato.opens("/desk/emergency")
    await sato.posts(f"/desk/emergency/{first}", answer="yes")
    await suzuki.opens("/desk/emergency")
    assert "伊藤" not in suzuki.text
    assert (await suzuki.posts(f"/desk/emergency/{second}", answer="yes")).status_code == 404
