"""D5: nothing fits（制度の狭間）. Said honestly, received, read back in the resident's own words, and handed over only after a yes.

社会福祉法106条の3: what falls between the systems is to be received; why it fell is counted, because that is the raw material for new help.
"""

import re
from datetime import timedelta
from typing import Final

from flows import answers, consult
from flows.because import what_weighs
from flows.by_itself import by_itself
from flows.cards import cards, gently, why_of
from flows.handoff import CONSENT_VERSION, hand_over, promise
from flows.letters import room, sentences, shortened, to_a_pause
from flows.model import RecordConsent, RecordGap, RecordMatch, RecordWish, Reply, SheetLine, Turn
from flows.sheet import erased, in_two, own_lines, struck_words, that_fit
from flows.talk import Talk
from flows.typed import number, plain
from knowledge.hearing import hear

REASONS: Final = (
    "age", "income", "no_certificate", "area", "full", "time", "distance", "language", "refused_by_office", "declines", "none_exists",
)  # fmt: skip
"""Why no service fitted: age, an income line, no certificate, not a resident, full, its hours, too far, the language, refused by an office, not
wanted by the person, no such thing. The same words wherever a gap is told: by the bot, at the desk, by an agency that refuses."""


_LONGEST_WISH: Final = 60
_SAME_SITTING: Final = timedelta(minutes=30)
_STRIKES: Final = re.compile("消し|けし|削除")
"""No other wish is meant: 「兄には言わないでほしい」 may be one to tell."""
_NUMBER: Final = re.compile(r"[0-9０-９][0-9０-９ー−-]{5,}")
"""A telephone number, a postcode: no wish needs one."""


def noticing(talk: Talk) -> Talk:
    """What was tried, and why it was refused, in the resident's own sentences."""
    tried, reasons = list(talk.session.tried), list(talk.session.gap_reasons)
    for sentence in sentences(talk.worry):
        said = plain(sentence)
        if any(word in said for word in talk.town.typed("refused")):
            tried.append(shortened(sentence, 60))
            reasons.append("refused_by_office")
            reasons += [reason for reason in REASONS if any(word in said for word in talk.town.typed(f"gap_{reason}"))]
    return talk.with_(tried=tuple(dict.fromkeys(tried)), gap_reasons=tuple(dict.fromkeys(reasons)))


def begin(talk: Talk) -> Turn:
    """The honest answer, and the offer of a person."""
    talk = noticing(talk)
    honest = talk.says("gap.honest")
    if talk.session.lang == "ja" and (own := what_weighs(talk)):
        refused = "gap.reflect_refused" if "refused_by_office" in talk.session.gap_reasons else "gap.reflect_tried"
        reflection = talk.says(refused if talk.session.tried else "gap.reflect", said=by_itself(to_a_pause(own, 28)))
        bubbles: tuple[Reply, ...] = (reflection, honest, talk.says("gap.offer"))
    else:
        bubbles = (honest, talk.says("gap.offer"))
    effect = RecordMatch(cards=(), score=0.0, decision="gap", knowledge=talk.town.base.version)
    return talk.ask("gap.offered", *bubbles, choices=("take_over", "near_things", "no_need"), effects=(effect,))


def offered(talk: Talk) -> Turn:
    """引きついでほしい, 近いものを見る, いらない."""
    match talk.choice:
        case "take_over":
            lines = that_fit(own_lines(talk.session.story[int(talk.note("begins") or "0") :], talk.town), talk.town)
            return read_back(talk.with_(sheet=lines))
        case "near_things":
            return near_things(talk)
        case "no_need":
            return near_things(talk, uncounted=False)
        case _ if talk.text:
            noted = noticing(talk.remembering())
            return noted.ask("gap.offered", "handoff.noted", "gap.offer_again", choices=("take_over", "near_things", "no_need"))
        case _:
            return talk.ask_again("gap.offer_again")


def near_things(talk: Talk, *, uncounted: bool = True) -> Turn:
    """What is nearest, without a promise that it fits; [いらない] counts the need without the person (5b)."""
    hearing = hear(talk.worry, talk.town.base, danger=talk.said.danger, lang=talk.session.lang)
    shown = cards(talk, gently(talk, hearing.cards), why_of(hearing), "card.near")
    domain = hearing.needs[0].domain if hearing.needs else None
    counted = () if uncounted else (RecordGap(reasons=_reasons(talk), domain=domain),)
    talk = talk.with_(shown=tuple(dict.fromkeys((*talk.session.shown, *(card.id for card in shown))))).noting(gap_domain=domain)
    said = talk.says("gap.near" if uncounted else "gap.left_here") if shown else talk.says("gap.nothing_near")
    near = Reply(text=said.text, key=said.key, cards=shown)
    if counted and talk.note("wish") is None:
        asked = talk.ended().noting(wish="asked")
        return asked.ask("consult.wish", near, "gap.wish", choices=("keep_wish_back", "!human", "!stop"), effects=counted)
    return talk.ended().ask("consult.open", near, choices=("!human", "!stop") if shown else ("!human",), effects=counted)


def _reasons(talk: Talk) -> tuple[str, ...]:
    return talk.session.gap_reasons or ("none_exists",)


