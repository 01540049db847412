"""Which Host headers are ours (R29)."""

from urllib.parse import urlsplit

from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from bot.settings import Settings


def allowed_hosts(settings: Settings) -> list[str]:
    """The host of BASE_URL, and loopback for the machine itself; the demo is reached only there."""
    outside = urlsplit(settings.base_url).hostname or "localhost"
    return sorted({outside, "127.0.0.1", "localhost", "::1", "[::1]"})


class OneHost(TrustedHostMiddleware):
    """Answers only what names one host, and one of ours. Of two, a proxy before us may go by the other one (RFC 9112 3.2: 400)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and sum(name == b"host" for name, _ in scope["headers"]) > 1:
            await PlainTextResponse("Invalid host header", status_code=400)(scope, receive, send)
            return
        await super().__call__(scope, receive, send)
