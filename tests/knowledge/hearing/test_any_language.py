"""Who writes in another language is shown a desk where it is spoken (D12)."""

import pytest

from knowledge.base import Base
from knowledge.hearing import hear
from tests.knowledge.hearing.test_index import entry

DESK = "gaikokujin-soudan"


@pytest.mark.parametrize(
    "said",
    [
        "My boss has not paid me for two months and I still work every day",
        "孩子在学校被同学欺负，老师也不管，怎么办",
        "meu filho tem 3 anos e quase não fala, estou preocupada",
        "Tôi bị mất việc và tháng sau không có tiền trả tiền nhà",
    ],
)
def test_one_of_three_cards_is_a_desk_where_the_language_is_spoken(base: Base, said: str) -> None:
    heard = hear(said, base)
    assert heard.lang not in ("ja", "easy")
    assert DESK in heard.cards[:3]
    assert len(heard.cards) == len(set(heard.cards))


def test_who_writes_in_japanese_is_shown_what_was_found_alone(base: Base) -> None:
    assert DESK not in hear("会社が二か月給料を払ってくれません", base).cards


def test_an_example_in_another_language_finds_its_entry_by_its_own_words() -> None:
    from knowledge.hearing.index import Index

    entries = {
        "one": entry("one", "一つめ", examples=["My landlord keeps the zorblax deposit", "敷金が返ってこない"]),
        "two": entry("two", "二つめ", examples=["The quimble of my bicycle was stolen", "自転車をとられた"]),
    }
    index = Index.build(entries)
    assert index.order("somebody took my quimble", 1) == ["two"]
    assert index.order("is the zorblax mine?", 1) == ["one"]
