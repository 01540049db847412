"""Talks, lines and events: one of each, in order, whoever comes at the same moment (R2, R9, design.md §2 I3 I4)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import Session

from storage import talk as talks
from storage.store import Store
from storage.talk import Talk
from tests.storage.rows import NOW, at_once, open_talk, say, says


def count(store: Store, what: str) -> int:
    return int(store.transact(lambda rows: rows.execute(text(f"SELECT count(*) FROM {what}")).scalar_one()))


def again(rows: Session, talk: Talk) -> Talk:
    found = talks.by_id(rows, talk.id)
    assert found is not None
    return found


# ---------------------------------------------------------------- one person, one talk


def test_many_first_messages_at_the_same_moment_open_one_talk(store: Store) -> None:
    def first(number: int) -> Callable[[], Talk]:
        return lambda: open_talk(store, f"U{number % 3}")

    found = at_once([first(number) for number in range(30)])
    assert len({talk.id for talk in found}) == 3
    assert {table: count(store, table) for table in ("person", "identity", "conversation", "data_key")} == {
        "person": 3, "identity": 3, "conversation": 3, "data_key": 4,  # one for each talk, and the one that finds accounts
    }  # fmt: skip


@pytest.mark.requirement("R9")
def test_the_same_id_on_two_channels_is_two_people(store: Store) -> None:
    one, other = open_talk(store, "12345", "line"), open_talk(store, "12345", "telegram")
    assert one.person_id != other.person_id
    assert one.id != other.id


def test_a_talk_comes_back_as_it_was_saved(store: Store) -> None:
    talk = open_talk(store)
    changed = replace(
        talk, owner="human", flow_session='{"step":"三つ"}', settle_at=NOW + timedelta(seconds=2), hidden_address=True, follow_ups=False, last_seq=7
    )
    later = NOW + timedelta(minutes=5)
    store.transact(lambda rows: talks.save(rows, changed, later))
    found = store.transact(lambda rows: talks.find(rows, "line", "U1"))
    assert found == replace(changed, version=2, last_at=later)
    assert found == store.transact(lambda rows: talks.by_id(rows, talk.id, lock=False))


def test_a_talk_nobody_has_is_none(store: Store) -> None:
    assert store.transact(lambda rows: talks.by_id(rows, "0" * 32)) is None
    assert store.transact(lambda rows: talks.find(rows, "line", "U1")) is None


def test_an_account_that_blocked_us_is_known_to_whoever_comes_next(store: Store) -> None:
    talk, other = open_talk(store, "U1"), open_talk(store, "U2")
    store.transact(lambda rows: talks.set_reachable(rows, talk, False))
    assert [store.transact(lambda rows, one=one: again(rows, one)).reachable for one in (talk, other)] == [False, True]


@pytest.mark.parametrize("repetition", range(3))
def test_who_waits_for_a_talk_sees_all_that_was_done_to_it_meanwhile(store: Store, repetition: int) -> None:
    """Also what stands beside the locked row: whether the account can be reached."""
    talk = open_talk(store)

    def toggle() -> None:
        def work(rows: Session) -> None:
            found = again(rows, talk)
            talks.save(rows, talks.set_reachable(rows, found, not found.reachable), NOW)

        store.transact(work)

    at_once([toggle] * 11)
    found = store.transact(lambda rows: again(rows, talk))
    assert (found.reachable, found.version) == (False, 12)


# ---------------------------------------------------------------- one event, one row


@pytest.mark.requirement("R2")
def test_an_event_repeated_many_times_at_the_same_moment_is_admitted_once(store: Store) -> None:
    talk = open_talk(store)

    def admit(rows: Session) -> str | None:
        return talks.admit(rows, again(rows, talk), event_id="event-1", kind="text", raw="{}", now=NOW)

    admitted = at_once([lambda: store.transact(admit)] * 12)
    assert len([inbox_id for inbox_id in admitted if inbox_id is not None]) == 1
    assert count(store, "inbox") == 1


def test_a_repeat_that_comes_with_the_very_first_event_is_admitted_once(store: Store) -> None:
    def receive(rows: Session) -> str | None:
        return talks.admit(rows, talks.find_or_open(rows, "line", "U1", NOW), event_id="event-1", kind="follow", raw="{}", now=NOW)

    admitted = at_once([lambda: store.transact(receive)] * 12)
    assert len([inbox_id for inbox_id in admitted if inbox_id is not None]) == 1


def test_stray_events_that_come_at_the_same_moment_are_kept_once_each(store: Store) -> None:
    def stray(number: int) -> Callable[[], bool]:
        return lambda: store.transact(
            lambda rows: talks.admit_stray(rows, channel="line", event_id=f"event-{number % 4}", kind="group", raw="{}", now=NOW)
        )

    assert sum(at_once([stray(number) for number in range(12)])) == 4
    assert count(store, "inbox WHERE state = 'noise'") == 4


def test_event_ids_of_two_channels_do_not_meet(store: Store) -> None:
    line, telegram = open_talk(store, "U1", "line"), open_talk(store, "U1", "telegram")
    for talk in (line, telegram):
        assert store.transact(lambda rows, talk=talk: talks.admit(rows, talk, event_id="1", kind="text", raw="", now=NOW)) is not None


# ---------------------------------------------------------------- numbered lines


def test_lines_that_are_added_at_the_same_moment_are_numbered_without_gaps(store: Store) -> None:
    talk = open_talk(store)

    def speak(number: int) -> Callable[[], object]:
        def work(rows: Session) -> None:
            say(rows, again(rows, talk), f"{number}")
            if number % 5 == 0:
                raise RuntimeError("this one is undone")

        def run() -> None:
            if number % 5 == 0:
                with pytest.raises(RuntimeError, match="undone"):
                    store.transact(work)
            else:
                store.transact(work)

        return run

    at_once([speak(number) for number in range(20)])
    lines = store.transact(lambda rows: talks.lines(rows, talk.id))
    assert [line.seq for line in lines] == list(range(1, 17))
    assert {line.body for line in lines} == {f"{number}" for number in range(20) if number % 5}


def test_lines_come_back_in_order_after_a_number_and_no_more_than_asked_for(store: Store) -> None:
    talk = open_talk(store)
    for number in range(1, 8):
        says(store, talk, f"{number}つめ")
    assert [line.body for line in store.transact(lambda rows: talks.lines(rows, talk.id, after=3, limit=2))] == ["4つめ", "5つめ"]


def test_the_last_words_are_those_of_the_resident_oldest_first(store: Store) -> None:
    talk = open_talk(store)
    for author, words in (("resident", "一"), ("bot", "はい"), ("resident", "二"), ("staff", "どうぞ"), ("resident", "三"), ("resident", "四")):
        says(store, talk, words, author=author)
    (one, *_) = store.transact(lambda rows: talks.lines(rows, talk.id, after=5))
    store.transact(lambda rows: talks.forget_words(rows, talk, [one.id], NOW))
    assert store.transact(lambda rows: talks.last_words(rows, talk, 2)) == ["二", "三"]


def test_only_words_of_staff_count_as_an_answer_of_staff(store: Store) -> None:
    talk = open_talk(store)
    says(store, talk, "はい", author="bot", at=NOW + timedelta(minutes=1))
    assert not store.transact(lambda rows: talks.wrote_after(rows, talk.id, "staff", NOW))
    says(store, talk, "こんにちは", author="staff", at=NOW + timedelta(minutes=2))
    assert store.transact(lambda rows: talks.wrote_after(rows, talk.id, "staff", NOW))
    assert not store.transact(lambda rows: talks.wrote_after(rows, talk.id, "staff", NOW + timedelta(minutes=2)))


# ---------------------------------------------------------------- settling


def receive(rows: Session, talk: Talk, words: str, *, token: str | None = None) -> tuple[Talk, str]:
    """An event and its line, pending."""
    inbox_id = talks.admit(rows, talk, event_id=f"event-{words}", kind="text", raw=words, now=NOW, reply_token=token, reply_until=NOW)
    assert inbox_id is not None
    talk, line = say(rows, talk, words)
    talks.link_inbox(rows, inbox_id, line.id)
    return talk, inbox_id


def test_what_is_pending_comes_in_order_with_its_reply_token_and_is_settled_once(store: Store) -> None:
    talk, other = open_talk(store, "U1"), open_talk(store, "U2")

    def work(rows: Session) -> None:
        found = again(rows, talk)
        for number in (1, 2, 3):
            found, _ = receive(rows, found, f"{number}", token=f"token-{number}")
        receive(rows, again(rows, other), "ほかの人")

    store.transact(work)
    waiting = store.transact(lambda rows: talks.pending(rows, talk))
    assert [(event.line.body, event.reply_token, event.reply_until) for event in waiting] == [
        ("1", "token-1", NOW), ("2", "token-2", NOW), ("3", "token-3", NOW),
    ]  # fmt: skip
    store.transact(lambda rows: talks.settle_inbox(rows, [event.inbox_id for event in waiting], "answered"))
    assert store.transact(lambda rows: talks.pending(rows, talk)) == []
    assert count(store, "inbox WHERE state = 'pending'") == 1
    assert count(store, "inbox WHERE state = 'answered' AND reply_token_sealed IS NULL") == 3


def test_settling_nothing_changes_nothing(store: Store) -> None:
    talk = open_talk(store)
    store.transact(lambda rows: receive(rows, again(rows, talk), "一"))
    store.transact(lambda rows: talks.settle_inbox(rows, [], "answered"))
    assert count(store, "inbox WHERE state = 'pending'") == 1


def test_an_event_that_a_human_gets_is_queued_and_its_token_is_gone(store: Store) -> None:
    talk = open_talk(store)

    def work(rows: Session) -> None:
        found, inbox_id = receive(rows, again(rows, talk), "一", token="token")
        line = talks.lines(rows, found.id)[-1]
        talks.link_inbox(rows, inbox_id, line.id, "queued")

    store.transact(work)
    assert count(store, "inbox WHERE state = 'queued' AND reply_token_sealed IS NULL") == 1


def test_talks_whose_words_have_settled_come_longest_waiting_first(store: Store) -> None:
    settle = {"U1": 5, "U2": 1, "U3": 3, "U4": 60, "U5": None}
    ids = {}
    for account, seconds in settle.items():
        talk = open_talk(store, account)
        ids[account] = talk.id
        at = None if seconds is None else NOW + timedelta(seconds=seconds)
        store.transact(lambda rows, talk=talk, at=at: talks.save(rows, replace(talk, settle_at=at), NOW))
    due = store.transact(lambda rows: talks.settled(rows, NOW + timedelta(seconds=5)))
    assert due == [ids["U2"], ids["U3"], ids["U1"]]


# ---------------------------------------------------------------- taking words back


@pytest.mark.requirement("R8")
def test_words_taken_back_are_gone_and_their_numbered_line_stays(store: Store) -> None:
    talk = open_talk(store)

    def work(rows: Session) -> str:
        found = again(rows, talk)
        inbox_id = talks.admit(rows, found, event_id="e", kind="text", raw="消します", now=NOW)
        assert inbox_id is not None
        found, line = say(rows, found, "消します", platform_id="message-9")
        talks.link_inbox(rows, inbox_id, line.id)
        say(rows, found, "残します", platform_id="message-10")
        return line.id

    line_id = store.transact(work)
    assert store.transact(lambda rows: talks.by_platform_id(rows, talk, "message-9")).id == line_id
    later = NOW + timedelta(minutes=1)
    store.transact(lambda rows: talks.forget_words(rows, talk, [line_id], later))
    gone, kept = store.transact(lambda rows: talks.lines(rows, talk.id))
    assert (gone.seq, gone.body, gone.withdrawn_at) == (1, None, later)
    assert (kept.seq, kept.body, kept.withdrawn_at) == (2, "残します", None)
    assert count(store, "inbox WHERE raw_sealed IS NOT NULL") == 0


def test_nobody_takes_back_the_words_of_another_talk(store: Store) -> None:
    talk, other = open_talk(store, "U1"), open_talk(store, "U2")
    line = says(store, talk, "わたしの", platform_id="message-1")
    assert store.transact(lambda rows: talks.by_platform_id(rows, other, "message-1")) is None
    store.transact(lambda rows: talks.forget_words(rows, other, [line.id], NOW))
    assert [kept.body for kept in store.transact(lambda rows: talks.lines(rows, talk.id))] == ["わたしの"]


# ---------------------------------------------------------------- always


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 6)), max_size=25))
def test_however_events_repeat_and_mix_every_talk_holds_each_of_its_own_once_in_order(store: Store, events: list[tuple[str, int]]) -> None:
    started = count(store, "inbox")

    def work(rows: Session, account: str, number: int) -> None:
        talk = talks.find_or_open(rows, "line", f"{started}-{account}", NOW)
        inbox_id = talks.admit(rows, talk, event_id=f"{started}-{account}-{number}", kind="text", raw="", now=NOW)
        if inbox_id is not None:
            say(rows, talk, f"{number}")

    for event in events:
        store.transact(lambda rows, event=event: work(rows, *event))
    for account in "ABC":
        wanted = list(dict.fromkeys(f"{number}" for one, number in events if one == account))
        talk = store.transact(lambda rows, account=account: talks.find(rows, "line", f"{started}-{account}"))
        lines = [] if talk is None else store.transact(lambda rows, talk=talk: talks.lines(rows, talk.id))
        assert [line.body for line in lines] == wanted
        assert [line.seq for line in lines] == list(range(1, len(wanted) + 1))
