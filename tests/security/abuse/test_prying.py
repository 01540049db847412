"""Colleagues and agencies who look, ask or answer where it is not for them, or as if they were two (R18, R20, R21, R43)."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from storage import incident
from storage import talk as talks
from tests.desk.conftest import PASSWORD, Browser, Office, joins
from tests.desk.test_agencies import lead, of_agency
from tests.desk.test_sheets import AGENCY, consent_of, heard_yes, refers, tab
from tests.desk.test_stream import listening

__all__ = ["lead"]

NewBrowser = Callable[..., Browser]


def _id(office: Office, login: str) -> str:
    return str(office.rows(f"SELECT id FROM staff WHERE login = '{login}'")[0][0])


async def _again(office: Office, login: str) -> Browser:
    """The same person in one more browser."""
    browser = Browser(office)
    await browser.opens("/desk/sign-in")
    await browser.posts("/desk/sign-in", login=login, password=PASSWORD)
    return browser


@pytest.mark.requirement("R43", "R44")
async def test_whoever_only_listens_to_a_case_is_on_the_list_of_an_incident(office: Office, tanaka: Browser) -> None:
    code, now = office.has_case("ひみつの話"), office.clock.now()
    async with listening(tanaka, f"/desk/cases/{code}/stream?after=0") as ear:
        await ear.hears("lines", "ひみつの話")
    found = office.store.transact(
        lambda rows: incident.concerned(rows, since=now - timedelta(hours=1), until=now + timedelta(hours=1), login="tanaka")
    )
    assert [(one.code, one.acts) for one in found] == [(code, ("case.watched",))]
    await tanaka.opens(tab(code, "history"))


@pytest.mark.requirement("R18")
@pytest.mark.parametrize("shut", [{"restricted": True}, {"urgency": 2, "rings": True}])
async def test_a_search_does_not_tell_what_stands_in_a_line_that_is_shut(office: Office, sato: Browser, shut: dict[str, object]) -> None:
    code = office.has_case("夫になぐられて逃げています", title="夫になぐられて逃げています", **shut)  # type: ignore[arg-type]
    hit, miss = await sato.opens("/desk/search?q=なぐられ"), await sato.opens("/desk/search?q=ねこがほしい")
    assert hit.replace("なぐられ", "").count("<tr") == miss.replace("ねこがほしい", "").count("<tr")
    assert f"/desk/cases/{code}" not in hit
    for wish in ("topic=okane", "topic=okane&order=newest"):
        assert f"/desk/cases/{code}" not in await sato.opens(f"/desk?{wish}")


@pytest.mark.requirement("R21")
async def test_nobody_is_two_people_by_signing_in_twice(office: Office, sato: Browser, tanaka: Browser) -> None:
    """An emergency, the second name under a danger, the release of a hidden address: one person in two browsers, and whoever is shut out."""
    code = office.has_case("ひみつの話", who="U9", hidden=True, rings=True, level="L3", urgency=3)
    await sato.opens(tab(code, "pass-on"))
    await sato.posts(f"/desk/cases/{code}/shut-out", staff=_id(office, "tanaka"), why="となりの家")
    await tanaka.opens("/desk/emergency")
    await tanaka.posts("/desk/emergency", code=code, why="担当が倒れました")
    ((emergency,),) = office.rows("SELECT id FROM emergency")
    other = await _again(office, "tanaka")
    for browser in (tanaka, other):
        await browser.opens("/desk/emergency")
        assert (await browser.posts(f"/desk/emergency/{emergency}", answer="yes")).status_code == 404
    assert office.rows("SELECT until FROM emergency") == [(None,)]

    await sato.claims(code)
    twin = await _again(office, "sato")
    for browser in (sato, twin):
        await browser.opens(f"/desk/cases/{code}")
        assert (await browser.posts(f"/desk/cases/{code}/second-name")).status_code == 409
    assert office.rows("SELECT confirmed_by FROM alarm") == [(None,)]

    await sato.opens(f"/desk/cases/{code}")
    await sato.posts(f"/desk/cases/{code}/unlock", why="病院に伝えるため")
    ((release,),) = office.rows("SELECT id FROM hidden_release")
    for browser in (sato, twin):
        await browser.opens(f"/desk/cases/{code}")
        await browser.posts(f"/desk/cases/{code}/unlock", confirm=str(release), release=str(release))
    assert office.rows("SELECT until FROM hidden_release WHERE confirmed_by IS NOT NULL") == []


@pytest.mark.requirement("R21")
async def test_an_hour_of_emergency_ends_everywhere_by_itself_and_lets_nobody_else_in(
    office: Office, sato: Browser, tanaka: Browser, a_browser: NewBrowser
) -> None:
    code = office.has_case("ひみつの話", who="U9")
    editor = await joins(a_browser(), "鈴木", "suzuki", "editor")
    await editor.opens("/desk/emergency")
    await editor.posts("/desk/emergency", code=code, why="担当が倒れました")
    ((emergency,),) = office.rows("SELECT id FROM emergency")
    await sato.opens("/desk/emergency")
    await sato.posts(f"/desk/emergency/{emergency}", answer="yes")
    assert "ひみつの話" in await editor.opens(f"/desk/cases/{code}")
    await sato.opens(tab(code, "pass-on"))
    await sato.posts(f"/desk/cases/{code}/shut-out", staff=_id(office, "tanaka"), why="となりの家")
    await tanaka.opens("/desk/emergency")
    await tanaka.posts("/desk/emergency", code=code, why="わたしも")
    second = next(str(one) for (one,) in office.rows("SELECT id FROM emergency") if one != emergency)
    await editor.opens("/desk/emergency")
    assert (await editor.posts(f"/desk/emergency/{second}", answer="yes")).status_code == 404
    for _ in range(3):
        office.clock.moves(minutes=25)
        await editor.opens("/desk/me")
    for path in (f"/desk/cases/{code}", f"/desk/cases/{code}/stream", f"/desk/cases/{code}/forms/plan", "/desk/tasks", f"/desk/search?q={code}"):
        answer = await editor.http.get(path)
        assert answer.status_code == 404, path
        assert "ひみつ" not in answer.text


@pytest.mark.requirement("R20", "R24")
async def test_an_agency_changes_nothing_that_is_not_its_own_or_no_longer(office: Office, lead: Browser, a_browser: NewBrowser) -> None:
    agency, other = await of_agency(lead, a_browser(), AGENCY, "houkatsu"), await of_agency(lead, a_browser(), "税務課（見本）", "zeimu")
    code = office.has_case("退院後の家のこと")
    await heard_yes(lead, code)
    await lead.opens(tab(code, "referrals"))
    await refers(lead, code, basis="consent", consent=consent_of(lead))
    ((referral,),) = office.rows("SELECT id FROM referral")
    door = f"/desk/shared/{referral}"

    async def tries(browser: Browser, version: str, **fields: str) -> int:
        await browser.opens("/desk/shared")
        return (await browser.posts(door, **({"state": "accepted", "words": "行きます", "expected_version": version} | fields))).status_code

    assert await tries(other, "1") == 404
    assert await tries(other, "1", agency_id=_id(office, "houkatsu"), agency=AGENCY) == 404
    assert await tries(agency, "1", state="completed") == 409, "not before it was accepted"
    for state in ("held", "closed", "ACCEPTED", ""):
        assert await tries(agency, "1", state=state) in (409, 422)
    assert await tries(agency, "1", until="R20.1.1", basis="danger", agency_id="0" * 32, case_id="0" * 32) == 303
    assert office.rows("SELECT basis, state, version FROM referral") == [("consent", "accepted", 2)]
    await lead.opens(tab(code, "consents"))
    withdraw = re.search(r'action="([^"]+/withdraw)"', lead.page)
    assert withdraw
    await lead.posts(withdraw[1])
    assert await tries(agency, "2", state="completed", words="会えました") == 404
    assert (await agency.http.get(door)).status_code == 404
    assert office.rows("SELECT state, version FROM referral") == [("accepted", 2)]
    assert office.rows("SELECT count(*) FROM audit WHERE act = 'case.refused' AND detail LIKE '%shared%'")[0][0] >= 1


@pytest.mark.requirement("R30", "R33")
async def test_an_agencys_words_run_nothing_at_the_desk(office: Office, lead: Browser, a_browser: NewBrowser) -> None:
    agency = await of_agency(lead, a_browser(), AGENCY, "houkatsu")
    code = office.has_case("退院後の家のこと")
    await refers(lead, code, basis="danger", danger="倒れている")
    ((referral,),) = office.rows("SELECT id FROM referral")
    words = "<script>alert(1)</script>\u202e=HYPERLINK(1)"
    await agency.opens(f"/desk/shared/{referral}")
    await agency.posts(f"/desk/shared/{referral}", state="accepted", words=words, expected_version="1")
    for path in (tab(code, "referrals"), f"/desk/cases/{code}", tab(code, "history"), "/desk/gaps"):
        page = await lead.opens(path)
        assert "<script>alert" not in page
        assert "\u202e" not in page
    await agency.opens(f"/desk/shared/{referral}")
    assert "<script>alert" not in agency.page


@pytest.mark.requirement("R9", "R20")
async def test_a_card_that_asks_for_consent_is_answered_by_nobody_else_and_gives_nothing_twice(office: Office, sato: Browser) -> None:
    code = office.has_case("退院後の家のこと", who="U1")
    office.has_case("ほかの人", who="U2")
    await sato.claims(code)
    await sato.opens(tab(code, "consents"))
    await sato.posts(
        tab(code, "consents"), recipient=AGENCY, more="退院のこと", how="card", days="30", expected_version=sato.field("expected_version")
    )
    ((asked,),) = office.rows("SELECT id FROM consent_request")
    payload = next(button.value for _, outgoing in office.line.posted for button in outgoing.buttons if str(asked) in button.value)
    office.presses(payload, who="U2")
    office.presses(payload, who="U3")
    assert office.rows("SELECT count(*) FROM consent WHERE purpose = 'referral'") == [(0,)]
    office.presses(payload, who="U1")
    office.presses(payload, who="U1")
    assert office.rows("SELECT count(*) FROM consent WHERE purpose = 'referral'") == [(1,)]


@pytest.mark.requirement("R20")
@pytest.mark.parametrize("said", ["はい", "いいえ"])
async def test_a_yes_to_a_question_of_long_ago_gives_nothing_and_is_told_so_and_a_no_counts_always(office: Office, sato: Browser, said: str) -> None:
    code = office.has_case("退院後の家のこと", who="U1")
    await sato.claims(code)
    await sato.opens(tab(code, "consents"))
    await sato.posts(
        tab(code, "consents"), recipient=AGENCY, more="退院のこと", how="card", days="30", expected_version=sato.field("expected_version")
    )
    payload = next(button.value for _, outgoing in office.line.posted for button in outgoing.buttons if button.label == said)
    office.clock.moves(days=14)
    office.presses(payload, who="U1")
    yes = said == "はい"
    assert office.rows("SELECT count(*) FROM consent WHERE purpose = 'referral'") == [(0,)]
    assert office.rows("SELECT answer FROM consent_request") == [(None if yes else "no",)]
    talk = office.talk("U1").id
    lines = office.store.transact(lambda rows: talks.lines(rows, talk))
    assert ["お答えを受けられませんでした" in str(line.body) for line in lines if line.author == "bot"] == ([True] if yes else [])
    back = await _again(office, "sato")
    await back.opens(tab(code, "consents"))
    assert ("もう一度たずねてください" in back.text) == yes
