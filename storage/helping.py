"""支え手: what residents offer (D10), apart from every case, for half a year at a time; and the bounded requests that coordinators post.

A centre stands in between always: an offer is read at the desk only, and never names a person. Somebody whose address is hidden is not among them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlmodel import Session

from storage import audit, records
from storage.desk_queue import Viewer, in_scope
from storage.dialect import table
from storage.ids import new_id
from storage.refusals import Missing
from storage.sealing import seal, unseal
from storage.tables import Consent, Conversation, HelpRequest, Identity, Offer
from storage.talk import Talk, by_id, scope_of
from storage.text import made_of

_O, _Q, _C, _I, _N = table(Offer), table(HelpRequest), table(Conversation), table(Identity), table(Consent)

LASTS = timedelta(days=180)
"""Then an offer ends; shortly before, whoever made it is asked whether it goes on."""
ENDS, OVER = "offer_ends", "offer_over"
"""Promises: to ask before the newest offer of a talk ends, and to keep nothing of it afterwards."""
_ASKED_BEFORE = timedelta(days=14)


@dataclass(frozen=True)
class Offered:
    """What somebody can do, and when. Who it is stays behind `conversation_id`."""

    id: str
    conversation_id: str
    skill: str
    when: str
    at: datetime
    until: datetime


@dataclass(frozen=True)
class Asked:
    """A bounded request: one thing, a time, a place; written without any person."""

    id: str
    title: str
    when: str
    place: str
    asked_by: str
    """The group or office that asks."""
    until: datetime


def note_offer(session: Session, talk: Talk, *, skill: str, when: str, now: datetime) -> str:
    """What a resident can give, kept apart from every case (D10)."""
    offer_id, scope = new_id(), scope_of(talk.id)
    session.execute(
        _O.insert().values(
            id=offer_id, person_id=talk.person_id, conversation_id=talk.id, skill_sealed=seal(session, scope, f"offer.skill:{offer_id}", skill),
            when_sealed=seal(session, scope, f"offer.when:{offer_id}", when), at=now, until=now + LASTS,
        )
    )  # fmt: skip
    _lasts(session, talk, now)
    return offer_id


def _lasts(session: Session, talk: Talk, now: datetime) -> None:
    """What is promised of offers that hold from now on for half a year."""
    records.drop_promises(session, talk.id, (ENDS, OVER), now)
    records.promise(session, talk, kind=ENDS, due_at=now + LASTS - _ASKED_BEFORE)
    records.promise(session, talk, kind=OVER, due_at=now + LASTS)


def ends_at(session: Session, conversation_id: str, now: datetime) -> datetime | None:
    """When the last offer of a talk ends; None where none holds."""
    found: datetime | None = session.execute(select(func.max(_O.c.until)).where(_O.c.conversation_id == conversation_id, _O.c.until > now)).scalar()
    return found


def renew_own(session: Session, talk: Talk, now: datetime) -> None:
    """Whoever made the offers says that they go on: another half year for each that holds."""
    if ends_at(session, talk.id, now) is not None:
        session.execute(update(_O).where(_O.c.conversation_id == talk.id, _O.c.until > now).values(until=now + LASTS))
        _lasts(session, talk, now)
        audit.note(session, actor="resident", act="offer.renewed", now=now)


def end_own(session: Session, talk: Talk, now: datetime) -> None:
    """Whoever made the offers does not want to any more: they go, and the consent to them."""
    session.execute(delete(_O).where(_O.c.conversation_id == talk.id))
    session.execute(
        update(_N).where(_N.c.conversation_id == talk.id, _N.c.purpose == "offer", _N.c.withdrawn_at.is_(None)).values(withdrawn_at=now)
    )
    records.drop_promises(session, talk.id, (ENDS, OVER), now)
    audit.note(session, actor="resident", act="offer.ended", now=now)


def drop_ended(session: Session, conversation_id: str, now: datetime) -> None:
    """The half year is over and nobody said that it goes on: no word of it is kept; that somebody offered a hand stays counted."""
    scope = scope_of(conversation_id)
    for offer_id in session.execute(select(_O.c.id).where(_O.c.conversation_id == conversation_id, _O.c.until <= now)).scalars().all():
        skill, when = (seal(session, scope, f"offer.{cell}:{offer_id}", "") for cell in ("skill", "when"))
        session.execute(update(_O).where(_O.c.id == offer_id).values(skill_sealed=skill, when_sealed=when))


def forget_words(session: Session, talk: Talk, said: Sequence[str]) -> None:
    """What the resident took back goes: with what they can do the offer itself, with the time only the time (R8)."""
    scope = scope_of(talk.id)
    for row in session.execute(select(_O).where(_O.c.conversation_id == talk.id)).all():
        skill = unseal(session, scope, f"offer.skill:{row.id}", row.skill_sealed)
        when = unseal(session, scope, f"offer.when:{row.id}", row.when_sealed)
        if made_of(skill, said):
            session.execute(delete(_O).where(_O.c.id == row.id))
        elif made_of(when, said):
            session.execute(update(_O).where(_O.c.id == row.id).values(when_sealed=seal(session, scope, f"offer.when:{row.id}", "")))


def offers(session: Session, viewer: Viewer, now: datetime) -> list[Offered]:
    """Offers that hold now, newest first; none of somebody who cannot be written to, must not be (D6d), or is out of the viewer's scope (R21)."""
    query = (
        select(_O).join(_C, _C.c.id == _O.c.conversation_id).join(_I, _I.c.id == _C.c.identity_id)
        .where(
            in_scope(viewer, _O.c.person_id), or_(_O.c.until.is_(None), _O.c.until > now), _C.c.hidden_address.is_(False), _I.c.reachable.is_(True)
        )
        .order_by(_O.c.at.desc(), _O.c.id)
    )  # fmt: skip
    return [
        Offered(
            row.id, row.conversation_id, unseal(session, scope_of(row.conversation_id), f"offer.skill:{row.id}", row.skill_sealed),
            unseal(session, scope_of(row.conversation_id), f"offer.when:{row.id}", row.when_sealed), row.at, row.until or row.at + LASTS,
        )
        for row in session.execute(query)
    ]  # fmt: skip


