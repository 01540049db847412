"""相談票: reading is audited, claiming silences the bot, replies reach one person, memos nobody (desk.md §3, D8, R10, R11, R23, R43)."""

import html
import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import Session

from bot.channels.port import Refused, Sent, TryLater
from storage import audit, outbox, taken_back
from storage import talk as talks
from storage.store import StoreDown
from tests.desk.conftest import Browser, Office


async def test_the_case_shows_the_talk_and_links_each_sheet_line_to_its_message(office: Office, sato: Browser) -> None:
    code = office.has_case("退院後の家のことで困っています")
    await sato.opens(f"/desk/cases/{code}")
    assert 'id="m-1"' in sato.page
    assert 'href="#m-1"' in sato.page
    assert "本人の言葉" in sato.text
    assert "未確認" in sato.text


@pytest.mark.requirement("R43")
async def test_every_reading_is_audited_with_who_read(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.opens(f"/desk/cases/{code}")
    await sato.opens(f"/desk/cases/{code}")
    (sato_id,) = office.rows("SELECT id FROM staff")[0]
    assert office.rows("SELECT actor FROM audit WHERE act = 'case.read'") == [(f"staff:{sato_id}",)] * 2
    assert "佐藤 開いた" in sato.text
    assert office.store.transact(audit.verify) is None


@pytest.mark.requirement("R43")
async def test_a_try_at_a_missing_case_stands_in_the_audit(office: Office, sato: Browser) -> None:
    await sato.posts("/desk/cases/AAA-AAAA/claim")
    assert sato.status == 404
    assert ("case.refused",) in office.rows("SELECT act FROM audit")


async def test_opening_tells_the_residents_page_that_staff_have_read(office: Office, sato: Browser) -> None:
    code = office.has_case()
    assert office.rows("SELECT read_seq FROM conversation") == [(0,)]
    await sato.opens(f"/desk/cases/{code}")
    assert office.rows("SELECT read_seq FROM conversation") == [(1,)]
    office.resident_says("まだいますか")
    await sato.http.post(f"/desk/cases/{code}/seen", data={"csrf": sato.field("csrf"), "seq": "99"})
    assert office.rows("SELECT read_seq FROM conversation") == [(2,)]


async def test_claiming_makes_the_talk_human_and_keeps_what_was_pending_for_the_human(office: Office, sato: Browser) -> None:
    code = office.has_case()
    talk, now = office.talk(), office.clock.now()

    def bot_leads(rows: Session) -> None:
        inbox = talks.admit(rows, talk, event_id="e1", kind="text", raw="{}", now=now)
        assert inbox is not None
        after, line = talks.add_line(rows, talk, author="resident", kind="text", body='{"text": "まって"}', now=now)
        talks.link_inbox(rows, inbox, line.id)
        talks.save(rows, replace(after, owner="bot", settle_at=now + timedelta(seconds=2)), now)

    office.store.transact(bot_leads)
    await sato.claims(code)
    assert office.rows("SELECT owner, settle_at FROM conversation") == [("human", None)]
    assert office.rows("SELECT state FROM inbox") == [("queued",)]
    assert office.line.posted == []


async def test_the_second_to_claim_is_told_who_was_first_and_may_take_over_on_purpose(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case()
    await tanaka.opens(f"/desk/cases/{code}")
    await sato.claims(code)
    await tanaka.posts(f"/desk/cases/{code}/claim")
    assert tanaka.status == 409
    assert "佐藤さんが受け持っています" in tanaka.text
    await tanaka.posts(f"/desk/cases/{code}/claim", instead="yes")
    assert "受け持ち中： 田中" in tanaka.text


async def test_a_reply_reaches_the_resident_in_the_coordinators_name(office: Office, sato: Browser) -> None:
    code = office.has_case(promise=timedelta(minutes=30))
    await sato.claims(code)
    await sato.replies(code, "はじめまして。\r\n相談員の佐藤です。")
    ((destination, outgoing),) = office.line.posted
    assert destination == "U1"
    assert outgoing.speaker == "佐藤"
    assert outgoing.bubbles[0].text == "はじめまして。\n相談員の佐藤です。"
    await sato.opens(f"/desk/cases/{code}")
    assert "届きました" in sato.text
    talk_id = office.talk().id
    line = office.store.transact(lambda rows: talks.lines(rows, talk_id))[-1]
    assert line.author == "staff"
    assert json.loads(line.body or "") == {"text": "はじめまして。\n相談員の佐藤です。", "speaker": "佐藤"}


async def test_a_reply_keeps_the_promise_and_quiets_the_alarm(office: Office, sato: Browser) -> None:
    code = office.has_case(promise=timedelta(minutes=30), rings=True)
    await sato.claims(code)
    office.resident_says("死にたい")
    office.rings()
    await sato.opens(f"/desk/cases/{code}")
    await sato.replies(code, "ここにいます")
    assert office.rows("SELECT state FROM promise") == [("kept",)]
    assert office.rows("SELECT count(*) FROM alarm WHERE acknowledged_at IS NULL") == [(0,)]
    assert office.rows("SELECT promise_at, first_reply_at IS NOT NULL FROM care_case") == [(None, 1)]


@pytest.mark.parametrize("other_acts", ["reply", "claim"])
@pytest.mark.requirement("R23")
async def test_when_a_colleague_was_faster_nothing_is_sent_and_both_texts_are_shown(
    office: Office, sato: Browser, tanaka: Browser, other_acts: str
) -> None:
    code = office.has_case()
    await sato.claims(code)
    await sato.opens(f"/desk/cases/{code}")
    await tanaka.opens(f"/desk/cases/{code}")
    await tanaka.posts(f"/desk/cases/{code}/claim", instead="yes")
    if other_acts == "reply":
        await tanaka.replies(code, "田中が書きました")
        sent = len(office.line.posted)
        stale = sato.field("expected_version", "/reply")
        await sato.posts(f"/desk/cases/{code}/claim", instead="yes")
        await sato.replies(code, "佐藤の文", expected_version=stale)
        assert "田中が書きました" in sato.text
    else:
        sent = 0
        await sato.replies(code, "佐藤の文")
        assert "田中さんが受け持っています" in sato.text
    assert sato.status == 409
    assert "佐藤の文</textarea>" in sato.page
    assert len(office.line.posted) == sent
    if other_acts == "reply":
        await sato.replies(code, "佐藤の文")
        assert office.line.words[-1] == "佐藤の文"


@pytest.mark.requirement("R10")
async def test_a_reply_to_another_recipient_than_shown_stops(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    await sato.replies(code, "こんにちは", recipient="0" * 24)
    assert sato.status == 409
    assert "送り先が" in sato.text
    assert "こんにちは</textarea>" in sato.page
    assert office.line.posted == []


async def test_nothing_is_written_to_somebody_who_cannot_be_reached(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    talk = office.talk()
    office.store.transact(lambda rows: talks.set_reachable(rows, talk, False))
    await sato.replies(code, "とどかない文")
    assert sato.status == 409
    assert "届けられません" in sato.text
    assert "とどかない文</textarea>" in sato.page
    assert office.rows("SELECT count(*) FROM outbox") == [(0,)]


async def test_a_hidden_address_is_written_to_only_in_the_open_talk_or_at_a_safe_time(office: Office, sato: Browser) -> None:
    code = office.has_case("夫になぐられる", hidden=True)
    await sato.claims(code)
    await sato.replies(code, "読みました")
    assert office.line.words == ["読みました"]
    office.clock.moves(minutes=29)
    await sato.opens(f"/desk/cases/{code}")
    office.clock.moves(minutes=2)
    await sato.opens(f"/desk/cases/{code}")
    await sato.replies(code, "その後いかがですか")
    assert sato.status == 409
    assert "住所などを隠しています" in sato.text
    assert office.line.words == ["読みました"]
    await sato.replies(code, "その後いかがですか", safe_now="yes")
    assert office.line.words == ["読みました", "その後いかがですか"]


@pytest.mark.parametrize(("text", "words"), [("", "文が空です"), ("　\n ", "文が空です"), ("あ" * 4001, "長すぎます"), ("😀" * 2001, "長すぎます")])
async def test_empty_and_endless_replies_come_back(office: Office, sato: Browser, text: str, words: str) -> None:
    code = office.has_case()
    await sato.claims(code)
    await sato.replies(code, text)
    assert sato.status == 422
    assert words in sato.text
    assert office.rows("SELECT count(*) FROM outbox") == [(0,)]


async def test_nobody_replies_before_taking_the_case(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.opens(f"/desk/cases/{code}")
    assert 'id="reply"' not in sato.page
    await sato.replies(code, "先走り", expected_version="1")
    assert sato.status == 409
    assert "先走り" in sato.text
    assert office.line.posted == []


async def test_a_memo_is_kept_sealed_and_never_leaves(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case()
    await tanaka.opens(f"/desk/cases/{code}")
    await tanaka.posts(f"/desk/cases/{code}/note", text="包括に電話する <b>太字</b>")
    await sato.opens(f"/desk/cases/{code}")
    assert "包括に電話する" in sato.text
    assert "<b>太字" not in sato.page
    assert office.line.posted == []
    assert office.rows("SELECT count(*) FROM outbox") == [(0,)]
    assert b"\xe5\x8c\x85" not in office.rows("SELECT body_sealed FROM memo")[0][0]  # type: ignore[operator]


@pytest.mark.requirement("R30")
async def test_what_residents_write_is_shown_as_text(office: Office, sato: Browser) -> None:
    code = office.has_case('<script>alert(1)</script><img src=x onerror="x">', title="<i>斜め</i>")
    page = await sato.opens(f"/desk/cases/{code}")
    await sato.opens("/desk")
    for shown in (page, sato.page):
        assert "<script>alert" not in shown
        assert "<img" not in shown
        assert "<i>" not in shown


async def test_a_refused_reply_is_said_plainly(office: Office, sato: Browser) -> None:
    office.line.answer = Refused("400")
    code = office.has_case()
    await sato.claims(code)
    await sato.replies(code, "こんにちは")
    await sato.opens(f"/desk/cases/{code}")
    assert "送れていません" in sato.text
    assert "送れなかった文があります" in sato.text


async def test_a_reply_held_for_being_old_leaves_when_a_human_lets_it(office: Office, sato: Browser) -> None:
    office.line.answer = TryLater("503", 20_000.0)
    code = office.has_case()
    await sato.claims(code)
    await sato.replies(code, "おそい返事")
    now = office.clock.now() + timedelta(hours=7)
    office.store.transact(lambda rows: outbox.hold_old(rows, now, timedelta(hours=6)))
    await sato.opens(f"/desk/cases/{code}")
    assert "送らずに止めています" in sato.text
    office.line.answer = Sent()
    await sato.posts(f"/desk/cases/{code}/release")
    await office.parts.delivery.idle()
    await sato.opens(f"/desk/cases/{code}")
    assert "届きました" in sato.text


@pytest.mark.requirement("R8")
async def test_unsent_words_are_gone_from_the_desk(office: Office, sato: Browser) -> None:
    code = office.has_case("消したい言葉", title="")
    talk, now = office.talk(), office.clock.now()
    office.store.transact(lambda rows: taken_back.forget(rows, talk, talks.lines(rows, talk.id)[0], now))
    await sato.opens(f"/desk/cases/{code}")
    assert "消したい言葉" not in sato.page
    assert "取り消されました" in sato.text


@pytest.mark.requirement("R46")
async def test_when_the_database_is_down_the_written_reply_is_shown_for_copying(
    office: Office, sato: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = office.has_case()
    await sato.claims(code)
    fields = {"csrf": sato.field("csrf"), "text": "大事な返事", "expected_version": "2", "recipient": sato.field("recipient", "/reply")}
    real = office.store.atransact
    calls = 0

    async def failing(work):  # type: ignore[no-untyped-def]
        nonlocal calls
        calls += 1
        if calls > 1:
            raise StoreDown("OperationalError")
        return await real(work)

    monkeypatch.setattr(office.store, "atransact", failing)
    answer = await sato.http.post(f"/desk/cases/{code}/reply", data=fields)
    assert answer.status_code == 503
    assert "大事な返事</textarea>" in answer.text
    assert "E-" in answer.text


async def test_a_talk_of_a_thousand_lines_opens_with_the_last_hundred_and_every_source_is_a_press_away(office: Office, sato: Browser) -> None:
    code = office.has_case("いちばん初めの言葉")
    for number in range(250):
        office.resident_says(f"言葉その{number}")
    page = await sato.opens(f"/desk/cases/{code}")
    assert page.count("data-seq=") == 100
    assert "言葉その249" in page
    assert "言葉その149" not in page
    assert len(page.encode()) < 200_000
    source = re.search(r'href="(/desk/cases/[^"]+\?from=1)#m-1"', page)
    assert source is not None, "the sheet leads to a line that is folded away"
    whole = await sato.opens(html.unescape(source[1]))
    assert 'id="m-1"' in whole
    assert whole.count("data-seq=") == 251
    older = re.search(r'href="([^"#]+)#m-152">これより前を表示', page)
    assert older is not None
    assert (await sato.opens(html.unescape(older[1]))).count("data-seq=") == 200


async def test_the_next_contact_is_decided_while_the_talk_goes_on(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    await sato.posts(f"/desk/cases/{code}/next-contact", next="R8.12.4", half="pm", expected_version=sato.field("expected_version", "/next-contact"))
    assert "次の連絡 令和8年12月4日（金）" in sato.text
    assert office.rows("SELECT kind FROM promise WHERE state = 'open'") == [("next_contact",)]

    await sato.posts(f"/desk/cases/{code}/next-contact", next="8/12/5", half="am", expected_version=sato.field("expected_version", "/next-contact"))
    assert sato.status == 422
    assert "元号" in sato.text
    assert 'value="8/12/5"' in sato.page


async def test_printing_a_page_of_a_case_stands_in_the_audit(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.opens(f"/desk/cases/{code}")
    answer = await sato.http.post(f"/desk/cases/{code}/printed", data={"csrf": sato.field("csrf")})
    assert answer.status_code == 204
    assert ("case.printed",) in office.rows("SELECT act FROM audit")
