"""ふりかえり: every number on the page is counted again here, straight from the rows and in another way (desk.md §5, R33)."""

import csv
import html
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree

import openpyxl
import pytest
from sqlmodel import Session

from bot.clock import JST
from storage import cases, gaps, helping, records
from storage import talk as talks
from tests.desk.conftest import Browser, Office, joins
from tests.desk.test_sheets import refers

NewBrowser = Callable[..., Browser]


@pytest.fixture
async def lead(a_browser: NewBrowser) -> Browser:
    return await joins(a_browser(), "係長", "kakaricho", role="lead")


def a_year_of(office: Office, people: int = 60, *, every: float = 9.0) -> None:
    """Residents from last April until now, one `every` so many days: some get cards, some a case, some nothing that fits."""
    start = datetime(2025, 4, 3, 1, 0, tzinfo=UTC)

    def life(rows: Session) -> None:
        for number in range(people):
            at = start + timedelta(days=number * every, hours=number % 11)
            talk = talks.find_or_open(rows, "line" if number % 4 else "web", f"R{number}", at)
            talk, _ = talks.add_line(rows, talk, author="resident", kind="text", body="{}", now=at)
            session = json.dumps({"lang": "en" if number % 15 == 0 else "ja", "area": "東浜" if number % 2 else None})
            talk = talks.save(rows, replace(talk, flow_session=session), at)
            decision = ("answer", "several", "gap")[number % 3]
            cards = [] if decision == "gap" else ["food-bank"]
            records.note_outcome(rows, talk, kind="match", detail={"decision": decision, "cards": cards}, now=at)
            if decision == "gap":
                gaps.note(rows, reasons=["age", "full"][: 1 + number % 2], domain="T13", source="bot", now=at)
            if number % 2:
                promise = at + timedelta(hours=2)
                case = cases.open_or_add(
                    rows, talk, reason="asked_human", urgency=0, title="x", sheet="[]", topics=("T12", "T03")[: 1 + number % 2], shares_story=True,
                    restricted=False, promise_at=promise, now=at,
                )  # fmt: skip
                records.promise(rows, talk, kind="reply", due_at=promise, case_id=case.id)
                records.keep_promises(rows, talk.id, "reply", at + timedelta(hours=1 if number % 5 else 3))
            if number % 6 == 0:
                helping.note_offer(rows, talk, skill="大工", when="土日", now=at)

    office.store.transact(life)


def fiscal(written: object) -> int | None:
    """The 年度 of a time between April and September, as the page compares them; None for the rest of a year."""
    day = datetime.fromisoformat(str(written)).replace(tzinfo=UTC).astimezone(JST).date()
    return day.year if 4 <= day.month <= 9 else None


def shown(page: str, label: str) -> tuple[str, str]:
    """This year's number and last year's, as they stand under this label."""
    found = re.search(rf"<h2>令和.*?<dt>{re.escape(label)}</dt><dd><b[^>]*>([^<]*)</b>.*?（([^）]*)）", page, re.DOTALL)
    assert found, label
    return found[1], found[2]


def read(many: int, rest: int = 0) -> str:
    """A count as it must be read; `rest`: what is missing to a whole that is shown."""
    if 0 < many < 10:
        return "10未満"
    return "秘匿" if 0 < rest < 10 and many else f"{many:,}"


def agrees(told: str, wanted: str) -> bool:
    """A number may say 「31以上」 where the page of the quarter before would give its rest away (R33); then it is no further off than that.

    For the same reason one that was hidden there stays so until it has grown by ten.
    """
    if told == "秘匿":
        return wanted in {"秘匿", "10未満"} or int(wanted.replace(",", "")) < 20
    if not told.endswith("以上"):
        return told == wanted
    return wanted == "秘匿" or 0 <= int(wanted.replace(",", "")) - int(told.removesuffix("以上").replace(",", "")) < 25


