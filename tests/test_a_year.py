"""A year of a small town, lived through the public face: every figure of it is counted again here, from the rows and in another way."""

import json
from collections import Counter
from datetime import UTC, datetime

import pytest

from bot.clock import JST
from bot.desk import figures_page
from tests.town import Town

_WORRIES = (
    "母が同じことを何回も聞くようになりました。どこに相談すればいいですか",
    "家賃が払えなくて困っています",
    "足を痛めて2か月、買い物袋が持てない。要介護じゃないし障害でもないと言われた",
    "子どもが学校に行けていません",
    "人と話したい",
)
_MONTHS = [f"2026-{month:02d}" for month in range(4, 13)] + [f"2027-{month:02d}" for month in range(1, 4)]


def month_of(written: object) -> str:
    at = datetime.fromisoformat(str(written))
    return f"{(at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(JST):%Y-%m}"


def lives(town: Town) -> None:
    """Each month some residents come; a coordinator answers, sometimes late; helpers offer a hand."""
    sato = town.coordinator("佐藤")
    for number, month in enumerate(_MONTHS):
        for place in range(3):
            town.clock.stands_at(f"{month}-{3 + 7 * place:02d} {(10, 20, 14)[place]}:00")
            resident = town.resident_on("line" if (number + place) % 2 else "web")
            resident.taps("相談をはじめる").says(_WORRIES[(number + place) % len(_WORRIES)])
            if "引きついでほしい" in resident.buttons():
                resident.taps("引きついでほしい").taps("これでよい").taps("はい")
            elif "渡す" in resident.buttons():
                resident.taps("渡す")
        for (code,) in town.rows("SELECT code FROM care_case WHERE state = 'waiting'"):
            sato.claims(code).replies(code, "読みました。一緒に考えます。").closes(code)
        helper = town.resident_on("web").taps("相談をはじめる").says("手伝いたい").says("手を動かすこと").says("土日")
        if number % 2:
            helper.taps("説明会の日")


@pytest.mark.slow
def test_every_figure_of_a_year_can_be_counted_again(town: Town) -> None:
    lives(town)
    town.clock.stands_at("2027-04-01 10:00")
    counts, closed = town.on_loop(figures_page.whole(town.parts, tuple(_MONTHS)))
    assert not closed
    shown = town.rows("SELECT at, conversation_id, detail FROM outcome WHERE kind = 'match'")
    matches = [(month_of(at), talk, json.loads(detail)) for at, talk, detail in shown]
    opened = [(month_of(at), talk) for at, talk in town.rows("SELECT opened_at, conversation_id FROM care_case")]
    asked = {(month, talk) for month, talk, _ in matches} | set(opened)
    work = counts["work"]
    assert len(asked) >= 20, "the year is a year"
    assert work["consulted"] == len(asked)
    assert work["new"] == len({talk for _, talk in asked})
    assert work["handed"] == len(opened)
    assert work["by_human"] == len(set(opened))
    assert work["by_bot"] == len(asked - set(opened))
    assert work["unanswered"] == len({(month, talk) for month, talk, detail in matches if detail["decision"] == "gap"})
    promises = town.rows("SELECT state, due_at, done_at FROM promise WHERE kind IN ('reply', 'reply_again') AND state IN ('kept', 'late')")
    assert work["promises"] == len(promises)
    assert work["promises_kept"] == sum(state == "kept" and str(done) <= str(due) for state, due, done in promises)
    assert work["closed"] == town.rows("SELECT count(*) FROM care_case WHERE state = 'closed'")[0][0] > 0
    assert work["offers"] == town.rows("SELECT count(*) FROM offer")[0][0] == 6
    assert work["gaps"] == town.rows("SELECT count(*) FROM gap")[0][0] > 0
    assert work["messages"] == town.rows("SELECT count(*) FROM message WHERE author = 'resident'")[0][0]
    reasons = Counter(reason for (written,) in town.rows("SELECT reasons FROM gap") for reason in json.loads(written))
    assert counts["gap_reasons"] == dict(reasons)
    channels = dict(town.rows("SELECT id, channel FROM conversation"))
    assert counts["channels"] == dict(Counter(channels[talk] for _, talk in asked))
    assert sum(counts["times"].values()) == work["messages"]
    assert sum(counts["replies"].values()) == sum(counts["places"].values()) == work["handed"]
