"""The private room (R14, R15): the way from a platform to our own page, offered when a talk turns sensitive; and what the bot says where a platform
is the entrance only (D1c).

A button with the value `!room` is the way in: the reception puts a fresh one-time link in its place when it is sent to a platform.
"""

from typing import Final

from flows.consult import in_their_language
from flows.filling import Town, lines_in_words
from flows.model import Button, Reply, Said, Scene, Session, Turn, Utterance
from flows.phrasebook import built_in_typed
from flows.talk import MOST_BUBBLES, MOST_BUTTONS, Talk, having_said
from flows.typed import LONGEST_CHOICE, plain
from knowledge.hearing.language import language

ROOM: Final = "!room"
_SENSITIVE: Final = frozenset({"bouryoku", "kokoro"})
"""Fields of help whose very names are best not left on a phone that others hold."""


def is_way_in(button: str | None, text: str) -> bool:
    """Whether somebody asks for the private room, by the button or in words."""
    short = plain(text)
    return button == ROOM or (0 < len(short) <= LONGEST_CHOICE and short in built_in_typed()["room"])


def is_over(session: Session) -> bool:
    """Whether this talk has come to an end: what was said in it is not shown again by a link (R13)."""
    return session.notes.get("ended") == "yes"


def asked_for(talk: Talk) -> Turn:
    """専用ページ, pressed or typed: the link beside the open question. On our own page one is there already."""
    return talk.stay("room.link", also=(ROOM,)) if talk.scene.room else talk.stay("room.here")


def offered(before: Session, turn: Turn, talk: Talk) -> Turn:
    """Offer the room once, in the turn after the one that was sensitive: a crisis answer asks its one question and nothing else (D6)."""
    sensitive = before.danger.heard or any(_field(one, talk.town) in _SENSITIVE for one in before.shown)
    now_heard = talk.said.danger.heard or turn.ends_as != "answered"
    in_crisis = turn.session.flow == "danger" and turn.session.step != "stay"  # its question is the only thing asked
    full = len(turn.replies) >= MOST_BUBBLES or len(turn.buttons) >= MOST_BUTTONS
    if not talk.scene.room or not sensitive or now_heard or in_crisis or full or not turn.replies or before.notes.get("room") is not None:
        return turn
    offer, way_in = talk.says("room.offer"), talk.option(ROOM)
    session = turn.session.model_copy(update={"notes": {**turn.session.notes, "room": "offered"}})
    return turn.model_copy(
        update={"session": session, "replies": (*turn.replies[:-1], offer, turn.replies[-1]), "buttons": (*turn.buttons, way_in)}
    )


def links(talk: Talk) -> tuple[Button, ...]:
    """The way in beside the question of a crisis whose screen somebody dangerous may read (D6d)."""
    return (talk.option(ROOM),) if talk.scene.room else ()


def _field(entry_id: str, town: Town) -> str | None:
    entry = town.base.entries.get(entry_id)
    return None if entry is None else entry.domain


# ---------------------------------------------------------------- where a platform is the entrance only (D1c)


def entrance(session: Session, scene: Scene, town: Town) -> Turn:
    """A friend was added: who we are, where we listen, and the numbers."""
    talk = Talk(session, Utterance(kind="follow"), scene, town)
    return _signpost(talk, talk.says("welcome.hello"), talk.says("entrance.where"), talk.says("welcome.emergency"))


def spoken_in(session: Session, text: str, scene: Scene, town: Town) -> Session:
    """The session in the language of a text that is not kept."""
    talk = Talk(session.model_copy(update={"story": (Said(text=text),)}), Utterance(), scene, town).noting(begins="0")
    spoken = in_their_language(talk, language(text)).session
    return session.model_copy(update={"lang": spoken.lang, "lang_offered": spoken.lang_offered})


def not_kept(session: Session, scene: Scene, town: Town) -> Turn:
    """Something was written at the entrance: it is not kept, and the way in is below."""
    talk = Talk(session, Utterance(), scene, town)
    return _signpost(talk, talk.says("entrance.not_kept"))


def way_in(session: Session, scene: Scene, town: Town) -> Turn:
    """A fresh link, whoever leads the talk."""
    talk = Talk(session, Utterance(), scene, town)
    return _signpost(talk, talk.says("room.link"))


def help_at_entrance(session: Session, scene: Scene, town: Town) -> Turn:
    """たすけて at the entrance: the two numbers, then the way in."""
    talk = Talk(session, Utterance(), scene, town)
    lines = lines_in_words(("shobo-119", "keisatsu-110"), session.lang, town)
    return _signpost(talk, talk.says("help.numbers", lines=lines), talk.says("entrance.where"))


def danger_at_entrance(turn: Turn, town: Town) -> Turn:
    """The danger answer is given where the danger was told; the way in stands beside its question."""
    enter = Button(label=town.label("enter", turn.session.lang), value=ROOM)
    return turn.model_copy(update={"buttons": (*turn.buttons[: MOST_BUTTONS - 1], enter)})


def notice(session: Session, town: Town) -> tuple[Reply, Button]:
    """Something waits in the room: neutral words, and the button that gives a fresh link (R12, D9c)."""
    lang = session.lang
    return Reply(text=town.wordings("room.notice", lang)[0], key="room.notice"), Button(label=town.label("open", lang), value=ROOM)


def _signpost(talk: Talk, *replies: Reply) -> Turn:
    """Words beside the talk: the open question stays as it is, unseen here."""
    enter = Button(label=talk.town.label("enter", talk.session.lang), value=ROOM)
    return Turn(session=having_said(talk.session, replies), replies=replies, buttons=(enter,), ends_as="acknowledged")
