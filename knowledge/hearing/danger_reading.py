"""The danger list as staff write it (knowledge/starter/danger.yaml and danger/*.yaml) → checked, compiled rules.

A town's own danger.yaml lies over it: it adds rules, words to groups and sentences, puts a rule of its own in the place of the
starter's of the same id, or switches one off by name. What it does not mention is heard as everywhere.
Every mistake of every file is named at once, in Japanese, with file and rule; a broken list is never half used.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast, get_args

from knowledge.hearing.danger_ear import Sentence
from knowledge.hearing.danger_features import CONCEPT
from knowledge.hearing.danger_pattern import Lexicon, Pattern, Phrases, WrongPattern
from knowledge.hearing.danger_words import WordFinder
from knowledge.hearing.model import DANGER_KINDS, DangerKind, Level
from knowledge.reading import errors, read_yaml

Who = Literal["self", "family", "other"]
Where = Literal["after", "before", "near", "sentence", "message"]
WHERE: tuple[Where, ...] = get_args(Where)
LEVELS: tuple[Level, ...] = ("L0", "L1", "L2", "L3")

_SECTIONS = ("title", "readings", "groups", "idioms", "weaken", "raise", "whose", "child_voice", "rules", "sentences", "left_alone", "off")
_RULE_FIELDS = (
    "id", "why", "level", "kinds", "who", "near", "longest", "hear", "signs", "at_least", "unless", "unless_near", "rises", "despite",
    "must", "must_now", "asks", "must_not",
)  # fmt: skip
_SENTENCE_FIELDS = ("kinds", "level", "said")
_CONTEXT_FIELDS = ("id", "why", "where", "within", "to", "kinds", "hear", "unless")


class BrokenDangerList(ValueError):
    """The list cannot be used; `problems` are Japanese lines: file, rule, what is wrong, what to write."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Context:
    """Words around a signal that lower it (negation, past, a film) or raise it (right now)."""

    id: str
    where: Where
    within: int
    to: int
    kinds: frozenset[DangerKind]
    hear: tuple[Pattern, ...]
    unless: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One signal of danger with its look-alikes and its own test sentences."""

    id: str
    level: int
    kinds: tuple[DangerKind, ...]
    who: Who | None
    longest: int | None
    hear: tuple[Pattern, ...]
    signs: tuple[Pattern, ...]
    """Weak signs: nothing alone, danger when `at_least` of them stand in one message (and `hear`, if there is any)."""
    at_least: int
    unless: tuple[Pattern, ...]
    unless_near: tuple[Pattern, ...]
    rises: tuple[Pattern, ...]
    despite: frozenset[str]
    must: tuple[str, ...]
    must_now: tuple[str, ...]
    asks: tuple[str, ...]
    must_not: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """Everything the list says, ready to listen with."""

    rules: tuple[Rule, ...]
    weaken: tuple[Context, ...]
    raising: tuple[Context, ...]
    whose: Mapping[Who, tuple[Pattern, ...]]
    child_voice: tuple[Pattern, ...]
    adult_voice: tuple[Pattern, ...]
    idioms: int
    names: Mapping[int, str]
    sentences: tuple[Sentence, ...]
    left_alone: tuple[str, ...]
    paired: frozenset[str]
    """Sentences of the files that have both: danger beside what only looks like it teaches most."""
    switched: tuple[str, ...]
    """Ids of the starter's rules that the town has put its own in place of, or switched off."""
    sizes: tuple[int, ...]
    phrases: Phrases
    finder: WordFinder


def files_of(path: Path) -> list[Path]:
    """`danger.yaml` and the files of the folder of the same name beside it."""
    return [path, *sorted(path.with_suffix("").glob("*.yaml"))] if path.is_file() else sorted(path.glob("*.yaml"))


def read(path: Path, town: Path | None = None) -> Listed:
    """Read the list at `path`, and the list at `town` over it; BrokenDangerList on any mistake."""
    files, own = files_of(path), files_of(town) if town else []
    if not files:
        raise BrokenDangerList([f"{path}: 危険の言葉のファイルがありません。danger.yaml を置いてください。"])
    reader = _Reader()
    sections = [(file, reader.sections(file)) for file in (*files, *own)]
    for file, tree in sections:
        reader.readings(file.name, tree)
    for place, (file, tree) in enumerate(sections):
        reader.groups(file.name, tree, adds=place >= len(files))
    for place, (file, tree) in enumerate(sections):
        if place == len(files):
            reader.starter = {rule.id: rule for rule in reader.rules}
        reader.rest(file.name, tree)
    return reader.done()


