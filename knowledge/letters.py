"""What is wrong with the letters of a file before anybody asks what its YAML means: conflict marks, invisible letters, mountains of brackets.

Each is told at its line and mended in memory, so that reading goes on and finds the next mistake.
"""

import re
from collections.abc import Iterator
from typing import Final

from knowledge.problem import Problem

MOST_OPEN: Final = 200
"""Open brackets of one text, those in prose counted too."""

INVISIBLE: Final = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff\ud800-\udfff\ufffe\uffff"
"""Letters nobody sees and nobody meant. Not the joiners and selectors (U+200D, U+FE0F), of which emoji and some names are made."""
ODD_SPACE: Final = "\u3000\xa0\u2000-\u200a\u202f\u205f"
"""Spaces that look like a space and are none to YAML."""

_INVISIBLE: Final = re.compile(f"[{INVISIBLE}]")
_GARBLED: Final = re.compile("\ufffd+")
_BRACKETS: Final = re.compile(r"[\[\]{}]")
_CONFLICT: Final = re.compile(r"^(<{7}|\|{7}|={7}|>{7})( |$)")


def clean(file: str, lines: tuple[str, ...]) -> tuple[list[str], list[Problem]]:
    """The lines without what nobody meant, as many as before, and what was told about them."""
    cleaned, problems = _without_conflicts(file, lines)
    for number, line in enumerate(cleaned):
        found = _INVISIBLE.search(line)
        if found:
            cleaned[number] = _INVISIBLE.sub("", line)
            problems.append(_invisible(file, number + 1, lines[number], found, cleaned[number]))
        garbled = _GARBLED.search(line)
        if garbled:
            message, hint = "文字が壊れています（�）", "もとの文書を見て、打ちなおしてください。保存のときの文字コードがちがったのかもしれません。"
            problems.append(Problem(file, number + 1, garbled.start() + 1, "error", "garbled", message, hint, line, garbled.end() - garbled.start()))
    return cleaned, problems


def _invisible(file: str, number: int, line: str, found: re.Match[str], mended: str) -> Problem:
    message = f"目に見えない文字（U+{ord(found[0]):04X}）が入っています"
    hint = "その文字を消してください。ほかの文書から写したときに入ることがあります。"
    return Problem(file, number, found.start() + 1, "error", "control_letter", message, hint, _INVISIBLE.sub("?", line), 1, mended)


def _without_conflicts(file: str, lines: tuple[str, ...]) -> tuple[list[str], list[Problem]]:
    """Of two changes that met, the first is read on; the marks and the second are taken for empty lines."""
    kept, problems, side = list(lines), list[Problem](), ""
    for number, line in enumerate(lines):
        mark = _CONFLICT.match(line)
        if mark:
            side = {"<": "ours", "|": "base", "=": "theirs", ">": ""}[line[0]]
            hint = "<<<<<<< から >>>>>>> までを見て、正しいほうだけを残し、印の行（<<<<<<<、=======、>>>>>>>）を消してください。"
            message = "二人の変更がぶつかった印が残っています"
            problems.append(Problem(file, number + 1, 1, "error", "merge_conflict", message, hint, line, 7))
        if mark or side in ("base", "theirs"):
            kept[number] = ""
    if side == "theirs" and not any(line.startswith("<" * 7) for line in lines):  # a lone ======= : both halves stand
        kept = ["" if _CONFLICT.match(line) else line for line in lines]
    return kept, problems


def too_many_brackets(file: str, lines: list[str], deepest: int) -> Iterator[Problem]:
    """Thousands of open brackets take the parser minutes (its time grows with the square of them): refused before it sees them."""
    depth = 0
    for number, line in enumerate(lines, 1):
        for bracket in _BRACKETS.finditer(line):
            depth = max(depth + (1 if bracket[0] in "[{" else -1), 0)
            if depth > MOST_OPEN:
                message = f"{deepest} 段より深い字下げは読めません"
                yield Problem(file, number, bracket.start() + 1, "error", "too_deep", message, "[ ] や { } を減らしてください。", line)
                return
