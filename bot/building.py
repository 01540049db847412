"""Builds what is kept of the knowledge (knowledge/kept.py) in a process of its own: building needs twice the memory that a base does, and a process
that has had it does not give it back.
"""

import subprocess
import sys
from pathlib import Path

from knowledge.base import BrokenBase, is_kept, load


def build_apart(folder: Path, keep: Path) -> None:
    """Build what no earlier start has kept. Of a folder that is broken, or a disk that is full, nothing is said: loading will say it."""
    if not is_kept(folder, keep):
        subprocess.run([sys.executable, "-m", __name__, str(folder), str(keep)], check=False)  # noqa: S603  (our own module)


if __name__ == "__main__":
    try:
        load(Path(sys.argv[1]), Path(sys.argv[2]))
    except (BrokenBase, OSError):
        sys.exit(1)
