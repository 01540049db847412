"""An answer of the open question, typed: its number, its label or part of it, or other words that say the same (G3).

A text is cut into pieces, 「うん、渡していいです」; every piece must be an answer or mere politeness. What is left once the
words of the question itself are taken out decides: 「薬は飲んでいません」 is 「していない」. Anything with more in it is no answer,
but something told.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from flows.filling import Town
from flows.gist import Gist, gist, gists, of_ours
from flows.model import Choice, Session
from flows.typed import LONGEST_CHOICE, number, placed, plain, plain_label

Words = Mapping[str, Collection[str]]
"""Other ways to say a value, in normal form."""
_MEANS_YES: Final = frozenset({
    "yes", "is_so", "right", "go_on", "share", "this_is_right", "please", "please_ask", "take_over", "start", "one_person", "pass_on",
    "am_safe", "hear_more", "knows", "do_erase", "resume"
})  # fmt: skip
_MEANS_NO: Final = frozenset({
    "no", "is_not_so", "wrong", "not_share", "rather_not", "not_now", "no_need", "am_not_safe", "does_not_know", "another_time"
})  # fmt: skip
_MEANS_UNSURE: Final = frozenset({"cannot_say", "no_answer", "area_unknown", "not_seen"})
_FINE_IS_YES: Final = frozenset({
    "yes", "right", "go_on", "share", "this_is_right", "as_it_is", "am_safe", "safe", "not_hurt", "no_danger_now", "not_ill", "not_doing"
})  # fmt: skip
"""「大丈夫です」 「いいです」 to 「〜していいですか」; to an offer they decline."""
_FINE_IS_NO: Final = frozenset({"not_now", "no_need", "another_time", "later"})
_NODDED: Final = frozenset({"doing", "safe", "hurt", "danger_now", "ill", "beside", "with_them", "little_ones", "seen_now"})
"""Yes to a question of danger is はい and its like, not 「たぶん」; so is no."""
_SHAKEN: Final = frozenset({
    "not_doing", "not_safe", "not_hurt", "no_danger_now", "not_ill", "not_beside", "not_with_them", "no_little_ones", "not_seen"
})  # fmt: skip
_SAME_AS_WHOSE: Final = {"parent": "whose_parent", "child": "whose_child", "family_other": "whose_family"}
_BETWEEN_LABELS: Final = re.compile(r"[・/／、,]")
_BETWEEN_PIECES: Final = re.compile(r"[、。,.!！?？\n]+|(?<=[ぁ-ヺ一-鿿])\s+|\s+(?=[ぁ-ヺ一-鿿])")
_ON_SECOND_THOUGHT: Final = ("やっぱり", "やはり", "やっぱし", "やっぱ")
_DOUBT: Final = re.compile(r"う*[うん][ー〜~]+ん?[ー〜~…。.、 ]*")
"""「うーん」 is no 「うん」."""
_ASIDE: Final = re.compile(r"[（(][^（）()]*[）)]|[①②③④⑤][^①②③④⑤（]*|「[^」]*」")
_SPARE: Final = 4
"""So many letters may stand around a label in a language that is not cut into words."""
_KANA: Final = re.compile(r"[ぁ-ゖァ-ヺ]")
_FOREIGN_NEGATIONS: Final = ("not", "nao", "não", "không", "不", "没", "ない", "ません")


_ANYTHING: Final = frozenset({"何", "誰", "いつ", "どこ"})
"""Part of many a label, and by themselves no answer: 「なんかいろいろあって」."""
_BARE: Final = frozenset({"有る", "居る", "為る"})
"""Answers that say only whether something is so: ある, いる, している."""
_Way = Callable[[str, Gist], Iterator[str]]


class _Option(NamedTuple):
    value: str
    label: str
    """Normal form."""
    said: Gist


def answer(session: Session, text: str, town: Town) -> str | None:
    """The value of the open choice that these words name, or None. 「やっぱり大丈夫です」 takes back, and agrees to nothing."""
    if _takes_back(text, town):
        return next((choice.value for choice in session.choices if choice.value in _MEANS_NO), None)
    return chosen(text, session.choices, other_words(session.choices, town), asked=session.notes.get("asked", ""), polite=_polite(town))


def _takes_back(text: str, town: Town) -> bool:
    rest = plain(text)
    for word in _ON_SECOND_THOUGHT:
        if rest.startswith(word):
            return rest.removeprefix(word) in town.typed("fine")
    return False


def other_words(choices: Iterable[Choice], town: Town) -> Words:
    """はい, いいえ, わからない and their like for the choices that mean the same, and each choice's own ways of being said."""
    return {choice.value: _ways(choice.value, town) for choice in choices}


