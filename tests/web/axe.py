"""What axe-core finds wrong with an open page: WCAG 2.2 A and AA (desk.md §10). It comes from npm by the lock file, and is never committed."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

_AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_RUN = "(rules) => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})"


def problems_of(page: Page) -> list[str]:
    """One line for each rule that is broken and each place, `color-contrast serious  .hint  Element has …`; empty when all is well.

    Skips the test where npm has not fetched axe-core (`make assets`).
    """
    if not _AXE.exists():
        pytest.skip("axe-core was not fetched: make assets")
    page.evaluate(_AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate(_RUN, _RULES)
    return [
        f"{rule['id']} {rule['impact']}  {' '.join(map(str, place['target']))}  {place['failureSummary'].splitlines()[-1].strip()}"
        for rule in found["violations"]
        for place in rule["nodes"]
    ]
