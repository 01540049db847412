"""D1, D2, D3, D5, D8 and D13 turn by turn: order, buttons, effects, and what must not happen."""

from datetime import datetime, timedelta

import pytest

import flows
from flows.model import (
    Choice,
    Count,
    ForgetWords,
    RecordConsent,
    RecordGap,
    RecordMatch,
    RecordOutcome,
    Said,
    Scene,
    ScheduleFollowUp,
    SheetLine,
    StopFollowUps,
    Utterance,
)
from knowledge.hearing.model import Danger
from tests.flows.talks import HOLIDAY_NIGHT, JST, TUESDAY_MORNING, Resident, keeps_limits

RENT = "家賃が払えなくて困ってます"
VAGUE = "なんかもう、どうしたらいいかわからなくて"
BETWEEN_SYSTEMS = "足を痛めて2か月、杖で歩けるけど買い物袋が持てない。要介護じゃないし障害でもないと言われた。39歳一人暮らし"


@pytest.fixture
def in_talk(resident: Resident) -> Resident:
    return resident.begins()


# ---------------------------------------------------------------- D1


def test_the_first_bubbles_say_machine_privacy_and_emergency(resident):
    resident.follows()
    assert resident.keys == ["welcome.hello", "welcome.privacy", "welcome.emergency"]
    assert resident.buttons == ["相談をはじめる", "くわしい説明", "人と話す", "🌐 Language"]
    assert "機械" in resident.heard
    assert "119" in resident.heard
    assert "110" in resident.heard


def test_the_details_say_how_long_and_when_and_lead_on(resident):
    resident.follows().presses("くわしい説明")
    assert "三年" in resident.heard
    assert "月〜金 8:30〜17:15" in resident.heard
    assert resident.buttons == ["相談をはじめる", "やめる"]


def test_beginning_is_the_consent(resident):
    resident.follows().presses("相談をはじめる")
    assert [consent.purpose for consent in resident.effects(RecordConsent)] == ["consult"]
    assert resident.session.consented == 3


def test_a_worry_before_consent_is_held_and_then_answered_without_writing_it_again(resident):
    resident.says(RENT)
    assert resident.buttons == ["このまま続ける", "くわしい説明", "やめる"]
    assert not resident.turn.effects
    resident.presses("このまま続ける")
    assert resident.effects(RecordConsent)
    assert "juukyo-kakuho-kyufukin" in resident.cards


def test_refusing_erases_the_held_words(resident):
    resident.says(RENT).presses("やめる")
    assert resident.effects(ForgetWords) == [ForgetWords(refs=("m1",))]
    assert resident.effects(Count)
    assert RENT not in resident.session.model_dump_json()
    assert "消しました" in resident.heard


def test_more_words_before_consent_are_held_too(resident):
    resident.says(RENT).says("子どももいます").presses("このまま続ける")
    assert [said.text for said in resident.session.story] == [RENT, "子どももいます"]


# ---------------------------------------------------------------- D2


def test_a_clear_worry_gets_cards_with_reason_hours_and_check_date(in_talk):
    in_talk.says(RENT)
    assert "「家賃が払えなくて困ってます」" in in_talk.heard
    assert 1 <= len(in_talk.cards) <= 3
    card = in_talk.turn.replies[0].cards[0]
    assert card.id == "juukyo-kakuho-kyufukin"
    assert "「家賃が払えなくて困ってます」" in card.reason
    assert "使えるかもしれません" in card.reason
    assert "いま開いています（17:15まで）" in card.lines
    assert "電話 000-0000-1001" in card.lines
    assert "確認日 2026-10-01" in card.lines
    assert [button.label for button in card.buttons] == ["電話する", "地図", "くわしく"]
    assert card.buttons[1].url == "https://maps.google.com/?q=35.0,139.0"
    assert in_talk.buttons == ["合っている", "ちがう", "人と話す"]
    assert in_talk.effects(RecordMatch)[0].knowledge == in_talk.town.base.version


