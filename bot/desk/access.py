"""Who may open which door of the desk: one table, deny by default (R17), and the proof that a form is our own (R29)."""

import hmac
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.routing import APIRoute
from sqlmodel import Session as Rows
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from bot.parts import Parts
from storage import audit, keeping_out, staff
from storage.desk_queue import Viewer, may_read_cases
from storage.ids import new_token
from storage.staff import Role, SignedIn
from storage.text import clean

Door = Literal["anyone", "entering", "staff", "inside", "cases", "agency", "lead", "knowledge"]
"""`anyone`: not signed in; `entering`: the password was right, the second factor may still be due (R26); `staff`: signed in;
`inside`: signed in and of this office, not of an agency; `cases`: signed in with a role that reads cases."""

KNOWS: frozenset[Role] = frozenset({"editor", "coordinator", "lead"})
"""Who keeps what the town knows: a door of its own, without any case behind it."""

DOORS: dict[tuple[str, str], Door] = {
    ("GET", "/desk/static/{path:path}"): "anyone",
    ("GET", "/desk/sign-in"): "anyone",
    ("POST", "/desk/sign-in"): "anyone",
    ("GET", "/desk/welcome"): "anyone",
    ("POST", "/desk/welcome"): "anyone",
    ("POST", "/desk/size"): "anyone",
    ("POST", "/desk/directory"): "anyone",
    ("GET", "/desk/directory/back"): "anyone",
    ("POST", "/desk/directory/tie"): "staff",
    ("GET", "/desk/second"): "entering",
    ("POST", "/desk/second"): "entering",
    ("GET", "/desk/factor"): "entering",
    ("POST", "/desk/factor"): "entering",
    ("GET", "/desk/passkey"): "entering",
    ("POST", "/desk/passkey"): "entering",
    ("POST", "/desk/passkey/{key_id}/remove"): "staff",
    ("POST", "/desk/sign-out"): "entering",
    ("GET", "/desk/prove"): "staff",
    ("POST", "/desk/prove"): "staff",
    ("GET", "/desk/me"): "staff",
    ("POST", "/desk/me/password"): "staff",
    ("POST", "/desk/me/end-others"): "staff",
    ("POST", "/desk/stay"): "staff",
    ("GET", "/desk/help"): "staff",
    ("GET", "/desk/stream"): "staff",
    ("GET", "/desk"): "staff",
    ("GET", "/desk/emergency"): "inside",
    ("POST", "/desk/emergency"): "inside",
    ("POST", "/desk/emergency/{emergency_id}"): "cases",
    ("GET", "/desk/shared"): "agency",
    ("GET", "/desk/shared/{referral_id}"): "agency",
    ("POST", "/desk/shared/{referral_id}"): "agency",
    ("GET", "/desk/agencies"): "lead",
    ("POST", "/desk/agencies"): "lead",
    ("GET", "/desk/knowledge"): "knowledge",
    ("GET", "/desk/knowledge.xlsx"): "knowledge",
    ("GET", "/desk/table"): "knowledge",
    ("POST", "/desk/table"): "knowledge",
    ("GET", "/desk/proposals"): "knowledge",
    ("GET", "/desk/proposals/{proposal_id}"): "knowledge",
    ("POST", "/desk/proposals/{proposal_id}"): "knowledge",
    ("GET", "/desk/danger-words"): "knowledge",
    ("POST", "/desk/danger-words"): "knowledge",
    ("GET", "/desk/new-entry"): "knowledge",
    ("POST", "/desk/new-entry"): "knowledge",
    ("GET", "/desk/unheard"): "cases",
    ("POST", "/desk/unheard/{outcome_id}"): "cases",
    ("GET", "/desk/knowledge/{entry_id}"): "knowledge",
    ("POST", "/desk/knowledge/{entry_id}"): "knowledge",
    ("POST", "/desk/knowledge/{entry_id}/undo"): "knowledge",
    ("GET", "/desk/offering"): "agency",
    ("POST", "/desk/offering"): "agency",
    ("GET", "/desk/pooling"): "knowledge",
    ("POST", "/desk/pooling/{proposal_id}"): "knowledge",
    ("GET", "/desk/walking"): "cases",
    ("GET", "/desk/helping"): "cases",
    ("POST", "/desk/helping"): "cases",
    ("GET", "/desk/figures"): "cases",
    ("GET", "/desk/figures.xlsx"): "cases",
    ("GET", "/desk/figures.csv"): "cases",
    ("GET", "/desk/figures/charts/{mark}/{name}.svg"): "cases",
    ("POST", "/desk/figures/close"): "lead",
    ("GET", "/desk/gaps"): "knowledge",
    ("GET", "/desk/gaps.csv"): "knowledge",
    ("POST", "/desk/gaps"): "knowledge",
    ("GET", "/desk/gaps/issues/{issue_id}"): "knowledge",
    ("POST", "/desk/gaps/issues/{issue_id}"): "knowledge",
    ("POST", "/desk/cases/{code}/writing"): "cases",
    ("GET", "/desk/search"): "cases",
    ("POST", "/desk/next"): "cases",
    ("POST", "/desk/together"): "cases",
    ("GET", "/desk/tasks"): "cases",
    ("GET", "/desk/duty"): "cases",
    ("POST", "/desk/duty"): "cases",
    ("POST", "/desk/duty/addresses"): "cases",
    ("POST", "/desk/tasks/{task_id}/done"): "cases",
    ("POST", "/desk/alarms/{alarm_id}/claim"): "cases",
    ("GET", "/desk/cases/{code}"): "cases",
    ("GET", "/desk/cases/{code}/stream"): "cases",
    ("GET", "/desk/cases/{code}/attachments/{attachment_id}"): "cases",
    ("GET", "/desk/cases/{code}/link"): "cases",
    ("POST", "/desk/cases/{code}/seen"): "cases",
    ("POST", "/desk/cases/{code}/claim"): "cases",
    ("POST", "/desk/cases/{code}/second-name"): "cases",
    ("POST", "/desk/cases/{code}/reply"): "cases",
    ("POST", "/desk/cases/{code}/note"): "cases",
    ("POST", "/desk/cases/{code}/release"): "cases",
    ("GET", "/desk/cases/{code}/hand-back"): "cases",
    ("POST", "/desk/cases/{code}/hand-back"): "cases",
    ("GET", "/desk/cases/{code}/close"): "cases",
    ("POST", "/desk/cases/{code}/close"): "cases",
    ("GET", "/desk/cases/{code}/pass-on"): "cases",
    ("POST", "/desk/cases/{code}/pass-on"): "cases",
    ("POST", "/desk/cases/{code}/shut-out"): "cases",
    ("POST", "/desk/cases/{code}/shut-out/{shut_out_id}/lift"): "cases",
    ("POST", "/desk/cases/{code}/reopen"): "cases",
    ("GET", "/desk/cases/{code}/sheet"): "cases",
    ("POST", "/desk/cases/{code}/sheet"): "cases",
    ("POST", "/desk/cases/{code}/topics"): "cases",
    ("POST", "/desk/cases/{code}/answers"): "cases",
    ("GET", "/desk/cases/{code}/household"): "cases",
    ("POST", "/desk/cases/{code}/household"): "cases",
    ("POST", "/desk/cases/{code}/household/{member_id}/remove"): "cases",
    ("GET", "/desk/cases/{code}/referrals"): "cases",
    ("POST", "/desk/cases/{code}/referrals"): "cases",
    ("POST", "/desk/cases/{code}/referrals/{referral_id}"): "cases",
    ("GET", "/desk/cases/{code}/meetings"): "cases",
    ("POST", "/desk/cases/{code}/support-meetings"): "cases",
    ("POST", "/desk/cases/{code}/coordination-meetings"): "cases",
    ("POST", "/desk/cases/{code}/plans"): "cases",
    ("GET", "/desk/cases/{code}/consents"): "cases",
    ("POST", "/desk/cases/{code}/consents"): "cases",
    ("POST", "/desk/cases/{code}/consents/{consent_id}/withdraw"): "cases",
    ("GET", "/desk/cases/{code}/forms/{form}"): "cases",
    ("GET", "/desk/cases/{code}/forms/{form}/xlsx"): "cases",
    ("GET", "/desk/cases/{code}/forms/{form}/csv"): "cases",
    ("GET", "/desk/cases/{code}/visit"): "cases",
    ("POST", "/desk/cases/{code}/visit"): "cases",
    ("GET", "/desk/cases/{code}/history"): "cases",
    ("POST", "/desk/cases/{code}/history"): "cases",
    ("POST", "/desk/cases/{code}/unlock"): "cases",
    ("POST", "/desk/cases/{code}/printed"): "cases",
    ("POST", "/desk/cases/{code}/next-contact"): "cases",
}

