"""What is kept of a knowledge base is named by the code that built it (knowledge/kept.py)."""

import shutil
import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).parents[2]
_NAMES = """
import pathlib, sys
from knowledge.kept import kept
kept(pathlib.Path(sys.argv[1]), "index", [], lambda: 1)
here = pathlib.Path("knowledge/hearing/model.py")
here.write_text(here.read_text() + "# an update\\n")
kept(pathlib.Path(sys.argv[1]), "index", [], lambda: 2)
"""


def _names(code: Path, folder: Path) -> set[str]:
    subprocess.run([sys.executable, "-c", _NAMES, str(folder)], cwd=code, env={"PYTHONPATH": str(code)}, check=True)
    return {file.name for file in folder.glob("*.kept")}


def test_code_that_is_replaced_under_a_running_process_does_not_rename_what_the_old_code_builds(tmp_path: Path) -> None:
    """The new code would otherwise read, under its own name, what the old one made."""
    shutil.copytree(_HERE / "knowledge", tmp_path / "code" / "knowledge", ignore=shutil.ignore_patterns("*.yaml", "__pycache__"))
    before = _names(tmp_path / "code", tmp_path / "kept")
    assert len(before) == 1
    assert not before & _names(tmp_path / "code", tmp_path / "kept"), "the next process runs the new code"
