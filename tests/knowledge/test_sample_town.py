"""The starter and the sample town are whole: every kind of service, every hotline, and nothing invented that is not marked 見本."""

import re
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from knowledge import lint
from knowledge.hours import next_meeting, opening
from knowledge.layers import STARTER, Laid, lay

SAMPLE = STARTER.parent / "sample-town"
DOMAIN_PAPERS = Path(__file__).resolve().parents[3] / "shared" / "domain"
JST = ZoneInfo("Asia/Tokyo")
DAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def starter() -> Laid:
    return lay(STARTER)


@pytest.fixture(scope="module")
def town() -> Laid:
    return lay(SAMPLE)


@pytest.fixture(scope="module")
def own_texts() -> dict[str, str]:
    return {file.stem: file.read_text(encoding="utf-8") for file in SAMPLE.rglob("*.yaml")}


def test_all_172_kinds_of_service_are_there_each_in_a_known_domain(starter: Laid) -> None:
    assert len(starter.entries) >= 172
    assert {entry.domain for entry in starter.entries.values()} == set(starter.domains)


def test_the_starter_and_the_sample_have_no_mistakes_and_need_no_advice() -> None:
    assert lint.check(STARTER, today=DAY) == []
    assert lint.check(SAMPLE, today=DAY) == []


def test_the_starter_holds_no_telephone_number_outside_the_list_of_hotlines(starter: Laid) -> None:
    for entry in starter.entries.values():
        assert all(contact.hotline and contact.tel is None for contact in entry.contacts), entry.id
        assert entry.checked.on is None


def test_a_national_line_stands_where_the_catalogue_has_one(starter: Laid) -> None:
    with_line = [entry for entry in starter.entries.values() if entry.contacts]
    assert len(with_line) >= 20
    assert all(starter.hotlines[contact.hotline or ""].may_be_shown for entry in with_line for contact in entry.contacts)


def test_every_hotline_is_exactly_the_one_of_the_domain_papers(starter: Laid) -> None:
    papers = DOMAIN_PAPERS / "hotlines.yaml"
    if not papers.exists():
        pytest.skip("the papers are not here")
    wanted = yaml.load(papers.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)["hotlines"]
    assert len(starter.hotlines) == len(wanted) == 48
    for line in wanted:
        found = starter.hotlines[line["id"]]
        assert found.number == (None if line["number"] == "null" else line["number"])
        assert (found.name, found.hours, found.languages) == (line["name"], line["hours"], tuple(line["languages"]))
        assert (found.verified, found.hours_verified) == (line["verified"] == "true", line["hours_verified"] == "true")


def test_no_example_stands_in_two_entries(town: Laid) -> None:
    owners: dict[str, str] = {}
    for entry in town.entries.values():
        for text in entry.examples:
            assert owners.setdefault(text, entry.id) == entry.id, text


def test_everything_invented_is_marked(town: Laid) -> None:
    assert town.town is not None
    assert town.town.sample
    for entry_id in town.own_ids:
        entry = town.entries[entry_id]
        assert "見本" in (entry.checked.by or ""), entry_id
        for contact in entry.contacts:
            if contact.hotline is None:
                assert "見本" in (contact.name or ""), entry_id
                assert re.fullmatch(r"000-0000-1\d{3}", contact.tel or ""), entry_id
        for event in entry.events:
            assert "見本" in event.title, entry_id


def test_no_number_belongs_to_two_places(own_texts: dict[str, str]) -> None:
    numbers = [number for text in own_texts.values() for number in re.findall(r"000-0000-\d{4}", text)]
    assert len(numbers) == len(set(numbers))


def test_the_sample_town_is_large_enough_to_be_tried(town: Laid, starter: Laid) -> None:
    assert len(town.own_ids & starter.entries.keys()) >= 45
    new = town.own_ids - starter.entries.keys()
    assert 8 <= len(new) <= 12
    assert all(len(town.entries[entry_id].examples) >= 10 for entry_id in new)


def test_somebody_answers_on_saturday_in_the_evening_and_at_night(town: Laid) -> None:
    saturday, evening, night = (datetime(2026, 11, day, hour, tzinfo=JST) for day, hour in ((28, 10), (24, 19), (25, 2)))
    contacts = [contact for entry_id in town.own_ids for contact in town.entries[entry_id].contacts]
    assert sum(opening(contact, saturday).open_now is True for contact in contacts) >= 10
    assert sum(opening(contact, evening).open_now is True for contact in contacts) >= 4
    assert sum(opening(contact, night).open_now is True for contact in contacts) >= 2


def test_three_places_help_tonight(town: Laid) -> None:
    helping = [town.entries[entry_id] for entry_id in town.own_ids if "tonight" in town.entries[entry_id].tags]
    tonight = datetime(2026, 11, 24, 18, 30, tzinfo=JST)
    assert sum(any(opening(contact, tonight).open_now for contact in entry.contacts) for entry in helping) >= 3


def test_a_fallen_day_of_the_desk_is_known(town: Laid) -> None:
    assert town.town is not None
    assert opening(town.town, datetime(2026, 11, 23, 10, tzinfo=JST)).opens_at == datetime(2026, 11, 24, 8, 30, tzinfo=JST)


def test_the_dialogue_about_the_forgetful_mother_finds_its_dates(town: Laid) -> None:
    cafe = town.entries["ninchisho-cafe"]
    assert next_meeting(cafe.events[0], datetime(2026, 11, 23, 9, tzinfo=JST)) == date(2026, 12, 3)
    served = {area for contact in town.entries["chiiki-houkatsu"].contacts for area in contact.area}
    assert served - {"全域"} == set(town.town.areas if town.town else ())


def test_every_kind_of_service_says_for_whom_how_and_what_to_bring_also_in_easy_japanese_and_english(starter: Laid) -> None:
    for entry in starter.entries.values():
        assert all((entry.who.note, entry.how, entry.cost, entry.bring)), entry.id
        assert all(entry.translations[lang].who and entry.translations[lang].how for lang in ("easy", "en")), entry.id
        assert all(entry.translations[lang].name and entry.translations[lang].summary for lang in ("easy", "en", "zh", "pt", "vi")), entry.id
        assert len(entry.examples) >= 15, entry.id


def test_no_entry_of_the_starter_promises_that_somebody_is_eligible(starter: Laid) -> None:
    for entry in starter.entries.values():
        assert not re.search("受けられます|もらえます。|必ず", entry.summary), entry.id


def test_every_kanji_of_easy_japanese_has_its_reading(starter: Laid) -> None:
    for entry in starter.entries.values():
        easy = entry.translations["easy"]
        for text in (easy.name, easy.summary, easy.who, easy.how):
            assert not re.search(r"[一-龠々](?![一-龠々]*（[ぁ-ゖー・]+）)", text or ""), (entry.id, text)
