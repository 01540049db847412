"""Cells of other people's tables, read as our values: what cannot be read is left out and told in `lost`, never guessed. And cells of ours, written
so that no spreadsheet calculates them."""

import re
import unicodedata
from typing import Final

from knowledge.days import UnknownDays, days_of
from knowledge.hearing import normalise
from knowledge.reading import Tree
from knowledge.said import LATE, clock_said, day_said
from knowledge.written import half_width
from knowledge.written import tel as tel_of

_SHORT: Final = 6
"""Signs of the longest short number, #8008 among them."""
_CALCULATED: Final = "=+-@\t\r\n＝＋－＠"
"""A cell that begins so is a formula to a spreadsheet; the wide forms too."""


def safe(cell: str) -> str:
    """The cell with a leading ' where a spreadsheet would calculate it (R33)."""
    return f"'{cell}" if cell[:1] and cell[0] in _CALCULATED else cell


def unsafe(cell: str) -> str:
    """What `safe` was given."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] and cell[1] in _CALCULATED else cell


def hiragana(kana: str) -> str:
    return normalise.hiragana(unicodedata.normalize("NFKC", kana))


def listed(*cells: str | None) -> list[Tree] | None:
    """Standard tables part several values by 「;」."""
    words = [word.strip() for cell in cells if cell for word in re.split(r"[;；、,\n]", cell)]
    return [*dict.fromkeys(word for word in words if word)] or None


def tel(said: str | None, what: str, lost: list[str]) -> str | None:
    """As it was published, in half width. Several numbers in one cell: the first; a lost leading zero is told, never guessed."""
    if not said:
        return None
    half = re.sub(r"^\((0\d+)\)\s*", r"\1-", half_width(said))
    half = re.sub(r"\s*\((\d+)\)\s*", r"-\1-", half)
    half = re.sub(r"\s*\((?:大?代表?|直通)\)", "", half)
    spaced = re.sub(r"(?<=\d) +(?=\d)", "-", half)  # 0866 00 2000 is one number; two of them are too long for one
    for said_so in (half, spaced, re.split(r"[、,/;\n]|\s+(?=0)", half)[0].strip()):
        try:
            number = tel_of(said_so)
        except ValueError:
            continue
        if len(number) > _SHORT or number == half:  # 110 is a number; the 0866 of 0866 00 … is none
            return number
    lost.append(f"{what}「{said}」は読めないので、入れていません")
    return None


def matched(said: str | None, pattern: str, what: str, lost: list[str]) -> str | None:
    if not said:
        return None
    first = re.split(r"[;\s]", unicodedata.normalize("NFKC", said).strip())[0]
    if re.fullmatch(pattern, first):
        return first
    lost.append(f"{what}「{said[:60]}」は読めないので、入れていません")
    return None


def degrees(said: str | None) -> str | None:
    half = unicodedata.normalize("NFKC", said or "")
    return half if re.fullmatch(r"\d{1,3}(\.\d+)?", half) and float(half) != 0 else None


def day(said: str | None, what: str, lost: list[str]) -> str | None:
    """2026-04-01, 2026/4/1 0:00, 20260401, 令和8年4月1日（水）, H31.4.1."""
    if not said:
        return None
    found = day_said(said)
    if found is None:
        lost.append(f"{what}「{said}」は日付として読めないので、入れていません")
    return found.isoformat() if found else None


def clock(said: str | None) -> str | None:
    """9:00, 09:00, 9時, 午前9時, 9:00:00."""
    return clock_said(said) if said else None


def hours(said: str, begins: str | None, ends: str | None, lost: list[str]) -> Tree:
    """One row of opening hours, or None. In the evening an end before its beginning is the next morning; 0:00 is midnight."""
    if not said or begins is None or ends is None:
        return None
    found = days(said)
    if found is None:
        lost.append(f"利用可能曜日「{said}」は読めないので、時間を入れていません")
        return None
    if minutes(ends) <= minutes(begins) and ends != "0:00" and minutes(begins) < LATE:
        lost.append(f"{begins} から {ends} までは、始まりより終わりが前なので、時間を入れていません")
        return None
    if minutes(ends) <= minutes(begins):
        ends = "24:00" if ends == "0:00" else f"翌{ends}"
    return [{"days": found, "from": begins, "to": ends}]


def days(said: str) -> str | None:
    """月火水木金 as the standard writes it, or anything our own grammar reads."""
    half = unicodedata.normalize("NFKC", said)
    letters = re.sub(r"[\s,、・;/]|曜日?", "", half)
    if re.fullmatch(r"[月火水木金土日祝]+", letters):
        run = {"月火水木金": "月-金", "月火水木金土": "月-土", "月火水木金土日": "毎日", "月火水木金土日祝": "毎日"}
        return run.get(letters, "・".join(letters))
    try:
        days_of(half)
    except UnknownDays:
        return None
    return half


def minutes(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)
