"""Requests no page of ours sends: other kinds of bodies, methods, hosts, paths, and JSON that is none (R4, R17, R24, R29, R31)."""

import json
import re
from collections.abc import Callable

import httpx
import pytest

from bot.api import router as api
from bot.desk import knowledge_work
from storage import staff
from tests.api.conftest import key_for, system
from tests.desk.conftest import PASSWORD, URL, Browser, Office, joins
from tests.town import Town

NewBrowser = Callable[..., Browser]


@pytest.mark.requirement("R29")
@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("text/plain", "csrf={0}&text=x"), ("application/json", '{{"csrf": "{0}", "text": "x"}}'), ("", "csrf={0}&text=x"),
        ("application/x-www-form-urlencoded; charset=utf-16", "csrf=x&text=x"), ("multipart/form-data", "csrf={0}"),
        ("multipart/form-data; boundary=x", '--x\r\nContent-Disposition: form-data; name="csrf"; filename="a"\r\n\r\n{0}\r\n--x--\r\n'),
        ("multipart/form-data; boundary=" + "x" * 5000, "csrf={0}"), ("application/xml", "<csrf>{0}</csrf>"),
    ],
)  # fmt: skip
async def test_a_form_of_another_kind_is_none_of_ours(office: Office, sato: Browser, kind: str, shape: str) -> None:
    code = office.has_case()
    await sato.opens(f"/desk/cases/{code}")
    for headers in ({}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}):
        answer = await sato.http.post(
            f"/desk/cases/{code}/note", content=shape.format(sato.field("csrf")).encode(), headers={"content-type": kind, **headers}
        )
        assert 400 <= answer.status_code < 500, (kind, headers)
    assert office.rows("SELECT count(*) FROM memo") == [(0,)]


@pytest.mark.requirement("R29")
async def test_the_proof_of_a_form_counts_only_in_the_form_and_only_for_its_own_session(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case()
    await sato.opens(f"/desk/cases/{code}")
    await tanaka.opens(f"/desk/cases/{code}")
    mine, theirs = sato.field("csrf"), tanaka.field("csrf")
    for given in ({"csrf": theirs}, {"csrf": ""}, {}, {"csrf": mine.upper() + "."}, {"csrf": f".{mine}"}, {"CSRF": mine}, {"csrf[]": mine}):
        assert (await sato.http.post(f"/desk/cases/{code}/note", data={"text": "x", **given})).status_code == 403, given
    answer = await sato.http.post(f"/desk/cases/{code}/note?csrf={mine}", data={"text": "x"}, headers={"x-csrf-token": mine})
    assert answer.status_code == 403
    assert office.rows("SELECT count(*) FROM memo") == [(0,)]


@pytest.mark.requirement("R29")
async def test_another_site_signs_nobody_in_as_its_own_account(office: Office, sato: Browser, a_browser: NewBrowser) -> None:
    for headers in ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": "", "origin": "https://evil.example"}):
        victim = a_browser(**headers)
        await victim.opens("/desk/sign-in")
        answer = await victim.http.post("/desk/sign-in", data={"csrf": victim.field("csrf"), "login": "sato", "password": PASSWORD})
        assert answer.status_code == 403, headers
        assert "desk" not in answer.cookies


@pytest.mark.requirement("R17")
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "HEAD", "OPTIONS", "POST "])
async def test_no_other_method_does_what_a_door_does(office: Office, sato: Browser, method: str) -> None:
    code = office.has_case("ひみつの話")
    await sato.opens(f"/desk/cases/{code}")
    for path in (f"/desk/cases/{code}", f"/desk/cases/{code}/note", "/desk/sign-in", f"/api/v1/cases/{code}"):
        content = f"csrf={sato.field('csrf')}&text=x".encode()
        headers = {"content-type": "application/x-www-form-urlencoded", "x-http-method-override": "POST", "x-method-override": "POST"}
        answer = await sato.http.request(method, f"{path}?_method=POST", content=content, headers=headers)
        assert answer.status_code in (401, 404, 405), (path, answer.status_code)
        assert "ひみつ" not in answer.text
    assert office.rows("SELECT count(*) FROM memo") == [(0,)]


