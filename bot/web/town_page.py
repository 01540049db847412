"""わたしたちのまちの困りごと: what people here struggle with, what was done, where to join in. Off until the town says `shows_troubles: true`.

Only counts of whole closed quarters, the same numbers as on the desk's page: so a page never differs from another by one person, and nothing is
counted anew for whoever opens it (R33).
"""

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from bot.desk import figures_page
from bot.figures import tables
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
    wanted = figures_page.newest_closed(kept)
    report = tables.report(figures_page.words(), figures_page.labels(parts), figures_page.views(kept, wanted), [])
    entries = parts.knowledge.town.base.entries
    done = [(one, entries.get(one.entry_id or "")) for one in issues if one.state != "resting"][:_MOST_ISSUES]
    lists = [table for table in report.tables if table.name in _TABLES and isinstance(table, Listed)]
    return pages.page(
        request, "town.html", chrome_of("ja"), months=wanted, consulted=report.figure("consulted"), lists=lists, done=done, written=tables.written
    )
