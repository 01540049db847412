"""One starter base for all tests of hearing: building it takes two seconds."""

import pytest

from knowledge.base import STARTER, Base, load


@pytest.fixture(scope="session")
def base() -> Base:
    return load(STARTER)
