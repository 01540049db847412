"""Words that their resident took back: they leave everything that was made of them; that there was danger stays known (R8, D13).

What carries the id of the message goes by that. An offer, a report, a wish and the items of a consent carry none:
they go by their words.
"""

import json
import re
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlmodel import Session

from storage import audit, cases, consents, gaps, helping, household, records, referrals
from storage import talk as talks
from storage.talk import Line, Talk

_LOOKED_THROUGH = 500
"""Lines of a talk in which answers to the message are looked for; platforms let residents take back what is at most a day old."""
_QUOTED = re.compile("「([^「」]{2,})」")


def forget(session: Session, talk: Talk, line: Line, now: datetime) -> None:
    """The resident took this line back. That, and which cases lost words with it, stands in the audit: pages that lie open hear it from there."""
    said = _versions_of(line)
    cards = consents.forget_words(session, talk, said)
    talks.forget_words(session, talk, [line.id, *_lines_that_quote(session, talk, said, cards)], now)
    lost = {of for room in (cases, household, referrals) for of in room.forget_words(session, talk, line.id)}
    helping.forget_words(session, talk, said)
    records.forget_words(session, talk, said)
    gaps.forget_words(session, said, line.at)
    for case_id in sorted(lost) or [None]:
        audit.note(session, actor="resident", act=audit.TAKEN_BACK, now=now, case_id=case_id)


def _versions_of(line: Line) -> list[str]:
    """What the line says, and what stood there before it was written anew."""
    body = {} if line.body is None else json.loads(line.body)
    return [one for one in (body.get("text", ""), *(earlier["text"] for earlier in body.get("earlier", ()))) if one]


def _lines_that_quote(session: Session, talk: Talk, said: Sequence[str], cards: Collection[int]) -> list[str]:
    """Lines of the bot that repeat some of these words between 「」, and the cards with these numbers."""
    lines = talks.lines(session, talk.id, after=max(0, talk.last_seq - _LOOKED_THROUGH), limit=_LOOKED_THROUGH)
    return [
        line.id for line in lines
        if line.seq in cards or (
            line.author == "bot" and line.body is not None
            and any(quote.rstrip("…") in words for quote in _QUOTED.findall(line.body) for words in said)
        )
    ]  # fmt: skip