def wish_told(talk: Talk) -> Turn:
    """What would have helped, asked once and only if wanted. A few words of the same sitting are it; whatever is longer or later is a worry."""
    last, said = talk.session.last_at, plain(talk.text)
    later = last is not None and talk.scene.now - last > _SAME_SITTING
    nothing = not talk.has_words or answers.says_nothing_but(talk.text, talk.town.typed("thanks"))
    if talk.choice == "keep_wish_back" or nothing:
        return talk.ask("consult.open", "gap.no_wish", choices=("!human",))
    if later or room(talk.text) > _LONGEST_WISH or any(word in said for word in talk.town.typed("my_name")):
        return consult.worry_written(talk)
    wish = RecordWish(wish=" ".join(_NUMBER.sub("", talk.text).split()), reasons=_reasons(talk), domain=talk.note("gap_domain"))
    return talk.ask("consult.open", "gap.wish_noted", choices=("!human",), effects=(wish,) if wish.wish else ())


# ---------------------------------------------------------------- the summary, read back


def read_back(talk: Talk, first: str = "sheet.this_is_told") -> Turn:
    """担当にはこう伝えます: the resident's own sentences, to be corrected or struck out."""
    if not talk.session.sheet:
        return talk.ask("gap.mend", "sheet.nothing_left", choices=("!human", "!stop"))
    before = talk.says(first)
    top, rest = in_two(talk.session.sheet, room(before.text) + 1)
    bubbles = [Reply(text=f"{before.text}\n{top}", key=before.key)]
    if rest:
        bubbles.append(Reply(text=rest, key="sheet.rest"))
    return talk.ask("gap.read_back", *bubbles, "sheet.is_it_right", choices=("this_is_right", "mend", "strike_out"))


def read_back_answered(talk: Talk) -> Turn:
    """これでよい, 直す, ここを消す."""
    match talk.choice:
        case "this_is_right":
            return ask_consent(talk)
        case "mend":
            return talk.ask("gap.mend", "sheet.what_to_mend")
        case "strike_out":
            return talk.ask("gap.strike", "sheet.what_to_strike")
        case _ if talk.text and not answers.only_nods(talk.text, talk.town):
            return mended(talk)
        case _:
            return talk.ask_again("sheet.unclear")


def mended(talk: Talk) -> Turn:
    """A correction joins the story and the sheet; a number in front says which line it replaces."""
    if not talk.text:
        return talk.ask_again("sheet.what_to_mend")
    if (wish := struck_words(talk.text)) is not None:
        if (left := erased(talk.session.sheet, wish, number(wish))) is not None:
            return read_back(talk.with_(sheet=left), "sheet.struck")
        if _STRIKES.search(talk.text):
            return talk.ask_again("sheet.not_found")
    talk = talk.remembering()
    head, _, words = talk.text.partition(" ") if number(talk.text.split()[0]) else ("", "", talk.text)
    place = number(head) if head else None
    new = SheetLine(about="worry", text=shortened(words or talk.text, 36), refs=talk.said.refs)
    lines = list(talk.session.sheet)
    if place is not None and 0 < place <= len(lines):
        lines[place - 1] = new
    else:
        lines.append(new)
    kept = that_fit(lines, talk.town)
    return read_back(talk.with_(sheet=kept), "sheet.mended")


def struck(talk: Talk) -> Turn:
    """The words are gone from what is told; the yes is asked with what is left in sight."""
    wish = struck_words(talk.text) or talk.text
    left = erased(talk.session.sheet, wish, number(wish)) if wish else None
    if left is None:
        return talk.ask_again("sheet.not_found")
    if not left:
        return read_back(talk.with_(sheet=()))
    return ask_consent(talk.with_(sheet=left), "sheet.struck")


def ask_consent(talk: Talk, first: str | None = None) -> Turn:
    """Who will read it; another recipient is another question."""
    bubbles: list[Reply] = []
    if first is not None:
        said = talk.says(first)
        top, rest = in_two(talk.session.sheet, room(said.text) + 1)
        bubbles.append(Reply(text=f"{said.text}\n{top}", key=said.key))
        if rest:
            bubbles.append(Reply(text=rest, key="sheet.rest"))
    return talk.ask("gap.consent", *bubbles, talk.says("sheet.who_reads"), choices=("yes", "no"))


def consent_answered(talk: Talk) -> Turn:
    """Nothing is sent before the yes."""
    match talk.choice:
        case "yes":
            return _hand_over(talk)
        case "no":
            return talk.ask("gap.kept_back", "sheet.not_told", choices=("near_things", "!human", "!stop"))
        case _ if talk.text and talk.session.misses == 0:
            return talk.remembering().ask_again("sheet.yes_or_no")
        case _ if talk.text:
            return talk.ask("gap.kept_back", "sheet.not_told", choices=("near_things", "!human", "!stop"))
        case _:
            return talk.ask_again("sheet.yes_or_no")


def _hand_over(talk: Talk) -> Turn:
    confirmed = tuple(line.model_copy(update={"source": "confirmed"}) for line in talk.session.sheet)
    consent = RecordConsent(purpose="handoff", recipient=talk.town.base.town.desk_name, items=("summary",), version=CONSENT_VERSION)
    return hand_over(talk.with_(sheet=confirmed), "nothing_fits", talk.says("gap.handed_over"), promise(talk), effects=(consent,))


def kept_back(talk: Talk) -> Turn:
    """Nothing was told; what is near may still be looked at."""
    if talk.choice == "near_things":
        return near_things(talk)
    if talk.text:
        return begin(talk.remembering())
    return talk.ask_again("gap.offer_again")
