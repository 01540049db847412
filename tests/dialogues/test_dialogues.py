"""Every script of this folder on every channel; those of `more/` on two, in turn, so that the whole stays a matter of minutes."""

from pathlib import Path
from typing import Any

import pytest

from tests.dialogues.script import HERE, Player, read, scripts
from tests.town import Town

CHANNELS = ("line", "telegram", "web", "terminal")


def _cases() -> list[Any]:
    found = []
    for place, path in enumerate(scripts()):
        script = read(path)
        some = CHANNELS[place % 2 :: 2] if path.parent != HERE else CHANNELS
        for channel in script.get("channels", some):
            found.append(pytest.param(path, channel, id=f"{path.relative_to(HERE).with_suffix('')}-{channel}"))
    return found


@pytest.mark.parametrize(("path", "channel"), _cases())
def test_a_dialogue_goes_as_its_script_says(path: Path, channel: Any, town: Town) -> None:
    script = read(path)
    if "at" in script:
        town.clock.stands_at(script["at"])
    if script.get("staffed", True):
        town.coordinator("当番")
    player = Player(town, town.resident_on(channel, comes=script.get("comes", True)))
    player.play(script["steps"])
    assert town.line.violations == []
    assert town.telegram.violations == []
