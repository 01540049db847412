"""From what a resident typed to words that can be compared.

Two steps: `plain` makes one even writing (NFKC, lower case, no emoji, no kaomoji) and remembers where every character came from, so that reasons
can be shown in the resident's own spelling (G6); `words` cuts it with SudachiPy mode A into content words in normal form (matching.md).
"""

import re
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from sudachipy import Dictionary, Morpheme, SplitMode, Tokenizer

LONGEST = 2_000
"""Characters of one message that are weighed; LINE allows 5,000, and whoever writes more has said it by then."""

MESSAGES_AT_HAND = 8
"""Messages whose pieces are kept: danger and need are heard in the same words, one after the other."""

_KAOMOJI = re.compile(r"[(（][^()（）ぁ-んァ-ヶ一-龠a-z0-9]{2,12}[)）]", re.IGNORECASE)
_STRETCHED = re.compile(r"(.)\1{3,}")
_ORDINARY = re.compile(r"[ -~\n　-〃々「」『』〜ぁ-ゖァ-ヺー・一-鿿！＂＃％＆，-／０-９：；？Ａ-Ｚａ-ｚ]*")
"""What most people type: every character stays one character, so nothing has to be counted. Brackets are left out: they may be kaomoji."""
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_KATAKANA = {code: code - 0x60 for code in range(ord("ァ"), ord("ヶ") + 1)}
_PUNCTUATION = re.compile(r"[^\w]+")


@dataclass(frozen=True, slots=True)
class Plain:
    """Even writing of a text; `origin[i]` is the place in the original of character i."""

    text: str
    original: str
    origin: tuple[int, ...]

    def said(self, start: int, end: int) -> str:
        """The resident's own characters behind `text[start:end]`."""
        if start >= end:
            return ""
        return self.original[self.origin[start] : self.origin[end - 1] + 1]


class Word(NamedTuple):
    """One content word. `form` is the dictionary's normal form."""

    form: str
    start: int
    end: int
    tail: int
    """End with the endings that hang on it (払え + ない), for showing."""
    noun: bool
    groups: tuple[int, ...]
    """Synonym groups of the dictionary."""


_TAIL = Word._fields.index("tail")


def plain(text: str) -> Plain:
    """NFKC, lower case, emoji and kaomoji off, stretched letters shortened. Never longer than LONGEST characters."""
    text = text[:LONGEST]
    if _ORDINARY.fullmatch(text) and not _STRETCHED.search(text):
        return Plain(text.translate(_HALF_WIDTH).lower(), text, tuple(range(len(text))))
    letters: list[str] = []
    origin: list[int] = []
    faces = [match.span() for match in _KAOMOJI.finditer(text)]
    place = 0
    while place < len(text):
        if faces and place == faces[0][0]:
            place = faces.pop(0)[1]
            continue
        end = place + 1
        while end < len(text) and (unicodedata.combining(text[end]) or text[end] in "ﾞﾟ"):
            end += 1
        for letter in unicodedata.normalize("NFKC", text[place:end]).lower():
            letters.append(" " if unicodedata.category(letter) in _DROPPED else letter)
            origin.append(place)
        place = end
    even = "".join(letters)
    for match in reversed(list(_STRETCHED.finditer(even))):
        even = even[: match.start() + 2] + even[match.end() :]
        del origin[match.start() + 2 : match.end()]
    return Plain(even, text, tuple(origin))


_DROPPED = frozenset({"So", "Sk", "Cs", "Cn", "Co", "Cf", "Cc"})
"""Unicode categories that carry no word: pictures, modifiers, surrogates, controls."""


def hiragana(text: str) -> str:
    """Katakana folded to hiragana, so that both writings of a sound meet."""
    return text.translate(_KATAKANA)


class _Fact(NamedTuple):
    """What the dictionary says of a piece of text."""

    sound: str
    ending: bool
    """Hangs on the word before (助動詞)."""
    form: str
    """The dictionary's normal form."""
    content: bool
    """A word that tells something by itself."""
    noun: bool
    groups: tuple[int, ...]


class _Cutter(threading.local):
    """One Sudachi tokenizer a thread: the dictionary is shared, a tokenizer is not. Remembers what it said of words met before."""

    MOST_FACTS = 30_000

    def __init__(self) -> None:
        self.tokenizer: Tokenizer = _dictionary().tokenizer(mode=SplitMode.A)
        self.known: dict[tuple[int, str], _Fact] = {}

    def fact(self, piece: Morpheme, surface: str) -> _Fact:
        """What is not known yet; remembered for the words that the dictionary has."""
        fact = _fact(piece, surface)
        if not piece.is_oov():
            if len(self.known) >= self.MOST_FACTS:
                self.known.clear()
            self.known[piece.word_id(), surface] = fact
        return fact


@lru_cache(maxsize=1)
def _dictionary() -> Dictionary:
    return Dictionary(dict="core")


@lru_cache(maxsize=1)
def _cutter() -> _Cutter:
    return _Cutter()


