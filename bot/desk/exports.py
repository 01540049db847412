"""Tables that leave the desk: CSV by RFC 4180 with a BOM, Excel with every cell a string; no cell is ever a formula on somebody's PC (R33)."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from knowledge.exchange.cells import safe

_WIDTHS = {3: (18, 34, 60), 6: (12, 22, 16, 12, 60, 14)}
"""Of columns, in letters, by how many there are."""


def csv_of(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """One header row, one value a cell, UTF-8 with BOM."""
    written = io.StringIO()
    table = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    table.writerow([safe(cell) for cell in header])
    table.writerows([safe(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + written.getvalue().encode()


def xlsx_of(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """One sheet, one table, ready to be printed on A4 upright."""
    return book_of([(title, header, rows)])


def book_of(sheets: Sequence[tuple[str, Sequence[str], Sequence[Sequence[str]]]]) -> bytes:
    """A book of such sheets: title, header, rows of each."""
    import xlsxwriter  # type: ignore[import-untyped]  # here, not above: every start would pay for it

    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False})
    for title, header, rows in sheets:
        _add_sheet(book, title, header, rows)
    book.close()
    return file.getvalue()


def _add_sheet(book: Any, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    sheet = book.add_worksheet("".join(letter for letter in title if letter not in "[]:*?/\\（）")[:31])
    head = book.add_format({"bold": True, "border": 1, "bg_color": "#F2F2F2"})
    cell = book.add_format({"text_wrap": True, "valign": "top", "border": 1})
    for column, words in enumerate(header):
        sheet.write_string(0, column, words, head)
    for number, row in enumerate(rows, 1):
        for column, words in enumerate(row):
            sheet.write_string(number, column, words, cell)
    for column, width in enumerate(_WIDTHS.get(len(header), _WIDTHS[3])[: len(header)]):
        sheet.set_column(column, column, width)
    sheet.set_paper(9)
    sheet.set_portrait()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.freeze_panes(1, 0)
    sheet.set_header(f"&L取扱注意&C{title}")
    sheet.set_footer("&C&P / &N")
