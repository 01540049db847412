"""The second step of signing in, and what a member of staff sees and changes of their own account (R26, R27).

In production nobody reaches a case without a second factor: whoever has none yet sets it up right after the password. The demo asks only those who
set one up.
"""

import io
from typing import Any

import pyotp
from fastapi import APIRouter, Request
from markupsafe import Markup
from sqlmodel import Session as Rows
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.desk import access, notices, pages, passwords
from bot.desk.access import Signed, TheParts
from bot.desk.signin import hasher, is_themselves, password_fits
from bot.parts import Parts
from bot.web.own_page import address_of
from storage import audit, factors, oidc, staff
from storage import passkeys as kept_keys
from storage.factors import Factors
from storage.staff import SignedIn

router = APIRouter(route_class=pages.DeskRoute)

_ISSUER = "Madoguchi"
LONGEST_CODE = 40


@router.get("/desk/second")
async def second_page(request: Request, parts: TheParts, signed: Signed) -> Response:
    if not signed.factor_due:
        return RedirectResponse("/desk", status_code=303)
    mine = await parts.store.atransact(lambda rows: factors.of(rows, signed.member.id))
    return await _ask(request, parts, signed) if mine.any else RedirectResponse("/desk/factor", status_code=303)


@router.post("/desk/second")
async def second(request: Request, parts: TheParts, signed: Signed) -> Response:
    """The answer of a passkey, the code of the authenticator, or a recovery code; guessing is slowed like guessing a password (R28)."""
    written, now = await access.fields(request, "code", "credential"), parts.clock.now()
    code, answer = written["code"][:LONGEST_CODE], written["credential"]
    who, where = f"factor:{signed.member.id}", address_of(request)

    def work(rows: Rows) -> str | None:
        if not staff.may_try(rows, who, where, now):
            return "too_many"
        if signs(rows, parts, signed, answer) if answer else factors.passes(rows, signed.member.id, code, now):
            return None
        staff.note_failed_try(rows, who, where, now)
        return "wrong"

    before = await parts.store.atransact(lambda rows: factors.of(rows, signed.member.id))
    trouble = await parts.store.atransact(work)
    if trouble is not None:
        return await _ask(request, parts, signed, trouble=trouble, status=429 if trouble == "too_many" else 401)
    await told_of_recovery(parts, signed, before)
    response = RedirectResponse("/desk", status_code=303)
    access.give_cookie(response, parts, await proven(parts, signed))
    return response


@router.get("/desk/factor")
async def factor_page(request: Request, parts: TheParts, signed: Signed) -> Response:
    mine = await parts.store.atransact(lambda rows: factors.of(rows, signed.member.id))
    if mine.any and signed.factor_due:  # a right password alone must not replace the factor
        return RedirectResponse("/desk/second", status_code=303)
    return await _set_up(request, parts, signed, has_one=mine.totp)


@router.post("/desk/factor")
async def factor(request: Request, parts: TheParts, signed: Signed) -> Response:
    """A first code of the new authenticator, and a code of the old one where there is one; then new recovery codes, shown once.

    Whoever has none yet gives the password once more, unless that is what they come from: every other browser is signed out.
    """
    written, now = await access.fields(request, "code", "current", "password"), parts.clock.now()
    staff_id, where = signed.member.id, address_of(request)
    before = await parts.store.atransact(lambda rows: factors.of(rows, staff_id))
    if not before.totp and not signed.factor_due and not await is_themselves(request, parts, signed.member, written["password"]):
        return await _set_up(request, parts, signed, has_one=False, trouble="password", status=422)

    def work(rows: Rows) -> tuple[bool, list[str] | None, str | None]:
        mine = factors.of(rows, staff_id)
        has_one = mine.totp
        if mine.any and signed.factor_due:
            return has_one, None, "too_many"
        if has_one and not staff.may_try(rows, f"factor:{staff_id}", where, now):
            return has_one, None, "too_many"
        if has_one and not factors.passes(rows, staff_id, written["current"][:LONGEST_CODE], now):
            staff.note_failed_try(rows, f"factor:{staff_id}", where, now)
            return has_one, None, "current"
        codes = factors.confirm(rows, signed, written["code"][:LONGEST_CODE], now)
        if codes:
            staff.end_others(rows, signed, now)
        return has_one, codes, None if codes else "wrong"

    has_one, codes, trouble = await parts.store.atransact(work)
    if codes is None:
        return await _set_up(request, parts, signed, has_one=has_one, trouble=trouble, status=422)
    await notices.sign_in_changed(parts, signed.member)
    response = door(request, signed, "recovery.html", codes=codes)
    access.give_cookie(response, parts, await proven(parts, signed))
    return response


@router.get("/desk/me")
async def me(request: Request, parts: TheParts, signed: Signed) -> HTMLResponse:
    return await me_page(request, parts, signed)


