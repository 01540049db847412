"""受付: order, masks, counts, views, the alarm on every page, tasks (desk.md §2, §9)."""

import asyncio
import re
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from bot.desk import router as desk
from bot.desk.access import cookie_name
from storage import desk_queue, records
from storage.desk_queue import Viewer
from tests.desk.conftest import URL, Browser, Office


def _order(browser: Browser) -> list[str]:
    return re.findall(r'<tr data-code="([^"]+)"', browser.page)


async def test_danger_comes_first_then_the_promised_time(office: Office, sato: Browser) -> None:
    later = office.has_case("学校のこと", who="U1", promise=timedelta(hours=2))
    none = office.has_case("約束のない人", who="U2")
    soon = office.has_case("家賃のこと", who="U3", promise=timedelta(minutes=20))
    danger = office.has_case("もう限界", who="U4", urgency=2, promise=timedelta(hours=5))
    await sato.opens("/desk")
    assert _order(sato) == [danger, soon, later, none]


async def test_next_one_is_the_first_of_the_queue_and_then_the_second(office: Office, sato: Browser, tanaka: Browser) -> None:
    second = office.has_case("あと", who="U1", promise=timedelta(hours=2))
    first = office.has_case("さき", who="U2", urgency=1)
    await sato.opens("/desk")
    await sato.posts("/desk/next")
    await tanaka.posts("/desk/next")
    assert sato.path == f"/desk/cases/{first}"
    assert tanaka.path == f"/desk/cases/{second}"


async def test_next_one_with_nobody_waiting_stays_on_the_queue(sato: Browser) -> None:
    await sato.posts("/desk/next")
    assert sato.path == "/desk"
    assert "いま待っている人はいません" in sato.text


async def test_a_restricted_row_shows_neither_topic_nor_words_until_it_is_opened(office: Office, sato: Browser) -> None:
    code = office.has_case("夫になぐられる", restricted=True)
    await sato.opens("/desk")
    assert "なぐられる" not in sato.page
    assert "生活費" not in sato.page.partition("<table")[2].partition("</table>")[0]
    assert "開くまで表示しません" in sato.text
    await sato.opens("/desk/search?q=なぐられる")
    assert _order(sato) == []
    await sato.opens(f"/desk/search?q={code.lower()}")
    assert _order(sato) == [code]


async def test_the_queue_says_how_long_until_the_promise_and_when_it_has_passed(office: Office, sato: Browser) -> None:
    office.has_case(promise=timedelta(minutes=84))
    await sato.opens("/desk")
    assert ">1:24</span>" in sato.page
    office.clock.moves(minutes=25)
    await sato.opens("/desk")
    office.clock.moves(minutes=25)
    await sato.opens("/desk")
    office.clock.moves(minutes=29)
    await sato.opens("/desk")
    office.clock.moves(minutes=10)
    await sato.opens("/desk")
    assert 'class="late"' in sato.page
    assert "過ぎた" in sato.text


