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
        begun = time.perf_counter()
        danger.scan(text)
        times.append(time.perf_counter() - begun)
    return min(times)


def test_four_hundred_characters_take_about_a_millisecond(danger: DangerList) -> None:
    text = ("来月の家賃のことで相談です。仕事が減って貯金もなくなりそうで、夜も眠れません。子どもが二人います。" * 10)[:400]
    danger.scan(text)
    assert seconds(danger, text, tries=10) < 0.004


@pytest.mark.parametrize("piece", ["死にたい", "夫に殴られ", "ああ", "a ", "たすけて。", "薬を全部飲んだ、", "昔死にたいわけじゃない"])
def test_time_grows_with_length_and_not_with_its_square(danger: DangerList, piece: str) -> None:
    short, long = (piece * 10_000)[:10_000], (piece * 100_000)[:100_000]
    assert seconds(danger, long) < 30 * max(seconds(danger, short), 0.001)
    assert seconds(danger, long, tries=1) < 10
