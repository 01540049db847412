"""制度の狭間: told by the bot, the desk and an agency; gathered into a 地域課題; answered by an entry; the chain stays (D5b, D14)."""

import re
from collections.abc import Callable

from tests.desk.conftest import Browser, Office, joins
from tests.desk.test_agencies import of_agency
from tests.desk.test_sheets import AGENCY, refers, tab

NewBrowser = Callable[..., Browser]


async def writes_down(browser: Browser, reason: str, wish: str = "", domain: str = "") -> None:
    await browser.opens("/desk/gaps")
    await browser.posts("/desk/gaps", act="add", reason=reason, wish=wish, domain=domain)


async def test_a_gap_becomes_a_town_issue_and_that_a_resource_and_the_chain_stays(office: Office, sato: Browser) -> None:
    await writes_down(sato, "no_certificate", "手帳がなくても通える場所", "T13")
    await writes_down(sato, "distance", "バスで行ける場所")
    ids = [str(one) for (one,) in office.rows("SELECT id FROM gap ORDER BY at, id")]
    await sato.http.post("/desk/gaps", data={"csrf": sato.field("csrf"), "act": "tie", "gap": ids, "issue": "new", "title": "通える場所がない"})
    ((issue,),) = office.rows("SELECT DISTINCT issue_id FROM gap")
    page = f"/desk/gaps/issues/{issue}"
    await sato.opens(page)
    assert "手帳がなくても通える場所" in sato.text
    assert "バスで行ける場所" in sato.text
    await sato.posts(page, title="通える場所がない", done="集まりました", state="answered", entry="ないもの", expected_version="1")
    assert sato.status == 422
    assert "集まりました" in sato.page, "what was written stays"
    await sato.posts(page, title="通える場所がない", done="集まりました", state="answered", entry="フードバンク（見本）", expected_version="1")
    assert 'href="/desk/knowledge/food-bank"' in sato.page
    assert office.rows("SELECT i.entry_id, count(*) FROM gap g JOIN town_issue i ON i.id = g.issue_id GROUP BY 1") == [("food-bank", 2)]
    await sato.posts(page, title="べつの名前", done="", state="working", entry="", expected_version="1")
    assert sato.status == 409, "two people do not overwrite each other"


async def test_the_list_is_narrowed_by_reason_field_and_who_told_it_and_leaves_as_csv(office: Office, sato: Browser) -> None:
    await writes_down(sato, "age", "年齢によらない集まり", "T13")
    await writes_down(sato, "full", "=空き", "T11")
    await sato.opens("/desk/gaps?reason=age")
    assert "年齢によらない集まり" in sato.text
    assert "=空き" not in sato.page
    await sato.opens("/desk/gaps?domain=T11&source=desk")
    assert "=空き" in sato.page
    assert "年齢によらない集まり" not in sato.text
    await sato.opens("/desk/gaps?source=bot")
    assert "この絞り込みに合うものはありません" in sato.text
    sheet = (await sato.http.get("/desk/gaps.csv?reason=full")).content.decode("utf-8-sig")
    assert '"いっぱい・空きがない"' in sheet
    assert "\"'=空き\"" in sheet, "no formula on anybody's computer"
    assert "年齢によらない" not in sheet


async def test_last_year_is_looked_at_by_its_year(office: Office, sato: Browser) -> None:
    office.clock.moves(days=-300)
    sato = await joins(Browser(office), "山本", "yamamoto")
    await writes_down(sato, "age", "去年の願い")
    office.clock.moves(days=300)
    sato = await joins(Browser(office), "小川", "ogawa")
    await sato.opens("/desk/gaps")
    assert "去年の願い" not in sato.text
    await sato.opens("/desk/gaps?year=2025")
    assert "去年の願い" in sato.text


async def test_an_agency_that_refuses_leaves_a_gap_with_its_reasons_and_no_person(office: Office, a_browser: NewBrowser) -> None:
    lead = await joins(a_browser(), "係長", "kakaricho", role="lead")
    agency = await of_agency(lead, a_browser(), AGENCY, "houkatsu")
    code = office.has_case()
    await refers(lead, code, basis="danger", danger="倒れている")
    (referral,) = office.rows("SELECT id FROM referral")[0]
    await agency.opens(f"/desk/shared/{referral}")
    told = {"gap": "age", "wish": "64歳でも使える見守り"}
    await agency.posts(f"/desk/shared/{referral}", state="refused", words="65歳からです", expected_version="1", **told)
    assert office.rows("SELECT reasons, source, domain, case_id FROM gap") == [('["age", "refused_by_office"]', "referral", "okane", None)]
    await lead.opens(tab(code, "referrals"))
    assert "65歳からです" in lead.text
    await lead.opens("/desk/gaps")
    assert "64歳でも使える見守り" in lead.text


async def test_a_gap_without_a_reason_is_asked_for_one_and_nothing_is_lost(office: Office, sato: Browser) -> None:
    await sato.opens("/desk/gaps")
    await sato.posts("/desk/gaps", act="add", wish="夜の送り迎え")
    assert sato.status == 422
    assert "夜の送り迎え" in sato.page
    assert office.rows("SELECT count(*) FROM gap") == [(0,)]


async def test_who_keeps_no_knowledge_sees_no_gaps(a_browser: NewBrowser) -> None:
    admin = await joins(a_browser(), "鈴木", "suzuki", "admin")
    assert (await admin.http.get("/desk/gaps")).status_code == 404
    assert not re.search("まちのこと", admin.page)
