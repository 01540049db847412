"""`madoguchi knowledge gaps`: what was not heard well, and what nothing could meet; the lists of the desk, without a word of a resident (D15c)."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from bot.clock import JST
from bot.settings import Settings

if TYPE_CHECKING:
    from storage.gaps import FoundGap
    from storage.unheard import Unheard, Why

out = Console(highlight=False, soft_wrap=True, markup=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

WHY: dict["Why", str] = {"gap": "合うものがなかった", "unclear": "二度聞いても分からなかった", "wrong": "「ちがう」と言われた"}


def gaps(
    days: Annotated[int, typer.Option(min=1, max=3660, help="この日数のあいだ / within these days")] = 28,
    format: Annotated[Literal["text", "json"], typer.Option(help="text | json")] = "text",
) -> None:
    """聞きとれなかった声と、制度の狭間を並べる（相談の言葉は出さない）/ what was not heard well or met by nothing, without any worry itself."""
    from bot import app as apps
    from storage import gaps as found_gaps
    from storage import unheard
    from storage.sealing import KeyFileProblem
    from storage.store import StoreDown

    try:
        store = apps.open_store(Settings(), exclusive=False)
    except (KeyFileProblem, StoreDown, OSError) as problem:
        err.print(f"データベースを開けません: {problem}")
        raise typer.Exit(1) from problem
    since = datetime.now(UTC) - timedelta(days=days)
    try:
        heard, missing = store.transact(lambda rows: (unheard.waiting(rows, None, since, limit=1_000), found_gaps.found(rows, since=since)))
    finally:
        store.close()
    if format == "json":
        typer.echo(json.dumps(_plain(heard, missing), ensure_ascii=False, indent=1))
        return
    _show(heard, missing, days)


def _plain(heard: "list[Unheard]", missing: "list[FoundGap]") -> dict[str, object]:
    return {
        "unheard": [{"at": one.at.isoformat(), "why": one.why, "cards": list(one.cards)} for one in heard],
        "gaps": [
            {"at": one.at.isoformat(), "reasons": list(one.reasons), "domain": one.domain, "source": one.source, "wish": one.wish} for one in missing
        ],
    }


def _show(heard: "list[Unheard]", missing: "list[FoundGap]", days: int) -> None:
    out.print(f"聞きとれなかった声: {len(heard)} 件（{days} 日間）")
    if heard:
        table = Table("日付", "どうして", "そのとき見せた案内")
        for one in heard:
            table.add_row(f"{one.at.astimezone(JST):%Y-%m-%d}", WHY[one.why], "、".join(one.cards) or "—")
        out.print(table)
        out.print("言葉を読み、例文・新しい項目・狭間にするのは、机の「聞きとれなかった声」（/desk/unheard）で。")
    from bot.desk import pages

    reasons = pages.words().gap_reasons
    out.print(f"制度の狭間: {len(missing)} 件")
    for reason, many in Counter(reason for one in missing for reason in one.reasons).most_common():
        out.print(f"  {reasons.get(reason, reason)}: {many} 件")
    for gap in missing:
        if gap.wish:
            out.print(f"  あったら助かったもの: {gap.wish}")
