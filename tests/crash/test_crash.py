"""A short drill on SQLite; `make crash` is the long one, on both engines."""

from pathlib import Path

import pytest

from tests.accounts import Written, fewest_twice
from tests.conftest import Database
from tests.crash import drill


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_at_any_moment_it_loses_nothing_and_says_nothing_twice(sqlite_database: Database, tmp_path: Path) -> None:
    account = drill.run(sqlite_database.url, tmp_path, messages=96, kills=4, residents=24, seed=7)
    assert account.faults == []
    assert account.messages == 96
    assert account.kills.total() >= 4


def sent(shown: str, *, perhaps_twice: bool = False) -> Written:
    return Written(shown, "sent", perhaps_twice)


def test_the_account_sees_what_is_missing_doubled_or_out_of_order() -> None:
    written = [sent("a"), sent("b"), sent("c")]
    assert fewest_twice(written, ["a", "b", "c"]) == 0
    assert fewest_twice(written, ["a", "c"]) is None
    assert fewest_twice(written, ["a", "b", "b", "c"]) is None
    assert fewest_twice(written, ["b", "a", "c"]) is None


def test_the_account_is_not_led_astray_by_answers_that_are_alike() -> None:
    """Which of several like ones came twice cannot be seen; taking the first for it blamed the product for what it had done right."""
    assert fewest_twice([sent("a", perhaps_twice=True), sent("a"), sent("b", perhaps_twice=True)], ["a", "a", "b", "b"]) == 1
    lost = Written("a", "failed", maybe_twice=False)
    assert fewest_twice([lost, sent("a")], ["a"]) == 0
