"""What an entry may say, and how a wrong value is answered: what is wrong, and what to write."""

from datetime import date

import pytest
from pydantic import ValidationError

from knowledge.entry import Contact, Entry
from knowledge.hotlines import Hotline, spoken

FOOD_BANK = {"id": "food-bank", "name": "フードバンク", "summary": "食べるものをわたします。"}


def entry(**fields: object) -> Entry:
    return Entry.model_validate({**FOOD_BANK, **fields})


def complaint(**fields: object) -> dict[str, object]:
    """Hint and suggestion of the one complaint."""
    with pytest.raises(ValidationError) as refused:
        entry(**fields)
    errors = refused.value.errors()
    assert len(errors) == 1, errors
    return {"type": errors[0]["type"], "loc": errors[0]["loc"], **errors[0].get("ctx", {})}


def test_id_name_and_summary_are_enough() -> None:
    food_bank = entry()
    assert (food_bank.kind, food_bank.examples, food_bank.checked.on, food_bank.hidden) == (None, (), None, False)


def test_null_is_the_same_as_left_out() -> None:
    names = ("kana", "domain", "kind", "topics", "who", "contacts", "events", "valid", "translations", "hidden")
    assert entry(**dict.fromkeys(names), checked={"on": None, "by": None}) == entry()


@pytest.mark.parametrize(
    "number", ["0120-279-338", "110", "189", "#8008", "0570-064556", "0120-0-78310", "072-727-2499", "000-0000-1001", "0120-079714"]
)
def test_a_telephone_number_stays_as_it_was_typed(number: str) -> None:
    assert Contact.model_validate({"name": "窓口", "tel": number}).tel == number


@pytest.mark.parametrize(
    ("typed", "better"),
    [
        ("０１２０−０００−０００", "0120-000-000"), ("0120ー000ー000", "0120-000-000"), ("(012)345-6789", "012-345-6789"),
        ("0123(45)6789", "0123-45-6789"), ("＃8008", "#8008"), (" 110", "110"),
    ],
)  # fmt: skip
def test_a_number_in_full_width_is_never_used_but_its_right_form_is_offered(typed: str, better: str) -> None:
    assert complaint(contacts=[{"name": "窓口", "tel": typed}])["suggestion"] == better


@pytest.mark.parametrize("typed", ["0120 000 000", "12", "平日のみ", "0120-000-000 内線12", "+81-120-000-000", "0120-000-000-000-0"])
def test_what_is_no_telephone_number_is_refused_with_a_hint(typed: str) -> None:
    found = complaint(contacts=[{"name": "窓口", "tel": typed}])
    assert found["loc"] == ("contacts", 0, "tel")
    assert found["hint"]


@pytest.mark.parametrize(("typed", "better"), [("9：00", "9:00"), ("９:００", "9:00"), ("9時", "9:00"), ("9時半", "9:30"), ("17時15分", "17:15")])
def test_a_time_in_other_forms_is_offered_in_the_right_one(typed: str, better: str) -> None:
    assert complaint(contacts=[{"name": "窓口", "hours": [{"days": "月", "from": typed, "to": "翌12:00"}]}])["suggestion"] == better


@pytest.mark.parametrize(("begin", "end"), [("17:00", "9:00"), ("9:00", "9:00"), ("翌1:00", "翌2:00"), ("9:00", "24:30"), ("9:00", "25:00")])
def test_hours_that_end_before_they_begin_are_refused(begin: str, end: str) -> None:
    assert complaint(contacts=[{"name": "窓口", "hours": [{"days": "月", "from": begin, "to": end}]}])["hint"]


@pytest.mark.parametrize("typed", ["2026/10/1", "2026年10月1日", "令和8年10月1日", "R8.10.1", "２０２６-10-01"])
def test_a_date_in_other_forms_is_offered_in_the_right_one(typed: str) -> None:
    assert complaint(checked={"on": typed})["suggestion"] == "2026-10-01"


@pytest.mark.parametrize("typed", ["2026-02-30", "10月", "きのう", "20261001"])
def test_what_is_no_date_is_refused(typed: str) -> None:
    assert complaint(checked={"on": typed})["hint"]


@pytest.mark.parametrize("typed", ["yes", "いいえ", "0", "True."])
def test_true_and_false_are_the_only_answers_to_hidden(typed: str) -> None:
    assert complaint(hidden=typed)["type"] == "truth"


def test_one_text_where_a_list_belongs_is_refused_and_shown_as_a_list() -> None:
    assert complaint(keywords="食料、食品")["suggestion"] == "[食料, 食品]"


def test_a_contact_is_somebody_or_a_national_line() -> None:
    assert Contact.model_validate({"hotline": "yorisoi"}).hotline == "yorisoi"
    assert complaint(contacts=[{"tel": "110"}])["type"] == "contact_name"


def test_a_meeting_has_one_day_or_one_rule() -> None:
    assert complaint(events=[{"title": "サロン"}])["type"] == "event_day"
    assert complaint(events=[{"title": "サロン", "on": "2026-12-03", "every": "毎週火"}])["type"] == "event_day"


def test_a_misspelt_field_is_refused() -> None:
    assert complaint(exampels=["食べるものがない"])["type"] == "extra_forbidden"


def test_only_real_fields_can_be_called_unverified() -> None:
    assert entry(unverified=["how", "cost"]).unverified == ("how", "cost")
    assert complaint(unverified=["price"])["type"] == "unverified"


def test_an_entry_is_shown_only_within_its_validity() -> None:
    winter = entry(valid={"from": "2026-12-01", "until": "2027-02-28"})
    days = (date(2026, 11, 30), date(2026, 12, 1), date(2027, 2, 28), date(2027, 3, 1))
    assert [winter.shown_on(day) for day in days] == [False, True, True, False]
    assert not entry(hidden="true").shown_on(date(2026, 12, 1))


def test_an_id_fits_into_a_button_of_every_platform() -> None:
    assert complaint(id="x" * 59)["type"] == "id"
    assert complaint(id="food bank")["type"] == "id"
    assert len(f"!card:{entry(id='x' * 58).id}".encode()) <= 64


def line(**fields: object) -> Hotline:
    return Hotline.model_validate({"id": "yorisoi", "name": "よりそいホットライン", "number": "0120-279-338", "hours": "24時間365日", **fields})


def test_a_line_nobody_verified_is_never_spoken() -> None:
    assert spoken(line()) is None
    assert spoken(line(verified="true", hidden="true")) is None


def test_a_verified_line_is_spoken_with_how_sure_its_hours_are() -> None:
    sure, unsure = spoken(line(verified="true", hours_verified="true")), spoken(line(verified="true"))
    assert sure is not None
    assert unsure is not None
    assert (sure.number, sure.hours, sure.hours_known, unsure.hours_known) == ("0120-279-338", "24時間365日", True, False)
    assert line(verified="true", hours_verified="true").always_open
    assert not line(verified="true").always_open
