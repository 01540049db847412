"""地域の情報: what the town knows, found, shown as residents see it, edited by form or as YAML, published and taken back (desk.md §4, D15)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.clock import JST
from bot.desk import access, knowledge_work, pages
from bot.desk.access import Signed, TheParts
from bot.desk.knowledge_work import FORM, Draft, OnDisk, UnreadCells
from bot.figures.masking import UNDER, tens
from bot.figures.tables import written
from bot.parts import Parts
from flows.cards import preview
from flows.model import Scene
from knowledge.base import Base, heard_alike
from knowledge.entry import Entry
from knowledge.exchange import excel
from knowledge.hearing.model import Lang
from knowledge.layers import lay
from knowledge.searching import search
from storage import knowledge_edits, proposals, records
from storage.refusals import Missing
from storage.staff import SignedIn

router = APIRouter(route_class=pages.DeskRoute)

_OLD, _TOO_OLD = timedelta(days=180), timedelta(days=365)
_WINDOW = timedelta(days=28)
_LOOKS: tuple[Lang, ...] = ("ja", "easy", "en")
_LABELS = {
    "days": "曜日", "from": "始まりの時刻", "to": "終わりの時刻",
    **{name.rpartition(".")[2]: excel.COLUMNS[name] for name in FORM if not name.endswith("name")},
}  # fmt: skip
"""What the form calls a field that a mistake of the YAML names; `name` stands there twice."""
_FLAGS = {"old": "確認日が古い", "no_tel": "電話がない", "no_examples": "例文がない"}


@dataclass(frozen=True)
class Row:
    """One line of the list."""

    entry: Entry
    tel: str
    hours: str
    """Of the same contact, one row a line."""
    flags: tuple[str, ...]
    age: int | None
    """Days since 確認日; None = 未確認."""
    shown: str
    right: str
    """Both of the last 28 days, roughly: a number that moves from day to day would tell who was shown what yesterday (R33)."""


@router.get("/desk/knowledge")
async def overview(request: Request, parts: TheParts, signed: Signed) -> HTMLResponse:
    """All entries, or those found; with what wants an editor's eye."""
    today, words = knowledge_work.today(parts), request.query_params.get("q", "")[:60]
    flag, domain = request.query_params.get("flag", ""), request.query_params.get("domain", "")
    base, since = parts.knowledge.town.base, parts.clock.now() - _WINDOW
    figures = await parts.store.atransact(lambda rows: records.card_figures(rows, since))
    every = [_row(entry, base, today, figures) for entry in search(base.entries.values(), words)]
    shown = [row for row in every if (not flag or flag in row.flags) and (not domain or row.entry.domain == domain)]
    return await pages.page(
        request, signed, "knowledge.html", rows=shown, flags=_FLAGS, counts={name: sum(name in row.flags for row in every) for name in _FLAGS},
        flag=flag, domain=domain, words=words, problems=parts.knowledge.problems, version=base.version,
    )  # fmt: skip


@router.get("/desk/knowledge.xlsx")
async def as_excel(parts: TheParts, signed: Signed) -> Response:
    """Every entry as a sheet; taken in again by `madoguchi knowledge import` (D15e)."""
    laid = await asyncio.to_thread(lay, parts.knowledge.folder)
    shown = parts.knowledge.town.base.entries
    book = await asyncio.to_thread(excel.export_excel, {name: sheet.fields for name, sheet in laid.sheets.items() if name in shown})
    media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return Response(book, media_type=media, headers={"content-disposition": 'attachment; filename="chiiki-no-jouhou.xlsx"'})


@router.get("/desk/knowledge/{entry_id}")
async def entry_page(request: Request, entry_id: str, parts: TheParts, signed: Signed) -> HTMLResponse:
    entry = _entry(parts, entry_id)
    disk = await asyncio.to_thread(knowledge_work.on_disk, parts.knowledge.folder, entry)
    cells = await asyncio.to_thread(knowledge_work.cells_of, parts.knowledge.folder, entry_id)
    return await _page(request, parts, signed, entry, disk, Draft(disk.text, entry=entry, cells=cells))


