"""The town's own list of danger words, as an editor changes it: read as it would be, tried on every sentence inside it (desk.md §4, R50)."""

import shutil
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from knowledge.base import own_danger_file
from knowledge.hearing.danger import DangerList
from knowledge.hearing.danger_reading import BrokenDangerList
from knowledge.layers import STARTER

DANGER = "danger"
"""Stands for an entry's id in history and proposals."""
_LIST, _FOLDER = "danger.yaml", "danger"


@dataclass(frozen=True)
class Heard:
    """A stored sentence that is heard otherwise: levels L0–L3 before and after."""

    text: str
    before: str
    after: str


def files(folder: Path) -> list[Path]:
    """The files of the list in use, the town's own or the whole country's, as one may look at them."""
    place = folder if own_danger_file(folder) else STARTER
    return [place / _LIST, *sorted((place / _FOLDER).glob("*.yaml"))]


def title(path: Path) -> str:
    """What the file says it is about (`title:` in its first line); its name where it does not say."""
    with path.open(encoding="utf-8") as lines:
        first = lines.readline().strip()
    return first.removeprefix("title:").strip() if first.startswith("title:") else path.name


def mark(text: str) -> str:
    """Changes when somebody else saves the file (R23)."""
    return sha256(text.encode()).hexdigest()[:16]


def start_own(folder: Path) -> None:
    """Begin the town's own list with the country's: nothing is heard otherwise yet."""
    shutil.copytree(STARTER / _FOLDER, folder / _FOLDER, dirs_exist_ok=True)
    shutil.copyfile(STARTER / _LIST, folder / _LIST)


def mistakes(folder: Path, path: Path, text: str) -> tuple[str, ...]:
    """Why the list cannot be used with this file, in words; its own test sentences count. Empty when it is sound."""
    try:
        listed = _would_be(folder, path, text)
    except BrokenDangerList as broken:
        return broken.problems
    return tuple(f"{one.rule}：「{one.sentence}」は {one.wanted} のはずが {one.got} になります" for one in listed.test())


def changed(folder: Path, path: Path, text: str) -> list[Heard]:
    """Every sentence inside either list that is heard otherwise. Takes some seconds: call it beside the loop."""
    before, after = DangerList.load(own_danger_file(folder) or STARTER / _LIST), _would_be(folder, path, text)
    levels = ((said, before.scan(said).level, after.scan(said).level) for said in dict.fromkeys((*_sentences(before), *_sentences(after))))
    return [Heard(said, was, now) for said, was, now in levels if was != now]


def _sentences(listed: DangerList) -> list[str]:
    inside = [said for rule in listed.rules for said in (*rule.must, *rule.must_now, *rule.asks, *rule.must_not)]
    return [*inside, *(sentence.said for sentence in listed.sentences), *listed.left_alone]


def _would_be(folder: Path, path: Path, text: str) -> DangerList:
    """Raises BrokenDangerList."""
    with tempfile.TemporaryDirectory() as place:
        if (folder / _FOLDER).is_dir():
            shutil.copytree(folder / _FOLDER, Path(place) / _FOLDER)
        shutil.copyfile(folder / _LIST, Path(place) / _LIST)
        (Path(place) / path.relative_to(folder)).write_text(text, encoding="utf-8", newline="\n")
        return DangerList.load(Path(place) / _LIST)
