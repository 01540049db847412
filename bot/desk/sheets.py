"""The sheets of a case beside its talk: how one is opened, shown, written, and shown again with every word when it could not be kept (R23)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from fastapi import Request
from sqlmodel import Session as Rows
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.channels.cutting import utf16_units
from bot.desk import access, acts, japanese_dates, pages
from bot.desk.acts import NotNow, Unreachable
from bot.desk.japanese_dates import NotADate, WhichEra
from bot.parts import Parts
from storage import desk_heads, refusals
from storage.desk_heads import CaseHead
from storage.desk_queue import Viewer
from storage.refusals import Refused
from storage.staff import SignedIn
from storage.text import clean

Trouble = Literal[
    "empty", "too_long", "not_a_date", "which_era", "no_items", "no_recipient", "no_ground", "no_reason", "no_own_words", "stale", "held_by_other",
    "not_held", "closed", "unreachable", "not_now", "no_such_case", "locked", "no_such_entry",
    "line_changed",
]  # fmt: skip
LONGEST = 4000
_LONGEST_WISH = 400
_WHY: dict[type[Refused], Trouble] = {
    refusals.Stale: "stale", refusals.HeldByOther: "held_by_other", refusals.NotHeld: "not_held", refusals.Closed: "closed",
    refusals.NoGround: "no_ground", refusals.Locked: "locked", Unreachable: "unreachable", NotNow: "not_now",
}  # fmt: skip


class Unfinished(Exception):
    """A form lacks something; `trouble` says what."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble: Trouble = trouble


class _Kept(dict[str, Any]):
    """What was written into a form; a field nobody wrote into is empty."""

    def __missing__(self, name: str) -> str:
        return ""


Gather = Callable[[Rows, Viewer, CaseHead, datetime], dict[str, Any]]
"""What a sheet shows besides its head."""


@dataclass(frozen=True)
class Sheet:
    """One sheet of a case: its name in the address, its template, what it shows."""

    name: str
    gather: Gather

    async def show(
        self, request: Request, parts: Parts, signed: SignedIn, code: str, *, why: Trouble | None = None, kept: Mapping[str, Any] | None = None,
        status: int = 200,
    ) -> HTMLResponse:  # fmt: skip
        """Read the sheet, audited, and show it. `kept`: what was written into a form that could not be kept."""
        viewer, now = access.viewer_of(signed), parts.clock.now()

        def work(rows: Rows) -> tuple[CaseHead, dict[str, Any]]:
            case = desk_heads.open_sheet(rows, viewer, code, self.name, now)
            return case, self.gather(rows, viewer, case, now)

        case, values = await parts.store.atransact(work)
        mine = case.state == "held" and case.coordinator_id == signed.member.id
        return await pages.page(
            request, signed, f"sheet_{self.name}.html", status=status, case=case, tab=self.name, mine=mine, why=why, kept=_Kept(kept or {}), **values
        )

    async def write(
        self, request: Request, parts: Parts, signed: SignedIn, code: str, kept: Mapping[str, Any],
        work: Callable[[Rows, Viewer, CaseHead, datetime], object],
    ) -> Response:  # fmt: skip
        """Do `work` in one transaction, then show the sheet anew; what hinders it is said, and nothing written is lost."""
        viewer = access.viewer_of(signed)

        def act(rows: Rows, now: datetime) -> str:
            case = desk_heads.head(rows, viewer, code)
            work(rows, viewer, case, now)
            return case.conversation_id

        return await self.attempt(request, parts, signed, code, kept, lambda: acts.perform(parts, viewer, self.name, act))

    async def attempt(
        self, request: Request, parts: Parts, signed: SignedIn, code: str, kept: Mapping[str, Any], act: Callable[[], Any]
    ) -> Response:  # fmt: skip
        """Await `act()`; show the sheet with the reason and the written words when it is refused or unfinished."""
        try:
            await act()
        except Unfinished as unfinished:
            return await self.show(request, parts, signed, code, why=unfinished.trouble, kept=kept, status=422)
        except Refused as refused:
            why = _WHY.get(type(refused))
            if why is None:
                raise
            return await self.show(request, parts, signed, code, why=why, kept=kept, status=409)
        return RedirectResponse(f"/desk/cases/{code}/{self.name}", status_code=303)


def day(written: str) -> date | None:
    """A date as staff write it; None when nothing is written. Raises `Unfinished`."""
    if not written.strip():
        return None
    try:
        return japanese_dates.read_date(written)
    except WhichEra as error:
        raise Unfinished("which_era") from error
    except NotADate as error:
        raise Unfinished("not_a_date") from error


def needed_day(written: str) -> date:
    """The same, where a day must be there."""
    found = day(written)
    if found is None:
        raise Unfinished("not_a_date")
    return found


def words(written: str, *, trouble: Trouble | None = None) -> str:
    """Trimmed words of a form; with `trouble`, they must not be empty."""
    text = written.replace("\r\n", "\n").strip()
    if trouble is not None and not text:
        raise Unfinished(trouble)
    if utf16_units(text) > LONGEST:
        raise Unfinished("too_long")
    return text


def wish(written: str) -> str:
    """あったら助かったもの, in a line for the list of gaps; empty when nothing is written."""
    return clean(written.strip())[:_LONGEST_WISH]


def number(written: str) -> int:
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 10 else 0
