"""Every word the bot says, read once from phrases/*.yaml; a town may lay its own `phrases/` folder over them.

One file a language, five sections: `says` (bubbles), `buttons` (labels), `lines` (short names of national telephone lines), `clock` (how moments are
said) and `typed` (what residents type, in normal form). Numbers never stand here: `{hotline.yorisoi}` is filled from the verified list (G8).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, get_args

from flows.typed import plain
from knowledge.base import BrokenBase
from knowledge.hearing.model import Lang
from knowledge.reading import Problem, Read, Tree, read_yaml

HERE: Final = Path(__file__).parent / "phrases"
SPOKEN: Final[tuple[Lang, ...]] = ("ja", "easy", "en", "zh", "pt", "vi")
"""Languages the flows speak; the others are only recognised (D12)."""
Section = Literal["says", "buttons", "lines", "clock", "typed"]
SLOT: Final = re.compile(r"\{([a-z0-9_.-]+)\}")


@dataclass(frozen=True)
class Phrases:
    """The words of one language. A phrase has one or more wordings: the next one is used when the first was said just before (G10)."""

    says: Mapping[str, tuple[str, ...]]
    buttons: Mapping[str, str]
    lines: Mapping[str, str]
    clock: Mapping[str, str]
    typed: Mapping[str, tuple[str, ...]]


Phrasebook = Mapping[Lang, Phrases]


@lru_cache(maxsize=1)
def built_in() -> Phrasebook:
    """The words that come with the product. Raises `BrokenBase`."""
    return MappingProxyType({lang: _read(HERE / f"{lang}.yaml") for lang in SPOKEN})


def phrasebook(folder: Path) -> Phrasebook:
    """The words of a town: those of `folder`/phrases laid over the built-in ones, phrase by phrase. Raises `BrokenBase`."""
    book = dict(built_in())
    for lang in SPOKEN:
        own = folder / "phrases" / f"{lang}.yaml"
        if own.is_file():
            book[lang] = _lay_over(book[lang], _read(own, below=book[lang]))
    return MappingProxyType(book)


def typed_anywhere(book: Phrasebook) -> Mapping[str, frozenset[str]]:
    """What residents type for each meaning, in every language at once: somebody may write 「help」 in a Japanese talk."""
    names = {name for phrases in book.values() for name in phrases.typed}
    return {name: frozenset(word for phrases in book.values() for word in phrases.typed.get(name, ())) for name in names}


@lru_cache(maxsize=1)
def built_in_typed() -> Mapping[str, frozenset[str]]:
    """What is typed with the words that come with the product."""
    return typed_anywhere(built_in())


def _lay_over(below: Phrases, above: Phrases) -> Phrases:
    return replace(
        below, says={**below.says, **above.says}, buttons={**below.buttons, **above.buttons}, lines={**below.lines, **above.lines},
        clock={**below.clock, **above.clock}, typed={**below.typed, **above.typed},
    )  # fmt: skip


def _read(file: Path, below: Phrases | None = None) -> Phrases:
    read = read_yaml(file)
    problems = [problem for problem in read.problems if problem.level == "error"]
    if not problems:
        problems = list(_mistakes(read, below))
    if problems:
        raise BrokenBase(tuple(problems))
    tree = read.tree if isinstance(read.tree, dict) else {}
    return Phrases(
        says={key: _wordings(value) for key, value in _section(tree, "says").items()},
        buttons=_single(_section(tree, "buttons")),
        lines=_single(_section(tree, "lines")),
        clock=_single(_section(tree, "clock")),
        typed={key: tuple(plain(word) for word in _wordings(value)) for key, value in _section(tree, "typed").items()},
    )


def _mistakes(read: Read, below: Phrases | None) -> Iterable[Problem]:
    """What the form alone does not show: unknown sections, phrases or slots of a town's own words, and numbers (G8)."""
    if not isinstance(read.tree, dict):
        yield read.problem((), "error", "shape", "says: などの見出しがありません", "says: の下に「welcome.hello: …」のように書いてください。")
        return
    for section, rows in read.tree.items():
        if section not in get_args(Section) or not isinstance(rows, dict):
            known = "、".join(get_args(Section))
            yield read.problem((section,), "error", "unknown_section", f"「{section}」という見出しは使えません", known, key=True)
            continue
        for key, value in rows.items():
            yield from _phrase_mistakes(read, section, key, value, below)


def _phrase_mistakes(read: Read, section: str, key: str, value: Tree, below: Phrases | None) -> Iterable[Problem]:
    words = _wordings(value)
    if section != "typed" and any(re.search(r"\d{3}", SLOT.sub("", word)) for word in words):
        hint = "{hotline.yorisoi} のように、一覧の名前を書いてください。"
        yield read.problem((section, key), "error", "number", "電話番号をここに書くことはできません", hint)
    if below is None or section == "typed":
        return
    known = getattr(below, section)
    if key not in known:
        hint = "もとの言葉と同じ名前を書いてください。"
        yield read.problem((section, key), "error", "unknown_phrase", f"「{key}」という言葉はありません", hint, key=True)
    elif section == "says":
        allowed = {slot for wording in known[key] for slot in SLOT.findall(wording)}
        for slot in {slot for word in words for slot in SLOT.findall(word)} - allowed:
            hint = "もとの言葉にある { } だけが使えます。"
            yield read.problem((section, key), "error", "unknown_slot", f"「{{{slot}}}」はここでは使えません", hint)


def _section(tree: Mapping[str, Tree], name: Section) -> Mapping[str, Tree]:
    rows = tree.get(name)
    return rows if isinstance(rows, dict) else {}


def _wordings(value: Tree) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(str(one) for one in value)
    return (str(value),) if value is not None else ()


def _single(rows: Mapping[str, Tree]) -> dict[str, str]:
    return {key: str(value) for key, value in rows.items()}
