"""The small parts: what was typed instead of pressed, moments in words, promises, lines that are struck out, texts that are cut."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import flows
from flows.answers import chosen
from flows.letters import room, shortened
from flows.model import Choice, Said, Scene, SheetLine
from flows.moments import clock_time, day_name, desk_at, weekly, when
from flows.phrasebook import built_in
from flows.sheet import erased, own_lines
from flows.typed import number, plain
from knowledge.entry import Hours, Town
from tests.flows.talks import HOLIDAY_NIGHT, JST, TUESDAY_MORNING

MONEY_OR_FAMILY = (Choice(value="money", label="①お金・仕事"), Choice(value="family", label="②家族・介護・子ども"))
THERE_OR_NOT = (Choice(value="there", label="いる"), Choice(value="not_there", label="いない"))
RIGHT_OR_WRONG = (Choice(value="right", label="合っている"), Choice(value="wrong", label="ちがう"))


# ---------------------------------------------------------------- typed


@pytest.mark.parametrize("text", ["1", "１", "①", "いちばん", "1番", "１です", "一番", " 1。", "ひとつ目", "1番目のやつのほう", "一つ目の"])
def test_a_number_may_be_typed_in_any_way(text):
    assert number(text) == 1
    assert chosen(text, MONEY_OR_FAMILY, {}) == "money"


@pytest.mark.parametrize(("text", "value"), [("最後の", "family"), ("一番下のやつです", "family"), ("一番上", "money"), ("真ん中の", None)])
def test_a_choice_may_be_pointed_at(text, value):
    assert chosen(text, MONEY_OR_FAMILY, {}) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("お金・仕事", "money"), ("お金", "money"), ("仕事です", "money"), ("子ども", "family"), ("カイゴ", "family"), ("3", None), ("", None)],
)
def test_a_label_or_part_of_it_is_a_choice(text, value):
    assert chosen(text, MONEY_OR_FAMILY, {}) == value


@pytest.mark.parametrize(("text", "value"), [("いる", "there"), ("いない", "not_there"), ("いないです", "not_there"), ("いるわけない", "not_there")])
def test_a_denial_is_never_taken_for_its_opposite(text, value):
    assert chosen(text, THERE_OR_NOT, {}) == value


def test_a_denied_label_is_no_yes():
    assert chosen("合っていません", RIGHT_OR_WRONG, {}) is None
    assert chosen("合っている", RIGHT_OR_WRONG, {}) == "right"


def test_a_long_text_is_never_a_choice():
    assert chosen("仕事をなくして家賃も払えず、家族にも言えないでいます", MONEY_OR_FAMILY, {}) is None


@given(st.text(max_size=80))
def test_any_text_is_compared_without_an_error(text):
    assert plain(plain(text)) == plain(text) or len(plain(text)) > 0
    assert chosen(text, MONEY_OR_FAMILY, {}) in ("money", "family", None)


@pytest.mark.parametrize(
    "word",
    ["人と話す", "もどる", "やめる", "最初から", "たすけて", "戻る。", "HELP", "talk to a person", "返回", "socorro", "quay lại", "ヒトト ハナス"]
)
def test_the_words_that_work_everywhere(word):
    assert flows.is_everywhere_word(word)


@pytest.mark.parametrize("text", ["", "母の介護のことで相談したいです", "もどるところがない", "会社をやめたいけど生活が心配です"])
def test_a_worry_is_no_such_word(text):
    assert not flows.is_everywhere_word(text)


# ---------------------------------------------------------------- moments


def test_moments_are_said_as_people_say_them():
    ja, easy, en = (built_in()[lang].clock for lang in ("ja", "easy", "en"))
    now = TUESDAY_MORNING
    assert when(now.replace(hour=13, minute=20), now, ja) == "13:20"
    assert when(datetime(2026, 11, 25, 8, 30, tzinfo=JST), now, ja) == "明日（水）8:30"
    assert day_name(datetime(2026, 12, 3).date(), now, ja) == "12月3日（木）"
    assert clock_time(datetime(2026, 12, 3, 13, 5), easy) == "午後（ごご） 1:05"
    assert clock_time(datetime(2026, 12, 3, 12, 0), easy) == "午後（ごご） 12:00"
    assert when(datetime(2026, 11, 25, 8, 30, tzinfo=JST), now, en) == "tomorrow (Wed) 8:30"


def test_opening_hours_are_said_in_the_residents_language():
    rows = (Hours.model_validate({"days": "月-金", "from": "8:30", "to": "17:15"}),)
    assert weekly(rows, built_in()["ja"].clock) == "月〜金 8:30〜17:15"
    assert weekly(rows, built_in()["en"].clock) == "Mon–Fri 8:30–17:15"


@given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 20)), st.integers(10, 600))
def test_a_promise_is_never_in_the_past_nor_outside_opening_hours(moment, minutes):
    town = Town.model_validate(
        {
            "name": "町", "desk_name": "窓口", "neutral_site": "https://example.jp/", "retention": "三年", "closed": ["祝日", "年末年始"],
            "hours": [{"days": "月-金", "from": "8:30", "to": "12:00"}, {"days": "月-金", "from": "13:00", "to": "17:15"}],
        }
    )  # fmt: skip
    now = moment.replace(tzinfo=JST, second=0, microsecond=0)
    desk = desk_at(Scene(now=now, reply_minutes=minutes), town)
    assert desk.answers_by is not None
    assert desk.answers_by >= now + timedelta(minutes=min(minutes, 1))
    assert desk.answers_by.weekday() < 5
    begun = desk.answers_by.hour * 60 + desk.answers_by.minute
    assert 8 * 60 + 30 <= begun <= 17 * 60 + 15
    assert desk.state == ("open" if desk.reads_at == now else "closed")


def test_a_town_that_does_not_say_its_hours_promises_no_time():
    town = Town.model_validate({"name": "町", "desk_name": "窓口", "neutral_site": "https://example.jp/", "retention": "三年"})
    desk = desk_at(Scene(now=HOLIDAY_NIGHT), town)
    assert (desk.state, desk.answers_by) == ("unknown", None)


# ---------------------------------------------------------------- lines of the sheet


def test_own_lines_are_cut_never_reworded(town):
    story = (Said(text="こんにちは。母が転んで、家は2階で、貯金も来月まで、夜も眠れなくて、どうしたらいいかわからなくて困っています", ref="m1"),)
    lines = own_lines(story, town)
    assert all(line.text in story[0].text for line in lines)
    assert all(len(line.text) <= 36 for line in lines)
    assert "こんにちは" not in [line.text for line in lines]
    assert {line.refs for line in lines} == {("m1",)}


def test_words_are_struck_with_the_comma_they_leave_behind():
    lines = (SheetLine(about="worry", text="39歳、一人暮らし"), SheetLine(about="worry", text="足のけが"))
    assert [line.text for line in erased(lines, "39歳", None) or ()] == ["一人暮らし", "足のけが"]
    assert [line.text for line in erased(lines, "", 2) or ()] == ["39歳、一人暮らし"]
    assert erased(lines, "犬", None) is None
    assert erased(lines, "", 7) is None


# ---------------------------------------------------------------- cutting


def test_a_reading_takes_no_room_and_is_never_cut():
    assert room("相談（そうだん）") == 2
    assert room("ab") == 1
    assert shortened("相談（そうだん）する所（ところ）", 4) == "相談（そうだん）す…"


@given(st.text(max_size=200), st.integers(2, 60))
def test_a_cut_text_fits(text, most):
    assert room(shortened(text, most)) <= most
