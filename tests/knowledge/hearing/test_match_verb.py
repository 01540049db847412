"""`madoguchi match`: one line in, one line out, and a broken line never stops the others (design.md §5)."""

import io
import json

from bot import match
from knowledge.base import Base


def answers(base: Base, *lines: str, ranked: int | None = None) -> tuple[int, list[dict[str, object]], str]:
    out, err = io.StringIO(), io.StringIO()
    code = match.run(lines, out, base, ranked, err=err)
    return code, [json.loads(line) for line in out.getvalue().splitlines()], err.getvalue()


def test_a_line_is_answered_in_the_shape_of_the_design(base: Base) -> None:
    code, (answer,), _ = answers(base, '{"id": "a1", "text": "家賃が払えません"}')
    assert code == 0
    assert list(answer) == ["id", "decision", "danger", "intent", "needs", "cards", "lang"]
    assert list(answer["danger"]) == ["level", "kinds", "rule"]  # type: ignore[call-overload]
    assert set(answer["needs"][0]) == {"text", "domain", "services"}  # type: ignore[index]
    assert set(answer["needs"][0]["services"][0]) == {"id", "score", "why"}  # type: ignore[index]


def test_ranked_gives_just_the_order(base: Base) -> None:
    _, (answer,), _ = answers(base, '{"id": 7, "text": "家賃が払えません"}', ranked=12)
    assert answer["id"] == 7
    assert len(answer["ranked"]) == 12  # type: ignore[arg-type]


def test_broken_lines_are_named_and_the_others_answered(base: Base) -> None:
    code, answered, errors = answers(base, "{", '{"id": 1}', "", '{"id": 2, "text": 5}', "[]", '{"id": 3, "text": "ごみ出しができません"}')
    assert code == 2
    assert [answer["id"] for answer in answered] == [3]
    assert [line.split(":")[0] for line in errors.splitlines()] == ["1 行目", "2 行目", "4 行目", "5 行目"]
