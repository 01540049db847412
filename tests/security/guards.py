"""Does a test fail when its guard is broken? Each guard of guards.yaml is broken in a copy of the tree, and its test must then fail.

`python -m tests.security.guards [R1 …]` tries them one after the other, notes in guards_tried.yaml which were noticed, and ends with 1 when a test
did not notice, or a guard is no longer where the list has it. Not part of the suite: it runs one pytest for each. A guard that was reworded counts as
not tried until it is tried again; the table of requirements says how many were.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import astuple, dataclass
from hashlib import sha256
from pathlib import Path

import yaml

from tests.security.table import ROOT

_HERE = Path(__file__).parent
_NOTED = _HERE / "guards_tried.yaml"
_TREE = ("bot", "flows", "knowledge", "storage", "tests", "pyproject.toml", "requirements.lock", ".pytest_cache")
"""The cache too: in it lies what is built of the sample town, which would be built anew for every guard."""
_FAILED = 1
"""What pytest ends with when a test failed; anything else is no answer."""


@dataclass(frozen=True)
class Guard:
    """Text of a file without which the rule is broken, what stands there instead, and the test that must notice."""

    rule: str
    file: str
    was: str
    broken: str
    test: str

    @property
    def mark(self) -> str:
        """Changes with every word of it."""
        return sha256(repr(astuple(self)).encode()).hexdigest()[:16]


def guards() -> list[Guard]:
    found = yaml.safe_load((_HERE / "guards.yaml").read_text(encoding="utf-8"))
    return [Guard(**one) for one in found]


def tried() -> set[str]:
    """Marks of the guards whose breaking was noticed when it was last tried."""
    return set(yaml.safe_load(_NOTED.read_text(encoding="utf-8")) or ()) if _NOTED.exists() else set()


def noticed(guard: Guard, tree: Path) -> str:
    """`` when the test failed as it must; else what is wrong."""
    file = tree / guard.file
    text = file.read_text(encoding="utf-8")
    if text.count(guard.was) != 1:
        return "the guard is not where the list has it"
    file.write_text(text.replace(guard.was, guard.broken), encoding="utf-8")
    try:
        words = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--timeout", "90", guard.test]
        done = subprocess.run(words, cwd=tree, env=os.environ | {"PYTHONPATH": str(tree)}, capture_output=True, text=True, check=False)
    finally:
        file.write_text(text, encoding="utf-8")
    return "" if done.returncode == _FAILED else f"pytest ended with {done.returncode}: the test did not notice"


def main(wanted: list[str]) -> int:
    wrong, found = 0, guards()
    known = tried() & {guard.mark for guard in found}
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in _TREE:
            if (ROOT / name).exists():
                (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, tree / name)
        for guard in found:
            if not wanted or guard.rule in wanted:
                problem = noticed(guard, tree)
                wrong += bool(problem)
                known = known - {guard.mark} if problem else known | {guard.mark}
                _NOTED.write_text(yaml.safe_dump(sorted(known)), encoding="utf-8")
                print(f"{guard.rule:4} {guard.file}: {problem or 'noticed'}", flush=True)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
