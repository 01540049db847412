"""The schema of what staff write: an entry, its contacts, hours and meetings, and the town itself (design.md §3).

Values arrive as text (knowledge/reading.py). Nothing written and `null` are the same: not known. A field that does not exist is refused, because a
misspelt one would be lost without a word. Complaints are Japanese (knowledge/written.py, knowledge/complaints.py).
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from knowledge.days import WEEK, UnknownDays, days_of
from knowledge.hearing.model import Lang
from knowledge.said import clocks_said, hours_said
from knowledge.written import Clock, Day, Degrees, Id, Languages, Mail, Tel, Texts, Truth, Url, Words, listed, minutes, words, wrong

Kind = Literal["consultation", "benefit", "service", "place", "activity", "emergency"]
Topic = Literal[
    "T01", "T02", "T03", "T04", "T05", "T06", "T07", "T08", "T09", "T10", "T11", "T12", "T13", "T14", "T15", "T16",
]  # fmt: skip
"""The 16 topics of the national intake form."""
Tag = Literal["tonight", "night", "child", "outreach", "no-certificate", "anonymous", "any-language"]
"""tonight: helps the same night (food, bed, crisis lines) · night: open at night · child: for children themselves · outreach: they come to you ·
no-certificate: no 手帳 or diagnosis needed · anonymous: no name needed · any-language: whoever writes in another language is always shown it."""
TOPICS: Final[tuple[Topic, ...]] = get_args(Topic)
TAGS: Final[tuple[Tag, ...]] = get_args(Tag)
OTHER_LANGUAGES: Final[tuple[Lang, ...]] = tuple(lang for lang in get_args(Lang) if lang != "ja")


class Written(BaseModel):
    """A frozen value that staff wrote: unknown fields refused (empty ones too), `null` the same as left out."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_left_out(cls, fields: Any) -> Any:
        if isinstance(fields, dict):
            known = _names(cls)
            return {name: value for name, value in fields.items() if value is not None or name not in known}
        return fields


@lru_cache
def _names(model: type[Written]) -> frozenset[str]:
    """What its fields are called, in a file and in code."""
    return frozenset({info.alias or name for name, info in model.model_fields.items()} | model.model_fields.keys())


def _days_line(value: object) -> str:
    if isinstance(value, list) and value and all(isinstance(day, str) for day in value):
        better = "・".join(value)
        raise wrong("shape", "ここは一つの言葉です（いまは一覧）", f"「{better}」のように、一つの言葉にしてください。", better)
    text = words(value)
    try:
        days_of(text)
    except UnknownDays as unknown:
        better = _ENGLISH_DAYS.sub(lambda day: WEEK[_ENGLISH.index(day[0][:3].lower())], text).replace(", ", "・")
        if better != text and re.fullmatch(rf"[{WEEK}・-]+", better):
            raise wrong("days", str(unknown), f"「{better}」にしますか。", better) from unknown
        raise wrong("days", str(unknown), unknown.hint) from unknown
    return text


_ENGLISH: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ENGLISH_DAYS: Final = re.compile(r"\b(mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b", re.IGNORECASE)


def _always(value: object) -> object:
    """`hours: 24時間` is every day, midnight to midnight."""
    if isinstance(value, str) and value in ("24時間", "24時間365日"):
        return [{"days": "毎日", "from": "0:00", "to": "24:00"}]
    if isinstance(value, str) and (said := hours_said(value)):
        closed = f"休みは、その下の行に「closed: [{', '.join(said.closed)}]」と書きます。" if said.closed else ""
        raise wrong("hours", "ここは時間の一覧です", f"{said.inline} にしますか。{closed}", None if closed else said.inline)
    if isinstance(value, str) and clocks_said(value):
        raise wrong("hours", "何曜日の時間かが書かれていません", '「- {days: 月-金, from: "9:00", to: "17:00"}」のような行を並べてください。')
    return value


def _later(clock: str) -> str:
    """5:00 after 9:00 is five in the afternoon, or the next morning."""
    hour, _, minute = clock.partition(":")
    if int(hour) == int(minute) == 0:
        return "夜中の 0 時までなら「24:00」と書いてください。"
    afternoon = f"午後なら「{int(hour) + 12}:{minute}」、" if hour.isdecimal() and 0 < int(hour) < 12 else ""
    return f"{afternoon}夜をまたぐときは「翌{clock}」と書いてください。"


