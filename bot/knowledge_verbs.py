"""`madoguchi knowledge …`: what staff do with their folder before it is used."""

import json
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from bot import change_verbs, exchange_verbs, gap_verb
from bot.clock import JST
from bot.settings import Settings
from knowledge import lint
from knowledge.base import Base, BrokenBase, load
from knowledge.changes import shadows
from knowledge.hearing.calibrate import FEWEST
from knowledge.hearing.calibrate import calibrate as refit
from knowledge.hearing.confidence import FILE as CONFIDENCE_FILE
from knowledge.layers import lay
from knowledge.problem import Problem, errors, render
from knowledge.schema import FILE, entry_schema

app = typer.Typer(no_args_is_help=True)
out = Console(highlight=False, soft_wrap=True, markup=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

exchange_verbs.register(app)
app.command(name="gaps")(gap_verb.gaps)
change_verbs.register(app)

NEW_TOWN = Path(lint.__file__).parent / "new-town"
MOST_ROWS = 40
MOST_PAIRS = 15
MOST_OF_A_KIND = 10

Folder = Annotated[Path | None, typer.Argument(help="地域の情報のフォルダー（書かなければ設定の KNOWLEDGE）/ the town's folder", show_default=False)]
Format = Literal["text", "json", "github"]


@app.command()
def check(
    folder: Folder = None,
    format: Annotated[Format, typer.Option(help="text | json | github")] = "text",
    today: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="この日のつもりで点検する / as if on this day")] = None,
    every: Annotated[bool, typer.Option("--all", help="同じ種類の注意も全部出す / all advice, not only the first of each kind")] = False,
) -> None:
    """まちがいを、ファイル・行・直し方つきで言う / say every mistake with file, line and fix. Exit 1 on errors."""
    place = _folder(folder)
    problems = lint.check(place, today=(today or datetime.now(JST)).date())
    wrong = errors(problems)
    match format:
        case "json":
            typer.echo(json.dumps([asdict(problem) for problem in problems], ensure_ascii=False, indent=1))
        case "github":
            for problem in problems:
                typer.echo(_for_github(problem))
        case _:
            shown, left = (problems, {}) if every else _worth_showing(problems)
            for problem in shown:
                out.print(render(problem))
            for message, count in left.items():
                out.print(f"ほかにも同じ注意が {count} 件（例: {message}。--all で全部）")
            looked = len(lay(place).own_ids) if place.is_dir() else 0
            counts = f"まちがい {len(wrong)} 件、注意 {len(problems) - len(wrong)} 件"
            out.print(f"{looked} 件の項目を見ました。{counts}。{'' if wrong else 'このまま使えます。'}")
    raise typer.Exit(1 if wrong else 0)


@app.command(name="test")
def try_out(
    folder: Folder = None,
    every: Annotated[bool, typer.Option("--all", help="見つからない例文を全部出す / show all that miss")] = False,
    changed: Annotated[bool, typer.Option("--changed", help="答えがかわる文を、まえとあとで見せる / sentences whose answer changes")] = False,
    against: Annotated[str, typer.Option(help="くらべる相手: git の版か、前のフォルダー / a git version or an older folder")] = "HEAD",
) -> None:
    """例文が、自分の項目を見つけるか試す / does each example, left out, find its own entry among three cards?

    --changed: exit 1 when a sentence no longer finds its own entry.
    """
    try:
        if changed:
            raise typer.Exit(1 if change_verbs.show_changed(_folder(folder), against) else 0)
        base = load(_folder(folder))
    except BrokenBase as broken:
        for problem in broken.problems:
            err.print(render(problem))
        err.print("まちがいを直してから、試してください。")
        raise typer.Exit(1) from broken
    trial, own = lint.try_examples(base), _with_own_examples(base)
    missed = sorted(trial.missed, key=lambda one: one.entry_id not in own)
    if missed:
        out.print(_table(missed if every else missed[:MOST_ROWS]))
    left = 0 if every else max(len(trial.missed) - MOST_ROWS, 0)
    if left:
        out.print(f"ほかに {left} 件（--all で全部）")
    change_verbs.show_shadows(shadows({one.text: (one.entry_id, one.first) for one in missed})[: None if every else MOST_PAIRS], base)
    own_examples = sum(len(base.entries[entry_id].examples) for entry_id in own)
    own_found = own_examples - sum(one.entry_id in own for one in missed)
    for what, found, of in (
        ("例文で、自分の項目が 3 枚のカードに入るもの", trial.found, trial.examples),
        ("　そのうち、このフォルダーに書かれた例文", own_found, own_examples),
        ("例文で、自分の項目が 1 位のもの", trial.first, trial.examples),
        ("not_for の文で、その項目が 1 位にならないもの", trial.refused, trial.refusals),
    ):
        out.print(f"{what}: {found} / {of} 件" + (f"（{found / of:.1%}）" if of else ""))


