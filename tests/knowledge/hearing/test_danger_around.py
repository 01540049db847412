"""Whatever stands around a danger, and however it is typed, silences nothing (G1)."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.hearing.danger import DangerList

LIST = DangerList.load(Path(__file__).parents[3] / "knowledge" / "starter" / "danger.yaml")
TOLD = [
    "夫に殴られて、前歯が折れました", "死にたい。もう全部いやだ", "父が倒れて息をしていません", "薬を全部飲みました", "三日間なにも食べていません",
    "おとうさんがたたく。いえにかえりたくない", "会社にパスポートを取られて寮から出られません", "家が燃えています", "母の首を絞めてしまいそうです",
]  # fmt: skip
CHATTER = [
    "図書館は何時までですか。", "今日はいい天気ですね。", "ごみの日を教えてください。", "こんにちは。", "孫の入学祝いを買いました。",
    "印鑑は要りますか。", "うちの犬は元気です。",
]  # fmt: skip
LOOK_ALIKES = [
    "殺虫剤をまきたいです。",
    "昨日のドラマは面白かったです。",
    "死ぬほど忙しいです。",
    "ゲームで負けました。",
    "火の車です。",
    "推しが尊くて死ぬ。",
]
around = st.lists(st.sampled_from(CHATTER), max_size=4).map("".join)


def widths(said: str) -> list[str]:
    """As typed on other keyboards: full and half width, decomposed, katakana, spaces, line breaks, emoji."""
    katakana = "".join(chr(ord(letter) + 0x60) if "ぁ" <= letter <= "ゖ" else letter for letter in said)
    return [unicodedata.normalize("NFD", said), katakana, "\u200b".join(said), said.replace("、", "\n"), said.replace("。", "😭😭"), f"😢{said}😢"]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(TOLD), around, around)
def test_chatter_before_and_after_silences_nothing(said: str, before: str, after: str) -> None:
    assert LIST.scan(f"{before}{said}。{after}").heard


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(TOLD), st.sampled_from(LOOK_ALIKES))
def test_a_look_alike_beside_it_silences_nothing(said: str, look_alike: str) -> None:
    assert LIST.scan(f"{said}。\n\n{look_alike}").heard
    assert LIST.scan(f"{look_alike}\n\n{said}").heard


@pytest.mark.parametrize("said", TOLD)
def test_any_keyboard_and_any_line_break_is_heard(said: str) -> None:
    assert [typed for typed in widths(said) if not LIST.scan(typed).heard] == []


@pytest.mark.parametrize("said", TOLD)
def test_sent_in_two_messages_anywhere_it_is_heard_with_one_of_them(said: str) -> None:
    silent = [place for place in range(1, len(said)) if not (LIST.scan(said[:place]).heard or LIST.scan(said[place:], [said[:place]]).heard)]
    assert silent == []
