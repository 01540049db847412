"""The second ear hears what resembles the counsellors' sentences, asks rather than alarms, and says that it was it."""

import json
from pathlib import Path

import pytest

from knowledge.hearing.danger import DangerList
from knowledge.hearing.danger_fit import fingerprint, fit

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
    alarmed = [said for said in danger.left_alone if danger.scan(said).heard]
    assert len(missed) <= 0.02 * len(danger.sentences), missed
    assert len(alarmed) <= 0.02 * len(danger.left_alone), alarmed


def test_what_only_the_ear_hears_is_named_so_and_never_taken_for_life_in_danger_now(danger: DangerList) -> None:
    heard = [danger.scan(sentence.said) for sentence in danger.sentences]
    by_ear = [one for one in heard if one.rule == "second-ear"]
    assert by_ear
    assert all(one.level in ("L1", "L2") and one.said for one in by_ear)


def test_an_empty_or_foreign_message_gives_the_ear_nothing(danger: DangerList) -> None:
    for said in ("", "。", "Can you help me", "meu filho tá com um problema", "我家里有点事"):
        assert danger.scan(said).rule != "second-ear"


def test_a_list_without_an_ear_hears_with_its_rules_alone(tmp_path: Path) -> None:
    (tmp_path / "danger.yaml").write_text(SMALL, encoding="utf-8")
    alone = DangerList.load(tmp_path / "danger.yaml")
    assert alone.scan("死にたい").level == "L2"
    assert alone.scan("夜の海を見て吸いこまれそうです").level == "L0"


def test_an_ear_fitted_to_a_list_hears_like_its_sentences_and_always_alike(tmp_path: Path) -> None:
    (tmp_path / "danger.yaml").write_text(SMALL, encoding="utf-8")
    (tmp_path / "danger").mkdir()
    alone = DangerList.load(tmp_path / "danger.yaml")
    points, bias = fit(alone, ["図書館は何時までですか", "ごみの日を知りたい"])
    assert (points, bias) == fit(alone, ["図書館は何時までですか", "ごみの日を知りたい"])
    (tmp_path / "danger" / "ear.json").write_text(json.dumps({"points": points, "bias": bias}), encoding="utf-8")
    with_ear = DangerList.load(tmp_path / "danger.yaml")
    heard = with_ear.scan("夜の川を見て吸いこまれそうです")
    assert heard.rule == "second-ear"
    assert heard.kinds == ("suicide",)
    assert with_ear.scan("図書館の予約をしたい").level == "L0"
