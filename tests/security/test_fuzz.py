"""Whatever comes to any door, it is answered without an error of ours, and no word that came with it is lost (R2, R3, R4, R5).

The same examples at every run; `MADOGUCHI_FUZZ=20` makes it twenty times as many, for a long hunt. The API has its own (tests/api/test_schema.py).
"""

import copy
import io
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.api import router as api
from bot.desk.access import DOORS, TAKES_FILES
from bot.web.chat import FRAGMENT
from knowledge.exchange.excel import export_excel
from storage import staff
from storage import talk as talks
from storage.store import Store
from storage.text import clean
from tests.desk.conftest import PASSWORD
from tests.town import Town

_TIMES = int(os.environ.get("MADOGUCHI_FUZZ", "1"))


def _tries(many: int) -> settings:
    return settings(
        max_examples=many * _TIMES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
    )


_scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=40)
_json = st.recursive(_scalars, lambda more: st.lists(more, max_size=3) | st.dictionaries(st.text(max_size=8), more, max_size=3), max_leaves=6)
_odd = st.sampled_from(
    (
        "", "0", "-1", "99999999999999999999", "2026-11-26", "R8.12.31", "0001-01-01", "yes", "\x00", "%", "🏠", "１", "é\u0301", "x" * 5000,
        "=1+1", "\r\n", '"<b>', "../../x",
    )
) | st.text(max_size=30)  # fmt: skip


