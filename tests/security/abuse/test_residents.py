"""What one resident, or whoever holds their browser, tries against the talk of another (R9, R13, R15, R18)."""

import re

import httpx
import pytest

from storage import visitors
from tests.town import Town


class Page:
    """A browser at the web chat, over real HTTP."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.http = httpx.Client(base_url=town.url, headers={"sec-fetch-site": "same-origin"}, follow_redirects=True)
        self.page = self.http.get("/").text

    def says(self, words: str, **fields: str) -> httpx.Response:
        answer = self.http.post("/say", data={name: self._field(name) for name in ("id", "proof")} | {"text": words} | fields)
        self.town.rests()
        self.page = self.http.get("/").text
        return answer

    def _field(self, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        assert found
        return found[1]


@pytest.mark.requirement("R13", "R18")
def test_a_residents_cookie_leads_to_their_own_talk_whatever_else_is_sent(town: Town) -> None:
    mine, theirs = Page(town), Page(town)
    theirs.says("ひみつの借金があります")
    (victim,) = town.rows("SELECT conversation_id FROM message WHERE author = 'resident' AND kind = 'text'")[0]
    for path in ("/?whole=1", f"/?conversation={victim}", "/lines?after=0", f"/lines?after=0&talk={victim}"):
        assert "ひみつ" not in mine.http.get(path, headers={"x-conversation": victim}).text
    mine.says("わたしの用件です", conversation=victim, talk=victim, sender=victim, visitor=victim)
    assert "わたしの用件" not in theirs.http.get("/?whole=1").text
    assert "ひみつ" not in mine.page


@pytest.mark.requirement("R13")
@pytest.mark.parametrize("guess", ["", "x", "x" * 43, "x" * 4000, "../", "%00", "p" + "0" * 63])
def test_a_guessed_cookie_begins_a_new_talk(town: Town, guess: str) -> None:
    Page(town).says("ひみつの借金があります")
    answer = httpx.get(f"{town.url}/", headers={"cookie": f"talk={guess}"})
    assert answer.status_code == 200
    assert "ひみつ" not in answer.text
    assert httpx.get(f"{town.url}/lines?after=0", headers={"cookie": f"talk={guess}"}).status_code == 410


@pytest.mark.requirement("R15")
def test_a_link_cannot_be_guessed_and_six_words_not_poured_in(town: Town) -> None:
    browser = httpx.Client(base_url=town.url, headers={"sec-fetch-site": "same-origin"})
    for token in ("", "x", "x" * 43, "x" * 80, "' OR 1=1 --"):
        assert browser.post("/room", data={"token": token}).status_code == 410
    answers = [browser.post("/return", data={"phrase": f"いぬ ねこ とり さる うし {number}"}).status_code for number in range(14)]
    assert answers == [422] * 10 + [429] * 4


@pytest.mark.requirement("R29")
def test_another_site_makes_a_resident_neither_speak_nor_leave(town: Town) -> None:
    page = Page(town)
    page.says("家賃が払えません")
    before = town.rows("SELECT count(*) FROM message")
    for path in ("/say", "/leave", "/phrase", "/language", "/room", "/return"):
        page.http.post(path, data={"text": "ころす", "lang": "en"}, headers={"sec-fetch-site": "cross-site"}, follow_redirects=False)
    town.rests()
    assert town.rows("SELECT count(*) FROM message") == before
    assert "家賃" in page.http.get("/").text


@pytest.mark.requirement("R29")
@pytest.mark.parametrize(
    "path", ["//evil.example", "/%2f%2fevil.example", "/\\evil.example", "/desk/prove?back=//evil.example", "/return?lang=//evil.example"]
)
def test_no_door_sends_a_browser_to_a_place_that_its_address_names(town: Town, path: str) -> None:
    for method in ("GET", "POST"):
        answer = town.http.request(method, httpx.URL(town.url + path) if not path.startswith("//") else f"{town.url}{path}", follow_redirects=False)
        assert "evil.example" not in answer.headers.get("location", "")
        assert "evil.example" not in answer.headers.get("refresh", "")


@pytest.mark.requirement("R6")
def test_a_flood_of_one_is_told_to_the_desk_once_and_none_of_it_is_dropped(town: Town) -> None:
    resident = town.resident_on("line").says("人と話したい").taps("渡す")
    events = [town.line.text_event(resident.account, "たすけて") for _ in range(90)]
    webhook = town.line.webhook(*events)
    assert town.http.post("/line/webhook", content=webhook.body, headers=webhook.headers).status_code == 200
    town.rests()
    assert town.rows("SELECT count(*) FROM task WHERE kind = 'flood'") == [(1,)]
    assert town.rows("SELECT count(*) FROM message WHERE author = 'resident' AND kind = 'text'")[0][0] == 91, "none is dropped"


@pytest.mark.requirement("R6")
def test_one_address_opens_no_endless_number_of_talks_and_danger_is_let_in_all_the_same(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "MOST_NEW", 5)
    answers = [httpx.get(f"{town.url}/").status_code for _ in range(8)]
    assert answers == [200] * 5 + [429] * 3
    headers = {"sec-fetch-site": "same-origin"}
    page = httpx.post(f"{town.url}/say", data={"text": "家賃が払えません", "id": "1"}, headers=headers)
    assert page.status_code == 429
    assert "家賃が払えません" in page.text, "what was written stays in its field"
    assert "119" in page.text
    httpx.post(f"{town.url}/say", data={"text": "いまから死にます", "id": "2"}, headers=headers)
    town.rests()
    assert town.rows("SELECT count(*) FROM alarm")[0][0] == 1
