"""Telegram: what is proven and read, from a webhook and from polling, and what comes of every way a call can end."""

import asyncio
import json
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telegram import Update
from telegram.error import BadRequest as TelegramBadRequest

from bot.channels.port import BadRequest, Inbound, NoProof, Outgoing, Refused, Sent, TryLater, Unknown
from bot.channels.telegram import TelegramChannel
from bot.channels.telegram_reading import read_webhook
from flows.model import Button, Reply
from tests.contracts.stages import NOWHERE, now, only, telegram_settings
from tests.contracts.turns import CARD
from tests.twins import TelegramTwin, Webhook
from tests.twins.serving import LOST

HELLO = Outgoing(bubbles=(Reply(text="こんにちは"),))
RESIDENT = TelegramTwin.user("resident")


@pytest.fixture(scope="module")
def writer() -> TelegramTwin:
    """A twin that only writes updates."""
    return TelegramTwin()


def read(twin: TelegramTwin, webhook: Webhook) -> Inbound:
    return read_webhook(twin.secret, webhook.headers, webhook.body, now())


# ---------------------------------------------------------------- proof


@pytest.mark.parametrize("headers", [{}, {"x-telegram-bot-api-secret-token": ""}, {"x-telegram-bot-api-secret-token": "guessé"}])
@pytest.mark.requirement("R1")
def test_an_update_without_the_secret_is_not_read(writer: TelegramTwin, headers: dict[str, str]):
    with pytest.raises(NoProof):
        read(writer, Webhook(writer.text(RESIDENT, "あ").body, headers))
    with pytest.raises(NoProof):
        read(writer, writer.forged(RESIDENT))


@pytest.mark.requirement("R1")
def test_without_a_secret_of_our_own_nothing_is_believed(writer: TelegramTwin):
    webhook = writer.text(RESIDENT, "あ")
    for headers in (webhook.headers, {}, {"x-telegram-bot-api-secret-token": ""}):
        with pytest.raises(NoProof):
            read_webhook(None, headers, webhook.body, now())


def test_the_secret_is_found_in_any_letter_case_of_its_header(writer: TelegramTwin):
    webhook = writer.text(RESIDENT, "あ")

    assert read(writer, Webhook(webhook.body, {"X-Telegram-Bot-Api-Secret-Token": writer.secret})).text == "あ"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"update_id": "1"}', b'{"update_id": true}', b'{"update_id": 1, "update_id": 2}', b"[" * 9999, b"\xff"]
)
def test_a_proven_body_that_is_no_update_is_a_bad_request(writer: TelegramTwin, body: bytes):
    with pytest.raises(BadRequest):
        read(writer, Webhook(body, {"x-telegram-bot-api-secret-token": writer.secret}))


# ---------------------------------------------------------------- reading


def test_each_kind_of_update_is_understood(writer: TelegramTwin):
    def kind(webhook: Webhook) -> tuple[str, ...]:
        inbound = read(writer, webhook)
        assert inbound.sender == RESIDENT
        return tuple(str(part) for part in (inbound.kind, inbound.media, inbound.button) if part is not None)

    assert kind(writer.text(RESIDENT, "あ")) == ("text",)
    assert kind(writer.postback(RESIDENT, "3:yes")) == ("button", "3:yes")
    assert kind(writer.start(RESIDENT)) == ("follow",)
    assert kind(writer.blocks(RESIDENT)) == ("unfollow",)
    assert kind(writer.unblocks(RESIDENT)) == ("follow",)
    assert kind(writer.sticker(RESIDENT)) == ("sticker",)
    assert kind(writer.image(RESIDENT)) == ("media", "image")
    assert kind(writer.audio(RESIDENT)) == ("media", "audio")
    assert kind(writer.video(RESIDENT)) == ("media", "video")
    assert kind(writer.file(RESIDENT)) == ("media", "file")
    assert kind(writer.location(RESIDENT)) == ("location",)
    assert kind(writer.edited(RESIDENT, "あ")) == ("edit",)


@pytest.mark.requirement("R3")
def test_an_update_of_a_kind_nobody_knows_is_kept(writer: TelegramTwin):
    webhook = writer.unknown(RESIDENT)

    inbound = read(writer, webhook)

    assert (inbound.kind, inbound.sender) == ("unknown", "")
    assert json.loads(inbound.raw) == json.loads(webhook.body)


def test_start_carries_what_stood_in_the_link(writer: TelegramTwin):
    assert read(writer, writer.start(RESIDENT, "poster-3")).text == "poster-3"


