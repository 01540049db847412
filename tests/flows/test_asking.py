"""Whoever asks something back is answered at once, in any state; a worry that sounds like a question is heard as a worry."""

import pytest

from flows import asking
from tests.flows.talks import Resident

QUESTIONS = {
    "reads": [
        "だれがこれ読むんですか", "誰が見てるの", "ここに書いたことは誰かに見られますか",
        "Who will read this?", "谁会看到这些", "Quem vai ler isso?",
    ],
    "secret": [
        "うちの旦那にバレない？", "会社に知られることはないですか", "親にバレますか", "学校に連絡いきますか", "お母さんに言わないでね",
        "だれにも知られたくないです", "警察に通報されますか", "秘密にしてほしいです", "Will my husband find out?", "会告诉我老公吗",
    ],
    "name": ["名前言わなきゃだめ？", "匿名でもいい？", "本名じゃないとだめですか", "Do I have to give my name?"],
    "cost": ["お金かかるんですか", "無料ですか", "いくらかかりますか", "How much does it cost?", "要钱吗", "Quanto custa?", "Có mất tiền không?"],
    "hours": ["何時までやってますか", "土日もやってる？", "今日は開いてますか", "お正月もやってる？", "What are your opening hours?"],
    "place": ["どこにありますか", "場所はどこですか", "駐車場ありますか"],
    "booking": ["予約いりますか"],
    "tel": ["電話番号を教えてください"],
    "reply": ["いつごろ返事もらえますか", "まだ返事来ないんですか", "どれくらい待ちますか"],
    "machine": ["あなたはだれ？", "何ができるの", "これって機械が返事してるの？", "Are you a robot?"],
}
WORRIES = [
    "夫にスマホを見られます", "母が名前を忘れる", "お金がかかって困る", "何時間も泣き止まない", "近所の人に見られている気がする",
    "図書館は何時までですか", "どこに相談すればいいですか",
    "秘密を抱えていて苦しい", "住所がない", "無料で相談できる弁護士", "会社に病気のことがばれて辛い",
    "予約が取れない", "隣の家から返事がない", "名前を変えたい",
    "いくら探しても仕事がない", "いつまで生きていればいいの", "誰も見てくれない",
    "母を見てくれる人がいない", "夫が通報された",
    "料金が払えない", "住む場所がない", "もう待てない", "my husband reads my messages", "I cannot pay the rent",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "said"), [(kind, said) for kind, every in QUESTIONS.items() for said in every])
def test_a_question_is_known_for_what_it_asks(town, kind, said):
    assert asking.kinds(said, town) == (kind,)


@pytest.mark.parametrize("said", WORRIES)
def test_a_worry_with_such_words_in_it_is_no_question(town, said):
    assert asking.kinds(said, town) == ()


@pytest.fixture
def in_talk(town):
    return Resident(town).begins()


def test_a_question_is_answered_before_the_yes_and_holds_no_worry(town):
    resident = Resident(town).follows().says("だれがこれ読むんですか")
    assert "担当の職員だけ" in resident.heard
    assert "相談をはじめる" in resident.buttons
    assert not resident.session.held


def test_hours_and_price_are_those_of_the_cards_in_sight_and_the_question_stays_open(in_talk):
    in_talk.says("家賃が払えない").says("何時までやってますか")
    assert all("住居確保給付金" in bubble or "：" in bubble for bubble in in_talk.bubbles)
    assert "住居確保給付金" in in_talk.heard
    assert "合っている" in in_talk.buttons
    in_talk.says("お金はかかりますか")
    assert "住居確保給付金" in in_talk.heard


def test_without_cards_the_hours_are_the_desks(in_talk):
    in_talk.says("何時までやってますか")
    assert "受付時間" in in_talk.heard


def test_a_question_beside_a_list_of_needs_is_no_need(in_talk):
    home = "82の父と2人暮らし。私は54で10年働いてません。父が転んで入院、来週退院と言われたけど家は2階だし、貯金ももうすぐなくなります"
    in_talk.says(home)
    needs = in_talk.session.needs
    in_talk.says("何時までやってますか").says("どこにありますか")
    assert in_talk.session.needs == needs
    assert in_talk.at_step == "several.read_back"


