"""わたしたちのまちの困りごと: what people here struggle with, what was done, where to join in. Off until the town says `shows_troubles: true`.

Only counts of closed months, and only whole quarters of them: so a page never differs from yesterday's by one person, and nothing is counted anew for
whoever opens it. Small numbers are hidden as on the desk's page (R33).
"""

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from bot.desk import figures_page
from bot.figures import counting, tables
from bot.figures.tables import Listed
from bot.parts import Parts
from bot.web import chat_pages as pages
from bot.web.chrome import chrome_of
from storage import gaps, months

router = APIRouter(include_in_schema=False)

_TABLES = ("topics", "gap_reasons")
_MOST_ISSUES = 30


@router.get("/town")
async def page(request: Request) -> HTMLResponse:
    """The quarters of the newest 年度 of which anything is closed."""
    parts: Parts = request.app.state.parts
    if not parts.knowledge.town.base.town.shows_troubles:
        raise HTTPException(404)
    kept, issues = await parts.store.atransact(lambda rows: (months.closed(rows), gaps.issues(rows)))
    wanted = _quarters(sorted(kept))
    report = tables.report(figures_page.words(), figures_page.labels(parts), [counting.add(kept[month] for month in wanted)], [])
    entries = parts.knowledge.town.base.entries
    done = [(one, entries.get(one.entry_id or "")) for one in issues if one.state != "resting"][:_MOST_ISSUES]
    lists = [table for table in report.tables if table.name in _TABLES and isinstance(table, Listed)]
    return pages.page(
        request, "town.html", chrome_of("ja"), months=wanted, consulted=report.figure("consulted"), lists=lists, done=done, written=tables.written
    )


def _quarters(closed: list[str]) -> list[str]:
    """Months of the newest 年度 that has a whole closed quarter; 4–6月, 7–9月, 10–12月, 1–3月."""
    there, found = set(closed), []
    for month in closed:
        year, number = int(month[:4]), int(month[5:])
        if number % figures_page.QUARTER == 1 and all(f"{year}-{number + step:02d}" in there for step in range(figures_page.QUARTER)):
            found += [f"{year}-{number + step:02d}" for step in range(figures_page.QUARTER)]
    return [month for month in found if _fiscal(month) == _fiscal(found[-1])]


def _fiscal(month: str) -> int:
    return int(month[:4]) - (int(month[5:]) < 4)
