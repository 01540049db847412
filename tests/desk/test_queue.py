"""受付: order, masks, counts, views, the alarm on every page, tasks (desk.md §2, §9)."""

import re
from datetime import timedelta

import pytest

from storage import desk_queue, records
from storage.desk_queue import Viewer
from tests.desk.conftest import Browser, Office


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
    assert "生活費" not in sato.page
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
