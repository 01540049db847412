"""Is it alive, is it ready, how is it: for whoever watches the machine."""

import hmac
from datetime import timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CollectorRegistry, Gauge, Info, generate_latest

from bot.parts import Parts
from storage import outbox, watching
from storage.store import StoreDown
from storage.watching import Standing

router = APIRouter()
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
    return Response(generate_latest(_registry(parts, standing)), media_type="text/plain; version=0.0.4")


def _registry(parts: Parts, standing: Standing | None) -> CollectorRegistry:
    """Without a database: what the process itself knows, and `madoguchi_database_up` 0."""
    registry = CollectorRegistry()
    _gauge(registry, "madoguchi_database_up", "1 when the database answers", float(standing is not None))
    base = parts.knowledge.town.base
    _gauge(registry, "madoguchi_entries", "Entries in the running knowledge base", len(base.entries))
    Info("madoguchi_knowledge", "The running knowledge base", registry=registry).info({"version": base.version})
    refused = Gauge("madoguchi_webhooks_refused", "Webhooks this process did not take", ["channel", "status"], registry=registry)
    for (channel, status), many in parts.refused.items():
        refused.labels(channel, status).set(many)
    if standing is not None:
        _of_the_database(registry, standing)
    return registry


def _of_the_database(registry: CollectorRegistry, standing: Standing) -> None:
    _gauge(registry, "madoguchi_cases_waiting", "People who wait for a coordinator", standing.cases_waiting)
    _gauge(registry, "madoguchi_case_oldest_seconds", "How long the longest of them has waited", standing.case_oldest)
    _gauge(registry, "madoguchi_outbox_oldest_seconds", "Age of the oldest undelivered call", standing.letter_oldest)
    _gauge(registry, "madoguchi_alarms_open", "Alarms nobody has taken", standing.alarms)
    _gauge(registry, "madoguchi_alarm_oldest_seconds", "How long the oldest of them has rung", standing.alarm_oldest)
    _gauge(registry, "madoguchi_job_lag_seconds", "How overdue the most overdue promise or answer is", standing.job_lag)
    letters = Gauge("madoguchi_outbox", "Undelivered calls by state", ["state"], registry=registry)
    for state in ("queued", "sending", "unknown", "held"):
        letters.labels(state).set(standing.letters.get(state, 0))
    counted = Gauge("madoguchi_counted", "What was counted since the start of the town, by name", ["name"], registry=registry)
    for name, many in standing.tallies.items():
        counted.labels(name).set(many)


def _gauge(registry: CollectorRegistry, name: str, what: str, value: float) -> None:
    Gauge(name, what, registry=registry).set(value)
