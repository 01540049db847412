"""Times, dates and opening hours as people write them, read as ours: 午後5時, 令和8年10月1日（木）, 月～金 9:00～17:00（祝日を除く）.

For advice in `check` and for tables of others. What could mean two things is not read at all: None, and the words stay words.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from knowledge.days import UnknownDays, days_of

QUOTES: Final = "\"'“”‘’「」『』＂＇″"
_ERAS: Final = {"令和": 2018, "R": 2018, "平成": 1988, "H": 1988, "昭和": 1925, "S": 1925}
"""Name of an era → the year before its first. A date of 明治 or 大正 is no date of a service."""
_ERA_DAY: Final = re.compile(rf"({'|'.join(_ERAS)})\s*(\d{{1,2}}|元)[-/.年]\s*(\d{{1,2}})[-/.月]\s*(\d{{1,2}})日?")
_DAY: Final = re.compile(r"(\d{4})[-/.年]\s*(\d{1,2})[-/.月]\s*(\d{1,2})日?|(\d{4})(\d{2})(\d{2})")
_HALF: Final = r"午前|午後|AM|PM"
_CLOCK: Final = rf"(?:{_HALF})?\s*\d{{1,2}}(?:[:.]\d{{2}}(?::00)?|時(?:半|\d{{1,2}}分)?)\s*(?:AM|PM)?"
_ONE_CLOCK: Final = re.compile(
    rf"(翌|翌日)?({_HALF})?\s*(\d{{1,2}})(?:[:.](\d{{2}})(?::00)?|時(?:(半)|(\d{{1,2}})分)?)?\s*(AM|PM)?", re.IGNORECASE
)
_RANGE: Final = re.compile(rf"({_CLOCK})\s*(?:[-~〜‐–—ー−]|から|より)\s*((?:翌日?)?\s*{_CLOCK})(?:まで)?", re.IGNORECASE)
_ALWAYS: Final = re.compile(r"24時間(?:365日|年中無休|対応|営業|受付)*")
_EXCEPT: Final = re.compile(
    r"^(?:ただし|但し|※|なお|休(?:館|業|所|園|み)?日?\s*[:：は]|定休日?\s*[:：は]?)*\s*(.+?)\s*(?:(?:は|を|の)?(?:除く|除きます|除き|お?休み|休館|休業|休所|休園|閉館|閉所|定休|休)(?:日|です)?)$"
)
_FIRST_CLOSED: Final = re.compile(r"^(?:休(?:館|業|所|園)?日|休み|定休日?)\s*[:：は]?\s*(.+)$")
LATE: Final = 15 * 60
"""Minutes from midnight: what begins later and ends earlier on the clock ends the next morning."""
_HARMLESS: Final = re.compile(r"[\s、。,・;/:|]*")


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening hours that were understood wholly: rows of (days, from, to), and the days that are excepted."""

    rows: tuple[tuple[str, str, str], ...]
    closed: tuple[str, ...] = ()

    @property
    def inline(self) -> str:
        """The rows as they are written in a file."""
        return "[" + ", ".join(f'{{days: {days}, from: "{begins}", to: "{ends}"}}' for days, begins, ends in self.rows) + "]"


def plain(text: str) -> str:
    """Half width, without quotes around it."""
    return unicodedata.normalize("NFKC", text).strip().strip(QUOTES).strip()


def clock_said(text: str) -> str | None:
    """17:00 of 17時, 午後5時, 5:00 PM, 17.00, 17:00:00, 1700, ”17:00”; None when it is none, or a bare number."""
    if plain(text) == "正午":
        return "12:00"
    found = _ONE_CLOCK.fullmatch(re.sub(r"^([01]?\d|2[0-4])([0-5]\d)$", r"\1:\2", plain(text)))
    if found is None or not (found[4] or "時" in found[0]):
        return None
    half = (found[2] or found[7] or "").upper()
    hour, minute = int(found[3]), 30 if found[5] else int(found[4] or found[6] or 0)
    if half and hour > 12:
        return None
    hour = hour % 12 + 12 if half in ("午後", "PM") else hour % 12 if half else hour
    return f"{'翌' if found[1] else ''}{hour}:{minute:02}" if hour * 60 + minute <= 24 * 60 and minute < 60 else None


def clocks_said(text: str) -> tuple[str, str] | None:
    """9:00〜17:00 in one value."""
    found = _RANGE.fullmatch(plain(text))
    begins, ends = (clock_said(found[1]), clock_said(found[2])) if found else (None, None)
    return None if begins is None or ends is None else (begins, ends)


def day_said(text: str) -> date | None:
    """A day in one of three calendars: 2026/10/1, 20261001, 令和8年10月1日（木）, R8.10.1, 昭和64年1月7日; a time behind it is left out."""
    named = _day_named(text)
    try:
        return None if named is None else date(*named)
    except ValueError:
        return None


def is_no_day(text: str) -> bool:
    """2月30日, 令和8年13月1日: a day as one is written, that no calendar has."""
    return _day_named(text) is not None and day_said(text) is None


