"""The year counted by hand: from the rows as they are stored, month by month, sharing nothing with the product's own counting (bot/figures,
storage.facts). Slow and plain on purpose."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import jpholiday
from sqlalchemy import text
from sqlmodel import Session

from storage.sealing import unseal
from tests.town import Town

_JAPAN = ZoneInfo("Asia/Tokyo")
Counts = dict[str, Counter[str]]


def by_hand(town: Town, month: str) -> Counts:
    """`{table: {label of row, or "row|column": count}}` of one month, by keys as figures.yaml writes them."""
    return town.store.transact(lambda rows: _Hand(rows, town, month).counts())


class _Hand:
    def __init__(self, rows: Session, town: Town, month: str) -> None:
        self.rows, self.month = rows, month
        self.fields = {entry.id: entry.domain for entry in town.parts.knowledge.town.base.entries.values()}

    def counts(self) -> Counts:
        heard = [(row, json.loads(row.detail)) for row in self._of("outcome", "at") if row.kind == "match" and row.conversation_id]
        cases = list(self._of("care_case", "opened_at"))
        topics = {one.id: self._topics(one) for one in cases}
        answers = {one.id: self._intake(one) for one in cases}
        asked = {row.conversation_id for row, _ in heard} | {one.conversation_id for one in cases}
        human = {one.conversation_id for one in cases}
        several = {row.conversation_id for row, told in heard if told["decision"] == "several"}
        several |= {one.conversation_id for one in cases if len(topics[one.id]) >= 2}
        referrals = list(self._of("referral", "asked_at"))
        promises = [one for one in self._of("promise", "due_at") if one.kind in ("reply", "reply_again") and one.state in ("kept", "late")]
        offers, gaps = list(self._of("offer", "at")), list(self._of("gap", "at"))
        written = [_here(one.at) for one in self._of("message", "at") if one.author == "resident"]
        closed = list(self._of("care_case", "closed_at"))
        plans = list(self._of("plan", "at"))
        talks = {row.id: row for row in self._all("conversation")}
        work = {
            "consulted": len(asked), "new": sum(not self._came_before(talk) for talk in asked), "several": len(several),
            "by_bot": len(asked - human), "by_human": len(human), "handed": len(cases), "closed": len(closed),
            "unanswered": len({row.conversation_id for row, told in heard if told["decision"] == "gap"}),
            "promises": len(promises), "promises_kept": sum(one.state == "kept" and str(one.done_at) <= str(one.due_at) for one in promises),
            "referrals": len(referrals),
            "referrals_met": sum(one.resident_says == "met" or one.state in ("accepted", "completed") for one in referrals),
            "plans": len(plans), "support_meetings": len(list(self._of("support_meeting", "at"))),
            "coordination_meetings": len(list(self._of("coordination_meeting", "at"))), "gaps": len(gaps),
            "issues_found": len(list(self._of("town_issue", "at"))),
            "issues_answered": sum(one.state == "answered" for one in self._of("town_issue", "changed_at")),
            "offers": len(offers), "offers_from_helped": sum(self._was_helped(one) for one in offers), "messages": len(written),
        }  # fmt: skip
        first = {(row.conversation_id, self.fields.get(told["cards"][0]) or "unknown") for row, told in heard if told["cards"]}
        areas = {talk: self._session(talks[talk]).get("area") or "unknown" for talk in asked}
        return {
            "work": Counter(work),
            "topics": Counter(topic for found in topics.values() for topic in found),
            "fields": Counter(field for _, field in first),
            "issues": Counter(issue for found in answers.values() for issue in found.get("assess.issues", [])),
            "referrals": Counter(f"{self._recipient(one)}|{one.state}" for one in referrals),
            "gap_reasons": Counter(reason for one in gaps for reason in json.loads(one.reasons)),
            "times": Counter(f"{'月火水木金土日'[at.weekday()]}|{_band(at.hour)}" for at in written),
            "places": Counter(f"{areas[one.conversation_id]}|{(topics[one.id] or ['unknown'])[0]}" for one in cases),
            "replies": Counter(_until_reply(one.opened_at, one.first_reply_at) for one in cases),
            "said": Counter(json.loads(one.detail).get("decision", one.kind) for one in self._of("outcome", "at") if one.kind != "match"),
            "programs": Counter(program for one in plans for program in self._programs(one)),
            "langs": Counter(self._session(talks[talk]).get("lang", "ja") for talk in asked),
            "channels": Counter(talks[talk].channel for talk in asked),
            "ages": Counter(_age_group(answers[one.id].get("person.birth"), _here(one.opened_at)) for one in cases),
            "closed": Counter(one.close_reason or "unknown" for one in closed),
        }  # fmt: skip

    def _all(self, table: str) -> Iterable[Any]:
        return self.rows.execute(text(f"SELECT * FROM {table}")).all()

    def _of(self, table: str, when: str) -> Iterable[Any]:
        return (row for row in self._all(table) if getattr(row, when) and f"{_here(getattr(row, when)):%Y-%m}" == self.month)

    def _topics(self, case: Any) -> list[str]:
        place = f"care_case.topics:{case.id}:{case.version}"
        return json.loads(unseal(self.rows, f"conversation:{case.conversation_id}", place, case.topics_sealed)) if case.topics_sealed else []

    def _case_of(self, row: Any) -> Any:
        return next(case for case in self._all("care_case") if case.id == row.case_id)

    def _recipient(self, referral: Any) -> str:
        cell = unseal(self.rows, f"conversation:{self._case_of(referral).conversation_id}", f"referral.body:{referral.id}", referral.body_sealed)
        return str(json.loads(cell)["recipient"])

    def _programs(self, plan: Any) -> list[str]:
        cell = unseal(self.rows, f"conversation:{self._case_of(plan).conversation_id}", f"plan.body:{plan.id}:{plan.version}", plan.body_sealed)
        return list(json.loads(cell)["answers"].get("plan.programs", []))

    def _intake(self, case: Any) -> Mapping[str, Any]:
        found = next((row for row in self._all("intake") if row.case_id == case.id), None)
        if found is None:
            return {}
        place = f"intake.answers:{case.id}:{found.version}"
        told: Mapping[str, Any] = json.loads(unseal(self.rows, f"conversation:{case.conversation_id}", place, found.answers_sealed))
        return told

    def _session(self, talk: Any) -> Mapping[str, Any]:
        if not talk.session_sealed:
            return {}
        place = f"conversation.session:{talk.id}:{talk.version}"
        told: Mapping[str, Any] = json.loads(unseal(self.rows, f"conversation:{talk.id}", place, talk.session_sealed))
        return told

    def _came_before(self, talk: str) -> bool:
        outcomes = [one.at for one in self._all("outcome") if one.kind == "match" and one.conversation_id == talk]
        opened = [one.opened_at for one in self._all("care_case") if one.conversation_id == talk]
        return any(f"{_here(at):%Y-%m}" < self.month for at in (*outcomes, *opened))

    def _was_helped(self, offer: Any) -> bool:
        return any(one.person_id == offer.person_id and _here(one.opened_at) < _here(offer.at) for one in self._all("care_case"))


def _here(written: object) -> datetime:
    at = written if isinstance(written, datetime) else datetime.fromisoformat(str(written))
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(_JAPAN)


def _band(hour: int) -> str:
    return next(f"{since}-{until}" for since, until in ((0, 6), (6, 9), (9, 12), (12, 15), (15, 18), (18, 22), (22, 24)) if since <= hour < until)


def _until_reply(opened: object, replied: object | None) -> str:
    """Minute for minute, Monday to Friday 8:30 to 17:15 without holidays and the turn of the year: the hours of the sample town."""
    if replied is None:
        return "none"
    minute, until, worked = _here(opened), _here(replied), 0
    while minute < until:
        worked += _is_open(minute)
        minute += timedelta(minutes=1)
    return next((str(most) for most in (15, 60, 120, 480) if worked <= most), "more")


def _is_open(at: datetime) -> bool:
    turn_of_the_year = (at.month, at.day) >= (12, 29) or (at.month, at.day) <= (1, 3)
    holiday = at.weekday() >= 5 or jpholiday.is_holiday(at.date()) or turn_of_the_year
    return not holiday and (8, 30) <= (at.hour, at.minute) < (17, 15)


def _age_group(written: str | None, on: datetime) -> str:
    years = {"54": 54, "17歳": 17, "1972-03-05": on.year - 1972, "S15.1.2": on.year - date(1940, 1, 2).year}
    if written not in years:
        return "unknown"
    age = years[written]
    groups = ((18, "0-17"), (30, "18-29"), (40, "30-39"), (50, "40-49"), (65, "50-64"), (75, "65-74"))
    return next((name for below, name in groups if age < below), "75-")
