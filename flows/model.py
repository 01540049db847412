"""The words between a resident and the flows: values only.

Everything here is frozen and plain JSON. Flows take an `Utterance`, a `Session` and a `Scene`, and give back a `Turn`; they import no clock, no
storage, no channel. What must happen in the world is an `Effect`, carried out by the reception in the same transaction (design.md §2).
"""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from knowledge.hearing.model import NO_DANGER, Danger, DangerKind, Lang, Level, Value

ChannelName = Literal["line", "telegram", "web", "terminal"]

# ---------------------------------------------------------------- what a resident does


class Part(Value):
    """One message of a burst, as it was written. `ref` is the stored message it came from (I8)."""

    ref: str
    text: str


class Utterance(Value):
    """What a resident did, after settling: one or several texts written in a row, or one other act.

    `button` is the payload of a pressed button, exactly as we sent it. `danger` is what the reception heard in these words already; it is the
    highest of the parts and of the parts together.
    """

    kind: Literal["text", "button", "sticker", "media", "location", "follow"] = "text"
    parts: tuple[Part, ...] = ()
    button: str | None = None
    media: Literal["image", "audio", "video", "file"] | None = None
    sticker_ok: bool = False
    """The sticker belongs to the known set that means yes (D13); never a consent."""
    danger: Danger = NO_DANGER

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.parts)

    @property
    def refs(self) -> tuple[str, ...]:
        return tuple(part.ref for part in self.parts)


class GivenConsent(Value):
    """One consent that holds now, as D11 lists it: to whom, for what."""

    id: str
    """≤ 48 ASCII characters: it rides in a button."""
    recipient: str
    purpose: str
    until: date | None = None
    """None: until it is taken back."""


class Kept(Value):
    """What is stored of this talk, in counts only (D11): the content is never shown in the chat."""

    messages: int
    last_on: date | None = None
    consents: tuple[GivenConsent, ...] = ()


class Receipt(Value):
    """What a receipt that was just written leads to (D11)."""

    code: str
    asked_on: date | None = None
    """None: no erasure has this receipt."""
    done: bool = False
    """The last trace is gone; False: the words are, the rest goes by the promised day."""


class Wanted(Value):
    """A bounded thing for which a hand is looked for (D10); it names no person."""

    title: str
    when: str = ""


class Scene(Value):
    """What is so at this moment, brought in from outside so that a turn can be replayed (I1)."""

    now: datetime
    """Aware, Asia/Tokyo."""
    channel: ChannelName = "web"
    waiting: int = 0
    """How many people wait for a coordinator now (D8 says the number)."""
    staffed: bool = True
    """At least one coordinator account can be alarmed now: only then may 「知らせました」 be said (D6)."""
    on_call: bool = False
    """Somebody of the 当番表 is called at once, also while the desk is closed."""
    open_case: str | None = None
    """Public code of this conversation's open case, if there is one (I6)."""
    reply_minutes: int = 120
    """How soon a coordinator promises to answer in opening hours."""
    room: bool = False
    """A private room on our own page can be opened from here (R14)."""
    kept: Kept | None = None
    """For 「わたしの情報を見せて」 (D11); None = not counted, then the desk shows it."""
    wanted: tuple[Wanted, ...] = ()
    """What hands are looked for now; filled only while somebody offers theirs."""
    receipt: Receipt | None = None
    """What the receipt written in this message leads to; None when none is written."""


# ---------------------------------------------------------------- what the bot says


class Button(Value):
    """A button. `value` is what the step understands; the engine turns it into a payload that names its question.

    label ≤ 12 characters (G3). `url` or `tel` make it a link instead of an answer.
    """

    label: str
    value: str = ""
    url: str | None = None
    tel: str | None = None


class Card(Value):
    """A service card, ready to read: every line is already worded in the resident's language (G6, G8).

    Channels lay it out; they add nothing to it.
    """

    id: str
    title: str
    reason: str
    lines: tuple[str, ...]
    """provider and price, opening now or next, telephone with its hours, 確認日; each ≤ 80 characters."""
    buttons: tuple[Button, ...] = ()
    """call, map, details: not counted among the four reply buttons."""


class Reply(Value):
    """One bubble: a text (≤ 80 characters, G2), or cards under it."""

    text: str = ""
    cards: tuple[Card, ...] = ()
    key: str = ""
    """Phrase key it came from; for tests and staff, never shown."""


