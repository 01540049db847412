"""D11: my data. People who ask are usually frightened: no lecture, no why, and never the content in the chat."""

import hashlib
from typing import Final

from flows import moments
from flows.handoff import hand_over, promise
from flows.model import Button, Erase, Turn, WithdrawConsent
from flows.talk import Talk
from flows.typed import plain

_RECEIPT_LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without letters that are mistaken for each other."""


def answer(talk: Talk) -> Turn | None:
    """Erase, show, withdraw, or clear the app's own history; None for everything else."""
    said = plain(talk.latest)
    for name, door in (("app_history", app_history), ("withdraw", withdraw), ("erase", erase), ("show_data", show)):
        if any(word in said for word in talk.town.typed(name)):
            return door(talk)
    return None


def erase(talk: Talk) -> Turn:
    """What would go and what would stay, before anything goes."""
    goes = talk.says("erase.what_goes", day=_by_tomorrow(talk))
    return talk.ask("mydata.erase", "erase.what_happens", goes, choices=("do_erase", "rather_not", "explain"))


def erase_answered(talk: Talk) -> Turn:
    """消す → asked once more; くわしく → how long the desk's own record stays."""
    match talk.choice:
        case "do_erase":
            return talk.ask("mydata.really", "erase.really", choices=("do_erase", "!back"))
        case "explain":
            return talk.ask_again("erase.explained")
        case "rather_not":
            return talk.ended().ask("consult.open", "erase.kept", choices=("!human",))
        case _:
            return talk.ask_again("erase.again")


def erase_confirmed(talk: Talk) -> Turn:
    """Only the second press erases; the receipt lets it be checked."""
    if talk.choice != "do_erase":
        return talk.ask_again("erase.again")
    receipt = _receipt(talk)
    said = talk.says("erase.done", receipt=receipt, day=_by_tomorrow(talk))
    emptied = talk.with_(story=(), sheet=(), tried=(), shown=(), needs=(), back=(), gap_reasons=(), consented=None).noting(begins=None, told=None)
    return emptied.ask("consent.start", said, effects=(Erase(receipt=receipt),))


def _by_tomorrow(talk: Talk) -> str:
    tomorrow = (talk.scene.now + moments.ONE_DAY).date()
    return moments.day_name(tomorrow, talk.scene.now, talk.town.words(talk.session.lang).clock)


def _receipt(talk: Talk) -> str:
    """Four letters, made from the moment and the talk: the same turn gives the same receipt (I1)."""
    seed = f"{talk.scene.now.isoformat()}|{talk.session.ask}|{'|'.join(talk.refs)}"
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4])
    letters = [_RECEIPT_LETTERS[(number >> 5 * place) & 31] for place in range(4)]
    return f"{letters[0]}-{''.join(letters[1:])}"


def show(talk: Talk) -> Turn:
    """Counts only; the phone may be shared."""
    kept = talk.scene.kept
    if kept is None:
        return talk.ask("mydata.shown", "show.elsewhere", choices=("!human", "!stop"))
    day = "" if kept.last_on is None else moments.day_name(kept.last_on, talk.scene.now, talk.town.words(talk.session.lang).clock)
    counts = talk.says("show.counts", messages=str(kept.messages), day=day, consents=str(len(kept.consents)))
    return talk.ask("mydata.shown", counts, "show.elsewhere", choices=("!human", "!stop"))


def shown(talk: Talk) -> Turn:
    """After the counts: whoever writes on has a question for a person."""
    if not talk.text:
        return talk.ask_again("show.elsewhere")
    return hand_over(talk.remembering(), "asked_human", talk.says("handoff.connect"), promise(talk))


def withdraw(talk: Talk) -> Turn:
    """Each consent by itself: to whom, for what."""
    consents = talk.scene.kept.consents if talk.scene.kept else ()
    if not consents:
        return talk.ask("mydata.shown", "withdraw.by_person", choices=("!human", "!stop"))
    options = [Button(value=one.id, label=f"{place} {one.recipient}"[:12]) for place, one in enumerate(consents[:3], 1)]
    return talk.ask("mydata.withdraw", "withdraw.which", choices=(*options, talk.option("rather_not")))


def withdrawn(talk: Talk) -> Turn:
    """Revoked at once; what was told already is told of by a human."""
    if talk.choice == "rather_not":
        return talk.ended().ask("consult.open", "erase.kept", choices=("!human",))
    if talk.choice is None:
        return talk.ask_again("withdraw.which")
    return talk.ended().ask("consult.open", "withdraw.done", choices=("!human",), effects=(WithdrawConsent(consent=talk.choice),))


def app_history(talk: Talk) -> Turn:
    """The history in the app is the resident's own; what stays with the platform is said too."""
    key = talk.scene.channel if talk.scene.channel in ("line", "telegram") else "web"
    return talk.ask("mydata.shown", f"history.{key}", "history.ours", choices=("!human", "!stop"))
