"""The `madoguchi` command: a thin list of verbs (design.md §5)."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot import logs
from bot.knowledge_verbs import app as knowledge_app
from bot.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, help="まるごと相談窓口 — a front door for people in trouble.")
app.add_typer(knowledge_app, name="knowledge", help="地域の情報を点検・試験する / check and test the knowledge base")
staff_app = typer.Typer(no_args_is_help=True, help="職員のアカウント / staff accounts")
app.add_typer(staff_app, name="staff")
token_app = typer.Typer(no_args_is_help=True, help="API の鍵 / API tokens")
app.add_typer(token_app, name="token")
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

Folder = Annotated[Path | None, typer.Option("--knowledge", help="地域の情報のフォルダー / a folder of entries", exists=True, file_okay=False)]


def main() -> None:
    """Entry of the console script: one clear line on bad settings, exit 2."""
    from pydantic import ValidationError

    logs.set_up()
    try:
        app()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            err.print(f"設定が正しくありません: MADOGUCHI_{'_'.join(str(part) for part in problem['loc']).upper()} — {problem['msg']}")
        sys.exit(2)


@app.command()
def serve() -> None:
    """相談窓口を動かす / run the web chat, the desk and the webhooks."""
    from bot import start

    start.serve(Settings(), out, err)


@app.command()
def work() -> None:
    """期日の来た仕事だけをする（PostgreSQL）/ deliver and keep promises beside `serve`, on PostgreSQL."""
    from bot import start

    start.work(Settings(), out, err)


@app.command()
def talk(folder: Folder = None) -> None:
    """端末で話してみる / a conversation in the terminal, with the same flows."""
    from bot import terminal_talk

    terminal_talk.run(Settings(), folder)


@app.command()
def match(
    jsonl: Annotated[bool, typer.Option("--jsonl", help="1行に1件のJSONを読む / one JSON a line on standard input")] = False,
    ranked: Annotated[int | None, typer.Option("--ranked", min=1, help="上位N件の並びだけを出す / only the plain ranking")] = None,
    folder: Folder = None,
    text: Annotated[str | None, typer.Argument(help="相談の文（--jsonl を使わないとき）/ one worry")] = None,
) -> None:
    """相談の文に合う窓口をさがす / match worries to services."""
    from bot import match as matching

    sys.exit(matching.main(Settings().knowledge if folder is None else folder, jsonl=jsonl, ranked=ranked, text=text))


@app.command()
def due(
    at: Annotated[datetime | None, typer.Option("--at", help="この時刻のつもりで / as if at this time (JST)")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="見るだけ / only show")] = False,
) -> None:
    """期日の来た約束を果たす / what is due now: promises and follow-ups."""
    from bot import start

    start.due_now(Settings(), at, dry_run, out)


@app.command()
def retention() -> None:
    """保存の期限が過ぎた相談を、いま消す（時計を確かめてから）/ erase now what was kept long enough, after a look at the clock."""
    from bot import keeping

    sys.exit(keeping.retention(Settings(), out, err))


@app.command()
def doctor(
    apply: Annotated[bool, typer.Option("--apply", help="メニューと紹介文を LINE と Telegram に入れる / install menus and texts")] = False,
) -> None:
    """足りない設定を一行ずつ言う / what is missing in this set-up, with the fix."""
    from bot import doctor as doctors

    sys.exit(doctors.run(Settings(), out, apply=apply))


@app.command()
def verify(head: Annotated[str, typer.Option("--head", help="前に控えた先頭の印 / a head noted before, 番号:印")] = "") -> None:
    """記録の鎖と決まりごとを確かめる / check the audit chain and the invariants."""
    from bot import start

    sys.exit(start.verify(Settings(), head, out, err))


@app.command()
def incident(
    since: Annotated[datetime, typer.Option("--since", help="いつから / from when, Japanese time")],
    until: Annotated[datetime, typer.Option("--until", help="いつまで / until when")],
    login: Annotated[str | None, typer.Option("--staff", help="この職員のログイン名だけ / only this login")] = None,
    agency: Annotated[str | None, typer.Option("--agency", help="この機関だけ / only this agency")] = None,
    code: Annotated[str | None, typer.Option("--case", help="この相談票だけ / only this case")] = None,
) -> None:
    """漏えい等のとき、だれの何に関わるかを報告書の順に出す / whom an incident concerns, in the order of the report form."""
    from bot import incident as incidents

    sys.exit(incidents.run(Settings(), since, until, login, agency, code, out, err))


@app.command(name="master-key")
def master_key(file: Annotated[Path, typer.Argument(help="まだ無いファイル / a file that is not there yet")]) -> None:
    """封の鍵を作る（本番で一度だけ）/ make the master key of a new town; keep a copy of it apart from the backups."""
    from bot import keeping

    sys.exit(keeping.master_key(file, out, err))


@app.command(name="rotate-key")
def rotate_key() -> None:
    """封の鍵を新しくする（動いたまま）/ put the new master key in the place of RETIRING_KEY_FILE's, while the product runs."""
    from bot import keeping

    sys.exit(keeping.rotate_key(Settings(), out, err))


