"""Hearing as a whole: what a resident writes, and what is made of it (D2–D5, D10, D12, D13)."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.base import Base
from knowledge.hearing import hear
from knowledge.hearing.model import Hearing


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("母が同じことを何回も聞くようになりました。どこに相談すればいいですか", {"chiiki-houkatsu", "ninchisho-shoki-shuuchuu", "ninchisho-cafe"}),
        ("子どもが がっこうに いけていません", {"kyouiku-soudan", "ssw-sc", "free-school", "kyouiku-shien-center"}),
        ("クビになって家賃が払えへん", {"juukyo-kakuho-kyufukin", "jiritsu-soudan-shien"}),
        ("誰かと話したい。行くところがない", {"fureai-salon", "tasedai-kyoten", "ibasho-koritsu", "yorisoi-hotline"}),
        ("何か役に立てることないかな。前は大工でした", {"juumin-sanka-zaitaku", "volunteer-center", "silver-jinzai-center"}),
    ],
)
def test_a_clear_worry_gets_a_right_card(base: Base, said: str, right: set[str]) -> None:
    assert right & set(hear(said, base).cards[:3])


@pytest.mark.parametrize(
    ("said", "lang", "right"),
    [
        ("I got fired and I can't pay rent", "en", {"jiritsu-soudan-shien", "juukyo-kakuho-kyufukin", "hello-work", "koyou-hoken-kihon-teate"}),
        ("我想离婚，孩子怎么办", "zh", {"hitorioya-soudan", "youikuhi-soudan", "houterasu", "kodomo-katei-center"}),
        ("Meu filho de 4 anos ainda não fala", "pt", {"hattatsu-shien-center", "jidou-hattatsu-houday", "hoken-center", "kodomo-katei-center"}),
        ("Công ty không trả lương", "vi", {"sougou-roudou-soudan", "roudou-jouken-hotline"}),
    ],
)
def test_a_worry_in_another_language_finds_the_same_desks(base: Base, said: str, lang: str, right: set[str]) -> None:
    hearing = hear(said, base)
    assert hearing.lang == lang
    assert right & set(hearing.cards[:3])


@pytest.mark.parametrize(
    "said",
    ["息子のことでちょっと", "申請のことを聞きたい", "I need some help please", "てがみが とどきました", "なんかもう、どうしたらいいかわからなくて"],
)
def test_words_that_say_too_little_are_asked_back(base: Base, said: str) -> None:
    assert hear(said, base).decision == "ask"


@pytest.mark.parametrize("said", ["ふにゃらもげもげ", "asdf qwer zxcv", "。。。", "👍", "株価の見通しを教えて"])
def test_nonsense_is_not_answered_with_confidence(base: Base, said: str) -> None:
    assert hear(said, base).decision == "ask"


@pytest.mark.parametrize("said", ["人と話したいです", "機械じゃなくて職員さんにつないでください", "I want to talk to a real person"])
def test_whoever_asks_for_a_human_gets_one(base: Base, said: str) -> None:
    hearing = hear(said, base)
    assert (hearing.intent, hearing.decision) == ("human", "handoff")


def test_wanting_company_is_not_wanting_a_coordinator(base: Base) -> None:
    assert hear("誰かと話したい。近所に友だちがいない", base).intent != "human"


def test_a_household_under_too_much_goes_to_a_human(base: Base) -> None:
    said = "父は認知症が進み、母はがんで入院中。兄は家にひきこもっていて、私も仕事を辞めました。家賃も払えません"
    hearing = hear(said, base)
    assert (hearing.decision, hearing.reason) == ("handoff", "entangled")


def test_whoever_was_turned_away_twice_goes_to_a_human(base: Base) -> None:
    said = "介護の窓口では年齢が若いからと断られ、障害の窓口では手帳がないので対象外と言われました。買い物に行けません"
    assert hear(said, base).reason == "gap"


def test_two_needs_are_two_needs_with_cards_for_both(base: Base) -> None:
    hearing = hear("水道料金が払えなくて止められそうです。それと、中学生の息子が学校でいじめられています", base)
    assert len(hearing.needs) == 2
    assert "suidou-ryoukin-soudan" in hearing.cards
    assert {"kyouiku-soudan", "ssw-sc", "kodomo-sos-dial"} & set(hearing.cards)
    assert len(hearing.cards) <= 6


@pytest.mark.parametrize(
    ("said", "first", "second"),
    [
        ("町内会に入らないとごみを出せませんか。あと、中3の息子を塾に行かせるお金がありません", "jichikai", "gakushuu-seikatsu-shien"),
        ("水道を止めるという紙が入っていました。それと、パチンコがやめられません", "suidou-ryoukin-soudan", "izon-soudan-kyoten"),
    ],
)
def test_another_thing_that_is_announced_has_cards_of_its_own(base: Base, said: str, first: str, second: str) -> None:
    hearing = hear(said, base)
    assert len(hearing.needs) == 2
    assert {first, second} <= set(hearing.cards)


@pytest.mark.parametrize(
    "said", ["小さな豆腐屋です。近所の人に配達を手伝ってもらいたいです", "定年になって暇です。子どもに将棋を教えるとか、できることがあればと思います"]
)
def test_who_somebody_is_is_no_need(base: Base, said: str) -> None:
    assert len(hear(said, base).needs) == 1


def test_a_trouble_told_politely_is_a_need(base: Base) -> None:
    assert len(hear("家賃を滞納しています。それと、娘が不登校です", base).needs) == 2


def test_one_need_shows_at_most_three_cards(base: Base) -> None:
    hearing = hear("補聴器が高くて買えません。市の補助はありますか", base)
    assert len(hearing.needs) == 1
    assert len(hearing.cards) == 3


@pytest.mark.parametrize(
    "said", ["余ったお米を寄付したいのですが", "ボランティアをしたいです", "I want to volunteer", "そろばんを教えるくらいならできます"]
)
def test_an_offer_is_not_a_worry(base: Base, said: str) -> None:
    hearing = hear(said, base)
    assert (hearing.intent, hearing.decision) == ("offer", "answer")


@pytest.mark.parametrize("said", ["雪かきを手伝ってほしい", "ボランティアさんに来てほしいです", "草むしりを手伝ってくれる人はいませんか"])
def test_asking_for_hands_is_a_worry_not_an_offer(base: Base, said: str) -> None:
    assert hear(said, base).intent == "help"


@pytest.mark.parametrize("said", ["こんにちは", "ありがとうございました", "hello", "おはようございます。よろしくお願いします"])
def test_a_greeting_is_small_talk(base: Base, said: str) -> None:
    assert hear(said, base).intent == "smalltalk"


def test_danger_stands_before_everything(base: Base) -> None:
    hearing = hear("人と話したい。もう死にたい", base)
    assert hearing.decision == "danger"


def test_every_reason_is_in_the_residents_own_words(base: Base) -> None:
    for said in ("ﾔﾁﾝが払えなくて困ってます💦", "おかあさんが みちに まよって かえって きません", "ＮＰＯを作りたいけど、会計がわからん"):
        for need in hear(said, base).needs:
            for match in need.services:
                assert all(word in said for word in match.why)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=300))
def test_no_text_is_too_strange(base: Base, said: str) -> None:
    hearing = hear(said, base)
    assert isinstance(hearing, Hearing)
    assert all(word in said for need in hearing.needs for match in need.services for word in match.why)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="家賃が払えない。母介護、あのえっと 孤独まごｶﾞ１２😀", max_size=120))
def test_the_same_words_are_always_heard_the_same_way(base: Base, said: str) -> None:
    assert hear(said, base) == hear(said, base)


@pytest.mark.parametrize("name", ["児童手当", "公営住宅", "保健所", "配食サービス？"])
def test_who_writes_nothing_but_the_name_of_a_service_is_shown_cards(base: Base, name: str) -> None:
    heard = hear(name, base)
    assert heard.decision == "answer"
    assert heard.cards


@pytest.mark.parametrize(
    ("said", "one", "other"),
    [
        ("会社が二か月給料を払ってくれません。来月の家賃が心配です", {"sougou-roudou-soudan", "roudou-jouken-hotline"},
         {"juukyo-kakuho-kyufukin", "jiritsu-soudan-shien", "kyojuu-shien-kyogikai", "kinkyu-koguchi-shikin"}),
        ("車いすが古くなったし、病院への送り迎えも頼みたい", {"hosougu"}, {"fukushi-yuushou-unsou", "idou-shien"}),
        ("My boss has not paid me, and my visa expires next month", {"sougou-roudou-soudan", "roudou-jouken-hotline"},
         {"zairyuu-soudan", "gaikokujin-soudan"}),
    ],
)  # fmt: skip
def test_each_clause_of_one_breath_has_a_card_that_fits_it(base: Base, said: str, one: set[str], other: set[str]) -> None:
    cards = hear(said, base).cards
    assert len(cards) <= 6
    assert one & set(cards)
    assert other & set(cards)


def test_the_cards_for_the_whole_stand_before_those_for_a_clause(base: Base) -> None:
    said = "会社が二か月給料を払ってくれません。来月の家賃が心配です"
    heard = hear(said, base)
    assert len(heard.cards) > 3
    assert heard.cards[:3] == tuple(match.id for match in heard.needs[0].services[:3])
