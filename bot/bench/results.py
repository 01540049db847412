"""What a run of `madoguchi bench` found: a table, and a picture of it (SVG, written here: a few bars need no library)."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from rich.table import Table

from bot.bench.contenders import ECHO, PLAIN

if TYPE_CHECKING:
    from bot.bench.speed import Lap

_BEHIND, _NONE, _UNKNOWN = "could not keep up", "–", "not measured"
_WIDTH, _LABEL, _ROW = 720, 220, 26
_INK, _BAR, _OURS, _PAPER = "#1a1a1c", "#949497", "#0017c1", "#ffffff"


def table(laps: "Mapping[str, Sequence[Lap]]", rates: Sequence[float], crowd: int) -> Table:
    """One column a contender, one row a measure; the median of the rounds. – = not measured."""
    shown = Table(title=f"durable, matched and answered events: {crowd} residents at once, then so many events a second (echo and plain only answer)")
    shown.add_column("")
    for name in laps:
        shown.add_column(name, justify="right")
    echo = _median(laps.get(ECHO, ()), _flat_out)
    for name, row in _rows(rates, echo):
        shown.add_row(name, *(row(of_one) for of_one in laps.values()))
    return shown


def _rows(rates: Sequence[float], echo: float | None) -> "list[tuple[str, Callable[[Sequence[Lap]], str]]]":
    def number(form: str, figure: "Callable[[Lap], float | None]") -> "Callable[[Sequence[Lap]], str]":
        def cell(laps: "Sequence[Lap]") -> str:
            found = _median(laps, figure)
            return _NONE if found is None else form.format(found)

        return cell

    def of_echo(laps: "Sequence[Lap]") -> str:
        found = _median(laps, _flat_out)
        return _NONE if found is None or not echo else f"{found / echo:.2f}"

    steady = [(f"p50 / p99 ms at {rate:.0f}/s", lambda laps, rate=rate: _times(laps, rate)) for rate in rates]
    return [
        ("events/s", number("{:.0f}", _flat_out)), ("of echo", of_echo), ("processor ms a message", number("{:.1f}", lambda lap: lap.cpu)), *steady,
        ("p99 ms at 10/s beside a flood of one", number("{:.0f}", lambda lap: None if lap.flooded is None else lap.flooded.p99)),
        ("… not answered", number("{:.0f}", lambda lap: None if lap.flooded is None else lap.flooded.failed)),
        ("first start s", number("{:.1f}", lambda lap: lap.ready_after if lap.first else None)),
        ("start s", number("{:.1f}", lambda lap: None if lap.first else lap.ready_after)),
        ("MB at rest", number("{:.0f}", lambda lap: lap.at_rest)), ("MB after", number("{:.0f}", lambda lap: lap.after)),
    ]  # fmt: skip


def _flat_out(lap: "Lap") -> float | None:
    return None if lap.flat_out is None else lap.flat_out.a_second


def _times(laps: "Sequence[Lap]", rate: float) -> str:
    """Both, or that it could not keep up in most rounds: with this rate, or with a lower one, after which no higher is tried."""
    tried = [lap.steady for lap in laps if lap.steady]
    kept = [steady[rate] for steady in tried if rate in steady and steady[rate].kept_up]
    if not tried or (len(kept) * 2 <= len(tried) and all(figures.kept_up for steady in tried for figures in steady.values())):
        return _NONE
    if len(kept) * 2 <= len(tried):
        return _BEHIND
    return f"{statistics.median(one.p50 for one in kept):.1f} / {statistics.median(one.p99 for one in kept):.1f}"


def _median(laps: "Sequence[Lap]", figure: "Callable[[Lap], float | None]") -> float | None:
    found = [one for one in map(figure, laps) if one is not None]
    return statistics.median(found) if found else None


# ---------------------------------------------------------------- the picture


def picture(laps: "Mapping[str, Sequence[Lap]]", rates: Sequence[float]) -> str:
    """Bars: events a second, then p99 at each rate, for every contender."""
    charts = [("events a second (more is better)", {name: (_median(of_one, _flat_out), _UNKNOWN) for name, of_one in laps.items()})]
    for rate in rates:
        bars = {name: (_p99(of_one, rate), _BEHIND if _times(of_one, rate) == _BEHIND else _UNKNOWN) for name, of_one in laps.items()}
        charts.append((f"p99 in ms from webhook to reply at {rate:.0f} events a second (less is better)", bars))
    drawn, at = list[str](), 20
    for title, bars in charts:
        drawn.append(f'<text x="16" y="{at + 8}" font-weight="bold">{escape(title)}</text>')
        most = max((value for value, _ in bars.values() if value is not None), default=1.0)
        for number, (name, (value, without)) in enumerate(bars.items()):
            drawn.append(_bar(name, value, most, without, at + 20 + number * _ROW))
        at += 40 + len(bars) * _ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {at}" font-family="sans-serif" font-size="13" fill="{_INK}" role="img">'
        f'<title>madoguchi bench</title><rect width="{_WIDTH}" height="{at}" fill="{_PAPER}"/>{"".join(drawn)}</svg>\n'
    )


def _p99(laps: "Sequence[Lap]", rate: float) -> float | None:
    """None also where it kept up in the fewer rounds only."""
    if _times(laps, rate) in (_BEHIND, _NONE):
        return None
    return statistics.median(lap.steady[rate].p99 for lap in laps if rate in lap.steady and lap.steady[rate].kept_up)


def _bar(name: str, value: float | None, most: float, without: str, top: int) -> str:
    length = 0.0 if value is None else max(1.0, (_WIDTH - _LABEL - 120) * value / most)
    colour = _BAR if name in (ECHO, PLAIN) else _OURS
    told = without if value is None else f"{value:.0f}"
    return (
        f'<text x="{_LABEL - 8}" y="{top + 14}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{_LABEL}" y="{top + 2}" width="{length:.1f}" height="16" fill="{colour}"/>'
        f'<text x="{_LABEL + length + 6:.1f}" y="{top + 14}">{told}</text>'
    )