def test_a_question_told_with_a_worry_is_answered_first_and_the_worry_is_heard(in_talk):
    in_talk.says("家賃が払えません。名前は必要ですか")
    assert in_talk.bubbles[0].startswith("名前は書かなくて")
    assert in_talk.cards


def test_a_card_button_typed_is_pressed_wherever_the_card_stands(in_talk):
    in_talk.says("定年になって暇なので人の役に立ちたい。パソコンなら教えられます").says("火曜の午前なら").says("くわしく")
    assert "使い方" in in_talk.heard
    assert in_talk.at_step == "helper.offered"


@pytest.mark.parametrize("said", ["ちょっと話を聞いてほしいだけなんですけど", "だれかと話したい気分です", "愚痴を聞いて", "I just want to talk"])
def test_whoever_only_wants_to_be_heard_is_offered_a_person(in_talk, said):
    in_talk.says(said)
    assert in_talk.at_step == "consult.unclear"
    assert not in_talk.cards


@pytest.mark.parametrize("said", ["ちょっと話を聞いてほしいだけなんです", "愚痴を聞いて"])
def test_whoever_was_shown_cards_and_only_wants_to_be_heard_is_offered_a_person_too(in_talk, said):
    in_talk.says("家賃が払えない").says(said)
    assert in_talk.at_step == "consult.unclear"
    assert "人が話を聞きます" in in_talk.heard


@pytest.mark.parametrize("said", ["担当の人と直接しゃべりたい", "引き継いでほしい", "職員の方と話せますか"])
def test_a_person_may_be_asked_for_in_other_words_while_cards_are_open(in_talk, said):
    in_talk.says("家賃が払えない").says(said)
    assert in_talk.at_step == "handoff.share"


def test_a_need_is_struck_from_the_list_by_its_number_or_its_words(in_talk):
    in_talk.says("82の父と2人暮らし。私は54で10年働いてません。父が転んで入院、来週退院と言われたけど家は2階だし、貯金ももうすぐなくなります")
    told = [line.text for line in in_talk.session.sheet]
    in_talk.says("②は消してください")
    assert [line.text for line in in_talk.session.sheet] == [told[0], told[2]]
    in_talk.says("③も消して")
    assert "見つかりません" in in_talk.heard
    assert len(in_talk.session.needs) == 2


def test_every_sentence_of_a_home_is_read_back_even_one_of_plain_words(in_talk):
    in_talk.says("妊娠8か月、上の子3歳、義母の介護も私。お金も足りない")
    assert "お金も足りない" in in_talk.heard


def test_a_question_asked_first_in_english_is_answered_in_english(town):
    resident = Resident(town).follows().says("Who will read this?")
    assert "Only the staff" in resident.heard
    assert "Start" in resident.buttons


@pytest.mark.parametrize("said", ["やっぱり大丈夫です", "やっぱりいいです"])
def test_what_takes_back_agrees_to_nothing(town, said):
    resident = Resident(town).follows().says("借金が300万あります").says(said)
    assert resident.session.consented is None
    assert not resident.cards


def test_an_address_of_a_page_is_in_no_language(town):
    resident = Resident(town).follows().says("https://example.com/abc")
    assert resident.session.lang == "ja"


@pytest.mark.parametrize("said", ["いや、いいです", "いいえ"])
def test_nobody_is_kept_in_the_form_of_an_offer(in_talk, said):
    in_talk.says("手伝いたい").says(said)
    assert in_talk.at_step == "consult.open"
    assert "何も書きとめていません" in in_talk.heard


def test_goodnight_is_an_end_and_no_worry(in_talk):
    in_talk.says("家賃が払えない").says("おやすみなさい")
    assert in_talk.at_step == "consult.open"
    assert not in_talk.cards


@pytest.mark.parametrize("said", ["ここじゃ話しにくいです", "ここには書きづらいです"])
def test_whoever_cannot_speak_freely_here_is_shown_the_private_room(town, said):
    resident = Resident(town, scene={"room": True, "channel": "line"}).begins().says(said)
    assert "専用ページで話す" in resident.buttons
