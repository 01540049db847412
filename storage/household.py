"""世帯: the people around a case. Each has a consent and a 閲覧制限 of their own; the link to their own case is seen only from both sides (R18)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import delete, select, update
from sqlmodel import Session

from storage import audit
from storage.desk_heads import CaseHead, row_of
from storage.desk_queue import Viewer, in_scope
from storage.dialect import table
from storage.ids import new_id
from storage.refusals import Missing, Stale
from storage.sealing import seal_json, unseal_json
from storage.tables import Case, HouseholdMember
from storage.talk import Talk, scope_of

_H, _K = table(HouseholdMember), table(Case)

OwnConsent = Literal["unknown", "given", "refused"]
"""未確認, 同意あり, 同意しない: whether this person agrees to being spoken of."""
OWN_CONSENTS: tuple[OwnConsent, ...] = get_args(OwnConsent)
FACTS = ("name", "kana", "relation", "birth", "state", "note")
TOLD_IN = "told_in"
"""Beside the facts, until staff write them anew: id of the message the resident told them in. They go with it (R8)."""


@dataclass(frozen=True)
class Member:
    """A person of the household. `facts` is empty while a 閲覧制限 keeps it shut."""

    id: str
    facts: Mapping[str, str]
    consent: OwnConsent
    restricted: bool
    shut: bool
    linked: str | None
    """Code of their own case, if this viewer may see that one too."""
    version: int


def members(session: Session, viewer: Viewer, case: CaseHead, *, opened: str | None = None, now: datetime) -> list[Member]:
    """The household of a case, oldest entry first. A restricted person stays shut but for `opened`, whose opening is audited."""
    rows = session.execute(select(_H).where(_H.c.case_id == case.id, _H.c.removed_at.is_(None)).order_by(_H.c.created_at, _H.c.id)).all()
    if any(row.id == opened and row.restricted for row in rows):
        audit.note(session, actor=viewer.actor, act="household.opened", now=now, case_id=case.id, member=opened)
    return [_member(session, viewer, case, row, shut=row.restricted and row.id != opened) for row in rows]


def linked_from(session: Session, viewer: Viewer, case: CaseHead) -> list[str]:
    """Codes of the cases in whose household this case is written down, as far as this viewer may see them."""
    query = (
        select(_K.c.code).join(_H, _H.c.case_id == _K.c.id)
        .where(in_scope(viewer), _H.c.linked_case_id == case.id, _H.c.removed_at.is_(None)).order_by(_K.c.code)
    )  # fmt: skip
    return list(session.execute(query).scalars())


def save(
    session: Session, viewer: Viewer, case: CaseHead, member_id: str | None, facts: Mapping[str, str], *, consent: OwnConsent, restricted: bool,
    linked: str, expected: int, now: datetime,
) -> str:  # fmt: skip
    """Write a person down, or change them. `linked` is a case code or empty. Raises `Missing`, `Stale`."""
    other = row_of(session, viewer, linked).id if linked else None
    if other == case.id:
        raise Missing
    body = {name: facts.get(name, "") for name in FACTS}
    values: dict[str, Any] = {"consent": consent, "restricted": restricted, "linked_case_id": other}
    if member_id is None:
        made = new_id()
        cell = seal_json(session, case.scope, f"household_member.body:{made}:1", body)
        session.execute(_H.insert().values(id=made, case_id=case.id, body_sealed=cell, version=1, created_at=now, **values))
        audit.note(session, actor=viewer.actor, act="household.added", now=now, case_id=case.id, member=made)
        return made
    cell = seal_json(session, case.scope, f"household_member.body:{member_id}:{expected + 1}", body)
    mine = (_H.c.id == member_id, _H.c.case_id == case.id, _H.c.removed_at.is_(None))
    changed = update(_H).where(*mine, _H.c.version == expected).values(body_sealed=cell, version=expected + 1, **values)
    if not session.execute(changed).rowcount:  # type: ignore[attr-defined]
        raise Stale if session.execute(select(_H.c.id).where(*mine)).first() else Missing
    audit.note(session, actor=viewer.actor, act="household.changed", now=now, case_id=case.id, member=member_id)
    return member_id


def as_told(session: Session, case_id: str, scope: str, told: Sequence[Mapping[str, str]], now: datetime) -> None:
    """People the resident named, written down once each by their relation: whom staff took off, or wrote themselves, does not come again."""
    rows = session.execute(select(_H.c.id, _H.c.version, _H.c.body_sealed).where(_H.c.case_id == case_id)).all() if told else []
    known = {unseal_json(session, scope, f"household_member.body:{row.id}:{row.version}", row.body_sealed)["relation"] for row in rows}
    for facts in told:
        if facts["relation"] in known:
            continue
        made = new_id()
        cell = seal_json(session, scope, f"household_member.body:{made}:1", {name: facts.get(name, "") for name in (*FACTS, TOLD_IN)})
        values = {"consent": "unknown", "restricted": False, "version": 1, "created_at": now}
        session.execute(_H.insert().values(id=made, case_id=case_id, body_sealed=cell, **values))
        audit.note(session, actor="bot", act="household.added", now=now, case_id=case_id, member=made)


def forget_words(session: Session, talk: Talk, message_id: str) -> set[str]:
    """People who are written down only because an unsent message named them go with it, from closed cases too (R8). Returns the cases."""
    query = select(_H.c.id, _H.c.case_id, _H.c.version, _H.c.body_sealed).join(_K, _K.c.id == _H.c.case_id).where(_K.c.conversation_id == talk.id)
    scope, rows = scope_of(talk.id), session.execute(query).all()
    gone = [
        row for row in rows
        if unseal_json(session, scope, f"household_member.body:{row.id}:{row.version}", row.body_sealed).get(TOLD_IN) == message_id
    ]  # fmt: skip
    session.execute(delete(_H).where(_H.c.id.in_([row.id for row in gone])))
    return {row.case_id for row in gone}


def remove(session: Session, viewer: Viewer, case: CaseHead, member_id: str, now: datetime) -> None:
    """Take a person off the household. Raises `Missing`."""
    gone = update(_H).where(_H.c.id == member_id, _H.c.case_id == case.id, _H.c.removed_at.is_(None)).values(removed_at=now)
    if not session.execute(gone).rowcount:  # type: ignore[attr-defined]
        raise Missing
    audit.note(session, actor=viewer.actor, act="household.removed", now=now, case_id=case.id, member=member_id)


def _member(session: Session, viewer: Viewer, case: CaseHead, row: Any, *, shut: bool) -> Member:
    facts = {} if shut else unseal_json(session, case.scope, f"household_member.body:{row.id}:{row.version}", row.body_sealed)
    linked = None
    if row.linked_case_id is not None and not shut:
        linked = session.execute(select(_K.c.code).where(in_scope(viewer), _K.c.id == row.linked_case_id)).scalar()
    return Member(row.id, facts, row.consent, row.restricted, shut, linked, row.version)
