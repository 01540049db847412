"""A case at the desk: reading it (always audited, R43), and what coordinators do to it (D8, D14).

Acts raise a `Refused` when they may not be done now; nothing of them is kept then. Forbidden and missing are one and the same `Missing` (R18). Every
act but a note raises the version, and the ones that write carry the version their page had seen (R23).
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import and_, or_, select, update
from sqlmodel import Session

from storage import attachments, audit, case_cells, cases, outbox, records, second_name, staff
from storage import talk as talks
from storage.desk_heads import row_of
from storage.desk_queue import READS_CASES, State, Viewer, in_scope, person_behind
from storage.dialect import is_postgres, table
from storage.ids import new_id
from storage.records import GivenConsent
from storage.refusals import Closed, HeldByOther, Missing, NotHeld, Stale
from storage.sealing import fingerprint, seal, unseal
from storage.tables import Alarm, Case, Conversation, Memo, ShutOut, Task
from storage.talk import Line, Talk, scope_of

_K, _C, _E, _L, _T, _O = table(Case), table(Conversation), table(Memo), table(Alarm), table(Task), table(ShutOut)

CloseReason = Literal["settled", "other_agency", "moved", "own_wish", "died", "lost_contact"]
"""落ち着いた, 別機関へ, 転居, 本人の希望, 死亡, 連絡途絶 (D14)."""
CLOSE_REASONS: tuple[CloseReason, ...] = get_args(CloseReason)
_OWED = ("reply", "reply_again", "danger_card", "returned", "no_answer")
"""Promises that a word of a coordinator keeps."""
_LINES_SHOWN = 100
"""Lines a case opens with; older ones are a press away, so that a talk of a thousand lines opens as quickly as a new one."""
_MOST_LINES = 5000


@dataclass(frozen=True)
class Note:
    """A memo among staff."""

    id: str
    author: str
    text: str
    at: datetime
    method: str | None = None


@dataclass(frozen=True)
class DangerRecord:
    """One alarm of this talk: what was heard, by which rule, in which message, who took it, and whose is the second name under an L3 (D14)."""

    level: str
    kinds: tuple[str, ...]
    rule: str | None
    message_id: str | None
    raised_at: datetime
    taken_at: datetime | None
    taken_by: str | None
    taken_by_id: str | None
    confirmed_at: datetime | None
    confirmed_by: str | None

    @property
    def lacks_name(self) -> bool:
        """Taken, and the second name is not there yet."""
        return self.level == cases.TO_LIFE and self.taken_at is not None and self.confirmed_at is None


@dataclass(frozen=True)
class Held:
    """A case in a coordinator's hand, with its talk locked."""

    id: str
    code: str
    state: State
    coordinator_id: str | None
    version: int
    opened_at: datetime
    first_reply_at: datetime | None
    talk: Talk
    recipient: str


@dataclass(frozen=True)
class CaseFile:
    """A case as it lies open on the desk."""

    id: str
    code: str
    conversation_id: str
    state: State
    reason: str
    urgency: int
    restricted: bool
    hidden_address: bool
    reachable: bool
    channel: str
    recipient: str
    """Mark of the fixed recipient: a reply carries it back, and stops if it has changed (R10)."""
    coordinator_id: str | None
    coordinator: str | None
    title: str
    topics: tuple[str, ...]
    sheet: tuple[dict[str, Any], ...]
    """Lines of flows.model.SheetLine, as stored."""
    shares_story: bool
    version: int
    promise_at: datetime | None
    next_contact_at: datetime | None
    next_contact_none: bool
    close_reason: str | None
    opened_at: datetime
    claimed_at: datetime | None
    first_reply_at: datetime | None
    closed_at: datetime | None
    lines: tuple[Line, ...]
    files: dict[str, attachments.Shown]
    """Pictures and papers by the id of their line."""
    first_seq: int
    """Number of the first line shown; the desk may read from `begins_at` on."""
    begins_at: int
    last_seq: int
    numbers: dict[str, int]
    """Numbers of the lines that sheet and dangers rest on, by message id, shown here or not."""
    notes: tuple[Note, ...]
    dangers: tuple[DangerRecord, ...]
    consents: tuple[GivenConsent, ...]
    tasks: tuple[tuple[str, str], ...]
    """Open tasks of this talk: id, kind."""
    deliveries: dict[str, str]
    """Delivery state by message id, for lines of staff."""
    staff_names: dict[str, str]
    trail: tuple[tuple[datetime, str, str], ...]
    """Who did what here, newest first: time, actor, act."""


