"""D11: my data. People who ask are usually frightened: no lecture, no why, and never the content in the chat."""

import hashlib
import re
from dataclasses import replace
from typing import Final

from flows import moments
from flows.handoff import hand_over, promise
from flows.letters import room, shortened
from flows.model import Button, Effect, Erase, GivenConsent, Reply, StopFollowUps, Turn, WithdrawConsent
from flows.sheet import CIRCLED
from flows.talk import Talk, start_session
from flows.typed import plain, says_one_of

_RECEIPT_LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without letters that are mistaken for each other."""
_RECEIPT: Final = re.compile(rf"(?<![0-9A-Za-z-])([{_RECEIPT_LETTERS}]-[{_RECEIPT_LETTERS}]{{3}})(?![0-9A-Za-z-])")
_LONGEST_REQUEST: Final = 28
"""Room of a wish about one's data that is understood in every state; what is longer may be a story in which such words stand."""
_MOST_CONSENTS: Final = 3
_LONGEST_RECIPIENT: Final = 10
_PURPOSES: Final = ("consult", "handoff", "follow_up", "report", "offer")
_WAY_IN: Final = "!room"
_OWN_PAGE: Final = "/?whole=1"
"""Our web chat with the whole talk: a page of our own that nobody sees who does not hold its cookie."""


def receipt_in(text: str) -> str | None:
    """The receipt of an erasure in these words, if there is one."""
    found = _RECEIPT.search(text.upper().translate(str.maketrans("ー−‐－", "----")))
    return found[1] if found else None


def asked_anywhere(talk: Talk) -> Turn | None:
    """「データを消して」 and its like are valid in every state (D1); a receipt is looked up at once."""
    if talk.scene.receipt is not None:
        return receipt(talk)
    return answer(talk) if room(plain(talk.text)) <= _LONGEST_REQUEST else None


def answer(talk: Talk) -> Turn | None:
    """Erase, show, withdraw, or clear the app's own history; None for everything else.

    The wish that what is kept here be gone comes in many words: a thing and a wish about it. What was lost, or stands elsewhere, is a worry.
    """
    said = plain(talk.latest)

    def says(name: str) -> bool:
        return any(word in said for word in talk.town.typed(name))

    if says("app_history"):
        return app_history(talk)
    if says("withdraw"):
        return withdraw(talk)
    if (says("erase") or (says("erase_what") and says("erase_wish"))) and not says("erase_elsewhere"):
        return erase(talk)
    return show(talk) if says("show_data") or (says("show_what") and says("show_wish")) else None


# ---------------------------------------------------------------- erase


def erase(talk: Talk) -> Turn:
    """What would go and what would stay, before anything goes."""
    goes = talk.says("erase.what_goes", day=_by_tomorrow(talk))
    return talk.ask("mydata.erase", "erase.what_happens", goes, "erase.what_stays", choices=("do_erase", "rather_not", "details"))


def erase_answered(talk: Talk) -> Turn:
    """消す → asked once more; くわしく → how long the desk's own record stays."""
    match talk.choice:
        case "do_erase":
            return talk.ask("mydata.really", "erase.really", choices=("do_erase", "!back"))
        case "details":
            return talk.ask_again("erase.explained")
        case "rather_not":
            return talk.ended().ask("consult.open", "erase.kept", choices=("!human",))
        case _:
            return talk.ask_again("erase.again")


def erase_confirmed(talk: Talk) -> Turn:
    """Only the second press erases; the receipt lets it be checked. What the talk had become is forgotten with its words.

    「やっぱりいいです」 sounds like a yes and is none: what cannot be undone is asked once more.
    """
    if talk.choice != "do_erase" or says_one_of(talk.text, talk.town.typed("erase_hesitates")):
        return talk.ask_again("erase.again")
    code = _receipt(talk)
    said = talk.says("erase.done", receipt=code, day=_by_tomorrow(talk))
    was = talk.session
    empty = start_session().model_copy(update={"ask": was.ask, "lang": was.lang, "lang_offered": was.lang_offered})
    return replace(talk, session=empty, waited=None).ask("consent.start", said, effects=(Erase(receipt=code),))


def receipt(talk: Talk) -> Turn:
    """What a receipt leads to: never what was written."""
    found = talk.scene.receipt
    if found is None or found.asked_on is None:
        return talk.stay("receipt.unknown", also=("!human",))
    day = moments.day_name(found.asked_on, talk.scene.now, talk.town.words(talk.session.lang).clock)
    return talk.stay(talk.says("receipt.done" if found.done else "receipt.words", receipt=found.code, day=day))


def _by_tomorrow(talk: Talk) -> str:
    tomorrow = (talk.scene.now + moments.ONE_DAY).date()
    return moments.day_name(tomorrow, talk.scene.now, talk.town.words(talk.session.lang).clock)


