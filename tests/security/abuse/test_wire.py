"""Bytes on the wire that two readers could read in two ways: what stands in front of us and we must never disagree about them (R4, R29)."""

import socket

import pytest

from tests.town import Town

_POST = b"POST /line/webhook HTTP/1.1\r\nHost: 127.0.0.1\r\n"
_INNER = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_GET = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


def _sends(town: Town, content: bytes) -> bytes:
    """All that comes back until the other side ends the connection."""
    host, _, port = town.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as wire:
        wire.sendall(content)
        heard = b""
        while came := wire.recv(65536):
            heard += came
    return heard


@pytest.mark.requirement("R4", "R29")
@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", b"Transfer-Encoding: xchunked\r\n", b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n", b"Content-Length: 0\r\nContent-Length: 44\r\n", b"Content-Length: +0\r\n", b"Content-Length: 0x4\r\n",
        b"X-A: b\r\n  Content-Length: 4\r\n", b"X-A: b\r\n\tTransfer-Encoding: chunked\r\nContent-Length: 4\r\n", b"X-A: \x00\r\n",
        b"Host: evil.example\r\n", b"host: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n",
    ],
)  # fmt: skip
def test_a_request_that_can_be_read_in_two_ways_is_refused_and_what_hides_behind_it_is_not_answered(town: Town, head: bytes) -> None:
    heard = _sends(town, _POST + head + b"Connection: close\r\n\r\n0\r\n\r\n" + _INNER)
    assert heard.startswith(b"HTTP/1.1 400"), heard[:200]
    assert heard.count(b"HTTP/1.1 ") == 1
    assert town.rows("SELECT count(*) FROM inbox") == [(0,)]


@pytest.mark.requirement("R29")
@pytest.mark.parametrize(
    "line",
    [
        b"http://evil.example/desk/", b"http://evil.example/desk", b"//evil.example/desk/", b"/desk//evil.example/", b"/%2f%2fevil.example/",
        b"/\\\\evil.example/",
    ],
)  # fmt: skip
def test_no_form_of_an_address_leads_a_browser_to_another_host(town: Town, line: bytes) -> None:
    heard = _sends(town, _GET % line)
    assert heard[9:12] in (b"303", b"307", b"400", b"404"), heard[:200]
    assert b"evil.example" not in heard.partition(b"\r\n\r\n")[0]


@pytest.mark.requirement("R4", "R46")
@pytest.mark.parametrize(
    "path",
    [
        b"/" + b"a" * 60_000, b"/desk/cases/" + b"%e3%81%82" * 6_000, b"/" + b"a/" * 20_000, b"/desk/static/" + b"../" * 10_000,
        b"/calendar.ics?area=" + b"x" * 60_000, b"/static/" + b"%00" * 9_000,
    ],
    ids=["part", "case", "parts", "upwards", "query", "nul"],
)  # fmt: skip
def test_no_overlong_path_or_part_of_one_is_an_error_of_ours(town: Town, path: bytes) -> None:
    heard = _sends(town, _GET % path)
    assert heard[9:12] in (b"200", b"303", b"400", b"404", b"414"), heard[:200]
    assert town.http.get("/healthz").status_code == 200
