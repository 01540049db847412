"""The sheets of a case: what is written stays, what may not be told is not, and nobody's words are lost (desk.md §3, D14, R18, R20, R23)."""

import csv
import html
import io
import re
from collections.abc import Callable
from datetime import timedelta

import openpyxl
import pytest

from storage import audit, consents, facts, referrals, staff, taken_back
from storage import talk as talks
from tests.desk.conftest import Browser, Office, joins

AGENCY = "地域包括支援センター（見本）"


def tab(code: str, name: str) -> str:
    return f"/desk/cases/{code}/{name}"


async def heard_yes(browser: Browser, code: str, recipient: str = AGENCY) -> None:
    await browser.opens(tab(code, "consents"))
    await browser.posts(tab(code, "consents"), recipient=recipient, more="退院のこと", how="heard", days="30", expected_version="1")


async def refers(browser: Browser, code: str, **fields: str) -> None:
    await browser.opens(tab(code, "referrals"))
    asked = {"recipient": AGENCY, "purpose": "家に来てほしい", "line": first_line(browser.page), "until": "R8.12.31"}
    await browser.posts(tab(code, "referrals"), **(asked | fields))


def first_line(page: str) -> str:
    """The tick beside the first line of the hand-off sheet, on the page of つなぎ; what ticks nothing where there is none."""
    found = re.search(r'name="line" value="([0-9a-f]+)"', page)
    return found[1] if found else ""


def consent_of(browser: Browser) -> str:
    """The consent that the form of つなぎ offers."""
    found = re.search(r'<select id="consent".*?value="([0-9a-f]{32})"', browser.page, re.DOTALL)
    assert found, "no consent can be chosen"
    return found[1]


def acts(office: Office) -> list[object]:
    return [act for (act,) in office.rows("SELECT act FROM audit ORDER BY seq")]


@pytest.mark.parametrize("name", ["", "sheet", "household", "referrals", "meetings", "consents", "history", "pass-on", "forms/reception"])
async def test_every_sheet_opens_in_every_state_of_a_case(office: Office, sato: Browser, name: str) -> None:
    code = office.has_case()
    page = tab(code, name).rstrip("/")
    await sato.opens(page)
    assert sato.status == 200
    await sato.claims(code)
    await sato.opens(page)
    assert sato.status == 200
    await sato.ends(code, "close", reason="settled", no_next="yes", choice="none")
    await sato.opens(page)
    assert sato.status == 200


# ---------------------------------------------------------------- 整理


async def test_the_sheet_is_edited_and_keeps_the_way_to_its_messages(office: Office, sato: Browser) -> None:
    code = office.has_case("退院後の家のこと")
    await sato.opens(tab(code, "sheet"))
    refs, mark = sato.field("refs"), sato.field("mark")
    fields = {"csrf": sato.field("csrf"), "mark": mark, "about": ["urgent", "tried"], "text": ["来週水曜の退院", "社協に断られた"],
              "source": ["said", "confirmed"], "refs": [refs, ""]}  # fmt: skip
    await sato._arrives(await sato.http.post(tab(code, "sheet"), data=fields))
    await sato.opens(f"/desk/cases/{code}")
    assert "来週水曜の退院" in sato.text
    assert "社協に断られた" in sato.text
    assert 'href="#m-1"' in sato.page
    assert "sheet.changed" in acts(office)


def topics_on(page: str) -> tuple[str, set[str]]:
    """What the form of 分野 shows as chosen: the one that weighs most, and the rest."""
    form = page.partition('/topics" method')[2].partition("</form>")[0]
    first = re.search(r'value="([^"]*)" selected', form)
    return first[1] if first else "", set(re.findall(r'value="([^"]*)" checked', form))


async def corrects(browser: Browser, code: str, *chosen: str) -> int:
    """Opens 整理 and says what the worry is about, the first weighing most."""
    await browser.opens(tab(code, "sheet"))
    fields = {"csrf": browser.field("csrf"), "mark": browser.field("mark", "/topics"), "first": chosen[0], "topic": list(chosen[1:])}
    answer = await browser.http.post(tab(code, "topics"), data=fields)
    await browser._arrives(answer)
    return answer.status_code


