"""The doors of the menu: news, places, helping. They need no consent, and leave the open question open."""

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