async def test_the_numbers_are_those_of_the_rows_for_both_years(office: Office, sato: Browser) -> None:
    a_year_of(office)
    page = await sato.opens("/desk/figures")
    matches = [(fiscal(at), talk, json.loads(detail)) for at, talk, detail in office.rows("SELECT at, conversation_id, detail FROM outcome")]
    opened = [(fiscal(at), talk) for at, talk in office.rows("SELECT opened_at, conversation_id FROM care_case")]
    for place, year in ((0, 2026), (1, 2025)):
        everybody = {talk for of, talk, _ in matches if of == year}
        with_human = {talk for of, talk in opened if of == year}
        assert agrees(shown(page, "受けた相談")[place], read(len(everybody)))
        assert agrees(shown(page, "うち、人につないだ")[place], read(len(with_human), len(everybody - with_human)))
        assert agrees(shown(page, "うち、機械だけが答えた")[place], read(len(everybody - with_human), len(with_human)))
        without = {talk for of, talk, detail in matches if of == year and detail["decision"] == "gap"}
        assert agrees(shown(page, "うち、合う支えが見つからなかった")[place], read(len(without), len(everybody - without)))
        assert agrees(shown(page, "制度の狭間")[place], read(sum(fiscal(at) == year for (at,) in office.rows("SELECT at FROM gap"))))
        promised = [(due, done) for due, done in office.rows("SELECT due_at, done_at FROM promise WHERE kind = 'reply'") if fiscal(due) == year]
        kept = sum(str(done) <= str(due) for due, done in promised)
        assert agrees(shown(page, "返事の約束")[place], read(len(promised)))
        assert agrees(shown(page, "うち、約束どおりの返事")[place], read(kept, len(promised) - kept))
        assert agrees(shown(page, "手伝いの申し出")[place], read(sum(fiscal(at) == year for (at,) in office.rows("SELECT at FROM offer"))))
        assert agrees(shown(page, "住民からの書きこみ")[place], read(sum(fiscal(at) == year for (at,) in office.rows("SELECT at FROM message"))))


async def test_hours_of_writing_are_counted_by_weekday_in_japan(office: Office, sato: Browser) -> None:
    a_year_of(office, 200)
    office.clock.moves(days=1300)
    sato = await joins(Browser(office), "山本", "yamamoto")
    page = html.unescape(await sato.opens("/desk/figures?year=2026"))
    times = [datetime.fromisoformat(str(at)).replace(tzinfo=UTC).astimezone(JST) for (at,) in office.rows("SELECT at FROM message")]
    of_year = [at for at in times if date(2026, 4, 1) <= at.date() < date(2027, 4, 1)]
    by_day = Counter("月火水木金土日"[at.weekday()] for at in of_year)
    table = page[page.index("書かれた曜日と時間") :]
    for day, many in by_day.items():
        row = re.search(rf'<th scope="row">{day}</th>(.*?)</tr>', table, re.DOTALL)
        assert row
        total = re.findall(r"<td>([^<]*)</td>", row[1])[-1]
        assert total in (read(many), "秘匿")


async def test_no_small_number_stands_in_any_cell_on_the_page_or_in_a_sheet(office: Office, sato: Browser) -> None:
    a_year_of(office)
    page = await sato.opens("/desk/figures")
    cells = re.findall(r"<td>([^<]*)</td>|<dd><b[^>]*>([^<]*)</b>", page)
    sheet = list(csv.reader(io.StringIO((await sato.http.get("/desk/figures.csv")).content.decode("utf-8-sig"))))
    book = openpyxl.load_workbook(io.BytesIO((await sato.http.get("/desk/figures.xlsx")).content))
    told = {a or b for a, b in cells} | {row[6] for row in sheet[1:]} | {row[7] for row in sheet[1:]}
    told |= {str(cell) for one in book for row in one.iter_rows(min_row=2, values_only=True) for cell in row}
    assert told & {"10未満", "秘匿"}
    assert not told & {str(many) for many in range(1, 10)}
    assert sheet[0][:3] == ["期間", "期間（和暦）", "表"]
    assert ("figures.read",) in office.rows("SELECT act FROM audit")


