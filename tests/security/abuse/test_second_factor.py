"""Whoever has a stolen cookie or a password and wants the second factor too, or to use one twice (R26, R28)."""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime

import httpx
import pyotp
import pytest
from sqlmodel import Session

from storage import factors, staff
from storage.store import Store
from tests.desk.conftest import PASSWORD, URL, Browser, Office, joins
from tests.storage.rows import at_once

NewBrowser = Callable[..., Browser]
_AUTHENTICATOR = re.compile(r"<code>([A-Z2-7 ]+)</code>")


def _with_the_cookie_of(victim: Browser) -> Browser:
    thief = Browser(victim.office)
    thief.http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=victim.office.app, client=("203.0.113.9", 1)), base_url=URL, cookies=dict(victim.http.cookies),
        headers={"sec-fetch-site": "same-origin"},
    )  # fmt: skip
    return thief


async def _signs_in(browser: Browser) -> Browser:
    await browser.opens("/desk/sign-in")
    await browser.posts("/desk/sign-in", login="sato", password=PASSWORD)
    return browser


async def _offered(browser: Browser) -> pyotp.TOTP:
    found = _AUTHENTICATOR.search(await browser.opens("/desk/factor"))
    assert found
    return pyotp.TOTP(found[1].replace(" ", ""))


