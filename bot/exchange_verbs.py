"""`madoguchi knowledge import | export | fix`: what writes into a town's folder, always shown before or while it is written."""

import difflib
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.clock import JST
from bot.settings import Settings
from knowledge import lint
from knowledge.exchange.csv_rows import NoTable
from knowledge.exchange.opendata import DATASETS, export_csv, import_csv
from knowledge.exchange.plan import CellChange, Plan, plan
from knowledge.exchange.rows import Taken
from knowledge.fixing import fixed
from knowledge.layers import Laid, lay
from knowledge.problem import errors, render
from knowledge.reading import Tree

out = Console(highlight=False, soft_wrap=True, markup=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

Folder = Annotated[Path | None, typer.Argument(help="地域の情報のフォルダー（書かなければ設定の KNOWLEDGE）/ the town's folder", show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="見るだけで、書かない / only show")]
MOST_SHOWN = 40
"""Cells of one entry shown in a terminal."""


def register(app: typer.Typer) -> None:
    """Add the verbs to `madoguchi knowledge`."""
    app.command(name="fix")(fix)
    app.command(name="import")(take_in)
    app.command(name="export")(give_out)


def fix(folder: Folder = None, dry_run: DryRun = False) -> None:
    """直し方が一つしかないまちがいを直し、ちがいを見せる / mend what can be mended in only one way, and show the diff. Exit 1 if errors remain."""
    place, today = folder or Settings().knowledge, datetime.now(JST).date()
    count = 0
    for file in sorted(path for path in place.rglob("*") if path.suffix in (".yaml", ".yml") and path.is_file() and not path.is_symlink()):
        content = file.read_bytes()
        found = fixed(content, lambda text, file=file: lint.check_text(file, text, place, today=today))  # type: ignore[misc]
        if found is None or found.text.encode() == content or not (found.done or _only_marks(content, found.text)):
            continue
        count += len(found.done)
        _show_diff(file, content, found.text)
        if not dry_run:
            write(file, found.text)
    left = errors(lint.check(place, today=today))
    out.print(f"{count} か所を{'直せます（まだ書いていません）' if dry_run else '直しました'}。のこりのまちがい {len(left)} 件。")
    for problem in left:
        out.print(render(problem))
    raise typer.Exit(1 if left else 0)


def _only_marks(content: bytes, text: str) -> bool:
    """The same words in another code, or without the marks of Windows."""
    return content.replace(b"\r\n", b"\n").removeprefix(b"\xef\xbb\xbf") == text.encode() or not _is_utf8(content)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _show_diff(file: Path, content: bytes, text: str) -> None:
    before = content.decode("utf-8-sig" if _is_utf8(content) else "cp932", "replace").replace("\r\n", "\n")
    lines = list(difflib.unified_diff(before.split("\n"), text.split("\n"), str(file), str(file), n=0, lineterm=""))
    out.print("\n".join(lines) if lines else f"--- {file}: 文字コードや改行を UTF-8・LF にします")


def take_in(
    source: Annotated[Path, typer.Argument(help="CSV、Excel（.xlsx）、HSDS（.json、.zip）", exists=True)],
    folder: Folder = None,
    dry_run: DryRun = False,
) -> None:
    """表を取りこみ、一マスずつのちがいを見せる / take in a table, showing each cell that changes. Exit 1 when nothing of it could be read."""
    place = folder or Settings().knowledge
    if not place.is_dir():
        err.print(f"{place} というフォルダーがありません。")
        raise typer.Exit(2)
    laid = lay(place)
    try:
        found = plan(laid, _read(source, laid), {Path(read.file): "\n".join(read.lines) for read in laid.reads})
    except NoTable as wrong:
        err.print(f"{source.name}: {wrong}")
        raise typer.Exit(1) from wrong
    _show(found)
    if dry_run:
        out.print("見ただけで、何も書いていません。")
    else:
        for path, text in found.files.items():
            write(path, text)
    raise typer.Exit(1 if found.bad and not (found.cells or found.same) else 0)


def _read(source: Path, laid: Laid) -> Taken:
    content = source.read_bytes()
    if content.startswith(b"PK\x03\x04") and source.suffix.lower() != ".zip":
        from knowledge.exchange.excel import import_excel

        before = {entry_id: sheet.fields for entry_id, sheet in laid.sheets.items()}
        return import_excel(content, before, {domain.id: domain.name for domain in laid.domains.values()})
    if source.suffix.lower() in (".json", ".zip"):
        from knowledge.exchange.hsds import import_hsds

        return import_hsds(content)
    return import_csv(content, laid.sheets.keys())


def _show(found: Plan) -> None:
    by_entry: dict[str, list[CellChange]] = {}
    for cell in found.cells:
        by_entry.setdefault(cell.entry_id, []).append(cell)
    for entry_id, cells in by_entry.items():
        out.print(f"{'＋' if cells[0].kind == 'new' else '～'} {entry_id}")
        for cell in cells[:MOST_SHOWN]:
            out.print(f"    {cell.field}: {_short(cell.now)}" if cell.kind == "new" else f"    {cell.field}: {_short(cell.was)} → {_short(cell.now)}")
    for one in found.notes:
        out.print(f"△ {one.where}: {one.reason}")
    for one in found.bad:
        out.print(f"× {one.where}: {one.reason}")
    counts = f"新しい {len(found.new)} 件、変わる {len(found.changed)} 件、同じ {found.same} 件、取りこめないところ {len(found.bad)} 件"
    out.print(f"{found.kind}: {counts}。")


def _short(value: Tree) -> str:
    words = "（なし）" if value in (None, [], {}) else str(value)
    return words if len(words) <= 100 else words[:99] + "…"


def give_out(
    target: Annotated[Path, typer.Argument(help="書き出すファイル（.csv .xlsx .json .zip）")],
    folder: Folder = None,
    dataset: Annotated[str, typer.Option(help="CSV の種類: " + "、".join(one.name for one in DATASETS))] = "公共施設一覧",
    own: Annotated[bool, typer.Option(help="このフォルダーに書かれた項目だけ / only what the folder itself says")] = True,
) -> None:
    """地域の情報を表として書き出す / write the entries as a table."""
    place = folder or Settings().knowledge
    laid = lay(place)
    if errors(laid.problems):
        err.print(f"まちがいを直してから、書き出してください: madoguchi knowledge check {place}")
        raise typer.Exit(1)
    entries = {name: sheet.fields for name, sheet in laid.sheets.items() if not own or name in laid.own_ids}
    try:
        content = _written(target, entries, laid, dataset)
    except KeyError as wrong:
        err.print(f"{wrong.args[0]} という種類はありません。次から選んでください: {'、'.join(one.name for one in DATASETS)}")
        raise typer.Exit(2) from wrong
    target.write_bytes(content)
    out.print(f"{len(entries)} 件を {target} に書きました。")


def _written(target: Path, entries: Mapping[str, Mapping[str, Tree]], laid: Laid, dataset: str) -> bytes:
    match target.suffix.lower():
        case ".xlsx":
            from knowledge.exchange.excel import export_excel

            return export_excel(entries)
        case ".json" | ".zip" as ending:
            from knowledge.exchange.hsds import export_json, export_tabular

            town = laid.town.name if laid.town else ""
            return export_json(entries, town) if ending == ".json" else export_tabular(entries, town)
    return export_csv(list(entries.values()), dataset)


def write(path: Path, text: str) -> None:
    """Write beside and rename: whoever reads at this moment reads the old or the new, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8", newline="\n")
    if path.exists():
        beside.chmod(path.stat().st_mode & 0o777)
    os.replace(beside, path)