@app.command()
def calibrate(
    folder: Folder = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="書かずに、数字だけ見る / only show the figures")] = False,
) -> None:
    """どれだけ自信をもって答えてよいかを、例文から測りなおす / refit the confidence to this base's own examples."""
    place = _folder(folder)
    try:
        base = load(place)
    except BrokenBase as broken:
        for problem in broken.problems:
            err.print(render(problem))
        raise typer.Exit(1) from broken
    fitted = refit(base.hearing, [text for entry in base.entries.values() for text in entry.examples])
    if not fitted.enough:
        out.print(f"例文が {fitted.examples} 件しかないので、はじめからの数字のまま使います（{FEWEST} 件から測れます）。")
        return
    out.print(f"{fitted.examples} 件の例文で測りました（合わせるのに使わなかった半分での数字）。")
    out.print(f"自分の項目が 3 枚のカードに入る: {fitted.found:.1%}")
    out.print(f"答えられる文とそうでない文を見分ける: {fitted.ranking:.2f}　自信のずれ: {fitted.error:.3f}")
    if not dry_run:
        (place / CONFIDENCE_FILE).write_text(fitted.confidence.written(), encoding="utf-8")
        out.print(f"書きました: {place / CONFIDENCE_FILE}　つぎに起動したときから使われます。")


@app.command()
def new(folder: Annotated[Path, typer.Argument(help="新しいフォルダーの場所 / where to make it")]) -> None:
    """欄の説明つきの、町のフォルダーを作る / make a commented folder for a town."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        err.print(f"{folder} には、もう何かあります。空の場所を選んでください。")
        raise typer.Exit(2)
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(NEW_TOWN.glob("*.yaml")):
        shutil.copyfile(file, folder / file.name)
        out.print(f"  {folder / file.name}")
    exchange_verbs.write(folder / FILE, json.dumps(entry_schema(), ensure_ascii=False, indent=1) + "\n")
    change_verbs.remember_starter(folder)
    out.print(f"作りました。はじめに town.yaml を書きかえて、madoguchi knowledge check {folder} で点検してください。")


def _worth_showing(problems: list[Problem]) -> tuple[list[Problem], dict[str, int]]:
    """Every mistake, and the first of each kind of advice: somebody else's base of 1,800 entries must not bury its three mistakes."""
    seen, shown, left = Counter[str](), list[Problem](), dict[str, tuple[str, int]]()
    for problem in problems:
        seen[problem.code] += problem.level == "warning"
        if problem.level == "error" or seen[problem.code] <= MOST_OF_A_KIND:
            shown.append(problem)
        else:
            left[problem.code] = (problem.message, seen[problem.code] - MOST_OF_A_KIND)
    return shown, dict(left.values())


def _folder(folder: Path | None) -> Path:
    return Settings().knowledge if folder is None else folder


def _with_own_examples(base: Base) -> set[str]:
    """Entries whose examples stand in this folder itself: those its staff can mend."""
    laid = lay(base.folder)
    own = {entry_id: laid.sheets[entry_id].sources[0] for entry_id in laid.own_ids & base.entries.keys()}
    return {entry_id for entry_id, source in own.items() if source.has(("examples",)) or source.has(("examples+",))}


def _table(missed: Iterable[lint.Missed]) -> Table:
    table = Table(title="自分の項目を見つけない例文")
    for heading in ("項目", "例文", "順位", "1 位になった項目"):
        table.add_column(heading, overflow="fold")
    for one in missed:
        table.add_row(one.entry_id, one.text, str(one.place or "圏外"), one.first)
    return table


def _for_github(problem: Problem) -> str:
    """One annotation of a pull request (GitHub's workflow commands)."""
    text = f"{problem.message} {problem.hint}".strip().replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::{problem.level} file={problem.file},line={problem.line},col={problem.column}::{text}"