async def test_a_coordinator_corrects_what_the_bot_thought_the_worry_was_about(office: Office, sato: Browser) -> None:
    code = office.has_case("退院後の家のこと")
    await corrects(sato, code, "T12", "T02", "T09")

    assert topics_on(sato.page) == ("T12", {"T02", "T09"})
    await sato.opens(f"/desk/cases/{code}")
    assert "介護" in sato.text.partition("分野")[2].partition("危険の記録")[0]
    assert "分野を直した" in sato.text
    rows = csv.reader(io.StringIO((await sato.http.get(tab(code, "forms/reception/csv"))).content.decode("utf-8-sig")))
    told = {label: value for _, label, value in rows}
    assert told["一番お困りのこと（◎）"] == "介護のこと"
    assert told["ご相談の内容（お困りのこと）複数可"] == "介護のこと、住まいについて、地域との関係について"
    assert "topics.changed" in acts(office)
    assert not any("T12" in str(detail) for (detail,) in office.rows("SELECT detail FROM audit")), "what it is about stays sealed"


async def test_what_a_coordinator_corrected_stays_when_the_resident_is_handed_on_again(office: Office, sato: Browser) -> None:
    code = office.has_case("退院後の家のこと")
    await corrects(sato, code, "T12", "T02")
    office.has_case("食べるものがない", urgency=2)

    await sato.opens(tab(code, "sheet"))
    assert topics_on(sato.page) == ("T12", {"T02"})
    assert "食べるものがない" in sato.text