# ---------------------------------------------------------------- reading


def open_file(session: Session, viewer: Viewer, code: str, now: datetime, *, since: int | None = None) -> CaseFile:
    """Open a case with its last hundred lines, or with those from number `since` on.

    The reading is audited, and the resident's page may say that staff have read up to here.
    """
    row = row_of(session, viewer, code)
    talk = talks.by_id(session, row.conversation_id, lock=False)
    if talk is None:
        raise Missing
    _mark_read(session, talk.id, talk.last_seq)
    first = max(row.from_seq, talk.last_seq - _LINES_SHOWN + 1 if since is None else since)
    lines = talks.lines(session, talk.id, after=first - 1, limit=_MOST_LINES)
    who = staff.names(session)
    written_by_staff = [line.id for line in lines if line.author == "staff"]
    trail = audit.reads_of(session, row.id, limit=60)
    sheet, dangers = _sheet(session, row), _dangers(session, row, who)
    sources = [ref for line in sheet for ref in line.get("refs", ())] + [one.message_id for one in dangers if one.message_id]
    audit.note(session, actor=viewer.actor, act="case.read", now=now, case_id=row.id)
    return CaseFile(
        id=row.id, code=row.code, conversation_id=talk.id, state=row.state, reason=row.reason, urgency=row.urgency, restricted=row.restricted,
        hidden_address=talk.hidden_address, reachable=talk.reachable, channel=talk.channel, recipient=_recipient(session, talk),
        coordinator_id=row.coordinator_id, coordinator=who.get(row.coordinator_id or ""),
        title=case_cells.title_of(session, row), topics=case_cells.topics_of(session, row), sheet=tuple(sheet),
        shares_story=row.shares_story, version=row.version, promise_at=row.promise_at,
        next_contact_at=row.next_contact_at, next_contact_none=row.next_contact_none, close_reason=row.close_reason, opened_at=row.opened_at,
        claimed_at=row.claimed_at, first_reply_at=row.first_reply_at, closed_at=row.closed_at, lines=tuple(lines),
        files=attachments.of_lines(session, talk.id, lines), first_seq=first, begins_at=row.from_seq,
        last_seq=talk.last_seq, numbers={**talks.numbers(session, talk.id, sources), **{line.id: line.seq for line in lines}},
        notes=tuple(_notes(session, row, who)), dangers=tuple(dangers), consents=tuple(records.consents(session, talk.id)),
        tasks=tuple(_tasks(session, row)), deliveries=outbox.states_of(session, written_by_staff), staff_names=who, trail=tuple(trail),
    )  # fmt: skip


def notes_of(session: Session, viewer: Viewer, code: str) -> list[Note]:
    """Memos and 支援経過 of a case, oldest first."""
    return _notes(session, row_of(session, viewer, code), staff.names(session))


def conversation_of(session: Session, viewer: Viewer, code: str) -> str:
    """Id of the talk behind a case, for watching it."""
    found: str = row_of(session, viewer, code).conversation_id
    return found


def watched(session: Session, viewer: Viewer, code: str, now: datetime) -> str:
    """A page of this case begins to listen: as good as reading it, and audited so (R43). Returns the id of its talk."""
    row = row_of(session, viewer, code)
    audit.note(session, actor=viewer.actor, act="case.watched", now=now, case_id=row.id)
    found: str = row.conversation_id
    return found


def lines_since(session: Session, viewer: Viewer, code: str, after: int) -> tuple[list[Line], dict[str, str], dict[str, str], int]:
    """What a page that lies open lacks: lines after number `after`, delivery states of staff lines by number, names of staff, version of the case."""
    row = row_of(session, viewer, code)
    lines = talks.lines(session, row.conversation_id, after=max(after, row.from_seq - 1), limit=200)
    recent = talks.lines(session, row.conversation_id, after=max(row.from_seq - 1, after - 50), limit=250)
    states = outbox.states_of(session, [line.id for line in recent if line.author == "staff"])
    by_number = {str(line.seq): states[line.id] for line in recent if line.id in states}
    return lines, by_number, staff.names(session), row.version


