"""D6: every answer to danger has one order (acknowledge, at most two numbers, what happens now, one question), truthfully, before everything else."""

import re

import pytest

import flows
from flows.model import OpenCase, RaiseAlarm, ScheduleFollowUp, StopFollowUps, SuggestHiddenAddress, Utterance
from knowledge.hearing.model import DANGER_KINDS, Danger, DangerKind
from tests.flows.talks import HOLIDAY_NIGHT, Resident, keeps_limits

TELEPHONE = re.compile(r"#?\d{3,4}(?:-\d{2,4}-\d{3,4})?\b")


def told(kind: DangerKind = "suicide", rule: str = "some-rule", **more: object) -> Danger:
    return Danger.model_validate({"level": "L2", "kinds": (kind,), "rule": rule, "said": "もう全部いや", **more})


def now(kind: DangerKind, rule: str = "some-rule", **more: object) -> Danger:
    return told(kind, rule, **more).model_copy(update={"level": "L3"})


def unclear(kind: DangerKind = "suicide", rule: str = "bare") -> Danger:
    return told(kind, rule).model_copy(update={"level": "L1"})


# ---------------------------------------------------------------- 6a


def test_unclear_words_are_asked_about_plainly_before_consent_too(resident):
    resident.says("もう限界です", danger=unclear())
    assert "死にたい、消えたいという気持ちはありますか" in resident.heard
    assert resident.buttons == ["ある", "ない", "わからない・言いたくない"]


@pytest.mark.parametrize("answer", ["ある", "わからない・言いたくない"])
def test_yes_and_not_knowing_are_a_told_crisis(resident, answer):
    resident.says("もう限界です", danger=unclear()).presses(answer)
    assert resident.alarm.level == "L2"
    assert "0120" in resident.heard


def test_no_leads_back_to_the_worry(resident):
    resident.begins().says("もう限界です", danger=unclear()).presses("ない")
    assert resident.at_step == "consult.which"
    assert not resident.effects(RaiseAlarm)


def test_the_same_unclear_sign_is_not_asked_twice(resident):
    resident.begins().says("もう限界です", danger=unclear()).presses("ない").says("ほんとに限界", danger=unclear())
    assert resident.session.flow != "danger"


def test_no_leads_back_into_the_form_that_was_open(resident):
    resident.begins().says("家賃が払えなくて困ってます").presses("ちがう").presses("もう行ったことがある")
    assert resident.at_step == "gap.offered"
    resident.says("もう限界です", danger=unclear()).presses("ない")
    assert resident.at_step == "gap.offered"
    assert resident.buttons == ["引きついでほしい", "近いものを見る", "いらない"]


# ---------------------------------------------------------------- 6b, 6c


def test_a_told_wish_to_die_has_the_whole_order(resident):
    resident.says("死にたい。もう全部いやだ", danger=told())
    assert resident.keys == ["crisis.suicide.ack", "crisis.suicide.numbers", "crisis.suicide.question"]
    assert "ありがとう" in resident.bubbles[0]
    assert "0120-061-338" in resident.bubbles[1]
    assert "0120-279-338" in resident.bubbles[1]
    assert resident.bubbles[2].startswith("いま、相談員に知らせました。")
    assert resident.buttons == ["している", "していない", "答えたくない"]
    assert resident.case.level == "L2"
    assert resident.alarm.refs == ("m1",)


def test_at_night_it_is_said_that_nobody_reads_and_when_somebody_will(town):
    night = Resident(town, at=HOLIDAY_NIGHT).says("死にたい", danger=told())
    assert "いま職員は読んでいません" in night.heard
    assert "明日（火）8:30に必ず読みます" in night.heard
    assert "知らせました" not in night.heard


def test_alarmed_is_said_only_if_somebody_can_be_alarmed(town):
    alone = Resident(town, scene={"staffed": False}).says("死にたい", danger=told())
    assert "知らせました" not in alone.heard
    assert alone.alarm.level == "L2"


def test_hours_that_are_not_confirmed_are_left_out(resident):
    resident.says("死にたい", danger=told())
    assert "#いのちSOS 0120-061-338（無料）" in resident.heard
    assert "よりそいホットライン 0120-279-338（24時間・無料）" in resident.heard


def test_doing_it_means_119_and_the_place_is_marked_for_staff(resident):
    resident.says("死にたい", danger=told()).presses("している")
    assert "119" in resident.bubbles[0]
    assert resident.alarm.level == "L3"
    resident.says("東浜の橋の上です")
    assert resident.case.sheet[0].about == "urgent"
    assert "東浜の橋の上です" in resident.case.sheet[0].text


