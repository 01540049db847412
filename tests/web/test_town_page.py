"""わたしたちのまちの困りごと: off until the town wants it; whole closed quarters only; no small number on it."""

import re
from dataclasses import replace
from datetime import datetime

import pytest

from bot.clock import JST
from storage import gaps, months
from storage.desk_queue import Viewer
from tests.town import Town

NOW = datetime(2026, 11, 24, tzinfo=JST)


@pytest.fixture
def viewer(town: Town) -> Viewer:
    town.coordinator("係長", role="lead")
    member = town.rows("SELECT id FROM staff")[0][0]
    return Viewer(member, "係長", "lead", f"staff:{member}")


@pytest.fixture
def open_town(town: Town) -> Town:
    """The town has written `shows_troubles: true`."""
    living = town.parts.knowledge
    base = living.town.base
    living.town = replace(living.town, base=replace(base, town=base.town.model_copy(update={"shows_troubles": True})))
    return town


def closes(town: Town, viewer: Viewer, *wanted: str, **topics: int) -> None:
    for month in wanted:
        counts = {"work": {"consulted": 20}, "topics": topics}
        town.store.transact(lambda rows, month=month, counts=counts: months.close(rows, viewer, month, counts, NOW))


def test_the_page_is_off_until_the_town_wants_it(town: Town) -> None:
    assert town.http.get("/town").status_code == 404


def test_only_whole_closed_quarters_are_told_with_small_numbers_hidden(open_town: Town, viewer: Viewer) -> None:
    closes(open_town, viewer, "2026-04", "2026-05", T12=1, T03=9)
    assert "まとまった数は、まだありません" in open_town.http.get("/town").text
    closes(open_town, viewer, "2026-06", "2026-07", T12=1, T03=9)
    page = open_town.http.get("/town").text
    assert "2026年4月から2026年6月までに受けた相談は、60件" in page
    assert re.search(r"収入・生活費のこと</th><td>27</td>", page)
    assert re.search(r"介護のこと</th><td>10未満</td>", page)
    assert not re.search(r"<td>[1-9]</td>", page)
    assert not re.search("相談票|制度の狭間|アセスメント", page), "residents read it: no word of the desk"


def test_a_quarter_later_the_page_gives_away_nothing_of_the_one_before(open_town: Town, viewer: Viewer) -> None:
    closes(open_town, viewer, "2026-04", "2026-05", "2026-06", T12=5)
    assert re.search(r"介護のこと</th><td>15</td>", open_town.http.get("/town").text)
    closes(open_town, viewer, "2026-07", "2026-08", "2026-09", T12=1)
    assert re.search(r"介護のこと</th><td>15以上</td>", open_town.http.get("/town").text)


def test_what_is_done_and_where_to_join_stands_there_and_no_wish_of_anybody(open_town: Town, viewer: Viewer) -> None:
    def work(rows: object) -> None:
        issue = gaps.make_issue(rows, viewer, "夜に行ける場所がない", NOW)  # type: ignore[arg-type]
        gap = gaps.note(rows, reasons=["time"], domain=None, source="desk", now=NOW, wish="ひみつの願い")  # type: ignore[arg-type]
        gaps.tie(rows, viewer, [gap], issue, NOW)  # type: ignore[arg-type]
        gaps.change_issue(  # type: ignore[arg-type]
            rows, viewer, issue, title="夜に行ける場所がない", done="話し合いました", state="answered", entry_id="food-bank", expected=1, now=NOW
        )

    open_town.store.transact(work)
    page = open_town.http.get("/town").text
    assert "夜に行ける場所がない" in page
    assert "話し合いました" in page
    assert "フードバンク" in page
    assert "新しい支えができました" in page
    assert 'href="/calendar"' in page
    assert "ひみつの願い" not in page