LEAVES: frozenset[str] = frozenset(
    (
        "/desk/figures.xlsx", "/desk/figures.csv", "/desk/gaps.csv", "/desk/cases/{code}/forms/{form}/xlsx", "/desk/cases/{code}/forms/{form}/csv",
    )
)  # fmt: skip
"""Doors through which records leave as a file: who sits here proves it once more (R33)."""
PROOF_HOLDS = timedelta(minutes=10)

TAKES_FILES = {"/desk/table": 5_500_000}
"""Doors at which a file may be handed in (R34), with the most bytes of such a form: 5 MB and what stands around them."""

MARK = "."
"""Between the token of a session and the mark of one page (presses.py)."""
_FORM_COOKIE = "desk_form"
_MOST_FIELDS = 600
"""A hand-off sheet of a hundred lines has four fields a line."""
_MOST_CELLS = 2_100
"""Changed cells of a table, one field each."""


_WORDS = ("text", "sentence", "words", "why", "wish")
"""Fields of our forms in which a person has written something longer."""


class SignedOut(Exception):
    """A form came after its session had ended; what was written in it must not be lost with it."""

    def __init__(self, kept: str) -> None:
        super().__init__()
        self.kept = kept


def check_doors(screens: Iterable[APIRouter]) -> None:
    """Stop the start when a route has no rule, or a rule no route (R17)."""
    found = [route for screen in screens for route in screen.routes if isinstance(route, APIRoute)]
    routes = {(method, route.path) for route in found for method in route.methods or ()}
    if routes != set(DOORS):
        raise RuntimeError(f"routes and access rules differ: {sorted(routes ^ set(DOORS))}")