def changed_lines(session: Session, viewer: Viewer, code: str, up_to: int) -> list[Line]:
    """Of the last hundred lines up to number `up_to`, which a page may show: those that were taken back or written anew since they came (R8)."""
    row = row_of(session, viewer, code)
    recent = talks.lines(session, row.conversation_id, after=max(row.from_seq - 1, up_to - _LINES_SHOWN), limit=_LINES_SHOWN)
    return [line for line in recent if line.seq <= up_to and (line.body is None or "earlier" in json.loads(line.body))]


def seen(session: Session, viewer: Viewer, code: str, up_to: int) -> bool:
    """A page that is in view shows lines up to this number; True when that is news."""
    row = row_of(session, viewer, code)
    last_seq = session.execute(select(_C.c.last_seq).where(_C.c.id == row.conversation_id)).scalar_one()
    return _mark_read(session, row.conversation_id, min(up_to, last_seq))


# ---------------------------------------------------------------- acting


def claim(session: Session, viewer: Viewer, code: str, now: datetime, *, instead_of_other: bool = False) -> Held:
    """受け持つ: the talk is this coordinator's, the bot is silent, the alarm stops for all (D8, D14).

    Raises `HeldByOther` unless `instead_of_other`.
    """
    held = _take(session, viewer, code)
    if held.state == "closed":
        raise Closed
    if held.state == "held" and held.coordinator_id not in (None, viewer.staff_id) and not instead_of_other:
        raise HeldByOther(staff.names(session).get(held.coordinator_id or "", ""))
    _answer_alarms(session, viewer, held, now)
    if held.state == "held" and held.coordinator_id == viewer.staff_id:
        return held
    claimed_at = select(_K.c.claimed_at).where(_K.c.id == held.id)
    first = session.execute(claimed_at).scalar() or now
    held = _change(session, held, state="held", coordinator_id=viewer.staff_id, claimed_at=first)
    talk = held.talk
    if talk.owner != "human" or talk.settle_at is not None:
        talks.settle_inbox(session, [event.inbox_id for event in talks.pending(session, talk)], "queued")
        talk = talks.save(session, replace(talk, owner="human", settle_at=None), talk.last_at)
    audit.note(session, actor=viewer.actor, act="case.claimed", now=now, case_id=held.id, instead=instead_of_other)
    return replace(held, talk=talk)


def claim_alarm(session: Session, viewer: Viewer, alarm_id: str, now: datetime) -> Held:
    """Take a ringing alarm: its case, or a new one where the bot still led alone (D6, D14)."""
    may_know = in_scope(viewer, person_behind(_L.c.conversation_id))
    conversation_id = session.execute(select(_L.c.conversation_id).where(may_know, _L.c.id == alarm_id)).scalar()
    talk = None if conversation_id is None else talks.by_id(session, conversation_id)
    if talk is None:
        raise Missing
    found = cases.open_of(session, talk.id)
    if found is None:
        level = session.execute(select(_L.c.level).where(_L.c.id == alarm_id)).scalar_one()
        found = cases.open_or_add(
            session, talk, reason="danger", urgency=int(level[1]), title="", sheet="[]", topics=(), shares_story=True, restricted=talk.hidden_address,
            promise_at=None, now=now,
        )  # fmt: skip
        audit.note(session, actor=viewer.actor, act="case.opened", now=now, case_id=found.id, reason="danger")
    return claim(session, viewer, found.code, now, instead_of_other=True)


def in_hand(session: Session, viewer: Viewer, code: str, *, expected: int) -> Held:
    """A case this coordinator holds, unchanged since their page was read. Raises `Missing`, `Closed`, `HeldByOther`, `NotHeld`, `Stale`."""
    held = _take(session, viewer, code)
    if held.state == "closed":
        raise Closed
    if held.state == "held" and held.coordinator_id != viewer.staff_id:
        raise HeldByOther(staff.names(session).get(held.coordinator_id or "", ""))
    if held.state != "held":
        raise NotHeld
    if held.version != expected:
        raise Stale
    return held


