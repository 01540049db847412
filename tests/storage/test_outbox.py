"""The outbox: in order, to whom it was written, as often as needed and no oftener (R10, R11)."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from storage import outbox
from storage import talk as talks
from storage.outbox import Letter
from storage.store import Store
from storage.talk import Talk
from tests.storage.rows import NOW, at_once, open_talk, says, write

LATER = NOW + timedelta(minutes=1)


def take(store: Store, talk: Talk, at: datetime = NOW) -> Letter:
    found = store.transact(lambda rows: outbox.take(rows, talk.id, at))
    assert isinstance(found, Letter)
    return found


def takes_nothing(store: Store, talk: Talk, at: datetime = NOW) -> bool:
    return store.transact(lambda rows: outbox.take(rows, talk.id, at)) is None


def sent(store: Store, letter: Letter) -> None:
    store.transact(lambda rows: outbox.sent(rows, letter.id, NOW))


def try_later(store: Store, letter: Letter, at: datetime, *, unknown: bool = False, drop_token: bool = False) -> None:
    store.transact(lambda rows: outbox.try_later(rows, letter, at, problem="503", unknown=unknown, drop_token=drop_token))


def states(store: Store) -> list[str]:
    return [row.state for row in store.transact(lambda rows: rows.execute(text("SELECT state FROM outbox ORDER BY seq")).all())]


def test_calls_leave_in_the_order_of_their_lines_and_within_a_line_as_written(store: Store) -> None:
    talk = open_talk(store)
    write(store, talk, ["1-1", "1-2", "1-3"])
    write(store, talk, ["2-1"])
    write(store, talk, ["3-1", "3-2"])
    bodies = []
    for _ in range(6):
        letter = take(store, talk)
        bodies.append(letter.body)
        sent(store, letter)
    assert bodies == ["1-1", "1-2", "1-3", "2-1", "3-1", "3-2"]
    assert takes_nothing(store, talk)


def test_a_later_call_does_not_overtake_one_that_must_wait(store: Store) -> None:
    talk = open_talk(store)
    write(store, talk, ["一", "二"])
    try_later(store, take(store, talk), LATER)
    assert store.transact(lambda rows: outbox.take(rows, talk.id, NOW)) == LATER
    assert take(store, talk, LATER).body == "一"


@pytest.mark.requirement("R10")
def test_a_letter_carries_what_was_fixed_when_it_was_written(store: Store) -> None:
    talk = open_talk(store, "Udestination")
    until = NOW + timedelta(seconds=50)
    first, second = write(store, talk, ["一", "二"], reply_token="token", reply_until=until, unasked=True)
    taken = take(store, talk)
    assert (taken.id, taken.destination, taken.body, taken.retry_key) == (first.id, "Udestination", "一", first.retry_key)
    assert (taken.reply_token, taken.reply_until, taken.unasked, taken.message_id) == ("token", until, True, first.message_id)
    assert (taken.state, taken.attempts) == ("queued", 1)
    sent(store, taken)
    other = take(store, talk)
    assert (other.id, other.reply_token) == (second.id, None)
    assert other.retry_key != taken.retry_key


@pytest.mark.requirement("R11")
def test_a_call_that_was_cut_off_comes_back_first_with_the_same_key(store: Store) -> None:
    talk = open_talk(store)
    write(store, talk, ["一", "二"])
    cut_off = take(store, talk)
    assert store.transact(lambda rows: outbox.take(rows, talk.id, NOW)) == NOW + outbox.LEASE, "somebody has it"
    found = take(store, talk, NOW + outbox.LEASE)
    assert (found.id, found.retry_key, found.state, found.attempts) == (cut_off.id, cut_off.retry_key, "sending", 2)
    try_later(store, found, LATER, unknown=True)
    assert store.transact(lambda rows: outbox.take(rows, talk.id, NOW)) == LATER
    found = take(store, talk, LATER)
    assert (found.id, found.retry_key, found.state, found.attempts) == (cut_off.id, cut_off.retry_key, "unknown", 3)


def test_a_call_in_hand_is_taken_anew_as_it_was_while_nobody_else_has_had_it(store: Store) -> None:
    talk = open_talk(store)
    (claimed,) = write(store, talk, ["一"], claim=True)
    slow = NOW + timedelta(seconds=9)

    renewed = store.transact(lambda rows: outbox.take(rows, talk.id, slow, holding=claimed))

    assert isinstance(renewed, Letter)
    assert (renewed.id, renewed.state, renewed.attempts, renewed.next_try_at) == (claimed.id, "sending", 1, slow + outbox.LEASE)
    taken_by_another = take(store, talk, slow + outbox.LEASE)
    assert store.transact(lambda rows: outbox.take(rows, talk.id, slow, holding=claimed)) == taken_by_another.next_try_at


@pytest.mark.requirement("R11")
def test_a_call_that_only_waited_for_its_turn_when_its_process_died_is_in_no_doubt(store: Store) -> None:
    talk = open_talk(store)
    (waits,) = write(store, talk, ["一"], claim=True, begin=False)
    died = NOW + outbox.LEASE

    def taken(at: datetime, holding: Letter | None = None) -> Letter | datetime | None:
        return store.transact(lambda rows: outbox.take(rows, talk.id, at, holding=holding, in_turn={talk.channel}))

    again = taken(died)
    assert isinstance(again, Letter)
    assert (again.attempts, again.begun) == (0, False)
    begun = taken(died, again)
    assert isinstance(begun, Letter)
    assert (begun.id, begun.attempts, begun.begun) == (waits.id, 1, True)
    assert taken(died, waits) == begun.next_try_at, "whoever had it before does not begin it too"

    cut_off = taken(died + outbox.LEASE)
    assert isinstance(cut_off, Letter)
    assert (cut_off.state, cut_off.attempts) == ("sending", 1)
    once_more = taken(died + outbox.LEASE, cut_off)
    assert isinstance(once_more, Letter)
    assert (once_more.state, once_more.attempts) == ("sending", 2), "this one had begun: it may be there"


def test_a_reply_token_that_died_before_the_call_is_let_go_and_one_in_doubt_is_kept(store: Store) -> None:
    talk = open_talk(store)
    until = NOW + timedelta(seconds=50)
    write(store, talk, ["一"], reply_token="token", reply_until=until)
    cut_off = take(store, talk, until)
    assert cut_off.reply_token is None
    assert take(store, talk, until + outbox.LEASE).reply_token is None, "so it was a push, and may be tried again"

    other = open_talk(store, "Uother")
    write(store, other, ["一"], reply_token="token", reply_until=until)
    assert take(store, other).reply_token == "token"
    assert take(store, other, until + outbox.LEASE).reply_token == "token", "it was tried as a reply: that must stay known"


def test_who_comes_back_after_another_took_the_call_may_say_it_was_sent_but_not_put_it_off(store: Store) -> None:
    talk = open_talk(store)
    (late,) = write(store, talk, ["一"], claim=True)
    other = take(store, talk, NOW + outbox.LEASE)

    try_later(store, late, LATER)
    assert not store.transact(lambda rows: outbox.give_up(rows, late, NOW, problem="400"))
    assert states(store) == ["sending"]
    sent(store, late)
    try_later(store, other, LATER, unknown=True)

    assert states(store) == ["sent"]


def test_what_a_dead_process_had_is_free_at_once_where_nobody_else_can_be(store: Store) -> None:
    talk = open_talk(store)
    write(store, talk, ["一"], claim=True)
    assert store.transact(lambda rows: outbox.due_conversations(rows, NOW)) == []
    store.transact(lambda rows: outbox.free_leases(rows, NOW))
    assert store.transact(lambda rows: outbox.due_conversations(rows, NOW)) == [talk.id]
    assert take(store, talk).attempts == 2


@pytest.mark.requirement("R48")
def test_a_clock_that_was_put_back_a_day_keeps_no_reply_waiting(store: Store) -> None:
    talk = open_talk(store)
    write(store, talk, ["一"])
    try_later(store, take(store, talk), LATER)
    yesterday = NOW - timedelta(days=1)
    assert store.transact(lambda rows: outbox.due_conversations(rows, yesterday)) == [talk.id]
    assert take(store, talk, yesterday).body == "一"


def test_a_line_is_claimed_for_sending_at_once_only_when_nothing_waits_before_it(store: Store) -> None:
    talk, other = open_talk(store, "U1"), open_talk(store, "U2")
    write(store, other, ["ほかの人のもの"])
    first = write(store, talk, ["一", "二"], claim=True)
    assert [(letter.state, letter.attempts) for letter in first] == [("sending", 1), ("queued", 0)]
    second = write(store, talk, ["三"], claim=True)
    assert [letter.state for letter in second] == ["queued"]
    for letter in (*first, *second):
        sent(store, letter)
    assert [letter.state for letter in write(store, talk, ["四"], claim=True)] == ["sending"]


@pytest.mark.parametrize("state", ["unknown", "queued"])
def test_nothing_is_claimed_while_an_earlier_call_is_to_be_tried_again(store: Store, state: str) -> None:
    talk = open_talk(store)
    (letter,) = write(store, talk, ["一"], claim=True)
    try_later(store, letter, LATER, unknown=state == "unknown")
    assert [letter.state for letter in write(store, talk, ["二"], claim=True)] == ["queued"]


def test_of_many_that_deliver_at_the_same_moment_one_takes_the_call_and_the_others_learn_when_to_look_again(store: Store) -> None:
    talk = open_talk(store)
    letters = write(store, talk, ["一", "二", "三"])
    found = at_once([lambda: store.transact(lambda rows: outbox.take(rows, talk.id, NOW))] * 6)
    (taken,) = [one for one in found if isinstance(one, outbox.Letter)]
    assert (taken.id, taken.attempts) == (letters[0].id, 1)
    assert [one for one in found if one is not taken] == [NOW + outbox.LEASE] * 5


def test_a_reply_token_is_forgotten_once_it_is_of_no_use(store: Store) -> None:
    talk = open_talk(store)
    write(store, talk, ["一"], reply_token="token", reply_until=LATER)
    try_later(store, take(store, talk), NOW)
    letter = take(store, talk)
    assert letter.reply_token == "token"
    try_later(store, letter, NOW, drop_token=True)
    assert take(store, talk).reply_token is None


def test_a_call_given_up_or_sent_lets_the_next_one_leave(store: Store) -> None:
    talk = open_talk(store)
    write(store, talk, ["一", "二", "三"])
    first = take(store, talk)
    store.transact(lambda rows: outbox.give_up(rows, first, NOW, problem="400 " + "x" * 200))
    second = take(store, talk)
    store.transact(lambda rows: outbox.sent(rows, second.id, NOW, maybe_twice=True))
    assert take(store, talk).body == "三"
    assert states(store) == ["failed", "sent", "sending"]


def test_cancelling_stops_all_that_is_not_on_its_way_and_only_in_that_talk(store: Store) -> None:
    talk, other = open_talk(store, "U1"), open_talk(store, "U2")
    write(store, talk, ["届いた", "途中", "まだ", "これも"])
    write(store, other, ["ほかの人のもの"])
    sent(store, take(store, talk))
    on_its_way = take(store, talk)
    assert store.transact(lambda rows: outbox.cancel(rows, talk.id, NOW)) == 2
    assert take(store, talk, NOW + outbox.LEASE).id == on_its_way.id
    sent(store, on_its_way)
    assert takes_nothing(store, talk)
    assert take(store, other).body == "ほかの人のもの"


def test_cancelling_also_stops_what_would_be_tried_again_and_what_is_held(store: Store) -> None:
    talk = open_talk(store)
    write(store, talk, ["一", "二"])
    store.transact(lambda rows: outbox.hold_old(rows, NOW + timedelta(hours=7), timedelta(hours=6)))
    (third,) = write(store, talk, ["三"], claim=True)
    try_later(store, third, LATER, unknown=True)
    assert store.transact(lambda rows: outbox.cancel(rows, talk.id, NOW)) == 3
    assert states(store) == ["cancelled"] * 3


def test_only_unasked_calls_are_cancelled_when_the_resident_wants_no_more_of_them(store: Store) -> None:
    talk = open_talk(store)
    write(store, talk, ["返事"])
    write(store, talk, ["その後いかがですか"], unasked=True)
    assert store.transact(lambda rows: outbox.cancel(rows, talk.id, NOW, only_unasked=True)) == 1
    assert states(store) == ["queued", "cancelled"]


@pytest.mark.requirement("R11")
def test_old_replies_are_held_until_a_human_lets_them_go_and_are_not_held_again(store: Store) -> None:
    talk, six_hours = open_talk(store), timedelta(hours=6)
    write(store, talk, ["古い"])
    write(store, talk, ["届いた"])
    late = NOW + timedelta(hours=6, minutes=1)
    write(store, talk, ["新しい"], at=late)
    assert store.transact(lambda rows: outbox.hold_old(rows, late, six_hours)) == 2
    assert take(store, talk, late).body == "新しい"
    assert store.transact(lambda rows: outbox.release(rows, talk.id, late)) == 2
    assert store.transact(lambda rows: outbox.hold_old(rows, late, six_hours)) == 0
    assert take(store, talk, late).body == "古い"


def test_a_call_that_was_cut_off_long_ago_is_held_too(store: Store) -> None:
    talk = open_talk(store)
    write(store, talk, ["一", "二"], claim=True)
    late = NOW + timedelta(hours=7)
    assert store.transact(lambda rows: outbox.hold_old(rows, late, timedelta(hours=6))) == 2
    assert takes_nothing(store, talk, late)


def test_of_a_held_call_that_may_be_there_already_it_stays_known_when_a_human_lets_it_go(store: Store) -> None:
    talk = open_talk(store)
    (first,) = write(store, talk, ["返事が来なかった"], claim=True)
    try_later(store, first, LATER, unknown=True)
    late = NOW + timedelta(hours=7)
    store.transact(lambda rows: outbox.hold_old(rows, late, timedelta(hours=6)))
    store.transact(lambda rows: outbox.release(rows, talk.id, late))
    store.transact(lambda rows: outbox.sent(rows, first.id, late))
    assert store.transact(lambda rows: bool(rows.execute(text("SELECT maybe_twice FROM outbox")).scalar()))


def test_talks_with_something_due_come_longest_waiting_first(store: Store) -> None:
    talks_here = [open_talk(store, f"U{number}") for number in range(4)]
    for talk, minutes in zip(talks_here, (3, 1, 2, 30), strict=True):
        write(store, talk, ["一", "二"], at=NOW + timedelta(minutes=minutes))
    due = store.transact(lambda rows: outbox.due_conversations(rows, NOW + timedelta(minutes=3)))
    assert due == [talks_here[1].id, talks_here[2].id, talks_here[0].id]
    assert store.transact(lambda rows: outbox.due_conversations(rows, NOW + timedelta(minutes=3), limit=1)) == [talks_here[1].id]


def test_the_next_due_time_is_that_of_the_first_call_that_waits(store: Store) -> None:
    talk = open_talk(store)
    assert store.transact(lambda rows: outbox.next_due(rows, talk.id)) is None
    write(store, talk, ["一", "二"])
    try_later(store, take(store, talk), LATER)
    assert store.transact(lambda rows: outbox.next_due(rows, talk.id)) == LATER


def test_the_state_of_a_line_is_that_of_its_least_finished_call(store: Store) -> None:
    talk = open_talk(store)
    first = write(store, talk, ["一", "二"])
    second = write(store, talk, ["三"])
    message_ids = [str(first[0].message_id), str(second[0].message_id)]
    sent(store, first[0])
    assert store.transact(lambda rows: outbox.states_of(rows, message_ids)) == {message_ids[0]: "queued", message_ids[1]: "queued"}
    second_call = take(store, talk)
    store.transact(lambda rows: outbox.give_up(rows, second_call, NOW, problem="400"))
    assert store.transact(lambda rows: outbox.states_of(rows, message_ids))[message_ids[0]] == "failed"
    assert store.transact(lambda rows: outbox.states_of(rows, [])) == {}


def test_the_oldest_waiting_call_is_known_to_whoever_watches(store: Store) -> None:
    assert store.transact(outbox.oldest_waiting) is None
    talk = open_talk(store)
    (first,) = write(store, talk, ["一"])
    write(store, talk, ["二"], at=LATER)
    assert store.transact(outbox.oldest_waiting) == NOW
    sent(store, first)
    assert store.transact(outbox.oldest_waiting) == LATER


def test_a_line_that_would_need_more_calls_than_its_room_is_refused_whole(store: Store) -> None:
    talk = open_talk(store)
    with pytest.raises(ValueError, match="17 calls"):
        write(store, talk, ["x"] * 17)
    assert states(store) == []


@pytest.mark.requirement("R11")
def test_a_reply_of_a_rolled_back_work_is_never_sent(store: Store) -> None:
    talk = open_talk(store)
    line = says(store, talk, "一")

    def failing(rows: Session) -> None:
        found = talks.by_id(rows, talk.id)
        assert found is not None
        outbox.write(rows, found, ["二"], now=NOW, line=line)
        raise RuntimeError("undone")

    with pytest.raises(RuntimeError, match="undone"):
        store.transact(failing)
    assert takes_nothing(store, talk)
