"""R22: what belongs to somebody whose address is hidden is not shared, printed or exported until two people release it, and then for one day."""

import re
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from storage import staff
from tests.api.conftest import key_for, system
from tests.desk.conftest import Browser, Office, joins
from tests.desk.test_agencies import NewBrowser, of_agency
from tests.desk.test_sheets import AGENCY, acts, consent_of, heard_yes, refers, tab

pytestmark = pytest.mark.requirement("R22")

PAPERS = ("forms/reception", "forms/reception/xlsx", "forms/reception/csv", "forms/progress")


async def asks(browser: Browser, code: str) -> None:
    await browser.opens(tab(code, "referrals"))
    await browser.posts(tab(code, "unlock"), why="女性相談支援センターへ、名前と電話だけ")


async def confirms(browser: Browser, code: str) -> httpx.Response:
    await browser.opens(tab(code, "referrals"))
    found = re.search(r'name="release" value="([0-9a-f]{32})"', browser.page)
    return await browser.posts(tab(code, "unlock"), release=found[1] if found else "0" * 32)


@pytest.mark.requirement("R22")
async def test_every_way_out_is_refused_and_stands_in_the_audit(office: Office, sato: Browser) -> None:
    code = office.has_case(hidden=True)
    await heard_yes(sato, code)
    await sato.opens(tab(code, "referrals"))
    await refers(sato, code, basis="consent", consent=consent_of(sato))
    assert sato.status == 409
    assert office.rows("SELECT id FROM referral") == []
    for paper in PAPERS:
        await sato.opens(tab(code, paper))
        assert sato.status == 409, paper
    async with system(office, key_for(office, "machine")) as other:
        wish = {"recipient": "x", "purpose": "y", "items": ["z"], "basis": "danger", "danger": "いのち", "until": "2026-12-31"}
        answer = await other.post(f"/cases/{code}/refer", json=wish)
        assert (answer.status_code, answer.json()["error"]) == (409, "locked")
    assert acts(office).count("release.refused") == 2 + len(PAPERS)
    assert "form.printed" not in acts(office)


@pytest.mark.requirement("R22")
async def test_one_person_alone_cannot_release_it(office: Office, sato: Browser) -> None:
    code = office.has_case(hidden=True)
    await asks(sato, code)
    found = office.rows("SELECT id FROM hidden_release")[0][0]
    assert 'name="release"' not in sato.page

    await sato.posts(tab(code, "unlock"), release=str(found))

    await sato.opens(tab(code, "forms/reception"))
    assert sato.status == 409


@pytest.mark.requirement("R22")
async def test_two_people_release_it_for_one_day(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case(hidden=True)
    await asks(sato, code)
    await confirms(tanaka, code)
    assert "二人が確かめたので" in tanaka.text

    await sato.opens(tab(code, "forms/reception"))
    assert sato.status == 200
    await refers(sato, code, basis="danger", danger="今夜の安全")
    assert len(office.rows("SELECT id FROM referral")) == 1

    office.clock.moves(seconds=timedelta(days=1).total_seconds() + 1)
    async with system(office, key_for(office, "machine")) as other:
        wish = {"recipient": "x", "purpose": "y", "items": ["z"], "basis": "danger", "danger": "いのち", "until": "2026-12-31"}
        assert (await other.post(f"/cases/{code}/refer", json=wish)).status_code == 409


@pytest.mark.requirement("R22")
async def test_a_release_of_one_case_opens_no_other(office: Office, sato: Browser, tanaka: Browser) -> None:
    one, other = office.has_case(hidden=True, who="U1"), office.has_case(hidden=True, who="U2")
    await asks(sato, one)
    await confirms(tanaka, one)

    await sato.opens(tab(other, "forms/reception"))
    assert sato.status == 409


@pytest.mark.requirement("R22")
async def test_the_pages_of_the_case_do_not_print(office: Office, sato: Browser) -> None:
    hidden, plain = office.has_case(hidden=True, who="U1"), office.has_case(who="U2")
    for code, is_hidden in ((hidden, True), (plain, False)):
        for name in ("", "sheet", "household", "history"):
            await sato.opens(tab(code, name).rstrip("/"))
            assert ('class="unprinted"' in sato.page) is is_hidden


async def test_where_nothing_is_hidden_nothing_is_blocked(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.opens(tab(code, "forms/reception"))
    assert sato.status == 200
    assert "二人が確かめ" not in sato.text


async def test_what_was_shared_before_it_was_hidden_is_shut_too(office: Office, sato: Browser, tanaka: Browser, a_browser: NewBrowser) -> None:
    lead = await joins(a_browser(), "係長", "kakaricho", role="lead")
    agency = await of_agency(lead, a_browser(), AGENCY, "houkatsu")
    code = office.has_case()
    await refers(sato, code, basis="danger", danger="倒れている")
    shared = re.search(r"/desk/shared/[0-9a-f]{32}", await agency.opens("/desk/shared"))
    assert shared
    office.store.transact(lambda rows: rows.execute(text("UPDATE conversation SET hidden_address = true")))

    assert shared[0] not in await agency.opens("/desk/shared")
    await agency.opens(shared[0])
    assert agency.status == 404
    assert "いまは見せていません" in re.sub(r"<[^>]+>", "", await sato.opens(tab(code, "referrals")))

    await asks(sato, code)
    await confirms(tanaka, code)
    await agency.opens(shared[0])
    assert agency.status == 200


async def test_nobody_releases_for_one_who_does_not_work_here_any_more(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case(hidden=True)
    await asks(sato, code)
    ((release,),) = office.rows("SELECT id FROM hidden_release")
    office.store.transact(lambda rows: staff.disable(rows, login="sato", now=office.clock.now()))
    assert "名前と電話だけ" not in await tanaka.opens(tab(code, "referrals"))
    assert (await tanaka.posts(tab(code, "unlock"), release=str(release))).status_code == 404
    assert (await tanaka.http.get(tab(code, PAPERS[0]))).status_code == 409
