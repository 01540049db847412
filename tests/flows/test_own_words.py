"""What is given back of a resident's words: stretches that can be read aloud, never a torn piece, never a cry (G6)."""

import pytest

from flows.by_itself import by_itself
from flows.letters import to_a_pause
from flows.model import Said, SheetLine
from flows.sheet import erased
from knowledge.hearing.model import Danger
from tests.flows.talks import Resident


def reasons(resident: Resident) -> list[str]:
    return [card.reason for reply in resident.turn.replies for card in reply.cards]


def test_a_card_says_the_stretch_its_reason_stands_in(resident):
    resident.begins().says("父が亡くなって、銀行や年金の手続きが何から始めればいいのか分かりません")
    assert "「父が亡くなって」" in reasons(resident)[0]


def test_a_long_sentence_is_given_back_from_the_word_to_what_is_told_of_it(resident):
    resident.begins().says("中二の娘が夏休み明けからずっと部屋にいて、学校の話をすると怒ります")
    quoted = "".join(reasons(resident))
    assert "「学校の話をすると怒ります」" in quoted
    assert "「中二」" not in quoted


@pytest.mark.parametrize(
    ("told", "alone"),
    [
        ("母の介護と", "母の介護"),
        ("子どもの予防接種のことと", "子どもの予防接種のこと"),
        ("猫が増えすぎて困っているのと", "猫が増えすぎて困っている"),
        ("仕事がないのとで", "仕事がない"),
        ("お金のこと", "お金のこと"),
        ("しかも父の家は空き家のまま", "父の家は空き家のまま"),
        ("んで、病院さ行ぐバスもねくなった", "病院さ行ぐバスもねくなった"),
        ("空いた家をどうするかと", "空いた家をどうするか"),
        ("バイトで食費を出していますが", "バイトで食費を出しています"),
        ("ごみも出せないけど", "ごみも出せない"),
        ("あと、クレジットの返済も追いつかない", "クレジットの返済も追いつかない"),
        ("それとうちの母が心配", "うちの母が心配"),
        ("夜になると", "夜になると"),
        ("あと3日で退院", "あと3日で退院"),
        ("あとから請求が来た", "あとから請求が来た"),
        ("わたし", "わたし"),
        ("うちの息子が", "うちの息子が"),
        ("話を聞いてほしいの", "話を聞いてほしいの"),
    ],
)
def test_what_joins_a_trouble_to_the_next_is_no_part_of_it(told, alone):
    assert by_itself(told) == alone


def test_a_reason_ends_before_the_and_that_led_to_the_next_trouble(resident):
    resident.begins().says("娘の不登校と、息子のゲーム依存で悩んでいます")
    quoted = "".join(reasons(resident))
    assert "「娘の不登校」" in quoted
    assert "不登校と" not in quoted


def test_what_somebody_else_says_is_quoted_without_the_and_before_says(resident):
    resident.begins().says("生徒が家で食事をとれていないようです。本人は高校に行きたいが学費がないと言います")
    assert "「学費がない」" in "".join(reasons(resident))


def test_a_reason_in_kana_does_not_run_over_into_the_next_matter(resident):
    resident.begins().says("むすこの しゃっきんの ことと わたしの ねんきんの ことを ききたい")
    assert "ことと" not in "".join(reasons(resident))


def test_a_trouble_between_two_others_is_read_back_too(resident):
    resident.begins().says("猫が増えすぎて困っているのと、庭の木が隣に伸びて苦情を言われています。どちらも自分では手に負えません")
    assert "庭の木が隣に伸びて苦情を言われています" in resident.heard


def test_where_nothing_fits_what_is_missing_is_given_back_before_who_somebody_is(resident):
    resident.begins().says(
        "里親のもとを出て二年。保証人がいないのでアパートの更新ができず、職場では寮付きの所を勧められましたが持病の薬で夜勤ができません。"
        "施設の人には、もう担当ではないと言われました"
    )
    assert "「保証人がいないのでアパートの更新ができず」ということですね" in resident.heard


def test_no_stretch_with_a_cry_in_it_is_given_back(resident):
    cry = Danger(level="L1", kinds=("suicide",), rule="cry-despair", said="もう限界です")
    resident.begins().says("もう限界です。借金の返済が追いつきません", danger=cry).presses("ない")
    assert "「借金の返済が追いつきません」" in "".join(reasons(resident))
    assert "限界" not in resident.heard + "".join(reasons(resident))


def test_what_leads_over_to_another_matter_is_not_given_back(resident):
    resident.begins().says("やっぱり別のことで、夫の給料が二か月出ていません")
    assert "「夫の給料が二か月出ていません」ということですね" in resident.heard
    assert "別" not in "".join(reasons(resident))


def test_a_sentence_that_is_too_long_ends_where_the_writer_paused():
    told = "実家の父が一人暮らしで、最近電話のたびに同じことを聞かれるようになりました"
    assert to_a_pause(told, 28) == "実家の父が一人暮らしで"
    assert to_a_pause("短い文です、ここまで", 28) == "短い文です、ここまで"


