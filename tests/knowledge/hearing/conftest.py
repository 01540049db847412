"""One starter base for all tests of hearing: building it takes seconds."""

import pytest

from knowledge.base import STARTER, Base, load
from tests.kept import kept


@pytest.fixture(scope="session")
def base() -> Base:
    return load(STARTER, kept("starter"))