async def test_a_closed_month_keeps_its_numbers_and_only_a_lead_closes_it(office: Office, sato: Browser, lead: Browser) -> None:
    a_year_of(office)
    await sato.opens("/desk/figures")
    assert "月締め" not in sato.text
    assert (await sato.http.post("/desk/figures/close", data={"csrf": sato.field("csrf"), "month": "2026-10"})).status_code == 404
    before = shown(await lead.opens("/desk/figures"), "住民からの書きこみ")
    await lead.posts("/desk/figures/close", month="2026-11")
    assert lead.status == 422, "a month that is not over"
    await lead.opens("/desk/figures")
    assert lead.field("month") == "2026-10"
    await lead.posts("/desk/figures/close", month="2026-10")
    office.store.transact(lambda rows: rows.connection().exec_driver_sql("DELETE FROM message WHERE at < '2026-08-20'"))
    after = shown(await lead.opens("/desk/figures"), "住民からの書きこみ")
    assert after == before
    assert "10月・11月（途中）" in lead.text, "a quarter is told as a whole"
    office.clock.moves(days=130)
    lead = await joins(Browser(office), "課長", "kacho", role="lead")
    await lead.opens("/desk/figures?year=2026")
    assert "令和8年度 4月〜12月" in lead.text, "what has been over for thirty days is closed by itself"
    assert len(office.rows("SELECT act FROM audit WHERE act = 'month.closed'")) == 23


async def test_referrals_stand_with_what_came_of_them(office: Office, sato: Browser) -> None:
    for number in range(12):
        code = office.has_case(who=f"U{number}")
        await refers(sato, code, basis="danger", danger="倒れている", recipient="包括（見本）" if number else "税務課（見本）")
    office.clock.moves(days=75)
    sato = await joins(Browser(office), "山本", "yamamoto")
    page = await sato.opens("/desk/figures")
    table = page[page.index("つないだ先と結果") : page.index("制度の狭間の理由")]
    assert re.findall(r'<th scope="row">([^<]*)</th><td>([^<]*)</td><td>([^<]*)</td>', table) == [
        ("包括（見本）", "秘匿", "秘匿"), ("税務課（見本）", "10未満", "10未満"), ("計", "12", "12"),
    ]  # fmt: skip


async def test_a_town_without_any_talk_is_told_so(sato: Browser) -> None:
    await sato.opens("/desk/figures")
    assert "まだ相談がありません" in sato.text


@pytest.mark.parametrize("query", ["year=1", "year=２０２６", "months=99", "months=-1", "year=abc&months="])
async def test_a_strange_question_shows_this_year(office: Office, sato: Browser, query: str) -> None:
    a_year_of(office, 60)
    await sato.opens(f"/desk/figures?{query}")
    assert sato.status == 200
    assert "令和8年度 4月〜9月" in sato.text


@pytest.mark.requirement("R33")
async def test_pages_of_different_days_cannot_be_subtracted_from_one_another(office: Office, sato: Browser) -> None:
    a_year_of(office)
    longest = await sato.opens("/desk/figures")
    assert re.findall(r'<option value="(\d+)"[^>]*>\d+月まで', longest) == ["3", "6"], "ends of closed quarters"
    views = [longest, await sato.opens("/desk/figures?months=3")]
    for label in ("受けた相談", "うち、人につないだ", "返事の約束", "手伝いの申し出", "制度の狭間"):
        exact = [int(number) for view in views if (number := shown(view, label)[0]).isdecimal()]
        assert all(one - other not in range(1, 10) for one in exact for other in exact), (label, exact)
    assert shown(await sato.opens("/desk/figures?months=5"), "受けた相談") == shown(longest, "受けた相談"), "no such view"


def running(page: str) -> dict[str, str]:
    """The numbers of the quarter that is not over."""
    begins = page.index('aria-label="途中の四半期"')
    part = page[begins : page.index("</section>", begins)]
    return {label: re.sub("<[^>]+>", "", many) for label, many in re.findall(r"<dt>([^<]*)</dt><dd>(.*?)</dd>", part)}


