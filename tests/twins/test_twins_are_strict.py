"""The twins refuse what the platforms refuse: a twin that accepts everything proves nothing."""

import asyncio
import copy
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from tests.twins import LineTwin, TelegramTwin
from tests.twins.specs import HERE

USER = LineTwin.user("resident")
PERSON = TelegramTwin.user("resident")
POSTBACK = {"type": "postback", "label": "はい", "data": "1:yes", "displayText": "はい"}
TEXT: dict[str, Any] = {"type": "text", "text": "こんにちは"}
FLEX: dict[str, Any] = {
    "type": "flex",
    "altText": "あ",
    "contents": {"type": "bubble", "body": {"type": "box", "layout": "vertical", "contents": [{"type": "text", "text": "あ"}]}},
}


# ---------------------------------------------------------------- LINE


@pytest.fixture(scope="module")
def line() -> Iterator[LineTwin]:
    with LineTwin() as twin:
        yield twin


@pytest.fixture
async def api(line: LineTwin) -> AsyncIterator[httpx.AsyncClient]:
    line.forget()
    async with httpx.AsyncClient(base_url=line.url, headers={"authorization": f"Bearer {line.access_token}"}) as client:
        yield client


async def push(api: httpx.AsyncClient, *messages: dict[str, Any], key: str | None = None, to: str = USER) -> httpx.Response:
    return await api.post("/v2/bot/message/push", json={"to": to, "messages": list(messages)}, headers={"x-line-retry-key": key or str(uuid.uuid4())})


def with_quick_reply(*actions: dict[str, Any]) -> dict[str, Any]:
    return TEXT | {"quickReply": {"items": [{"type": "action", "action": action} for action in actions]}}


def flex_with(**changes: Any) -> dict[str, Any]:
    message = copy.deepcopy(FLEX)
    message["contents"]["body"]["contents"][0].update(changes)
    return message


def carousel(*bubbles: dict[str, Any]) -> dict[str, Any]:
    return {"type": "flex", "altText": "あ", "contents": {"type": "carousel", "contents": list(bubbles)}}


BUBBLE = FLEX["contents"]
FORBIDDEN = {
    "empty text": TEXT | {"text": " "},
    "text of 5,001 units": TEXT | {"text": "😀" * 2501},
    "alt text of 1,501": FLEX | {"altText": "あ" * 1501},
    "14 quick replies": with_quick_reply(*[POSTBACK] * 14),
    "a label of 21": with_quick_reply(POSTBACK | {"label": "あ" * 21}),
    "no label": with_quick_reply({key: value for key, value in POSTBACK.items() if key != "label"}),
    "data of 301": with_quick_reply(POSTBACK | {"data": "x" * 301}),
    "empty data": with_quick_reply(POSTBACK | {"data": ""}),
    "a script as address": with_quick_reply({"type": "uri", "label": "あ", "uri": "javascript:alert(1)"}),
    "an address that is not encoded": with_quick_reply({"type": "uri", "label": "あ", "uri": "https://例え.jp/"}),
    "a name of 21": TEXT | {"sender": {"name": "あ" * 21}},
    "LINE in a name": TEXT | {"sender": {"name": "My LINE"}},
    "an empty Flex text": flex_with(text=""),
    "a colour by name": flex_with(color="red"),
    "a button in a baseline box": {
        **FLEX,
        "contents": {"type": "bubble", "body": {"type": "box", "layout": "baseline", "contents": [{"type": "button", "action": POSTBACK}]}},
    },
    "13 bubbles": carousel(*[BUBBLE] * 13),
    "bubbles of two sizes": carousel(BUBBLE | {"size": "kilo"}, BUBBLE | {"size": "mega"}),
    "a bubble of 30 KB": flex_with(text="あ" * 5001),
    "a kind we never send": {"type": "sticker", "packageId": "1", "stickerId": "1"},
}
FORBIDDEN_BY_DESCRIPTION = {
    "an unknown property in Flex": flex_with(colour="#000000"),
    "a null in Flex": flex_with(size=None),
    "an unknown Flex part": flex_with(type="hologram"),
    "a number as text": TEXT | {"text": 5},
    "no alt text": {key: value for key, value in FLEX.items() if key != "altText"},
}


@pytest.mark.parametrize("name", [*FORBIDDEN, *(FORBIDDEN_BY_DESCRIPTION if HERE else ())])
async def test_line_refuses(line: LineTwin, api: httpx.AsyncClient, name: str):
    line.follow(USER)

    answer = await push(api, (FORBIDDEN | FORBIDDEN_BY_DESCRIPTION)[name])

    assert answer.status_code == 400
    assert line.violations
    assert line.heard(USER) == []


