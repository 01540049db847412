"""Files that are not what they say, that grow when they are opened, or that carry something along (R34, R50)."""

import io
import resource
import zipfile
from collections.abc import Callable

import pytest
from openpyxl import Workbook
from PIL import Image

from bot.made_anew import NotTaken, made_anew
from knowledge.base import BrokenBase, load
from knowledge.exchange import excel
from knowledge.exchange.csv_rows import NoTable

_FAR = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
_LAUGHS = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + number, b"&%c;" % (97 + number) * 10) for number in range(9)
) + b"]>"  # fmt: skip


def _book(change: Callable[[bytes], bytes]) -> bytes:
    """A small book whose sheet was changed by hand."""
    made, whole, out = Workbook(), io.BytesIO(), io.BytesIO()
    made.active.append(["ID (id)", "名前 (name)"])
    made.save(whole)
    with zipfile.ZipFile(whole) as parts, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in parts.namelist():
            packed.writestr(name, change(parts.read(name)) if name == "xl/worksheets/sheet1.xml" else parts.read(name))
    return out.getvalue()


def _memory() -> int:
    """Kilobytes this process has ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.requirement("R4", "R50")
@pytest.mark.timeout(60)
def test_a_single_cell_at_the_far_end_of_a_sheet_does_not_make_it_a_million_rows() -> None:
    before = _memory()
    sheet = _book(lambda xml: xml.replace(b'ref="A1:B1"', b'ref="A1:XFD1048576"').replace(b"</sheetData>", _FAR))
    assert excel.import_excel(sheet, {}, {}).entries == {}
    assert _memory() - before < 200_000


@pytest.mark.requirement("R4", "R50")
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "content",
    [
        _book(lambda xml: _LAUGHS + xml.replace(b"</sheetData>", b'<row r="2"><c r="A2" t="inlineStr"><is><t>&j;</t></is></c></row></sheetData>')),
        _book(lambda xml: b"<<<"), _book(lambda xml: b""), _book(lambda xml: b" " * 30_000_000),
        b"PK\x05\x06" + bytes(18), b"", b"\xd0\xcf\x11\xe0" + bytes(600),
        _book(lambda xml: xml)[:-30], _book(lambda xml: xml).replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"),
    ],
    ids=["laughs", "no xml", "empty sheet", "blown up", "no parts", "empty", "old excel", "cut off", "locked"],
)  # fmt: skip
def test_a_book_that_is_none_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(NoTable, match="表"):
        excel.import_excel(content, {}, {})


@pytest.mark.requirement("R50")
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]\n", "!!python/object/apply:os.system ['true']\n",
        "a: " + "[" * 5000 + "]" * 5000, "- " * 5000 + "x",
        "a: 1\na: 2\n", "<<: *x\n", "a: !!binary aGVsbG8=\n", "? [a]\n: b\n",
    ],
)  # fmt: skip
def test_what_yaml_can_hide_is_refused_with_its_place_and_never_built(tmp_path, text: str) -> None:
    (tmp_path / "x.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BrokenBase) as refused:
        load(tmp_path)
    assert all(problem.line >= 1 for problem in refused.value.problems)


@pytest.mark.requirement("R50")
def test_a_file_that_leads_out_of_the_folder_is_not_read(tmp_path) -> None:
    outside, inside = tmp_path / "secret.yaml", tmp_path / "town"
    outside.write_text("id: himitsu\nname: himitsu\n", encoding="utf-8")
    inside.mkdir()
    (inside / "x.yaml").symlink_to(outside)
    with pytest.raises(BrokenBase) as refused:
        load(inside)
    assert "himitsu" not in str([problem.message for problem in refused.value.problems])


def _picture(kind: str, **more: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, kind, **more)
    return out.getvalue()


@pytest.mark.requirement("R34")
@pytest.mark.parametrize("tail", [b"<script>alert(1)</script>", b"PK\x03\x04" + bytes(100), b"<?php system('id'); ?>", b"%PDF-1.4\n%%EOF"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_whatever_hangs_behind_or_inside_a_picture_does_not_come_along(kind: str, tail: bytes) -> None:
    more: dict[str, object] = {"exif": Image.Exif().tobytes()} if kind in ("JPEG", "WEBP") else {}
    found, body = made_anew(_picture(kind, comment=tail, **more) + tail if kind == "GIF" else _picture(kind, **more) + tail)
    assert found == "jpeg"
    assert tail not in body
    assert b"<script" not in body
    assert Image.open(io.BytesIO(body)).format == "JPEG"


@pytest.mark.requirement("R34")
@pytest.mark.parametrize(
    "content",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', b"<html><script>alert(1)</script>", b"MZ" + bytes(500),
        b"PK\x03\x04" + bytes(500),
        b"#!/bin/sh\nid", b"\xff\xd8\xff<script>", b"GIF89a" + b"<script>" * 20, b"", b"BM" + bytes(100), b"II*\x00" + bytes(100), b"%!PS-Adobe-3.0",
        b"push graphic-context\nviewbox 0 0 1 1\nimage Over 0,0 0,0 'https://evil.example/'",
    ],
)  # fmt: skip
def test_what_only_calls_itself_a_picture_is_none(content: bytes) -> None:
    with pytest.raises(NotTaken):
        made_anew(content)