def _ways(value: str, town: Town) -> frozenset[str]:
    names = [f"say.{value}", _SAME_AS_WHOSE.get(value, "")]
    meanings = {
        "yes": _MEANS_YES, "no": _MEANS_NO, "unsure": _MEANS_UNSURE, "fine": _FINE_IS_YES | _FINE_IS_NO, "nod": _NODDED, "shake": _SHAKEN,
    }  # fmt: skip
    names += [name for name, values in meanings.items() if value in values]
    return frozenset().union(*(town.typed(name) for name in names if name))


def _polite(town: Town) -> frozenset[str]:
    """What may stand beside an answer and adds nothing to it."""
    return town.typed("greeting") | town.typed("thanks") | town.typed("fine") | town.typed("filler")


def is_word_for_word(session: Session, text: str, town: Town) -> bool:
    """The label of an open choice, or one of its own ways to be said: it comes before a word of G4 that is the same."""
    short, own = plain(text), [choice for choice in session.choices if not choice.value.startswith("!")]
    return any(short == plain_label(choice.label) or short in town.typed(f"say.{choice.value}") for choice in own)


def agrees(session: Session, text: str, town: Town) -> bool:
    """「全部当たってます」: an answer of the open question that says neither no nor how bad it is."""
    return answer(session, text, town) in _MEANS_YES | {"as_it_is", "by_myself"}


def says_the_same(text: str, words: Iterable[str], *, least: int = 1) -> bool:
    """Whether a text says one of these, whatever the endings. `least`: so many things must be in it, to be no chance."""
    said = gist(text) if len(plain(text)) <= LONGEST_CHOICE else None
    return said is not None and len(said.words) >= least and any(one.same_as(said) for one in gists(words))


def says_nothing_but(text: str, words: Collection[str]) -> bool:
    """「ありがとうございます。助かりました」, "Yes OK": every piece is one of these."""
    return any(plain(piece) for piece in _BETWEEN_PIECES.split(text)) and not beside(text, words)


def only_nods(text: str, town: Town) -> bool:
    """はい to 「まちがいはありますか」 says neither, and nothing else."""
    return says_nothing_but(text, frozenset().union(*(town.typed(name) for name in ("yes", "fine", "thanks", "filler"))))


def beside(text: str, words: Collection[str]) -> list[str]:
    """The pieces of a text without those that are one of these words; in Latin letters word by word: of "yes thank you" "yes"."""
    left = [piece for piece in _BETWEEN_PIECES.split(text) if plain(piece) and plain(piece) not in words]
    return [word for piece in left for word in (_words_beside(piece.split(), words) if piece.isascii() else [piece])]


def _words_beside(told: list[str], words: Collection[str]) -> list[str]:
    if not told:
        return []
    longest = next((end for end in range(len(told), 0, -1) if plain(" ".join(told[:end])) in words), 0)
    return _words_beside(told[longest:], words) if longest else [told[0], *_words_beside(told[1:], words)]


def without_politeness(text: str, typed: Mapping[str, Collection[str]]) -> str:
    """「すみません、人と話したいです」 without what stands around it. `typed`: what residents type, by meaning."""
    pieces = (piece for piece in _BETWEEN_PIECES.split(text) if piece.strip())
    around = {*typed["greeting"], *typed["opening"], *typed["filler"]}
    return "、".join(piece for piece in pieces if plain(piece) not in around)


def chosen(text: str, choices: Sequence[Choice], words: Words, *, asked: str = "", polite: Collection[str] = ()) -> str | None:
    """The value of the choice these words name, or None. `words` are other ways to say a value (はい for yes), `asked` is the question."""
    short = plain(text)
    if not short or not choices:
        return None
    exact = {choice.value for choice in choices if plain_label(choice.label) == short}
    if len(exact) == 1:
        return exact.pop()
    if len(short) > LONGEST_CHOICE:
        return None
    reader = _Reader(choices, words, gist(_ASIDE.sub("", asked)).words)
    told = beside(text, polite)
    return reader.reads(text) or reader.reads_all([piece for piece in told if not reader.echoes(piece)] or told)


