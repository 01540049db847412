"""Two `madoguchi serve` on one PostgreSQL, a coordinator at each, at one case (R23); and a page that comes back by the other server."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlmodel import Session

from storage import cases, staff
from storage import talk as talks
from storage.sealing import Keyring, make_key_file, read_key_file
from storage.store import Store
from tests.conftest import Database
from tests.desk.conftest import PASSWORD
from tests.forms import hidden_field

_PATIENCE = 90.0
_SERVE = [sys.executable, "-c", "from bot.cli import main; main()", "serve"]
_ENTRY = "id: food-bank\nname: フードバンク（見本）\ndomain: okane\nkind: service\nsummary: 食品をわたします。\nexamples: [冷蔵庫がからっぽです]\n"

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(240)]


class Desk:
    """A coordinator's browser at one of the servers."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, headers={"sec-fetch-site": "same-origin"}, follow_redirects=True, timeout=30)
        self.page = ""

    def joins(self, token: str, name: str, login: str) -> "Desk":
        self.opens("/desk/welcome")
        self.posts("/desk/welcome", token=token, name=name, login=login, password=PASSWORD, again=PASSWORD)
        assert name in self.page
        return self

    def opens(self, path: str) -> str:
        self.page = self.http.get(path).text
        return self.page

    def posts(self, path: str, **fields: str) -> int:
        answer = self.http.post(path, data={"csrf": hidden_field(self.page, "csrf", "")} | fields)
        self.page = answer.text
        return answer.history[0].status_code if answer.history else answer.status_code

    def reply(self, code: str, text: str) -> dict[str, str]:
        """What the form of the open page would send."""
        hidden = {name: hidden_field(self.page, name, "/reply") for name in ("expected_version", "recipient", "seen_seq")}
        return hidden | {"text": text}


@pytest.fixture
def servers(postgres_database: Database, tmp_path: Path) -> Iterator[tuple[Store, list[str]]]:
    """The database, and the addresses of two servers over it."""
    make_key_file(tmp_path / "master.key")
    (tmp_path / "town").mkdir()
    (tmp_path / "town" / "food-bank.yaml").write_text(_ENTRY, encoding="utf-8")
    settings = {"DATABASE_URL": postgres_database.url, "MASTER_KEY_FILE": str(tmp_path / "master.key"), "KNOWLEDGE": str(tmp_path / "town")}
    store = Store.open(postgres_database.url, Keyring(read_key_file(tmp_path / "master.key")))
    urls = []
    with ExitStack() as running:
        for number in (1, 2):
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            urls.append(f"http://127.0.0.1:{port}")
            place = tmp_path / f"server-{number}"
            place.mkdir()
            own = settings | {"PORT": str(port), "BASE_URL": urls[-1]}
            environment = {name: value for name, value in os.environ.items() if not name.startswith("MADOGUCHI_")}
            environment |= {f"MADOGUCHI_{name}": value for name, value in own.items()}
            serving = subprocess.Popen(_SERVE, cwd=place, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            running.callback(serving.wait, 30)
            running.callback(serving.terminate)
            _answers(urls[-1], serving)
        yield store, urls
    store.close()


def _answers(url: str, serving: "subprocess.Popen[bytes]") -> None:
    ends = time.monotonic() + _PATIENCE
    while time.monotonic() < ends:
        assert serving.poll() is None, "the server ended"
        try:
            if httpx.get(f"{url}/healthz").status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise AssertionError("the server did not answer in time")


def _case(store: Store) -> str:
    now = datetime.now(UTC)

    def work(rows: Session) -> str:
        talk = talks.find_or_open(rows, "web", "visitor", now)
        talk, line = talks.add_line(rows, talk, author="resident", kind="text", body=json.dumps({"text": "退院後の家のこと"}), now=now)
        talk = talks.save(rows, talk, now)
        sheet = json.dumps([{"about": "worry", "text": "退院後の家のこと", "source": "said", "refs": [line.id]}])
        return cases.open_or_add(
            rows, talk, reason="asked_human", urgency=0, title="退院後の家のこと", sheet=sheet, topics=("okane",), shares_story=True,
            restricted=False, promise_at=None, now=now,
        ).code  # fmt: skip

    return store.transact(work)


def _hears(desk: Desk, path: str, words: str, last: str | None = None) -> tuple[str, str]:
    """The first event of lines with these words, as a browser's EventSource reads it: its id, and all that was heard until then."""
    heard, number = "", ""
    with desk.http.stream("GET", path, headers={} if last is None else {"last-event-id": last}) as stream:
        for line in stream.iter_lines():
            heard += f"{line}\n"
            number = line.removeprefix("id: ") if line.startswith("id: ") else number
            if words in line:
                return number, heard
    raise AssertionError(f"the stream ended: {heard[-500:]}")


@pytest.mark.requirement("R23")
def test_two_coordinators_at_two_servers_lose_no_word_and_send_none_twice(servers: tuple[Store, list[str]]) -> None:
    store, urls = servers
    tokens = [store.transact(lambda rows: staff.invite(rows, role="coordinator", now=datetime.now(UTC))) for _ in urls]
    sato, tanaka = Desk(urls[0]).joins(tokens[0], "佐藤", "sato"), Desk(urls[1]).joins(tokens[1], "田中", "tanaka")
    code = _case(store)
    for desk in (sato, tanaka):
        desk.opens(f"/desk/cases/{code}")
    with ThreadPoolExecutor(2) as both:
        taken = list(both.map(lambda desk: desk.posts(f"/desk/cases/{code}/claim"), (sato, tanaka)))
    assert sorted(taken) == [303, 409], "of two who press at once, one has it"
    first, second = (sato, tanaka) if taken[0] == 303 else (tanaka, sato)

    first.opens(f"/desk/cases/{code}")
    old = first.reply(code, "おくれた返事")
    second.opens(f"/desk/cases/{code}")
    assert second.posts(f"/desk/cases/{code}/claim", instead="yes") == 303
    assert second.posts(f"/desk/cases/{code}/reply", **second.reply(code, "田中の返事")) == 303
    assert first.posts(f"/desk/cases/{code}/reply", **old) == 409
    assert "おくれた返事" in first.page, "what was written is still there"

    def written(rows: Session) -> list[str]:
        talk = talks.find(rows, "web", "visitor")
        assert talk is not None
        return [json.loads(line.body)["text"] for line in talks.lines(rows, talk.id) if line.author == "staff" and line.body]

    assert store.transact(written) == ["田中の返事"]

    stream = f"/desk/cases/{code}/stream?after=1"
    number, _ = _hears(first, stream, "田中の返事")
    with ThreadPoolExecutor(1) as beside:
        hears = beside.submit(_hears, first, stream, "つぎの返事", number)
        second.opens(f"/desk/cases/{code}")
        assert second.posts(f"/desk/cases/{code}/reply", **second.reply(code, "つぎの返事")) == 303
        began = time.monotonic()
        later, heard = hears.result(timeout=20)
    assert time.monotonic() - began < 5, "what is written at one server is on the pages of the other within five seconds"
    assert "田中の返事" not in heard, "a page that comes back hears what it lacks, and nothing twice"
    other = Desk(urls[1] if first is sato else urls[0])
    other.http.cookies = first.http.cookies
    assert int(later) > int(number)
    third, again = _hears(other, stream, "つぎの返事", number)
    assert third == later
    assert "田中の返事" not in again