def test_an_old_check_date_is_told(in_talk):
    in_talk.says(RENT)
    lines = [line for reply in in_talk.turn.replies for card in reply.cards for line in card.lines]
    assert not any("受けられます" in line for line in lines)
    old = [line for line in lines if "に確認" in line]
    assert old == [] or all("2026年3月" in line or "先に電話で確かめてください" in line for line in old)


def test_right_cards_lead_to_one_question_about_later(in_talk):
    in_talk.says(RENT).presses("合っている")
    assert in_talk.effects(RecordOutcome)[0].outcome == "right"
    assert in_talk.buttons == ["聞いてほしい", "いらない"]
    in_talk.presses("聞いてほしい")
    assert in_talk.effects(RecordConsent)[0].purpose == "follow_up"
    due = in_talk.effects(ScheduleFollowUp)[0].at
    assert (due.date() - in_talk.at.date()).days == 14
    assert 10 <= due.hour < 18


def test_without_a_yes_nothing_is_scheduled(in_talk):
    in_talk.says(RENT).presses("合っている").presses("いらない")
    assert not in_talk.turn.effects


def test_when_all_is_closed_a_reminder_is_offered_and_never_comes_before_ten(town):
    night = Resident(town, at=HOLIDAY_NIGHT).begins().says(VAGUE).says("どれでもない").presses("相談先の一覧")
    assert night.cards == ["fukushi-sougou-soudan", "jiritsu-soudan-shien", "chiiki-houkatsu"]
    assert any("いま閉まっています。明日（火）8:30から" in card.lines for reply in night.turn.replies for card in reply.cards)
    assert night.buttons == ["合っている", "ちがう", "開いたら知らせて", "人と話す"]
    night.presses("開いたら知らせて")
    scheduled = night.effects(ScheduleFollowUp)[0]
    assert scheduled.kind == "open_tomorrow"
    assert scheduled.at == datetime(2026, 11, 24, 10, 0, tzinfo=JST)
    pushed = flows.follow_up(night.session, night.now, town)
    assert pushed.replies[0].key == "follow_up.open_now"


def test_where_the_office_depends_on_the_district_it_is_asked_once(in_talk):
    in_talk.says("高齢の親の介護を地域包括支援センターに相談したい")
    assert in_talk.at_step == "consult.area"
    assert in_talk.buttons == ["わからない"]
    in_talk.says("山手")
    tels = [button.tel for reply in in_talk.turn.replies for card in reply.cards for button in card.buttons if card.id == "chiiki-houkatsu"]
    assert tels[0] == "000-0000-1006"


def test_not_saying_where_shows_the_number_for_the_whole_town(in_talk):
    in_talk.says("高齢の親の介護を地域包括支援センターに相談したい").presses("わからない")
    tels = [button.tel for reply in in_talk.turn.replies for card in reply.cards for button in card.buttons if card.id == "chiiki-houkatsu"]
    assert tels[0] == "000-0000-0000"


def test_wrong_cards_are_asked_about(in_talk):
    in_talk.says(RENT).presses("ちがう")
    assert in_talk.effects(RecordOutcome)[0].outcome == "wrong"
    assert in_talk.buttons == ["別のこと", "自分のことではない", "もう行ったことがある", "人と話す"]


def test_been_there_already_leads_to_the_gap(in_talk):
    in_talk.says(RENT).presses("ちがう").presses("もう行ったことがある")
    assert in_talk.at_step == "gap.offered"
    assert "正直にお伝えします" in in_talk.heard
    assert in_talk.effects(RecordOutcome)[0].outcome == "been_there"
    assert in_talk.session.tried


def test_another_matter_keeps_what_was_said(in_talk):
    in_talk.says(RENT).presses("ちがう").presses("別のこと").says("仕事も先月なくなりました")
    assert [said.text for said in in_talk.session.story] == [RENT, "仕事も先月なくなりました"]


def test_the_details_of_a_card_leave_the_question_open(in_talk):
    in_talk.says(RENT)
    ask = in_talk.session.ask
    in_talk.presses("くわしく")
    assert in_talk.session.ask == ask
    assert "住居確保給付金" in in_talk.heard
    assert in_talk.says("合っている").effects(RecordOutcome)