@pytest.mark.requirement("R29", "R15")
async def test_no_link_of_ours_leads_to_the_host_that_a_request_names(office: Office, a_browser: NewBrowser) -> None:
    lead = await joins(a_browser(), "係長", "kakaricho", "lead")
    await lead.opens("/desk/agencies")
    evil = {
        "host": "evil.example",
        "x-forwarded-host": "evil.example",
        "forwarded": "host=evil.example",
        "x-original-url": "/x",
        "x-rewrite-url": "/x",
    }
    answer = await lead.http.post("/desk/agencies", data={"csrf": lead.field("csrf"), "name": "見本社協"}, headers=evil)
    assert answer.status_code == 200
    assert f"{URL}/desk/welcome#" in answer.text
    assert "evil.example" not in answer.text


@pytest.mark.requirement("R29")
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80", "127.0.0.1@evil.example", "localhost.", "", "127.0.0.1, evil.example"]
)
def test_a_host_that_is_not_ours_is_answered_by_nothing(town: Town, host: str) -> None:
    answer = town.http.get("/", headers={"host": host})
    assert answer.status_code == 400, host
    assert "evil" not in answer.text


@pytest.mark.requirement("R15", "R31")
def test_no_page_that_holds_a_link_tells_it_to_the_next_one_or_keeps_it(town: Town) -> None:
    for path in ("/room", "/return", "/desk/welcome", "/desk/sign-in", "/", "/desk/directory/back?state=x"):
        answer = town.http.get(path)
        assert answer.headers["referrer-policy"] == "no-referrer", path
        assert answer.headers["cache-control"] == "no-store", path
        assert "http-equiv" not in answer.text.lower()


@pytest.mark.requirement("R31", "R17")
@pytest.mark.parametrize(
    "name",
    [
        "../access.py", "..%2faccess.py", "%2e%2e/access.py", "....//access.py", "..\\access.py", "..%5caccess.py", "%2fetc%2fpasswd", "//etc/passwd",
        "npm/../../access.py", "npm/%2e%2e%2f..%2faccess.py", "desk.css%00.py", "desk.css/", "desk.css/..", ".", "", "~root", "npm", "CON",
        "%c0%ae%c0%ae/access.py", "desk.css;.py", "x" * 5000,
    ],
)  # fmt: skip
async def test_no_path_leads_out_of_the_folder_of_static_files(office: Office, sato: Browser, name: str) -> None:
    for base in ("/desk/static/", "/static/"):
        url = httpx.URL(URL).copy_with(raw_path=f"{base}{name}".encode())
        answer = await sato.http.get(url)
        assert answer.status_code in (303, 307, 404) or name == "desk.css/", (base, name)
        assert "Who may open which door" not in answer.text
        assert "root:" not in answer.text


@pytest.mark.requirement("R4", "R24")
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 60_000, b'{"text":' * 20_000, b'{"text": "x", "expected_version": NaN}', b'{"text": "x", "expected_version": Infinity}',
        b'{"text": "x", "expected_version": 1e400}', b'{"text": "x", "expected_version": ' + b"9" * 5000 + b"}", b'{"text": "\\ud800"',
        b"\xff\xfe{\x00}\x00", b"null", b"[]", b'"x"', b"", b"{", b'{"text": {"$ne": ""}, "expected_version": 1}',
        b'{"text": ["x"], "expected_version": true}', b'{"text": "x", "expected_version": "1; DROP TABLE memo"}', b'{"__proto__": 1, "__class__": 2}',
        b'{"text": "a", "text": "b", "expected_version": 1}',
    ],
    ids=range(18),
)  # fmt: skip
async def test_json_that_is_meant_to_break_the_reader_is_refused_and_does_nothing(office: Office, body: bytes) -> None:
    code, key = office.has_case(), key_for(office, "kikai")
    async with system(office, key) as other:
        await other.post(f"/cases/{code}/claim")
        before = office.rows("SELECT count(*) FROM message")
        for act in ("reply", "close", "refer", "handback", *(() if b"expected_version" in body else ("note",))):
            answer = await other.post(f"/cases/{code}/{act}", content=body, headers={"content-type": "application/json"})
            assert 400 <= answer.status_code < 500, act
            assert b"9999" not in answer.content, "what was sent is not told back"
    assert office.rows("SELECT count(*) FROM message") == before
    assert office.rows("SELECT count(*) FROM memo") == [(0,)]


