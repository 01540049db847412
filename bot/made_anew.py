"""A file as we keep it: known by its content, a picture drawn anew without place, camera or hidden parts, a paper as it is (R34)."""

import io
import struct

from PIL import Image, ImageOps

from storage.attachments import Kind

LARGEST = 10_000_000
"""Bytes of one file as it comes."""
_MOST_PIXELS = 50_000_000
_LONGEST_SIDE = 2560
"""Pixels: a letter of one page stays readable."""
_PICTURES = ("JPEG", "PNG", "WEBP", "GIF")
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, TypeError, KeyError, IndexError, OverflowError, struct.error)
"""What Pillow raises over a file that is not what its first bytes say."""


class NotTaken(Exception):
    """The file is none we take; `problem` is one word."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def made_anew(content: bytes) -> tuple[Kind, bytes]:
    """What is kept of these bytes. Raises `NotTaken`."""
    if len(content) > LARGEST:
        raise NotTaken("too_large")
    if content.startswith(b"%PDF-"):
        return "pdf", content
    return "jpeg", _drawn_anew(content)


def _drawn_anew(content: bytes) -> bytes:
    """The visible picture and nothing else: no EXIF, comment, profile, second frame or appended file."""
    try:
        with Image.open(io.BytesIO(content), formats=_PICTURES) as found:
            if found.width * found.height > _MOST_PIXELS:
                raise NotTaken("too_many_pixels")
            upright = ImageOps.exif_transpose(found)
            upright.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
            clear = Image.new("RGB", upright.size, "white")
            seen = upright.convert("RGBA")
            clear.paste(seen, mask=seen.getchannel("A"))
    except Image.DecompressionBombError as error:
        raise NotTaken("too_many_pixels") from error
    except _BROKEN as error:
        raise NotTaken("unknown_kind") from error
    out = io.BytesIO()
    clear.save(out, "JPEG", quality=85)
    return out.getvalue()