def replied(session: Session, viewer: Viewer, held: Held, line: Line, now: datetime) -> Held:
    """The coordinator has written: promises of an answer are kept, the alarm is quiet."""
    _answer_alarms(session, viewer, held, now)
    for kind in _OWED:
        records.keep_promises(session, held.talk.id, kind, now)
    held = _change(session, held, promise_at=None, first_reply_at=held.first_reply_at or now)
    audit.note(session, actor=viewer.actor, act="case.replied", now=now, case_id=held.id, message=line.id)
    return held


def add_note(
    session: Session, viewer: Viewer, code: str, text: str, now: datetime, *, method: str | None = None, at: datetime | None = None
) -> None:  # fmt: skip
    """職員メモ: no way leads from here to the outbox. With a `method` it is an entry of the 支援経過, done at `at`."""
    row = row_of(session, viewer, code)
    note_id = new_id()
    cell = seal(session, scope_of(row.conversation_id), f"memo.body:{note_id}", text)
    session.execute(_E.insert().values(id=note_id, case_id=row.id, staff_id=viewer.staff_id, body_sealed=cell, method=method, at=at or now))
    audit.note(session, actor=viewer.actor, act="case.noted", now=now, case_id=row.id, memo=note_id)


def set_next_contact(session: Session, held: Held, at: datetime | None, now: datetime) -> None:
    """Promise the resident the next word by `at`; an earlier such promise is over. None: there is no next contact."""
    records.drop_promises(session, held.talk.id, ("next_contact",), now)
    if at is not None:
        records.promise(session, held.talk, kind="next_contact", due_at=at, case_id=held.id)
    session.execute(update(_K).where(_K.c.id == held.id).values(next_contact_at=at, next_contact_none=at is None))


def hand_back(session: Session, viewer: Viewer, held: Held, now: datetime) -> Held:
    """The bot leads again, the case stays open (end of D8)."""
    held = _change(session, held, state="returned", promise_at=None)
    records.drop_promises(session, held.talk.id, _OWED, now)
    audit.note(session, actor=viewer.actor, act="case.handed_back", now=now, case_id=held.id)
    return held


def close(session: Session, viewer: Viewer, held: Held, reason: CloseReason, now: datetime) -> Held:
    """一旦おわる (D14)."""
    held = _change(session, held, state="closed", promise_at=None, close_reason=reason, closed_at=now)
    second_name.ask_no_more(session, held.talk.id, held.id, now)
    records.drop_promises(session, held.talk.id, _OWED, now)
    audit.note(session, actor=viewer.actor, act="case.closed", now=now, case_id=held.id, reason=reason)
    return held


def pass_on(session: Session, viewer: Viewer, held: Held, to: str, now: datetime) -> Held:
    """ほかの人に渡す: somebody else answers for this case from now on. Raises `Missing` unless `to` may read it and sign in."""
    if to not in {member.id for member in may_take(session, held.id)}:
        raise Missing
    held = _change(session, held, coordinator_id=to)
    audit.note(session, actor=viewer.actor, act="case.passed_on", now=now, case_id=held.id, to=to)
    return held


def may_take(session: Session, case_id: str) -> list[staff.Member]:
    """Who can answer for this case: reads cases, signs in, and is not shut out of it (R21)."""
    shut = select(_O.c.staff_id).join(_K, _K.c.person_id == _O.c.person_id).where(_K.c.id == case_id, _O.c.lifted_at.is_(None))
    kept_out = set(session.execute(shut).scalars())
    return [one for one in staff.everybody(session) if one.role in READS_CASES and not one.disabled and one.id not in kept_out]


def reopen(session: Session, viewer: Viewer, code: str, now: datetime) -> Held:
    """もう一度ひらく: a closed case goes on in this coordinator's hand. Raises `HeldByOther` when the talk has a newer open case."""
    held = _take(session, viewer, code)
    if held.state != "closed":
        return held
    newer = cases.open_of(session, held.talk.id)
    if newer is not None:
        raise HeldByOther(newer.code)
    held = _change(session, held, state="held", coordinator_id=viewer.staff_id, closed_at=None, close_reason=None, next_contact_none=False)
    audit.note(session, actor=viewer.actor, act="case.reopened", now=now, case_id=held.id)
    talk = talks.save(session, replace(held.talk, owner="human", settle_at=None), held.talk.last_at)
    return replace(held, talk=talk)


