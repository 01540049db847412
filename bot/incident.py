"""`madoguchi incident`: the list of those concerned, in the order of the report to the commission (R44)."""

from datetime import datetime

from rich.console import Console

from bot import app as apps
from bot.clock import JST
from bot.settings import Settings
from storage import incident, staff
from storage.incident import Concerned, Nobody

_FORM = """漏えい等の報告（個人情報の保護に関する法律68条、同法施行規則43条）の下書き
速報は知ってから3〜5日以内、確報は30日以内（不正の目的によるおそれがあるときは60日以内）。
1 概要: {since} から {until} まで。{asked}
2 個人データの項目: {kinds}
3 本人の数: {people} 人（相談票 {cases} 件。うち住所などを隠している人 {hidden} 人：先に連絡のしかたを決める）
4 原因:
5 二次被害またはそのおそれの有無と内容:
6 本人への対応の実施状況:
7 公表の実施状況:
8 再発防止のための措置:
9 その他参考になる事項: 暗号化の状態 {keys}

相談票\t本人\t隠した住所\tはじめ\tおわり\t回数\tしたこと\tだれが\t項目\t鍵"""


def run(
    settings: Settings, since: datetime, until: datetime, login: str | None, agency: str | None, code: str | None, out: Console, err: Console
) -> int:  # fmt: skip
    """Print the draft of the report and a line for each case; 1 when who was asked for is not there."""
    since, until = (at if at.tzinfo else at.replace(tzinfo=JST) for at in (since, until))
    store = apps.open_store(settings, exclusive=False)
    try:
        found = store.transact(lambda rows: incident.concerned(rows, since=since, until=until, login=login, agency=agency, code=code))
        names = {f"staff:{one}": name for one, name in store.transact(staff.names).items()}
    except Nobody:
        err.print("その職員・機関・相談票はありません。")
        return 1
    finally:
        store.close()
    asked = "、".join(f"{what} {one}" for what, one in (("職員", login), ("機関", agency), ("相談票", code)) if one) or "すべての記録"
    out.print(
        _FORM.format(
            since=_when(since), until=_when(until), asked=asked, kinds="、".join(sorted({kind for one in found for kind in one.kinds})) or "なし",
            people=len({one.person_id for one in found}), cases=len(found),
            hidden=len({one.person_id for one in found if one.hidden_address}), keys="、".join(sorted({one.key for one in found})) or "なし",
        )
    )  # fmt: skip
    for one in found:
        out.print(_line(one, names))
    return 0


def _line(one: Concerned, names: dict[str, str]) -> str:
    who = "・".join(names.get(actor, actor) for actor in one.by)
    hidden = "あり" if one.hidden_address else ""
    when = (_when(one.first_at), _when(one.last_at), str(one.times))
    return "\t".join((one.code, one.person_id, hidden, *when, "・".join(one.acts), who, "・".join(one.kinds), one.key))


def _when(at: datetime) -> str:
    return f"{at.astimezone(JST):%Y-%m-%d %H:%M}"
