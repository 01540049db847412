"""What nobody writes by mistake: each of these was tried by hand once, and stays tried."""

import json

import httpx
import pytest

from bot.desk.exports import csv_of
from bot.desk.talk_view import links_in
from knowledge.exchange.cells import safe, unsafe
from tests.town import Town


@pytest.mark.requirement("R33")
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"])
def test_no_cell_starts_a_formula(start: str) -> None:
    cell = start + 'HYPERLINK("https://evil.example","x")'
    assert safe(cell) == "'" + cell
    assert unsafe(safe(cell)) == cell
    assert csv_of(["列"], [[cell]]).decode("utf-8-sig").splitlines()[1:] != [f'"{cell}"']


@pytest.mark.requirement("R32")
@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("https://www.xn--80ak6aa92e.com/x", "www.xn--80ak6aa92e.com"), ("http://аpple.com", "xn--pple-43d.com"),
        ("https://city.lg.jp@evil.example/", "evil.example"), ("HTTPS://evil.example:8443/a?b=https://ok.jp", "evil.example"),
        ("見てhttps://例え.テスト/あ ね", "xn--r8jz45g.xn--zckzah"), ("http://[::1", "？"),
    ],
)  # fmt: skip
def test_a_look_alike_address_shows_where_it_really_leads(written: str, host: str) -> None:
    assert [link.host for link in links_in(written)] == [host]


@pytest.mark.requirement("R4")
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000, b'{"events":' + b"[" * 5000 + b"]" * 5000 + b"}", b'{"events":[],"events":[]}', b'{"events":[NaN]}', b'{"events":[1e999]}',
        b'{"events":[' + b"9" * 5000 + b"]}", b"\xff\xfe", b'{"events":"x"}', b"null", b'"\\ud800"',
    ],
)  # fmt: skip
def test_a_signed_body_that_is_meant_to_break_the_reader_is_refused_and_leaves_nothing(town: Town, body: bytes) -> None:
    answer = town.http.post("/line/webhook", content=body, headers=town.line.signed(body).headers)
    assert answer.status_code == 400
    assert town.rows("SELECT count(*) FROM inbox")[0][0] == 0


@pytest.mark.requirement("R4")
def test_a_body_that_is_too_large_is_refused_before_anything_reads_it(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    big = b"x" * (town.settings.max_body + 1)
    chunks = (big[at : at + 65_536] for at in range(0, len(big), 65_536))
    said, unsaid = (("/line/webhook", "/telegram/webhook", "/desk/sign-in", "/say", "/api/v1/cases"), big), (("/line/webhook",), chunks)
    for paths, content in (said, unsaid):
        for path in paths:
            try:
                answer = town.http.post(path, content=content)
                assert (answer.status_code, answer.headers["connection"]) == (413, "close"), path
            except httpx.TransportError:
                continue  # the connection was cut before all was written
    assert town.rows("SELECT count(*) FROM inbox")[0][0] == 0
    assert town.http.get("/healthz").status_code == 200
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.requirement("R4", "R24")
def test_odd_requests_at_every_door_are_answered_and_never_with_a_5xx(town: Town) -> None:
    paths = (
        "/desk/cases/%00", "/desk/static/%00", "/desk/static/..%2f..%2faccess.py", "/desk/search?q=%00", "/static/%00", "/static/..%2fchat.py",
        "/api/v1/cases/%00", "/api/v1/cases?limit=99999999999999999999", "/?whole=%00", "/return?lang=%00",
        "/desk/directory/back?state=%00&code=%00", "/desk/" + "a" * 6000, "/%2e%2e/%2e%2e/etc/passwd",
    )  # fmt: skip
    for path in paths:
        for method in ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
            answer = town.http.request(method, path, headers={"authorization": "Bearer x"})
            assert answer.status_code < 500, (method, path, answer.status_code)
            assert "root:" not in answer.text
    for content, kind in ((b"a=%00&csrf=%ff", "application/x-www-form-urlencoded"), (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
                          (b"{", "application/json"), (b"&" * 5000, "application/x-www-form-urlencoded"), (b"", "multipart/form-data")):  # fmt: skip
        for path in ("/desk/sign-in", "/desk/welcome", "/desk/second", "/say", "/leave", "/phrase", "/return", "/room", "/language", "/size"):
            answer = town.http.post(path, content=content, headers={"content-type": kind})
            assert answer.status_code < 500, (path, content[:20], answer.status_code)


@pytest.mark.requirement("R29")
@pytest.mark.parametrize("header", ["x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded", "x-forwarded-user", "remote-user"])
def test_no_header_of_a_stranger_changes_who_or_where_they_are(town: Town, header: str) -> None:
    page = town.http.get("/desk/sign-in", headers={header: "admin"})
    assert "admin" not in page.text
    assert town.http.get("/desk", headers={header: "admin"}, follow_redirects=False).headers["location"] == "/desk/sign-in"
    assert town.http.get("/desk/sign-in", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.requirement("R1", "R2")
def test_a_true_webhook_that_is_played_back_changes_nothing(town: Town) -> None:
    resident = town.resident_on("line")
    webhook = town.line.text(resident.account, "家賃が払えません")
    for _ in range(3):
        assert town.http.post("/line/webhook", content=webhook.body, headers=webhook.headers).status_code == 200
    town.rests()
    assert town.rows("SELECT count(*) FROM message WHERE author = 'resident' AND kind = 'text'")[0][0] == 1
    other = json.loads(webhook.body)
    other["destination"] = "x"
    assert town.http.post("/line/webhook", content=json.dumps(other).encode(), headers=webhook.headers).status_code == 401


@pytest.mark.requirement("R4")
def test_a_form_that_is_too_large_is_told_so_in_words_and_a_table_of_five_megabytes_comes_in(town: Town) -> None:
    answer = town.http.post("/desk/sign-in", content=b"x" * (town.settings.max_body + 1))
    assert answer.status_code == 413
    assert "大きすぎて、受けとれませんでした" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    answer = town.http.post("/desk/table", content=b"x" * 5_000_000, headers={"content-type": "application/octet-stream"})
    assert answer.status_code == 303, "it is read, and whoever is not signed in is led to the door"
    assert town.http.post("/desk/table", content=b"x" * 6_000_000).status_code == 413
