"""伴走: what may have slipped is listed quietly; nothing is counted or ranked (issue: both ways)."""

import re

from tests.desk.conftest import Browser, Office, joins
from tests.desk.test_sheets import refers


def signs(browser: Browser) -> dict[str, str]:
    rows = re.findall(r'href="/desk/cases/([^"]+)" data-row>.*?</th><td>(.*?)</td>', browser.page)
    return {code: words.strip() for code, words in rows}


async def test_a_case_without_a_next_contact_or_a_word_for_long_is_noticed(office: Office, sato: Browser) -> None:
    quiet, fresh = office.has_case(who="U1"), office.has_case(who="U2")
    await sato.claims(quiet)
    await sato.opens("/desk/walking?whose=all")
    assert signs(sato) == {quiet: "次の連絡が決まっていない"}
    office.clock.moves(days=9)
    sato = await joins(Browser(office), "山本", "yamamoto")
    await sato.opens("/desk/walking?whose=all")
    assert signs(sato) == {quiet: "次の連絡が決まっていない、8日以上やりとりがない", fresh: "8日以上やりとりがない"}
    await sato.opens("/desk/walking?whose=all&sign=no_next")
    assert list(signs(sato)) == [quiet]
    await sato.opens("/desk/walking")
    assert signs(sato) == {}, "mine are those I hold"


async def test_referrals_that_bounce_and_people_who_come_back_are_noticed(office: Office, sato: Browser) -> None:
    code = office.has_case()
    for _ in range(2):
        await refers(sato, code, basis="danger", danger="倒れている")
    for (referral,) in office.rows("SELECT id FROM referral"):
        await sato.opens(f"/desk/cases/{code}/referrals")
        await sato.posts(f"/desk/cases/{code}/referrals/{referral}", state="refused", words="対象外", expected_version="1")
    await sato.opens("/desk/walking?whose=all")
    assert "2回以上断られた" in signs(sato)[code]
    await sato.claims(code)
    await sato.ends(code, "close", reason="settled", no_next="yes", choice="none")
    office.clock.moves(hours=5)
    again = office.has_case("また書きます")
    sato = await joins(Browser(office), "山本", "yamamoto")
    await sato.opens("/desk/walking?whose=all")
    assert "また来た" in signs(sato)[again]


async def test_writing_at_night_again_and_again_is_noticed_once_is_not(office: Office, sato: Browser) -> None:
    office.clock.moves(hours=13)  # 23:00 in Japan
    once, often = office.has_case(who="U1"), office.has_case(who="U2")
    for _ in range(3):
        office.resident_says("眠れません", who="U2")
        office.clock.moves(days=1)
    sato = await joins(Browser(office), "山本", "yamamoto")
    await sato.opens("/desk/walking?whose=all")
    assert signs(sato) == {often: "夜中に書くことが続いている"}
    assert once not in sato.text
    assert "眠れません" not in sato.page


async def test_who_reads_no_cases_has_no_such_list(office: Office) -> None:
    editor = await joins(Browser(office), "鈴木", "suzuki", "editor")
    assert (await editor.http.get("/desk/walking")).status_code == 404
