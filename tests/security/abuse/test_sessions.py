"""Cookies that were stolen, planted or outlived; links and invitations used by two at once; passwords guessed by many at once (R15, R25–R29)."""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime

import httpx
import pytest
from sqlmodel import Session

from storage import factors, keeping_out, oidc, rooms, staff
from storage import talk as talks
from storage.refusals import Missing
from storage.store import Store
from tests.desk.conftest import PASSWORD, URL, Browser, Office, joins
from tests.storage.rows import at_once

NewBrowser = Callable[..., Browser]


def _with_cookie(office: Office, browser: Browser, **headers: str) -> httpx.AsyncClient:
    """Somebody else's browser that has the cookie of this one."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=office.app, client=("203.0.113.9", 1)), base_url=URL, cookies=dict(browser.http.cookies), headers=headers
    )  # fmt: skip


# ---------------------------------------------------------------- the desk's cookie


@pytest.mark.requirement("R27")
@pytest.mark.parametrize("ending", ["sign-out", "password", "disabled", "idle", "absolute", "ended elsewhere"])
async def test_a_stolen_cookie_is_worth_nothing_after_any_ending(office: Office, sato: Browser, a_browser: NewBrowser, ending: str) -> None:
    code = office.has_case("ひみつの話")
    async with _with_cookie(office, sato, **{"user-agent": "thief"}) as thief:
        match ending:
            case "sign-out":
                await sato.posts("/desk/sign-out")
            case "password":
                other = a_browser()
                await other.opens("/desk/sign-in")
                await other.posts("/desk/sign-in", login="sato", password=PASSWORD)
                await other.opens("/desk/me")
                await other.posts("/desk/me/password", current=PASSWORD, password=f"{PASSWORD}２", again=f"{PASSWORD}２")
                assert other.status == 200
            case "disabled":
                office.store.transact(lambda rows: staff.disable(rows, login="sato", now=office.clock.now()))
            case "idle":
                office.clock.moves(minutes=31)
            case "absolute":
                for _ in range(25):
                    office.clock.moves(minutes=29)
                    await sato.opens("/desk")
            case _:
                other = a_browser()
                await other.opens("/desk/sign-in")
                await other.posts("/desk/sign-in", login="sato", password=PASSWORD)
                await other.opens("/desk/me")
                await other.posts("/desk/me/end-others")
        for path in ("/desk", f"/desk/cases/{code}", "/desk/me", "/desk/stream", f"/desk/cases/{code}/stream", "/desk/figures.csv"):
            answer = await thief.get(path)
            assert answer.status_code in (303, 401), (ending, path)
            assert "ひみつ" not in answer.text


@pytest.mark.requirement("R33")
async def test_a_stolen_cookie_takes_no_file_away_without_a_new_proof(office: Office, sato: Browser) -> None:
    office.clock.moves(minutes=11)
    await sato.opens("/desk")
    async with _with_cookie(office, sato) as thief:
        for path in ("/desk/figures.csv", "/desk/figures.xlsx", "/desk/gaps.csv", f"/desk/cases/{office.has_case()}/forms/plan/csv"):
            answer = await thief.get(path)
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/desk/prove"), path


@pytest.mark.requirement("R27")
async def test_a_cookie_that_was_planted_before_signing_in_is_not_the_session_after_it(office: Office, a_browser: NewBrowser) -> None:
    planted = "x" * 43
    victim = a_browser()
    victim.http.cookies.set("desk", planted)
    await joins(victim, "佐藤", "sato")
    assert victim.http.cookies.get("desk", domain="127.0.0.1", path="/") != planted
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=office.app), base_url=URL, cookies={"desk": planted}) as thief:
        assert (await thief.get("/desk")).status_code == 303


@pytest.mark.requirement("R27")
async def test_a_cookie_counts_only_as_a_cookie_and_only_at_its_own_door(office: Office, sato: Browser) -> None:
    code, token = office.has_case(), sato.http.cookies["desk"]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=office.app), base_url=URL) as stranger:
        for path, headers in (
            (f"/desk?desk={token}", {}), ("/desk", {"authorization": f"Bearer {token}"}), ("/desk", {"x-desk": token}),
            ("/desk", {"cookie": f"talk={token}"}),
        ):  # fmt: skip
            assert (await stranger.get(path, headers=headers)).status_code == 303
        for given in (token, f"{token}.", token[:-1], token.swapcase()):
            assert (await stranger.get(f"/api/v1/cases/{code}", headers={"authorization": f"Bearer {given}"})).status_code == 401


async def test_words_typed_while_the_session_ended_come_back_and_nothing_is_sent(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    office.clock.moves(minutes=31)
    answer = await sato.replies(code, "火曜の10時にうかがいます")
    assert answer.status_code == 401
    assert "火曜の10時にうかがいます" in sato.page
    assert "退院" not in sato.page
    assert office.line.words == []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=office.app), base_url=URL) as stranger:
        assert (await stranger.post(f"/desk/cases/{code}/reply", data={"text": "ひみつ"})).status_code == 303


# ---------------------------------------------------------------- guessing


@pytest.mark.requirement("R28")
async def test_of_a_hundred_guesses_at_once_no_more_count_than_of_a_hundred_in_a_row(office: Office, sato: Browser, a_browser: NewBrowser) -> None:
    guesser = a_browser()
    await guesser.opens("/desk/sign-in")
    csrf = guesser.field("csrf")

    async def guess(number: int) -> int:
        answer = await guesser.http.post("/desk/sign-in", data={"csrf": csrf, "login": "sato", "password": f"guess {number}"})
        return answer.status_code

    answers = await asyncio.gather(*(guess(number) for number in range(100)))
    assert answers.count(401) == 5
    assert answers.count(429) == 95


@pytest.mark.requirement("R28")
async def test_a_home_with_many_addresses_has_one_share_of_guesses(office: Office, sato: Browser) -> None:
    answers = []
    for number in range(8):
        transport = httpx.ASGITransport(app=office.app, client=(f"2001:db8:1:2::{number:x}", 1))
        async with httpx.AsyncClient(transport=transport, base_url=URL, headers={"sec-fetch-site": "same-origin"}) as guesser:
            page = (await guesser.get("/desk/sign-in")).text
            csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
            answer = await guesser.post("/desk/sign-in", data={"csrf": csrf, "login": "sato", "password": f"guess {number}"})
            answers.append(answer.status_code)
    assert answers == [401] * 5 + [429] * 3


@pytest.mark.requirement("R28")
async def test_a_right_password_counts_as_no_guess(office: Office, sato: Browser, a_browser: NewBrowser) -> None:
    for _ in range(7):
        browser = a_browser()
        await browser.opens("/desk/sign-in")
        await browser.posts("/desk/sign-in", login="sato", password=PASSWORD)
        assert browser.path == "/desk"


# ---------------------------------------------------------------- once, also for two at the same moment


def _tried(works: list[Callable[[], object]]) -> list[object]:
    """What came of each, run together; an exception is its kind."""

    def run(work: Callable[[], object]) -> object:
        try:
            return work()
        except (staff.InvitationSpent, staff.LoginTaken, Missing) as error:
            return type(error)

    return at_once([lambda work=work: run(work) for work in works])


@pytest.mark.requirement("R25")
def test_an_invitation_used_by_two_at_once_makes_one_account(store: Store, now: datetime) -> None:
    token = store.transact(lambda rows: staff.invite(rows, role="lead", now=now))

    def accepts(login: str) -> Callable[[], object]:
        return lambda: store.transact(lambda rows: staff.accept(rows, token, login=login, name=login, password_hash="!", now=now))

    found = _tried([accepts(f"login{number}") for number in range(6)])
    assert found.count(staff.InvitationSpent) == 5
    assert len(store.transact(staff.everybody)) == 1


@pytest.mark.requirement("R15")
def test_a_link_into_the_room_opens_for_one_of_two_at_once(store: Store, now: datetime) -> None:
    def link(rows: Session) -> str:
        return rooms.make_link(rows, talks.find_or_open(rows, "line", "U1", now), now)

    token = store.transact(link)
    found = _tried([lambda: store.transact(lambda rows: rooms.spend(rows, token, now)) for _ in range(6)])
    assert sum(one is not None for one in found) == 1


@pytest.mark.requirement("R26")
def test_a_recovery_code_and_a_way_back_from_the_directory_count_once_for_many_at_once(store: Store, now: datetime) -> None:
    def account(rows: Session) -> tuple[str, str]:
        member = staff.accept(rows, staff.invite(rows, role="lead", now=now), login="sato", name="佐藤", password_hash="!", now=now)
        return member.id, factors.new_recovery_codes(rows, member.id, now)[0]

    member, code = store.transact(account)
    passed = _tried([lambda: store.transact(lambda rows: factors.passes(rows, member, code, now)) for _ in range(6)])
    assert passed.count(True) == 1
    cookie, _ = store.transact(lambda rows: oidc.begin(rows, now))
    spent = _tried([lambda: store.transact(lambda rows: oidc.spend(rows, cookie, now)) for _ in range(6)])
    assert sum(one is not None for one in spent) == 1


@pytest.mark.requirement("R21")
async def test_nobody_lets_themselves_in_and_two_answers_at_once_count_once(office: Office, a_browser: NewBrowser) -> None:
    code = office.has_case()
    admin = await joins(a_browser(), "管理", "kanri", "admin")
    await admin.opens("/desk/emergency")
    await admin.posts("/desk/emergency", code=code, why="夜間に連絡があった")
    (asked,) = office.rows("SELECT id FROM emergency")[0]
    assert (await admin.posts(f"/desk/emergency/{asked}", answer="yes")).status_code == 404
    lead = await joins(a_browser(), "係長", "kakaricho", "lead")
    await lead.opens("/desk/emergency")
    await lead.posts("/desk/emergency", code=code, why="わたしが自分で")
    ((own,),) = office.rows("SELECT emergency.id FROM emergency JOIN staff ON staff.id = staff_id WHERE login = 'kakaricho'")
    assert (await lead.posts(f"/desk/emergency/{own}", answer="yes")).status_code == 404, "nor does whoever may read it anyway"
    await lead.opens("/desk/emergency")
    csrf = lead.field("csrf")
    await asyncio.gather(*(lead.http.post(f"/desk/emergency/{asked}", data={"csrf": csrf, "answer": answer}) for answer in ("yes", "no")))
    assert len(office.rows("SELECT 1 FROM audit WHERE act IN ('emergency.let_in', 'emergency.refused')")) == 1
    (kanri,) = office.rows("SELECT id FROM staff WHERE login = 'kanri'")[0]
    office.clock.moves(minutes=61)
    assert office.store.transact(lambda rows: keeping_out.let_in(rows, str(kanri), office.clock.now())) == frozenset()


@pytest.mark.requirement("R28")
def test_whoever_changes_how_an_account_signs_in_its_owner_is_told_by_mail_and_at_the_desk(build_town, town_store: Store) -> None:
    with build_town(town_store, mail_url="mailtos://u:p@smtp.example.jp?from=desk@example.jp") as town:
        token = town.store.transact(lambda rows: staff.invite(rows, role="coordinator", now=town.clock.now()))
        browser = httpx.Client(base_url=town.url, headers={"sec-fetch-site": "same-origin"}, follow_redirects=True)

        def posts(path: str, **fields: str) -> str:
            csrf = re.search(r'name="csrf" value="([^"]*)"', browser.get("/desk/welcome" if "welcome" in path else "/desk/me").text)
            assert csrf
            return browser.post(path, data={"csrf": csrf[1], **fields}).text

        posts("/desk/welcome", token=token, name="佐藤", login="sato", password=PASSWORD, again=PASSWORD)
        (me,) = town.rows("SELECT id FROM staff")[0]
        posts("/desk/duty/addresses", staff_id=me, name="佐藤", mail="sato@example.jp", tel="")
        page = posts("/desk/me/password", current=PASSWORD, password=f"{PASSWORD}２", again=f"{PASSWORD}２")
        assert "パスワードを変えた" in page
        town.until(lambda: bool(town.bell.rung))
        assert [address for call in town.bell.addresses for address in call] == ["mailtos://u:p@smtp.example.jp?from=desk@example.jp&to=sato@example.jp"]
        assert "本人確認のしかたが変わりました" in town.bell.rung[0]
