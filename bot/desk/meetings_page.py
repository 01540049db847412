"""支援会議・プラン: two forms for the two kinds of meeting, which share nothing but the page; and plans in the person's own words (D14)."""

from datetime import date, datetime
from typing import Any

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import Response

from bot.desk import access, national_forms, pages, sheets
from bot.desk.access import Signed, TheParts
from bot.desk.sheets import Sheet, Unfinished
from storage import consents, meetings
from storage.desk_heads import CaseHead
from storage.desk_queue import Viewer
from storage.meetings import Goal, HeldCoordinationMeeting, HeldSupportMeeting
from storage.text import clean

router = APIRouter(route_class=pages.DeskRoute)


def _gather(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> dict[str, Any]:
    return {
        "support": meetings.support_meetings(rows, case), "coordination": meetings.coordination_meetings(rows, case),
        "holding": consents.holding(rows, case, now), "plans": meetings.plans(rows, case), "fields": national_forms.to_ask("plan", "evaluation"),
        "today": pages.day_ends(now).date(), "ledger": {one.id: one for one in consents.ledger(rows, case)},
    }  # fmt: skip


SHEET = Sheet("meetings", _gather)


@router.get("/desk/cases/{code}/meetings")
async def page(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    return await SHEET.show(request, parts, signed, code)


@router.post("/desk/cases/{code}/support-meetings")
async def support(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """支援会議（106条の6）: without consent, so why and the pledge must stand there."""
    written = await access.fields(request, "held_on", "next_on", "why", "members", "pledged", "shown", "decisions")

    def work(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> None:
        meeting = HeldSupportMeeting(
            id="", held_on=sheets.needed_day(written["held_on"]), next_on=sheets.day(written["next_on"]), why=_text(written, "why"),
            members=_text(written, "members"), pledged=written["pledged"] == "yes", shown=_text(written, "shown"),
            decisions=_text(written, "decisions"),
        )  # fmt: skip
        meetings.hold_support_meeting(rows, viewer, case, meeting, now)

    return await SHEET.write(request, parts, signed, code, {"form": "support", **written}, work)


@router.post("/desk/cases/{code}/coordination-meetings")
async def coordination(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """重層的支援会議: rests on a consent that holds."""
    written = await access.fields(request, "consent", "held_on", "next_on", "purpose", "members", "shown", "decisions")

    def work(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> None:
        meeting = HeldCoordinationMeeting(
            id="", consent_id=written["consent"], held_on=sheets.needed_day(written["held_on"]), next_on=sheets.day(written["next_on"]),
            purpose=_text(written, "purpose"), members=_text(written, "members"), shown=_text(written, "shown"),
            decisions=_text(written, "decisions"),
        )  # fmt: skip
        meetings.hold_coordination_meeting(rows, viewer, case, meeting, now)

    return await SHEET.write(request, parts, signed, code, {"form": "coordination", **written}, work)


@router.post("/desk/cases/{code}/plans")
async def plan(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """A plan, new or changed. Without the person's own words there is none."""
    written = await access.fields(request, "plan", "own_words", "made_on", "review_on", "meeting", "expected_version")
    rows_written = await access.lists(request, "goal", "who", "until", "how")
    fields = national_forms.to_ask("plan", "evaluation")
    answered = await access.lists(request, *(f"a.{field.id}" for field in fields))

    def work(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> None:
        own = sheets.words(written["own_words"], trouble="no_own_words")
        goals = [
            Goal(clean(sheets.words(what)), clean(sheets.words(who)), sheets.day(until), clean(sheets.words(how)))
            for what, who, until, how in zip(*(rows_written[name] for name in ("goal", "who", "until", "how")), strict=False) if what.strip()
        ]  # fmt: skip
        if not goals:
            raise Unfinished("no_own_words")
        made_on: date = sheets.needed_day(written["made_on"])
        meetings.save_plan(
            rows, viewer, case, written["plan"] or None, own_words=clean(own), goals=goals, made_on=made_on,
            review_on=sheets.day(written["review_on"]), meeting_id=written["meeting"] or None, answers=national_forms.read_answers(fields, answered),
            expected=sheets.number(written["expected_version"]), now=now,
        )  # fmt: skip

    return await SHEET.write(request, parts, signed, code, {"form": "plan", **written, "rows": rows_written}, work)


def _text(written: dict[str, str], name: str) -> str:
    return clean(sheets.words(written[name]))
