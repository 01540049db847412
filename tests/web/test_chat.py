"""The resident's web chat as a browser sees it: stored once, shown to nobody else, gone when left, found again by six words."""

import asyncio
import json
import re
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from urllib.parse import unquote, urlsplit

import pytest
from sqlalchemy import text as sql
from sqlalchemy import update
from sqlmodel import Session as Rows

from bot.channels.port import Outgoing
from bot.clock import SystemClock
from bot.hub import conversation
from bot.parts import Parts
from bot.reception import Rules
from bot.web import chat_pages
from bot.web.chat_stream import stream
from bot.web.chrome import every_chrome
from flows.model import Button, Reply
from storage import talk as talks
from storage import visitors
from storage.dialect import table
from storage.tables import Conversation, Staff
from storage.talk import Talk
from tests.conftest import Database
from tests.web.conftest import Browser, HandClock, bubbles

Browsers = Callable[..., Browser]
WORRY = "母が同じことを何回も聞くようになりました。どこに相談すればいいですか"
EVIL = "<img src=x onerror=alert(1)>\"'&</textarea><script>alert(2)</script>"


def count(parts: Parts, of: str, where: str = "1=1") -> int:
    return parts.store.transact(lambda rows: int(rows.execute(sql(f"SELECT count(*) FROM {of} WHERE {where}")).scalar() or 0))


def talk_of(parts: Parts, browser: Browser) -> Talk:
    found = parts.store.transact(lambda rows: visitors.find(rows, browser.http.cookies["talk"], parts.clock.now()))
    assert found is not None
    return found


def staff_writes(parts: Parts, talk: Talk, words: str, *, name: str = "佐藤", read: bool = True) -> None:
    """A coordinator's line, as the desk writes it."""

    def work(rows: Rows) -> None:
        now = parts.clock.now()
        if rows.get(Staff, "s1") is None:
            rows.add(Staff(id="s1", login="s1", name=name, role="coordinator", created_at=now))
            rows.flush()
        current = talks.by_id(rows, talk.id)
        assert current is not None
        current, line = talks.add_line(rows, current, author="staff", kind="text", body=json.dumps({"text": words}), now=now, staff_id="s1")
        talks.save(rows, current, now)
        if read:
            rows.execute(update(table(Conversation)).where(table(Conversation).c.id == talk.id).values(read_seq=line.seq))

    parts.store.transact(work)
    parts.hub.wake(conversation(talk.id))


# ---------------------------------------------------------------- opening and writing


async def test_a_new_browser_is_welcomed_once_by_the_flow(browser: Browser, parts: Parts):
    assert browser.bubbles
    assert 'name="button"' in browser.page
    welcome = browser.bubbles

    await browser.opens()

    assert browser.bubbles == welcome
    assert count(parts, "conversation") == 1


async def test_the_cookie_is_kept_from_scripts_and_forgotten_when_the_browser_closes(a_browser: Browsers):
    answer = await a_browser().http.get("/")

    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "max-age" not in cookie
    assert "expires" not in cookie


async def test_the_secret_of_the_cookie_is_not_in_the_database(browser: Browser, parts: Parts, sqlite_database: Database):
    with sqlite3.connect(sqlite_database.name) as readable:
        dump = "\n".join(readable.iterdump())

    assert browser.http.cookies["talk"] not in dump
    assert "web_visitor" in dump


async def test_what_is_written_is_stored_and_answered(browser: Browser, parts: Parts):
    before = len(browser.bubbles)

    answer = await browser.says(WORRY)

    assert answer.headers["location"] == "/#newest"
    assert WORRY in browser.own_bubbles()
    assert len(browser.bubbles) > before + 1
    assert "届きました" in browser.page


async def test_a_double_post_is_stored_once(browser: Browser, parts: Parts):
    fields = {"id": browser.field("id"), "proof": browser.field("proof"), "text": WORRY}

    await asyncio.gather(*(browser.http.post("/say", data=fields) for _ in range(5)))
    await browser.opens()

    assert browser.own_bubbles().count(WORRY) == 1