@pytest.mark.parametrize(
    ("words", "button"), [("/human", "!human"), ("/help", "!help"), ("/stop", "!stop"), ("/human@madoguchi_bot", "!human"), ("/HELP", "!help")]
)
def test_commands_are_the_words_that_work_everywhere(writer: TelegramTwin, words: str, button: str):
    inbound = read(writer, writer.text(RESIDENT, words))

    assert (inbound.kind, inbound.button) == ("button", button)


@pytest.mark.parametrize("words", ["/human 夫になぐられる", "/nothing", "/", "1/2", "/stopほしい"])
def test_other_words_with_a_slash_are_heard_as_words(writer: TelegramTwin, words: str):
    inbound = read(writer, writer.text(RESIDENT, words))

    assert (inbound.kind, inbound.text) == ("text", words)


def test_words_under_a_picture_are_heard_as_words(writer: TelegramTwin):
    inbound = read(writer, writer.image(RESIDENT, caption="もう消えたい"))

    assert (inbound.kind, inbound.text, inbound.media) == ("text", "もう消えたい", "image")


@pytest.mark.parametrize(("emoji", "ok"), [("👍", True), ("👍🏽", True), ("👌", True), ("🙆‍♀️", False), ("😭", False), ("", False)])
def test_only_a_sticker_that_plainly_says_yes_means_yes(writer: TelegramTwin, emoji: str, ok: bool):
    assert read(writer, writer.sticker(RESIDENT, emoji)).sticker_ok is ok


@pytest.mark.requirement("R7")
def test_in_groups_nothing_is_read_but_the_place_to_leave(writer: TelegramTwin):
    for webhook in (writer.joined(-100500), writer.in_group(-100500, RESIDENT, "みんな見て")):
        inbound = read(writer, webhook)
        assert (inbound.kind, inbound.group_id, inbound.sender, inbound.text) == ("group", "-100500", "", "")


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.none() | st.integers() | st.text(max_size=3) | st.lists(st.none(), max_size=1) | st.just({}))
@pytest.mark.requirement("R3")
def test_an_update_with_a_missing_or_strange_part_is_never_an_error(random, strange):
    writer = TelegramTwin()
    kinds = [writer.text(RESIDENT, "あ"), writer.postback(RESIDENT, "1:a"), writer.sticker(RESIDENT), writer.blocks(RESIDENT), writer.image(RESIDENT)]
    update = json.loads(random.choice(kinds).body)
    part = next(value for value in update.values() if isinstance(value, dict))
    part = random.choice([part, *(value for value in part.values() if isinstance(value, dict))])
    name = random.choice(sorted(part))
    if strange is None:
        del part[name]
    else:
        part[name] = strange

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inbound = read(writer, writer.update({key: value for key, value in update.items() if key != "update_id"}, update["update_id"]))

    assert inbound.event_id == str(update["update_id"])
    assert inbound.at.tzinfo is not None
    assert inbound.sender in ("", RESIDENT) or strange is not None


# ---------------------------------------------------------------- polling


async def test_polled_updates_come_once_and_in_order(telegram: TelegramChannel, telegram_twin: TelegramTwin):
    telegram_twin.queue(telegram_twin.text(RESIDENT, "ひとつ"), telegram_twin.text(RESIDENT, "ふたつ"))
    first, offset = await telegram.poll(0, now())
    telegram_twin.queue(telegram_twin.text(RESIDENT, "みっつ"))
    second, _ = await telegram.poll(offset, now())

    assert [inbound.text for inbound in first] == ["ひとつ", "ふたつ"]
    assert [inbound.text for inbound in second] == ["みっつ"]


async def test_what_was_not_stored_is_polled_again(telegram: TelegramChannel, telegram_twin: TelegramTwin):
    telegram_twin.queue(telegram_twin.text(RESIDENT, "ひとつ"))

    before, _ = await telegram.poll(0, now())
    again, _ = await telegram.poll(0, now())

    assert [inbound.event_id for inbound in before] == [inbound.event_id for inbound in again]


async def test_an_update_that_cannot_be_read_stops_no_other(telegram: TelegramChannel, telegram_twin: TelegramTwin):
    broken = telegram_twin.update({"message": {"chat": "?"}})
    telegram_twin.queue(broken, telegram_twin.text(RESIDENT, "あ"))

    inbounds, offset = await telegram.poll(0, now())

    assert [inbound.kind for inbound in inbounds] == ["unknown", "text"]
    assert offset == int(inbounds[1].event_id) + 1


