"""D12: the language of a talk. Offered once, changed at any time; what is open is said again in it, and nothing has to be told twice (G11)."""

from flows import consent, consult, danger, handoff, showing
from flows.backwards import step_back
from flows.model import Button, Turn
from flows.phrasebook import SLOT, SPOKEN
from flows.talk import Talk
from knowledge.hearing.model import Lang


def choose(talk: Talk) -> Turn:
    """🌐: four at a time; every language may also be typed."""
    more = talk.choice == "other_language"
    names = ("lang_pt", "lang_vi", "lang_ja") if more else ("lang_easy", "lang_en", "lang_zh", "other_language")
    return talk.ask("consent.language", "language.which_more" if more else "language.which", choices=names)


def chosen(talk: Talk) -> Turn:
    """A language, the other ones, or what was on the resident's mind."""
    if talk.choice == "other_language":
        return choose(talk)
    lang = next((one for one in SPOKEN if talk.choice == f"lang_{one}"), None)
    if lang is None:
        return consent.gate(talk.remembering()) if talk.text else talk.ask_again("language.which")
    return speak(talk, lang)


def speak(talk: Talk, lang: Lang) -> Turn:
    """From now on in this language."""
    before = step_back(talk) if talk.at == "consent.language" else talk
    here = (before or talk).in_language(lang).noting(register=None)
    match here.session.flow:
        case "danger":
            return danger.asked_again(here)
        case "handoff" if here.scene.open_case is not None:
            return here.stay(handoff.promise(here))
        case "consent" if here.session.consented is None:
            return consent.ask_to_go_on(here) if here.session.held else consent.welcome(here.session, here.scene, here.town)
    if here.at == "consult.shown":
        return showing.cards_again(here)
    return _asked_again(here) or here.ask("consult.open", "open.anything", choices=("what", "!human"))


def _asked_again(here: Talk) -> Turn | None:
    """The open question in other words of ours; one that quotes something is led to anew by what was told. None where nothing is asked."""
    key = here.note("asked_key") or ""
    known = key in here.town.words("ja").says and not SLOT.search("".join(here.town.wordings(key, here.session.lang)))
    if known and here.session.choices and here.at != "consult.open":
        return here.ask(here.at, key, choices=[Button(label=choice.label, value=choice.value) for choice in here.session.choices])
    return consult.hear_worry(here) if here.worry and not here.note("ended") else None
