"""One moment of a talk, with all a step needs to answer: what was, what was said, what is so now, what the town knows.

A step is a function `Talk → Turn`. It says phrases by key and names the step that waits for the answer; nothing here or in any step knows a clock,
a store or a channel.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal
from zlib import crc32

from flows.filling import Town, fill
from flows.letters import room, shortened
from flows.model import Button, Choice, Effect, Reply, Said, Scene, Session, Turn, Utterance
from flows.moments import Desk, desk_at
from knowledge.hearing.model import Lang

MOST_BUBBLES: Final = 3
MOST_BUTTONS: Final = 4
_LONGEST_BUBBLE: Final = 80
_MOST_BACK: Final = 6
_SPARED: Final = (
    "explain", "what", "tell_me", "go_along", "see_more", "near_things", "strike_out", "mend", "later", "been_there", "list", "other_reason",
    "other_skill", "any_time", "no_more_mail", "family_other", "home", "wrong",
)  # fmt: skip
"""Answers that can be typed where one button fewer is shown, the least needed first."""
_FEWEST: Final = 2
_LONGEST_STORY: Final = 60
"""Messages remembered; whoever writes more has a human's desk to write to."""
Ending = Literal["answered", "queued", "acknowledged", "noise"]


def start_session() -> Session:
    """Nothing said yet."""
    return Session(flow="consent", step="start")


