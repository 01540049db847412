"""Whom an incident concerns is read off the audit, in the order of the report form (R44)."""

import io
from datetime import timedelta

import pytest
from rich.console import Console

from bot import incident as incidents
from bot.settings import Settings
from storage import incident
from storage.incident import Nobody
from tests.conftest import Database
from tests.desk.conftest import Browser, Office


@pytest.mark.requirement("R44")
async def test_the_list_holds_exactly_what_one_member_of_staff_saw_in_that_time(office: Office, sato: Browser, tanaka: Browser) -> None:
    seen, other, before = office.has_case(hidden=True), office.has_case("家賃", who="U2"), office.has_case("介護", who="U3")
    await sato.opens(f"/desk/cases/{before}")
    office.clock.moves(minutes=10)
    since = office.clock.now()
    await sato.opens(f"/desk/cases/{seen}")
    await sato.opens(f"/desk/cases/{seen}/history")
    await tanaka.opens(f"/desk/cases/{other}")
    until = since + timedelta(minutes=5)

    def listed(**asked: str) -> list[incident.Concerned]:
        return office.store.transact(lambda rows: incident.concerned(rows, since=since, until=until, **asked))

    (one,) = listed(login="ＳＡＴＯ")
    assert (one.code, one.hidden_address, one.acts, one.times, one.key) == (seen, True, ("case.read",), 2, "暗号化・今の鍵")
    assert {"相談の内容（要配慮個人情報）", "連絡先の番号"} <= set(one.kinds)
    assert "プラン" not in one.kinds
    assert [one.code for one in listed()] == [seen, other]
    assert [one.code for one in listed(code=other)] == [other]
    for nobody in ({"login": "nobody"}, {"agency": "ない機関"}, {"code": "AAA-AAAA"}):
        with pytest.raises(Nobody):
            listed(**nobody)


@pytest.mark.requirement("R44")
async def test_the_draft_follows_the_form_and_holds_no_word_of_the_talk(
    office: Office, sato: Browser, sqlite_database: Database, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = office.has_case()
    await sato.opens(f"/desk/cases/{code}")
    monkeypatch.setattr("bot.app.build_keyring", lambda settings: office.store.keyring)
    out = Console(file=io.StringIO(), width=400, highlight=False, soft_wrap=True)
    settings = Settings.model_validate({"database_url": sqlite_database.url})
    at = office.clock.now()
    assert incidents.run(settings, at - timedelta(hours=1), at + timedelta(hours=1), None, None, None, out, out) == 0
    said = out.file.getvalue()
    headings = ["1 概要", "2 個人データの項目", "3 本人の数: 1 人", "4 原因", "5 二次被害", "6 本人への対応", "7 公表", "8 再発防止", "9 その他"]
    assert sorted(headings, key=said.index) == headings
    assert code in said
    assert "佐藤" in said
    assert "退院後" not in said
