"""In which language a resident writes: by script first, then by a few function words. Tiny and deterministic (D12).

Short Latin texts are ambiguous; they fall to English, which the first answer offers to change. A wish for やさしい日本語 is a language of its own.
"""

import re
from typing import Final

from knowledge.hearing.model import Lang

_KANA = re.compile(r"[ぁ-ゖァ-ヺ]")
_HAN = re.compile(r"[一-鿿]")
_HANGUL = re.compile(r"[가-힣ᄀ-ᇿㄱ-ㆎ]")
_DEVANAGARI = re.compile(r"[ऀ-ॿ]")
_VIETNAMESE = re.compile(r"[ăâđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]")
_PORTUGUESE = re.compile(r"[ãõêâç]")
_SPANISH = re.compile(r"[ñ¿¡]")
_LATIN_WORD = re.compile(r"[a-zà-ỹ']+")

_CHINESE_ONLY = frozenset("儿我你您们這这吗嗎呢吧么麼没沒怎哪什她很谁誰给給请請让讓跟从對对还還说說话話钱錢办辦会會过過现現请孩岁歲爸妈媽咱她它把被")
"""Characters common in Chinese; the few that Japanese also writes (会, 話) are outvoted by two of the others or by kana."""
_SHARED_WITH_JAPANESE = frozenset("会話過現請対歳誰給還説把被従")

_EN = (
    "i i'm don't can't didn't doesn't my me the a an is are am to of and in for can do you have not it with where how what was please "
    "help need on that this"
)
_PT = (
    "eu meu minha o os as um uma que não nao de do da dos das em no na para pra com por está estou tenho como onde você voce é e ele ela à quero "
    "queria preciso meus minhas são sem mas também"
)
_ES = "yo mi el los las un una que no de del en para con por está estoy tengo cómo donde dónde usted es y él ella mucho ayuda"
_VI = "tôi toi em con cho không khong của cua là la có co và va ở o được duoc bị bi muốn muon làm lam với chị anh ạ thì"
_TL = "ako ang ng mga sa ko po na hindi ay ba kung paano saan kami namin ito may wala naman"
_ID = "saya aku yang dan di ke tidak untuk dengan ini itu bagaimana apa ada anak kami bisa mau sudah"
_FUNCTION_WORDS: Final[dict[Lang, frozenset[str]]] = {
    "en": frozenset(_EN.split()),
    "pt": frozenset(_PT.split()),
    "es": frozenset(_ES.split()),
    "vi": frozenset(_VI.split()),
    "tl": frozenset(_TL.split()),
    "id": frozenset(_ID.split()),
}
_CLEAR = "não nao você voce meu minha tôi không của được tengo estoy usted ako mga hindi saya yang tidak estou the my"
_WEIGHTY: Final = frozenset(_CLEAR.split())
"""Words that only one of these languages has count twice."""

_SENTENCE: Final = 2
"""So many function words of one language make a sentence of it; less is a name."""

_ASKS_EASY = re.compile(
    r"やさしい\s*(?:日本語|にほんご)|(?:かんたん|簡単)な?\s*(?:日本語|にほんご)"
    r"|(?:日本語|にほんご)\s*(?:が|は)?\s*(?:すこし|少し|ちょっと|よく)?\s*(?:わかりません|わからない|むずかしい|できません|へた)"
)
_FROM_ABROAD = re.compile(r"(?:わたし|私)の?\s*(?:くに|国)|がいこくじん|ざいりゅう|にほんご|来日|日本に\s*来|にほんに\s*き")


def language(text: str) -> Lang:
    """The language of `text`; Japanese when there is nothing to go by."""
    text = text.lower()
    if _only_mixes_in(text):
        return _latin(text)
    if _KANA.search(text):
        return "easy" if _writes_easy(text) else "ja"
    if _HANGUL.search(text):
        return "ko"
    if _DEVANAGARI.search(text):
        return "ne"
    if _HAN.search(text):
        return "zh" if _is_chinese(text) else "ja"
    return _latin(text)


def _only_mixes_in(text: str) -> bool:
    """A sentence in Latin letters with a few Japanese words: 「I can't pay 家賃, landlord 怒る」."""
    words = frozenset(_LATIN_WORD.findall(text))
    latin, japanese = sum(map(len, _LATIN_WORD.findall(text))), len(_KANA.findall(text)) + len(_HAN.findall(text))
    return latin > 2 * japanese > 0 and any(len(words & own) >= _SENTENCE for own in _FUNCTION_WORDS.values())


def _writes_easy(text: str) -> bool:
    """やさしい日本語 is asked for, or somebody from abroad writes mostly kana with spaces between the words."""
    if _ASKS_EASY.search(text):
        return True
    return bool(_FROM_ABROAD.search(text)) and len(_KANA.findall(text)) > 6 * len(_HAN.findall(text)) and len(text.split()) > 3


def _is_chinese(text: str) -> bool:
    signs = {letter for letter in text if letter in _CHINESE_ONLY}
    return bool(signs - _SHARED_WITH_JAPANESE) or len(signs) > 2 or any(_is_simplified(letter) for letter in text)


def _is_simplified(letter: str) -> bool:
    """A character that China's set has and Japan's has not (闭, 费, 语): rare kanji of Japanese names are in neither."""
    return _is_in(letter, "gb2312") and not _is_in(letter, "cp932")


def _is_in(letter: str, charset: str) -> bool:
    try:
        letter.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def _latin(text: str) -> Lang:
    words = _LATIN_WORD.findall(text)
    if not words:
        return "ja"
    if _VIETNAMESE.search(text):
        return "vi"
    votes: dict[Lang, float] = dict.fromkeys(_FUNCTION_WORDS, 0.0)
    for lang, known in _FUNCTION_WORDS.items():
        votes[lang] = sum((2.0 if word in _WEIGHTY else 1.0) for word in words if word in known)
    if _PORTUGUESE.search(text):
        votes["pt"] += 3
    if _SPANISH.search(text):
        votes["es"] += 3
    best = max(votes, key=lambda lang: votes[lang])
    return best if votes[best] else "en"