async def test_words_changed_after_going_back_are_stored_too(browser: Browser):
    fields = {"id": browser.field("id"), "proof": browser.field("proof")}

    await browser.http.post("/say", data=fields | {"text": "家賃がはらえません"})
    await browser.http.post("/say", data=fields | {"text": "家賃が払えません。来月までです"})
    await browser.opens()

    assert {"家賃がはらえません", "家賃が払えません。来月までです"} <= set(browser.own_bubbles())


async def test_a_pressed_button_is_shown_by_its_label(browser: Browser):
    payload, label = re.findall(r'name="button" value="([^"]+)" form="say"><span>([^<]+)</span>', browser.page)[0]

    await browser.posts("/say", button=payload)

    assert browser.own_bubbles() == [label]


async def test_words_in_the_field_survive_the_press_of_a_button(browser: Browser):
    payload = re.findall(r'name="button" value="([^"]+)" form="say"', browser.page)[0]

    await browser.posts("/say", button=payload, text="まだ書きかけ")

    assert ">まだ書きかけ</textarea>" in browser.page


async def test_a_very_long_text_is_kept_whole(browser: Browser):
    words = "むかしむかし、あるところに、おじいさんと、おばあさんがいました。" * 400

    await browser.says(words)

    assert "".join(browser.own_bubbles()) == words


async def test_an_empty_post_stores_nothing(browser: Browser, parts: Parts):
    before = count(parts, "message")

    await browser.says("  \r\n ")

    assert count(parts, "message") == before


@pytest.mark.requirement("R30")
async def test_text_that_looks_like_a_program_is_only_text(browser: Browser):
    await browser.says(EVIL)
    fragment = (await browser.http.get("/lines?after=0")).text

    for shown in (browser.page, fragment):
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown
    assert EVIL in browser.own_bubbles()
    assert EVIL in bubbles(fragment)


async def test_the_script_gets_only_the_new_lines(browser: Browser):
    last = re.search(r'data-last="(\d+)"', browser.page)
    assert last

    answer = await browser.says_by_script(WORRY, after=last[1])

    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert bubbles(answer.text)[0] == WORRY
    assert not set(re.findall(r'id="line-(\d+)"', answer.text)) & set(re.findall(r'id="line-(\d+)"', browser.page))


class TestWhileTheTalkSettles:
    """The clock runs here: words wait a moment for more (D13)."""

    @pytest.fixture
    def clock(self) -> SystemClock:
        return SystemClock()

    @pytest.fixture
    def rules(self) -> Rules:
        return Rules(settle=timedelta(seconds=0.3))

    async def test_a_plain_form_comes_back_with_the_answer(self, browser: Browser):
        before = len(browser.bubbles)

        await browser.says(WORRY)

        assert len(browser.bubbles) > before + 1

    async def test_the_script_does_not_wait(self, browser: Browser):
        answer = await browser.says_by_script(WORRY, after="2")

        assert bubbles(answer.text) == [WORRY]


# ---------------------------------------------------------------- who may see it


@pytest.mark.requirement("R13")
async def test_another_browser_sees_nothing_of_it(browser: Browser, a_browser: Browsers):
    await browser.says(WORRY)

    other = a_browser()
    page = await other.opens()

    assert WORRY not in page
    assert (await a_browser().http.get("/lines?after=0")).status_code == 410
    assert (await a_browser().http.get("/stream")).status_code == 410


@pytest.mark.requirement("R29")
async def test_a_post_from_another_site_changes_nothing(browser: Browser, parts: Parts):
    before = count(parts, "message")

    fields = {"id": "1", "text": WORRY, "proof": browser.field("proof")}
    answer = await browser.http.post("/say", data=fields, headers={"sec-fetch-site": "cross-site"})

    assert answer.status_code == 403
    assert count(parts, "message") == before
    assert WORRY in answer.text  # on our own page, still in the field


