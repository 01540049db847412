"""How a page of the desk is made: Jinja with everything escaped (R30), the frame that is the same on all of them, errors with a number."""

import secrets
from collections.abc import Callable, Coroutine
from datetime import date, datetime, time, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import structlog
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from bot import duty as duties
from bot.clock import JST
from bot.desk import access, japanese_dates
from bot.desk.presses import press_of
from bot.desk.talk_view import unturned
from bot.parts import Parts
from storage import desk_queue, duty, second_name, staff
from storage.desk_queue import Ringing, may_read_cases
from storage.refusals import Locked, Missing, Refused
from storage.staff import SignedIn
from storage.store import StoreDown

log = structlog.get_logger()

_HERE = Path(__file__).parent
SIZES = ("1", "2", "3", "4")
"""A−, A, A+, A++ (desk.md §1)."""
SIZE_COOKIE = "desk_size"
_ERROR_LETTERS = "234679ACDEFHJKLMNPRTUVWXY"

_static = StaticFiles(directory=_HERE / "static", check_dir=False)


@cache
def environment() -> Environment:
    """The templates, with dates in Japanese; an unknown name is our bug and fails."""
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        finalize=_as_it_is,
    )  # fmt: skip
    made.filters |= {
        "long_time": japanese_dates.long_time, "short_time": japanese_dates.short_time, "long_date": japanese_dates.long_date,
        "day_of": lambda at: at.astimezone(JST).date(), "iso": lambda at: at.astimezone(JST).isoformat(timespec="seconds"),
        "clock_time": lambda at: f"{at.astimezone(JST):%H:%M}", "iso_day": lambda day: day.isoformat(),
        "fiscal": lambda year: japanese_dates.fiscal_year_name(date(year, 4, 1)),
        "last_day": lambda at: (at - timedelta(seconds=1)).astimezone(JST).date(), "before": lambda text, mark: text.partition(mark)[0],
    }  # fmt: skip
    made.globals |= {"asset": _asset, "until": _until, "since": _since, "past": _past}
    return made


def _as_it_is(value: Any) -> Any:
    """Whoever wrote it, no words on a page of ours look otherwise than they are (R32). What a macro of ours made has been through here."""
    return unturned(value) if type(value) is str else value


def words() -> Any:
    """What the templates call things (words.html), for tables that leave the desk: every word stands once."""
    return environment().get_template("words.html").module


def day_ends(now: datetime) -> datetime:
    """The end of today in Japan."""
    return datetime.combine(now.astimezone(JST).date() + timedelta(days=1), time(), JST)


def render(template: str, /, **values: Any) -> str:
    return environment().get_template(template).render(**values)


