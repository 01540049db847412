"""A scan stays short for a long message: it stands before every answer (G1)."""

import time
from pathlib import Path

import pytest

from knowledge.hearing.danger import DangerList

LIST = Path(__file__).parents[3] / "knowledge" / "starter" / "danger.yaml"


@pytest.fixture(scope="module")
def danger() -> DangerList:
    return DangerList.load(LIST)


def seconds(danger: DangerList, text: str, tries: int = 3) -> float:
    """The shortest of some scans, so that a busy machine does not speak."""
    times = []
    for _ in range(tries):
        begun = time.process_time()
        danger.scan(text)
        times.append(time.process_time() - begun)
    return min(times)


@pytest.mark.parametrize("piece", ["死にたい", "夫に殴られ", "ああ", "a ", "たすけて。", "薬を全部飲んだ、", "昔死にたいわけじゃない"])
def test_time_grows_with_length_and_not_with_its_square(danger: DangerList, piece: str) -> None:
    short, long = (piece * 10_000)[:10_000], (piece * 100_000)[:100_000]
    assert seconds(danger, long) < 30 * max(seconds(danger, short), 0.001)
