"""`madoguchi knowledge test --changed | diff | schema`: what an edit or a new starter changes, before anybody relies on it."""

import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.exchange_verbs import write
from bot.settings import Settings
from knowledge.base import Base, load
from knowledge.changes import Answer, Fields, Shadow, StarterChange, Unused, changed_answers, fields_of, starter_changes, unused_rows
from knowledge.layers import STARTER, folders_of, lay
from knowledge.reading import Tree
from knowledge.schema import FILE, entry_schema

out = Console(highlight=False, soft_wrap=True, markup=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

SEEN = ".starter.json"
"""Beside a town's files: the starter as the town last looked at it. Nobody edits it; git keeps it with the rest."""
Folder = Annotated[Path | None, typer.Argument(help="地域の情報のフォルダー（書かなければ設定の KNOWLEDGE）/ the town's folder", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the verbs to `madoguchi knowledge`."""
    app.command(name="diff")(diff)
    app.command(name="schema")(schema)


# ---------------------------------------------------------------- answers


def show_changed(folder: Path, against: str) -> int:
    """Print which stored sentences change their answer; returns how many get worse. Raises typer.Exit(2) when there is nothing to compare with."""
    with tempfile.TemporaryDirectory() as place:
        older, keep = _older(folder, against, Path(place)), Path(place) / ".kept"
        before = load(older, keep)
        after = load(folder, keep, before)
    answers = changed_answers(before, after)
    for answer in answers:
        _show_answer(answer, after)
    worse = sum(answer.worse for answer in answers)
    out.print(f"答えがかわる文 {len(answers)} 件（うち、自分の項目を見つけなくなる文 {worse} 件）。")
    return worse


def _show_answer(answer: Answer, base: Base) -> None:
    mark = "×" if answer.worse else "・"
    out.print(f"{mark} 「{answer.text}」（{answer.entry_id} の{'例文' if answer.kind == 'example' else 'ちがう文'}）")
    out.print(f"    まえ: {_cards(answer.before, base)}")
    out.print(f"    あと: {_cards(answer.after, base)}")


def _cards(cards: Iterable[str] | None, base: Base) -> str:
    if cards is None:
        return "（この文はありません）"
    return "、".join(f"{base.entries[card].name}（{card}）" if card in base.entries else card for card in cards)


def _older(folder: Path, against: str, place: Path) -> Path:
    """The folder to compare with: one that is named, or the town's as git keeps it at that version."""
    if Path(against).is_dir():
        return Path(against)
    root = folder.resolve()
    names = [one.resolve().name for one in folders_of(folder)]
    told = subprocess.run(["git", "-C", str(root.parent), "archive", "--format=tar", against, "--", *names], capture_output=True, check=False)  # noqa: S603, S607
    if told.returncode != 0:
        err.print(f"「{against}」と比べられません。git で管理していないときは、--against に前のフォルダーを書いてください。")
        raise typer.Exit(2)
    with tarfile.open(fileobj=BytesIO(told.stdout)) as packed:
        packed.extractall(place, filter="data")
    return place / root.name


def show_shadows(found: Iterable[Shadow], base: Base) -> None:
    """Pairs of entries of which one takes the sentences of the other."""
    for one in found:
        names = f"{base.entries[one.entry_id].name}（{one.entry_id}）の文を、{base.entries[one.shadowed_by].name}（{one.shadowed_by}）が取っています"
        out.print(f"{names}: {len(one.sentences)} 件。例:「{one.sentences[0]}」")


# ---------------------------------------------------------------- a new starter


def diff(
    folder: Folder = None,
    starter: Annotated[Path | None, typer.Option(help="入れかえる前に見る、新しい全国の一覧 / another starter to compare with")] = None,
    accept: Annotated[bool, typer.Option("--accept", help="いまの全国の一覧を見たことにする / remember the starter as it is now")] = False,
) -> None:
    """全国の一覧の更新で、この町の何がかわるかを見せる / what an update of the starter changes for this town."""
    place = folder or Settings().knowledge
    seen, now = place / SEEN, fields_of(lay(STARTER))
    before: Fields
    if accept:
        remember_starter(place)
        out.print("いまの全国の一覧を控えました。次の更新から、ちがいが出ます。")
        return
    after: Fields = now
    if starter is not None:
        before, after = now, fields_of(lay(starter))
    elif seen.exists():
        before = _remembered(seen)
    else:
        err.print(f"まだ控えがありません。madoguchi knowledge diff {place} --accept で、いまの全国の一覧を控えてください。")
        raise typer.Exit(2)
    laid = lay(place)
    changes = list(starter_changes(before, after, laid))
    for change in changes:
        out.print(_in_words(change))
    for unused in unused_rows(lay(starter or STARTER), laid):
        out.print(_unused_in_words(unused))
    seen_by_residents = sum(not change.kept for change in changes)
    out.print(f"全国の一覧のちがい {len(changes)} か所。この町の案内がかわるのは {seen_by_residents} か所で、町が書いた項目はかわりません。")


def remember_starter(folder: Path) -> None:
    """Keep the starter as it is now beside the town's files."""
    write(folder / SEEN, json.dumps(fields_of(lay(STARTER)), ensure_ascii=False, indent=0, sort_keys=True) + "\n")


def _remembered(file: Path) -> Fields:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:
        err.print(f"{file} が読めません。madoguchi knowledge diff --accept で作りなおしてください。")
        raise typer.Exit(2) from wrong
    return found if isinstance(found, dict) else {}


def _in_words(change: StarterChange) -> str:
    if not change.field:
        return f"＋ {change.entry_id}: 新しい項目「{change.now}」" if change.was is None else f"－ {change.entry_id}: なくなった項目「{change.was}」"
    kept = "　→ この町が書いた値がそのまま出ます" if change.kept else "　→ この町の案内がかわります"
    return f"～ {change.entry_id} {change.field}: {_short(change.was)} → {_short(change.now)}{kept}"


def _unused_in_words(unused: Unused) -> str:
    rows = f"全国の一覧の {len(unused.rows)} 件（例「{_short(unused.rows[0])}」）は使われません。"
    return f"・ {unused.entry_id} {unused.field}: 町が一覧の全体を書いているので、{rows}足すだけなら「{unused.field}+:」と書きます。"


def _short(value: Tree) -> str:
    words = "（なし）" if value in (None, [], {}) else str(value)
    return words if len(words) <= 80 else words[:79] + "…"


# ---------------------------------------------------------------- editors


def schema(target: Annotated[Path | None, typer.Argument(help="書き出す場所（書かなければ画面へ）/ where to write it")] = None) -> None:
    """編集ソフト（VS Code など）のための JSON Schema を出す / the JSON Schema of an entry for editors."""
    text = json.dumps(entry_schema(), ensure_ascii=False, indent=1) + "\n"
    if target is None:
        typer.echo(text, nl=False)
        return
    file = target / FILE if target.is_dir() else target
    write(file, text)
    out.print(f"{file} に書きました。YAML の 1 行目に「# yaml-language-server: $schema={file.name}」と書くと、VS Code の YAML 拡張が読みます。")
