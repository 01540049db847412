"""YAML read strictly as text, with the place of every value (R50, design.md §3).

Plain YAML turns `0570064556` into a number, `no` into false and `#8008` into nothing; a wrong number can cost a life. Here every scalar stays the
text that was typed; only `null`, `~` and nothing at all are None. Anchors, aliases, tags, duplicate keys, deep or large files are refused.
All mistakes of a file are named at once: what only breaks the form is mended in memory so that reading can go on and find the next one.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import yaml

from knowledge import codes, mending
from knowledge.letters import clean, too_many_brackets
from knowledge.problem import Problem, Severity, errors, render

__all__ = ["Place", "Problem", "Read", "Trail", "Tree", "errors", "read_yaml", "render"]

Tree: TypeAlias = "str | list[Tree] | dict[str, Tree] | None"
Trail: TypeAlias = "tuple[str | int, ...]"
"""The way to a value: field names and positions, ("contacts", 0, "tel")."""

DEEPEST: Final = 12
LARGEST: Final = 2 * 1024 * 1024
"""Bytes of one file: some towns keep all their entries in one."""
USUAL: Final = 128 * 1024
"""Bytes up to which a file is read again and again for its next mistake; a larger one only a few times (R50)."""
MOST_READ: Final = 8_192
"""Files remembered as they were read: after one is changed, only that one is read anew."""
MOST_MENDED: Final = 20
"""So many broken lines of one file are told, and that there are more."""

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_NEW_ROW: Final = re.compile(r"\s*(?:-|[－−―—–•●○◯・]|[A-Za-z_]+\s*：)")
_BREAKS: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


class Place(NamedTuple):
    """Where a value stands; both count from 1. `width` is its length on that line."""

    line: int
    column: int
    width: int


@dataclass(frozen=True)
class Read:
    """One file as text. `tree` is None when it is empty or could not be read.

    Places are found by reading once more, when the first is asked for: of thousands of files only those with something to tell are.
    """

    file: str
    tree: Tree
    problems: tuple[Problem, ...]
    lines: tuple[str, ...]
    whole: bool = True
    """False when lines could not be read: what stands in them is not missing."""
    marks: frozenset[str] = frozenset()
    """Of `bom` and `crlf`, what the file's bytes have."""

    @property
    def broken(self) -> bool:
        return any(problem.level == "error" for problem in self.problems)

    @cached_property
    def checked(self) -> dict[Trail, object]:
        """What was made of its rows: a file that has not changed need not be checked against the schema again."""
        return {}

    @cached_property
    def _built(self) -> "_Builder":
        cleaned, _ = clean(self.file, self.lines)
        deep = any(too_many_brackets(self.file, cleaned, DEEPEST))
        return _Builder(self.file, self.lines) if deep else _build(self.file, self.lines, cleaned)[0]

    @property
    def keys(self) -> Mapping[Trail, Place]:
        """Where each field's name stands."""
        return self._built.keys

    @property
    def values(self) -> Mapping[Trail, Place]:
        """Where each value stands."""
        return self._built.values

    def place(self, trail: Trail, *, key: bool = False) -> Place:
        """Where the value (or its field's name) stands; for what is missing, the nearest thing around it."""
        first, second = (self.keys, self.values) if key else (self.values, self.keys)
        while trail:
            found = first.get(trail) or second.get(trail)
            if found is not None:
                return found
            trail = trail[:-1]
        return self.values.get((), Place(1, 1, 1))

    def problem(
        self, trail: Trail, level: Severity, code: str, message: str, hint: str = "", *, key: bool = False, mended: str | None = None
    ) -> Problem:
        """A problem at this value's place."""
        place = self.place(trail, key=key)
        return Problem(self.file, place.line, place.column, level, code, message, hint, self.source_line(place.line), place.width, mended)

    def source_line(self, line: int) -> str:
        return self.lines[line - 1] if 0 < line <= len(self.lines) else ""


