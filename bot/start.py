"""What the verbs of the command do that need the whole product: serving, accounts, what is due, verifying."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from rich.console import Console
from sqlalchemy.engine import make_url
from sqlmodel import Session as Rows

from bot import app as apps
from bot import heads
from bot.clock import JST, SystemClock
from bot.jobs import due
from bot.jobs.loop import Loop
from bot.parts import Parts
from bot.production import missing_for_production
from bot.settings import Settings
from knowledge.base import BrokenBase
from knowledge.reading import render
from storage import audit, case_cells, staff
from storage.sealing import KeyFileProblem
from storage.store import SecondProcess, Store, StoreDown

T = TypeVar("T")


def serve(settings: Settings, out: Console, err: Console) -> None:
    """Start, and say where everything is. Exit 1 with one clear line when it may not or cannot start."""
    _start(settings, lambda: apps.serve(settings, partial(_announce, settings, out)), out, err)


def work(settings: Settings, out: Console, err: Console) -> None:
    """Start a process that does what comes due, beside those that serve pages. SQLite has room for one process only."""
    if make_url(settings.database_url).get_backend_name() == "sqlite":
        words = "work は PostgreSQL のときだけ使えます。SQLite では serve が一つで、すべての仕事をします。"
        raise SystemExit(_say(err, words))
    _start(settings, lambda: apps.work(settings, lambda parts: out.print("仕事を待っています。止めるには Ctrl+C")), out, err)


def _start(settings: Settings, run: Callable[[], None], out: Console, err: Console) -> None:
    missing = missing_for_production(settings)
    if missing:
        err.print("本番（production）では始められません。次をそろえてください。")
        for line in missing:
            err.print(f"  - {line}")
        raise SystemExit(1)
    out.print("まるごと相談窓口を準備しています …")
    try:
        run()
    except KeyFileProblem as problem:
        raise SystemExit(_say(err, str(problem))) from problem
    except SecondProcess as second:
        words = f"このデータベースは別の Madoguchi が使っています: {second}。SQLite は一つだけです（PostgreSQL なら、いくつでも）。"
        raise SystemExit(_say(err, words)) from second
    except BrokenBase as broken:
        for mistake in broken.problems:
            err.print(render(mistake))
        raise SystemExit(_say(err, "地域の情報にまちがいがあるので始められません。上の行を直してください。")) from broken
    except StoreDown as down:
        raise SystemExit(_say(err, f"データベースに書けません（{down}）。空き容量とファイルの権限を確かめてください。")) from down


def _announce(settings: Settings, out: Console, parts: Parts) -> None:
    """The addresses, and the one-time link that makes the first coordinator (R25)."""
    town = parts.knowledge.town.base
    out.print(f"  地域の情報   {town.town.name}　{len(town.entries)} 件（版 {town.version}）")
    out.print(f"  相談チャット {settings.base_url}/")
    out.print(f"  相談員の机   {settings.base_url}/desk")
    for name in ("line", "telegram"):
        state = f"{settings.base_url}/{name}/webhook" if name in parts.channels else "つながっていません（README の「つなぐ」へ）"
        out.print(f"  {name:<12} {state}")
    token = parts.store.transact(lambda rows: staff.first_invitation(rows, parts.clock.now()))
    if token is not None:
        out.print(f"\n  はじめての相談員を作る一回きりのリンク（60分）:\n  {settings.base_url}/desk/welcome#{token}\n")
    out.print("  止めるには Ctrl+C")


def due_now(settings: Settings, at: datetime | None, dry_run: bool, out: Console) -> None:
    """Show or do what is due at a time (JST when it has no zone)."""
    moment = datetime.now(UTC) if at is None else (at if at.tzinfo else at.replace(tzinfo=JST)).astimezone(UTC)
    store = _open(settings)
    try:
        found = store.transact(due.every_due(moment))
        for one in found:
            out.print(f"{one.due_at.astimezone(JST):%Y-%m-%d %H:%M}  {one.kind}  {one.conversation_id}")
        out.print(f"{len(found)} 件" + ("（見ただけ）" if dry_run else ""))
        if found and not dry_run:
            asyncio.run(_keep(settings, store, moment))
    finally:
        store.close()


async def _keep(settings: Settings, store: Store, moment: datetime) -> None:
    class Fixed(SystemClock):
        def now(self) -> datetime:
            return moment

    parts = apps.build_parts(settings, store, clock=Fixed())
    await Loop(parts).keep_promises()
    await parts.delivery.idle()
    for channel in parts.channels.values():
        await channel.close()


def verify(settings: Settings, told: str, out: Console, err: Console) -> int:
    """Walk the audit chain beside the heads kept outside the database, and one that somebody noted (`123:abc…`), and open the cells of every case;
    1 when something does not hold."""
    known = heads.read(settings.heads_file)
    if told:
        seq, _, noted = told.partition(":")
        if not seq.isdecimal() or not noted:
            err.print("--head は「番号:印」の形で書いてください。")
            return 2
        known[int(seq)] = noted
    sealed = _once(settings, case_cells.unreadable)
    if sealed:
        out.print(f"封の合わない相談票が {len(sealed)} 件あります（{'、'.join(sealed)}）。写しから、その相談票を確かめてください。")
    broken = _once(settings, lambda rows: audit.verify(rows, known))
    if broken is None:
        newest, mark = _once(settings, audit.head)
        out.print(f"記録の鎖は {newest} 番まで、つながっています。先頭の印: {newest}:{mark}")
        return 1 if sealed else 0
    out.print(f"記録の鎖が {broken.seq} 番で切れています（{broken.what}）。")
    if broken.seq in known or broken.what == "cut":
        out.print(f"データベースを自分で作りなおしたあとなら、{settings.heads_file} を別の場所に移すと、新しく数えはじめます。")
    return 1


def invite(settings: Settings, role: str, out: Console, err: Console) -> None:
    """Print a one-time link for a new member of staff."""
    if role not in staff.ROLES:
        raise SystemExit(_say(err, f"役割は次のどれかです: {', '.join(staff.ROLES)}", code=2))
    token = _once(settings, lambda rows: staff.invite(rows, role=role, now=datetime.now(UTC)))
    out.print(f"一回きりのリンク（60分）: {settings.base_url}/desk/welcome#{token}")


def list_staff(settings: Settings, out: Console) -> None:
    for one in _once(settings, staff.everybody):
        out.print(f"{one.login}\t{one.name}\t{one.role}\t{'停止' if one.disabled else '有効'}")


def disable_staff(settings: Settings, login: str, out: Console, err: Console) -> int:
    done = _once(settings, lambda rows: staff.disable(rows, login=login, now=datetime.now(UTC)))
    return _result(done, f"{login} を止めました。", f"{login} という人はいません。", out, err)


def add_token(settings: Settings, login: str, name: str, out: Console, err: Console) -> int:
    token = _once(settings, lambda rows: staff.add_token(rows, login=login, name=name, now=datetime.now(UTC)))
    return _result(token is not None, f"この鍵は一度だけ表示します: {token}", f"{login} という人はいません。", out, err)


def revoke_token(settings: Settings, name: str, out: Console, err: Console) -> int:
    done = _once(settings, lambda rows: staff.revoke_token(rows, name=name, now=datetime.now(UTC)))
    return _result(done, f"鍵 {name} を止めました。", f"鍵 {name} はありません。", out, err)


def _result(done: bool, yes: str, no: str, out: Console, err: Console) -> int:
    (out if done else err).print(yes if done else no)
    return 0 if done else 2


def _once(settings: Settings, work: Callable[[Rows], T]) -> T:
    store = _open(settings)
    try:
        return store.transact(work)
    finally:
        store.close()


def _open(settings: Settings) -> Store:
    """A store for one command. Beside a running server the SQLite file is shared: each write is a transaction of its own."""
    return apps.open_store(settings, exclusive=False)


def _say(err: Console, words: str, code: int = 1) -> int:
    err.print(words)
    return code