def test_not_doing_it_goes_to_a_human_in_hours_and_stays_with_the_bot_at_night(town):
    day = Resident(town).says("死にたい", danger=told()).presses("していない")
    assert day.case.take_over is True
    night = Resident(town, at=HOLIDAY_NIGHT).says("死にたい", danger=told()).presses("していない")
    assert night.case.take_over is False
    assert night.at_step == "danger.stay"
    night.says("ねむれません")
    assert "ねむれません" in night.case.model_dump_json()


def test_poison_is_after_119_never_instead(resident):
    resident.says("薬を全部飲んだ", danger=now("suicide", rule="suicide-overdose-taken"))
    assert resident.heard.index("119") < resident.heard.index("072-727-2499")


def test_said_twice_it_is_answered_twice_in_other_words(resident):
    first = resident.says("死にたい", danger=told()).bubbles
    second = resident.says("死にたい", danger=told()).bubbles
    assert set(first).isdisjoint(second)
    assert "0120-279-338" in "".join(second)


# ---------------------------------------------------------------- 6d


@pytest.mark.parametrize("danger", [told("partner_violence"), now("partner_violence")])
def test_violence_at_home_is_answered_with_safety_first_and_nothing_is_pushed_later(resident, danger):
    resident.says("夫になぐられる。今も下にいる", danger=danger)
    assert "110" in resident.heard
    assert "0120-279-889" in resident.heard
    assert "連絡はしません" in resident.heard
    assert resident.buttons == ["いる", "いない", "逃げたい", "画面を閉じる"]
    assert resident.turn.buttons[3].url == "https://www.jma.go.jp/"
    assert resident.effects(SuggestHiddenAddress)
    assert resident.effects(StopFollowUps)
    assert resident.case.restricted


def test_the_page_can_only_be_left_where_it_is_ours(town):
    on_line = Resident(town, scene={"channel": "line"}).says("夫になぐられる", danger=told("partner_violence"))
    assert on_line.buttons == ["いる", "いない", "逃げたい"]


def test_not_safe_means_the_police_now(resident):
    resident.says("夫になぐられる", danger=told("partner_violence")).presses("いない")
    assert resident.alarm.level == "L3"
    assert "110" in resident.bubbles[0]


def test_no_follow_up_is_ever_offered_after_violence(resident):
    resident.begins().says("夫になぐられる", danger=told("partner_violence"))
    resident.session = resident.session.model_copy(update={"flow": "consult", "step": "open", "choices": ()})
    resident.says("家賃が払えなくて困ってます").presses("合っている")
    assert "2週間あと" not in resident.heard
    assert not resident.effects(ScheduleFollowUp)


# ---------------------------------------------------------------- 6e – 6i


def test_a_child_is_answered_in_hiragana_and_told_it_is_not_their_fault(resident):
    resident.says("おとうさんがたたく。いえにかえりたくない", danger=told("child_abuse", child_speaks=True))
    assert resident.bubbles[0] == "おしえてくれて、ありがとう。あなたは わるくないよ。"
    assert not re.search(r"[一-鿿](?!.*（)", resident.bubbles[0])
    assert "189" in resident.heard
    assert resident.buttons == ["している", "していない"]


def test_an_adult_who_hears_a_child_scream_may_stay_unnamed(resident):
    resident.says("隣の子の悲鳴が毎晩する", danger=told("child_abuse", who="other"))
    assert "匿名で、まちがいでもかまいません" in resident.heard
    assert "189" in resident.heard


def test_the_one_who_hit_is_neither_blamed_nor_threatened(resident):
    resident.begins().says("介護してる母を叩いてしまった", danger=told("harm_to_others", rule="carer-hurts"))
    assert "一人で抱えるには重すぎる" in resident.heard
    assert "通報" not in resident.heard
    resident.presses("ない")
    assert "chiiki-houkatsu" in resident.cards
    assert any("人と話す" in label or "人" in label for label in resident.buttons) or resident.case.take_over


def test_no_food_today_comes_first_with_the_telephone_in_hours(resident):
    resident.says("所持金200円、今日から食べるものがない", danger=told("no_food_or_shelter"))
    assert "今日の食べものが最優先です" in resident.heard
    assert "000-0000-0000" in resident.heard
    resident.presses("いない")
    assert resident.cards == ["food-bank", "jiritsu-soudan-shien", "kinkyu-koguchi-shikin"]
    assert "生活保護は、だれでも申請できます" in resident.heard


