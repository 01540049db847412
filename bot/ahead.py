"""What can be thought of an event before its transaction begins: the danger in its words, and the step of the talk. Both are pure and cost many times
what storing costs; thought ahead they hold up nobody, and other processes can do it (hearers.py).

A *question* is read from the rows (looking.py), `think` answers it, and the reception takes the answer only where the talk still is as it was looked
at and the words are the same; else it thinks for itself. So nothing rests on a thought being right or in time.
"""

from dataclasses import dataclass

import flows
from flows.model import Scene, Session, Turn, Utterance
from knowledge.hearing.model import Danger
from storage.talk import Talk


@dataclass(frozen=True)
class Question:
    """All that the answer depends on."""

    knowledge: str
    """Version of the town's knowledge."""
    version: int
    """Of the talk when it was looked at: it moves with everything that is written into a talk."""
    line_id: str
    """What the line of this event will be called, so that a turn can point at it (I8)."""
    text: str | None
    """What is heard for danger; None where nothing was written."""
    earlier: tuple[str, ...] = ()
    step: tuple[Session, Utterance, Scene] | None = None
    """What the flow will be given, but for the danger; None where it will not be asked, or nobody can tell yet."""


@dataclass(frozen=True)
class Thought:
    """An answer, with what was asked."""

    question: Question
    danger: Danger | None
    turn: Turn | None

    def fits(self, talk: Talk, town: flows.Town) -> bool:
        return (self.question.version, self.question.knowledge) == (talk.version, town.base.version)

    def turn_for(self, said: Utterance) -> Turn | None:
        """The turn, if this is what was thought about."""
        return self.turn if self.question.step is not None and said == with_danger(self.question.step[1], self.danger) else None


def think(question: Question, town: flows.Town) -> tuple[Danger | None, Turn | None]:
    """The danger in the words, and the turn. Raises what hearing or a flow raises: their bugs are met where the event is received."""
    danger = None if question.text is None else town.base.danger.scan(question.text, question.earlier)
    if question.step is None:
        return danger, None
    session, said, scene = question.step
    return danger, flows.step(session, with_danger(said, danger), scene, town)


def with_danger(said: Utterance, danger: Danger | None) -> Utterance:
    return said if danger is None else said.model_copy(update={"danger": danger})
