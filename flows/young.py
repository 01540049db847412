"""4c: a child writes as the one who looks after the others. The child is the person: short words, no blame of anybody, no label, a human first."""

from typing import Final

from flows import handoff
from flows.cards import cards
from flows.filling import lines_in_words
from flows.model import Reply, Turn
from flows.talk import Talk
from flows.typed import plain
from knowledge.hearing.model import Hearing

_ENTRY: Final = "young-carer-soudan"
_LOOKED_AT: Final = 3
_DOORS: Final = ("kodomo-katei-center", "ssw-sc", "gakushuu-seikatsu-shien")


def is_one(talk: Talk, hearing: Hearing) -> bool:
    """A child who looks after somebody at home, by the service that fits and by words that only a child uses of itself."""
    found = any(match.id == _ENTRY for need in hearing.needs for match in need.services[:_LOOKED_AT])
    return by_words(talk, found=found)


def by_words(talk: Talk, *, found: bool = False) -> bool:
    """School and looking after somebody in one breath, and no parent who writes of a child. `found`: the service for it was found."""
    said = plain(f"{talk.worry}\n{talk.text}")
    school, cares = (any(word in said for word in talk.town.typed(name)) for name in ("at_school", "looks_after"))
    grown = any(word in said for word in talk.town.typed("of_my_child"))
    return not grown and talk.session.lang in ("ja", "easy") and school and (cares or found)


def begin(talk: Talk) -> Turn:
    """おしえてくれて、ありがとう: a human first, a line of their own, the rest if wished."""
    talk = talk.with_(lang="easy", whose="self")
    lines = lines_in_words(("kodomo-sos-24",), talk.session.lang, talk.town)
    bubbles = ("young.thanks", talk.says("young.line", lines=lines)) if lines else ("young.thanks",)
    return talk.ask("young.asked", *bubbles, "young.question", choices=("!human", "see_help", "later"))


def asked(talk: Talk) -> Turn:
    """Places to look at, or later; whatever else is written goes to a human with what was told."""
    match talk.choice:
        case "see_help":
            shown = cards(talk, _DOORS, {})
            said = talk.says("young.places")
            return talk.ask("young.asked", Reply(text=said.text, key=said.key, cards=shown), choices=("!human", "later"))
        case "later":
            return talk.ended().ask("consult.open", "young.later", choices=("!human",))
        case _ if talk.has_words:
            return handoff.wants_human(talk.remembering())
        case _:
            return talk.ask_again("young.again")