@pytest.mark.parametrize("message", [TEXT, FLEX, with_quick_reply(*[POSTBACK] * 13), carousel(*[BUBBLE] * 12), TEXT | {"text": "😀" * 2500}])
async def test_line_accepts_what_just_fits(line: LineTwin, api: httpx.AsyncClient, message: dict[str, Any]):
    line.follow(USER)

    assert (await push(api, message)).status_code == 200
    assert line.violations == []


async def test_line_takes_five_messages_and_no_more_and_no_fewer_than_one(line: LineTwin, api: httpx.AsyncClient):
    line.follow(USER)

    assert (await push(api, *[TEXT] * 5)).status_code == 200
    assert (await push(api, *[TEXT] * 6)).status_code == 400
    assert (await push(api)).status_code == 400


async def test_a_retry_key_is_taken_once_and_only_with_the_same_body(line: LineTwin, api: httpx.AsyncClient):
    line.follow(USER)
    key = str(uuid.uuid4())

    first, second = await push(api, TEXT, key=key), await push(api, TEXT, key=key)
    assert (first.status_code, second.status_code) == (200, 409)
    assert second.headers["x-line-accepted-request-id"]
    assert second.json()["sentMessages"] == first.json()["sentMessages"]
    assert len(line.heard(USER)) == 1
    assert line.violations == []

    await push(api, TEXT | {"text": "別"}, key=key)
    assert line.violations == ["another body with the same retry key"]


async def test_line_refuses_a_key_that_is_no_uuid_and_any_key_on_a_reply(line: LineTwin, api: httpx.AsyncClient):
    token = json.loads(line.text(USER, "あ").body)["events"][0]["replyToken"]
    reply = {"replyToken": token, "messages": [TEXT]}

    assert (await push(api, TEXT, key="12")).status_code == 400
    assert (await api.post("/v2/bot/message/reply", json=reply, headers={"x-line-retry-key": str(uuid.uuid4())})).status_code == 400
    assert len(line.violations) == 2
    assert (await api.post("/v2/bot/message/reply", json=reply)).status_code == 200
    assert (await api.post("/v2/bot/message/reply", json=reply)).json()["message"] == "Invalid reply token"


async def test_line_knows_its_own_and_counts_what_is_pushed(line: LineTwin, api: httpx.AsyncClient):
    line.follow(USER)
    line.quota = 1

    assert (await push(api, TEXT, to=line.user("stranger"))).status_code == 400
    assert (await push(api, TEXT, TEXT)).status_code == 200
    answer = await push(api, TEXT)
    assert (answer.status_code, answer.json()["message"]) == (429, "You have reached your monthly limit.")
    api.headers["authorization"] = "Bearer wrong"
    assert (await push(api, TEXT)).status_code == 401


async def test_quick_replies_are_gone_with_the_next_message(line: LineTwin, api: httpx.AsyncClient):
    line.follow(USER)
    await push(api, with_quick_reply(POSTBACK))
    assert [button.label for button in line.heard(USER)[-1].buttons] == ["はい"]

    await push(api, TEXT)

    assert [bubble.buttons for bubble in line.heard(USER)] == [(), ()]
    assert line.button(USER, "はい").payload == "1:yes"


async def test_an_unsent_picture_can_not_be_fetched_any_more(line: LineTwin, api: httpx.AsyncClient):
    message_id = json.loads(line.image(USER, b"picture").body)["events"][0]["message"]["id"]

    assert (await api.get(f"/v2/bot/message/{message_id}/content")).content == b"picture"
    line.unsend(USER, message_id)
    assert (await api.get(f"/v2/bot/message/{message_id}/content")).status_code == 410


async def test_a_twin_that_was_told_to_fail_fails_as_often_as_told(line: LineTwin, api: httpx.AsyncClient):
    line.follow(USER)
    line.fail(2, 503)

    assert [(await push(api, TEXT)).status_code for _ in range(3)] == [503, 503, 200]


# ---------------------------------------------------------------- Telegram


@pytest.fixture(scope="module")
def telegram() -> Iterator[TelegramTwin]:
    with TelegramTwin() as twin:
        yield twin


@pytest.fixture
async def bot(telegram: TelegramTwin) -> AsyncIterator[httpx.AsyncClient]:
    telegram.forget()
    telegram.start(PERSON)
    async with httpx.AsyncClient(base_url=f"{telegram.base_url}{telegram.token}") as client:
        yield client


