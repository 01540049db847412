"""The picture of `madoguchi eval`: is the confidence true, and for whose way of writing do the cards fit? Plain SVG, drawn here."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

BINS: Final = 10
_WIDTH, _SIDE, _LEFT, _TOP = 720, 260, 60, 50
_LABEL, _ROW = 220, 24
_INK, _GRID, _OURS, _PAPER = "#1a1a1c", "#949497", "#0017c1", "#ffffff"
FEWEST: Final = 5
"""Messages from which a bin or a style is drawn; fewer say nothing."""


def picture(told: Sequence[tuple[float, bool]], by_style: Mapping[str, Sequence[bool]]) -> str:
    """`told`: chance and whether it came true, for each message. `by_style`: whether the cards were right, by way of writing."""
    styles = {name: right for name, right in sorted(by_style.items(), key=lambda one: -sum(one[1]) / len(one[1])) if len(right) >= FEWEST}
    below = _TOP + _SIDE + 80
    height = below + 20 + len(styles) * _ROW
    drawn = [*_curve(told), _text(16, below, "one of three cards is right, by way of writing", bold=True)]
    drawn += [_bar(name, right, below + 14 + at * _ROW) for at, (name, right) in enumerate(styles.items())]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="13" fill="{_INK}" role="img">'
        f'<title>madoguchi eval</title><rect width="{_WIDTH}" height="{height}" fill="{_PAPER}"/>{"".join(drawn)}</svg>\n'
    )


def _curve(told: Sequence[tuple[float, bool]]) -> list[str]:
    """What was promised against what came true: on the dashed line they are the same. A larger point stands for more messages."""
    points = []
    for number in range(BINS):
        among = [(chance, right) for chance, right in told if min(int(chance * BINS), BINS - 1) == number]
        if len(among) >= FEWEST:
            points.append((sum(chance for chance, _ in among) / len(among), sum(right for _, right in among) / len(among), len(among)))
    places = [(_across(chance), _down(share), count) for chance, share, count in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
    marks = (0.0, 0.5, 1.0)
    return [
        _text(16, 28, f"chance given that one of three cards is right, and how often it was ({len(told)} messages)", bold=True),
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="{_GRID}"/>',
        f'<path d="M{_across(0)},{_down(0)}L{_across(1)},{_down(1)}" stroke="{_GRID}" stroke-dasharray="4 4"/>',
        f'<polyline points="{line}" fill="none" stroke="{_OURS}" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{2 + count**0.5 / 2:.1f}" fill="{_OURS}"/>' for x, y, count in places),
        *(_text(_across(mark) - 8, _TOP + _SIDE + 18, f"{mark:.1f}") for mark in marks),
        *(_text(_LEFT - 30, _down(mark) + 4, f"{mark:.1f}") for mark in marks),
        _text(_LEFT + _SIDE / 2 - 20, _TOP + _SIDE + 36, "chance"),
    ]


def _across(share: float) -> float:
    return _LEFT + share * _SIDE


def _down(share: float) -> float:
    return _TOP + (1 - share) * _SIDE


def _bar(name: str, right: Sequence[bool], top: int) -> str:
    share = sum(right) / len(right)
    length = max(1.0, (_WIDTH - _LABEL - 120) * share)
    return (
        f'<text x="{_LABEL - 8}" y="{top + 14}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{_LABEL}" y="{top + 2}" width="{length:.1f}" height="16" fill="{_OURS}"/>'
        + _text(_LABEL + length + 6, top + 14, f"{share:.2f} of {len(right)}")
    )


def _text(x: float, y: float, words: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{weight}>{escape(words)}</text>'