@pytest.mark.parametrize(
    ("headers", "with_proof", "stored"),
    [
        ({"origin": "http://127.0.0.1:8000"}, False, True),
        ({"origin": "null"}, True, True),
        ({}, True, True),
        ({"origin": "null"}, False, False),
        ({}, False, False),
        ({"origin": "https://evil.example"}, True, False),
    ],
)
@pytest.mark.requirement("R29")
async def test_an_older_browser_proves_itself_by_origin_or_by_the_form(
    a_browser: Browsers, headers: dict[str, str], with_proof: bool, stored: bool
):
    browser = a_browser()
    await browser.opens()
    del browser.http.headers["sec-fetch-site"]

    await browser.http.post("/say", data={"id": "1", "text": WORRY, "proof": browser.field("proof") if with_proof else ""}, headers=headers)
    await browser.opens()

    assert (WORRY in browser.own_bubbles()) is stored


async def test_a_browser_without_cookies_reads_its_answer_at_once(a_browser: Browsers):
    browser = a_browser()

    answer = await browser.http.post("/say", data={"id": "1", "text": WORRY})

    assert answer.status_code == 200
    assert WORRY in bubbles(answer.text)
    assert len(bubbles(answer.text)) > 1


# ---------------------------------------------------------------- leaving


@pytest.mark.requirement("R16")
async def test_leaving_clears_everything_and_leads_away(browser: Browser, parts: Parts):
    await browser.says(WORRY)
    secret = browser.http.cookies["talk"]

    answer = await browser.posts("/leave")

    assert answer.status_code == 303
    assert '"cookies"' in answer.headers["clear-site-data"]
    assert "talk" not in browser.http.cookies
    assert WORRY not in browser.page
    assert (await browser.http.get("/left")).headers["refresh"] == f"0; url={parts.knowledge.town.base.town.neutral_site}"
    browser.http.cookies.set("talk", secret)  # somebody copied the cookie before
    assert WORRY not in await browser.opens()


@pytest.mark.requirement("R16")
async def test_leaving_is_the_first_thing_on_the_page(browser: Browser):
    first = re.search(r"<(a|button|select|textarea|input)\b.*?</?\1>", browser.page, re.DOTALL)

    assert first
    assert "すぐ閉じる" in first[0]


async def test_a_button_of_the_talk_that_closes_the_page_leaves_as_well(browser: Browser, parts: Parts):
    away = parts.knowledge.town.base.town.neutral_site
    outgoing = Outgoing(bubbles=(Reply(text="この画面を見られたくないときは、閉じられます。"),), buttons=(Button(label="画面を閉じる", url=away),))

    talk = talk_of(parts, browser)

    def write(rows: Rows) -> None:
        current, _ = talks.add_line(rows, talk, author="bot", kind="text", body=outgoing.model_dump_json(), now=parts.clock.now())
        talks.save(rows, current, parts.clock.now())

    parts.store.transact(write)
    page = await browser.opens()

    assert re.search(r'<button class="leave" form="leave"><span>画面を閉じる</span></button>', page)
    assert f'href="{away}"' not in page


async def test_a_page_left_open_in_another_tab_does_not_go_on_in_the_old_talk(browser: Browser, parts: Parts):
    await browser.says(WORRY)
    old = talk_of(parts, browser)
    seen = parts.store.transact(lambda rows: talks.by_id(rows, old.id, lock=False))
    await browser.posts("/leave")

    answer = await browser.says_by_script("まだいますか")

    assert answer.status_code == 205
    assert talk_of(parts, browser).id != old.id
    assert parts.store.transact(lambda rows: talks.by_id(rows, old.id, lock=False)) == seen
    assert "まだいますか" in (await browser.opens())


async def test_another_site_cannot_make_a_resident_lose_their_talk(browser: Browser):
    answer = await browser.http.post("/leave", headers={"sec-fetch-site": "cross-site"})

    assert "clear-site-data" not in answer.headers


@pytest.mark.requirement("R13")
async def test_a_browser_not_seen_for_a_week_begins_anew(browser: Browser, clock: HandClock):
    await browser.says(WORRY)
    clock.moves(days=6)
    assert WORRY in await browser.opens()

    clock.moves(days=8)

    assert WORRY not in await browser.opens()


