"""How long a text is for a platform, and where it may be cut: never inside one visible character."""

import unicodedata

_JOINER = "\u200d"
_MARKS = {"Mn", "Mc", "Me"}


class Unsendable(ValueError):
    """A message no platform call can carry: refused before it is sent, with a short reason that holds no words of anybody."""


def utf16_units(text: str) -> int:
    """Length as LINE and Telegram count it: an emoji or a rare kanji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def pieces(text: str, most: int) -> list[str]:
    """Cut a text into pieces of at most `most` UTF-16 units, at line ends or sentence ends where there are any; blank pieces are left out."""
    found: list[str] = []
    while utf16_units(text) > most:
        at = _cut_at(text, _letters_within(text, most))
        found.append(text[:at])
        text = text[at:]
    return [piece for piece in [*found, text] if piece.strip()]


def shorten(text: str, most: int) -> str:
    """At most `most` UTF-16 units, with `…` where something was left out. Safe for limits in grapheme clusters too: those are never more."""
    if utf16_units(text) <= most:
        return text
    at = _letters_within(text, most - 1)
    while at > 0 and _joined(text, at):
        at -= 1
    return text[:at] + "…"


def _letters_within(text: str, most: int) -> int:
    units = 0
    for at, letter in enumerate(text):
        units += 2 if letter > "\uffff" else 1
        if units > most:
            return at
    return len(text)


def _cut_at(text: str, end: int) -> int:
    for endings in ("\n", "。！？!?", ""):
        for at in range(end, end // 2, -1):
            if (not endings or text[at - 1] in endings) and not _joined(text, at):
                return at
    return end


def _joined(text: str, at: int) -> bool:
    """Whether the letters on both sides of `at` belong to one visible character; errs towards yes."""
    before, after = text[at - 1], text[at]
    return (
        unicodedata.category(after) in _MARKS
        or _JOINER in (before, after)
        or before + after == "\r\n"
        or "\U0001f3fb" <= after <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= after <= "\U000e007f"  # flags of regions
        or ("\U0001f1e6" <= before <= "\U0001f1ff" and "\U0001f1e6" <= after <= "\U0001f1ff")  # flags of countries
        or "\u1160" <= after <= "\u11ff"  # Korean written in parts
    )
