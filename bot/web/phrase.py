"""The six words that lead back to a talk: easy to say and to write down, too many to guess (desk.md §7, R25).

Six of the words in words.txt are more than 60 bits; no word needs ー, づ or ぢ, and no two differ only by ゛.
"""

import re
import secrets
import unicodedata
from functools import lru_cache
from pathlib import Path

WORDS = 6
_FILE = Path(__file__).with_name("words.txt")
_KATAKANA = {code: code - 0x60 for code in range(ord("ァ"), ord("ヶ") + 1)}
_NOT_HIRAGANA = re.compile(r"[^ぁ-ゖー]")


@lru_cache
def words() -> tuple[str, ...]:
    """The list, one hiragana word a line."""
    return tuple(_FILE.read_text(encoding="utf-8").split())


def make_phrase() -> tuple[str, ...]:
    """Six words by chance."""
    return tuple(secrets.choice(words()) for _ in range(WORDS))


def plain(written: str) -> str:
    """What was typed without spaces and marks, in hiragana: the form that is hashed. Half-width kana and katakana count as the same letters."""
    return _NOT_HIRAGANA.sub("", unicodedata.normalize("NFKC", written).translate(_KATAKANA))
