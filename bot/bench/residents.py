"""Simulated residents: somebody who first says next to nothing, and answers what they are asked from the need they have (D3).

The talk is the real one, the flows' own steps. A line of sets/residents.jsonl has what is written first, the need behind it (`ids`, the `group` of
the first question, `whose` it is), the words they use when they are asked (`more`), and what the first message `said` already and may not be asked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import flows
from bot.bench.lines import read
from flows.model import Part, Scene, Session, Turn, Utterance
from knowledge.base import Base

MORNING: Final = datetime(2026, 11, 24, 1, 0, tzinfo=UTC).astimezone(timezone(timedelta(hours=9)))
"""A Tuesday at ten, when desks are open."""
MOST_TURNS: Final = 6
CARDS: Final = 3
QUESTIONS: Final[Mapping[str, str]] = {"consult.which": "group", "consult.whose": "whose"}
"""The questions of D3 by step, and what each asks for."""


@dataclass
class Talk:
    """One resident's talk, up to the cards."""

    line: Mapping[str, Any]
    town: flows.Town
    in_words: bool
    """Answers the first question in words; otherwise presses the button nearest to the need."""
    session: Session = field(default_factory=flows.start_session)
    asked: list[str] = field(default_factory=list)
    """Steps at which something was asked before cards came."""
    cards: tuple[str, ...] = ()
    turns: int = 0

    def goes_on(self) -> "Talk":
        """From the first words to the cards, or until nothing more is understood."""
        self._does(Utterance(kind="follow"))
        self._presses("start")
        turn = self._writes(self.line["text"])
        while not self.cards and self.turns < MOST_TURNS:
            at = f"{self.session.flow}.{self.session.step}"
            self.asked.append(at)
            turn = self._answers(at, turn)
        return self

    def _answers(self, at: str, turn: Turn) -> Turn:
        wanted = self.line.get(QUESTIONS.get(at, ""))
        if at == "consult.guess":
            right = self.session.notes.get("guess") in self.line["ids"]
            return self._writes(self.line["more"]) if self.in_words and not right else self._presses("yes" if right else "no")
        if at == "consult.area":
            return self._presses("area_unknown")
        if wanted and not (self.in_words and len(self.asked) == 1):
            return self._presses(wanted)
        return self._writes(self.line["more"])

    def _presses(self, value: str) -> Turn:
        return self._does(Utterance(kind="button", button=f"{self.session.ask}:{value}"))

    def _writes(self, text: str) -> Turn:
        return self._does(Utterance(parts=(Part(ref=f"m{self.turns}", text=text),), danger=self.town.base.danger.scan(text)))

    def _does(self, said: Utterance) -> Turn:
        self.turns += 1
        turn = flows.step(self.session, said, Scene(now=MORNING + timedelta(seconds=20 * self.turns)), self.town)
        self.session = turn.session
        self.cards = tuple(card.id for reply in turn.replies for card in reply.cards)
        return turn


def talks(base: Base, *, in_words: bool) -> list[Talk]:
    """Every resident of the set, heard to the end."""
    town = flows.load_town(base)
    return [Talk(line, town, in_words).goes_on() for line in read("residents")]


def found(talk: Talk, *, questions: int) -> bool:
    """A right first door is among the cards that came after at most so many questions; where one lives is asked for the card's sake."""
    asked = [step for step in talk.asked if step != "consult.area"]
    return len(asked) <= questions and bool(set(talk.line["ids"]) & set(talk.cards[:CARDS]))


def asked_again(all_talks: Iterable[Talk]) -> list[bool]:
    """For each talk whether something was asked that the first message had said."""
    return [any(QUESTIONS.get(step) in talk.line["said"] for step in talk.asked) for talk in all_talks]