def _receipt(talk: Talk) -> str:
    """Four letters, made from the moment and the talk: the same turn gives the same receipt (I1)."""
    seed = f"{talk.scene.now.isoformat()}|{talk.session.ask}|{'|'.join(talk.refs)}"
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4])
    letters = [_RECEIPT_LETTERS[(number >> 5 * place) & 31] for place in range(4)]
    return f"{letters[0]}-{''.join(letters[1:])}"


# ---------------------------------------------------------------- show


def show(talk: Talk) -> Turn:
    """Counts only; the phone may be shared. The content stands on a page of our own, or is shown at the desk."""
    kept = talk.scene.kept
    counts: tuple[Reply, ...] = ()
    if kept is not None:
        day = "" if kept.last_on is None else moments.day_name(kept.last_on, talk.scene.now, talk.town.words(talk.session.lang).clock)
        counts = (talk.says("show.counts", messages=str(kept.messages), day=day, consents=str(len(kept.consents))),)
    page = _page(talk)
    key = "show.page_or_desk" if page else "show.elsewhere"
    return talk.ask("mydata.shown", *counts, key, choices=("where_desk", "!human"), links=page)


def _page(talk: Talk) -> tuple[Button, ...]:
    """ページをひらく: this very page on the web, a one-time way into it from a platform (R15)."""
    label = talk.town.label("open_page", talk.session.lang)
    if talk.scene.channel == "web":
        return (Button(label=label, url=_OWN_PAGE),)
    return (Button(label=label, value=_WAY_IN),) if talk.scene.room else ()


def shown(talk: Talk) -> Turn:
    """After the counts: where the desk is; whoever writes on has a question for a person."""
    if talk.choice == "where_desk":
        return talk.ask("mydata.shown", *_where(talk), choices=("!human", "!stop"))
    if not talk.text:
        return talk.ask_again("show.elsewhere")
    return hand_over(talk.remembering(), "asked_human", talk.says("handoff.connect"), promise(talk))


def _where(talk: Talk) -> tuple[Reply, ...]:
    tel = talk.town.base.town.tel
    return (talk.says("show.desk"), talk.says("card.tel", tel=tel)) if tel else (talk.says("show.desk"),)


# ---------------------------------------------------------------- withdraw


def withdraw(talk: Talk) -> Turn:
    """Each consent by itself: to whom, for what, until when."""
    consents = (talk.scene.kept.consents if talk.scene.kept else ())[:_MOST_CONSENTS]
    if not consents:
        return talk.ask("mydata.shown", "withdraw.by_person", choices=("!human", "!stop"))
    listed = Reply(text="\n".join(f"{CIRCLED[place]}{_in_words(talk, one)}" for place, one in enumerate(consents)), key="withdraw.list")
    take_back = talk.town.label("take_back", talk.session.lang)
    options = [Button(value=one.id, label=f"{CIRCLED[place]} {take_back}") for place, one in enumerate(consents)]
    noted = talk.noting(purposes=" ".join(f"{one.id}={one.purpose}" for one in consents))
    return noted.ask("mydata.withdraw", "withdraw.which", listed, choices=(*options, talk.option("rather_not")))


def _in_words(talk: Talk, one: GivenConsent) -> str:
    words = talk.town.words(talk.session.lang).clock
    until = moments.day_name(one.until, talk.scene.now, words) if one.until else ""
    key = "withdraw.until" if until else "withdraw.open"
    purpose = one.purpose if one.purpose in _PURPOSES else "share"
    slots = {"recipient": shortened(one.recipient, _LONGEST_RECIPIENT), "purpose": talk.says(f"withdraw.{purpose}").text}
    return talk.says(key, **slots, **({"day": until} if until else {})).text


def withdrawn(talk: Talk) -> Turn:
    """Revoked at once; what was told already is told of by a human."""
    if talk.choice == "rather_not":
        return talk.ended().ask("consult.open", "erase.kept", choices=("!human",))
    if talk.choice is None:
        return talk.ask_again("withdraw.which")
    purpose = dict(pair.split("=", 1) for pair in (talk.note("purposes") or "").split()).get(talk.choice, "")
    effects: tuple[Effect, ...] = (WithdrawConsent(consent=talk.choice), *((StopFollowUps(),) if purpose == "follow_up" else ()))
    done = talk.noting(purposes=None).ended()
    if purpose == "consult":
        return done.with_(consented=None).ask("consent.start", "withdraw.done_all", effects=effects)
    return done.ask("consult.open", "withdraw.done", choices=("!human",), effects=effects)


def app_history(talk: Talk) -> Turn:
    """The history in the app is the resident's own; what stays with the platform is said too. Who insists gets a person."""
    if talk.note("history"):
        return hand_over(talk.noting(history=None).remembering(), "asked_human", talk.says("handoff.connect"), promise(talk))
    key = talk.scene.channel if talk.scene.channel in ("line", "telegram") else "web"
    return talk.noting(history="yes").ask("mydata.shown", f"history.{key}", "history.ours", choices=("!human", "!stop"))
