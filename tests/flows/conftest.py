"""A small town of our own over the starter knowledge: invented offices, marked 見本, with hours that a test can count on."""

from pathlib import Path

import pytest

import flows
from knowledge.base import load
from tests.flows.talks import Resident
from tests.kept import kept

_TOWN = """
name: みなと市（見本）
desk_name: くらしの相談（見本）
tel: "000-0000-0000"
hours: [{days: 月-金, from: "8:30", to: "17:15"}]
closed: [祝日, 年末年始]
areas: [東浜（見本）, 山手（見本）]
neutral_site: https://www.jma.go.jp/
retention: 三年
languages: [ja, easy, en, zh, pt, vi]
extends: starter
sample: true
"""
_ENTRIES = {
    "juukyo-kakuho-kyufukin": """
contacts:
  - name: 福祉課（見本）
    tel: "000-0000-1001"
    hours: [{days: 月-金, from: "8:30", to: "17:15"}]
    closed: [祝日]
    place: {lat: 35.0, lon: 139.0}
    languages: [ja, en]
checked: {on: 2026-10-01, by: 福祉課（見本）}
""",
    "jiritsu-soudan-shien": """
contacts:
  - {name: 自立相談窓口（見本）, tel: "000-0000-1002", hours: [{days: 月-金, from: "8:30", to: "17:15"}], closed: [祝日]}
checked: {on: 2026-03-01, by: 福祉課（見本）}
""",
    "denki-gas-soudan": """
contacts:
  - {name: 料金の窓口（見本）, tel: "000-0000-1003", hours: [{days: 月-金, from: "9:00", to: "17:00"}], closed: [祝日]}
checked: {on: 2025-01-01, by: 福祉課（見本）}
""",
    "food-bank": """
contacts:
  - {name: 夜の食品庫（見本）, tel: "000-0000-1004", hours: [{days: 毎日, from: "18:00", to: "22:00"}]}
tags: [tonight]
""",
    "chiiki-houkatsu": """
contacts:
  - {name: 東浜の包括（見本）, tel: "000-0000-1005", area: [東浜（見本）], hours: [{days: 月-金, from: "8:30", to: "17:15"}]}
  - {name: 山手の包括（見本）, tel: "000-0000-1006", area: [山手（見本）], hours: [{days: 月-金, from: "8:30", to: "17:15"}]}
""",
    "fukushi-sougou-soudan": """
contacts:
  - {name: 総合相談（見本）, tel: "000-0000-1008", hours: [{days: 月-金, from: "8:30", to: "17:15"}], closed: [祝日]}
""",
    "inochi-sos": "contacts: [{hotline: inochi-sos}]",
}


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> flows.Town:
    folder: Path = tmp_path_factory.mktemp("town")
    (folder / "town.yaml").write_text(_TOWN, encoding="utf-8")
    for entry_id, fields in _ENTRIES.items():
        (folder / f"{entry_id}.yaml").write_text(f"id: {entry_id}\n{fields.strip()}\n", encoding="utf-8")
    return flows.load_town(load(folder, kept("flows")))


@pytest.fixture
def resident(town: flows.Town) -> Resident:
    """Somebody who has just opened the talk, on a Tuesday morning."""
    return Resident(town)
