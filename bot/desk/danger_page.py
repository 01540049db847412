"""危険のことば: the list by which danger is heard. Everybody here may read it; a change waits for a second person (desk.md §4)."""

import asyncio
from pathlib import Path

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.desk import access, danger_work, pages
from bot.desk.access import Signed, TheParts
from bot.desk.danger_work import DANGER, Heard
from bot.desk.knowledge_work import LONGEST_WHY
from bot.parts import Parts
from knowledge.base import own_danger_file
from storage import knowledge_edits, proposals
from storage.refusals import Missing
from storage.staff import SignedIn

router = APIRouter(route_class=pages.DeskRoute)


@router.get("/desk/danger-words")
async def overview(request: Request, parts: TheParts, signed: Signed) -> HTMLResponse:
    return await _page(request, parts, signed, request.query_params.get("file", ""))


@router.post("/desk/danger-words")
async def propose(request: Request, parts: TheParts, signed: Signed) -> Response:
    """この町の一覧をつくる; 点検する; 変わることを見る; 見てもらう."""
    written = await access.fields(request, "act", "file", "text", "mark", "why")
    folder, act = parts.knowledge.folder, written["act"]
    if act == "begin":
        if own_danger_file(folder) is None:
            await asyncio.to_thread(danger_work.start_own, folder)
            await asyncio.to_thread(parts.knowledge.catch_up)
        return RedirectResponse("/desk/danger-words", status_code=303)
    if own_danger_file(folder) is None:
        raise Missing
    path, text = _chosen(folder, written["file"]), written["text"].replace("\r\n", "\n")
    if not danger_work.is_own(folder, path):
        raise Missing
    tried = await asyncio.to_thread(danger_work.tried, folder, path, text, parts.knowledge.town.base.danger)
    now = await asyncio.to_thread(path.read_bytes)
    trouble = "changed" if danger_work.mark(now.decode()) != written["mark"] else "same" if now.decode() == text else None
    if act == "propose" and not tried.problems and trouble is None:
        await parts.store.atransact(lambda rows: _propose(rows, parts, signed, path, now.decode(), text, written["why"]))
        return RedirectResponse("/desk/proposals?done=proposed", status_code=303)
    heard = tried.heard if act == "try" and not tried.problems else None
    return await _page(
        request, parts, signed, written["file"], text=text, problems=tried.problems, heard=heard, trouble=trouble if act == "propose" else None,
        why=written["why"], status=422 if tried.problems or (act == "propose" and trouble) else 200,
    )  # fmt: skip


def _propose(rows: Rows, parts: Parts, signed: SignedIn, path: Path, before: str, after: str, why: str) -> str:
    file = path.relative_to(parts.knowledge.folder).as_posix()
    return proposals.propose(
        rows, entry_id=DANGER, file=file, before=before, after=after, staff_id=signed.member.id, why=why[:LONGEST_WHY], now=parts.clock.now()
    )


def _chosen(folder: Path, name: str) -> Path:
    """One of the list's files, by its name; the first when none is named. Raises Missing for any other."""
    found = danger_work.files(folder)
    if (file := found.get(name or next(iter(found)))) is None:
        raise Missing
    return file


async def _page(
    request: Request, parts: Parts, signed: SignedIn, name: str, *, text: str | None = None, problems: tuple[str, ...] = (),
    heard: tuple[Heard, ...] | None = None, trouble: str | None = None, why: str = "", status: int = 200,
) -> HTMLResponse:  # fmt: skip
    folder = parts.knowledge.folder
    path = _chosen(folder, name)
    now = (await asyncio.to_thread(path.read_bytes)).decode()
    files = danger_work.files(folder)
    waits = [one for one in await parts.store.atransact(proposals.waiting) if one.entry_id == DANGER]
    history = await parts.store.atransact(lambda rows: knowledge_edits.of_entry(rows, DANGER))
    return await pages.page(
        request, signed, "danger_words.html", status=status, begun=own_danger_file(folder) is not None, own=danger_work.is_own(folder, path),
        files={key: danger_work.title(file) for key, file in files.items()}, sentences=danger_work.of_sentences(files),
        file=next(key for key, file in files.items() if file == path),
        text=now if text is None else text, mark=danger_work.mark(now),
        problems=problems, heard=heard, trouble=trouble, waits=waits, history=history, why=why,
    )  # fmt: skip
