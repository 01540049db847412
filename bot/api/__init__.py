"""/api/v1: other systems of the town read and act with a token that has one member of staff's rights (design.md §5)."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.openapi.utils import get_openapi
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlmodel import Session as Rows

from bot.api.errors import ApiRoute
from bot.api.shapes import (
    CaseFilter,
    Cases,
    CaseWhole,
    Claim,
    Close,
    Done,
    HandBack,
    NoteWords,
    Problem,
    Referrals,
    ReferralWish,
    ReplyWords,
    Statistics,
    line_of,
    referral_of,
    whole_of,
)  # fmt: skip
from bot.desk import access, acts, support_acts
from bot.desk.acts import Ending
from bot.hub import conversation
from bot.parts import Parts
from storage import desk_cases, desk_heads, desk_queue, referrals, staff
from storage.desk_cases import CaseFile
from storage.desk_queue import QueueRow, Sieve, View, Viewer
from storage.referrals import Ground, Item
from storage.text import clean

_bearer = HTTPBearer(auto_error=False)


async def _holder(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Viewer:
    """Whose rights the token has. No token, a wrong one and a revoked one are one 401; too many calls with it 429 (R6); a role that reads no cases
    is 403 (R17)."""
    access.refuse_unkeepable(request)
    parts = _parts(request)
    token, now, most = "" if given is None else given.credentials, parts.clock.now(), parts.settings.api_per_minute

    def look(rows: Rows) -> tuple[staff.KeyHolder | None, bool]:
        found = staff.key_holder(rows, token)
        return found, found is not None and staff.may_call(rows, found, now, most=most)

    holder, may_call = await parts.store.atransact(look) if token else (None, False)
    if holder is None:
        raise HTTPException(401)
    if not may_call:
        raise HTTPException(429)
    viewer = Viewer(holder.member.id, holder.member.name, holder.member.role, f"token:{holder.short}")
    if not desk_queue.may_read_cases(viewer):
        raise HTTPException(403)
    request.state.viewer = viewer
    return viewer


def _parts(request: Request) -> Parts:
    """The parts as the token's holder may use them (R19)."""
    parts: Parts = request.app.state.parts
    viewer: Viewer | None = getattr(request.state, "viewer", None)
    return parts if viewer is None else replace(parts, store=parts.store.seen_by(viewer.staff_id))


Holder = Annotated[Viewer, Depends(_holder)]
TheParts = Annotated[Parts, Depends(_parts)]

_PROBLEMS: dict[int | str, dict[str, Any]] = {status: {"model": Problem} for status in (401, 403, 404, 409, 422, 429, 503)}
router = APIRouter(prefix="/api/v1", route_class=ApiRoute, dependencies=[Depends(_holder)], responses=_PROBLEMS)


@router.get("/cases")
async def list_cases(viewer: Holder, parts: TheParts, wish: Annotated[CaseFilter, Query()]) -> Cases:
    """Cases by state, most dangerous first, then by promised time; without a state all that are open, and with `since` the closed ones too."""
    state, now = wish.state, parts.clock.now()
    views: list[View] = ["closed"] if state == "closed" else ["open"] if state or wish.since is None else ["open", "closed"]
    sieve, end = Sieve(state=state, since=wish.since), wish.skip + wish.limit

    def work(rows: Rows) -> list[QueueRow]:
        return [row for view in views for row in desk_queue.queue(rows, viewer, now, view=view, sieve=sieve, limit=end + 1)]

    found = await parts.store.atransact(work)
    return Cases(cases=[line_of(row) for row in found[wish.skip : end]], more=len(found) > end)


@router.get("/cases/{code}")
async def read_case(viewer: Holder, parts: TheParts, code: str) -> CaseWhole:
    """One case, whole. The reading is audited."""
    return whole_of(await _file(parts, viewer, code))


