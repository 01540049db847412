"""Papers of a case: the record of each kind of meeting (F7), and きょうの訪問, which says at the door no more than it must (desk.md §3)."""

import csv
import io
import re

import pytest

from tests.desk.conftest import Browser, Office

SUPPORT = {
    "held_on": "R8.12.8", "why": "本人が拒んでいて、命が心配", "members": "包括、保健所", "pledged": "yes", "decisions": "保健所が12月15日までに訪問",
}  # fmt: skip
AGENCY = "地域包括支援センター（見本）"


def tab(code: str, name: str) -> str:
    return f"/desk/cases/{code}/{name}"


async def cells(browser: Browser, code: str, form: str) -> list[list[str]]:
    """The rows of a national form as CSV, without its header."""
    return list(csv.reader(io.StringIO((await browser.http.get(tab(code, f"forms/{form}/csv"))).content.decode("utf-8-sig"))))[1:]


@pytest.fixture
async def met(office: Office, sato: Browser) -> str:
    """A case with a 支援会議 and, later, a 重層的支援会議 that rests on a consent; its code."""
    code = office.has_case()
    await sato.opens(tab(code, "meetings"))
    await sato.posts(tab(code, "support-meetings"), **SUPPORT)
    await sato.opens(tab(code, "consents"))
    await sato.posts(tab(code, "consents"), recipient=AGENCY, more="退院のこと", how="heard", days="30", expected_version="1")
    await sato.opens(tab(code, "meetings"))
    consent = re.search(r'<select id="co-consent".*?value="([0-9a-f]{32})"', sato.page, re.DOTALL)
    assert consent is not None
    await sato.posts(tab(code, "coordination-meetings"), consent=consent[1], held_on="R8.12.22", purpose="プランを決める", next_on="R9.3.22")
    return code


async def test_the_record_of_a_support_meeting_says_why_without_consent_and_the_pledge(met: str, sato: Browser) -> None:
    found = {label: value for _, label, value in await cells(sato, met, "support_meeting")}

    assert found["会議の種別"] == "支援会議（社会福祉法106条の6・本人同意不要）"
    assert found["設置・開催主体"] == "市町村（支援会議）"
    assert found["開催日"] == "令和8年12月8日（火）"
    assert found["出席した構成員（守秘義務の説明・誓約の有無）"] == "包括、保健所\n守秘義務（106条の6第5項）：説明し、約束してもらいました"
    assert found["役割分担（誰が・何を・いつまでに）"] == "保健所が12月15日までに訪問"
    assert found["次回・見直し時期"] == "未確認"
    assert "本人が拒んでいて、命が心配" in found.values()


async def test_the_two_kinds_of_meeting_never_stand_on_one_sheet(met: str, sato: Browser) -> None:
    support = str(await cells(sato, met, "support_meeting"))
    coordination = str(await cells(sato, met, "coordination_meeting"))

    assert "プランを決める" in coordination
    assert AGENCY in coordination
    assert "命が心配" not in coordination
    assert "プランを決める" not in support
    assert AGENCY not in support


async def test_a_second_meeting_of_a_kind_stands_under_its_own_day(met: str, sato: Browser) -> None:
    await sato.opens(tab(met, "meetings"))
    await sato.posts(tab(met, "support-meetings"), **SUPPORT | {"held_on": "R9.1.12"})

    days = [section for section, label, _ in await cells(sato, met, "support_meeting") if label == "会議の種別"]

    assert days == ["令和9年1月12日（火）", "令和8年12月8日（火）"]


async def test_without_a_meeting_its_record_is_unknown_and_of_its_kind(office: Office, sato: Browser) -> None:
    code = office.has_case()

    await sato.opens(tab(code, "forms/coordination_meeting"))

    assert "重層的支援会議（実施要綱・本人同意あり）" in sato.text
    assert sato.text.count("未確認") == 6


async def test_the_reason_of_a_support_meeting_is_not_asked_again_on_the_sheet_without_consent(met: str, sato: Browser) -> None:
    found = {label: value for _, label, value in await cells(sato, met, "reception_without_consent")}

    assert found["支援会議（法106条の6）で扱う必要性"] == "本人が拒んでいて、命が心配"


# ---------------------------------------------------------------- きょうの訪問


async def test_the_visit_has_five_lines_from_the_case_and_is_audited(office: Office, sato: Browser) -> None:
    code = office.has_case("退院後の家のこと")
    await sato.opens(tab(code, "sheet"))
    known = {"a.person.name": "見本 花子", "a.person.name_kana": "みほん はなこ", "a.person.address": "見本市1-2"}
    await sato.posts(tab(code, "answers"), expected_version="0", **known)

    await sato.opens(tab(code, "visit"))

    paper = sato.page.partition('<article class="paper">')[2].partition("</article>")[0]
    assert re.findall(r'<th scope="row">(.*?)</th>', paper) == ["だれに", "どこへ", "なんのために", "持っていくもの", "気をつけること"]
    for words in ("取扱注意", code, "佐藤", "見本 花子（みほん はなこ）", "見本市1-2", "「退院後の家のこと」", "同意の書面"):
        assert words in paper
    assert office.rows("SELECT detail FROM audit WHERE act = 'form.printed'")[-1][0] == '{"form": "visit", "how": "print"}'


async def test_the_paper_carries_the_words_it_was_given_and_the_case_keeps_none_of_them(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.opens(tab(code, "visit"))

    await sato.posts(tab(code, "visit"), purpose="玄関で、次の日を決める", who="")

    paper = sato.page.partition('<article class="paper">')[2].partition("</article>")[0]
    assert "玄関で、次の日を決める" in paper
    assert "名前：未確認" in paper
    await sato.opens(tab(code, "visit"))
    assert "玄関で、次の日を決める" not in sato.page


async def test_what_is_masked_stays_masked_at_the_door(office: Office, sato: Browser) -> None:
    code = office.has_case("夫のことで困っています", urgency=2)
    await sato.opens(tab(code, "household"))
    await sato.posts(tab(code, "household"), member="", expected_version="0", name="見本 次郎", relation="夫", restricted="yes", consent="unknown")

    await sato.opens(tab(code, "visit"))

    assert "閲覧制限の人が 1 人" in sato.text
    assert "ひとりで行かず" in sato.text
    assert "見本 次郎" not in sato.page


@pytest.mark.requirement("R22")
async def test_no_visit_is_printed_to_a_hidden_address(office: Office, sato: Browser) -> None:
    code = office.has_case(hidden=True)

    await sato.opens(tab(code, "visit"))

    assert sato.status == 409
    assert "きょうの訪問" not in sato.page.partition("<main")[2].replace("<title>", "")