class _Reader:
    """One question with its answers, against which pieces of text are read."""

    def __init__(self, choices: Sequence[Choice], words: Words, echo: frozenset[str]) -> None:
        self._values = [choice.value for choice in choices]
        self._options = list(_options(choices))
        self._words = words
        self._echo = echo

    def reads_all(self, pieces: Sequence[str]) -> str | None:
        """What several pieces say together: 「うん、渡す」; two that differ are no answer, unless a label follows a mere はい or いいえ."""
        found = [self.reads(piece) for piece in pieces]
        if not found or None in found:
            return None
        if len(set(found)) == 1:
            return found[0]
        plainly = {value for piece in pieces if (value := self._through((self._label, self._same, self._part), piece)) is not None}
        return plainly.pop() if len(plainly) == 1 else None

    def echoes(self, piece: str) -> bool:
        """「2週間後？」: only words of the question, and no answer to it."""
        said = gist(piece)
        return bool(said.words) and said.words <= self._echo and not said.denied and self.reads(piece) is None

    def reads(self, piece: str) -> str | None:
        """What one piece says."""
        counted = number(piece) or placed(piece, len(self._values))
        if counted is not None:
            return self._values[counted - 1] if 0 < counted <= len(self._values) else None
        if _DOUBT.fullmatch(piece.strip()):
            return next((value for value in self._values if value in _MEANS_UNSURE), None)
        ways = (self._label, self._word, self._same, self._same_word, self._without_the_question, self._part)
        return self._through(ways if _KANA.search(piece) else (*ways, self._little_more), piece)

    def _through(self, ways: Sequence[_Way], piece: str) -> str | None:
        """The one value of the first way that finds just one."""
        short, said = plain(piece), gist(piece)
        for way in ways:
            values = set(way(short, said))
            if len(values) == 1:
                return values.pop()
        return None

    # ------------------------------------------------------------ ways, the surest first

    def _label(self, short: str, said: Gist) -> Iterator[str]:
        yield from (option.value for option in self._options if option.label == short)

    def _word(self, short: str, said: Gist) -> Iterator[str]:
        yield from (value for value, words in self._words.items() if short in words)

    def _same(self, short: str, said: Gist) -> Iterator[str]:
        """The same by its words, or by its sound, as somebody writes who never changes into kanji."""
        if said.words:
            yield from (option.value for option in self._options if option.said.same_as(said))
        sound = short.removeprefix("お")
        if len(sound) > 1:
            yield from (option.value for option in self._options if option.said.sound == sound and not option.said.denied)

    def _same_word(self, short: str, said: Gist) -> Iterator[str]:
        if said.words:
            yield from (value for value, words in self._words.items() if any(one.same_as(said) for one in gists(words)))

    def _without_the_question(self, short: str, said: Gist) -> Iterator[str]:
        """「薬は飲んでいません」: what the question named does not count, only whether it is so."""
        if not said.words & self._echo or not (said.denied or said.is_so):
            return
        left = said.words - self._echo
        for option in self._options:
            own = option.said.words - self._echo
            if option.said.denied == said.denied and (left == own or (not left and own <= _BARE)):
                yield option.value

    def _part(self, short: str, said: Gist) -> Iterator[str]:
        """Part of a label: 「説明会」 of 説明会の日, 「時間」 of 時間が合わない."""
        if said.words <= _ANYTHING:
            return
        for option in self._options:
            own = option.said.words
            if said.words < own and (said.denied == option.said.denied or not said.denied):
                yield option.value

    def _little_more(self, short: str, said: Gist) -> Iterator[str]:
        """A label with little around it, or a piece of one, where words cannot be told apart (中文)."""
        for option in self._options:
            longer, shorter = (short, option.label) if len(short) > len(option.label) else (option.label, short)
            around = longer.replace(shorter, "", 1)
            near = len(short) <= len(option.label) + _SPARE and min(len(shorter), len(longer)) >= 2
            if near and shorter in longer and not any(word in around for word in _FOREIGN_NEGATIONS):
                yield option.value


def _options(choices: Iterable[Choice]) -> Iterator[_Option]:
    """Every label, and each part of one that names several things (お金・仕事)."""
    for choice in choices:
        for label in dict.fromkeys((choice.label, *_BETWEEN_LABELS.split(choice.label))):
            if plain_label(label):
                yield _Option(choice.value, plain_label(label), of_ours(label.lstrip("①②③④⑤")))