def _places(found: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place inside a value."""
    inside = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for key, value in inside:
        yield (*way, key)
        yield from _places(value, (*way, key))


def _with(found: Any, way: tuple[str | int, ...], value: Any) -> Any:
    made = copy.deepcopy(found)
    place = made
    for step in way[:-1]:
        place = place[step]
    place[way[-1]] = value
    return made


def _broken(events: list[Any]) -> st.SearchStrategy[Any]:
    """One of these events with something else in one place."""
    one = st.sampled_from([(event, way) for event in events for way in _places(event)])
    return st.builds(lambda at, value: _with(at[0], at[1], value), one, _json)


_WORDS = "家賃が払えません"


def _said(town: Town) -> int:
    """How often the resident's words are kept."""
    every = [talk for (talk,) in town.rows("SELECT id FROM conversation")]
    found = town.store.transact(lambda rows: [line.body for talk in every for line in talks.lines(rows, talk)])
    return sum(body is not None and json.loads(body).get("text") == _WORDS for body in found)


@pytest.mark.requirement("R2", "R3", "R4")
def test_an_event_of_line_that_is_broken_anywhere_takes_no_word_of_its_neighbour_away(town: Town) -> None:
    line, resident, other, group = town.line, town.resident_on("line"), "U" + "1" * 32, "C" + "0" * 32
    made = [line.text(other, "こんにちは"), line.postback(other, "x:y"), line.image(other), line.sticker(other), line.follow(other),
            line.unsend(other, "1"), line.in_group(group, other, "x")]  # fmt: skip
    sent = 0

    @given(event=_broken([json.loads(one.body)["events"][0] for one in made]))
    @_tries(60)
    def is_taken(event: Any) -> None:
        nonlocal sent
        neighbour = json.loads(line.text(resident.account, _WORDS).body)["events"][0]
        webhook = line.webhook(event, neighbour)
        assert town.http.post("/line/webhook", content=webhook.body, headers=webhook.headers).status_code == 200, event
        sent += 1

    is_taken()
    town.rests()
    assert _said(town) == sent


@pytest.mark.requirement("R2", "R3", "R4")
def test_an_update_of_telegram_that_is_broken_anywhere_is_no_error_and_the_next_one_is_kept(town: Town) -> None:
    telegram, resident = town.telegram, town.resident_on("telegram")
    made = [telegram.text("77", "こんにちは"), telegram.postback("77", "x:y"), telegram.image("77"), telegram.sticker("77"),
            telegram.edited("77", "x"), telegram.blocks("77"), telegram.in_group(-100500, "77", "x")]  # fmt: skip
    sent = 0

    @given(update=_broken([json.loads(one.body) for one in made]))
    @_tries(60)
    def is_taken(update: Any) -> None:
        nonlocal sent
        body = json.dumps(update).encode()
        assert town.http.post("/telegram/webhook", content=body, headers=made[0].headers).status_code in (200, 400), update
        webhook = telegram.text(resident.account, _WORDS)
        assert town.http.post("/telegram/webhook", content=webhook.body, headers=webhook.headers).status_code == 200
        sent += 1

    is_taken()
    town.rests()
    assert _said(town) == sent


@pytest.mark.requirement("R2", "R4", "R5")
def test_whatever_is_typed_into_the_web_chat_is_kept_as_it_was_typed(town: Town) -> None:
    browser = httpx.Client(base_url=town.url, headers={"sec-fetch-site": "same-origin"}, follow_redirects=True, timeout=20)
    browser.get("/")
    numbers = iter(range(10**6))
    beside = st.dictionaries(st.sampled_from(["after", "lang", "x"]), _odd, max_size=2)
    typed: list[str] = []

    @given(words=st.text(min_size=1, max_size=60), more=beside, by_script=st.booleans())
    @_tries(40)
    def is_kept(words: str, more: dict[str, str], by_script: bool) -> None:
        accept = {"accept": FRAGMENT} if by_script else {}
        answer = browser.post("/say", data={**more, "text": words, "id": f"fuzz-{next(numbers)}"}, headers=accept)
        assert answer.status_code < 500, (words, more)
        typed.append(words.replace("\r\n", "\n"))

    is_kept()
    town.rests()
    [(talk,)] = town.rows("SELECT id FROM conversation")
    kept = town.store.transact(lambda rows: [json.loads(str(line.body))["text"] for line in talks.lines(rows, talk) if line.author == "resident"])
    assert [words.strip() for words in kept if words.strip()] == [clean(words).strip() for words in typed if clean(words).strip()]


_OF_RESIDENTS = (
    "/", "/say", "/leave", "/phrase", "/return", "/room", "/language", "/size", "/calendar", "/calendar.ics", "/town", "/line/webhook",
    "/telegram/webhook", "/healthz", "/static/{path}",
)  # fmt: skip
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_MEANT = ((b"text=x&id=x&login=x&name=x&password=x", _FORM), (b'{"events":[{"type":"x"}],"update_id":1,"text":"x"}', _JSON))
"""What a door without a lock would take."""


@pytest.mark.requirement("R1", "R4")
def test_bytes_of_any_kind_at_any_door_of_anybody_are_refused_and_leave_nothing(town: Town) -> None:
    systems = [(method, route.path) for route in api.routes if isinstance(route, APIRoute) for method in route.methods]
    assert systems
    of_residents = {(method, path) for method in ("GET", "POST") for path in _OF_RESIDENTS}
    doors = sorted(door for door in {*DOORS, *systems, *of_residents} if not door[1].endswith("stream"))
    kinds = st.sampled_from([_FORM, "multipart/form-data; boundary=x", _JSON, "text/plain", "", "\xff"])

    def is_refused(door: tuple[str, str], body: bytes, kind: str, name: str) -> None:
        method, path = door
        address = re.sub(r"{[^}]*}", lambda _: quote(name[:500], safe=""), path)
        headers = {"content-type": kind.encode("latin-1"), "authorization": b"Bearer x", "sec-fetch-site": b"cross-site"}
        answer = town.http.request(method, address, content=body, headers=headers)
        assert answer.status_code < 500, (door, body, kind, name)

    for door in doors:
        for body, kind in _MEANT:
            is_refused(door, body, kind, "x")
    _tries(250)(given(door=st.sampled_from(doors), body=st.binary(max_size=200) | st.just(b"--x\r\n"), kind=kinds, name=_odd)(is_refused))()
    assert town.rows("SELECT channel, kind FROM inbox") == [("web", "follow")], "only that somebody opened the chat"
    assert town.rows("SELECT (SELECT count(*) FROM staff) + (SELECT count(*) FROM press)") == [(0,)]


# ---------------------------------------------------------------- the desk, signed in


@pytest.fixture
def own_town(build_town: Callable[..., Town], town_store: Store, tmp_path: Path) -> Iterator[Town]:
    """A town that may write into its folder."""
    folder = tmp_path / "sample-town"
    shutil.copytree(Path(__file__).parents[2] / "knowledge" / "sample-town", folder)
    with build_town(town_store, knowledge=folder) as opened:
        yield opened


@pytest.fixture
def lead(own_town: Town) -> httpx.Client:
    """A browser of a lead, signed in over real HTTP."""
    token = own_town.store.transact(lambda rows: staff.invite(rows, role="lead", now=own_town.clock.now()))
    browser = httpx.Client(base_url=own_town.url, headers={"sec-fetch-site": "same-origin"}, timeout=60)
    csrf = _csrf(browser.get("/desk/welcome").text)
    fields = {"csrf": csrf, "token": token, "name": "係長", "login": "lead", "password": PASSWORD, "again": PASSWORD}
    assert browser.post("/desk/welcome", data=fields).status_code == 303
    return browser


def _csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]*)"', page)
    assert found
    return found[1]


@dataclass(frozen=True)
class Form:
    """A form as it stands on a page: where it leads, and its fields with what they hold."""

    action: str
    fields: tuple[tuple[str, str], ...]


