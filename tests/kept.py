"""Where tests keep what was built from a knowledge base, so that the next run need not read 5,000 sentences again.

The product's own way of keeping (knowledge/kept.py): named by contents and code, so that a change of either builds anew.
"""

from pathlib import Path


def kept(town: str) -> Path:
    """A folder for each town: only the newest build of one is kept."""
    return Path(__file__).parents[1] / ".pytest_cache" / "kept" / town