def read_yaml(source: Path | str, file: str | None = None) -> Read:
    """Read a file (Path) or a text (str). Never raises for what is in it: look at `problems`. Raises OSError for a missing file."""
    name = file or (str(source) if isinstance(source, Path) else "（入力）")
    if isinstance(source, Path):
        return read_bytes(source.read_bytes(), name)
    return _read_text(source.removeprefix("\ufeff"), name)


@lru_cache(maxsize=MOST_READ)
def read_bytes(content: bytes, file: str) -> Read:
    """Read the bytes of a file. UTF-8 with or without BOM, any line ends. What is in another code is told, and read on where it can be."""
    if len(content) > LARGEST:
        return _unread(file, "too_large", f"ファイルが大きすぎます（{len(content) // 1024} KB）", f"{LARGEST // 1024} KB までに分けてください。")
    foreign = codes.no_text(content)
    if foreign is not None:
        return _unread(file, "no_text", f"文字のファイルではありません（{foreign[0]}）", foreign[1])
    if (code := codes.marked(content)) is not None:
        return _in_other_code(content, code, 1, file)
    marks = frozenset(name for name, has in (("bom", content.startswith(b"\xef\xbb\xbf")), ("crlf", b"\r\n" in content)) if has)
    try:
        read = _read_text(content.decode("utf-8-sig"), file)
        return replace(read, marks=marks) if marks else read
    except UnicodeDecodeError as wrong:
        return _in_other_code(content, codes.code_of(content), content.count(b"\n", 0, wrong.start) + 1, file, codes.column_of(content, wrong.start))


def _in_other_code(content: bytes, code: str | None, line: int, file: str, column: int = 1) -> Read:
    """Told, and read on where the code is known."""
    hint = "「UTF-8」を選んで保存しなおしてください（メモ帳では「名前を付けて保存」の下のほうで選べます）。"
    told = Problem(file, line, column, "error", "not_utf8", f"文字コードが UTF-8 ではありません{codes.CALLED[code]}", hint)
    text = content.decode(code or "utf-8-sig", "replace")
    if code is None and text.count("\ufffd") * 10 > len(text):
        return Read(file, None, (told,), ())
    read = _read_text(text, file)  # a few letters in another code, as of a line that was copied in: told there, the rest is read
    others = read.problems if code else [problem for problem in read.problems if problem.line != line]  # what else is odd there follows from it
    return replace(read, problems=(replace(told, source_line=read.source_line(line)), *others))


def _unread(file: str, code: str, message: str, hint: str) -> Read:
    return Read(file, None, (Problem(file, 1, 1, "error", code, message, hint),), ())


def _read_text(text: str, file: str) -> Read:
    lines = tuple(_BREAKS.split(text))
    cleaned, told = clean(file, lines)
    deep = list(too_many_brackets(file, cleaned, DEEPEST))
    if deep:
        return Read(file, None, (*told, *deep), lines)
    builder, broken, whole = _build(file, lines, cleaned)
    problems = sorted([*told, *broken, *builder.problems, *_lost_words(file, lines, builder.values)], key=lambda problem: problem.order)
    return Read(file, builder.tree, tuple(problems), lines, whole and all(problem.mended is not None for problem in told))


def _build(file: str, lines: tuple[str, ...], cleaned: list[str]) -> tuple["_Builder", list[Problem], bool]:
    """Build the tree; a line whose form is broken is told, mended in memory (left out where nobody can know), and read again.

    The third value is False when lines had to be left out.
    """
    mended, problems, out = cleaned, list[Problem](), set[int]()
    rounds = 3 * MOST_MENDED if sum(map(len, cleaned)) <= USUAL else MOST_MENDED // 4
    for _ in range(rounds):
        builder = _Builder(file, lines)
        try:
            builder.build("\n".join(mended))
            return builder, problems, not out
        except yaml.MarkedYAMLError as broken:
            found = mending.explain(broken, mended)
            if not mended[found.line].strip():
                break  # the complaint stands at an empty line: nothing more to mend
            told = len(problems) > MOST_MENDED or any(problem.line == found.line + 1 for problem in problems)
            noise = found.code == "indent" and found.line - 1 in out
            if not told and not noise:
                problem = found.problem(file, lines)
                problems.append(problem if len(problems) < MOST_MENDED else replace(problem, **_MORE))
            lost = set(range(found.line + 1, found.line + 1 + found.lines_below))
            if told or noise or found.mended is None:
                lost.add(found.line)
            else:
                mended[found.line] = found.mended
            for line in lost:
                mended[line] = ""
            out |= lost
    return _Builder(file, lines), problems, False


