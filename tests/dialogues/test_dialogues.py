"""Every script of this folder, on every channel."""

from pathlib import Path
from typing import Any

import pytest

from tests.dialogues.script import HERE, Player, read, scripts
from tests.town import Town

CHANNELS = ("line", "telegram", "web", "terminal")


def _cases() -> list[Any]:
    found = []
    for path in scripts():
        script = read(path)
        for channel in script.get("channels", CHANNELS):
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
