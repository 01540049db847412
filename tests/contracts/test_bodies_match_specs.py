"""Every body that leaves, and every body our twins post, against the platforms' own machine-readable descriptions."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from linebot.v3.messaging import PushMessageRequest, ReplyMessageRequest

from bot.channels import line_rendering, telegram_rendering
from bot.channels.cutting import Unsendable, pieces, shorten, utf16_units
from bot.channels.port import Outgoing
from storage.text import clean
from tests.contracts.turns import TURN, any_turns, good_turns, long_text
from tests.twins import LineTwin, TelegramTwin, Webhook, line_limits, telegram_limits
from tests.twins.specs import HERE, line_errors, telegram_errors, type_errors

needs_descriptions = pytest.mark.skipif(not HERE, reason="the platforms' descriptions are not at hand")
RESIDENT = LineTwin.user("resident")


def line_bodies(turn: Outgoing) -> list[dict]:
    bodies = []
    for letter in line_rendering.letters(turn):
        messages = line_rendering.render(letter)
        bodies.append({"to": RESIDENT, "messages": messages})
        bodies.append({"replyToken": "token", "messages": messages})
    return bodies


def line_problems(body: dict) -> list[str]:
    schema = "PushMessageRequest" if "to" in body else "ReplyMessageRequest"
    return line_errors("messaging-api", schema, body) + list(line_limits.problems(body["messages"]))


def telegram_bodies(turn: Outgoing) -> list[dict]:
    bodies = []
    for letter in telegram_rendering.letters(turn):
        rendered = telegram_rendering.render(letter)
        keyboard = {} if rendered.keyboard is None else {"reply_markup": rendered.keyboard.to_dict()}
        bodies.append({"chat_id": 1, "text": rendered.html, "parse_mode": "HTML", **keyboard})
    return bodies


def telegram_problems(body: dict) -> list[str]:
    text = telegram_limits.parsed(body["text"], "HTML")
    too_long = [] if 0 < utf16_units(text) <= 4096 else ["length"]
    keyboard = body.get("reply_markup", {"inline_keyboard": []})
    return telegram_errors("sendMessage", body) + too_long + list(telegram_limits.keyboard_problems(keyboard))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(good_turns)
def test_every_turn_becomes_bodies_that_line_accepts(turn: Outgoing):
    assert [line_problems(body) for body in line_bodies(turn)] == [[]] * (2 * len(line_rendering.letters(turn)))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(good_turns)
def test_lines_own_models_read_every_body_whole(turn: Outgoing):
    for body in line_bodies(turn):
        model = PushMessageRequest if "to" in body else ReplyMessageRequest
        assert model.from_dict(body).to_dict() | {"notificationDisabled": False} == body | {"notificationDisabled": False}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(good_turns)
def test_every_turn_becomes_bodies_that_telegram_accepts(turn: Outgoing):
    assert [telegram_problems(body) for body in telegram_bodies(turn)] == [[]] * len(telegram_rendering.letters(turn))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_turns)
def test_a_turn_no_platform_has_a_place_for_is_refused_and_never_written_wrongly(turn: Outgoing):
    for bodies, problems in ((line_bodies, line_problems), (telegram_bodies, telegram_problems)):
        try:
            found = [problem for body in bodies(turn) for problem in problems(body)]
        except Unsendable:
            continue
        assert found == []


def words_in(turn: Outgoing) -> list[str]:
    """Every text and fact of a turn, without spaces: the words that must arrive."""
    facts = [line for reply in turn.bubbles for card in reply.cards for line in (card.title, card.reason, *card.lines)]
    return [squeezed(clean(text)) for text in (*(reply.text for reply in turn.bubbles), *facts)]


def squeezed(text: str) -> str:
    """Without what only lays out a text."""
    return "".join(text.split())


def texts_in(body: object) -> Iterator[str]:
    """Every text a resident can read in a body of LINE, wherever it stands in a card."""
    if isinstance(body, dict):
        if body.get("type") == "text" and isinstance(body.get("text"), str):
            yield body["text"]
        for part in body.values():
            yield from texts_in(part)
    elif isinstance(body, list):
        for part in body:
            yield from texts_in(part)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(good_turns)
def test_no_word_of_a_turn_is_lost_on_its_way(turn: Outgoing):
    on_line = "".join("".join(texts_in(line_rendering.render(letter))) for letter in line_rendering.letters(turn))
    on_telegram = "".join(telegram_limits.parsed(body["text"], "HTML") for body in telegram_bodies(turn))

    for shown in (on_line, on_telegram):
        assert [words for words in words_in(turn) if words not in squeezed(shown)] == []


def test_a_whole_turn_is_one_call_on_line_and_one_message_a_bubble_on_telegram():
    assert len(line_rendering.letters(TURN)) == 1
    assert len(telegram_rendering.letters(TURN)) == 4


def test_buttons_stand_under_the_last_letter_only():
    long = TURN.model_copy(update={"bubbles": TURN.bubbles * 4})

    for letters in (line_rendering.letters(long), telegram_rendering.letters(long)):
        assert [bool(letter.buttons) for letter in letters] == [False] * (len(letters) - 1) + [True]


@settings(max_examples=200, deadline=None)
@given(long_text)
def test_cutting_loses_nothing_and_keeps_to_the_limit(text: str):
    cut = pieces(text, 100)

    assert all(0 < utf16_units(piece) <= 100 for piece in cut)
    assert "".join("".join(cut).split()) == "".join(text.split())
    assert utf16_units(shorten(text, 20)) <= 20


@pytest.mark.parametrize("visible", ["👨‍👩‍👧", "🇯🇵", "👍🏽", "か゚", "葛\U000e0100", "e\u0301"])
def test_one_visible_character_is_never_cut_in_two(visible: str):
    cut = pieces(visible * 200, 101)

    assert len(cut) > 1
    assert all(piece.replace(visible, "") == "" for piece in cut)


# ---------------------------------------------------------------- the twins' own bodies


@needs_descriptions
def test_the_line_twin_posts_what_line_describes():
    twin = LineTwin()
    user, group = twin.user("resident"), "C" + "1" * 32
    webhooks = [
        twin.text(user, "あ"), twin.postback(user, "1:a"), twin.follow(user), twin.unfollow(user), twin.unsend(user, "1"), twin.sticker(user),
        twin.sticker(user, text="あ"), twin.image(user), twin.video(user), twin.audio(user), twin.file(user), twin.location(user), twin.joined(group),
        twin.joined("R" + "1" * 32, room=True), twin.in_group(group, user, "あ"), twin.webhook(), twin.redelivered(twin.text(user, "あ")),
    ]  # fmt: skip

    assert [line_errors("webhook", "CallbackRequest", json.loads(webhook.body)) for webhook in webhooks] == [[]] * len(webhooks)
    assert line_errors("webhook", "CallbackRequest", json.loads(twin.unknown(user).body)) != []


@needs_descriptions
def test_the_telegram_twin_posts_what_telegram_describes():
    twin = TelegramTwin()
    user = twin.user("resident")
    webhooks = [
        twin.text(user, "あ"), twin.start(user, "x"), twin.postback(user, "1:a"), twin.blocks(user), twin.unblocks(user), twin.sticker(user),
        twin.image(user, caption="あ"), twin.audio(user), twin.video(user), twin.file(user), twin.location(user), twin.edited(user, "あ"),
        twin.joined(), twin.in_group(-5, user, "あ"),
    ]  # fmt: skip

    def problems(webhook: Webhook) -> list[str]:
        return type_errors("Update", json.loads(webhook.body))

    assert [problems(webhook) for webhook in webhooks] == [[]] * len(webhooks)
    assert problems(twin.unknown(user)) != []
