"""Before a file leaves the desk, its reader proves who they are once more: neither a stolen cookie nor a desk left open exports anything (R33).

Asked is the second factor; whoever has none yet (only in the demo) is asked for the password. What holds how long stands in access.py.
"""

import re

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.desk import access, pages
from bot.desk.access import Signed, TheParts
from bot.desk.factors import LONGEST_CODE, door, question, signs, told_of_recovery
from bot.desk.signin import password_fits
from bot.parts import Parts
from bot.web.own_page import address_of
from storage import factors, staff
from storage.staff import SignedIn

router = APIRouter(route_class=pages.DeskRoute)

_BACK = re.compile(r"/desk/[\w./-]*(\?[\w=&-]*)?", re.ASCII)
"""Addresses of our own files; whatever else is asked for leads to the queue."""


@router.get("/desk/prove")
async def prove_page(request: Request, parts: TheParts, signed: Signed) -> HTMLResponse:
    return await _ask(request, parts, signed, request.query_params.get("back", ""))


@router.post("/desk/prove")
async def prove(request: Request, parts: TheParts, signed: Signed) -> Response:
    """Guessing is slowed as at the door (R28)."""
    written, now = await access.fields(request, "code", "credential", "password", "back"), parts.clock.now()
    member, where = signed.member, address_of(request)
    who = f"factor:{member.id}"

    def by_factor(rows: Rows) -> bool | None:
        if not staff.may_try(rows, who, where, now):
            return None
        code = written["code"][:LONGEST_CODE]
        fits = signs(rows, parts, signed, written["credential"]) if written["credential"] else factors.passes(rows, member.id, code, now)
        if not fits:
            staff.note_failed_try(rows, who, where, now)
        return fits

    mine = await parts.store.atransact(lambda rows: factors.of(rows, member.id))
    if mine.any:
        proven = await parts.store.atransact(by_factor)
        await told_of_recovery(parts, signed, mine)
    else:
        known = await parts.store.atransact(lambda rows: staff.credentials(rows, member.login))
        proven = await password_fits(request, parts, who, written["password"], known)
    if not proven:
        trouble, status = ("too_many", 429) if proven is None else ("wrong", 401)
        return await _ask(request, parts, signed, written["back"], trouble=trouble, status=status)
    await parts.store.atransact(lambda rows: staff.prove(rows, signed, now))
    return RedirectResponse(_own(written["back"]), status_code=303)


async def _ask(request: Request, parts: Parts, signed: SignedIn, back: str, *, trouble: str | None = None, status: int = 200) -> HTMLResponse:
    def look(rows: Rows) -> tuple[factors.Factors, str | None]:
        mine = factors.of(rows, signed.member.id)
        return mine, question(rows, parts, signed) if mine.passkeys else None

    mine, asked = await parts.store.atransact(look)
    return door(request, signed, "prove.html", status=status, trouble=trouble, question=asked, mine=mine, back=_own(back))


def _own(back: str) -> str:
    return back if _BACK.fullmatch(back) and "//" not in back and ".." not in back else "/desk"
