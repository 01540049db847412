"""制度の狭間と地域課題: why nothing fitted and what would have helped, for a planning meeting; from gaps to a 地域課題, from there to a new entry."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.clock import JST
from bot.desk import access, exports, pages, sheets
from bot.desk.access import Signed, TheParts
from bot.desk.japanese_dates import fiscal_year
from bot.desk.sheets import Unfinished
from bot.parts import Parts
from flows.gap import REASONS
from knowledge.searching import search
from storage import gaps
from storage.gaps import ISSUE_STATES, SOURCES, FoundGap
from storage.refusals import Stale
from storage.staff import SignedIn
from storage.text import clean

router = APIRouter(route_class=pages.DeskRoute)

_LONGEST_TITLE, _LONGEST_DONE = 120, 1000
_YEARS = 5
_NEW, _NONE = "new", "none"


@router.get("/desk/gaps")
async def overview(request: Request, parts: TheParts, signed: Signed) -> HTMLResponse:
    """The list, narrowed by year, reason, field, who told it, and 地域課題."""
    return await _page(request, parts, signed)


@router.get("/desk/gaps.csv")
async def as_csv(request: Request, parts: TheParts, signed: Signed) -> Response:
    """What the list shows, for a meeting's own papers. Nothing in it leads to a person."""
    shown, issues = await parts.store.atransact(lambda rows: (_narrowed(request, _of_year(rows, request, parts)), gaps.issues(rows)))
    titles, words = {one.id: one.title for one in issues}, pages.words()
    header = ("日付", "理由", "分野", "あったら助かったもの", "だれから", "地域課題")
    lines = [
        (
            one.at.astimezone(JST).date().isoformat(), "、".join(words.gap_reasons.get(reason, reason) for reason in one.reasons),
            words.topic(one.domain, parts.knowledge.town.base.domains) if one.domain else "", one.wish, words.gap_sources[one.source],
            titles.get(one.issue_id or "", ""),
        )
        for one in shown
    ]  # fmt: skip
    media = {"content-disposition": 'attachment; filename="seido-no-hazama.csv"'}
    return Response(exports.csv_of(header, lines), media_type="text/csv; charset=utf-8", headers=media)


@router.post("/desk/gaps")
async def write(request: Request, parts: TheParts, signed: Signed) -> Response:
    """書きとめる: a gap heard elsewhere; or put the ticked ones under a 地域課題, known or new."""
    written = await access.fields(request, "act", "domain", "wish", "issue", "title")
    many = await access.lists(request, "reason", "gap")
    viewer, now = access.viewer_of(signed), parts.clock.now()

    def work(rows: Rows) -> None:
        if written["act"] == "add":
            reasons = tuple(known for known in REASONS if known in many["reason"])
            if not reasons:
                raise Unfinished("no_reason")
            gaps.note(rows, reasons=reasons, domain=written["domain"][:32] or None, source="desk", now=now, wish=sheets.wish(written["wish"]))
            return
        if not many["gap"]:
            raise Unfinished("no_items")
        issue: str | None = written["issue"] or None
        if issue == _NEW:
            issue = gaps.make_issue(rows, viewer, sheets.words(written["title"], trouble="empty")[:_LONGEST_TITLE], now)
        gaps.tie(rows, viewer, many["gap"], None if issue == _NONE else issue, now)

    try:
        await parts.store.atransact(work)
    except Unfinished as unfinished:
        return await _page(request, parts, signed, why=unfinished.trouble, kept=written | many, status=422)
    return RedirectResponse("/desk/gaps", status_code=303)


@router.get("/desk/gaps/issues/{issue_id}")
async def issue_page(request: Request, issue_id: str, parts: TheParts, signed: Signed) -> HTMLResponse:
    return await _issue(request, parts, signed, issue_id)


