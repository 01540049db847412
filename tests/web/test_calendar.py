"""行けるところのカレンダー: a page for everybody, an A4 notice, a feed for calendar apps; what is over never shows."""

import re
from datetime import datetime

import icalendar
import pytest

from bot.clock import JST
from tests.town import Town

_FOLDED = re.compile("\r\n ")


def feed(town: Town, query: str = "") -> list[dict[str, str]]:
    """The meetings of the feed, as a calendar app reads them."""
    text = _FOLDED.sub("", town.http.get(f"/calendar.ics{query}").content.decode())
    assert text.startswith("BEGIN:VCALENDAR\r\n")
    events = re.findall("BEGIN:VEVENT\r\n(.*?)END:VEVENT\r\n", text, re.DOTALL)
    return [dict(line.split(":", 1) for line in event.strip().split("\r\n")) for event in events]


def test_the_page_shows_the_next_weeks_day_by_day(town: Town) -> None:
    page = town.http.get("/calendar").text
    assert "東浜お茶のみサロン（見本）" in page
    assert "11月24日" in page
    assert "13:30–15:30" in page


def test_the_notice_on_paper_says_from_when_to_when_with_the_year(town: Town) -> None:
    town.clock.stands_at("2026-12-20 10:00")
    assert '<p class="for-paper">' in (page := town.http.get("/calendar").text)
    assert "2026年12月20日–2027年1月16日" in page
    assert "20 Dec 2026–16 Jan 2027" in town.http.get("/calendar?lang=en").text


def test_what_is_over_does_not_show_not_even_today(town: Town) -> None:
    def today(page: str) -> str:
        found = re.search(r'<section aria-labelledby="d2026-11-24">.*?</section>', page, re.DOTALL)
        return found[0] if found else ""

    assert "東浜お茶のみサロン" in today(town.http.get("/calendar").text)
    town.clock.stands_at("2026-11-24 15:31")
    assert "東浜お茶のみサロン" not in today(town.http.get("/calendar").text)
    assert not [event for event in feed(town) if event["DTSTART"] < "20261124T000000Z"]


def test_closed_days_are_left_out(town: Town) -> None:
    town.clock.stands_at("2026-12-20 10:00")
    days = {event["DTSTART"][:8] for event in feed(town) if event["SUMMARY"].startswith("東浜お茶のみ")}
    assert "20261222" in days
    assert "20261229" not in days, "年末年始"


def test_the_feed_is_what_calendar_apps_read(town: Town) -> None:
    raw = town.http.get("/calendar.ics")
    assert raw.headers["content-type"].startswith("text/calendar")
    assert all(len(line.encode()) <= 75 for line in raw.content.decode().split("\r\n"))
    events = feed(town)
    assert len({event["UID"] for event in events}) == len(events) > 5
    salon = next(event for event in events if event["SUMMARY"] == "東浜お茶のみサロン（見本）")
    assert salon["DTSTART"] == "20261124T043000Z"
    assert salon["DTEND"] == "20261124T063000Z"
    assert salon["LOCATION"] == "東浜集会所"


def test_a_library_for_calendars_reads_the_feed_without_a_complaint(town: Town) -> None:
    read = icalendar.Calendar.from_ical(town.http.get("/calendar.ics").content)
    assert [one.errors for one in read.walk() if one.errors] == []
    events = read.walk("VEVENT")
    assert len(events) == len(feed(town))
    now = town.clock.now()
    for one in events:
        since, until = one["DTSTART"].dt, one["DTEND"].dt if "DTEND" in one else None
        assert until is None or since < until
        assert not isinstance(since, datetime) or (until or since) > now, "nothing that is over"
        assert one["UID"]
        assert one["DTSTAMP"].dt <= now
    salon = next(one for one in events if one["SUMMARY"] == "東浜お茶のみサロン（見本）")
    assert salon["DTSTART"].dt.astimezone(JST).hour == 13


def test_a_district_narrows_page_and_feed(town: Town) -> None:
    page = town.http.get("/calendar", params={"area": "東浜"}).text
    assert "東浜お茶のみサロン" in page
    assert "西浜こども食堂" not in page
    assert len(feed(town, "?area=東浜")) < len(feed(town))
    assert "東浜お茶のみサロン" in town.http.get("/calendar", params={"area": "<b>"}).text


@pytest.mark.parametrize("lang", ["easy", "en", "zh", "pt", "vi", "??"])
def test_the_page_speaks_the_languages_of_the_town(town: Town, lang: str) -> None:
    page = town.http.get("/calendar", params={"lang": lang})
    assert page.status_code == 200
    assert "13:30–15:30" in page.text


@pytest.mark.parametrize(
    ("said", "entry", "other"),
    [
        ("今週行けるところ", "東浜お茶のみサロン（見本）", "よるごはん"),
        ("西浜で土曜に行けるところ", "西浜こども食堂（見本）", "東浜お茶のみサロン（見本）"),
        ("来週お茶が飲める集まりはありますか", "東浜お茶のみサロン（見本）", "西浜こども食堂（見本）"),
        ("今日行けるところは？", "東浜お茶のみサロン（見本）", "西浜こども食堂（見本）"),
    ],
)
def test_somebody_asks_where_to_go_and_tells_no_worry(town: Town, said: str, entry: str, other: str) -> None:
    titles = [card.title for card in town.resident_on("web").says(said).cards()]
    assert entry in titles
    assert other not in titles[:1]
    assert town.rows("SELECT count(*) FROM care_case")[0][0] == 0


@pytest.mark.parametrize("said", ["行けるところがない", "夫から逃げて行ける場所を教えて", "今夜泊まれて行ける場所は", "お金がなくて行けるところ"])
def test_having_nowhere_to_go_is_a_worry_and_no_question_for_the_calendar(town: Town, said: str) -> None:
    assert "これから行けるところです" not in town.resident_on("web").says(said).hears()