async def test_polling_ends_a_webhook_that_was_set_before(telegram: TelegramChannel, telegram_twin: TelegramTwin):
    await telegram.listen_at("https://town.example.jp/telegram/webhook")
    assert telegram_twin.webhook_url
    telegram_twin.queue(telegram_twin.text(RESIDENT, "あ"))

    inbounds, _ = await telegram.poll(0, now())

    assert only(inbounds).text == "あ"


async def test_a_failing_poll_is_a_pause_at_the_same_offset(telegram: TelegramChannel, telegram_twin: TelegramTwin, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bot.channels.telegram._POLL_PAUSE", 0.01)
    telegram_twin.fail(1, 502)

    assert await telegram.poll(5, now()) == ((), 5)


# ---------------------------------------------------------------- sending


@pytest.fixture
def resident(telegram_twin: TelegramTwin) -> str:
    telegram_twin.start(RESIDENT)
    return RESIDENT


async def send(telegram: TelegramChannel, to: str, outgoing: Outgoing = HELLO):
    return await telegram.send(outgoing, destination=to, retry_key="unused", reply_token=None)


async def test_too_many_messages_wait_as_long_as_telegram_says(telegram: TelegramChannel, telegram_twin: TelegramTwin, resident: str):
    telegram_twin.busy(1, retry_after=7)

    assert await send(telegram, resident) == TryLater("rate", seconds=7.0)
    assert await send(telegram, resident) == Sent()


async def test_somebody_who_blocked_us_is_unreachable(telegram: TelegramChannel, telegram_twin: TelegramTwin, resident: str):
    telegram_twin.blocks(resident)

    refused = await send(telegram, resident)

    assert isinstance(refused, Refused)
    assert refused.unreachable


@pytest.mark.parametrize("stranger", ["999", "not a chat"])
async def test_an_unknown_chat_is_refused(telegram: TelegramChannel, stranger: str):
    assert isinstance(await send(telegram, stranger), Refused)


@pytest.mark.parametrize("status", [500, 502, LOST])
async def test_a_failure_of_telegram_leaves_a_message_in_doubt(telegram: TelegramChannel, telegram_twin: TelegramTwin, resident: str, status: int):
    telegram_twin.fail(1, status, after_accepting=True)

    assert isinstance(await send(telegram, resident), Unknown)
    assert len(telegram_twin.heard(resident)) == 1


async def test_no_answer_in_time_leaves_a_message_in_doubt(telegram_twin: TelegramTwin, resident: str):
    telegram_twin.slow(0.6)
    channel = TelegramChannel(telegram_settings(telegram_twin), seconds=0.2)

    assert isinstance(await send(channel, resident), Unknown)
    await channel.close()


async def test_without_a_connection_a_message_waits(telegram_twin: TelegramTwin, resident: str):
    channel = TelegramChannel(telegram_settings(telegram_twin, telegram_base_url=f"{NOWHERE}/bot"))

    assert await send(channel, resident) == TryLater("not_connected")
    await channel.settling(resident)
    await channel.leave("-5")
    await channel.answer(Inbound("telegram", "1", "button", resident, now(), "{}", callback_id="q1"))
    await channel.close()


async def test_a_wrong_token_makes_messages_wait_for_the_operator(telegram_twin: TelegramTwin, resident: str):
    channel = TelegramChannel(telegram_settings(telegram_twin, telegram_token="42:wrong"))

    waits = await send(channel, resident)

    assert isinstance(waits, TryLater)
    assert (waits.seconds or 0) >= 60
    await channel.close()


async def test_another_poller_makes_messages_wait(telegram: TelegramChannel, telegram_twin: TelegramTwin, resident: str):
    telegram_twin.fail(1, 409)

    assert isinstance(await send(telegram, resident), TryLater)


async def test_what_telegram_has_no_place_for_is_refused_before_it_is_sent(telegram: TelegramChannel, telegram_twin: TelegramTwin, resident: str):
    for bad in (
        Outgoing(bubbles=(Reply(text="ひとつ"), Reply(text="ふたつ"))),
        Outgoing(),
        HELLO.model_copy(update={"buttons": (Button(label="はい", value="あ" * 22),)}),
        HELLO.model_copy(update={"buttons": (Button(label=" ", value="1:yes"),)}),
        HELLO.model_copy(update={"buttons": (Button(label="ひらく", url="javascript:alert(1)"),)}),
    ):
        assert isinstance(await send(telegram, resident, bad), Refused)

    assert telegram_twin.calls == []


async def test_a_card_is_one_message_with_its_own_buttons_and_its_number_in_the_text(
    telegram: TelegramChannel, telegram_twin: TelegramTwin, resident: str
):
    call = Button(label="電話する", tel="0000-11-2222")
    await send(telegram, resident, Outgoing(bubbles=(Reply(cards=(CARD.model_copy(update={"buttons": (call, *CARD.buttons[1:])}),)),)))

    (bubble,) = telegram_twin.heard(resident)

    assert [button.label for button in bubble.buttons] == ["地図", "くわしく"]
    assert bubble.text.startswith(CARD.title)
    assert "電話する 0000-11-2222" in bubble.text


async def test_a_number_that_stands_on_the_card_is_not_said_twice(telegram: TelegramChannel, telegram_twin: TelegramTwin, resident: str):
    await send(telegram, resident, Outgoing(bubbles=(Reply(cards=(CARD,)),)))

    (bubble,) = telegram_twin.heard(resident)
    assert bubble.text.count("0000-00-0000") == 1


async def test_a_pressed_button_is_answered_at_once_and_too_late_is_no_error(telegram: TelegramChannel, telegram_twin: TelegramTwin):
    inbound = read(telegram_twin, telegram_twin.postback(RESIDENT, "1:yes"))
    assert inbound.callback_id is not None

    await telegram.answer(inbound)
    assert telegram_twin.waiting_presses == {}
    await telegram.answer(inbound)


async def test_waiting_is_shown_and_a_group_is_left(telegram: TelegramChannel, telegram_twin: TelegramTwin, resident: str):
    await telegram.settling(resident)
    await telegram.leave("-100500")

    assert telegram_twin.typing == [int(resident)]
    assert telegram_twin.left == [-100500]


async def test_a_webhook_without_https_is_refused_by_telegram(telegram: TelegramChannel):
    with pytest.raises(TelegramBadRequest):
        await telegram.listen_at("http://town.example.jp/telegram/webhook")


async def test_many_residents_are_written_to_at_once(telegram: TelegramChannel, telegram_twin: TelegramTwin):
    residents = [telegram_twin.user(f"resident {number}") for number in range(30)]
    for one in residents:
        telegram_twin.start(one)

    deliveries = await asyncio.gather(*(send(telegram, one) for one in residents))

    assert set(deliveries) == {Sent()}
    assert all(len(telegram_twin.heard(one)) == 1 for one in residents)


def test_the_twins_updates_are_what_the_library_reads(writer: TelegramTwin):
    update = Update.de_json(json.loads(writer.image(RESIDENT, caption="あ").body), None)

    assert update.effective_message is not None
    assert update.effective_message.photo


# ---------------------------------------------------------------- after a tap


async def test_the_chosen_answer_stays_under_its_message_and_the_others_go(telegram: TelegramChannel, telegram_twin: TelegramTwin, resident: str):
    buttons = (Button(label="合っている", value="7:yes"), Button(label="ちがう", value="7:no"), Button(label="地図", url="https://example.jp/"))
    await send(telegram, resident, Outgoing(bubbles=(Reply(text="合っていますか。"),), buttons=buttons))

    await telegram.answer(read(telegram_twin, telegram_twin.press(resident, "合っている")))

    (bubble,) = telegram_twin.heard(resident)
    assert [button.label for button in bubble.buttons] == ["✓ 合っている", "地図"]
    assert bubble.text == "合っていますか。"
    assert telegram_twin.violations == []
    assert telegram_twin.waiting_presses == {}


async def test_looking_at_details_takes_no_answer_away(telegram: TelegramChannel, telegram_twin: TelegramTwin, resident: str):
    buttons = (Button(label="くわしく", value="!card:x"), Button(label="ちがう", value="7:no"))
    await send(telegram, resident, Outgoing(bubbles=(Reply(text="合っていますか。"),), buttons=buttons))

    await telegram.answer(read(telegram_twin, telegram_twin.press(resident, "くわしく")))

    assert [button.label for button in telegram_twin.heard(resident)[0].buttons] == ["くわしく", "ちがう"]


async def test_a_second_tap_on_the_chosen_answer_changes_nothing_and_is_answered(
    telegram: TelegramChannel, telegram_twin: TelegramTwin, resident: str
):  # fmt: skip
    await send(telegram, resident, Outgoing(bubbles=(Reply(text="合っていますか。"),), buttons=(Button(label="合っている", value="7:yes"),)))
    for label in ("合っている", "✓ 合っている"):
        await telegram.answer(read(telegram_twin, telegram_twin.press(resident, label)))

    assert [button.label for button in telegram_twin.heard(resident)[0].buttons] == ["✓ 合っている"]
    assert telegram_twin.violations == []
