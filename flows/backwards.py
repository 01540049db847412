"""もどる and 「ちがう」: one step back, with everything that was said kept (G4, G11)."""

from dataclasses import replace
from typing import Final

from flows.model import Button, Session, Turn
from flows.talk import Talk

FORMS: Final = frozenset({"gap", "several", "helper", "thirdparty", "mydata"})
"""Flows that ask several things in a row: left alone for half an hour they ask whether to go on (D13)."""
_KEPT: Final = ("story", "held", "lang", "lang_offered", "consented", "tried", "gap_reasons", "danger", "ask", "last_keys", "last_at")
"""What a step back does not take away."""
_KEPT_NOTES: Final = ("told", "share", "l1", "name_told", "card_shown", "remind", "said", "invited", "machine_told", "safe", "register", "wish")


def step_back(talk: Talk) -> Talk | None:
    """The talk as it waited one question earlier; None at the beginning."""
    if not talk.session.back:
        return None
    *earlier, last = talk.session.back
    try:
        before = Session.model_validate_json(last)
    except ValueError:  # written by an older version of the flows (I7)
        return step_back(talk.with_(back=tuple(earlier)))
    kept = {name: getattr(talk.session, name) for name in _KEPT}
    notes = {**before.notes, **{name: value for name, value in talk.session.notes.items() if name in _KEPT_NOTES}}
    session = before.model_copy(update={**kept, "back": tuple(earlier), "notes": notes})
    return replace(talk, session=session, waited=session, choice=None)


def ask_as_before(talk: Talk, *first: str) -> Turn:
    """The question that waits, said again with its buttons."""
    question = talk.quoted(talk.note("asked") or "", talk.note("asked_key") or "asked")
    options = [Button(label=choice.label, value=choice.value) for choice in talk.session.choices]
    bubbles = [talk.says(key) for key in first] + ([question] if question.text else [])
    return talk.ask(talk.at, *bubbles, choices=options)


def go_back(talk: Talk) -> Turn:
    """もどる."""
    before = step_back(talk)
    return talk.stay("back.nothing", also=("!start",)) if before is None else ask_as_before(before, "back.done")
