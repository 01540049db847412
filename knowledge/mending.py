"""Why a line of YAML cannot be read, in the words of the one who typed it, and how the line should be.

The parser says "mapping values are not allowed in this context"; staff need "全角の「：」は読めません". Each way of going wrong that people are known
to take is one function: given the lines and the parser's complaint it answers with what happened, or None.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

import yaml

from knowledge.indent import indent
from knowledge.letters import ODD_SPACE
from knowledge.problem import Broken

LONGEST: Final = 4000
"""Longer lines are only pointed at, not explained: nobody typed them, and looking at them takes time (R50)."""

MOST_TRIED: Final = 5
"""Lines tried for an open quote, the nearest first."""

_FIELD: Final = r"^(?P<before>\s*(?:- +)*)"
_WIDE_COLON: Final = re.compile(_FIELD + r"(?P<key>[^\s:：\"'#\[{,]+)(?P<colon>\s*：[\s　]*)(?P<value>.*)$")
_NO_SPACE: Final = re.compile(_FIELD + r"(?P<key>[A-Za-z_]+):(?P<value>(?!//)\S.*)$")
_COLON_INSIDE: Final = re.compile(_FIELD + r"(?P<key>[^\s:：\"'#\[{,][^:]*?): +(?P<value>[^\"'\[{|>#].*?)(?P<note>\s+# .*)?$")
_STRANGE_START: Final = re.compile(_FIELD + r"(?:(?P<key>[^\s:\"'#\[{,]+): +)?(?P<value>(?:[@`%|>*&!,\]}]|\? ).*?)\s*$")
_BRACKET_THEN_MORE: Final = re.compile(_FIELD + r"(?:(?P<key>[^\s:\"'#\[{,]+): +)?(?P<value>(?:\[[^\[\]]*\]|\{[^{}]*\})\s*[^\s#,\]}:].*?)\s*$")
_ODD_AFTER: Final = re.compile(_FIELD + rf"(?P<mark>-|[A-Za-z_]+:)(?P<gap> *[{ODD_SPACE}][{ODD_SPACE} ]*|(?<=-) *\t\s*)(?P<value>\S.*)$")
_BULLET: Final = re.compile(r"^(?P<before>\s*)(?P<mark>[－−―—–•●○◯・＊]|[ー*+※](?=\s))\s*(?P<value>\S.*)$")
_NO_COLON: Final = re.compile(r"^(?P<before>\s*(?:- +)*)(?P<key>[A-Za-z_]+)(?P<mark>\s*[;=；＝→]\s*|\s+)(?P<value>[^:\s][^:]*)$")
_HASH_IN_BRACKETS: Final = re.compile(r"(?P<before>[\[{].*?[:,\[{]\s*)(?P<value>(?<=\s)#[^\s,\]}]+)")
_NOTE: Final = re.compile(r"^(?P<before>\s*)(?P<mark>//|<!--|/\*|※|■|◆|;|＃)\s*(?P<value>.*?)\s*(?:-->|\*/)?$")
_PASTED: Final = re.compile(r"^(?P<mark>`{3,}\S*$|> (?=\s*(?:- |#|[A-Za-z_]+:))|\|(?=.*\|\s*$))")
_CLOSED: Final = re.compile(r"""(["']).*\1|\[.*\]|\{.*\}""")
_DASH_VALUE: Final = re.compile(_FIELD + r"(?P<key>[A-Za-z_]+): +(?P<value>- .*?)\s*$")
_FIELDS_INSIDE: Final = re.compile(r"(?<=\S)\s+[a-z_]{2,}: ")
_BETWEEN: Final = re.compile(r"(?<=[^\s,{])(?:\s*[、，;；]\s*|\s+)(?=[A-Za-z_]+\s*: )")
_COMMA_AT_END: Final = re.compile(r"(?<=[\]}\"'])\s*[,、]\s*$")
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


def _began(error: yaml.MarkedYAMLError, lines: Sequence[str]) -> int | None:
    """The line where that began which could not be ended; None when the parser counts lines that are not there."""
    mark = error.context_mark
    return mark.line if mark is not None and mark.line < len(lines) else None


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
        gap = re.match(r"[ ]*\t[\t ]*", lines[number])
        if gap:
            mended = ("" if number == 0 else gap[0].replace("\t", "  ")) + lines[number][gap.end() :]
            start = gap[0].index("\t")
            hint = "タブは使えません。半角の空白 2 つずつにしてください。"
            return Broken(number, start, "tab", "字下げにタブが使われています", hint, gap.end() - start, mended, certain=False)
    return None


def _wide_indent(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    for number in _near(error, lines, line):
        gap = re.match(f"( *)([{ODD_SPACE}][{ODD_SPACE} ]*)", lines[number])
        if gap:
            spaces = gap[0].replace("　", "  ") if "　" in gap[0] else " " * len(gap[0])
            mended = ("" if number == 0 else spaces) + lines[number][gap.end() :]
            kind = "全角の空白" if "　" in gap[0] else "ふつうの空白でない空白（Web や Word から写した空白）"
            hint = "使えるのは半角の空白だけです。半角の空白 2 つずつにしてください。"
            return Broken(number, gap.start(2), "wide_indent", f"字下げに{kind}が使われています", hint, len(gap[2]), mended)
    return None


def _odd_after(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    for number in _near(error, lines, line):
        found = _ODD_AFTER.match(lines[number])
        if found:
            mended = f"{found['before']}{found['mark']} {found['value']}"
            kind = "全角の空白" if "　" in found["gap"] else "タブ" if "\t" in found["gap"] else "ふつうの空白でない空白"
            hint = f"「{found['mark']} …」のように、半角の空白を一つにしてください。"
            return Broken(number, found.start("gap"), "wide_space", f"{found['mark']} のあとが{kind}です", hint, len(found["gap"]), mended)
    return None


def _bullet(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    for number in _near(error, lines, line):
        found = _BULLET.match(lines[number])
        if found:
            mended = f"{found['before']}- {found['value']}"
            hint = "一覧の行は、半角の「- 」（ハイフンと空白）で始めてください。"
            return Broken(number, found.start("mark"), "wide_dash", f"行の頭の「{found['mark']}」は読めません", hint, 1, mended)
    return None


def _wide_colon(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    for number in _near(error, lines, line):
        found = _WIDE_COLON.match(lines[number])
        if found and not re.search(r"^\S*: ", found["before"] + found["key"]):
            key = found["key"]
            value = found["value"].rstrip()
            mended = f"{found['before']}{key}: {value if _CLOSED.fullmatch(value) else quoted(value)}".rstrip()
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


def _pasted(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """What came along when it was copied from a chat, a mail or a page: ``` around it, > before every line, a table of bars."""
    found = _PASTED.match(lines[line])
    if not found:
        return None
    mark = found["mark"].rstrip()
    if mark == "|":
        hint = "表は、Excel か CSV のファイルにすると、madoguchi knowledge import で取りこめます。"
        return Broken(line, 0, "pasted", "「|」で区切った表は読めません", hint, len(lines[line]))
    message = f"行の頭の「{mark}」は読めません" if mark == ">" else f"「{mark}」の行は読めません"
    hint = "写したときに入った印です。" + ("印を消してください。" if mark == ">" else "この行を消してください。")
    return Broken(line, 0, "pasted", message, hint, len(mark), lines[line][found.end() :])


def _open_quote(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
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
    if error.context not in kinds or error.context_mark is None or _began(error, lines) is None:
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
    if not found:
        return None
    start, said = found.start("value"), found["value"]
    mended = lines[line][:start] + quoted(said, always=True)
    hint = f'{quoted(said, always=True)} のように " で囲んでください。'
    return Broken(line, start, "strange_start", f"「{said[0]}」で始まる値は、そのままでは読めません", hint, len(said), mended)


def _after_bracket(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """`how: [重要] 窓口へ` begins a list to YAML."""
    found = _BRACKET_THEN_MORE.match(lines[line])
    if not found:
        return None
    start, said = found.start("value"), found["value"]
    mended = lines[line][:start] + quoted(said, always=True)
    hint = f"値の全体を囲んでください: {quoted(said, always=True)}"
    return Broken(line, start, "strange_start", f"「{said[0]}」で始まる値は、一覧として読まれます", hint, len(said), mended)


def _hash_in_brackets(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """`{tel: #8008}`: everything after the hash is a comment, the closing bracket too."""
    number = _began(error, lines)
    if not (error.context or "").startswith("while parsing a flow") or number is None:
        return None
    found = _HASH_IN_BRACKETS.search(lines[number]) if number < len(lines) else None
    if not found:
        return None
    start, said = found.start("value"), found["value"]
    mended = f'{lines[number][:start]}"{said}"{lines[number][found.end() :]}'
    hint = f'# から後ろはコメントとして読まれます。"{said}" のように " で囲んでください。'
    return Broken(number, start, "empty_before_hash", "# から後ろが読まれません", hint, len(said), mended)


def _note(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """A note as other languages have it."""
    for number in _near(error, lines, line):
        found = _NOTE.match(lines[number])
        if found and not re.search(r":(\s|$)", lines[number]):
            mended = f"{found['before']}# {found['value']}"
            message, hint = f"「{found['mark']}」で始まる行は、メモとして読めません", "メモの行は、半角の「# 」で始めてください。"
            return Broken(number, found.start("mark"), "foreign_note", message, hint, len(found["mark"]), mended)
    return None


def _under_bar(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """Words below `how: |` that begin where `how` begins."""
    number = _began(error, lines)
    number = line if number is None else number
    above = next((at for at in range(number - 1, -1, -1) if re.match(r"[A-Za-z_]+:(\s|$)", lines[at])), None)
    text = lines[number]
    if above is None or not re.search(r":\s+[|>][+-]?\s*$", lines[above]) or not re.match(r"[^\s#-]", text) or re.search(r":(\s|$)", text):
        return None
    hint = "上の「|」のつづきなら、行の頭に半角の空白を 2 つ入れてください。"
    return Broken(number, 0, "indent", "字下げがありません", hint, len(text), f"  {text}", certain=False)


def _no_dash(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """A row of a list whose 「- 」 was forgotten, between rows that have it."""
    for number in dict.fromkeys((_began(error, lines), line)):
        text = lines[number] if number is not None else ""
        if number is None or not text.strip() or re.match(r"\s*[-#]", text) or re.search(r":(\s|$)", text):
            continue
        above = next((lines[at] for at in range(number - 1, -1, -1) if lines[at].strip()), "")
        dash = re.match(r"(\s*)- [^:]*$", above)
        if dash and _indent_of(text) == len(dash[1]):
            mended, hint = f"{dash[1]}- {text.strip()}", "一覧の行は、半角の「- 」で始めてください。"
            return Broken(number, len(dash[1]), "no_dash", "行の頭に「- 」がありません", hint, len(text.strip()), mended)
    return None


def _indent_of(text: str) -> int:
    return len(text) - len(text.lstrip(" "))


def _stray(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """A line of words above a field: YAML takes the field for its continuation, and complains about the field."""
    here = lines[line]
    above = next((at for at in range(line - 1, -1, -1) if lines[at].strip() and not lines[at].lstrip().startswith("#")), None)
    if error.problem != "mapping values are not allowed in this context" or above is None or not re.match(r"\s*[A-Za-z_]+:(\s|$)", here):
        return None
    text = lines[above]
    if _indent_of(text) != _indent_of(here) or re.search(r":(\s|$)|^\s*-|[\[\]{}\"']", text):
        return None
    hint = "メモなら「# 」で始めてください。項目なら「項目: 値」の形にしてください。"
    width = max(len(text.strip()), 1)
    return Broken(above, _indent_of(text), "no_colon", f"「{text.strip()[:20]}」の行に「: 」がありません", hint, width)


def _no_colon(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """A line that should be 「項目: 値」 and has no colon; the parser notices at the next one."""
    number = _began(error, lines)
    if "expected ':'" not in (error.problem or "") or number is None:
        return None
    text = lines[number]
    start = len(text) - len(text.lstrip())
    if not text.strip() or re.search(r":(\s|$)", text):
        return None
    found = _NO_COLON.match(text)
    if found:
        mended = f"{found['before']}{found['key']}: {found['value']}"
        hint = f"「{mended.strip()}」のように、項目の名前のあとに半角の「: 」を書いてください。"
        message = f"{found['key']} のあとに「: 」がありません"
        return Broken(number, found.start("mark"), "no_colon", message, hint, len(found["mark"]), mended, certain=False)
    hint = "「項目: 値」の形にしてください。上の行のつづきなら、上の行の終わりへ移してください。"
    return Broken(number, start, "no_colon", f"「{text.strip()[:20]}」の行に「: 」がありません", hint, max(len(text.strip()), 1))


def _colon_inside(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    found = _COLON_INSIDE.match(lines[line])
    if error.problem != "mapping values are not allowed in this context" or not found or not re.search(r":( |$)", found["value"]):
        return None
    start, said = found.start("value"), found["value"]
    if _FIELDS_INSIDE.search(said):
        hint = '項目ごとに行を分けてください。一つの文なら、全体を " で囲んでください。'
        return Broken(line, start, "colon_in_value", f"{found['key']}: 一つの行に、項目がいくつもあります", hint, len(said))
    mended = lines[line][:start] + quoted(said, always=True) + (found["note"] or "")
    hint = f'値の中に「: 」があるときは、全体を " で囲んでください: {quoted(said, always=True)}'
    return Broken(line, start, "colon_in_value", f"{found['key']}: 値の中の「: 」で読めなくなりました", hint, len(said), mended)


def _dash_value(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    found = _DASH_VALUE.match(lines[line])
    if not found:
        return None
    start, said = found.start("value"), found["value"]
    hint = f"一覧なら、「{said}」を次の行に、字下げして書いてください。文字なら {quoted(said, always=True)} のように囲んでください。"
    mended = lines[line][:start] + quoted(said, always=True)
    message = f"{found['key']}: 同じ行に「- 」は書けません"
    return Broken(line, start, "dash_in_value", message, hint, len(said), mended, certain=False)


def _comma_at_end(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """`who: {note: …},` as JSON has it."""
    for number in _near(error, lines, line):
        found = _COMMA_AT_END.search(lines[number])
        mended = lines[number][: found.start()] if found else ""
        if found and _stops([*lines[:number], mended, *lines[number + 1 :]]) > _stops(lines):
            hint = "YAML では、行の終わりに「,」を書きません。消してください。"
            return Broken(number, found.start(), "comma_at_end", f"行の終わりの「{found[0].strip()}」は読めません", hint, len(found[0]), mended)
    return None


def _between(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
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
    doubled = re.search(r",\s*,", lines[line])
    if doubled:
        mended = lines[line][: doubled.start()] + "," + lines[line][doubled.end() :]
        return Broken(line, doubled.start(), "double_comma", "「,」が二つ続いています", "「,」を一つにしてください。", len(doubled[0]), mended)
    hint = '中の言葉に「: 」「, 」「[ ]」「{ }」があるときは、その言葉を " で囲んでください。'
    return Broken(line, column, "inside_brackets", "[ ] や { } の中が、ここから読めません", hint)


Look = Callable[[yaml.MarkedYAMLError, Sequence[str], int], Broken | None]
_LOOKS: Final[tuple[Look, ...]] = (
    _tab, _wide_indent, _pasted, _note, _backslash, _open_quote, _wide_colon, _odd_after, _hash_in_brackets, _no_space, _strange_start,
    _after_quote, _after_bracket, _open_bracket, _colon_inside, _dash_value, _comma_at_end, _between, _inside_brackets, _no_space_dash, _bullet,
    _under_bar, _no_dash, _no_colon, _stray, indent,
)  # fmt: skip


def quoted(value: str, *, always: bool = False) -> str:
    """The value in double quotes; left bare when bare text reads back the same."""
    if not always and not re.search(r"(: |:$| #|^[\-?:,\[\]{}#&*!|>'\"%@`])", value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
