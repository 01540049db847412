"""What is wrong in a file of the knowledge base, said so that the one who wrote it can mend it (D15, R50).

Place, what is wrong, the line itself, what to write. In Japanese, without blame.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

Severity = Literal["error", "warning"]
"""An error keeps the whole edit from being used; a warning is advice."""


LONGEST_LINE: Final = 120
"""Letters of a line that are shown."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. `line` and `column` count from 1; `width` is how many characters the caret underlines."""

    file: str
    line: int
    column: int
    level: Severity
    code: str
    """A short stable word for tests and tools: `full_width_digits`, `duplicate_id`, …"""
    message: str
    hint: str = ""
    source_line: str = ""
    width: int = 1
    mended: str | None = None
    """The whole line as it should be, when there is only one way to mend it (the desk's [そうする])."""

    @property
    def order(self) -> tuple[str, int, int, bool, str]:
        """By place; at one place what keeps an edit from being used stands before advice."""
        return (self.file, self.line, self.column, self.level != "error", self.code)


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Only what keeps an edit from being used."""
    return [problem for problem in problems if problem.level == "error"]


def render(problem: Problem) -> str:
    """The problem as staff read it in a terminal: place and message, the line, a caret with the hint (style.md)."""
    advice = "" if problem.level == "error" else "[注意] "
    first = f"{problem.file}:{problem.line}:{problem.column}  {advice}{problem.message}"
    if not problem.source_line:
        return f"{first}\n     {problem.hint}" if problem.hint else first
    number = f"{problem.line:>4}"
    problem = _in_window(problem)
    before, under = _widths(problem)
    shown = problem.source_line.replace("\t", "→")
    return f"{first}\n{number} | {shown}\n     | {' ' * before}{'^' * under} {problem.hint}".rstrip()


def _in_window(problem: Problem) -> Problem:
    """Of a very long line, what stands around the mistake."""
    line = problem.source_line
    if len(line) <= LONGEST_LINE:
        return problem
    start = min(max(problem.column - 1 - LONGEST_LINE // 2, 0), len(line))
    end = start + LONGEST_LINE
    shown = ("…" if start else "") + line[start:end] + ("…" if end < len(line) else "")
    column = problem.column - start + bool(start)
    return replace(problem, source_line=shown, column=column, width=min(problem.width, len(shown) - column + 1))


def _widths(problem: Problem) -> tuple[int, int]:
    """Columns of the terminal before and under the caret: Japanese letters are two columns wide."""
    start = min(problem.column - 1, len(problem.source_line))
    marked = problem.source_line[start : start + problem.width]
    return _columns(problem.source_line[:start]), max(_columns(marked), 1)


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


@dataclass(frozen=True, slots=True)
class Broken:
    """One line that YAML cannot read (mending.py). `line` and `column` count from 0."""

    line: int
    column: int
    code: str
    message: str
    hint: str
    width: int = 1
    mended: str | None = None
    """The line with its form put right, so that reading can go on; None when nobody can know."""
    certain: bool = True
    """The mended line is what the writer meant; otherwise it only lets reading go on."""
    lines_below: int = 0
    """So many of the next lines belong to it."""

    def problem(self, file: str, lines: Sequence[str]) -> Problem:
        source = lines[self.line] if self.line < len(lines) else ""
        sure = self.mended if self.certain else None
        return Problem(file, self.line + 1, self.column + 1, "error", self.code, self.message, self.hint, source, self.width, sure)