async def guard(request: Request) -> None:
    """Runs before every route of the desk: finds its rule, who asks, and for a POST whether the form is ours."""
    door = DOORS[request.method, request.scope["route"].path]
    refuse_unkeepable(request)
    if request.method == "POST":
        _same_site(request)
    if door == "anyone":
        if request.method == "POST" and request.scope["route"].path != "/desk/size":
            await _own_form(request, request.cookies.get(_FORM_COOKIE))
        return
    signed = await find_signed_in(request, entering=door == "entering")
    if signed is None:
        if request.method == "POST" and cookie_name(parts_of(request)) in request.cookies and (kept := await written(request)):
            raise SignedOut(kept)
        raise _please_sign_in(request)
    if request.method == "POST":
        await _own_form(request, signed.csrf)
    reads = may_read_cases(viewer_of(signed))
    if (door == "cases" and not reads) or (door in ("agency", "lead") and signed.member.role != door):
        raise HTTPException(404)
    if door == "inside" and signed.member.role == "agency":
        raise HTTPException(404)
    if door == "knowledge" and signed.member.role not in KNOWS:
        raise HTTPException(404)
    if request.scope["route"].path in LEAVES and parts_of(request).clock.now() - signed.last_proven >= PROOF_HOLDS:
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        raise HTTPException(303, headers={"location": f"/desk/prove?{urlencode({'back': back})}"})
    request.state.signed = signed


def _signed(request: Request) -> SignedIn:
    signed: SignedIn = request.state.signed
    return signed


def parts_of(request: Request) -> Parts:
    """The parts as whoever asks may use them: signed in, the database itself refuses what is out of their scope (R19)."""
    parts: Parts = request.app.state.parts
    signed: SignedIn | None = getattr(request.state, "signed", None)
    return parts if signed is None else replace(parts, store=parts.store.seen_by(signed.member.id))


Signed = Annotated[SignedIn, Depends(_signed)]
TheParts = Annotated[Parts, Depends(parts_of)]


