"""Charts of the statistics as SVG, drawn with Altair. A process of its own (`python -m bot.figures.drawing`): it reads a list of `Bars` from its
input, writes `{name: svg}`, and ends, so that neither the start nor the memory of the product knows of it (altair and V8: 140 MB, two seconds).

Nothing is fetched: the numbers come with the order, and the letters are those of whoever looks.
"""

import json
import sys
from collections.abc import Sequence
from typing import Any, TypedDict
from xml.sax.saxutils import escape

import altair as alt
import vl_convert

_WIDTH, _LABELS, _ROW, _SPARE = 640, 224, 34, 1.3
"""Pixels of the whole, of the words at the left, and of one line; bars are this many times shorter than there is room, for the number behind them."""
_LONGEST_LABEL = 17
_FONT = "Noto Sans JP, BIZ UDPGothic, Meiryo, sans-serif"
_INK, _BAR, _PALE = "#1a1a1a", "#0017c1", "#ffffff"
"""The desk's own blue for this year; last year is an empty frame: told apart on black and white paper too."""


class Bar(TypedDict):
    label: str
    year: str
    """今年度 or 前年度."""
    many: int
    """Length; 0 where the number is hidden."""
    told: str
    """The number as it may be read."""


class Bars(TypedDict):
    """One chart: `{"name": "topics", "title": "困りごとの種類", "unit": "件",
    "bars": [{"label": "介護のこと", "year": "今年度", "many": 27, "told": "27"}]}`.
    """

    name: str
    title: str
    unit: str
    bars: list[Bar]


def draw(wanted: Bars) -> str:
    """Bars from zero, this year's over last year's, each with its number; with title and description for whoever does not see them."""
    svg: str = vl_convert.vegalite_to_svg(_chart(wanted).to_dict(), allowed_base_urls=[])
    told = "、".join(f"{one['label']} {one['year']} {one['told']}" for one in wanted["bars"])
    title = f"{wanted['title']}（{wanted['unit']}）"
    head, rest = svg.split(">", 1)
    return f'{head} role="img" lang="ja"><title>{escape(title)}</title><desc>{escape(told)}</desc>{rest}'


def _chart(wanted: Bars) -> Any:
    bars = wanted["bars"]
    order, years = list(dict.fromkeys(_short(one["label"]) for one in bars)), list(dict.fromkeys(one["year"] for one in bars))
    longest = max((one["many"] for one in bars), default=0) or 1
    words = alt.Axis(minExtent=_LABELS, maxExtent=_LABELS, labelLimit=_LABELS, ticks=False, domain=False)
    rows = alt.Chart(alt.Data(values=[{**one, "label": _short(one["label"])} for one in bars])).encode(
        y=alt.Y("label:N", sort=order, title=None, axis=words),
        yOffset=alt.YOffset("year:N", sort=years),
        x=alt.X("many:Q", title=None, axis=None, scale=alt.Scale(domain=[0, longest * _SPARE], nice=False)),
    )
    fills = alt.Scale(domain=["今年度", "前年度"], range=[_BAR, _PALE])
    legend = alt.Legend(title=None, orient="top", symbolType="square", symbolStrokeColor=_BAR, symbolStrokeWidth=1) if len(years) > 1 else None
    drawn = rows.mark_bar(stroke=_BAR, strokeWidth=1).encode(color=alt.Color("year:N", scale=fills, legend=legend))
    numbers = rows.mark_text(align="left", dx=6, color=_INK).encode(text="told:N")
    line = alt.Chart(alt.Data(values=[{}])).mark_rule(color=_INK).encode(x=alt.datum(0))
    return (
        alt.layer(drawn, numbers, line)
        .properties(width=_WIDTH - _LABELS, height=alt.Step(_ROW / len(years)))
        .configure(font=_FONT, background="transparent").configure_view(stroke=None)
        .configure_axis(labelFontSize=13, labelColor=_INK).configure_text(fontSize=13).configure_legend(labelFontSize=13, labelColor=_INK)
    )  # fmt: skip


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"


def main() -> None:
    wanted: Sequence[Bars] = json.load(sys.stdin)
    json.dump({one["name"]: draw(one) for one in wanted}, sys.stdout)


if __name__ == "__main__":
    main()
