"""Whither the product can be made to call: inner addresses, names that change their mind, redirects, what a directory names (R35, R26)."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from bot.directory import Directory, NotBelieved
from bot.outside import Checked, InnerAddress, NotFetched, fetch
from bot.settings import Settings
from bot.webhooks import Webhooks
from storage.oidc import Attempt
from tests.town import Town
from tests.twins.directory_twin import DirectoryTwin


class Listener:
    """Something that listens at an inner address, and counts who calls."""

    def __init__(self, host: str, port: int = 0) -> None:
        self.calls: list[str] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                listener.calls.append(self.headers["host"])
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"inner")

            do_POST = do_GET

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer((host, port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def inner() -> Iterator[Listener]:
    made = Listener("127.0.0.1")
    yield made
    made.server.shutdown()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """A name server that lies: each name has a list of addresses, the next one at each question; the last stays."""
    told: dict[str, list[str]] = {}
    truly = asyncio.BaseEventLoop.getaddrinfo

    async def getaddrinfo(self: Any, host: Any, port: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in told:
            return await truly(self, host, port, **more)
        address = told[name].pop(0) if len(told[name]) > 1 else told[name][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return told


@pytest.mark.requirement("R35")
async def test_a_name_of_the_outside_that_leads_inside_is_not_called(inner: Listener, names: dict[str, list[str]]) -> None:
    names["photos.example"] = ["127.0.0.1"]
    with pytest.raises(NotFetched, match="inner_address"):
        await fetch(f"http://photos.example:{inner.port}/x", most=100)
    assert inner.calls == []


@pytest.mark.requirement("R35")
async def test_a_name_that_changes_its_mind_is_called_where_it_was_looked_at(names: dict[str, list[str]]) -> None:
    first = Listener("127.0.0.1")
    second = Listener("127.0.0.2", first.port)
    names["system.example"] = ["127.0.0.1", "127.0.0.2"]
    async with httpx.AsyncClient(transport=Checked(frozenset({"system.example"}))) as http:
        await http.get(f"http://system.example:{first.port}/")
    assert first.calls == [f"system.example:{first.port}"]
    assert second.calls == []
    for one in (first, second):
        one.server.shutdown()


@pytest.mark.requirement("R35")
def test_the_towns_own_systems_are_called_inside_only_where_the_operator_named_them(town: Town, inner: Listener, names: dict[str, list[str]]) -> None:
    names["keiri.town.example"] = ["127.0.0.1"]
    url = f"http://keiri.town.example:{inner.port}/hook"

    def tells(hooks: Webhooks) -> None:
        town.on_loop(hooks.tell(url))
        resident = town.resident_on("line").says("人と話したい").taps("渡す")
        assert resident.case
        town.on_loop(hooks.tell(url))

    with pytest.raises(InnerAddress):
        tells(Webhooks(town.store, town.clock, [url], "見本の秘密"))
    assert inner.calls == []
    tells(Webhooks(town.store, town.clock, [url], "見本の秘密", Settings(inner_hosts="keiri.town.example").may_lie_inside))
    assert inner.calls
    assert set(inner.calls) == {f"keiri.town.example:{inner.port}"}


@pytest.mark.requirement("R26", "R35")
@pytest.mark.parametrize("where", ["http://localhost:{port}/keys", "http://10.0.0.1/keys", "http://[::1]:{port}/keys", "http://169.254.169.254/latest"])
async def test_a_directory_that_names_an_inner_address_is_not_followed_there(inner: Listener, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    with DirectoryTwin("http://127.0.0.1:8000/desk/directory/back") as twin:
        directory = Directory(Settings(oidc_issuer=twin.url, oidc_client_id=twin.client, oidc_client_secret=twin.secret))
        attempt = Attempt("s" * 43, "n" * 43, "v" * 43, None)
        back = httpx.URL(twin.visit(await directory.way_there(attempt))).params
        twin.names = {"jwks_uri": where.format(port=inner.port)}
        with pytest.raises(NotBelieved, match="InnerAddress"):
            await directory.subject(attempt, dict(back))
    assert inner.calls == []
