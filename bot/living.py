"""The knowledge that is in use now: one immutable town at a time, swapped whole (design.md §3)."""

from pathlib import Path

import structlog

import flows
from knowledge.base import BrokenBase, load

log = structlog.get_logger()


class LivingKnowledge:
    """Holds the running town. A broken folder never replaces it."""

    def __init__(self, folder: Path, keep: Path | None = None) -> None:
        """`keep`: where built parts may lie for a quicker start; None = nowhere."""
        self.folder = folder
        self._keep = keep
        self.town = flows.load_town(load(folder, keep))

    def reload(self) -> bool:
        """Build the folder anew beside the running town and swap; False when it is broken, and the running one stays."""
        try:
            town = flows.load_town(load(self.folder, self._keep))
        except BrokenBase as broken:
            log.warning("knowledge_broken", problems=len(broken.problems))
            return False
        self.town = town
        log.info("knowledge_loaded", version=town.base.version, entries=len(town.base.entries))
        return True
