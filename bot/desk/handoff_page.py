"""整理: the hand-off sheet, every line with its source and editable, and the answers of the national forms (desk.md §3, I8, R23)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import Response

from bot.desk import access, national_forms, pages, sheets
from bot.desk.access import Signed, TheParts
from bot.desk.sheets import Sheet
from storage import desk_sheets, releases
from storage.desk_heads import CaseHead
from storage.desk_queue import Viewer
from storage.text import clean

router = APIRouter(route_class=pages.DeskRoute)

ABOUTS = ("urgent", "worry", "need", "household", "tried", "shown", "danger", "wish", "note")
SOURCES = ("said", "inferred", "confirmed")
_ASKED = ("reception", "reception_without_consent", "assessment")


def _gather(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> dict[str, Any]:
    lines, mark, numbers = desk_sheets.sheet(rows, viewer, case.code)
    answers, version = desk_sheets.answers(rows, case)
    fields = national_forms.to_ask(*_ASKED)
    topics, topics_mark = desk_sheets.topics(rows, viewer, case.code)
    return {
        "lines": lines, "mark": mark, "numbers": numbers, "abouts": ABOUTS, "sources": SOURCES, "answers": answers, "answers_version": version,
        "fields": fields, "sections": national_forms.by_section(fields), "forms": national_forms.read().forms.values(),
        "lock": releases.lock_of(rows, case, now), "topics": topics, "topics_mark": topics_mark, "topic_codes": _choices(topics),
    }  # fmt: skip


def _choices(found: Sequence[str]) -> tuple[str, ...]:
    """The topics of the national form, and what else stands in the case: a field of the town's own."""
    return tuple(dict.fromkeys([*national_forms.lists()["topics"], *found]))


SHEET = Sheet("sheet", _gather)


@router.get("/desk/cases/{code}/sheet")
async def page(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    return await SHEET.show(request, parts, signed, code)


@router.post("/desk/cases/{code}/sheet")
async def save(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """The whole sheet, line by line; an emptied line is gone."""
    written = await access.lists(request, "about", "text", "source", "refs")
    mark = (await access.fields(request, "mark"))["mark"]
    kept = [
        {"about": about, "text": clean(text.strip()), "source": source, "refs": [ref for ref in refs.split() if ref]}
        for about, text, source, refs in zip(*(written[name] for name in ("about", "text", "source", "refs")), strict=False)
        if text.strip() and about in ABOUTS and source in SOURCES
    ]

    def work(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> None:
        for line in kept:
            sheets.words(str(line["text"]))
        desk_sheets.save_sheet(rows, viewer, code, kept, expected=mark, now=now)

    return await SHEET.write(request, parts, signed, code, {"sheet": kept}, work)


@router.post("/desk/cases/{code}/topics")
async def topics(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """分野, corrected: the bot guessed them from what it showed, and the statistics count them."""
    written = await access.fields(request, "first", "mark")
    ticked = (await access.lists(request, "topic"))["topic"]
    kept = list(dict.fromkeys([written["first"], *ticked]))

    def work(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> None:
        known = _choices(desk_sheets.topics(rows, viewer, code)[0])
        wanted = [one for one in kept if one in known]
        desk_sheets.save_topics(rows, viewer, code, wanted, expected=written["mark"], now=now)

    return await SHEET.write(request, parts, signed, code, {"topics": kept}, work)


@router.post("/desk/cases/{code}/answers")
async def answers(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """What was asked for the national forms; an empty answer stays 未確認."""
    fields = national_forms.to_ask(*_ASKED)
    given = national_forms.read_answers(fields, await access.lists(request, *(f"a.{field.id}" for field in fields)))
    expected = sheets.number((await access.fields(request, "expected_version"))["expected_version"])

    def work(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> None:
        desk_sheets.save_answers(rows, viewer, case, given, expected=expected, now=now)

    return await SHEET.write(request, parts, signed, code, {"answers": given}, work)