class _Forms(HTMLParser):
    """Reads the forms that post off a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._action: str | None = None
        self._fields: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form" and has.get("method") == "post":
            self._action, self._fields = has.get("action", ""), []
        elif self._action is not None and tag in ("input", "textarea", "select", "button") and has.get("name"):
            self._fields.append((has["name"], has.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._action is not None:
            self.found.append(Form(self._action, tuple(self._fields)))
            self._action = None


def _forms_of(browser: httpx.Client, addresses: list[str]) -> list[Form]:
    found: dict[tuple[str, tuple[str, ...]], Form] = {}
    for address in addresses:
        reader = _Forms()
        answer = browser.get(address)
        if answer.headers.get("content-type", "").startswith("text/html"):
            reader.feed(answer.text)
        found |= {(form.action, tuple(name for name, _ in form.fields)): form for form in reader.found}
    return list(found.values())


_LAST = ("/me/", "/close", "/hand-back", "/release", "/pass-on", "/shut-out", "/reopen", "/second-name")
"""Forms after which the others lead nowhere: they come last."""
_NEVER = ("sign-out", "/me/password", "/me/end-others", "/desk/knowledge/", "/desk/new-entry", "/desk/danger-words", "/desk/unheard")
"""Without a session nothing is looked at any more; and what publishes reads the whole town anew, which takes seconds each time."""


def _all_addresses(town: Town, code: str) -> list[str]:
    """Every page of the desk with things that are there."""
    names = {"code": code, "form": "plan", "entry_id": "food-bank"}
    pages = [path for method, path in DOORS if method == "GET" and "stream" not in path]
    return [re.sub(r"{(\w+)(:path)?}", lambda found: names.get(found[1], "0" * 32), path) for path in sorted(pages)]


@pytest.mark.requirement("R4")
def test_whatever_is_written_into_any_form_of_the_desk_is_no_error_of_ours(own_town: Town, lead: httpx.Client) -> None:
    code = own_town.resident_on("line").says("人と話したい").taps("渡す").case
    lead.post(f"/desk/cases/{code}/claim", data={"csrf": _csrf(lead.get(f"/desk/cases/{code}").text)})
    forms = [form for form in _forms_of(lead, _all_addresses(own_town, code)) if not any(part in form.action for part in _NEVER)]
    assert len({form.action for form in forms}) > 25

    def is_answered(form: Form, changed: list[tuple[int, str]], more: dict[str, str]) -> None:
        written = list(form.fields) + list(more.items())
        for at, value in changed:
            name, _ = written[at % len(written)]
            if name != "csrf":
                written[at % len(written)] = name, value
        body = str(httpx.QueryParams(written)).encode()
        answer = lead.post(form.action or "/desk", content=body, headers={"content-type": _FORM})
        assert answer.status_code < 500, (form.action, written)

    changes = st.lists(st.tuples(st.integers(0, 60), _odd), min_size=1, max_size=4)
    strange = st.dictionaries(st.sampled_from(["x", "csrf", "staff", "text", "answer"]), _odd, max_size=1)
    last = [form for form in forms if any(part in form.action for part in _LAST)]
    for some, tries in (([form for form in forms if form not in last], 110), (last, 30)):
        _tries(tries)(given(form=st.sampled_from(some), changed=changes, more=strange)(is_answered))()
    assert lead.get("/desk", follow_redirects=False).status_code == 200, "still signed in: the forms were really looked at"


@pytest.mark.requirement("R4")
def test_whatever_stands_behind_an_address_of_the_desk_is_no_error_of_ours(own_town: Town, lead: httpx.Client) -> None:
    code = own_town.resident_on("line").says("人と話したい").taps("渡す").case
    names = st.sampled_from(["view", "q", "from", "year", "months", "area", "field", "line", "number", "saved", "done", "back", "flag", "domain"])
    addresses = _all_addresses(own_town, code)

    @given(address=st.sampled_from(addresses), query=st.dictionaries(names, _odd, min_size=1, max_size=3))
    @_tries(90)
    def is_answered(address: str, query: dict[str, str]) -> None:
        assert lead.get(address, params=query, follow_redirects=False).status_code < 500, (address, query)

    is_answered()


@pytest.mark.requirement("R4")
def test_whatever_file_is_handed_in_is_read_or_refused(own_town: Town, lead: httpx.Client) -> None:
    csrf = _csrf(lead.get("/desk/table").text)
    book = export_excel({"food-bank": {"id": "food-bank", "name": "フードバンク（見本）"}})
    assert set(TAKES_FILES) == {"/desk/table"}

    def hands_in(content: bytes) -> httpx.Response:
        return lead.post("/desk/table", data={"csrf": csrf}, files={"table": ("x.xlsx", io.BytesIO(content), "application/octet-stream")})

    assert hands_in(book).status_code == 200

    @given(at=st.integers(0, len(book) - 1), many=st.integers(1, 40), instead=st.binary(max_size=40))
    @_tries(20)
    def is_answered(at: int, many: int, instead: bytes) -> None:
        assert hands_in(book[:at] + instead + book[at + many :]).status_code in (200, 422)

    is_answered()
