"""What was told in one breath with other things, by itself: of 「母の介護と、あと家賃の滞納ですが」 母の介護 and 家賃の滞納です.

Needs are read back and reasons quoted so. Only what joins it to the thing before or after is left out; no word of the resident's is changed.
"""

import re
from typing import Final

from flows.letters import EDGES
from knowledge.hearing.normalise import Piece, pieces

_BEFORE: Final = re.compile(
    r"^(?:(?:えー?っと|ええと|しかも|そのうえ|おまけに|さらに(?!は)|そんで|んで(?=[、\s])|あとは|あと(?![でにのはかずまをもが数何少ち半残]|[\d一二三四五六七八九十])|それと(?!も)|それから|それに(?!し)|ほかに|けれども?|(?:また|でも|しかし)(?=[、\s]))[、\s]*)+"
)
"""「あと」 that adds another thing; not 「あと3日」, 「あとで」."""
_OF_SOMETHING: Final = re.compile(r"(?<!こと)こと$")
"""「お金のこと」 ends in no と."""
_MAY_JOIN: Final = frozenset("とでがしどもえ")
_GOES_ON: Final = frozenset({"が", "けれど", "けれども", "し"})
_TELLS: Final = frozenset({"動詞", "形容詞", "助動詞"})
_NAMES: Final = frozenset({"名詞", "接尾辞", "代名詞"})


def by_itself(text: str) -> str:
    """Without 「あと」 at its head, and the と, けど or が that led on from its end."""
    bare = text.strip(f"{EDGES}，")
    alone = _BEFORE.sub("", bare) or bare
    if alone[-1:] not in _MAY_JOIN or _OF_SOMETHING.search(alone):
        return alone
    told = list(pieces(alone))
    while len(told) > 1 and (joining := _joining(told[-1], told[-2])):
        del told[-joining:]
    return "".join(piece.surface for piece in told).rstrip()


def _joining(last: Piece, before: Piece) -> int:
    """How many pieces at the end only lead on."""
    match last.surface:
        case "と" if before.surface == "の":  # 困っているのと
            return 2
        case "と":
            return int(before.kind in _NAMES or before.surface == "か")
        case "で":
            return int(before.surface in ("か", "と"))  # 仕事がないのとで
        case "うえ":
            return int(before.kind in _TELLS)
        case _:
            return int(last.kind == "助詞" and last.form in _GOES_ON and before.kind in _TELLS)
