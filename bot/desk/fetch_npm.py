"""Set-up step: brings the design tokens from npm into the desk's static folder, and axe-core for the tests into node_modules (desk.md §11).

`npm ci` checks every file against the lock file. Without npm the pages still work: desk.css names a colour of its own beside each token.
"""

import shutil
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGE = _ROOT / "node_modules" / "@digital-go-jp" / "design-tokens"
TARGET = Path(__file__).parent / "static" / "npm"


def main() -> int:
    """Fetch and lay out; 0 also where npm is missing, because the desk runs without it."""
    npm = shutil.which("npm")
    if npm is None:
        print("npm がないので、色の部品は入れずに進みます（画面は使えます）。", file=sys.stderr)
        return 0
    done = subprocess.run([npm, "ci", "--silent"], cwd=_ROOT, check=False)  # noqa: S603  the arguments are ours
    if done.returncode != 0:
        print("色の部品を取れませんでした（画面は使えます）。あとで make assets をもう一度。", file=sys.stderr)
        return 0
    TARGET.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_PACKAGE / "dist" / "tokens.css", TARGET / "tokens.css")
    shutil.copyfile(_PACKAGE / "LICENSE", TARGET / "tokens.LICENSE")
    return 0


if __name__ == "__main__":
    sys.exit(main())
