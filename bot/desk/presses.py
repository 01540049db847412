"""A button pressed twice does its work once, with or without script: the second press gets the answer of the first.

Every page carries a mark of its own in its forms, so two presses of one page are known from the same act done again on a page read anew. Kept in this
process only: another one's answer is missed, and what must never happen twice there rests on versions and unique keys (R23).
"""

import asyncio
import hashlib
from collections import OrderedDict

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

_MOST = 2_000
"""Presses remembered: an office makes fewer in an hour."""

Answers = OrderedDict[str, "asyncio.Future[str | None]"]
"""Mark of a press → where it led; None when it was refused, and may be tried again."""


class Press:
    """One press of one form of one page."""

    def __init__(self, request: Request, key: str) -> None:
        state = request.app.state
        if not hasattr(state, "desk_presses"):
            state.desk_presses = OrderedDict()
        self._answers: Answers = state.desk_presses
        self._key = key

    async def before(self) -> Response | None:
        """The answer of the same press, waited for where it is still on its way; None when this is the first."""
        while (known := self._answers.get(self._key)) is not None:
            if (where := await asyncio.shield(known)) is not None:
                return RedirectResponse(where, status_code=303)
            if self._answers.get(self._key) is known:
                del self._answers[self._key]
        self._answers[self._key] = asyncio.get_running_loop().create_future()
        while len(self._answers) > _MOST:
            self._answers.popitem(last=False)
        return None

    def led_to(self, answer: Response | None) -> None:
        """Only an act that was done leads on to another page; whatever else was answered may be pressed again."""
        where = answer.headers.get("location") if answer is not None and answer.status_code == 303 else None
        waiting = self._answers.get(self._key)
        if waiting is not None and not waiting.done():
            waiting.set_result(where)


async def press_of(request: Request, cookie: str) -> Press | None:
    """The press behind a posted form of a page of the desk; None where there is no mark: a stream's fragment, a script, a page before signing in."""
    if request.method != "POST" or not (who := request.cookies.get(cookie)):
        return None
    body = await request.body()
    if b"." not in body.partition(b"csrf=")[2].partition(b"&")[0]:
        return None
    return Press(request, hashlib.sha256(b"\0".join((who.encode(), request.url.path.encode(), body))).hexdigest())
