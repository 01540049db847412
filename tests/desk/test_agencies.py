"""Agencies: they see exactly what was shared with them, for as long as it is, and nobody else's (R18, R20)."""

import json
import re
from collections.abc import Callable

import pytest

from bot.webhooks import Webhooks
from tests.desk.conftest import PASSWORD, Browser, Office, joins, unmarked
from tests.desk.test_sheets import AGENCY, consent_of, heard_yes, refers, tab
from tests.desk.test_stream import listening
from tests.test_webhooks import Receiver, receiver

__all__ = ["receiver"]

NewBrowser = Callable[..., Browser]


@pytest.fixture
async def lead(a_browser: NewBrowser) -> Browser:
    return await joins(a_browser(), "係長", "kakaricho", role="lead")


async def of_agency(lead: Browser, browser: Browser, name: str, login: str) -> Browser:
    """Somebody of an agency who has used the link that the lead made."""
    await lead.opens("/desk/agencies")
    await lead.posts("/desk/agencies", name=name)
    token = re.search(r"/desk/welcome#([\w-]+)", lead.page)
    assert token is not None
    await browser.opens("/desk/welcome")
    await browser.posts("/desk/welcome", token=token[1], name="鈴木", login=login, password=PASSWORD, again=PASSWORD)
    assert browser.path == "/desk/shared", browser.text
    return browser


@pytest.mark.requirement("R20")
async def test_an_agency_reads_what_was_ticked_and_nothing_more(office: Office, lead: Browser, a_browser: NewBrowser) -> None:
    agency, other = await of_agency(lead, a_browser(), AGENCY, "houkatsu"), await of_agency(lead, a_browser(), "税務課（見本）", "zeimu")
    code = office.has_case("退院後の家のこと", title="ひみつの用件")
    await refers(lead, code, basis="danger", danger="倒れている", more="一人で暮らしている")
    await agency.opens("/desk/shared")
    link = re.search(r'href="(/desk/shared/[0-9a-f]+)"', agency.page)
    assert link is not None
    await agency.opens(link[1])
    assert "退院後の家のこと" in agency.text
    assert "一人で暮らしている" in agency.text
    assert "ひみつの用件" not in agency.page
    assert ("referral.read",) in office.rows("SELECT act FROM audit")
    await other.opens("/desk/shared")
    assert "いま共有されている相談はありません" in other.text
    forbidden, missing = await other.opens(link[1]), await other.opens("/desk/shared/" + "0" * 32)
    assert unmarked(forbidden) == unmarked(missing)
    assert other.status == 404
    for door in (f"/desk/cases/{code}", tab(code, "referrals"), "/desk/search?q=K", "/desk/tasks", "/desk/agencies"):
        assert (await agency.http.get(door)).status_code == 404


@pytest.mark.requirement("R43")
async def test_an_agency_that_looks_through_its_list_leaves_a_trace(office: Office, lead: Browser, a_browser: NewBrowser) -> None:
    agency = await of_agency(lead, a_browser(), AGENCY, "houkatsu")
    await refers(lead, office.has_case(), basis="danger", danger="倒れている")
    before = office.rows("SELECT max(seq) FROM audit")[0][0]
    await agency.opens("/desk/shared")
    ((actor,),) = office.rows("SELECT id FROM staff WHERE login = 'houkatsu'")
    listed = office.rows(f"SELECT actor, detail FROM audit WHERE act = 'shared.listed' AND seq > {before}")
    assert listed == [(f"staff:{actor}", '{"count": 1}')]


async def test_an_agency_accepts_reports_and_completes_and_a_refusal_needs_its_reason(office: Office, lead: Browser, a_browser: NewBrowser) -> None:
    agency = await of_agency(lead, a_browser(), AGENCY, "houkatsu")
    code = office.has_case()
    await refers(lead, code, basis="danger", danger="倒れている")
    (referral,) = office.rows("SELECT id FROM referral")[0]
    page = f"/desk/shared/{referral}"
    await agency.opens(page)
    await agency.posts(page, state="refused", words=" ", expected_version="1")
    assert agency.status == 422
    await agency.posts(page, state="accepted", words="12/4（金）に訪問します", expected_version="1")
    await agency.posts(page, state="accepted", words="", expected_version="2")
    assert agency.status == 422, "a report says something"
    await agency.posts(page, state="accepted", words="会えました", expected_version="2")
    await agency.posts(page, state="completed", words="", expected_version="2")
    assert agency.status == 409, "two people of the agency do not overwrite each other"
    await lead.opens(tab(code, "referrals"))
    assert f"{AGENCY} 鈴木" in lead.text
    assert "12/4（金）に訪問します" in lead.text
    assert "受理：会えました" in lead.text