_MORE: Final[dict[str, Any]] = {
    "code": "more", "message": "ここから下にも、読めない行があります", "hint": "上のまちがいを直してから、もう一度点検してください。", "mended": None,
}  # fmt: skip


def _lost_words(file: str, lines: tuple[str, ...], values: Mapping[Trail, Place]) -> Iterator[Problem]:
    """` #駅前` after a value is a comment to YAML and would be lost without a word. Staff write comments with a space: `# …`."""
    suspects = {number for number, line in enumerate(lines, 1) if " #" in line}
    if not suspects:
        return
    last = {place.line: (place.column + place.width, trail) for trail, place in values.items() if place.line in suspects and place.width}
    for number, (end, trail) in last.items():
        line = lines[number - 1]
        found = re.match(r"[\]}\s]*?\s(#[^\s#].*)$", line[end - 1 :])
        if found:
            show = "番号のほかの言葉（内線など）は name に書いてください。" if trail[-1:] in (("tel",), ("fax",)) else _IN_QUOTES
            hint = f"{show}メモなら「# 」のように空白を入れてください。"
            column, message = end + found.start(1), f"{_field(trail)}「{found[1]}」は読まれません"
            yield Problem(file, number, column, "warning", "lost_after_hash", message, hint, line, len(found[1]))


_IN_QUOTES: Final = '文字として出したいときは、値の全体を " で囲んでください。'


def _field(trail: Trail) -> str:
    names = [part for part in trail if isinstance(part, str)]
    return f"{names[-1]}: " if names else ""


_SECOND: Final = "一つのファイルに何件も書くときは、「- id: …」を並べてください。"


