"""Presses of buttons at the desk: the same press, sent twice and to whichever process, is done once and answered twice (R23)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlmodel import Session

from storage import staff
from storage.dialect import insert_new, table
from storage.tables import Press

_P = table(Press)
DIED = timedelta(seconds=30)
"""An act that has led nowhere for so long ended with its process: the press may be done again."""


@dataclass(frozen=True)
class Known:
    """The same press came before. `led_to`: where its act led; None while that is still on its way."""

    led_to: str | None


def begin(session: Session, mark: str, token: str, now: datetime) -> Known | None:
    """None when this press is the first of its mark, and its act may begin; also where nobody is signed in with `token`: then nothing is written."""
    if staff.signed_in(session, token, now, touch=False) is None:
        return None
    row = {"mark": mark, "at": now, "led_to": None}
    if session.execute(insert_new(session, Press).values(row).on_conflict_do_nothing().returning(_P.c.mark)).first() is not None:
        return None
    mine = update(_P).where(_P.c.mark == mark, _P.c.led_to.is_(None), _P.c.at <= now - DIED)
    if session.execute(mine.values(at=now).returning(_P.c.mark)).first() is not None:
        return None
    return Known(session.execute(select(_P.c.led_to).where(_P.c.mark == mark)).scalar())


def end(session: Session, mark: str, led_to: str | None) -> None:
    """What came of it: where the act led, or None where it was refused and may be pressed again."""
    mine = _P.c.mark == mark
    session.execute(delete(_P).where(mine) if led_to is None else update(_P).where(mine).values(led_to=led_to))
