"""What leaves for a platform of one line of a talk: the words, or, where the talk is held in the private room, at most a neutral notice."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import flows
from bot.channels.port import KNOWS_AGAIN, Outgoing
from flows.model import Session
from storage import outbox, rooms
from storage.outbox import Letter
from storage.talk import Line, Talk

if TYPE_CHECKING:
    from bot.reception import At, Rules

ROOMY = frozenset({"line", "telegram"})
"""Platforms from which the private room can be opened."""
SIGNPOST = "signpost"
"""Kind of a line that was said on the platform only, and is no part of the talk."""


def post(
    at: "At", talk: Talk, line: Line, outgoing: Outgoing, session: Session, *, answers: bool, unasked: bool = False, reply_token: str | None = None,
    reply_until: datetime | None = None, claim: bool = False,
) -> list[Letter]:  # fmt: skip
    """Write what goes to the platform for one line. From the private room nothing goes there; but where the words answer nobody who waits at the page
    (`answers` is False), a neutral notice with the way in (R12, R14, D9c)."""
    if not talk.reachable:
        return []
    if is_private(talk, at.rules) and not at.at_the_door:
        if answers or talk.hidden_address or rooms.somebody_is_there(at.rows, talk, at.now):
            return []
        words, way_in = flows.notice(session, at.town)
        parts: Sequence[Outgoing] = (Outgoing(bubbles=(words,), buttons=(way_in,)),)
    else:
        parts = at.split(_with_links(at, talk, outgoing))
    bodies = [part.model_dump_json(exclude_defaults=True) for part in parts]
    return outbox.write(
        at.rows, talk, bodies, now=at.now, line=line, reply_token=reply_token, reply_until=reply_until, unasked=unasked, claim=claim,
        begin=talk.channel in KNOWS_AGAIN,
    )  # fmt: skip


def is_private(talk: Talk, rules: "Rules") -> bool:
    """Whether the talk is held in the private room: its words stay there."""
    return talk.in_room or talk.channel in rules.entrances


def _with_links(at: "At", talk: Talk, outgoing: Outgoing) -> Outgoing:
    """The way into the room as a fresh one-time link. It stands in the letter only: the line of the talk keeps a button without a secret (R15)."""
    if talk.channel not in ROOMY or all(button.value != flows.ROOM for button in outgoing.buttons):
        return outgoing
    url = f"{at.rules.room_url}#{rooms.make_link(at.rows, talk, at.now)}"
    made = tuple(one.model_copy(update={"value": "", "url": url}) if one.value == flows.ROOM else one for one in outgoing.buttons)
    return outgoing.model_copy(update={"buttons": made})