@router.post("/cases/{code}/claim")
async def claim(viewer: Holder, parts: TheParts, code: str, wish: Claim | None = None) -> Done:
    """受け持つ, in the name of the token's member of staff."""
    await acts.claim(parts, viewer, code, instead_of_other=wish is not None and wish.instead_of_other)
    return _done(await _file(parts, viewer, code))


@router.post("/cases/{code}/reply")
async def reply(viewer: Holder, parts: TheParts, code: str, words: ReplyWords) -> Done:
    """Write to the resident. 409 `stale` when the case changed since `expected_version`."""
    await acts.reply(parts, viewer, code, text=words.text, expected=words.expected_version, safe_now=words.safe_now)
    return _done(await _file(parts, viewer, code))


@router.post("/cases/{code}/note")
async def note(viewer: Holder, parts: TheParts, code: str, words: NoteWords) -> Done:
    """職員メモ: never sent to the resident."""
    await acts.note(parts, viewer, code, words.text)
    return _done(await _file(parts, viewer, code))


@router.post("/cases/{code}/handback")
async def hand_back(viewer: Holder, parts: TheParts, code: str, how: HandBack) -> Done:
    """機械にもどす."""
    await acts.hand_back(parts, viewer, code, expected=how.expected_version, ending=Ending(how.sentence.strip(), how.next_contact_at))
    return _done(await _file(parts, viewer, code))


@router.post("/cases/{code}/close")
async def close(viewer: Holder, parts: TheParts, code: str, how: Close) -> Done:
    """一旦おわる: a reason, and a next contact or a stated none."""
    ending = Ending(how.sentence.strip(), how.next_contact_at)
    await acts.close(parts, viewer, code, expected=how.expected_version, reason=how.reason, ending=ending)
    return _done(await _file(parts, viewer, code))


@router.get("/cases/{code}/referrals")
async def list_referrals(viewer: Holder, parts: TheParts, code: str) -> Referrals:
    """つなぎ of a case, newest first. The reading is audited."""
    now = parts.clock.now()

    def work(rows: Rows) -> Referrals:
        case = desk_heads.open_sheet(rows, viewer, code, "referrals", now)
        return Referrals(referrals=[referral_of(one, now) for one in referrals.of_case(rows, case, now)])

    return await parts.store.atransact(work)


@router.post("/cases/{code}/refer")
async def refer(viewer: Holder, parts: TheParts, code: str, wish: ReferralWish) -> Referrals:
    """つなぐ. 409 `no_ground` when nothing lawful carries it."""
    ground = Ground(wish.basis, wish.consent_id, wish.meeting_id, clean(wish.danger))

    def work(rows: Rows, now: datetime) -> str:
        case = desk_heads.head(rows, viewer, code)
        items = [Item(clean(text)) for text in wish.items]
        support_acts.refer(
            rows, viewer, case, recipient=wish.recipient, purpose=wish.purpose, items=items, ground=ground, until=wish.until, now=now
        )
        return case.conversation_id

    await acts.perform(parts, viewer, "refer", work)
    return await list_referrals(viewer, parts, code)


@router.get("/statistics")
async def statistics(viewer: Holder, parts: TheParts) -> Statistics:
    """Plain counts by state; `opened` is all there ever were."""
    return Statistics(**await parts.store.atransact(lambda rows: desk_queue.statistics(rows, viewer)))


@router.get("/openapi.json", include_in_schema=False)
async def openapi(viewer: Holder) -> dict[str, Any]:
    """The description of this interface, behind the token like everything else (R17)."""
    return get_openapi(title="Madoguchi", version="1", summary="まるごと相談窓口", routes=router.routes)


async def _file(parts: Parts, viewer: Viewer, code: str) -> CaseFile:
    now = parts.clock.now()
    file = await parts.store.atransact(lambda rows: desk_cases.open_file(rows, viewer, code, now))
    parts.hub.wake(conversation(file.conversation_id))
    return file


def _done(file: CaseFile) -> Done:
    return Done(code=file.code, state=file.state, version=file.version)
