"""Passkeys: the answer counts only from the right key, at our own address, over the open question, once (R26)."""

import html
import json
import re
from collections.abc import Callable

import pytest

from bot.settings import Settings
from tests.desk.conftest import PASSWORD, URL, Browser, Office
from tests.desk.soft_key import SoftKey

NewBrowser = Callable[..., Browser]


@pytest.fixture
def settings() -> Settings:
    return Settings.model_validate({"base_url": URL})


def _key(**changes: object) -> SoftKey:
    return SoftKey(**({"origin": URL, "host": "127.0.0.1"} | changes))  # type: ignore[arg-type]


def _asked(browser: Browser) -> str:
    found = re.search(r'data-passkey="([^"]+)"', browser.page)
    assert found, browser.text
    return html.unescape(found[1])


async def _adds(browser: Browser, key: SoftKey, password: str = PASSWORD) -> None:
    await browser.opens("/desk/passkey")
    await browser.posts("/desk/passkey", credential=key.makes(_asked(browser)), name="窓口のパソコン", current=password)


async def _gives_password(browser: Browser) -> None:
    await browser.opens("/desk/sign-in")
    await browser.posts("/desk/sign-in", login="sato", password=PASSWORD)


@pytest.mark.requirement("R26")
async def test_a_passkey_is_asked_for_after_the_password_and_opens_the_desk(office: Office, sato: Browser, a_browser: NewBrowser) -> None:
    key = _key()
    await _adds(sato, key)
    assert len(re.findall(r"<code>([a-z2-9-]{14})</code>", sato.page)) == 10
    other = a_browser()
    await _gives_password(other)
    assert other.path == "/desk/second"
    assert (await other.http.get("/desk")).headers["location"] == "/desk/sign-in"
    await other.posts("/desk/second", credential=key.signs(_asked(other)))
    assert other.path == "/desk"


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("how", ["other key", "look-alike address", "other host", "old question", "twice", "copied key", "rubbish", "another's"])
async def test_no_other_answer_opens(office: Office, sato: Browser, tanaka: Browser, a_browser: NewBrowser, how: str) -> None:
    key = _key(count=5)
    await _adds(sato, key)
    others = _key(id=b"o" * 20)
    await _adds(tanaka, others)
    thief = a_browser()
    await _gives_password(thief)
    asked = _asked(thief)
    match how:
        case "other key":
            answer = _key().signs(asked)
        case "look-alike address":
            key.origin = "https://madoguchi.example.evil"
            answer = key.signs(asked)
        case "other host":
            key.host = "localhost"
            answer = key.signs(asked)
        case "old question":
            await thief.opens("/desk/second")
            answer = key.signs(asked)
        case "twice":
            answer = key.signs(asked)
            await thief.posts("/desk/second", credential=answer)
            assert thief.path == "/desk"
            await thief.posts("/desk/sign-out")
            await _gives_password(thief)
        case "copied key":
            key.count = 2
            answer = key.signs(asked)
        case "rubbish":
            answer = json.dumps({"id": None, "response": [1, {"a": "x" * 100}]})
        case _:
            answer = others.signs(asked)
    await thief.posts("/desk/second", credential=answer)
    assert thief.status == 401
    assert (await thief.http.get("/desk")).headers["location"] == "/desk/sign-in"


@pytest.mark.requirement("R26")
async def test_a_right_password_alone_cannot_add_a_key_and_a_left_open_desk_cannot_without_the_password(
    office: Office, sato: Browser, a_browser: NewBrowser
) -> None:
    await _adds(sato, _key(), password="まちがい")
    assert sato.status == 422
    assert office.rows("SELECT count(*) FROM staff_passkey") == [(0,)]
    await _adds(sato, _key())
    thief = a_browser()
    await _gives_password(thief)
    await thief.opens("/desk/passkey")
    assert thief.path == "/desk/second"
    mine = _key(id=b"t" * 20)
    asked = _asked(thief)
    await thief.posts("/desk/passkey", credential=mine.makes(asked), name="x", current=PASSWORD)
    assert office.rows("SELECT count(*) FROM staff_passkey") == [(1,)]


@pytest.mark.requirement("R26", "R27")
async def test_removing_a_key_wants_the_password_and_signs_other_browsers_out(office: Office, sato: Browser, a_browser: NewBrowser) -> None:
    key = _key()
    await _adds(sato, key)
    other = a_browser()
    await _gives_password(other)
    await other.posts("/desk/second", credential=key.signs(_asked(other)))
    (key_id,) = office.rows("SELECT id FROM staff_passkey")[0]
    await sato.opens("/desk/me")
    assert "窓口のパソコン" in sato.text
    await sato.posts(f"/desk/passkey/{key_id}/remove", current="ちがう")
    assert office.rows("SELECT count(*) FROM staff_passkey") == [(1,)]
    await sato.posts(f"/desk/passkey/{key_id}/remove", current=PASSWORD)
    assert office.rows("SELECT count(*) FROM staff_passkey") == [(0,)]
    await other.opens("/desk")
    assert other.path == "/desk/sign-in"
