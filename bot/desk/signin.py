"""Signing in, out, and the first set-up by a one-time link (R25–R29)."""

from typing import Any, Literal

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.desk import access, pages, passwords
from bot.desk.access import Signed, TheParts
from bot.desk.passwords import Hasher
from bot.hub import DESK
from bot.parts import Parts
from bot.web.own_page import address_of
from storage import factors, staff
from storage.staff import Credentials, Member
from storage.text import clean

router = APIRouter(route_class=pages.DeskRoute)

_LONGEST_LOGIN = 120
_LONGEST_NAME = 60

Trouble = Literal["wrong", "too_many", "spent", "taken", "login", "name", "short", "long", "common", "own_name", "differ"]


@router.get("/desk/sign-in")
async def sign_in_page(request: Request, parts: TheParts) -> Response:
    if await access.find_signed_in(request) is not None:
        return RedirectResponse("/desk", status_code=303)
    return _form(request, parts, "sign_in.html")


@router.post("/desk/sign-in")
async def sign_in(request: Request, parts: TheParts) -> Response:
    """Unknown login, wrong password, stopped account: one answer, one duration (R28)."""
    written = await access.fields(request, "login", "password")
    login = written["login"][:_LONGEST_LOGIN]
    known = await parts.store.atransact(lambda rows: staff.credentials(rows, login))
    fits = await password_fits(request, parts, login, written["password"], known)
    if fits is None:
        return _form(request, parts, "sign_in.html", status=429, trouble="too_many", login=login)
    if not fits or known is None:
        return _form(request, parts, "sign_in.html", status=401, trouble="wrong", login=login)
    argon = hasher(request)
    if argon.is_outdated(known.password_hash):
        renewed = await argon.make(written["password"])
        await parts.store.atransact(lambda rows: staff.set_password_hash(rows, known.member.id, renewed))
    return await enter(request, parts, known.member)


@router.get("/desk/welcome")
async def welcome_page(request: Request, parts: TheParts) -> Response:
    """The token rides in the fragment, so no server and no previewer sees it; the page's script puts it into its field."""
    return _form(request, parts, "welcome.html")


@router.post("/desk/welcome")
async def welcome(request: Request, parts: TheParts) -> Response:
    """Choose a name, a login and a password; then signed in at once."""
    written = await access.fields(request, "token", "name", "login", "password", "again")
    token = written["token"].strip().rpartition("#")[2]
    name, login, now = clean(written["name"].strip()), clean(written["login"].strip()), parts.clock.now()
    kept = {"token": token, "name": name, "login": login}
    if not await parts.store.atransact(lambda rows: staff.is_invited(rows, token, now)):
        return _form(request, parts, "welcome.html", status=410, trouble="spent", **kept)
    trouble = _trouble_with(name, login, written["password"], written["again"])
    if trouble is not None:
        return _form(request, parts, "welcome.html", status=422, trouble=trouble, **kept)
    password_hash = await hasher(request).make(written["password"])
    try:
        member = await parts.store.atransact(lambda rows: staff.accept(rows, token, login=login, name=name, password_hash=password_hash, now=now))
    except staff.InvitationSpent:
        return _form(request, parts, "welcome.html", status=410, trouble="spent", **kept)
    except staff.LoginTaken:
        return _form(request, parts, "welcome.html", status=422, trouble="taken", **kept)
    parts.hub.wake(DESK)
    return await enter(request, parts, member)


@router.post("/desk/sign-out")
async def sign_out(request: Request, parts: TheParts, signed: Signed) -> Response:
    """The session ends on our side, streams end at once, and the browser forgets drafts."""
    now = parts.clock.now()
    await parts.store.atransact(lambda rows: staff.sign_out(rows, signed, now))
    parts.hub.wake(DESK)
    response = RedirectResponse("/desk/sign-in", status_code=303)
    access.take_cookie(response, parts)
    response.headers["clear-site-data"] = '"storage"'
    return response


@router.post("/desk/stay")
async def stay(signed: Signed) -> Response:
    """つづける: one key extends the session before it ends of idleness (desk.md §10)."""
    return Response(status_code=204, headers={"x-ends-at": signed.ends_at.isoformat()})


async def enter(request: Request, parts: Parts, member: Member) -> Response:
    """A new session with a new id; one this browser had before ends (R27)."""
    now = parts.clock.now()
    before = await access.find_signed_in(request, touch=False, entering=True)

    def work(rows: Rows) -> tuple[str, bool]:
        if before is not None:
            staff.sign_out(rows, before, now)
        due = parts.settings.profile == "production" or factors.of(rows, member.id).any
        return staff.sign_in(rows, member, now, factor_due=due), due

    token, due = await parts.store.atransact(work)
    response = RedirectResponse("/desk/second" if due else "/desk", status_code=303)
    access.give_cookie(response, parts, token)
    return response


def _form(request: Request, parts: Parts, template: str, /, *, status: int = 200, trouble: Trouble | None = None, **kept: str) -> HTMLResponse:
    token = access.form_token(request)
    values: dict[str, Any] = {"token": "", "name": "", "login": "", **kept}
    values |= {"directory": parts.settings.directory_ready, **pages.common(request)}
    response = HTMLResponse(pages.render(template, csrf=token, trouble=trouble, **values), status_code=status)
    access.give_form_token(response, parts, token)
    return response


def _trouble_with(name: str, login: str, password: str, again: str) -> Trouble | None:
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():  # no invisible twin of a colleague's name
        return "name"
    kept = staff.login_of(login)  # one spelling may be longer than what was typed, and have spaces where that had none
    if not kept or len(kept) > _LONGEST_LOGIN or not login.isprintable() or not kept.isprintable() or " " in kept:
        return "login"
    if password != again:
        return "differ"
    return passwords.problem_with(password, login=kept, name=name)


async def password_fits(request: Request, parts: Parts, who: str, password: str, known: Credentials | None) -> bool | None:
    """Whether it is the password of `known`; None after too many tries of `who` or from this address, for a while (R28)."""
    where, now = address_of(request), parts.clock.now()
    counted = await parts.store.atransact(lambda rows: staff.take_try(rows, who, where, now))
    if counted is None:
        return None
    fits = await hasher(request).fits(password, None if known is None else known.password_hash)
    await parts.store.atransact(lambda rows: staff.give_back(rows, counted) if fits else staff.note_wrong(rows, now))
    return fits


def hasher(request: Request) -> Hasher:
    """One for the application, made when somebody first signs in."""
    state = request.app.state
    if not hasattr(state, "desk_hasher"):
        state.desk_hasher = Hasher()
    made: Hasher = state.desk_hasher
    return made


async def is_themselves(request: Request, parts: Parts, member: Member, password: str) -> bool:
    """The password once more, before anything about how somebody signs in changes: a stolen cookie must not become an account (R26). Slowed (R28)."""
    known = await parts.store.atransact(lambda rows: staff.credentials(rows, member.login))
    return bool(await password_fits(request, parts, f"password:{member.id}", password, known))
