"""The rows of a CSV as a city saved it: whatever code, comma, tab or semicolon; a quote nobody closed keeps no row below it out."""

import csv
import io
from collections.abc import Sequence
from typing import Final

LOST: Final = "\ufffd"
"""Stands where a letter could not be read."""


class NoTable(ValueError):
    """Not a table that can be read; the message is Japanese."""


def read_table(content: bytes) -> list[list[str]]:
    """Rows of a CSV (or tabs): UTF-8 with or without BOM, UTF-16, CP932. Raises NoTable."""
    text = _decoded(content)
    if not text.strip():
        raise NoTable("何も書かれていません。")
    first = "\n".join(text.split("\n", 10)[:10])
    csv.field_size_limit(1_000_000)
    delimiter = max(",\t;", key=first.count)
    lines = io.StringIO(text, newline="").readlines()
    rows, start = list[list[str]](), 0
    try:
        while start < len(lines):
            more, taken = _rows_of(lines, start, delimiter)
            rows += more
            start += taken
            if start < len(lines):  # a quote opens here and nobody closed it: it would swallow every row below
                rows += csv.reader([lines[start].replace('"', "")], delimiter=delimiter)
                start += 1
    except csv.Error as wrong:
        raise NoTable(f"CSV として読めません（{wrong}）。") from wrong
    return rows


def _rows_of(lines: Sequence[str], start: int, delimiter: str) -> tuple[list[list[str]], int]:
    """Rows from a line on as far as quotes are closed, and how many lines they take. Reads no further than that: there may be many such lines."""
    left = (lines[number] for number in range(start, len(lines)))
    reader, rows, ends = csv.reader(left, delimiter=delimiter, strict=True), list[list[str]](), 0
    try:
        for row in reader:
            rows.append(row)
            ends = reader.line_num
    except csv.Error as wrong:
        if "end of data" not in str(wrong) and "expected after" not in str(wrong):
            raise
    return rows, ends


def _decoded(content: bytes) -> str:
    codes = ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp932")
    for code in codes:
        try:
            return content.decode(code)
        except UnicodeDecodeError:
            continue
    text = min((content.decode(code, "replace") for code in codes), key=lambda text: text.count(LOST))
    if text.count(LOST) * 100 > len(text):
        raise NoTable("文字コードがわかりません。UTF-8 か Shift_JIS（CP932）で保存しなおしてください。")
    return text
