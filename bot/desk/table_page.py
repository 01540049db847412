"""Excel 取り込み: a table comes back, every cell that would change is shown, and only the ticked ones are written (D15e, desk.md §4).

The table itself is not kept: the page carries its changed cells, and they are compared with the folder once more when they are published.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.desk import access, knowledge_work, pages
from bot.desk.access import Signed, TheParts
from bot.desk.knowledge_work import BrokenElsewhere
from bot.parts import Parts
from knowledge import lint
from knowledge.changes import Impact
from knowledge.complaints import CALLED
from knowledge.exchange import excel
from knowledge.exchange.csv_rows import NoTable
from knowledge.exchange.plan import plan
from knowledge.exchange.rows import BadRow, Taken, take
from knowledge.layers import Laid, lay
from knowledge.problem import Problem, errors
from storage.staff import SignedIn

router = APIRouter(route_class=pages.DeskRoute)

_MOST_CELLS = 2_000
"""Cells on one page: more than a person looks through in a day."""
_LOOK_FIRST = "まだ公開していません。ほかの文の答えも変わります。「変わること」を見て、よければ、もう一度［印のあるマスを公開する］を押してください。"


@dataclass(frozen=True)
class Cell:
    """One cell that changes. `was` is empty where nothing stood."""

    entry_id: str
    field: str
    was: str
    now: str

    @property
    def packed(self) -> str:
        """As the page carries it back."""
        return json.dumps([self.entry_id, self.field, self.was, self.now], ensure_ascii=False)


@router.get("/desk/table")
async def choose(request: Request, parts: TheParts, signed: Signed) -> HTMLResponse:
    return await _page(request, signed)


@router.post("/desk/table")
async def take_in(request: Request, parts: TheParts, signed: Signed) -> Response:
    """点検する shows what would change; 公開する writes the cells that stayed ticked."""
    if (await access.fields(request, "act"))["act"] == "publish":
        return await _publish(request, parts, signed)
    file = await access.files(request, "table")
    if file is None:
        return await _page(request, signed, trouble="Excel のファイル（.xlsx）を選んでください。", status=422)
    try:
        cells, bad = await asyncio.to_thread(_compared, parts.knowledge.folder, await file.read())
    except NoTable as wrong:
        return await _page(request, signed, trouble=f"{file.filename}：{wrong}", status=422)
    return await _page(request, signed, parts=parts, cells=cells, bad=bad, name=file.filename or "表")


async def _publish(request: Request, parts: Parts, signed: SignedIn) -> Response:
    cells = [cell for packed in (await access.lists(request, "cell"))["cell"] if (cell := _unpacked(packed)) is not None]
    told = await access.fields(request, "why", "shown")
    why = told["why"] or "Excel から"
    files, bad, problems = await asyncio.to_thread(_written, parts, cells)
    if bad or problems or not files:
        trouble = "書きこめませんでした。何も変えていません。" if cells else "取り込むところを、一つ以上選んでください。"
        return await _page(request, signed, parts=parts, cells=cells, bad=bad, problems=problems, trouble=trouble, status=422)
    texts = {path: text for path, (_, text) in files.items()}
    try:
        impact = await knowledge_work.to_see_first(parts, texts, told["shown"])
        if impact is not None:
            mark = knowledge_work.mark_of(texts)
            return await _page(request, signed, parts=parts, cells=cells, impact=impact, shown=mark, why=told["why"], trouble=_LOOK_FIRST, status=409)
        live = await knowledge_work.publish_and_note(parts, signed.member.id, why, files)
    except (BrokenElsewhere, OSError):
        live = False
    if not live:
        trouble = "書きこめませんでした。フォルダーに、ほかのまちがいがないか「一覧」で見てください。何も変えていません。"
        return await _page(request, signed, parts=parts, cells=cells, trouble=trouble, status=503)
    return RedirectResponse(f"/desk/table?done={len(files)}", status_code=303)


def _compared(folder: Path, content: bytes) -> tuple[list[Cell], tuple[BadRow, ...]]:
    """Raises NoTable."""
    laid = lay(folder)
    before = {entry_id: sheet.fields for entry_id, sheet in laid.sheets.items()}
    taken = excel.import_excel(content, before, {domain.id: domain.name for domain in laid.domains.values()})
    cells = [cell for entry_id, fields in taken.entries.items() for cell in _changed(entry_id, before.get(entry_id, {}), fields)]
    return cells[:_MOST_CELLS], taken.bad


def _changed(entry_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Cell]:
    columns = [field for field in excel.COLUMNS if field != "id"]
    pairs = [(field, excel.cell(before, field).strip(), excel.cell(after, field).strip()) for field in columns]
    return [Cell(entry_id, field, was, now) for field, was, now in pairs if was != now]


def _written(
    parts: Parts, cells: Sequence[Cell]
) -> tuple[dict[Path, tuple[str, str]], tuple[BadRow, ...], list[Problem]]:  # fmt: skip
    """Path → (entry, text) of what would be written; what could not be taken; what would be wrong with the folder then."""
    folder = parts.knowledge.folder
    laid = lay(folder)
    bad = [BadRow(0, cell.entry_id, f"「{excel.COLUMNS[cell.field]}」が、そのあいだに変わりました") for cell in cells if not _as_it_was(laid, cell)]
    rows = []
    for entry_id in dict.fromkeys(cell.entry_id for cell in cells):
        before = laid.sheets[entry_id].fields if entry_id in laid.sheets else {"id": entry_id}
        mine = {cell.field: cell.now for cell in cells if cell.entry_id == entry_id}
        try:
            rows.append((0, entry_id, excel.with_cells(before, mine)))
        except ValueError as wrong:
            bad.append(BadRow(0, entry_id, str(wrong)))
    taken = take(rows, "Excel の表")
    found = plan(laid, Taken(taken.entries, (*bad, *taken.bad), kind=taken.kind), {Path(read.file): "\n".join(read.lines) for read in laid.reads})
    entry_of = {Path(sheet.sources[0].read.file): entry_id for entry_id, sheet in laid.sheets.items()}
    files = {path: (entry_of.get(path, path.stem), text) for path, text in found.files.items()}
    instead = {path: text.encode() for path, text in found.files.items()}
    told = lint.check(folder, today=knowledge_work.today(parts), instead=instead) if files else []
    return files, found.bad, [problem for problem in errors(told) if Path(problem.file) in files]


def _in_words(cell: Cell, text: str) -> str:
    """`place` is 場所 to whoever looks through the cells."""
    return "\n".join(CALLED.get(line, line) for line in text.split("\n")) if cell.field in excel.CHOICES else text


def _as_it_was(laid: Laid, cell: Cell) -> bool:
    sheet = laid.sheets.get(cell.entry_id)
    return excel.cell(sheet.fields if sheet else {}, cell.field).strip() == cell.was


def _unpacked(packed: str) -> Cell | None:
    """None for what our page did not make."""
    try:
        found = json.loads(packed)
    except ValueError:
        return None
    if not isinstance(found, list) or len(found) != 4 or not all(isinstance(part, str) for part in found) or found[1] not in excel.COLUMNS:
        return None
    return Cell(found[0], found[1], found[2].replace("\r\n", "\n"), found[3].replace("\r\n", "\n"))


async def _page(
    request: Request, signed: SignedIn, *, parts: Parts | None = None, cells: Sequence[Cell] | None = None, bad: Sequence[BadRow] = (),
    problems: Sequence[Problem] = (), name: str = "", trouble: str | None = None, impact: Impact | None = None, shown: str = "",
    why: str = "", status: int = 200,
) -> HTMLResponse:  # fmt: skip
    by_entry: dict[str, list[Cell]] = {}
    for cell in cells or ():
        by_entry.setdefault(cell.entry_id, []).append(cell)
    entries = parts.knowledge.town.base.entries if parts else {}
    return await pages.page(
        request, signed, "table.html", status=status, by_entry=None if cells is None else by_entry, headings=excel.COLUMNS, bad=bad,
        problems=problems, name=name, trouble=trouble, names={one.id: one.name for one in entries.values()}, impact=impact, shown=shown, why=why,
        done=request.query_params.get("done", ""), many=len(cells or ()), most=_MOST_CELLS, in_words=_in_words,
    )  # fmt: skip
