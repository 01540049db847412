"""Puts the menu on the LINE account, and tells LINE where to post (platform README, "rich menu").

A menu's picture cannot be replaced, so a changed menu is made anew, shown, and only then the old one is taken away: no resident is without a menu
in between. A menu of ours that is not shown was cut off half-way, and goes too.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from linebot.v3.messaging import (
    ApiException,
    AsyncApiClient,
    AsyncMessagingApi,
    AsyncMessagingApiBlob,
    Configuration,
    RichMenuRequest,
    SetWebhookEndpointRequest,
)

import flows
from bot.install import menu
from bot.install.finding import Finding
from bot.settings import Settings

_SECONDS = 15.0
_LOST = (aiohttp.ClientError, OSError, TimeoutError, ValueError)


async def install(settings: Settings, town: flows.Town) -> list[Finding]:
    """Menu and webhook address; one line each about what was done."""
    if settings.line_channel_access_token is None:
        return []
    token = settings.line_channel_access_token.get_secret_value()
    calls = AsyncApiClient(Configuration(host=settings.line_api_host.rstrip("/"), access_token=token))
    files = AsyncApiClient(Configuration(host=settings.line_data_host.rstrip("/"), access_token=token))
    try:
        with _named() as problem:
            api = AsyncMessagingApi(calls)
            done = [await _menu(api, AsyncMessagingApiBlob(files), town)]
            return done + ([await _webhook(api, f"{settings.base_url}/line/webhook")] if settings.secure else [])
        return [Finding("bad", f"LINE: メニューを入れられませんでした（{problem[0]}）。チャネルアクセストークンと通信を確かめてください。")]
    finally:
        await calls.close()
        await files.close()


async def _menu(api: AsyncMessagingApi, files: AsyncMessagingApiBlob, town: flows.Town) -> Finding:
    wanted = menu.rich_menu(town)
    ours = [one for one in (await api.get_rich_menu_list(_request_timeout=_SECONDS)).richmenus if menu.is_ours(one.name)]
    shown = await _shown(api)
    if [one.name for one in ours if one.rich_menu_id == shown] == [wanted["name"]] and len(ours) == 1:
        return Finding("ok", "LINE のメニュー: 入っています（変わりありません）")
    made = (await api.create_rich_menu(RichMenuRequest.from_dict(wanted), _request_timeout=_SECONDS)).rich_menu_id
    picture = menu.PICTURE.read_bytes()
    await files.set_rich_menu_image(made, picture, _headers={"Content-Type": "image/png"}, _request_timeout=_SECONDS)
    await api.set_default_rich_menu(made, _request_timeout=_SECONDS)
    for one in ours:
        await api.delete_rich_menu(one.rich_menu_id, _request_timeout=_SECONDS)
    return Finding("ok", "LINE のメニュー: 入れました")


async def _shown(api: AsyncMessagingApi) -> str | None:
    """Id of the menu everybody sees; None when there is none (404)."""
    try:
        found: str = (await api.get_default_rich_menu_id(_request_timeout=_SECONDS)).rich_menu_id
    except ApiException as answer:
        if answer.status == 404:
            return None
        raise
    return found


async def _webhook(api: AsyncMessagingApi, address: str) -> Finding:
    try:
        now = await api.get_webhook_endpoint(_request_timeout=_SECONDS)
        known, active = now.endpoint, bool(now.active)
    except ApiException as answer:
        if answer.status != 404:
            raise
        known, active = None, False
    if known != address:
        await api.set_webhook_endpoint(SetWebhookEndpointRequest(endpoint=address), _request_timeout=_SECONDS)
    if not active:
        return Finding("note", "LINE の Webhook: 送り先を入れました → LINE Developers で「Webhookの利用」と「Webhookの再送」をオンにしてください")
    return Finding("ok", "LINE の Webhook: 送り先は正しいです")


@contextmanager
def _named() -> Iterator[list[str]]:
    """Errors of LINE and of the network become one word; LINE's own sentence is not repeated (R42)."""
    problem: list[str] = []
    try:
        yield problem
    except ApiException as answer:
        problem.append(str(answer.status))
    except _LOST as lost:
        problem.append(type(lost).__name__)
