"""当番表: who is on duty on which day, and where staff and 緊急連絡先 can be called (desk.md §6, §9). Addresses are sealed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, get_args

from sqlalchemy import delete, func, select
from sqlmodel import Session

from storage import audit
from storage.desk_queue import READS_CASES, Viewer
from storage.dialect import table
from storage.ids import new_id
from storage.sealing import seal_json, unseal_json
from storage.tables import CallAddress, Duty, Staff

_D, _A, _S = table(Duty), table(CallAddress), table(Staff)

Part = Literal["in", "out"]
"""Inside and outside opening hours (受付時間の中・外)."""
PARTS: tuple[Part, ...] = get_args(Part)
PLACES = 2
"""How many people a part of a day has: the one who is called, and the next."""
OUTSIDE_CONTACTS = 3
"""緊急連絡先 that can be written down."""
_SCOPE = "duty"


@dataclass(frozen=True)
class Reach:
    """Where somebody can be called. `staff_id` is None for a 緊急連絡先."""

    staff_id: str | None
    name: str
    mail: str
    tel: str


def calendar(session: Session, first: date, days: int) -> dict[tuple[date, Part], tuple[str, ...]]:
    """Ids of staff on duty, by day and part, first called first; what nobody is written down for is not there."""
    until = first + timedelta(days=days)
    query = select(_D).where(_D.c.day >= first.isoformat(), _D.c.day < until.isoformat()).order_by(_D.c.day, _D.c.part, _D.c.place)
    found: dict[tuple[date, Part], tuple[str, ...]] = {}
    for row in session.execute(query):
        where = (date.fromisoformat(row.day), row.part)
        found[where] = (*found.get(where, ()), row.staff_id)
    return found


def write(session: Session, viewer: Viewer, first: date, days: int, wanted: Mapping[tuple[date, Part], Sequence[str]], now: datetime) -> None:
    """Replace these days of the calendar. Ids of people who cannot take a case are left out."""
    able = set(session.execute(select(_S.c.id).where(_S.c.role.in_(READS_CASES), _S.c.disabled_at.is_(None))).scalars())
    until = first + timedelta(days=days)
    session.execute(delete(_D).where(_D.c.day >= first.isoformat(), _D.c.day < until.isoformat()))
    for (day, part), ids in wanted.items():
        known = [one for one in dict.fromkeys(ids) if one in able][:PLACES]
        for place, staff_id in enumerate(known, 1):
            session.execute(_D.insert().values(day=day.isoformat(), part=part, place=place, staff_id=staff_id))
    audit.note(session, actor=viewer.actor, act="duty.changed", now=now, first=first.isoformat(), days=days)


def on_duty(session: Session, day: date, part: Part) -> list[str]:
    """Ids of those on duty who still work here, first called first."""
    query = (
        select(_D.c.staff_id).join(_S, _S.c.id == _D.c.staff_id)
        .where(_D.c.day == day.isoformat(), _D.c.part == part, _S.c.disabled_at.is_(None)).order_by(_D.c.place)
    )  # fmt: skip
    return list(session.execute(query).scalars())


def written_until(session: Session) -> date | None:
    """The last day somebody is on duty; None when the calendar was never used."""
    found = session.execute(select(func.max(_D.c.day))).scalar()
    return None if found is None else date.fromisoformat(found)


# ---------------------------------------------------------------- where people can be called


def reach(session: Session) -> list[Reach]:
    """Everybody who could be called: staff who take cases, by name, with empty addresses where none are written down; then 緊急連絡先."""
    known = {row.staff_id or row.place: unseal_json(session, _SCOPE, _place(row.id), row.body_sealed) for row in session.execute(select(_A))}
    able = select(_S.c.id, _S.c.name).where(_S.c.role.in_(READS_CASES), _S.c.disabled_at.is_(None)).order_by(_S.c.name, _S.c.id)
    found = [_reach(row.id, row.name, known.get(row.id, {})) for row in session.execute(able)]
    return [*found, *(_reach(None, known[place]["name"], known[place]) for place in sorted(one for one in known if isinstance(one, int)))]


def leads(session: Session) -> list[str]:
    """Ids of 係長."""
    return list(session.execute(select(_S.c.id).where(_S.c.role == "lead", _S.c.disabled_at.is_(None)).order_by(_S.c.name)).scalars())


def write_reach(session: Session, viewer: Viewer, wanted: Sequence[Reach], now: datetime) -> None:
    """Replace all addresses; a person without any has no row."""
    session.execute(delete(_A))
    for place, one in enumerate(wanted):
        if not (one.mail or one.tel):
            continue
        made = new_id()
        body = {"name": one.name if one.staff_id is None else "", "mail": one.mail, "tel": one.tel}
        session.execute(_A.insert().values(id=made, staff_id=one.staff_id, place=place, body_sealed=seal_json(session, _SCOPE, _place(made), body)))
    audit.note(session, actor=viewer.actor, act="duty.addresses_changed", now=now)


def _reach(staff_id: str | None, name: str, body: Mapping[str, str]) -> Reach:
    return Reach(staff_id, name, body.get("mail", ""), body.get("tel", ""))


def _place(row_id: str) -> str:
    return f"call_address.body:{row_id}"