async def test_the_size_of_letters_can_be_changed_where_a_form_was_refused(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await refers(sato, code, basis="danger", danger="倒れている")
    (referral,) = office.rows("SELECT id FROM referral")[0]
    await sato.posts(tab(code, f"referrals/{referral}"), state="refused", words="", expected_version="1")
    assert sato.status == 422

    await sato.posts("/desk/size", size="4", back=sato.field("back", "/desk/size"))
    assert sato.path == tab(code, "referrals")
    assert 'data-size="4"' in sato.page


async def test_a_corrected_field_is_what_the_figures_count(office: Office, sato: Browser) -> None:
    for number in range(12):
        await corrects(sato, office.has_case(who=f"U{number}"), "T12")

    since, until = office.clock.now() - timedelta(days=1), office.clock.now() + timedelta(days=1)
    counted = office.store.transact(lambda rows: [one.topics for one in facts.of_span(rows, since, until).handed])

    assert counted == [("T12",)] * 12
    await sato.opens("/desk/figures")
    assert "介護のこと 10〜19" in sato.text.partition("困りごとの種類")[2]


async def test_no_topic_at_all_is_said_as_not_known(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await corrects(sato, code, "")

    assert topics_on(sato.page) == ("", set())
    await sato.opens(f"/desk/cases/{code}")
    assert "未確認" in sato.text.partition("分野")[2].partition("危険の記録")[0]


@pytest.mark.requirement("R23")
async def test_two_who_correct_the_topics_do_not_write_over_one_another(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case()
    await tanaka.opens(tab(code, "sheet"))
    mark = tanaka.field("mark", "/topics")
    await corrects(sato, code, "T12")

    answer = await tanaka.posts(tab(code, "topics"), mark=mark, first="T05", topic="T06")

    assert answer.status_code == 409
    assert topics_on(tanaka.page) == ("T05", {"T06"}), "what was chosen is still chosen"
    assert "いまの分野（ほかの人が直したもの）：介護" in tanaka.text


@pytest.mark.requirement("R23")
async def test_two_who_edit_the_sheet_see_both_texts_and_nothing_is_lost(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case("退院後の家のこと")
    for browser in (sato, tanaka):
        await browser.opens(tab(code, "sheet"))
    one = {"about": "worry", "source": "said", "refs": ""}
    await sato.posts(tab(code, "sheet"), mark=sato.field("mark"), text="佐藤が書いた行", **one)
    answer = await tanaka.posts(tab(code, "sheet"), mark=tanaka.field("mark"), text="田中が書いた行", **one)
    assert answer.status_code == 409
    assert "佐藤が書いた行" in tanaka.text
    assert "田中が書いた行" in tanaka.text
    await tanaka.posts(tab(code, "sheet"), mark=tanaka.field("mark"), text="田中が書いた行", **one)
    assert tanaka.path.endswith("/sheet")
    assert "田中が書いた行" in tanaka.text


# ---------------------------------------------------------------- 世帯


async def test_a_person_under_restriction_shows_no_name_until_opened_and_the_opening_is_audited(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.opens(tab(code, "household"))
    await sato.posts(tab(code, "household"), name="見本 花子", relation="長女", restricted="yes", consent="refused", expected_version="0", member="")
    assert "見本 花子" not in sato.page
    assert "household.opened" not in acts(office)
    link = re.search(r'href="([^"]+\?open=[^"]+)"', sato.page)
    assert link is not None
    await sato.opens(html.unescape(link[1]))
    assert "見本 花子" in sato.text
    assert "同意：同意しない" in sato.text
    assert "household.opened" in acts(office)
    assert b"\xe8\x8a\xb1" not in office.rows("SELECT body_sealed FROM household_member")[0][0]  # type: ignore[operator]


async def test_people_of_one_household_lead_to_each_others_cases(office: Office, sato: Browser) -> None:
    mother, son = office.has_case(who="U1"), office.has_case(who="U2")
    await sato.opens(tab(mother, "household"))
    await sato.posts(tab(mother, "household"), name="むすこ", linked=son.lower(), expected_version="0", member="")
    assert f"/desk/cases/{son}" in sato.page
    await sato.opens(tab(son, "household"))
    assert mother in sato.text
    await sato.posts(tab(son, "household"), name="だれか", linked="XXX-XXXX", expected_version="0", member="")
    assert sato.status == 422
    assert "だれか" in sato.page


@pytest.mark.requirement("R23")
async def test_two_who_change_one_person_do_not_overwrite_each_other(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case()
    await sato.opens(tab(code, "household"))
    await sato.posts(tab(code, "household"), name="父", expected_version="0", member="")
    await tanaka.opens(tab(code, "household"))
    member = tanaka.field("member")
    for browser, state in ((sato, "入院中"), (tanaka, "退院した")):
        await browser.posts(tab(code, "household"), name="父", state=state, member=member, expected_version="1")
    assert tanaka.status == 409
    assert "入院中" in tanaka.text
    assert 'value="退院した"' in tanaka.page


# ---------------------------------------------------------------- 同意


async def test_a_card_asks_the_resident_and_the_pressed_yes_stands_in_the_ledger(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    await sato.opens(tab(code, "consents"))
    version = sato.field("expected_version", "/consents")
    await sato.posts(tab(code, "consents"), recipient=AGENCY, more="退院の日\nお名前", how="card", days="90", expected_version=version)
    await office.parts.delivery.idle()
    sent = office.line.posted[-1][1]
    assert [button.label for button in sent.buttons] == ["はい", "いいえ", "あとで"]
    assert any("退院の日" in words for words in office.line.words)
    assert all(len(button.value) <= 64 for button in sent.buttons), "Telegram takes 64 bytes"
    office.presses(sent.buttons[0].value)
    await sato.opens(tab(code, "consents"))
    assert "はい（" in sato.text
    assert AGENCY in sato.text
    assert office.rows("SELECT purpose FROM consent") == [("referral",)]
    office.presses(sent.buttons[1].value)
    assert office.rows("SELECT count(*) FROM consent WHERE withdrawn_at IS NULL") == [(1,)], "an answered card is answered once"
    assert office.store.transact(audit.verify) is None


async def test_an_answer_typed_under_the_card_counts_and_one_typed_later_does_not(office: Office, sato: Browser) -> None:
    for who, between, wanted in (("U1", "", 1), ("U2", "その前に聞いていいですか", 0)):
        code = office.has_case(who=who)
        await sato.claims(code)
        await sato.opens(tab(code, "consents"))
        version = sato.field("expected_version", "/consents")
        await sato.posts(tab(code, "consents"), recipient=AGENCY, more="退院の日", how="card", days="90", expected_version=version)
        if between:
            office.writes(between, who=who)
        office.writes("はい", who=who)
        assert office.rows(f"SELECT count(*) FROM consent WHERE conversation_id = '{office.talk(who).id}'") == [(wanted,)]


async def test_only_the_one_who_holds_the_case_sends_a_card(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.opens(tab(code, "consents"))
    await sato.posts(tab(code, "consents"), recipient=AGENCY, more="退院の日", how="card", expected_version="1")
    assert sato.status == 409
    assert "退院の日" in sato.page
    assert office.line.posted == []


# ---------------------------------------------------------------- つなぎ


@pytest.mark.requirement("R20")
async def test_nothing_is_told_without_a_ground(office: Office, sato: Browser) -> None:
    code = office.has_case()
    for basis in ("", "consent", "support_meeting", "danger"):
        await refers(sato, code, basis=basis)
        assert sato.status in (409, 422), basis
        assert 'value="家に来てほしい"' in sato.page
    assert office.rows("SELECT count(*) FROM referral") == [(0,)]


@pytest.mark.requirement("R20")
async def test_a_consent_for_one_office_does_not_carry_another(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await heard_yes(sato, code)
    await sato.opens(tab(code, "referrals"))
    consent = consent_of(sato)
    await refers(sato, code, basis="consent", consent=consent, recipient="税務課")
    assert sato.status == 409
    await refers(sato, code, basis="consent", consent=consent)
    assert sato.status == 303
    assert office.rows("SELECT basis, state FROM referral") == [("consent", "asked")]


async def test_a_silent_referral_is_to_be_checked_after_eight_working_days(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await refers(sato, code, basis="danger", danger="倒れている")
    assert office.rows("SELECT due_at FROM referral")[0][0].startswith("2026-12-04 08:00"), "eight working days from Tuesday 11/24, 17:00 in Japan"  # type: ignore[attr-defined]
    assert "要確認" not in sato.text
    office.clock.moves(days=11)
    await joins(sato, "佐藤二", "sato2")
    await sato.opens(tab(code, "referrals"))
    assert "要確認" in sato.text


async def test_a_refusal_needs_its_reason_and_the_person_is_asked_too(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await refers(sato, code, basis="danger", danger="倒れている")
    (referral,) = office.rows("SELECT id FROM referral")[0]
    answer = tab(code, f"referrals/{referral}")
    await sato.posts(answer, state="refused", words="", expected_version="1")
    assert sato.status == 422
    await sato.posts(answer, state="refused", words="対象の年齢ではない", expected_version="1")
    assert "断られた：対象の年齢ではない" in sato.text
    await sato.posts(answer, state="completed", words="", expected_version="2")
    assert sato.status == 409, "what was refused is not completed"
    await sato.posts(answer, says="could_not")
    assert "本人のようす： 行けなかった" in sato.text


@pytest.mark.requirement("R8")
async def test_unsent_words_leave_what_was_shared(office: Office, sato: Browser) -> None:
    code = office.has_case("消したい言葉")
    await refers(sato, code, basis="danger", danger="倒れている", more="残る言葉")
    talk, now = office.talk(), office.clock.now()
    office.store.transact(lambda rows: taken_back.forget(rows, talk, talks.lines(rows, talk.id)[0], now))
    await sato.opens(tab(code, "referrals"))
    assert "消したい言葉" not in sato.page
    assert "残る言葉" in sato.text


# ---------------------------------------------------------------- 会議とプラン


async def test_the_two_kinds_of_meeting_never_mix(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.opens(tab(code, "meetings"))
    support = {"held_on": "R8.12.8", "why": "本人が拒んでいて、命が心配", "members": "包括、保健所"}
    await sato.posts(tab(code, "support-meetings"), **support)
    assert sato.status == 409, "without the pledge of secrecy there is no 支援会議"
    assert "本人が拒んでいて、命が心配" in sato.page
    await sato.posts(tab(code, "support-meetings"), pledged="yes", **support)
    assert sato.status == 303
    (meeting,) = office.rows("SELECT id FROM support_meeting")[0]
    other = {"held_on": "R8.12.9", "purpose": "プランを決める"}
    for wrong in ("", str(meeting)):
        await sato.opens(tab(code, "meetings"))
        await sato.posts(tab(code, "coordination-meetings"), consent=wrong, **other)
        assert sato.status == 409, "a 重層的支援会議 rests on a consent"
    new = {"plan": "", "expected_version": "0", "made_on": "R8.12.10", "how": ""}
    plan = new | {"own_words": "孫と暮らしたい", "goal": "家をさがす", "who": "佐藤", "until": "R9.3.31"}
    await sato.posts(tab(code, "plans"), meeting=str(meeting), **plan)
    assert sato.status == 409, "a plan does not come out of a 支援会議"
    await heard_yes(sato, code)
    await sato.opens(tab(code, "meetings"))
    consent = re.search(r'<select id="co-consent".*?value="([0-9a-f]{32})"', sato.page, re.DOTALL)
    assert consent is not None
    await sato.posts(tab(code, "coordination-meetings"), consent=consent[1], **other)
    assert sato.status == 303
    await sato.posts(tab(code, "plans"), meeting="", **plan)
    assert sato.status == 303
    assert "「孫と暮らしたい」" in sato.text
    assert "令和9年3月31日" in sato.text


async def test_a_plan_without_the_persons_own_words_is_none(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.opens(tab(code, "meetings"))
    empty = {"who": "", "until": "", "how": "", "plan": "", "expected_version": "0"}
    await sato.posts(tab(code, "plans"), own_words=" ", goal="家をさがす", made_on="R8.12.10", **empty)
    assert sato.status == 422
    assert "家をさがす" in sato.page
    assert office.rows("SELECT count(*) FROM plan") == [(0,)]


async def test_an_older_plan_and_how_one_stood_before_it_was_changed_can_still_be_printed(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.opens(tab(code, "meetings"))
    plan = {"goal": "家をさがす", "who": "佐藤", "until": "R9.3.31", "how": "", "meeting": "", "made_on": "R8.12.10"}
    await sato.posts(tab(code, "plans"), plan="", expected_version="0", own_words="孫と暮らしたい", **plan)
    ((first,),) = office.rows("SELECT id FROM plan")
    await sato.posts(tab(code, "plans"), plan=str(first), expected_version="1", own_words="ひとりで暮らしたい", **plan | {"made_on": "R8.12.20"})
    await sato.posts(tab(code, "plans"), plan=str(first), expected_version="2", own_words="妹と暮らしたい", **plan)
    await sato.posts(tab(code, "plans"), plan="", expected_version="0", own_words="店をまた開きたい", **plan)
    paper = tab(code, "forms/plan")
    seen = {}
    for asked in ("", "?plan=2", "?plan=1", "?plan=1&version=1", "?plan=1&version=2", "?plan=1&version=3"):
        page = await sato.opens(f"{paper}{asked}")
        seen[asked] = next(words for words in ("孫と暮らしたい", "ひとりで暮らしたい", "妹と暮らしたい", "店をまた開きたい") if words in page)
        assert ("このあと直されました" in page) == (asked in ("?plan=1&version=1", "?plan=1&version=2")), asked
    assert list(seen.values()) == ["店をまた開きたい", "店をまた開きたい", "妹と暮らしたい", "孫と暮らしたい", "ひとりで暮らしたい", "妹と暮らしたい"]
    assert "令和8年12月20日" in await sato.opens(f"{paper}?plan=1&version=2")
    assert "孫と暮らしたい" in (await sato.http.get(f"{paper}/csv?plan=1&version=1")).content.decode("utf-8-sig")
    for missing in ("?plan=3", "?plan=1&version=4", "?plan=x", "?plan=0", "?plan=1&version=0"):
        assert (await sato.http.get(f"{paper}{missing}")).status_code == 404, missing
    page = await sato.opens(tab(code, "meetings"))
    assert f"/desk/cases/{code}/forms/plan?plan=1&amp;version=2" in page
    assert (await sato.posts(tab(code, "plans"), plan=str(first), expected_version="1", own_words="x", **plan)).status_code == 409


# ---------------------------------------------------------------- 履歴, 渡す, ひらく


async def test_the_progress_of_support_has_when_how_and_what(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.opens(tab(code, "history"))
    await sato.posts(tab(code, "history"), on="R8.11.20", at="10:30", method="visit_there", text="父と会った")
    assert "令和8年11月20日（金）10:30" in sato.text
    assert "訪問" in sato.text
    assert "父と会った" in sato.text


async def test_a_case_is_passed_on_and_the_resident_hears_the_new_name_once(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    await sato.opens(tab(code, "pass-on"))
    (to,) = office.rows("SELECT id FROM staff WHERE name = '田中'")[0]
    version = sato.field("expected_version", "/pass-on")
    await sato.posts(tab(code, "pass-on"), to=str(to), words="水曜に電話の約束", tell="yes", expected_version=version)
    await office.parts.delivery.idle()
    assert office.line.words == ["佐藤さんから、田中さんに担当が代わります。"]
    await tanaka.opens(f"/desk/cases/{code}")
    assert 'id="reply"' in tanaka.page
    assert "水曜に電話の約束" in tanaka.text
    await sato.opens(f"/desk/cases/{code}")
    assert 'id="reply"' not in sato.page


async def test_a_closed_case_is_opened_again_unless_a_newer_one_is_open(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    await sato.ends(code, "close", reason="settled", no_next="yes", choice="none")
    await sato.opens(f"/desk/cases/{code}")
    await sato.posts(f"/desk/cases/{code}/reopen")
    assert 'id="reply"' in sato.page
    await sato.ends(code, "close", reason="settled", no_next="yes", choice="none")
    office.has_case("新しいこと")
    await sato.opens(f"/desk/cases/{code}")
    await sato.posts(f"/desk/cases/{code}/reopen")
    assert sato.status == 409


# ---------------------------------------------------------------- 国の帳票


@pytest.mark.requirement("R33")
async def test_the_national_sheets_say_what_is_known_and_unknown_for_the_rest(office: Office, sato: Browser) -> None:
    code = office.has_case("=HYPERLINK(1) 退院後の家のこと")
    await sato.opens(tab(code, "sheet"))
    await sato.posts(tab(code, "answers"), expected_version="0", **{"a.person.sex": "女性", "a.person.name": "＝見本", "a.assess.work": "宇宙飛行士"})
    assert sato.status == 303
    await sato.opens(tab(code, "forms/reception"))
    for words in (code, "令和8年11月24日", "女性", "未確認", "取扱注意", "佐藤"):
        assert words in sato.text
    assert "宇宙飛行士" not in sato.text
    table = list(csv.reader(io.StringIO((await sato.http.get(tab(code, "forms/reception/csv"))).content.decode("utf-8-sig"))))
    cells = {row[1]: row[2] for row in table}
    assert cells["氏名"] == "'＝見本"
    assert cells["相談したいこと・支援への希望（具体的に）"].startswith("'=HYPERLINK")
    assert cells["住所"] == "未確認"
    for form in ("reception", "reception_without_consent", "assessment", "progress", "plan", "evaluation"):
        file = await sato.http.get(tab(code, f"forms/{form}/xlsx"))
        sheet = openpyxl.load_workbook(io.BytesIO(file.content)).active
        assert sheet is not None
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} == {"s"}, "no formula, no number that loses its zeros"
    assert acts(office).count("form.printed") == 8


async def test_no_other_role_reaches_any_sheet(office: Office, a_browser: Callable[..., Browser]) -> None:
    code = office.has_case()
    for role in ("editor", "admin", "agency"):
        other = await joins(a_browser(), role, f"login-{role}", role=role)
        for name in ("sheet", "household", "referrals", "meetings", "consents", "history", "forms/plan", "forms/plan/csv", "pass-on"):
            assert (await other.http.get(tab(code, name))).status_code == 404


async def test_a_referral_ends_in_the_moment_its_consent_is_taken_back(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await heard_yes(sato, code)
    now = office.clock.now()
    viewer = office.store.transact(lambda rows: next(one for one in staff.everybody(rows) if one.login == "sato"))
    agency = office.store.transact(lambda rows: referrals.add_agency(rows, _viewer(viewer.id), AGENCY, now))
    await sato.opens(tab(code, "referrals"))
    await refers(sato, code, basis="consent", consent=consent_of(sato))
    assert len(office.store.transact(lambda rows: referrals.shared_with(rows, agency, now))) == 1
    assert office.store.transact(lambda rows: referrals.shared_with(rows, agency, now + timedelta(days=31))) == []
    await sato.opens(tab(code, "consents"))
    withdraw = re.search(r'action="([^"]+/withdraw)"', sato.page)
    assert withdraw is not None
    await sato.posts(withdraw[1])
    assert office.store.transact(lambda rows: referrals.shared_with(rows, agency, now)) == []
    assert consents.SHARING == "referral"


def _viewer(staff_id: str):  # type: ignore[no-untyped-def]
    from storage.desk_queue import Viewer

    return Viewer(staff_id, "佐藤", "coordinator", f"staff:{staff_id}")
