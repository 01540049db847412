"""`madoguchi eval` fails where hearing falls short of what was agreed."""

import json
from pathlib import Path

import pytest

from bot.bench.eval import AGREED, BOTH, CALIBRATED, DANGERS, DECISIONS, FIRST, THREE, UNSEEN, fallen_short


@pytest.mark.parametrize(
    ("figures", "missed"),
    [
        ({"heard": 0.99, "false": 0.03}, []),
        ({"heard": 0.98, "false": 0.03}, ["heard: 0.980, agreed at least 0.99"]),
        ({"heard": 1.0, "false": 0.04}, ["false: 0.040, agreed at most 0.03"]),
        ({"heard": 1.0}, ["false: not measured"]),
    ],
)
def test_a_figure_short_of_the_agreed_one_is_named(tmp_path: Path, figures: dict[str, float], missed: list[str]) -> None:
    agreed = tmp_path / "agreed.json"
    agreed.write_text(json.dumps({"heard": {"least": 0.99}, "false": {"most": 0.03}}), encoding="utf-8")
    assert fallen_short(figures, agreed) == missed


def test_every_agreed_figure_is_one_that_is_measured() -> None:
    assert set(json.loads(AGREED.read_text(encoding="utf-8"))) <= {FIRST, THREE, BOTH, *DECISIONS, *UNSEEN, *CALIBRATED, *DANGERS}
