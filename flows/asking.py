"""Questions asked back, in any state: who reads this, what it costs, until when, where. Answered at once and truthfully; what was open stays open.

With cards in sight, hours, place, price, booking and telephone are theirs; else they are the desk's. A question has nothing else in it: whoever also
tells something is heard, and a sentence that only asks is no need of theirs.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from flows import answers
from flows.cards import Fact, cards, details, fact, name_of
from flows.filling import Town
from flows.handoff import promise
from flows.letters import room as width
from flows.letters import shortened
from flows.model import Reply, Turn
from flows.talk import MOST_BUBBLES, Talk, last_bubbles
from flows.typed import LONGEST_CHOICE, number, placed, plain
from knowledge.hearing.normalise import pieces

_KINDS: Final = ("secret", "reads", "name", "cost", "hours", "booking", "place", "tel", "reply", "kept", "machine", "private", "what")
"""By the lists `ask.<kind>` of phrases/, looked at in this order: 「親にバレずに読めますか」 is about secrecy."""
_OF_CARDS: Final[Mapping[str, Fact]] = {"cost": "cost", "hours": "hours", "booking": "how", "place": "place", "tel": "tel"}
_OF_US: Final = frozenset({"secret", "reads", "name"})
_WAY_IN: Final = "!room"
_LONGEST: Final = 30
"""Letters of a question; who writes more has something to tell."""
_LONGEST_NAME: Final = 24
_LONGEST_LINE: Final = 74
"""Room of a name and what is told of it in one bubble."""
_LONGEST_WHERE: Final = 44
_SENTENCE: Final = re.compile(r"(?<=[。？！?!])\s*|\n+|(?<=か)[、,]")
_ASKS: Final = re.compile(
    r"(?:か|の|かな|かね|っけ|だろう|でしょう|よね|まで|から|どこ|いくら|何時|何番|誰|だれ|どなた|何|なに|は|も|教えて|ください|下さい|知りたい"
    r"|い?でね?|て(?:ほしい|欲しい|ほしくない)|たくない|にくい|づらい|アクセス|時間|番号|期間|料金|費用|値段|場所|住所|予約|匿名|無料)"
    r"(?:です|ですか|んです|んですか|んですけど|んだけど|けど|んだ|な|ね|よ)*[。!！？?…〜ー\s]*$|[？?]\s*$"
)
"""How a question ends, or a wish that something be kept to oneself: 「誰も見てくれない」 does neither."""
_KANA: Final = re.compile(r"[ぁ-ゖァ-ヺ]")
_CONTENT: Final = frozenset({"名詞", "動詞", "形容詞", "形状詞", "代名詞", "副詞"})
_SPARE: Final = 2
"""Letters that may be left of a question in a language that is not cut into words."""


def answer(talk: Talk) -> Turn | None:
    """The answer beside the open question; None when something else was said."""
    button = _card_button(talk)
    if button is not None:
        return button
    asked = kinds(talk.text, talk.town)
    if asked == ("private",):
        return talk.stay("room.link", also=(_WAY_IN,)) if talk.scene.room else None
    replies = [reply for kind in asked for reply in _answered(talk, kind)]
    return talk.stay(*replies[:MOST_BUBBLES], also=("!human",)) if replies else None


def answered_too(talk: Talk, turn: Turn) -> Turn:
    """A question about us that was asked with a worry, 「家賃が払えません。名前は必要ですか」: its answer comes first, where there is room."""
    asked = [kind for one in _sentences(talk.text) if (kind := _kind(one, talk.town)) in _OF_US]
    if not asked or turn.ends_as != "answered" or kinds(talk.text, talk.town):
        return turn
    return last_bubbles(turn, talk.says(f"ask.{asked[0]}"))


def told_only(text: str, town: Town) -> str:
    """What was told, without the sentences that only ask something of us."""
    return "\n".join(one for one in _sentences(text) if _kind(one, town) is None)


def only_asks(text: str, town: Town) -> bool:
    """Whether a sentence asks something of us and tells nothing."""
    return _kind(text, town) is not None


def wants_an_ear(text: str, town: Town) -> bool:
    """「ちょっと話を聞いてほしいだけ」: nothing is told but the wish that somebody listen."""
    said = plain(text)
    return any(all(part in said for part in parts) and _nothing_else(text, said, parts, town) for parts in town.typed_parts.get("ear", ()))


def kinds(text: str, town: Town) -> tuple[str, ...]:
    """What is asked, each once; empty when anything else was said, but for politeness."""
    beside = town.typed("greeting") | town.typed("opening") | town.typed("filler") | town.typed("thanks")
    found = [(one, _kind(one, town)) for one in _sentences(text)]
    if any(kind is None and plain(one) not in beside for one, kind in found):
        return ()
    return tuple(dict.fromkeys(kind for _, kind in found if kind is not None))


def _sentences(text: str) -> list[str]:
    return [one for one in _SENTENCE.split(text) if plain(one)]


def _kind(sentence: str, town: Town) -> str | None:
    said = plain(sentence)
    if not said or len(said) > _LONGEST or (_KANA.search(sentence) and not _ASKS.search(sentence)):
        return None
    for kind in _KINDS:
        for parts in town.typed_parts.get(f"ask.{kind}", ()):
            if parts[0] in said and all(part in said for part in parts) and _nothing_else(sentence, said, [*parts, *_of_kin(kind, town)], town):
                return kind
    return None


def _of_kin(kind: str, town: Town) -> Iterator[str]:
    """Those from whom somebody wants to keep it: 「夫に知られますか」."""
    if kind in ("secret", "reads"):
        for name in ("whose_child", "whose_parent", "whose_family", "ask.others"):
            yield from town.typed(name)
    if kind in ("secret", "name"):
        yield "ない"


def _nothing_else(sentence: str, said: str, known: Sequence[str], town: Town) -> bool:
    little = town.typed("ask.little")
    if _KANA.search(sentence):
        told = (plain(piece.surface) for piece in pieces(sentence) if piece.kind in _CONTENT)
        return all(word in little or any(word in part or part in word for part in known) for word in told if word and not word.isdigit())
    rest = said
    for word in sorted((*known, *little), key=len, reverse=True):
        rest = rest.replace(word, "")
    return len(rest) <= _SPARE


# ---------------------------------------------------------------- the answers


def _answered(talk: Talk, kind: str) -> list[Reply]:
    shown = in_sight(talk) if kind in _OF_CARDS else ()
    if shown:
        return [_of_card(talk, entry_id, _OF_CARDS[kind]) for entry_id in shown]
    match kind:
        case "hours":
            return [talk.says("welcome.hours")]
        case "place" | "tel":
            tel = talk.town.base.town.tel
            return [talk.says("ask.desk"), *([talk.says("card.tel", tel=tel)] if tel else [])]
        case "reply":
            return [promise(talk) if talk.scene.open_case is not None else talk.says("ask.reply")]
        case "kept":
            return [talk.says("welcome.kept")]
        case "machine":
            return [talk.says("odd.about")]
        case "what":
            return [talk.says("open.example")]
        case "secret" if talk.scene.room:
            return [talk.says("ask.secret"), talk.says("room.offer")]
        case _:
            return [talk.says(f"ask.{kind}")]


def in_sight(talk: Talk) -> tuple[str, ...]:
    """The services whose cards were shown last, if they are still there."""
    return tuple(card.id for card in cards(talk, (talk.note("in_sight") or "").split(), {}))


def _of_card(talk: Talk, entry_id: str, about: Fact) -> Reply:
    """One line of a service: 「名前」：月〜金 8:30〜17:15; where nobody wrote it down, that it can be asked by telephone."""
    entry = talk.town.base.entries[entry_id]
    name = shortened(name_of(entry, talk.session.lang), _LONGEST_NAME)
    told = fact(talk, entry, about) or talk.says("ask.by_telephone").text
    return talk.says("ask.of_card", name=name, text=shortened(told, int(_LONGEST_LINE - width(name))))


def _card_button(talk: Talk) -> Turn | None:
    """電話する, 地図, くわしく typed instead of pressed (G3): of the first card, or of the one whose number stands before it (②くわしく)."""
    polite = frozenset[str]().union(*(talk.town.typed(name) for name in ("greeting", "thanks", "filler", "fine", "yes", "say.right")))
    told = answers.beside(talk.text, polite)
    said = plain(told[0]) if len(told) == 1 else ""
    if not said or len(said) > LONGEST_CHOICE:
        return None
    ways = {name: (plain(talk.town.label(name, talk.session.lang)), *talk.town.typed(f"say.{name}")) for name in ("call", "map", "details")}
    found = next(((name, said.removesuffix(word)) for name, words in ways.items() for word in words if said.endswith(word)), None)
    if found is None:
        return None
    name, before = found
    here, bare = in_sight(talk), before.removesuffix("の").removesuffix("を")
    place = (number(bare) or placed(bare, len(here))) if before else 1
    if place is None or not 0 < place <= len(here):
        return None
    entry = talk.town.base.entries[here[place - 1]]
    title = shortened(name_of(entry, talk.session.lang), _LONGEST_NAME)
    if name == "call" and (tel := fact(talk, entry, "tel")):
        return talk.stay(talk.says("details.tel", name=title, tel=tel))
    if name == "map" and (where := fact(talk, entry, "place")) and width(where) <= _LONGEST_WHERE:
        return talk.stay(talk.says("details.map", name=title, text=where))
    return talk.stay(*details(talk, entry))
