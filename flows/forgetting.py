"""R8: a message was unsent. Its words leave the session, and whatever was made from them."""

from flows.model import Session


def without_words(session: Session, ref: str) -> Session:
    """The session as if the message `ref` had not been written; that danger was heard stays known, its words do not."""
    gone = [said.text for said in session.story if said.ref == ref]
    kept = _without(session, ref, gone)
    back = tuple(_snapshot(one, ref, gone) for one in session.back)
    return kept.model_copy(update={"back": tuple(one for one in back if one is not None)})


def _without(session: Session, ref: str, gone: list[str]) -> Session:
    begins = int(session.notes.get("begins", "0"))
    earlier = sum(1 for said in session.story[:begins] if said.ref == ref)
    told = int(session.notes.get("told", "0"))
    told_earlier = sum(1 for said in session.story[:told] if said.ref == ref)
    notes = {name: value for name, value in session.notes.items() if name not in ("asked", "asked_key") and not _shares(value, gone)}
    if "begins" in notes:
        notes["begins"] = str(begins - earlier)
    if "told" in notes:
        notes["told"] = str(told - told_earlier)
    danger = session.danger
    if danger.said and _shares(danger.said, gone):
        danger = danger.model_copy(update={"said": None})
    return session.model_copy(
        update={
            "story": tuple(said for said in session.story if said.ref != ref),
            "sheet": tuple(line for line in session.sheet if ref not in line.refs and not _shares(line.text, gone)),
            "tried": tuple(tried for tried in session.tried if not _shares(tried, gone)),
            "danger": danger,
            "area": None if session.area and _shares(session.area, gone) else session.area,
            "notes": notes,
        }
    )  # fmt: skip


def _snapshot(text: str, ref: str, gone: list[str]) -> str | None:
    try:
        return _without(Session.model_validate_json(text), ref, gone).model_dump_json(exclude_defaults=True)
    except ValueError:
        return None


def _shares(value: str, gone: list[str]) -> bool:
    """A value that quotes the message, whole or shortened."""
    stem = value.rstrip("…")
    return len(stem) > 1 and any(stem in text for text in gone)
