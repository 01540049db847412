"""Who a human takes whole: much that lies on one home (D4), and what every desk has turned away (D5)."""

import pytest

from knowledge.base import Base
from knowledge.hearing import clues_of, hear
from knowledge.hearing.decide import CHOICES, chances


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("義母は寝たきり、夫は会社をたたみ、下の子は登校をしぶって、わたしも手術を控えています", "entangled"),
        ("ばあちゃんは認知、母は腎臓がわるくて透析、弟は部屋から出てこない。うちの給料だけじゃ家賃が払えません", "entangled"),
        ("おっとは ねたきり、むすこは しごとを やめ、まごは がっこうに いけません。でんきだいも はらえません", "entangled"),
        ("介護は六十五になってからと言われ、障害は手帳がないので対象外。家事をしてくれる人がいません", "gap"),
        ("どの課に聞いても、うちの担当ではないと言われました。もう四か所目です", "gap"),
    ],
)
def test_what_no_single_desk_carries_goes_to_a_human(base: Base, said: str, reason: str) -> None:
    hearing = hear(said, base)
    assert (hearing.decision, hearing.reason) == ("handoff", reason)


@pytest.mark.parametrize(
    "said",
    [
        "夫の母が要介護になり、義姉と相談しています。デイサービスの申し込みはどこですか",
        "一度断られましたが、保育園の空きはありますか",
        "娘の吃音のことで、夫も私も心配しています。通える教室はありますか",
    ],
)
def test_a_long_family_story_about_one_thing_stays_with_the_cards(base: Base, said: str) -> None:
    assert hear(said, base).decision == "answer"


@pytest.mark.parametrize("troubles", ["母は認知症、私は失業", "父が倒れ、妻は病気、借金もある", "夫が失業して、義母の介護もある"])
def test_the_same_troubles_weigh_more_in_few_words(base: Base, troubles: str) -> None:
    handed, chatter = CHOICES.index("handoff"), "。きのうは買い物に行って、そのあと家に帰って、テレビを見て、寝ました。今朝は雨でした"
    short, long = (chances(clues_of(said, base)[0])[handed] for said in (troubles, troubles + chatter))
    assert short > long


@pytest.mark.parametrize(
    ("said", "one", "other"),
    [
        ("スマホの使い方を習いたいのと、重いごみを出してほしい", "smartphone-kyoushitsu", "fureai-shuushuu"),
        ("夫の飲酒がやめられなくて、カードの借金も増えています", "izon-soudan-kyoten", "tajuu-saimu"),
        ("I want to learn Japanese and I need an interpreter at the hospital", "nihongo-kyoushitsu", "tsuuyaku-haken"),
    ],
)
def test_two_needs_in_one_breath_both_have_a_card(base: Base, said: str, one: str, other: str) -> None:
    cards = hear(said, base).cards
    assert {one, other} <= set(cards)
    assert len(cards) <= 6


def test_a_second_need_does_not_move_the_first_card(base: Base) -> None:
    said = "スマホの使い方を習いたいのと、重いごみを出してほしい"
    assert hear(said, base).cards[0] == base.hearing.rank(said, limit=1)[0].id