# ---------------------------------------------------------------- what is remembered


class Choice(Value):
    """An answer that is valid now: pressed, or typed as its number, label, or part of it (G3)."""

    value: str
    label: str


class Said(Value):
    """Words of the resident with where they came from (I8)."""

    text: str
    ref: str | None = None


class SheetLine(Value):
    """One line of the hand-off sheet: what, how sure, and which messages it came from (I8)."""

    about: Literal["worry", "urgent", "need", "household", "tried", "shown", "danger", "wish", "note"]
    text: str
    source: Literal["said", "inferred", "confirmed"] = "said"
    refs: tuple[str, ...] = ()


class Session(Value):
    """Where a talk stands: stored as JSON with its version, readable after any update of the flows (I7)."""

    version: int = 1
    flow: str = "consult"
    step: str = "start"
    """Where the talk waits: the name of a step function's answer, `flow.step` together are looked up in the engine's table."""
    ask: int = 0
    """Number of the question now open. Buttons carry it, so that a button of a past day is known as old (D13)."""
    choices: tuple[Choice, ...] = ()
    last_keys: tuple[str, ...] = ()
    """Phrase keys of the last turn: the same sentence never comes twice running (G10)."""
    lang: Lang = "ja"
    lang_offered: bool = False
    consented: int | None = None
    """Version of the explanation agreed to (D1); None = not yet."""
    story: tuple[Said, ...] = ()
    """All the resident said about the worry, oldest first; nobody tells it twice (G11)."""
    held: bool = False
    """The story was written before consent and is held (D1b)."""
    misses: int = 0
    questions: int = 0
    """Clarifying questions asked for this worry (≤ 2, G5)."""
    area: str | None = None
    whose: Literal["self", "parent", "child", "family", "other"] | None = None
    domain: str | None = None
    needs: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    """Ids of cards shown for this worry."""
    tried: tuple[str, ...] = ()
    """What was tried or refused, in the resident's words or as entry ids (D2d, D5)."""
    gap_reasons: tuple[str, ...] = ()
    sheet: tuple[SheetLine, ...] = ()
    """The summary under read-back (D5)."""
    danger: Danger = NO_DANGER
    """The highest danger heard in this talk so far."""
    notes: dict[str, str] = {}
    """Small facts of one flow (which crisis question is open, what is being mended); keys belong to the flow that wrote them."""
    back: tuple[str, ...] = ()
    """JSON of earlier sessions for もどる, newest last, at most six."""
    last_at: datetime | None = None


# ---------------------------------------------------------------- what must happen in the world


class RecordConsent(Value):
    """D1, D5, D8, D9. `items` says what may be shared, `days` until when; None = until withdrawn."""

    effect: Literal["record_consent"] = "record_consent"
    purpose: Literal["consult", "handoff", "follow_up", "report", "offer"]
    recipient: str
    items: tuple[str, ...] = ()
    days: int | None = None
    version: int = 1


class ForgetWords(Value):
    """D1b [やめる]: erase the bodies of these messages now; the rows stay as counts."""

    effect: Literal["forget_words"] = "forget_words"
    refs: tuple[str, ...]


class Relative(Value):
    """Somebody of the home, as the resident named them (D4): for the desk's 世帯."""

    relation: str
    """父, 妻, 本人 …"""
    age: int | None = None
    ref: str | None = None


class OpenCase(Value):
    """D5, D6, D8: a human takes over. Opens the case, or adds to the open one and can only raise its urgency (I6)."""

    effect: Literal["open_case"] = "open_case"
    level: Level = "L0"
    reason: Literal["asked_human", "nothing_fits", "entangled", "danger", "unclear", "failure", "third_person", "follow_up", "returned"]
    sheet: tuple[SheetLine, ...] = ()
    share_story: bool = True
    """False after [渡さない] (D8): the coordinator sees only what is written from now on, and that the resident wished so."""
    promise_at: datetime | None = None
    """When a human will have read or answered; exactly what the resident was told."""
    gap_reasons: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    household: tuple[Relative, ...] = ()
    """Who lives in the home, told and not asked; empty where the story is not shared."""
    restricted: bool = False
    """Title and topic stay masked until opened (D6d)."""
    take_over: bool = True
    """The human owns the talk from now on and the bot is silent (I3). False: a case beside a talk the bot still leads (L2 outside hours)."""


