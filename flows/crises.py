"""The families of danger (D6): whom to call, what to ask, and which family answers what was heard."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from knowledge.hearing.model import Danger, DangerKind


@dataclass(frozen=True)
class Crisis:
    """One family of dangers: whom to call, what to ask, and which answer means life is in danger now."""

    name: str
    lines: tuple[str, ...]
    """Told crisis (L2): at most two are said."""
    now: tuple[str, ...] = ("shobo-119",)
    """Life in danger (L3)."""
    answers: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()
    """Answers that mean L3."""
    asks_even_now: bool = False
    """At L3 too the numbers come with a question: whoever hits is in the house, and calling may not be possible (D6d)."""
    unsure: str = "unsure.suicide"
    """The plain question where the words are unclear (6a): about this danger, never about another."""
    doors: tuple[str, ...] = ()
    """Where somebody is listened to afterwards; shown before what the rest of the words leads to."""
    hides: bool = False
    """Somebody dangerous may read the screen: nothing is pushed any more, the desk's title is masked (D6d)."""


SUICIDE = Crisis(
    "suicide", ("inochi-sos", "yorisoi"), answers=("doing", "not_doing", "no_answer"), worse=("doing",),
    doors=("kokoro-touitsu-dial", "sns-soudan-jisatsu"),
)  # fmt: skip
OTHERS_LIFE = Crisis("others_life", ("keisatsu-110", "yorisoi"), now=("keisatsu-110",), answers=("with_them", "not_with_them"))
PARTNER = Crisis(
    "partner", ("keisatsu-110", "dv-plus"), now=("keisatsu-110", "dv-plus"), answers=("safe", "not_safe", "flee"), worse=("not_safe",),
    asks_even_now=True, hides=True, unsure="unsure.home",
)  # fmt: skip
SEXUAL = Crisis(
    "sexual", ("keisatsu-110", "onestop-8891"), now=("keisatsu-110", "onestop-8891"), answers=("safe", "not_safe"), worse=("not_safe",),
    unsure="unsure.home",
)  # fmt: skip
THREAT = Crisis(
    "threat", ("keisatsu-110", "keisatsu-soudan-9110"), now=("keisatsu-110",), answers=("safe", "not_safe", "flee"), worse=("not_safe",), hides=True,
    unsure="unsure.home",
)  # fmt: skip
CHILD = Crisis(
    "child", ("keisatsu-110", "jidou-189"), now=("keisatsu-110", "shobo-119"), answers=("hurt", "not_hurt"), worse=("hurt",),
    unsure="unsure.child",
)  # fmt: skip
CHILD_SEEN = Crisis(
    "child_seen", ("jidou-189", "keisatsu-110"), now=("keisatsu-110", "jidou-189"), answers=("danger_now", "no_danger_now"), worse=("danger_now",),
    unsure="unsure.home",
)  # fmt: skip
CARER = Crisis("carer", ("yorisoi",), now=("shobo-119",), answers=("ill", "not_ill"), worse=("ill",))
ABUSE = Crisis(
    "abuse", ("keisatsu-110", "yorisoi"), now=("keisatsu-110", "shobo-119"), answers=("danger_now", "no_danger_now"), worse=("danger_now",),
    unsure="unsure.home",
)  # fmt: skip
HARM = Crisis("harm", ("yorisoi",), now=("keisatsu-110",), answers=("beside", "not_beside"), worse=("beside",), unsure="unsure.harm")
FOOD = Crisis("food", ("yorisoi",), answers=("little_ones", "no_little_ones"), unsure="unsure.food")
BODY = Crisis("body", ("shobo-119",))
FAMILIES: Final[Mapping[str, Crisis]] = {
    crisis.name: crisis
    for crisis in (SUICIDE, OTHERS_LIFE, PARTNER, SEXUAL, THREAT, CHILD, CHILD_SEEN, CARER, ABUSE, HARM, FOOD, BODY)
}  # fmt: skip

_OF_KIND: Final[Mapping[DangerKind, Crisis]] = {
    "medical_emergency": BODY, "fire_disaster": BODY, "suicide": SUICIDE, "self_harm": SUICIDE, "partner_violence": PARTNER,
    "sexual_violence": SEXUAL, "stalking_threat": THREAT, "forced_confinement": THREAT, "child_abuse": CHILD_SEEN, "elder_abuse": ABUSE,
    "disability_abuse": ABUSE, "harm_to_others": HARM, "no_food_or_shelter": FOOD,
}  # fmt: skip
_WRITER_HARMED: Final = frozenset({"child-i-hurt", "carer-hurts"})
"""Rules of danger.yaml in which the writer is the one who did it: neither blame nor threat (D6f)."""


def crisis_of(danger: Danger) -> Crisis:
    """The family that answers: the writer's own deed and somebody else's life come before the kind."""
    if danger.rule in _WRITER_HARMED:
        return CARER
    kind = danger.kinds[0] if danger.kinds else "suicide"
    crisis = _OF_KIND[kind]
    if danger.level == "L3" and "medical_emergency" in danger.kinds and crisis is not SUICIDE:
        return BODY
    if crisis is SUICIDE and danger.who == "other":
        return OTHERS_LIFE
    if crisis is CHILD_SEEN and (danger.child_speaks or danger.who == "self"):
        return CHILD
    return crisis


def doubtful_crisis_of(danger: Danger) -> Crisis:
    """What to ask about where no rule heard it: whoever may be harmed is asked before whoever may harm (「兄が酒をやめません」)."""
    others = tuple(kind for kind in danger.kinds if kind not in ("harm_to_others", "fire_disaster"))
    return crisis_of(danger.model_copy(update={"kinds": others})) if others else crisis_of(danger)
