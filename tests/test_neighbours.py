"""Several processes over one PostgreSQL: what changes in one is seen by whoever watches in another, and SQLite takes one process only."""

import asyncio
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy.engine import make_url

from bot import start
from bot.hub import Hub
from bot.settings import Settings
from storage.neighbours import exchange


@pytest.mark.postgres
async def test_a_wake_up_reaches_watchers_in_the_other_process_and_comes_back_to_none(postgres_url: str) -> None:
    hubs = (Hub(), Hub())
    links = []
    for hub in hubs:
        hub.untold = set()
        links.append(asyncio.create_task(exchange(make_url(postgres_url), hub.untold, hub.heard)))
    try:
        woken = asyncio.create_task(anext(hubs[1].watch("desk", every=20)))
        while not woken.done():  # the second may still be connecting: a call that is lost costs only time
            hubs[0].wake("desk")
            await asyncio.wait({woken}, timeout=0.1)
        assert woken.result()
        assert hubs[1].untold == set(), "what came from a neighbour is not told on"
    finally:
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)


def test_a_worker_beside_sqlite_is_refused_in_one_line(tmp_path: Path) -> None:
    said = StringIO()
    with pytest.raises(SystemExit) as refused:
        start.work(Settings(database_url=f"sqlite:///{tmp_path}/one.db"), Console(file=said), Console(file=said))
    assert refused.value.code == 1
    assert "PostgreSQL" in said.getvalue()
    assert not (tmp_path / "one.db").exists()
