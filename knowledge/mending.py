"""Why a line of YAML cannot be read, in the words of the one who typed it, and how the line should be.

The parser says "mapping values are not allowed in this context"; staff need "全角の「：」は読めません". Each way of going wrong that people are known
to take is one function: given the lines and the parser's complaint it answers with what happened, or None.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import yaml

from knowledge.problem import Problem


@dataclass(frozen=True, slots=True)
class Broken:
    """One broken line. `line` and `column` count from 0."""

    line: int
    column: int
    code: str
    message: str
    hint: str
    width: int = 1
    mended: str | None = None
    """The line with its form put right, so that reading can go on; None when nobody can know."""
    certain: bool = True
    """The mended line is what the writer meant; otherwise it only lets reading go on."""

    def problem(self, file: str, lines: Sequence[str]) -> Problem:
        source = lines[self.line] if self.line < len(lines) else ""
        sure = self.mended if self.certain else None
        return Problem(file, self.line + 1, self.column + 1, "error", self.code, self.message, self.hint, source, self.width, sure)


LONGEST: Final = 4000
"""Longer lines are only pointed at, not explained: nobody typed them, and looking at them takes time (R50)."""

_FIELD: Final = r"^(?P<before>\s*(?:- +)*)"
_WIDE_COLON: Final = re.compile(_FIELD + r"(?P<key>[^\s:：\"'#\[{,]+)(?P<colon>\s*：[\s　]*)(?P<value>.*)$")
_NO_SPACE: Final = re.compile(_FIELD + r"(?P<key>[A-Za-z_]+):(?P<value>(?!//)\S.*)$")
_COLON_INSIDE: Final = re.compile(_FIELD + r"(?P<key>[^\s:：\"'#\[{,][^:]*?): +(?P<value>[^\"'\[{|>#].*?)(?P<note>\s+# .*)?$")
_STRANGE_START: Final = re.compile(_FIELD + r"(?:(?P<key>[^\s:\"'#\[{,]+): +)?(?P<value>[@`%|>*&!,\]}].*?)\s*$")
_OPEN_QUOTE: Final = re.compile(r"""^\s*(?:- +)*(?:[^\s:"'#\[{,]+: +)?(?P<quote>["'])(?:(?!(?P=quote)).)*$""")
_QUOTED_THEN_MORE: Final = re.compile(r"""^\s*(?:- +)*(?:[^\s:"'#\[{,]+: +)?(?P<value>(["']).*?\2\s*[^\s#,\]}:].*?)\s*$""")


def explain(error: yaml.MarkedYAMLError, lines: Sequence[str]) -> Broken:
    """What is wrong with the line the parser stopped at (or the one before, where it noticed too late)."""
    line, column = _place(error, lines)
    if all(len(lines[number]) <= LONGEST for number in _near(error, lines, line)):
        for look in _LOOKS:
            found = look(error, lines, line)
            if found is not None:
                return found
    hint = "この行とすぐ上の行の、字下げ（半角の空白）、「: 」、「- 」、囲みの記号を見てください。"
    return Broken(line, column, "unreadable", "ここから読めません", hint)


def _place(error: yaml.MarkedYAMLError, lines: Sequence[str]) -> tuple[int, int]:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return 0, 0
    line = min(mark.line, max(len(lines) - 1, 0))
    while line > 0 and not lines[line].strip():
        line -= 1
    return line, min(mark.column, len(lines[line]) if lines else 0)


def _near(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> list[int]:
    """The line of the complaint, where its sentence began, and the written line before: one of these is to blame."""
    candidates = [line]
    if error.context_mark is not None and error.context == "while scanning a simple key":
        candidates.append(error.context_mark.line)
    above = line - 1
    while above >= 0 and (not lines[above].strip() or lines[above].lstrip().startswith("#")):
        above -= 1
    return list(dict.fromkeys(number for number in [*candidates, above] if 0 <= number < len(lines)))


def _tab(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    for number in _near(error, lines, line):
        indent = re.match(r"[ ]*\t[\t ]*", lines[number])
        if indent:
            mended = ("" if number == 0 else indent[0].replace("\t", "  ")) + lines[number][indent.end() :]
            start = indent[0].index("\t")
            hint = "タブは使えません。半角の空白 2 つずつにしてください。"
            return Broken(number, start, "tab", "字下げにタブが使われています", hint, indent.end() - start, mended, certain=False)
    return None


def _wide_indent(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    for number in _near(error, lines, line):
        indent = re.match(r"[ ]*　[　 ]*", lines[number])
        if indent:
            mended = ("" if number == 0 else indent[0].replace("　", "  ")) + lines[number][indent.end() :]
            start = indent[0].index("　")
            hint = "全角の空白は使えません。半角の空白 2 つずつにしてください。"
            return Broken(number, start, "wide_indent", "字下げに全角の空白が使われています", hint, indent.end() - start, mended, certain=False)
    return None


def _wide_colon(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    for number in _near(error, lines, line):
        found = _WIDE_COLON.match(lines[number])
        if found and not re.search(r"^\S*: ", found["before"] + found["key"]):
            key = found["key"]
            mended = f"{found['before']}{key}: {quoted(found['value'])}".rstrip()
            column = found.start("colon") + found["colon"].index("：")
            hint = "半角の「: 」（コロンと空白）にしてください。"
            return Broken(number, column, "wide_colon", f"{key}： 全角の「：」は読めません", hint, 1, mended)
    return None


def _no_space(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    for number in _near(error, lines, line):
        found = _NO_SPACE.match(lines[number])
        if found:
            mended = f"{found['before']}{found['key']}: {found['value']}"
            hint = f"「{found['key']}: …」のように、: のあとに半角の空白を入れてください。"
            return Broken(number, found.end("key"), "no_space_after_colon", f"{found['key']}: コロンのあとに空白がありません", hint, 1, mended)
    return None


def _open_quote(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    if error.context == "while scanning a quoted scalar" and error.context_mark is not None:
        number, column = error.context_mark.line, error.context_mark.column
    else:
        opened = [(number, _OPEN_QUOTE.match(lines[number])) for number in _near(error, lines, line)]
        number, column = next(((number, found.start("quote")) for number, found in opened if found), (-1, 0))
    if number < 0:
        return None
    text = lines[number]
    quote = text[column]
    hint = f"行の終わりに {quote} を足すか、はじめの {quote} を消してください。"
    mended = text.rstrip() + quote
    return Broken(number, column, "open_quote", f"{quote} で始まっていますが、閉じる {quote} がありません", hint, len(text) - column, mended)


def _backslash(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    if "escape" not in (error.problem or "") and "hexdecimal" not in (error.problem or ""):
        return None
    start = lines[line].find("\\")
    if start < 0:
        return None
    hint = "\" で囲んだ中の \\ は特別な意味になります。\\\\ と二つ書くか、' で囲んでください。"
    mended = re.sub(r"\\+", r"\\\\", lines[line])
    return Broken(line, start, "backslash", "「\\」がそのままでは読めません", hint, 1, mended, certain=False)


def _open_bracket(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    kinds = {"while parsing a flow sequence": ("[", "]"), "while parsing a flow mapping": ("{", "}")}
    if error.context not in kinds or error.context_mark is None:
        return None
    opening, closing = kinds[error.context]
    number, column = error.context_mark.line, error.context_mark.column
    text = lines[number]
    if text.count(opening) <= text.count(closing):
        return None
    hint = f"終わりに {closing} を足してください。"
    message = f"{opening} で始まっていますが、閉じる {closing} がありません"
    return Broken(number, column, "open_bracket", message, hint, len(text) - column, text.rstrip() + closing)


def _after_quote(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    found = _QUOTED_THEN_MORE.match(lines[line])
    if not found or error.problem is None or "did not find expected" not in error.problem:
        return None
    start = found.start("value")
    mended = lines[line][:start] + quoted(found["value"], always=True)
    hint = f"値の全体を囲んでください: {quoted(found['value'], always=True)}"
    return Broken(line, start, "text_after_quote", "囲みの記号のあとに、まだ文字があります", hint, len(found["value"]), mended)


def _strange_start(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    found = _STRANGE_START.match(lines[line])
    if not found or ("found character that cannot start" not in (error.problem or "") and "alias" not in (error.context or "")):
        return None
    start, said = found.start("value"), found["value"]
    mended = lines[line][:start] + quoted(said, always=True)
    hint = f'{quoted(said, always=True)} のように " で囲んでください。'
    return Broken(line, start, "strange_start", f"「{said[0]}」で始まる値は、そのままでは読めません", hint, len(said), mended)


def _colon_inside(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    found = _COLON_INSIDE.match(lines[line])
    if error.problem != "mapping values are not allowed in this context" or not found or not re.search(r":( |$)", found["value"]):
        return None
    start, said = found.start("value"), found["value"]
    mended = lines[line][:start] + quoted(said, always=True) + (found["note"] or "")
    hint = f'値の中に「: 」があるときは、全体を " で囲んでください: {quoted(said, always=True)}'
    return Broken(line, start, "colon_in_value", f"{found['key']}: 値の中の「: 」で読めなくなりました", hint, len(said), mended)


def _no_space_dash(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    for number in _near(error, lines, line):
        found = re.match(r"^\s*-(?=[^\s\-\d])", lines[number])
        if found:
            mended = f"{lines[number][: found.end()]} {lines[number][found.end() :]}"
            hint = "「- 」のように、- のあとに半角の空白を入れてください。"
            return Broken(number, found.end() - 1, "no_space_after_dash", "- のあとに空白がありません", hint, 1, mended)
    return None


def _inside_brackets(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    if not (error.context or "").startswith("while parsing a flow") or error.context_mark is None:
        return None
    _, column = _place(error, lines)
    hint = '中の言葉に「: 」「, 」「[ ]」「{ }」があるときは、その言葉を " で囲んでください。'
    return Broken(line, column, "inside_brackets", "[ ] や { } の中が、ここから読めません", hint)


def _indent(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """A line further right or left than its neighbours. Mended to where its neighbour begins, so that reading can go on."""
    here = lines[line]
    dash = here.lstrip().startswith("- ")
    above = next((number for number in range(line - 1, -1, -1) if _neighbour(lines[number], dash)), None)
    if above is None or not here.strip():
        return None
    wanted, found = _begins(lines[above], dash), _begins(here, dash)
    if wanted == found:
        return None
    hint = f"行の頭の空白が {found} 個です。上の {above + 1} 行目は、{wanted} 個ぶん右から始まります。同じ仲間の行は、左の端をそろえてください。"
    mended = " " * wanted + here.strip()
    return Broken(line, 0, "indent", "字下げがそろっていません", hint, max(found, 1), mended, certain=False)


def _neighbour(line: str, dash: bool) -> bool:
    text = line.strip()
    return bool(text) and not text.startswith("#") and (text.startswith("- ") or not dash)


def _begins(line: str, dash: bool) -> int:
    """Where the words of a line begin; for a line of a list that is compared with others of it, where its `-` stands."""
    found = re.match(r" *" if dash else r" *(?:- +)*", line)
    return found.end() if found else 0


Look = Callable[[yaml.MarkedYAMLError, Sequence[str], int], Broken | None]
_LOOKS: Final[tuple[Look, ...]] = (
    _tab, _wide_indent, _backslash, _open_quote, _wide_colon, _no_space, _strange_start, _after_quote, _open_bracket,
    _colon_inside, _inside_brackets, _no_space_dash, _indent,
)  # fmt: skip


def quoted(value: str, *, always: bool = False) -> str:
    """The value in double quotes; left bare when bare text reads back the same."""
    if not always and not re.search(r"(: |:$| #|^[\-?:,\[\]{}#&*!|>'\"%@`])", value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
