"""Signing in by the town's own directory: there, back, and tying an account to it (R26). Our second factor is asked for all the same."""

import hmac
from typing import TYPE_CHECKING

import structlog
from fastapi import APIRouter, HTTPException, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.desk import access, factors, notices, pages, signin
from bot.desk.access import Signed, TheParts
from bot.parts import Parts
from storage import oidc
from storage.oidc import SubjectTaken

if TYPE_CHECKING:
    from bot.directory import Directory

router = APIRouter(route_class=pages.DeskRoute)
log = structlog.get_logger()


@router.post("/desk/directory")
async def there(request: Request, parts: TheParts) -> Response:
    return await _go(request, parts, None)


@router.post("/desk/directory/tie")
async def tie(request: Request, parts: TheParts, signed: Signed) -> Response:
    """Tie this account to whoever signs in there now, with the password asked again."""
    current = (await access.fields(request, "current"))["current"]
    if not await signin.is_themselves(request, parts, signed.member, current):
        return await factors.me_page(request, parts, signed, trouble="current", status=422)
    return await _go(request, parts, signed.member.id)


@router.get("/desk/directory/back")
async def back(request: Request, parts: TheParts) -> Response:
    """The browser returns: only with the cookie it left with, the same state, and a token that proves who it is."""
    from bot.directory import NotBelieved

    directory, token, now = _directory(parts), request.cookies.get(_cookie(parts), ""), parts.clock.now()
    attempt = await parts.store.atransact(lambda rows: oidc.spend(rows, token, now))
    if attempt is None or not hmac.compare_digest(request.query_params.get("state", "").encode(), attempt.state.encode()):
        return _refused(request, parts, "state")
    try:
        subject = await directory.subject(attempt, dict(request.query_params))
    except NotBelieved as problem:
        return _refused(request, parts, str(problem))
    if attempt.staff_id is not None:
        return await _tie(request, parts, attempt.staff_id, directory.issuer, subject)
    member = await parts.store.atransact(lambda rows: oidc.member_of(rows, directory.issuer, subject))
    return _refused(request, parts, "unknown") if member is None else await signin.enter(request, parts, member)


async def _go(request: Request, parts: Parts, staff_id: str | None) -> Response:
    from bot.directory import NotBelieved

    directory, now = _directory(parts), parts.clock.now()
    token, attempt = await parts.store.atransact(lambda rows: oidc.begin(rows, now, staff_id=staff_id))
    try:
        address = await directory.way_there(attempt)
    except NotBelieved as problem:
        return _refused(request, parts, str(problem))
    # not a redirect of the form itself: our policy lets forms lead to ourselves only (form-action 'self')
    response = HTMLResponse(pages.render("directory.html", address=address, **pages.common(request)))
    path = "/" if parts.settings.secure else "/desk/directory"
    response.set_cookie(_cookie(parts), token, max_age=600, secure=parts.settings.secure, httponly=True, samesite="lax", path=path)
    return response


async def _tie(request: Request, parts: Parts, staff_id: str, issuer: str, subject: str) -> Response:
    """Only in the browser of the very member who asked."""
    signed, now = await access.find_signed_in(request), parts.clock.now()
    if signed is None or signed.member.id != staff_id:
        return _refused(request, parts, "other_browser")
    try:
        await parts.store.atransact(lambda rows: oidc.tie(rows, staff_id, issuer, subject, now))
    except SubjectTaken:
        return _refused(request, parts, "taken")
    await notices.sign_in_changed(parts, signed.member)
    return RedirectResponse("/desk/me", status_code=303)


def _directory(parts: Parts) -> "Directory":
    if not parts.settings.directory_ready:
        raise HTTPException(404)
    from bot.directory import Directory

    return Directory(parts.settings)


def _cookie(parts: Parts) -> str:
    return "__Host-directory" if parts.settings.secure else "directory"


def _refused(request: Request, parts: Parts, why: str) -> Response:
    """One answer for every reason; the log has the word."""
    log.warning("directory_refused", why=why)
    response = pages.trouble(request, 403, "directory")
    response.delete_cookie(_cookie(parts), path="/" if parts.settings.secure else "/desk/directory")
    return response
