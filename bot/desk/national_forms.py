"""国の相談帳票: which fields the national sheets have, which of them a coordinator is asked, and what was answered (national_forms.yaml)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from storage.text import clean

UNKNOWN = "未確認"
_FROM_THE_CASE = {
    "reception.case_id", "reception.date", "reception.staff", "reception.channel", "consent.recipients", "consent.purpose", "consent.items",
    "consent.withdrawn_at", "consent.share", "consent.date", "consent.signature", "assess.household", "log.datetime", "log.staff", "log.method",
    "log.content", "plan.date", "plan.seq", "plan.person_goal", "plan.goals", "plan.period", "screening.referred_to",
    "caselist.status", "topic.selected", "topic.primary",
}  # fmt: skip
"""Filled from what the product knows: nothing is asked twice (WCAG 3.3.7)."""
_LONGEST = 2000


@dataclass(frozen=True)
class Field:
    """One field of the national sheets. `choices` are (value, label); `many`: several may be ticked."""

    id: str
    forms: tuple[str, ...]
    section: str
    label: str
    type: str
    choices: tuple[tuple[str, str], ...]
    many: bool


@dataclass(frozen=True)
class Form:
    """One sheet."""

    name: str
    code: str
    title: str


@dataclass(frozen=True)
class Forms:
    forms: Mapping[str, Form]
    fields: tuple[Field, ...]


@cache
def _written() -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load((Path(__file__).parent / "national_forms.yaml").read_text(encoding="utf-8"))
    return found


@cache
def read() -> Forms:
    """The sheets and their fields, in the order of the file."""
    written = _written()
    forms = {name: Form(name, one["code"], one["title"]) for name, one in written["forms"].items()}
    return Forms(forms, tuple(_field(one, {name: tuple(words.items()) for name, words in lists().items()}) for one in written["fields"]))


def lists() -> dict[str, dict[str, str]]:
    """The topics and issues of the state, code → words."""
    written = _written()
    return {name: {str(code): label for code, label in written[name].items()} for name in ("topics", "issues")}


def fields_of(name: str) -> list[Field]:
    """The fields of one sheet."""
    code = read().forms[name].code
    return [field for field in read().fields if code in field.forms]


def to_ask(*names: str) -> list[Field]:
    """The fields of these sheets that only a person can answer, each once."""
    codes = {read().forms[name].code for name in names}
    return [field for field in read().fields if codes & set(field.forms) and field.id not in _FROM_THE_CASE]


def by_section(fields: Sequence[Field]) -> dict[str, list[Field]]:
    """These fields under their sections, both in the order of the sheets."""
    found: dict[str, list[Field]] = {}
    for field in fields:
        found.setdefault(field.section, []).append(field)
    return found


def read_answers(fields: Sequence[Field], given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Answers of a form, checked against the choices; what is left empty is not there: unknown is shown as 未確認."""
    found: dict[str, Any] = {}
    for field in fields:
        values = [clean(value.strip())[:_LONGEST] for value in given.get(f"a.{field.id}", ()) if value.strip()]
        known = {value for value, _ in field.choices}
        if known:
            values = [value for value in values if value in known]
        if values:
            found[field.id] = values if field.many else values[0]
    return found


def shown(field: Field, value: Any) -> str:
    """An answer in words; 未確認 where there is none."""
    labels = dict(field.choices)
    if value is None or value in ("", []):
        return UNKNOWN
    values = value if isinstance(value, list) else [value]
    return "、".join(labels.get(str(one), str(one)) for one in values)


def _field(one: Mapping[str, Any], lists: Mapping[str, tuple[tuple[str, str], ...]]) -> Field:
    choices = one["choices"]
    if one["type"] == "boolean":
        pairs: tuple[tuple[str, str], ...] = (("yes", "はい"), ("no", "いいえ"))
    elif isinstance(choices, str):
        pairs = lists[choices]
    else:
        pairs = tuple((str(label), str(label)) for label in choices or ())
    many = str(one["type"]).startswith("multi_enum")
    return Field(one["id"], tuple(one["forms"]), one["section"], one["label"], one["type"], pairs, many)
