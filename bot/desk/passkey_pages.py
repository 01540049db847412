"""The pages on which a member of staff adds and removes their passkeys (R26)."""

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.desk import access, factors, notices, pages
from bot.desk.access import Signed, TheParts
from bot.desk.signin import is_themselves
from bot.parts import Parts
from storage import factors as kept_factors
from storage import passkeys as kept_keys
from storage import staff
from storage.staff import SignedIn
from storage.text import clean

router = APIRouter(route_class=pages.DeskRoute)

_LONGEST_NAME = 40


@router.get("/desk/passkey")
async def passkey_page(request: Request, parts: TheParts, signed: Signed) -> Response:
    mine = await parts.store.atransact(lambda rows: kept_factors.of(rows, signed.member.id))
    if mine.any and signed.factor_due:  # a right password alone must not add a factor
        return RedirectResponse("/desk/second", status_code=303)
    return await _page(request, parts, signed)


@router.post("/desk/passkey")
async def add(request: Request, parts: TheParts, signed: Signed) -> Response:
    """A new key, with the password asked again; the first factor of all brings recovery codes, shown once."""
    written, now = await access.fields(request, "credential", "name", "current"), parts.clock.now()
    if not await is_themselves(request, parts, signed.member, written["current"]):
        return await _page(request, parts, signed, trouble="current", status=422)

    from bot.desk import passkeys

    name = clean(written["name"].strip())[:_LONGEST_NAME] or "パスキー"

    def work(rows: Rows) -> tuple[bool, list[str]]:
        before = kept_factors.of(rows, signed.member.id)
        if (before.any and signed.factor_due) or not passkeys.keep(rows, parts, signed, written["credential"], name):
            return False, []
        staff.end_others(rows, signed, now)
        return True, [] if before.any else kept_factors.new_recovery_codes(rows, signed.member.id, now)

    done, codes = await parts.store.atransact(work)
    if not done:
        return await _page(request, parts, signed, trouble="wrong", status=422)
    await notices.sign_in_changed(parts, signed.member)
    answer: Response = factors.door(request, signed, "recovery.html", codes=codes) if codes else RedirectResponse("/desk/me", status_code=303)
    access.give_cookie(answer, parts, await factors.proven(parts, signed))
    return answer


@router.post("/desk/passkey/{key_id}/remove")
async def remove(request: Request, key_id: str, parts: TheParts, signed: Signed) -> Response:
    """A key that was lost or given away. In production the last factor stays."""
    current, now = (await access.fields(request, "current"))["current"], parts.clock.now()
    if not await is_themselves(request, parts, signed.member, current):
        return await factors.me_page(request, parts, signed, trouble="current", status=422)

    def work(rows: Rows) -> None:
        mine = kept_factors.of(rows, signed.member.id)
        if mine.totp or mine.passkeys > 1 or parts.settings.profile == "demo":
            kept_keys.remove(rows, signed.member.id, key_id, now)
            staff.end_others(rows, signed, now)

    await parts.store.atransact(work)
    await notices.sign_in_changed(parts, signed.member)
    return RedirectResponse("/desk/me", status_code=303)


async def _page(request: Request, parts: Parts, signed: SignedIn, *, trouble: str | None = None, status: int = 200) -> HTMLResponse:
    from bot.desk import passkeys

    options = await parts.store.atransact(lambda rows: passkeys.new_key_question(rows, parts, signed))
    return factors.door(request, signed, "passkey.html", status=status, trouble=trouble, options=options)
