"""D2 and D3: a worry is heard; a vague one gets at most two questions, and a person is never more than one tap away (G5). Cards: showing.py."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from flows import answers, asking, gap, handoff, helper, mydata, oddities, several, showing, thirdparty, young
from flows.cards import MOST_CARDS, gently, why_of
from flows.kin import letters_shared
from flows.letters import sentences
from flows.model import RecordMatch, Turn
from flows.talk import Talk
from flows.typed import plain, points
from knowledge.hearing import hear
from knowledge.hearing.model import Decision, Hearing, Lang
from knowledge.hearing.normalise import pieces

MOST_QUESTIONS: Final = 2
"""Clarifying questions before something useful is offered (G5)."""
_DOMAINS: Final[Mapping[str, tuple[str, ...]]] = {
    "money": ("okane", "shigoto", "zeihoken", "kenri"),
    "family": ("kourei", "kosodate", "kodomo", "shougai", "bouryoku"),
    "body": ("iryou", "kokoro", "koritsu", "shougai"),
    "home": ("sumai", "kankyo", "saigai", "sougou"),
}
"""The four first choices of D3, by domain."""
_FIRST_DOORS: Final[Mapping[tuple[str, str | None], tuple[str, ...]]] = {
    ("money", None): ("jiritsu-soudan-shien", "shakyo-soudan"),
    ("family", "parent"): ("chiiki-houkatsu", "fukushi-sougou-soudan"),
    ("family", "child"): ("kodomo-katei-center", "kyouiku-soudan"),
    ("family", None): ("fukushi-sougou-soudan", "chiiki-houkatsu", "kodomo-katei-center"),
    ("body", None): ("hokenjo", "hoken-center"),
    ("home", None): ("kyojuu-shien-kyogikai", "fukushi-sougou-soudan"),
}
"""Where somebody goes first who could say no more than the field."""
_LIST_OF_DOORS: Final = ("fukushi-sougou-soudan", "jiritsu-soudan-shien", "chiiki-houkatsu")
_ANY_WORRY: Final = "sougou"
"""The domain of desks for whatever it may be: that it is one of theirs says nothing of what it is."""
_SURE_ENOUGH: Final = 0.05
_SHORTEST_STORY: Final = 12
"""Letters: in fewer nobody has told of several things."""
_ENDINGS: Final = 4
"""Letters of grammar after a word."""
_LONGEST_GUESS: Final = 24
_TELLING: Final = frozenset({"名詞", "動詞", "形容詞", "形状詞"})
_SOME_TIME: Final = frozenset({"最近", "近頃", "此の頃", "毎日", "毎晩", "前", "昔", "今年", "去年", "先月", "今月", "先週", "今週", "今日", "昨日"})
_HIRAGANA: Final = re.compile(r"[ぁ-ゖ]")
_OTHER_LETTERS: Final = re.compile(r"[一-鿿A-Za-zＡ-Ｚａ-ｚ]")
_ENOUGH_KANA: Final = 12
_WORDS_APART: Final = 4
_KANJI: Final = re.compile(r"[一-鿿]")
_OFTEN_IN_KANA: Final = frozenset({"他", "一杯", "物", "事", "所", "方", "為", "訳", "内", "為る", "様"})
_ADDRESS: Final = re.compile(r"https?://\S+|www\.\S+|\S+@\S+")
"""Of a page or a mailbox: its letters are of no language."""
_SHORTEST_FOREIGN: Final = 10
"""Letters of a Latin text before its language is believed: 「OK」 is no English."""


# ---------------------------------------------------------------- hearing


def worry_written(talk: Talk) -> Turn:
    """Free text where nothing was asked. An earlier worry that was answered does not colour this one."""
    if talk.choice == "what":
        return talk.ask("consult.open", "open.example", choices=("!human",))
    if not talk.has_words:
        return oddities.no_words(talk)
    if talk.note("ended") and talk.worry and answers.says_the_same(talk.text, talk.town.typed("go_on_again")):
        return hear_worry(talk.noting(ended=None))
    return hear_worry((talk.new_worry() if talk.note("ended") else talk).remembering())


def hear_worry(talk: Talk, heard: Hearing | None = None) -> Turn:
    """What is it about? The rarer things first, then by how clear it is. `heard` is what was understood of this very worry already."""
    hearing = heard or listen(talk)
    talk = in_their_language(talk, hearing.lang)
    for door in (oddities.answer, mydata.answer, thirdparty.answer):
        turn = door(talk)
        if turn is not None:
            return turn
    if _only_begins(talk):
        return talk.ask("consult.open", "open.anything", choices=("what", "!human"))
    if hearing.intent == "human":
        return handoff.wants_human(talk)
    if asking.wants_an_ear(talk.latest, talk.town):
        return talk.ask_again("unclear.human_again") if talk.at == "consult.unclear" else offer_human(talk, "unclear.listen")
    if hearing.intent == "offer":
        return helper.begin(talk)
    if hearing.intent == "smalltalk" and not hearing.needs:
        return talk.ask("consult.open", "odd.hello", choices=("what", "!human"))
    talk = gap.noticing(talk)
    if hearing.reason == "gap":
        return gap.begin(talk)
    entangled = hearing.reason == "entangled" and len(plain(talk.worry)) >= _SHORTEST_STORY
    if entangled or (len(hearing.needs) > 1 and hearing.decision == "answer") or several.troubles_of_one_home(talk):
        return several.read_back(talk, hearing)
    if young.is_one(talk, hearing):
        return young.begin(talk)
    asks = hearing.decision == "ask" and not (talk.session.questions and hearing.reason == "unsure")  # one answer more: now the nearest is shown
    if asks or not _worth_showing(hearing):
        return _is_it_this(talk, hearing) or ask_narrower(talk)
    return showing.show(talk, hearing)


def _only_begins(talk: Talk) -> bool:
    """「すみません、やっぱり相談したいです」: nothing is told yet."""
    beside = talk.town.typed("greeting") | talk.town.typed("filler")
    return answers.says_nothing_but(talk.worry, talk.town.typed("begins") | beside) and not answers.says_nothing_but(talk.worry, beside)


def listen(talk: Talk) -> Hearing:
    """The present worry, all of it: what an answer added is understood with what it was added to (G11)."""
    in_kana = _HIRAGANA.search(talk.worry)  # told in Japanese before another language was chosen
    lang = talk.session.lang if talk.session.lang_offered and not (in_kana and talk.session.lang != "easy") else None
    hearing = hear(talk.worry, talk.town.base, danger=talk.said.danger, lang=lang)
    needs = tuple(need for need in hearing.needs if not _only_who(talk, need.text) and not asking.only_asks(need.text, talk.town))
    hearing = hearing.model_copy(update={"needs": needs or hearing.needs})
    return hearing if hearing.decision != "danger" else hearing.model_copy(update={"decision": _without_danger(hearing), "reason": "after_danger"})


def _only_who(talk: Talk, text: str) -> bool:
    """Whoever says first who they are, or whom they worry about far away, has not told a need by it."""
    said, names = plain(text), ("my_name", "far_away") if talk.note("knows") else ("my_name",)
    told = any(word in said for name in names for word in talk.town.typed(name))
    return said in talk.town.typed("greeting") | talk.town.typed("opening") | talk.town.typed("my_role") or (told and len(sentences(text)) == 1)


def _without_danger(hearing: Hearing) -> Decision:
    """The danger in the story was answered already; now the worry itself counts."""
    return "answer" if _worth_showing(hearing) else "ask"


def _worth_showing(hearing: Hearing) -> bool:
    return any(need.services and need.services[0].score >= _SURE_ENOUGH for need in hearing.needs)


def in_their_language(talk: Talk, lang: Lang, text: str | None = None) -> Talk:
    """The first text decides the language, once; it can be changed at any time (D12). `text`: what was written, if not the worry."""
    if talk.session.lang_offered:
        return talk
    written = _ADDRESS.sub("", talk.worry if text is None else text)
    if lang == "ja" and talk.session.lang == "ja" and _in_kana_only(written):
        return talk.in_language("easy").noting(register="kana")
    if lang in ("ja", talk.session.lang):
        return talk
    if written.isascii() and len(plain(written)) < _SHORTEST_FOREIGN:
        return talk
    known = lang if lang in talk.town.base.town.languages and lang in talk.town.phrases else "easy"
    return talk.in_language(known)


def _in_kana_only(text: str) -> bool:
    """ひらがな throughout, also where anybody would write a kanji (がっこう) or set apart with spaces: answered in short words rich in kana (D13)."""
    if len(_HIRAGANA.findall(text)) < _ENOUGH_KANA or _OTHER_LETTERS.search(text):
        return False
    apart = len(text.split()) >= _WORDS_APART
    return apart or any(piece.kind == "名詞" and _KANJI.search(piece.form) and piece.form not in _OFTEN_IN_KANA for piece in pieces(text))


# ---------------------------------------------------------------- D3: at most two questions


def _is_it_this(talk: Talk, hearing: Hearing) -> Turn | None:
    """Heard, but not surely (kana, slips): 「〜ということですか」 in the words of a sentence the service is known by (D13)."""
    services = hearing.needs[0].services if hearing.reason == "unsure" and hearing.needs else ()
    if not services or services[0].score < _SURE_ENOUGH or talk.session.questions or talk.session.lang != "ja":
        return None
    entry = talk.town.base.entries.get(services[0].id)
    near = _nearest(talk, entry.examples) if entry and entry.domain != _ANY_WORRY else None
    if near is None:
        return None
    asked = talk.with_(questions=1).noting(guess=services[0].id)
    return asked.ask("consult.guess", talk.says("guess.is_it", said=near.rstrip("。")), choices=("yes", "no", "!human"))


def _nearest(talk: Talk, examples: Iterable[str]) -> str | None:
    """The short example that says most of what was written; None where all of them speak of something else."""
    words = _words(talk, talk.worry)
    own = {one: _words(talk, one) for one in examples if len(one) <= _LONGEST_GUESS}
    best = max(own, key=lambda one: (len(words & own[one]) / (len(words | own[one]) or 1), letters_shared(talk.worry, one)), default=None)
    return best if best is not None and words & own[best] else None


def _words(talk: Talk, text: str) -> frozenset[str]:
    """What a text says, as the dictionary sounds it (kana and kanji are one), without what could be said of anything."""
    broad = talk.town.base.hearing.lexicon.intents.broad
    return frozenset(piece.sound for piece in pieces(text) if piece.kind in _TELLING and piece.form not in broad | _SOME_TIME and piece.sound)


def guess_answered(talk: Talk) -> Turn:
    """はい → its cards; ちがう → the choices of D3; other words are heard with the first ones."""
    guess, talk = talk.note("guess") or "", talk.noting(guess=None)
    match talk.choice:
        case "yes":
            return showing.show_cards(talk, (guess,), why_of(listen(talk)))
        case None if talk.has_words:
            return hear_worry(talk.remembering())
        case _:
            return ask_narrower(talk)


def who_knows_told(talk: Talk) -> Turn:
    """7c: whether the one it is about knows of this; then their worry is heard."""
    if talk.choice is None and talk.has_words:
        talk = talk.remembering()
    return hear_worry(talk.noting(knows=talk.choice or "cannot_say"))


def ask_narrower(talk: Talk) -> Turn:
    """Not clear yet: the question that is still open, or a person after the second."""
    session = talk.session
    if talk.at == "consult.unclear":  # a person was offered already; no third question (D3b)
        return talk.ask_again("unclear.human_again")
    if session.questions >= MOST_QUESTIONS or talk.at == "consult.which":  # never the same question twice (G10)
        return offer_human(talk)
    asked = talk.with_(questions=session.questions + 1)
    if talk.note("group") is None:
        return asked.ask("consult.which", "which.it_is_fine", "which.question", choices=("money", "family", "body", "home"))
    return asked.ask("consult.whose", "whose.question", choices=("self", "parent", "child", "family_other"))


def which_answered(talk: Talk) -> Turn:
    """どれに近いですか."""
    if talk.choice in _DOMAINS:
        return _whose_or_cards(talk.noting(group=talk.choice))
    if plain(talk.text) in talk.town.typed("none_of_these") or not talk.text:
        return offer_human(talk)
    told = talk.remembering()
    if not _only_begins(told) and (points(talk.text) or showing.says_nothing(talk)):
        return offer_human(told)
    return hear_worry(_noticing_whose(told))


def whose_answered(talk: Talk) -> Turn:
    """だれのことですか."""
    whose = {"self": "self", "parent": "parent", "child": "child", "family_other": "family"}.get(talk.choice or "")
    if whose is not None:
        return show_nearest(talk.with_(whose=whose))
    if not talk.text:
        return offer_human(talk)
    talk = _noticing_whose(talk.remembering())
    if plain(talk.text) in talk.town.typed("none_of_these"):
        return offer_human(talk)
    hearing = listen(talk)
    return showing.show(talk, hearing) if _worth_showing(hearing) and hearing.decision != "handoff" else hear_worry(talk)


def _whose_or_cards(talk: Talk) -> Turn:
    """Ask whose worry it is only if nobody said so and one question is left."""
    talk = _noticing_whose(talk)
    if talk.session.whose is None and talk.session.questions < MOST_QUESTIONS:
        asked = talk.with_(questions=talk.session.questions + 1)
        return asked.ask("consult.whose", "whose.question", choices=("self", "parent", "child", "family_other"))
    return show_nearest(talk)


def _noticing_whose(talk: Talk) -> Talk:
    """Somebody was named: what was said already is not asked again."""
    if talk.session.whose is not None:
        return talk
    said = plain(talk.worry)
    for whose in ("child", "parent", "family"):
        if any(word in said for word in talk.town.typed(f"whose_{whose}")):
            return talk.with_(whose=whose)
    return talk


def show_nearest(talk: Talk) -> Turn:
    """Cards from the field that was chosen, nearest to the words; the field's first doors when the words say nothing."""
    group = talk.note("group") or ("family" if talk.session.whose in ("parent", "child", "family") else None)
    entries, domains = talk.town.base.entries, _DOMAINS.get(group or "", ())
    ranked = talk.town.base.hearing.rank(talk.worry, limit=40) if talk.worry else []
    near = [match for match in ranked if entries[match.id].domain in domains and any(not _only_felt(talk, word) for word in match.why)]
    doors = _FIRST_DOORS.get((group or "", talk.session.whose)) or _FIRST_DOORS.get((group or "", None), ())
    ids = [*gently(talk, [match.id for match in near[:2]]), *(door for door in doors if door in entries)]
    if not ids:
        return offer_human(talk)
    score = near[0].score if near else 0.0
    return showing.show_cards(talk, tuple(dict.fromkeys(ids))[:MOST_CARDS], {match.id: match.why for match in near}, score=score)


def _only_felt(talk: Talk, word: str) -> bool:
    """「しんどい」 says how it is, and of nothing what it is about."""
    said = plain(word)
    return any(feeling in said and len(said) <= len(feeling) + _ENDINGS for feeling in talk.town.typed("feeling"))


def offer_human(talk: Talk, key: str = "unclear.human") -> Turn:
    """3b: no third question."""
    effect = RecordMatch(cards=(), score=0.0, decision="unclear", knowledge=talk.town.base.version)
    return talk.ask("consult.unclear", key, choices=("talk_now", "talk_later", "list"), effects=(effect,))


def unclear_answered(talk: Talk) -> Turn:
    """いま話す, あとで, or the list of doors."""
    match talk.choice:
        case "talk_now" | "talk_later":
            return handoff.hand_over(talk, "unclear", talk.says("handoff.connect"), handoff.promise(talk))
        case "list":
            return showing.show_cards(talk, _LIST_OF_DOORS, {})
        case _ if talk.text:
            return hear_worry(talk.remembering())
        case _:
            return talk.ask_again("unclear.human_again")
