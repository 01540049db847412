"""支え手: offers apart from cases, requests without persons, a centre in between always (D10)."""

import re

from storage import helping
from tests.desk.conftest import Browser, Office, joins


def offers(office: Office, who: str, skill: str, when: str = "土日") -> None:
    talk, now = office.talk(who), office.clock.now()
    office.store.transact(lambda rows: helping.note_offer(rows, talk, skill=skill, when=when, now=now))


async def asks(browser: Browser, title: str, **more: str) -> None:
    await browser.opens("/desk/helping")
    await browser.posts("/desk/helping", act="ask", title=title, **({"until": "R8.12.31"} | more))


async def test_a_request_stands_beside_the_offers_that_fit(office: Office, sato: Browser) -> None:
    offers(office, "U7", "大工でした。棚の修理や手すり")
    offers(office, "U8", "パソコンを教える")
    await asks(sato, "集会所の棚の修理", when="土曜の午前", asked_by="自治会（見本）")
    await sato.opens("/desk/helping")
    panel = sato.page[sato.page.index("集会所の棚の修理") : sato.page.index("見つかった・もういらない")]
    assert "大工でした" in panel
    assert "パソコン" not in panel
    await sato.opens("/desk/helping?q=パソコンの使い方を知りたい")
    shown = sato.page[sato.page.index("できることの申し出") :]
    assert "パソコンを教える" in shown
    assert "大工でした" not in shown


async def test_an_offer_ends_after_half_a_year_unless_it_is_renewed(office: Office, sato: Browser) -> None:
    offers(office, "U7", "大工")
    office.clock.moves(days=170)
    sato = await joins(Browser(office), "山本", "yamamoto")
    await sato.opens("/desk/helping")
    assert "もうすぐ期限" in sato.text
    (offer,) = office.rows("SELECT id FROM offer")[0]
    await sato.posts("/desk/helping", act="renew", id=str(offer))
    office.clock.moves(days=100)
    sato = await joins(Browser(office), "小川", "ogawa")
    await sato.opens("/desk/helping")
    assert "大工" in sato.text
    office.clock.moves(days=100)
    sato = await joins(Browser(office), "森", "mori")
    await sato.opens("/desk/helping")
    assert "期限の中にある申し出はありません" in sato.text


async def test_words_to_a_helper_go_into_the_talk_of_the_offer_and_no_case_is_made(office: Office, sato: Browser) -> None:
    offers(office, "U7", "大工")
    (offer,) = office.rows("SELECT id FROM offer")[0]
    await sato.opens("/desk/helping")
    await sato.posts("/desk/helping", act="tell", id=str(offer), words="説明会は12月5日です")
    await office.parts.delivery.idle()
    assert office.line.posted[-1][0] == "U7"
    assert "説明会は12月5日です" in office.line.words
    assert office.rows("SELECT count(*) FROM care_case") == [(0,)]
    await sato.opens("/desk/helping")
    await sato.posts("/desk/helping", act="tell", id=str(offer), words=" ")
    assert sato.status == 422


async def test_somebody_with_a_hidden_address_is_never_among_the_helpers(office: Office, sato: Browser) -> None:
    offers(office, "U7", "大工")
    office.has_case("こわい", who="U7", hidden=True)
    await sato.opens("/desk/helping")
    assert "大工" not in sato.text


async def test_a_case_does_not_see_the_offer_and_the_offer_not_the_case(office: Office, sato: Browser) -> None:
    code = office.has_case("家賃が払えません", who="U7")
    offers(office, "U7", "大工")
    await sato.opens(f"/desk/cases/{code}")
    assert "大工" not in sato.page
    await sato.opens("/desk/helping")
    assert code not in sato.page
    assert "家賃" not in sato.page


async def test_a_request_that_was_met_is_gone_and_one_without_a_day_is_not_posted(office: Office, sato: Browser) -> None:
    await asks(sato, "草むしり", until="いつか")
    assert sato.status == 422
    assert "草むしり" in sato.page
    await asks(sato, "草むしり")
    (request,) = office.rows("SELECT id FROM help_request")[0]
    await sato.opens("/desk/helping")
    await sato.posts("/desk/helping", act="close", id=str(request))
    assert not re.search("草むしり", sato.text)
