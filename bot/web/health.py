"""Is it alive, is it ready, how is it: for whoever watches the machine."""

import hmac
from datetime import timedelta

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from bot.parts import Parts
from bot.web.headers import REPORTS_TO
from storage import outbox, watching
from storage.store import StoreDown

router = APIRouter()
log = structlog.get_logger()
_REPORTS_A_MINUTE = timedelta(minutes=1)
_OUTBOX_STUCK = timedelta(minutes=10)


@router.get("/healthz", include_in_schema=False)
async def healthz() -> PlainTextResponse:
    """The process answers."""
    return PlainTextResponse("ok")


@router.get("/readyz", include_in_schema=False)
async def readyz(request: Request) -> JSONResponse:
    """The database can be written and nothing waits in the outbox for more than ten minutes; else 503."""
    parts: Parts = request.app.state.parts
    try:
        oldest = await parts.store.atransact(outbox.oldest_waiting)
    except StoreDown:
        return JSONResponse({"database": "down"}, status_code=503)
    stuck = oldest is not None and parts.clock.now() - oldest > _OUTBOX_STUCK
    return JSONResponse({"database": "ok", "outbox": "stuck" if stuck else "ok"}, status_code=503 if stuck else 200)


@router.post(REPORTS_TO, include_in_schema=False)
async def csp_report(request: Request) -> Response:
    """A browser refused something on one of our pages (R31). Anybody can say so, so it is told once a minute and never in their words."""
    state, now = request.app.state, request.app.state.parts.clock.now()
    if now - getattr(state, "csp_told_at", now - _REPORTS_A_MINUTE) >= _REPORTS_A_MINUTE:
        state.csp_told_at = now
        log.warning("browser_refused_content")
    return Response(status_code=204)


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Prometheus text, for the holder of the token; 404 for everybody else (R17)."""
    parts: Parts = request.app.state.parts
    token = parts.settings.metrics_token
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token is None or not hmac.compare_digest(given.encode(), token.get_secret_value().encode()):
        return Response(status_code=404)
    now = parts.clock.now()
    try:
        standing = await parts.store.atransact(lambda rows: watching.standing(rows, now))
    except StoreDown:
        standing = None
    from bot.web.gauges import told  # here, not above: few towns ask, and every start would pay for it

    return Response(told(parts, standing), media_type="text/plain; version=0.0.4")
