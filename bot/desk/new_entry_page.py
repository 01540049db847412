"""新しく作る: a new entry from its name and one sentence; everything else is added on its own page (desk.md §4)."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.desk import access, knowledge_work, pages
from bot.desk.access import Signed, TheParts
from knowledge.editing import new_file
from knowledge.problem import errors
from knowledge.reading import Tree
from knowledge.searching import search
from storage.text import clean

router = APIRouter(route_class=pages.DeskRoute)

_FIELDS = ("name", "kana", "domain", "summary", "examples")


@router.get("/desk/new-entry")
async def form(request: Request, parts: TheParts, signed: Signed) -> HTMLResponse:
    return await pages.page(request, signed, "new_entry.html", kept=dict.fromkeys(_FIELDS, ""), trouble=None, alike=[])


@router.post("/desk/new-entry")
async def make(request: Request, parts: TheParts, signed: Signed) -> Response:
    """Live at once when it is sound; names that are much alike are shown first."""
    written = await access.fields(request, *_FIELDS, "sure")
    words = {name: clean(written[name].replace("\r\n", "\n").strip()) for name in _FIELDS}
    alike = [one for one in search(parts.knowledge.town.base.entries.values(), words["name"]) if words["name"]][:3]
    trouble = None
    if not words["name"] or not words["summary"]:
        trouble = "名前と説明は、どちらも要ります。"
    elif alike and not written["sure"]:
        trouble = "よく似た名前の項目があります。同じものなら、そちらを直してください。ちがうものなら、もう一度［つくる］を押してください。"
    else:
        disk = await asyncio.to_thread(knowledge_work.new_on_disk, parts, words["domain"])
        examples = [line.strip() for line in words["examples"].split("\n") if line.strip()]
        fields: dict[str, Tree] = {"id": disk.entry_id, **{name: words[name] for name in ("name", "kana", "domain", "summary") if words[name]}}
        if examples:
            fields["examples"] = list[Tree](examples)
        text = new_file(fields)
        draft = await asyncio.to_thread(knowledge_work.draft, parts.knowledge.folder, disk, text, knowledge_work.today(parts))
        if not draft.sound:
            trouble = "　".join(f"{one.message}。{one.hint}" for one in errors(draft.problems))
        elif not await knowledge_work.publish_and_note(parts, signed.member.id, "新しく作った", {disk.path: (disk.entry_id, text)}):
            trouble = "地域の情報のフォルダーに、ほかのまちがいがあります。先に「一覧」で直してください。"
        else:
            return RedirectResponse(f"/desk/knowledge/{disk.entry_id}?done=1", status_code=303)
    return await pages.page(request, signed, "new_entry.html", kept=words, trouble=trouble, alike=alike, status=422)
