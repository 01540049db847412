"""A resident who talks to the flows, one utterance after another, as the reception would hand them over."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import flows
from flows.model import Effect, OpenCase, Part, RaiseAlarm, Reply, Scene, Session, Turn, Utterance
from knowledge.hearing.model import NO_DANGER, Danger

JST = timezone(timedelta(hours=9))
TUESDAY_MORNING = datetime(2026, 11, 24, 10, 0, tzinfo=JST)
HOLIDAY_NIGHT = datetime(2026, 11, 23, 22, 0, tzinfo=JST)
"""Monday, 勤労感謝の日: the desk opens on Tuesday 8:30."""


@dataclass
class Resident:
    """Says and presses things; keeps what was heard. `at` is the time of the next utterance."""

    town: flows.Town
    at: datetime = TUESDAY_MORNING
    session: Session = field(default_factory=flows.start_session)
    turn: Turn = field(default_factory=lambda: Turn(session=flows.start_session()))
    scene: dict[str, Any] = field(default_factory=dict)
    refs: int = 0

    def says(self, *texts: str, danger: Danger = NO_DANGER) -> "Resident":
        """One message, or several in a row. What was heard of danger comes in as a value: hearing it is tested elsewhere."""
        parts = []
        for text in texts:
            self.refs += 1
            parts.append(Part(ref=f"m{self.refs}", text=text))
        return self.does(Utterance(parts=tuple(parts), danger=danger))

    def presses(self, label: str) -> "Resident":
        """A button under the last bubble or on a card, by its label."""
        found = [button for button in self.turn.buttons if button.label == label]
        found += [button for reply in self.turn.replies for card in reply.cards for button in card.buttons if button.label == label]
        assert found, f"no button {label!r} among {[button.label for button in self.turn.buttons]}"
        return self.does(Utterance(kind="button", button=found[0].value))

    def does(self, said: Utterance) -> "Resident":
        self.at += timedelta(seconds=20)
        self.turn = flows.step(self.session, said, self.now, self.town)
        self.session = self.turn.session
        return self

    def follows(self) -> "Resident":
        return self.does(Utterance(kind="follow"))

    def begins(self) -> "Resident":
        """Opened the talk and agreed (D1)."""
        return self.follows().presses("相談をはじめる")

    @property
    def now(self) -> Scene:
        return Scene(now=self.at, **self.scene)

    @property
    def bubbles(self) -> list[str]:
        return [reply.text for reply in self.turn.replies if reply.text]

    @property
    def heard(self) -> str:
        return "\n".join(self.bubbles)

    @property
    def keys(self) -> list[str]:
        return [reply.key for reply in self.turn.replies]

    @property
    def buttons(self) -> list[str]:
        return [button.label for button in self.turn.buttons]

    @property
    def cards(self) -> list[str]:
        return [card.id for reply in self.turn.replies for card in reply.cards]

    @property
    def at_step(self) -> str:
        return f"{self.session.flow}.{self.session.step}"

    def effects(self, kind: type[Any]) -> list[Any]:
        return [effect for effect in self.turn.effects if isinstance(effect, kind)]

    @property
    def case(self) -> OpenCase:
        found: list[OpenCase] = self.effects(OpenCase)
        assert len(found) == 1, found
        return found[0]

    @property
    def alarm(self) -> RaiseAlarm:
        found: list[RaiseAlarm] = self.effects(RaiseAlarm)
        assert len(found) == 1, found
        return found[0]

    @property
    def effect_names(self) -> list[str]:
        return [effect_name(effect) for effect in self.turn.effects]


def effect_name(effect: Effect) -> str:
    return effect.effect


def width(text: str) -> float:
    """Letters as a phone shows them: a Latin letter takes half the room of a Japanese one; ふりがな in brackets and spaces are not counted."""
    return sum(1.0 if unicodedata.east_asian_width(letter) in "WFA" else 0.5 for letter in without_reading(text))


def without_reading(text: str) -> str:
    """家（いえ）の → 家の."""
    return re.sub(r"（[ぁ-ゖー]+）", "", text).replace(" ", "") if re.search(r"（[ぁ-ゖ]", text) else text


def keeps_limits(turn: Turn) -> bool:
    """G2 and G3: three bubbles, eighty letters each, four buttons, three cards; payloads fit every platform."""
    cards = [card for reply in turn.replies for card in reply.cards]
    return (
        len(turn.replies) <= 3
        and all(_short(reply) for reply in turn.replies)
        and len(turn.buttons) <= 4
        and len(cards) <= 3
        and all(width(button.label) <= 12.5 for button in turn.buttons)
        and all(len(button.value) <= 64 and button.value.isascii() for button in turn.buttons)
        and all(width(line) <= 80 for card in cards for line in (card.reason, *card.lines))
    )


def asks(reply: Reply) -> bool:
    """Whether a bubble ends in a question or asks one (G2); what is quoted is not asked by us."""
    ours = re.sub(r"「[^」]*」|“[^”]*”|\"[^\"]*\"|（[^（）]*）|\([^()]*\)", "", reply.text)
    return bool(re.search(r"(?:ます|です|した|せん|しょう)か。|[？?]", ours))


def asks_one_thing(turn: Turn) -> bool:
    """One question a turn (G2); what staff wrote about a service may quote questions."""
    return sum(asks(reply) for reply in turn.replies if not reply.key.startswith("details.")) <= 1


def _short(reply: Reply) -> bool:
    return width(reply.text) <= 80
