"""Entries as a sheet that staff know how to fill in: one row an entry, one cell a value, one row of headings (desk.md §4 and §5).

A heading carries the field's name in brackets, 「電話 (contacts.0.tel)」, so that it may be reworded and moved. Lists have a line for each
word, hours a line for each row: 「月-金 9:00-17:00」. Only the first contact has columns; the others stay as they are in the file.
"""

import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Final, get_args

from knowledge.complaints import closed_word, nearest
from knowledge.entry import TAGS, TOPICS, Kind
from knowledge.exchange import cells as written_cells
from knowledge.exchange.csv_rows import NoTable
from knowledge.exchange.rows import BadRow, Taken, mistakes, take
from knowledge.problem import Problem
from knowledge.reading import Trail, Tree
from knowledge.said import day_said, hours_said
from knowledge.written import LANGUAGES_CALLED

COLUMNS: Final[Mapping[str, str]] = {
    "id": "ID", "name": "名前", "kana": "よみがな", "domain": "分野", "kind": "種類", "topics": "相談の分類", "summary": "説明", "keywords": "検索語",
    "examples": "例文", "not_for": "ちがう文", "who.age": "対象の年齢", "who.household": "対象の世帯", "who.area": "対象の地域", "who.note": "対象",
    "how": "使い方", "cost": "費用", "bring": "持ち物", "contacts.0.name": "窓口の名前", "contacts.0.tel": "電話", "contacts.0.fax": "FAX",
    "contacts.0.mail": "メール", "contacts.0.url": "ページ", "contacts.0.area": "受けもつ地区", "contacts.0.hours": "受付時間",
    "contacts.0.closed": "休み", "contacts.0.place.address": "場所", "contacts.0.languages": "話せる言葉", "law": "根拠", "provider": "実施者",
    "tags": "しるし", "checked.on": "確認日", "checked.by": "確認した課", "valid.from": "案内の始まり", "valid.until": "案内の終わり",
    "translations.easy.name": "やさしい日本語の名前", "translations.easy.summary": "やさしい日本語の説明",
    "translations.easy.who": "やさしい日本語の対象", "translations.easy.how": "やさしい日本語の使い方", "translations.en.name": "英語の名前",
    "translations.en.summary": "英語の説明", "translations.en.who": "英語の対象", "translations.en.how": "英語の使い方", "hidden": "出さない",
}  # fmt: skip
"""Field → heading."""
LISTS: Final = frozenset(
    (
        "topics", "keywords", "examples", "not_for", "bring", "contacts.0.area", "contacts.0.closed", "contacts.0.languages", "provider", "tags",
    )
)  # fmt: skip
CHOICES: Final[Mapping[str, Collection[str]]] = {
    "kind": get_args(Kind), "topics": TOPICS, "tags": TAGS, "contacts.0.languages": tuple(dict.fromkeys(LANGUAGES_CALLED.values())),
}  # fmt: skip
"""Columns of closed words: whoever fills in a sheet need not know what they are called in a file."""
NEW_ID: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
DATES: Final = frozenset(("checked.on", "valid.from", "valid.until"))
WIDE: Final = frozenset(("summary", "examples", "not_for", "how", "keywords"))
LARGEST: Final = 20 * 1024 * 1024
"""Bytes of a workbook once it is unpacked: a small file can hold gigabytes."""
_MOST_ROWS: Final = 20_000
_MOST_COLUMNS: Final = 200
"""A single cell at the far end of a sheet makes it a million rows of sixteen thousand columns."""
_NO_BOOK = (
    zipfile.BadZipFile, zlib.error, KeyError, IndexError, OSError, EOFError, TypeError, AttributeError, ValueError, SyntaxError, RuntimeError,
    OverflowError,
)  # fmt: skip
"""What the readers of zip, XML and sheets raise over a file that is not what its name says, or is locked by a password."""

_HOURS: Final = re.compile(r"(?P<days>\S.*?)\s+(?P<from>\d{1,2}:\d{2})\s*[-~〜–]\s*(?P<to>翌?\d{1,2}:\d{2})")


