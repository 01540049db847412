"""Signing in, out and the first set-up (R25–R29)."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.desk.passwords import Hasher, problem_with
from storage import staff
from tests.desk.conftest import PASSWORD, Browser, Office, joins

NewBrowser = Callable[..., Browser]


@pytest.mark.requirement("R25")
async def test_first_coordinator_comes_in_by_the_one_time_link(office: Office, a_browser: NewBrowser) -> None:
    browser, now = a_browser(), office.clock.now()
    token = office.store.transact(lambda rows: staff.first_invitation(rows, now))
    assert token is not None
    await browser.opens("/desk/welcome")
    await browser.posts("/desk/welcome", token=token, name="佐藤", login="sato", password=PASSWORD, again=PASSWORD)
    assert browser.path == "/desk"
    assert "佐藤" in browser.text
    assert office.store.transact(lambda rows: staff.first_invitation(rows, now)) is None


async def test_a_whole_link_may_be_pasted_into_the_field(office: Office, a_browser: NewBrowser) -> None:
    browser, now = a_browser(), office.clock.now()
    token = office.store.transact(lambda rows: staff.invite(rows, role="coordinator", now=now))
    await browser.opens("/desk/welcome")
    link = f"http://127.0.0.1:8000/desk/welcome#{token}"
    await browser.posts("/desk/welcome", token=link, name="佐藤", login="sato", password=PASSWORD, again=PASSWORD)
    assert browser.path == "/desk"


@pytest.mark.requirement("R25")
async def test_a_link_works_once_and_for_an_hour(office: Office, a_browser: NewBrowser) -> None:
    now = office.clock.now()
    used = office.store.transact(lambda rows: staff.invite(rows, role="coordinator", now=now))
    old = office.store.transact(lambda rows: staff.invite(rows, role="coordinator", now=now))
    first, second, late = a_browser(), a_browser(), a_browser()
    await first.opens("/desk/welcome")
    await first.posts("/desk/welcome", token=used, name="佐藤", login="sato", password=PASSWORD, again=PASSWORD)
    await second.opens("/desk/welcome")
    await second.posts("/desk/welcome", token=used, name="田中", login="tanaka", password=PASSWORD, again=PASSWORD)
    assert second.status == 410
    office.clock.moves(minutes=61)
    await late.opens("/desk/welcome")
    await late.posts("/desk/welcome", token=old, name="鈴木", login="suzuki", password=PASSWORD, again=PASSWORD)
    assert late.status == 410
    assert [one.login for one in office.store.transact(staff.everybody)] == ["sato"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"password": "short12", "again": "short12"}, "短すぎます"),
        ({"password": "password123", "again": "password123"}, "よく使われる"),
        ({"password": "sato2026!", "again": "sato2026!"}, "そのまま使わない"),
        ({"again": "ちがうパスワードです"}, "2つのパスワードがちがいます"),
        ({"login": "sa to"}, "空白を入れずに"),
        ({"name": "　"}, "お名前"),
    ],
)
async def test_set_up_says_what_is_wrong_and_keeps_what_was_written(
    office: Office, a_browser: NewBrowser, changes: dict[str, str], words: str
) -> None:
    browser, now = a_browser(), office.clock.now()
    token = office.store.transact(lambda rows: staff.invite(rows, role="coordinator", now=now))
    await browser.opens("/desk/welcome")
    fields = {"token": token, "name": "佐藤", "login": "sato", "password": PASSWORD, "again": PASSWORD} | changes
    await browser.posts("/desk/welcome", **fields)
    assert browser.status == 422
    assert words in browser.text
    assert browser.field("token") == token
    assert fields["password"] not in browser.page
    assert office.store.transact(staff.everybody) == []


async def test_signs_in_whatever_width_and_case_the_login_is_typed_in(sato: Browser, a_browser: NewBrowser) -> None:
    other = a_browser()
    await other.opens("/desk/sign-in")
    await other.posts("/desk/sign-in", login="ＳＡＴＯ ", password=PASSWORD)
    assert other.path == "/desk"


@pytest.mark.requirement("R28")
async def test_unknown_login_and_wrong_password_get_the_same_answer(sato: Browser, a_browser: NewBrowser) -> None:
    pages = []
    for login in ("sato", "nobody"):
        browser = a_browser()
        await browser.opens("/desk/sign-in")
        await browser.posts("/desk/sign-in", login=login, password="まちがったパスワード")
        assert browser.status == 401
        pages.append(browser.text)
    assert pages[0] == pages[1]


@pytest.mark.requirement("R28")
async def test_unknown_login_takes_as_long_as_a_wrong_password(office: Office, sato: Browser, a_browser: NewBrowser) -> None:
    office.app.state.desk_hasher = hasher = Hasher()
    real = await hasher.make(PASSWORD)

    async def took(password_hash: str | None) -> float:
        begun = time.perf_counter()
        assert not await hasher.fits("まちがい", password_hash)
        return time.perf_counter() - begun

    known, unknown = min([await took(real) for _ in range(4)]), min([await took(None) for _ in range(4)])
    assert 0.5 < known / unknown < 2


@pytest.mark.requirement("R28")
async def test_five_wrong_tries_stop_one_address_but_not_the_office(office: Office, sato: Browser, tanaka: Browser, a_browser: NewBrowser) -> None:
    guesser = a_browser()
    await guesser.opens("/desk/sign-in")
    for _ in range(5):
        await guesser.posts("/desk/sign-in", login="sato", password="あてずっぽう")
    await guesser.posts("/desk/sign-in", login="sato", password=PASSWORD)
    assert guesser.status == 429
    await guesser.posts("/desk/sign-in", login="tanaka", password=PASSWORD)
    assert guesser.path == "/desk"
    office.clock.moves(minutes=16)
    again = a_browser()
    await again.opens("/desk/sign-in")
    await again.posts("/desk/sign-in", login="sato", password=PASSWORD)
    assert again.path == "/desk"


@pytest.mark.requirement("R27")
async def test_cookie_is_http_only_same_site_and_only_its_hash_is_stored(office: Office, sato: Browser) -> None:
    cookie = sato.http.cookies["desk"]
    stored = office.rows("SELECT token_hash FROM staff_session")
    assert all(cookie not in str(row) for row in stored)
    await sato.posts("/desk/sign-out")
    await sato.opens("/desk/sign-in")
    answer = await sato.http.post("/desk/sign-in", data={"csrf": sato.field("csrf"), "login": "sato", "password": PASSWORD})
    written = answer.headers["set-cookie"].lower()
    assert "httponly" in written
    assert "samesite=lax" in written
    assert sato.http.cookies["desk"] != cookie


@pytest.mark.requirement("R27")
async def test_over_https_the_cookie_is_bound_to_the_host(office: Office, a_browser: NewBrowser) -> None:
    parts = replace(office.parts, settings=office.parts.settings.model_copy(update={"base_url": "https://soudan.example.jp"}))
    office.app.state.parts = parts
    now = office.clock.now()
    token = office.store.transact(lambda rows: staff.invite(rows, role="coordinator", now=now))
    browser = a_browser()
    browser.http.base_url = "https://soudan.example.jp"
    await browser.opens("/desk/welcome")
    answer = await browser.posts("/desk/welcome", token=token, name="佐藤", login="sato", password=PASSWORD, again=PASSWORD)
    written = answer.headers["set-cookie"]
    assert written.startswith("__Host-desk=")
    assert "Secure" in written
    assert "Path=/" in written
    assert "Domain" not in written


@pytest.mark.parametrize(("minutes", "signed_in"), [(29, True), (31, False)])
@pytest.mark.requirement("R27")
async def test_a_session_ends_after_half_an_hour_of_rest(office: Office, sato: Browser, minutes: int, signed_in: bool) -> None:
    office.clock.moves(minutes=minutes)
    await sato.opens("/desk")
    assert (sato.path == "/desk") is signed_in


@pytest.mark.requirement("R27")
async def test_a_session_ends_after_twelve_hours_whatever_is_done(office: Office, sato: Browser) -> None:
    for _ in range(29):
        office.clock.moves(minutes=25)
        if (await sato.http.get("/desk")).status_code == 303:
            break
    assert office.clock.now().hour == 13


@pytest.mark.requirement("R27")
async def test_an_old_cookie_opens_nothing_after_signing_out(sato: Browser) -> None:
    cookie = sato.http.cookies["desk"]
    await sato.posts("/desk/sign-out")
    sato.http.cookies.set("desk", cookie)
    await sato.opens("/desk")
    assert sato.path == "/desk/sign-in"


@pytest.mark.requirement("R27")
async def test_a_stopped_account_is_out_at_once(office: Office, sato: Browser) -> None:
    now = office.clock.now()
    assert office.store.transact(lambda rows: staff.disable(rows, login="sato", now=now))
    await sato.opens("/desk")
    assert sato.path == "/desk/sign-in"
    await sato.posts("/desk/sign-in", login="sato", password=PASSWORD)
    assert sato.status == 401


@pytest.mark.requirement("R27")
async def test_signing_in_again_ends_the_session_this_browser_had(office: Office, sato: Browser) -> None:
    before = sato.http.cookies["desk"]
    await joins(sato, "田中", "tanaka")
    sato.http.cookies.set("desk", before)
    await sato.opens("/desk")
    assert sato.path == "/desk/sign-in"


@pytest.mark.requirement("R25")
def test_common_passwords_are_known_also_with_figures_behind_them() -> None:
    assert problem_with("madoguchi2026", login="x", name="y") == "common"
    assert problem_with("ＰＡＳＳＷＯＲＤ１", login="x", name="y") == "common"
    assert problem_with("aaaaaaaaaaaa", login="x", name="y") == "common"
    assert problem_with("12345678901234", login="x", name="y") == "common"
    assert problem_with(PASSWORD, login="sato", name="佐藤") is None