def test_details_of_a_service_that_is_gone_do_not_fail(in_talk):
    in_talk.does(Utterance(kind="button", button="!card:was-here-once"))
    assert in_talk.keys == ["details.gone"]


# ---------------------------------------------------------------- D3


def test_a_vague_worry_gets_two_questions_and_then_cards(in_talk):
    in_talk.says(VAGUE)
    assert in_talk.buttons == ["①お金・仕事", "②家族・介護・子ども", "③からだ・こころ", "④住まい・近所"]
    in_talk.says("２")
    assert in_talk.buttons == ["自分", "親", "子ども", "ほかの家族"]
    in_talk.says("子供  がっこうにいけてない")
    assert in_talk.at_step == "consult.shown"
    assert {"kyouiku-soudan", "ssw-sc", "kyouiku-shien-center", "free-school"} & set(in_talk.cards)
    assert in_talk.session.whose == "child"


def test_no_third_question_comes(in_talk):
    in_talk.says(VAGUE).says("うーん").says("えっと").says("なんだろう")
    assert in_talk.session.questions <= 2
    assert in_talk.at_step in ("consult.unclear", "consult.shown", "handoff.waiting")


def test_none_of_these_offers_a_person_now_or_later(in_talk):
    in_talk.says(VAGUE).says("どれでもない")
    assert in_talk.buttons == ["いま話す", "あとで連絡がほしい", "相談先の一覧"]
    in_talk.says("いま話す")
    assert in_talk.case.reason == "unclear"


def test_what_was_said_is_not_asked_again(in_talk):
    in_talk.says("母のことで、どうしたらいいか").says("2")
    assert in_talk.at_step == "consult.shown"


# ---------------------------------------------------------------- D5


def to_read_back(talk: Resident) -> Resident:
    return talk.says(BETWEEN_SYSTEMS).presses("引きついでほしい")


def test_nothing_fits_is_said_honestly_and_a_person_offered(in_talk):
    in_talk.says(BETWEEN_SYSTEMS)
    assert in_talk.buttons == ["引きついでほしい", "近いものを見る", "いらない"]
    assert "あなたのせいではありません" in in_talk.heard
    assert "もう断られたところもあるのですね" in in_talk.heard
    assert "該当" not in in_talk.heard


def test_the_summary_is_made_of_the_residents_own_words(in_talk):
    to_read_back(in_talk)
    lines = [line.text for line in in_talk.session.sheet]
    assert lines
    assert all(line in BETWEEN_SYSTEMS for line in lines)
    assert all(line in in_talk.heard for line in lines)
    assert in_talk.buttons == ["これでよい", "直す", "ここを消す"]


def test_struck_words_are_gone_and_nothing_is_sent_before_the_yes(in_talk):
    to_read_back(in_talk).presses("ここを消す").says("39歳")
    assert "39歳" not in in_talk.heard
    assert "くらしの相談（見本）の相談員" in in_talk.heard
    assert not in_talk.turn.effects
    in_talk.presses("はい")
    assert in_talk.case.reason == "nothing_fits"
    assert "39歳" not in "".join(line.text for line in in_talk.case.sheet if line.about == "worry")
    assert {line.source for line in in_talk.case.sheet if line.about == "worry"} == {"confirmed"}
    assert all(line.refs for line in in_talk.case.sheet if line.about == "worry")
    assert set(in_talk.case.gap_reasons) >= {"refused_by_office", "no_certificate"}
    assert in_talk.effects(RecordConsent)[0].purpose == "handoff"
    assert in_talk.turn.ends_as == "queued"


def test_a_line_is_struck_by_its_number(in_talk):
    before = to_read_back(in_talk).session.sheet
    in_talk.presses("ここを消す").says("２")
    assert in_talk.session.sheet == (before[0], *before[2:])


