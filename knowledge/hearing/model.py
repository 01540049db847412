"""What hearing a message yields: values only, no reading, no ranking.

These shapes cross every wall of the product (flows show them, storage keeps them, staff read them), so they are frozen and
plain JSON: `Hearing.model_dump()` is what `madoguchi match` prints (design.md §5).
"""

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

Level = Literal["L0", "L1", "L2", "L3"]
"""L3 life in danger now · L2 crisis told · L1 unclear, ask · L0 none (conversations.md, head)."""

DangerKind = Literal[
    "suicide", "self_harm", "partner_violence", "child_abuse", "elder_abuse", "disability_abuse", "sexual_violence",
    "stalking_threat", "forced_confinement", "harm_to_others", "medical_emergency", "fire_disaster", "no_food_or_shelter",
]  # fmt: skip
DANGER_KINDS: tuple[DangerKind, ...] = get_args(DangerKind)

Intent = Literal["help", "offer", "info", "human", "smalltalk"]
Decision = Literal["answer", "ask", "handoff", "danger"]
Lang = Literal["ja", "easy", "en", "zh", "pt", "vi", "ko", "tl", "ne", "id", "es"]
"""`easy` is a wish for やさしい日本語 (written in it, or asked for); the first six are offered, the rest are only recognised."""


class Value(BaseModel):
    """A frozen value that refuses unknown fields: a misspelt field is our bug, not a silent default."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Danger(Value):
    """The danger heard in one message, with the rule that fired, so that staff see why (D6)."""

    level: Level = "L0"
    kinds: tuple[DangerKind, ...] = ()
    rule: str | None = None
    """Id of the rule in danger.yaml that decided the level; None at L0."""
    said: str | None = None
    """The resident's own words that fired it, cut from the text as written."""
    who: Literal["self", "family", "other"] | None = None
    """Whose life it is about, as far as the rule can tell: a third person gets D6i, a child D6e."""
    child_speaks: bool = False
    """The writer seems to be a child (おとうさんがたたく): D6e answers in hiragana."""

    @property
    def heard(self) -> bool:
        return self.level != "L0"


NO_DANGER = Danger()


class Match(Value):
    """One service that may help with one need."""

    id: str
    score: float
    """Confidence 0–1 that this is a right first door (calibrated, matching.md)."""
    why: tuple[str, ...] = ()
    """The resident's own words that led here, longest evidence first (G6)."""
    channels: dict[str, float] = {}
    """Weight of each ranking channel, for staff who mend entries."""


class Need(Value):
    """One separate thing the resident needs, with what may help, best first."""

    text: str
    domain: str | None
    services: tuple[Match, ...] = ()


class Hearing(Value):
    """Everything heard in one message."""

    text: str
    lang: Lang
    danger: Danger
    intent: Intent
    needs: tuple[Need, ...]
    decision: Decision
    cards: tuple[str, ...]
    """Ids in the order they would be shown: needs interleaved, at most three for one need, six for several or where a second may be meant."""
    reason: str = ""
    """Why this decision, in a short stable word for staff and tests: `confident`, `thin`, `entangled`, `gap`, `asks_human`, …"""
