"""Whatever comes to any door, it is answered without an error of ours, and no word that came with it is lost (R2, R3, R4, R5)."""

import copy
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.channels import webchat
from bot.desk.access import DOORS, TAKES_FILES
from knowledge.exchange.excel import export_excel
from storage import staff
from storage import talk as talks
from tests.desk.conftest import PASSWORD
from tests.town import Town

_few = settings(
    max_examples=25, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink]
)
"""Examples of each run are the same; raise the number for a long hunt."""
_scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=40)
_json = st.recursive(_scalars, lambda more: st.lists(more, max_size=3) | st.dictionaries(st.text(max_size=8), more, max_size=3), max_leaves=6)
_words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


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


def _said(town: Town) -> int:
    return int(town.rows("SELECT count(*) FROM message WHERE author = 'resident' AND kind = 'text'")[0][0])


@pytest.mark.requirement("R2", "R3", "R4")
@pytest.mark.parametrize("kind", ["text", "press", "image", "sticker", "follow", "unsend", "in_group"])
def test_an_event_of_line_that_is_broken_in_any_place_takes_no_word_of_its_neighbour_away(town: Town, kind: str) -> None:
    line, resident = town.line, town.resident_on("line")
    broken = {
        "text": lambda: line.text("U" + "1" * 32, "こんにちは"), "press": lambda: line.postback("U" + "1" * 32, "x:y"),
        "image": lambda: line.image("U" + "1" * 32), "sticker": lambda: line.sticker("U" + "1" * 32), "follow": lambda: line.follow("U" + "1" * 32),
        "unsend": lambda: line.unsend("U" + "1" * 32, "1"), "in_group": lambda: line.in_group("C" + "0" * 32, "U" + "1" * 32, "x"),
    }[kind]()  # fmt: skip
    event = json.loads(broken.body)["events"][0]
    places = list(_places(event))

    @given(way=st.sampled_from(places), value=_json)
    @_few
    def is_taken(way: tuple[str | int, ...], value: Any) -> None:
        before = _said(town)
        neighbour = json.loads(line.text(resident.account, "家賃が払えません").body)["events"][0]
        webhook = line.webhook(_with(event, way, value), neighbour)
        assert town.http.post("/line/webhook", content=webhook.body, headers=webhook.headers).status_code == 200
        assert _said(town) >= before + 1

    is_taken()
    town.rests()


@pytest.mark.requirement("R2", "R3", "R4")
@pytest.mark.parametrize("kind", ["text", "press", "image", "sticker", "edited", "blocks", "in_group"])
def test_an_update_of_telegram_that_is_broken_in_any_place_is_no_error_and_the_next_one_is_kept(town: Town, kind: str) -> None:
    telegram, resident = town.telegram, town.resident_on("telegram")
    broken = {
        "text": lambda: telegram.text("77", "こんにちは"), "press": lambda: telegram.postback("77", "x:y"), "image": lambda: telegram.image("77"),
        "sticker": lambda: telegram.sticker("77"), "edited": lambda: telegram.edited("77", "x"), "blocks": lambda: telegram.blocks("77"),
        "in_group": lambda: telegram.in_group(-100500, "77", "x"),
    }[kind]()  # fmt: skip
    update = json.loads(broken.body)
    places = list(_places(update))

    @given(way=st.sampled_from(places), value=_json)
    @_few
    def is_taken(way: tuple[str | int, ...], value: Any) -> None:
        body = json.dumps(_with(update, way, value)).encode()
        assert town.http.post("/telegram/webhook", content=body, headers=broken.headers).status_code in (200, 400)
        before = _said(town)
        webhook = telegram.text(resident.account, "家賃が払えません")
        assert town.http.post("/telegram/webhook", content=webhook.body, headers=webhook.headers).status_code == 200
        assert _said(town) == before + 1

    is_taken()
    town.rests()


@pytest.mark.requirement("R2", "R4", "R5")
def test_whatever_is_typed_into_the_web_chat_is_kept_as_it_was_typed(town: Town) -> None:
    browser = httpx.Client(base_url=town.url, headers={"sec-fetch-site": "same-origin"}, follow_redirects=True, timeout=20)
    browser.get("/")
    (talk,) = town.rows("SELECT id FROM conversation")[0]
    numbers = iter(range(10**6))

    @given(words=_words, more=st.dictionaries(st.sampled_from(["button", "after", "lang", "x"]), st.text(max_size=30), max_size=2))
    @_few
    def is_kept(words: str, more: dict[str, str]) -> None:
        answer = browser.post("/say", data={**more, "text": words, "id": f"fuzz-{next(numbers)}"})
        assert answer.status_code < 500
        if words.strip() and not more.get("button"):
            kept = town.store.transact(lambda rows: [line.body for line in talks.lines(rows, talk) if line.author == "resident"])
            assert json.loads(str(kept[-1]))["text"] == webchat.written("x", "x", "x", words, town.clock.now())[-1].text

    is_kept()


