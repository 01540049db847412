"""What every channel promises: words and buttons come through unharmed in both directions, and nothing forbidden ever leaves."""

import json
import logging

import pytest
from hypothesis import HealthCheck, given, settings

from bot.channels.port import Outgoing, Refused, Sent
from flows.model import Button, Reply
from storage.text import clean
from tests.contracts.stages import Stage, TerminalStage
from tests.contracts.turns import CARD, TURN, any_turns, good_turns

ODD_WORDS = [
    "こんにちは",
    "髙橋と𠮷田です。葛\U000e0100城市、辻\ufe00さん",
    "もう無理😭👨‍👩‍👧🇯🇵👍🏽",
    "<b>太字</b> & \"引用\" 'x' *_`[]()~",
    "か゚き゚ 　全角空白　が あ る",
    "改行\nあり\n\nます",
    "ﾊﾝｶｸ ①② ㍿ é e\u0301",
]


@pytest.mark.parametrize("words", ODD_WORDS)
async def test_words_of_a_resident_arrive_unchanged(stage: Stage, words: str):
    inbound = await stage.says(words)

    assert (inbound.kind, inbound.text) == ("text", words)
    assert inbound.sender
    assert inbound.channel == stage.channel.name


@pytest.mark.parametrize("words", ODD_WORDS)
async def test_our_words_reach_the_resident_unchanged(stage: Stage, words: str):
    assert await stage.send(Outgoing(bubbles=(Reply(text=words),))) == [Sent()]

    assert [bubble.text for bubble in stage.heard()] == [words]
    assert stage.violations() == []


async def test_a_pressed_button_comes_back_with_the_payload_we_sent(stage: Stage):
    await stage.send(TURN)

    for button in (*TURN.buttons, CARD.buttons[2]):
        inbound = await stage.presses(button.label)
        assert (inbound.kind, inbound.button) == ("button", button.value)
        assert inbound.text == ""


async def test_every_event_has_an_id_of_its_own(stage: Stage):
    ids = {(await stage.says("同じ言葉")).event_id for _ in range(3)}

    assert len(ids) == 3


async def test_a_whole_turn_shows_every_fact_of_its_cards(stage: Stage):
    assert all(isinstance(delivery, Sent) for delivery in await stage.send(TURN))

    shown = "\n".join("\n".join((bubble.text, *(line for card in bubble.cards for line in (card.title, *card.lines)))) for bubble in stage.heard())
    for fact in (TURN.bubbles[0].text, CARD.title, CARD.reason, *CARD.lines, TURN.bubbles[2].text):
        assert fact in shown
    assert stage.violations() == []


async def test_a_long_text_is_cut_but_nothing_of_it_is_lost(stage: Stage):
    words = "むかし、あるところに、\nおじいさんとおばあさんがいました😀。" * 900

    assert all(isinstance(delivery, Sent) for delivery in await stage.send(Outgoing(bubbles=(Reply(text=words),))))

    assert _letters("".join(bubble.text for bubble in stage.heard())) == _letters(words)
    assert stage.violations() == []


async def test_a_turn_without_words_makes_no_call(stage: Stage):
    await stage.send(Outgoing(bubbles=(Reply(text=" \n　"),), buttons=(Button(label="はい", value="1:yes"),)))

    assert stage.violations() == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(turn=good_turns)
async def test_whatever_the_flows_say_arrives(stage: Stage, turn: Outgoing):
    deliveries = await stage.send(turn)

    assert all(isinstance(delivery, Sent) for delivery in deliveries), deliveries
    assert stage.violations() == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(turn=any_turns)
async def test_what_cannot_arrive_is_refused_before_it_is_sent(stage: Stage, turn: Outgoing):
    deliveries = await stage.send(turn)

    assert all(isinstance(delivery, Sent | Refused) for delivery in deliveries), deliveries
    assert stage.violations() == []


async def test_the_coordinators_name_stands_with_their_words(stage: Stage):
    await stage.send(Outgoing(bubbles=(Reply(text="はじめまして。"),), speaker="佐藤"))

    (bubble,) = stage.heard()
    assert "佐藤" in (bubble.speaker or bubble.text)


async def test_settling_and_leaving_never_fail(stage: Stage):
    await stage.channel.settling("no such id")
    await stage.channel.leave("../../no such group")

    assert stage.violations() == []


@pytest.mark.requirement("R42")
async def test_no_log_holds_words_ids_or_secrets(stage: Stage, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]):
    caplog.set_level(logging.DEBUG)
    inbound = await stage.says("だれにも言えない秘密")
    for _ in range(2):
        await stage.send(Outgoing(bubbles=(Reply(text="ひみつの返事"),)))
        if not isinstance(stage, TerminalStage):
            stage.twin.fail(1, 500)

    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]  # uvicorn here is the platform's side
    logged = "\n".join(ours) + capsys.readouterr().out
    for canary in ("秘密", "ひみつ", json.dumps("秘密").strip('"'), inbound.sender, "line-token", "line-secret", "telegram-token", "telegram-secret"):
        assert canary not in logged


def _letters(text: str) -> str:
    return "".join(clean(text).split())