@dataclass
class _Reader:
    lexicon: Lexicon = field(default_factory=Lexicon)
    problems: list[str] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    contexts: dict[str, list[Context]] = field(default_factory=lambda: {"weaken": [], "raise": []})
    whose: dict[Who, tuple[Pattern, ...]] = field(default_factory=dict)
    voices: dict[str, tuple[Pattern, ...]] = field(default_factory=dict)
    idioms: list[str] = field(default_factory=list)
    sentences_heard: list[Sentence] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)
    paired: set[str] = field(default_factory=set)
    starter: dict[str, Rule] = field(default_factory=dict)
    """The rules that a town's list lies over."""
    off: set[str] = field(default_factory=set)

    def sections(self, file: Path) -> dict[str, object]:
        read = read_yaml(file)
        self.problems += [f"{file.name}:{problem.line}: {problem.message} {problem.hint}".rstrip() for problem in errors(read.problems)]
        tree: object = read.tree
        if not isinstance(tree, dict):
            self.problems.append(f"{file.name}: 先頭は {'、'.join(_SECTIONS)} のどれかで始めてください。")
            return {}
        self._only_known(file.name, tree, _SECTIONS)
        return tree

    def readings(self, file: str, tree: Mapping[str, object]) -> None:
        listed = self._mapping(file, "readings", tree.get("readings"))
        if listed:
            self.lexicon.readings = self.lexicon.readings.with_more({kanji: str(reading) for kanji, reading in listed.items()})

    def groups(self, file: str, tree: Mapping[str, object], *, adds: bool) -> None:
        """`adds`: a group that stands already gets more words; within one list only concepts may stand in several files."""
        for name, expressions in self._mapping(file, "groups", tree.get("groups")).items():
            if f"<{name}>" in self.lexicon.groups and not adds and not f"<{name}>".startswith(CONCEPT):
                self.problems.append(f"{file}: グループ {name} が二つあります。一つにまとめてください。")
            with _Noting(self.problems, f"{file}: グループ {name}"):
                self.lexicon.group(f"<{name}>", self._lines(f"{file}: {name}", expressions))

    def rest(self, file: str, tree: Mapping[str, object]) -> None:
        self.idioms += self._lines(f"{file}: idioms", tree.get("idioms"))
        for section, contexts in self.contexts.items():
            for item in self._items(file, section, tree.get(section)):
                self._context(file, item, contexts)
        for name, expressions in self._mapping(file, "whose", tree.get("whose")).items():
            if name not in get_args(Who):
                self.problems.append(f"{file}: whose の「{name}」は使えません。self・family・other から選んでください。")
            who = cast(Who, name)
            self.whose[who] = self.whose.get(who, ()) + self._patterns(f"{file}: whose", expressions, None)
        for name, expressions in self._mapping(file, "child_voice", tree.get("child_voice")).items():
            self.voices[name] = self.voices.get(name, ()) + self._patterns(f"{file}: child_voice", expressions, None)
        for item in self._items(file, "rules", tree.get("rules")):
            self._rule(file, item)
        self.off.update(self._lines(f"{file}: off", tree.get("off")))
        before = len(self.sentences_heard)
        for item in self._items(file, "sentences", tree.get("sentences")):
            self._sentences(file, item)
        heard, alone = self.sentences_heard[before:], self._lines(f"{file}: left_alone", tree.get("left_alone"))
        self.left_alone += alone
        if heard and alone:
            self.paired.update(alone, (sentence.said for sentence in heard))

    def done(self) -> Listed:
        with _Noting(self.problems, "idioms"):
            idioms = self.lexicon.group("<idioms>", self.idioms)
        known = {context.id for contexts in self.contexts.values() for context in contexts}
        for name in sorted(self.off - self.starter.keys()):
            self.problems.append(f"off の「{name}」という規則は全国の一覧にありません。")
        own = self.rules[len(self.starter) :]
        replaced = {rule.id for rule in own} & self.starter.keys()
        rules = [rule for rule in self.starter.values() if rule.id not in replaced | self.off] + own
        for rule_id, times in Counter(rule.id for rule in rules).items():
            if times > 1:
                self.problems.append(f"規則 {rule_id} が二つあります。id を変えてください。")
        for rule in rules:
            for name in sorted(rule.despite - known):
                self.problems.append(f"規則 {rule.id}: despite の「{name}」という文脈がありません。")
        if self.problems:
            raise BrokenDangerList(self.problems)
        return Listed(
            rules=tuple(rules),
            weaken=tuple(self.contexts["weaken"]),
            raising=tuple(self.contexts["raise"]),
            whose=self.whose,
            child_voice=self.voices.get("child", ()),
            adult_voice=self.voices.get("adult", ()),
            idioms=idioms,
            names={number: name for name, number in self.lexicon.groups.items() if name.startswith("<")},
            sentences=(*_promised(rules), *self.sentences_heard),
            left_alone=tuple(self.left_alone),
            paired=frozenset(self.paired),
            switched=tuple(sorted(self.off | {rule.id for rule in own if self.starter.get(rule.id, rule) != rule})),
            sizes=tuple(self.lexicon.sizes),
            phrases=Phrases.of(self.lexicon.phrases, self.lexicon.sizes),
            finder=WordFinder(self.lexicon.words),
        )

    def _context(self, file: str, item: Mapping[str, object], contexts: list[Context]) -> None:
        place = f"{file}: {item.get('id', '（id なし）')}"
        self._only_known(place, item, _CONTEXT_FIELDS)
        contexts.append(
            Context(
                id=self._word(place, item, "id"),
                where=cast(Where, self._one_of(place, item, "where", WHERE)),
                within=self._number(place, item, "within") or 0,
                to=LEVELS.index(cast(Level, self._one_of(place, item, "to", LEVELS))),
                kinds=frozenset(self._kinds(place, item)),
                hear=self._patterns(place, item.get("hear"), None),
                unless=self._patterns(place, item.get("unless"), None),
            )
        )

    def _rule(self, file: str, item: Mapping[str, object]) -> None:
        place = f"{file}: {item.get('id', '（id なし）')}"
        self._only_known(place, item, _RULE_FIELDS)
        self._word(place, item, "why")
        near = self._number(place, item, "near")
        kinds = self._kinds(place, item)
        rule = Rule(
            id=self._word(place, item, "id"),
            level=LEVELS.index(cast(Level, self._one_of(place, item, "level", LEVELS[1:]))),
            kinds=kinds,
            who=cast(Who, self._one_of(place, item, "who", get_args(Who))) if "who" in item else None,
            longest=self._number(place, item, "longest"),
            hear=self._patterns(place, item.get("hear"), near),
            signs=self._patterns(place, item.get("signs"), near),
            at_least=self._number(place, item, "at_least") or 0,
            unless=self._patterns(place, item.get("unless"), near),
            unless_near=self._patterns(place, item.get("unless_near"), near),
            rises=self._patterns(place, item.get("rises"), near),
            despite=frozenset(self._lines(place, item.get("despite"))),
            must=self._lines(place, item.get("must")),
            must_now=self._lines(place, item.get("must_now")),
            asks=self._lines(place, item.get("asks")),
            must_not=self._lines(place, item.get("must_not")),
        )
        if not kinds:
            self.problems.append(f"{place}: kinds が空です。{'、'.join(DANGER_KINDS)} から選んでください。")
        if not (rule.hear or rule.signs):
            self.problems.append(f"{place}: hear が空です。聞きとる言い方を書いてください。")
        if bool(rule.signs) != bool(rule.at_least):
            self.problems.append(f"{place}: signs（しるし）と at_least（いくつ重なったら）は、いっしょに書いてください。")
        if not (rule.must or rule.must_now or rule.asks) or not rule.must_not:
            self.problems.append(f"{place}: 試験文がありません。must（聞きとる文）と must_not（似ているが違う文）を書いてください。")
        self.rules.append(rule)

    def _sentences(self, file: str, item: Mapping[str, object]) -> None:
        place = f"{file}: sentences"
        self._only_known(place, item, _SENTENCE_FIELDS)
        kinds = self._kinds(place, item)
        level: Level = self._one_of(place, item, "level", LEVELS[1:])  # type: ignore[assignment]
        if not kinds:
            self.problems.append(f"{place}: kinds が空です。{'、'.join(DANGER_KINDS)} から選んでください。")
        self.sentences_heard += [Sentence(said, level, kinds) for said in self._lines(place, item.get("said"))]

    def _patterns(self, place: str, expressions: object, near: int | None) -> tuple[Pattern, ...]:
        patterns: list[Pattern] = []
        for expression in self._lines(place, expressions):
            with _Noting(self.problems, place):
                patterns.append(self.lexicon.pattern(expression, near))
        return tuple(patterns)

    def _kinds(self, place: str, item: Mapping[str, object]) -> tuple[DangerKind, ...]:
        kinds = self._lines(place, item.get("kinds"))
        for kind in kinds:
            if kind not in DANGER_KINDS:
                self.problems.append(f"{place}: kinds の「{kind}」は使えません。{'、'.join(DANGER_KINDS)} から選んでください。")
        return cast(tuple[DangerKind, ...], kinds)

    def _one_of(self, place: str, item: Mapping[str, object], name: str, choices: Sequence[str]) -> str:
        value = item.get(name)
        if value in choices:
            return str(value)
        self.problems.append(f"{place}: {name} が「{value or '空'}」です。{'、'.join(choices)} から選んでください。")
        return choices[0]

    def _number(self, place: str, item: Mapping[str, object], name: str) -> int | None:
        value = item.get(name)
        if value is None:
            return None
        if isinstance(value, str) and value.isascii() and value.isdigit():
            return int(value)
        self.problems.append(f"{place}: {name} は半角の数で書いてください（いまは「{value}」）。")
        return None

    def _word(self, place: str, item: Mapping[str, object], name: str) -> str:
        value = item.get(name)
        if isinstance(value, str) and value.strip():
            return value
        self.problems.append(f"{place}: {name} が空です。一行で書いてください。")
        return ""

    def _lines(self, place: str, value: object) -> tuple[str, ...]:
        if value is None or value == "":
            return ()
        if isinstance(value, list) and all(isinstance(line, str) and line.strip() for line in value):
            return tuple(value)
        self.problems.append(f"{place}: 一覧（[言葉, 言葉] か、行の頭に「- 」）で書いてください。")
        return ()

    def _items(self, file: str, section: str, value: object) -> Iterator[dict[str, object]]:
        for item in value if isinstance(value, list) else []:
            if isinstance(item, dict):
                yield item
            else:
                self.problems.append(f"{file}: {section} の中の「{item}」は「- id: …」の形で書いてください。")
        if value not in (None, "") and not isinstance(value, list):
            self.problems.append(f"{file}: {section} は「- id: …」の一覧で書いてください。")

    def _mapping(self, file: str, section: str, value: object) -> dict[str, object]:
        if isinstance(value, dict):
            return value
        if value not in (None, ""):
            self.problems.append(f"{file}: {section} は「名前: [言葉, 言葉]」の形で書いてください。")
        return {}

    def _only_known(self, place: str, item: Mapping[str, object], known: Sequence[str]) -> None:
        for name in item:
            if name not in known:
                self.problems.append(f"{place}: 「{name}」という項目はありません。使える項目：{'、'.join(known)}")


def _promised(rules: Sequence[Rule]) -> Iterator[Sentence]:
    """The sentences that rules promise to hear."""
    for rule in rules:
        for level, sentences in ((LEVELS[rule.level], rule.must), ("L3", rule.must_now), ("L1", rule.asks)):
            for said in sentences:
                yield Sentence(said.replace("／", " "), level, rule.kinds)


class _Noting:
    """Notes a WrongPattern with its place and goes on, so that all mistakes are told at once."""

    def __init__(self, problems: list[str], place: str) -> None:
        self._problems, self._place = problems, place

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, WrongPattern):
            self._problems.append(f"{self._place}: {error}")
            return True
        return False