@router.post("/desk/knowledge/{entry_id}")
async def edit(request: Request, entry_id: str, parts: TheParts, signed: Signed) -> Response:
    """点検, 変わることを見る, そうする, or 公開: always of the text as it stands in the page."""
    entry, folder = _entry(parts, entry_id), parts.knowledge.folder
    written = await access.fields(request, "act", "door", "text", "mark", "why", "shown", *FORM)
    disk = await asyncio.to_thread(knowledge_work.on_disk, folder, entry)
    cells = {name: written[name] for name in FORM}
    try:
        text = await asyncio.to_thread(knowledge_work.from_form, folder, disk, cells) if written["door"] == "form" else written["text"]
    except UnreadCells as error:
        draft = await asyncio.to_thread(knowledge_work.draft, folder, disk, error.text, knowledge_work.today(parts))
        draft = replace(draft, cells=cells, why=written["why"], seen=True)
        return await _page(request, parts, signed, entry, disk, draft, trouble=str(error), status=422)
    except ValueError as error:
        return await _page(request, parts, signed, entry, disk, Draft(disk.text, entry=entry, cells=cells), trouble=str(error), status=422)
    text = _mended(text, written["act"])[: knowledge_work.LONGEST]
    kept = cells if written["door"] == "form" else None
    draft = await asyncio.to_thread(knowledge_work.draft, folder, disk, text, knowledge_work.today(parts), kept)
    draft = replace(draft, why=written["why"], seen=True)
    if written["act"] == "propose" and draft.sound and written["mark"] == disk.mark and draft.text != disk.text:
        await parts.store.atransact(lambda rows: _propose(rows, parts, signed, disk, draft, written["why"]))
        return RedirectResponse("/desk/proposals?done=proposed", status_code=303)
    publishes = written["act"] == "publish" and draft.sound and written["mark"] == disk.mark
    unseen = written["shown"] != knowledge_work.mark_of({disk.path: draft.text}) and not heard_alike(entry, draft.entry)
    if draft.sound and (written["act"] == "try" or (publishes and unseen)):
        draft = replace(draft, impact=await asyncio.to_thread(knowledge_work.tried, parts, {disk.path: draft.text}))
        if draft.impact is None:
            return await _page(request, parts, signed, entry, disk, draft, trouble="not_sound", status=422)
    if publishes and draft.impact is not None and draft.impact.felt:
        return await _page(request, parts, signed, entry, disk, draft, trouble="look_first", status=409)
    if publishes:
        return await _publish(request, parts, signed, entry, disk, draft, written["why"])
    trouble = "changed" if written["act"] in ("publish", "propose") and draft.sound else None
    return await _page(request, parts, signed, entry, disk, draft, trouble=trouble, status=200 if draft.sound and not trouble else 422)


@router.post("/desk/knowledge/{entry_id}/undo")
async def undo(request: Request, entry_id: str, parts: TheParts, signed: Signed) -> Response:
    """One click goes back, unless somebody has changed the file since."""
    edit_id, now = (await access.fields(request, "edit"))["edit"], parts.clock.now()
    edit = await parts.store.atransact(lambda rows: knowledge_edits.by_id(rows, edit_id))
    if edit is None or edit.entry_id != entry_id or edit.undone_at is not None:
        raise Missing
    disk = OnDisk(entry_id, parts.knowledge.folder / edit.file, await asyncio.to_thread(_text_of, parts, edit.file))
    if disk.text != edit.after or not await asyncio.to_thread(knowledge_work.publish, parts, {disk.path: edit.before}):
        entry = _entry(parts, entry_id)
        return await _page(request, parts, signed, entry, disk, Draft(disk.text, entry=entry), trouble="cannot_undo", status=409)
    await parts.store.atransact(lambda rows: knowledge_edits.undone(rows, edit, signed.member.id, now))
    return RedirectResponse(f"/desk/knowledge/{entry_id}", status_code=303)


