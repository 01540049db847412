"""How it is said to somebody tired, afraid or angry: nobody is accused, no cry is given back as a quotation, nothing is told twice (G2, G11, G13)."""

import pytest

from flows.model import RaiseAlarm
from knowledge.hearing.model import Danger
from tests.flows.talks import HOLIDAY_NIGHT, Resident

TIRED = "夫の介護で疲れました"
DYING = Danger(level="L2", kinds=("suicide",), rule="suicide-wish", said="死にたい")
BEATEN = Danger(level="L2", kinds=("elder_abuse",), rule="seen", said="たたかれ")


def domains_of(resident: Resident) -> set[str]:
    return {resident.town.base.entries[one].domain for one in resident.cards}


# ---------------------------------------------------------------- cards


def test_whoever_is_only_tired_of_caring_is_not_shown_the_report_of_abuse(resident):
    resident.begins().says(TIRED)
    assert resident.cards
    assert "bouryoku" not in domains_of(resident)


def test_what_accuses_is_shown_when_it_is_what_fits_best(resident):
    resident.begins().says("母の年金を弟が全部使いこみ、母は食べるものにも困っています")
    assert "koureisha-gyakutai" in resident.cards


def test_what_accuses_is_shown_to_whoever_told_of_violence(resident):
    resident.begins()
    resident.session = resident.session.model_copy(update={"danger": BEATEN})
    resident.says(TIRED)
    assert "koureisha-gyakutai" in resident.cards


# ---------------------------------------------------------------- giving back


@pytest.mark.parametrize(
    ("told", "given_back"),
    [
        (("なんかもう、どうしたらいいかわからなくて", "2", "子供  がっこうにいけてない"), "「子供 がっこうにいけてない」"),
        (("もう限界です。借金の返済ができません",), "「借金の返済ができません」"),
    ],
)
def test_what_is_given_back_is_what_was_told_and_never_the_cry(resident, told, given_back):
    resident.begins()
    for words in told:
        resident.says(words)
    assert given_back in resident.heard


def test_bubbles_of_a_word_are_given_back_as_one_sentence(resident):
    resident.begins().says("電気代が", "はらえなくて")
    assert "「電気代が はらえなくて」" in resident.heard


# ---------------------------------------------------------------- a crisis


def test_when_it_is_read_is_said_once_in_a_night(town):
    resident = Resident(town, at=HOLIDAY_NIGHT).says("死にたい", danger=DYING)
    assert "いま職員は読んでいません" in resident.heard
    for words in ("していない", "つらい", "眠れない"):
        resident.says(words)
        assert resident.heard
        assert "いま職員は読んでいません" not in resident.heard


def test_who_would_rather_not_answer_is_not_thanked_for_telling(town):
    resident = Resident(town, at=HOLIDAY_NIGHT).says("死にたい", danger=DYING).presses("答えたくない")
    assert "言わなくて大丈夫" in resident.heard


def test_places_shown_after_a_wish_to_die_listen_and_never_quote_it(town):
    resident = Resident(town, at=HOLIDAY_NIGHT).says("借金が返せなくて死にたい", danger=DYING).presses("していない").presses("相談先を見る")
    reasons = [card.reason for reply in resident.turn.replies for card in reply.cards]
    assert resident.cards[0] == "kokoro-touitsu-dial"
    assert "tajuu-saimu" in resident.cards
    assert "死にたい" not in "".join(reasons)


# ---------------------------------------------------------------- anger, greetings, questions about us


@pytest.mark.parametrize("agreed", [True, False])
def test_yes_to_shall_we_connect_you_connects(resident, agreed):
    (resident.begins() if agreed else resident.follows()).says("役に立たないな").says("はい")
    assert resident.at_step == "handoff.share"


def test_an_insult_is_no_part_of_the_worry(resident):
    resident.begins().says("ばか").says("家賃が払えない")
    assert [said.text for said in resident.session.story] == ["家賃が払えない"]


