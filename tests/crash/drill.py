"""The drill (`make crash`): residents write without pause, processes are killed with -9, and in the end every message is accounted for.

    python -m tests.crash.drill --messages 20000 --kills 50 --engine sqlite --seed 1
    python -m tests.crash.drill --engine postgres --processes serve,serve,work

Residents post as the platforms do: again until they are answered 200, 5 % once more after that, each resident one message after the other; LINE puts
those of several into one body. A kill
comes at a random moment or at a named point: the webhook is on its way, it was just acknowledged, a call reached the platform, the platform took it
and has not said so, the process is starting; or one of the processes that hear for it is killed. The product itself has no hook for any of this.

Accounts (R2, R11, R47, I4): every acknowledged message is there once, in its resident's order, and has come to an end; every answer was taken by LINE
exactly once, by Telegram too but for one in a thousand, each of those marked; in the order in which they were written.
"""

import argparse
import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import aiohttp

from bot.channels import line_rendering, telegram_rendering
from bot.channels.port import Outgoing
from storage import audit, outbox
from storage import talk as talks
from storage.sealing import Keyring, make_key_file, read_key_file, unseal
from storage.store import Store
from tests.accounts import Written, beside, fewest_twice
from tests.crash import child
from tests.crash.platforms import Platforms
from tests.postgres import PostgresServer

SECRET, TELEGRAM_SECRET = "crash-secret", "crash-telegram-secret"
POINTS = ("random", "webhook_sent", "acknowledged", "call_received", "call_taken", "starting", "hearer")
WORDS = ("最初から", "ヘルプ", "こんにちは", "家賃が払えません", "ありがとう", "もどる", "食べるものがありません")
"""Cheap to hear: a drill is about what becomes of a message, not about what is understood. やめる would rightly erase words (D1)."""
REPEATS = 0.05
_TOGETHER = 4
"""Messages in one body of LINE's."""
_PATIENCE = 300.0
_ENOUGH = 10_000
"""Answers from which on one in a thousand is a share worth judging: every kill may catch a call between its being taken and being written down."""
_NONE_CAME_BY = 10.0
_FORKS = get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.crash.child"])
_ENTRIES = {
    "drill-food": {"name": "フードバンク", "summary": "食べるものに困っている人に食品をわたします。", "examples": ["食べるものがありません"]},
    "drill-rent": {"name": "住まいの相談", "summary": "家賃に困っている人の相談です。", "examples": ["家賃が払えません"]},
}


@dataclass
class Account:
    """What the drill counted; the product passes when `faults` is empty."""

    messages: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    redelivered: int = 0
    letters: int = 0
    twice_on_telegram: int = 0
    in_doubt: int = 0
    """Telegram's, marked that they may have come twice."""
    given_up: int = 0
    """Answers of which nobody can say whether LINE had taken them, when their reply token was dead: staff are told instead."""
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