def _propose(rows: Rows, parts: Parts, signed: SignedIn, disk: OnDisk, draft: Draft, why: str) -> str:
    """［だれかに見てもらう］: the file as it would be waits for a second person."""
    file = disk.path.relative_to(parts.knowledge.folder).as_posix()
    before = disk.text if disk.path.is_file() else None
    return proposals.propose(
        rows, entry_id=disk.entry_id, file=file, before=before, after=draft.text, staff_id=signed.member.id,
        why=why[: knowledge_work.LONGEST_WHY], now=parts.clock.now(),
    )  # fmt: skip


async def _publish(request: Request, parts: Parts, signed: SignedIn, entry: Entry, disk: OnDisk, draft: Draft, why: str) -> Response:
    try:
        live = await knowledge_work.publish_and_note(parts, signed.member.id, why, {disk.path: (entry.id, draft.text)})
    except OSError:
        return await _page(request, parts, signed, entry, disk, draft, trouble="not_writable", status=503)
    if not live:
        return await _page(request, parts, signed, entry, disk, draft, trouble="not_sound", status=422)
    return RedirectResponse(f"/desk/knowledge/{entry.id}?done=1", status_code=303)


async def _page(
    request: Request, parts: Parts, signed: SignedIn, entry: Entry, disk: OnDisk, draft: Draft, *, trouble: str | None = None, status: int = 200
) -> HTMLResponse:
    history = await parts.store.atransact(lambda rows: knowledge_edits.of_entry(rows, entry.id))
    scene = Scene(now=parts.clock.now().astimezone(JST))
    seen = draft.entry or entry
    looks = [(lang, *preview(seen, lang, scene, parts.knowledge.town)) for lang in _LOOKS]
    names = {name: one.name for name, one in parts.knowledge.town.base.entries.items()}
    return await pages.page(
        request, signed, "knowledge_entry.html", status=status, entry=entry, disk=disk, draft=draft, looks=looks, history=history, trouble=trouble,
        headings=excel.COLUMNS, form=FORM, tall=excel.LISTS | excel.WIDE | {"contacts.0.hours"}, names=names,
        file=disk.path.relative_to(parts.knowledge.folder).as_posix(), done=request.query_params.get("done") == "1",
        labels=_LABELS, shown="" if draft.impact is None else knowledge_work.mark_of({disk.path: draft.text}),
    )  # fmt: skip


def _mended(text: str, act: str) -> str:
    """［そうする］ sends the line's number and its mended words: `mend:12:tel: "#8008"`."""
    kind, _, rest = act.partition(":")
    number, _, line = rest.partition(":")
    lines = text.replace("\r\n", "\n").split("\n")
    if kind != "mend" or not number.isdecimal() or not 0 < int(number) <= len(lines):
        return text
    lines[int(number) - 1] = line
    return "\n".join(lines)


def _row(entry: Entry, base: Base, today: date, figures: Mapping[str, tuple[int, int]]) -> Row:
    contact = next((contact for contact in entry.contacts if contact.tel or contact.hotline), None)
    hotline = base.hotlines.get(contact.hotline) if contact and contact.hotline else None
    tel = (contact.tel if contact else None) or (hotline.number if hotline else None) or ""
    hours = "\n".join(f"{row.days} {row.from_}-{row.to}" for row in contact.hours) if contact else ""
    checked = entry.checked.on
    old = checked is None or today - checked > _OLD
    flags = [name for name, so in (("old", old), ("no_tel", contact is None), ("no_examples", not entry.examples)) if so]
    shown, right = figures.get(entry.id, (0, 0))
    roughly = f"およそ{round(10 * right / shown) * 10}%" if shown >= 2 * UNDER else "—"
    return Row(entry, tel, hours, tuple(flags), None if checked is None else (today - checked).days, written(tens(shown)), roughly)


def _entry(parts: Parts, entry_id: str) -> Entry:
    entry = parts.knowledge.town.base.entries.get(entry_id)
    if entry is None:
        raise Missing
    return entry


def _text_of(parts: Parts, file: str) -> str:
    path = parts.knowledge.folder / file
    return path.read_text(encoding="utf-8") if path.is_file() else ""
