"""「いや、母じゃなくて父です」: one word of what was told is taken back and another put in its place (G11). Nobody tells the rest again."""

import re
from typing import Final

from flows import consult, gap, several
from flows.model import Turn
from flows.talk import Talk

_AT_THE_HEAD: Final = re.compile(
    r"^(?:(?:いや+|いえ|いいえ|あ+っ?|え|えっと|すみません|すいません|ごめん(?:なさい|ね)?|失礼しました|間違えました|まちがえました|間違えた|まちがえた"
    r"|間違い|まちがい|ちがう|違う|ちがいます|違います|訂正(?:です|します)?|さっきの(?:話)?(?:です|だ)けど?|さっきのは?)[、。,.!！…〜ー\s]*)+"
)
_INSTEAD: Final = re.compile(
    r"(?P<old>[^、。\n]{1,12}?)(?:の(?:こと|話|ほう|方))?(?:じゃなくて|じゃなく|ではなくて|ではなく|でなくて|じゃなしに)[、,\s]*"
    r"(?P<new>[^、。\n]{1,12}?)(?:の(?:こと|話|ほう|方))?(?:なん)?(?:です|でした|だ|だった|だよ|っす)?(?:ね|よ|けど|が)?[。!！…\s]*"
)
_FORMS: Final = ("consult", "several", "gap")
"""Flows in which what was told is still in hand."""


def corrected(talk: Talk) -> Talk | None:
    """The talk with the word replaced wherever the present worry says it; None when these words correct nothing that was told."""
    found = _INSTEAD.fullmatch(_AT_THE_HEAD.sub("", talk.text)) if talk.said.kind == "text" and talk.session.flow in _FORMS else None
    if found is None or found["old"] not in talk.worry or found["old"] == found["new"]:
        return None
    old, new, story = found["old"], found["new"], talk.session.story
    begins = len(story) - len(talk.present)
    told = tuple(said.model_copy(update={"text": said.text.replace(old, new)}) if at >= begins else said for at, said in enumerate(story))
    sheet = tuple(line.model_copy(update={"text": line.text.replace(old, new), "source": "confirmed"}) for line in talk.session.sheet)
    return talk.with_(story=told, sheet=sheet, whose=None)


def heard_anew(talk: Talk) -> Turn:
    """What the corrected words lead to, where the talk stood."""
    match talk.session.flow:
        case "several":
            return several.mended_in_place(talk)
        case "gap" if talk.session.sheet:
            return gap.read_back(talk, "sheet.mended")
        case "gap":
            return gap.begin(talk)
        case _:
            return consult.hear_worry(talk.noting(ended=None))
