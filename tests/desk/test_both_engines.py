"""What the desk asks of storage holds on SQLite and on PostgreSQL alike."""

import json
import threading
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from storage import (
    audit,
    case_cells,
    cases,
    consents,
    desk_cases,
    desk_heads,
    desk_queue,
    desk_sheets,
    household,
    meetings,
    presses,
    records,
    referrals,
    staff,
)  # fmt: skip
from storage import talk as talks
from storage.case_cells import UNREADABLE
from storage.desk_queue import VIEWS, Viewer
from storage.meetings import Goal, HeldCoordinationMeeting, HeldSupportMeeting
from storage.presses import Known
from storage.referrals import Ground, Item
from storage.refusals import Closed, HeldByOther, Missing, NoGround, NotHeld, Stale
from storage.sealing import SealBroken
from storage.store import Store


def _join(store: Store, now: datetime, login: str, role: str = "coordinator") -> Viewer:
    def work(rows: Session) -> Viewer:
        member = staff.accept(rows, staff.invite(rows, role=role, now=now), login=login, name=f"{login}さん", password_hash="!", now=now)
        return Viewer(member.id, member.name, member.role, f"staff:{member.id}")

    return store.transact(work)


def _case(store: Store, now: datetime, who: str = "U1", *, urgency: int = 0, said: str = "家賃のこと", rings: bool = False) -> str:
    def work(rows: Session) -> str:
        talk = talks.find_or_open(rows, "line", who, now)
        talk, line = talks.add_line(rows, talk, author="resident", kind="text", body=json.dumps({"text": said}), now=now)
        talk = talks.save(rows, replace(talk, owner="human"), now)
        sheet = json.dumps([{"about": "worry", "text": said, "source": "said", "refs": [line.id]}])
        case = cases.open_or_add(
            rows, talk, reason="asked_human", urgency=urgency, title=said, sheet=sheet, topics=("okane",), shares_story=True, restricted=False,
            promise_at=now + timedelta(minutes=30), now=now,
        )  # fmt: skip
        if rings:
            cases.raise_alarm(rows, talk, case_id=case.id, level="L2", kinds=("suicide",), rule="見本", message_id=line.id, now=now)
        return case.code

    return store.transact(work)


def test_views_counts_and_pulse_agree(store: Store, now: datetime) -> None:
    sato = _join(store, now, "sato")
    first, second = _case(store, now, "U1", urgency=2), _case(store, now, "U2")
    store.transact(lambda rows: desk_cases.claim(rows, sato, second, now))
    ends = now + timedelta(hours=5)

    def look(rows: Session) -> dict[str, list[str]]:
        return {view: [row.code for row in desk_queue.queue(rows, sato, now, view=view, day_ends=ends)] for view in VIEWS}

    found = store.transact(look)
    counts = store.transact(lambda rows: desk_queue.counts(rows, sato, now, ends))
    assert found["open"] == [first, second]
    assert found["mine"] == [second]
    assert {view: len(found[view]) for view in ("open", "mine", "unanswered", "today", "due", "quiet")} == {
        "open": counts.open, "mine": counts.mine, "unanswered": counts.unanswered, "today": counts.today, "due": counts.due, "quiet": counts.quiet,
    }  # fmt: skip
    assert [code for code, *_ in store.transact(lambda rows: desk_queue.pulse(rows, sato))] == found["open"]


def test_a_case_lives_from_claim_to_close(store: Store, now: datetime) -> None:
    sato, tanaka = _join(store, now, "sato"), _join(store, now, "tanaka")
    code = _case(store, now, rings=True)

    def act(rows: Session) -> None:
        with pytest.raises(NotHeld):
            desk_cases.in_hand(rows, sato, code, expected=1)
        held = desk_cases.claim(rows, sato, code, now)
        with pytest.raises(HeldByOther):
            desk_cases.claim(rows, tanaka, code, now)
        with pytest.raises(Stale):
            desk_cases.in_hand(rows, sato, code, expected=held.version - 1)
        talk, line = talks.add_line(rows, held.talk, author="staff", kind="text", body='{"text": "はい"}', now=now, staff_id=sato.staff_id)
        talks.save(rows, talk, now)
        held = desk_cases.replied(rows, sato, held, line, now)
        desk_cases.add_note(rows, tanaka, code, "メモ", now)
        desk_cases.set_next_contact(rows, held, now + timedelta(days=1), now)
        desk_cases.close(rows, sato, held, "settled", now)
        with pytest.raises(Closed):
            desk_cases.claim(rows, sato, code, now)

    store.transact(act)
    file = store.transact(lambda rows: desk_cases.open_file(rows, sato, code, now))
    assert file.state == "closed"
    assert [note.text for note in file.notes] == ["メモ"]
    assert file.dangers[0].taken_by == "satoさん"
    assert file.sheet[0]["text"] == "家賃のこと"
    assert store.transact(lambda rows: desk_queue.statistics(rows, sato))["closed"] == 1
    assert store.transact(audit.verify) is None


