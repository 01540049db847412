"""LINE: what is proven and read, and what comes of every way a call can end."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.line import LineChannel
from bot.channels.line_reading import read_webhook
from bot.channels.port import BadRequest, Inbound, NoProof, Outgoing, Refused, Sent, TryLater, Unknown
from flows.model import Button, Reply
from tests.contracts.stages import NOWHERE, line_settings, now, only
from tests.contracts.turns import CARD
from tests.twins import LineTwin, Webhook
from tests.twins.serving import LOST

HELLO = Outgoing(bubbles=(Reply(text="こんにちは"),))
RESIDENT = LineTwin.user("resident")
GROUP, ROOM = "C" + "1" * 32, "R" + "2" * 32


@pytest.fixture(scope="module")
def writer() -> LineTwin:
    """A twin that only writes webhooks."""
    return LineTwin()


def read(twin: LineTwin, webhook: Webhook, at: datetime | None = None) -> list[Inbound]:
    return list(read_webhook(twin.secret, webhook.headers, webhook.body, at or now()))


# ---------------------------------------------------------------- proof


def test_a_true_signature_is_believed_in_any_letter_case_of_its_name(writer: LineTwin):
    webhook = writer.text(RESIDENT, "はい")
    shouted = Webhook(webhook.body, {name.upper(): value for name, value in webhook.headers.items()})

    assert only(read(writer, shouted)).text == "はい"


@pytest.mark.requirement("R1")
def test_unusual_spacing_is_no_matter_because_the_raw_bytes_are_signed(writer: LineTwin):
    body = json.dumps(json.loads(writer.text(RESIDENT, "はい").body), indent=7).encode()

    assert only(read(writer, writer.signed(body))).text == "はい"


@pytest.mark.parametrize("signature", ["", "x", "é", "AAAA", None])
@pytest.mark.requirement("R1")
def test_a_request_without_a_true_signature_is_not_read(writer: LineTwin, signature: str | None):
    webhook = writer.text(RESIDENT, "はい")
    headers = {} if signature is None else {"x-line-signature": signature}

    with pytest.raises(NoProof):
        read(writer, Webhook(webhook.body, headers))


@pytest.mark.requirement("R1")
def test_one_altered_byte_is_a_forgery(writer: LineTwin):
    webhook = writer.text(RESIDENT, "100円")

    with pytest.raises(NoProof):
        read(writer, Webhook(webhook.body.replace(b"100", b"900"), webhook.headers))
    with pytest.raises(NoProof):
        read(writer, writer.forged(RESIDENT))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"{}", b'{"events": 1}', b'{"events": [], "events": []}', b'{"events": [NaN]}', b'{"events": [1e999]}',
        b'{"events": [' + b"9" * 5000 + b"]}", b'{"events": ' + b"[" * 80 + b"]" * 80 + b"}", b"[" * 100_000, b'{"events": []} x', b"\xff\xfe",
        '{"events": []}'.encode("utf-16"),
    ],
)  # fmt: skip
def test_a_proven_body_that_is_no_webhook_is_a_bad_request(writer: LineTwin, body: bytes):
    with pytest.raises(BadRequest):
        read(writer, writer.signed(body))


def test_the_verify_button_sends_no_events(writer: LineTwin):
    assert read(writer, writer.webhook()) == []


# ---------------------------------------------------------------- reading


def test_each_kind_of_event_is_understood(writer: LineTwin):
    def kind(webhook: Webhook) -> tuple[str, ...]:
        inbound = only(read(writer, webhook))
        assert inbound.sender == RESIDENT
        return tuple(str(part) for part in (inbound.kind, inbound.media, inbound.button) if part is not None)

    assert kind(writer.text(RESIDENT, "あ")) == ("text",)
    assert kind(writer.postback(RESIDENT, "3:yes")) == ("button", "3:yes")
    assert kind(writer.follow(RESIDENT)) == ("follow",)
    assert kind(writer.unfollow(RESIDENT)) == ("unfollow",)
    assert kind(writer.sticker(RESIDENT)) == ("sticker",)
    assert kind(writer.image(RESIDENT)) == ("media", "image")
    assert kind(writer.audio(RESIDENT)) == ("media", "audio")
    assert kind(writer.video(RESIDENT)) == ("media", "video")
    assert kind(writer.file(RESIDENT)) == ("media", "file")
    assert kind(writer.location(RESIDENT)) == ("location",)
    assert kind(writer.unknown(RESIDENT)) == ("unknown",)


def test_an_unsent_message_is_found_by_the_id_it_had(writer: LineTwin):
    sent = only(read(writer, writer.text(RESIDENT, "消したい")))
    assert sent.platform_id

    taken_back = only(read(writer, writer.unsend(RESIDENT, sent.platform_id)))

    assert (taken_back.kind, taken_back.platform_id) == ("unsend", sent.platform_id)


@pytest.mark.requirement("R3")
def test_one_webhook_may_hold_events_of_several_people_and_an_unknown_one_stops_none(writer: LineTwin):
    other = writer.user("other")
    strange = [{"type": "hologram"}, {}, 5, None, {"type": "message", "source": {"type": "user"}, "message": {"type": "text", "text": 7}}]
    events = [writer.text_event(RESIDENT, "ひとつ"), *strange, writer.text_event(other, "ふたつ")]

    inbounds = read(writer, writer.webhook(*events))  # type: ignore[arg-type]

    assert [(inbound.kind, inbound.text) for inbound in inbounds] == [("text", "ひとつ"), *[("unknown", "")] * 5, ("text", "ふたつ")]
    assert [inbounds[0].sender, inbounds[-1].sender] == [RESIDENT, other]
    assert len({inbound.event_id for inbound in inbounds}) == 7
    assert all(json.loads(inbound.raw) == event for inbound, event in zip(inbounds, events, strict=True))


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.none() | st.integers() | st.text(max_size=3) | st.lists(st.none(), max_size=1) | st.just({}))
@pytest.mark.requirement("R3")
def test_an_event_with_a_missing_or_strange_part_is_never_an_error(random, strange):
    writer = LineTwin()
    webhooks = [
        writer.text(RESIDENT, "あ"), writer.postback(RESIDENT, "1:a"), writer.sticker(RESIDENT), writer.unsend(RESIDENT, "1"), writer.joined(GROUP),
    ]  # fmt: skip
    event = json.loads(random.choice(webhooks).body)["events"][0]
    part = random.choice([event, *(value for value in event.values() if isinstance(value, dict))])
    name = random.choice(sorted(part))
    if strange is None:
        del part[name]
    else:
        part[name] = strange

    inbound = only(read(writer, writer.webhook(event)))

    assert inbound.event_id
    assert inbound.at.tzinfo is not None


@pytest.mark.parametrize("identifier", [GROUP, ROOM])
@pytest.mark.requirement("R7")
def test_in_groups_and_rooms_nothing_is_read_but_the_place_to_leave(writer: LineTwin, identifier: str):
    invited = only(read(writer, writer.joined(identifier, room=identifier == ROOM)))
    written = only(read(writer, writer.in_group(GROUP, RESIDENT, "みんな見て")))

    for inbound, place in ((invited, identifier), (written, GROUP)):
        assert (inbound.kind, inbound.group_id, inbound.sender, inbound.text) == ("group", place, "", "")
        assert inbound.reply_token is None


def test_having_left_a_group_is_no_reason_to_leave_it_again(writer: LineTwin):
    event = writer.event("", "leave", token=False, source={"type": "group", "groupId": GROUP})

    assert only(read(writer, writer.webhook(event))).group_id is None


def test_while_another_module_is_in_charge_nothing_is_answered(writer: LineTwin):
    event = writer.text_event(RESIDENT, "あ") | {"mode": "standby"}

    inbound = only(read(writer, writer.webhook(event)))

    assert (inbound.kind, inbound.reply_token) == ("unknown", None)


def test_only_a_known_sticker_that_says_yes_and_nothing_else_means_yes(writer: LineTwin):
    def ok(**sticker: object) -> bool:
        inbound = only(read(writer, writer.sticker(RESIDENT, **sticker)))  # type: ignore[arg-type]
        assert inbound.kind == "sticker"
        return inbound.sticker_ok

    assert ok(keywords=("brown", "OK", "good"))
    assert not ok(keywords=("brown", "crying", "ok"))
    assert not ok(keywords=("hello",))
    assert not ok(keywords=())
    assert not ok(package="99999", keywords=("ok",))


def test_words_written_upon_a_sticker_are_heard_as_words(writer: LineTwin):
    inbound = only(read(writer, writer.sticker(RESIDENT, text="もう消えたい")))

    assert (inbound.kind, inbound.text) == ("text", "もう消えたい")


def test_a_reply_token_lives_fifty_seconds_from_its_arrival(writer: LineTwin):
    at = now()

    assert only(read(writer, writer.text(RESIDENT, "あ"), at)).reply_until == at + timedelta(seconds=50)
    assert only(read(writer, writer.unfollow(RESIDENT), at)).reply_token is None


def test_a_redelivered_event_keeps_its_id_and_its_token_but_not_beyond_twenty_minutes(writer: LineTwin):
    webhook = writer.text(RESIDENT, "あ")
    first = only(read(writer, webhook))

    def again(minutes: float) -> Inbound:
        return only(read(writer, writer.redelivered(webhook), first.at + timedelta(minutes=minutes)))

    assert (again(5).event_id, again(5).redelivered, again(5).reply_token) == (first.event_id, True, first.reply_token)
    assert again(5).reply_until == first.at + timedelta(minutes=5, seconds=50)
    assert again(19.5).reply_until == first.at + timedelta(minutes=20)
    assert again(21).reply_token is None


def test_a_redelivered_event_without_an_id_is_still_known_as_the_same(writer: LineTwin):
    event = writer.text_event(RESIDENT, "あ")
    del event["webhookEventId"]

    first, second = (only(read(writer, writer.webhook(event))) for _ in range(2))

    assert first.event_id == second.event_id


# ---------------------------------------------------------------- sending


def talking(twin: LineTwin) -> Inbound:
    """A resident who just wrote: there is a reply token."""
    return only(read(twin, twin.text(RESIDENT, "あ")))


async def push(line: LineChannel, outgoing: Outgoing = HELLO, *, to: str = RESIDENT, key: str | None = None):
    return await line.send(outgoing, destination=to, retry_key=key or str(uuid.uuid4()), reply_token=None)


async def reply(line: LineChannel, token: str | None, outgoing: Outgoing = HELLO):
    return await line.send(outgoing, destination=RESIDENT, retry_key=str(uuid.uuid4()), reply_token=token)


async def test_a_young_token_is_replied_to_without_retry_key_and_costs_nothing(line: LineChannel, line_twin: LineTwin):
    line_twin.quota = 0

    assert await reply(line, talking(line_twin).reply_token) == Sent()

    (call,) = line_twin.calls
    assert (call.kind, call.retry_key, call.user) == ("reply", None, RESIDENT)
    assert line_twin.violations == []


@pytest.mark.requirement("R11")
async def test_a_push_carries_its_retry_key_from_the_first_try_on(line: LineChannel, line_twin: LineTwin):
    talking(line_twin)
    key = str(uuid.uuid4())

    assert await push(line, key=key) == Sent()
    assert line_twin.calls[0].retry_key == key


@pytest.mark.requirement("R11")
async def test_a_push_whose_answer_was_lost_reaches_the_resident_once(line: LineChannel, line_twin: LineTwin):
    talking(line_twin)
    key = str(uuid.uuid4())
    line_twin.fail(1, LOST, after_accepting=True)

    assert isinstance(await push(line, key=key), Unknown)
    assert await push(line, key=key) == Sent(again=True)
    assert len(line_twin.heard(RESIDENT)) == 1


async def test_a_used_token_is_refused_as_a_token_only(line: LineChannel, line_twin: LineTwin):
    token = talking(line_twin).reply_token
    await reply(line, token)

    refused = await reply(line, token)

    assert isinstance(refused, Refused)
    assert (refused.token_used, refused.unreachable) == (True, False)


async def test_a_token_of_two_minutes_ago_is_refused_as_a_token_only(line_server: LineTwin):
    seconds = [1_000_000.0]
    with LineTwin(clock=lambda: seconds[0]) as twin:
        channel = LineChannel(line_settings(twin))
        inbound = only(read(twin, twin.text(RESIDENT, "あ"), datetime.fromtimestamp(seconds[0], UTC)))
        seconds[0] += 120
        refused = await reply(channel, inbound.reply_token)
        await channel.close()

    assert isinstance(refused, Refused)
    assert refused.token_used


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_line_being_down_means_a_push_waits(line: LineChannel, line_twin: LineTwin, status: int):
    talking(line_twin)
    line_twin.fail(1, status)

    assert isinstance(await push(line), TryLater)
    assert line_twin.heard(RESIDENT) == []


async def test_line_being_down_leaves_a_reply_in_doubt_because_it_has_no_key(line: LineChannel, line_twin: LineTwin):
    inbound = talking(line_twin)
    line_twin.fail(1, 500)

    assert await reply(line, inbound.reply_token) == Unknown("line_500", probably_not=True)
    assert await reply(line, inbound.reply_token) == Sent()


async def test_no_answer_in_time_leaves_a_message_in_doubt(line_twin: LineTwin):
    talking(line_twin)
    line_twin.slow(0.6)
    channel = LineChannel(line_settings(line_twin), seconds=0.2)

    assert isinstance(await push(channel), Unknown)
    await channel.close()


async def test_without_a_connection_a_message_waits(line_twin: LineTwin):
    channel = LineChannel(line_settings(line_twin, line_api_host=NOWHERE))

    assert isinstance(await push(channel), TryLater)
    assert isinstance(await reply(channel, "token"), TryLater)
    await channel.settling(RESIDENT)
    await channel.leave(GROUP)
    await channel.close()


async def test_a_used_up_month_is_told_apart_from_being_too_fast(line: LineChannel, line_twin: LineTwin):
    talking(line_twin)
    line_twin.fail(1, 429)
    too_fast = await push(line)
    line_twin.quota = 0
    used_up = await push(line)

    assert isinstance(too_fast, TryLater)
    assert isinstance(used_up, TryLater)
    assert (too_fast.quota, used_up.quota) == (False, True)


async def test_an_unknown_receiver_is_unreachable(line: LineChannel, line_twin: LineTwin):
    for stranger in (line_twin.user("nobody ever"), "not an id"):
        refused = await push(line, to=stranger)
        assert isinstance(refused, Refused)
        assert refused.unreachable


async def test_somebody_who_blocked_us_looks_reached_and_hears_nothing(line: LineChannel, line_twin: LineTwin):
    line_twin.unfollow(RESIDENT)

    assert await push(line) == Sent()
    assert line_twin.heard(RESIDENT) == []


@pytest.mark.parametrize("status", [401, 403])
async def test_a_broken_set_up_makes_messages_wait_for_the_operator(line: LineChannel, line_twin: LineTwin, status: int):
    talking(line_twin)
    line_twin.fail(1, status)

    waits = await push(line)

    assert isinstance(waits, TryLater)
    assert (waits.seconds or 0) >= 60


async def test_an_answer_that_is_not_lines_never_raises(line: LineChannel, line_twin: LineTwin):
    talking(line_twin)
    for status in (302, 404, 413, 418):
        line_twin.fail(1, status)
        assert isinstance(await push(line), Refused | TryLater | Unknown)


async def test_what_line_has_no_place_for_is_refused_before_it_is_sent(line: LineChannel, line_twin: LineTwin):
    talking(line_twin)
    for bad in (
        Outgoing(bubbles=(Reply(text="あ" * 5001),)),
        Outgoing(bubbles=tuple(Reply(text=str(number)) for number in range(6))),
        Outgoing(),
        HELLO.model_copy(update={"buttons": (Button(label="はい", value="x" * 301),)}),
        HELLO.model_copy(update={"buttons": (Button(label="はい"),)}),
        HELLO.model_copy(update={"buttons": (Button(label="はい", value="1:yes"),) * 14}),
        Outgoing(bubbles=(Reply(cards=(CARD.model_copy(update={"lines": ("あ" * 4000,)}),)),)),
        HELLO.model_copy(update={"buttons": (Button(label="ひらく", url="javascript:alert(1)"),)}),
    ):
        assert isinstance(await push(line, bad), Refused)

    assert line_twin.calls == []


async def test_a_link_stands_under_the_words_where_a_pc_shows_it_too_and_its_address_on_no_lock_screen(line: LineChannel, line_twin: LineTwin):
    talking(line_twin)
    room = Button(label="相談ページをひらく", url="https://town.example.jp/r#secret-token")
    await push(line, HELLO.model_copy(update={"buttons": (room, Button(label="人と話す", value="!human"))}))

    *_, last = line_twin.heard(RESIDENT)

    assert last.button("相談ページをひらく").url == room.url
    assert last.button("人と話す").payload == "!human"
    assert "secret-token" not in last.alt


@pytest.mark.requirement("R12")
async def test_a_neutral_notice_stands_in_place_of_what_cards_say(line: LineChannel, line_twin: LineTwin):
    talking(line_twin)
    await push(line, Outgoing(bubbles=(Reply(cards=(CARD,)),), alt="お知らせがあります。"))

    (bubble,) = line_twin.heard(RESIDENT)
    assert bubble.alt == "お知らせがあります。"


async def test_many_large_cards_become_several_carousels_and_a_notification_of_no_more_than_1500(line: LineChannel, line_twin: LineTwin):
    talking(line_twin)
    large = CARD.model_copy(update={"lines": ("あ" * 600,) * 3})
    turn = Outgoing(bubbles=(Reply(cards=(large,) * 9), Reply(cards=(CARD,) * 13)))

    assert {await push(line, letter) for letter in line.letters(turn)} == {Sent()}

    assert line_twin.violations == []
    assert sum(len(bubble.cards) for bubble in line_twin.heard(RESIDENT)) == 22
    assert max(len(bubble.alt) for bubble in line_twin.heard(RESIDENT)) == 1500


async def test_a_group_or_room_is_left_and_the_waiting_is_shown(line: LineChannel, line_twin: LineTwin):
    await line.leave(GROUP)
    await line.leave(ROOM)
    await line.settling(RESIDENT)

    assert line_twin.left == [GROUP, ROOM]
    assert line_twin.loading == [RESIDENT]
    assert line_twin.violations == []


async def test_nobodys_name_or_picture_is_ever_fetched(line_twin: LineTwin):
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {line_twin.access_token}"}) as client:
        await client.get(f"{line_twin.url}/v2/bot/profile/{RESIDENT}")

    assert line_twin.violations == [f"a call nobody should make: /v2/bot/profile/{RESIDENT}"]
