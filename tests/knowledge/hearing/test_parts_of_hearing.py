"""The small parts: even writing, languages, synonyms, phrases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.hearing.language import language
from knowledge.hearing.normalise import cut, plain
from knowledge.hearing.phrases_seen import Phrases, flat
from knowledge.hearing.rank import keys
from knowledge.hearing.rank.glossary import Glossary
from knowledge.hearing.rank.signs import read
from knowledge.hearing.rank.synonyms import Synonyms


@pytest.mark.parametrize(
    ("said", "lang"),
    [
        ("家賃が払えません", "ja"),
        ("生活保護申請方法", "ja"),
        ("わたしは にほんごが すこし わかりません。やさしい にほんごで おしえて ください", "easy"),
        ("よる ねむれません だれに きいたら よいですか", "ja"),
        ("I lost my job", "en"),
        ("我想离婚", "zh"),
        ("公司倒闭了，房租付不起", "zh"),
        ("渡邊髙橋﨑草彅", "ja"),
        ("國民健康保険料滞納", "ja"),
        ("Não consigo pagar o aluguel", "pt"),
        ("preciso de ajuda para minha mae", "pt"),
        ("Queria aprender a falar japonês", "pt"),
        ("Tôi bị mất việc", "vi"),
        ("월세를 못 내겠어요", "ko"),
        ("मलाई मद्दत चाहिन्छ", "ne"),
        ("Hindi ko po alam kung saan ako pupunta", "tl"),
        ("Saya tidak bisa bayar sewa", "id"),
        ("No puedo pagar el alquiler, ¿dónde pido ayuda?", "es"),
        ("", "ja"),
        ("12345", "ja"),
    ],
)
def test_the_language_is_told_from_a_few_words(said: str, lang: str) -> None:
    assert language(said) == lang


@given(st.text(max_size=200))
def test_even_writing_remembers_where_it_came_from(said: str) -> None:
    even = plain(said)
    assert len(even.text) == len(even.origin)
    assert list(even.origin) == sorted(even.origin)
    assert all(even.said(at, at + 1) in said for at in range(len(even.text)))


def test_half_width_kana_emoji_and_kaomoji_are_evened_out() -> None:
    assert "".join(plain("ｶﾞｽ代💦が(´；ω；`)ＨＥＬＰ").text.split()) == "ガス代がhelp"


def test_the_sound_of_a_text_is_the_same_in_kana_and_kanji() -> None:
    assert cut(plain("相談")).sound == cut(plain("そうだん")).sound == cut(plain("ソウダン")).sound


SYNONYMS = Synonyms.of([["街灯", "街路灯"], ["嫁", "よめ"], ["生活保護", "せいかつほご"], ["デイサービス", "デイ"], ["姉妹"]])


@pytest.mark.parametrize("said", ["街路灯が切れた", "せいかつ ほごについて", "生活ほごを", "デイに行く"])
def test_a_synonym_is_found_however_it_is_written(said: str) -> None:
    assert keys.SYNONYM in keys.kinds(read(said, SYNONYMS).keys)


@pytest.mark.parametrize("said", ["字がよめない", "食べてしまいました", "住んでいて"])
def test_a_synonym_is_not_found_inside_other_words(said: str) -> None:
    assert keys.SYNONYM not in keys.kinds(read(said, SYNONYMS).keys)


@pytest.mark.parametrize(
    ("said", "band"), [("79の父と二人です", "old"), ("八十八の母", "old"), ("1歳の子", "infant"), ("小4の娘", "pupil"), ("十七歳です", "teen")]
)
def test_ages_are_heard_as_bands(said: str, band: str) -> None:
    assert keys.named(keys.AGE, band) in read(said, SYNONYMS).keys


GLOSSARY = Glossary.of([{"ja": ["立ち退き"], "en": ["evict"], "pt": ["despej"]}, {"ja": ["バス"], "en": ["bus"]}])


def test_foreign_words_are_met_from_their_beginning() -> None:
    assert GLOSSARY.japanese(plain("They are evicting us"), "en") == [(("立ち退き",), 9, 17)]


def test_a_short_foreign_word_is_met_only_whole() -> None:
    assert GLOSSARY.japanese(plain("my business is slow"), "en") == []


def test_a_phrase_may_have_a_gap_but_not_across_sentences() -> None:
    phrases = Phrases.of({"offer": ["余って…もらって"], "greeting": ["こんにちは"]})
    assert phrases.met(flat("お米が余っているので、もらってください")) == {"offer"}
    assert not phrases.met(flat("お米が余っている。前にもらってうれしかった"))
