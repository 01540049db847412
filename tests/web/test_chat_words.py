"""The page's own words, its times and numbers, and the words that lead back."""

import math
import re
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import JST
from bot.web import chrome as chrome_module
from bot.web.chat_view import ruby, tel_href
from bot.web.chrome import Chrome, chrome_of, every_chrome
from bot.web.phrase import WORDS, make_phrase, plain, words
from knowledge.entry import Town

AT = datetime(2026, 11, 23, 14, 5, tzinfo=JST)
EVERY = list(every_chrome().values())


def test_six_words_are_more_than_sixty_bits():
    assert len(set(words())) == len(words()) >= 1000
    assert WORDS * math.log2(len(words())) > 60


def test_every_word_is_easy_to_write():
    assert all(re.fullmatch("[ぁ-ん]{2,4}", word) and not set(word) & set("づぢをー") for word in words())


def test_no_two_words_differ_only_by_marks():
    unmarked = str.maketrans("がぎぐげござじずぜぞだでどばびぶべぼぱぴぷぺぽっゃゅょ", "かきくけこさしすせそたてとはひふへほはひふへほつやゆよ")
    assert len({word.translate(unmarked) for word in words()}) == len(words())


def test_a_phrase_is_the_same_however_it_is_spaced():
    phrase = make_phrase()
    assert len(phrase) == WORDS
    assert plain(" ".join(phrase)) == plain("・".join(phrase)) == plain("".join(phrase)) == "".join(phrase)


@given(st.text())
def test_any_text_can_be_tried_as_a_phrase(written: str):
    assert re.fullmatch("[ぁ-ゖー]*", plain(written))


def test_numbers_never_stand_among_the_words_of_the_page():
    written = Path(chrome_module.__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    kept = re.sub(r"\{\w+\}", "", written)
    assert re.findall(r"[0-9０-９]+", kept) == []


@pytest.mark.parametrize("chrome", EVERY, ids=lambda chrome: chrome.lang)
def test_every_language_has_all_its_words(chrome: Chrome):
    blank = [name for name, value in chrome.model_dump().items() if value == ""]
    assert blank == []
    assert "{town}" in chrome.title
    assert "{hours}" in chrome.open_hours


def test_times_and_days_are_written_as_residents_read_them():
    assert (chrome_of("ja").time_of(AT), chrome_of("ja").day_of(AT.date())) == ("14:05", "11月23日（月）")
    assert (chrome_of("easy").time_of(AT), chrome_of("easy").day_of(AT.date())) == ("午後 2:05", "2026年11月23日（月）")
    assert (chrome_of("en").time_of(AT), chrome_of("en").day_of(AT.date())) == ("2:05 PM", "Mon 23 Nov 2026")


@pytest.mark.parametrize(
    ("lang", "line"),
    [
        ("ja", "月〜金 8:30–17:15 / 土 9:00–12:00"),
        ("en", "Mon–Fri 8:30–17:15 / Sat 9:00–12:00"),
        ("zh", "周一至周五 8:30–17:15 / 周六 9:00–12:00"),
    ],
)
def test_opening_hours_are_said_in_the_language_of_the_page(lang: str, line: str):
    town = Town.model_validate(
        {
            "name": "みなと市（見本）", "desk_name": "見本", "neutral_site": "https://example.jp/", "retention": "見本",
            "hours": [{"days": "月-金", "from": "8:30", "to": "17:15"}, {"days": "土", "from": "9:00", "to": "12:00"}],
        }
    )  # fmt: skip
    assert chrome_of(lang).hours_of(town) == line


@pytest.mark.parametrize(("number", "href"), [("119", "tel:119"), ("#7119", "tel:%237119"), ("000-0000-1001", "tel:00000001001")])
def test_a_number_can_be_called(number: str, href: str):
    assert tel_href(number) == href


def test_furigana_stands_above_its_word_only_in_easy_japanese():
    assert ruby("家（いえ）の お金（かね）", "easy") == [("家", "いえ"), ("の お", ""), ("金", "かね")]
    assert ruby("家（いえ）の お金（かね）", "ja") == [("家（いえ）の お金（かね）", "")]


@given(st.text("家金いえかね（）。 a"))
def test_furigana_loses_no_letter(text: str):
    assert "".join(word + (f"（{kana}）" if kana else "") for word, kana in ruby(text, "easy")) == text
