"""One line of the doctor: what was looked at, how it is, what to do."""

from typing import Literal, NamedTuple

State = Literal["ok", "note", "bad"]


class Finding(NamedTuple):
    """`words` name the fix where there is one."""

    state: State
    words: str
