"""The knowledge that is in use now: one immutable town at a time, swapped whole (design.md §3)."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from threading import Lock

import structlog
from watchfiles import awatch

import flows
from bot import embedding
from knowledge.base import Base, BrokenBase, load, sources_of, would_be
from knowledge.hearing.embedding import Model
from knowledge.kept import Lying, lying
from knowledge.layers import Instead, folders_of
from knowledge.problem import Problem

log = structlog.get_logger()

_QUIET = 400
"""Milliseconds of quiet after a change: an editor writes a file in several steps, a copied folder in hundreds."""
_LONGEST = 1_600
"""Milliseconds after which a change is looked at even if more keep coming: within five seconds it must be live."""


class LivingKnowledge:
    """Holds the running town. A broken folder never replaces it."""

    def __init__(self, folder: Path, keep: Path | None = None, model: Model | None = None) -> None:
        """`keep`: where built parts may lie for a quicker start; None = nowhere. `model`: the town's own embedding model, if it has one."""
        self.folder = folder
        self._keep = keep
        self._model = model
        self._building = Lock()
        self._built = self._lies()
        self.town = flows.load_town(self._with_model(load(folder, keep)))
        self.problems: tuple[Problem, ...] = ()
        """Why what lies on the disk now is not in use; empty when it is."""

    def catch_up(self) -> bool:
        """Build what was saved beside the running town and swap, unless that has happened: whoever publishes at the desk builds, and the watcher
        sees the same files change. False when what lies there is broken, and the running town stays."""
        with self._building:
            return not self.problems if self._lies() == self._built else self._build()

    def change(self, put: Callable[[], object], back: Callable[[], object]) -> bool:
        """`put` writes files that are to be live at once; when the folder is not sound with them, `back` makes it what it was. False then."""
        with self._building:
            known, problems = self._lies() == self._built, self.problems
            put()
            if self._build():
                return True
            back()
            if known:  # the running town is what lies there again
                self._built, self.problems = self._lies(), problems
            return False

    def _lies(self) -> Lying:
        return lying(sources_of(self.folder))

    def _build(self) -> bool:
        try:
            self._built = self._lies()
            town = flows.load_town(self._with_model(load(self.folder, self._keep, before=self.town.base)))
        except BrokenBase as broken:
            self.problems = broken.problems
            log.warning("knowledge_broken", problems=len(broken.problems), where=[_where(problem) for problem in broken.problems[:5]])
            return False
        except OSError as error:  # a file went away while it was read: its going is another change, and is looked at again
            log.warning("knowledge_not_read", error=type(error).__name__)
            return False
        self.problems = ()
        self.town = town
        log.info("knowledge_loaded", version=town.base.version, entries=len(town.base.entries))
        return True

    def trial(self, instead: Instead) -> Base:
        """The base as it would be with these edits; nothing is written or swapped. Raises BrokenBase."""
        return self._with_model(would_be(self.folder, instead, self.town.base, self._keep))

    def _with_model(self, base: Base) -> Base:
        return base if self._model is None else embedding.beside(base, self._model, self._keep)

    async def watch(self) -> None:
        """Until cancelled: look at what is saved, beside the talks that go on. A turn that has begun ends with the town it began with."""
        while True:
            folders = [folder for folder in folders_of(self.folder) if folder.is_dir()]
            async for _ in awatch(
                *folders, watch_filter=lambda _, path: path.endswith((".yaml", ".yml")), debounce=_LONGEST, step=_QUIET, raise_interrupt=False
            ):
                await asyncio.to_thread(self.catch_up)
                if [folder for folder in folders_of(self.folder) if folder.is_dir()] != folders:
                    break  # town.yaml names another prefecture now
            else:
                return


def _where(problem: Problem) -> str:
    """File, line and kind of a mistake: never its words."""
    return f"{Path(problem.file).name}:{problem.line} {problem.code}"