def export_excel(entries: Mapping[str, Mapping[str, Tree]]) -> bytes:
    """A workbook (.xlsx) of these entries' fields, as the layers give them."""
    from openpyxl import Workbook  # here, not above: every start of the desk would pay for it
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    sheet.title = "地域の情報"
    for number, (field, heading) in enumerate(COLUMNS.items(), 1):
        cell = sheet.cell(1, number, f"{heading} ({field})")
        cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
        sheet.column_dimensions[get_column_letter(number)].width = 44 if field in WIDE else 18
    for row, fields in enumerate(entries.values(), 2):
        for number, field in enumerate(COLUMNS, 1):
            cell = sheet.cell(row, number, written_cells.safe(_told(field, _at(fields, _way(field)))) or None)
            cell.number_format, cell.alignment = "@", Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "C2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def import_excel(content: bytes, before: Mapping[str, Mapping[str, Tree]], domains: Mapping[str, str]) -> Taken:
    """Rows of the first sheet over what the entries are now. Raises NoTable for what is no such workbook.

    `domains`: the fields of life, id → name; a sheet may have either, as 種類 and the other closed words may stand in Japanese.
    An empty cell empties a field that had something; a column that is not there says nothing. A cell that cannot be read is told and left as it
    was; the others of its row are taken.
    """
    from openpyxl.utils import get_column_letter

    rows = _rows(content)
    columns = _columns(rows[0]) if rows else {}
    if "id" not in columns:
        raise NoTable("1 行目に「ID (id)」の見出しがありません。書き出した表の見出しを、そのまま使ってください。")
    found, bad = list[tuple[int, str, Mapping[str, Tree]]](), list[BadRow]()
    for number, row in enumerate(rows[1:], 2):
        cells = {field: _in_our_words(field, _text(row[place]), domains) for field, place in columns.items() if place < len(row)}
        if not any(cells.values()):
            continue
        name = cells.get("name") or cells.get("id", "")
        entry_id = cells.get("id", "")
        if entry_id and entry_id not in before and not NEW_ID.fullmatch(entry_id):
            bad.append(BadRow(number, name, f"新しい ID「{entry_id}」は使えません。半角の英小文字・数字・「-」で書いてください（例: food-bank）。"))
            continue
        fields, wrong = _taken_over(before.get(entry_id, {}), cells, domains)
        bad += [BadRow(number, name, told, f"「{COLUMNS[field]}」（{get_column_letter(columns[field] + 1)} 列）") for field, told in wrong.items()]
        found.append((number, name, fields))
    taken = take(found, "Excel の表", headings=COLUMNS)
    return Taken(taken.entries, tuple(sorted((*bad, *taken.bad), key=lambda one: one.row)), (), taken.kind)


def _in_our_words(field: str, text: str, domains: Mapping[str, str]) -> str:
    """場所 in the column of 種類 is `place`; what is none of its words stays as it is, and is told."""
    choices = domains if field == "domain" else CHOICES.get(field, ())
    by_name = {name: domain for domain, name in domains.items()} if field == "domain" else {}
    return "\n".join(by_name.get(line) or closed_word(line, choices) or line for line in text.split("\n")) if choices else text


def _taken_over(before: Mapping[str, Tree], cells: Mapping[str, str], domains: Mapping[str, str]) -> tuple[dict[str, Tree], dict[str, str]]:
    """The fields with every cell that can be read laid over them, and the others: field → what is wrong and what to write."""
    changed = {field: text for field, text in cells.items() if text != cell(before, field).strip()}
    wrong = unreadable(changed)
    if (domain := changed.get("domain")) and domain not in domains:
        near = nearest(domain, list(domains))
        hint = f"もしかして「{near}（{domains[near]}）」ですか。" if near else f"使えるもの: {'、'.join(domains.values())}"
        wrong["domain"] = f"「{domain}」という分野はありません。{hint}"
    while True:
        good = {field: text for field, text in changed.items() if field not in wrong}
        fields = with_cells(before, good)
        told: dict[str, str] = {}
        for way, problem in mistakes(fields):
            for field in _cells_at(way, good):
                told.setdefault(field, _in_a_cell(field, problem))
        if not told:
            return fields, wrong
        wrong |= told


def _cells_at(way: Trail, cells: Collection[str]) -> list[str]:
    """The cell in which a value stands; those below it, for a mistake of several together. A row that has no ID has no cell that could stay."""
    ways = {field: _way(field) for field in cells if field != "id"}
    here = [field for field, mine in ways.items() if mine == way[: len(mine)]]
    return here or [field for field, mine in ways.items() if way and way == mine[: len(way)]]


def _in_a_cell(field: str, problem: Problem) -> str:
    """What is wrong and what to write, in the words of a sheet: its complaint was written for a line of YAML."""
    said = problem.message.removeprefix(f"{field.rpartition('.')[2]}: ")
    if problem.code in ("missing", "empty", "contact_name"):
        return "空にできません。言葉を書いてください。"
    if "null" in problem.hint:
        return f"{said}。ないとき、わからないときは、マスを空にしてください。"
    if "- name:" in problem.hint:
        return f"{said}。一つだけ書いてください。"
    return f"{said}。{problem.hint}" if problem.hint else said


def cell(fields: Mapping[str, Tree], field: str) -> str:
    """What stands in the cell of a field, for a form that has the same doors as the sheet."""
    return _told(field, _at(fields, _way(field)))


def with_cells(fields: Mapping[str, Tree], cells: Mapping[str, str]) -> dict[str, Tree]:
    """The fields with these cells written over. Raises ValueError with a sentence in Japanese for a cell that cannot be read."""
    written = dict(fields)
    for field, text in cells.items():
        written = _with(written, field, text)
    return written


def unreadable(cells: Mapping[str, str]) -> dict[str, str]:
    """Of these cells, those that cannot be read: field → a sentence in Japanese."""
    found: dict[str, str] = {}
    for field, text in cells.items():
        try:
            _read(field, text)
        except ValueError as wrong:
            found[field] = str(wrong)
    return found


