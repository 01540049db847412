"""What the town learns and what residents offer: outcomes, gaps, offers, counts."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from storage.tables.columns import key, ref, sealed, time, words


class Outcome(SQLModel, table=True):
    """What was shown or said of it, without a word of the resident: cards shown, right, wrong, better … (D2, D9)."""

    id: str = key()
    conversation_id: str | None = ref("conversation.id", default=None, index=True)
    kind: str = Field(max_length=16)
    detail: str = words()
    """JSON of ids and numbers only."""
    learned: str | None = Field(default=None, max_length=8)
    """What staff made of a worry that was not heard well (D15c): `example`, `entry`, `gap`, `nothing`; None = nobody has looked."""
    at: datetime = time()


class Gap(SQLModel, table=True):
    """A need that no service meets (制度の狭間), counted without the person."""

    id: str = key()
    reasons: str = words()
    """JSON list of reason words."""
    source: str = Field(default="bot", max_length=8)
    """Who told it: `bot`, `desk`, `referral`."""
    domain: str | None = Field(default=None, max_length=32)
    case_id: str | None = ref("care_case.id", default=None)
    wish_sealed: bytes | None = sealed(default=None)
    """あったら助かったもの, without the person: a coordinator's words (D14), or a few of whoever needed it (D5b)."""
    issue_id: str | None = ref("town_issue.id", default=None, index=True)
    at: datetime = time()


class TownIssue(SQLModel, table=True):
    """地域課題: what several gaps have in common, until something new in the town answers it. Written without any person."""

    __tablename__ = "town_issue"
    id: str = key()
    title: str = words()
    done: str = words(default="")
    """What was done so far, as residents may read it."""
    state: str = Field(default="found", max_length=10)
    """`found`, `working`, `answered` (`entry_id` is what came of it), `resting`."""
    entry_id: str | None = Field(default=None, max_length=80)
    """The entry of the town's knowledge that grew out of it; the link stays when the entry goes."""
    made_by: str = ref("staff.id")
    at: datetime = time()
    changed_at: datetime = time()
    version: int = 1


class Offer(SQLModel, table=True):
    """What a resident can give (D10); not visible from a case."""

    id: str = key()
    person_id: str = ref("person.id", index=True)
    conversation_id: str = ref("conversation.id")
    skill_sealed: bytes = sealed()
    when_sealed: bytes = sealed()
    until: datetime | None = time(default=None)
    at: datetime = time()


class HelpRequest(SQLModel, table=True):
    """One bounded thing that a group or the desk needs a hand for; written without any person, because helpers read it."""

    __tablename__ = "help_request"
    id: str = key()
    title: str = words()
    when: str = words(default="")
    place: str = words(default="")
    asked_by: str = words(default="")
    made_by: str = ref("staff.id")
    at: datetime = time()
    until: datetime = time()
    closed_at: datetime | None = time(default=None)


class Proposal(SQLModel, table=True):
    """What an organisation says it does (持ちより), until staff take it into the town's knowledge or say why not."""

    id: str = key()
    agency_id: str = ref("agency.id", index=True)
    fields: str = words()
    """JSON of an entry without its id."""
    state: str = Field(default="waiting", max_length=10)
    why: str = words(default="")
    entry_id: str | None = Field(default=None, max_length=80)
    made_by: str = ref("staff.id")
    decided_by: str | None = ref("staff.id", default=None)
    at: datetime = time()
    decided_at: datetime | None = time(default=None)


class Tally(SQLModel, table=True):
    """A count of a day without any person."""

    __tablename__ = "tally"
    day: str = Field(primary_key=True, max_length=10)
    name: str = Field(primary_key=True, max_length=40)
    count: int = 0


class ClosedMonth(SQLModel, table=True):
    """The counts of a month as they were when it was closed: figure → key → number."""

    __tablename__ = "closed_month"
    month: str = Field(primary_key=True, max_length=7)
    counts_sealed: bytes = sealed()
    closed_by: str = ref("staff.id")
    at: datetime = time()


class KnowledgeEdit(SQLModel, table=True):
    """One published change of a file of the town's knowledge, with the way back (D15)."""

    __tablename__ = "knowledge_edit"
    id: str = key()
    entry_id: str = Field(max_length=80, index=True)
    file: str = Field(max_length=240)
    """Below the town's folder."""
    before: str | None = words(default=None)
    after: str = words()
    staff_id: str = ref("staff.id")
    why: str = Field(default="", max_length=200)
    at: datetime = time()
    undone_at: datetime | None = time(default=None)


class KnowledgeProposal(SQLModel, table=True):
    """A change of a file that waits for a second person (desk.md §4): always for danger sentences, else where somebody asks for it."""

    __tablename__ = "knowledge_proposal"
    id: str = key()
    entry_id: str = Field(max_length=80)
    """`danger` for the town's danger sentences."""
    file: str = Field(max_length=240)
    """Below the town's folder."""
    before: str | None = words(default=None)
    after: str = words()
    staff_id: str = ref("staff.id")
    why: str = Field(default="", max_length=200)
    at: datetime = time()
    decided_by: str | None = ref("staff.id", default=None)
    decided_at: datetime | None = time(default=None)
    published: bool = False
