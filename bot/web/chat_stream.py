"""The live part of the chat page: server-sent events. Rows are the truth; a wake-up only says that it is time to read them again.

Events: `lines` (the new lines as a fragment; its id is the number of the newest, so a browser that lost the line goes on from there), `read` (up to
which number staff have read), `beat` (still here), `left` (this browser has left: the page must go).
"""

import asyncio
from collections.abc import AsyncIterator

from sqlmodel import Session as Rows

from bot.hub import conversation
from bot.parts import Parts
from bot.streams import LiveResponse
from bot.web.chat_pages import fragment
from bot.web.chat_view import Seen, see
from storage import visitors
from storage.store import StoreDown
from storage.talk import Talk

LOOK_EVERY = 5.0
"""Seconds: a coordinator may answer through another process, whose wake-up does not reach this one. Each look is a sign of life for chat.js too."""


def stream(parts: Parts, secret: str, talk: Talk, after: int, *, address: str) -> LiveResponse:
    """It ends when the browser goes or leaves, or the server stops."""
    settings = parts.settings
    places = {f"talk:{talk.id}": settings.live_pages, f"address:{address}": settings.live_pages_from_address}
    return LiveResponse(_events(parts, secret, talk, after), parts.streams, places)


async def _events(parts: Parts, secret: str, talk: Talk, after: int) -> AsyncIterator[str]:
    watch = parts.hub.watch(conversation(talk.id), every=LOOK_EVERY)
    woken = asyncio.ensure_future(anext(watch))
    await asyncio.sleep(0)  # the watch begins before the first look, so that nothing falls between them
    read_seq = -1
    try:
        yield "retry: 2000\n\n"
        while True:
            try:
                seen = await _look(parts, secret, after)
            except StoreDown:
                seen = None
            else:
                if seen is None:
                    yield _event("left", "")
                    return
            if seen is not None and seen.talk.last_seq > after:
                after = seen.talk.last_seq
                yield _event("lines", fragment(parts, seen), number=after)
            if seen is not None and seen.shown.read_seq != read_seq:
                read_seq = seen.shown.read_seq
                yield _event("read", str(read_seq))
            if not await woken:
                yield _event("beat", "")
            woken = asyncio.ensure_future(anext(watch))
    finally:
        woken.cancel()
        await asyncio.gather(woken, return_exceptions=True)
        await watch.aclose()  # type: ignore[attr-defined]


async def _look(parts: Parts, secret: str, after: int) -> Seen | None:
    """What is new; None when this browser has left meanwhile (R16, R20: within one wake-up)."""

    def work(rows: Rows) -> Seen | None:
        talk = visitors.find(rows, secret, parts.clock.now())
        if talk is None:
            return None
        if talk.last_seq <= after:
            return Seen(talk, (), after, visitors.shown(rows, talk.id))
        if talk.channel != "web":
            visitors.has_seen(rows, secret, talk.last_seq)
        return see(rows, talk, after=after)

    return await parts.store.atransact(work)


def _event(name: str, data: str, *, number: int | None = None) -> str:
    """One event. A carriage return in somebody's words would end a line of the stream, so none is left in."""
    lines = data.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    head = f"event: {name}\n" + ("" if number is None else f"id: {number}\n")
    return head + "".join(f"data: {line}\n" for line in lines) + "\n"