@pytest.mark.parametrize(
    ("line", "wish", "left"),
    [
        ("介護は58歳なので対象外と言われました", "58歳", "介護は対象外と言われました"),
        ("39歳で一人暮らし", "39歳", "一人暮らし"),
        ("母と暮らしている", "母", "暮らしている"),
        ("障害の窓口で断られた", "断られた", "障害の窓口で"),
        ("39歳できびしい", "39歳", "できびしい"),
    ],
)
def test_what_leans_on_a_struck_word_falls_with_it(line, wish, left):
    (kept,) = erased([SheetLine(about="worry", text=line)], wish, None)
    assert kept.text == left


def test_a_feeling_alone_does_not_choose_among_services(resident):
    resident.begins().says("しんどい").says("2").presses("親")
    assert resident.cards[0] == "chiiki-houkatsu"


def test_a_person_was_offered_and_is_offered_again_rather_than_a_third_question(resident):
    resident.begins().says("うん").says("あの").says("どう言ったらいいか")
    assert resident.at_step == "consult.unclear"
    first = resident.heard
    resident.says("なんていうか")
    assert resident.at_step == "consult.unclear"
    assert resident.heard != first


def test_kana_writers_choose_among_fewer_buttons_and_can_type_the_rest(resident):
    resident.begins().says("でんきだいが たかくて はらえなくて こまっています")
    assert len(resident.buttons) == 2
    resident.says("ちがう")
    assert resident.at_step == "consult.wrong"


def test_whoever_chooses_a_language_has_all_buttons_again(resident):
    resident.begins().says("でんきだいが たかくて はらえなくて こまっています").says("日本語")
    assert len(resident.buttons) >= 3


def test_the_wish_keeps_no_number_and_is_asked_once(resident):
    resident.begins()
    resident.session = resident.session.model_copy(update={"story": (Said(text="買い物袋が持てない", ref="m0"),), "flow": "gap", "step": "offered"})
    resident.session = resident.session.model_copy(update={"choices": ()})
    resident.says("要介護じゃないと断られました").presses("いらない").says("電話してくれる人 090-0000-0000")
    (wish,) = [effect for effect in resident.turn.effects if effect.effect == "record_wish"]
    assert wish.wish == "電話してくれる人"


def test_an_answer_of_the_question_is_not_heard_as_danger_by_its_sound_alone(resident):
    resident.begins().says("家賃が払えなくて困ってます").presses("合っている")
    sounds = Danger(level="L1", kinds=("suicide",), rule="second-ear", said="いらない")
    resident.says("いらない", danger=sounds)
    assert resident.at_step == "consult.open"


def test_a_rule_is_heard_even_where_the_words_are_an_answer(resident):
    resident.begins().says("家賃が払えなくて困ってます").presses("合っている")
    rule = Danger(level="L1", kinds=("suicide",), rule="cry-despair", said="いらない")
    resident.says("いらない", danger=rule)
    assert resident.at_step == "danger.unclear"


def test_a_no_that_goes_on_with_the_worry_is_both(resident):
    cry = Danger(level="L1", kinds=("suicide",), rule="cry-despair", said="もう限界です")
    resident.begins().says("もう限界です", danger=cry).says("ないです。借金の返済が追いつかないんです")
    assert "tajuu-saimu" in resident.cards


def test_sent_away_from_what_was_shown_is_a_gap(resident):
    resident.begins().says("近所の犬の鳴き声がうるさくて眠れません").says("もう市役所には言いました。うちの担当ではないと言われました")
    assert resident.at_step == "gap.offered"
    assert "refused_by_office" in resident.session.gap_reasons


def test_what_was_told_is_read_back_whole_where_two_bubbles_hold_it(resident):
    resident.begins().says(
        "夫は75歳で、去年脳梗塞で倒れてから右手が不自由です。息子は10年前に会社を辞めてから部屋にいます。年金だけでは暮らしていけず、固定資産税も払えていません"
    )
    assert resident.at_step == "several.read_back"
    assert "…" not in resident.heard


def test_what_is_quoted_once_is_not_quoted_in_part_again(resident):
    resident.begins().says("こどもの がっこうの おかねが はらえません")
    assert all(reason.count("がっこう") <= 1 for reason in reasons(resident))


def test_where_no_rule_heard_it_nobody_is_taken_for_one_who_harms(resident):
    sounds = Danger(level="L1", kinds=("harm_to_others", "fire_disaster", "elder_abuse"), rule="second-ear", said="酒をやめません")
    resident.begins().says("兄が酒をやめません。母が困り果てています", danger=sounds)
    assert "だれかを傷つけて" not in resident.heard
    assert "たたかれたり" in resident.heard


def test_the_sheet_tells_the_whole_sentence_in_which_danger_was_heard(resident):
    told = "夫に殴られています。今も下にいます"
    resident.begins().says(told, danger=resident.town.base.danger.scan(told))
    assert [line.text for line in resident.case.sheet if line.about == "danger"] == ["夫に殴られています"]


def test_who_writes_on_duty_and_all_of_it_once_more_are_no_trouble_of_their_own(resident):
    resident.begins().says("担任です。給食費が払えないご家庭で、お子さんは放課後いつも一人です")
    assert "担任です" not in resident.heard
    assert not any("担任です" in card.reason for reply in resident.turn.replies for card in reply.cards)

    resident.says("猫が増えすぎて困っているのと、庭の木が隣に伸びて苦情を言われています。どちらも自分では手に負えません")
    assert "①猫が増えすぎて困っている\n②庭の木が隣に伸びて苦情を言われています" in resident.heard
    assert "手に負えません" not in resident.heard
