"""公開待ち: changes that wait for a second person (desk.md §4): shown line by line, with what they change; then let through or not."""

import asyncio
import difflib
from pathlib import Path

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.desk import access, danger_work, knowledge_work, pages
from bot.desk.access import Signed, TheParts
from bot.desk.danger_work import Tried
from bot.desk.knowledge_work import OnDisk
from bot.parts import Parts
from storage import proposals
from storage.proposals import Proposal
from storage.refusals import Refused
from storage.staff import SignedIn

router = APIRouter(route_class=pages.DeskRoute)


@router.get("/desk/proposals")
async def overview(request: Request, parts: TheParts, signed: Signed) -> HTMLResponse:
    found = await parts.store.atransact(proposals.waiting)
    names = {one.id: one.name for one in parts.knowledge.town.base.entries.values()}
    return await pages.page(request, signed, "proposals.html", found=found, names=names, done=request.query_params.get("done", ""))


@router.get("/desk/proposals/{proposal_id}")
async def one_page(request: Request, proposal_id: str, parts: TheParts, signed: Signed) -> HTMLResponse:
    one = await parts.store.atransact(lambda rows: proposals.by_id(rows, proposal_id))
    return await _page(request, parts, signed, one)


@router.post("/desk/proposals/{proposal_id}")
async def decide(request: Request, proposal_id: str, parts: TheParts, signed: Signed) -> Response:
    """公開する (never the writer), or 取り下げる・見送る."""
    publish = (await access.fields(request, "act"))["act"] == "publish"
    one = await parts.store.atransact(lambda rows: proposals.by_id(rows, proposal_id))
    if publish and one.staff_id == signed.member.id:
        return await _page(request, parts, signed, one, trouble="own", status=409)
    if publish and _text(parts, one) != (one.before or ""):
        return await _page(request, parts, signed, one, trouble="changed", status=409)

    def note(rows: Rows) -> None:
        proposals.decide(rows, one, signed.member.id, publish=publish, now=parts.clock.now())

    try:
        if not publish:
            await parts.store.atransact(note)
        elif not await _let_through(parts, signed, one, note):
            return await _page(request, parts, signed, one, trouble="not_sound", status=422)
    except OSError:
        return await _page(request, parts, signed, one, trouble="not_writable", status=503)
    except Refused:
        return await _page(request, parts, signed, one, trouble="own", status=409)
    return RedirectResponse(f"/desk/proposals?done={'published' if publish else 'refused'}", status_code=303)


async def _let_through(parts: Parts, signed: SignedIn, one: Proposal, note: object) -> bool:
    path = parts.knowledge.folder / one.file
    if one.entry_id == danger_work.DANGER and (await _heard_with(parts, path, one)).problems:
        return False
    why = f"{one.why}（書いた人：{one.by}）"
    return await knowledge_work.publish_and_note(parts, signed.member.id, why, {path: (one.entry_id, one.after)}, note)  # type: ignore[arg-type]


async def _heard_with(parts: Parts, path: Path, one: Proposal) -> Tried:
    return await asyncio.to_thread(danger_work.tried, parts.knowledge.folder, path, one.after, parts.knowledge.town.base.danger)


async def _page(
    request: Request, parts: Parts, signed: SignedIn, one: Proposal, *, trouble: str | None = None, status: int = 200
) -> HTMLResponse:  # fmt: skip
    now = await asyncio.to_thread(_text, parts, one)
    lines = list(difflib.unified_diff(now.split("\n"), one.after.split("\n"), n=1, lineterm=""))[2:]
    disk = OnDisk(one.entry_id, parts.knowledge.folder / one.file, now)
    heard, impact, problems = None, None, None
    if one.entry_id == danger_work.DANGER:
        tried = await _heard_with(parts, disk.path, one)
        problems, heard = tried.problems, tried.heard
    else:
        draft = await asyncio.to_thread(knowledge_work.draft, parts.knowledge.folder, disk, one.after, knowledge_work.today(parts))
        problems = tuple(f"{problem.line} 行目：{problem.message}" for problem in draft.problems if problem.level == "error")
        impact = None if problems else await asyncio.to_thread(knowledge_work.tried, parts, {disk.path: one.after})
        trouble = trouble or (None if problems or impact else "not_sound")
    names = {entry.id: entry.name for entry in parts.knowledge.town.base.entries.values()}
    return await pages.page(
        request, signed, "proposal.html", status=status, one=one, lines=lines, heard=heard, impact=impact, problems=problems, names=names,
        own=one.staff_id == signed.member.id, trouble=trouble,
    )  # fmt: skip


def _text(parts: Parts, one: Proposal) -> str:
    path: Path = parts.knowledge.folder / one.file
    return path.read_bytes().decode() if path.is_file() else ""
