"""What quotes, brackets and other signs of YAML enclose, when it does not begin or end as it should; mending.py finds the other slips."""

import re
from collections.abc import Sequence
from typing import Final

import yaml

from knowledge.problem import Broken
from knowledge.stopped import FIELD, LONGEST, began, near, place

MOST_TRIED: Final = 5
"""Lines tried for an open quote, the nearest first."""

_STRANGE_START: Final = re.compile(FIELD + r"(?:(?P<key>[^\s:\"'#\[{,]+): +)?(?P<value>(?:[@`%|>*&!,\]}]|\? ).*?)\s*$")
_BRACKET_THEN_MORE: Final = re.compile(FIELD + r"(?:(?P<key>[^\s:\"'#\[{,]+): +)?(?P<value>(?:\[[^\[\]]*\]|\{[^{}]*\})\s*[^\s#,\]}:].*?)\s*$")
_HASH_IN_BRACKETS: Final = re.compile(r"(?P<before>[\[{].*?[:,\[{]\s*)(?P<value>(?<=\s)#[^\s,\]}]+)")
_BETWEEN: Final = re.compile(r"(?<=[^\s,{])(?:\s*[、，;；]\s*|\s+)(?=[A-Za-z_]+\s*: )")
_COMMA_AT_END: Final = re.compile(r"(?<=[\]}\"'])\s*[,、]\s*$")
_OPEN_QUOTE: Final = re.compile(r"""^\s*(?:- +)*(?:[^\s:"'#\[{,]+: +)?(?P<quote>["'])(?:(?!(?P=quote)).)*$""")
_QUOTED_THEN_MORE: Final = re.compile(r"""^\s*(?:- +)*(?:[^\s:"'#\[{,]+: +)?(?P<value>(["']).*?\2\s*[^\s#,\]}:].*?)\s*$""")


