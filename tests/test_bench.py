"""What a run of the benchmark says of what it could not measure."""

import xml.etree.ElementTree as ET

from rich.console import Console

from bot.bench import results
from bot.bench.load import Figures
from bot.bench.speed import RATES, Lap


def figures(kept_up: bool) -> Figures:
    return Figures(events=100, answered=90, seconds=2.0, p50=12.0, p99=34.0, failed=0, kept_up=kept_up)


def printed(laps: dict[str, list[Lap]]) -> str:
    console = Console(record=True, width=200)
    console.print(results.table(laps, RATES, 48))
    return console.export_text()


def row(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if name in line)


def test_a_rate_that_was_too_much_is_said_to_be_and_so_are_the_higher_ones():
    lap = Lap(first=True, flat_out=figures(True), steady={10.0: figures(True), 50.0: figures(False)})
    text = printed({"SQLite": [lap]})
    assert "12.0 / 34.0" in row(text, "at 10/s ")
    assert "could not keep up" in row(text, "at 50/s")
    assert "could not keep up" in row(text, "at 200/s")


def test_what_the_time_did_not_reach_is_no_figure():
    text = printed({"echo app": [Lap(first=False, flat_out=figures(True))], "SQLite": [Lap(first=True)]})
    assert row(text, "events/s ").count("–") == 1
    assert "could not keep up" not in text


def test_the_picture_names_everybody_and_is_well_formed():
    laps = {"echo app": [Lap(first=False, flat_out=figures(True))], "<SQLite>": [Lap(first=True, steady={10.0: figures(True), 50.0: figures(False)})]}
    drawn = ET.fromstring(results.picture(laps, RATES))
    told = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert told.count("<SQLite>") == 1 + len(RATES)
    assert told.count("could not keep up") == len(RATES) - 1, "50 and 200 of those that were tried"
    assert told.count("not measured") == 1 + len(RATES), "events a second of the one, every rate of the other"
