"""国の帳票, field by field: where everything is known none is 未確認, where nothing is each says so, alike on paper, in Excel and in CSV."""

import csv
import html
import io
import re
from collections.abc import Callable

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from bot.desk import national_forms
from bot.desk.national_forms import Field
from knowledge.complaints import TOPIC_WORDS
from tests.desk.conftest import Browser, Office, joins
from tests.desk.test_sheets import first_line

AGENCY = "地域包括支援センター（見本）"
FORMS = tuple(national_forms.read().forms)
OF_FIELDS = tuple(name for name in FORMS if name != "progress")


def tab(code: str, name: str) -> str:
    return f"/desk/cases/{code}/{name}"


def answer_to(field: Field) -> str:
    """The last choice of the field, or words that name it."""
    return field.choices[-1][0] if field.choices else f"見本：{field.label}"


def words_of(field: Field) -> str:
    return field.choices[-1][1] if field.choices else f"見本：{field.label}"


async def on_paper(browser: Browser, code: str, form: str) -> list[list[str]]:
    """The rows of the printed sheet, a section told once given to each of its rows."""
    await browser.opens(tab(code, f"forms/{form}"))
    rows, section = [], ""
    for row in re.findall(r"<tr>(.*?)</tr>", browser.page.partition("<tbody>")[2], re.DOTALL):
        cells = [html.unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
        if 'scope="rowgroup"' in row:
            section = cells.pop(0)
        rows.append(cells if form == "progress" else [section, *cells])
    return rows


async def in_excel(browser: Browser, code: str, form: str) -> list[list[str]]:
    book = openpyxl.load_workbook(io.BytesIO((await browser.http.get(tab(code, f"forms/{form}/xlsx"))).content))
    sheet = book.active
    assert sheet is not None
    assert not sheet.merged_cells.ranges, "one cell, one value"
    assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "portrait"), "A4"
    widths = [sheet.column_dimensions[get_column_letter(number)].width for number in range(1, sheet.max_column + 1)]
    assert all(width >= 12 for width in widths), "every column can be read"
    return [[str(cell.value) for cell in row] for row in sheet.iter_rows(min_row=2)]


async def as_csv(browser: Browser, code: str, form: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO((await browser.http.get(tab(code, f"forms/{form}/csv"))).content.decode("utf-8-sig"))))[1:]


@pytest.fixture
async def whole(office: Office, sato: Browser) -> str:
    """A case in which everything a sheet asks is known; its code."""
    code = office.has_case()
    await sato.claims(code)
    await sato.opens(tab(code, "sheet"))
    asked = national_forms.to_ask("reception", "reception_without_consent", "assessment")
    await sato.posts(tab(code, "answers"), expected_version="0", **{f"a.{field.id}": answer_to(field) for field in asked})
    await sato.opens(tab(code, "sheet"))
    await sato.posts(tab(code, "topics"), mark=sato.field("mark", "/topics"), first="T12", topic="T02")
    await sato.opens(tab(code, "household"))
    father = {"name": "見本 一郎", "relation": "父", "birth": "昭和19年", "state": "入院中", "consent": "yes"}
    await sato.posts(tab(code, "household"), member="", expected_version="0", **father)
    await sato.opens(tab(code, "consents"))
    await sato.posts(tab(code, "consents"), recipient=AGENCY, more="退院のこと", how="heard", days="30", expected_version="1")
    await sato.opens(tab(code, "referrals"))
    consent = re.search(r'<select id="consent".*?value="([0-9a-f]{32})"', sato.page, re.DOTALL)
    assert consent is not None
    wanted = {"recipient": AGENCY, "purpose": "家に来てほしい", "line": first_line(sato.page), "until": "R8.12.31"}
    await sato.posts(tab(code, "referrals"), basis="consent", consent=consent[1], **wanted)
    await sato.opens(tab(code, "meetings"))
    met = {"held_on": "R8.12.8", "members": "包括、保健所", "shown": "退院の日", "decisions": "包括が家を見る", "next_on": "R9.3.8"}
    await sato.posts(tab(code, "support-meetings"), why="本人が拒んでいて、命が心配", pledged="yes", **met)
    await sato.posts(tab(code, "coordination-meetings"), consent=consent[1], purpose="プランを決める", **met)
    goal = {"goal": "手すりをつける", "who": "包括", "until": "R9.1.31", "how": "下見がすんだ"}
    planned = {f"a.{field.id}": answer_to(field) for field in national_forms.to_ask("plan", "evaluation")}
    dates = {"made_on": "R8.12.10", "review_on": "R9.3.10"}
    await sato.posts(tab(code, "plans"), own_words="家で父とくらしたい", plan="", expected_version="0", **dates, **goal, **planned)
    await sato.opens(tab(code, "history"))
    await sato.posts(tab(code, "history"), on="R8.11.20", at="10:30", method="visit_there", text="父と会った")
    return code


