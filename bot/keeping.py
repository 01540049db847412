"""What `madoguchi backup`, `restore` and `master-key` say; how it is done stands in backup.py and storage."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from bot import backup as backups
from bot import keys
from bot.clock import JST
from bot.jobs import retention as retention_job
from bot.settings import Settings
from storage import audit
from storage.copies import CopyProblem
from storage.sealing import KeyFileProblem, make_key_file
from storage.store import SecondProcess, Store, StoreDown


def backup(settings: Settings, to: Path | None, new_key: Path | None, out: Console, err: Console) -> int:
    """Make a pair of keys, or write a backup and let the old ones expire."""
    if new_key is not None:
        return _new_key(new_key, out, err)
    now, folder = datetime.now(UTC), to or settings.backup_folder
    try:
        written = backups.backup(settings, folder, now)
    except (CopyProblem, KeyFileProblem, StoreDown, OSError) as problem:
        err.print(f"写しを取れませんでした: {problem}")
        return 1
    expired = backups.expire(folder, now, timedelta(days=settings.backup_keep_days))
    out.print(f"写しを取りました: {written}（{written.stat().st_size / 1e6:.1f} MB）")
    if expired:
        out.print(f"古い写し {len(expired)} 個を消しました。")
    return 0


def restore(settings: Settings, file: Path, identity: Path, dry_run: bool, out: Console, err: Console) -> int:
    """Look into a backup, or bring it back."""
    try:
        if dry_run:
            note = backups.look_into(file, identity)
            out.print(f"この写しは開けます。{_when(note.taken_at)} の {note.engine}、{note.bytes / 1e6:.1f} MB。")
            return 0
        restored = backups.restore(settings, file, identity, datetime.now(UTC))
    except (CopyProblem, KeyFileProblem, SecondProcess, StoreDown, OSError) as problem:
        err.print(f"戻せませんでした: {problem}")
        return 1
    quieted = restored.quieted
    out.print(f"{_when(restored.note.taken_at)} の写しから戻しました。記録の鎖はつながっています。")
    if restored.erased is None:
        out.print("写しのとなりに、消した相談の一覧（erasures.jsonl）がありません。写しのあとに消した相談が戻っているかもしれません。")
        out.print("一覧のある写しがあれば、いまの場所を空にして、一覧を写しと同じフォルダーに置いてから、もう一度戻してください。")
    elif restored.erased:
        out.print(f"写しのあとに消してほしいと言われた相談 {restored.erased} 件を、もう一度消しました。")
    out.print(f"送らずに止めたもの: 返事 {quieted.letters} 通、約束 {quieted.promises} 件、答えを待っていた相談 {quieted.unanswered} 件")
    out.print("机の「やること」で一つずつ確かめてから、送ってください。")
    return 0


def master_key(path: Path, out: Console, err: Console) -> int:
    """Make the master key of a new town (R38)."""
    try:
        make_key_file(path)
    except OSError as problem:
        err.print(f"鍵を書けません: {path}（{problem.strerror}）")
        return 2
    out.print(f"封の鍵を書きました: {path}。写しとは別の場所に、紙でも残してください。なくすと、だれにも読めなくなります。")
    return 0


def rotate_key(settings: Settings, out: Console, err: Console) -> int:
    """Put the new master key in the place of the retiring one (R40)."""
    if settings.retiring_key_file is None:
        err.print("前の鍵のファイルを MADOGUCHI_RETIRING_KEY_FILE に、新しい鍵を MADOGUCHI_MASTER_KEY_FILE に書いて、始めなおしてからしてください。")
        return 2
    try:
        store = Store.open(settings.database_url, keys.build_keyring(settings), exclusive=False)
    except (KeyFileProblem, StoreDown) as problem:
        err.print(f"鍵を替えられません: {problem}")
        return 1
    try:
        many = keys.rotate(store)
        store.transact(lambda rows: audit.note(rows, actor="system", act="keys.rotated", now=datetime.now(UTC), count=many))
    finally:
        store.close()
    out.print(f"{many} 個の鍵を、新しい封の鍵で包みなおしました。前の鍵はもう要りません（写しは、取った日の鍵で開きます）。")
    out.print("MADOGUCHI_RETIRING_KEY_FILE の行を消して、始めなおしてください。")
    return 0


def retention(settings: Settings, out: Console, err: Console) -> int:
    """Erase what was kept long enough, because an operator says that the clock is right (R41)."""
    now = datetime.now(UTC)
    try:
        store = Store.open(settings.database_url, keys.build_keyring(settings), exclusive=False)
    except (KeyFileProblem, StoreDown) as problem:
        err.print(f"消せません: {problem}")
        return 1
    many = 0
    try:
        while dropped := store.transact(lambda rows: retention_job.look(rows, now, years=settings.keep_years, sure=True)):
            many += dropped
    finally:
        store.close()
    out.print(f"いまは {now.astimezone(JST):%Y-%m-%d %H:%M}。保存の期限が過ぎた相談 {many} 件を消しました。")
    return 0


def _new_key(path: Path, out: Console, err: Console) -> int:
    try:
        public = backups.new_key(path)
    except FileExistsError:
        err.print(f"もうファイルがあります: {path}")
        return 2
    out.print(f"秘密鍵を書きました: {path}（このコンピューターから移し、2か所に分けて、なくさないように）")
    out.print(f".env に書く行: MADOGUCHI_BACKUP_RECIPIENT={public}")
    return 0


def _when(taken_at: str) -> str:
    return f"{datetime.fromisoformat(taken_at).astimezone(JST):%Y-%m-%d %H:%M}"
