"""ふりかえり: what the town did in a 年度, beside the year before; closed month by month; as a page, on paper, as a sheet (desk.md §5, R33)."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
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
from storage.staff import SignedIn

router = APIRouter(route_class=pages.DeskRoute)

_YEARS = 5
QUARTER = 3
"""Months. A year is looked at up to the end of a quarter, or up to now: each further view is one more that could be subtracted from another (R33)."""
_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Span:
    """Months of a 年度 up to one of them, `2026-04` first; which are closed."""

    year: int
    months: tuple[str, ...]
    closed: frozenset[str]
    ends: tuple[int, ...]
    """Up to how many months of this year may be looked at."""

    @property
    def open(self) -> tuple[str, ...]:
        return tuple(month for month in self.months if month not in self.closed)


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


@router.get("/desk/figures.csv")
async def as_csv(request: Request, parts: WholeParts, signed: Signed) -> Response:
    """All of it as one long table: one cell, one value."""
    span, report = await _report(request, parts, signed, how="csv")
    header = ("期間", "期間（和暦）", "表", "項目", "内訳", "単位", "数", "前年度の数")
    begin = (f"{span.months[0]}/{span.months[-1]}", _until_words(span))
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
    views, closed = await _views(parts, wanted, [len(wanted)])
    return views[0], closed


async def _views(parts: Parts, wanted: tuple[str, ...], ends: Iterable[int]) -> tuple[list[Counts], frozenset[str]]:
    """The sums of the first so many of these months."""
    kept = await parts.store.atransact(months.closed)
    counts = [kept[month] if month in kept else await _count(parts, month) for month in wanted]
    return [counting.add(counts[:many]) for many in ends], frozenset(kept)


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
    today = now.astimezone(JST).date()
    this = japanese_dates.fiscal_year(today)
    asked = request.query_params
    year = _number(asked.get("year", ""), this - _YEARS + 1, this, this)
    newest = (today.month - 4) % 12 + 1 if year == this else 12
    many = _number(asked.get("months", ""), 1, newest, newest)
    many = many if many in _ends(newest) else newest
    longer = [end for end in reversed(_ends(newest)) if end >= many]
    counts, closed = await _views(parts, _months(year)[:newest], longer)
    ends = sorted((end for end in {*_ends(12), *longer} if end >= many), reverse=True)
    last, _ = await _views(parts, _months(year - 1), ends)
    viewer = access.viewer_of(signed)
    await parts.store.atransact(partial(audit.note, actor=viewer.actor, act="figures.read", now=now, year=year, how=how))
    made = await asyncio.to_thread(tables.report, words(), labels(parts), counts, last)
    return Span(year, _months(year)[:many], closed, tuple(_ends(newest))), made


async def _page(request: Request, parts: Parts, signed: SignedIn, *, trouble: str | None = None, status: int = 200) -> HTMLResponse:
    span, report = await _report(request, parts, signed, how="page")
    now = parts.clock.now()
    this = japanese_dates.fiscal_year(now.astimezone(JST).date())
    first, kept = await parts.store.atransact(lambda rows: (facts.first_of_all(rows), months.closed(rows)))
    closable = _closable(first, kept, now) if signed.member.role == "lead" else ()
    return await pages.page(
        request, signed, "figures.html", status=status, span=span, report=report, years=range(this, this - _YEARS, -1), until=_until_words(span),
        nothing=first is None and not kept, trouble=trouble, closable=closable[:1], written=tables.written, query=str(request.url.query),
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


def _ends(newest: int) -> list[int]:
    return [*range(QUARTER, newest, QUARTER), newest]


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
    """`令和8年度 4月〜9月`."""
    return f"{japanese_dates.fiscal_year_name(_first(span.months[0]))} 4月〜{int(span.months[-1][5:])}月"


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
