"""The second ear hears what resembles the counsellors' sentences, asks rather than alarms, and says that it was it."""

import json
from pathlib import Path

import pytest

from knowledge.hearing.danger import DangerList
from knowledge.hearing.danger_features import Meanings, families
from knowledge.hearing.danger_fit import fingerprint, fit
from knowledge.hearing.rank.meanings import table

LIST = Path(__file__).parents[3] / "knowledge" / "starter" / "danger.yaml"

SMALL = """
rules:
  - id: wish
    why: 死にたい
    level: L2
    kinds: [suicide]
    hear: [死にたい]
    must: [死にたい]
    must_not: [死語の本]
sentences:
  - kinds: [suicide]
    level: L2
    said: [夜の海を見ていると吸いこまれそう, 夜の海に歩いて行きたい, 夜の川を見ていると吸いこまれそう]
left_alone: [夜の花火を見たい, 昼の海で泳ぎたい, 海の家の予約をしたい]
"""


@pytest.fixture(scope="module")
def danger() -> DangerList:
    return DangerList.load(LIST)


def test_the_stored_ear_was_fitted_to_the_sentences_of_today(danger: DangerList) -> None:
    stored = json.loads((LIST.with_suffix("") / "ear.json").read_text(encoding="utf-8"))
    assert stored["sentences"] == fingerprint(danger), "python -m knowledge.hearing.danger_fit"


def test_nearly_all_sentences_of_the_list_are_heard_and_nearly_no_look_alike(danger: DangerList) -> None:
    missed = [s.said for s in danger.sentences if not danger.scan(s.said).heard]
    asked = [said for said in danger.left_alone if danger.scan(said).heard]
    alarmed = [said for said in asked if danger.scan(said).level != "L1"]
    assert len(missed) <= 0.04 * len(danger.sentences), missed
    assert len(asked) <= 0.05 * len(danger.left_alone), asked
    assert len(alarmed) <= 0.02 * len(danger.left_alone), alarmed


def test_words_of_danger_in_an_ordinary_question_are_asked_about_and_alarm_nobody(danger: DangerList) -> None:
    quoted = "「死にたい気持ちは病気のせい」と"
    assert danger.scan(f"本に{quoted}書いてありました。うつ病の家族教室で使いたいのですが、コピーしてよいでしょうか").level == "L1"
    assert danger.scan(f"主治医に{quoted}言われました。でも帰り道、踏切の前で足が止まりません").level in ("L2", "L3")


def test_what_only_the_ear_hears_is_named_so(danger: DangerList) -> None:
    by_ear = [one for one in (danger.scan(sentence.said) for sentence in danger.sentences[::20]) if one.rule == "second-ear"]
    assert by_ear
    assert all(one.said and one.kinds for one in by_ear)
    assert {one.level for one in by_ear} >= {"L2", "L3"}


def test_an_empty_or_ordinary_message_gives_the_ear_nothing(danger: DangerList) -> None:
    for said in ("", "。", "Can you help me with the trash calendar", "Queria aprender japonês de graça", "我想学日语，有免费的班吗"):
        assert danger.scan(said).rule != "second-ear"


def test_a_danger_in_the_middle_of_a_long_worry_about_forms_is_heard(danger: DangerList) -> None:
    before = "保育料の減免のことで伺います。書類は三枚そろえました。印鑑も持っています。土曜の窓口は何時までですか。"
    after = "上の子の分もいっしょに出せますか。郵送でもよいですか。駐車場は何台とめられますか。よろしくお願いします。"
    told = "同居の兄が祖母の通帳を取り上げて、祖母は一日にパンを半分しか食べさせてもらえません。腕には指の形の跡があります。"
    assert "elder_abuse" in danger.scan(before + told + after).kinds
    assert not danger.scan(before + after).heard


def test_a_list_without_an_ear_hears_with_its_rules_alone(tmp_path: Path) -> None:
    (tmp_path / "danger.yaml").write_text(SMALL, encoding="utf-8")
    alone = DangerList.load(tmp_path / "danger.yaml")
    assert alone.scan("死にたい").level == "L2"
    assert alone.scan("夜の海を見て吸いこまれそうです").level == "L0"


def test_an_ear_fitted_to_a_list_hears_like_its_sentences_and_always_alike(tmp_path: Path) -> None:
    (tmp_path / "danger.yaml").write_text(SMALL, encoding="utf-8")
    (tmp_path / "danger").mkdir()
    alone = DangerList.load(tmp_path / "danger.yaml")
    ordinary = ["図書館は何時までですか", "ごみの日を知りたい"]
    stored = fit(alone, ordinary).stored()
    assert stored == fit(alone, ordinary).stored()
    (tmp_path / "danger" / "ear.json").write_text(json.dumps(stored), encoding="utf-8")
    with_ear = DangerList.load(tmp_path / "danger.yaml")
    heard = with_ear.scan("夜の川を見て吸いこまれそうです")
    assert heard.rule == "second-ear"
    assert heard.kinds == ("suicide",)
    assert with_ear.scan("図書館の予約をしたい").level == "L0"


def test_words_of_like_meaning_share_a_sign_so_that_one_teaches_the_other() -> None:
    meanings = Meanings(table(), families(table()))
    debt, loan, blanket = (set(meanings.features([word])) for word in ("借金", "負債", "毛布"))
    assert debt & loan
    assert not debt & blanket


def test_the_ear_raises_a_rule_to_now_and_lowers_a_habit_of_years_to_a_crisis_told(danger: DangerList) -> None:
    now = danger.scan("夫に殴られています。いま玄関のドアを蹴破ろうとしています。子どもと押し入れにいます")
    long = danger.scan("夫に殴られる日が続いて三年です。先月は歯が折れました。誰にも言えていません")
    assert (now.level, long.level) == ("L3", "L2")
