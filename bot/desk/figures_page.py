"""ふりかえり: what the town did in a 年度, beside the year before; closed month by month; as a page, on paper, as a sheet (desk.md §5, R33).

Numbers are told for whole closed quarters, and never change afterwards; of the quarter that runs, whole tens only. So no two pages that somebody
keeps can be subtracted from one another, whenever they were printed.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.clock import JST
from bot.desk import access, exports, japanese_dates, national_forms, pages
from bot.desk.access import Signed, WholeParts
from bot.figures import counting, tables
from bot.figures.counting import Counts
from bot.figures.tables import Report
from bot.parts import Parts
from knowledge.hours import open_minutes
from storage import audit, facts, months
from storage.desk_queue import Viewer
from storage.refusals import Missing, Stale
from storage.staff import SignedIn

router = APIRouter(route_class=pages.DeskRoute)

_YEARS = 5
QUARTER = 3
"""Months. A year is looked at up to the end of a closed quarter: each further view is one more that could be subtracted from another (R33)."""
_CLOSES_ITSELF = timedelta(days=30)
"""After its end a month that nobody closed is closed as it stands when somebody looks: what was told once must not be counted anew."""
_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Span:
    """Months of a 年度, `2026-04` first."""

    year: int
    months: tuple[str, ...]
    """Of whole closed quarters, up to the one that was asked for; empty where no quarter of the year is closed yet."""
    ends: tuple[int, ...]
    """Up to how many months of this year may be looked at."""
    running: tuple[tuple[str, ...], ...]
    """Each quarter that is not closed, as far as it has begun; two in one sum could be subtracted once the first is closed."""


@router.get("/desk/figures")
async def page(request: Request, parts: WholeParts, signed: Signed) -> HTMLResponse:
    return await _page(request, parts, signed)


@router.get("/desk/figures.xlsx")
async def as_excel(request: Request, parts: WholeParts, signed: Signed) -> Response:
    """One sheet for each table."""
    span, report = await _report(request, parts, signed, how="xlsx")
    sheets = [("数", *_summary(report)), *((table.title, *tables.flat(table)) for table in report.tables)]
    book = await asyncio.to_thread(exports.book_of, sheets)
    return Response(book, media_type=_EXCEL, headers={"content-disposition": f'attachment; filename="furikaeri-{span.year}.xlsx"'})


@router.get("/desk/figures/charts/{mark}/{name}.svg")
async def chart(request: Request, mark: str, name: str, parts: WholeParts, signed: Signed) -> Response:
    """One chart of the page. Another process may have made the page: then the numbers are looked up here too."""
    if not parts.charts.knows(mark):
        _, report = await _report(request, parts, signed, how="chart")
        mark = parts.charts.of(report)
    svg = await parts.charts.drawn(mark, name)
    if svg is None:
        raise Missing
    return Response(svg, media_type="image/svg+xml")


@router.get("/desk/figures.csv")
async def as_csv(request: Request, parts: WholeParts, signed: Signed) -> Response:
    """All of it as one long table: one cell, one value."""
    span, report = await _report(request, parts, signed, how="csv")
    header = ("期間", "期間（和暦）", "表", "項目", "内訳", "単位", "数", "前年度の数")
    begin = (f"{span.months[0]}/{span.months[-1]}" if span.months else "", _until_words(span))
    lines = [(*begin, "数", one.label, "", one.unit, tables.written(one.now), tables.written(one.before)) for one in report.figures]
    for table in report.tables:
        if isinstance(table, tables.Listed):
            lines += [(*begin, table.title, one.label, "", table.unit, tables.written(one.now), tables.written(one.before)) for one in table.lines]
            continue
        for label, cells, whole in table.lines:
            told = [*zip(table.columns, cells, strict=True), ("計", whole)]
            lines += [(*begin, table.title, label, column, table.unit, tables.written(many), "") for column, many in told]
    name = f'attachment; filename="furikaeri-{span.year}.csv"'
    return Response(exports.csv_of(header, lines), media_type="text/csv; charset=utf-8", headers={"content-disposition": name})


@router.post("/desk/figures/close")
async def close(request: Request, parts: WholeParts, signed: Signed) -> Response:
    """月締め: the oldest months first, only what is over; from then on its numbers stay."""
    month = (await access.fields(request, "month"))["month"]
    viewer, now = access.viewer_of(signed), parts.clock.now()
    first, kept = await parts.store.atransact(lambda rows: (facts.first_of_all(rows), months.closed(rows)))
    if month not in _closable(first, kept, now)[:1]:
        return await _page(request, parts, signed, trouble="not_closable", status=422)
    counts = await _count(parts, month)
    await parts.store.atransact(lambda rows: months.close(rows, viewer, month, counts, now))
    return RedirectResponse(f"/desk/figures?year={japanese_dates.fiscal_year(_first(month))}", status_code=303)


async def whole(parts: Parts, wanted: tuple[str, ...]) -> tuple[Counts, frozenset[str]]:
    """The sum of these months, closed ones as they were closed; and which of them are."""
    kept = await parts.store.atransact(months.closed)
    return counting.add([kept[month] if month in kept else await _count(parts, month) for month in wanted]), frozenset(kept)


def views(kept: Mapping[str, Counts], wanted: tuple[str, ...]) -> list[Counts]:
    """What may be read of closed months from the beginning of a year: up to the end of each quarter, the earliest first."""
    return [counting.add(kept.get(month, {}) for month in wanted[:end]) for end in range(QUARTER, len(wanted) + 1, QUARTER)]


async def _count(parts: Parts, month: str) -> Counts:
    """Count one month anew. Each month is a transaction of its own: whoever writes to us meanwhile waits no longer than that."""
    since = datetime.combine(_first(month), datetime.min.time(), JST)
    until = datetime.combine(_after(month), datetime.min.time(), JST)
    found = await parts.store.atransact(lambda rows: facts.of_span(rows, since, until))
    base = parts.knowledge.town.base
    domains = {entry.id: entry.domain for entry in base.entries.values()}
    return counting.count(found, domains, lambda begin, end: open_minutes(base.town, begin.astimezone(JST), end.astimezone(JST)), _birth_year)


async def _report(request: Request, parts: Parts, signed: SignedIn, *, how: str) -> tuple[Span, Report]:
    now = parts.clock.now()
    viewer = access.viewer_of(signed)
    first, kept = await _settled(parts, viewer, now)
    this = japanese_dates.fiscal_year(now.astimezone(JST).date())
    year = _number(request.query_params.get("year", ""), this - _YEARS + 1, this, this)
    (closed, rest), (last, _) = (_quarters(one, first, kept) for one in (year, year - 1))
    ends = tuple(range(QUARTER, len(closed) + 1, QUARTER))
    many = _number(request.query_params.get("months", ""), 0, len(closed), len(closed))
    many = many if many in ends else len(closed)
    today = f"{now.astimezone(JST):%Y-%m}"
    begun = tuple(month for month in rest if month <= today)
    span = Span(year, closed[:many], ends, tuple(begun[at : at + QUARTER] for at in range(0, len(begun), QUARTER)))
    await parts.store.atransact(partial(audit.note, actor=viewer.actor, act="figures.read", now=now, year=year, how=how))
    before = last[:many] if len(last) >= many else ()
    made = await asyncio.to_thread(tables.report, words(), labels(parts), views(kept, span.months), views(kept, before))
    return span, made


async def _settled(parts: Parts, viewer: Viewer, now: datetime) -> tuple[datetime | None, dict[str, Counts]]:
    """When the first resident wrote, and all closed months: those that have been over for long enough are closed by now."""
    first, kept = await parts.store.atransact(lambda rows: (facts.first_of_all(rows), months.closed(rows)))
    for month in _closable(first, kept, now - _CLOSES_ITSELF):
        counts = await _count(parts, month)
        with contextlib.suppress(Stale):  # somebody else looked at the same moment
            await parts.store.atransact(partial(months.close, viewer=viewer, month=month, counts=counts, now=now))
    return first, await parts.store.atransact(months.closed)


def newest_closed(kept: Mapping[str, Counts]) -> tuple[str, ...]:
    """Months of the closed quarters of the newest 年度 that has any."""
    years = sorted({japanese_dates.fiscal_year(_first(month)) for month in kept}, reverse=True)
    return next((found for year in years if (found := _quarters(year, None, kept)[0])), ())


def _quarters(year: int, first: datetime | None, kept: Mapping[str, Counts]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Months of the year's first quarters, as far as all of them are closed, and the others. Before the first word of all nothing is open."""
    begun = min((*kept, *(() if first is None else (f"{first.astimezone(JST):%Y-%m}",))), default="9999")
    wanted = _months(year)
    many = next((at for at, month in enumerate(wanted) if month >= begun and month not in kept), len(wanted))
    many -= many % QUARTER
    return wanted[:many] if many and wanted[many - 1] >= begun else (), wanted[many:]


