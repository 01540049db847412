"""Somebody presses and writes anything at any time, for as long as one likes: `MADOGUCHI_WALK=100000 pytest tests/flows/test_long_walk.py`."""

import json
import os
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import pytest

import flows
from flows.answers import chosen
from flows.model import Button, Choice, Part, Scene, Session, Turn, Utterance
from flows.talk import MOST_BUBBLES
from tests.flows.talks import TUESDAY_MORNING, asks_one_thing, keeps_limits
from tests.flows.test_phrases import LABELS_OF_PEOPLE, PROMISES_NEVER_MADE
from tests.flows.test_waiting_steps import SAYINGS

TURNS = int(os.environ.get("MADOGUCHI_WALK", "600"))
WORRIES = (
    "82の父と2人暮らし。私は54で10年働いてません。父が入院、来週退院と言われたけど家は2階だし、貯金ももうすぐなくなります", "もう死にたい",
    "夫になぐられる", "今日から食べるものがない", "もう限界です", "遠くに住む母が心配です", "誰かと話したい。行くところがない",
    "同意を取り消したい", "わたしの情報を見せて", "消す", "A-4K2Z", "Quero me divorciar", "①", "4", "そうじゃなくて、母のことです", "民生委員です",
    "学校で弟の世話をしてて宿題ができない", "LINEの履歴を消して", "副業で稼げます https://example.com", "職員を殺してやる", "...", "👍",
)  # fmt: skip
_COMES = Utterance(kind="follow")
PAUSES = (2, 5, 20, 60, 1900, 4000, 50_000, 86_400, 40 * 86_400)


@dataclass
class Walker:
    """A talk, and every button it was ever shown."""

    town: flows.Town
    dice: Random
    session: Session = field(default_factory=flows.start_session)
    at: object = TUESDAY_MORNING
    shown: list[Button] = field(default_factory=list)
    last: set[str] = field(default_factory=set)
    refs: int = 0
    words: list[str] = field(default_factory=list)

    def scene(self) -> Scene:
        dice = self.dice
        return Scene(
            now=self.at, channel=dice.choice(["web", "line", "telegram", "terminal"]), staffed=dice.random() < 0.8, waiting=dice.randrange(4),
            open_case=dice.choice([None, "A-1"]),
        )  # fmt: skip

    def turn(self) -> Turn:
        self.at += timedelta(seconds=self.dice.choice(PAUSES[:4] if self.dice.random() < 0.9 else PAUSES))
        scene, lot = self.scene(), self.dice.random()
        if lot < 0.02:
            return flows.handback(self.session, scene, self.town, "佐藤")
        if lot < 0.03:
            return flows.follow_up(self.session, scene, self.town)
        if lot < 0.04:
            return flows.promise_late(self.session, scene, self.town, flows.late_until(scene, self.town))
        return flows.step(self.session, self.said(), scene, self.town)

    def said(self) -> Utterance:
        lot = self.dice.random()
        if lot < 0.45 and self.shown:
            return Utterance(kind="button", button=self.dice.choice(self.shown[-5:] if lot < 0.4 else self.shown).value)
        if lot < 0.5:
            return self.dice.choice([Utterance(kind="sticker"), Utterance(kind="media", media="audio"), Utterance(kind="location"), _COMES])
        text = self.dice.choice(SAYINGS if lot < 0.75 else WORRIES)
        self.refs += 1
        danger = self.town.base.danger.scan(text, self.words[-4:])
        self.words = [*self.words[-4:], text]
        return Utterance(parts=(Part(ref=f"m{self.refs}", text=text),), danger=danger)

    def walks(self) -> None:
        turn = self.turn()
        for rule, holds in (
            ("G2, G3: short, few bubbles, few buttons", keeps_limits(turn) and len(turn.replies) <= MOST_BUBBLES),
            ("G2: one question a turn", asks_one_thing(turn)),
            ("I4: it ends as one of four", turn.ends_as in ("answered", "queued", "acknowledged", "noise")),
            ("G10: never the same bubble twice running", self.last.isdisjoint({one.text for one in turn.replies if one.text})),
            ("G3: every button can be typed", all(_typeable(turn.session.choices))),
            ("G7, G13: nothing is said that never may be", not _forbidden(turn)),
            ("I7: what is stored is read again", Session.model_validate_json(turn.session.model_dump_json(exclude_defaults=True)) == turn.session),
            ("the session stays small", len(turn.session.model_dump_json()) < 200_000),
            ("effects are plain JSON", all(json.loads(effect.model_dump_json()) for effect in turn.effects)),
        ):  # fmt: skip
            was = self.session
            assert holds, f"{rule}: at {was.flow}.{was.step} → {turn.session.flow}.{turn.session.step}: {turn.replies} {turn.buttons}"
        if turn.replies:
            self.last = {one.text for one in turn.replies if one.text}
        self.session = turn.session
        cards = [button for reply in turn.replies for card in reply.cards for button in card.buttons]
        self.shown = [*self.shown[-60:], *(one for one in (*turn.buttons, *cards) if one.value)]


def _typeable(choices: tuple[Choice, ...]) -> list[bool]:
    """Each open choice, written as its label and as its number, is that choice."""
    labels = [choice.label for choice in choices]
    return [
        chosen(words, choices, {}) == choice.value
        for place, choice in enumerate(choices, 1) for words in (choice.label, str(place))
        if labels.count(choice.label) == 1
    ]  # fmt: skip


def _forbidden(turn: Turn) -> list[str]:
    said = "\n".join(reply.text for reply in turn.replies if not reply.key.startswith("details."))  # those are the words of staff
    return [word for word in (*PROMISES_NEVER_MADE, *LABELS_OF_PEOPLE) if word in said and f"「{word}" not in said]


@pytest.mark.timeout(max(300, TURNS))
def test_a_walk_of_any_length_keeps_every_rule(town: flows.Town) -> None:
    for seed in range(max(TURNS // 200, 1)):
        walker = Walker(town, Random(seed))
        for _ in range(min(TURNS, 200)):
            walker.walks()
