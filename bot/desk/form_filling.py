"""The national sheets filled from a case, the same for paper, Excel and CSV; what is not known is 未確認.

A sheet is a table of fields: section, label and value. 支援経過 alone is a table of what was done, with its fields as columns.
"""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any, NamedTuple

from bot.clock import JST
from bot.desk import national_forms
from bot.desk.japanese_dates import long_date, long_time
from bot.desk.national_forms import UNKNOWN, Field
from bot.desk.pages import words
from storage.forms_data import FormData
from storage.meetings import HeldCoordinationMeeting, HeldSupportMeeting, MadePlan
from storage.records import GivenConsent

_CHANNELS = {"line": "SNS", "telegram": "SNS", "web": "その他（ウェブの相談）", "terminal": "その他"}


class Row(NamedTuple):
    section: str
    label: str
    value: str


class Filled(NamedTuple):
    """A filled sheet: the heads of its columns, and a cell of words under each."""

    header: tuple[str, ...]
    rows: Sequence[Sequence[str]]

    def sections(self) -> list[list[Sequence[str]]]:
        """The rows that begin alike, together."""
        return [list(alike) for _, alike in groupby(self.rows, key=lambda row: row[0])]


def filled(form: str, data: FormData, today: date) -> Filled:
    """The sheet of this name, filled on `today`; that of a kind of meeting holds each meeting of its kind."""
    if form == "progress":
        return _progress(data, today)
    return Filled(("区分", "項目", "内容"), _meetings(form, data) if form in ("support_meeting", "coordination_meeting") else _fields(form, data))


def _fields(form: str, data: FormData) -> list[Row]:
    answers = dict(data.answers)
    if form in ("plan", "evaluation") and data.plan is not None:
        answers |= data.plan.answers
    known = _known(data)
    return [Row(field.section, field.label, _value(field, answers, known)) for field in national_forms.fields_of(form)]


def _value(field: Field, answers: dict[str, Any], known: dict[str, str]) -> str:
    if field.id in answers:
        return national_forms.shown(field, answers[field.id])
    return known.get(field.id) or UNKNOWN


def _known(data: FormData) -> dict[str, str]:
    """What the product knows without asking anybody again."""
    case, plan = data.case, data.plan
    names = national_forms.lists()["topics"]
    topics = [names[code] for code in data.topics if code in names]
    found = {
        "reception.case_id": case.code, "reception.date": long_date(_day(case.opened_at)), "reception.staff": data.received_by,
        "reception.channel": _CHANNELS.get(case.channel, ""), "topic.selected": "、".join(topics),
        "topic.primary": next(iter(topics), ""), "topic.free_text": _own_words(data),
        "assess.household": _household(data), "screening.referred_to": "、".join(data.referred_to),
        "noconsent.route": data.support[0].why if data.support else "", **_consent([one for one in data.consents if one.purpose == "referral"]),
    }  # fmt: skip
    if plan is not None:
        goals = "\n".join(
            f"{goal.what}（{goal.who or UNKNOWN}・{long_date(goal.until) + 'まで' if goal.until else 'いつまで：' + UNKNOWN}）" for goal in plan.goals
        )
        found |= {
            "plan.date": long_date(plan.made_on), "plan.seq": f"第{plan.number}回" + _before_it_was_changed(plan, data),
            "plan.person_goal": plan.own_words, "plan.goals": goals,
            "plan.period": long_date(plan.review_on) if plan.review_on else "",
            "eval.achievement": "\n".join(f"{goal.what}：{goal.how}" for goal in plan.goals if goal.how),
        }  # fmt: skip
    return found


def _before_it_was_changed(plan: MadePlan, data: FormData) -> str:
    """An older version says so on paper: nobody takes it for the one that holds."""
    return "" if plan in data.plans else f"（第{plan.version}版。このあと直されました）"