def test_two_who_take_at_once_do_not_both_have_it(store: Store, now: datetime) -> None:
    viewers = [_join(store, now, login) for login in ("sato", "tanaka", "suzuki", "ito")]
    code = _case(store, now)
    outcomes: list[str] = []

    def take(viewer: Viewer) -> None:
        try:
            store.transact(lambda rows: desk_cases.claim(rows, viewer, code, now))
            outcomes.append(viewer.name)
        except HeldByOther:
            pass

    threads = [threading.Thread(target=take, args=(viewer,)) for viewer in viewers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 1
    row = store.transact(lambda rows: desk_queue.queue(rows, viewers[0], now))[0]
    assert row.coordinator == outcomes[0]


@pytest.mark.parametrize("role", ["editor", "admin", "agency"])
@pytest.mark.requirement("R18")
def test_who_reads_no_cases_finds_nothing_by_any_question(store: Store, now: datetime, role: str) -> None:
    code = _case(store, now, rings=True)
    other = _join(store, now, "suzuki", role)

    def ask(rows: Session) -> None:
        talk = talks.find(rows, "line", "U1")
        records.add_task(rows, kind="erase", now=now, talk=talk)
        assert desk_queue.queue(rows, other, now) == []
        assert desk_queue.ringing(rows, other) == []
        assert desk_queue.tasks(rows, other, now) == []
        assert desk_queue.task_count(rows, other) == 0
        assert desk_queue.pulse(rows, other) == []
        assert desk_queue.search(rows, other, code, now) == []
        assert desk_queue.first_waiting(rows, other) is None
        assert desk_queue.statistics(rows, other)["opened"] == 0
        assert desk_queue.counts(rows, other, now, now) == desk_queue.Counts(0, 0, 0, 0, 0, 0, 0, 0)
        for question in (
            lambda: desk_cases.open_file(rows, other, code, now), lambda: desk_cases.claim(rows, other, code, now),
            lambda: desk_cases.add_note(rows, other, code, "x", now), lambda: desk_cases.lines_since(rows, other, code, 0),
            lambda: desk_cases.seen(rows, other, code, 1), lambda: desk_cases.release_letters(rows, other, code, now),
            lambda: desk_cases.conversation_of(rows, other, code), lambda: desk_cases.in_hand(rows, other, code, expected=1),
        ):  # fmt: skip
            with pytest.raises(Missing):
                question()

    store.transact(ask)


def test_signing_in_and_tries(store: Store, now: datetime) -> None:
    _join(store, now, "sato")

    def work(rows: Session) -> None:
        known = staff.credentials(rows, "ＳＡＴＯ")
        assert known is not None
        cookie = staff.sign_in(rows, known.member, now)
        assert staff.signed_in(rows, cookie, now + timedelta(minutes=29)) is not None
        assert staff.signed_in(rows, cookie, now + timedelta(minutes=58)) is not None
        assert staff.signed_in(rows, cookie, now + timedelta(minutes=89)) is None
        for _ in range(5):
            staff.note_failed_try(rows, "sato", "10.0.0.1", now)
        assert not staff.may_try(rows, "sato", "10.0.0.1", now)
        assert staff.may_try(rows, "sato", "10.0.0.2", now)
        assert staff.may_try(rows, "sato", "10.0.0.1", now + timedelta(minutes=16))

    store.transact(work)


def test_what_grows_around_a_case_is_kept_and_refused_alike(store: Store, now: datetime) -> None:
    sato = _join(store, now, "sato")
    code = _case(store, now)
    day = date(2026, 12, 8)

    def act(rows: Session) -> None:
        case = desk_heads.head(rows, sato, code)
        talk = talks.by_id(rows, case.conversation_id)
        assert talk is not None
        asked = consents.ask(rows, sato, case, recipient="包括", items=["家賃のこと"], days=30, now=now)
        assert consents.answer(rows, talk, asked, "later", now) == "taken"
        assert consents.answer(rows, talk, asked, "yes", now) == "taken"
        assert consents.answer(rows, talk, asked, "no", now) == "none"
        (given,) = consents.holding(rows, case, now)
        agency = referrals.add_agency(rows, sato, "包括", now)
        wanted = {"recipient": "包括", "agency_id": agency, "purpose": "訪問", "items": [Item("家賃のこと")], "due_at": now, "now": now}
        with pytest.raises(NoGround):
            referrals.refer(rows, sato, case, ground=Ground("support_meeting", meeting_id="x"), until=now + timedelta(days=9), **wanted)  # type: ignore[arg-type]
        made = referrals.refer(rows, sato, case, ground=Ground("consent", given.id), until=now + timedelta(days=9), **wanted)  # type: ignore[arg-type]
        assert [one.id for one in referrals.shared_with(rows, agency, now)] == [made]
        assert referrals.is_silent(rows, case.id, now + timedelta(hours=1))
        referrals.reported(rows, sato, agency, made, "accepted", "訪問します", expected=1, now=now)
        with pytest.raises(Stale):
            referrals.reported(rows, sato, agency, made, "accepted", "二度目", expected=1, now=now)
        consents.withdraw(rows, sato, case, given.id, now)
        assert referrals.shared_with(rows, agency, now) == []
        with pytest.raises(Missing):
            referrals.reported(rows, sato, agency, made, "completed", "", expected=2, now=now)
        support = HeldSupportMeeting("", day, None, "拒んでいる", "包括", True, "", "")
        meetings.hold_support_meeting(rows, sato, case, support, now)
        with pytest.raises(NoGround):
            meetings.hold_coordination_meeting(rows, sato, case, HeldCoordinationMeeting("", given.id, day, None, "", "", "", ""), now)
        plan = meetings.save_plan(
            rows, sato, case, None, own_words="働きたい", goals=[Goal("面接", "佐藤", day)], made_on=day, review_on=day, meeting_id=None, answers={},
            expected=0, now=now,
        )  # fmt: skip
        assert [one.id for one in meetings.plans(rows, case)] == [plan]
        person = household.save(rows, sato, case, None, {"name": "父"}, consent="given", restricted=True, linked="", expected=0, now=now)
        assert [one.shut for one in household.members(rows, sato, case, now=now)] == [True]
        household.remove(rows, sato, case, person, now)
        desk_sheets.save_answers(rows, sato, case, {"person.sex": "女性"}, expected=0, now=now)
        with pytest.raises(Stale):
            desk_sheets.save_answers(rows, sato, case, {}, expected=0, now=now)
        assert desk_sheets.answers(rows, case) == ({"person.sex": "女性"}, 1)
        desk_sheets.writes_now(rows, sato, code, now)
        desk_sheets.writes_now(rows, sato, code, now)
        assert desk_sheets.others_writing(rows, sato, code, now) == []
        assert desk_sheets.others_writing(rows, replace(sato, staff_id="x"), code, now) == ["satoさん"]

    store.transact(act)
    assert store.transact(lambda rows: desk_queue.counts(rows, sato, datetime(2026, 12, 7, tzinfo=now.tzinfo), now)).due == 1
    assert store.transact(audit.verify) is None


def test_of_many_presses_at_once_one_begins_and_the_others_learn_where_it_led(store: Store, now: datetime) -> None:
    _join(store, now, "sato")
    token = store.transact(lambda rows: staff.sign_in(rows, staff.everybody(rows)[0], now))
    found: list[Known | None] = []
    threads = [threading.Thread(target=lambda: found.append(store.transact(lambda rows: presses.begin(rows, "m", token, now)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found.count(None) == 1
    assert found.count(Known(None)) == 7
    later = now + presses.DIED
    assert store.transact(lambda rows: presses.begin(rows, "m", token, later)) is None, "its process died: the press may be done again"
    assert store.transact(lambda rows: presses.begin(rows, "m", token, later)) == Known(None)
    store.transact(lambda rows: presses.end(rows, "m", "/desk"))
    assert store.transact(lambda rows: presses.begin(rows, "m", token, later + presses.DIED)) == Known("/desk")
    store.transact(lambda rows: presses.end(rows, "m", None))
    assert store.transact(lambda rows: presses.begin(rows, "m", token, later)) is None


@pytest.mark.requirement("R38")
@pytest.mark.parametrize("cell", ["intake.answers", "household_member.body", "plan.body", "care_case.title", "care_case.sheet", "care_case.topics"])
def test_an_older_value_that_is_put_back_by_hand_does_not_open(store: Store, now: datetime, cell: str) -> None:
    sato = _join(store, now, "sato")
    code = _case(store, now)
    (of, column), review = cell.split("."), now.date() + timedelta(days=30)

    def read(rows: Session) -> object:
        case = desk_heads.head(rows, sato, code)
        sheets = desk_sheets.answers(rows, case), household.members(rows, sato, case, now=now), meetings.plans(rows, case)
        return sheets, desk_queue.queue(rows, sato, now), desk_cases.open_file(rows, sato, code, now)

    def write(rows: Session, words: str, expected: int) -> None:
        case = desk_heads.head(rows, sato, code)
        member = next((one.id for one in household.members(rows, sato, case, now=now)), None)
        plan = next((one.id for one in meetings.plans(rows, case)), None)
        facts = {"name": "父", "note": words}
        household.save(rows, sato, case, member, facts, consent="unknown", restricted=False, linked="", expected=expected, now=now)
        desk_sheets.save_answers(rows, sato, case, {"person.note": words}, expected=expected, now=now)
        meetings.save_plan(
            rows, sato, case, plan, own_words=words, goals=[Goal(words, "本人", None, "")], made_on=now.date(), review_on=review, meeting_id=None,
            answers={}, expected=expected, now=now,
        )  # fmt: skip
        written, mark, _ = desk_sheets.sheet(rows, sato, code)
        desk_sheets.save_sheet(rows, sato, code, [*written, {"about": "worry", "text": words, "source": "said", "refs": []}], expected=mark, now=now)

    store.transact(lambda rows: write(rows, "古い", 0))
    old = store.transact(lambda rows: rows.execute(text(f"SELECT {column}_sealed FROM {of}")).scalar())
    store.transact(lambda rows: write(rows, "新しい", 1))
    assert "新しい" in str(store.transact(read))
    store.transact(lambda rows: rows.execute(text(f"UPDATE {of} SET {column}_sealed = :old"), {"old": old}))
    with pytest.raises(SealBroken):
        store.transact(read)


@pytest.mark.requirement("R38")
def test_exchanged_titles_are_not_shown_and_the_rest_of_the_queue_is(store: Store, now: datetime) -> None:
    sato = _join(store, now, "sato")
    rent, care, work = (_case(store, now, who, said=said) for who, said in (("U1", "家賃のこと"), ("U2", "介護のこと"), ("U3", "仕事のこと")))

    def exchange(rows: Session) -> None:
        cells = {code: rows.execute(text("SELECT title_sealed FROM care_case WHERE code = :code"), {"code": code}).scalar() for code in (rent, care)}
        for code, cell in ((rent, cells[care]), (care, cells[rent])):
            rows.execute(text("UPDATE care_case SET title_sealed = :cell WHERE code = :code"), {"cell": cell, "code": code})

    store.transact(exchange)
    shown = {row.code: row.title for row in store.transact(lambda rows: desk_queue.queue(rows, sato, now))}
    assert shown == {rent: UNREADABLE, care: UNREADABLE, work: "仕事のこと"}
    assert store.transact(case_cells.unreadable) == sorted((rent, care))
    assert store.transact(lambda rows: records.counts(rows, "seal_broken")) == 2
    with pytest.raises(SealBroken):
        store.transact(lambda rows: desk_heads.head(rows, sato, rent))
