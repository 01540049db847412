"""From facts to counts. Every figure is a count that adds up over months, so that a year is the sum of its months and anybody may count again.

Counts are `{figure: {key: number}}`; a key of two parts is `row|column`. What each figure means stands in figures.yaml, in the words staff read.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from bot.clock import JST
from storage.facts import Facts, Handed

Counts = dict[str, dict[str, int]]
OpenMinutes = Callable[[datetime, datetime], int]
"""Minutes in which the desk was open between two times: clocks run in working hours only."""
BirthYear = Callable[[str], int | None]
"""Reads the year out of a date of birth; None where it cannot be read."""

BANDS = ("0-6", "6-9", "9-12", "12-15", "15-18", "18-22", "22-24")
"""Hours of the day, in Japan."""
WEEK = "月火水木金土日"
REPLY_TIMES = (("15", 15), ("60", 60), ("120", 120), ("480", 480))
"""Opening minutes until a human first wrote, up to so many; beyond is `more`, and `none` while nobody has."""
AGES = ((18, "0-17"), (30, "18-29"), (40, "30-39"), (50, "40-49"), (65, "50-64"), (75, "65-74"), (200, "75-"))
UNKNOWN = "unknown"
_SEVERAL = "several"
_GOOD_ENDS = ("accepted", "completed")


def count(facts: Facts, domains: Mapping[str, str | None], open_minutes: OpenMinutes, birth_year: BirthYear) -> Counts:
    """All figures of a span. `domains`: the field of each entry that may have been shown."""
    several = {one.talk for one in facts.heard if one.decision == _SEVERAL} | {one.talk for one in facts.handed if len(one.topics) > 1}
    with_human = {one.talk for one in facts.handed}
    counts: Counts = {
        "work": {
            "consulted": len(facts.talks), "new": len(facts.new_talks), "several": len(several), "handed": len(facts.handed),
            "by_human": len(with_human), "by_bot": len(set(facts.talks) - with_human),
            "unanswered": len({one.talk for one in facts.heard if one.decision == "gap"}),
            "promises": sum(one.state in ("kept", "late") for one in facts.promised),
            "promises_kept": sum(one.state == "kept" and one.done_at is not None and one.done_at <= one.due_at for one in facts.promised),
            "referrals": len(facts.referred),
            "referrals_met": sum(one.resident_says == "met" or one.state in _GOOD_ENDS for one in facts.referred),
            "closed": len(facts.closed), "plans": len(facts.programs), "support_meetings": facts.support_meetings,
            "coordination_meetings": facts.coordination_meetings, "issues_found": facts.issues_found, "issues_answered": facts.issues_answered,
            "gaps": len(facts.gap_reasons), "offers": len(facts.offered), "offers_from_helped": sum(one.was_helped for one in facts.offered),
            "messages": len(facts.written),
        },
        "topics": _tally(topic for one in facts.handed for topic in one.topics),
        "fields": _tally(field for field in _fields(facts, domains)),
        "issues": _tally(issue for one in facts.handed for issue in one.issues),
        "programs": _tally(program for one in facts.programs for program in one),
        "times": _tally(f"{WEEK[at.weekday()]}|{band_of(at)}" for at in (one.astimezone(JST) for one in facts.written)),
        "referrals": _tally(f"{one.recipient.replace('|', '／')}|{one.state}" for one in facts.referred),
        "gap_reasons": _tally(reason for one in facts.gap_reasons for reason in one),
        "said": _tally(one.decision for one in facts.said),
        "langs": _tally(facts.langs.values()),
        "channels": _tally(facts.talks.values()),
        "ages": _tally(age_of(one.birth, one.opened_at, birth_year) for one in facts.handed),
        "places": _tally(f"{(one.area or UNKNOWN).replace('|', '／')}|{one.topics[0] if one.topics else UNKNOWN}" for one in facts.handed),
        "replies": _tally(_reply_time(one, open_minutes) for one in facts.handed),
        "closed": _tally(one or UNKNOWN for one in facts.closed),
    }  # fmt: skip
    return counts


def add(months: Iterable[Mapping[str, Mapping[str, int]]]) -> Counts:
    """The sum of several months."""
    whole: dict[str, Counter[str]] = {}
    for month in months:
        for figure, counts in month.items():
            whole.setdefault(figure, Counter()).update(counts)
    return {figure: dict(counts) for figure, counts in whole.items()}


def band_of(at: datetime) -> str:
    """The band of hours of a time in Japan."""
    return next(band for band in BANDS if at.hour < int(band.split("-")[1]))


def age_of(written: str | None, on: datetime, birth_year: BirthYear) -> str:
    """The age group of 生年月日（年齢） as somebody wrote it: 「54」「54歳」「1972-03-05」「S47.3.5」; `unknown` where it cannot be read."""
    text = (written or "").strip()
    if found := re.fullmatch(r"(\d{1,3})\s*(?:歳|才)?", text):
        return _group(int(found[1]))
    year = birth_year(text)
    return UNKNOWN if year is None else _group(on.year - year)


def _group(age: int) -> str:
    return next((name for below, name in AGES if age < below), UNKNOWN)


def _fields(facts: Facts, domains: Mapping[str, str | None]) -> list[str]:
    """The field of the first card of each talk's answers, each field once a talk."""
    return [
        field for _, field in sorted({(one.talk, domains.get(one.cards[0]) or UNKNOWN) for one in facts.heard if one.cards})
    ]  # fmt: skip


def _reply_time(case: Handed, open_minutes: OpenMinutes) -> str:
    if case.first_reply_at is None:
        return "none"
    took = open_minutes(case.opened_at, case.first_reply_at)
    return next((name for name, most in REPLY_TIMES if took <= most), "more")


def _tally(keys: Iterable[str]) -> dict[str, int]:
    return dict(Counter(keys))
