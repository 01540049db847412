"""聞きとれなかった声: each worry that was not heard well becomes, in one act, an example, a new entry, a counted gap, or nothing (D15c).

A resident's own words never get into the knowledge: staff write the sentence anew, and one that is too near is refused.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from sqlmodel import Session as Rows
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.desk import access, knowledge_work, pages
from bot.desk.access import Signed, TheParts
from bot.desk.knowledge_work import BrokenElsewhere, OnDisk
from bot.parts import Parts
from flows.gap import REASONS
from knowledge.changes import Impact
from knowledge.editing import new_file
from knowledge.entry import Entry
from knowledge.hearing import hear
from knowledge.hearing.normalise import plain
from knowledge.likeness import copied, names_somebody
from knowledge.problem import errors
from knowledge.reading import Tree
from knowledge.searching import search
from storage import gaps, unheard
from storage.staff import SignedIn
from storage.text import clean
from storage.unheard import LEARNED, Learned, Unheard

router = APIRouter(route_class=pages.DeskRoute)

WINDOW = timedelta(days=28)
_MOST_NEAR = 5
_LONGEST = 200


_LOOK_FIRST = "まだ何も変えていません。ほかの文の答えも変わります。「変わること」を見て、よければ、もう一度［{}］を押してください。"
_ELSEWHERE = "地域の情報のフォルダーに、ほかのまちがいがあります。先に「地域の情報」で直してください。"


class NotLearned(Exception):
    """Nothing was kept; the message says why and what to write. `impact` is what must be seen first, `shown` its mark."""

    def __init__(self, why: str, impact: Impact | None = None, shown: str = "") -> None:
        super().__init__(why)
        self.impact, self.shown = impact, shown


@router.get("/desk/unheard")
async def overview(request: Request, parts: TheParts, signed: Signed) -> HTMLResponse:
    return await _page(request, parts, signed)


@router.post("/desk/unheard/{outcome_id}")
async def decide(request: Request, outcome_id: str, parts: TheParts, signed: Signed) -> Response:
    """この項目の例文に, 新しい項目をつくる, 制度の狭間として数える, or 一覧から外す."""
    written = await access.fields(request, "what", "words", "entry", "name", "summary", "domain", "reason", "shown")
    what = next((known for known in LEARNED if known == written["what"]), None)
    one = await parts.store.atransact(lambda rows: unheard.by_id(rows, access.viewer_of(signed), outcome_id))
    try:
        if what is None:
            raise NotLearned("どうするかを選んでください。")
        words = _own_words(written["words"], one, needed=what in ("example", "entry"))
        await _learn(parts, signed, one, what, words, written)
    except NotLearned as why:
        return await _page(request, parts, signed, trouble=(outcome_id, why), kept=written, status=409 if why.impact else 422)
    return RedirectResponse(f"/desk/unheard?done={what}", status_code=303)


def _own_words(written: str, one: Unheard, *, needed: bool) -> str:
    """What staff wrote, when it is theirs. Raises NotLearned."""
    words = clean(" ".join(written.split()))[:_LONGEST]
    if needed and not words:
        raise NotLearned("だれの話か分からないように言いかえた文を書いてください。")
    run = max((copied(words, line) for line in (*one.lines, "".join(one.lines))), default=0) if words else 0
    if run:
        raise NotLearned(f"元の文と {run} 文字同じです。言いかえてください。")
    if found := names_somebody(words):
        raise NotLearned(f"「{found}」は、だれのことか分かってしまいます。消してください。")
    return words


async def _learn(parts: Parts, signed: SignedIn, one: Unheard, what: Learned, words: str, written: Mapping[str, str]) -> None:
    now, viewer = parts.clock.now(), access.viewer_of(signed)

    def note(rows: Rows) -> None:
        unheard.learn(rows, viewer, one.id, what, now=now)
        if what == "gap":
            reason = next((known for known in REASONS if known == written["reason"]), "none_exists")
            gaps.note(rows, reasons=(reason,), domain=written["domain"][:32] or None, source="desk", now=now, wish=words)

    if what == "example":
        entry = _entry_of(parts, written["entry"])
        disk, text = await asyncio.to_thread(_with_example, parts, entry, words)
        await _show_first(parts, disk, text, written["shown"], "この項目の例文に")
        await _publish(parts, signed, disk, text, "聞きとれなかった声から", note)
    elif what == "entry":
        disk, text = await asyncio.to_thread(_new_entry, parts, words, written)
        await _show_first(parts, disk, text, written["shown"], "新しい項目をつくる")
        await _publish(parts, signed, disk, text, "聞きとれなかった声から、新しく", note)
    else:
        await parts.store.atransact(note)


def _with_example(parts: Parts, entry: Entry, words: str) -> tuple[OnDisk, str]:
    folder = parts.knowledge.folder
    disk, cells = knowledge_work.on_disk(folder, entry), knowledge_work.cells_of(folder, entry.id)
    if words in entry.examples:
        raise NotLearned("その文は、もう例文にあります。")
    try:
        return disk, knowledge_work.from_form(folder, disk, {**cells, "examples": f"{cells['examples']}\n{words}".strip()})
    except ValueError as error:
        raise NotLearned(str(error)) from error


def _new_entry(parts: Parts, words: str, written: Mapping[str, str]) -> tuple[OnDisk, str]:
    name, summary, domain = (clean(" ".join(written[field].split())) for field in ("name", "summary", "domain"))
    if not name or not summary:
        raise NotLearned("新しい項目には、名前と説明が要ります。")
    disk = knowledge_work.new_on_disk(parts, domain)
    fields: dict[str, Tree] = {"id": disk.entry_id, "name": name, "domain": domain or None, "summary": summary, "examples": [words]}
    return disk, new_file({field: value for field, value in fields.items() if value})


async def _show_first(parts: Parts, disk: OnDisk, text: str, shown: str, button: str) -> None:
    """Checked and tried as any other edit. Raises NotLearned with the first mistake, or with what `button` would change."""
    draft = await asyncio.to_thread(knowledge_work.draft, parts.knowledge.folder, disk, text, knowledge_work.today(parts))
    if not draft.sound:
        first = errors(draft.problems)[0]
        raise NotLearned(f"{first.message}。{first.hint}")
    files = {disk.path: text}
    try:
        impact = await knowledge_work.to_see_first(parts, files, shown)
    except BrokenElsewhere as broken:
        raise NotLearned(_ELSEWHERE) from broken
    if impact is not None:
        raise NotLearned(_LOOK_FIRST.format(button), impact, knowledge_work.mark_of(files))


async def _publish(parts: Parts, signed: SignedIn, disk: OnDisk, text: str, why: str, note: Any) -> None:
    """Raises NotLearned."""
    try:
        live = await knowledge_work.publish_and_note(parts, signed.member.id, why, {disk.path: (disk.entry_id, text)}, note)
    except OSError as error:
        raise NotLearned("ファイルに書きこめません。管理の人に、フォルダーの権限を見てもらってください。") from error
    if not live:
        raise NotLearned(_ELSEWHERE)


def _entry_of(parts: Parts, written: str) -> Entry:
    entries, said = parts.knowledge.town.base.entries, written.strip()
    found = entries.get(said) or next((one for one in search(entries.values(), said) if one.name == said), None) if said else None
    if found is None:
        raise NotLearned("項目を、一覧にある名前で選んでください。")
    return found


async def _page(
    request: Request, parts: Parts, signed: SignedIn, *, trouble: tuple[str, NotLearned] | None = None, kept: Mapping[str, str] | None = None,
    status: int = 200,
) -> HTMLResponse:  # fmt: skip
    now, viewer = parts.clock.now(), access.viewer_of(signed)

    def work(rows: Rows) -> list[Unheard]:
        found = unheard.waiting(rows, viewer, now - WINDOW)
        found = [replace(one, lines=_worries(parts, one.lines)) for one in found]
        if found:
            unheard.read_by(rows, viewer.actor, len(found), now)
        return found

    found = await parts.store.atransact(work)
    base = parts.knowledge.town.base
    near = {one.id: await asyncio.to_thread(_near, parts, one) for one in found}
    return await pages.page(
        request, signed, "unheard.html", status=status, found=found, near=near, names={one.id: one.name for one in base.entries.values()},
        trouble=trouble, kept=kept or {}, reasons=REASONS, done=request.query_params.get("done", ""),
    )  # fmt: skip


def _worries(parts: Parts, lines: tuple[str, ...]) -> tuple[str, ...]:
    """Without the answers among them, such as a typed 「ちがう」."""
    answers = parts.knowledge.town.typed("slip") | parts.knowledge.town.typed("yes") | parts.knowledge.town.typed("human")
    return tuple(line for line in lines if plain(line).text not in answers) or lines


def _near(parts: Parts, one: Unheard) -> list[Entry]:
    """Entries that come nearest, except those the resident called wrong."""
    base = parts.knowledge.town.base
    heard = hear("\n".join(one.lines), base)
    ids = dict.fromkeys(match.id for need in heard.needs for match in need.services)
    return [base.entries[name] for name in ids if name in base.entries and name not in one.cards][:_MOST_NEAR]
