"""制度の狭間: needs that nothing met, counted without the person; what they have in common (地域課題); and what grew out of it.

The chain stays: a gap leads to its 地域課題, and that to the entry that answers it (個別支援から派生する社会資源の創出).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from sqlalchemy import func, select, update
from sqlmodel import Session

from storage import audit, case_cells
from storage.desk_queue import Viewer
from storage.dialect import table
from storage.ids import new_id
from storage.refusals import Missing, Stale
from storage.sealing import seal, unseal
from storage.tables import Case, Gap, Referral, TownIssue
from storage.text import letters

_G, _T, _K, _R = table(Gap), table(TownIssue), table(Case), table(Referral)

Source = Literal["bot", "desk", "referral"]
SOURCES: tuple[Source, ...] = get_args(Source)
IssueState = Literal["found", "working", "answered", "resting"]
ISSUE_STATES: tuple[IssueState, ...] = get_args(IssueState)
"""見つかった, 取り組んでいる, 資源ができた, 見送り."""
_SAME_GAP = timedelta(hours=1)
_NO_CHANCE = 6
"""Letters that do not stand in the wish of somebody else by chance: a wish may have been told in several messages."""


@dataclass(frozen=True)
class FoundGap:
    """One need that nothing met. `wish`: あったら助かったもの, in the words of a coordinator, an agency, or (`bot`) of whoever needed it."""

    id: str
    reasons: tuple[str, ...]
    domain: str | None
    source: Source
    wish: str
    issue_id: str | None
    at: datetime


@dataclass(frozen=True)
class Issue:
    """地域課題. `gaps`: how many needs lead to it; `entry_id`: the entry that grew out of it."""

    id: str
    title: str
    done: str
    state: IssueState
    entry_id: str | None
    gaps: int
    at: datetime
    changed_at: datetime
    version: int


def note(
    session: Session, *, reasons: Sequence[str], domain: str | None, source: Source, now: datetime, case_id: str | None = None, wish: str = ""
) -> str:  # fmt: skip
    """Count a need that nothing met. `case_id` only where it goes with the case when that is erased."""
    gap_id = new_id()
    cell = seal(session, f"gap:{gap_id}", f"gap.wish:{gap_id}", wish) if wish else None
    session.execute(
        _G.insert().values(
            id=gap_id, reasons=json.dumps(list(reasons)), domain=domain, source=source, case_id=case_id, wish_sealed=cell, at=now
        )
    )  # fmt: skip
    return gap_id


def add_wish(session: Session, *, wish: str, reasons: Sequence[str], domain: str | None, now: datetime) -> None:
    """What would have helped, told after a gap was counted: beside the newest equal one of this hour. No gap has a person, any equal one will do."""
    equal = select(_G.c.id).where(
        _G.c.source == "bot", _G.c.case_id.is_(None), _G.c.wish_sealed.is_(None), _G.c.reasons == json.dumps(list(reasons)),
        _G.c.domain.is_not_distinct_from(domain), _G.c.at > now - _SAME_GAP,
    ).order_by(_G.c.at.desc()).limit(1)  # fmt: skip
    gap_id = session.execute(equal).scalar()
    if gap_id is None:
        note(session, reasons=reasons, domain=domain, source="bot", now=now, wish=wish)
    else:
        session.execute(update(_G).where(_G.c.id == gap_id).values(wish_sealed=seal(session, f"gap:{gap_id}", f"gap.wish:{gap_id}", wish)))


def found(session: Session, *, since: datetime | None = None, until: datetime | None = None) -> list[FoundGap]:
    """All gaps of a time, newest first."""
    query = select(_G).order_by(_G.c.at.desc(), _G.c.id.desc())
    if since is not None:
        query = query.where(_G.c.at >= since)
    if until is not None:
        query = query.where(_G.c.at < until)
    return [
        FoundGap(
            row.id, tuple(json.loads(row.reasons)), row.domain, row.source,
            unseal(session, f"gap:{row.id}", f"gap.wish:{row.id}", row.wish_sealed) if row.wish_sealed else "", row.issue_id, row.at,
        )
        for row in session.execute(query)
    ]  # fmt: skip


def forget_words(session: Session, said: Sequence[str], at: datetime) -> None:
    """A wish that was told in words taken back goes, the gap stays counted (R8). No gap has a person: it is known by its words and by the hour they
    were said in, `at`."""
    query = select(_G.c.id, _G.c.wish_sealed).where(
        _G.c.source == "bot", _G.c.wish_sealed.is_not(None), _G.c.at > at - _SAME_GAP, _G.c.at < at + _SAME_GAP
    )
    wishes = {row.id: letters(unseal(session, f"gap:{row.id}", f"gap.wish:{row.id}", row.wish_sealed)) for row in session.execute(query)}
    whole = [letters(words) for words in said]
    theirs = [gap_id for gap_id, wish in wishes.items() if any(wish == one or (len(one) >= _NO_CHANCE and one in wish) for one in whole)]
    session.execute(update(_G).where(_G.c.id.in_(theirs)).values(wish_sealed=None))


def topic_behind(session: Session, referral_id: str) -> str | None:
    """The first topic of the case that was referred; None when none is known."""
    query = select(_K.c.id, _K.c.conversation_id, _K.c.version, _K.c.topics_sealed).join(_R, _R.c.case_id == _K.c.id).where(_R.c.id == referral_id)
    row = session.execute(query).first()
    return None if row is None else next(iter(case_cells.topics_of(session, row)), None)


def tie(session: Session, viewer: Viewer, gap_ids: Sequence[str], issue_id: str | None, now: datetime) -> int:
    """Put gaps under a 地域課題, or take them out (None); returns how many. Raises `Missing` for an unknown issue."""
    if issue_id is not None and session.execute(select(_T.c.id).where(_T.c.id == issue_id)).first() is None:
        raise Missing
    done: int = session.execute(update(_G).where(_G.c.id.in_(gap_ids)).values(issue_id=issue_id)).rowcount  # type: ignore[attr-defined]
    audit.note(session, actor=viewer.actor, act="gap.tied", now=now, issue=issue_id, count=done)
    return done


# ---------------------------------------------------------------- 地域課題


def issues(session: Session) -> list[Issue]:
    """All 地域課題, newest first."""
    many = select(func.count()).where(_G.c.issue_id == _T.c.id).correlate(_T).scalar_subquery().label("gaps")
    rows = session.execute(select(_T, many).order_by(_T.c.at.desc(), _T.c.id.desc()))
    return [Issue(row.id, row.title, row.done, row.state, row.entry_id, row.gaps, row.at, row.changed_at, row.version) for row in rows]


def issue(session: Session, issue_id: str) -> Issue:
    """One of them. Raises `Missing`."""
    one = next((one for one in issues(session) if one.id == issue_id), None)
    if one is None:
        raise Missing
    return one


def make_issue(session: Session, viewer: Viewer, title: str, now: datetime) -> str:
    """Write a 地域課題 down, without any person."""
    made = new_id()
    session.execute(_T.insert().values(id=made, title=title, done="", state="found", made_by=viewer.staff_id, at=now, changed_at=now, version=1))
    audit.note(session, actor=viewer.actor, act="issue.made", now=now, issue=made)
    return made


def change_issue(
    session: Session, viewer: Viewer, issue_id: str, *, title: str, done: str, state: IssueState, entry_id: str | None, expected: int, now: datetime
) -> None:  # fmt: skip
    """What was done, and the entry that came of it. Raises `Missing`, `Stale`."""
    changed = update(_T).where(_T.c.id == issue_id, _T.c.version == expected).values(
        title=title, done=done, state=state, entry_id=entry_id, changed_at=now, version=expected + 1
    )  # fmt: skip
    if not session.execute(changed).rowcount:  # type: ignore[attr-defined]
        raise Stale if session.execute(select(_T.c.id).where(_T.c.id == issue_id)).first() else Missing
    audit.note(session, actor=viewer.actor, act="issue.changed", now=now, issue=issue_id, state=state)
