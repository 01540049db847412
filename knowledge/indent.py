"""A line of YAML that stands further left or right than its neighbours; mending.py finds the other slips."""

import re
from collections.abc import Sequence

import yaml

from knowledge.problem import Broken


def indent(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """A line further right or left than its neighbours. Mended to where its neighbour begins, so that reading can go on."""
    here = lines[line]
    dash = here.lstrip().startswith("- ")
    above = next((number for number in range(line - 1, -1, -1) if _neighbour(lines[number], dash)), None)
    if above is None or not here.strip():
        return None
    if not dash and (blamed := _slipped_left(lines, above, here)):
        return blamed
    found = _begins(here, dash)
    above = above if dash else _nearest_level(lines, above, found)
    wanted = _begins(lines[above], dash)
    if wanted == found:
        return None
    return _not_in_line(line, found, above, wanted, here)


def _not_in_line(line: int, found: int, other: int, wanted: int, text: str) -> Broken:
    side = "上" if other < line else "下"
    where = f"{wanted} 個ぶん右から" if wanted else "左の端から"
    hint = f"行の頭の空白が {found} 個です。{side}の {other + 1} 行目は、{where}始まります。同じ仲間の行は、左の端をそろえてください。"
    return Broken(line, 0, "indent", "字下げがそろっていません", hint, max(found, 1), " " * wanted + text.strip(), certain=False)


def _slipped_left(lines: Sequence[str], above: int, here: str) -> Broken | None:
    """The line above is to blame when the one before it and this one agree: `area:` slipped left out of its contact."""
    before = next((number for number in range(above - 1, -1, -1) if _neighbour(lines[number], dash=False)), None)
    wanted = _begins(here, dash=False)
    if before is None or _begins(lines[before], dash=False) != wanted or not re.match(r"\s*[A-Za-z_]+:\s+\S", lines[above]):
        return None
    found = _begins(lines[above], dash=False)
    return _not_in_line(above, found, before, wanted, lines[above]) if found < wanted else None


def _nearest_level(lines: Sequence[str], above: int, found: int) -> int:
    """Of the lines that are still open above, the one that begins nearest to `found`; of two, the one further left."""
    levels, least = [above], _begins(lines[above], dash=False)
    for number in range(above - 1, -1, -1):
        if _neighbour(lines[number], dash=False) and _begins(lines[number], dash=False) < least:
            levels.append(number)
            least = _begins(lines[number], dash=False)
    return min(levels, key=lambda number: (abs(_begins(lines[number], dash=False) - found), _begins(lines[number], dash=False)))


def _neighbour(line: str, dash: bool) -> bool:
    text = line.strip()
    return bool(text) and not text.startswith("#") and (text.startswith("- ") or not dash)


def _begins(line: str, dash: bool) -> int:
    """Where the words of a line begin; for a line of a list that is compared with others of it, where its `-` stands."""
    found = re.match(r" *" if dash else r" *(?:- +)*", line)
    return found.end() if found else 0
