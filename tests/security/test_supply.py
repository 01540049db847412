"""Parts are locked with hashes and listed; no secret, debug switch or example key is in the repository (R51)."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.security import supply
from tests.security.table import ROOT

_SECRETS = {
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "age identity": re.compile(r"AGE-SECRET-KEY-1[0-9A-Z]{20,}"),
    "cloud key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "bot token": re.compile(r"\b[0-9]{8,10}:[A-Za-z0-9_-]{35}\b"),
    "access token": re.compile(r"\b(?:ghp|gho|glpat|xox[bp])[-_][A-Za-z0-9-]{20,}"),
    "filled setting": re.compile(r"^MADOGUCHI_[A-Z_]*(?:SECRET|TOKEN|PASSWORD)=\S+", re.MULTILINE),
}
_DEBUG = re.compile(r"\b(?:debug|reload)\s*=\s*True\b|\bpdb\.set_trace\(|\bbreakpoint\(")


def _files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git folder")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


@pytest.mark.requirement("R51")
def test_every_locked_part_has_a_version_and_a_hash_and_is_in_the_list_of_parts(tmp_path: Path) -> None:
    written = supply.LOCK.read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ \\;]+)", written, re.MULTILINE))
    blocks = re.split(r"(?m)^(?=[A-Za-z0-9._-]+(?:\[|==))", written)
    assert all("--hash=sha256:" in block for block in blocks if re.match(r"[A-Za-z0-9._-]+(\[[^\]]*\])?==", block))
    supply.sbom(tmp_path / "sbom.json")
    parts = json.loads((tmp_path / "sbom.json").read_text(encoding="utf-8"))["components"]
    assert {(part["name"].lower(), part["version"]) for part in parts} >= {(name.lower(), version) for name, version in locked.items()}


@pytest.mark.requirement("R51")
def test_no_secret_and_no_filled_example_is_in_the_repository() -> None:
    found = []
    for file in _files():
        if file.suffix in (".png", ".lock") or file == Path(__file__) or not file.is_file():
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        found += [f"{file.relative_to(ROOT)}: {what}" for what, pattern in _SECRETS.items() if pattern.search(text)]
    assert found == []


@pytest.mark.requirement("R51")
def test_no_debug_switch_is_left_on_and_the_container_does_not_run_as_root() -> None:
    for folder in ("bot", "flows", "knowledge", "storage"):
        for file in (ROOT / folder).rglob("*.py"):
            assert not _DEBUG.search(file.read_text(encoding="utf-8")), file
    container = (ROOT / "bot" / "deploy" / "Containerfile").read_text(encoding="utf-8")
    user = re.findall(r"^USER (\S+)", container, re.MULTILINE)
    assert user
    assert user[-1] not in ("root", "0")
