"""`madoguchi eval` fails where hearing falls short of what was agreed."""

import json
from pathlib import Path

import pytest

from bot.bench import ablation, curve, names_only, paired, residents
from bot.bench.eval import AGREED, BOTH, CALIBRATED, DANGERS, DECISIONS, FIRST, OTHERS, RESIDENTS, THREE, UNSEEN, fallen_short
from knowledge.base import STARTER, Base, load
from tests.kept import kept


@pytest.fixture(scope="module")
def base() -> Base:
    return load(STARTER, kept("starter"))


@pytest.mark.parametrize(
    ("figures", "missed"),
    [
        ({"heard": 0.99, "false": 0.03}, []),
        ({"heard": 0.98, "false": 0.03}, ["heard: 0.980, agreed at least 0.99"]),
        ({"heard": 1.0, "false": 0.04}, ["false: 0.040, agreed at most 0.03"]),
        ({"heard": 1.0}, ["false: not measured"]),
    ],
)
def test_a_figure_short_of_the_agreed_one_is_named(tmp_path: Path, figures: dict[str, float], missed: list[str]) -> None:
    agreed = tmp_path / "agreed.json"
    agreed.write_text(json.dumps({"heard": {"least": 0.99}, "false": {"most": 0.03}}), encoding="utf-8")
    assert fallen_short(figures, agreed) == missed


def test_every_agreed_figure_is_one_that_is_measured() -> None:
    assert set(json.loads(AGREED.read_text(encoding="utf-8"))) <= {
        FIRST, THREE, BOTH, *DECISIONS, *UNSEEN, *OTHERS, *CALIBRATED, *RESIDENTS, *names_only.MEASURES, *DANGERS,
    }  # fmt: skip


# ---------------------------------------------------------------- luck or not


def test_what_helps_nine_lines_in_ten_is_no_luck() -> None:
    found = paired.change([False] * 90 + [True] * 10, [True] * 100)
    assert found.by == pytest.approx(0.9)
    assert 0 < found.least <= found.by <= found.most
    assert not found.is_luck


def test_one_line_won_and_one_lost_may_be_luck() -> None:
    assert paired.change([True, False] + [True] * 50, [False, True] + [True] * 50).is_luck


def test_only_lines_that_were_asked_both_times_are_compared(tmp_path: Path) -> None:
    paired.keep({"first": {"a": True, "b": False, "gone": True}}, tmp_path / "before.json")
    shown = paired.table(tmp_path / "before.json", {"first": {"a": True, "b": True, "new": False}, "another": {"a": True}})
    assert [list(column.cells) for column in shown.columns][:4] == [["first"], ["2"], ["0.500"], ["1.000"]]


# ---------------------------------------------------------------- residents who answer


def _line(**changes: object) -> dict[str, object]:
    line = {"text": "なんかもう、どうしたらいいかわからなくて", "ids": ["kyouiku-soudan", "ssw-sc"], "group": "family"}
    return {**line, "whose": "child", "more": "子どもが学校に行けていない", "said": [], **changes}


def test_a_resident_who_answers_in_words_has_cards_after_one_question(base: Base) -> None:
    talk = residents.Talk(_line(), residents.flows.load_town(base), in_words=True).goes_on()
    assert talk.asked == ["consult.which"]
    assert residents.found(talk, questions=1)
    assert not residents.found(talk, questions=0)


def test_a_resident_who_only_presses_is_asked_twice(base: Base) -> None:
    talk = residents.Talk(_line(), residents.flows.load_town(base), in_words=False).goes_on()
    assert talk.asked == ["consult.which", "consult.whose"]
    assert not residents.found(talk, questions=1)


def test_a_question_about_what_was_said_is_counted(base: Base) -> None:
    talk = residents.Talk(_line(said=["group"]), residents.flows.load_town(base), in_words=False).goes_on()
    assert residents.asked_again([talk]) == [True]


# ---------------------------------------------------------------- without a channel, and the picture


def test_a_base_without_its_examples_hears_less(base: Base) -> None:
    less = dict(ablation.without_each(base))
    assert set(less) == {"examples", "names", "domains", "letters", "meanings", "not_for", "synonyms"}
    told = [(entry.id, entry.examples[0]) for entry in base.entries.values() if entry.examples]

    def found(one: Base) -> int:
        return sum(own in one.hearing.order(text, 1) for own, text in told)

    assert found(less["examples"]) < found(base)


def test_the_picture_draws_a_promise_that_is_kept_on_the_line() -> None:
    drawn = curve.picture([(0.75, True)] * 75 + [(0.75, False)] * 25, {"typo": [True] * 9 + [False], "rare": [True]})
    assert f'<circle cx="{curve._across(0.75):.1f}" cy="{curve._down(0.75):.1f}"' in drawn
    assert "0.90 of 10" in drawn
    assert "rare" not in drawn