async def _page(request: Request, parts: Parts, signed: SignedIn, *, trouble: str | None = None, status: int = 200) -> HTMLResponse:
    span, report = await _report(request, parts, signed, how="page")
    now = parts.clock.now()
    this = japanese_dates.fiscal_year(now.astimezone(JST).date())
    first, kept = await parts.store.atransact(lambda rows: (facts.first_of_all(rows), months.closed(rows)))
    closable = _closable(first, kept, now) if signed.member.role == "lead" else ()
    places = report.crossed("places")
    area, areas = request.query_params.get("area", ""), [label for label, *_ in places.lines]
    running = [(quarter, tables.running(words(), labels(parts), (await whole(parts, quarter))[0])) for quarter in span.running]
    return await pages.page(
        request, signed, "figures.html", status=status, span=span, report=report, years=range(this, this - _YEARS, -1), until=_until_words(span),
        nothing=first is None and not kept, trouble=trouble, closable=closable[:1], written=tables.written, query=str(request.url.query),
        running=running, places=places, charts=parts.charts.of(report), area=area if area in areas else "", areas=areas,
    )  # fmt: skip


def _closable(first: datetime | None, closed: Mapping[str, object], now: datetime) -> tuple[str, ...]:
    """Months that are over and not closed, oldest first: from the first word of a resident on."""
    if first is None:
        return ()
    day, today, found = first.astimezone(JST).date().replace(day=1), now.astimezone(JST).date(), []
    while (after := _after(f"{day:%Y-%m}")) <= today:
        found.append(f"{day:%Y-%m}")
        day = after
    return tuple(month for month in found if month not in closed)