def _day_named(text: str) -> tuple[int, int, int] | None:
    """Year, month and day as they were said."""
    half = re.sub(r"[T\s]+\d{1,2}:\d{2}(:\d{2})?$", "", plain(text))
    half = re.sub(r"\s*\([月火水木金土日](?:曜日?)?(?:・?祝)?\)$", "", half)
    found, era = _DAY.fullmatch(half), _ERA_DAY.fullmatch(half)
    if found:
        year, month, day = (found[1], found[2], found[3]) if found[1] else (found[4], found[5], found[6])
    elif era:
        year, month, day = str(_ERAS[era[1]] + int(era[2].replace("元", "1"))), era[3], era[4]
    else:
        return None
    return int(year), int(month), int(day)


def day_of_excel(text: str) -> date | None:
    """46296: the number behind a date in a spreadsheet, of the years 2009 to 2063."""
    return date(1899, 12, 30) + timedelta(days=int(text)) if re.fullmatch(r"[45]\d{4}", text, re.ASCII) else None


def _even(text: str) -> str:
    """Half width; 祝祭日 is 祝日; of 年末年始（12/29〜1/3） the days are kept."""
    return re.sub(r"年末年始\s*\(([^()]*\d[^()]*)\)", r"\1", plain(text)).replace("祝祭日", "祝日")


def _short(days: str) -> str:
    """月曜日から金曜日 is 月-金, as our own files have it."""
    bare = re.sub(r"曜日?", "", days)
    return re.sub(r"(?<=[月火水木金土日])\s*(?:[~〜‐–—ー−]|から)\s*(?=[月火水木金土日])", "-", bare)


def hours_said(text: str, days: str | None = None) -> Hours | None:
    """月～金 9:00～17:00（祝日・年末年始を除く）→ rows and closing days; None unless every word of it was understood.

    `days`: which days are meant where none are said; None = hours without days are not understood.
    """
    half = _even(text)
    closed = list[str]()
    for aside in re.findall(r"\(([^()]*)\)", half):
        if not _take_closed(aside, closed):
            return None
    half = re.sub(r"\([^()]*\)", " ", half)
    rows, rest = list[tuple[str, str, str]](), half
    if found := _ALWAYS.search(half):
        rows, rest = [("毎日", "0:00", "24:00")], half[: found.start()] + half[found.end() :]
    else:
        rest = half
        end = 0
        for found in _RANGE.finditer(half):
            said, end_before, end = half[end : found.start()], end, found.end()
            named = _days_before(said, first=end_before == 0)
            rule = named if named is not None else (rows[-1][0] if rows else days) if _HARMLESS.fullmatch(said) else None
            row = None if rule is None else _row(rule, found)
            if row is None:
                return None
            rows.append(row)
        rest = half[end:]
    for part in re.split(r"[。、;※\n]|\s{2,}", rest):
        if not _HARMLESS.fullmatch(part) and not _take_closed(part, closed):
            return None
    return Hours(tuple(rows), tuple(dict.fromkeys(closed))) if rows else None


def closed_said(text: str) -> tuple[str, ...] | None:
    """Days on which it is closed: 土日祝日・年末年始（12/29〜1/3）, 祝日は休み; None unless all of it was understood. Nothing said: none."""
    half = _even(text)
    found = list[str]()
    if half in ("なし", "無", "無し", "無休", "年中無休", "-"):
        return ()
    return tuple(found) if all(_take_closed(part, found) for part in re.split(r"[;、,\n]", half) if part.strip()) else None


def _row(days: str, found: re.Match[str]) -> tuple[str, str, str] | None:
    begins, ends = clock_said(found[1]), clock_said(found[2])
    if begins is None or ends is None:
        return None
    if ends == "0:00":
        ends = "24:00"
    if not ends.startswith("翌") and _minutes(ends) <= _minutes(begins):
        if _minutes(begins) < LATE:
            return None  # 9時から5時: the afternoon, and nobody said so
        ends = f"翌{ends}"
    return days, begins, ends


def _minutes(clock: str) -> int:
    hour, _, minute = clock.removeprefix("翌").partition(":")
    return int(hour) * 60 + int(minute)


def _days_before(said: str, *, first: bool) -> str | None:
    """The days named before hours: 「月～金 」,「、土曜日は」."""
    named = said.strip(" 、。,;/:|・")
    if first:
        named = re.sub(r"^(?:開館|開所|受付|営業|利用|診療)(?:時間|日)?\s*[:は]?", "", named)
    named = named.rstrip("は: の、").strip()
    return _short(named) if named and _are_days(named) else None


def _take_closed(said: str, closed: list[str]) -> bool:
    """Whether these words name closing days and nothing else."""
    text = said.strip(" 、。,・;")
    found = _EXCEPT.match(text) or _FIRST_CLOSED.match(text)
    named = (found[1] if found else text).strip(" 、。,・")
    if not named or (not found and not _are_days(named)):
        return not named
    if not _are_days(named):
        return False
    closed.append(_short(named))
    return True


def _are_days(text: str) -> bool:
    try:
        days_of(text)
    except UnknownDays:
        return False
    return True