def _rows(content: bytes) -> Sequence[Sequence[Any]]:
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
    except _NO_BOOK as wrong:
        raise NoTable("Excel の表（.xlsx）として読めません。") from wrong
    if unpacked > LARGEST:
        raise NoTable("大きすぎる表です。")
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        rows = list(book.worksheets[0].iter_rows(max_row=_MOST_ROWS + 1, max_col=_MOST_COLUMNS, values_only=True))
    except _NO_BOOK as wrong:
        raise NoTable("Excel の表（.xlsx）として読めません。") from wrong
    while rows and not any(rows[-1]):
        rows.pop()
    if len(rows) > _MOST_ROWS:
        raise NoTable(f"大きすぎる表です（{_MOST_ROWS} 行まで）。")
    return rows


def _columns(heads: Sequence[Any]) -> dict[str, int]:
    """Field → place. A heading without the bracket is known by its words."""
    by_words = {_plain(heading): field for field, heading in COLUMNS.items()}
    found: dict[str, int] = {}
    for place, head in enumerate(heads):
        said = unicodedata.normalize("NFKC", str(head or "")).strip()
        inside = re.search(r"\(([a-z0-9_.]+)\)\s*$", said)
        field = inside[1] if inside and inside[1] in COLUMNS else by_words.get(_plain(said))
        if field is not None:
            found.setdefault(field, place)
    return found


def _plain(said: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", said)).lower()


# ---------------------------------------------------------------- cells


def _text(cell: Any) -> str:
    """What stands in a cell, as people see it: dates and times that Excel made of words are words again."""
    match cell:
        case None:
            return ""
        case datetime() if cell.time() == time(0):
            return cell.date().isoformat()
        case datetime() | date():
            return cell.isoformat()
        case time():
            return f"{cell.hour}:{cell.minute:02}"
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer():
            return str(int(cell))
    return written_cells.unsafe(str(cell).replace("\r\n", "\n").replace("_x000D_", "").strip())


def _way(field: str) -> Trail:
    return tuple(int(part) if part.isdigit() else part for part in field.split("."))


def _at(fields: Mapping[str, Tree], way: Trail) -> Tree:
    found: Tree = dict(fields)
    for part in way:
        if isinstance(found, dict):
            found = found.get(str(part))
        elif isinstance(found, list) and isinstance(part, int) and part < len(found):
            found = found[part]
        else:
            return None
    return found


def _told(field: str, value: Tree) -> str:
    """A value as it stands in a cell."""
    if field.endswith(".hours") and isinstance(value, list):
        return "\n".join(f"{row.get('days')} {row.get('from')}-{row.get('to')}" for row in value if isinstance(row, dict))
    if isinstance(value, list):
        return "\n".join(str(row) for row in value)
    return "" if value is None else str(value)


def _read(field: str, text: str) -> Tree:
    if not text:
        return [] if field in LISTS or field.endswith(".hours") else None
    if field.endswith(".hours"):
        return [row for line in text.split("\n") if line.strip() for row in _hours_rows(line)] if text not in ("24時間", "24時間365日") else text
    if field in DATES:
        return found.isoformat() if (found := day_said(text)) else text
    if field in LISTS:
        return [line.strip() for line in text.split("\n") if line.strip()]
    return text


def _hours_rows(line: str) -> list[Tree]:
    """月-金 9:00-17:00, or in words: 月曜から金曜 午前9時～午後5時. Closing days have a column of their own."""
    found = _HOURS.fullmatch(unicodedata.normalize("NFKC", line).strip())
    if found:
        return [{"days": found["days"], "from": found["from"], "to": found["to"]}]
    said = hours_said(line)
    if said is not None and not said.closed:
        return [{"days": days, "from": begins, "to": ends} for days, begins, ends in said.rows]
    if said is not None:
        raise ValueError(f"受付時間「{line.strip()}」の休みの日は、「休み」の欄に書いてください（{'、'.join(said.closed)}）。")
    raise ValueError(f"受付時間「{line.strip()}」が読めません。「月-金 9:00-17:00」のように、一行ずつ書いてください。")


def _with(fields: dict[str, Tree], field: str, text: str) -> dict[str, Tree]:
    """The fields with one cell laid in; a cell that says what is there already changes nothing."""
    way = _way(field)
    if text == _told(field, _at(fields, way)).strip():
        return fields
    return _put(fields, way, _read(field, text))


def _put(tree: dict[str, Tree], way: Trail, value: Tree) -> dict[str, Tree]:
    name, rest = str(way[0]), way[1:]
    if not rest:
        return {**tree, name: value}
    below = tree.get(name)
    if isinstance(rest[0], int):
        rows = list(below) if isinstance(below, list) and below else [{}]
        first = rows[rest[0]]
        rows[rest[0]] = _put(first if isinstance(first, dict) else {}, rest[1:], value)
        return {**tree, name: rows}
    return {**tree, name: _put(below if isinstance(below, dict) else {}, rest, value)}