@pytest.fixture
def lead(town: Town) -> httpx.Client:
    """A browser of a lead, signed in over real HTTP."""
    token = town.store.transact(lambda rows: staff.invite(rows, role="lead", now=town.clock.now()))
    browser = httpx.Client(base_url=town.url, headers={"sec-fetch-site": "same-origin"}, timeout=20)
    csrf = _csrf(browser.get("/desk/welcome").text)
    given_ = {"csrf": csrf, "token": token, "name": "係長", "login": "lead", "password": PASSWORD, "again": PASSWORD}
    assert browser.post("/desk/welcome", data=given_).status_code == 303
    return browser


def _csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]*)"', page)
    assert found
    return found[1]


_ENDS_THE_SESSION = {"/desk/sign-out", "/desk/me/password", "/desk/me/end-others"}
_FIELDS = (
    "text", "expected_version", "recipient", "why", "staff", "code", "name", "consent", "state", "words", "says", "on", "at", "method", "until",
    "purpose", "basis", "danger", "line", "more", "how", "days", "act", "cell", "first", "mail", "tel", "staff_id", "month", "answer", "next", "half",
    "reason", "choice", "sentence", "gap", "gap_domain", "wish", "title", "id", "seq", "kind", "domain", "current", "credential", "back", "q",
)  # fmt: skip
_odd = ("", "0", "-1", "1", "99999999999999999999", "2026-11-26", "R8.12.31", "0001-01-01", "yes", "\x00", "%", "🏠")
_typed = st.text(max_size=30) | st.sampled_from(_odd)


@pytest.mark.requirement("R4", "R24")
def test_whatever_is_written_into_any_form_of_the_desk_is_no_error_of_ours(town: Town, lead: httpx.Client) -> None:
    code = town.resident_on("line").says("人と話したい").taps("渡す").case
    csrf = _csrf(lead.get("/desk").text)
    doors = sorted((path for method, path in DOORS if method == "POST" and path not in _ENDS_THE_SESSION))

    forms = st.dictionaries(st.sampled_from(_FIELDS), _typed, max_size=8)

    @given(path=st.sampled_from(doors), written=forms, names=st.sampled_from(["0" * 32, "x", "１"]))
    @settings(_few, max_examples=250)
    def is_answered(path: str, written: dict[str, str], names: str) -> None:
        address = re.sub(r"{(\w+)(:path)?}", lambda found: code if found[1] == "code" else names, path)
        answer = lead.post(address, data=written | {"csrf": csrf}, follow_redirects=False)
        assert answer.status_code < 500, (address, written)

    is_answered()
    assert lead.get("/desk", follow_redirects=False).status_code == 200, "still signed in: the forms were really looked at"


@pytest.mark.requirement("R4")
def test_whatever_stands_behind_an_address_of_the_desk_is_no_error_of_ours(town: Town, lead: httpx.Client) -> None:
    code = town.resident_on("line").says("人と話したい").taps("渡す").case
    pages = sorted(path for method, path in DOORS if method == "GET" and not path.endswith("stream"))
    asked = st.dictionaries(st.sampled_from(["view", "q", "from", "year", "months", "line", "number", "saved", "done", "back"]), _typed, max_size=3)

    @given(path=st.sampled_from(pages), query=asked, names=st.sampled_from(["0" * 32, "x", "food-bank", "plan"]))
    @settings(_few, max_examples=150)
    def is_answered(path: str, query: dict[str, str], names: str) -> None:
        address = re.sub(r"{(\w+)(:path)?}", lambda found: code if found[1] == "code" else names, path)
        assert lead.get(address, params=query, follow_redirects=False).status_code < 500, (address, query)

    is_answered()


@pytest.mark.requirement("R4", "R50")
def test_whatever_file_is_handed_in_is_read_or_refused_in_words(town: Town, lead: httpx.Client) -> None:
    csrf = _csrf(lead.get("/desk/table").text)
    book = export_excel({"food-bank": {"id": "food-bank", "name": "フードバンク（見本）"}})
    assert set(TAKES_FILES) == {"/desk/table"}

    def hands_in(content: bytes) -> httpx.Response:
        return lead.post("/desk/table", data={"csrf": csrf}, files={"table": ("x.xlsx", io.BytesIO(content), "application/octet-stream")})

    assert hands_in(book).status_code == 200

    @given(at=st.integers(0, len(book) - 1), many=st.integers(1, 40), instead=st.binary(max_size=40))
    @settings(_few, max_examples=60)
    def is_answered(at: int, many: int, instead: bytes) -> None:
        assert hands_in(book[:at] + instead + book[at + many :]).status_code in (200, 422)

    is_answered()

