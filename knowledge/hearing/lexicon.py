"""The word lists that lie beside the entries (synonyms, glossary, intents, hardships), read once and kept together.

They are data that staff and counsellors can read and change without reading code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from knowledge.hearing.intent import Intents
from knowledge.hearing.language import language
from knowledge.hearing.model import Lang
from knowledge.hearing.normalise import Plain, cut, plain
from knowledge.hearing.rank import foreign, keys
from knowledge.hearing.rank.glossary import Glossary
from knowledge.hearing.rank.keys import NO_KEYS, Keys
from knowledge.hearing.rank.signs import Signs, read
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
    broad: frozenset[int]
    """Keys of broad words, and of the synonym groups that begin with one (母, 仕事, 手続き): they do not tell what a message is about."""
    japanese: dict[str, Keys]
    """The signs of every Japanese word in the glossary."""

    @classmethod
    def load(cls, folder: Path = STARTER, own_synonyms: Sequence[Sequence[str]] = ()) -> "Lexicon":
        """The starter's lists with the town's own synonym groups added. Raises OSError or yaml.YAMLError on a broken list."""
        groups = tuple(dict.fromkeys((*_groups(folder), *(tuple(map(str, group)) for group in own_synonyms if group))))
        intents = Intents.of(_read(folder / "intents.yaml"))
        broad = [all(word.form in intents.broad for word in cut(plain(group[0])).words) for group in groups]
        broad_groups = {keys.numbered(keys.SYNONYM, number) for number, is_broad in enumerate(broad) if is_broad}
        synonyms, glossary = Synonyms.of(groups), Glossary.of(_read(folder / "glossary.yaml")["concepts"])
        return cls(
            synonyms,
            glossary,
            intents,
            Hardships.of(_read(folder / "hardships.yaml")),
            frozenset(broad_groups | {keys.named(keys.WORD, form) for form in intents.broad}),
            {word: read(word, synonyms).keys for words in glossary.words() for word in words},
        )

    def signs(self, text: Plain, lang: Lang | None = None) -> Signs:
        """The signs of a text in any language; a stored example is read as a message is."""
        lang = lang or language(text.text)
        return read(text, self.synonyms) if lang in ("ja", "easy") else self.meant(text, lang)

    def meant(self, text: Plain, lang: Lang) -> Signs:
        """The signs of a foreign text, by way of Japanese and its own words; each stands where the foreign phrase stood."""
        own = np.array(foreign.words(text.text), np.int64).reshape(-1, 3)
        met = [(self.japanese[word], start, end) for words, start, end in self.glossary.japanese(text, lang) for word in words]
        sizes = [len(found) for found, _, _ in met]
        starts, ends = (np.repeat(np.array(places, np.int32), sizes) for places in ([start for _, start, _ in met], [end for _, _, end in met]))
        nothing = cut(Plain("", text.original, ()))
        return Signs(
            text,
            nothing,
            np.concatenate([NO_KEYS, *(found for found, _, _ in met), own[:, 0]]),
            np.concatenate((starts, own[:, 1])).astype(np.int32),
            np.concatenate((ends, own[:, 2])).astype(np.int32),
            japanese=False,
        )


def _groups(folder: Path) -> list[tuple[str, ...]]:
    return [tuple(map(str, group)) for group in _read(folder / "synonyms.yaml").get("groups", ())]


@lru_cache(maxsize=8)
def _read(path: Path) -> Mapping[str, Any]:
    loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return loaded if isinstance(loaded, dict) else {}
