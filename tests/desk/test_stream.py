"""Live updates: what an open page hears, and when it stops hearing (desk.md §9, R27)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from starlette.types import Message

from storage import staff
from tests.desk.conftest import Browser, Office


class Ear:
    """An EventSource: collects events as `(name, data, id)`."""

    def __init__(self) -> None:
        self.status = 0
        self.ended = False
        self.events: list[tuple[str, str, str]] = []
        self._rest = ""
        self._new = asyncio.Event()

    async def takes(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        *whole, self._rest = (self._rest + message["body"].decode()).split("\n\n")
        for block in whole:
            fields = [line.partition(": ")[::2] for line in block.splitlines()]
            found = {name: "\n".join(value for key, value in fields if key == name) for name in ("event", "data", "id")}
            if found["event"]:
                self.events.append((found["event"], found["data"], found["id"]))
        self._new.set()

    async def hears(self, name: str, words: str = "", seconds: float = 5.0) -> tuple[str, str, str]:
        """The next event of this name with these words, taken off; fails when it does not come in time."""
        async with asyncio.timeout(seconds):
            while True:
                found = next((event for event in self.events if event[0] == name and words in event[1]), None)
                if found is not None:
                    self.events.remove(found)
                    return found
                self._new.clear()
                await self._new.wait()


@asynccontextmanager
async def listening(browser: Browser, path: str, **headers: str) -> AsyncIterator[Ear]:
    """Open a stream as a browser does, and close it at the end."""
    ear, gone = Ear(), asyncio.Event()
    address, _, query = path.partition("?")
    cookie = "; ".join(f"{name}={value}" for name, value in browser.http.cookies.items())
    more = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    sent = [(b"cookie", cookie.encode()), (b"host", b"127.0.0.1:8000"), *more]
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET", "scheme": "http", "path": address,
        "raw_path": address.encode(), "query_string": query.encode(), "root_path": "", "headers": sent, "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 9),
    }  # fmt: skip
    asked = False

    async def receive() -> Message:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    task = asyncio.create_task(browser.office.app(scope, receive, ear.takes))
    task.add_done_callback(lambda _: setattr(ear, "ended", True))
    try:
        yield ear
    finally:
        gone.set()
        await asyncio.wait([task], timeout=5)
        task.cancel()


async def test_a_new_line_reaches_the_open_case_with_its_number(office: Office, sato: Browser) -> None:
    code = office.has_case()
    async with listening(sato, f"/desk/cases/{code}/stream?after=1") as ear:
        await ear.hears("beat")
        office.resident_says("はい。来週の水曜です")
        _, fragment, number = await ear.hears("lines", "来週の水曜です", seconds=1)
    assert number == "2"
    assert 'id="m-2"' in fragment
    assert 'id="m-1"' not in fragment


async def test_a_browser_that_comes_back_hears_what_it_missed(office: Office, sato: Browser) -> None:
    code = office.has_case()
    office.resident_says("ひとつめ")
    office.resident_says("ふたつめ")
    async with listening(sato, f"/desk/cases/{code}/stream?after=1", last_event_id="2") as ear:
        _, fragment, number = await ear.hears("lines")
    assert number == "3"
    assert "ひとつめ" not in fragment


async def test_an_alarm_is_on_every_open_page_within_five_seconds(office: Office, sato: Browser, tanaka: Browser) -> None:
    code = office.has_case("家賃", who="U1")
    async with listening(sato, "/desk/stream") as queue, listening(tanaka, f"/desk/cases/{code}/stream") as case:
        await queue.hears("alarms")
        await case.hears("alarms")
        office.has_case("死にたい", who="U2", urgency=2, rings=True)  # no wake-up: it came from another process
        for ear in (queue, case):
            _, banner, _ = await ear.hears("alarms", "受け持つ", seconds=5)
            assert "死にたい" not in banner


async def test_new_rows_are_told_by_their_codes_only(office: Office, sato: Browser) -> None:
    async with listening(sato, "/desk/stream") as ear:
        await ear.hears("queue")
        code = office.has_case("ひみつの用件")
        office.parts.hub.wake("desk")
        _, content, _ = await ear.hears("queue", code, seconds=1)
    assert "ひみつ" not in content


async def test_delivery_of_a_reply_is_told_as_it_happens(office: Office, sato: Browser) -> None:
    code = office.has_case()
    await sato.claims(code)
    async with listening(sato, f"/desk/cases/{code}/stream?after=1") as ear:
        await ear.hears("beat")
        await sato.replies(code, "こんにちは")
        await ear.hears("lines", "こんにちは", seconds=1)
        await ear.hears("deliveries", "届きました", seconds=1)


@pytest.mark.requirement("R27")
async def test_signing_out_ends_the_stream_within_a_second(office: Office, sato: Browser) -> None:
    code = office.has_case()
    async with listening(sato, f"/desk/cases/{code}/stream") as ear:
        await ear.hears("beat")
        await sato.posts("/desk/sign-out")
        await ear.hears("signed-out", seconds=1)
        office.resident_says("もう聞こえない")
        await asyncio.sleep(0.2)
        assert ear.ended
        assert not [event for event in ear.events if "もう聞こえない" in event[1]]


@pytest.mark.requirement("R27")
async def test_an_account_stopped_by_another_process_hears_nothing_after_five_seconds(office: Office, sato: Browser) -> None:
    async with listening(sato, "/desk/stream") as ear:
        await ear.hears("beat")
        now = office.clock.now()
        office.store.transact(lambda rows: staff.disable(rows, login="sato", now=now))
        await ear.hears("signed-out", seconds=5)


@pytest.mark.requirement("R27")
async def test_a_page_that_only_lies_open_does_not_stay_signed_in(office: Office, sato: Browser) -> None:
    async with listening(sato, "/desk/stream") as ear:
        await ear.hears("beat")
        office.clock.moves(minutes=29)
        office.parts.hub.wake("desk")
        await ear.hears("beat")
        office.clock.moves(minutes=2)
        office.parts.hub.wake("desk")
        await ear.hears("signed-out", seconds=1)


async def test_staying_extends_the_session(office: Office, sato: Browser) -> None:
    office.clock.moves(minutes=28)
    answer = await sato.http.post("/desk/stay", data={"csrf": sato.field("csrf")})
    assert answer.status_code == 204
    office.clock.moves(minutes=28)
    await sato.opens("/desk")
    assert sato.path == "/desk"


@pytest.mark.requirement("R18")
async def test_watching_is_audited_and_strangers_hear_nothing(office: Office, sato: Browser, a_browser) -> None:  # type: ignore[no-untyped-def]
    code = office.has_case(promise=timedelta(hours=1))
    async with listening(sato, f"/desk/cases/{code}/stream") as ear:
        await ear.hears("beat")
    assert ("case.watched",) in office.rows("SELECT act FROM audit")
    async with listening(a_browser(), f"/desk/cases/{code}/stream") as stranger:
        await asyncio.sleep(0.2)
    assert stranger.status == 401
    assert stranger.events == []
