"""The ranking: left out means left out, N means N, and an entry may be as bare as a name."""

import time
from types import SimpleNamespace

import pytest

from knowledge.base import Base
from knowledge.hearing.calibrate import calibrate
from knowledge.hearing.index import Index
from knowledge.hearing.language import language
from knowledge.hearing.lexicon import Lexicon


def entry(entry_id: str, name: str, summary: str | None = "", **more: object) -> SimpleNamespace:
    return SimpleNamespace(id=entry_id, name=name, summary=summary, **more)


def test_an_example_left_out_really_leaves_the_score(base: Base) -> None:
    said = base.entries["food-bank"].examples[0]
    asked = base.hearing.ask(said)
    at = base.hearing.ids.index("food-bank")
    with_it, without = asked.whole().scores, asked.whole(leave_out=said).scores
    assert without.examples[at] < with_it.examples[at]
    assert without.letters[at] < with_it.letters[at]
    assert without.domains[at] < with_it.domains[at]


def test_leaving_an_example_out_is_like_never_having_written_it() -> None:
    said = "水道の検針票が二枚たまって、止めますと書いてありました"
    others = {
        "a": entry("a", "水道の相談", examples=["水道が止まりそうです", "水道代を待ってほしい"]),
        "b": entry("b", "図書館", examples=["本を借りたい"]),
    }
    with_it = Index.build({**others, "a": entry("a", "水道の相談", examples=["水道が止まりそうです", "水道代を待ってほしい", said])})
    never = Index.build(others)
    told, left = with_it.ask(said).whole().scores, with_it.ask(said).whole(leave_out=said).scores
    assert left.examples[0] < told.examples[0] / 2
    assert left.letters[0] < told.letters[0]
    assert [match.id for match in with_it.rank(said, leave_out=said)] == [match.id for match in never.rank(said)]


def test_leaving_out_what_is_no_example_changes_nothing(base: Base) -> None:
    said = "家賃が払えません"
    assert base.hearing.rank(said) == base.hearing.rank(said, leave_out="これは例文ではありません")


def test_japanese_examples_find_their_own_entry_first(base: Base) -> None:
    """All but one in a hundred: among many thousands some are as true of a neighbour. A foreign one is looked up by way of the glossary."""
    told = [
        (entry_id, example)
        for entry_id, one in list(base.entries.items())[::6]
        for example in one.examples[::3]
        if language(example) in ("ja", "easy")
    ]
    missed = [(entry_id, example) for entry_id, example in told if base.hearing.rank(example, limit=1)[0].id != entry_id]
    assert len(missed) <= len(told) / 100


@pytest.mark.parametrize("limit", [1, 7, 172, 10_000])
def test_a_ranking_has_as_many_as_asked_for_if_there_are_so_many(base: Base, limit: int) -> None:
    ranked = base.hearing.rank("補聴器", limit=limit)
    assert len(ranked) == min(limit, len(base.entries)) == len({match.id for match in ranked})


def test_scores_fall_along_the_ranking(base: Base) -> None:
    scores = [match.score for match in base.hearing.rank("保育園に入れなくて仕事に戻れません", limit=20)]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_an_entry_needs_no_more_than_a_name() -> None:
    index = Index.build({"a": entry("a", "街路灯の修理"), "b": entry("b", "粗大ごみの収集"), "c": entry("c", "印鑑登録")})
    assert index.rank("家の前の街灯が切れて真っ暗です")[0].id == "a"


def test_the_plain_order_is_that_of_the_ranking(base: Base) -> None:
    for said in ("補聴器が高い", "ごみ出しがつらい", "", "I lost my job"):
        assert base.hearing.order(said, 9) == [match.id for match in base.hearing.rank(said, limit=9)]


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("古いタンスを引き取ってほしい", "b"),
        ("実印にするハンコを登録したい", "c"),
        ("道に穴が開いていて危ない", "d"),
        ("よその市に引っ越すときの届けは", "e"),
    ],
)
def test_a_city_that_wrote_names_alone_is_understood_in_everyday_words(said: str, right: str) -> None:
    entries = {"a": entry("a", "燃えるごみの収集日"), "b": entry("b", "粗大ごみの申し込み"), "c": entry("c", "印鑑証明"),
               "d": entry("d", "道路の陥没の通報"), "e": entry("e", "転出届"), "f": entry("f", "テレビを処分したいとき")}  # fmt: skip
    assert Index.build(entries).rank(said)[0].id == right


