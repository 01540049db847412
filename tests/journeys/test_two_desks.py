"""One town served by two processes over one PostgreSQL: whoever sits at either desk sees the same, and nobody's words are lost (R23, R46)."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from storage.sealing import Keyring
from storage.store import Store
from tests.conftest import Database
from tests.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

Desk = Callable[..., Page]

_FIRST_WORDS = """async ([address, id]) => {
  const reader = (await fetch(address, {headers: {"Last-Event-ID": id}})).body.getReader();
  const words = new TextDecoder();
  let heard = "";
  while (!heard.includes("event: beat")) heard += words.decode((await reader.read()).value, {stream: true});
  await reader.cancel();
  return heard;
}"""
"""What a stream says to somebody who comes back, up to its first beat."""


@pytest.fixture
def town(build_town: Callable[..., Town], postgres_database: Database, keyring: Keyring) -> Iterator[Town]:
    """The first process, which the platforms call."""
    store = Store.open(postgres_database.url, keyring)
    with build_town(store) as opened:
        yield opened
    store.close()


@pytest.fixture
def begin_other(town: Town, postgres_database: Database, keyring: Keyring, tmp_path: Path) -> Callable[[], AbstractContextManager[Town]]:
    """Starts the second: another port, its own connections, its own memory. It stops at the end of its block."""

    @contextmanager
    def begin() -> Iterator[Town]:
        store = Store.open(postgres_database.url, keyring)
        second = Town(store, town.line, town.telegram, tmp_path)
        second.clock = town.clock
        with second as opened:
            yield opened
        store.close()

    return begin


@pytest.fixture
def other(begin_other: Callable[[], AbstractContextManager[Town]]) -> Iterator[Town]:
    with begin_other() as opened:
        yield opened


def test_two_coordinators_at_one_case_on_two_processes_see_each_other_and_both_texts(town: Town, other: Town, desk: Desk) -> None:
    resident = town.resident_on("line").says("人と話したい")
    sato, suzuki = desk("佐藤"), desk("鈴木", base_url=other.url)
    for page in (sato, suzuki):
        page.goto(f"/desk/cases/{resident.case}")
    sato.locator(".case-head__acts").get_by_role("button", name="受け持つ").click()
    expect(suzuki.locator("#changed")).to_be_visible(timeout=5_000)
    resident.says("来週の水曜日です")
    expect(suzuki.locator("#lines")).to_contain_text("来週の水曜日です", timeout=5_000)

    sato.locator("#reply-text").press_sequentially("水曜日の件")
    expect(suzuki.locator("#writing")).to_contain_text("佐藤さんが書いています", timeout=5_000)
    suzuki.reload()
    suzuki.get_by_role("button", name="代わって受け持つ").click()
    suzuki.locator("#reply-text").fill("病院に電話します。鈴木です。")
    suzuki.get_by_role("button", name="送る", exact=True).click()
    expect(suzuki.locator("#lines")).to_contain_text("病院に電話します。鈴木です。")
    town.until(lambda: "病院に電話します。鈴木です。" in resident.hears())

    expect(sato.locator("#lines")).to_contain_text("病院に電話します。鈴木です。", timeout=5_000)
    sato.get_by_role("button", name="送る", exact=True).click()
    expect(sato.locator("#why")).to_contain_text("鈴木さんが受け持っています")
    expect(sato.locator("#kept")).to_have_value("水曜日の件")
    town.rests()
    assert "水曜日の件" not in resident.hears()


def test_a_page_whose_process_stops_hears_from_the_other_what_it_missed_each_line_once(
    town: Town, begin_other: Callable[[], AbstractContextManager[Town]], desk: Desk
) -> None:
    resident = town.resident_on("line").says("人と話したい")
    with begin_other() as other:
        page = desk("佐藤", base_url=other.url)
        page.goto(f"/desk/cases/{resident.case}")
        resident.says("はじめの書きこみ")
        expect(page.locator("#lines")).to_contain_text("はじめの書きこみ", timeout=5_000)
        page.route("**/stream**", lambda route: route.continue_(url=route.request.url.replace(other.url, town.url)))
    for words in ("一つめ", "二つめ", "三つめ"):
        resident.says(words)

    expect(page.locator("#lines .line--resident").last).to_contain_text("三つめ", timeout=20_000)
    said = [line.splitlines()[-1] for line in page.locator("#lines .line--resident").all_inner_texts()]
    assert said[-4:] == ["はじめの書きこみ", "一つめ", "二つめ", "三つめ"]
    last = int(page.locator("#lines").get_attribute("data-last") or 0)
    heard = desk("鈴木").evaluate(_FIRST_WORDS, [f"/desk/cases/{resident.case}/stream?after=1", str(last - 1)])
    assert "三つめ" in heard
    assert "二つめ" not in heard, "whoever says where they were hears only what came later, from any process"


def test_an_alarm_rings_on_the_desk_of_the_other_process_and_is_quiet_on_both_once_taken(town: Town, other: Town, desk: Desk) -> None:
    sato, suzuki = desk("佐藤"), desk("鈴木", base_url=other.url)

    town.resident_on("web").taps("相談をはじめる").says("もう死にたい")
    for page in (sato, suzuki):
        expect(page.locator("[data-alarm]")).to_be_visible(timeout=5_000)
    suzuki.locator("#alarms").get_by_role("button", name="受け持つ").click()

    expect(sato.locator("[data-alarm]")).to_have_count(0, timeout=5_000)
