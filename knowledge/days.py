"""Which days staff mean by 月-金, 平日, 土日祝, 第2・4木, 毎月15日, 年末年始, 8/13-8/16.

One grammar for opening rows, closing days and repeating meetings. What nobody can know
(隔週, お盆) it refuses, and says what to write.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, Protocol

import jpholiday

WEEK: Final = "月火水木金土日"
HINT: Final = "月-金、月・水・金、毎日、平日、土日祝、第2・4土、毎月15日、年末年始、8/13-8/16、2026-12-28 のように書いてください。"

_KANJI: Final = "一二三四五"
_NUMBERED: Final = re.compile(rf"第[{_KANJI}](?:[・、,と]?第?[{_KANJI}])*")
_DAY = rf"([{WEEK}])(?:曜日?)?"
_TO = r"\s*[-〜~‐–—ー−]\s*|から"


class UnknownDays(ValueError):
    """What was written is no rule for days. Message and hint are Japanese."""

    def __init__(self, message: str, hint: str = HINT) -> None:
        super().__init__(message)
        self.hint = hint


class Rule(Protocol):
    def has(self, day: date) -> bool: ...


@dataclass(frozen=True, slots=True)
class Weekly:
    """Days of the week, 0 = Monday."""

    weekdays: frozenset[int]

    def has(self, day: date) -> bool:
        return day.weekday() in self.weekdays


@dataclass(frozen=True, slots=True)
class Workdays:
    """平日: Monday to Friday without public holidays."""

    def has(self, day: date) -> bool:
        return day.weekday() < 5 and not is_holiday(day)


@dataclass(frozen=True, slots=True)
class Holidays:
    """国民の祝日 and their substitutes."""

    def has(self, day: date) -> bool:
        return is_holiday(day)


@dataclass(frozen=True, slots=True)
class NthWeekday:
    """第2・4土: the n-th such weekday of a month; -1 is the last one (最終金)."""

    numbers: frozenset[int]
    weekdays: frozenset[int]

    def has(self, day: date) -> bool:
        last = (day + timedelta(days=7)).month != day.month
        return day.weekday() in self.weekdays and ((day.day - 1) // 7 + 1 in self.numbers or (last and -1 in self.numbers))


@dataclass(frozen=True, slots=True)
class MonthDays:
    """毎月15日."""

    days: frozenset[int]

    def has(self, day: date) -> bool:
        return day.day in self.days


@dataclass(frozen=True, slots=True)
class Season:
    """From one day of the year to another, both included; may cross the new year (12/29-1/3)."""

    first: tuple[int, int]
    last: tuple[int, int]

    def has(self, day: date) -> bool:
        here = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= here <= self.last
        return here >= self.first or here <= self.last


@dataclass(frozen=True, slots=True)
class OneDay:
    day: date

    def has(self, day: date) -> bool:
        return day == self.day


NEW_YEAR: Final = Season((12, 29), (1, 3))
"""年末年始 of public offices (行政機関の休日に関する法律)."""


@dataclass(frozen=True, slots=True)
class Days:
    """All that one line of days means."""

    rules: tuple[Rule, ...]

    def has(self, day: date) -> bool:
        return any(rule.has(day) for rule in self.rules)


@lru_cache(maxsize=20_000)
def is_holiday(day: date) -> bool:
    return bool(jpholiday.is_holiday(day))


@lru_cache(maxsize=4_096)
def days_of(written: str) -> Days:
    """Read one line of days. Raises UnknownDays."""
    text = _NUMBERED.sub(_in_figures, unicodedata.normalize("NFKC", written).strip())
    if not text:
        raise UnknownDays("曜日が空です")
    rules = tuple(_rules(text))
    if not rules:
        raise UnknownDays(f"「{written}」の曜日がわかりません")
    return Days(rules)


def _in_figures(found: re.Match[str]) -> str:
    """第二・四土 is 第2・4土."""
    return "".join(str(_KANJI.index(letter) + 1) if letter in _KANJI else letter for letter in found[0])


def _rules(text: str) -> Iterator[Rule]:
    place = 0
    while place < len(text):
        for pattern, read in _FORMS:
            found = pattern.match(text, place)
            if found:
                if read is not None:
                    yield read(found)
                place = found.end()
                break
        else:
            raise UnknownDays(f"「{text[place:]}」の曜日がわかりません", _advice(text))


def _advice(text: str) -> str:
    if "隔週" in text:
        return "隔週はどの週かがわかりません。第1・3火 のように書くか、日付を並べてください。"
    if re.search("除く|のぞく|以外", text):
        return "days には開いている曜日だけを書き、休みの日は「closed: [祝日, 年末年始]」の行に書いてください。"
    if "盆" in text:
        return "お盆は町で違います。8/13-8/16 のように日付で書いてください。"
    return HINT


def _weekdays(letters: str) -> frozenset[int]:
    return frozenset(WEEK.index(letter) for letter in re.sub("曜日?", "", letters))


def _span(found: re.Match[str]) -> Rule:
    first, last = WEEK.index(found[1]), WEEK.index(found[2])
    return Weekly(frozenset((first + step) % 7 for step in range((last - first) % 7 + 1)))


def _nth(found: re.Match[str]) -> Rule:
    return NthWeekday(frozenset(int(number) for number in re.findall(r"[1-5]", found[1])), _weekdays(found[2]))


def _season(found: re.Match[str]) -> Rule:
    month, day = int(found[1]), int(found[2])
    last_month, last_day = int(found[3] or month), int(found[4] or day)
    for one_month, one_day in ((month, day), (last_month, last_day)):
        try:
            date(2024, one_month, one_day)  # a leap year: 2/29 is a day
        except ValueError:
            raise UnknownDays(f"「{one_month}/{one_day}」という日はありません") from None
    return Season((month, day), (last_month, last_day))


def _month_days(found: re.Match[str]) -> Rule:
    return MonthDays(frozenset(map(int, re.findall(r"\d+", found[1]))))


def _one_day(found: re.Match[str]) -> Rule:
    try:
        return OneDay(date(int(found[1]), int(found[2]), int(found[3])))
    except ValueError:
        raise UnknownDays(f"「{found[0]}」という日はありません") from None


_FORMS: Final = (
    (re.compile(r"[\s・、,，/]+|(?<=.)と"), None),
    (re.compile(r"毎日|無休|年中無休"), lambda _: Weekly(frozenset(range(7)))),
    (re.compile(r"年末年始"), lambda _: NEW_YEAR),
    (re.compile(r"平日"), lambda _: Workdays()),
    (re.compile(r"祝日|祝"), lambda _: Holidays()),
    (re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})"), _one_day),
    (re.compile(rf"(\d{{1,2}})[/月](\d{{1,2}})日?(?:(?:{_TO})(?:(\d{{1,2}})[/月])?(\d{{1,2}})日?(?:まで)?)?"), _season),
    (re.compile(r"毎月\s*((?:3[01]|[12]?\d)日?(?:[・、,](?:3[01]|[12]?\d)日?)*(?<=日))"), _month_days),
    (re.compile(rf"(?:毎月)?\s*(第[1-5](?:[・、,と]?第?[1-5])*)週?((?:[{WEEK}](?:曜日?)?)+)"), _nth),
    (re.compile(rf"(?:毎月)?\s*(?:最終|最後の?)週?((?:[{WEEK}](?:曜日?)?)+)"), lambda found: NthWeekday(frozenset({-1}), _weekdays(found[1]))),
    (re.compile(rf"(?:毎週)?\s*{_DAY}(?:{_TO}){_DAY}(?:まで)?"), _span),
    (re.compile(rf"(?:毎週)?\s*{_DAY}"), lambda found: Weekly(_weekdays(found[1]))),
)  # fmt: skip