@pytest.mark.requirement("R24")
async def test_nobody_writes_a_column_by_naming_it(office: Office, sato: Browser) -> None:
    code, key = office.has_case(), key_for(office, "kikai")
    more = {
        "staff_id": "0" * 32,
        "author": "resident",
        "state": "closed",
        "coordinator_id": "0" * 32,
        "version": 99,
        "at": "2000-01-01",
        "role": "lead",
    }
    async with system(office, key) as other:
        await other.post(f"/cases/{code}/note", json={"text": "メモ", **more})
        await other.post(f"/cases/{code}/claim", json=more)
    await sato.opens("/desk/me")
    await sato.posts(
        "/desk/me/password", current=PASSWORD, password=f"{PASSWORD}２", again=f"{PASSWORD}２", **{name: str(value) for name, value in more.items()}
    )
    ((kikai,),) = office.rows("SELECT id FROM staff WHERE login = 'kikai'")
    assert office.rows("SELECT state, coordinator_id FROM care_case") == [("held", kikai)]
    assert office.rows("SELECT role FROM staff WHERE login = 'sato'") == [("coordinator",)]
    assert all(str(at).startswith("2026") and who == kikai for at, who in office.rows("SELECT at, staff_id FROM memo"))


@pytest.mark.requirement("R26")
async def test_a_key_counts_only_as_a_key_and_only_whole(office: Office, sato: Browser) -> None:
    office.has_case()
    key = key_for(office, "kikai")
    kept = office.rows("SELECT token_hash FROM api_token")[0][0]
    cookie = next(iter(sato.http.cookies.values()))
    for given in (
        f"Basic {key}",
        f"bearer{key}",
        f"Bearer {key[:-1]}",
        f"Bearer {key}x",
        f"Bearer  {key} {key}",
        f"Bearer {kept}",
        f"Bearer {cookie}",
        key,
    ):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=office.app), base_url=URL) as stranger:
            assert (await stranger.get("/api/v1/cases", headers={"authorization": given})).status_code == 401, given[:10]
            assert (await stranger.get(f"/api/v1/cases?token={key}&access_token={key}", cookies={"token": key})).status_code == 401
    office.store.transact(lambda rows: staff.disable(rows, login="kikai", now=office.clock.now()))
    async with system(office, key) as ended:
        for route in api.routes:
            path = getattr(route, "path", "").removeprefix("/api/v1")
            if "{" not in path:
                assert (await ended.get(path)).status_code == 401


@pytest.mark.requirement("R50")
@pytest.mark.parametrize("domain", ["../../x", "/etc", "okane/../..", "..", "x\0", "x" * 300, "", "okane\nid: evil"])
async def test_a_new_entry_stands_in_the_folder_and_nowhere_else(office: Office, domain: str) -> None:
    made = knowledge_work.new_on_disk(office.parts, domain)
    assert made.path.parent == office.parts.knowledge.folder
    assert made.path.name == f"{made.entry_id}.yaml"
    assert re.fullmatch(r"machi-\d{8}-1", made.entry_id)


