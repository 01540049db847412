"""National lines: the only place the telephone numbers of the crisis answers come from (G8).

Only a line whose number was confirmed at its source (`verified`) may be shown, and its hours as certain only when those were confirmed too.
Sentences belong to the phrases; this gives the parts.
"""

from dataclasses import dataclass
from typing import Final

from knowledge.entry import Written
from knowledge.written import Id, Tel, Texts, Truth, Url, Words

ROUND_THE_CLOCK: Final = frozenset({"24時間", "24時間365日", "365日 24時間"})


class Hotline(Written):
    """One line of hotlines.yaml. `number` is None for lines that are only an app or a web page."""

    id: Id
    name: Words
    number: Tel | None = None
    hours: Words | None = None
    audience: Words | None = None
    languages: Texts = ("ja",)
    category: Words | None = None
    free: Truth = False
    url: Url | None = None
    sources: Texts = ()
    verified: Truth = False
    """The number (for a line without one: that it exists) was read on a public page."""
    hours_verified: Truth = False
    as_of: Words | None = None
    """When the source was written: 2024-09, 2023 …"""
    note: Words | None = None
    hidden: Truth = False
    """Not offered here and now: outside its region, or opened only for some days of the year (a town's hotlines.yaml decides)."""

    @property
    def may_be_shown(self) -> bool:
        return self.verified and not self.hidden

    @property
    def known_hours(self) -> str | None:
        """Hours that were confirmed at the source; None = say 時間は未確認."""
        return self.hours if self.hours_verified else None

    @property
    def always_open(self) -> bool:
        """Confirmed to answer at any hour of any day."""
        return self.hours_verified and self.hours in ROUND_THE_CLOCK


@dataclass(frozen=True, slots=True)
class Spoken:
    """The parts of 「よりそいホットライン 0120-279-338（24時間365日）」. `hours` with `hours_known=False` is shown as 時間は未確認."""

    name: str
    number: str | None
    url: str | None
    hours: str | None
    hours_known: bool
    free: bool


def spoken(hotline: Hotline) -> Spoken | None:
    """The parts to show; None for a line that may not be shown."""
    if not hotline.may_be_shown:
        return None
    return Spoken(hotline.name, hotline.number, hotline.url, hotline.hours, hotline.hours_verified, hotline.free)
