"""What stands in the logs: structured lines on stderr, UTC, event names and our own ids only (R42).

Libraries and uncaught errors log words of their own, in which anything may stand that a resident wrote or a token that was sent: of those only who
spoke, how loud, and the kind and place of an error are kept.
"""

import logging
import sys
from pathlib import Path
from traceback import extract_tb

import structlog

log = structlog.get_logger()
_FRAMES = 6


def set_up() -> None:
    """Once, for the whole process."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ],
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )  # fmt: skip
    logging.basicConfig(handlers=[_WithoutWords()], level=logging.WARNING, force=True)


def place_of(error: BaseException | None) -> list[str]:
    """Where an error came from, innermost last: file and line, never what was worked on."""
    return [] if error is None else [f"{Path(frame.filename).name}:{frame.lineno}" for frame in extract_tb(error.__traceback__)[-_FRAMES:]]


class _WithoutWords(logging.Handler):
    """A library's line as one of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        kind = None if error is None else type(error).__name__
        log.warning("library_said", library=record.name, loud=record.levelname, error=kind, at=place_of(error))
