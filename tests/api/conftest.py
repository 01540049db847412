"""The same office as the desk's tests, entered with a token."""

from collections.abc import AsyncIterator

import httpx
import pytest

from storage import staff
from tests.desk.conftest import URL, Office, clock, desk_store, knowledge, office, settings

__all__ = ["clock", "desk_store", "knowledge", "office", "settings"]


def key_for(office: Office, login: str = "sato", name: str = "佐藤", role: str = "coordinator") -> str:
    """An account and a token with its rights."""
    now = office.clock.now()
    invitation = office.store.transact(lambda rows: staff.invite(rows, role=role, now=now))
    office.store.transact(lambda rows: staff.accept(rows, invitation, login=login, name=name, password_hash="!", now=now))
    token = office.store.transact(lambda rows: staff.add_token(rows, login=login, name=f"key of {login}", now=now))
    assert token is not None
    return token


def system(office: Office, token: str | None) -> httpx.AsyncClient:
    """Another system of the town."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=office.app), base_url=f"{URL}/api/v1", headers=headers)


@pytest.fixture
async def sato(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    async with system(office, key_for(office)) as opened:
        yield opened
