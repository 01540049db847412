"""What the page of the statistics says, beside the count by hand: an exact number must be that number, and what is hidden must be small."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

import bot.desk
from bot.desk import figures_page
from tests.town import Town
from tests.year.recount import Counts


def told(csv_file: bytes) -> dict[tuple[str, str, str], str]:
    """The page as a sheet: (table, row, column) → the number as it may be read."""
    lines = list(csv.DictReader(io.StringIO(csv_file.decode("utf-8-sig"))))
    return {(line["表"], line["項目"], line["内訳"]): line["数"] for line in lines}


def wanted(town: Town, months: Iterable[Counts]) -> dict[tuple[str, str, str], int]:
    """The same keys from the count by hand, with every sum of a table."""
    said: Mapping[str, Any] = yaml.safe_load((Path(bot.desk.__file__).parent / "figures.yaml").read_text(encoding="utf-8"))
    labels = figures_page.labels(town.parts)
    year: dict[str, Counter[str]] = {}
    for month in months:
        for table, counts in month.items():
            year.setdefault(table, Counter()).update(counts)
    found = {("数", how["label"], ""): year["work"][name] for name, how in said["work"].items()}
    for name, how in said["figures"].items():
        crossed = how["kind"] == "grid"
        words = how["columns"] if crossed else how["labels"]
        words = labels[words] if isinstance(words, str) else words
        for key, many in year[name].items():
            row, column = key.split("|") if crossed else (key, "")
            row, column = (row, words.get(column, column)) if crossed else (words.get(row, row), "")
            row, column = ("未確認" if one == "unknown" else one for one in (row, column))
            for at in ((row, column), (row, "計")) if crossed else ((row, column),):
                found[how["title"], *at] = found.get((how["title"], *at), 0) + many
    return found


def differences(told: Mapping[tuple[str, str, str], str], wanted: Mapping[tuple[str, str, str], int]) -> Iterator[str]:
    """Every place in which the page and the count by hand cannot both be right."""
    for place in sorted({*told, *(at for at, many in wanted.items() if many)}):
        number, many = told.get(place, "nothing"), wanted.get(place, 0)
        if not _agree(number, many):
            yield f"{' / '.join(place)}: the page says {number}, by hand it is {many}"


def _agree(number: str, many: int) -> bool:
    if number == "10未満":
        return 0 < many < 10
    if at_least := re.fullmatch(r"([\d,]+)以上", number):
        return many >= int(at_least[1].replace(",", ""))
    return number in ("秘匿", f"{many:,}")
