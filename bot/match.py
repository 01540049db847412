"""`madoguchi match`: worries in, services out; JSON lines as design.md §5 has them."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from knowledge.base import Base, BrokenBase, load
from knowledge.hearing import Hearing, hear
from knowledge.problem import render

BROKEN = 2
"""Exit code when a line could not be read, or the base could not be loaded."""


def main(folder: Path, *, jsonl: bool, ranked: int | None, text: str | None) -> int:
    """The verb: one worry from the command line, or a line of JSON for each on standard input. Returns the exit code."""
    if text is None and not jsonl:
        print("相談の文を書くか、--jsonl を付けて標準入力から渡してください。", file=sys.stderr)
        return BROKEN
    try:
        base = load(folder)
    except BrokenBase as broken:
        for problem in broken.problems:
            print(render(problem), file=sys.stderr)
        return BROKEN
    if text is not None:
        print(_line("1", text, base, ranked))
        return 0
    return run(sys.stdin, sys.stdout, base, ranked)


def run(lines: Iterable[str], out: TextIO, base: Base, ranked: int | None = None, *, err: TextIO | None = None) -> int:
    """Answer every `{"id", "text"}` line in order; a broken one is named on `err` with its number and the rest still answered."""
    broken = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            asked_id, text = _asked(line)
        except ValueError as wrong:
            print(f"{number} 行目: {wrong}", file=err or sys.stderr)
            broken += 1
            continue
        out.write(_line(asked_id, text, base, ranked) + "\n")
        out.flush()
    return BROKEN if broken else 0


def _asked(line: str) -> tuple[Any, str]:
    try:
        asked = json.loads(line)
    except json.JSONDecodeError as wrong:
        raise ValueError(f"JSON として読めません（{wrong.pos + 1} 文字目: {wrong.msg}）") from wrong
    except RecursionError as wrong:
        raise ValueError("JSON の入れ子が深すぎます") from wrong
    if not isinstance(asked, dict):
        raise ValueError('{"id": …, "text": …} の形で書いてください')
    if "id" not in asked:
        raise ValueError('"id" がありません')
    if not isinstance(asked.get("text"), str):
        raise ValueError('"text" がないか、文字列ではありません')
    return asked["id"], asked["text"]


def _line(asked_id: Any, text: str, base: Base, ranked: int | None) -> str:
    if ranked is not None:
        answer: dict[str, Any] = {"id": asked_id, "ranked": base.hearing.order(text, ranked)}
    else:
        answer = {"id": asked_id, **told(hear(text, base))}
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")


def told(hearing: Hearing) -> dict[str, Any]:
    """A hearing in the shape of design.md §5."""
    return {
        "decision": hearing.decision,
        "danger": {"level": hearing.danger.level, "kinds": list(hearing.danger.kinds), "rule": hearing.danger.rule},
        "intent": hearing.intent,
        "needs": [
            {
                "text": need.text,
                "domain": need.domain,
                "services": [{"id": match.id, "score": match.score, "why": list(match.why)} for match in need.services],
            }
            for need in hearing.needs
        ],
        "cards": list(hearing.cards),
        "lang": hearing.lang,
    }