DaysLine = Annotated[str, BeforeValidator(_days_line)]
DaysLines = Annotated[tuple[DaysLine, ...], BeforeValidator(listed)]


class Hours(Written):
    """One row of opening hours; a lunch break is two rows, a night ends at 翌5:00. `{days: 月-金, from: "9:00", to: "17:00"}`"""

    days: DaysLine
    from_: Clock = Field(alias="from")
    to: Clock

    @model_validator(mode="before")
    @classmethod
    def _in_words(cls, fields: Any) -> Any:
        said = hours_said(fields) if isinstance(fields, str) else None
        if said is not None and len(said.rows) == 1 and not said.closed:
            better = said.inline[1:-1]
            raise wrong("shape", "ここは「項目: 値」のかたまりです", f"{better} にしますか。", better)
        return fields

    @property
    def begins(self) -> int:
        """Minutes from midnight."""
        return minutes(self.from_)

    @property
    def ends(self) -> int:
        """Minutes from the same midnight; beyond 1440 is the next day."""
        return minutes(self.to)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_.startswith("翌"):
            raise wrong("hours_order", "始まりに「翌」は使えません", "次の日の曜日の行に書いてください。")
        if self.ends == self.begins:
            raise wrong("hours_order", "始まりと終わりが同じ時刻です", "終わりの時刻を書いてください。一日じゅうなら「0:00」から「24:00」です。")
        if self.ends < self.begins:
            raise wrong("hours_order", "終わりが始まりより前です", _later(self.to))
        return self


AllHours = Annotated[tuple[Hours, ...], BeforeValidator(_always)]


class Place(Written):
    """Where it is. `url` is a map page of the town's own choice."""

    address: Words | None = None
    lat: Degrees | None = None
    lon: Degrees | None = None
    url: Url | None = None


class Contact(Written):
    """One way to reach a service: a local office, or a national line by its id in hotlines.yaml (`{hotline: yorisoi}`)."""

    name: Words | None = None
    tel: Tel | None = None
    fax: Tel | None = None
    mail: Mail | None = None
    url: Url | None = None
    area: Texts = ()
    """Districts it serves, as in town.yaml; empty or 全域 = the whole town."""
    hours: AllHours = ()
    """Empty = not known."""
    closed: DaysLines = ()
    """祝日, 年末年始, 第3月 …; wins over every row of hours."""
    place: Place = Place()
    languages: Languages = ()
    """Languages spoken there, by their codes; an interpreter is promised only if one is listed (D12)."""
    hotline: Id | None = None

    @model_validator(mode="after")
    def _is_somebody(self) -> Self:
        if self.name is None and self.hotline is None:
            hint = "「name: 福祉課」のように書くか、全国の電話なら「hotline: yorisoi」と書いてください。"
            raise wrong("contact_name", "連絡先の名前がありません", hint)
        return self


class Event(Written):
    """A meeting: on one day (`on: 2026-12-03`), or again and again (`every: 毎週火`, `every: 第2・4木`)."""

    title: Words
    on: Day | None = None
    every: DaysLine | None = None
    from_: Clock | None = Field(default=None, alias="from")
    to: Clock | None = None
    closed: DaysLines = ()
    place: Words | None = None
    note: Words | None = None
    capacity: Words | None = None
    full: DaysLines = ()
    """Days on which no place is left; taken out again when somebody cancels."""
    access: Words | None = None
    """How to get there: 段差, 駐車場, 送迎."""
    together: Words | None = None
    """初回同行: who comes along on the first day. `職員が玄関で待っています`"""

    @property
    def begins(self) -> int | None:
        """Minutes from midnight; None = not known."""
        return None if self.from_ is None else minutes(self.from_)

    @model_validator(mode="after")
    def _has_a_day(self) -> Self:
        if (self.on is None) == (self.every is None):
            raise wrong("event_day", "日付かくり返しの、どちらか一つが要ります", "「on: 2026-12-03」か「every: 毎週火」を書いてください。")
        if self.from_ is not None and self.to is not None and minutes(self.to) <= minutes(self.from_):
            raise wrong("hours_order", "終わりが始まりより前です", _later(self.to))
        return self


class Who(Written):
    """Whom it is for, in words; eligibility is never worked out (G6)."""

    age: Words | None = None
    household: Words | None = None
    area: Words | None = None
    note: Words | None = None


