"""The doors of the menu: news, places, helping. They need no consent, and leave the open question open."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import flows
from knowledge.base import load
from tests.flows.talks import Resident
from tests.kept import kept


@pytest.fixture(scope="module")
def town() -> flows.Town:
    """The sample town: it has gatherings with dates."""
    return flows.load_town(load(Path(flows.__file__).parents[1] / "knowledge" / "sample-town", kept("sample-town")))


@pytest.fixture
def resident(town: flows.Town) -> Resident:
    return Resident(town)


def test_news_are_the_next_gatherings_soonest_first(resident: Resident):
    resident.follows().says("お知らせ")
    cards = [card for reply in resident.turn.replies for card in reply.cards]
    assert 1 <= len(cards) <= 3
    assert all(any("次は" in line for line in card.lines) for card in cards)


def test_places_to_go_are_shown_and_the_question_stays_open(resident: Resident):
    resident.begins().says("家賃が払えません")
    before = resident.session.ask
    resident.says("居場所")
    assert any(reply.cards for reply in resident.turn.replies)
    assert resident.session.ask == before


def test_whoever_wants_to_help_is_asked_what_they_can_do(resident: Resident):
    resident.begins().says("手伝いたい")
    assert resident.session.flow == "helper"


def test_the_private_room_is_known_where_there_is_one_and_where_there_is_none(resident: Resident):
    resident.begins().says("専用ページ")
    assert "もう専用ページ" in resident.turn.replies[0].text
    resident.scene = {"room": True, "channel": "line"}
    resident.says("専用ページ")
    assert flows.ROOM in [button.value for button in resident.turn.buttons]


def _full(town: flows.Town, entry_id: str, *days: str) -> flows.Town:
    """The town with no place left in a gathering on these days."""
    entry = town.base.entries[entry_id]
    events = tuple(event.model_copy(update={"full": days}) for event in entry.events)
    return flows.Town(replace(town.base, entries={**town.base.entries, entry_id: entry.model_copy(update={"events": events})}), town.phrases)


def _lines(resident: Resident, entry_id: str) -> str:
    return "\n".join(line for reply in resident.turn.replies for card in reply.cards if card.id == entry_id for line in card.lines)


def test_a_full_gathering_says_when_a_place_is_left_and_comes_after_the_others(resident: Resident, town: flows.Town):
    resident.begins().says("どこか行けるところはありますか")
    first = resident.cards[0]
    soonest = next(line for line in _lines(resident, first).split("\n") if line.startswith("次は"))
    resident.town = _full(town, first, *(f"2026-11-{day}" for day in range(24, 31)))
    resident.says("どこか行けるところはありますか")
    assert resident.cards[:1] != [first]

    resident.presses("人と話す").says("もどる").says(town.base.entries[first].name)
    assert soonest in _lines(resident, first)
    assert "この日は、いっぱいです。空いているのは" in _lines(resident, first)


def test_a_single_day_that_is_full_asks_to_ask_about_waiting(resident: Resident, town: flows.Town):
    entry = town.base.entries["higashihama-ochanomi"]
    once = entry.events[0].model_copy(update={"every": None, "closed": (), "on": date(2026, 12, 3), "full": ("2026-12-03",)})
    resident.town = flows.Town(
        replace(town.base, entries={**town.base.entries, entry.id: entry.model_copy(update={"events": (once,)})}), town.phrases
    )
    resident.begins().says("東浜お茶のみサロンについて知りたい")
    assert "空きを待てるか、聞いてください" in _lines(resident, entry.id)