@dataclass(frozen=True)
class Talk:
    """What a step is given. `choice` is the answer that was pressed or typed, None for anything else."""

    session: Session
    said: Utterance
    scene: Scene
    town: Town
    choice: str | None = None
    waited: Session | None = None
    """The session as it was when this was said: where もどる leads; None = `session` itself."""

    # ------------------------------------------------------------ looking

    @property
    def text(self) -> str:
        return self.said.text.strip()

    @property
    def has_words(self) -> bool:
        """A letter or a number was written, not only marks and pictures."""
        return any(letter.isalnum() for letter in self.text)

    @property
    def latest(self) -> str:
        """What was said last in words: now, or before the button that was just pressed or typed."""
        told = self.session.story[-1].text.strip() if self.session.story else ""
        return told if self.choice is not None else self.text or told

    @property
    def desk(self) -> Desk:
        """Whether somebody reads now, and what may be promised."""
        return desk_at(self.scene, self.town.base.town)

    @property
    def at(self) -> str:
        """Where the talk waits: flow.step."""
        return f"{self.session.flow}.{self.session.step}"

    @property
    def worry(self) -> str:
        """All that was said about the present worry (G11)."""
        return "\n".join(said.text for said in self.present)

    @property
    def present(self) -> tuple[Said, ...]:
        """The messages of the present worry."""
        return self.session.story[self._begins :]

    @property
    def refs(self) -> tuple[str, ...]:
        """The messages the present worry was told in (I8)."""
        return tuple(said.ref for said in self.present if said.ref)

    @property
    def _begins(self) -> int:
        return min(int(self.session.notes.get("begins", "0")), len(self.session.story))

    def note(self, name: str) -> str | None:
        return self.session.notes.get(name)

    # ------------------------------------------------------------ moving on

    def with_(self, **changes: Any) -> "Talk":
        """The same moment with a session changed in these fields."""
        return replace(self, session=self.session.model_copy(update=changes))

    def in_language(self, lang: Lang) -> "Talk":
        """The same moment, spoken in a language from now on; so are the answers of the open question."""
        spoken = self.with_(lang=lang, lang_offered=True)
        choices = tuple(spoken.relabelled(choice) for choice in self.session.choices)
        return spoken.with_(choices=choices)

    def relabelled(self, choice: Choice) -> Choice:
        """A choice in the language of the talk; one that names something of its own stays as it is."""
        known = choice.value.removeprefix("!") in self.town.words("ja").buttons
        return choice.model_copy(update={"label": self.option(choice.value).label}) if known else choice

    def noting(self, **notes: str | None) -> "Talk":
        """Small facts written down; None takes one away."""
        kept = {name: value for name, value in {**self.session.notes, **notes}.items() if value is not None}
        return self.with_(notes=kept)

    def remembering(self) -> "Talk":
        """What was said just now becomes part of the story (G11); a typed choice is an answer, no story."""
        if self.choice is not None:
            return self
        told = tuple(Said(text=part.text, ref=part.ref) for part in self.said.parts if part.text.strip())
        known = {said.ref for said in self.session.story if said.ref}
        story = (*self.session.story, *(said for said in told if said.ref not in known))
        dropped = max(len(story) - _LONGEST_STORY, 0)
        return self.with_(story=story[dropped:]).noting(begins=str(max(self._begins - dropped, 0)))

    def forgetting_latest(self) -> "Talk":
        """What was said last is no part of any worry: an insult, a greeting, advertising."""
        if self.choice is not None or not self.said.refs:  # written before the button that was just pressed or typed
            return self.with_(story=self.session.story[:-1])
        return self.with_(story=tuple(said for said in self.session.story if said.ref not in self.said.refs))

    def new_worry(self) -> "Talk":
        """What comes now is another worry: nothing is forgotten, but it is heard by itself."""
        return self.with_(
            misses=0, questions=0, whose=None, domain=None, needs=(), shown=(), tried=(), gap_reasons=(), sheet=()
        ).noting(begins=str(len(self.session.story)), group=None, ended=None)

    def ended(self) -> "Talk":
        """The worry is answered, or left: the next free text is another one."""
        return self.noting(ended="yes")

    # ------------------------------------------------------------ saying

    def says(self, key: str, before: str = "", **slots: str) -> Reply:
        """A phrase with its slots filled, after `before` in the same bubble, in a wording that was not said just before (G10)."""
        wordings = self.town.wordings(key, self.session.lang)
        bubbles = [Reply(text=before + fill(wording, slots, self.session.lang, self.town), key=key) for wording in wordings]
        return next((bubble for bubble in bubbles if not self._just_said(bubble.text)), self._once_more(bubbles[0]))

    def quoted(self, text: str, key: str) -> Reply:
        """A bubble said before, shown again."""
        reply = Reply(text=text, key=key)
        return self._once_more(reply) if self._just_said(text) else reply

    def unless_just_said(self, reply: Reply) -> tuple[Reply, ...]:
        """This bubble, or nothing if the last turn said it (G10)."""
        return () if self._just_said(reply.text) else (reply,)

    def _just_said(self, text: str) -> bool:
        return _mark(text) in (self.note("said") or "").split()

    def _once_more(self, reply: Reply) -> Reply:
        """The same words must stand here a second time: say that it is a second time."""
        wording = self.town.wordings("again", self.session.lang)[0]
        again = wording.replace("{text}", reply.text)
        if room(again) > _LONGEST_BUBBLE:
            again = wording.replace("{text}", shortened(reply.text, int(_LONGEST_BUBBLE - room(wording.replace("{text}", "")))))
        return reply if self._just_said(again) else reply.model_copy(update={"text": again})

    def option(self, name: str) -> Button:
        """A reply button by its name; names with `!` are valid in every state (G4)."""
        key = "begin_again" if name == "!start" else name.removeprefix("!")
        return Button(label=self.town.label(key, self.session.lang), value=name)

    # ------------------------------------------------------------ the end of a turn

    def ask(
        self, at: str, *bubbles: str | Reply, choices: Iterable[str | Button] = (), links: Iterable[Button] = (), effects: Iterable[Effect] = (),
        ends_as: Ending = "answered",
    ) -> Turn:  # fmt: skip
        """Say these bubbles and wait at `at` (flow.step) for the answer to the last one. `choices` are names of buttons; `links` lead outside."""
        replies = self._replies(bubbles)
        options = [self.option(choice) if isinstance(choice, str) else choice for choice in choices]
        flow, step = at.split(".")
        question = replies[-1] if replies else Reply()
        session = self.session.model_copy(
            update={
                "flow": flow, "step": step, "ask": self.session.ask + 1, "last_at": self.scene.now,
                "choices": tuple(Choice(value=option.value, label=option.label) for option in options),
                "misses": self.session.misses if at == self.at else 0,
                "back": self._back(at),
                "notes": {**self.session.notes, "asked": question.text, "asked_key": question.key, "repeats": "0"},
            }
        )  # fmt: skip
        buttons = self._buttons(self._fewer(flow, options), session.ask, links)
        return Turn(session=having_said(session, replies), replies=replies, buttons=buttons, effects=tuple(effects), ends_as=ends_as)

    def stay(self, *bubbles: str | Reply, effects: Iterable[Effect] = (), ends_as: Ending = "answered", also: Iterable[str] = ()) -> Turn:
        """Say something beside the open question, which stays open with all its buttons. `also` offers words of G4 where there is room for them."""
        replies = self._replies(bubbles)
        options = [Button(label=choice.label, value=choice.value) for choice in self.session.choices]
        extra = [self.option(name) for name in also if all(option.value != name for option in options)]
        session = having_said(self.session, replies).model_copy(update={"last_at": self.scene.now})
        buttons = self._buttons([*self._fewer(self.session.flow, options), *extra], session.ask, ())
        return Turn(session=session, replies=replies, buttons=buttons, effects=tuple(effects), ends_as=ends_as)

    def ask_again(self, *bubbles: str | Reply, effects: Iterable[Effect] = ()) -> Turn:
        """The answer was not understood: the same question, counted as a miss (G10)."""
        missed = self.with_(misses=self.session.misses + 1)
        options = [Button(label=choice.label, value=choice.value) for choice in self.session.choices]
        return missed.ask(self.at, *bubbles, choices=options, effects=effects)

    def silent(self, ends_as: Ending = "acknowledged") -> Turn:
        """Nothing is said, nothing changes."""
        return Turn(session=self.session.model_copy(update={"last_at": self.scene.now}), ends_as=ends_as)

    def _replies(self, bubbles: Iterable[str | Reply]) -> tuple[Reply, ...]:
        said = [self.says(bubble) if isinstance(bubble, str) else bubble for bubble in bubbles]
        return tuple(self._once_more(bubble) if bubble.text and self._just_said(bubble.text) else bubble for bubble in said)[:MOST_BUBBLES]

    def _fewer(self, flow: str, options: Sequence[Button]) -> Sequence[Button]:
        """Whoever writes kana only has one button fewer to choose from (D13), but in danger; every answer stands in the bubble and can be typed."""
        if self.note("register") != "kana" or flow == "danger" or len(options) <= _FEWEST:
            return options
        spared = next((name for name in _SPARED if any(option.value == name for option in options)), None)
        return [option for option in options if option.value != spared]

    def _buttons(self, options: Iterable[Button], ask: int, links: Iterable[Button]) -> tuple[Button, ...]:
        """Payloads name their question, so that a button of a past day is known as old (D13)."""
        answers = [
            option if option.value.startswith("!") else option.model_copy(update={"value": f"{ask}:{option.value}"}) for option in options
        ]
        return (*answers, *links)[:MOST_BUTTONS]

    def _back(self, at: str) -> tuple[str, ...]:
        """Where もどる leads: the questions before this one. The story is kept apart and never goes back (G11)."""
        if at == self.at or not self.note("asked"):
            return self.session.back
        here = (self.waited or self.session).model_copy(update={"back": (), "story": (), "last_keys": ()})
        return (*self.session.back, here.model_dump_json(exclude_defaults=True))[-_MOST_BACK:]


def last_bubbles(turn: Turn, *more: Reply) -> Turn:
    """The turn with these bubbles said first, as long as three are enough (G2)."""
    room = MOST_BUBBLES - len(turn.replies)
    first = more[:room] if room > 0 else ()
    if not first:
        return turn
    replies = (*first, *turn.replies)
    return turn.model_copy(update={"replies": replies, "session": having_said(turn.session, replies)})


def having_said(session: Session, replies: Sequence[Reply]) -> Session:
    """The session after these bubbles: kept as keys and marks, so that none is said again at once (G10), with the cards now in sight."""
    notes = {**session.notes, "said": " ".join(_mark(reply.text) for reply in replies if reply.text)}
    if shown := " ".join(card.id for reply in replies for card in reply.cards):
        notes["in_sight"] = shown
    return session.model_copy(update={"last_keys": tuple(reply.key for reply in replies), "notes": notes})


def _mark(text: str) -> str:
    """A short mark of a bubble: enough to know it again, nothing to read."""
    return f"{crc32(text.encode('utf-8', 'surrogatepass')):08x}"
