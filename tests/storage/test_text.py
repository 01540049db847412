"""What residents write comes back as written, on both engines the same (R5)."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from storage import talk as talks
from storage.sealing import seal, unseal
from storage.store import Store
from storage.text import clean
from tests.storage.rows import NOW, open_talk, say

ODD = [
    "𠮷野家の髙﨑さん", "葛󠄀城市と葛󠄁飾区", "辻󠄀", "㐂寿", "ゟヿ㍿", "か゛", "ば", "👩‍👩‍👧‍👦🏳️‍🌈👍🏽", "🇯🇵", "e\u0301", "\u202eうしろから",
    "a\u200bb\ufeffc", "\x07\x1b[31m\x7f",
    "改行\r\nと\tタブ\u2028", "", " ", "\x00", "はじめ\x00おわり", "\ud800", "かけら\udfff\ud83d", "\ud83d\ude00",
    "\\x00", "'; DROP TABLE message; --", "あ" * 5000,
]  # fmt: skip
EVERYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)


def is_storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


@given(EVERYTHING)
def test_cleaned_text_can_be_kept_by_every_engine_and_cleaning_again_changes_nothing(text: str) -> None:
    cleaned = clean(text)
    assert is_storable(cleaned)
    assert clean(cleaned) == cleaned


@given(EVERYTHING.filter(is_storable))
def test_cleaning_changes_nothing_that_can_be_kept(text: str) -> None:
    assert clean(text) == text


@pytest.mark.requirement("R5")
def test_what_cannot_be_kept_becomes_visible() -> None:
    assert clean("はじめ\x00おわり\ud83d。") == "はじめ\\x00おわり\\ud83d。"


@pytest.mark.parametrize("text", ODD)
@pytest.mark.requirement("R5")
def test_odd_text_comes_back_cleaned_and_otherwise_as_sent(store: Store, text: str) -> None:
    talk = open_talk(store)

    def write_and_read(rows: Session) -> str | None:
        say(rows, talk, clean(text))
        return talks.lines(rows, talk.id)[-1].body

    assert store.transact(write_and_read) == clean(text)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(EVERYTHING, min_size=1, max_size=8))
@pytest.mark.requirement("R5")
def test_any_text_comes_back_on_both_engines_even_if_it_was_never_cleaned(store: Store, texts: list[str]) -> None:
    def write_and_read(rows: Session) -> list[str]:
        cells = [seal(rows, "case:1", f"memo.body:{number}", text) for number, text in enumerate(texts)]
        return [unseal(rows, "case:1", f"memo.body:{number}", cell) for number, cell in enumerate(cells)]

    assert store.transact(write_and_read) == texts


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(external=EVERYTHING.filter(str.strip), event_id=EVERYTHING)
def test_any_id_a_platform_sends_is_kept_and_found_again(store: Store, external: str, event_id: str) -> None:
    def work(rows: Session) -> tuple[str, bool, bool]:
        talk = talks.find_or_open(rows, "line", external, NOW)
        talks.admit(rows, talk, event_id=event_id, kind="text", raw=external, now=NOW)
        again = talks.admit(rows, talks.find_or_open(rows, "line", external, NOW), event_id=event_id, kind="text", raw="", now=NOW)
        found = talks.by_id(rows, talk.id)
        return "" if found is None else found.destination, again is None, talks.find(rows, "line", external) == found

    assert store.transact(work) == (external, True, True)


def test_ids_too_long_for_their_column_are_told_apart_all_the_same(store: Store) -> None:
    def work(rows: Session) -> list[bool]:
        talk = talks.find_or_open(rows, "line", "U1", NOW)
        ids = ["e" * 200 + "1", "e" * 200 + "2", "e" * 200 + "1"]
        return [talks.admit(rows, talk, event_id=event_id, kind="text", raw="", now=NOW) is not None for event_id in ids]

    assert store.transact(work) == [True, True, False]
