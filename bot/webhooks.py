"""Webhooks out: a town's other systems hear that a case was opened or closed, or that a referral was answered; never a word of what was said.

The audit is the queue: its rows are numbered, never lost, and written with the act itself. Each address has its own place in it, moved only after a
2xx, so a call may come twice (same `id`) but none is skipped. Signed as `X-Madoguchi-Signature: t=<unix>,v1=<hex HMAC-SHA256 of "t.body">`.
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Sequence
from functools import partial

import httpx
import structlog
from sqlmodel import Session

from bot.clock import Clock
from bot.outside import Checked, written_as_loopback
from storage import audit, records
from storage.audit import Event
from storage.store import Store, StoreDown

log = structlog.get_logger()

EVENTS = ("case.opened", "case.closed", "case.reopened", "referral.answered", audit.HEAD)
SIGNATURE = "x-madoguchi-signature"
_EVERY = 2.0
_LONGEST_PAUSE = 600.0
_AT_ONCE = 50


class Webhooks:
    """Tells every address of `urls` what happened since it last answered. No redirect is followed, and only hosts of `inner` may lie inside (R35)."""

    def __init__(self, store: Store, clock: Clock, urls: Sequence[str], secret: str, inner: frozenset[str] = frozenset()) -> None:
        self._store = store
        self._clock = clock
        self._urls = urls
        self._secret = secret.encode()
        self._inner = inner

    async def run(self) -> None:
        """Until cancelled. An address that fails is asked again with growing pauses, and holds up no other."""
        await asyncio.gather(*(self._keep_telling(url) for url in self._urls))

    async def tell(self, url: str) -> int:
        """Call this address for every event it lacks, oldest first; returns how many it took. Raises `httpx.HTTPError`."""
        told = 0
        way_out = Checked(self._inner | written_as_loopback(url))
        async with httpx.AsyncClient(timeout=10, follow_redirects=False, transport=way_out) as http:
            for event in await self._store.atransact(partial(_lacking, place=_place(url))):
                (await http.post(url, content=(body := _body(event)), headers=self._headers(body))).raise_for_status()
                await self._store.atransact(partial(records.move_cursor, name=_place(url), position=event.seq + 1))
                told += 1
        return told

    async def _keep_telling(self, url: str) -> None:
        pause = _EVERY
        while True:
            try:
                await self.tell(url)
                pause = _EVERY
            except (StoreDown, httpx.HTTPError, httpx.InvalidURL) as error:
                pause = min(pause * 2, _LONGEST_PAUSE)
                log.warning("webhook_waits", error=type(error).__name__, seconds=pause)
            except Exception as error:  # our bug: the place has not moved, and the next beat tries again
                log.error("webhook_failed", error=type(error).__name__)
            await asyncio.sleep(pause)

    def _headers(self, body: bytes) -> dict[str, str]:
        return {"content-type": "application/json", SIGNATURE: signature(self._secret, body, int(self._clock.now().timestamp()))}


def signature(secret: bytes, body: bytes, at: int) -> str:
    """What proves that a call is ours; `at` in Unix seconds lets the receiver refuse an old one."""
    return f"t={at},v1=" + hmac.digest(secret, f"{at}.".encode() + body, hashlib.sha256).hex()


def _lacking(rows: Session, *, place: str) -> list[Event]:
    """Events from this address's place on. One that is new begins with now: nobody is told of years gone by."""
    at = records.cursor(rows, place)
    if at == 0:
        newest, _ = audit.head(rows)
        records.move_cursor(rows, place, newest + 1)
        return []
    return audit.events_after(rows, at - 1, EVENTS, _AT_ONCE)


def _body(event: Event) -> bytes:
    told = {"id": event.seq, "event": event.act, "case": event.code, "at": event.at.isoformat()}
    told |= {name: event.detail[name] for name in ("state", "seq", "hash") if name in event.detail}
    return json.dumps(told, ensure_ascii=False).encode()


def _place(url: str) -> str:
    return "webhook:" + hashlib.sha256(url.encode()).hexdigest()[:24]