@router.post("/desk/me/password")
async def password(request: Request, parts: TheParts, signed: Signed) -> HTMLResponse:
    """A new password: the old one is asked for, and every other browser is signed out."""
    written, now = await access.fields(request, "current", "password", "again"), parts.clock.now()
    member = signed.member
    known = await parts.store.atransact(lambda rows: staff.credentials(rows, member.login))
    fits = await password_fits(request, parts, f"password:{member.id}", written["current"], known)
    if fits is None:
        return await me_page(request, parts, signed, trouble="too_many", status=429)
    if not fits:
        return await me_page(request, parts, signed, trouble="current", status=422)
    chosen = written["password"]
    trouble = "differ" if chosen != written["again"] else passwords.problem_with(chosen, login=member.login, name=member.name)
    if trouble is not None:
        return await me_page(request, parts, signed, trouble=trouble, status=422)
    made = await hasher(request).make(chosen)
    await parts.store.atransact(lambda rows: staff.change_password(rows, signed, made, now))
    await notices.sign_in_changed(parts, member)
    return await me_page(request, parts, signed, done="password")


@router.post("/desk/me/end-others")
async def end_others(request: Request, parts: TheParts, signed: Signed) -> HTMLResponse:
    now = parts.clock.now()
    await parts.store.atransact(lambda rows: staff.end_others(rows, signed, now))
    return await me_page(request, parts, signed, done="ended")


async def proven(parts: Parts, signed: SignedIn) -> str:
    """A new session with a new id, in place of the one that waited for the factor (R27)."""
    now = parts.clock.now()

    def work(rows: Rows) -> str:
        staff.sign_out(rows, signed, now)
        return staff.sign_in(rows, signed.member, now)

    return await parts.store.atransact(work)


async def told_of_recovery(parts: Parts, signed: SignedIn, before: Factors) -> None:
    """A recovery code that was used up since `before` may have been used by somebody else: its owner is told (R28)."""
    after = await parts.store.atransact(lambda rows: factors.of(rows, signed.member.id))
    if after.recovery_left < before.recovery_left:
        await notices.sign_in_changed(parts, signed.member)


def question(rows: Rows, parts: Parts, signed: SignedIn) -> str | None:
    """What a passkey is asked to sign in this browser, as JSON."""
    from bot.desk import passkeys  # their library is loaded by whoever has one

    return passkeys.question(rows, parts, signed)


def signs(rows: Rows, parts: Parts, signed: SignedIn, answer: str) -> bool:
    """Whether a passkey of theirs signed it."""
    from bot.desk import passkeys

    return passkeys.passes(rows, parts, signed, answer)


async def _ask(request: Request, parts: Parts, signed: SignedIn, *, trouble: str | None = None, status: int = 200) -> HTMLResponse:
    """The question for the second factor, with something to sign for whoever has a passkey."""

    def look(rows: Rows) -> tuple[str | None, bool]:
        mine = factors.of(rows, signed.member.id)
        return question(rows, parts, signed) if mine.passkeys else None, mine.totp

    asked, has_app = await parts.store.atransact(look)
    return door(request, signed, "second.html", status=status, trouble=trouble, question=asked, has_app=has_app)


async def _set_up(request: Request, parts: Parts, signed: SignedIn, *, has_one: bool, trouble: str | None = None, status: int = 200) -> HTMLResponse:
    now = parts.clock.now()
    secret = await parts.store.atransact(lambda rows: factors.offered(rows, signed, now))
    address_of = pyotp.TOTP(secret).provisioning_uri(name=signed.member.login, issuer_name=_ISSUER)
    spaced = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return door(
        request, signed, "factor.html", status=status, secret=spaced, uri=address_of, picture=_qr(address_of), has_one=has_one, trouble=trouble,
        asks_password=not has_one and not signed.factor_due,
    )  # fmt: skip


async def me_page(
    request: Request, parts: Parts, signed: SignedIn, *, trouble: str | None = None, done: str | None = None, status: int = 200
) -> HTMLResponse:
    now = parts.clock.now()

    def look(rows: Rows) -> dict[str, Any]:
        me = signed.member.id
        return {
            "passkeys": kept_keys.of(rows, me), "sessions": staff.sessions_of(rows, me, now), "factors": factors.of(rows, me),
            "tied": oidc.is_tied(rows, me), "changes": audit.sign_in_changes(rows, me),
        }  # fmt: skip

    found, directory = await parts.store.atransact(look), parts.settings.directory_ready
    return await pages.page(request, signed, "me.html", status=status, trouble=trouble, done=done, directory=directory, **found)


def door(request: Request, signed: SignedIn, template: str, /, *, status: int = 200, trouble: str | None = None, **values: Any) -> HTMLResponse:
    """A page before the desk: no frame, nothing of any case."""
    body = pages.render(template, csrf=signed.csrf, trouble=trouble, **values, **pages.common(request))
    return HTMLResponse(body, status_code=status)


def _qr(text: str) -> Markup:
    """A QR picture as SVG elements of our own page: nothing is fetched (R31). The text is ours, so is the markup."""
    out = io.BytesIO()
    import segno  # here, not above: every start would pay for it

    segno.make(text, error="m").save(out, kind="svg", xmldecl=False, svgns=False, scale=5, border=4)
    return Markup(out.getvalue().decode())  # noqa: S704
