"""Every word of every language: complete, short enough for a phone, honest, and without a single telephone number (G2, G3, G7, G8, G12, G13)."""

import re
from collections.abc import Iterator

import pytest

import flows
from flows.filling import fill
from flows.phrasebook import HERE, SLOT, SPOKEN, built_in, phrasebook
from knowledge.base import BrokenBase
from knowledge.hearing.model import Lang
from tests.flows.talks import width, without_reading

BOOK = built_in()
STAFF_ONLY = (
    "sheet.whose.", "sheet.area", "sheet.lang", "sheet.commissioner", "sheet.risk.", "sheet.self", "sheet.of_age", "sheet.deadline", "sheet.knows",
    "sheet.does_not_know", "sheet.cannot_say",
)  # fmt: skip
ONLY_JAPANESE = (
    "cards.reflect", "helper.invite_wanted", "gap.reflect", "several.one_person_soon", "third.knows", "third.mother", "third.father", "third.parents",
)  # fmt: skip
"""A quotation inside a Japanese sentence."""
PROMISES_NEVER_MADE = ("絶対に秘密", "きっと大丈夫", "頑張って", "すぐ行きます", "受けられます", "該当する制度はありません", "しばらくお待ち")
LABELS_OF_PEOPLE = ("8050", "ひきこもり", "ダブルケア", "ヤングケアラー", "メンヘラ")
TYPICAL = {
    "lines": "よりそいホットライン 0120-000-000（24時間・無料）\nよりそいホットライン", "line": "救急・消防 119",
    "said": "足を痛めて2か月、杖で歩けるけど買い物袋が持てない",
    "count": "3", "waiting": "12", "answer": "明日（火）13:20", "read": "明日（火）8:30", "moment": "11月24日（火）8:30", "time": "13:20",
    "name": "佐藤", "day": "明日（火）", "receipt": "A-4K2Z", "messages": "24", "consents": "2", "tel": "000-0000-0000", "hours": "平日 8:30〜17:15",
    "why": "「同じことを何回も聞く」「どこに相談すれば」", "summary": "高齢の家族の、最初の相談先です", "how": "電話のあと、窓口で受けとります",
    "text": "市内に住んでいる人", "other": "田中",
    "date": "2026-10-01", "place": "東浜の集会所（見本）", "year": "2025", "month": "10", "area": "東浜", "lang": "英語",
    "deadline": "退院", "title": "庭の草取り（見本）を月に一度くらい", "titles": "庭の草取り（見本）、パソコンの相手（見本）",
    "who": "お父さま", "recipient": "くらしの相談窓口", "purpose": "相談を読むこと",
}  # fmt: skip


def wordings_of(lang: Lang) -> Iterator[tuple[str, str]]:
    """Key and wording of every bubble of a language."""
    for key, wordings in BOOK[lang].says.items():
        if not key.startswith(STAFF_ONLY) and key != "again":
            yield from ((key, wording) for wording in wordings)


@pytest.mark.parametrize("lang", SPOKEN)
def test_a_filled_bubble_is_read_at_one_glance(town: flows.Town, lang):
    filled = {key: fill(wording, TYPICAL, lang, town) for key, wording in wordings_of(lang)}
    assert {key: (width(text), text) for key, text in filled.items() if width(text) > 80} == {}


@pytest.mark.parametrize("lang", SPOKEN)
def test_own_sentences_stay_within_forty_letters(lang):
    """What we wrote ourselves, slots and the choices in brackets apart (G2)."""
    long = []
    for _, wording in wordings_of(lang):
        own = SLOT.sub("", re.sub(r"（[^（）]*・[^（）]*）|\([^()]* / [^()]*\)", "", wording))
        long += [sentence for sentence in re.split(r"(?<=[。！？?!])|(?<=\.)\s|\n|(?=[①②③④])", own) if width(sentence) > 44]
    assert long == []


@pytest.mark.parametrize("lang", SPOKEN)
def test_every_language_says_everything(lang):
    needed = {key for key in BOOK["ja"].says if not key.startswith(STAFF_ONLY + ONLY_JAPANESE)}
    assert needed - BOOK[lang].says.keys() == set()
    assert BOOK["ja"].buttons.keys() == BOOK[lang].buttons.keys()
    assert BOOK["ja"].clock.keys() == BOOK[lang].clock.keys()
    assert BOOK[lang].says.keys() <= BOOK["ja"].says.keys()


@pytest.mark.parametrize("lang", SPOKEN)
def test_translations_have_the_same_slots(lang):
    for key, wordings in BOOK[lang].says.items():
        slots = {slot for wording in BOOK["ja"].says[key] for slot in SLOT.findall(wording)}
        assert {slot for wording in wordings for slot in SLOT.findall(wording)} == slots, key


@pytest.mark.parametrize("lang", SPOKEN)
def test_crises_have_two_wordings_of_everything(lang):
    """Whoever writes of death twice must not get the same sentence twice (G10)."""
    for key, wordings in BOOK[lang].says.items():
        if re.fullmatch(r"crisis\.\w+\.(ack|numbers|question)", key):
            assert len(wordings) == 2, key


@pytest.mark.parametrize("lang", SPOKEN)
def test_no_number_stands_in_the_words(lang):
    phrases = BOOK[lang]
    words = [wording for wordings in phrases.says.values() for wording in wordings]
    for text in (*words, *phrases.buttons.values(), *phrases.lines.values()):
        assert not re.search(r"\d{3}", SLOT.sub("", text)), text


