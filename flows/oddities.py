"""D13: what is no worry. Stickers, pictures, insults, advertising, questions about the bot itself. No scolding; anger may be distress."""

import re
from typing import Final

from flows import asking
from flows.answers import says_nothing_but
from flows.model import Count, Effect, TellLead, Turn
from flows.talk import MOST_BUBBLES, Talk, last_bubbles
from flows.typed import plain

_LINK: Final = re.compile(r"https?://|www\.|\.(?:com|net|xyz|top|shop)\b", re.IGNORECASE)
_LONGEST_INSULT: Final = 14
"""Letters of words that are anger and nothing else; a longer text has a worry in it."""
_SELF_NAMED: Final = re.compile(r"0\d{1,4}-?\d{1,4}-?\d{3,4}")


def answer(talk: Talk) -> Turn | None:
    """Something that is no worry, whether a talk was agreed to or not; it joins no story. None for everything else."""
    latest, words = talk.latest, talk.town.typed
    said, rest = plain(latest), talk.forgetting_latest()
    if _LINK.search(latest) and any(word in said for word in words("advertising")):
        return advertising(rest)
    if any(word in said for word in words("threat")):
        return _beside(rest.ended(), "odd.threat", effects=(Count(name="threat"), TellLead(about="threat")))
    if said in words("insult") or (len(said) <= _LONGEST_INSULT and any(word in said for word in words("insult_in"))):
        key = "odd.sorry_again" if talk.note("sorry") else "odd.sorry"
        return rest.noting(sorry="yes").ask("consent.sorry", key, choices=("!human", "!start"))
    if says_nothing_but(latest, words("thanks")):
        return _beside(rest.ended(), "odd.thanks")
    return None


def greeting(talk: Talk) -> Turn | None:
    """こんにちは before anything was agreed to: greeted back, the welcome stays open."""
    return talk.forgetting_latest().stay("odd.hello", also=("!human",)) if says_nothing_but(talk.latest, talk.town.typed("greeting")) else None


def _beside(talk: Talk, key: str, *, choices: tuple[str, ...] = ("!human",), effects: tuple[Effect, ...] = ()) -> Turn:
    """Said where a worry may be written; before the yes (D1) the question that is open stays open."""
    if talk.session.consented is None:
        return talk.stay(key, also=("!human",), effects=effects)
    return talk.ask("consult.open", key, choices=choices, effects=effects)


def threat_is_told(talk: Talk, turn: Turn) -> Turn:
    """A threat to staff that was answered as a danger is flagged to the lead all the same (D13)."""
    said = plain(talk.text)
    if not any(word in said for word in talk.town.typed("threat")):
        return turn
    return turn.model_copy(update={"effects": (*turn.effects, TellLead(about="threat"))})


def advertising(talk: Talk) -> Turn:
    """One neutral line, then silence; no case (R6)."""
    counted = (Count(name="spam"),)
    if talk.note("spam"):
        return talk.silent("noise").model_copy(update={"effects": counted})
    return talk.noting(spam="yes").stay("odd.advertising", effects=counted, ends_as="noise")


def no_words(talk: Talk) -> Turn:
    """A sticker, 「…」: received, and words are asked for with the choices of D3. Never a consent."""
    if talk.session.consented is not None and talk.at == "consult.open":
        asked = talk.with_(questions=talk.session.questions + 1)
        turn = asked.ask("consult.which", "odd.no_words", choices=("money", "family", "body", "home"))
    else:
        turn = talk.stay("odd.received", also=("!human",))
    return turn.model_copy(update={"ends_as": "acknowledged"})


def media(talk: Talk) -> Turn:
    """A picture, a voice, a place: no guess is made (R34)."""
    key = "odd.location" if talk.said.kind == "location" else "odd.media"
    return talk.stay(key, also=("!human",), ends_as="acknowledged")


def name_is_not_needed(talk: Talk, turn: Turn) -> Turn:
    """Somebody wrote a name or number: said once that it is not needed; the text stays as written (G12)."""
    if talk.note("name_told") or turn.ends_as != "answered" or len(turn.replies) >= MOST_BUBBLES:
        return turn
    said = plain(asking.told_only(talk.text, talk.town))
    if not (_SELF_NAMED.search(talk.text) or any(word in said for word in talk.town.typed("my_name"))):
        return turn
    noted = turn.model_copy(update={"session": turn.session.model_copy(update={"notes": {**turn.session.notes, "name_told": "yes"}})})
    return last_bubbles(noted, talk.says("odd.no_name"))