@pytest.mark.parametrize("said", ["こんにちは", "あなたは誰？", "ありがとう"])
def test_what_is_no_worry_is_answered_before_the_yes_and_not_held(resident, said):
    resident.follows().says(said)
    assert resident.at_step == "consent.welcome"
    assert resident.session.story == ()
    assert "相談をはじめる" in resident.buttons


def test_advertising_before_the_yes_is_answered_once_then_not_at_all(resident):
    resident.follows().says("副業で稼げます https://example.com/a")
    assert resident.heard
    resident.says("副業で稼げます https://example.com/b")
    assert not resident.heard


# ---------------------------------------------------------------- other people


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("離れて暮らす義母が心配です", "お母さまは"), ("遠くに住む父と母が心配です", "ご両親は"), ("離れて暮らす叔母がごみをためています", None),
        ("実家の祖父母が心配です", None), ("県外の親戚が心配です", None),
    ],
)  # fmt: skip
def test_only_a_parent_is_asked_about_as_a_parent(resident, said, asked):
    resident.begins().says(said)
    assert (resident.at_step == "consult.knows") == (asked is not None)
    assert asked is None or asked in resident.heard


def test_somebody_lying_there_rings_the_desk(resident):
    resident.begins().says("隣のおばあさん、最近見かけないし新聞がたまってる").presses("ある")
    assert resident.effects(RaiseAlarm)


def test_a_life_in_danger_told_by_a_commissioner_rings_the_desk_and_brings_the_numbers(resident):
    resident.begins().says("民生委員です。一人暮らしの方がごはんを食べていないようです").presses("はい").says("先月から").presses("ある")
    assert "119" in resident.heard
    assert resident.says("いない").effects(RaiseAlarm)


# ---------------------------------------------------------------- typed, and in other languages


def test_the_buttons_of_a_card_can_be_typed(resident):
    resident.begins().says("家賃が払えなくて困ってます")
    first, second = resident.cards[:2]
    entries = resident.town.base.entries
    assert entries[first].name in resident.says("くわしく").heard
    assert entries[second].name[:6] in resident.says("②くわしく").heard
    assert "000-0000-100" in resident.says("電話番号を教えて").heard
    assert "合っている" in resident.buttons


@pytest.mark.parametrize("said", ["としよりの ひとりぐらしです でんきゅうが かえられない", "がっこうでいじめられてる。いきたくない"])
def test_who_writes_kana_only_is_answered_in_kana(resident, said):
    assert resident.begins().says(said).session.lang == "easy"


def test_a_vague_sentence_that_anybody_writes_in_kana_is_answered_as_usual(resident):
    assert resident.begins().says("なんかもう、どうしたらいいかわからなくて").session.lang == "ja"


def test_a_change_of_language_says_what_is_open_again(resident):
    resident.begins().says("家賃が払えなくて困ってます")
    cards = resident.cards
    resident.says("English")
    assert resident.cards == cards
    assert "Is this right?" in resident.heard


def test_a_change_of_language_in_a_crisis_keeps_its_question_and_numbers(resident):
    resident.follows().says("夫になぐられる", danger=Danger(level="L2", kinds=("partner_violence",), rule="partner-hits")).says("中文")
    assert "110" in resident.heard
    assert resident.at_step == "danger.asked"
    assert resident.buttons[0] == "安全"


def test_a_held_worry_is_asked_about_in_the_language_chosen(resident):
    resident.follows().says("家賃が払えない").says("English").presses("Go on")
    assert resident.cards


def test_a_typed_yes_leads_where_the_pressed_one_does(resident):
    told = "民生委員です。一人暮らしの方がごはんを食べていないようです"
    typed = Resident(resident.town).follows().says(told).says("このまま続ける")
    pressed = resident.follows().says(told).presses("このまま続ける")
    assert typed.at_step == pressed.at_step == "thirdparty.commissioner"