# ---------------------------------------------------------------- coming back


async def words_of(browser: Browser) -> list[str]:
    answer = await browser.posts("/phrase")
    return re.findall(r"<li>([ぁ-ん]+)</li>", answer.text)


def katakana(words: str) -> str:
    return words.translate({code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)})


@pytest.mark.parametrize("written", [" ".join, "".join, "、".join, lambda words: katakana("　".join(words)), lambda words: "\n".join(words) + "。"])
async def test_six_words_lead_back_from_any_browser(browser: Browser, a_browser: Browsers, written: Callable[[list[str]], str]):
    await browser.says(WORRY)
    words = await words_of(browser)
    assert len(words) == 6

    other = a_browser()
    await other.opens("/return")
    answer = await other.posts("/return", phrase=written(words))

    assert answer.status_code == 303
    assert WORRY in other.page


async def test_the_words_still_lead_back_after_leaving(browser: Browser):
    await browser.says(WORRY)
    words = await words_of(browser)
    await browser.opens()
    await browser.posts("/leave")

    await browser.opens("/return")
    await browser.posts("/return", phrase=" ".join(words))

    assert WORRY in browser.page


async def test_only_the_newest_words_lead_back_and_none_are_in_the_database(browser: Browser, a_browser: Browsers, sqlite_database: Database):
    first = await words_of(browser)
    await browser.opens()
    second = await words_of(browser)

    other = a_browser()
    await other.opens("/return")
    assert (await other.posts("/return", phrase=" ".join(first))).status_code == 422
    assert (await other.posts("/return", phrase=" ".join(second))).status_code == 303
    with sqlite3.connect(sqlite_database.name) as readable:
        dump = "\n".join(readable.iterdump())
    assert "".join(second) not in dump
    assert " ".join(second) not in dump


async def test_guessing_is_stopped_for_a_while(browser: Browser, a_browser: Browsers, clock: HandClock):
    words = await words_of(browser)
    other = a_browser()
    await other.opens("/return")
    for _ in range(visitors.TRIES):
        assert (await other.posts("/return", phrase="さくら やま うみ そら ほし つき")).status_code == 422

    assert (await other.posts("/return", phrase=" ".join(words))).status_code == 429

    clock.moves(minutes=16)
    assert (await other.posts("/return", phrase=" ".join(words))).status_code == 303


async def test_nobody_can_put_a_resident_into_another_talk(browser: Browser, a_browser: Browsers):
    words = await words_of(browser)
    victim = a_browser()
    await victim.opens()
    del victim.http.headers["sec-fetch-site"]

    answer = await victim.http.post("/return", data={"phrase": " ".join(words)}, headers={"origin": "null"})

    assert answer.status_code == 403


# ---------------------------------------------------------------- live


async def first_events(parts: Parts, browser: Browser, after: int, number: int) -> list[str]:
    response = stream(parts, browser.http.cookies["talk"], talk_of(parts, browser), after, address="127.0.0.1")
    events: list[str] = []
    async for chunk in response.body_iterator:
        events.append(str(chunk))
        if len(events) == number:
            break
    await response.body_iterator.aclose()  # type: ignore[attr-defined]
    return events


async def test_a_coordinators_words_arrive_by_themselves_with_name_and_number(browser: Browser, parts: Parts):
    talk = talk_of(parts, browser)
    response = stream(parts, browser.http.cookies["talk"], talk, talk.last_seq, address="127.0.0.1")
    events = aiter(response.body_iterator)
    assert [str(await anext(events)) for _ in range(2)] == ["retry: 2000\n\n", "event: read\ndata: 0\n\n"]

    staff_writes(parts, talk, "はじめまして。相談員の佐藤です。")
    async with asyncio.timeout(5):
        event = str(await anext(events))
        read = str(await anext(events))
    await response.body_iterator.aclose()  # type: ignore[attr-defined]

    assert event.startswith(f"event: lines\nid: {talk.last_seq + 1}\n")
    assert "佐藤" in event
    assert "はじめまして" in event
    assert read == f"event: read\ndata: {talk.last_seq + 1}\n\n"


