"""The last net: an error of ours becomes a page with a number, and a line in the log without a word of what was sent (R42)."""

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.desk import pages
from bot.logs import place_of
from bot.web import chat_pages

log = structlog.get_logger()


class Broken:
    """ASGI middleware, innermost: what it catches would else be written out whole by the server, words of residents included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except ClientDisconnect:
            raise
        except Exception as error:  # whatever it is, it is our bug: nobody may be shown it, and nobody's words may lie in a log
            number = pages.error_id()
            log.error("request_failed", error=type(error).__name__, at=place_of(error), error_id=number)
            if begun or scope["type"] != "http":
                return
            await _page(Request(scope), number)(scope, receive, send)


def _page(request: Request, number: str) -> Response:
    if request.url.path.startswith("/desk"):
        return pages.trouble(request, 500, "broken", number=number)
    if "text/html" in request.headers.get("accept", ""):
        return chat_pages.bare_page(request, draft="", status=500)
    return JSONResponse({"error": "broken", "message": number}, status_code=500)
