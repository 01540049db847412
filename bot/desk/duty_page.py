"""当番: who is on duty today and in the weeks to come, in which order an alarm calls people, and where they can be reached (desk.md §6, §9)."""

import re
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import RedirectResponse, Response

from bot import duty as duties
from bot.desk import access, pages
from bot.desk.access import Signed, TheParts
from bot.parts import Parts
from storage import duty, staff
from storage.desk_queue import READS_CASES
from storage.duty import OUTSIDE_CONTACTS, PARTS, PLACES, Part, Reach
from storage.staff import SignedIn
from storage.text import clean

router = APIRouter(route_class=pages.DeskRoute)

DAYS = 14
_MAIL = re.compile(r"[^\s@,;:/?&=]{1,64}@[A-Za-z0-9.-]{1,180}")
_TEL = re.compile(r"[0-9０-９+＋()（）\-－ー ]{0,24}")


@router.get("/desk/duty")
async def show(request: Request, parts: TheParts, signed: Signed) -> Response:
    return await _page(request, parts, signed)


@router.post("/desk/duty")
async def write(request: Request, parts: TheParts, signed: Signed) -> Response:
    """Replace the two weeks that the page shows; `same` fills them as the two weeks before were."""
    written = await access.fields(request, "first", "act")
    first = _first(written["first"], parts)
    chosen = await access.lists(request, *(_name(day, part) for day in _days(first) for part in PARTS))
    viewer, now = access.viewer_of(signed), parts.clock.now()
    span = timedelta(days=DAYS)

    def work(rows: Rows) -> None:
        if written["act"] == "same":
            before = duty.calendar(rows, first - span, DAYS)
            duty.write(rows, viewer, first, DAYS, {(day + span, part): ids for (day, part), ids in before.items()}, now)
        else:
            wanted = {(day, part): [one for one in chosen[_name(day, part)] if one] for day in _days(first) for part in PARTS}
            duty.write(rows, viewer, first, DAYS, wanted, now)

    await parts.store.atransact(work)
    return RedirectResponse(f"/desk/duty?from={first.isoformat()}&saved=calendar", status_code=303)


@router.post("/desk/duty/addresses")
async def write_addresses(request: Request, parts: TheParts, signed: Signed) -> Response:
    """Where each of us is called, and up to three 緊急連絡先. A wrong address is refused before anything is kept."""
    written = await access.lists(request, "staff_id", "name", "mail", "tel")
    rows_of_form = zip(written["staff_id"], written["name"], written["mail"], written["tel"], strict=False)
    wanted = [Reach(one or None, clean(name.strip())[:60], mail.strip(), clean(tel.strip())) for one, name, mail, tel in rows_of_form]
    wrong = next((one.mail or one.tel for one in wanted if not _is_fine(one)), None)
    if wrong is not None:
        return await _page(request, parts, signed, wrong=wrong, kept=wanted, status=422)
    viewer, now = access.viewer_of(signed), parts.clock.now()
    await parts.store.atransact(lambda rows: duty.write_reach(rows, viewer, wanted, now))
    return RedirectResponse("/desk/duty?saved=addresses#addresses", status_code=303)


async def _page(
    request: Request, parts: Parts, signed: SignedIn, *, wrong: str | None = None, kept: list[Reach] | None = None, status: int = 200
) -> Response:  # fmt: skip
    first = _first(request.query_params.get("from", ""), parts)

    def work(rows: Rows) -> dict[str, Any]:
        people = [member for member in staff.everybody(rows) if member.role in READS_CASES and not member.disabled]
        reach = kept or duty.reach(rows)
        missing = OUTSIDE_CONTACTS - sum(one.staff_id is None for one in reach)
        return {"people": people, "calendar": duty.calendar(rows, first, DAYS), "reach": [*reach, *[Reach(None, "", "", "")] * missing]}

    found = await parts.store.atransact(work)
    days = [(day, [(part, _name(day, part), found["calendar"].get((day, part), ())) for part in PARTS]) for day in _days(first)]
    span, today = timedelta(days=DAYS), duties.day_of(parts.clock.now())
    town = parts.knowledge.town.base.town
    needed = [(day, part) for day in _days(first) if day >= today for part in duties.parts_that_need(town, day)]
    gaps = {part: [day for day, needs in needed if needs == part and not found["calendar"].get((day, part))] for part in PARTS}
    return await pages.page(
        request, signed, "duty.html", status=status, first=first, days=days, places=range(PLACES), before=first - span, after=first + span,
        gaps=gaps, wrong=wrong, saved=request.query_params.get("saved", ""), mail_works=bool(parts.settings.mail_url), today=today, **found,
    )  # fmt: skip


def _is_fine(one: Reach) -> bool:
    return (not one.mail or bool(_MAIL.fullmatch(one.mail))) and bool(_TEL.fullmatch(one.tel))


def _first(written: str, parts: Parts) -> date:
    """The first day to show: the one that was asked for within ten years, else today."""
    today = duties.day_of(parts.clock.now())
    try:
        asked = date.fromisoformat(written)
    except ValueError:
        return today
    return asked if abs(asked - today) < timedelta(days=3650) else today


def _days(first: date) -> list[date]:
    return [first + timedelta(days=number) for number in range(DAYS)]


def _name(day: date, part: Part) -> str:
    """Name of a field of the form: `d.2026-11-26.out`."""
    return f"d.{day.isoformat()}.{part}"
