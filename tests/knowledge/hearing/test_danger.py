"""Danger is heard in the words people use, and look-alikes are left in peace (G1, D6, D12, D13)."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.hearing.danger import DangerList

SPELLINGS = ["しにたい", "シニタイ", "ｼﾆﾀｲ", "し に た い", "死にた い", "しーにーたーい", "しにたぃ", "タヒにたい", "死・に・た・い", "「死にたい」"]
FOREIGN = [
    "我想死，不想活了", "我被家暴，他毆打我", "Não quero mais viver", "nao quero mais viver", "Tôi không muốn sống nữa",
    "Toi khong muon song nua", "I WANT TO DIE",
]  # fmt: skip
WORDS = ["死にたい", "夫", "に", "殴られ", "。", "昔", "ゲームで", " ", "たすけて", "薬", "飲んだ", "ない", "犬が", "kill myself", "家暴"]
LIST = Path(__file__).parents[3] / "knowledge" / "starter" / "danger.yaml"


@pytest.fixture(scope="module")
def danger() -> DangerList:
    return DangerList.load(LIST)


def test_every_sentence_inside_the_list_comes_out_as_its_rule_says(danger: DangerList) -> None:
    assert danger.test() == []


def test_the_list_carries_enough_sentences_to_be_trusted(danger: DangerList) -> None:
    heard = [s for rule in danger.rules for s in (*rule.must, *rule.must_now, *rule.asks)]
    left_alone = [s for rule in danger.rules for s in rule.must_not]
    assert len(set(heard)) >= 350
    assert len(set(left_alone)) >= 350


@pytest.mark.parametrize(
    "said",
    [
        "死ぬほど忙しい", "笑い死ぬ", "歯が死ぬほど痛い", "殺虫剤をまきたい", "害虫を殺したい", "タネを殺菌", "必死で探してる", "死語", "死角",
        "死亡届の出し方", "父が死にました、手続きは？", "首が回らない", "首になりそう", "火の車", "炎上した", "ガス代を安くしたい",
        "子どもに叱りすぎたかも", "夫婦げんかが多い", "ゲームで殺された", "推しが尊くて死ぬ",
    ],
)  # fmt: skip
def test_look_alikes_of_the_reference_dialogues_start_no_crisis_answer(danger: DangerList, said: str) -> None:
    assert danger.scan(said).level == "L0"


@pytest.mark.parametrize(
    ("said", "level", "kind"),
    [
        ("もう薬を飲んでも意味ないから全部終わりにする", "L2", "suicide"),
        ("お世話になりました。部屋は片づけました", "L1", "suicide"),
        ("遺書ってどう書けばいい", "L2", "suicide"),
        ("父のところへ行きたい", "L1", "suicide"),
        ("首に縄をかけた", "L3", "suicide"),
        ("ガスくさい、頭が痛い", "L3", "fire_disaster"),
        ("子どもを叩くのが止められない", "L2", "child_abuse"),
        ("夫が帰る音がすると息が止まる", "L1", "partner_violence"),
        ("ODした", "L3", "suicide"),
        ("眠剤ためてる", "L2", "suicide"),
        ("もう限界です", "L1", "suicide"),
        ("夫になぐられる。今も下にいる", "L3", "partner_violence"),
        ("介護してる母を叩いてしまった。もう無理", "L2", "harm_to_others"),
        ("所持金200円、今日から食べるものがない", "L2", "no_food_or_shelter"),
        ("父が倒れて息してない", "L3", "medical_emergency"),
    ],
)
def test_mild_words_of_the_reference_dialogues_are_heard(danger: DangerList, said: str, level: str, kind: str) -> None:
    heard = danger.scan(said)
    assert heard.level == level
    assert kind in heard.kinds


@pytest.mark.parametrize("said", SPELLINGS)
def test_one_wish_is_heard_in_every_spelling(danger: DangerList, said: str) -> None:
    assert "suicide" in danger.scan(said).kinds


@pytest.mark.parametrize("said", FOREIGN)
def test_offered_languages_are_heard_with_and_without_accents_and_in_both_chinese_scripts(danger: DangerList, said: str) -> None:
    assert danger.scan(said).heard


def test_every_decision_names_its_rule_and_the_words_as_written(danger: DangerList) -> None:
    said = "税金の件です。 ｼﾆﾀｲ と毎日思っています"
    heard = danger.scan(said)
    assert heard.rule == "suicide-wish"
    assert heard.said == "ｼﾆﾀｲ"


def test_negation_is_understood_and_the_next_words_still_count(danger: DangerList) -> None:
    assert danger.scan("死にたいわけじゃないです。話し相手がほしい").level == "L0"
    assert danger.scan("死にたいわけじゃないけど、このまま消えてしまいたい").level == "L2"


def test_the_past_is_asked_about_and_the_overcome_past_left_alone(danger: DangerList) -> None:
    assert danger.scan("昔、死にたい頃がありました").level == "L1"
    assert danger.scan("昔、死にたい頃がありましたが今は元気で、同じ人の話を聞く側になりたいです").level == "L0"
    assert danger.scan("昔、死にたい頃がありました。今もまた死にたいです").level == "L2"


def test_a_signal_split_over_messages_is_heard_with_the_last_one(danger: DangerList) -> None:
    heard = danger.scan("殴られました", earlier=["こんばんは", "さっき夫に"])
    assert "partner_violence" in heard.kinds
    assert heard.said is not None
    assert heard.said in "殴られました"
    assert danger.scan("毎日それを考えてます", earlier=["死ぬって楽なのかな"]).level == "L2"


def test_an_old_signal_does_not_fire_again_on_every_later_message(danger: DangerList) -> None:
    assert danger.scan("火曜の窓口は何時までですか", earlier=["死にたい", "もう消えたい"]).level == "L0"


def test_taking_words_back_cancels_nothing_in_the_same_message(danger: DangerList) -> None:
    assert danger.scan("死にたいです。やっぱり忘れてください").level == "L2"
    assert danger.scan("さっきのは嘘です、夫に殴られてなんかないです。でも本当はまた殴られました").level != "L0"


def test_another_person_in_danger_is_told_apart(danger: DangerList) -> None:
    assert danger.scan("友達が今から死ぬって言っています").who == "other"
    assert danger.scan("父が倒れて息をしていません").who == "family"
    assert danger.scan("夫に殴られています").who == "self"


def test_a_child_is_answered_as_a_child_and_a_learner_of_japanese_is_not(danger: DangerList) -> None:
    assert danger.scan("おとうさんがたたく。いえにかえりたくない").child_speaks
    assert not danger.scan("おっとが わたしを たたきます。しごとに いけません").child_speaks


def test_a_worry_of_daily_life_around_it_hides_nothing(danger: DangerList) -> None:
    said = "国保の納付書が三期分あります。印鑑は要りますか。駐車場は有料ですか。実は薬をためていて、もう死ぬつもりです。土曜は開いていますか。"
    assert danger.scan(said).level in ("L2", "L3")


def test_an_empty_message_is_no_danger(danger: DangerList) -> None:
    assert danger.scan("").level == "L0"
    assert danger.scan(" \n\u200b　").level == "L0"


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300), st.lists(st.text(max_size=80), max_size=5))
def test_any_text_is_scanned_without_error_and_always_alike(said: str, earlier: list[str]) -> None:
    scanned = _LOADED.scan(said, earlier)
    assert scanned == _LOADED.scan(said, earlier)
    assert (scanned.rule is None) == (scanned.level == "L0")
    assert scanned.said is None or scanned.said in said


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=40))
def test_any_mixture_of_danger_words_cuts_its_proof_from_the_text(pieces: list[str]) -> None:
    said = "".join(pieces)
    heard = _LOADED.scan(said)
    assert heard.said is None or heard.said in said


_LOADED = DangerList.load(LIST)


@pytest.mark.parametrize(("before", "now"), [("死に", "たい"), ("もう、し", "にたい"), ("いま薬を", "全部飲んだ")])
def test_a_word_cut_in_two_messages_is_heard(danger: DangerList, before: str, now: str) -> None:
    assert danger.scan(now, [before]).level in ("L2", "L3")
    assert danger.scan(now).level in ("L0", "L1")


@pytest.mark.parametrize("nothing", ["", " ", "\n"])
def test_a_message_without_a_word_repeats_no_danger_of_the_last_one(danger: DangerList, nothing: str) -> None:
    assert danger.scan(nothing, ["もう限界"]).level == "L0"