def release_letters(session: Session, viewer: Viewer, code: str, now: datetime) -> tuple[str, int]:
    """もう一度: let replies go that were held for being old (R11). Returns the talk and how many."""
    row = row_of(session, viewer, code)
    many = outbox.release(session, row.conversation_id, now)
    audit.note(session, actor=viewer.actor, act="letters.released", now=now, case_id=row.id, count=many)
    return row.conversation_id, many


def note_print(session: Session, viewer: Viewer, code: str, now: datetime) -> None:
    """A page of this case goes to a printer."""
    audit.note(session, actor=viewer.actor, act="case.printed", now=now, case_id=row_of(session, viewer, code).id)


def note_refusal(session: Session, viewer: Viewer, act: str, now: datetime) -> None:
    """A try at what is missing or forbidden stands in the audit (R43)."""
    audit.note(session, actor=viewer.actor, act="case.refused", now=now, tried=act)


# ---------------------------------------------------------------- small parts


def _take(session: Session, viewer: Viewer, code: str) -> Held:
    """The case and its talk, locked in the order the reception locks them: the talk first."""
    talk = talks.by_id(session, row_of(session, viewer, code).conversation_id)
    if talk is None:
        raise Missing
    query = select(_K).where(_K.c.code == code)
    row = session.execute(query.with_for_update() if is_postgres(session) else query).one()
    return Held(
        row.id, row.code, row.state, row.coordinator_id, row.version, row.opened_at, row.first_reply_at, talk, _recipient(session, talk)
    )


def _change(session: Session, held: Held, **values: Any) -> Held:
    """Write these columns and the next version, to which the cells of the row are bound."""
    row = session.execute(select(_K).where(_K.c.id == held.id)).one()
    session.execute(update(_K).where(_K.c.id == held.id).values(**case_cells.next_version(session, row), **values))
    known = {name: value for name, value in values.items() if name in ("state", "coordinator_id", "first_reply_at")}
    return replace(held, version=row.version + 1, **known)


def _answer_alarms(session: Session, viewer: Viewer, held: Held, now: datetime) -> None:
    """This coordinator's is the first name under whatever rings here."""
    if cases.acknowledge(session, held.talk.id, viewer.staff_id, now):
        second_name.ask(session, held.talk, held.id, now)


def _mark_read(session: Session, conversation_id: str, up_to: int) -> bool:
    done = update(_C).where(_C.c.id == conversation_id, _C.c.read_seq < up_to).values(read_seq=up_to)
    return bool(session.execute(done).rowcount)  # type: ignore[attr-defined]


def _recipient(session: Session, talk: Talk) -> str:
    return fingerprint(session, f"recipient:{talk.channel}:{talk.destination}")[:24]


def _sheet(session: Session, row: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(case_cells.sheet_of(session, row))
    return found


def _notes(session: Session, row: Any, who: dict[str, str]) -> list[Note]:
    scope = scope_of(row.conversation_id)
    written = session.execute(select(_E).where(_E.c.case_id == row.id).order_by(_E.c.at, _E.c.id))
    return [
        Note(note.id, who.get(note.staff_id, ""), unseal(session, scope, f"memo.body:{note.id}", note.body_sealed), note.at, note.method)
        for note in written
    ]


def _dangers(session: Session, row: Any, who: dict[str, str]) -> list[DangerRecord]:
    scope = scope_of(row.conversation_id)
    rung = session.execute(select(_L).where(_L.c.conversation_id == row.conversation_id).order_by(_L.c.raised_at, _L.c.id))
    return [
        DangerRecord(
            one.level, tuple(json.loads(unseal(session, scope, f"alarm.kinds:{one.id}", one.kinds_sealed))), one.rule, one.message_id, one.raised_at,
            one.acknowledged_at, who.get(one.acknowledged_by or ""), one.acknowledged_by, one.confirmed_at, who.get(one.confirmed_by or ""),
        )
        for one in rung
    ]  # fmt: skip


def _tasks(session: Session, row: Any) -> list[tuple[str, str]]:
    here = or_(_T.c.case_id == row.id, and_(_T.c.case_id.is_(None), _T.c.conversation_id == row.conversation_id))
    query = select(_T.c.id, _T.c.kind).where(here, _T.c.done_at.is_(None)).order_by(_T.c.created_at)
    return [(task.id, task.kind) for task in session.execute(query)]