def open_quote(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """A quote that nobody closed swallows the lines below it, often as far as the next quote: the complaint then stands far away."""
    stopped = _stops(lines)
    opened = [(number, found) for number in range(line, -1, -1) if len(lines[number]) <= LONGEST and (found := _OPEN_QUOTE.match(lines[number]))]
    for number, found in opened[:MOST_TRIED]:
        column = found.start("quote")
        text, quote = lines[number].rstrip(), found["quote"]
        at_key = re.match(r"\s*(?:- +)*[\"'][A-Za-z_]+: ", text)
        mended = text[:column] + text[column + 1 :] if at_key else text + quote
        if _stops([*lines[:number], mended, *lines[number + 1 :]]) > stopped or number == line:
            hint = f"行の終わりに {quote} を足すか、はじめの {quote} を消してください。"
            return Broken(number, column, "open_quote", f"{quote} で始まっていますが、閉じる {quote} がありません", hint, len(text) - column, mended)
    return None


def _stops(lines: Sequence[str]) -> int:
    """The line where the parser gives up; beyond the last where it does not."""
    try:
        for _ in yaml.parse("\n".join(lines), Loader=yaml.CBaseLoader):
            pass
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return mark.line if mark else 0
    return len(lines) + 1


def backslash(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    if "escape" not in (error.problem or "") and "hexdecimal" not in (error.problem or ""):
        return None
    start = lines[line].find("\\")
    if start < 0:
        return None
    hint = "\" で囲んだ中の \\ は特別な意味になります。\\\\ と二つ書くか、' で囲んでください。"
    mended = re.sub(r"\\+", r"\\\\", lines[line])
    return Broken(line, start, "backslash", "「\\」がそのままでは読めません", hint, 1, mended, certain=False)


def open_bracket(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    kinds = {"while parsing a flow sequence": ("[", "]"), "while parsing a flow mapping": ("{", "}")}
    if error.context not in kinds or error.context_mark is None or began(error, lines) is None:
        return None
    opening, closing = kinds[error.context]
    number, column = error.context_mark.line, error.context_mark.column
    text = lines[number]
    if text.count(opening) <= text.count(closing):
        return None
    below = _rows_below(lines, number)
    hint = f"{f'{number + 1 + below} 行目の' if below else ''}終わりに {closing} を足してください。"
    message = f"{opening} で始まっていますが、閉じる {closing} がありません"
    return Broken(number, column, "open_bracket", message, hint, len(text) - column, text.rstrip() + closing, not below, below)


def _rows_below(lines: Sequence[str], number: int) -> int:
    """How many of the next lines go on with a list that was opened: further right, and with no field of their own."""
    start, below = len(lines[number]) - len(lines[number].lstrip()), 0
    for text in lines[number + 1 :]:
        if not text.strip() or len(text) - len(text.lstrip()) <= start or re.search(r":(\s|$)", text):
            break
        below += 1
    return below


def after_quote(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    found = _QUOTED_THEN_MORE.match(lines[line])
    if not found or error.problem is None or "did not find expected" not in error.problem:
        return None
    start = found.start("value")
    mended = lines[line][:start] + quoted(found["value"], always=True)
    hint = f"値の全体を囲んでください: {quoted(found['value'], always=True)}"
    return Broken(line, start, "text_after_quote", "囲みの記号のあとに、まだ文字があります", hint, len(found["value"]), mended)


def after_bracket(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """`how: [重要] 窓口へ` begins a list to YAML."""
    found = _BRACKET_THEN_MORE.match(lines[line])
    if not found:
        return None
    start, said = found.start("value"), found["value"]
    mended = lines[line][:start] + quoted(said, always=True)
    hint = f"値の全体を囲んでください: {quoted(said, always=True)}"
    return Broken(line, start, "strange_start", f"「{said[0]}」で始まる値は、一覧として読まれます", hint, len(said), mended)


def hash_in_brackets(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """`{tel: #8008}`: everything after the hash is a comment, the closing bracket too."""
    number = began(error, lines)
    if not (error.context or "").startswith("while parsing a flow") or number is None:
        return None
    found = _HASH_IN_BRACKETS.search(lines[number]) if number < len(lines) else None
    if not found:
        return None
    start, said = found.start("value"), found["value"]
    mended = f'{lines[number][:start]}"{said}"{lines[number][found.end() :]}'
    hint = f'# から後ろはコメントとして読まれます。"{said}" のように " で囲んでください。'
    return Broken(number, start, "empty_before_hash", "# から後ろが読まれません", hint, len(said), mended)


def strange_start(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    found = _STRANGE_START.match(lines[line])
    if not found:
        return None
    start, said = found.start("value"), found["value"]
    mended = lines[line][:start] + quoted(said, always=True)
    hint = f'{quoted(said, always=True)} のように " で囲んでください。'
    return Broken(line, start, "strange_start", f"「{said[0]}」で始まる値は、そのままでは読めません", hint, len(said), mended)


def comma_at_end(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """`who: {note: …},` as JSON has it."""
    for number in near(error, lines, line):
        found = _COMMA_AT_END.search(lines[number])
        mended = lines[number][: found.start()] if found else ""
        if found and _stops([*lines[:number], mended, *lines[number + 1 :]]) > _stops(lines):
            hint = "YAML では、行の終わりに「,」を書きません。消してください。"
            return Broken(number, found.start(), "comma_at_end", f"行の終わりの「{found[0].strip()}」は読めません", hint, len(found[0]), mended)
    return None


def between(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """`{days: 月-金 from: "9:00"}`, `{days: 月-金、from: "9:00"}`: fields of one row that no comma parts."""
    before, brace, row = lines[line].partition("{")
    found = _BETWEEN.search(row)
    if found is None:
        return None
    mended = before + brace + _BETWEEN.sub(", ", row)
    if _stops([*lines[:line], mended, *lines[line + 1 :]]) <= _stops(lines):
        return None
    hint = f"{mended.strip().removeprefix('- ')} にしますか。"
    column = len(before) + 1 + found.start()
    return Broken(line, column, "no_comma", "項目と項目のあいだに、半角の「, 」がありません", hint, max(len(found[0]), 1), mended)


def inside_brackets(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    if not (error.context or "").startswith("while parsing a flow") or error.context_mark is None:
        return None
    _, column = place(error, lines)
    doubled = re.search(r",\s*,", lines[line])
    if doubled:
        mended = lines[line][: doubled.start()] + "," + lines[line][doubled.end() :]
        return Broken(line, doubled.start(), "double_comma", "「,」が二つ続いています", "「,」を一つにしてください。", len(doubled[0]), mended)
    hint = '中の言葉に「: 」「, 」「[ ]」「{ }」があるときは、その言葉を " で囲んでください。'
    return Broken(line, column, "inside_brackets", "[ ] や { } の中が、ここから読めません", hint)


def quoted(value: str, *, always: bool = False) -> str:
    """The value in double quotes; left bare when bare text reads back the same."""
    if not always and not re.search(r"(: |:$| #|^[\-?:,\[\]{}#&*!|>'\"%@`])", value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
