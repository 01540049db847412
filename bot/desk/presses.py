"""A button pressed twice does its work once, with or without script: the second press gets the answer of the first.

Every page carries a mark of its own in its forms, so two presses of one page are known from the same act done again on a page read anew. A press is
a row, so it does not matter which process gets which press, nor whether one was started anew in between.
"""

import asyncio
import contextlib
import hashlib
from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.parts import Parts
from storage import presses
from storage.store import StoreDown

_LOOK_EVERY = 0.05
"""Seconds between two looks at an act that is on its way."""


class Press:
    """One press of one form of one page."""

    def __init__(self, parts: Parts, token: str, mark: str) -> None:
        self._parts = parts
        self._token = token
        self._mark = mark

    async def before(self) -> Response | None:
        """The answer of the same press, waited for where it is still on its way; None when this is the first. Raises `StoreDown`."""
        while True:
            begin = partial(presses.begin, mark=self._mark, token=self._token, now=self._parts.clock.now())
            known = await self._parts.store.atransact(begin)
            if known is None:
                return None
            if known.led_to is not None:
                return RedirectResponse(known.led_to, status_code=303)
            await asyncio.sleep(_LOOK_EVERY)

    async def led_to(self, answer: Response | None) -> None:
        """Only an act that was done leads on to another page; whatever else was answered may be pressed again."""
        where = answer.headers.get("location") if answer is not None and answer.status_code == 303 else None
        with contextlib.suppress(StoreDown):  # the act stands; its press is forgotten after a while
            await self._parts.store.atransact(lambda rows: presses.end(rows, self._mark, where))


async def press_of(request: Request, cookie: str) -> Press | None:
    """The press behind a posted form of a page of the desk; None where there is no mark: a stream's fragment, a script, a page before signing in."""
    if request.method != "POST" or not (who := request.cookies.get(cookie)):
        return None
    body = await request.body()
    if b"." not in body.partition(b"csrf=")[2].partition(b"&")[0]:
        return None
    mark = hashlib.sha256(b"\0".join((who.encode(), request.url.path.encode(), body))).hexdigest()
    return Press(request.app.state.parts, who, mark)