@app.command()
def backup(
    to: Annotated[Path | None, typer.Option("--to", help="置く場所 / the folder (BACKUP_FOLDER)")] = None,
    new_key: Annotated[Path | None, typer.Option("--new-key", help="鍵の組だけを作る / only make a pair of keys, the private one here")] = None,
) -> None:
    """動いたまま写しを取る（封をして）/ write one encrypted backup while the product runs."""
    from bot import keeping

    sys.exit(keeping.backup(Settings(), to, new_key, out, err))


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="写し / a backup", exists=True, dir_okay=False)],
    identity: Annotated[Path, typer.Option("--identity", help="秘密鍵のファイル / the private key's file", exists=True, dir_okay=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="開けるかだけ確かめる / only see whether it opens")] = False,
) -> None:
    """写しから戻す。古い返事は、人が確かめるまで送らない / restore; nothing old is sent until a human lets it."""
    from bot import keeping

    sys.exit(keeping.restore(Settings(), file, identity, dry_run, out, err))


@app.command(name="eval")
def evaluate(
    folder: Folder = None,
    full: Annotated[bool, typer.Option("--full", help="手がかりを一つずつ外しても測る / also without each channel")] = False,
    picture: Annotated[Path | None, typer.Option(help="図（SVG）を書くファイル / file for a picture (SVG)")] = None,
    keep: Annotated[Path | None, typer.Option(help="一行ごとの正誤を残すファイル / keep what was right, line by line")] = None,
    against: Annotated[
        Path | None, typer.Option(help="前に残したものとくらべる / compare with what was kept", exists=True, dir_okay=False)
    ] = None,
) -> None:
    """聞きとりの正しさを測る / measure hearing on the development sets."""
    from bot.bench import eval as evaluation

    more = evaluation.More(full, picture, keep, against)
    sys.exit(evaluation.main(Settings().knowledge if folder is None else folder, more, out))


@app.command()
def bench(
    seconds: Annotated[float, typer.Option(help="一つの測定の長さ / length of one measurement")] = 5.0,
    postgres: Annotated[bool, typer.Option(help="PostgreSQL も測る / PostgreSQL too")] = True,
    limit: Annotated[float, typer.Option(help="全体の制限時間（秒）/ the whole run ends after so many seconds, with what it has")] = 900.0,
    picture: Annotated[Path | None, typer.Option(help="図（SVG）を書くファイル / file for a picture (SVG)")] = None,
) -> None:
    """速さと記憶量を測る / measure speed and memory, side by side in one run."""
    from bot.bench import speed

    sys.exit(speed.main(seconds, postgres, limit, picture, out))


@staff_app.command("add")
def staff_add(role: Annotated[str, typer.Argument(help="coordinator | lead | editor | admin | agency")] = "coordinator") -> None:
    """招待の一回きりのリンクを作る / make a one-time link for a new member of staff."""
    from bot import start

    start.invite(Settings(), role, out, err)


@staff_app.command("list")
def staff_list() -> None:
    """職員の一覧 / list staff."""
    from bot import start

    start.list_staff(Settings(), out)


@staff_app.command("disable")
def staff_disable(login: str) -> None:
    """職員を止める / disable an account; its sessions end at once."""
    from bot import start

    sys.exit(start.disable_staff(Settings(), login, out, err))


@token_app.command("add")
def token_add(login: str, name: str) -> None:
    """API の鍵を作る（一度だけ表示）/ make an API token with the rights of one member of staff."""
    from bot import start

    sys.exit(start.add_token(Settings(), login, name, out, err))


@token_app.command("revoke")
def token_revoke(name: str) -> None:
    """API の鍵を止める / revoke an API token."""
    from bot import start

    sys.exit(start.revoke_token(Settings(), name, out, err))
