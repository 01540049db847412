"""Why a line of YAML cannot be read, in the words of the one who typed it, and how the line should be.

The parser says "mapping values are not allowed in this context"; staff need "全角の「：」は読めません". Each way of going wrong that people are known
to take is one function: given the lines and the parser's complaint it answers with what happened, or None.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

import yaml

from knowledge import enclosed
from knowledge.enclosed import quoted
from knowledge.indent import indent
from knowledge.letters import ODD_SPACE
from knowledge.problem import Broken
from knowledge.stopped import FIELD, LONGEST, began, near, place

_WIDE_COLON: Final = re.compile(FIELD + r"(?P<key>[^\s:：\"'#\[{,]+)(?P<colon>\s*：[\s　]*)(?P<value>.*)$")
_NO_SPACE: Final = re.compile(FIELD + r"(?P<key>[A-Za-z_]+):(?P<value>(?!//)\S.*)$")
_COLON_INSIDE: Final = re.compile(FIELD + r"(?P<key>[^\s:：\"'#\[{,][^:]*?): +(?P<value>[^\"'\[{|>#].*?)(?P<note>\s+# .*)?$")
_ODD_AFTER: Final = re.compile(FIELD + rf"(?P<mark>-|[A-Za-z_]+:)(?P<gap> *[{ODD_SPACE}][{ODD_SPACE} ]*|(?<=-) *\t\s*)(?P<value>\S.*)$")
_BULLET: Final = re.compile(r"^(?P<before>\s*)(?P<mark>[－−―—–•●○◯・＊]|[ー*+※](?=\s))\s*(?P<value>\S.*)$")
_NO_COLON: Final = re.compile(r"^(?P<before>\s*(?:- +)*)(?P<key>[A-Za-z_]+)(?P<mark>\s*[;=；＝→]\s*|\s+)(?P<value>[^:\s][^:]*)$")
_NOTE: Final = re.compile(r"^(?P<before>\s*)(?P<mark>//|<!--|/\*|※|■|◆|;|＃)\s*(?P<value>.*?)\s*(?:-->|\*/)?$")
_PASTED: Final = re.compile(r"^(?P<mark>`{3,}\S*$|> (?=\s*(?:- |#|[A-Za-z_]+:))|\|(?=.*\|\s*$))")
_CLOSED: Final = re.compile(r"""(["']).*\1|\[.*\]|\{.*\}""")
_DASH_VALUE: Final = re.compile(FIELD + r"(?P<key>[A-Za-z_]+): +(?P<value>- .*?)\s*$")
_FIELDS_INSIDE: Final = re.compile(r"(?<=\S)\s+[a-z_]{2,}: ")


def explain(error: yaml.MarkedYAMLError, lines: Sequence[str]) -> Broken:
    """What is wrong with the line the parser stopped at (or the one before, where it noticed too late)."""
    line, column = place(error, lines)
    long = [number for number in near(error, lines, line) if len(lines[number]) > LONGEST]
    if long:
        hint = "この行の「: 」と囲みの記号を見てください。長い文は、短くするか、ウェブに置いて url に書いてください。"
        return Broken(long[-1], 0, "long_line", f"とても長い行で（{len(lines[long[-1]]):,} 文字）、読めません", hint)
    for look in _LOOKS:
        found = look(error, lines, line)
        if found is not None:
            return found
    hint = "この行とすぐ上の行の、字下げ（半角の空白）、「: 」、「- 」、囲みの記号を見てください。"
    return Broken(line, column, "unreadable", "ここから読めません", hint)


def _tab(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    for number in near(error, lines, line):
        gap = re.match(r"[ ]*\t[\t ]*", lines[number])
        if gap:
            mended = ("" if number == 0 else gap[0].replace("\t", "  ")) + lines[number][gap.end() :]
            start = gap[0].index("\t")
            hint = "タブは使えません。半角の空白 2 つずつにしてください。"
            return Broken(number, start, "tab", "字下げにタブが使われています", hint, gap.end() - start, mended, certain=False)
    return None


def _wide_indent(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    for number in near(error, lines, line):
        gap = re.match(f"( *)([{ODD_SPACE}][{ODD_SPACE} ]*)", lines[number])
        if gap:
            spaces = gap[0].replace("　", "  ") if "　" in gap[0] else " " * len(gap[0])
            mended = ("" if number == 0 else spaces) + lines[number][gap.end() :]
            kind = "全角の空白" if "　" in gap[0] else "ふつうの空白でない空白（Web や Word から写した空白）"
            hint = "使えるのは半角の空白だけです。半角の空白 2 つずつにしてください。"
            return Broken(number, gap.start(2), "wide_indent", f"字下げに{kind}が使われています", hint, len(gap[2]), mended)
    return None


def _odd_after(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    for number in near(error, lines, line):
        found = _ODD_AFTER.match(lines[number])
        if found:
            mended = f"{found['before']}{found['mark']} {found['value']}"
            kind = "全角の空白" if "　" in found["gap"] else "タブ" if "\t" in found["gap"] else "ふつうの空白でない空白"
            hint = f"「{found['mark']} …」のように、半角の空白を一つにしてください。"
            return Broken(number, found.start("gap"), "wide_space", f"{found['mark']} のあとが{kind}です", hint, len(found["gap"]), mended)
    return None


def _bullet(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    for number in near(error, lines, line):
        found = _BULLET.match(lines[number])
        if found:
            mended = f"{found['before']}- {found['value']}"
            hint = "一覧の行は、半角の「- 」（ハイフンと空白）で始めてください。"
            return Broken(number, found.start("mark"), "wide_dash", f"行の頭の「{found['mark']}」は読めません", hint, 1, mended)
    return None


def _wide_colon(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    for number in near(error, lines, line):
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
    for number in near(error, lines, line):
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


def _document(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """`%YAML 1.2` at the top, or `...` in the middle: YAML begins and ends a document there, and complains about every line below."""
    if "<document start>" not in (error.problem or ""):
        return None
    number = next((at for at in range(line, -1, -1) if re.match(r"%|\.\.\.\s*$", lines[at])), None)
    if number is None:
        return None
    mark = lines[number].strip()
    return Broken(number, 0, "pasted", f"「{mark[:20]}」の行は読めません", "この行を消してください。", len(mark), "")


def _note(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """A note as other languages have it."""
    for number in near(error, lines, line):
        found = _NOTE.match(lines[number])
        if found and not re.search(r":(\s|$)", lines[number]):
            mended = f"{found['before']}# {found['value']}"
            message, hint = f"「{found['mark']}」で始まる行は、メモとして読めません", "メモの行は、半角の「# 」で始めてください。"
            return Broken(number, found.start("mark"), "foreign_note", message, hint, len(found["mark"]), mended)
    return None


def _under_bar(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """Words below `how: |` that begin where `how` begins."""
    number = began(error, lines)
    number = line if number is None else number
    above = next((at for at in range(number - 1, -1, -1) if re.match(r"[A-Za-z_]+:(\s|$)", lines[at])), None)
    text = lines[number]
    if above is None or not re.search(r":\s+[|>][+-]?\s*$", lines[above]) or not re.match(r"[^\s#-]", text) or re.search(r":(\s|$)", text):
        return None
    hint = "上の「|」のつづきなら、行の頭に半角の空白を 2 つ入れてください。"
    return Broken(number, 0, "indent", "字下げがありません", hint, len(text), f"  {text}", certain=False)


def _no_dash(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """A row of a list whose 「- 」 was forgotten, between rows that have it."""
    for number in dict.fromkeys((began(error, lines), line)):
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
    if error.problem != "mapping values are not allowed in this context" or above is None or not re.match(r"\s*(?:- +)*[A-Za-z_]+:(\s|$)", here):
        return None
    text = lines[above]
    if _indent_of(text) != _indent_of(here) or re.search(r":(\s|$)|^\s*-|[\[\]{}\"']", text):
        return None
    hint = "メモなら「# 」で始めてください。項目なら「項目: 値」の形にしてください。"
    width = max(len(text.strip()), 1)
    return Broken(above, _indent_of(text), "no_colon", f"「{text.strip()[:20]}」の行に「: 」がありません", hint, width)


def _no_colon(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    """A line that should be 「項目: 値」 and has no colon; the parser notices at the next one."""
    number = began(error, lines)
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
    if re.fullmatch(r"\d{1,2}: \d\d", said):
        clock = said.replace(" ", "")
        mended = f'{lines[line][:start]}"{clock}"{found["note"] or ""}'
        return Broken(line, start, "colon_in_value", f"{found['key']}: 時刻の中に空白があります", f'"{clock}" にしますか。', len(said), mended)
    if said.startswith("｛") and said.endswith("｝"):
        half = "{" + said[1:-1] + "}"
        hint, mended = f"半角の {half} にしますか。", lines[line][:start] + half
        return Broken(line, start, "wide_brackets", "全角の「｛」「｝」は読めません", hint, len(said), mended)
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


def _no_space_dash(error: yaml.MarkedYAMLError, lines: Sequence[str], line: int) -> Broken | None:
    for number in near(error, lines, line):
        found = re.match(r"^\s*-(?=[^\s\-\d])", lines[number])
        if found:
            mended = f"{lines[number][: found.end()]} {lines[number][found.end() :]}"
            hint = "「- 」のように、- のあとに半角の空白を入れてください。"
            return Broken(number, found.end() - 1, "no_space_after_dash", "- のあとに空白がありません", hint, 1, mended)
    return None


Look = Callable[[yaml.MarkedYAMLError, Sequence[str], int], Broken | None]
_LOOKS: Final[tuple[Look, ...]] = (
    _tab, _wide_indent, _document, _pasted, _note, enclosed.backslash, enclosed.open_quote, _wide_colon, _odd_after, enclosed.hash_in_brackets,
    _no_space, enclosed.strange_start, enclosed.after_quote, enclosed.after_bracket, enclosed.open_bracket, _colon_inside, _dash_value,
    enclosed.comma_at_end, enclosed.between, enclosed.inside_brackets, _no_space_dash, _bullet, _under_bar, _no_dash, _no_colon, _stray, indent,
)  # fmt: skip
