"""Puts commands, menu button and profile texts on the Telegram bot, in each language it speaks; what is right already is not sent again."""

from collections.abc import Awaitable, Callable
from typing import Final

from telegram import Bot, BotCommand, MenuButtonCommands
from telegram.error import TelegramError

import flows
from bot.channels.cutting import shorten
from bot.channels.telegram_reading import COMMANDS
from bot.install import menu
from bot.install.finding import Finding
from bot.settings import Settings
from flows.phrasebook import SPOKEN

_LANGUAGES: Final[dict[str | None, flows.Lang]] = {None: "ja", **{lang: lang for lang in SPOKEN if lang not in ("ja", "easy")}}
"""Telegram's language of the reader → ours; everybody else reads the Japanese."""
_MOST_DESCRIPTION: Final = 512
_MOST_SHORT: Final = 120


async def install(settings: Settings, town: flows.Town) -> list[Finding]:
    """One line about what was done."""
    if settings.telegram_token is None:
        return []
    try:
        async with Bot(settings.telegram_token.get_secret_value(), base_url=settings.telegram_base_url) as bot:
            changed = sum([await _language(bot, town, theirs, ours) for theirs, ours in _LANGUAGES.items()])
            if not isinstance(await bot.get_chat_menu_button(), MenuButtonCommands):
                await bot.set_chat_menu_button(menu_button=MenuButtonCommands())
                changed += 1
    except TelegramError as error:
        return [Finding("bad", f"Telegram: メニューを入れられませんでした（{type(error).__name__}）。トークンと通信を確かめてください。")]
    return [Finding("ok", "Telegram のメニューと紹介文: " + ("入れました" if changed else "入っています（変わりありません）"))]


async def _language(bot: Bot, town: flows.Town, theirs: str | None, ours: flows.Lang) -> int:
    """Commands and texts in one language; how many had to be sent."""
    commands = [BotCommand(COMMANDS[item.payload], f"{item.label}（{item.what}）") for item in menu.items(town, ours)]
    hello, privacy, emergency = (flows.filled(town, f"welcome.{name}", ours) for name in ("hello", "privacy", "emergency"))
    long, short = shorten(f"{hello}\n{privacy}\n{emergency}", _MOST_DESCRIPTION), shorten(hello, _MOST_SHORT)
    changed = 0
    if list(await bot.get_my_commands(language_code=theirs)) != commands:
        await bot.set_my_commands(commands, language_code=theirs)
        changed += 1
    changed += await _text(long, (await bot.get_my_description(theirs)).description, lambda: bot.set_my_description(long, theirs))
    return changed + await _text(
        short, (await bot.get_my_short_description(theirs)).short_description, lambda: bot.set_my_short_description(short, theirs)
    )


async def _text(wanted: str, now: str, send: Callable[[], Awaitable[bool]]) -> int:
    if wanted == now:
        return 0
    await send()
    return 1
