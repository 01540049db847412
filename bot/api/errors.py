"""Errors of /api/v1: `{error, message}`, never a word of what was sent (R42)."""

from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot import strict_json
from bot.desk.acts import NotNow, RecipientChanged, Unreachable
from storage.refusals import Closed, HeldByOther, Locked, Missing, NoGround, NotHeld, Refused, Stale
from storage.store import StoreDown

log = structlog.get_logger()

_REFUSALS: dict[type[Refused], tuple[int, str, str]] = {
    Missing: (404, "not_found", "No such case, or not yours to see."),
    Stale: (409, "stale", "The case has changed. Read it again and send its new version."),
    HeldByOther: (409, "held_by_other", "Another coordinator has this case."),
    NotHeld: (409, "not_held", "Claim the case first."),
    Closed: (409, "closed", "The case is closed."),
    NoGround: (409, "no_ground", "No consent that holds, no meeting of this case, no danger in words."),
    Locked: (409, "locked", "Hidden address: two people must release it at the desk first."),
    Unreachable: (409, "unreachable", "Nothing can be delivered to this resident."),
    RecipientChanged: (409, "recipient_changed", "The resident's contact has changed."),
    NotNow: (409, "not_now", "Hidden address: write only while the talk is open, or with safe_now."),
}
_WORDS = {
    401: ("unauthorized", "A valid bearer token is needed."),
    403: ("forbidden", "This is not allowed."),
    404: ("not_found", "There is nothing here."),
    429: ("too_many_calls", "Too many calls with this token. Try again in a minute."),
}
_HEADERS = {401: {"www-authenticate": "Bearer"}, 429: {"retry-after": "60"}}


def problem(status: int, error: str, message: str) -> JSONResponse:
    return JSONResponse({"error": error, "message": message}, status_code=status, headers=_HEADERS.get(status))


class _Strict(Request):
    """A request whose JSON has one meaning only (R4): anything else is no body as described."""

    async def json(self) -> Any:
        return strict_json.read(await self.body())


class ApiRoute(APIRoute):
    """A route that reads strictly, and turns every trouble into `{error, message}`. FastAPI's own 422 would echo what was sent."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def watched(request: Request) -> Response:
            try:
                return await inner(_Strict(request.scope, request.receive))
            except RequestValidationError as wrong:
                places = sorted({".".join(str(part) for part in error["loc"] if isinstance(part, str)) for error in wrong.errors()})
                return problem(422, "invalid", "Not as described: " + ", ".join(places))
            except Refused as refused:
                return problem(*_REFUSALS[type(refused)])
            except StoreDown:
                log.error("api_store_down", method=request.method)
                return problem(503, "cannot_save_now", "The database cannot be reached. Try again.")
            except HTTPException as error:
                if error.status_code == 400:  # a body that is no text at all
                    return problem(422, "invalid", "Not as described: body")
                return problem(error.status_code, *_WORDS.get(error.status_code, ("error", "The request cannot be served.")))

        return watched
