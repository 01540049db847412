"""The end of a talk: three sentences to choose from, editable before they go, and the day of the next contact (D8, D14).

The words are in offers.yaml, where a town may change them.
"""

from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Literal, cast

import yaml

from bot.clock import JST
from bot.desk import japanese_dates
from bot.desk.acts import LONGEST_REPLY, Ending
from bot.desk.japanese_dates import NotADate, WhichEra

Half = Literal["am", "pm"]
Moment = Literal["hand_back", "close"]
Ready = Literal["reply", "easy"]
"""定型, やさしく: sentences that a reply may begin with."""
Trouble = Literal["no_next", "both_next", "which_era", "not_a_date", "past", "far", "no_sentence", "next_unfilled", "too_long", "reason"]

NEXT = "［次の連絡］"
"""Stands in a sentence for the day of the next contact."""
_FARTHEST = timedelta(days=730)
"""A slip of the year, such as R88, is not a promise."""
_BY: dict[Half, time] = {"am": time(12), "pm": time(17)}
_HALVES: dict[Half, str] = {"am": "午前", "pm": "午後"}


class Unfinished(Exception):
    """The form lacks something; `trouble` says what."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble: Trouble = trouble


@cache
def offers(moment: Moment | Ready) -> tuple[str, ...]:
    """The three sentences of this moment, or the ready ones for a reply."""
    written = yaml.safe_load((Path(__file__).parent / "offers.yaml").read_text(encoding="utf-8"))
    return tuple(cast("list[str]", written[moment]))


def read_ending(written: dict[str, str], moment: Moment, now: datetime) -> Ending:
    """Read `next` (a date), `half`, `no_next`, `choice`, `sentence` of a form. Raises `Unfinished`.

    Closing needs a next contact or a stated なし; giving back may leave it open. `choice` is `1`–`3`, or `none`: nothing is said.
    """
    half: Half = "pm" if written["half"] == "pm" else "am"
    day = _next_day(written, now)
    if moment == "close" and day is None and not written["no_next"]:
        raise Unfinished("no_next")
    sentence = _sentence(written, moment)
    if NEXT in sentence:
        if day is None:
            raise Unfinished("next_unfilled")
        sentence = sentence.replace(NEXT, f"{day.month}月{day.day}日（{japanese_dates.weekday(day)}）の{_HALVES[half]}")
    if len(sentence) > LONGEST_REPLY:
        raise Unfinished("too_long")
    return Ending(sentence, None if day is None else datetime.combine(day, _BY[half], JST))


def read_next(written: str, half: str, now: datetime) -> datetime:
    """The day and half of a next contact that must be there. Raises `Unfinished`."""
    day = _next_day({"next": written, "no_next": ""}, now)
    if day is None:
        raise Unfinished("not_a_date")
    return datetime.combine(day, _BY["pm" if half == "pm" else "am"], JST)


def _next_day(written: dict[str, str], now: datetime) -> date | None:
    if not written["next"].strip():
        return None
    if written["no_next"]:
        raise Unfinished("both_next")
    try:
        day = japanese_dates.read_date(written["next"])
    except WhichEra as error:
        raise Unfinished("which_era") from error
    except NotADate as error:
        raise Unfinished("not_a_date") from error
    if day < now.astimezone(JST).date():
        raise Unfinished("past")
    if day > now.astimezone(JST).date() + _FARTHEST:
        raise Unfinished("far")
    return day


def _sentence(written: dict[str, str], moment: Moment) -> str:
    choice = written["choice"]
    if choice == "none":
        return ""
    if own := written["sentence"].strip():
        return own
    if choice in ("1", "2", "3"):
        return offers(moment)[int(choice) - 1]
    raise Unfinished("no_sentence")
