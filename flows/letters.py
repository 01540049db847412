"""How much room a text takes on a phone, and cutting it to fit (G2). A Latin letter takes half the room of a Japanese one; ふりがな takes none."""

import re
import unicodedata
from typing import Final

_READING: Final = re.compile(r"（[ぁ-ゖー]+）")
EDGES: Final = " 　\t、。,."
"""What stands around a sentence and is no part of it."""
_SENTENCE_END: Final = re.compile(r"(?<=[。！？!?])|\n+|(?<=\.)\s+(?=[^\s])")
_GOES_ON: Final = ("が", "を", "に", "は", "で", "の", "と", "も", "へ", "って")
_A_WORD: Final = 6
"""Letters of room under which a bubble is a word on the way to the next."""
_PAUSE: Final = re.compile(r"[、，]")
_WIDE: Final = frozenset("WFA")


def room(text: str) -> float:
    """Room in full-width letters, readings in brackets left out."""
    return sum(1.0 if unicodedata.east_asian_width(letter) in _WIDE else 0.5 for letter in _READING.sub("", text))


def shortened(text: str, most: int) -> str:
    """One line of at most `most` full-width letters; never cut inside a reading."""
    line = " ".join(text.split())
    if len(line) <= most or room(line) <= most:  # a letter takes one room at the most: mostly there is nothing to measure
        return line
    end, taken = 0, 0.0
    for piece in _pieces(line):
        taken += room(piece)
        if taken > most - 1:
            break
        end += len(piece)
    return line[:end].rstrip() + "…"


def to_a_pause(text: str, most: int) -> str:
    """As much of a sentence as fits, ending where the writer paused; only a sentence without a pause is cut."""
    if room(" ".join(text.split())) > most:
        heads = [head for match in _PAUSE.finditer(text) if _A_WORD <= room(head := text[: match.start()]) <= most]
        if heads:
            return " ".join(heads[-1].split())
    return shortened(text, most)


def _pieces(line: str) -> list[str]:
    """Single letters, each with the reading after it."""
    return re.findall(r".(?:（[ぁ-ゖー]+）)?", line)


def stretches(text: str) -> list[str]:
    """The sentences of a text; what came in bubbles of a word or two (電気代が｜はらえなくて) stands together again."""
    found: list[str] = []
    for sentence in sentences(text):
        if found and (room(found[-1]) < _A_WORD or found[-1].endswith(_GOES_ON)):
            found[-1] = f"{found[-1]} {sentence}"
        else:
            found.append(sentence)
    return found


def sentences(text: str) -> list[str]:
    """The sentences of a text, without what stands around them."""
    return [cut for piece in _SENTENCE_END.split(text) if (cut := piece.strip(EDGES))]
