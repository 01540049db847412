"""Signing in by the town's own directory, against a real provider on loopback that can lie in each part of its answer (R26)."""

import re
import time
from collections.abc import Callable, Iterator
from html import unescape

import pytest

from bot.settings import Settings
from storage import staff
from tests.desk.conftest import PASSWORD, URL, Browser, Office
from tests.twins.directory_twin import DirectoryTwin

NewBrowser = Callable[..., Browser]


@pytest.fixture
def directory() -> Iterator[DirectoryTwin]:
    with DirectoryTwin(f"{URL}/desk/directory/back") as twin:
        yield twin


@pytest.fixture
def settings(directory: DirectoryTwin) -> Settings:
    named = {"oidc_issuer": directory.url, "oidc_client_id": directory.client, "oidc_client_secret": directory.secret}
    return Settings.model_validate({"base_url": URL, **named})


def _way_there(browser: Browser) -> str:
    found = re.search(r'href="(http://127\.0\.0\.1:\d+/authorize[^"]*)"', browser.page)
    assert found, browser.text
    return unescape(found[1])


async def _ties(browser: Browser, directory: DirectoryTwin) -> None:
    await browser.opens("/desk/me")
    await browser.posts("/desk/directory/tie", current=PASSWORD)
    await browser.opens(directory.visit(_way_there(browser)))


async def _signs_in(browser: Browser, directory: DirectoryTwin) -> None:
    await browser.opens("/desk/sign-in")
    await browser.posts("/desk/directory")
    await browser.opens(directory.visit(_way_there(browser)))


@pytest.mark.requirement("R26")
async def test_an_account_tied_to_the_directory_signs_in_by_it(
    office: Office, sato: Browser, directory: DirectoryTwin, a_browser: NewBrowser
) -> None:
    await _ties(sato, directory)
    assert sato.path == "/desk/me"
    assert "つなぎ直す" in sato.text
    other = a_browser()
    await _signs_in(other, directory)
    assert other.path == "/desk"
    assert "佐藤" in other.text
    assert "u-1" not in str(office.rows("SELECT * FROM oidc_link"))


@pytest.mark.requirement("R26")
async def test_a_stranger_of_the_directory_has_no_account_and_gets_none(office: Office, directory: DirectoryTwin, a_browser: NewBrowser) -> None:
    stranger = a_browser()
    await _signs_in(stranger, directory)
    assert stranger.status == 403
    assert office.rows("SELECT count(*) FROM staff") == [(0,)]


@pytest.mark.requirement("R26")
@pytest.mark.parametrize(
    ("lies", "signed"),
    [
        ({"iss": "https://evil.example"}, "rightly"), ({"iss": None}, "rightly"), ({"aud": "other"}, "rightly"), ({"aud": None}, "rightly"),
        ({"aud": ["madoguchi", "other"]}, "rightly"), ({"nonce": "other"}, "rightly"), ({"nonce": None}, "rightly"), ({"exp": 1}, "rightly"),
        ({"exp": None}, "rightly"), ({"iat": int(time.time()) + 3600}, "rightly"), ({"sub": None}, "rightly"), ({"sub": ""}, "rightly"),
        ({"sub": {"$ne": 1}}, "rightly"), ({}, "none"), ({}, "hmac"), ({}, "other_key"),
    ],
)  # fmt: skip
async def test_a_token_that_is_wrong_in_one_part_proves_nothing(
    office: Office, sato: Browser, directory: DirectoryTwin, a_browser: NewBrowser, lies: dict[str, object], signed: str
) -> None:
    await _ties(sato, directory)
    directory.lies, directory.signed = lies, signed
    other = a_browser()
    await _signs_in(other, directory)
    assert other.status == 403
    assert (await other.http.get("/desk")).headers["location"] == "/desk/sign-in"


@pytest.mark.requirement("R26")
async def test_an_answer_counts_once_in_the_browser_that_asked_and_with_its_state(
    office: Office, sato: Browser, directory: DirectoryTwin, a_browser: NewBrowser
) -> None:
    await _ties(sato, directory)
    asker, victim = a_browser(), a_browser()
    await asker.opens("/desk/sign-in")
    await asker.posts("/desk/directory")
    answer = directory.visit(_way_there(asker))
    await victim.opens(answer)  # an attacker's answer, pressed upon somebody else's browser
    assert victim.status == 403
    await asker.opens(answer.replace("state=", "state=x"))
    assert asker.status == 403
    await _signs_in(asker, directory)
    assert asker.path == "/desk"
    again = a_browser()
    again.http.cookies = asker.http.cookies
    await asker.posts("/desk/sign-out")
    await again.opens(answer)
    assert again.status == 403


@pytest.mark.requirement("R26")
async def test_one_subject_is_one_account_and_tying_needs_the_same_browser(
    office: Office, sato: Browser, tanaka: Browser, directory: DirectoryTwin, a_browser: NewBrowser
) -> None:
    await _ties(sato, directory)
    await _ties(tanaka, directory)
    assert tanaka.status == 403
    await tanaka.opens("/desk/me")
    await tanaka.posts("/desk/directory/tie", current=PASSWORD)
    directory.subject = "u-2"
    answer = directory.visit(_way_there(tanaka))
    thief = a_browser()
    await thief.opens(answer)
    assert thief.status == 403
    assert office.rows("SELECT count(*) FROM oidc_link") == [(1,)]


@pytest.mark.requirement("R26", "R28")
async def test_a_stolen_cookie_ties_no_account_without_its_password(office: Office, sato: Browser, directory: DirectoryTwin) -> None:
    await sato.opens("/desk/me")
    answers = [(await sato.posts("/desk/directory/tie", current=guess)) for guess in ("", "ちがう合言葉です", PASSWORD.upper() + "x")]
    assert [one.status_code for one in answers] == [422] * 3
    assert not any("/authorize" in one.text for one in answers)
    assert office.rows("SELECT count(*) FROM oidc_attempt") == [(0,)]
    for _ in range(5):
        await sato.posts("/desk/directory/tie", current="ちがう合言葉です")
    assert (await sato.posts("/desk/directory/tie", current=PASSWORD)).status_code == 422, "too many guesses: not even the right one, for a while"
    assert office.rows("SELECT count(*) FROM oidc_link") == [(0,)]


@pytest.mark.requirement("R26")
async def test_an_account_that_was_stopped_signs_in_by_no_directory(
    office: Office, sato: Browser, directory: DirectoryTwin, a_browser: NewBrowser
) -> None:
    await _ties(sato, directory)
    office.store.transact(lambda rows: staff.disable(rows, login="sato", now=office.clock.now()))
    other = a_browser()
    await _signs_in(other, directory)
    assert other.status == 403
    assert (await other.http.get("/desk")).headers["location"] == "/desk/sign-in"


@pytest.mark.requirement("R26")
async def test_an_issuer_that_names_itself_otherwise_is_not_asked(office: Office, directory: DirectoryTwin, a_browser: NewBrowser) -> None:
    directory.issuer = "https://evil.example"
    browser = a_browser()
    await browser.opens("/desk/sign-in")
    await browser.posts("/desk/directory")
    assert browser.status == 403