def test_words_that_are_not_there_are_not_struck(in_talk):
    before = to_read_back(in_talk).session.sheet
    in_talk.presses("ここを消す").says("東京タワー")
    assert in_talk.keys == ["sheet.not_found"]
    assert in_talk.session.sheet == before


def test_a_correction_is_read_back_again(in_talk):
    to_read_back(in_talk).presses("直す").says("本当は3か月です")
    assert "本当は3か月です" in in_talk.heard
    assert in_talk.at_step == "gap.read_back"


def test_no_means_nobody_is_told(in_talk):
    to_read_back(in_talk).presses("これでよい").presses("いいえ")
    assert "だれにも伝えていません" in in_talk.heard
    assert not in_talk.turn.effects


def test_declining_shows_what_is_near_and_counts_the_need_without_the_person(in_talk):
    in_talk.says(BETWEEN_SYSTEMS).presses("いらない")
    gap = in_talk.effects(RecordGap)[0]
    assert "refused_by_office" in gap.reasons
    assert BETWEEN_SYSTEMS[:6] not in gap.model_dump_json()
    assert in_talk.cards


# ---------------------------------------------------------------- D4


def told_four_needs(talk: Resident) -> Resident:
    """Where the talk stands after four needs were heard; hearing them is tested elsewhere."""
    words = "私は54で10年働いてません。父が転んで入院、来週退院と言われた。家は2階。貯金ももうすぐなくなります"
    needs = ("hello-work", "chiiki-houkatsu", "", "jiritsu-soudan-shien")
    sheet = tuple(SheetLine(about="need", text=text, source="inferred", refs=("m0",)) for text in words.split("。"))
    choices = (Choice(value="as_it_is", label="合っている"), Choice(value="mend", label="直す"))
    update = {"flow": "several", "step": "read_back", "story": (Said(text=words, ref="m0"),), "sheet": sheet, "needs": needs, "choices": choices}
    talk.session = talk.session.model_copy(update=update)
    return talk


def test_several_needs_are_read_back_with_numbers(in_talk):
    in_talk.says("家賃が払えません。それと、母の物忘れがひどくて介護で困っています。")
    if in_talk.at_step == "several.read_back":
        assert "①" in in_talk.heard
    assert "8050" not in in_talk.heard


def test_a_correction_replaces_what_it_speaks_of_and_adds_what_is_new(in_talk):
    told_four_needs(in_talk).says("直す").says("貯金は来月まで。あと自分も夜眠れない")
    assert [line.text for line in in_talk.session.sheet][-2:] == ["貯金は来月まで", "自分も夜眠れない"]
    assert "④貯金は来月まで" in in_talk.heard
    assert len(in_talk.session.sheet) == 5


def test_what_has_a_date_comes_first_and_one_person_is_offered_for_all(in_talk):
    told_four_needs(in_talk).says("合っている")
    assert in_talk.cards == ["chiiki-houkatsu", "jiritsu-soudan-shien", "hello-work"]
    assert in_talk.buttons[:3] == ["担当と話す", "自分で連絡する", "あとで"]
    in_talk.presses("担当と話す")
    assert in_talk.case.reason == "entangled"
    assert {line.source for line in in_talk.case.sheet if line.about == "need"} == {"confirmed"}


def test_no_mistake_is_not_taken_for_a_correction(in_talk):
    told_four_needs(in_talk).says("ない")
    assert in_talk.at_step == "several.offered"
    assert len(in_talk.session.sheet) == 4


# ---------------------------------------------------------------- D8


def test_asking_for_a_person_asks_what_may_go_along_and_promises_a_time(in_talk):
    in_talk.scene = {"waiting": 2}
    in_talk.says(RENT).presses("人と話す")
    assert in_talk.buttons == ["渡す", "渡さない"]
    assert "いま2人が待っています" in in_talk.heard
    assert "12:10ごろまで" in in_talk.heard
    assert in_talk.case.share_story is False
    assert in_talk.case.take_over is False
    in_talk.presses("渡す")
    assert in_talk.case.share_story is True
    assert in_talk.case.take_over is True
    assert RENT in [line.text for line in in_talk.case.sheet]
    assert in_talk.case.promise_at is not None
    assert in_talk.turn.ends_as == "queued"


