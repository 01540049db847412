"""Who a cookie or six words lead to, on both databases."""

from datetime import datetime, timedelta

import pytest

from storage import visitors
from storage.store import Store

PHRASE = "さくらやまうみそらほしつき"


@pytest.fixture
def visitor(store: Store, now: datetime) -> tuple[str, str]:
    """A talk and the secret of its browser's cookie."""
    talk, secret = store.transact(lambda rows: visitors.welcome(rows, now))
    return talk.id, secret


def leads_to(store: Store, secret: str, now: datetime) -> str | None:
    talk = store.transact(lambda rows: visitors.find(rows, secret, now))
    return None if talk is None else talk.id


def keep(store: Store, secret: str, phrase: str, now: datetime) -> None:
    talk = store.transact(lambda rows: visitors.find(rows, secret, now))
    assert talk is not None
    store.transact(lambda rows: visitors.keep_phrase(rows, talk, phrase, now))


def test_each_browser_has_a_person_and_a_talk_of_its_own(store: Store, visitor: tuple[str, str], now: datetime):
    other, other_secret = store.transact(lambda rows: visitors.welcome(rows, now))

    assert leads_to(store, visitor[1], now) == visitor[0]
    assert leads_to(store, other_secret, now) == other.id != visitor[0]
    assert leads_to(store, "unknown", now) is None


def test_an_ended_cookie_leads_nowhere_for_ever(store: Store, visitor: tuple[str, str], now: datetime):
    assert store.transact(lambda rows: visitors.end(rows, visitor[1], now)) == visitor[0]

    assert leads_to(store, visitor[1], now) is None
    assert leads_to(store, visitor[1], now - timedelta(days=1)) is None


def test_a_cookie_lives_as_long_as_it_is_used(store: Store, visitor: tuple[str, str], now: datetime):
    for day in range(0, 60, 6):
        assert leads_to(store, visitor[1], now + timedelta(days=day)) == visitor[0]

    assert leads_to(store, visitor[1], now + timedelta(days=54) + visitors.IDLE + timedelta(seconds=1)) is None


def test_six_words_give_another_cookie_and_end_no_other(store: Store, visitor: tuple[str, str], now: datetime):
    keep(store, visitor[1], PHRASE, now)

    secret = store.transact(lambda rows: visitors.come_back(rows, PHRASE, now))

    assert secret is not None
    assert leads_to(store, secret, now) == leads_to(store, visitor[1], now) == visitor[0]


def test_new_words_end_the_old_ones(store: Store, visitor: tuple[str, str], now: datetime):
    keep(store, visitor[1], "ふるいことば", now)
    keep(store, visitor[1], PHRASE, now)

    assert store.transact(lambda rows: visitors.come_back(rows, "ふるいことば", now)) is None


def test_a_cookie_is_no_phrase_and_a_phrase_no_cookie(store: Store, visitor: tuple[str, str], now: datetime):
    keep(store, visitor[1], PHRASE, now)

    assert leads_to(store, PHRASE, now) is None
    assert store.transact(lambda rows: visitors.come_back(rows, visitor[1], now)) is None
    assert store.transact(lambda rows: visitors.come_back(rows, "", now)) is None


def test_wrong_words_are_counted_by_address_and_forgotten_after_a_while(store: Store, now: datetime):
    for _ in range(visitors.TRIES):
        assert not store.transact(lambda rows: visitors.too_many_tries(rows, "192.0.2.1", now))
        store.transact(lambda rows: visitors.note_try(rows, "192.0.2.1", now))

    assert store.transact(lambda rows: visitors.too_many_tries(rows, "192.0.2.1", now))
    assert not store.transact(lambda rows: visitors.too_many_tries(rows, "192.0.2.2", now))
    assert not store.transact(lambda rows: visitors.too_many_tries(rows, "192.0.2.1", now + visitors.TRY_WINDOW))