def _consent(asked: list[GivenConsent]) -> dict[str, str]:
    """What the ledger says of telling others: what holds now, and what was taken back."""
    if not asked:
        return {}
    holds = [one for one in asked if one.withdrawn_at is None]
    gone = [f"{long_time(one.withdrawn_at)}（{one.recipient}）" for one in asked if one.withdrawn_at is not None]
    withdrawn = {"consent.withdrawn_at": "\n".join(gone) or "取り消しはありません"}
    if not holds:
        return withdrawn | {"consent.share": "いいえ（同意は取り消されました）"}
    return withdrawn | {
        "consent.share": "はい", "consent.recipients": "、".join(dict.fromkeys(one.recipient for one in holds)),
        "consent.purpose": "つなぎ・支援の調整", "consent.items": "、".join(dict.fromkeys(_item(item) for one in holds for item in one.items)),
        "consent.date": long_date(_day(holds[-1].given_at)),
        "consent.signature": "同意の記録あり・署名は未確認（" + long_time(holds[-1].given_at) + "）",
    }  # fmt: skip


def _item(item: str) -> str:
    """What was shared: the resident's own choice has a name, a coordinator's own words stand as they are."""
    named: dict[str, str] = words().shared
    return named.get(item, item)


def _own_words(data: FormData) -> str:
    return "\n".join(line["text"] for line in data.sheet if line["about"] in ("urgent", "worry", "need", "wish"))


def _household(data: FormData) -> str:
    """People under 閲覧制限 are counted, not named: what is masked stays masked on paper too."""
    people = [
        "閲覧制限の人" if person.restricted else "・".join(person.facts.get(name) or UNKNOWN for name in ("name", "relation", "birth", "state"))
        for person in data.household
    ]
    return "\n".join(people)


def _meetings(form: str, data: FormData) -> list[Row]:
    """One block for each meeting, newest first, under its day. The two kinds never stand on one sheet (社会福祉法106条の6)."""
    fields = national_forms.fields_of(form)
    kind = ("support_meeting", "coordination_meeting").index(form)
    alike = {field.id: field.choices[kind][0] for field in fields if field.id in ("meeting.kind", "meeting.host")}
    held = [_support(one) for one in data.support] if form == "support_meeting" else [_coordination(one, data) for one in data.coordination]
    return [
        Row(one.get("meeting.date") or fields[0].section, field.label, one.get(field.id) or UNKNOWN)
        for one in [alike | meeting for meeting in held] or [alike] for field in fields
    ]  # fmt: skip


def _support(meeting: HeldSupportMeeting) -> dict[str, str]:
    pledge = "守秘義務（106条の6第5項）：説明し、約束してもらいました"
    return _any_meeting(meeting) | {"meeting.ground": meeting.why, "meeting.members": "\n".join(filter(None, (meeting.members, pledge)))}


def _coordination(meeting: HeldCoordinationMeeting, data: FormData) -> dict[str, str]:
    rests_on = next((f"本人の同意：{one.recipient}（{long_date(_day(one.given_at))}）" for one in data.consents if one.id == meeting.consent_id), "")
    return _any_meeting(meeting) | {"meeting.ground": "\n".join(filter(None, (meeting.purpose, rests_on))), "meeting.members": meeting.members}


def _any_meeting(meeting: HeldSupportMeeting | HeldCoordinationMeeting) -> dict[str, str]:
    return {
        "meeting.date": long_date(meeting.held_on), "meeting.materials": meeting.shown, "meeting.roles": meeting.decisions,
        "meeting.next": long_date(meeting.next_on) if meeting.next_on else "",
    }  # fmt: skip


def _progress(data: FormData, today: date) -> Filled:
    methods: dict[str, str] = words().methods
    status = _status(data, today)
    done = [(long_time(entry.at), methods[entry.method], entry.author, entry.text) for entry in data.entries if entry.method is not None]
    labels = {field.id: field.label for field in national_forms.fields_of("progress")}
    columns = ("reception.case_id", "log.datetime", "log.method", "log.staff", "log.content", "caselist.status")
    nothing = (UNKNOWN, UNKNOWN, UNKNOWN, "支援経過は、まだ書かれていません。")
    return Filled(tuple(labels[one] for one in columns), [(data.case.code, *cells, status) for cells in done or [nothing]])


def _status(data: FormData, today: date) -> str:
    """ケースの状態, in the words of the national sheet."""
    match data.case.state:
        case "waiting":
            return "受付"
        case "closed":
            return "終結"
    if data.plans:
        review = data.plans[0].review_on
        return "評価待ち" if review is not None and review < today else "プラン中"
    return "スクリーニング済" if "screening.result" in data.answers else "アセスメント中"


def _day(at: datetime) -> date:
    return at.astimezone(JST).date()