async def test_a_broken_stream_goes_on_where_it_stopped(browser: Browser, parts: Parts):
    talk = talk_of(parts, browser)
    staff_writes(parts, talk, "一つ目")
    staff_writes(parts, talk, "二つ目")

    _, event = await first_events(parts, browser, talk.last_seq + 1, 2)

    assert "二つ目" in event
    assert "一つ目" not in event


async def test_words_cannot_make_events_of_their_own(browser: Browser, parts: Parts):
    await browser.says("前\r\revent: left\rdata: x\n\nevent: left\n\n後")

    _, event = await first_events(parts, browser, 0, 2)

    assert "\r" not in event
    assert event.count("\n\n") == 1
    assert all(line.startswith(("event: lines", "id: ", "data: ")) for line in event.removesuffix("\n\n").split("\n"))


async def test_leaving_ends_the_stream(browser: Browser, parts: Parts):
    talk = talk_of(parts, browser)
    response = stream(parts, browser.http.cookies["talk"], talk, talk.last_seq, address="127.0.0.1")
    events = aiter(response.body_iterator)
    await anext(events)
    await anext(events)

    await browser.posts("/leave")
    async with asyncio.timeout(5):
        rest = [str(event) async for event in events]

    assert rest == ["event: left\ndata: \n\n"]


async def test_the_resident_sees_when_staff_have_read(browser: Browser, parts: Parts):
    await browser.says(WORRY)
    assert "職員が読みました" not in re.findall(r'<p class="state">.*?</p>', browser.page)[0]

    staff_writes(parts, talk_of(parts, browser), "読みました。")
    await browser.opens()

    assert re.findall(r'<p class="state">(.*?)</p>', browser.page) == ["職員が読みました"]
    assert "<b>佐藤</b>" in browser.page


async def test_words_taken_back_leave_only_a_mark(browser: Browser, parts: Parts):
    await browser.says(WORRY)
    talk = talk_of(parts, browser)

    def forget(rows: Rows) -> None:
        written = [line.id for line in talks.lines(rows, talk.id) if WORRY in (line.body or "")]
        talks.forget_words(rows, talk, written, parts.clock.now())

    parts.store.transact(forget)
    await browser.opens()

    assert browser.own_bubbles() == ["（消しました）"]


async def test_a_long_talk_shows_its_end_and_offers_the_rest(browser: Browser, parts: Parts):
    talk = talk_of(parts, browser)

    def write(rows: Rows) -> None:
        current = talks.by_id(rows, talk.id)
        assert current is not None
        for number in range(600):
            body = json.dumps({"text": f"{number}番目"})
            current, _ = talks.add_line(rows, current, author="resident", kind="text", body=body, now=parts.clock.now())
        talks.save(rows, current, parts.clock.now())

    parts.store.transact(write)

    assert "599番目" in await browser.opens()
    assert "300番目" not in browser.page
    assert "/?whole=1" in browser.page
    assert "<p class=\"bubble\">0番目" in await browser.opens("/?whole=1")
    assert len(browser.own_bubbles()) == 600


# ---------------------------------------------------------------- the page itself


async def test_the_emergency_numbers_are_always_there(browser: Browser):
    for path in ("/", "/return"):
        page = await browser.opens(path)
        assert 'href="tel:119"' in page
        assert 'href="tel:110"' in page


async def test_a_sample_says_so_on_every_page(browser: Browser):
    phrase = await browser.posts("/phrase")

    for page in (await browser.opens("/"), await browser.opens("/return"), phrase.text):
        assert "見本です" in page


@pytest.mark.requirement("R31")
async def test_nothing_comes_from_another_host_and_the_page_is_small(browser: Browser):
    files = re.findall(r'(?:src|href)="(/static/[^"]+)"', browser.page)
    sizes = [len((await browser.http.get(name)).content) for name in files]

    assert len(files) >= 3
    assert len(browser.page.encode()) + sum(sizes) < 150_000
    assert not re.search(r'(?:src|action)="(?!/)', browser.page)
    assert "style=" not in browser.page
    assert " onclick" not in browser.page


