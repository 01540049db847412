"""`madoguchi doctor`: what is missing in this set-up, one line each with the fix (desk.md §6 点検)."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

from rich.console import Console

import flows
from bot import app as apps
from bot import duty as duties
from bot.install.finding import Finding, State
from bot.production import missing_for_production
from bot.settings import Settings
from knowledge import lint
from knowledge.base import BrokenBase, load
from storage import cases, duty
from storage.sealing import KeyFileProblem
from storage.store import SecondProcess, Store, StoreDown

_USE = {
    False: "talk です（LINE などの中で相談し、いつでも専用ページに移れます）。",
    True: "entrance です（入口だけに使い、相談は専用ページで受けます。書かれた文は残しません）。",
}
_DUTY_AHEAD = 14
"""Days: a calendar that ends sooner is worth a word."""
_MARK: dict[State, str] = {"ok": "〇", "note": "△", "bad": "×"}


def run(settings: Settings, out: Console, *, apply: bool = False) -> int:
    """Print all findings; 1 when something is bad. `apply` puts menus, commands and profile texts on the platforms first."""
    findings = [*_settings(settings), *_knowledge(settings), *_database(settings), *(_applied(settings) if apply else ())]
    for finding in findings:
        out.print(f"{_MARK[finding.state]} {finding.words}")
    return 1 if any(finding.state == "bad" for finding in findings) else 0


def _settings(settings: Settings) -> Iterator[Finding]:
    for words in missing_for_production(settings):
        yield Finding("bad", words)
    if settings.profile == "demo":
        yield Finding("note", "見本（demo）です。PROFILE を production にしてから住民へ。")
    yield from _channel("LINE", settings.line_ready, settings.line_channel_secret or settings.line_channel_access_token,
                        "MADOGUCHI_LINE_CHANNEL_SECRET と MADOGUCHI_LINE_CHANNEL_ACCESS_TOKEN")  # fmt: skip
    yield from _channel("Telegram", settings.telegram_ready, settings.telegram_token, "MADOGUCHI_TELEGRAM_TOKEN と MADOGUCHI_TELEGRAM_SECRET")
    if settings.line_ready:
        yield Finding("note", f"LINE の使い方は {_USE['line' in settings.entrances]}")
        yield Finding("note", "自治体は、LINE の使い方をどちらに決めたかを記録に残してください（2021年の国の指針）。")
    if settings.telegram_ready:
        yield Finding("note", f"Telegram の使い方は {_USE['telegram' in settings.entrances]}")
    if (settings.line_ready or settings.telegram_ready) and not settings.secure:
        yield Finding("note", "専用ページ: 住民のスマートフォンからひらける https の住所がありません → MADOGUCHI_BASE_URL")
    if settings.line_ready or settings.telegram_ready:
        yield Finding("note", "メニュー・コマンド・紹介文は madoguchi doctor --apply で入ります（何度でも同じ結果です）。")
    if not settings.alarm_urls.strip():
        yield Finding("note", "緊急のときに外へ鳴らす先がありません。机を開いている人にだけ知らせます → MADOGUCHI_ALARM_URLS")


def _applied(settings: Settings) -> list[Finding]:
    """What was put on the platforms that are connected (bot/install)."""
    from bot.install import line, telegram  # their libraries are slow to load, and only this needs them

    async def install() -> list[Finding]:
        town = flows.load_town(load(settings.knowledge))
        return [*await line.install(settings, town), *await telegram.install(settings, town)]

    try:
        return asyncio.run(install())
    except BrokenBase:  # said already, with its file and line
        return []


def _duty(settings: Settings, store: Store) -> Iterator[Finding]:
    """How far the 当番表 reaches, and whether its people can be called."""
    last = store.transact(duty.written_until)
    left = -1 if last is None else (last - duties.day_of(datetime.now(UTC))).days
    if last is None:
        yield Finding("note", "当番表: まだありません。緊急のメールは係長に行きます → 机の「当番」")
    elif left < _DUTY_AHEAD:
        yield Finding("note", f"当番表: {'もう空です' if left < 0 else f'{left} 日後から空です'} → 机の「当番」")
    else:
        yield Finding("ok", f"当番表: {left} 日先まであります")
    if last is not None and not settings.mail_url:
        yield Finding("bad", "当番の人にメールを送れません → MADOGUCHI_MAIL_URL")


def _channel(name: str, ready: bool, begun: object, needed: str) -> Iterator[Finding]:
    if ready:
        yield Finding("ok", f"{name}: つながる用意ができています")
    elif begun:
        yield Finding("bad", f"{name}: 設定が足りないので動いていません → {needed}")
    else:
        yield Finding("note", f"{name}: 使っていません → {needed}")


def _knowledge(settings: Settings) -> Iterator[Finding]:
    problems = lint.check(settings.knowledge, today=datetime.now(UTC).date())
    errors = [problem for problem in problems if problem.level == "error"]
    if errors:
        where = f"{errors[0].file}:{errors[0].line}" + (" ほか" if len(errors) > 1 else "")
        words = f"地域の情報: まちがいが {len(errors)} 件（{where}）。動いている版はそのままです → madoguchi knowledge check {settings.knowledge}"
        yield Finding("bad", words)
    else:
        yield Finding("ok", f"地域の情報: 読めます（注意 {len(problems)} 件）")


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        store = apps.open_store(settings, exclusive=False)
    except KeyFileProblem as problem:
        yield Finding("bad", str(problem))
        return
    except (StoreDown, SecondProcess, OSError) as problem:
        yield Finding("bad", f"データベースを開けません: {type(problem).__name__}")
        return
    try:
        yield Finding("ok", f"データベース: {store.engine.dialect.name}")
        staffed = store.transact(cases.is_staffed)
        if staffed:
            yield Finding("ok", "相談員: います")
        else:
            yield Finding("bad", "相談員がまだいません → madoguchi serve が出すリンク、または madoguchi staff add")
        yield from _duty(settings, store)
    finally:
        store.close()
