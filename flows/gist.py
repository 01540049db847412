"""What a short answer is about, whatever its endings: 「続けます」「つづけたいです」 are 続ける; 「わかんない」 is 分かる, denied.

The dictionary's normal forms without politeness, wishes and time, so that a typed answer and a button can be compared by what they say.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from knowledge.hearing.normalise import Piece, hiragana, pieces

_JAPANESE: Final = re.compile(r"[ぁ-ゖァ-ヺ一-鿿]")
_HIRAGANA_OR_KANJI: Final = re.compile(r"[ぁ-ゖ一-鿿]")
_SORT_OF: Final = re.compile(r"そういう|こういう|ああいう|という|っていう|のこと(?=$|[でがはをに、。])")
_HOW_MANY: Final = re.compile(r"[2-9二三四五六]人(?:の|も)?")
"""「子ども2人いる」 says what 「子どもがいる」 says."""
_TELLING: Final = frozenset({"名詞", "動詞", "形容詞", "形状詞", "代名詞"})
_POINTING: Final = frozenset({"此れ", "其れ", "彼れ", "此処", "其処", "彼処", "何処", "其方", "此方", "どれ", "何れ"})
_SELF: Final = frozenset({"私", "僕", "俺", "あたし", "うち"})
_FAINT: Final = frozenset({
    "思う", "欲しい", "下さる", "くださる", "貰う", "頂く", "呉れる", "くれる", "事", "こと", "方", "物", "もの", "御", "さん", "感じ",
    "所", "訳", "様", "よう", "侭", "まま", "申す", "致す"
})  # fmt: skip
"""Politeness and grammar."""
_LIGHT: Final = frozenset({
    "為る", "成る", "有る", "居る", "見る", "みる", "見せる", "置く", "おく", "仕舞う", "遣る", "来る", "今", "いま", "御座る", "大丈夫",
    "良い", "願う", "御願い", "全部", "内容"
})  # fmt: skip
"""Carry an answer only where nothing else does: 「いる」, but 「連絡している」 is 連絡."""
_DENYING: Final = frozenset({"ない", "ず", "無い", "まい"})
_HARDLY: Final = ("にく", "づら", "がた")
"""「話しにくい」 is no wish to talk."""
_HAPPENS: Final = frozenset({"た", "ます", "てる", "居る", "有る"})
_WISHED: Final = frozenset({"たい", "欲しい", "そう", "様", "う", "よう", "かも", "ば"})
_FOREIGN: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_FOREIGN_LIGHT: Final = frozenset({
    "i", "im", "i'm", "a", "an", "the", "to", "please", "want", "would", "like", "it", "its", "it's", "is", "am", "my", "you", "do", "can",
    "could", "just", "that", "that's", "thats", "this", "of", "so", "eu", "quero", "o", "um", "uma", "por", "favor", "gostaria", "de",
    "me", "que", "tôi", "muốn", "em", "anh", "chị", "ạ", "xin", "cho", "thì", "là"
})  # fmt: skip
_FOREIGN_DENYING: Final = frozenset({
    "no", "not", "dont", "don't", "doesnt", "doesn't", "cant", "can't", "never", "não", "nao", "nunca", "nem", "không", "chưa"
})  # fmt: skip


class Gist(NamedTuple):
    """Normal forms, how they sound, and whether they are denied. No words: nothing was said that could be compared."""

    words: frozenset[str]
    sound: str
    denied: bool
    is_so: bool = False
    """It is said to be so, or to have been; not wished, feared or only named: 「薬を飲んだ」, not 「死にたい」 or 「薬」."""

    def same_as(self, other: "Gist") -> bool:
        """The same thing, neither or both denied; kana that the dictionary read as another word still sounds the same."""
        return self.denied == other.denied and (self.words == other.words or (len(self.sound) > 1 and self.sound == other.sound))


def gist(text: str) -> Gist:
    """What a short text says."""
    even = unicodedata.normalize("NFKC", text)
    even = even if _HIRAGANA_OR_KANJI.search(even) else hiragana(even)
    found, denials, so = _japanese(even) if _JAPANESE.search(even) else _foreign(even)
    heavy = found
    for weak in (_FAINT, _LIGHT | _SELF):
        heavy = {word: piece for word, piece in heavy.items() if word not in weak} or heavy
    return Gist(frozenset(heavy), "".join(piece.sound for piece in heavy.values()), denials % 2 == 1, so)


@lru_cache(maxsize=4096)
def of_ours(words: str) -> Gist:
    """What words of ours say; a resident's words are never kept so."""
    return gist(words)


def gists(words: Iterable[str]) -> tuple[Gist, ...]:
    """The different things these words of ours say."""
    return tuple(dict.fromkeys(said for one in words if (said := of_ours(one)).words))


def _japanese(text: str) -> tuple[dict[str, Piece], int, bool]:
    words: dict[str, Piece] = {}
    denials, after_te, forms = 0, False, set()
    for piece in pieces(_HOW_MANY.sub("", _SORT_OF.sub("の", text)) or text):
        if piece.form in _DENYING and piece.kind in ("助動詞", "形容詞"):
            denials += 1
            if not words:  # 「ない」 by itself denies that something is there
                words["有る"] = piece
        elif piece.kind == "接尾辞" and piece.surface.startswith(_HARDLY):
            words["難い"] = piece
        elif piece.kind in _TELLING and piece.form not in _POINTING and not (after_te and piece.kind == "動詞"):
            words[piece.form] = piece
        forms.add(piece.form)
        after_te = piece.surface in ("て", "で") and piece.kind == "助詞"
    return words, denials, bool(forms & _HAPPENS) and not forms & _WISHED


def _foreign(text: str) -> tuple[dict[str, Piece], int, bool]:
    told = [word.lower() for word in _FOREIGN.findall(text)]
    denials = sum(word in _FOREIGN_DENYING for word in told)
    return {word: Piece(word, word, "", word) for word in told if word not in _FOREIGN_DENYING and word not in _FOREIGN_LIGHT}, denials, False
