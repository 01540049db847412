"""The web chat's own words in the resident's language, and how it writes times and hours (chrome.yaml)."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from knowledge.entry import Hours, Town
from knowledge.hearing.model import Value
from knowledge.reading import read_yaml

_FILE = Path(__file__).with_name("chrome.yaml")
_WEEK = "月火水木金土日"
DEFAULT = "ja"


class Chrome(Value):
    """All words of the page in one language; a missing one stops the start, not a resident."""

    lang: str
    html_lang: str
    own_name: str
    title: str
    leave: str
    to_field: str
    size: str
    sizes: tuple[str, str, str, str]
    language: str
    change: str
    machine_first: str
    open_hours: str
    danger: str
    fire: str
    police: str
    who_bot: str
    who_resident: str
    who_staff: str
    field: str
    send: str
    send_hint: str
    sending: str
    arrived: str
    read: str
    failed: str
    again: str
    below: str
    offline: str
    earlier: str
    refresh: str
    erased: str
    notes: str
    note_close: str
    note_draft: str
    note_history: str
    phrase_button: str
    phrase_title: str
    phrase_what: str
    phrase_once: str
    phrase_back: str
    phrase_mail: str
    phrase_line: str
    phrase_sent: str
    """What stands before the link in the resident's own mail or LINE: neutral (R12)."""
    phrase_send_note: str
    return_link: str
    return_title: str
    return_field: str
    return_hint: str
    return_go: str
    return_wrong: str
    return_wait: str
    return_new: str
    cannot_save: str
    not_sent: str
    sample: str
    room_title: str
    room_what: str
    room_enter: str
    room_no_link: str
    room_old: str
    room_note: str
    room_hidden: str
    left: str
    left_go: str
    calendar_title: str
    calendar_what: str
    calendar_none: str
    calendar_feed: str
    calendar_area: str
    calendar_all: str
    calendar_show: str
    calendar_capacity: str
    calendar_full: str
    calendar_access: str
    calendar_together: str
    calendar_back: str
    missing: str
    missing_what: str
    calendar_print: str
    am: str
    pm: str
    clock: str
    """Pattern of a time: {hour24} {hour12} {minute} {half}."""
    day: str
    """Pattern of a day: {year} {month} {monthname} {day} {weekday}."""
    dated: str
    """The same with its year and without its weekday, for paper."""
    week: tuple[str, str, str, str, str, str, str]
    days: dict[str, str]
    """How the day words of town.yaml are written in this language; weekdays come from `week`."""
    months: tuple[str, ...] = ()

    def time_of(self, at: datetime) -> str:
        """The time of a message, in Japan."""
        return self.clock.format(
            hour24=at.hour, hour12=at.hour % 12 or 12, minute=f"{at.minute:02d}", half=self.am if at.hour < 12 else self.pm
        )  # fmt: skip

    def day_of(self, day: date) -> str:
        return self._written(self.day, day)

    def date_of(self, day: date) -> str:
        return self._written(self.dated, day)

    def _written(self, pattern: str, day: date) -> str:
        month = self.months[day.month - 1] if self.months else ""
        return pattern.format(year=day.year, month=day.month, monthname=month, day=day.day, weekday=self.week[day.weekday()])

    def hours_of(self, town: Town) -> str:
        """The desk's opening hours as one line; empty when the town did not write any."""
        return " / ".join(f"{self._days_of(row)} {row.from_}–{row.to}" for row in town.hours)

    def _days_of(self, row: Hours) -> str:
        words = dict(zip(_WEEK, self.week, strict=True)) | self.days
        longest_first = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
        return re.sub(longest_first, lambda found: words[found[0]], row.days)


@lru_cache
def every_chrome() -> Mapping[str, Chrome]:
    """All languages of the page by their code, in the order of the file."""
    tree = read_yaml(_FILE).tree
    if not isinstance(tree, dict):
        raise ValueError(f"{_FILE.name} cannot be read")
    return {lang: Chrome.model_validate({"lang": lang} | words) for lang, words in tree.items() if isinstance(words, dict)}


def chrome_of(lang: str) -> Chrome:
    """The page in this language, or in Japanese where it is not offered."""
    return every_chrome().get(lang) or every_chrome()[DEFAULT]