@pytest.mark.requirement("R33")
async def test_of_the_quarter_that_runs_one_more_is_not_seen_and_ten_are_told(office: Office, sato: Browser) -> None:
    assert "途中の四半期" not in await sato.opens("/desk/figures"), "nobody has come"
    for number in range(9):
        office.has_case(who=f"U{number}")
    before = running(await sato.opens("/desk/figures"))
    assert before["受けた相談"] == before["できた相談票"] == before["プラン"] == "10未満"
    office.has_case(who="U9")
    for number in range(9):
        after = running(await sato.opens("/desk/figures"))
        assert after["受けた相談"] == "10〜19件"
        office.has_case(who=f"V{number}")
    assert "うち、" not in "".join(after), "parts of a sum would give one another away"


@pytest.mark.requirement("R33")
async def test_a_district_is_told_from_the_masked_table_and_nothing_else_is_told_of_it(office: Office, sato: Browser) -> None:
    a_year_of(office)
    await sato.opens("/desk/figures?area=東浜")
    assert re.search(r'<th scope="row">計</th><td>(\d+|秘匿)</td>', sato.page)
    assert "うち、人につないだ" not in sato.page
    whole = await sato.opens("/desk/figures?area=どこか")
    assert "うち、人につないだ" in whole, "no such district: all of them"
    line = re.search(r'<th scope="row">東浜</th>(.*?)</tr>', whole, re.DOTALL)
    assert line
    cells = re.findall(r"<td>([^<]*)</td>", line[1])
    filtered = await sato.opens("/desk/figures?area=東浜")
    assert re.findall(r'<th scope="row">[^<]*</th><td>([^<]*)</td>', filtered[filtered.index("できた相談票（") :])[: len(cells)] == cells


async def test_last_years_quarter_stands_beside_this_years_as_it_was_told_then(office: Office, sato: Browser) -> None:
    a_year_of(office)
    beside = shown(await sato.opens("/desk/figures?months=6"), "受けた相談")[1]
    assert beside == shown(await sato.opens("/desk/figures?year=2025&months=6"), "受けた相談")[0]


async def test_charts_are_drawn_by_the_server_and_hide_what_the_table_hides(office: Office, sato: Browser) -> None:
    a_year_of(office)
    page = await sato.opens("/desk/figures")
    images = re.findall(r'<img class="chart" src="([^"]*)"[^>]* alt="([^"]*)"', page)
    assert 0 < len(images) <= 8
    assert all("同じ数が下の表" in alt for _, alt in images)
    address = html.unescape(next(src for src, alt in images if "ことば" in alt))
    answer = await sato.http.get(address)
    assert answer.headers["content-type"].startswith("image/svg+xml")
    drawn = ElementTree.fromstring(answer.text)
    words = ["".join(one.itertext()) for one in drawn.iter() if one.tag.endswith("}text")]
    table = page[page.index('aria-label="ことば"') :]
    told = re.findall(r"<td>([^<]*)</td>", table[: table.index("</section>")])
    assert set(told) <= set(words), "every number of the table, as it may be read"
    assert not set(words) & {str(many) for many in range(1, 10)}
    assert [one.tag.split("}")[1] for one in drawn][:2] == ["title", "desc"]
    assert "日本語 今年度" in drawn[1].text
    tags = {one.tag.split("}")[1] for one in drawn.iter()}
    assert not tags & {"script", "style", "image", "foreignObject", "a"}, "nothing that a strict page would have to allow"
    assert not any(name in ("style", "href") or name.startswith("on") for one in drawn.iter() for name in one.attrib)


async def test_a_chart_is_there_whichever_process_is_asked_and_only_for_staff(office: Office, sato: Browser, a_browser: NewBrowser) -> None:
    a_year_of(office)
    page = await sato.opens("/desk/figures?months=3")
    address = html.unescape(re.findall(r'<img class="chart" src="([^"]*)"', page)[0])
    office.parts.charts._wanted.clear()
    assert (await sato.http.get(address)).status_code == 200
    assert (await sato.http.get("/desk/figures/charts/x/nothing.svg")).status_code == 404
    assert (await a_browser().http.get(address)).status_code != 200
