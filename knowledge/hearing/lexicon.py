"""The word lists that lie beside the entries (synonyms, glossary, intents, hardships), read once and kept together.

They are data that staff and counsellors can read and change without reading code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from knowledge.hearing.intent import Intents
from knowledge.hearing.normalise import cut, plain
from knowledge.hearing.rank.glossary import Glossary
from knowledge.hearing.rank.synonyms import Synonyms
from knowledge.hearing.weight import Hardships

STARTER = Path(__file__).resolve().parent.parent / "starter"


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Everything hearing knows besides the entries and the dangers."""

    synonyms: Synonyms
    glossary: Glossary
    intents: Intents
    hardships: Hardships
    broad_groups: frozenset[str]
    """Keys of the synonym groups whose first member is a broad word (母, 仕事, 手続き): they do not tell what a message is about."""

    @classmethod
    def load(cls, folder: Path = STARTER, own_synonyms: Sequence[Sequence[str]] = ()) -> "Lexicon":
        """The starter's lists with the town's own synonym groups added. Raises OSError or yaml.YAMLError on a broken list."""
        groups = tuple(dict.fromkeys((*_groups(folder), *(tuple(map(str, group)) for group in own_synonyms if group))))
        intents = Intents.of(_read(folder / "intents.yaml"))
        broad = [all(word.form in intents.broad for word in cut(plain(group[0])).words) for group in groups]
        return cls(
            Synonyms.of(groups),
            Glossary.of(_read(folder / "glossary.yaml")["concepts"]),
            intents,
            Hardships.of(_read(folder / "hardships.yaml")),
            frozenset(f"s{number}" for number, is_broad in enumerate(broad) if is_broad),
        )


def _groups(folder: Path) -> list[tuple[str, ...]]:
    return [tuple(map(str, group)) for group in _read(folder / "synonyms.yaml").get("groups", ())]


@lru_cache(maxsize=8)
def _read(path: Path) -> Mapping[str, Any]:
    loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return loaded if isinstance(loaded, dict) else {}
