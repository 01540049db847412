"""The private room: one tap from LINE or Telegram to the same talk on our own page, and a platform that is the entrance only (D1c, R13–R16)."""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator

import httpx
import pytest
from sqlalchemy import text
from sqlmodel import Session as Rows

from storage import talk as talks
from storage.sealing import unseal
from storage.store import Store
from storage.talk import Line, scope_of
from tests.town import Resident, Town

BuildTown = Callable[..., Town]
WORRY = "家賃が払えなくて困っています"
SECRET_WORD = "ひみつの言葉です"


class Phone:
    """The browser behind the link: it sees the token only where a browser does, behind the #."""

    def __init__(self, town: Town) -> None:
        self.http = httpx.Client(base_url=town.url, headers={"sec-fetch-site": "same-origin"}, follow_redirects=True)
        self.town = town
        self.page = ""

    def opens(self, link: str) -> httpx.Response:
        """Tap the link: the page appears, nothing is used up."""
        answer = self.http.get(httpx.URL(link).path)
        self.page = answer.text
        return answer

    def presses(self, link: str) -> httpx.Response:
        """Press the button of that page: its script has put the token into the form."""
        answer = self.http.post("/room", data={"token": link.partition("#")[2], "proof": self._field("proof")})
        self.page = answer.text
        self.town.rests()
        return answer

    def says(self, words: str) -> "Phone":
        return self._posts(text=words)

    def taps(self, label: str) -> "Phone":
        payload = re.findall(rf'name="button" value="([^"]+)" form="say"><span>{label}<', self.page)[-1]
        return self._posts(button=payload)

    def leaves(self) -> None:
        self.http.post("/leave", follow_redirects=False)
        self.http.cookies.clear()

    def reloads(self) -> str:
        self.page = self.http.get("/").text
        return self.page

    def _posts(self, **fields: str) -> "Phone":
        own = {name: self._field(name) for name in ("id", "proof")}
        self.page = self.http.post("/say", data=own | fields).text
        self.town.rests()
        self.reloads()
        return self

    def _field(self, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        assert found, f"no field {name}"
        return found[1]


@pytest.fixture(params=["line", "telegram"])
def resident(request: pytest.FixtureRequest, town: Town) -> Resident:
    """Somebody who agreed and is asked for their worry."""
    return town.resident_on(request.param).taps("相談をはじめる")


@pytest.fixture
def phone(town: Town) -> Phone:
    return Phone(town)


def link_of(resident: Resident, label: str = "専用ページで話す") -> str:
    url = resident.button(label).url
    assert url is not None
    return url


# ---------------------------------------------------------------- the link


def test_one_word_brings_a_link_that_opens_the_same_talk(resident: Resident, phone: Phone) -> None:
    resident.says("専用ページ")
    link = link_of(resident)
    phone.opens(link)

    phone.presses(link)
    phone.says(WORRY)

    assert WORRY in phone.page
    assert "card" in phone.page
    assert len(resident.town.rows("SELECT id FROM conversation")) == 1


@pytest.mark.requirement("R15")
def test_looking_at_a_link_does_not_use_it_up_and_opening_it_does(resident: Resident, phone: Phone, town: Town) -> None:
    link = link_of(resident.says("専用ページ"))
    for _ in range(3):
        assert Phone(town).opens(link).status_code == 200

    phone.opens(link)
    assert phone.presses(link).status_code == 200
    other = Phone(town)
    other.opens(link)

    assert other.presses(link).status_code == 410
    assert "新しいボタン" in other.page


@pytest.mark.requirement("R15")
def test_a_link_is_too_old_after_ten_minutes(resident: Resident, phone: Phone, town: Town) -> None:
    link = link_of(resident.says("専用ページ"))
    town.clock.moves(minutes=10, seconds=1)
    phone.opens(link)

    assert phone.presses(link).status_code == 410


@pytest.mark.requirement("R15")
def test_the_token_stands_behind_the_hash_is_long_and_is_kept_nowhere(resident: Resident, phone: Phone, town: Town, town_store: Store) -> None:
    link = link_of(resident.says("専用ページ"))
    token = link.partition("#")[2]

    assert len(token) >= 22
    assert token not in httpx.URL(link).raw_path.decode()
    with sqlite3.connect(str(town_store.engine.url.database)) as readable:
        assert token not in "\n".join(readable.iterdump())
    lines = town.store.transact(lambda rows: [line.body or "" for line in _lines(rows, resident)])
    assert all(token not in line for line in lines)


@pytest.mark.requirement("R15")
def test_a_post_from_another_site_does_not_open_the_room(resident: Resident, phone: Phone) -> None:
    link = link_of(resident.says("専用ページ"))
    phone.opens(link)
    phone.http.headers["sec-fetch-site"] = "cross-site"

    assert phone.presses(link).status_code == 403


# ---------------------------------------------------------------- what is said in the room stays there


@pytest.mark.requirement("R14")
def test_what_is_said_in_the_room_is_not_sent_to_the_platform(resident: Resident, phone: Phone) -> None:
    link = link_of(resident.says("専用ページ"))
    phone.opens(link)
    phone.presses(link)
    before = len(resident.all_heard())

    phone.says(WORRY).taps("合っている")

    assert len(resident.all_heard()) == before


def test_a_coordinators_answer_waits_in_the_room_and_only_a_neutral_notice_goes_out(resident: Resident, phone: Phone, town: Town) -> None:
    sato = town.coordinator("佐藤")
    link = link_of(resident.says("専用ページ"))
    phone.opens(link)
    phone.presses(link)
    phone.says("人と話したい").taps("渡す")
    phone.leaves()
    town.clock.moves(minutes=5)
    sato.claims(resident.case)
    resident.listens()

    sato.replies(resident.case, SECRET_WORD)

    assert resident.hears() == "お知らせがあります。"
    resident.taps("ひらく")
    again = Phone(town)
    again.opens(link_of(resident, "相談ページをひらく"))
    again.presses(link_of(resident, "相談ページをひらく"))
    assert SECRET_WORD in again.page
    assert "渡していいですか" not in again.page, "what an earlier visit was given does not come back by a link"


def test_no_notice_goes_out_while_the_page_is_open_nor_to_somebody_who_hides(resident: Resident, phone: Phone, town: Town) -> None:
    sato = town.coordinator("佐藤")
    link = link_of(resident.says("専用ページ"))
    phone.opens(link)
    phone.presses(link)
    phone.says("人と話したい").taps("渡す")
    sato.claims(resident.case)
    resident.listens()

    sato.replies(resident.case, SECRET_WORD)

    assert resident.hears_nothing()
    assert SECRET_WORD in phone.reloads()


def test_whoever_writes_on_the_platform_again_is_answered_there(resident: Resident, phone: Phone) -> None:
    link = link_of(resident.says("専用ページ"))
    phone.opens(link)
    phone.presses(link)
    phone.says(WORRY)

    resident.says("人と話したい")

    assert "渡していいですか" in resident.hears()


def test_the_room_is_offered_when_the_talk_turns_sensitive(town: Town) -> None:
    town.coordinator("佐藤")
    resident = town.resident_on("line").taps("相談をはじめる")

    resident.says("夫になぐられる。今も下にいる")

    assert link_of(resident).startswith("http://127.0.0.1:8000/room#")
    assert town.line.violations == []


def test_the_room_is_offered_after_the_question_of_a_crisis_was_answered(town: Town) -> None:
    resident = town.resident_on("telegram").taps("相談をはじめる").says("死にたい。もう全部いやだ")
    assert "専用ページ" not in resident.hears()

    resident.taps("していない")

    assert "専用ページでも話せます" in resident.hears()
    assert link_of(resident)


# ---------------------------------------------------------------- the entrance


@pytest.fixture
def entrance(build_town: BuildTown, town_store: Store) -> Iterator[Town]:
    with build_town(town_store, line_mode="entrance") as opened:
        yield opened


@pytest.fixture(params=["line", "telegram"])
def at_the_door(request: pytest.FixtureRequest, entrance: Town) -> Resident:
    return entrance.resident_on(request.param)


def everything_sent(town: Town) -> str:
    """All that the platforms were ever told."""
    calls = [json.dumps(call.messages, ensure_ascii=False) for call in town.line.calls]
    return "\n".join(calls + [json.dumps(call.given, ensure_ascii=False) for call in town.telegram.calls])


def everything_kept(town: Town, resident: Resident) -> str:
    """All that is kept of this talk, opened: lines, session, raw events, outbox."""

    def work(rows: Rows) -> str:
        talk = talks.find(rows, resident.channel, resident.account)
        assert talk is not None
        raws = [
            unseal(rows, scope_of(talk.id), f"inbox.raw:{row.id}", row.raw_sealed)
            for row in rows.execute(text("SELECT id, raw_sealed FROM inbox WHERE conversation_id = :of AND raw_sealed IS NOT NULL"), {"of": talk.id})
        ]
        letters = [
            unseal(rows, scope_of(talk.id), f"outbox.body:{row.id}", row.body_sealed)
            for row in rows.execute(text("SELECT id, body_sealed FROM outbox WHERE conversation_id = :of"), {"of": talk.id})
        ]
        return "\n".join([*(line.body or "" for line in _lines(rows, resident)), talk.flow_session or "", *raws, *letters])

    return town.store.transact(work)


def test_a_friend_is_shown_the_way_in(at_the_door: Resident) -> None:
    assert "安全な専用ページ" in at_the_door.hears()
    assert link_of(at_the_door, "相談ページをひらく")


@pytest.mark.requirement("R14")
def test_a_worry_written_at_the_entrance_is_neither_kept_nor_answered_there(at_the_door: Resident, entrance: Town) -> None:
    at_the_door.says("家賃が払えなくて困っています。名前は田中です")

    assert "ここでは内容を保存しません" in at_the_door.hears()
    assert link_of(at_the_door, "相談ページをひらく")
    assert "家賃" not in everything_kept(entrance, at_the_door)
    assert "家賃" not in everything_sent(entrance)
    assert entrance.line.violations == entrance.telegram.violations == []


def test_help_at_the_entrance_is_the_two_numbers_whatever_was_written_before(at_the_door: Resident) -> None:
    at_the_door.says("夫の借金で困っています").says("たすけて")

    assert "119" in at_the_door.hears()
    assert "110" in at_the_door.hears()
    assert link_of(at_the_door, "相談ページをひらく")


def test_the_same_sentence_does_not_come_twice_running(at_the_door: Resident) -> None:
    first = at_the_door.says("こまっています").hears()
    second = at_the_door.says("どうしたらいいですか").hears()

    assert first != second


@pytest.mark.requirement("R14")
def test_danger_at_the_entrance_is_answered_and_rings_without_its_words(at_the_door: Resident, entrance: Town) -> None:
    entrance.coordinator("佐藤")

    at_the_door.says("死にたい。ぜんぶすてたい")

    assert "0120-061-338" in at_the_door.hears()
    assert link_of(at_the_door, "相談ページをひらく")
    assert [row.level for row in entrance.rows("SELECT level FROM alarm")] == ["L2"]
    assert "すてたい" not in everything_kept(entrance, at_the_door)
    assert "死にたい" not in everything_kept(entrance, at_the_door)


def test_the_question_of_a_danger_can_be_answered_at_the_entrance(at_the_door: Resident, entrance: Town) -> None:
    entrance.coordinator("佐藤")
    at_the_door.says("死にたい")

    at_the_door.says("している")

    assert "119" in at_the_door.hears()
    assert [row.level for row in entrance.rows("SELECT level FROM alarm ORDER BY raised_at")][-1] == "L3"


def test_the_room_behind_the_entrance_begins_with_the_welcome_and_answers_there(at_the_door: Resident, entrance: Town) -> None:
    phone = Phone(entrance)
    link = link_of(at_the_door, "相談ページをひらく")
    phone.opens(link)
    phone.presses(link)
    before = len(at_the_door.all_heard())

    phone.taps("相談をはじめる").says(WORRY)

    assert "card" in phone.page
    assert len(at_the_door.all_heard()) == before
    assert WORRY not in everything_sent(entrance)


def test_in_english_the_entrance_speaks_english(at_the_door: Resident) -> None:
    at_the_door.says("Where can I ask about garbage collection days")

    assert "Nothing is kept here" in at_the_door.hears()


def test_a_coordinators_answer_is_announced_at_the_entrance_without_its_words(at_the_door: Resident, entrance: Town) -> None:
    sato = entrance.coordinator("佐藤")
    phone = Phone(entrance)
    link = link_of(at_the_door, "相談ページをひらく")
    phone.opens(link)
    phone.presses(link)
    phone.taps("相談をはじめる").says("人と話したい").taps("渡す")
    phone.leaves()
    entrance.clock.moves(minutes=5)
    sato.claims(at_the_door.case)
    at_the_door.listens()

    sato.replies(at_the_door.case, SECRET_WORD)

    assert at_the_door.hears() == "お知らせがあります。"
    assert SECRET_WORD not in everything_sent(entrance)
    assert "佐藤" not in everything_sent(entrance)


def _lines(rows: Rows, resident: Resident) -> list[Line]:
    return talks.lines(rows, resident.conversation_in(rows))
