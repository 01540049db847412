"""当番表 and the ladder: each rung reaches the people it is meant for, by real mail, in neutral words, until one takes it (desk.md §9, R12)."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date

import pytest

from bot import duty as duties
from bot.alarm import NEUTRAL, SECOND
from storage import desk_cases, duty, second_name, staff
from storage.desk_queue import Viewer
from storage.duty import Part, Reach
from storage.store import Store
from tests.town import OPENING, Resident, Town
from tests.twins.smtp import Letter, SmtpTwin

LEAD = Viewer("", "係長", "lead", "staff:lead")
TODAY = date(2026, 11, 24)


@pytest.fixture
def mail() -> Iterator[SmtpTwin]:
    with SmtpTwin() as twin:
        yield twin


@pytest.fixture
def mailing_town(build_town: Callable[..., Town], town_store: Store, mail: SmtpTwin) -> Iterator[Town]:
    """Four people work here; the town's own mail server is the only way out."""
    from bot.alarm import call_outside

    town = build_town(town_store, mail_url=mail.url, alarm_urls="")
    town.bell = call_outside  # type: ignore[assignment]
    with town as opened:
        for name, role in (("佐藤", "coordinator"), ("鈴木", "coordinator"), ("係長", "lead")):
            opened.coordinator(name, role=role)
        yield opened


def ids(town: Town) -> dict[str, str]:
    return {member.name: member.id for member in town.store.transact(staff.everybody)}


def on_duty(town: Town, part: Part, *names: str, day: date = TODAY) -> None:
    known = ids(town)
    town.store.transact(lambda rows: duty.write(rows, LEAD, day, 1, {(day, part): [known[name] for name in names]}, town.clock.now()))


def can_be_called(town: Town, *names: str, outside: Sequence[str] = ()) -> None:
    known, now = ids(town), town.clock.now()
    mails = {"佐藤": "sato@example.jp", "鈴木": "suzuki@example.jp", "係長": "lead@example.jp"}
    reach = [Reach(known[name], name, mails[name], "") for name in names] + [Reach(None, "当直室", one, "") for one in outside]
    town.store.transact(lambda rows: duty.write_reach(rows, LEAD, reach, now))


def in_danger(town: Town) -> Resident:
    return town.resident_on("line").says("もう死にたい")


def viewer(town: Town, name: str) -> Viewer:
    return Viewer(ids(town)[name], name, "coordinator", f"staff:{ids(town)[name]}")


def takes(town: Town, name: str, resident: Resident) -> None:
    who, code, now = viewer(town, name), resident.case, town.clock.now()
    town.store.transact(lambda rows: desk_cases.claim(rows, who, code, now))


def climbs(town: Town, mail: SmtpTwin) -> list[list[str]]:
    """Who got mail at once, after 61 s, 5 min and 10 min."""
    heard = []
    for seconds in (0, 61, 240, 300):
        before = len(mail.letters)
        town.passes(seconds=seconds)
        heard.append(sorted(one for letter in mail.letters[before:] for one in letter.recipients))
    return heard


def test_the_ladder_reaches_the_next_on_duty_then_the_lead_then_the_outside_contact(mailing_town: Town, mail: SmtpTwin) -> None:
    on_duty(mailing_town, "in", "佐藤", "鈴木")
    can_be_called(mailing_town, "佐藤", "鈴木", "係長", outside=["night@example.jp"])
    in_danger(mailing_town)

    assert climbs(mailing_town, mail) == [[], ["sato@example.jp", "suzuki@example.jp"], ["lead@example.jp"], ["night@example.jp"]]


def test_the_mail_says_nothing_of_what_was_told_and_nobodys_name(mailing_town: Town, mail: SmtpTwin) -> None:
    on_duty(mailing_town, "in", "佐藤")
    can_be_called(mailing_town, "佐藤")
    resident = in_danger(mailing_town)
    climbs(mailing_town, mail)

    letter: Letter = mail.letters[0]
    assert NEUTRAL in letter.words
    for hint in ("死", resident.case, resident.name, "LINE", "佐藤"):
        assert hint not in letter.words
    assert letter.sender == "desk@example.jp"


def test_one_who_takes_it_quiets_everybody_and_stands_there_with_name_and_time(mailing_town: Town, mail: SmtpTwin) -> None:
    on_duty(mailing_town, "in", "佐藤")
    can_be_called(mailing_town, "佐藤", "係長", outside=["night@example.jp"])
    resident = in_danger(mailing_town)
    mailing_town.passes(seconds=61)
    mailing_town.coordinator("田中").claims(resident.case)
    heard = len(mail.letters)

    mailing_town.passes(minutes=30)

    assert len(mail.letters) == heard
    taken = mailing_town.rows("SELECT s.name, a.acknowledged_at FROM alarm a JOIN staff s ON s.id = a.acknowledged_by")
    assert [one.name for one in taken] == ["田中"]


