"""Files that leave for other people's machines: open data, HSDS, the calendar; and what an export gives away by its own (R33, R36)."""

import csv
import io
import re
import zipfile
from pathlib import Path

import pytest

from knowledge.exchange.hsds import export_tabular, import_hsds
from knowledge.exchange.opendata import DATASETS, export_csv
from tests.town import Town

_FORMULAS = ("=cmd|' /C calc'!A0", "+1+cmd", "-2+3", "@SUM(1)", "\t=1", "＝cmd", "＋１", "－１", "＠SUM", "\n=1")
_RUNS = re.compile(r"[=+\-@\t\r\n＝＋－＠]")


def _entry(words: str) -> dict[str, object]:
    return {
        "id": "mihon", "name": words, "summary": words, "kana": words, "how": words, "cost": words, "domain": "okane", "kind": "service",
        "provider": [words], "bring": [words], "who": {"note": words}, "contacts": [{"name": words, "tel": "000-0000-1014"}],
    }  # fmt: skip


@pytest.mark.requirement("R33")
@pytest.mark.parametrize("words", _FORMULAS)
def test_no_cell_of_open_data_or_hsds_starts_a_formula(words: str) -> None:
    tables = [export_csv([_entry(words)], dataset.name).decode("utf-8-sig") for dataset in DATASETS]  # type: ignore[list-item]
    with zipfile.ZipFile(io.BytesIO(export_tabular({"mihon": _entry(words)}, "見本市"))) as packed:  # type: ignore[dict-item]
        tables += [packed.read(name).decode() for name in packed.namelist() if name.endswith(".csv")]
    cells = [cell for table in tables for row in csv.reader(io.StringIO(table, newline="")) for cell in row]
    assert any(words in cell for cell in cells), "the words were nowhere: nothing was tried"
    assert [cell for cell in cells if _RUNS.match(cell)] == []


@pytest.mark.requirement("R33")
def test_what_was_kept_from_running_comes_in_again_as_it_was(tmp_path: Path) -> None:
    packed = export_tabular({"mihon": _entry("＝見本の窓口")}, "見本市")  # type: ignore[dict-item]
    taken = import_hsds(packed)
    assert taken.entries["mihon"]["name"] == "＝見本の窓口"


@pytest.mark.requirement("R30")
@pytest.mark.parametrize("words", ["集まり\r\nBEGIN:VEVENT\r\nSUMMARY:にせもの", "a;b,c\\nd", "集\u2028まり\u0085にせ", "x\x0bATTENDEE:y\x0c"])
def test_words_of_a_gathering_begin_no_line_of_the_calendar(town: Town, words: str) -> None:
    from bot.web.calendar import _escaped, _folded

    told = "".join(f"{piece}\r\n" for piece in _folded(f"SUMMARY:{_escaped(words)}"))
    assert len(re.split("\r\n(?! )", told)) == 2
    assert not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]", told)