async def page(request: Request, signed: SignedIn, template: str, /, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page inside the frame: ringing alarms on top, counts, who I am."""
    parts = access.parts_of(request)
    now = parts.clock.now()
    frame, on_duty = await parts.store.atransact(lambda rows: (frame_of(rows, signed), _on_duty(rows, signed, parts, now)))
    mark = f"{signed.csrf}{access.MARK}{secrets.token_urlsafe(9)}"
    body = render(template, signed=signed, me=signed.member, csrf=mark, now=now, on_duty=on_duty, **frame, **common(request), **values)
    return HTMLResponse(body, status_code=status)


def frame_of(rows: Session, signed: SignedIn) -> dict[str, Any]:
    """What every page shows besides its own."""
    viewer = access.viewer_of(signed)
    ringing: list[Ringing] = desk_queue.ringing(rows, viewer)
    knows, reads_cases = signed.member.role in access.KNOWS, may_read_cases(viewer)
    return {
        "ringing": ringing, "one_name": second_name.waiting(rows, viewer), "task_count": desk_queue.task_count(rows, viewer),
        "reads_cases": reads_cases, "knows": knows,
    }  # fmt: skip


def _on_duty(rows: Session, signed: SignedIn, parts: Parts, now: datetime) -> list[str]:
    """今日の当番: names of those on duty at this moment."""
    if not may_read_cases(access.viewer_of(signed)):
        return []
    ids = duty.on_duty(rows, duties.day_of(now), duties.part_of(parts.knowledge.town.base.town, now))
    names = staff.names(rows) if ids else {}
    return [names[one] for one in ids]


def common(request: Request) -> dict[str, Any]:
    """What a page needs whether or not anybody is signed in."""
    parts: Parts = request.app.state.parts
    size = request.cookies.get(SIZE_COOKIE, "2")
    town = parts.knowledge.town.base.town
    return {
        "size": size if size in SIZES else "2", "town": town, "sample": parts.settings.profile == "demo" or town.sample,
        "domains": parts.knowledge.town.base.domains, "here": _page_here(request), "nonce": getattr(request.state, "nonce", ""),
    }  # fmt: skip


def _page_here(request: Request) -> str:
    """The page one looks at: where a form was refused, its own address or the one it stood on; what is only sent cannot be opened."""
    path = request.url.path
    if request.method == "GET":
        return path
    while path.count("/") > 1 and not any(
        route.matches({**request.scope, "method": "GET", "path": path})[0] is Match.FULL for route in request.app.routes
    ):
        path = path.rpartition("/")[0]
    return path


def error_id() -> str:
    """A number to say over the telephone, such as `E-4KQ2`; the log carries the same."""
    return "E-" + "".join(secrets.choice(_ERROR_LETTERS) for _ in range(4))


def trouble(request: Request, status: int, kind: str, **values: Any) -> HTMLResponse:
    """A whole page that says what happened, what was kept and what to do."""
    return HTMLResponse(render("trouble.html", kind=kind, **common(request), **values), status_code=status)


def too_large(scope: Scope) -> bytes | None:
    """The page for a form of the desk that brings more than is taken in; None for all other addresses (R4)."""
    return bytes(trouble(Request(scope), 413, "too_large").body) if scope["path"].startswith("/desk") else None


class DeskRoute(APIRoute):
    """A route whose troubles are pages in Japanese: missing and forbidden alike 404 (R18), a database that cannot be reached 503 (R46)."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def pressed(request: Request) -> Response:
            press = await press_of(request, access.cookie_name(request.app.state.parts))
            if press is None:
                return await inner(request)
            if (known := await press.before()) is not None:
                return known
            answer = None
            try:
                answer = await inner(request)
            finally:
                await press.led_to(answer)
            return answer

        async def watched(request: Request) -> Response:
            try:
                return await pressed(request)
            except ClientDisconnect:  # the page was left while its form was on the way: nobody hears an answer
                return Response(status_code=400)
            except access.SignedOut as out:
                return trouble(request, 401, "signed_out", kept=out.kept)
            except Missing:
                return trouble(request, 404, "missing")
            except Locked:
                return trouble(request, 409, "locked")
            except Refused:
                return trouble(request, 409, "changed")
            except StoreDown:
                number = error_id()
                log.error("desk_store_down", error_id=number, method=request.method)
                kept = await access.written(request) if request.method == "POST" else ""
                return trouble(request, 503, "store_down", number=number, kept=kept)
            except HTTPException as error:
                if error.status_code in (403, 404):
                    return trouble(request, error.status_code, "missing" if error.status_code == 404 else "not_our_form")
                raise

        return watched


router = APIRouter(route_class=DeskRoute)


@router.get("/desk/static/{path:path}")
async def static(request: Request, path: str) -> Response:
    """Our own style, script and design tokens; nothing comes from elsewhere (R31)."""
    response = await _static.get_response(path, request.scope)
    response.headers["cache-control"] = "public, max-age=31536000, immutable" if "v" in request.query_params else "no-cache"
    return response


@cache
def _asset(path: str) -> str:
    """Address of a static file with a mark of its contents, so that a browser keeps it until it changes."""
    file = _HERE / "static" / path
    mark = sha256(file.read_bytes()).hexdigest()[:10] if file.exists() else "0"
    return f"/desk/static/{path}?v={mark}"


def _until(at: datetime, now: datetime) -> str:
    """Hours and minutes until a promised time, `0:24`; empty when it has passed."""
    minutes = int((at - now).total_seconds() // 60)
    return "" if minutes < 0 else f"{minutes // 60}:{minutes % 60:02d}"


def _past(at: datetime, now: datetime) -> str:
    """For how long a promised time has passed: `12分過ぎた`, `3時間過ぎた`, `2日過ぎた`."""
    minutes = max(0, int((now - at).total_seconds() // 60))
    if minutes < 60:
        return f"{minutes}分過ぎた"
    return f"{minutes // 60}時間過ぎた" if minutes < 48 * 60 else f"{minutes // (24 * 60)}日過ぎた"


def _since(at: datetime, now: datetime) -> str:
    """Hours and minutes since then, `0:52`."""
    minutes = max(0, int((now - at).total_seconds() // 60))
    return f"{minutes // 60}:{minutes % 60:02d}"
