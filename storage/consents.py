"""同意: who agreed to what being told to whom, until when; asked by a card in the talk, or written down by a coordinator who heard it (D8, D11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import or_, select, update
from sqlmodel import Session

from storage import audit, records
from storage.desk_heads import CaseHead
from storage.desk_queue import Viewer
from storage.dialect import table
from storage.ids import new_id
from storage.records import GivenConsent
from storage.refusals import Missing
from storage.sealing import seal_json, unseal_json
from storage.tables import Consent, ConsentRequest
from storage.talk import Talk, scope_of
from storage.text import made_of

_Q, _N = table(ConsentRequest), table(Consent)

Answer = Literal["yes", "no", "later"]
Outcome = Literal["taken", "over", "none"]
"""What became of an answer: it counts; it came when the question was over; there is no such question of theirs, or it is answered."""
LASTS = timedelta(days=14)
"""How long a question waits for its yes: later its person may have forgotten what it was about, and the need may be gone. A no counts always."""
SHARING = "referral"
"""Purpose of a consent that lets something be told to an agency."""
_VERSION = 1
_GONE = "（取り消されました）"
"""Stands for an item whose words the resident took back."""


@dataclass(frozen=True)
class Asked:
    """A card the resident was sent, and what came of it."""

    id: str
    recipient: str
    items: tuple[str, ...]
    days: int
    asked_at: datetime
    answer: Answer | None
    answered_at: datetime | None

    def is_over(self, now: datetime) -> bool:
        """It waited too long, and has to be asked anew."""
        return self.answer in (None, "later") and _waited_too_long(self.asked_at, now)


def _waited_too_long(asked_at: datetime, now: datetime) -> bool:
    return now - asked_at >= LASTS


def ask(
    session: Session, viewer: Viewer, case: CaseHead, *, recipient: str, items: Sequence[str], days: int, now: datetime
) -> str:  # fmt: skip
    """Remember the question that a card will carry; returns its id, which rides in the card's buttons."""
    asked = new_id()
    body = seal_json(session, case.scope, f"consent_request.body:{asked}", {"recipient": recipient, "items": list(items)})
    session.execute(
        _Q.insert().values(
            id=asked, case_id=case.id, conversation_id=case.conversation_id, body_sealed=body, days=days, asked_by=viewer.staff_id, asked_at=now,
            seq=0,
        )
    )  # fmt: skip
    audit.note(session, actor=viewer.actor, act="consent.asked", now=now, case_id=case.id, request=asked)
    return asked


def carried_by(session: Session, asked: str, seq: int) -> None:
    """The card stands in this line of the talk."""
    session.execute(update(_Q).where(_Q.c.id == asked).values(seq=seq))


def open_question(session: Session, talk: Talk) -> str | None:
    """The question whose card is the newest line of the talk: its answer may also be typed."""
    unanswered = or_(_Q.c.answer.is_(None), _Q.c.answer == "later")
    query = select(_Q.c.id).where(_Q.c.conversation_id == talk.id, unanswered, _Q.c.seq == talk.last_seq).limit(1)
    return session.execute(query).scalar()


def answer(session: Session, talk: Talk, asked: str, said: Answer, now: datetime) -> Outcome:
    """The resident has answered a card. A yes becomes a consent; あとで leaves it open."""
    row = session.execute(select(_Q).where(_Q.c.id == asked, _Q.c.conversation_id == talk.id).with_for_update()).first()
    if row is None or row.answer in ("yes", "no"):
        return "none"
    if said != "no" and _waited_too_long(row.asked_at, now):
        audit.note(session, actor="resident", act="consent.too_late", now=now, case_id=row.case_id, request=asked)
        return "over"
    values: dict[str, Any] = {"answer": said, "answered_at": now}
    if said == "yes":
        body = unseal_json(session, scope_of(talk.id), f"consent_request.body:{asked}", row.body_sealed)
        values["consent_id"] = records.give_consent(
            session, talk, purpose=SHARING, recipient=body["recipient"], items=body["items"], days=row.days, version=_VERSION, now=now,
            case_id=row.case_id,
        )  # fmt: skip
    session.execute(update(_Q).where(_Q.c.id == asked).values(**values))
    audit.note(session, actor="resident", act=f"consent.{_ACTS[said]}", now=now, case_id=row.case_id, request=asked)
    return "taken"


