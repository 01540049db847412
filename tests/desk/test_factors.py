"""The second factor: a stolen password opens nothing, a code works once, a lost telephone is no end (R26, R27)."""

import re
from collections.abc import Callable

import pyotp
import pytest

from bot.settings import Settings
from tests.desk.conftest import PASSWORD, URL, Browser, Office

NewBrowser = Callable[..., Browser]


async def sets_up(browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    """Read the secret off the page and show a first code; returns the authenticator and the recovery codes."""
    await browser.opens("/desk/factor")
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", browser.page)
    assert secret
    app = pyotp.TOTP(secret[1].replace(" ", ""))
    await browser.posts("/desk/factor", code=app.at(browser.office.clock.now()), password=PASSWORD)
    codes = re.findall(r"<code>([a-z2-9-]{14})</code>", browser.page)
    assert len(codes) == 10
    return app, codes


async def gives_password(browser: Browser, login: str = "sato") -> None:
    await browser.opens("/desk/sign-in")
    await browser.posts("/desk/sign-in", login=login, password=PASSWORD)


@pytest.mark.requirement("R26")
async def test_after_the_password_the_code_is_asked_for_and_until_then_every_door_is_shut(office: Office, sato: Browser, a_browser: NewBrowser):
    code = office.has_case()
    app, _ = await sets_up(sato)
    other = a_browser()
    await gives_password(other)
    assert other.path == "/desk/second"
    for door in ("/desk", f"/desk/cases/{code}", "/desk/me", "/desk/tasks"):
        assert (await other.http.get(door)).headers["location"] == "/desk/sign-in"
    office.clock.moves(seconds=60)
    await other.opens("/desk/second")
    half = other.http.cookies["desk"]
    await other.posts("/desk/second", code=app.at(office.clock.now()))
    assert other.path == "/desk"
    assert other.http.cookies["desk"] != half


@pytest.mark.requirement("R26")
async def test_a_code_works_once_and_a_wrong_one_not_at_all(office: Office, sato: Browser, a_browser: NewBrowser):
    app, _ = await sets_up(sato)
    office.clock.moves(seconds=60)
    code = app.at(office.clock.now())
    first, second = a_browser(), a_browser()
    for browser, status in ((first, 303), (second, 401)):
        await gives_password(browser)
        answer = await browser.posts("/desk/second", code=code)
        assert answer.status_code == status
    office.clock.moves(seconds=30)
    wrong = f"{(int(app.at(office.clock.now())) + 1) % 1000000:06d}"
    assert (await second.posts("/desk/second", code=wrong)).status_code == 401


@pytest.mark.requirement("R28")
async def test_guessing_codes_is_stopped_like_guessing_passwords(office: Office, sato: Browser, a_browser: NewBrowser):
    app, _ = await sets_up(sato)
    office.clock.moves(seconds=60)
    guesser = a_browser()
    await gives_password(guesser)
    for _ in range(5):
        await guesser.posts("/desk/second", code="000000")
    assert (await guesser.posts("/desk/second", code=app.at(office.clock.now()))).status_code == 429


@pytest.mark.requirement("R26")
async def test_a_recovery_code_opens_once_however_it_is_typed(office: Office, sato: Browser, a_browser: NewBrowser):
    _, codes = await sets_up(sato)
    for at, (typed, status) in enumerate(((codes[3].upper().replace("-", " "), 303), (codes[3], 401), (codes[4], 303))):
        browser = a_browser()
        await gives_password(browser)
        assert (await browser.posts("/desk/second", code=typed)).status_code == status, at
    await sato.opens("/desk/me")
    assert "あと 8 個" in sato.text


@pytest.mark.requirement("R26")
async def test_a_right_password_alone_cannot_put_another_authenticator_in_place(office: Office, sato: Browser, a_browser: NewBrowser):
    await sets_up(sato)
    thief = a_browser()
    await gives_password(thief)
    await thief.opens("/desk/factor")
    assert thief.path == "/desk/second"
    answer = await thief.posts("/desk/factor", code="123456", current="123456")
    assert answer.status_code == 422
    assert (await thief.http.get("/desk")).headers["location"] == "/desk/sign-in"


async def test_changing_the_authenticator_asks_for_the_old_one_and_ends_its_recovery_codes(office: Office, sato: Browser, a_browser: NewBrowser):
    old, codes = await sets_up(sato)
    office.clock.moves(seconds=60)
    await sato.opens("/desk/factor")
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", sato.page)
    assert secret
    new, now = pyotp.TOTP(secret[1].replace(" ", "")), office.clock.now()
    await sato.posts("/desk/factor", code=new.at(now), current="000000")
    assert "いまのアプリの数字がちがう" in sato.text
    await sato.posts("/desk/factor", code=new.at(now), current=old.at(now))
    assert "予備のコード" in sato.text
    other = a_browser()
    await gives_password(other)
    assert (await other.posts("/desk/second", code=codes[0])).status_code == 401


async def test_a_password_that_waits_too_long_for_its_code_is_asked_again(office: Office, sato: Browser, a_browser: NewBrowser):
    await sets_up(sato)
    slow = a_browser()
    await gives_password(slow)
    office.clock.moves(minutes=11)
    await slow.opens("/desk/second")
    assert slow.path == "/desk/sign-in"


@pytest.mark.requirement("R26")
async def test_the_secret_and_the_codes_are_in_no_table_as_they_are(office: Office, sato: Browser):
    app, codes = await sets_up(sato)
    kept = str(office.rows("SELECT * FROM staff_factor"))
    assert app.secret not in kept
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)


