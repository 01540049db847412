"""Cells of other people's tables, read as our values: what cannot be read is left out and told in `lost`, never guessed."""

import re
import unicodedata
from datetime import date

from knowledge.days import UnknownDays, days_of
from knowledge.reading import Tree
from knowledge.written import day as day_of
from knowledge.written import tel as tel_of


def hiragana(kana: str) -> str:
    even = unicodedata.normalize("NFKC", kana)
    return "".join(chr(ord(letter) - 0x60) if "ァ" <= letter <= "ヶ" else letter for letter in even)


def listed(*cells: str | None) -> Tree:
    """Standard tables part several values by 「;」."""
    words = [word.strip() for cell in cells if cell for word in re.split(r"[;；、,\n]", cell)]
    return list(dict.fromkeys(word for word in words if word)) or None


def tel(said: str | None, what: str, lost: list[str]) -> str | None:
    """As it was published, in half width. Several numbers in one cell: the first; a lost leading zero is told, never guessed."""
    if not said:
        return None
    half = unicodedata.normalize("NFKC", said).translate(str.maketrans("‐‑‒–—―−ー", "--------"))
    half = re.sub(r"^\((0\d+)\)\s*", r"\1-", half.strip())
    half = re.sub(r"\s*\((\d+)\)\s*", r"-\1-", half)
    first = re.split(r"[、,/;\n]|\s{1,}(?=0)", half)[0].strip()
    try:
        return tel_of(first)
    except ValueError:
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
    """2026-04-01, 2026/4/1, 2026/4/1 0:00, 令和8年4月1日."""
    if not said:
        return None
    half = re.sub(r"[T\s]\d{1,2}:\d{2}(:\d{2})?$", "", unicodedata.normalize("NFKC", said).strip())
    found = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", half) or re.fullmatch(r"(\d{4})(\d{2})(\d{2})", half)
    era = re.fullmatch(r"(?:令和|R)(\d{1,2}|元)[-/.年](\d{1,2})[-/.月](\d{1,2})日?", half)
    parts = found.groups() if found else (str(2018 + int(era[1].replace("元", "1"))), era[2], era[3]) if era else None
    try:
        return date(*map(int, parts)).isoformat() if parts else day_of(half).isoformat()
    except ValueError:
        lost.append(f"{what}「{said}」は日付として読めないので、入れていません")
        return None


def clock(said: str | None) -> str | None:
    """9:00, 09:00, 9時, 9:00:00."""
    half = unicodedata.normalize("NFKC", said or "").strip().replace("時半", ":30").replace("時", ":").removesuffix("分")
    found = re.fullmatch(r"(\d{1,2}):(\d{2})?(?::00)?", half)
    if not found or int(found[1]) > 24:
        return None
    return f"{int(found[1])}:{found[2] or '00'}"


def hours(said: str, begins: str | None, ends: str | None, lost: list[str]) -> Tree:
    """One row of opening hours, or None. An end before its beginning is the next morning; 0:00 is midnight."""
    if not said or begins is None or ends is None:
        return None
    found = days(said)
    if found is None:
        lost.append(f"利用可能曜日「{said}」は読めないので、時間を入れていません")
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


def closed(said: str | None, lost: list[str]) -> Tree:
    rules = list[Tree]()
    for part in re.split(r"[;、,]", said or ""):
        found = days(part.strip()) if part.strip() else None
        if found is not None:
            rules.append(found)
        elif part.strip():
            lost.append(f"休みの日「{part.strip()}」は読めないので、入れていません")
    return rules or None


def minutes(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)