def _summary(report: Report) -> tuple[tuple[str, ...], list[list[str]]]:
    header = ("項目", "単位", "今年度", "前年度", "数えかた")
    return header, [[one.label, one.unit, tables.written(one.now), tables.written(one.before), one.how] for one in report.figures]


def _months(year: int) -> tuple[str, ...]:
    """The twelve months of a 年度."""
    return tuple(f"{year + (month > 12)}-{(month - 1) % 12 + 1:02d}" for month in range(4, 16))


def _first(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def _after(month: str) -> date:
    """The first day of the next month."""
    day = _first(month)
    return day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1)


def _until_words(span: Span) -> str:
    """`令和8年度 4月〜9月`; only the year where nothing of it is closed."""
    year = japanese_dates.fiscal_year_name(_first(_months(span.year)[0]))
    return f"{year} 4月〜{int(span.months[-1][5:])}月" if span.months else year


def _birth_year(written: str) -> int | None:
    try:
        return japanese_dates.read_date(written).year
    except (japanese_dates.NotADate, japanese_dates.WhichEra):
        return None


def _number(written: str, least: int, most: int, otherwise: int) -> int:
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 6 and least <= int(written) <= most else otherwise


def labels(parts: Parts) -> dict[str, dict[str, str]]:
    """The words of topics, issues and fields."""
    domains = {name: domain.name for name, domain in parts.knowledge.town.base.domains.items()}
    return {**national_forms.lists(), "gap_reasons": pages.words().gap_reasons, "domains": domains}


@cache
def words() -> Mapping[str, Any]:
    """figures.yaml: what is shown, and how each number is counted."""
    found: Mapping[str, Any] = yaml.safe_load((Path(__file__).parent / "figures.yaml").read_text(encoding="utf-8"))
    return found
