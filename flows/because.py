"""Why a card came, in words that can be read aloud: the stretch of the resident's own sentence that a reason stands in (G6).

Hearing names the pieces that carried a service, 「亡くなっ」 or 「口」; read out alone they are no words of anybody. Nothing is reworded.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from flows.by_itself import by_itself
from flows.letters import EDGES, room, sentences, shortened, to_a_pause
from flows.talk import Talk
from flows.typed import plain, says_one_of
from knowledge.hearing.normalise import pieces
from knowledge.hearing.normalise import plain as even
from knowledge.hearing.phrases_seen import flat

LONGEST: Final = 18
_LONGEST_NEED: Final = 28
"""A need that was read back is a reason as it was told."""
_MOST: Final = 2
_ENOUGH: Final = 16
"""Letters up to which a stretch grows while nothing has been said of what it names."""
_CLAUSE: Final = re.compile(r"[。、，,.!！?？…\n]+|(?<=こと)と\s+")
_LACKS: Final = frozenset({"ない", "無い", "ず", "たい", "欲しい"})
_KANA: Final = re.compile(r"[ぁ-ゖァ-ヺ]")
_SPACES: Final = re.compile(r"(?<=\s)(?=\S)")
_LEANS: Final = frozenset({"助詞", "助動詞", "接尾辞"})
_TELLS: Final = frozenset({"動詞", "形容詞", "助動詞"})
_SAYS: Final = re.compile(r"\s*(?:言|い[いうわっ]|聞|き[いこ]|思|おも|書)")
_QUOTED: Final = re.compile(r"(?:って|と)$")


def in_own_words(talk: Talk, why: Sequence[str]) -> list[str]:
    """At most two stretches, of 18 letters where one can be so short, none twice. No cry is ever given back."""
    if talk.session.lang not in ("ja", "easy"):
        return [shortened(word, LONGEST) for word in why[:_MOST]]
    clauses = _clauses(talk)
    heard = [word for word in why if len(word) > 1 or any(word in clause for clause in clauses)]
    told = dict.fromkeys(by_itself(_stretch(word, clauses, talk)) for word in heard[:_MOST])
    return [to_a_pause(one, _LONGEST_NEED) for one in _apart(told, talk.worry)]


def what_weighs(talk: Talk) -> str:
    """The sentence of a story to give back where nothing fits: what is missing or hard, before who somebody is. No cry, nothing told of an office."""
    told = [one for one in sentences(talk.worry) if not talk.town.base.danger.scan(one).heard]
    return by_itself(max(told, key=lambda one: _weight(talk, one))) if told else ""


def _weight(talk: Talk, sentence: str) -> int:
    lexicon, said = talk.town.base.hearing.lexicon, flat(even(sentence).text)
    lacks = any(piece.form in _LACKS for piece in pieces(sentence))
    refused = says_one_of(sentence, talk.town.typed("refused"))
    return 2 * lacks + lexicon.intents.in_trouble(said) + min(len(lexicon.hardships.weigh(said).areas), 2) - 3 * refused


def _apart(told: Iterable[str], worry: str) -> list[str]:
    """Those that do not stand in the same place of the worry: what is quoted once is not quoted in part again."""
    kept: list[str] = []
    taken: list[tuple[int, int]] = []
    for one in told:
        begins = worry.find(one)
        ends = begins + len(one)
        if begins >= 0 and any(begins < other_end and other < ends for other, other_end in taken):
            continue
        kept.append(one)
        taken.append((begins, ends))
    return kept


def _clauses(talk: Talk) -> list[str]:
    """What was told between two pauses, without greetings, names, and what leads over to it (「別のことで」)."""
    cut = [clause for piece in _CLAUSE.split(talk.worry) if (clause := piece.strip(EDGES))]
    aside = frozenset().union(*(talk.town.typed(name) for name in ("filler", "greeting", "opening", "my_role")))
    return [clause for clause in cut if plain(clause) not in aside and not says_one_of(clause, talk.town.typed("my_name"))]


def _stretch(word: str, clauses: Sequence[str], talk: Talk) -> str:
    """The shortest clause with this word in it that is no cry, or as much of it as says something; the word itself where it stands in none."""
    inside = sorted((clause for clause in clauses if word in clause), key=room)
    told = next((clause for clause in inside if not _is_cry(clause, talk)), None)
    if told is None or not _KANA.search(told):
        return word
    return told if room(told) <= LONGEST else _around(word, told)


def _is_cry(clause: str, talk: Talk) -> bool:
    return talk.session.danger.heard and talk.town.base.danger.scan(clause).heard


def _around(word: str, clause: str) -> str:
    """From the phrase in which the word begins to the first one that tells what is with it."""
    phrases = _SPACES.split(clause) if len(clause.split()) > _MOST else _phrases(clause)
    begins, end, found = clause.index(word), 0, ""
    for phrase in phrases:
        end += len(phrase)
        if end <= begins:
            continue
        if found and room(found + phrase.rstrip()) > _ENOUGH:
            break
        found += phrase
        if end >= begins + len(word) and _tells(phrase):
            break
    return _without_said(found, clause[clause.index(found) + len(found) :]).strip(EDGES) if word in found else word


def _without_said(found: str, after: str) -> str:
    """「学費がないと」 without the と where 「言います」 follows."""
    return _QUOTED.sub("", found) if _SAYS.match(after) else found


def _phrases(clause: str) -> list[str]:
    """Cut before every word that stands by itself: 口を｜きかない｜日が｜続いています."""
    found: list[str] = []
    before = ""
    for piece in pieces(clause):
        joined = piece.kind in _LEANS or before == "接頭辞" or (piece.kind == before == "名詞") or piece.form in ("居る", "有る", "為る")
        if joined and found:
            found[-1] += piece.surface
        else:
            found.append(piece.surface)
        before = piece.kind
    return found


def _tells(phrase: str) -> bool:
    """Not what leads to it: 「病気で」, 「手続きをしに」."""
    told = list(pieces(phrase))
    return any(piece.kind in _TELLS and (piece.form, piece.surface) != ("だ", "で") for piece in told) and told[-1].surface != "に"
