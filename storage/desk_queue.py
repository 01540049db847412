"""What the desk sees before a case is opened: the queue, its counts, ringing alarms, tasks. Every query goes through `in_scope` (R18).

Rows marked 閲覧制限, and dangers nobody has taken yet, leave here without topic, title or name: they are not even unsealed (desk.md §2).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update
from sqlmodel import Session

from storage import audit, case_cells, records
from storage.dialect import table
from storage.sealing import unseal
from storage.staff import Role
from storage.tables import Alarm, Audit, Case, Conversation, Message, Plan, Referral, ShutOut, Staff, Task
from storage.talk import scope_of

_K, _C, _M, _S, _L, _T = table(Case), table(Conversation), table(Message), table(Staff), table(Alarm), table(Task)
_R, _P, _O, _A = table(Referral), table(Plan), table(ShutOut), table(Audit)

State = Literal["waiting", "held", "returned", "closed"]
View = Literal["open", "mine", "unanswered", "today", "due", "quiet", "closed"]
"""すべて, わたしの, 返事待ち, きょうの約束, 期日が近い, 連絡なし8日以上, 終わり."""
VIEWS: tuple[View, ...] = get_args(View)
Order = Literal["urgent", "newest", "written", "contact"]
"""急ぐ順, 新しい相談から, 書きこみの新しい順, 次の連絡の早い順."""
ORDERS: tuple[Order, ...] = get_args(Order)
SECOND_NAME = "second_name"
"""The kind of task that only a confirmation ends (storage/second_name.py)."""
NOBODY = "nobody"
"""受け持ち: まだいない."""
NO_CASE = ""
"""Stands for the code where something belongs to no case."""
_DANGER = 2
"""Urgency from which a line is shut until somebody takes it: the screen may face the counter (desk.md §2)."""
_QUIET = timedelta(days=8)
_DUE = timedelta(days=3)
_SEARCHED = 20_000
"""Cases of each kind a search looks through; titles are sealed, so each is opened (R39)."""
READS_CASES: frozenset[Role] = frozenset({"coordinator", "lead"})
"""Administrators manage accounts, not content; editors mend the knowledge; agencies see only what was shared with them (R17, R20, R21)."""


@dataclass(frozen=True)
class Viewer:
    """Who looks: decides what is seen, and stands in the audit. `actor` is `staff:<id>` or `token:<short hash>`."""

    staff_id: str
    name: str
    role: Role
    actor: str
    let_in: frozenset[str] = frozenset()
    """Residents whose cases an emergency opens to them now (R21)."""


@dataclass(frozen=True)
class Sieve:
    """What a reader narrows the queue to; empty = everything. `coordinator`: a member's id, or `NOBODY`.

    Topics are sealed, so rows are opened before they are compared; a row that is shut has none and falls through.
    """

    topic: str = ""
    channel: str = ""
    coordinator: str = ""
    order: Order = "urgent"
    state: State | None = None
    since: datetime | None = None
    """Only cases opened, written in, taken, first answered or closed at this time or later."""


@dataclass(frozen=True)
class QueueRow:
    """One line of the queue. `title` and `topics` are empty when it is shut: restricted, or a danger that nobody has taken yet."""

    code: str
    state: State
    urgency: int
    restricted: bool
    title: str
    topics: tuple[str, ...]
    channel: str
    coordinator_id: str | None
    coordinator: str | None
    promise_at: datetime | None
    next_contact_at: datetime | None
    opened_at: datetime
    last_at: datetime
    resident_wrote_last: bool
    unread: bool
    shut: bool
    version: int
    """Of the case: acts on several rows at once carry it back (R23)."""


@dataclass(frozen=True)
class Counts:
    """The figures on top of the queue."""

    waiting: int
    held: int
    open: int
    mine: int
    unanswered: int
    today: int
    due: int
    quiet: int


@dataclass(frozen=True)
class Ringing:
    """An alarm nobody has taken, as the banner shows it: no word of what was said (R12)."""

    id: str
    level: str
    raised_at: datetime
    code: str | None
    """Case it belongs to; None when the bot still leads and no case is open."""
    coordinator_id: str | None
    coordinator: str | None


@dataclass(frozen=True)
class OpenTask:
    """Something to see to. `note` is opened only where the task list itself is read."""

    id: str
    kind: str
    code: str | None
    due_at: datetime | None
    created_at: datetime
    note: dict[str, str] | None


def may_read_cases(viewer: Viewer) -> bool:
    return viewer.role in READS_CASES or bool(viewer.let_in)


def in_scope(viewer: Viewer, person: ColumnElement[str] = _K.c.person_id) -> ColumnElement[bool]:
    """The one condition under which this viewer may know that a case exists. `person`: whose it is; a row of nobody's is everybody's.

    Somebody shut out finds nothing of that resident, unless an emergency lets them in (R21).
    """
    let_in = person.in_(sorted(viewer.let_in))
    if viewer.role not in READS_CASES:
        return let_in
    shut = select(_O.c.id).where(_O.c.person_id == person, _O.c.staff_id == viewer.staff_id, _O.c.lifted_at.is_(None))
    return or_(~shut.exists(), let_in)


def person_behind(conversation: ColumnElement[str]) -> Any:
    """Whose talk this is."""
    return select(_C.c.person_id).where(_C.c.id == conversation).scalar_subquery()


# ---------------------------------------------------------------- the queue


def queue(
    session: Session, viewer: Viewer, now: datetime, *, view: View = "open", day_ends: datetime | None = None, sieve: Sieve | None = None,
    skip: int = 0, limit: int = 500,
) -> list[QueueRow]:  # fmt: skip
    """Rows of a view, most dangerous first, then by promised time (desk.md §2). `day_ends` bounds きょう; without it, 24 hours.

    Each line holds a resident's own words, so the reading stands in the audit (R43).
    """
    found = _rows(session, viewer, now, view, day_ends or now + timedelta(days=1), sieve or Sieve(), skip=skip, limit=limit)
    audit.note(session, actor=viewer.actor, act="queue.read", now=now, view=view, count=len(found))
    return found


def _rows(
    session: Session, viewer: Viewer, now: datetime, view: View, day_ends: datetime, sieve: Sieve, *, skip: int = 0, limit: int
) -> list[QueueRow]:  # fmt: skip
    query = (
        select(
            _K, _C.c.channel, _C.c.last_at, _C.c.last_seq, _C.c.read_seq, _S.c.name.label("coordinator_name"),
            _last_author().label("last_author"),
        )
        .join(_C, _C.c.id == _K.c.conversation_id).outerjoin(_S, _S.c.id == _K.c.coordinator_id)
        .where(in_scope(viewer), _of_view(view, viewer, now, day_ends), *_through(sieve))
    )  # fmt: skip
    query = query.order_by(_K.c.closed_at.desc()) if view == "closed" else query.order_by(*_order(sieve.order))
    if not sieve.topic:
        return [_queue_row(session, row, now) for row in session.execute(query.offset(skip).limit(limit))]
    opened = (_queue_row(session, row, now) for row in session.execute(query.limit(_SEARCHED)))
    return list(islice((row for row in opened if sieve.topic in row.topics), skip, skip + limit))


def counts(session: Session, viewer: Viewer, now: datetime, day_ends: datetime) -> Counts:
    """How many rows each view has."""

    def of(view: View) -> Any:
        return func.coalesce(func.sum(case((_of_view(view, viewer, now, day_ends), 1), else_=0)), 0).label(view)

    def state(name: State) -> Any:
        return func.coalesce(func.sum(case((_K.c.state == name, 1), else_=0)), 0).label(name)

    columns = (state("waiting"), state("held"), of("open"), of("mine"), of("unanswered"), of("today"), of("due"), of("quiet"))
    query = select(*columns).select_from(_K).join(_C, _C.c.id == _K.c.conversation_id).where(in_scope(viewer), _K.c.state != "closed")
    row = session.execute(query).one()
    return Counts(row.waiting, row.held, row.open, row.mine, row.unanswered, row.today, row.due, row.quiet)


def pulse(session: Session, viewer: Viewer) -> list[tuple[str, str, int, str, bool]]:
    """Code, state, urgency, coordinator and unread of every open case: enough to tell an open page that its list is old, nothing unsealed."""
    query = (
        select(_K.c.code, _K.c.state, _K.c.urgency, _S.c.name, (_C.c.last_seq > _C.c.read_seq).label("unread"))
        .join(_C, _C.c.id == _K.c.conversation_id).outerjoin(_S, _S.c.id == _K.c.coordinator_id)
        .where(in_scope(viewer), _K.c.state != "closed").order_by(*_order())
    )  # fmt: skip
    return [(row.code, row.state, row.urgency, row.name or "", bool(row.unread)) for row in session.execute(query)]


def taken_back(session: Session, viewer: Viewer, after: int) -> tuple[int, list[str]]:
    """Codes of cases that lost words since row `after` of the audit, because their resident took them back (R8), and the row looked up to.
    `NO_CASE` where they were words of no case: an offer, a report."""
    newest, _ = audit.head(session)
    news = (_A.c.seq > after, _A.c.seq <= newest, _A.c.act == audit.TAKEN_BACK)
    codes = set(session.execute(select(_K.c.code).join(_A, _A.c.case_id == _K.c.id).where(*news, in_scope(viewer))).scalars())
    if viewer.role != "agency" and session.execute(select(_A.c.seq).where(*news, _A.c.case_id.is_(None)).limit(1)).first() is not None:
        codes.add(NO_CASE)
    return newest, sorted(codes)


def next_promise(session: Session, viewer: Viewer, now: datetime) -> datetime | None:
    """The nearest time at which somebody expects a word of us; None when nobody does."""
    soonest = (select(func.min(column)).where(in_scope(viewer), column >= now) for column in (_K.c.promise_at, _K.c.next_contact_at))
    times = (session.execute(query).scalar() for query in soonest)
    return min((at for at in times if at is not None), default=None)


def first_waiting(session: Session, viewer: Viewer) -> str | None:
    """Code of the case that should be taken next, so that hard ones are not left for others."""
    query = select(_K.c.code).where(in_scope(viewer), _K.c.state == "waiting").order_by(*_order()).limit(1)
    return session.execute(query).scalar()


def search(session: Session, viewer: Viewer, words: str, now: datetime) -> list[QueueRow]:
    """Cases whose code is `words`, or whose line in the queue contains them. Those that are shut are found by their code only.

    That somebody searched, and how many cases they found, stands in the audit: this is how prying begins (R43).
    """
    wanted = words.strip().casefold()
    if not wanted:
        return []
    views: tuple[View, ...] = ("open", "closed")
    rows = [row for view in views for row in _rows(session, viewer, now, view, now, Sieve(), limit=_SEARCHED)]
    found = [row for row in rows if row.code.casefold() == wanted or (not row.shut and wanted in row.title.casefold())]
    audit.note(session, actor=viewer.actor, act="cases.searched", now=now, count=len(found))
    return found


def statistics(session: Session, viewer: Viewer) -> dict[str, int]:
    """Plain counts: by state, opened and closed so far."""
    found: dict[str, int] = dict.fromkeys(("waiting", "held", "returned", "closed"), 0)
    for row in session.execute(select(_K.c.state, func.count().label("many")).where(in_scope(viewer)).group_by(_K.c.state)):
        found[row.state] = row.many
    return {**found, "opened": sum(found.values())}


def _through(sieve: Sieve) -> list[ColumnElement[bool]]:
    wanted = []
    if sieve.channel:
        wanted.append(_C.c.channel == sieve.channel)
    if sieve.coordinator:
        nobody = or_(_K.c.coordinator_id.is_(None), _K.c.state != "held")
        wanted.append(nobody if sieve.coordinator == NOBODY else _K.c.coordinator_id == sieve.coordinator)
    if sieve.state:
        wanted.append(_K.c.state == sieve.state)
    if sieve.since:
        happened = (_K.c.opened_at, _C.c.last_at, _K.c.claimed_at, _K.c.first_reply_at, _K.c.closed_at)
        wanted.append(or_(*(column >= sieve.since for column in happened)))
    return wanted


def _order(wanted: Order = "urgent") -> tuple[Any, ...]:
    """(danger, promised time); what the bot leads again comes last, and a missing promise after every real one. Or as the reader wants it."""
    match wanted:
        case "newest":
            return _K.c.opened_at.desc(), _K.c.id
        case "written":
            return _C.c.last_at.desc(), _K.c.id
        case "contact":
            return case((_K.c.next_contact_at.is_(None), 1), else_=0), _K.c.next_contact_at, _K.c.opened_at, _K.c.id
        case "urgent":
            pass
    return (
        case((_K.c.state == "returned", 1), else_=0), _K.c.urgency.desc(), case((_K.c.promise_at.is_(None), 1), else_=0), _K.c.promise_at,
        _K.c.opened_at, _K.c.id,
    )  # fmt: skip


def _of_view(view: View, viewer: Viewer, now: datetime, day_ends: datetime) -> ColumnElement[bool]:
    is_open = _K.c.state != "closed"
    match view:
        case "open":
            return is_open
        case "mine":
            return and_(is_open, _K.c.coordinator_id == viewer.staff_id)
        case "unanswered":
            return and_(_K.c.state.in_(("waiting", "held")), _last_author() == "resident")
        case "today":
            return and_(is_open, or_(_K.c.promise_at < day_ends, _K.c.next_contact_at < day_ends))
        case "due":
            silent = select(_R.c.id).where(_R.c.case_id == _K.c.id, _R.c.state == "asked", _R.c.due_at < now + _DUE).exists()
            review = select(_P.c.id).where(_P.c.case_id == _K.c.id, _P.c.review_on < (now + _DUE).date().isoformat()).exists()
            return and_(is_open, or_(_K.c.next_contact_at < now + _DUE, silent, review))
        case "quiet":
            return and_(is_open, _C.c.last_at < now - _QUIET)
        case "closed":
            return _K.c.state == "closed"


def _last_author() -> Any:
    """Who wrote last of the two people; walks the unique index of lines from its end."""
    line = _M.alias("line")
    return (
        select(line.c.author).where(line.c.conversation_id == _K.c.conversation_id, line.c.author.in_(("resident", "staff")))
        .order_by(line.c.seq.desc()).limit(1).correlate(_K).scalar_subquery()
    )  # fmt: skip


def _queue_row(session: Session, row: Any, now: datetime) -> QueueRow:
    shut = row.restricted or (row.urgency >= _DANGER and row.coordinator_id is None)
    title, topics = ("", ()) if shut else case_cells.in_queue(session, row, now)
    return QueueRow(
        row.code, row.state, row.urgency, row.restricted, title, topics, row.channel, row.coordinator_id, row.coordinator_name, row.promise_at,
        row.next_contact_at, row.opened_at, row.last_at, row.last_author == "resident",
        row.last_seq > row.read_seq, shut, row.version,
    )  # fmt: skip


# ---------------------------------------------------------------- alarms and tasks


def ringing(session: Session, viewer: Viewer) -> list[Ringing]:
    """Alarms nobody took, most dangerous first, then oldest, with the open case of their talk."""
    query = (
        select(_L.c.id, _L.c.level, _L.c.raised_at, _K.c.code, _K.c.coordinator_id, _S.c.name)
        .outerjoin(_K, and_(_K.c.conversation_id == _L.c.conversation_id, _K.c.state != "closed"))
        .outerjoin(_S, _S.c.id == _K.c.coordinator_id)
        .where(in_scope(viewer, person_behind(_L.c.conversation_id)), _L.c.acknowledged_at.is_(None)).order_by(_L.c.level.desc(), _L.c.raised_at)
    )  # fmt: skip
    return [Ringing(row.id, row.level, row.raised_at, row.code, row.coordinator_id, row.name) for row in session.execute(query)]


def tasks(session: Session, viewer: Viewer, now: datetime) -> list[OpenTask]:
    """Open tasks with their notes, by due time. Notes may hold a resident's words, so reading the list is audited."""
    is_open = _K.c.state != "closed"
    query = (
        select(_T, _K.c.code)
        .outerjoin(_K, or_(_K.c.id == _T.c.case_id, and_(_T.c.case_id.is_(None), _K.c.conversation_id == _T.c.conversation_id, is_open)))
        .where(in_scope(viewer, person_behind(_T.c.conversation_id)), _T.c.done_at.is_(None))
        .order_by(case((_T.c.due_at.is_(None), 1), else_=0), _T.c.due_at, _T.c.created_at)
    )
    found = [OpenTask(row.id, row.kind, row.code, row.due_at, row.created_at, _note(session, row)) for row in session.execute(query)]
    audit.note(session, actor=viewer.actor, act="tasks.read", now=now, count=len(found))
    return found


def task_count(session: Session, viewer: Viewer) -> int:
    may_know = in_scope(viewer, person_behind(_T.c.conversation_id))
    found: int = session.execute(select(func.count()).select_from(_T).where(may_know, _T.c.done_at.is_(None))).scalar_one()
    return found


def finish_task(session: Session, viewer: Viewer, task_id: str, now: datetime) -> bool:
    """A member of staff has seen to it; False when it is not there, done already, or waits for a second name."""
    is_theirs = in_scope(viewer, person_behind(_T.c.conversation_id))
    done = update(_T).where(is_theirs, _T.c.id == task_id, _T.c.kind != SECOND_NAME, _T.c.done_at.is_(None)).values(done_at=now)
    if not session.execute(done).rowcount:  # type: ignore[attr-defined]
        return False
    audit.note(session, actor=viewer.actor, act="task.done", now=now, task=task_id)
    return True


def _note(session: Session, row: Any) -> dict[str, str] | None:
    """Where and what of a third-person report (D7), the receipt of an erasure (D11); None where there is no note."""
    if row.note_sealed is None or row.conversation_id is None:
        return None
    return records.note_of(unseal(session, scope_of(row.conversation_id), f"task.note:{row.id}", row.note_sealed))