@pytest.mark.requirement("R20")
async def test_what_was_shared_ends_at_once_when_the_consent_is_taken_back_or_the_day_is_over(
    office: Office, lead: Browser, a_browser: NewBrowser
) -> None:  # fmt: skip
    agency = await of_agency(lead, a_browser(), AGENCY, "houkatsu")
    code = office.has_case()
    await heard_yes(lead, code)
    await lead.opens(tab(code, "referrals"))
    await refers(lead, code, basis="consent", consent=consent_of(lead))
    (referral,) = office.rows("SELECT id FROM referral")[0]
    await agency.opens(f"/desk/shared/{referral}")
    assert agency.status == 200
    await lead.opens(tab(code, "consents"))
    withdraw = re.search(r'action="([^"]+/withdraw)"', lead.page)
    assert withdraw is not None
    await lead.posts(withdraw[1])
    await agency.opens(f"/desk/shared/{referral}")
    assert agency.status == 404
    await agency.opens("/desk/shared")
    assert "いま共有されている相談はありません" in agency.text


async def test_only_a_lead_makes_accounts_for_agencies(office: Office, sato: Browser) -> None:
    assert (await sato.http.get("/desk/agencies")).status_code == 404
    assert (await sato.http.post("/desk/agencies", data={"csrf": sato.field("csrf"), "name": "x"})).status_code == 404


async def test_who_writes_is_known_and_a_late_reply_stands_beside_what_came_in_between(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    version, recipient, seen = (sato.field(name, "/reply") for name in ("expected_version", "recipient", "seen_seq"))
    await sato.posts(f"/desk/cases/{code}/writing")
    await tanaka.opens(f"/desk/cases/{code}")
    await tanaka.posts(f"/desk/cases/{code}/claim", instead="yes")
    await tanaka.replies(code, "田中が先に書きました")
    await sato.opens(f"/desk/cases/{code}")
    await sato.posts(f"/desk/cases/{code}/claim", instead="yes")
    await sato.posts(f"/desk/cases/{code}/reply", text="佐藤のおくれた返事", expected_version=version, recipient=recipient, seen_seq=seen)
    assert sato.status == 409
    both = sato.page[sato.page.index('id="both"') :]
    assert "田中が先に書きました" in both
    assert "佐藤のおくれた返事" in both
    assert office.rows("SELECT count(*) FROM writing") == [(1,)]


@pytest.mark.requirement("R20")
async def test_an_open_page_of_an_agency_is_told_within_a_second_that_its_grant_is_over(
    office: Office, lead: Browser, a_browser: NewBrowser
) -> None:  # fmt: skip
    agency = await of_agency(lead, a_browser(), AGENCY, "houkatsu")
    code = office.has_case()
    await heard_yes(lead, code)
    await lead.opens(tab(code, "referrals"))
    await refers(lead, code, basis="consent", consent=consent_of(lead))
    (referral,) = office.rows("SELECT id FROM referral")[0]
    async with listening(agency, "/desk/stream") as ear:
        await ear.hears("shared", str(referral))
        await lead.opens(tab(code, "consents"))
        withdraw = re.search(r'action="([^"]+/withdraw)"', lead.page)
        assert withdraw is not None
        await lead.posts(withdraw[1])
        assert (await ear.hears("shared", seconds=1))[1] == "[]"
    assert (await agency.http.get(f"/desk/shared/{referral}")).status_code == 404


async def test_the_towns_other_system_hears_that_an_agency_answered_and_no_word_of_it(
    office: Office, lead: Browser, a_browser: NewBrowser, receiver: Receiver
) -> None:
    out = Webhooks(office.store, office.clock, [receiver.url], "見本の秘密")
    await out.tell(receiver.url)
    agency = await of_agency(lead, a_browser(), AGENCY, "houkatsu")
    code = office.has_case()
    await refers(lead, code, basis="danger", danger="倒れている")
    (referral,) = office.rows("SELECT id FROM referral")[0]
    await agency.opens(f"/desk/shared/{referral}")
    version = agency.field("expected_version", "/desk/shared")
    await agency.posts(f"/desk/shared/{referral}", state="accepted", words="ひみつの返事", expected_version=version)

    await out.tell(receiver.url)

    told = [json.loads(body) for _, body in receiver.told if json.loads(body)["event"] == "referral.answered"]
    assert [(one["case"], one["state"]) for one in told] == [(code, "accepted")]
    assert all("ひみつ".encode() not in body and "ひみつ" not in json.dumps(json.loads(body), ensure_ascii=False) for _, body in receiver.told)