def test_not_sharing_sends_nothing_of_the_story(in_talk):
    in_talk.says(RENT).presses("人と話す").presses("渡さない")
    assert in_talk.case.share_story is False
    assert RENT not in in_talk.case.model_dump_json()
    in_talk.scene = {"open_case": "A-1"}
    in_talk.says("ここからお願いします")
    assert RENT not in in_talk.case.model_dump_json()
    assert in_talk.case.share_story is False


def test_the_promise_counts_opening_hours_only(town):
    late = Resident(town, at=datetime(2026, 11, 24, 16, 30, tzinfo=JST)).begins().says("スタッフと話したい")
    assert late.case.promise_at == datetime(2026, 11, 25, 9, 50, tzinfo=JST)
    assert "明日（水）9:50" in late.heard


def test_outside_hours_the_bot_says_when_somebody_reads_and_stays(town):
    night = Resident(town, at=HOLIDAY_NIGHT).begins().says("スタッフと話したい")
    assert "受付時間の外" in night.heard
    assert "明日（火）8:30" in night.heard
    assert "お待ちください" not in night.heard
    assert night.case.take_over is False
    night.scene = {"open_case": "A-1"}
    night.presses("渡す").says("父の介護のことです")
    assert "書きとめました" in night.heard
    assert "父の介護のことです" in night.case.model_dump_json()


def test_nobody_on_duty_means_no_time_is_promised(town):
    alone = Resident(town, scene={"staffed": False}).begins().says("スタッフと話したい")
    assert alone.case.promise_at is None
    assert "いますぐ読める相談員はいません" in alone.heard


def test_the_return_is_an_explicit_turn_and_a_new_message_reopens(in_talk, town):
    in_talk.says(RENT).presses("人と話す").presses("渡す")
    back = flows.handback(in_talk.session, in_talk.now, town, "佐藤")
    assert "佐藤さんとのやりとりは、いったん終わりです" in back.replies[0].text
    assert [button.label for button in back.buttons] == ["機械に聞く", "もう書かない"]
    in_talk.session, in_talk.turn = back.session, back
    in_talk.says("やっぱりもう一つ聞きたいです")
    assert in_talk.case.reason == "returned"
    assert "前に話した窓口につなぎました" in in_talk.heard
    assert "家賃" not in in_talk.heard


def test_after_the_return_the_machine_begins_anew(in_talk, town):
    in_talk.says(RENT).presses("人と話す").presses("渡す")
    back = flows.handback(in_talk.session, in_talk.now, town, "佐藤")
    in_talk.session, in_talk.turn = back.session, back
    in_talk.presses("機械に聞く")
    assert "家賃" not in in_talk.heard
    in_talk.says("電気代が払えません")
    assert "家賃が払えなくて" not in in_talk.heard


def test_a_late_promise_is_told_neutrally(in_talk, town):
    in_talk.says(RENT)
    turn = flows.promise_late(in_talk.session, in_talk.now, town, in_talk.at + timedelta(minutes=40))
    assert "返事が遅れています" in turn.replies[0].text
    assert "家賃" not in turn.replies[0].text
    assert turn.session.step == in_talk.session.step


def test_our_own_failure_brings_a_human_and_keeps_the_numbers(town):
    person = Resident(town)
    danger = town.base.danger.scan("死にたい")
    said = Utterance(parts=(), danger=danger)
    turn = flows.failed(person.session, said, person.now, town)
    assert any("0120" in reply.text for reply in turn.replies)
    assert {effect.effect for effect in turn.effects} == {"open_case", "raise_alarm"}
    assert keeps_limits(turn)


# ---------------------------------------------------------------- D9