@dataclass
class _Builder:
    """Builds one tree from the parser's events."""

    file: str
    lines: tuple[str, ...]
    tree: Tree = None
    problems: list[Problem] = field(default_factory=list)
    keys: dict[Trail, Place] = field(default_factory=dict)
    values: dict[Trail, Place] = field(default_factory=dict)

    def build(self, text: str) -> None:
        """Raises yaml.MarkedYAMLError where the form is broken."""
        self._events = iter(yaml.parse(text, Loader=yaml.CBaseLoader))
        documents, start = 0, None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents, start = documents + 1, event
            elif isinstance(event, yaml.NodeEvent):
                value = self._value(event, (), 0)
                if documents == 1:
                    self.tree = value
                elif documents == 2 and value is not None:  # a 「---」 at the very end parts nothing
                    self._problem(start, "second_document", "「---」で分けた二つ目は読まれません", _SECOND)

    def _next(self) -> Any:
        return next(self._events)

    def _value(self, event: Any, trail: Trail, depth: int) -> Tree:
        line, column = event.start_mark.line, event.start_mark.column
        end = event.end_mark
        self.values[trail] = Place(line + 1, column + 1, end.column - column if end.line == line else 1)
        if event.anchor is not None and not (self.problems and self.problems[-1].code == "anchor" and self.problems[-1].line == line + 1):
            hint = '文字なら " で囲んでください。同じ内容をくり返すときは、もう一度書いてください。'
            self._problem(event, "anchor", "「&」「*」で始まる値は使えません", hint)
        if isinstance(event, yaml.AliasEvent):
            return None
        if event.tag is not None:
            self._problem(event, "tag", "「!」で始まる値は使えません", '文字として書きたいときは " で囲んでください。')
        if depth > DEEPEST:
            self._problem(event, "too_deep", f"{DEEPEST} 段より深い字下げは読めません", "かたまりを浅くしてください。")
            self._skip(event)
            return None
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, trail)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(trail, depth)
        return self._mapping(trail, depth)

    def _scalar(self, event: Any, trail: Trail) -> str | None:
        if event.end_mark.line > event.start_mark.line and not event.style:
            self._check_folded(event)
        if not (event.implicit[0] and event.value in _NULLS):
            return str(event.value)
        if event.value == "":
            self._check_hash(event, trail)
        return None

    def _check_folded(self, event: Any) -> None:
        """Words without quotes run on over the next lines; a line that looks like a new field or a new row is then swallowed."""
        for number in range(event.start_mark.line + 1, min(event.end_mark.line + 1, len(self.lines))):
            line = self.lines[number]
            found = _NEW_ROW.match(line)
            if found:
                start = len(line) - len(line.lstrip())
                message = f"上の行のつづきとして読まれてしまいます（「{line.strip()[:20]}」）"
                hint = "新しい行は「- 」か「項目: 」で始め、頭を上の行とそろえてください（全角の「・」「－」「：」は使えません）。"
                self.problems.append(
                    Problem(self.file, number + 1, start + 1, "error", "folded", message, hint, line, max(len(line.rstrip()) - start, 1))
                )

    def _check_hash(self, event: Any, trail: Trail) -> None:
        """`tel: #8008` is an empty value and a comment."""
        line = self.lines[event.end_mark.line] if event.end_mark.line < len(self.lines) else ""
        found = re.match(r"\s*(#[^\s#].*?)\s*$", line[event.end_mark.column :])
        if not found:
            return
        start, said = event.end_mark.column + found.start(1), found[1]
        self.values[trail] = place = Place(event.end_mark.line + 1, start + 1, len(said))
        hint = f'# から後ろはコメントとして読まれます。"{said}" のように " で囲んでください。'
        mended = f'{line[:start]}"{said}"'
        self.problems.append(
            Problem(self.file, place.line, place.column, "error", "empty_before_hash", f"{_field(trail)}値が空です", hint, line, place.width, mended)
        )

    def _sequence(self, trail: Trail, depth: int) -> list[Tree]:
        items: list[Tree] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._value(event, (*trail, len(items)), depth + 1))
        return items

    def _mapping(self, trail: Trail, depth: int) -> dict[str, Tree]:
        found: dict[str, Tree] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event)
            if key in found:
                first = self.keys[(*trail, key)].line
                hint = _SECOND if key == "id" else "どちらか一つにしてください。"
                self._problem(event, "duplicate_key", f"{key}: 同じ項目が二つあります（一つ目は {first} 行目）", hint)
                self._value(self._next(), (*trail, key, "二つ目"), depth + 1)
                continue
            mark: Any = event.start_mark
            self.keys[(*trail, key)] = Place(mark.line + 1, mark.column + 1, max(len(key), 1))
            found[key] = self._value(self._next(), (*trail, key), depth + 1)
        return found

    def _key(self, event: Any) -> str:
        if isinstance(event, yaml.ScalarEvent):
            if event.anchor is not None or event.tag is not None:
                self._problem(event, "tag", "項目の名前に「&」「!」は使えません", "項目の名前だけを書いてください。")
            if event.value.startswith("　"):
                self._problem(event, "wide_indent", "行の頭に全角の空白があります", "全角の空白を消してください。字下げは半角の空白 2 つずつです。")
            return str(event.value).strip("　")
        self._problem(event, "wrong_key", "項目の名前が読めません", "「名前: 値」の形で書いてください。")
        if not isinstance(event, yaml.AliasEvent):
            self._skip(event)
        return f"?{event.start_mark.line}:{event.start_mark.column}"

    def _skip(self, event: Any) -> None:
        """Run to the end of what this event opened."""
        depth = int(isinstance(event, yaml.CollectionStartEvent))
        while depth:
            event = self._next()
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)

    def _problem(self, event: Any, code: str, message: str, hint: str) -> None:
        mark, end = event.start_mark, event.end_mark
        width = end.column - mark.column if end.line == mark.line else 1
        line = self.lines[mark.line] if mark.line < len(self.lines) else ""
        self.problems.append(Problem(self.file, mark.line + 1, mark.column + 1, "error", code, message, hint, line, max(width, 1)))
