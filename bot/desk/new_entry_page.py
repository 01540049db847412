"""新しく作る: a new entry from its name and one sentence; everything else is added on its own page (desk.md §4)."""

import asyncio
from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.desk import access, knowledge_work, pages
from bot.desk.access import Signed, TheParts
from bot.desk.knowledge_work import BrokenElsewhere
from bot.parts import Parts
from knowledge.changes import Impact
from knowledge.editing import new_file
from knowledge.entry import Entry
from knowledge.problem import errors
from knowledge.reading import Tree
from knowledge.searching import search
from storage.staff import SignedIn
from storage.text import clean

router = APIRouter(route_class=pages.DeskRoute)

_FIELDS = ("name", "kana", "domain", "summary", "examples")
_ALIKE = "よく似た名前の項目があります。同じものなら、そちらを直してください。ちがうものなら、もう一度［つくる］を押してください。"
_LOOK_FIRST = "まだ作っていません。ほかの文の答えも変わります。「変わること」を見て、よければ、もう一度［つくる］を押してください。"
_ELSEWHERE = "地域の情報のフォルダーに、ほかのまちがいがあります。先に「一覧」で直してください。"


@router.get("/desk/new-entry")
async def form(request: Request, parts: TheParts, signed: Signed) -> HTMLResponse:
    return await _page(request, parts, signed, dict.fromkeys(_FIELDS, ""), status=200)


@router.post("/desk/new-entry")
async def make(request: Request, parts: TheParts, signed: Signed) -> Response:
    """Live at once when it is sound; names that are much alike, and answers that it changes, are shown first (D15b)."""
    written = await access.fields(request, *_FIELDS, "sure", "shown")
    words = {name: clean(written[name].replace("\r\n", "\n").strip()) for name in _FIELDS}
    if not words["name"] or not words["summary"]:
        return await _page(request, parts, signed, words, trouble="名前と説明は、どちらも要ります。")
    alike = search(parts.knowledge.town.base.entries.values(), words["name"])[:3]
    if alike and not written["sure"]:
        return await _page(request, parts, signed, words, trouble=_ALIKE, alike=alike, sure="1")
    disk = await asyncio.to_thread(knowledge_work.new_on_disk, parts, words["domain"])
    text = _file(disk.entry_id, words)
    draft = await asyncio.to_thread(knowledge_work.draft, parts.knowledge.folder, disk, text, knowledge_work.today(parts))
    if not draft.sound:
        told = "　".join(f"{one.message}。{one.hint}" for one in errors(draft.problems))
        return await _page(request, parts, signed, words, trouble=told, sure=written["sure"])
    try:
        impact = await knowledge_work.to_see_first(parts, {disk.path: text}, written["shown"])
    except BrokenElsewhere:
        return await _page(request, parts, signed, words, trouble=_ELSEWHERE, sure=written["sure"])
    if impact is not None:
        mark = knowledge_work.mark_of({disk.path: text})
        return await _page(request, parts, signed, words, trouble=_LOOK_FIRST, sure=written["sure"], impact=impact, shown=mark)
    if not await knowledge_work.publish_and_note(parts, signed.member.id, "新しく作った", {disk.path: (disk.entry_id, text)}):
        return await _page(request, parts, signed, words, trouble=_ELSEWHERE, sure=written["sure"])
    return RedirectResponse(f"/desk/knowledge/{disk.entry_id}?done=1", status_code=303)


def _file(entry_id: str, words: Mapping[str, str]) -> str:
    fields: dict[str, Tree] = {"id": entry_id, **{name: words[name] for name in ("name", "kana", "domain", "summary") if words[name]}}
    examples = [line.strip() for line in words["examples"].split("\n") if line.strip()]
    if examples:
        fields["examples"] = list[Tree](examples)
    return new_file(fields)


async def _page(
    request: Request, parts: Parts, signed: SignedIn, kept: Mapping[str, str], *, trouble: str | None = None, alike: Sequence[Entry] = (),
    sure: str = "", impact: Impact | None = None, shown: str = "", status: int = 422,
) -> HTMLResponse:  # fmt: skip
    """`sure` and `shown` come back with the next press: what was shown already is not asked again."""
    names = {one.id: one.name for one in parts.knowledge.town.base.entries.values()}
    return await pages.page(
        request, signed, "new_entry.html", kept=kept, trouble=trouble, alike=alike, sure=sure, impact=impact, shown=shown, names=names,
        status=status,
    )  # fmt: skip
