"""What other processes think ahead is taken where it fits, and nothing rests on it: not on its being right, nor on anybody's being alive."""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import flows
from bot import looking, reception
from bot.ahead import Question, Thought, think
from bot.channels.port import Inbound, Outgoing
from bot.hearers import Hearers
from bot.living import LivingKnowledge
from bot.reception import Received, Rules
from flows.model import Reply
from storage.store import Store
from tests.kept import kept
from tests.town import OPENING, Town, knowledge_of

SAMPLE = Path(__file__).parent.parent / "knowledge" / "sample-town"
AT_ONCE, SETTLING = Rules(settle=timedelta(0)), Rules(settle=timedelta(seconds=2))
RENT, SUICIDE, THOUGHT = "家賃が払えません", "もう死にたい", "前もって考えたこと"


@pytest.fixture(scope="module")
def known() -> flows.Town:
    return knowledge_of(SAMPLE).town


@pytest.fixture
def hearers(known: flows.Town, tmp_path: Path) -> Iterator[Hearers]:
    found = Hearers(known, SAMPLE, tmp_path / "kept", 2)
    yield found
    found.close()


def writes(text: str, number: int = 1) -> Inbound:
    return Inbound("line", f"event-{number}", "text", "U1", OPENING, "{}", text=text)


def receives(store: Store, known: flows.Town, inbound: Inbound, thought: Thought | None = None, rules: Rules = AT_ONCE) -> Received:
    return store.transact(lambda rows: reception.receive(rows, inbound, known, rules, OPENING, whole, thought))


def whole(outgoing: Outgoing) -> Sequence[Outgoing]:
    return (outgoing,)


def looks(store: Store, known: flows.Town, inbound: Inbound, rules: Rules = AT_ONCE) -> Question:
    found = store.transact(lambda rows: looking.at_event(rows, inbound, known, rules, OPENING))
    assert found is not None
    return found


def thinks(store: Store, known: flows.Town, inbound: Inbound) -> Thought:
    """A thought that can be told from what the flow says."""
    question = looks(store, known, inbound)
    danger, turn = think(question, known)
    assert turn is not None
    return Thought(question, danger, turn.model_copy(update={"replies": (Reply(text=THOUGHT),)}))


def said(received: Received) -> str:
    return "\n".join(letter.body for letter in received.letters)


def met(store: Store, known: flows.Town) -> None:
    """Somebody who has been welcomed."""
    receives(store, known, writes("こんにちは", 100))


# ---------------------------------------------------------------- where it fits


def test_what_was_thought_ahead_is_said(store: Store, known: flows.Town) -> None:
    met(store, known)
    worry = writes(RENT)
    assert THOUGHT in said(receives(store, known, worry, thinks(store, known, worry)))


def test_a_thought_is_worth_nothing_once_the_talk_has_gone_on(store: Store, known: flows.Town) -> None:
    met(store, known)
    worry = writes(RENT)
    stale = thinks(store, known, worry)
    receives(store, known, writes("最初から", 2))
    received = receives(store, known, worry, stale)
    assert received.letters
    assert THOUGHT not in said(received)


def test_a_thought_about_other_words_or_another_version_of_the_town_is_not_taken(store: Store, known: flows.Town) -> None:
    met(store, known)
    worry = writes(RENT)
    thought = thinks(store, known, worry)
    other_town = replace(thought, question=replace(thought.question, knowledge="before"))
    assert THOUGHT not in said(receives(store, known, worry, other_town))
    fresh = thinks(store, known, writes(RENT, 3))
    received = receives(store, known, writes(SUICIDE, 2), fresh)
    assert THOUGHT not in said(received)
    assert "0120" in said(received)


@pytest.mark.parametrize("rules", [AT_ONCE, SETTLING])
def test_danger_is_answered_at_once_with_and_without_a_thought(store: Store, known: flows.Town, rules: Rules) -> None:
    met(store, known)
    words = writes(SUICIDE)
    question = looks(store, known, words, rules)
    received = receives(store, known, words, Thought(question, *think(question, known)), rules)
    assert received.settle_at is None
    assert "0120" in said(received)


def test_the_first_words_of_somebody_unknown_are_heard_ahead_too(store: Store, known: flows.Town) -> None:
    question = looks(store, known, writes(SUICIDE))
    danger, turn = think(question, known)
    assert danger is not None
    assert danger.heard
    assert "0120" in said(receives(store, known, writes(SUICIDE), Thought(question, danger, turn)))


