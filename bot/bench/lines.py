"""The sets of sets/README.md, a line of JSON each."""

import json
from pathlib import Path
from typing import Any, Final

SETS: Final = Path(__file__).parent / "sets"


def read(name: str) -> list[dict[str, Any]]:
    """The lines of `sets/NAME.jsonl`, in order."""
    return [json.loads(line) for line in (SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines() if line.strip()]
