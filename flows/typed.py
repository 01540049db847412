"""What was typed instead of pressed: a number, a label, part of one, or a word that is valid everywhere (G3, G4).

Long free text is never a choice: whoever writes a sentence has more to say than the button.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from flows.model import Choice

LONGEST_CHOICE: Final = 16
"""Letters beyond which a text is never read as a choice."""
_SPARE: Final = 4
"""So many letters may stand around a label: 「お金・仕事です」."""
_SILENT: Final = re.compile(r"[\s、。,.!！?？・…~〜ー「」『』()（）\[\]【】'’\"“”:：;；_/／\u200d\ufe0f-]+")
_BETWEEN_LABELS: Final = re.compile(r"[・/／、,]")
_COUNTED: Final = re.compile(r"(\d)(?:番目?|つ目|ばん)?(?:です|で|でおねがいします|にします)?")
_HIRAGANA: Final = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_SPOKEN_NUMBERS: Final[Mapping[str, int]] = {
    "いちばん": 1, "いち": 1, "一": 1, "一番": 1, "ひとつめ": 1, "にばん": 2, "に": 2, "二": 2, "二番": 2, "ふたつめ": 2,
    "さんばん": 3, "さん": 3, "三": 3, "三番": 3, "みっつめ": 3, "よんばん": 4, "よん": 4, "四": 4, "四番": 4, "よっつめ": 4,
    "one": 1, "two": 2, "three": 3, "four": 4, "um": 1, "dois": 2, "três": 3, "quatro": 4,
    "第一": 1, "第二": 2, "第三": 3, "第四": 4,
}  # fmt: skip
_NEGATIONS: Final = ("ない", "ません", "なく", "not", "nao", "não", "không", "不", "没")


class _Option(NamedTuple):
    value: str
    label: str
    """Normal form."""


def plain(text: str) -> str:
    """Normal form for comparing short texts: width, case, kana, punctuation and spaces do not count."""
    folded = unicodedata.normalize("NFKC", text).lower().translate(_HIRAGANA)
    return _SILENT.sub("", folded)


@lru_cache(maxsize=2048)
def _label(written: str) -> str:
    """Normal form of words of ours; a resident's words are never kept so."""
    return plain(written)


def number(text: str) -> int | None:
    """1, １, ①, いちばん, 1番です → 1; None for anything else."""
    short = plain(text)
    found = _COUNTED.fullmatch(short)
    return int(found[1]) if found else _SPOKEN_NUMBERS.get(short)


def chosen(text: str, choices: Sequence[Choice], words: Mapping[str, Collection[str]]) -> str | None:
    """The value of the choice these words name, or None. `words` are other ways to say a value (はい for yes)."""
    short = plain(text)
    if not short or not choices:
        return None
    exact = {choice.value for choice in choices if _label(choice.label) == short}
    if len(exact) == 1:
        return exact.pop()
    if len(short) > LONGEST_CHOICE:
        return None
    counted = number(text)
    if counted is not None:
        return choices[counted - 1].value if 0 < counted <= len(choices) else None
    options = list(_options(choices))
    ways: tuple[Callable[[_Option], bool], ...] = (
        lambda option: option.label == short,
        lambda option: short in words.get(option.value, ()),
        lambda option: _label_and_little_more(option.label, short),
        lambda option: len(short) >= 2 and short in option.label and not _negates(option.label, short),
    )
    for fits in ways:
        values = {option.value for option in options if fits(option)}
        if len(values) == 1:
            return values.pop()
    return None


def _options(choices: Iterable[Choice]) -> Iterable[_Option]:
    """Every label, and each part of one that names several things (お金・仕事)."""
    for choice in choices:
        for label in dict.fromkeys((choice.label, *_BETWEEN_LABELS.split(choice.label))):
            if _label(label):
                yield _Option(choice.value, _label(label))


def _label_and_little_more(label: str, short: str) -> bool:
    return len(label) >= 2 and label in short and len(short) <= len(label) + _SPARE and not _negates(short, label)


def _negates(longer: str, shorter: str) -> bool:
    """What stands around says the opposite: いる is no part of いない's answer, 合っている none of 合っていません's."""
    around = longer.replace(shorter, "", 1)
    return any(word in around for word in _NEGATIONS)
