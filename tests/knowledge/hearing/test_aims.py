"""What a message is after is heard in words that no list has: offers, wishes for a human, words that say too little, questions for elsewhere."""

import pytest

from knowledge.base import Base
from knowledge.hearing import hear
from knowledge.hearing.aims import TABLE


@pytest.mark.parametrize(
    "said",
    [
        "左官をしております。壁塗りなら若い子に教えに行けますよ",
        "使わなくなった三輪車、まだきれいなので必要なお子さんにどうぞ",
        "元美容部員です。老人ホームでお化粧してあげるボランティアがしたい",
        "I'm a retired carpenter. I could teach kids woodwork on Sundays for free",
    ],
)
def test_an_offer_is_heard_in_words_that_no_list_has(base: Base, said: str) -> None:
    assert hear(said, base).intent == "offer"


@pytest.mark.parametrize(
    "said",
    [
        "三輪車を安くゆずってもらえるところはありませんか",
        "壁が崩れてきたのに左官さんに頼むお金がない",
        "ボランティアの人に庭の草取りをお願いしたい",
        "昔は美容師でしたが、腰を痛めて働けず家賃が払えません",
    ],
)
def test_who_needs_what_others_give_is_helped(base: Base, said: str) -> None:
    assert hear(said, base).intent in ("help", "info")


@pytest.mark.parametrize("said", ["うちのことで、ちょっと聞いてもらいたくて", "妹のことなんですが、どう言えばいいのか"])
def test_words_that_say_too_little_are_asked_about(base: Base, said: str) -> None:
    assert hear(said, base).decision == "ask"


def test_a_wish_for_a_human_reaches_one(base: Base) -> None:
    hearing = hear("もう機械の返事はたくさん。人間の係の人を呼んで", base)
    assert (hearing.decision, hearing.intent) == ("handoff", "human")


def test_a_message_of_no_letters_is_weighed_too(base: Base) -> None:
    assert hear("……", base).decision == "ask"


def test_the_points_take_little_room() -> None:
    assert TABLE.stat().st_size < 1_000_000