class Checked(Written):
    """When and by whom the facts were last confirmed（確認日）; None = 未確認."""

    on: Day | None = None
    by: Words | None = None


class Validity(Written):
    """From when until when (both included) the entry may be shown."""

    from_: Day | None = Field(default=None, alias="from")
    until: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ is not None and self.until is not None and self.until < self.from_:
            raise wrong("valid_order", "終わりの日が、始まりの日より前です", "from に始まりの日、until に終わりの日を書いてください。")
        return self


class Translation(Written):
    """What a card and its くわしく say, in one language; what is left out is said in Japanese or not at all."""

    name: Words | None = None
    summary: Words | None = None
    who: Words | None = None
    """As `who.note`."""
    how: Words | None = None


class Entry(Written):
    """One kind of help, as a town offers it. Only id, name and summary are needed."""

    id: Id
    name: Words
    kana: Words | None = None
    domain: Words | None = None
    kind: Kind | None = None
    topics: Annotated[tuple[Topic, ...], BeforeValidator(listed)] = ()
    """1–3 topics of the national form, weightiest first."""
    summary: Words
    keywords: Texts = ()
    examples: Texts = ()
    """Sentences as residents write them; each must find this entry."""
    not_for: Texts = ()
    """Sentences that look like this entry but belong elsewhere."""
    who: Who = Who()
    how: Words | None = None
    cost: Words | None = None
    bring: Texts = ()
    contacts: tuple[Contact, ...] = ()
    events: tuple[Event, ...] = ()
    law: Words | None = None
    provider: Texts = ()
    tags: Annotated[tuple[Tag, ...], BeforeValidator(listed)] = ()
    unverified: Texts = ()
    """Names of fields filled from general knowledge: shown as 未確認 or not at all."""
    checked: Checked = Checked()
    valid: Validity = Validity()
    translations: Mapping[Lang, Translation] = {}
    hidden: Truth = False

    def shown_on(self, day: date) -> bool:
        """Within its validity on that day, and not hidden."""
        begun = self.valid.from_ is None or self.valid.from_ <= day
        return not self.hidden and begun and (self.valid.until is None or day <= self.valid.until)

    @field_validator("unverified")
    @classmethod
    def _are_fields(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in cls.model_fields:
                hint = "how, cost, bring, who など、項目の名前を並べてください。"
                raise wrong("unverified", f"unverified の「{name}」という項目はありません", hint)
        return names


class Domain(Written):
    """A field of life under which services are grouped (domains.yaml)."""

    id: Words
    name: Words
    description: Words | None = None
    after_a_sign: Truth = False
    """Its cards accuse or frighten whoever told nothing of the kind: beside others they are shown only after a sign of it was given."""


def is_neighbour(said: str) -> bool:
    """A folder beside this one, and no way to anywhere else (R50)."""
    return re.fullmatch(r"\.\./[^/\\.\s][^/\\\s]*", said) is not None


def _layer_below(value: object) -> str:
    text = words(value)
    if text == "starter" or is_neighbour(text):
        return text
    hint = "全国の一覧なら starter、都道府県のフォルダーなら、となりに置いて ../okayama のように書いてください。"
    raise wrong("extends", f"「{text}」の上には重ねられません", hint)


class Town(Written):
    """The town and its desk (town.yaml; what it leaves out comes from the starter's town.yaml)."""

    name: Words
    desk_name: Words
    tel: Tel | None = None
    hours: AllHours = ()
    """When coordinators read; empty = not known."""
    closed: DaysLines = ()
    areas: Texts = ()
    """Names of districts residents know (D2c)."""
    neutral_site: Url
    """Where 「すぐ閉じる」 leads (R16)."""
    retention: Words
    """How long what was written is kept, in words (D1)."""
    languages: Annotated[tuple[Lang, ...], BeforeValidator(listed)] = ("ja",)
    """Offered to residents."""
    prefecture: Words | None = None
    extends: Annotated[str, BeforeValidator(_layer_below)] | None = None
    """What lies under it: the starter, or a prefecture's folder beside the town's own (`../okayama`), which itself lies over the starter."""
    shows_troubles: Truth = False
    """The public page わたしたちのまちの困りごと is there only where the town wants it."""
    sample: Truth = False
    """Everything is shown as 見本."""