def offer(session: Session, viewer: Viewer, offer_id: str, now: datetime) -> Offered:
    """One that holds now. Raises `Missing`."""
    found = next((one for one in offers(session, viewer, now) if one.id == offer_id), None)
    if found is None:
        raise Missing
    return found


def renew(session: Session, viewer: Viewer, offer_id: str, now: datetime) -> None:
    """The person said that they still want to: another half year. Raises `Missing`."""
    found = offer(session, viewer, offer_id, now)
    session.execute(update(_O).where(_O.c.id == found.id).values(until=now + LASTS))
    if (talk := by_id(session, found.conversation_id)) is not None:
        _lasts(session, talk, now)
    audit.note(session, actor=viewer.actor, act="offer.renewed", now=now, offer=offer_id)


def end(session: Session, viewer: Viewer, offer_id: str, now: datetime) -> None:
    """The person does not want to any more: nothing is kept. Raises `Missing`."""
    found = offer(session, viewer, offer_id, now)
    session.execute(delete(_O).where(_O.c.id == found.id))
    audit.note(session, actor=viewer.actor, act="offer.ended", now=now, offer=offer_id)


def end_with_consent(session: Session, consent_id: str) -> None:
    """The consent to an offer was taken back (D11): the offers of that talk go with it."""
    row = session.execute(select(_N.c.conversation_id).where(_N.c.id == consent_id, _N.c.purpose == "offer")).first()
    if row is not None:
        session.execute(delete(_O).where(_O.c.conversation_id == row.conversation_id))


# ---------------------------------------------------------------- requests


def requests(session: Session, now: datetime) -> list[Asked]:
    """Requests that are open now, newest first."""
    query = select(_Q).where(_Q.c.closed_at.is_(None), _Q.c.until > now).order_by(_Q.c.at.desc(), _Q.c.id)
    return [Asked(row.id, row.title, row.when, row.place, row.asked_by, row.until) for row in session.execute(query)]


def ask(session: Session, viewer: Viewer, *, title: str, when: str, place: str, asked_by: str, until: datetime, now: datetime) -> str:
    """Post a request, without any person in it."""
    made = new_id()
    session.execute(
        _Q.insert().values(id=made, title=title, when=when, place=place, asked_by=asked_by, made_by=viewer.staff_id, at=now, until=until)
    )
    audit.note(session, actor=viewer.actor, act="request.posted", now=now, request=made)
    return made


def close(session: Session, viewer: Viewer, request_ids: Sequence[str], now: datetime) -> None:
    """Somebody was found, or it is no longer needed."""
    session.execute(update(_Q).where(_Q.c.id.in_(request_ids), _Q.c.closed_at.is_(None)).values(closed_at=now))
    audit.note(session, actor=viewer.actor, act="request.closed", now=now, count=len(request_ids))
