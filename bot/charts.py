"""Charts of the reports that were looked at last: drawn when a browser first asks for one, all of a report together, in a process of its own
(bot/figures/drawing.py). No page waits for them, and what is closed never changes, so a chart that is drawn stays right.
"""

import asyncio
import hashlib
import json
import os
import sys
from collections import OrderedDict
from collections.abc import Sequence

import structlog

from bot.figures import tables
from bot.figures.masking import Shown
from bot.figures.tables import Listed, Report

log = structlog.get_logger()

_MOST = 16
"""Reports whose charts are kept, some 150 kB each."""
_PATIENCE = 60.0
"""Seconds for all charts of a report; it takes three on a machine with nothing else to do."""
_NEEDED = ("PATH", "PYTHONPATH", "SYSTEMROOT")
"""All that the drawing process knows of our surroundings: no key and no password."""

Drawn = dict[str, str]
"""Name of the table → SVG."""


class Charts:
    """Ask here for charts, by what they show."""

    def __init__(self) -> None:
        self._wanted: OrderedDict[str, str] = OrderedDict()
        self._drawn: dict[str, asyncio.Task[Drawn]] = {}

    def of(self, report: Report) -> str:
        """The mark under which the charts of this report can be had from now on."""
        wanted = json.dumps([_bars(table) for table in report.tables if isinstance(table, Listed) and table.chart and table.lines])
        mark = hashlib.sha256(wanted.encode()).hexdigest()[:16]
        self._wanted[mark] = wanted
        self._wanted.move_to_end(mark)
        if len(self._wanted) > _MOST:
            oldest, _ = self._wanted.popitem(last=False)
            self._drawn.pop(oldest, None)
        return mark

    def knows(self, mark: str) -> bool:
        return mark in self._wanted

    async def drawn(self, mark: str, name: str) -> str | None:
        """The SVG of a table of a known report; None where it has no chart, or nothing could be drawn now."""
        if mark not in self._drawn:
            self._drawn[mark] = asyncio.create_task(_drawn(self._wanted[mark]))
        found = await asyncio.shield(self._drawn[mark])
        if not found:
            self._drawn.pop(mark, None)  # the next look tries again
        return found.get(name)


async def _drawn(wanted: str) -> Drawn:
    pipe = asyncio.subprocess.PIPE
    surroundings = {name: os.environ[name] for name in _NEEDED if name in os.environ}
    try:
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.figures.drawing", stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, env=surroundings
        )  # fmt: skip
        try:
            async with asyncio.timeout(_PATIENCE):
                told, _ = await running.communicate(wanted.encode())
        finally:
            if running.returncode is None:
                running.kill()
        return dict(json.loads(told))
    except (OSError, TimeoutError, ValueError) as error:
        log.warning("charts_not_drawn", error=type(error).__name__)
        return {}


def _bars(table: Listed) -> dict[str, object]:
    compared = any(line.before for line in table.lines)
    years: Sequence[str] = ("今年度", "前年度") if compared else ("今年度",)
    bars = [_bar(line.label, year, shown) for line in table.lines for year, shown in zip(years, (line.now, line.before), strict=False)]
    return {"name": table.name, "title": table.title, "unit": table.unit, "bars": bars}


def _bar(label: str, year: str, shown: Shown) -> dict[str, object]:
    """A hidden number has no length: it would tell."""
    many = 0 if isinstance(shown, str) else shown if isinstance(shown, int) else shown.many
    return {"label": label, "year": year, "many": many, "told": tables.written(shown)}
