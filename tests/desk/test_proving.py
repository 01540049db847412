"""Files leave the desk only for who proved again that it is them (R33)."""

import re

import pyotp
import pytest

from tests.desk.conftest import PASSWORD, Browser, Office

pytestmark = pytest.mark.requirement("R33")

FILES = ("/desk/figures.csv?months=3", "/desk/figures.xlsx", "/desk/gaps.csv")


async def test_a_cookie_alone_brings_no_file_out(office: Office, sato: Browser) -> None:
    code = office.has_case()
    assert (await sato.http.get("/desk/figures.csv")).headers["content-type"].startswith("text/csv"), "just signed in: proven"
    office.clock.moves(minutes=11)
    for path in (*FILES, f"/desk/cases/{code}/forms/reception/csv", f"/desk/cases/{code}/forms/reception/xlsx"):
        answer = await sato.http.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/desk/prove?back=%2Fdesk%2F")


async def test_the_password_opens_it_where_there_is_no_factor_yet_and_for_ten_minutes(office: Office, sato: Browser) -> None:
    office.clock.moves(minutes=11)
    await sato.opens(FILES[0])
    assert sato.path == "/desk/prove"
    await sato.posts("/desk/prove", password="ちがう合言葉です", back=sato.field("back"))
    assert sato.status == 401
    answer = await sato.posts("/desk/prove", password=PASSWORD, back=sato.field("back"))
    assert answer.headers["location"] == FILES[0]
    assert "項目" in sato.page
    office.clock.moves(minutes=11)
    assert (await sato.http.get(FILES[0])).status_code == 303


async def test_with_an_authenticator_only_its_code_opens_it(office: Office, sato: Browser) -> None:
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", await sato.opens("/desk/factor"))
    assert found
    app = pyotp.TOTP(found[1].replace(" ", ""))
    await sato.posts("/desk/factor", code=app.at(office.clock.now()), password=PASSWORD)
    await sato.opens("/desk")
    office.clock.moves(minutes=11)
    await sato.opens(FILES[1])
    await sato.posts("/desk/prove", password=PASSWORD, back="/desk/figures.xlsx")
    assert sato.status == 401, "a password is not asked for, and does not help"
    code = app.at(office.clock.now())
    answer = await sato.posts("/desk/prove", code=code, back="/desk/figures.xlsx")
    assert answer.headers["location"] == "/desk/figures.xlsx"
    office.clock.moves(minutes=11)
    await sato.opens(FILES[1])
    await sato.posts("/desk/prove", code=code, back="/desk/figures.xlsx")
    assert sato.status == 401, "each code once"


@pytest.mark.parametrize(
    "back", ["https://evil.example", "//evil.example", "/desk//evil.example", "/desk/../say", "/deskx", "javascript:alert(1)", "/desk/\\evil"]
)
async def test_the_way_back_never_leads_outside(office: Office, sato: Browser, back: str) -> None:
    await sato.opens(f"/desk/prove?back={back}")
    assert sato.field("back") == "/desk"
    answer = await sato.posts("/desk/prove", password=PASSWORD, back=back)
    assert answer.headers["location"] == "/desk"
