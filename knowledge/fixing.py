"""Mistakes that can be mended in only one way, mended in the file itself; everything else stays as it was typed (D15).

A line is changed only when the file is better afterwards: fewer mistakes, and none that was not there before.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from knowledge.problem import Problem, errors

SAFE: Final = frozenset(
    (
        "wide_colon", "no_space_after_colon", "wide_space", "no_space_after_dash", "wide_dash", "empty_before_hash", "strange_start",
        "colon_in_value", "text_after_quote", "full_width_digits", "clock", "date", "truth", "control_letter", "double_comma",
        "hours", "days", "url", "mail", "no_dash", "foreign_note", "wide_indent", "pasted", "comma_at_end", "no_comma", "language",
        "wide_brackets",
    )
)  # fmt: skip
"""Kinds of mistake whose mending cannot mean anything else. An open quote or bracket is not among them: it may end earlier."""
MOST_ROUNDS: Final = 12
"""One line may hold several mistakes: each round mends one of each line."""

_LINES: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Fixed:
    """What became of a file. `done` are the mistakes that are gone, at the lines where they stood."""

    text: str
    done: tuple[Problem, ...]


def fixed(content: bytes, check: Callable[[str], list[Problem]]) -> Fixed | None:
    """The file with its safe mistakes mended; None when it is no text that can be read. `check` tells the mistakes of a text of this file."""
    text = _decoded(content)
    if text is None:
        return None
    lines, done, given_up = _LINES.split(text), list[Problem](), set[tuple[int, str]]()
    problems = check("\n".join(lines))
    for _ in range(MOST_ROUNDS):
        todo = _one_a_line(problem for problem in problems if (problem.line, problem.code) not in given_up)
        if not todo:
            break
        for problem in todo:
            tried = [*lines[: problem.line - 1], problem.mended or "", *lines[problem.line :]]
            after = check("\n".join(tried))
            if _better(problems, after):
                lines, problems = tried, after
                done.append(problem)
            else:
                given_up.add((problem.line, problem.code))
    return Fixed("\n".join(lines), tuple(sorted(done, key=lambda problem: problem.order)))


def _decoded(content: bytes) -> str | None:
    for code in ("utf-8-sig", "cp932"):
        try:
            return content.decode(code)
        except UnicodeDecodeError:
            continue
    return None


def _one_a_line(problems: Iterable[Problem]) -> list[Problem]:
    found: dict[int, Problem] = {}
    for problem in problems:
        if problem.mended is not None and problem.code in SAFE:
            found.setdefault(problem.line, problem)
    return list(found.values())


def _better(before: list[Problem], after: list[Problem]) -> bool:
    """Some mistake is gone; what is new at most was hidden by it, and stands at another line of the same file. Advice does not count against it."""
    was = [(problem.line, problem.code) for problem in errors(before)]
    now = [(problem.line, problem.code) for problem in errors(after)]
    return len(now) < len(was) or (now != was and not set(now) - set(was))