def test_no_entry_is_too_odd_to_be_ranked() -> None:
    odd = {"a": entry("a", "", ""), "b": entry("b", "12345"), "c": entry("c", "Tax office", "FAQ"), "d": SimpleNamespace(id="d", name="上下水道"),
           "e": entry("e", "名" * 3_000, "説明" * 20_000), "f": entry("f", "市税", None)}  # fmt: skip
    index = Index.build(odd)
    for said in ("水道", "tax", "", "12345", "あ" * 5_000, "😀"):
        assert sorted(index.order(said, 10)) == sorted(odd)


def test_an_empty_base_finds_nothing_and_does_not_fall() -> None:
    assert Index.build({}).rank("家賃が払えない") == []


def test_a_towns_own_synonyms_are_heard() -> None:
    entries = {"a": entry("a", "地域猫の相談"), "b": entry("b", "市民プール")}
    index = Index.build(entries, (("もふもふ隊", "地域猫"),))
    assert index.rank("もふもふ隊に連絡したい")[0].id == "a"


@pytest.mark.parametrize(
    ("kana", "kanji"),
    [
        ("せいかつほごを うけたい", "生活保護を受けたい"),
        ("ほちょうきが たかくて かえません", "補聴器が高くて買えません"),
        ("むすこが ひきこもって います", "息子が引きこもっています"),
    ],
)
def test_hiragana_alone_finds_what_kanji_find(base: Base, kana: str, kanji: str) -> None:
    first = base.hearing.rank(kanji, limit=1)[0].id
    assert first in {match.id for match in base.hearing.rank(kana, limit=3)}


def test_a_slip_of_the_finger_does_not_lose_the_way(base: Base) -> None:
    assert base.hearing.rank("しょうがくき んの返さいがくるしい", limit=1)[0].id == "shougakukin-henkan"


def test_what_an_entry_is_not_for_does_not_put_it_first(base: Base) -> None:
    sentences = [(one.id, text) for one in base.entries.values() for text in one.not_for]
    wrong = [text for entry_id, text in sentences if base.hearing.rank(text, limit=1)[0].id == entry_id]
    assert len(wrong) <= len(sentences) // 20


def test_time_grows_gently_with_the_length_of_the_text(base: Base) -> None:
    def taken(text: str) -> float:
        begun = time.perf_counter()
        for _ in range(5):
            base.hearing.rank(text)
        return time.perf_counter() - begun

    said = "母の介護で仕事を辞めました。貯金も減って家賃が心配です。"
    taken(said)
    assert taken(said * 40) < 60 * max(taken(said * 4), 0.002)


def test_calibration_is_deterministic_and_orders_what_can_be_answered(base: Base) -> None:
    examples = [example for one in base.entries.values() for example in one.examples]
    once, again = (calibrate(base.hearing, examples, every=12) for _ in range(2))
    assert once == again
    assert once.ranking > 0.65


def test_a_small_base_keeps_the_usual_confidence() -> None:
    index = Index.build({"a": entry("a", "図書館", examples=["本を借りたい"])}, lexicon=Lexicon.load())
    assert calibrate(index, ["本を借りたい"]).confidence == index.confidence


def test_texts_asked_together_are_answered_as_if_each_were_asked_alone(base: Base) -> None:
    texts = [text for one in list(base.entries.values())[:40] for text in one.examples[::7]] + ["Não consigo pagar o aluguel", "", "あ" * 900]
    together = base.hearing.orders(texts, 3)
    alone = [base.hearing.order(text, 3) for text in texts]
    assert len(together) == len(texts)
    assert sum(one == other for one, other in zip(together, alone, strict=True)) >= 0.99 * len(texts)


def test_a_second_sentence_says_its_own_words_though_the_first_said_them_too(base: Base) -> None:
    once, twice = "配偶者と話がしたい", "配偶者が入院しました。配偶者と話がしたい"
    alone = base.hearing.ask(once).whole().scores.examples
    after_another = base.hearing.ask(twice).part(len(twice) - len(once), len(twice)).scores.examples
    assert after_another == pytest.approx(alone, abs=1e-4)
