"""What we are made of: the list of parts as CycloneDX, and a look whether any of them has a known hole (R51).

`python -m tests.security.supply sbom FILE` needs no network; `… audit` asks the public list of holes, and says plainly when it could not.
"""

import socket
import subprocess
import sys
from pathlib import Path

from tests.security.table import ROOT

LOCK = ROOT / "requirements.lock"
_LIST = ("pypi.org", 443)
_SECONDS = 4.0


def sbom(to: Path) -> None:
    """The parts of the lock with versions and hashes, as CycloneDX JSON."""
    words = ["requirements", str(LOCK), "--output-reproducible", "--of", "JSON", "-o", str(to)]
    subprocess.run([sys.executable, "-m", "cyclonedx_py", *words], check=True, capture_output=True, cwd=ROOT)


def audit() -> int:
    """0: no known hole, or nobody to ask; else what pip-audit says."""
    try:
        socket.create_connection(_LIST, timeout=_SECONDS).close()
    except OSError:
        print("既知の穴は調べていません：ネットワークがありません。/ not looked for known holes: no network")
        return 0
    words = ["-r", str(LOCK), "--require-hashes", "--disable-pip", "--progress-spinner", "off"]
    return subprocess.run([sys.executable, "-m", "pip_audit", *words], check=False, cwd=ROOT).returncode


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["sbom", to]:
            sbom(Path(to))
        case ["audit"]:
            sys.exit(audit())
        case _:
            sys.exit(__doc__)