def test_looking_changes_nothing(store: Store, known: flows.Town) -> None:
    met(store, known)
    before = store.transact(lambda rows: looking.talks.find(rows, "line", "U1"))
    looks(store, known, writes(RENT))
    assert store.transact(lambda rows: looking.talks.find(rows, "line", "U1")) == before


# ---------------------------------------------------------------- who thinks it


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


async def all_of(hearers: Hearers, questions: Sequence[Question]) -> list[Thought | None]:
    return await asyncio.gather(*(hearers.think(question) for question in questions))


async def until_answered(hearers: Hearers, question: Question) -> None:
    async with asyncio.timeout(30):
        while await hearers.think(question) is None:
            await asyncio.sleep(0.1)


def children_of(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def both_of(hearers: Hearers, *, other_than: Set[int] = frozenset()) -> set[int]:
    """Both of them, once they are there."""
    return so_many_of(hearers, 2, other_than)


def so_many_of(hearers: Hearers, count: int, other_than: Set[int] = frozenset()) -> set[int]:
    """So many of them, once they are there."""
    end = time.monotonic() + 30
    while len(found := set(children_of(hearers.nursery)) - other_than) < count:
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def test_hearers_think_what_the_reception_would_have_thought(hearers: Hearers, loop: asyncio.Runner, store: Store, known: flows.Town) -> None:
    met(store, known)
    questions = [looks(store, known, writes(text, at)) for at, text in enumerate((RENT, SUICIDE, "母の物忘れがひどくて心配です") * 5)]
    for question, thought in zip(questions, loop.run(all_of(hearers, questions)), strict=True):
        assert thought is not None
        assert (thought.question, thought.danger, thought.turn) == (question, *think(question, known))


def test_a_hearer_that_dies_is_replaced(hearers: Hearers, loop: asyncio.Runner, store: Store, known: flows.Town) -> None:
    question = looks(store, known, writes(RENT))
    old = both_of(hearers)
    for one in old:
        os.kill(one, signal.SIGKILL)
    loop.run(until_answered(hearers, question))
    assert len(both_of(hearers, other_than=old)) == 2


def test_after_a_change_of_the_knowledge_the_hearers_know_it_too(loop: asyncio.Runner, store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "town"
    shutil.copytree(SAMPLE, folder)
    shutil.copytree(kept(SAMPLE.name), tmp_path / "kept", dirs_exist_ok=True)
    living = LivingKnowledge(folder, tmp_path / "kept")
    hearers = Hearers(living.town, folder, tmp_path / "kept", 1)
    try:
        (folder / "drill.yaml").write_text('id: drill\nname: ためし\nsummary: ためしです。\nexamples: ["家賃が払えません"]\n', encoding="utf-8")
        assert living.catch_up()
        loop.run(until_answered(hearers, looks(store, living.town, writes(RENT))))
    finally:
        hearers.close()


def test_to_be_told_to_end_is_no_trouble_worth_a_line_in_the_log(known: flows.Town, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    usual = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # as a server does
    try:
        hearers = Hearers(known, SAMPLE, tmp_path / "kept", 1)
    finally:
        signal.signal(signal.SIGTERM, usual)
    [hearer] = so_many_of(hearers, 1)
    os.kill(hearer, signal.SIGTERM)
    end = time.monotonic() + 30
    while Path(f"/proc/{hearer}").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    hearers.close()
    assert "hearer_ends" not in "".join(capfd.readouterr())


def test_when_our_process_ends_so_do_the_hearers(known: flows.Town, tmp_path: Path) -> None:
    hearers = Hearers(known, SAMPLE, tmp_path / "kept", 2)
    both, end = both_of(hearers), time.monotonic() + 30
    hearers.close()
    while any(Path(f"/proc/{one}").exists() for one in both):
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("settle", [0.0, 2.0])
def test_when_nobody_is_left_to_hear_residents_are_answered_all_the_same(
    build_town: Callable[..., Town], town_store: Store, hearers: Hearers, settle: float
) -> None:
    town = build_town(town_store, settle_seconds=settle)
    town.hearers = hearers
    with town:
        resident, other = town.resident_on("line").taps("相談をはじめる"), town.resident_on("line").taps("相談をはじめる")
        resident.says(RENT)
        town.passes(seconds=3)
        for one in (hearers.nursery, *children_of(hearers.nursery)):
            os.kill(one, signal.SIGKILL)
        other.says(RENT)
        town.passes(seconds=3)
        assert resident.cards() == other.cards()
        assert resident.cards()