async def _sets_up(browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    """An authenticator and its recovery codes."""
    app = await _offered(browser)
    await browser.posts("/desk/factor", code=app.at(browser.office.clock.now()), password=PASSWORD)
    assert browser.status == 200, browser.text
    return app, re.findall(r"\b[2-9a-z]{4}-[2-9a-z]{4}-[2-9a-z]{4}\b", browser.page)


@pytest.mark.requirement("R26")
async def test_the_secret_a_thief_looked_at_is_not_the_one_its_owner_sets_up_later(office: Office, sato: Browser) -> None:
    seen = await _offered(_with_the_cookie_of(sato))
    await sato.posts("/desk/sign-out")
    app, _ = await _sets_up(await _signs_in(Browser(office)))
    assert app.secret != seen.secret
    (sato_id,) = office.rows("SELECT id FROM staff WHERE login = 'sato'")[0]
    office.clock.moves(minutes=1)
    now = office.clock.now()
    assert not office.store.transact(lambda rows: factors.passes(rows, str(sato_id), seen.at(now), now))


@pytest.mark.requirement("R26")
async def test_the_secret_stays_the_same_while_one_browser_sets_it_up(sato: Browser) -> None:
    first = await _offered(sato)
    await sato.posts("/desk/factor", code="000000", password=PASSWORD)
    assert (await _offered(sato)).secret == first.secret


@pytest.mark.requirement("R26")
async def test_a_code_that_opened_one_door_opens_no_other(office: Office, sato: Browser) -> None:
    app, _ = await _sets_up(sato)
    office.clock.moves(minutes=2)
    code = app.at(office.clock.now())
    other = await _signs_in(Browser(office))
    await other.posts("/desk/second", code=code)
    assert other.path == "/desk"
    office.clock.moves(seconds=11 * 60)
    again = await _signs_in(Browser(office))
    for old in (code, f" {code[:3]} {code[3:]} "):
        assert (await again.posts("/desk/second", code=old)).status_code == 401
    await sato.opens("/desk/prove?back=/desk/figures.csv")
    assert (await sato.posts("/desk/prove", code=code, back="/desk/figures.csv")).status_code == 401


@pytest.mark.requirement("R26", "R28")
async def test_a_recovery_code_works_once_and_its_owner_is_told_that_it_was_used(
    office: Office, sato: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(office.parts.alarms, "tell", lambda addresses, words: told.append(words))
    _, codes = await _sets_up(sato)
    assert len(codes) == 10
    before = len(told)
    other = await _signs_in(Browser(office))
    await other.posts("/desk/second", code=codes[0])
    assert other.path == "/desk"
    assert len(told) == before + 1
    third = await _signs_in(Browser(office))
    for old in (codes[0], codes[0].upper(), codes[0].replace("-", " ")):
        assert (await third.posts("/desk/second", code=old)).status_code == 401


@pytest.mark.requirement("R26", "R28")
async def test_a_password_proves_nothing_to_whoever_has_a_second_factor(office: Office, sato: Browser) -> None:
    await _sets_up(sato)
    office.clock.moves(minutes=11)
    await sato.opens("/desk/prove?back=/desk/figures.csv")
    assert (await sato.posts("/desk/prove", password=PASSWORD, back="/desk/figures.csv")).status_code == 401
    assert (await sato.http.get("/desk/figures.csv")).status_code == 303


@pytest.mark.requirement("R28")
async def test_guesses_at_the_proof_are_counted_before_anything_is_hashed(office: Office, sato: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    office.clock.moves(minutes=11)
    hashed: list[str] = []
    hasher = office.app.state.desk_hasher
    fits = hasher.fits

    async def counted(password: str, password_hash: str | None) -> bool:
        hashed.append(password)
        return bool(await fits(password, password_hash))

    monkeypatch.setattr(hasher, "fits", counted)
    await sato.opens("/desk/prove?back=/desk/figures.csv")
    answers = [(await sato.posts("/desk/prove", password=f"guess {number}", back="")).status_code for number in range(9)]
    assert answers == [401] * 5 + [429] * 4
    assert len(hashed) == 5


@pytest.mark.requirement("R26")
async def test_a_password_alone_leads_to_nothing_but_the_question_for_the_second_factor(office: Office, sato: Browser) -> None:
    code = office.has_case("ひみつの話")
    await _sets_up(sato)
    half = await _signs_in(Browser(office))
    assert half.path == "/desk/second"
    csrf = half.field("csrf")
    for path in ("/desk", f"/desk/cases/{code}", "/desk/me", "/desk/stream", "/desk/help", "/desk/knowledge", "/desk/emergency"):
        answer = await half.http.get(path)
        assert answer.status_code in (303, 401), path
        assert "ひみつ" not in answer.text
    for path in ("/desk/factor", "/desk/passkey", "/desk/me/password", "/desk/directory/tie", f"/desk/cases/{code}/claim"):
        await half.http.post(path, data={"csrf": csrf, "code": "1", "current": PASSWORD, "password": PASSWORD, "again": PASSWORD, "credential": "{}"})
    assert office.rows("SELECT count(*) FROM staff_factor WHERE kind = 'totp' AND confirmed_at IS NOT NULL") == [(1,)]
    assert office.rows("SELECT count(*) FROM staff_passkey") == [(0,)]
    assert office.rows("SELECT state FROM care_case") == [("waiting",)]


@pytest.mark.requirement("R28")
def test_of_many_guesses_at_once_no_more_are_let_through_than_of_as_many_in_a_row(store: Store, now: datetime) -> None:
    def guess(rows: Session) -> bool:
        return staff.take_try(rows, "sato", "203.0.113.9", now) is not None

    assert sum(at_once([lambda: store.transact(guess)] * 30)) == 5


@pytest.mark.requirement("R26")
async def test_half_a_sign_in_waits_ten_minutes_and_no_longer(office: Office, sato: Browser) -> None:
    app, _ = await _sets_up(sato)
    half = await _signs_in(Browser(office))
    for _ in range(3):
        office.clock.moves(minutes=4)
        await half.http.get("/desk/second")
    answer = await half.http.post("/desk/second", data={"csrf": "x", "code": app.at(office.clock.now())})
    assert answer.status_code in (303, 403)
    await half.opens("/desk")
    assert half.path == "/desk/sign-in"


@pytest.mark.requirement("R25")
@pytest.mark.parametrize("login", ["ﷺ" * 7, "ﷺ", "a\u3000b", "ｓａｔｏ", "㌀" * 60])
async def test_a_login_is_looked_at_as_it_will_be_kept(office: Office, sato: Browser, a_browser: NewBrowser, login: str) -> None:
    """One that grows or gains a space by being brought into one spelling, or that becomes a colleague's."""
    token = office.store.transact(lambda rows: staff.invite(rows, role="coordinator", now=office.clock.now()))
    browser = a_browser()
    await browser.opens("/desk/welcome")
    await browser.posts("/desk/welcome", token=token, name="山田", login=login, password=PASSWORD, again=PASSWORD)
    assert browser.status == 422
    assert office.rows("SELECT count(*) FROM staff") == [(1,)]
    assert await asyncio.to_thread(lambda: office.store.transact(lambda rows: staff.is_invited(rows, token, office.clock.now())))
    await joins(a_browser(), "鈴木", "suzuki")