class RaiseAlarm(Value):
    """D6: rings the desk within 5 s. Written before the answer goes out."""

    effect: Literal["raise_alarm"] = "raise_alarm"
    level: Level
    kinds: tuple[DangerKind, ...]
    rule: str | None
    refs: tuple[str, ...] = ()


class SuggestHiddenAddress(Value):
    """D6d: nothing is pushed unasked any more; staff see the mark."""

    effect: Literal["hidden_address"] = "hidden_address"


class ScheduleFollowUp(Value):
    """D9: one neutral question later, because the resident said yes."""

    effect: Literal["schedule_follow_up"] = "schedule_follow_up"
    kind: Literal["how_are_you", "open_tomorrow"] = "how_are_you"
    at: datetime


class StopFollowUps(Value):
    """D9 もういらない, D6d."""

    effect: Literal["stop_follow_ups"] = "stop_follow_ups"


class RecordMatch(Value):
    """D2: which cards were shown for which decision, for the list of what could not be answered. No words of the resident."""

    effect: Literal["record_match"] = "record_match"
    cards: tuple[str, ...]
    score: float
    decision: str
    knowledge: str


class RecordOutcome(Value):
    """D2, D9: what the resident said of the cards or of the weeks after."""

    effect: Literal["record_outcome"] = "record_outcome"
    outcome: Literal["right", "wrong", "been_there", "better", "same", "could_not_go", "no_more"]
    cards: tuple[str, ...] = ()


class RecordGap(Value):
    """D5b, D9: an unmet need, counted without the person."""

    effect: Literal["record_gap"] = "record_gap"
    reasons: tuple[str, ...]
    domain: str | None = None


class RecordWish(Value):
    """D5b: what would have helped, in a few words of the resident; counted beside such a gap, and nothing says whose words they are.

    wish ≤ 60 letters, no number in it.
    """

    effect: Literal["record_wish"] = "record_wish"
    wish: str
    reasons: tuple[str, ...]
    domain: str | None = None


class RecordOffer(Value):
    """D10: what a resident can give, apart from any case."""

    effect: Literal["record_offer"] = "record_offer"
    skill: str
    when: str = ""


class AnswerRenewal(Value):
    """D10: the person's offers go on for another half year, or end now with the consent to them."""

    effect: Literal["answer_renewal"] = "answer_renewal"
    goes_on: bool


class ReportThirdPerson(Value):
    """D7: somebody worries about another person; basis life and body, reporter hidden."""

    effect: Literal["report_third_person"] = "report_third_person"
    where: str
    seen: str


class Erase(Value):
    """D11: forget this conversation; the receipt was already said."""

    effect: Literal["erase"] = "erase"
    receipt: str


class WithdrawConsent(Value):
    """D11: one consent, by its id as listed."""

    effect: Literal["withdraw_consent"] = "withdraw_consent"
    consent: str


class Count(Value):
    """A plain count without a person (refused consent, spam, noise)."""

    effect: Literal["count"] = "count"
    name: str


class TellLead(Value):
    """D13: something the person in charge should know of, such as a threat to staff. A task without any words."""

    effect: Literal["tell_lead"] = "tell_lead"
    about: Literal["threat"]


Effect = Annotated[
    RecordConsent | ForgetWords | OpenCase | RaiseAlarm | SuggestHiddenAddress | ScheduleFollowUp | StopFollowUps | RecordMatch | RecordOutcome
    | RecordGap | RecordWish | RecordOffer | AnswerRenewal | ReportThirdPerson | Erase | WithdrawConsent | Count | TellLead,
    Field(discriminator="effect"),
]  # fmt: skip


class Turn(Value):
    """One turn of the talk: what is said (≤ 3 bubbles, one question), what must happen, where the talk stands after it.

    `ends_as` is how every message of this turn ends (I4).
    """

    session: Session
    replies: tuple[Reply, ...] = ()
    buttons: tuple[Button, ...] = ()
    """Reply buttons under the last bubble (≤ 4, G3); `value` already is the payload."""
    effects: tuple[Effect, ...] = ()
    ends_as: Literal["answered", "queued", "acknowledged", "noise"] = "answered"
