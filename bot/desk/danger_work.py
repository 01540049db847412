"""The town's own danger words over the country's list, as an editor changes them: tried on every sentence inside first (desk.md §4, R50)."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from knowledge.base import own_danger_file
from knowledge.hearing.danger import DangerList
from knowledge.hearing.danger_reading import BrokenDangerList, files_of
from knowledge.layers import STARTER

DANGER = "danger"
"""Stands for an entry's id in history and proposals."""
COUNTRY = "country/"
"""Stands before the names of the whole country's files."""
_LIST, _FOLDER = "danger.yaml", "danger"


@dataclass(frozen=True)
class Heard:
    """A stored sentence that is heard otherwise: levels L0–L3 before and after."""

    text: str
    before: str
    after: str


@dataclass(frozen=True)
class Tried:
    """A changed list before it is used. `problems` say in words why it cannot be: its own test sentences count; empty when it is sound.

    `heard`: every test sentence of either list's rules that is heard otherwise; empty when the list is not sound.
    """

    problems: tuple[str, ...] = ()
    heard: tuple[Heard, ...] = ()


BEGINNING = """title: この町の言い方
# この町だけの言い方を足します。全国の一覧はそのまま聞きとられ、更新も入ります。
#   groups  全国の一覧と同じ名前のグループには、言葉が足されます
#   rules   同じ id の規則は、この町のものが代わりに使われます
#   off     この町で使わない全国の規則の id
rules: []
"""


def files(folder: Path) -> dict[str, Path]:
    """The files of the list in use, by the name the desk asks for them: the town's own, which may be changed, then the country's."""
    own = files_of(folder / _LIST) if own_danger_file(folder) else []
    country = files_of(STARTER / _LIST)
    named = {path.relative_to(folder).as_posix(): path for path in own}
    return named | {f"{COUNTRY}{path.relative_to(STARTER).as_posix()}": path for path in country}


def of_sentences(names: Iterable[str]) -> list[str]:
    """Those of the files that hold sentences to learn from, and no rules: dozens, each by one writer."""
    return [name for name in names if name.rpartition("/")[2].startswith("sentences")]


def is_own(folder: Path, path: Path) -> bool:
    """The town may change it."""
    return path.is_relative_to(folder) and folder.resolve() != STARTER


def title(path: Path) -> str:
    """What the file says it is about (`title:` in its first line); its name where it does not say."""
    with path.open(encoding="utf-8") as lines:
        first = lines.readline().strip()
    return first.removeprefix("title:").strip() if first.startswith("title:") else path.name


def mark(text: str) -> str:
    """Changes when somebody else saves the file (R23)."""
    return sha256(text.encode()).hexdigest()[:16]


def start_own(folder: Path) -> None:
    """Begin the town's own list: nothing is heard otherwise yet."""
    (folder / _LIST).write_text(BEGINNING, encoding="utf-8")


def tried(folder: Path, path: Path, text: str, before: DangerList) -> Tried:
    """What the file would do, beside `before`, the list in use. The whole country's list is read for it: some seconds, so call it beside the loop."""
    try:
        listed = _would_be(folder, path, text)
    except BrokenDangerList as broken:
        return Tried(broken.problems)
    failures = tuple(f"{one.rule}：「{one.sentence}」は {one.wanted} のはずが {one.got} になります" for one in listed.test())
    return Tried(failures) if failures else Tried(heard=tuple(_otherwise(before, listed)))


def _otherwise(before: DangerList, after: DangerList) -> Iterator[Heard]:
    for said in dict.fromkeys((*_sentences(before), *_sentences(after))):
        was, now = before.hear(said).level, after.hear(said).level
        if was != now:
            yield Heard(said, was, now)


def _sentences(listed: DangerList) -> list[str]:
    return [said for rule in listed.rules for said in (*rule.must, *rule.must_now, *rule.asks, *rule.must_not)]


def _would_be(folder: Path, path: Path, text: str) -> DangerList:
    """Raises BrokenDangerList."""
    with tempfile.TemporaryDirectory() as place:
        if (folder / _FOLDER).is_dir():
            shutil.copytree(folder / _FOLDER, Path(place) / _FOLDER)
        shutil.copyfile(folder / _LIST, Path(place) / _LIST)
        (Path(place) / path.relative_to(folder)).write_text(text, encoding="utf-8", newline="\n")
        return DangerList.load(STARTER / _LIST, Path(place) / _LIST)