def test_no_food_at_night_shows_what_is_there_tonight(town):
    night = Resident(town, at=HOLIDAY_NIGHT).says("食べるものがない", danger=told("no_food_or_shelter"))
    assert "food-bank" in night.cards
    assert "0120-279-338" in night.heard
    assert "必ず読みます" in night.heard


def test_a_body_in_danger_is_one_bubble_without_a_question(resident):
    resident.says("父が倒れて息してない", danger=now("medical_emergency", who="family"))
    assert resident.bubbles == ["救急・消防 119 にすぐ電話してください。電話の人が、やることを教えてくれます。"]
    assert not resident.buttons


def test_a_friend_in_danger_means_the_police_with_the_place(resident):
    resident.says("友達が今から死ぬって言ってて居場所は知ってる", danger=now("suicide", who="other"))
    assert "110" in resident.bubbles[0]
    assert "場所を伝えてください" in resident.bubbles[0]
    assert "一人にしないで" in resident.bubbles[1]
    assert "名前" not in resident.heard


# ---------------------------------------------------------------- every kind, level, language, hour


@pytest.mark.parametrize("kind", DANGER_KINDS)
@pytest.mark.parametrize("level", ["L2", "L3"])
@pytest.mark.parametrize("lang", ["ja", "easy", "en", "zh", "pt", "vi", "ne"])
@pytest.mark.parametrize("night", [False, True])
def test_every_danger_is_answered_with_a_number_within_the_limits(town, kind, level, lang, night):
    person = Resident(town, session=flows.start_session().model_copy(update={"lang": lang, "lang_offered": True}))
    person.at = HOLIDAY_NIGHT if night else person.at
    person.says("…", danger=told(kind).model_copy(update={"level": level}))
    assert person.alarm.level in ("L2", "L3")
    assert person.alarm.level >= level
    assert isinstance(person.case, OpenCase)
    numbers = TELEPHONE.findall(person.heard)
    assert numbers or (kind == "no_food_or_shelter" and not night and level == "L2")
    assert len({number for number in numbers if number not in ("2026",)}) <= 2 or kind == "no_food_or_shelter"
    assert keeps_limits(person.turn), [reply.text for reply in person.turn.replies]


@pytest.mark.parametrize("kind", DANGER_KINDS)
def test_every_unclear_danger_is_asked_about(town, kind):
    person = Resident(town).says("…", danger=unclear(kind))
    assert person.at_step == "danger.unclear"
    assert keeps_limits(person.turn)


@pytest.mark.parametrize(
    ("kind", "about"),
    [("no_food_or_shelter", "寝るところ"), ("partner_violence", "たたかれ"), ("elder_abuse", "たたかれ"), ("sexual_violence", "こわい")],
)
def test_nobody_is_asked_about_death_who_only_hinted_at_another_danger(town, kind, about):
    person = Resident(town).says("…", danger=unclear(kind))
    assert about in person.heard
    assert "死にたい" not in person.heard


# ---------------------------------------------------------------- while a human owns the talk


def test_while_a_human_owns_the_talk_the_numbers_come_once_for_each_level(resident, town):
    first = flows.card_while_human(resident.session, told(), resident.now, town)
    assert first is not None
    assert "0120-279-338" in first.replies[0].text
    assert flows.card_while_human(first.session, told(), resident.now, town) is None
    higher = flows.card_while_human(first.session, now("suicide"), resident.now, town)
    assert higher is not None
    assert "119" in higher.replies[0].text
    assert flows.card_while_human(higher.session, now("suicide"), resident.now, town) is None


def test_unclear_words_do_not_break_the_silence(resident, town):
    assert flows.card_while_human(resident.session, unclear(), resident.now, town) is None


def test_danger_comes_before_a_button_and_before_any_form(resident):
    resident.begins().says("家賃が払えなくて困ってます")
    resident.does(
        Utterance(kind="button", button=f"{resident.session.ask}:right", parts=(flows.model.Part(ref="m8", text="死にたい"),), danger=told())
    )
    assert resident.at_step == "danger.asked"


@pytest.mark.parametrize(
    ("text", "lang"), [("I want to die", "en"), ("我不想活了，我没有办法", "zh"), ("Eu não quero mais viver", "pt"), ("Tôi muốn chết", "vi")]
)
def test_danger_is_answered_in_the_language_it_was_heard_in(resident, text, lang):
    resident.says(text, danger=told())
    assert resident.session.lang == lang
    assert "ありがとう" not in resident.heard
    assert "0120-279-338" in resident.heard
    assert "0120-061-338" not in resident.heard