@pytest.mark.parametrize("path", ["/", "/lines", "/return", "/left", "/static/chat.css", "/static/nothing.css", "/nothing", "/line/webhook"])
@pytest.mark.requirement("R31")
async def test_every_response_carries_the_security_headers(browser: Browser, path: str):
    headers = (await browser.http.get(path)).headers

    policy = headers["content-security-policy"]
    for part in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "object-src 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert ("no-store" in headers["cache-control"]) is (path != "/static/chat.css")


async def test_static_files_are_kept_by_their_version_and_nothing_else_is_served(browser: Browser):
    url = chat_pages.static_url("chat.js")
    first = await browser.http.get(url)

    assert "immutable" in first.headers["cache-control"]
    assert (await browser.http.get(url, headers={"if-none-match": first.headers["etag"]})).status_code == 304
    for name in ("..%2fchat.py", "chat.yaml", "%2e%2e/chrome.yaml"):
        assert (await browser.http.get(f"/static/{name}")).status_code == 404


async def test_the_size_of_the_text_is_remembered_and_loses_no_words(browser: Browser):
    await browser.posts("/size", size="xl", text="まだ書きかけ")
    assert 'class="size-xl"' in browser.page
    assert ">まだ書きかけ</textarea>" in browser.page

    await browser.opens()

    assert 'class="size-xl"' in browser.page


@pytest.mark.parametrize("lang", [lang for lang in every_chrome() if lang != "ja"])
async def test_the_page_speaks_the_language_of_the_talk(browser: Browser, parts: Parts, lang: str):
    await browser.posts("/language", lang=lang, text="draft")
    assert ">draft</textarea>" in browser.page

    chrome = every_chrome()[lang]
    await browser.opens()

    assert f'<html lang="{chrome.html_lang}"' in browser.page
    assert f'<option value="{lang}" lang="{chrome.html_lang}" selected>' in browser.page


async def test_the_page_opens_where_the_newest_begins(browser: Browser):
    newest = r'<span id="newest"></span>\s*<div class="line (\w+)"'
    assert re.findall(newest, browser.page) == ["bot"]

    await browser.says(WORRY)
    assert re.findall(newest, browser.page) == ["resident"]

    await browser.posts("/language", lang="en")
    assert re.findall(newest, browser.page) == ["bot"]


async def test_an_unknown_language_is_no_wish(browser: Browser, parts: Parts):
    before = count(parts, "message")

    await browser.posts("/language", lang="xx")

    assert count(parts, "message") == before


@pytest.mark.slow
async def test_when_nothing_can_be_saved_the_words_stay_and_the_numbers_show(browser: Browser, sqlite_database: Database):
    blocker = sqlite3.connect(sqlite_database.name, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    try:
        answer = await browser.http.post("/say", data={"id": "1", "text": WORRY, "proof": browser.field("proof")})
    finally:
        blocker.execute("ROLLBACK")
        blocker.close()

    assert answer.status_code == 503
    assert f">{WORRY}</textarea>" in answer.text
    assert 'href="tel:119"' in answer.text
    assert (await browser.says(WORRY)).status_code == 303


async def test_the_six_words_can_be_sent_to_oneself_as_a_link_that_no_server_reads(browser: Browser, a_browser: Browsers):
    await browser.says(WORRY)
    await browser.posts("/phrase")
    words = re.findall(r"<li>([ぁ-ゖー]+)</li>", browser.page)
    mail = unquote(unescape(re.search(r'href="mailto:\?body=([^"]+)"', browser.page)[1]))  # type: ignore[index]

    address = urlsplit(mail.splitlines()[-1])

    assert address.path == "/return"
    assert unquote(address.fragment) == "-".join(words)
    assert not any(word in mail.splitlines()[0] for word in ("相談", "困", "家賃"))
    other = a_browser()
    await other.opens("/return?lang=ja")
    await other.posts("/return", phrase=unquote(address.fragment), lang="ja")
    assert WORRY in other.page