async def send(bot: httpx.AsyncClient, text: str = "あ", *, buttons: object = None, **more: str) -> httpx.Response:
    keyboard = {} if buttons is None else {"reply_markup": json.dumps({"inline_keyboard": buttons})}
    return await bot.post("/sendMessage", data={"chat_id": PERSON, "text": text, **keyboard, **more})


@pytest.mark.parametrize("html", ["<b>あ", "1 < 2", "a & b", "&nbsp;", "<h1>あ</h1>", "<b><i>あ</b></i>", "a > b"])
async def test_telegram_refuses_html_it_cannot_parse(telegram: TelegramTwin, bot: httpx.AsyncClient, html: str):
    answer = await send(bot, html, parse_mode="HTML")

    assert answer.status_code == 400
    assert "can't parse entities" in answer.json()["description"]


async def test_telegram_counts_a_text_after_parsing(telegram: TelegramTwin, bot: httpx.AsyncClient):
    assert (await send(bot, "<b>" + "あ" * 4096 + "</b>", parse_mode="HTML")).status_code == 200
    assert (await send(bot, "あ" * 4097)).status_code == 400
    assert (await send(bot, " \n")).status_code == 400


@pytest.mark.parametrize(
    "button",
    [
        {"text": "あ"}, {"text": "", "callback_data": "1"}, {"text": "あ", "callback_data": ""}, {"text": "あ", "callback_data": "あ" * 22},
        {"text": "あ", "callback_data": "1", "url": "https://example.jp"}, {"text": "あ", "url": "tel:110"},
    ],
)  # fmt: skip
async def test_telegram_refuses_a_button_of_no_kind_or_of_two(telegram: TelegramTwin, bot: httpx.AsyncClient, button: dict[str, str]):
    assert (await send(bot, buttons=[[button]])).status_code == 400
    assert telegram.heard(PERSON) == []


@pytest.mark.skipif(not HERE, reason="the platforms' descriptions are not at hand")
async def test_telegram_knows_no_other_fields_than_it_describes(telegram: TelegramTwin, bot: httpx.AsyncClient):
    assert (await send(bot, colour="red")).status_code == 400
    assert (await bot.post("/sendMessage", data={"chat_id": PERSON})).status_code == 400
    assert (await bot.post("/sendHologram", data={})).status_code in (400, 404)


async def test_telegram_refuses_strangers_and_a_blocked_bot(telegram: TelegramTwin, bot: httpx.AsyncClient):
    assert (await bot.post("/sendMessage", data={"chat_id": "5", "text": "あ"})).json()["description"] == "Bad Request: chat not found"
    telegram.blocks(PERSON)
    assert (await send(bot)).status_code == 403


async def test_a_press_can_be_answered_once_and_only_while_it_is_young(bot: httpx.AsyncClient, telegram: TelegramTwin):
    query = json.loads(telegram.postback(PERSON, "1:yes").body)["callback_query"]["id"]

    assert (await bot.post("/answerCallbackQuery", data={"callback_query_id": query})).status_code == 200
    assert (await bot.post("/answerCallbackQuery", data={"callback_query_id": query})).status_code == 400


async def test_an_edit_without_change_is_refused(telegram: TelegramTwin, bot: httpx.AsyncClient):
    sent = (await send(bot)).json()["result"]["message_id"]
    edit = {"chat_id": PERSON, "message_id": sent}

    assert (await bot.post("/editMessageText", data=edit | {"text": "い"})).status_code == 200
    assert (await bot.post("/editMessageText", data=edit | {"text": "い"})).json()["description"] == "Bad Request: message is not modified"
    assert [bubble.text for bubble in telegram.heard(PERSON)] == ["い"]


async def test_polling_and_a_webhook_exclude_each_other_and_so_do_two_pollers(telegram: TelegramTwin, bot: httpx.AsyncClient):
    await bot.post("/setWebhook", data={"url": "https://example.jp/x"})
    assert (await bot.post("/getUpdates")).status_code == 409
    await bot.post("/deleteWebhook")

    statuses = await asyncio.gather(*(bot.post("/getUpdates", data={"timeout": 1}) for _ in range(2)))

    assert sorted(answer.status_code for answer in statuses) == [200, 409]


async def test_a_file_can_be_fetched_by_its_path(telegram: TelegramTwin, bot: httpx.AsyncClient):
    photo = json.loads(telegram.image(PERSON, b"picture").body)["message"]["photo"][0]["file_id"]
    path = (await bot.post("/getFile", data={"file_id": photo})).json()["result"]["file_path"]

    assert (await httpx.AsyncClient().get(f"{telegram.file_url}{telegram.token}/{path}")).content == b"picture"
