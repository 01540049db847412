"""Words that a base does not know lead to those of like meaning (knowledge/hearing/rank/meanings.py)."""

from types import SimpleNamespace

import numpy as np

from knowledge.hearing.index import Index
from knowledge.hearing.rank import keys, meanings

_NAMES = {
    "gomi": ("家具のごみの出し方", "大きなごみは電話で申し込みます。"),
    "inu": ("犬の登録", "飼い始めたら届け出ます。"),
    "jitensha": ("自転車置き場の利用", "駅前で一か月ごとに契約します。"),
    "kekkon": ("婚姻届", "戸籍の係に出します。"),
}


def base(**examples: list[str]) -> Index:
    return Index.build(
        {name: SimpleNamespace(id=name, name=title, summary=told, examples=examples.get(name, [])) for name, (title, told) in _NAMES.items()}
    )


def test_a_word_that_no_entry_has_leads_to_one_that_means_something_like_it() -> None:
    index = base()

    assert index.order("ソファ", 1) == ["gomi"]
    assert index.order("入籍", 1) == ["kekkon"]
    assert index.order("バイク", 1) == ["jitensha"]


def test_staff_see_that_the_meaning_led_there_and_the_resident_their_own_word() -> None:
    first = base().rank("ソファを捨てたい", limit=1)[0]

    assert first.id == "gomi"
    assert first.channels["meanings"] > 0
    assert any("ソファ" in reason for reason in first.why)


def test_a_word_the_base_knows_is_not_led_elsewhere() -> None:
    index = base(inu=["ソファを犬がかじります"])

    assert [match.channels["meanings"] for match in index.rank("ソファを犬が", limit=4)] == [0, 0, 0, 0]
    assert index.order("ソファ", 1) == ["inu"]


def test_a_word_nobody_ever_wrote_lends_nothing() -> None:
    assert base().meanings.lent(np.array([keys.named(keys.WORD, "ほげらもげら")])) is None


def test_a_base_without_words_lends_nothing() -> None:
    empty = Index.build({})

    assert empty.meanings.lent(np.array([keys.named(keys.WORD, "犬")])) is None
    assert empty.order("犬", 3) == []


def test_what_was_asked_before_is_answered_the_same() -> None:
    index = base()
    once = index.rank("ソファ", limit=4)

    assert index.rank("ソファ", limit=4) == once


def test_the_table_has_a_direction_for_every_word_it_names() -> None:
    table = meanings.table()

    assert (np.diff(table.keys) > 0).all()
    assert table.rows.max() < len(table.vectors)
    assert np.allclose(np.linalg.norm(table.directions(table.keys[:50]), axis=1), 1.0, atol=1e-3)
