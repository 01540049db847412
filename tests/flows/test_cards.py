"""A card and its くわしく, as they look in each language (G2, G6, G8)."""

import re
from datetime import datetime

import pytest

from bot.clock import JST
from flows import Lang
from flows.cards import preview
from flows.filling import Town
from flows.letters import room
from flows.model import Scene
from flows.phrasebook import built_in
from knowledge.base import load
from knowledge.entry import Entry
from knowledge.layers import STARTER

SCENE = Scene(now=datetime(2026, 11, 26, 10, 0, tzinfo=JST))


@pytest.fixture(scope="module")
def country() -> Town:
    return Town(load(STARTER), built_in())


@pytest.mark.parametrize("lang", ["ja", "easy", "en"])
def test_more_about_any_service_fits_a_phone_without_being_cut(country: Town, lang: Lang) -> None:
    for entry in country.base.entries.values():
        _, more = preview(entry, lang, SCENE, country)
        assert 2 <= len(more) <= 3, entry.id
        assert all(room(bubble.text) <= 80 for bubble in more), entry.id
        assert not any("…" in bubble.text for bubble in more[:2]), (entry.id, more)


def test_more_about_a_service_says_nothing_japanese_to_an_english_reader(country: Town) -> None:
    for entry in country.base.entries.values():
        _, more = preview(entry, "en", SCENE, country)
        assert not any(re.search("[ぁ-んァ-ヶ一-龠]", bubble.text) for bubble in more), (entry.id, more)


def test_a_language_without_its_own_words_for_how_and_whom_is_told_to_ask(country: Town) -> None:
    entry = country.base.entries["food-bank"]
    _, more = preview(entry, "vi", SCENE, country)
    assert [bubble.key for bubble in more] == ["details.what", "details.ask"]


def test_what_to_bring_stands_under_for_whom_while_there_is_room(country: Town) -> None:
    short = Entry(id="a", name="あ", summary="い", who={"note": "市内に住む人"}, bring=("本人確認書類",))
    _, more = preview(short, "ja", SCENE, country)
    assert more[-1].text == "対象のめやす：市内に住む人\nあるとよいもの：本人確認書類"
    long = short.model_copy(update={"bring": ("とても長い名前の書類" * 4,), "who": short.who.model_copy(update={"note": "長い説明" * 12})})
    assert "あるとよいもの" not in preview(long, "ja", SCENE, country)[1][-1].text
