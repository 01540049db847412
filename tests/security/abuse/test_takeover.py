"""A stolen cookie that wants to become an account, and colleagues who look where they should not (R21, R26, R43)."""

import re
from collections.abc import Callable

import httpx
import pyotp
import pytest

from bot.production import missing_for_production
from bot.settings import Settings
from storage import helping, passkeys, records
from tests.api.conftest import key_for, system
from tests.desk.conftest import PASSWORD, URL, Browser, Office, joins

NewBrowser = Callable[..., Browser]
_AUTHENTICATOR = re.compile(r"<code>([A-Z2-7 ]+)</code>")


def _thief(office: Office, victim: Browser) -> Browser:
    """Another browser with the cookie of this one."""
    thief = Browser(office)
    thief.http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=office.app, client=("203.0.113.9", 1)), base_url=URL, cookies=dict(victim.http.cookies),
        headers={"sec-fetch-site": "same-origin"},
    )  # fmt: skip
    return thief


async def _an_app_of_their_own(browser: Browser) -> pyotp.TOTP:
    found = _AUTHENTICATOR.search(await browser.opens("/desk/factor"))
    assert found
    return pyotp.TOTP(found[1].replace(" ", ""))


@pytest.mark.requirement("R26", "R27")
@pytest.mark.parametrize("has_passkey", [False, True])
async def test_a_stolen_cookie_puts_no_authenticator_of_the_thief_in_place(office: Office, sato: Browser, has_passkey: bool) -> None:
    ((sato_id,),) = office.rows("SELECT id FROM staff WHERE login = 'sato'")
    if has_passkey:
        office.store.transact(
            lambda rows: passkeys.add(rows, str(sato_id), credential_id="x", public_key=b"x", sign_count=0, name="鍵", now=office.clock.now())
        )
    thief = _thief(office, sato)
    app = await _an_app_of_their_own(thief)
    for guess in ("", "ちがう合言葉です", PASSWORD.upper() + "x"):
        answer = await thief.posts("/desk/factor", code=app.at(office.clock.now()), password=guess)
        assert answer.status_code == 422
    assert office.rows("SELECT count(*) FROM staff_factor WHERE confirmed_at IS NOT NULL") == [(0,)]
    await sato.opens("/desk")
    assert sato.path == "/desk"


@pytest.mark.requirement("R27")
async def test_an_authenticator_that_is_set_up_signs_every_other_browser_out(office: Office, sato: Browser) -> None:
    thief = _thief(office, sato)
    other = Browser(office)
    await other.opens("/desk/sign-in")
    await other.posts("/desk/sign-in", login="sato", password=PASSWORD)
    app = await _an_app_of_their_own(sato)
    await sato.posts("/desk/factor", code=app.at(office.clock.now()), password=PASSWORD)
    for browser in (thief, other):
        await browser.opens("/desk")
        assert browser.path == "/desk/sign-in"
    await sato.opens("/desk")
    assert sato.path == "/desk"


@pytest.mark.requirement("R21")
async def test_whoever_is_shut_out_of_a_resident_meets_neither_their_offer_nor_what_they_told_the_bot(
    office: Office, sato: Browser, tanaka: Browser
) -> None:
    code, now = office.has_case("ひみつの話", who="U9"), office.clock.now()
    ((tanaka_id,),) = office.rows("SELECT id FROM staff WHERE login = 'tanaka'")

    talk = office.talk("U9")
    office.store.transact(
        lambda rows: (
            records.note_outcome(rows, talk, kind="match", detail={"decision": "unclear", "cards": []}, now=now),
            helping.note_offer(rows, talk, skill="ひみつの手伝い", when="土曜", now=now),
        )
    )
    ((offer,),) = office.rows("SELECT id FROM offer")
    ((outcome,),) = office.rows("SELECT id FROM outcome")
    for page in ("/desk/helping", "/desk/unheard"):
        assert "ひみつ" in await tanaka.opens(page)
    await sato.opens(f"/desk/cases/{code}/pass-on")
    await sato.posts(f"/desk/cases/{code}/shut-out", staff=str(tanaka_id), why="となりの家")
    for page in ("/desk", "/desk/helping", "/desk/helping?q=ひみつ", "/desk/unheard", "/desk/search?q=ひみつ", "/desk/tasks", "/desk/walking"):
        page_read = await tanaka.opens(page)
        assert "ひみつの" not in page_read, page
    for act in ("tell", "renew", "end"):
        await tanaka.opens("/desk/helping")
        assert (await tanaka.posts("/desk/helping", act=act, id=str(offer), words="見つけた")).status_code == 404
    await tanaka.opens("/desk/helping")
    assert (await tanaka.posts(f"/desk/unheard/{outcome}", what="nothing")).status_code == 404
    assert office.line.posted == []
    assert office.rows("SELECT count(*) FROM offer") == [(1,)]
    assert "ひみつの手伝い" in await sato.opens("/desk/helping")


@pytest.mark.requirement("R43")
async def test_lists_that_show_residents_words_leave_a_trace_of_who_read_them(office: Office, sato: Browser, a_browser: NewBrowser) -> None:
    office.has_case("山田の家のことで困っています")
    key = key_for(office, "kikai")
    ((sato_id,),) = office.rows("SELECT id FROM staff WHERE login = 'sato'")
    before = office.rows("SELECT max(seq) FROM audit")[0][0]
    await sato.opens("/desk")
    await sato.opens("/desk/search?q=山田")
    await sato.opens("/desk/helping")
    async with system(office, key) as other:
        assert len((await other.get("/cases")).json()["cases"]) == 1
    seen = office.rows("SELECT actor, act, detail FROM audit WHERE act IN ('queue.read', 'cases.searched', 'offers.read')"
                       f" AND seq > {before} ORDER BY seq")  # fmt: skip
    assert [(actor.partition(":")[0], act) for actor, act, _ in seen] == [  # type: ignore[attr-defined]
        ("staff", "queue.read"), ("staff", "cases.searched"), ("staff", "offers.read"), ("token", "queue.read"),
    ]  # fmt: skip
    assert seen[0][0] == f"staff:{sato_id}"
    assert '"count": 1' in str(seen[1][2])
    assert "山田" not in str(seen)


@pytest.mark.requirement("R43")
async def test_who_invited_an_agency_stands_in_the_audit(office: Office, a_browser: NewBrowser) -> None:
    lead = await joins(a_browser(), "係長", "kakaricho", "lead")
    await lead.opens("/desk/agencies")
    await lead.posts("/desk/agencies", name="見本社協")
    ((lead_id,),) = office.rows("SELECT id FROM staff WHERE login = 'kakaricho'")
    assert office.rows("SELECT actor FROM audit WHERE act = 'staff.invited' ORDER BY seq DESC LIMIT 1") == [(f"staff:{lead_id}",)]


@pytest.mark.requirement("R29")
@pytest.mark.parametrize("trusted", ["*", "127.0.0.1, *", "0.0.0.0/0", "::/0"])
def test_production_does_not_start_where_anybody_may_say_where_they_come_from(trusted: str) -> None:
    def told(proxies: str) -> bool:
        wanted = {"profile": "production", "base_url": "https://soudan.example", "trusted_proxies": proxies}
        return any("だれの名のりも信じます" in line for line in missing_for_production(Settings.model_validate(wanted)))

    assert told(trusted)
    assert not told("127.0.0.1, 10.0.0.0/24")