def test_a_danger_to_life_that_is_taken_goes_on_to_the_others_until_a_second_one_has_confirmed(mailing_town: Town, mail: SmtpTwin) -> None:
    on_duty(mailing_town, "in", "佐藤", "鈴木")
    can_be_called(mailing_town, "佐藤", "鈴木", "係長", outside=["night@example.jp"])
    takes(mailing_town, "佐藤", mailing_town.resident_on("line").says("いま薬を全部飲んだ"))

    assert climbs(mailing_town, mail) == [[], ["suzuki@example.jp"], ["lead@example.jp"], ["night@example.jp"]]
    assert all(SECOND in letter.words for letter in mail.letters)


def test_a_second_name_quiets_the_rest_of_the_ladder(mailing_town: Town, mail: SmtpTwin) -> None:
    on_duty(mailing_town, "in", "佐藤", "鈴木")
    can_be_called(mailing_town, "佐藤", "鈴木", "係長", outside=["night@example.jp"])
    resident = mailing_town.resident_on("line").says("いま薬を全部飲んだ")
    takes(mailing_town, "佐藤", resident)
    second, code, now = viewer(mailing_town, "鈴木"), resident.case, mailing_town.clock.now()
    mailing_town.store.transact(lambda rows: second_name.confirm(rows, second, code, now))

    assert climbs(mailing_town, mail) == [[], [], [], []]


def test_a_rung_where_nobody_can_be_reached_calls_the_next_one_above(mailing_town: Town, mail: SmtpTwin) -> None:
    on_duty(mailing_town, "in", "佐藤")
    can_be_called(mailing_town, "係長")
    in_danger(mailing_town)

    assert climbs(mailing_town, mail) == [[], ["lead@example.jp"], ["lead@example.jp"], []]


def test_outside_opening_hours_whoever_is_on_call_hears_at_once_and_the_resident_is_told_so(mailing_town: Town, mail: SmtpTwin) -> None:
    on_duty(mailing_town, "out", "鈴木")
    can_be_called(mailing_town, "佐藤", "鈴木", "係長")
    mailing_town.clock.stands_at("2026-11-24 23:30")
    resident = in_danger(mailing_town)

    mailing_town.until(lambda: len(mail.letters) == 1)
    assert mail.letters[0].recipients == ("suzuki@example.jp",)
    assert "知らせました" in resident.hears()


def test_outside_opening_hours_with_nobody_on_call_the_lead_is_mailed_and_the_resident_is_not_told_otherwise(
    mailing_town: Town, mail: SmtpTwin
) -> None:
    can_be_called(mailing_town, "佐藤", "係長")
    mailing_town.clock.stands_at("2026-11-24 23:30")
    resident = in_danger(mailing_town)

    mailing_town.until(lambda: len(mail.letters) == 1)
    assert mail.letters[0].recipients == ("lead@example.jp",)
    assert "知らせました" not in resident.hears()


def test_the_small_hours_belong_to_the_day_before() -> None:
    assert duties.day_of(OPENING.replace(hour=3)) == date(2026, 11, 23)
    assert duties.day_of(OPENING.replace(hour=8, minute=30)) == TODAY


def test_somebody_who_left_is_on_duty_no_more(mailing_town: Town) -> None:
    on_duty(mailing_town, "in", "佐藤", "鈴木")
    known = ids(mailing_town)
    mailing_town.store.transact(lambda rows: staff.disable(rows, login="佐藤@example.jp", now=mailing_town.clock.now()))

    assert mailing_town.store.transact(lambda rows: duty.on_duty(rows, TODAY, "in")) == [known["鈴木"]]


def test_addresses_are_not_readable_in_the_database(mailing_town: Town) -> None:
    can_be_called(mailing_town, "佐藤", outside=["night@example.jp"])

    cells = [bytes(one.body_sealed) for one in mailing_town.rows("SELECT body_sealed FROM call_address")]
    assert len(cells) == 2
    assert not any(b"example.jp" in cell for cell in cells)


def test_an_address_stays_one_address_whatever_is_written_into_it() -> None:
    assert duties.addresses_of("mailto://h?from=a@b.jp", ["x@y.jp"]) == ["mailto://h?from=a@b.jp&to=x@y.jp"]
    assert duties.addresses_of("mailto://h", ["x&cc=z@y.jp"]) == ["mailto://h?to=x%26cc%3Dz@y.jp"]
    assert duties.addresses_of("", ["x@y.jp"]) == []