@pytest.mark.parametrize("lang", SPOKEN)
def test_nothing_is_promised_that_may_not_happen_and_nobody_is_labelled(lang):
    said = "\n".join(wording for wordings in BOOK[lang].says.values() for wording in wordings)
    for word in PROMISES_NEVER_MADE + LABELS_OF_PEOPLE:
        assert word not in said


@pytest.mark.parametrize("lang", SPOKEN)
def test_labels_fit_a_phone(lang):
    for name, label in BOOK[lang].buttons.items():
        assert 0 < width(label) <= 12.5, f"{name}: {label}"
        assert len(label) <= 20, f"{name}: {label}"


UNASKED = ("follow_up.how_are_you", "follow_up.open_now", "handoff.late", "handoff.late_again")
"""What we push without being asked: somebody else may read it on the lock screen (G9, R12)."""
TOPICS = (
    "介護", "お金", "仕事", "病", "子ども", "相談先", "家賃", "暴力", "DV", "こころ", "福祉", "相談内容", "money", "care", "health",
    "violence", "福利",
)  # fmt: skip
COLD = (
    "できません！", "してください！", "頑張", "がんばって", "残念ながら", "ご了承", "無効な", "エラー", "入力して", "ユーザー", "チケット", "♪",
    "笑", "ｗ",
)  # fmt: skip
"""Scolding, cheering, and the words of machines and forms (G13)."""


@pytest.mark.parametrize("lang", SPOKEN)
@pytest.mark.requirement("R12")
def test_what_is_pushed_unasked_tells_a_lock_screen_nothing(town: flows.Town, lang):
    for key in UNASKED:
        for wording in BOOK[lang].says[key]:
            said = fill(wording, TYPICAL, lang, town)
            assert [word for word in TOPICS if word in said] == [], f"{key}: {said}"
            assert town.base.town.name not in said


@pytest.mark.parametrize("lang", SPOKEN)
def test_nobody_is_scolded_cheered_on_or_spoken_to_like_a_form(lang):
    for key, wording in wordings_of(lang):
        assert [word for word in COLD if word in wording] == [], f"{key}: {wording}"
        assert not re.search(r"[\U0001F300-\U0001FAFF☀-➿]", wording), f"{key}: no emoji is needed to understand"


def test_everything_said_to_a_grown_up_is_polite():
    """です・ます in every sentence of Japanese, children apart (G13)."""
    polite = re.compile(r"(?:です|ます|ました|ません|でした|ください|ましょう|でしょう|ありがとう|こんにちは|はい|一つだけ|でも)[ねか]?。$")
    for key, wording in wordings_of("ja"):
        if key.startswith(("crisis.child.", "unsure.child", "young.", "card", "details", "withdraw.", "crisis.food.little_ones", "show.counts")):
            continue
        bare = SLOT.sub("です", re.sub(r"（[^（）]*）|[①②③④⑤]\S+|「[^」]*」", "", wording))
        loose = [one for one in re.split(r"(?<=。)|\n", bare) if one.strip().endswith("。") and not polite.search(one.strip())]
        assert loose == [], f"{key}: {loose}"


def test_easy_japanese_has_a_reading_for_every_kanji():
    """D12; labels are exempt, they must match what is typed."""
    for key, wordings in BOOK["easy"].says.items():
        for wording in wordings:
            bare = re.sub(r"[一-鿿々]+[ぁ-ゖ]{0,2}（[ぁ-ゖー]+）|「[^」]*」|（[^（）]*・[^（）]*）|（家族[^（）]*）", "", SLOT.sub("", wording))
            bare = re.sub(r"[0-9]+(?:日|月|年)", "", bare)
            assert not re.search(r"[一-鿿]", without_reading(bare)) or key in ("language.which", "language.which_more"), f"{key}: {bare}"


def test_one_wording_said_twice_still_fits(town: flows.Town):
    for lang in SPOKEN:
        before = BOOK[lang].says["again"][0]
        for key, wordings in BOOK[lang].says.items():
            if len(wordings) == 1 and key != "again" and not key.startswith((*STAFF_ONLY, "card")):
                filled = fill(wordings[0], TYPICAL, lang, town)
                assert width(before.replace("{text}", filled)) <= 90, f"{lang} {key}"


# ---------------------------------------------------------------- a town's own words


def test_a_town_lays_its_own_words_over_ours(tmp_path):
    (tmp_path / "phrases").mkdir()
    (tmp_path / "phrases" / "ja.yaml").write_text("says:\n  stop.done: ほな、ここまで。いつでも書いてな。\n", encoding="utf-8")
    book = phrasebook(tmp_path)
    assert book["ja"].says["stop.done"] == ("ほな、ここまで。いつでも書いてな。",)
    assert book["ja"].says["odd.hello"] == BOOK["ja"].says["odd.hello"]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("says:\n  stop.doen: おわり\n", "unknown_phrase"),
        ("says:\n  stop.done: 電話は0120-000-000です\n", "number"),
        ("says:\n  stop.done: またね、{name}さん\n", "unknown_slot"),
        ("sayings:\n  stop.done: おわり\n", "unknown_section"),
    ],
)
def test_a_mistake_in_a_towns_words_is_named_with_its_place(tmp_path, written, code):
    (tmp_path / "phrases").mkdir()
    (tmp_path / "phrases" / "ja.yaml").write_text(written, encoding="utf-8")
    with pytest.raises(BrokenBase) as broken:
        phrasebook(tmp_path)
    assert [(problem.code, problem.line > 0) for problem in broken.value.problems] == [(code, True)]


def test_the_files_hold_nothing_but_known_sections():
    assert sorted(file.stem for file in HERE.glob("*.yaml")) == sorted(SPOKEN)