_ACTS: dict[Answer, str] = {"yes": "given", "no": "refused", "later": "put_off"}


def forget_words(session: Session, talk: Talk, said: Sequence[str]) -> set[int]:
    """Items that say words taken back are named no more, on the cards and in the consents (R8). Returns the lines of these cards by number."""
    scope, cards = scope_of(talk.id), set[int]()
    for row in session.execute(select(_Q).where(_Q.c.conversation_id == talk.id)).all():
        place = f"consent_request.body:{row.id}"
        body = unseal_json(session, scope, place, row.body_sealed)
        kept = [_GONE if made_of(item, said) else item for item in body["items"]]
        if kept != body["items"]:
            changed = seal_json(session, scope, place, body | {"items": kept})
            session.execute(update(_Q).where(_Q.c.id == row.id).values(body_sealed=changed))
            cards.add(row.seq)
    for row in session.execute(select(_N.c.id, _N.c.items_sealed).where(_N.c.conversation_id == talk.id)).all():
        place = f"consent.items:{row.id}"
        items = unseal_json(session, scope, place, row.items_sealed)
        kept = [_GONE if made_of(item, said) else item for item in items]
        if kept != items:
            session.execute(update(_N).where(_N.c.id == row.id).values(items_sealed=seal_json(session, scope, place, kept)))
    return cards


def asked_of(session: Session, case: CaseHead) -> list[Asked]:
    """The cards of a case, newest first."""
    rows = session.execute(select(_Q).where(_Q.c.case_id == case.id).order_by(_Q.c.asked_at.desc(), _Q.c.id.desc()))
    found = []
    for row in rows:
        body = unseal_json(session, case.scope, f"consent_request.body:{row.id}", row.body_sealed)
        found.append(Asked(row.id, body["recipient"], tuple(body["items"]), row.days, row.asked_at, row.answer, row.answered_at))
    return found


def write_down(
    session: Session, viewer: Viewer, case: CaseHead, talk: Talk, *, recipient: str, items: Sequence[str], days: int, now: datetime
) -> str:  # fmt: skip
    """A coordinator heard the yes on the telephone or across a table, and answers for it with their name."""
    given = records.give_consent(
        session, talk, purpose=SHARING, recipient=recipient, items=items, days=days, version=_VERSION, now=now, case_id=case.id
    )
    audit.note(session, actor=viewer.actor, act="consent.written_down", now=now, case_id=case.id, consent=given)
    return given


def withdraw(session: Session, viewer: Viewer, case: CaseHead, consent_id: str, now: datetime) -> None:
    """The person takes a consent back, by word of mouth; what rests on it ends in this moment. Raises `Missing`."""
    gone = update(_N).where(_N.c.id == consent_id, _N.c.conversation_id == case.conversation_id, _N.c.withdrawn_at.is_(None)).values(withdrawn_at=now)
    if not session.execute(gone).rowcount:  # type: ignore[attr-defined]
        raise Missing
    audit.note(session, actor=viewer.actor, act="consent.withdrawn", now=now, case_id=case.id, consent=consent_id)


def ledger(session: Session, case: CaseHead) -> list[GivenConsent]:
    """All consents of the resident, newest first: purpose, recipient, items, until, withdrawn."""
    return records.consents(session, case.conversation_id)


def holding(session: Session, case: CaseHead, now: datetime) -> list[GivenConsent]:
    """Those that let something be told to an agency now."""
    return [one for one in ledger(session, case) if one.purpose == SHARING and one.withdrawn_at is None and (one.until is None or one.until > now)]


