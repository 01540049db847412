"""Processes that hear: they think ahead of the reception (ahead.py), so that hearing goes on on every core while one process stores, and talks with
the platforms.

They are forked from a process that has loaded the town and holds no thread, no database and no key, and share its memory. All of them read from one
end of a socket; whoever is free takes the next question. Any of them may die at any time: what it was asked is then thought where the event is
received, and the *nursery*, from which they are forked, forks another. When our process dies their socket ends, and so do they.

After a change of the knowledge the nursery loads it once more, and forks hearers that know it.
"""

import asyncio
import contextlib
import gc
import itertools
import os
import pickle
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

import flows
from bot.ahead import Question, Thought, think
from flows.model import Turn
from knowledge.base import BrokenBase, load
from knowledge.hearing.model import Danger

log = structlog.get_logger()

_LONGEST = 1 << 20
"""Bytes of a question or an answer. What is longer, or than the system lets through at once, is thought where the event is received."""
_PATIENCE = 5.0
"""Seconds until a question counts as lost with its hearer. Where meanwhile no other was answered either, nothing is asked for `_PAUSE`: not everybody
must wait so long."""
_PAUSE = 5.0
_AT_ONCE_EACH = 2
"""Questions on their way for each hearer: the one it thinks about, and the one that is there when it is done."""
_LOOK_EVERY = 0.5
_RELOAD = b"reload"

Answer = tuple[Danger | None, Turn | None]


class Hearers:
    """Ask here. To be made before the process has its first thread: what other threads hold at a fork nobody would ever let go."""

    def __init__(self, town: flows.Town, folder: Path, keep: Path, count: int) -> None:
        """`folder` and `keep` as in knowledge.base.load, for a town that has changed."""
        self._questions, theirs = _pair()
        self._orders, heeded = _pair()
        gc.freeze()  # a look for garbage would write into every page of the town, in our process and in theirs, and nothing would be shared
        self.nursery = os.fork()
        """Its process id."""
        if not self.nursery:
            with _end_of_process():
                self._questions.close()
                self._orders.close()
                _Nursery(town, folder, keep, theirs, heeded, count).run()
        theirs.close()
        heeded.close()
        self._questions.setblocking(False)
        self._room = asyncio.Semaphore(count * _AT_ONCE_EACH)
        self._known = town.base.version
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[Answer | None]] = {}
        self._not_before = self._last_answer = 0.0

    async def think(self, question: Question) -> Thought | None:
        """What a hearer thought; None where none could be asked, or knew this town. Never raises."""
        if question.knowledge != self._known:
            self._known = question.knowledge
            with contextlib.suppress(OSError):
                self._orders.send(_RELOAD)
        async with self._room:
            if asyncio.get_running_loop().time() < self._not_before:
                return None
            answer = await self._ask(question)
        return None if answer is None else Thought(question, *answer)

    def close(self) -> None:
        """End all of them; what was asked has no answer."""
        if self._asked:
            log.warning("hearers_closed", asked=len(self._asked))
        with contextlib.suppress(RuntimeError):  # no loop runs any more
            asyncio.get_running_loop().remove_reader(self._questions)
        self._questions.close()
        self._orders.close()
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.nursery, signal.SIGTERM)
            os.waitpid(self.nursery, 0)

    async def _ask(self, question: Question) -> Answer | None:
        loop, number = asyncio.get_running_loop(), next(self._numbers)
        if number == 0:
            loop.add_reader(self._questions, self._read)
        answered: asyncio.Future[Answer | None] = loop.create_future()
        self._asked[number] = answered
        since = loop.time()
        try:
            async with asyncio.timeout(_PATIENCE):
                self._questions.send(pickle.dumps((number, question), pickle.HIGHEST_PROTOCOL))
                return await answered
        except TimeoutError:
            if self._last_answer < since:
                self._not_before = loop.time() + _PAUSE
            log.warning("hearer_silent")
        except OSError as error:
            log.warning("hearer_not_asked", error=type(error).__name__)
        finally:
            del self._asked[number]
        return None

    def _read(self) -> None:
        try:
            told = self._questions.recv(_LONGEST)
        except BlockingIOError:
            return
        except ConnectionError:
            told = b""
        if told:
            number, answer = pickle.loads(told)  # noqa: S301  (our own process wrote it, into a socket that has no name)
            self._is_answered(number, answer)
            self._last_answer = asyncio.get_running_loop().time()
            return
        asyncio.get_running_loop().remove_reader(self._questions)
        for number in self._asked:  # nobody is left
            self._is_answered(number, None)

    def _is_answered(self, number: int, answer: Answer | None) -> None:
        waiting = self._asked.get(number)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)


@dataclass
class _Nursery:
    """Keeps so many hearers alive, until our process ends."""

    town: flows.Town
    folder: Path
    keep: Path
    questions: socket.socket
    orders: socket.socket
    count: int

    def run(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for our process, and its end is ours
        self.orders.settimeout(_LOOK_EVERY)
        hearers: set[int] = set()
        while True:
            hearers |= {self._another() for _ in range(self.count - len(hearers))}
            try:
                order = self.orders.recv(len(_RELOAD))
            except TimeoutError:
                order = None
            if order == b"":
                return
            if order == _RELOAD and self._loads():
                for hearer in hearers:
                    os.kill(hearer, signal.SIGTERM)
            hearers -= _gone()

    def _loads(self) -> bool:
        """Whether the folder, as it is now, could be loaded: our process has loaded it, but it may have been changed again."""
        try:
            self.town = flows.load_town(load(self.folder, self.keep, before=self.town.base))
        except (BrokenBase, OSError):
            return False
        return True

    def _another(self) -> int:
        hearer = os.fork()
        if not hearer:
            with _end_of_process():
                self.orders.close()
                with contextlib.suppress(ConnectionError):  # our process has ended while we thought
                    while told := self.questions.recv(_LONGEST):
                        self._answer(*pickle.loads(told))  # noqa: S301
        return hearer

    def _answer(self, number: int, question: Question) -> None:
        answer = None
        if question.knowledge == self.town.base.version:
            try:
                answer = think(question, self.town)
            except Exception as error:  # our bug: it is met again, and seen to, where the event is received
                log.error("thinking_failed", error=type(error).__name__)
        try:
            self.questions.send(pickle.dumps((number, answer), pickle.HIGHEST_PROTOCOL))
        except ConnectionError:
            raise
        except OSError:  # too long for one message
            self.questions.send(pickle.dumps((number, None)))


@contextlib.contextmanager
def _end_of_process() -> Iterator[None]:
    """A forked process never comes back into the code it was forked from."""
    try:
        with contextlib.suppress(SystemExit):  # it was told to end
            yield
    except BaseException as error:
        log.error("hearer_ends", error=type(error).__name__)
    finally:
        os._exit(0)


def _gone() -> set[int]:
    """Children that have ended since the last look."""
    found: set[int] = set()
    with contextlib.suppress(ChildProcessError):
        while pid := os.waitpid(-1, os.WNOHANG)[0]:
            found.add(pid)
    return found


def _pair() -> tuple[socket.socket, socket.socket]:
    """Two ends between which whole messages go."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LONGEST)
    return ends
