"""What /api/v1 takes and gives: exactly these fields, nothing dumped whole (R24). Unknown fields of a body are left alone."""

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.config import JsonDict

from bot.desk.acts import LONGEST_REPLY
from storage.desk_cases import CaseFile, CloseReason
from storage.desk_queue import QueueRow, State
from storage.referrals import Basis, ReferralState, ResidentSays, Shown

_INK = r"\S"
"""Something that can be read: the description says so too."""
_LAST_DAY = date(2200, 1, 1)
_Item = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=_INK)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_REPLY, pattern=_INK)]


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Problem(Shape):
    """Every error: a stable word, and a sentence for people."""

    error: str
    message: str


class CaseFilter(BaseModel):
    """Which cases are asked for. A misspelt filter is an error: left alone, it would answer with every case (422)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: State | None = None
    limit: int = Field(default=100, ge=1, le=500)
    skip: int = Field(default=0, ge=0, le=20_000, description="So many of the cases asked for are left out at the beginning")
    since: AwareDatetime | None = Field(default=None, description="Only cases in which something happened at this time or later")


class CaseLine(Shape):
    """One case in a list. `title` is null where the case is restricted, or a danger that nobody has taken yet."""

    code: str
    state: State
    urgency: int = Field(ge=0, le=3, description="0 none, 1 unclear, 2 crisis told, 3 life in danger")
    restricted: bool
    title: str | None
    topics: list[str]
    channel: str
    coordinator: str | None
    promise_at: datetime | None
    next_contact_at: datetime | None
    opened_at: datetime
    waits_for_answer: bool


class Cases(Shape):
    cases: list[CaseLine]
    more: bool = Field(description="There are cases behind these: ask again with a larger `skip`")


class TalkLine(Shape):
    """One line of the talk. `body` is null where it was taken back."""

    seq: int
    author: Literal["resident", "bot", "staff"]
    kind: str
    at: datetime
    body: str | None = Field(description='JSON: {"text"} of people, {"bubbles", "buttons"} of the bot')
    danger_level: str
    delivery: str | None


class SheetEntry(Shape):
    about: str
    text: str
    source: Literal["said", "inferred", "confirmed"]
    seqs: list[int] = Field(description="Numbers of the lines it came from")


class CaseWhole(CaseLine):
    """One case, whole. `version` must be sent back by acts that write."""

    version: int
    reason: str
    hidden_address: bool
    reachable: bool
    closed_at: datetime | None
    close_reason: str | None
    lines: list[TalkLine]
    sheet: list[SheetEntry]
    notes: list[str]


class Statistics(Shape):
    waiting: int
    held: int
    returned: int
    closed: int
    opened: int


class Done(Shape):
    """What stands after an act."""

    code: str
    state: State
    version: int


class Claim(Shape):
    instead_of_other: bool = False


class ReplyWords(Shape):
    text: Words
    expected_version: int
    safe_now: bool = Field(default=False, description="Hidden address: the person named this time as safe")


class NoteWords(Shape):
    text: Words


class HandBack(Shape):
    """The coordinator's last sentence; empty = nothing is said to the resident."""

    expected_version: int
    sentence: str = Field(default="", max_length=LONGEST_REPLY)
    next_contact_at: AwareDatetime | None = None


class ReferralWish(Shape):
    """つなぐ: these items, on one lawful ground: a consent by its id, a 支援会議 by its id, or a danger in words."""

    recipient: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=_INK)]
    purpose: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400, pattern=_INK)]
    items: list[_Item] = Field(min_length=1, max_length=40)
    basis: Basis
    consent_id: str | None = Field(default=None, max_length=32, pattern="^[0-9a-f]*$")
    meeting_id: str | None = Field(default=None, max_length=32, pattern="^[0-9a-f]*$")
    danger: str = Field(default="", max_length=400)
    until: Annotated[date, AfterValidator(lambda day: min(day, _LAST_DAY))]


class ReferralLine(Shape):
    """One referral of a case; `needs_check`: 8 working days without a word."""

    id: str
    recipient: str
    purpose: str
    basis: Basis
    items: list[str]
    state: ReferralState
    asked_at: datetime
    due_at: datetime
    until: datetime
    needs_check: bool
    resident_says: ResidentSays | None


class Referrals(Shape):
    referrals: list[ReferralLine]


_CONTACT: JsonDict = {"required": ["next_contact_at"], "properties": {"next_contact_at": {"type": "string"}, "no_next_contact": {"const": False}}}
_NO_CONTACT: JsonDict = {"required": ["no_next_contact"], "properties": {"next_contact_at": {"type": "null"}, "no_next_contact": {"const": True}}}


class Close(HandBack):
    """`next_contact_at`, or `no_next_contact` stated (D14)."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [_CONTACT, _NO_CONTACT]})

    reason: CloseReason
    no_next_contact: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.next_contact_at is None) != self.no_next_contact:
            raise ValueError("next_contact_at or no_next_contact")
        return self


def referral_of(one: Shown, now: datetime) -> ReferralLine:
    return ReferralLine(
        id=one.id, recipient=one.recipient, purpose=one.purpose, basis=one.basis, items=list(one.items), state=one.state, asked_at=one.asked_at,
        due_at=one.due_at, until=one.until, needs_check=one.state == "asked" and one.due_at <= now, resident_says=one.resident_says,
    )  # fmt: skip


def line_of(row: QueueRow) -> CaseLine:
    return CaseLine(
        code=row.code, state=row.state, urgency=row.urgency, restricted=row.restricted, title=None if row.shut else row.title,
        topics=list(row.topics), channel=row.channel, coordinator=row.coordinator, promise_at=row.promise_at, next_contact_at=row.next_contact_at,
        opened_at=row.opened_at, waits_for_answer=row.resident_wrote_last,
    )  # fmt: skip


def whole_of(file: CaseFile) -> CaseWhole:
    numbers = {line.id: line.seq for line in file.lines}
    people = [line for line in file.lines if line.author in ("resident", "staff")]
    lines = [
        TalkLine(
            seq=line.seq, author=line.author, kind=line.kind, at=line.at, body=line.body, danger_level=line.danger_level,
            delivery=file.deliveries.get(line.id),
        )
        for line in file.lines
    ]  # fmt: skip
    sheet = [
        SheetEntry(about=line["about"], text=line["text"], source=line["source"], seqs=[numbers[ref] for ref in line["refs"] if ref in numbers])
        for line in file.sheet
    ]
    return CaseWhole(
        code=file.code, state=file.state, urgency=file.urgency, restricted=file.restricted, title=file.title, topics=list(file.topics),
        channel=file.channel, coordinator=file.coordinator, promise_at=file.promise_at, next_contact_at=file.next_contact_at,
        opened_at=file.opened_at, waits_for_answer=bool(people) and people[-1].author == "resident", version=file.version, reason=file.reason,
        hidden_address=file.hidden_address, reachable=file.reachable, closed_at=file.closed_at, close_reason=file.close_reason, lines=lines,
        sheet=sheet, notes=[note.text for note in file.notes],
    )  # fmt: skip