def test_the_push_is_neutral_and_its_answers_have_effects(in_talk, town):
    in_talk.says(RENT).presses("合っている").presses("聞いてほしい")
    pushed = flows.follow_up(in_talk.session, in_talk.now, town)
    assert pushed.replies[0].text == "その後、いかがですか。答えたいときだけで大丈夫です。"
    in_talk.session, in_talk.turn = pushed.session, pushed
    assert in_talk.buttons == ["よくなった", "変わらない", "行けなかった", "もういらない"]
    in_talk.presses("もういらない")
    assert in_talk.effects(StopFollowUps)


@pytest.mark.parametrize(
    ("reason", "step"),
    [("時間が合わない", "followup.together"), ("気が重い", "followup.together"), ("断られた", "followup.together"), ("ほかの理由", "followup.told")],
)
def test_could_not_go_has_a_next_step_for_each_reason(in_talk, town, reason, step):
    pushed = flows.follow_up(in_talk.session, in_talk.now, town)
    in_talk.session, in_talk.turn = pushed.session, pushed
    in_talk.presses("行けなかった").presses(reason)
    assert in_talk.at_step == step


def test_a_new_worry_after_the_push_is_heard(in_talk, town):
    pushed = flows.follow_up(in_talk.session, in_talk.now, town)
    in_talk.session, in_talk.turn = pushed.session, pushed
    in_talk.says(RENT)
    assert "juukyo-kakuho-kyufukin" in in_talk.cards


# ---------------------------------------------------------------- D7, D10, D11, D12


def test_a_neighbours_sign_is_passed_on_without_names(in_talk):
    in_talk.says("隣のおばあさん、最近見かけないし新聞がたまってる")
    assert in_talk.buttons == ["ある", "ない・わからない"]
    in_talk.presses("ない・わからない").presses("伝える").says("東浜")
    assert "report_third_person" in in_talk.effect_names
    assert "必ず確かめます" in in_talk.heard


def test_a_neighbour_seen_lying_means_the_two_numbers(in_talk):
    in_talk.says("隣のおばあさん、最近見かけないし新聞がたまってる").presses("ある")
    assert "119" in in_talk.heard
    assert "110" in in_talk.heard
    assert in_talk.case.reason == "third_person"


def test_an_offer_is_kept_only_after_a_yes_of_its_own(in_talk):
    in_talk.says("何か役に立てることないかな。前は大工でした").says("手を動かすこと、平日ひる")
    assert not in_talk.turn.effects
    in_talk.presses("説明会の日")
    assert in_talk.effect_names == ["record_consent", "record_offer"]


def test_erasing_asks_twice_and_gives_a_receipt(in_talk):
    in_talk.says(RENT).says("相談したこと消して")
    assert in_talk.at_step == "mydata.erase"
    assert not in_talk.turn.effects
    in_talk.presses("消す")
    assert not in_talk.turn.effects
    in_talk.presses("消す")
    assert in_talk.effect_names == ["erase"]
    assert in_talk.turn.effects[0].receipt in in_talk.heard
    assert RENT not in in_talk.session.model_dump_json()


def test_my_data_shows_counts_never_content(in_talk):
    in_talk.says(RENT).says("わたしの情報を見せて")
    assert "家賃" not in in_talk.heard


def test_english_is_answered_in_english_once_detected(resident):
    resident.says("I got fired and I can't pay rent").presses("Go on")
    assert resident.session.lang == "en"
    assert resident.buttons == ["Yes, right", "No, not right", "Talk to a person"]


def test_the_language_can_be_changed_at_any_time(in_talk):
    in_talk.says(RENT).says("English")
    assert in_talk.session.lang == "en"
    assert [said.text for said in in_talk.session.story] == [RENT]
    in_talk.says("日本語")
    assert in_talk.session.lang == "ja"


# ---------------------------------------------------------------- D13 and the words of G4


def test_a_sticker_is_received_but_never_a_consent(resident):
    resident.says(RENT).does(Utterance(kind="sticker", sticker_ok=True))
    assert resident.session.consented is None
    assert not resident.turn.effects


def test_an_ok_sticker_after_cards_means_right(in_talk):
    in_talk.says(RENT).does(Utterance(kind="sticker", sticker_ok=True))
    assert in_talk.effects(RecordOutcome)[0].outcome == "right"