class Process:
    """One process of the product, killed and started again."""

    def __init__(self, verb: str, settings: dict[str, str], log: Path) -> None:
        self.verb, self.port = verb, _free_port()
        self._environment = {f"MADOGUCHI_{name}": value for name, value in (settings | {"PORT": str(self.port)}).items()}
        self._log = log
        self._running: ForkServerProcess | None = None

    def start(self) -> None:
        self._running = _FORKS.Process(target=child.run, args=(self.verb, self._environment, self._log))
        self._running.start()

    def kill(self) -> None:
        if self._running is not None:
            self._running.kill()
            self._running.join()

    def kill_one_that_hears(self) -> bool:
        """kill -9 for one of its hearers, or for the nursery they come from; False where it has none."""
        below = [] if self._running is None or self._running.pid is None else _all_below(self._running.pid)
        for one in below[-1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        return bool(below)

    def stop(self) -> None:
        if self._running is not None:
            self._running.terminate()
            self._running.join()

    async def is_ready(self) -> None:
        """Until it serves; a worker counts as ready at once."""
        end = time.monotonic() + _PATIENCE
        while self.verb == "serve":
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                if await _status_of(f"http://127.0.0.1:{self.port}/healthz") == 200:
                    return
            if time.monotonic() > end or self._running is None or not self._running.is_alive():
                raise RuntimeError(f"it does not start:\n{self._log.read_text()[-3000:]}")
            await asyncio.sleep(0.05)


class Drill:
    def __init__(self, place: Path, url: str, *, messages: int, kills: int, residents: int, seed: int, verbs: Sequence[str]) -> None:
        self.chance = random.Random(seed)
        self._verbs = verbs
        self.place, self.url = place, url
        self.account = Account()
        self._kills, self._each = kills, max(1, messages // residents)
        self._residents = [Resident(f"U{number:032x}" if number % 3 else str(9_000 + number)) for number in range(residents)]
        on_line = [one for one in self._residents if one.channel == "line"]
        self._posts = [Post(self, on_line[at : at + _TOGETHER]) for at in range(0, len(on_line), _TOGETHER)]
        self._posts += [Post(self, [one]) for one in self._residents if one.channel == "telegram"]
        self._kills_done = 0
        self._armed: str | None = None
        self._struck = asyncio.Event()
        self.processes: list[Process] = []

    async def run(self) -> Account:
        begun = time.monotonic()
        async with Platforms(self.chance, self.reached) as platforms:
            self.processes = self._build(platforms.url)
            for process in self.processes:
                process.start()
            try:
                await asyncio.gather(*(process.is_ready() for process in self.processes))
                await asyncio.gather(self._strike(), *(post.carries(self._each) for post in self._posts))
                await self._rest(platforms)
            finally:
                for process in self.processes:
                    process.stop()
        self.account.seconds = time.monotonic() - begun
        self._count(platforms)
        return self.account

    def _build(self, platform: str) -> list[Process]:
        folder = self.place / "base"
        folder.mkdir()
        for name, entry in _ENTRIES.items():
            (folder / f"{name}.yaml").write_text(json.dumps({"id": name, **entry}, ensure_ascii=False), encoding="utf-8")
        settings = {
            "DATABASE_URL": self.url, "MASTER_KEY_FILE": str(self.place / "master.key"), "KNOWLEDGE": str(folder), "SETTLE_SECONDS": "0",
            "LINE_CHANNEL_SECRET": SECRET, "LINE_CHANNEL_ACCESS_TOKEN": "token", "LINE_API_HOST": platform, "LINE_DATA_HOST": platform,
            "TELEGRAM_TOKEN": "42:crash", "TELEGRAM_SECRET": TELEGRAM_SECRET, "TELEGRAM_BASE_URL": f"{platform}/bot", "TELEGRAM_FILE_URL": platform,
        }  # fmt: skip
        make_key_file(self.place / "master.key")
        return [Process(verb, settings, self.place / f"{verb}-{number}.log") for number, verb in enumerate(self._verbs)]

    # ------------------------------------------------------------ killing

    async def reached(self, point: str) -> None:
        """A message or a call is at a named point: if a kill waits for it, now."""
        if self._armed == point:
            self._armed = None
            self._struck.set()
            await self._kill_one(point)

    async def _kill_one(self, point: str) -> None:
        process = self.chance.choice(self.processes)
        process.kill()
        self.account.kills[point] += 1
        process.start()

    async def _strike(self) -> None:
        """Spread the kills over the whole of the writing."""
        total = self._each * len(self._residents)
        for number in range(self._kills):
            while self.account.messages < total * (number + 0.5) / self._kills:
                await asyncio.sleep(0.01)
            point = POINTS[number % len(POINTS)]
            if point == "random":
                await asyncio.sleep(self.chance.random() * 0.3)
                await self._kill_one(point)
            elif point == "starting":
                await self._kill_one(point)
                await asyncio.sleep(self.chance.random() * 3)
                await self._kill_one(point)
            elif point == "hearer":
                hearing = [process for process in self.processes if process.kill_one_that_hears()]
                self.account.kills[point] += len(hearing)
            else:
                await self._strike_at(point)
            self._kills_done = number + 1
            await asyncio.gather(*(process.is_ready() for process in self.processes))

    async def _strike_at(self, point: str) -> None:
        """Wait until a message or a call is at the point; where none comes by in time, strike anywhere."""
        self._struck.clear()
        self._armed = point
        try:
            await asyncio.wait_for(self._struck.wait(), timeout=_NONE_CAME_BY)
        except TimeoutError:
            self._armed = None
            await self._kill_one("random")

    async def may_write(self) -> None:
        """Residents keep pace with the kills: where other processes serve on, the writing would else be over before the last."""
        while self._kills_done < self._kills and self.account.messages >= self._each * len(self._residents) * (self._kills_done + 1) / self._kills:
            await asyncio.sleep(0.01)

    async def _rest(self, platforms: Platforms) -> None:
        """No more faults; wait until nothing is left to send."""
        platforms.failing = 0.0
        end = time.monotonic() + _PATIENCE
        with _opened(self.url, self.place, beside=True) as store:
            while await asyncio.to_thread(store.transact, outbox.oldest_waiting) is not None:
                if time.monotonic() > end:
                    self.account.faults.append("letters still wait long after the last fault")
                    return
                await asyncio.sleep(0.2)

    # ------------------------------------------------------------ counting

    def _count(self, platforms: Platforms) -> None:
        with _opened(self.url, self.place) as store:
            for resident in self._residents:
                store.transact(lambda rows, one=resident: self._count_one(rows, one, platforms.taken[one.name]))
            broken = store.transact(audit.verify)
            if broken is not None:
                self.account.faults.append(f"the audit chain breaks at {broken.seq}: {broken.what}")
            if store.engine.dialect.name == "sqlite":
                sound = store.transact(lambda rows: rows.connection().exec_driver_sql("PRAGMA integrity_check").scalar())
                if sound != "ok":
                    self.account.faults.append(f"integrity_check: {sound}")
        if self.account.letters >= _ENOUGH and self.account.twice_on_telegram > self.account.letters / 1000:
            self.account.faults.append(f"{self.account.twice_on_telegram} answers twice on Telegram of {self.account.letters}")

    def _count_one(self, rows: Any, resident: "Resident", taken: list[str]) -> None:
        blame = self.account.faults.append
        talk = talks.find(rows, resident.channel, resident.name)
        if talk is None:
            blame(f"{resident.name} is not known at all")
            return
        lines = talks.lines(rows, talk.id, limit=1_000_000)
        said = [json.loads(line.body or "{}").get("text") for line in lines if line.author == "resident"]
        if said != resident.acknowledged:
            blame(f"{resident.name}: {len(resident.acknowledged)} acknowledged, {len(said)} kept, or in another order")
        if [line.seq for line in lines] != list(range(1, len(lines) + 1)):
            blame(f"{resident.name}: lines are not numbered without gaps")
        if pending := talks.pending(rows, talk):
            blame(f"{resident.name}: {len(pending)} messages came to no end (I4)")
        self._compare(rows, resident, talk.id, taken)

    def _compare(self, rows: Any, resident: "Resident", conversation_id: str, taken: list[str]) -> None:
        """Walk what was written beside what was taken."""
        letters = rows.connection().exec_driver_sql(
            "SELECT id, state, maybe_twice, body_sealed, problem FROM outbox WHERE conversation_id = "
            + ("?" if rows.connection().dialect.name == "sqlite" else "%s") + " ORDER BY seq", (conversation_id,),
        ).all()  # fmt: skip
        written = []
        for letter in letters:
            body = unseal(rows, talks.scope_of(conversation_id), f"outbox.body:{letter.id}", bytes(letter.body_sealed))
            written.append(Written(resident.shown(Outgoing.model_validate_json(body)), letter.state, bool(letter.maybe_twice)))
        self.account.letters += len(written)
        self.account.in_doubt += sum(one.maybe_twice for one in written)
        self.account.given_up += sum(one.state == "failed" for one in written)
        twice = fewest_twice(written, taken)
        if twice is None:
            blame = f"{resident.name}: what was taken is not what was written, once each and in its order"
            self.account.faults.append(f"{blame}\n{beside(written, taken)}")
        else:
            self.account.twice_on_telegram += twice


class Resident:
    """Somebody with one account."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.channel = "line" if name.startswith("U") else "telegram"
        self.acknowledged: list[str] = []

    def shown(self, outgoing: Outgoing) -> str:
        """One letter as its platform takes it."""
        if self.channel == "line":
            return json.dumps(json.loads(json.dumps(line_rendering.render(outgoing))), sort_keys=True)
        return telegram_rendering.render(outgoing).html


class Post:
    """A platform that brings what some residents write, one message of each at a time, and the next only when these were taken."""

    def __init__(self, drill: "Drill", residents: Sequence[Resident]) -> None:
        self._drill, self._residents = drill, residents

    async def carries(self, count: int) -> None:
        drill, request = self._drill, self._line if self._residents[0].channel == "line" else self._telegram
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(15)) as door:
            for number in range(count):
                await drill.may_write()
                words = [drill.chance.choice(WORDS) for _ in self._residents]
                body = request(number, words)
                while not await self._post(door, *body):
                    drill.account.redelivered += len(words)
                    await asyncio.sleep(drill.chance.uniform(0.02, 0.3))
                for resident, one in zip(self._residents, words, strict=True):
                    resident.acknowledged.append(one)
                drill.account.messages += len(words)
                if drill.chance.random() < REPEATS:
                    await self._post(door, *body)

    async def _post(self, door: aiohttp.ClientSession, path: str, headers: dict[str, str], body: bytes) -> bool:
        webs = [process for process in self._drill.processes if process.verb == "serve"]
        port = self._drill.chance.choice(webs).port
        posting = asyncio.ensure_future(self._status(door, f"http://127.0.0.1:{port}{path}", headers, body))
        await asyncio.sleep(0)
        await self._drill.reached("webhook_sent")
        if await posting != 200:
            return False
        await self._drill.reached("acknowledged")
        return True

    @staticmethod
    async def _status(door: aiohttp.ClientSession, url: str, headers: dict[str, str], body: bytes) -> int:
        try:
            async with door.post(url, data=body, headers=headers) as answer:
                return answer.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            return 0

    def _line(self, number: int, words: Sequence[str]) -> tuple[str, dict[str, str], bytes]:
        events = [
            {
                "type": "message", "mode": "active", "timestamp": int(time.time() * 1000), "source": {"type": "user", "userId": one.name},
                "webhookEventId": f"{one.name}-{number}", "deliveryContext": {"isRedelivery": False}, "replyToken": f"{one.name}/{number}",
                "message": {"type": "text", "id": f"{one.name}{number}", "quoteToken": "q", "text": said},
            }
            for one, said in zip(self._residents, words, strict=True)
        ]  # fmt: skip
        body = json.dumps({"destination": "U" + "f" * 32, "events": events}).encode()
        signature = base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
        return "/line/webhook", {"x-line-signature": signature, "content-type": "application/json"}, body

    def _telegram(self, number: int, words: Sequence[str]) -> tuple[str, dict[str, str], bytes]:
        account = int(self._residents[0].name)
        person, chat = {"id": account, "is_bot": False, "first_name": "x"}, {"id": account, "type": "private"}
        message = {"message_id": number + 1, "date": int(time.time()), "chat": chat, "from": person, "text": words[0]}
        body = json.dumps({"update_id": account * 1_000_000 + number, "message": message}).encode()
        return "/telegram/webhook", {"x-telegram-bot-api-secret-token": TELEGRAM_SECRET, "content-type": "application/json"}, body


@contextlib.contextmanager
def _opened(url: str, place: Path, *, beside: bool = False) -> Iterator[Store]:
    store = Store.open(url, Keyring(read_key_file(place / "master.key")), exclusive=not beside)
    try:
        yield store
    finally:
        store.close()


async def _status_of(url: str) -> int:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(1)) as door, door.get(url) as found:
        return found.status


def _all_below(pid: int) -> list[int]:
    """Processes that this one has started, and those they have; the youngest last."""
    try:
        children = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:  # it has just ended
        return []
    return [below for child in children for below in (child, *_all_below(child))]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def run(url: str, place: Path, *, messages: int, kills: int, residents: int = 48, seed: int = 1, verbs: Sequence[str] = ()) -> Account:
    """One drill over an empty database. `verbs` are its processes; without any, one on SQLite, on PostgreSQL two that serve and one that works."""
    verbs = verbs or (("serve",) if url.startswith("sqlite") else ("serve", "serve", "work"))
    return asyncio.run(Drill(place, url, messages=messages, kills=kills, residents=residents, seed=seed, verbs=verbs).run())


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--messages", type=int, default=20_000)
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--engine", choices=("sqlite", "postgres"), default="sqlite")
    options.add_argument("--seed", type=int, default=int(datetime.now(UTC).timestamp()))
    options.add_argument("--processes", default="", help="such as serve,serve,work; SQLite has room for one serve only")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        place = Path(folder)
        url = stack.enter_context(PostgresServer(durable=True)).url() if given.engine == "postgres" else f"sqlite:///{place}/crash.db"
        verbs = [verb for verb in given.processes.split(",") if verb]
        account = run(url, place, messages=given.messages, kills=given.kills, seed=given.seed, verbs=verbs)
    kills = ", ".join(f"{point} {count}" for point, count in sorted(account.kills.items()))
    print(f"{given.engine}, seed {given.seed}: {account.messages} messages, {account.redelivered} redeliveries, {account.letters} answers")
    print(f"{sum(account.kills.values())} kills ({kills}) in {account.seconds:.0f} s")
    print(f"twice on Telegram: {account.twice_on_telegram}, each among the {account.in_doubt} marked; left to staff, in doubt: {account.given_up}")
    for fault in account.faults:
        print(f"FAULT {fault}")
    print("nothing lost, nothing twice, order kept" if not account.faults else f"{len(account.faults)} faults")
    return 1 if account.faults else 0


if __name__ == "__main__":
    sys.exit(main())
