"""A member of staff finds an entry by whatever word comes to mind."""

import pytest

from knowledge.entry import Entry
from knowledge.searching import search

ENTRIES = (
    Entry(id="a", name="こども食堂・地域食堂", kana="こどもしょくどう・ちいきしょくどう", summary="食べる所です。"),
    Entry(id="b", name="地域包括支援センター", kana="ちいきほうかつしえんせんたー", summary="相談する所です。"),
)


@pytest.mark.parametrize("words", ["こどもしょくどう", "子供食堂", "子ども食堂", "コドモ食堂", "ｺﾄﾞﾓ食堂"])
def test_an_entry_is_found_however_children_are_written(words: str) -> None:
    assert [entry.id for entry in search(ENTRIES, words)] == ["a"]