@pytest.mark.requirement("R3", "R7", "R9")
@pytest.mark.parametrize(
    "update",
    [
        {"business_message": {"chat": {"id": 5, "type": "private"}, "from": {"id": 5, "is_bot": False, "first_name": "x"}, "text": "死にたい"}},
        {"channel_post": {"chat": {"id": -5, "type": "channel", "title": "x"}, "text": "死にたい"}},
        {"message": {"chat": {"id": 0, "type": "private"}, "text": "x"}}, {"message": {"chat": {"id": "5", "type": "private"}, "text": "x"}},
        {"message": {"chat": {"id": True, "type": "private"}, "text": "x"}}, {"callback_query": {"id": "1", "from": {"id": 5}, "data": "!human"}},
        {"inline_query": {"id": "1", "from": {"id": 5, "is_bot": False, "first_name": "x"}, "query": "死にたい", "offset": ""}},
    ],
    ids=["business", "channel", "nobody", "text for a number", "true", "a press from nowhere", "inline"],
)  # fmt: skip
def test_what_telegram_says_of_others_makes_nobody_a_resident_and_is_answered_by_nothing(town: Town, update: dict[str, dict[str, object]]) -> None:
    for part in update.values():
        if "chat" in part:
            part |= {"message_id": 9, "date": 1_790_000_000}
    body = json.dumps({"update_id": 77, **update}).encode()
    headers = {"x-telegram-bot-api-secret-token": town.telegram.secret}
    assert town.http.post("/telegram/webhook", content=body, headers=headers).status_code in (200, 400)
    town.rests()
    assert town.rows("SELECT count(*) FROM person") == [(0,)]
    assert town.rows("SELECT count(*) FROM outbox") == [(0,)]


@pytest.mark.requirement("R1", "R2")
def test_a_signed_webhook_of_long_ago_is_answered_once_for_good(town: Town) -> None:
    """Its event is known for as long as anything is; one that only says it is old, or of the future, moves no clock."""
    resident = town.resident_on("line")
    said = town.line.text_event(resident.account, "人と話したい")
    town.http.post("/line/webhook", content=(webhook := town.line.webhook(said)).body, headers=webhook.headers)
    town.rests()
    before = town.rows("SELECT count(*) FROM message")
    town.clock.moves(days=200)
    assert town.http.post("/line/webhook", content=webhook.body, headers=webhook.headers).status_code == 200
    town.rests()
    assert town.rows("SELECT count(*) FROM message") == before
    for stamp in (0, -1, 1, 9_999_999_999_999, "x", None, 1e300):
        odd = town.line.text_event(resident.account, "もしもし") | {"timestamp": stamp}
        body = town.line.webhook(odd)
        assert town.http.post("/line/webhook", content=body.body, headers=body.headers).status_code == 200
    town.rests()
    times = [row[0] for row in town.rows("SELECT at FROM message WHERE author = 'resident'")]
    assert all(str(at) >= "2026-11" and str(at) < "2027-12" for at in times)


@pytest.mark.requirement("R3")
@pytest.mark.parametrize("kind", ["message", "edited_message"])
@pytest.mark.parametrize("words", [{"text": True}, {"caption": True}, {"text": 7}, {"caption": {"a": 1}}, {"text": ["x"]}])
def test_words_of_telegram_that_are_none_are_kept_as_they_came_and_do_not_come_for_ever(town: Town, kind: str, words: dict[str, object]) -> None:
    """An error of ours would make the platform bring them again and again, and hold up everybody behind them."""
    resident = town.resident_on("telegram")
    update = json.loads(town.telegram.text(resident.account, "x").body)
    message = {name: part for name, part in update.pop("message").items() if name != "text"}
    body = json.dumps({**update, kind: {**message, **words, "photo": [{"file_id": "1", "file_unique_id": "1", "width": 1, "height": 1}]}})
    headers = {"x-telegram-bot-api-secret-token": town.telegram.secret}
    assert town.http.post("/telegram/webhook", content=body.encode(), headers=headers).status_code == 200
    assert resident.says("もしもし").heard()
