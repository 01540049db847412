"""What `/metrics` says, in Prometheus' words: counts and ages, never who or what was said (R42)."""

from prometheus_client import CollectorRegistry, Gauge, Info, generate_latest

from bot.parts import Parts
from storage.watching import Standing


def told(parts: Parts, standing: Standing | None) -> bytes:
    """The whole page; `standing` is None while the database is down."""
    return generate_latest(_registry(parts, standing))


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
