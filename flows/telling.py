"""D8, D14: the coordinator asks by a card whether something may be told to somebody: [はい] [いいえ] [あとで].

The card belongs to no step of a flow: it is answered whoever owns the talk, days later too, and never twice; after two weeks its yes is over
(storage/consents.py). Its buttons carry the question's id.
"""

from collections.abc import Sequence
from typing import Final, Literal

from flows.filling import Town, fill
from flows.letters import shortened
from flows.model import Button, Reply, Session
from flows.typed import plain, plain_label

May = Literal["yes", "no", "later"]
_LABELS: Final[dict[May, str]] = {"yes": "yes", "no": "no", "later": "later"}
_MARK: Final = "tell:"
_LONGEST_NAME: Final = 24
_LONGEST_ITEM: Final = 34
_ITEMS_IN_A_BUBBLE: Final = 2
MOST_ITEMS: Final = 12


def may_we_tell(session: Session, town: Town, asked: str, recipient: str, items: Sequence[str]) -> tuple[tuple[Reply, ...], tuple[Button, ...]]:
    """The question, what would be told two lines a bubble, and the three answers. `asked` is the id of the question (≤ 40 ASCII characters)."""
    wording = town.wordings("consent.tell", session.lang)[0]
    question = Reply(text=fill(wording, {"recipient": shortened(recipient, _LONGEST_NAME)}, session.lang, town), key="consent.tell")
    lines = [f"・{shortened(item, _LONGEST_ITEM)}" for item in items[:MOST_ITEMS]]
    told = tuple(Reply(text="\n".join(lines[at : at + _ITEMS_IN_A_BUBBLE])) for at in range(0, len(lines), _ITEMS_IN_A_BUBBLE))
    buttons = tuple(Button(label=town.label(name, session.lang), value=f"{_MARK}{asked}:{may}") for may, name in _LABELS.items())
    return (*told, question), buttons


def asked_too_long_ago(session: Session, town: Town) -> Reply:
    """To whoever answers such a card when its question is over: nothing was told, and a human asks anew."""
    return Reply(text=fill(town.wordings("consent.over", session.lang)[0], {}, session.lang, town), key="consent.over")


def pressed_may(payload: str | None) -> tuple[str, May] | None:
    """The question and its answer, when a button of such a card was pressed."""
    if payload is None or not payload.startswith(_MARK):
        return None
    asked, _, may = payload.removeprefix(_MARK).partition(":")
    return next(((asked, known) for known in _LABELS if known == may), None)


def typed_may(text: str, town: Town) -> May | None:
    """An answer typed as the label says it, in any language the card may have had; anything else is for the coordinator to read."""
    said = plain(text)
    labels = {plain_label(words.buttons.get(name, "")): may for may, name in _LABELS.items() for words in town.phrases.values()}
    return labels.get(said) if said else None