@router.post("/desk/gaps/issues/{issue_id}")
async def change(request: Request, issue_id: str, parts: TheParts, signed: Signed) -> Response:
    """What was done about it, and which entry of 地域の情報 came of it."""
    written = await access.fields(request, "title", "done", "state", "entry", "expected_version")
    state = next((known for known in ISSUE_STATES if known == written["state"]), None)
    viewer, now = access.viewer_of(signed), parts.clock.now()
    try:
        entry = _entry_of(parts, written["entry"])
        if state is None or (state == "answered") != (entry is not None):
            raise Unfinished("no_such_entry")
        title = sheets.words(written["title"], trouble="empty")[:_LONGEST_TITLE]
        done = clean(sheets.words(written["done"]))[:_LONGEST_DONE]
        expected = sheets.number(written["expected_version"])
        await parts.store.atransact(
            lambda rows: gaps.change_issue(
                rows, viewer, issue_id, title=clean(title), done=done, state=state, entry_id=entry, expected=expected, now=now
            )
        )
    except Unfinished as unfinished:
        return await _issue(request, parts, signed, issue_id, why=unfinished.trouble, kept=written, status=422)
    except Stale:
        return await _issue(request, parts, signed, issue_id, why="stale", kept=written, status=409)
    return RedirectResponse(f"/desk/gaps/issues/{issue_id}", status_code=303)


async def _page(
    request: Request, parts: Parts, signed: SignedIn, *, why: str | None = None, kept: Mapping[str, Any] | None = None, status: int = 200
) -> HTMLResponse:  # fmt: skip
    every, issues = await parts.store.atransact(lambda rows: (_of_year(rows, request, parts), gaps.issues(rows)))
    shown, this = _narrowed(request, every), _this_year(parts)
    asked = request.query_params
    return await pages.page(
        request, signed, "gaps.html", status=status, shown=shown, every=len(every), issues=issues, titles={one.id: one.title for one in issues},
        by_reason=Counter(reason for one in shown for reason in one.reasons).most_common(), reasons=REASONS, sources=SOURCES,
        years=range(this, this - _YEARS, -1), year=_year(request, this), fields=sorted({one.domain for one in every if one.domain}), why=why,
        kept={"domain": "", "wish": "", "title": "", "reason": []} | dict(kept or {}), query=str(request.url.query),
        asked={name: asked.get(name, "") for name in ("reason", "domain", "source", "issue")},
    )  # fmt: skip


async def _issue(
    request: Request, parts: Parts, signed: SignedIn, issue_id: str, *, why: str | None = None, kept: Mapping[str, Any] | None = None,
    status: int = 200,
) -> HTMLResponse:  # fmt: skip
    one, under = await parts.store.atransact(
        lambda rows: (gaps.issue(rows, issue_id), [gap for gap in gaps.found(rows) if gap.issue_id == issue_id])
    )
    entries = parts.knowledge.town.base.entries
    return await pages.page(
        request, signed, "issue.html", status=status, issue=one, gaps=under, states=ISSUE_STATES, why=why,
        kept=kept or {"title": one.title, "done": one.done, "state": one.state, "entry": one.entry_id or ""},
        entry=entries.get(one.entry_id or ""),
    )  # fmt: skip


def _of_year(rows: Rows, request: Request, parts: Parts) -> list[FoundGap]:
    this = _this_year(parts)
    year = _year(request, this)
    return gaps.found(rows, since=datetime(year, 4, 1, tzinfo=JST), until=datetime(year + 1, 4, 1, tzinfo=JST))


def _narrowed(request: Request, every: list[FoundGap]) -> list[FoundGap]:
    reason, domain, source, issue = (request.query_params.get(name, "") for name in ("reason", "domain", "source", "issue"))
    return [
        one for one in every
        if (not reason or reason in one.reasons) and (not domain or domain == one.domain) and (not source or source == one.source)
        and (not issue or (one.issue_id is None if issue == _NONE else one.issue_id == issue))
    ]  # fmt: skip


def _this_year(parts: Parts) -> int:
    return fiscal_year(parts.clock.now().astimezone(JST).date())


def _year(request: Request, this: int) -> int:
    written = request.query_params.get("year", "")
    return int(written) if written.isascii() and written.isdecimal() and 2000 <= int(written[:5]) <= this else this


def _entry_of(parts: Parts, written: str) -> str | None:
    """An entry by its id or its whole name; None when nothing is written. Raises `Unfinished` for what is not there."""
    entries, said = parts.knowledge.town.base.entries, written.strip()
    if not said or said in entries:
        return said or None
    named = [one.id for one in search(entries.values(), said) if one.name == said]
    if not named:
        raise Unfinished("no_such_entry")
    return named[0]