@pytest.mark.parametrize("form", OF_FIELDS)
async def test_where_everything_is_known_every_field_of_every_sheet_says_it(whole: str, sato: Browser, form: str) -> None:
    told = {label: value for _, label, value in await as_csv(sato, whole, form)}

    assert list(told) == [field.label for field in national_forms.fields_of(form)]
    assert [label for label, value in told.items() if value == national_forms.UNKNOWN] == []
    for field in national_forms.to_ask(form):
        assert field.section == "会議" or words_of(field) in told[field.label]


@pytest.mark.parametrize("form", FORMS)
async def test_paper_and_excel_and_csv_say_the_same(whole: str, office: Office, sato: Browser, form: str) -> None:
    empty = office.has_case(who="U2")
    for code in (whole, empty):
        rows = await as_csv(sato, code, form)
        assert await on_paper(sato, code, form) == rows
        assert await in_excel(sato, code, form) == rows


@pytest.mark.parametrize("form", OF_FIELDS)
async def test_where_nothing_is_known_no_field_is_left_out_or_blank(office: Office, sato: Browser, form: str) -> None:
    told = {label: value for _, label, value in await as_csv(sato, office.has_case(), form)}
    asked = [field.label for field in national_forms.to_ask(form) if field.section not in ("会議", "相談内容")]

    assert list(told) == [field.label for field in national_forms.fields_of(form)]
    assert all(told.values())
    assert [told[label] for label in asked] == [national_forms.UNKNOWN] * len(asked)


async def test_what_only_a_person_knows_is_asked_in_the_order_of_the_sheets(office: Office, sato: Browser) -> None:
    await sato.opens(tab(office.has_case(), "sheet"))

    legends = re.findall(r'<fieldset class="group"><legend>(.*?)</legend>', sato.page)

    asked = national_forms.to_ask("reception", "reception_without_consent", "assessment")
    assert legends == list(dict.fromkeys(field.section for field in asked))


async def test_the_progress_of_support_has_the_fields_of_its_sheet_as_columns(whole: str, sato: Browser) -> None:
    page = (await sato.http.get(tab(whole, "forms/progress/csv"))).content.decode("utf-8-sig")

    header, row = csv.reader(io.StringIO(page))

    assert sorted(header) == sorted(field.label for field in national_forms.fields_of("progress"))
    assert row == [whole, "令和8年11月20日（金）10:30", "訪問", "佐藤", "父と会った", "プラン中"]


async def test_a_case_whose_plan_is_due_waits_for_its_evaluation(whole: str, office: Office, a_browser: Callable[..., Browser]) -> None:
    office.clock.moves(days=120)
    tanaka = await joins(a_browser(), "田中", "tanaka")

    assert (await as_csv(tanaka, whole, "progress"))[0][-1] == "評価待ち"


async def test_what_was_taken_back_is_told_with_its_hour_and_no_longer_as_a_yes(whole: str, sato: Browser) -> None:
    await sato.opens(tab(whole, "consents"))
    withdraw = re.search(r'action="([^"]+/withdraw)"', sato.page)
    assert withdraw is not None
    await sato.posts(withdraw[1])

    told = {row[1]: row[2] for row in await as_csv(sato, whole, "reception")}

    assert told["同意の撤回日時"].startswith("令和8年11月24日")
    assert AGENCY in told["同意の撤回日時"]
    assert told["必要な関係機関（者）と情報共有することへの同意"].startswith("いいえ")
    assert told["提供先の機関名・組織名"] == "未確認"


def test_whoever_edits_knowledge_reads_the_topics_as_the_national_sheet_names_them() -> None:
    on_the_sheet = next(dict(field.choices) for field in national_forms.fields_of("reception") if field.id == "topic.selected")
    assert on_the_sheet.keys() == TOPIC_WORDS.keys()
    assert all(on_the_sheet[code].startswith(words) for code, words in TOPIC_WORDS.items())
