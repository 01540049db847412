"""Where the parser stopped reading, and which lines may be to blame for it."""

from collections.abc import Sequence
from typing import Final

import yaml

LONGEST: Final = 4000
"""Longer lines are only pointed at, not explained: nobody typed them, and looking at them takes time (R50)."""
FIELD: Final = r"^(?P<before>\s*(?:- +)*)"
"""How a line with a field begins."""


def place(error: yaml.MarkedYAMLError, lines: Sequence[str]) -> tuple[int, int]:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return 0, 0
    line = min(mark.line, max(len(lines) - 1, 0))
    while line > 0 and not lines[line].strip():
        line -= 1
    return line, min(mark.column, len(lines[line]) if lines else 0)


def began(error: yaml.MarkedYAMLError, lines: Sequence[str]) -> int | None:
    """The line where that began which could not be ended; None when the parser counts lines that are not there."""
    mark = error.context_mark
    return mark.line if mark is not None and mark.line < len(lines) else None


def near(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> list[int]:
    """The line of the complaint, where its sentence began, and the written line before: one of these is to blame."""
    candidates = [line]
    if error.context_mark is not None and error.context == "while scanning a simple key":
        candidates.append(error.context_mark.line)
    above = line - 1
    while above >= 0 and (not lines[above].strip() or lines[above].lstrip().startswith("#")):
        above -= 1
    return list(dict.fromkeys(number for number in [*candidates, above] if 0 <= number < len(lines)))
