"""What the bytes of a file are, before they are text: in which code they were saved, and whether they are text at all."""

from typing import Final

CALLED: Final = {
    "utf-16": "（UTF-16 のようです）", "utf-16-le": "（UTF-16 のようです）", "utf-16-be": "（UTF-16 のようです）",
    "cp932": "（Shift_JIS / CP932 のようです）", "euc_jp": "（EUC-JP のようです）", "iso2022_jp": "（JIS のようです）", None: "",
}  # fmt: skip


def code_of(content: bytes) -> str | None:
    """The code in which all of it can be read."""
    return marked(content) or next((code for code in ("cp932", "euc_jp") if _decodes(content, code)), None)


def marked(content: bytes) -> str | None:
    """A code that shows by its marks, though its bytes may pass for UTF-8."""
    codes = list[str]()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        codes = ["utf-16"]
    elif b"\x1b$" in content:
        codes = ["iso2022_jp"]
    elif content.count(b"\0") > len(content) // 20:
        codes = ["utf-16-le" if content.count(b"\0", 1, 400) and content[1::2].count(0) > content[::2].count(0) else "utf-16-be"]
    return next((code for code in codes if _decodes(content, code)), None)


def _decodes(content: bytes, code: str) -> bool:
    try:
        content.decode(code)
    except UnicodeDecodeError:
        return False
    return True


def no_text(content: bytes) -> tuple[str, str] | None:
    """What a file of another kind is, and what to do with it."""
    for start, kind, hint in _KINDS:
        if content[:200].lstrip(b"\xef\xbb\xbf \r\n\t")[: len(start)].lower() == start.lower():
            return kind, hint
    return None


_AS_TEXT: Final = "メモ帳などで開き、文字だけを写して、新しい .yaml のファイルに UTF-8 で保存してください。"
_KINDS: Final = (
    (b"PK\x03\x04", "Excel や Word、ZIP のようです", "Excel の表なら、madoguchi knowledge import で取りこめます。"),
    (b"\xd0\xcf\x11\xe0", "古い Excel や Word のようです", "Excel で .xlsx として保存しなおすと、madoguchi knowledge import で取りこめます。"),
    (b"{\\rtf", "ワードパッドや Word の文書のようです", _AS_TEXT),
    (b"<html", "ウェブページのようです", _AS_TEXT),
    (b"<!doctype", "ウェブページのようです", _AS_TEXT),
    (b"%PDF", "PDF のようです", "YAML のファイルだけを、このフォルダーに置いてください。"),
    (b"\x89PNG", "画像のようです", "YAML のファイルだけを、このフォルダーに置いてください。"),
    (b"\xff\xd8\xff", "写真のようです", "YAML のファイルだけを、このフォルダーに置いてください。"),
)


def column_of(content: bytes, start: int) -> int:
    """Where in its line the byte at `start` stands; what is before it in the file is UTF-8."""
    return len(content[content.rfind(b"\n", 0, start) + 1 : start].decode("utf-8-sig")) + 1
