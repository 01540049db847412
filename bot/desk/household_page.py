"""世帯: the people around a case, one form each; a person under 閲覧制限 stays shut until opened, and the opening is audited (desk.md §3)."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import Response

from bot.desk import access, pages, sheets
from bot.desk.access import Signed, TheParts
from bot.desk.sheets import Sheet, Unfinished
from storage import household
from storage.desk_heads import CaseHead
from storage.desk_queue import Viewer
from storage.household import FACTS, OWN_CONSENTS, OwnConsent
from storage.refusals import Missing
from storage.text import clean

router = APIRouter(route_class=pages.DeskRoute)


def _sheet(opened: str | None = None) -> Sheet:
    def gather(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> dict[str, Any]:
        people = household.members(rows, viewer, case, opened=opened, now=now)
        return {"people": people, "linked_from": household.linked_from(rows, viewer, case), "consents": OWN_CONSENTS}

    return Sheet("household", gather)


@router.get("/desk/cases/{code}/household")
async def page(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    return await _sheet(request.query_params.get("open")).show(request, parts, signed, code)


@router.post("/desk/cases/{code}/household")
async def save(request: Request, code: str, parts: TheParts, signed: Signed) -> Response:
    """A new person, or a changed one."""
    written = await access.fields(request, *FACTS, "member", "consent", "restricted", "linked", "expected_version")

    def work(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> None:
        facts = {name: clean(sheets.words(written[name])) for name in FACTS}
        if not any(facts.values()):
            raise Unfinished("empty")
        consent: OwnConsent = next((known for known in OWN_CONSENTS if known == written["consent"]), "unknown")
        try:
            household.save(
                rows, viewer, case, written["member"] or None, facts, consent=consent, restricted=written["restricted"] == "yes",
                linked=written["linked"].strip().upper(), expected=sheets.number(written["expected_version"]), now=now,
            )  # fmt: skip
        except Missing:
            raise Unfinished("no_such_case") from None

    return await _sheet(written["member"]).write(request, parts, signed, code, written, work)


@router.post("/desk/cases/{code}/household/{member_id}/remove")
async def remove(request: Request, code: str, member_id: str, parts: TheParts, signed: Signed) -> Response:
    def work(rows: Rows, viewer: Viewer, case: CaseHead, now: datetime) -> None:
        household.remove(rows, viewer, case, member_id, now)

    return await _sheet().write(request, parts, signed, code, {}, work)