def test_another_sticker_asks_for_words_with_the_four_choices(in_talk):
    in_talk.does(Utterance(kind="sticker"))
    assert "言葉にすると" in in_talk.heard
    assert len(in_talk.buttons) == 4
    assert in_talk.turn.ends_as == "acknowledged"


@pytest.mark.parametrize("media", ["image", "audio", "video", "file"])
def test_a_picture_is_received_without_a_guess(in_talk, media):
    in_talk.does(Utterance(kind="media", media=media))
    assert "文字でも教えてください" in in_talk.heard
    assert in_talk.turn.ends_as == "acknowledged"


def test_several_messages_are_one_worry(in_talk):
    in_talk.says("家賃が払えなくて", "困ってます", "どうしたらいいですか")
    assert "juukyo-kakuho-kyufukin" in in_talk.cards
    assert [said.ref for said in in_talk.session.story] == ["m1", "m2", "m3"]


def test_a_name_is_not_needed_and_that_is_said_once(in_talk):
    in_talk.says("名前は山田花子です。家賃が払えなくて困っています")
    assert "なくても大丈夫" in in_talk.heard
    in_talk.says("名前は山田花子です。電気代も払えません")
    assert "なくても大丈夫" not in in_talk.heard


@pytest.mark.parametrize("word", ["人と話す", "スタッフと話したい", "相談員", "職員と話したいです。", "人と話したい！"])
def test_a_person_is_one_word_away_everywhere(in_talk, word):
    assert flows.is_everywhere_word(word)
    in_talk.says(RENT).says(word)
    assert in_talk.at_step == "handoff.share"


def test_back_goes_one_step_and_keeps_the_story(in_talk):
    in_talk.says(VAGUE).says("2").says("もどる")
    assert in_talk.at_step == "consult.which"
    assert [said.text for said in in_talk.session.story] == [VAGUE]
    assert "いちばん近いのはどれですか" in in_talk.heard or "①お金・仕事" in in_talk.heard


def test_that_is_wrong_goes_back_and_what_follows_answers_the_earlier_question(in_talk):
    in_talk.says(VAGUE).says("1").says("そうじゃなくて、からだ")
    assert in_talk.session.notes["group"] == "body"


def test_from_the_beginning_loses_nothing(in_talk):
    in_talk.says(RENT).says("最初から")
    assert in_talk.at_step == "consult.open"
    assert [said.text for said in in_talk.session.story] == [RENT]


def test_stopping_is_kind_and_the_talk_can_go_on(in_talk):
    in_talk.says(RENT).says("やめる")
    assert "続きは、いつでも" in in_talk.heard
    in_talk.says("電気代が払えません")
    assert in_talk.cards or in_talk.buttons


def test_help_shows_the_numbers_and_leads_to_a_human_at_once(in_talk):
    in_talk.says(RENT).says("たすけて")
    assert "119" in in_talk.heard
    assert in_talk.case.reason == "asked_human"
    assert in_talk.buttons == ["渡す", "渡さない"]
    in_talk.says("もどる").says("合っている")
    assert in_talk.effects(RecordOutcome)


def test_whoever_calls_for_help_first_is_not_asked_what_may_be_told(resident):
    resident.follows().says("たすけて")
    assert "119" in resident.heard
    assert resident.case.level == "L1"
    assert resident.buttons == []


def test_a_cry_for_help_in_a_crisis_leaves_its_question_open(resident):
    resident.follows().says("死にたい", danger=Danger(level="L2", kinds=("suicide",), rule="suicide-wish")).says("たすけて")
    assert "119" in resident.heard
    assert "していない" in resident.buttons


@pytest.mark.parametrize("said", ["ばか", "役に立たない"])
def test_an_insult_is_answered_with_an_apology_and_a_person(in_talk, said):
    in_talk.says(said)
    assert "すみません、役に立てませんでした" in in_talk.heard
    assert in_talk.buttons[0] == "人と話す"