async def test_others_see_who_is_answering(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    await tanaka.opens("/desk")
    assert "佐藤さんが対応中" in tanaka.text


@pytest.mark.parametrize(
    ("view", "found"), [("open", True), ("mine", True), ("unanswered", True), ("today", True), ("due", False), ("quiet", False), ("closed", False)]
)
async def test_saved_views(office: Office, sato: Browser, view: str, found: bool) -> None:
    code = office.has_case(promise=timedelta(hours=1))
    await sato.claims(code)
    await sato.opens(f"/desk?view={view}")
    assert (_order(sato) == [code]) is found


async def test_answered_cases_leave_the_view_of_the_unanswered_and_quiet_ones_turn_up_after_eight_days(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    await sato.replies(code, "こんにちは")
    await sato.opens("/desk?view=unanswered")
    assert _order(sato) == []
    viewer = Viewer("x", "x", "lead", "staff:x")
    later = office.clock.now() + timedelta(days=9)
    assert [row.code for row in office.store.transact(lambda rows: desk_queue.queue(rows, viewer, later, view="quiet"))] == [code]


async def test_the_alarm_stands_on_every_page_and_in_the_title_without_a_word_of_what_was_said(office: Office, sato: Browser) -> None:
    office.has_case("死にたい", who="U1", urgency=2, restricted=True, rings=True)
    other = office.has_case("家賃", who="U2")
    for path in ("/desk", f"/desk/cases/{other}", "/desk/tasks", "/desk/help", "/desk?view=mine"):
        await sato.opens(path)
        assert "<title>緊急 1件" in sato.page
        assert "待っています" in sato.text
        assert "死にたい" not in sato.page


async def test_taking_the_alarm_opens_its_case_and_is_quiet_for_all(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case("死にたい", urgency=2, restricted=True, rings=True)
    await sato.opens("/desk")
    address = re.search(r'action="(/desk/alarms/[^"]+)"', sato.page)
    assert address
    await sato.posts(address[1])
    assert sato.path == f"/desk/cases/{code}"
    await tanaka.opens("/desk")
    assert "緊急 1件" not in tanaka.page
    assert office.rows("SELECT acknowledged_by IS NOT NULL FROM alarm") == [(1,)]


async def test_an_alarm_without_a_case_gets_one_when_it_is_taken(office: Office, sato: Browser) -> None:
    office.has_case("前の相談", rings=False)
    await sato.claims(code := _first(office))
    await sato.ends(code, "close", reason="settled", no_next="yes", choice="none")
    office.resident_says("死にたい")
    office.rings()
    await sato.opens("/desk")
    address = re.search(r'action="(/desk/alarms/[^"]+)"', sato.page)
    assert address
    await sato.posts(address[1])
    assert sato.path.startswith("/desk/cases/")
    assert not sato.path.endswith(code)
    assert "受け持ち中" in sato.text


async def test_tasks_are_listed_with_their_notes_and_can_be_finished(office: Office, sato: Browser) -> None:
    office.has_case()
    talk, now = office.talk(), office.clock.now()
    note = '{"where": "みなと町2丁目", "seen": "新聞がたまっている"}'
    office.store.transact(lambda rows: records.add_task(rows, kind="check_third_person", now=now, talk=talk, note=note))
    await sato.opens("/desk/tasks")
    assert "みなと町2丁目" in sato.text
    address = re.search(r'action="(/desk/tasks/[^"]+)"', sato.page)
    assert address
    await sato.posts(address[1])
    assert "やることはありません" in sato.text
    assert ("task.done",) in office.rows("SELECT act FROM audit")


async def test_sizes_are_remembered(sato: Browser) -> None:
    await sato.posts("/desk/size", size="4", back="/desk/help")
    assert sato.path == "/desk/help"
    assert 'data-size="4"' in sato.page


async def test_going_back_after_a_size_never_leaves_the_desk(sato: Browser) -> None:
    answer = await sato.http.post("/desk/size", data={"size": "1", "back": "//evil.example"})
    assert answer.headers["location"] == "/desk"


async def test_five_hundred_cases_come_a_hundred_at_a_time_and_the_first_page_is_light(office: Office, sato: Browser) -> None:
    codes = [office.has_case(f"相談 {number}" + "あ" * 30, who=f"U{number}", promise=timedelta(minutes=number)) for number in range(500)]
    page = await sato.opens("/desk")
    assert _order(sato) == codes[:100]
    assert len(page.encode()) <= 200_000
    await sato.opens("/desk?view=open&page=5")
    assert _order(sato) == codes[400:]
    assert "次の100件" not in sato.text
    await sato.opens("/desk?page=6")
    assert _order(sato) == []
    for odd in ("0", "-1", "x", "²", "99999999"):
        await sato.opens(f"/desk?page={odd}")
        assert sato.status == 200


async def test_an_empty_queue_names_the_next_promise(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    await sato.ends(code, "close", reason="settled", next="R8.11.26", half="am", choice="none")
    await sato.opens("/desk")
    assert "次の約束は 11/26 12:00 です" in sato.text



def _first(office: Office) -> str:
    return str(office.rows("SELECT code FROM care_case")[0][0])


async def test_a_danger_nobody_has_taken_shows_no_word_of_it_and_search_does_not_find_it_by_one(office: Office, sato: Browser) -> None:
    code = office.has_case("もう死にたい", urgency=2)
    await sato.opens("/desk")
    assert "死" not in sato.text
    assert "（開くまで表示しません）" in sato.text
    await sato.opens("/desk/search?q=死")
    assert code not in sato.text

    await sato.claims(code)
    await sato.opens("/desk")
    assert "もう死にたい" in sato.text


async def test_the_queue_is_narrowed_by_topic_way_and_coordinator(office: Office, sato: Browser) -> None:
    mine = office.has_case("家賃のこと", who="U1")
    other = office.has_case("学校のこと", who="U2")
    shut = office.has_case("夫のこと", who="U3", restricted=True)
    await sato.claims(mine)
    me = re.search(r'<option value="([0-9a-f]{32})"', await sato.opens("/desk"))
    assert me
    await sato.opens(f"/desk?whose={me[1]}")
    assert _order(sato) == [mine]
    await sato.opens("/desk?whose=nobody&channel=line")
    assert set(_order(sato)) == {other, shut}
    await sato.opens("/desk?channel=web")
    assert _order(sato) == []
    assert "この絞り込みに合う相談は、ありません" in sato.text
    await sato.opens("/desk?topic=okane")
    assert set(_order(sato)) == {mine, other}, "what is shut has no topic to be found by"
    await sato.opens("/desk?topic=T01&whose=x&order=y&channel=z")
    assert sato.status == 200


async def test_the_queue_is_read_in_the_order_the_reader_wants(office: Office, sato: Browser) -> None:
    first = office.has_case("さき", who="U1", urgency=1)
    office.clock.moves(minutes=5)
    second = office.has_case("あと", who="U2")
    await sato.opens("/desk?order=newest")
    assert _order(sato) == [second, first]
    office.clock.moves(minutes=5)
    office.resident_says("もうひとつ", who="U1")
    await sato.opens("/desk?order=written&view=open")
    assert _order(sato) == [first, second]


def picks(browser: Browser) -> list[str]:
    return re.findall(r'name="pick" value="([^"]+)"', browser.page)


async def test_one_memo_is_left_on_several_cases(office: Office, sato: Browser) -> None:
    codes = [office.has_case(f"相談{one}", who=f"U{one}") for one in range(3)]
    await sato.opens("/desk")
    ticked = [one for one in picks(sato) if codes[0] not in one]
    answer = await sato.http.post("/desk/together", data={"csrf": sato.field("csrf"), "act": "note", "words": "あす電話する", "pick": ticked})
    assert "2 件のうち 2 件、できました" in re.sub(r"\s+", " ", answer.text)
    for code in codes:
        await sato.opens(f"/desk/cases/{code}")
        assert ("あす電話する" in sato.page) == (code != codes[0])


async def test_several_cases_go_to_a_colleague_and_each_that_cannot_is_named(office: Office, sato: Browser, tanaka: Browser) -> None:
    mine, hers, changed = (office.has_case(f"相談{one}", who=f"U{one}") for one in range(3))
    await sato.claims(mine)
    await sato.claims(changed)
    await tanaka.claims(hers)
    await sato.opens("/desk")
    her_id = next(row[0] for row in office.rows("SELECT id FROM staff WHERE login = 'tanaka'"))
    form = {"csrf": sato.field("csrf"), "act": "pass-on", "to": str(her_id), "words": "休みます", "pick": picks(sato)}
    await sato.opens(f"/desk/cases/{changed}")
    await sato.replies(changed, "読みました")
    answer = (await sato.http.post("/desk/together", data=form)).text
    assert "3 件のうち 1 件、できました" in re.sub(r"\s+", " ", answer)
    assert "ほかの人が受け持っています" in answer
    assert "あなたが開いたあとに変わりました" in answer
    await tanaka.opens(f"/desk/cases/{mine}")
    assert 'id="reply"' in tanaka.page
    assert "休みます" in tanaka.page


async def test_nothing_chosen_says_so_and_keeps_the_words(office: Office, sato: Browser) -> None:
    office.has_case()
    await sato.opens("/desk")
    await sato.posts("/desk/together", act="note", words="長い引きつぎ")
    assert sato.status == 422
    assert "相談が選ばれていません" in sato.text
    assert "長い引きつぎ" in sato.page
    await sato.opens("/desk")
    await sato.posts("/desk/together", act="note", words="よその相談", pick="XXX-XXXX:1")
    assert "1 件のうち 0 件" in sato.text


async def test_many_alarms_stand_in_one_strip(office: Office, sato: Browser) -> None:
    for one in range(4):
        office.has_case(who=f"U{one}", urgency=2, rings=True)
    await sato.opens("/desk")
    assert "ほかに 3 件の緊急" in sato.text
    assert sato.page.partition("<details class=\"alarm-more\"")[0].count("data-alarm aria") == 1


async def test_a_double_press_does_it_once(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    form = {"csrf": sato.field("csrf"), "text": "病院に電話した"}
    first, second = await asyncio.gather(*(sato.http.post(f"/desk/cases/{code}/note", data=form) for _ in range(2)))
    assert (first.status_code, second.status_code) == (303, 303)
    await sato.opens(f"/desk/cases/{code}")
    assert sato.page.count("病院に電話した") == 1
    await sato.posts(f"/desk/cases/{code}/note", text="病院に電話した")
    assert sato.page.count("病院に電話した") == 2, "on a page read anew it is meant"


@pytest.mark.requirement("R23")
async def test_a_double_press_that_reaches_two_processes_does_it_once(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    other = FastAPI(openapi_url=None)
    other.state.parts = office.parts
    other.include_router(desk)
    form = {"csrf": sato.field("csrf"), "text": "病院に電話した"}
    into_it, who = httpx.ASGITransport(app=other), {"headers": sato.http.headers, "cookies": sato.http.cookies}
    async with httpx.AsyncClient(transport=into_it, base_url=URL, **who) as there:
        answers = await asyncio.gather(*(process.post(f"/desk/cases/{code}/note", data=form) for process in (sato.http, there, sato.http, there)))
    assert [answer.status_code for answer in answers] == [303] * 4
    await sato.opens(f"/desk/cases/{code}")
    assert sato.page.count("病院に電話した") == 1


async def test_a_press_of_nobody_leaves_no_row(office: Office, sato: Browser) -> None:
    sato.http.cookies.set(cookie_name(office.parts), "guessed")
    await sato.http.post("/desk/next", data={"csrf": "a.b"})
    assert office.rows("SELECT count(*) FROM press WHERE led_to IS NULL") == [(0,)]


async def test_a_refused_press_may_be_pressed_again(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case()
    await tanaka.claims(code)
    await sato.opens(f"/desk/cases/{code}")
    form = {"csrf": sato.field("csrf")}
    assert (await sato.http.post(f"/desk/cases/{code}/claim", data=form)).status_code == 409
    assert (await sato.http.post(f"/desk/cases/{code}/claim", data=form)).status_code == 409
