"""今週行けるところ: somebody asks where to go, not for help; narrowed by day, district and interest; no worry need be told (D10c)."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final

from flows.cards import MOST_CARDS, cards
from flows.model import Reply, Turn
from flows.talk import Talk
from flows.typed import plain
from knowledge.calendar import Gathering, gatherings
from knowledge.days import WEEK

_LONGEST: Final = 30
"""Letters: whoever writes more has something to tell, and is heard."""
_WEEK_DAYS: Final = 7
_AHEAD: Final = 14
_WEEKDAY: Final = re.compile(rf"([{WEEK}])(?:曜|よう)")
_WEEKEND: Final = frozenset({5, 6})


def is_asked(talk: Talk) -> bool:
    """A short question for a place or a gathering; 「行けるところがない」 is none."""
    said = plain(talk.text)
    typed = talk.town.typed
    return len(said) <= _LONGEST and any(word in said for word in typed("outing")) and not any(word in said for word in typed("outing_not"))


def shown(talk: Talk) -> Turn:
    """What takes place then, soonest first, what is full last; the open question stays open."""
    today, said = talk.scene.now.date(), plain(talk.text)
    wanted = _days(talk, said, today)
    coming = [one for one in gatherings(talk.town.base.entries.values(), talk.scene.now, _AHEAD) if one.day in wanted]
    area = next((name for name in talk.town.base.town.areas if plain(name) in said), talk.session.area)
    fitting = sorted(_by_interest(talk, said, _near(talk, coming, area)), key=lambda one: one.full)
    ids = list(dict.fromkeys(one.entry.id for one in fitting))
    found = cards(talk, ids[:MOST_CARDS], {}, "card.news")
    text = talk.says("board.this_week" if found else "board.nothing_then")
    return talk.stay(Reply(text=text.text, key=text.key, cards=found), also=("!human",))


def _days(talk: Talk, said: str, today: date) -> set[date]:
    """The days that were named; without one, a week from today."""
    typed = talk.town.typed

    def named(key: str) -> bool:
        return any(word in said for word in typed(key))

    if named("day_today"):
        return {today}
    if named("day_tomorrow"):
        return {today + timedelta(days=1)}
    monday = today - timedelta(days=today.weekday()) + timedelta(days=7)
    week = [monday + timedelta(days=step) if named("day_next_week") else today + timedelta(days=step) for step in range(_WEEK_DAYS)]
    weekdays = {WEEK.index(letter) for letter in _WEEKDAY.findall(said)} or (_WEEKEND if named("day_weekend") else set(range(7)))
    return {day for day in week if day.weekday() in weekdays}


def _near(talk: Talk, coming: Iterable[Gathering], area: str | None) -> list[Gathering]:
    """What is in the district, then what is for the whole town; never what is in another district."""
    every = list(coming)
    if area is None:
        return every
    others = [name for name in talk.town.base.town.areas if name != area]
    here = [one for one in every if area in one.where]
    return here + [one for one in every if one not in here and not any(name in one.where for name in others)]


def _by_interest(talk: Talk, said: str, coming: Sequence[Gathering]) -> list[Gathering]:
    """What fits the rest of the words first."""
    rest = said
    for key in ("outing", "day_today", "day_tomorrow", "day_next_week", "day_weekend", "outing_little"):
        for word in sorted(talk.town.typed(key), key=len, reverse=True):
            rest = rest.replace(word, "")
    for name in talk.town.base.town.areas:
        rest = rest.replace(plain(name), "")
    rest = _WEEKDAY.sub("", rest)
    if len(rest) < 2:
        return list(coming)
    near = {match.id: place for place, match in enumerate(talk.town.base.hearing.rank(rest, limit=20))}
    return sorted(coming, key=lambda one: near.get(one.entry.id, len(near)))
