"""Whom an incident concerns (R44, 個人情報の保護に関する法律68条, 規則43条): read off the audit, which knows every reading.

Ids and codes only: whoever needs the name opens the case, and that stands in the audit too.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlmodel import Session

from storage.dialect import table
from storage.sealing import keyring
from storage.staff import login_of
from storage.tables import (
    Agency,
    ApiToken,
    Attachment,
    Audit,
    Case,
    Consent,
    Conversation,
    DataKey,
    HouseholdMember,
    Identity,
    Intake,
    Memo,
    Message,
    Plan,
    Referral,
    Staff,
)  # fmt: skip
from storage.talk import scope_of

_A, _K, _C, _S, _T, _G, _D = (table(one) for one in (Audit, Case, Conversation, Staff, ApiToken, Agency, DataKey))
_KINDS: dict[str, tuple[str, ColumnElement[Any], ColumnElement[Any]]] = {
    "talk": ("相談の内容（要配慮個人情報）", table(Message).c.conversation_id, _K.c.conversation_id),
    "identity": ("連絡先の番号", table(Identity).c.person_id, _K.c.person_id),
    "memo": ("職員のメモ・支援経過", table(Memo).c.case_id, _K.c.id),
    "household": ("世帯の人", table(HouseholdMember).c.case_id, _K.c.id),
    "intake": ("帳票の項目", table(Intake).c.case_id, _K.c.id),
    "plan": ("プラン", table(Plan).c.case_id, _K.c.id),
    "consent": ("同意の記録", table(Consent).c.conversation_id, _K.c.conversation_id),
    "referral": ("他機関への提供", table(Referral).c.case_id, _K.c.id),
    "attachment": ("写真・書類", table(Attachment).c.conversation_id, _K.c.conversation_id),
}
"""Kinds of data in the words of the report form: where they lie, and what of a case leads there."""


@dataclass(frozen=True)
class Concerned:
    """One resident and one case the incident touches. `key`: whether what lies on disk can be opened with the master key of today."""

    person_id: str
    code: str
    hidden_address: bool
    acts: tuple[str, ...]
    times: int
    first_at: datetime
    last_at: datetime
    by: tuple[str, ...]
    kinds: tuple[str, ...]
    key: str


class Nobody(Exception):
    """The member of staff, agency or case that was asked for is not there."""


def concerned(
    session: Session, *, since: datetime, until: datetime, login: str | None = None, agency: str | None = None, code: str | None = None
) -> list[Concerned]:  # fmt: skip
    """Residents whose cases were touched in this time, the hidden addresses first. Raises `Nobody`."""
    asked: list[ColumnElement[bool]] = [_A.c.at >= since, _A.c.at < until, _A.c.case_id.is_not(None)]
    if login is not None:
        asked.append(_by(session, _one(session, select(_S.c.id).where(_S.c.login == login_of(login)))))
    if agency is not None:
        ids = _one(session, select(_S.c.id).join(_G, _G.c.id == _S.c.agency_id).where(_G.c.name == agency))
        asked.append(_by(session, ids))
    if code is not None:
        asked.append(_A.c.case_id.in_(_one(session, select(_K.c.id).where(_K.c.code == code))))
    found: dict[str, list[Any]] = defaultdict(list)
    for row in session.execute(select(_A.c.case_id, _A.c.at, _A.c.actor, _A.c.act).where(and_(*asked)).order_by(_A.c.seq)):
        found[row.case_id].append(row)
    people = [one for case_id, rows in found.items() if (one := _concerned(session, case_id, rows)) is not None]
    return sorted(people, key=lambda one: (not one.hidden_address, one.first_at))


def _one(session: Session, query: Any) -> list[str]:
    ids = list(session.execute(query).scalars())
    if not ids:
        raise Nobody
    return ids


def _by(session: Session, staff_ids: Iterable[str]) -> ColumnElement[bool]:
    """What these people did, signed in or by a token of theirs."""
    ids = list(staff_ids)
    tokens = session.execute(select(func.substr(_T.c.token_hash, 1, 12)).where(_T.c.staff_id.in_(ids))).scalars()
    return or_(_A.c.actor.in_([f"staff:{one}" for one in ids]), _A.c.actor.in_([f"token:{one}" for one in tokens]))


def _concerned(session: Session, case_id: str, rows: list[Any]) -> Concerned | None:
    case = session.execute(
        select(_K.c.id, _K.c.code, _K.c.person_id, _K.c.conversation_id, _C.c.hidden_address).join(_C, _C.c.id == _K.c.conversation_id)
        .where(_K.c.id == case_id)
    ).first()  # fmt: skip
    if case is None:  # erased since: nothing of it is left to lose
        return None
    there = [
        words for words, column, of in _KINDS.values()
        if session.execute(select(column).where(column == select(of).where(_K.c.id == case_id).scalar_subquery()).limit(1)).first()
    ]  # fmt: skip
    master = session.execute(select(_D.c.master).where(_D.c.scope == scope_of(case.conversation_id))).scalar()
    key = {None: "鍵は破棄ずみ", keyring(session).name: "暗号化・今の鍵"}.get(master, "暗号化・前の鍵")
    return Concerned(
        case.person_id, case.code, case.hidden_address, tuple(sorted({row.act for row in rows})), len(rows), rows[0].at, rows[-1].at,
        tuple(sorted({row.actor for row in rows})), tuple(there), key,
    )  # fmt: skip