class TestProduction:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings.model_validate({"base_url": URL, "profile": "production"})

    async def test_nobody_gets_in_without_setting_up_a_second_factor(self, office: Office, a_browser: NewBrowser):
        from storage import staff

        now = office.clock.now()
        token = office.store.transact(lambda rows: staff.invite(rows, role="coordinator", now=now))
        browser = a_browser()
        await browser.opens("/desk/welcome")
        await browser.posts("/desk/welcome", token=token, name="佐藤", login="sato", password=PASSWORD, again=PASSWORD)
        assert browser.path == "/desk/factor"
        assert (await browser.http.get("/desk")).headers["location"] == "/desk/sign-in"
        await sets_up(browser)
        await browser.opens("/desk")
        assert browser.path == "/desk"


@pytest.mark.requirement("R27")
async def test_a_new_password_needs_the_old_one_and_signs_every_other_browser_out(office: Office, sato: Browser, a_browser: NewBrowser):
    other = a_browser()
    await gives_password(other)
    await sato.opens("/desk/me")
    fresh = "あたらしい合言葉をならべる"
    await sato.posts("/desk/me/password", current="まちがい", password=fresh, again=fresh)
    assert "いまのパスワードがちがいます" in sato.text
    await sato.posts("/desk/me/password", current=PASSWORD, password=fresh, again=fresh)
    assert "パスワードを変えました" in sato.text
    await other.opens("/desk")
    assert other.path == "/desk/sign-in"
    await other.posts("/desk/sign-in", login="sato", password=PASSWORD)
    assert other.status == 401
    await other.posts("/desk/sign-in", login="sato", password=fresh)
    assert other.path == "/desk"


@pytest.mark.requirement("R27")
async def test_other_browsers_are_seen_and_signed_out_with_one_button(office: Office, sato: Browser, a_browser: NewBrowser):
    other = a_browser()
    await gives_password(other)
    await sato.opens("/desk/me")
    assert sato.page.count("<li>令和") == 2
    await sato.posts("/desk/me/end-others")
    await other.opens("/desk")
    assert other.path == "/desk/sign-in"
    await sato.opens("/desk")
    assert sato.path == "/desk"