def _whole(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


WholeParts = Annotated[Parts, Depends(_whole)]
"""The parts without the second lock: for the town's counts, which name nobody and are the same for all, and for asking to be let in."""


def viewer_of(signed: SignedIn) -> Viewer:
    return Viewer(signed.member.id, signed.member.name, signed.member.role, f"staff:{signed.member.id}", signed.let_in)


async def find_signed_in(request: Request, *, touch: bool = True, entering: bool = False) -> SignedIn | None:
    """Who this browser is. `touch=False` is for streams: a page that only lies open does not stay signed in (R27).

    `entering`: also a browser whose second factor is still due; everywhere else it is nobody (R26).
    """
    parts = parts_of(request)
    token = request.cookies.get(cookie_name(parts))
    if not token:
        return None
    now = parts.clock.now()

    def look(rows: Rows) -> SignedIn | None:
        found = staff.signed_in(rows, token, now, touch=touch)
        return found and replace(found, let_in=keeping_out.let_in(rows, found.member.id, now), heard=audit.head(rows)[0])

    signed = await parts.store.atransact(look)
    return None if signed is not None and signed.factor_due and not entering else signed


def cookie_name(parts: Parts) -> str:
    """`__Host-` ties the cookie to this very host; browsers take it only over https (R27)."""
    return "__Host-desk" if parts.settings.secure else "desk"


def give_cookie(response: Response, parts: Parts, token: str) -> None:
    """No Max-Age: it ends with the browser, and on our side after 30 min or 12 h."""
    response.set_cookie(cookie_name(parts), token, secure=parts.settings.secure, httponly=True, samesite="lax", path="/")


def take_cookie(response: Response, parts: Parts) -> None:
    response.delete_cookie(cookie_name(parts), secure=parts.settings.secure, httponly=True, samesite="lax", path="/")


def form_token(request: Request) -> str:
    """The token of a form that is shown before anybody is signed in."""
    return request.cookies.get(_FORM_COOKIE) or new_token()


def give_form_token(response: Response, parts: Parts, token: str) -> None:
    response.set_cookie(_FORM_COOKIE, token, secure=parts.settings.secure, httponly=True, samesite="strict", path="/desk")


async def fields(request: Request, *names: str) -> dict[str, str]:
    """Exactly these fields of a form, as clean text (R5); whatever else was sent is left alone (R24). Missing ones are empty."""
    form = await _form(request)
    found = {name: form.get(name, "") for name in names}
    return {name: "" if isinstance(value, UploadFile) else clean(value) for name, value in found.items()}


async def written(request: Request) -> str:
    """What a person had written into this form, if anything."""
    return max((await fields(request, *_WORDS)).values(), key=len).strip()


async def lists(request: Request, *names: str) -> dict[str, list[str]]:
    """Exactly these fields of a form that may come several times, in the order of the page (R24)."""
    form = await _form(request)
    return {name: [clean(value) for value in form.getlist(name) if isinstance(value, str)] for name in names}


async def files(request: Request, name: str) -> UploadFile | None:
    """A file that was chosen in the form; None when none was. Only doors in `TAKES_FILES` are given any."""
    found = (await _form(request)).get(name)
    return found if isinstance(found, UploadFile) and found.filename else None


async def _form(request: Request) -> FormData:
    with_file = request.scope["route"].path in TAKES_FILES
    return await request.form(max_fields=_MOST_CELLS if with_file else _MOST_FIELDS, max_files=int(with_file))


def refuse_unkeepable(request: Request) -> None:
    """An address with a NUL leads nowhere: PostgreSQL and the file system do not even take the question (R5)."""
    if any("\0" in value for value in (*request.path_params.values(), *request.query_params.values())):
        raise HTTPException(404)


def _same_site(request: Request) -> None:
    """Browsers say where a form came from; our no-referrer policy turns a plain Origin into `null`, so Sec-Fetch-Site counts first."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise HTTPException(403)
        return
    origin = request.headers.get("origin")
    if origin not in (None, "null") and urlsplit(origin).netloc != request.headers.get("host"):
        raise HTTPException(403)


async def _own_form(request: Request, expected: str | None) -> None:
    given = (await fields(request, "csrf"))["csrf"].partition(MARK)[0]
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise HTTPException(403)


def _please_sign_in(request: Request) -> HTTPException:
    """A page leads to the sign-in; what a script asked for is told plainly."""
    if request.url.path.endswith(("/stream", "/seen", "/stay", "/writing", "/printed")):
        return HTTPException(401)
    return HTTPException(303, headers={"location": "/desk/sign-in"})