@lru_cache(maxsize=MESSAGES_AT_HAND)
def _facts(written: str) -> tuple[tuple[int, int, _Fact], ...]:
    """Start, end and fact of every piece of a text."""
    cutter, found = _cutter(), []
    known = cutter.known
    for piece in cutter.tokenizer.tokenize(written):
        start, end = piece.begin(), piece.end()
        surface = written[start:end]
        found.append((start, end, known.get((piece.word_id(), surface)) or cutter.fact(piece, surface)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Cut:
    """A text cut into content words, and its sound: kanji read, katakana folded, spaces and marks off."""

    words: tuple[Word, ...]
    sound: str
    sound_origin: tuple[int, ...]
    """Place in the plain text of every character of `sound`."""
    edges: frozenset[int]
    """Where a piece begins or ends in the plain text, function words included."""


_CONTENT = frozenset({"名詞", "動詞", "形容詞", "形状詞", "副詞", "接尾辞", "接頭辞", "感動詞"})
_NOT_CONTENT = frozenset({"数詞", "助動詞語幹", "フィラー"})

_STOP = (
    "為る 成る 有る 居る 無い 言う 思う 行く 来る 見る 出来る 遣る 遣う 貰う 下さる 呉れる 頂く 御座る 仰る 致す 参る "
    "申す 物 事 時 所 訳 筈 為 様 方 人 何 今 其れ 此れ 其処 此処 何処 誰 何時 もう まだ 又 良い 良く 一寸 とても "
    "凄い 本当 多分 矢張り 相談 教える 聞く きく 願う 御願い 済む 困る 知る 分かる 入る 出る 付く 仕舞う 置く さん 様 "
    "達 等 的 御 ご 都合 感じ 事情 場合 自分 私 うち 内 とこ もの こと ところ よう そう どう ため ほう あと 前 後 "
    "中 上 下 間 程 位 月 年 日 週 回 歳 才 円 人 つ そんな こんな どんな いろいろ 色々 一番 皆 みんな 全部 全然 "
    "すぐ 直ぐ ずっと 毎日 最近 今日 昨日 明日 去年 来年 今年 先月 来月 先週 来週 此間 大丈夫 あの えっと えー ええと "
    "うーん ううん うん はい はあ まあ "
)
STOP_FORMS = frozenset(_STOP.split())
"""Words that every message carries. Kept short: a word that is merely frequent already weighs little (idf)."""


def cut(text: Plain) -> Cut:
    """Content words in normal form, and the sound of the whole text."""
    found: list[list[Any]] = []
    sound: list[str] = []
    places: list[int] = []
    edges: set[int] = set()
    if text.text.strip():
        for start, end, fact in _facts(text.text):
            edges.add(start)
            edges.add(end)
            sound.append(fact.sound)
            places += range(start, end) if len(fact.sound) == end - start else _spread(len(fact.sound), start, end)
            if fact.ending and found and found[-1][_TAIL] == start:
                found[-1][_TAIL] = end
            if fact.content:
                found.append([fact.form, start, end, end, fact.noun, fact.groups])
    return Cut(tuple(map(Word._make, found)), "".join(sound), tuple(places), frozenset(edges))


class Piece(NamedTuple):
    """One piece of a text, function words included."""

    surface: str
    form: str
    """The dictionary's normal form."""
    kind: str
    """Part of speech: 動詞, 助動詞, 代名詞 …"""
    sound: str


def pieces(text: str) -> Iterator[Piece]:
    """Every piece of a short text as the dictionary cuts it."""
    for piece in _cutter().tokenizer.tokenize(text):
        surface = piece.surface()
        yield Piece(surface, piece.normalized_form(), piece.part_of_speech()[0], _read(surface, piece.reading_form()))


def forms(text: str) -> list[tuple[int, str]]:
    """Where each piece of a text begins, and its normal form; function words included."""
    return [(start, fact.form) for start, _, fact in _facts(text)]


def _spread(sounds: int, start: int, end: int) -> Sequence[int]:
    """The place in the text of every sound of a piece that sounds longer or shorter than it is written."""
    step = (end - start) / max(sounds, 1)
    return [start + min(int(at * step), end - start - 1) for at in range(sounds)]


def _fact(piece: Morpheme, surface: str) -> _Fact:
    kind = piece.part_of_speech()
    sound, ending, noun = _read(surface, piece.reading_form()), kind[0] == "助動詞", kind[0] == "名詞"
    form = piece.normalized_form()
    content = kind[0] in _CONTENT and kind[1] not in _NOT_CONTENT
    if not content or form in STOP_FORMS or surface in STOP_FORMS or not _tells(surface):
        return _Fact(sound, ending, form, False, noun, ())
    return _Fact(sound, ending, form, True, noun, tuple(piece.synonym_group_ids()))


def _read(surface: str, reading: str) -> str:
    """Sound of one piece. Kana stands for itself: the dictionary's guess about kana is no better than the writing."""
    surface = hiragana(surface)
    if not _PUNCTUATION.sub("", surface):
        return ""
    if all("ぁ" <= letter <= "ゖ" or letter == "ー" for letter in surface) or not reading:
        return surface
    if all(letter.isascii() for letter in surface):
        return surface
    return hiragana(reading)


def _tells(surface: str) -> bool:
    """One kana or one mark alone tells nothing; one kanji does."""
    return len(surface) > 1 or "一" <= surface <= "龠"
