"""D10 through the whole product: an offer meets a request, is kept with a consent of its own, and goes when that is taken back."""

from datetime import datetime, timedelta

from bot.clock import JST
from storage import helping
from storage.desk_queue import Viewer
from tests.town import Town


def looks_for(town: Town, title: str) -> None:
    town.coordinator("佐藤")
    member = town.rows("SELECT id FROM staff")[0][0]
    viewer, now = Viewer(member, "佐藤", "coordinator", f"staff:{member}"), datetime(2026, 11, 24, tzinfo=JST)
    town.store.transact(
        lambda rows: helping.ask(rows, viewer, title=title, when="土曜の午前", place="", asked_by="自治会", until=now + timedelta(30), now=now)
    )


def test_a_helper_hears_what_is_looked_for_and_no_contact(town: Town) -> None:
    looks_for(town, "集会所の棚を直す大工しごと")
    resident = town.resident_on("web").taps("相談をはじめる").says("手伝いたい").says("前は大工でした。棚を直すのが得意です").says("土日")
    assert "集会所の棚を直す" in resident.hears()
    assert "自治会" not in resident.hears()
    resident.taps("説明会の日")
    assert len(town.rows("SELECT id FROM offer")) == 1
    assert town.rows("SELECT count(*) FROM care_case")[0][0] == 0
    listed = resident.says("同意を取り消したい").hears()
    resident.taps("① 取り消す" if listed.index("できること") < listed.index("②") else "② 取り消す")
    assert town.rows("SELECT count(*) FROM offer")[0][0] == 0


def test_what_does_not_fit_is_not_told(town: Town) -> None:
    looks_for(town, "外国の人に日本語を教える")
    resident = town.resident_on("web").taps("相談をはじめる").says("手伝いたい").says("手を動かすこと").says("土日")
    assert "日本語を教える" not in resident.hears()
