"""まとめて: one act on several cases of the queue, each on its own: what cannot be done for one does not stop the others (desk.md §8)."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from bot.channels.cutting import utf16_units
from bot.desk import access, acts, pages, support_acts
from bot.desk.access import Signed, TheParts
from bot.desk.acts import NotNow, Unreachable
from bot.desk.case import LONGEST_NOTE
from storage import staff
from storage.refusals import Closed, HeldByOther, Missing, NotHeld, Refused, Stale
from storage.staff import SignedIn

router = APIRouter(route_class=pages.DeskRoute)

_MOST = 100
"""Rows of one page of the queue."""
Outcome = Literal["done", "held_by_other", "not_held", "closed", "stale", "not_now", "unreachable", "missing"]
_OUTCOMES: tuple[tuple[type[Refused], Outcome], ...] = (
    (HeldByOther, "held_by_other"), (NotHeld, "not_held"), (Closed, "closed"), (Stale, "stale"), (NotNow, "not_now"), (Unreachable, "unreachable"),
)  # fmt: skip
Act = Callable[[str, int], Coroutine[Any, Any, None]]
"""Does it to the case of this code, whose version the page had seen."""


@dataclass(frozen=True)
class Told:
    """What became of one case."""

    code: str
    outcome: Outcome


@router.post("/desk/together")
async def together(request: Request, parts: TheParts, signed: Signed) -> HTMLResponse:
    """渡す or メモ for every ticked row; the page says for each what became of it, and keeps the words when nothing was done."""
    written = await access.fields(request, "act", "to", "words", "tell")
    picked = [one for one in map(_picked, (await access.lists(request, "pick"))["pick"][:_MOST]) if one is not None]
    words, viewer = written["words"].replace("\r\n", "\n").strip(), access.viewer_of(signed)
    names = await parts.store.atransact(staff.names)

    async def note(code: str, version: int) -> None:
        await acts.note(parts, viewer, code, words)

    async def pass_on(code: str, version: int) -> None:
        to = written["to"]
        await support_acts.pass_on(
            parts, viewer, code, to=to, to_name=names[to], words=words, expected=version, tell=written["tell"] == "yes"
        )  # fmt: skip

    trouble = None
    if not picked:
        trouble = "none_picked"
    elif utf16_units(words) > LONGEST_NOTE:
        trouble = "too_long"
    elif written["act"] == "note" and not words:
        trouble = "empty"
    elif written["act"] not in ("note", "pass-on") or (written["act"] == "pass-on" and written["to"] not in names):
        trouble = "nothing_to_do"
    if trouble is not None:
        return await _page(request, signed, written, words, (), trouble=trouble)
    act = note if written["act"] == "note" else pass_on
    return await _page(request, signed, written, words, [Told(code, await _outcome(act, code, version)) for code, version in picked])


async def _outcome(act: Act, code: str, version: int) -> Outcome:
    try:
        await act(code, version)
    except Missing:
        return "missing"
    except Refused as refused:
        return next((word for kind, word in _OUTCOMES if isinstance(refused, kind)), "stale")
    return "done"


async def _page(
    request: Request, signed: SignedIn, written: dict[str, str], words: str, told: Sequence[Told], *, trouble: str | None = None
) -> HTMLResponse:  # fmt: skip
    done = [one.code for one in told if one.outcome == "done"]
    return await pages.page(
        request, signed, "together.html", status=422 if trouble else 200, told=told, done=done, act=written["act"], words=words, trouble=trouble
    )  # fmt: skip


def _picked(written: str) -> tuple[str, int] | None:
    """`K4A-72QM:3`; None for what our page did not make."""
    code, _, version = written.partition(":")
    whole = code.replace("-", "").isalnum() and version.isascii() and version.isdecimal() and len(version) < 10
    return (code, int(version)) if whole else None
