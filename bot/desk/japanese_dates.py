"""Dates as a town hall writes them: eras beside Western years, 年度 from April, times in Japan (desk.md §1).

Eras by 元号法 (昭和54年法律第43号) and the two cabinet orders after it; before 明治6年 the calendar was another one, so nothing earlier is converted.
"""

import re
import unicodedata
from datetime import date, datetime
from typing import NamedTuple

from bot.clock import JST

_WEEKDAYS = "月火水木金土日"


class Era(NamedTuple):
    name: str
    letter: str
    began: date
    first_year: int
    """Western year of its year 1."""


ERAS = (
    Era("令和", "R", date(2019, 5, 1), 2019),
    Era("平成", "H", date(1989, 1, 8), 1989),
    Era("昭和", "S", date(1926, 12, 25), 1926),
    Era("大正", "T", date(1912, 7, 30), 1912),
    Era("明治", "M", date(1873, 1, 1), 1868),
)

_FULL = re.compile(
    r"(?:(?P<era>令和|平成|昭和|大正|明治|[RHSTM])\s*(?P<era_year>\d{1,2}|元)|(?P<year>\d{4}))\s*[年./\-]\s*"
    r"(?P<month>\d{1,2})\s*[月./\-]\s*(?P<day>\d{1,2})\s*日?"
)
_PLAIN = re.compile(r"\d{8}")
_TWO_DIGITS = re.compile(r"\d{1,2}\s*[./\-]\s*\d{1,2}\s*[./\-]\s*\d{1,2}")


class NotADate(ValueError):
    """What was written is no date that exists."""


class WhichEra(ValueError):
    """A year of one or two digits without its era: the writer must say which."""


def era_of(day: date) -> Era | None:
    """The era of a day; None before 明治6年."""
    return next((era for era in ERAS if day >= era.began), None)


def era_year(day: date) -> str:
    """`令和8年`, `令和元年`; the Western year where there is no era."""
    era = era_of(day)
    return f"{day.year}年" if era is None else f"{era.name}{_year_in(era, day)}年"


def weekday(day: date) -> str:
    """One letter: `月`."""
    return _WEEKDAYS[day.weekday()]


def long_date(day: date) -> str:
    """`令和8年11月23日（月）`."""
    return f"{era_year(day)}{day.month}月{day.day}日（{weekday(day)}）"


def long_time(at: datetime) -> str:
    """`令和8年11月23日（月）14:05`, Japan time."""
    here = at.astimezone(JST)
    return f"{long_date(here.date())}{here:%H:%M}"


def short_time(at: datetime) -> str:
    """`11/23 14:05`, Japan time."""
    here = at.astimezone(JST)
    return f"{here.month}/{here.day} {here:%H:%M}"


def fiscal_year(day: date) -> int:
    """The 年度 of a day as the Western year in which it began (April)."""
    return day.year if day.month >= 4 else day.year - 1


def fiscal_year_name(day: date) -> str:
    """`令和8年度`; named after the era of its April 1st, as the offices do (2019: 平成31年度 and 令和元年度 are one; the later name is used)."""
    year = fiscal_year(day)
    named = date(year, 5, 1)
    return f"{era_year(named)}度"


_YEARS = (1868, 2200)
"""明治元年, and longer than any promise of ours."""


def read_date(written: str) -> date:
    """Read `R8.11.23`, `令和8年11月23日`, `2026-11-23`, `20261123`, wide or narrow. Raises `WhichEra` for `8/11/23`, else `NotADate`."""
    text = unicodedata.normalize("NFKC", written).strip().upper()
    if _PLAIN.fullmatch(text):
        return _date(int(text[:4]), int(text[4:6]), int(text[6:]))
    found = _FULL.fullmatch(text)
    if found is None:
        raise WhichEra(written) if _TWO_DIGITS.fullmatch(text) else NotADate(written)
    month, day = int(found["month"]), int(found["day"])
    if found["year"]:
        return _date(int(found["year"]), month, day)
    era = next(era for era in ERAS if found["era"] in (era.name, era.letter))
    number = 1 if found["era_year"] == "元" else int(found["era_year"])
    read = _date(era.first_year + number - 1, month, day)
    if era_of(read) != era:
        raise NotADate(written)
    return read


def _date(year: int, month: int, day: int) -> date:
    if not _YEARS[0] <= year <= _YEARS[1]:  # a day at the edge of the calendar has no time in another zone
        raise NotADate(f"{year}-{month}-{day}")
    try:
        return date(year, month, day)
    except ValueError as error:
        raise NotADate(f"{year}-{month}-{day}") from error


def _year_in(era: Era, day: date) -> str:
    number = day.year - era.first_year + 1
    return "元" if number == 1 else str(number)
