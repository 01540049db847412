"""Moments in words: 「きょう 13:20」「明日（火）8:30」「12月3日（木）」, and when the desk reads. Pure: now is brought in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Literal

from flows.model import Scene
from knowledge.entry import Hours, Town
from knowledge.hours import opening

ONE_DAY: Final = timedelta(days=1)
_JAPANESE_WEEK: Final = "月火水木金土日"
_ROUND_TO: Final = 10
"""Minutes: a promise is said as 13:20, not 13:17."""
_LONGEST_WAIT: Final = 30
"""Openings looked through for a promised time."""


def clock_time(moment: time | datetime, words: Mapping[str, str]) -> str:
    """13:20, or 午後 1:20 where the language says it so."""
    half = "pm" if moment.hour >= 12 else "am"
    hour12 = moment.hour % 12 if words["hours"] == "12" else moment.hour
    if words["hours"] == "12" and hour12 == 0 and half == "pm":
        hour12 = 12
    return words[half].replace("{clock}", f"{hour12}:{moment.minute:02d}")


def day_name(day: date, now: datetime, words: Mapping[str, str]) -> str:
    """きょう, 明日（火）, 12月3日（木）."""
    weekday = words["weekdays"].split()[day.weekday()]
    ahead = (day - now.date()).days
    key = {0: "today", 1: "tomorrow"}.get(ahead, "day")
    filled = words[key].replace("{weekday}", weekday)
    return filled.replace("{month}", words["months"].split()[day.month - 1]).replace("{day}", str(day.day))


def when(moment: datetime, now: datetime, words: Mapping[str, str]) -> str:
    """Day and time: 明日（火）8:30."""
    said = clock_time(moment, words)
    if moment.date() == now.date():
        return said
    return words["moment"].replace("{date}", day_name(moment.date(), now, words)).replace("{time}", said)


def weekly(rows: Sequence[Hours], words: Mapping[str, str]) -> str:
    """Opening hours in one line: 月〜金 8:30〜17:15. Empty when they are not known."""
    return words["between_rows"].join(f"{_days(row.days, words)} {row.from_}{words['until']}{row.to}" for row in rows)


def _days(written: str, words: Mapping[str, str]) -> str:
    """Days as staff wrote them, with the weekdays in the resident's language."""
    names = words["weekdays"].split()
    letters = {letter: names[place] for place, letter in enumerate(_JAPANESE_WEEK)}
    return "".join(letters.get(letter, letter) for letter in written).replace("-", words["until"])


# ---------------------------------------------------------------- when the desk reads

DeskState = Literal["open", "closed", "nobody", "unknown"]


@dataclass(frozen=True)
class Desk:
    """What may be promised now. `reads_at`: when somebody is there next; `answers_by`: the promised time; None = no time may be promised."""

    state: DeskState
    reads_at: datetime | None = None
    answers_by: datetime | None = None

    @property
    def is_there(self) -> bool:
        """Somebody can be told now: only then 「知らせました」 (D6)."""
        return self.state in ("open", "unknown")


def desk_at(scene: Scene, town: Town) -> Desk:
    """Whether somebody reads now, and by when a human will have answered, counted in opening hours only (D8)."""
    now = opening(town, scene.now)
    if not scene.staffed:
        return Desk("nobody", reads_at=None)
    if now.open_now is None:
        return Desk("unknown")
    if now.open_now:
        return Desk("open", reads_at=scene.now, answers_by=_promised(scene, town))
    return Desk("closed", reads_at=now.opens_at, answers_by=_promised(scene, town))


def _promised(scene: Scene, town: Town) -> datetime | None:
    """`reply_minutes` of opening time from now, rounded up; None when the desk does not open soon."""
    at, left = scene.now.replace(second=0, microsecond=0), timedelta(minutes=scene.reply_minutes)
    for _ in range(_LONGEST_WAIT):
        found = opening(town, at)
        if found.open_now is False:
            if found.opens_at is None:
                return None
            at = found.opens_at
            continue
        if found.closes_at is None:
            return _rounded(at + left)
        closes = datetime.combine(at.date(), found.closes_at, tzinfo=at.tzinfo)
        if closes <= at:
            closes += timedelta(days=1)
        if at + left <= closes:
            return min(_rounded(at + left), closes)
        left -= closes - at
        at = closes
    return None


def _rounded(at: datetime) -> datetime:
    return at + timedelta(minutes=-at.minute % _ROUND_TO)