def test_who_are_you_is_answered_in_one_bubble(in_talk):
    in_talk.says("あなたは誰ですか")
    assert len(in_talk.bubbles) == 1
    assert "機械" in in_talk.heard


def test_advertising_gets_one_line_then_silence(in_talk):
    in_talk.says("副業で稼げます https://spam.example.com 登録はこちら")
    assert in_talk.turn.ends_as == "noise"
    assert len(in_talk.bubbles) == 1
    in_talk.says("副業で稼げます https://spam.example.com 登録はこちら")
    assert in_talk.turn.ends_as == "noise"
    assert not in_talk.bubbles


def test_the_same_button_pressed_again_is_answered_once(in_talk):
    in_talk.says(RENT)
    pressed = Utterance(kind="button", button=f"{in_talk.session.ask}:right")
    in_talk.does(pressed)
    assert in_talk.effects(RecordOutcome)
    in_talk.does(pressed)
    assert in_talk.keys == ["odd.once_more"]
    assert not in_talk.turn.effects
    in_talk.does(pressed)
    assert not in_talk.turn.replies


def test_a_button_of_a_past_day_is_old(in_talk):
    in_talk.says(RENT)
    pressed = Utterance(kind="button", button=f"{in_talk.session.ask}:right")
    in_talk.presses("ちがう")
    in_talk.at += timedelta(days=1)
    in_talk.does(pressed)
    assert in_talk.keys == ["odd.old_button"]
    assert not in_talk.turn.effects


def test_a_form_left_alone_asks_whether_to_go_on(in_talk):
    to_read_back(in_talk).presses("ここを消す")
    in_talk.at += timedelta(minutes=45)
    in_talk.says("39歳")
    assert in_talk.buttons == ["つづける", "最初から"]
    assert "買い物" not in in_talk.heard
    in_talk.presses("つづける")
    assert in_talk.at_step == "gap.strike"


def test_an_unsent_message_leaves_the_session(in_talk):
    to_read_back(in_talk)
    cleaned = flows.without_words(in_talk.session, "m1")
    assert "買い物袋" not in cleaned.model_dump_json()
    assert "要介護" not in cleaned.model_dump_json()


def test_a_button_with_words_before_it_keeps_the_words(in_talk):
    in_talk.says(RENT)
    said = Utterance(kind="button", button=f"{in_talk.session.ask}:wrong", parts=(flows.model.Part(ref="m9", text="子どもが二人います"),))
    in_talk.does(said)
    assert in_talk.at_step == "consult.wrong"
    assert "子どもが二人います" in [one.text for one in in_talk.session.story]


def test_a_step_that_no_longer_exists_leads_to_a_human(town):
    person = Resident(town)
    person.session = person.session.model_copy(update={"flow": "lost", "step": "lost", "consented": 3})
    person.says(RENT)
    assert person.case.reason == "failure"
    assert RENT in person.case.model_dump_json()


def test_welcome_never_recites(in_talk, town):
    in_talk.says(RENT)
    again = flows.welcome(in_talk.session, Scene(now=TUESDAY_MORNING), town)
    assert all("家賃" not in reply.text for reply in again.replies)


def test_after_stopping_nothing_comes_back_by_itself(in_talk):
    in_talk.says(RENT).says("やめる").says("もどる")
    assert "家賃" not in in_talk.heard
    in_talk.says("学校に行けない子どものことです")
    assert "家賃" not in in_talk.heard


def test_half_a_day_later_the_earlier_worry_is_not_recited(in_talk):
    in_talk.says(RENT)
    in_talk.at += timedelta(days=2)
    in_talk.says("もどる")
    assert "家賃" not in in_talk.heard
    assert not in_talk.cards


def test_a_second_worry_is_heard_by_itself_but_the_first_is_not_forgotten(in_talk):
    in_talk.says(RENT).presses("合っている").presses("いらない").says("子どもが学校に行けていません。相談したいです")
    assert "juukyo-kakuho-kyufukin" not in in_talk.cards
    assert in_talk.session.story[0].text == RENT

